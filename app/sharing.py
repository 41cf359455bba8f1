"""Files that the assistant may read: chosen, dropped, taken back. A dropped folder is a session to open."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog

from app.shared_files import with_added
from app.shell import Shell


class Sharing(QObject):
    """Keeps the list for all sessions of this window; nothing of it is remembered when the window closes."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell.window_widget)
        self._shell = shell
        self._files: tuple[Path, ...] = ()
        shell.window_widget.setAcceptDrops(True)
        shell.window_widget.installEventFilter(self)
        shell.commands.share.triggered.connect(self._ask)
        shell.card.files.changed.connect(self.share)
        shell.bridge.session_changed.connect(self._session_changed)

    def share(self, paths: tuple[Path, ...]) -> None:
        """These files may be read from now on, and no others."""
        self._files = paths
        self._shell.card.files.show_files(paths)
        self._shell.bridge.share_files(paths)

    def _session_changed(self, state: str, _: str) -> None:
        if state == "running" and self._files:
            self._shell.bridge.share_files(self._files)

    def _ask(self) -> None:
        names, _ = QFileDialog.getOpenFileNames(self._shell.window_widget, "Share files with the assistant")
        self._add([Path(name) for name in names])

    def _add(self, paths: Sequence[Path]) -> None:
        files = [path.absolute() for path in paths if path.is_file()]
        if len(files) < len(paths):
            self._shell.notify(
                "Only files can be shared, no folders. To open a recorded session, drop its folder alone."
            )
        if files:
            self.share(with_added(self._files, files))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """What is dragged onto the window."""
        if isinstance(event, QDragEnterEvent):
            if any(url.isLocalFile() for url in event.mimeData().urls()):
                event.acceptProposedAction()
                return True
        elif isinstance(event, QDropEvent) and event.type() == QEvent.Type.Drop:
            paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
            if paths:
                event.acceptProposedAction()
                if paths[0].is_dir():
                    self._shell.open_session(paths[0])
                else:
                    self._add(paths)
                return True
        return super().eventFilter(watched, event)
