"""Export as a feature of the window."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QStandardPaths

from app.exporting.dialog import ExportDialog
from app.exporting.formats import Offer, done_text, error_text, offer, write_session
from app.exporting.picture import paint_image, png_bytes, svg_bytes
from app.shell import Shell


class ExportFeature:
    """Qt's thread only; files are read and written in the worker."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._recorded: Path | None = None  # where the live conversation is, or was, recorded
        self._format = "png"
        self._folder: Path | None = None
        self.dialog: ExportDialog | None = None
        self.action = shell.commands.add(
            "&Inspect", "Exp&ort…", "Ctrl+E", "Write this session, or what is visible of it, to a file",
            self.open,
        )  # fmt: skip
        shell.bridge.session_changed.connect(self._session_changed)
        shell.signals.document_changed.connect(self._close)
        shell.signals.closing.connect(self._close)

    def offer(self) -> Offer:
        """What can be exported of the session that is shown."""
        document, bridge = self._shell.document, self._shell.bridge
        shown = None if document.live else document.path
        return offer(document.title, shown, bridge.active, self._recorded)

    def open(self) -> None:
        """Ask what to export; one dialog at a time."""
        if self.dialog is not None:
            self.dialog.raise_()
            self.dialog.activateWindow()
            return
        folder = self._folder if self._folder is not None and self._folder.is_dir() else _documents()
        dialog = ExportDialog(self.offer(), self._format, folder, self._shell.window_widget)
        self.dialog = dialog
        dialog.asked.connect(self._export)
        dialog.finished.connect(self._finished)
        dialog.show()
        dialog.formats.setFocus()

    def _finished(self) -> None:
        if self.dialog is not None:
            self.dialog.deleteLater()
            self.dialog = None

    def _close(self) -> None:
        if self.dialog is not None:
            self.dialog.reject()

    def _session_changed(self, state: str, _: str) -> None:
        session = self._shell.bridge.session
        if state == "starting":
            self._recorded = None
        elif session is not None:
            self._recorded = session.out_dir
        if self.dialog is not None and not self._shell.document.path:
            self._close()  # what it offers has changed

    def _export(self) -> None:
        dialog = self.dialog
        assert dialog is not None
        path, chosen = dialog.path(), dialog.format
        self._format, self._folder = chosen.name, path.parent
        call = self._call(dialog, path)
        dialog.set_busy(True)

        def written(_: Any, error: Exception | None) -> None:
            open_still = self.dialog is dialog
            if error is None:
                self._shell.notify(done_text(path))
                if open_still:
                    dialog.accept()
            elif open_still:
                dialog.show_error(error_text(error))
            else:
                self._shell.notify(error_text(error))

        self._shell.bridge.run_call(call, written)

    def _call(self, dialog: ExportDialog, path: Path) -> Callable[[], object]:
        """What the worker has to do; a picture is painted here, as it is seen now."""
        folder, name = dialog.offer.folder, dialog.format.name
        if not dialog.of_visible and folder is not None:
            return lambda: write_session(folder, name, path)
        timeline = self._shell.timeline
        if name == "svg":
            data = svg_bytes(timeline, dialog.offer.title)
            return lambda: _write(path, lambda: data)
        image = paint_image(timeline)
        return lambda: _write(path, lambda: png_bytes(image))


def _write(path: Path, data: Callable[[], bytes]) -> None:
    from engine.inspect.export import write_whole

    write_whole(path, lambda made: made.write_bytes(data()))


def _documents() -> Path:
    found = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
    folder = Path(found) if found else Path.home()
    return folder if folder.is_dir() else Path.home()
