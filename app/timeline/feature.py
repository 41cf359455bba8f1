"""Joins the timeline to the window: what is read from a recorded session's folder, and time that flows."""

from PySide6.QtCore import QObject

from app.shell import Shell


class TimelineMedia(QObject):
    """Tells the timeline where the shown session lies, and stops its reading when the window closes."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell.window_widget)
        self._shell = shell
        shell.signals.document_changed.connect(self._document_changed)
        shell.signals.closing.connect(shell.timeline.close_media)
        shell.signals.refreshed.connect(self._refreshed)

    def _document_changed(self) -> None:
        self._shell.timeline.set_folder(self._shell.document.path)

    def _refreshed(self, seconds: float) -> None:
        if self._shell.document is self._shell.live and self._shell.bridge.state == "running":
            self._shell.timeline.flow(seconds)
