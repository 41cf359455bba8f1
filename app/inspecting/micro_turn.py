"""Sound and picture of the selected micro-turn, read in the worker thread, for the details panel."""

from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject

from app.inspecting.media import Media, read_media
from app.inspecting.media_view import MediaView
from app.shell import Shell
from app.timeline.details_panel import DetailsPanel


class MicroTurn(QObject):
    """At most one read at a time: whoever holds an arrow key gets the last one."""

    def __init__(self, shell: Shell, panel: DetailsPanel) -> None:
        super().__init__(shell.window_widget)
        self._shell = shell
        self._reading = False
        self._read: tuple[Path, int] | None = None
        self.view = MediaView(shell.theme)
        panel.add_below_probabilities(self.view)
        shell.timeline.selection_changed.connect(self._look)
        shell.signals.document_changed.connect(self._document_changed)
        shell.signals.theme_changed.connect(self._theme_changed)

    def _wanted(self) -> tuple[Path, int] | None:
        folder, turn = self._shell.document.path, self._shell.document.timeline.selected
        return None if folder is None or turn is None else (folder, turn)

    def _look(self) -> None:
        wanted = self._wanted()
        if wanted is None:
            self._read = None
            self.view.show_media(None)
        elif wanted != self._read and not self._reading:
            self._reading = True
            self._shell.bridge.run_call(
                lambda: read_media(*wanted), lambda media, _: self._came(wanted, media)
            )

    def _came(self, wanted: tuple[Path, int], media: Any) -> None:
        self._reading = False
        if wanted == self._wanted():
            self._read = wanted
            self.view.show_media(media if isinstance(media, Media) else None)
        else:
            self._look()

    def _document_changed(self) -> None:
        self._reading, self._read = False, None
        self._look()

    def _theme_changed(self) -> None:
        self.view.theme = self._shell.theme
        self.view.update()
