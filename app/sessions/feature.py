"""The recorded sessions as a feature of the window."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QMessageBox

from app.session_choice import recordings_folder
from app.sessions import texts, work
from app.sessions.page import SessionsPage
from app.shell import Shell
from app.text import error_line, one_line
from engine.recorder.catalogue import Entry, read_entries, scan, set_title
from engine.recorder.importing import import_session
from engine.recorder.retention import Deleted, delete_sessions

PAGE = "sessions"


class SessionsFeature:
    """Qt's thread only; everything that touches the disk runs in the worker."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self.page = SessionsPage(shell.theme)
        self.question: QMessageBox | None = None
        self._waiting: tuple[Path, ...] = ()
        self._reading = self._closed = False
        shell.add_page(PAGE, self.page)
        self.action = shell.commands.add(
            "&Inspect", "&Sessions", "Ctrl+Shift+S", "List, open and delete recorded sessions", self.show
        )
        page, bridge = self.page, shell.bridge
        page.left.connect(self._leave)
        page.open_asked.connect(self._open)
        page.delete_asked.connect(self.ask_delete)
        page.import_asked.connect(self._ask_import)
        page.folder_asked.connect(_reveal)
        page.renamed.connect(self._rename)
        bridge.session_changed.connect(self._session_changed)
        bridge.trouble.connect(self._trouble)
        for changed in (shell.signals.settings_changed, shell.signals.sessions_changed):
            changed.connect(self._list_changed)
        shell.signals.closing.connect(self._close)
        if shell.settings.keep_days > 0 and shell.sessions_folder() == recordings_folder(shell.settings):
            self._expire(shell.settings.keep_days)

    def show(self) -> None:
        """Show the page, and look at the disk again."""
        self.page.show_message("")
        self._shell.show_page(PAGE)
        self.refresh()
        self.page.focus_table()

    def refresh(self) -> None:
        """List the sessions; those that are not known are read a few at a time."""
        folder = self._shell.sessions_folder()

        def listed(entries: list[Entry]) -> None:
            had_focus = self.page.empty_import.hasFocus()
            entries = work.with_recording(entries, self._recording())
            self.page.show_entries(entries)
            if had_focus:
                self.page.focus_table()
            self._waiting = tuple(entry.path for entry in entries if entry.state == "unread")
            self._read_on()

        self._run(lambda: scan(folder), listed)

    def _read_on(self) -> None:
        """While the page is shown: nobody waits for it otherwise, and a conversation may be running."""
        if self._reading or not self._waiting or self._closed or not self._shown:
            return
        paths, self._reading = self._waiting, True

        def read(result: work.Round | None, error: Exception | None) -> None:
            self._reading = False
            if result is not None:
                self.page.update_entries(work.with_recording(result.read, self._recording()))
                done = {*paths} - {*result.left}
                self._waiting = tuple(path for path in self._waiting if path not in done)
                self._read_on()
            elif error is not None:
                self.page.show_message(error_line(error))

        self._shell.bridge.run_call(lambda: work.read_some(paths), read)

    @property
    def _shown(self) -> bool:
        return self._shell.shown_page() == PAGE

    def _recording(self) -> Path | None:
        """Folder of the session that is being recorded by this window."""
        session = self._shell.bridge.session
        folder = session.out_dir if session is not None else None
        return folder.absolute() if folder is not None else None

    # what is asked for

    def _open(self, entry: Entry) -> None:
        if entry.state == "unreadable":
            self.page.show_message(f"This session cannot be shown: {one_line('; '.join(entry.damaged), 400)}")
        else:
            self._shell.open_session(entry.path)

    def ask_delete(self, entries: Sequence[Entry]) -> None:
        """Ask whether these sessions are to be deleted, and delete them."""
        box = QMessageBox(self._shell.window_widget)
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setIcon(QMessageBox.Icon.Warning)
        box.setWindowTitle("Delete sessions")
        box.setText(texts.delete_question(entries))
        delete = box.addButton("Delete", QMessageBox.ButtonRole.DestructiveRole)
        keep = box.addButton("Keep", QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(keep)
        box.setEscapeButton(keep)
        paths = [entry.path for entry in entries]
        delete.clicked.connect(lambda: self.delete(paths))
        self.question = box
        box.finished.connect(self._answered)
        box.open()

    def _answered(self) -> None:
        if self.question is not None:
            self.question.deleteLater()
            self.question = None

    def delete(self, paths: Sequence[Path]) -> None:
        """Delete these sessions without a question; the one that is recorded stays."""
        going = [path for path in paths if path != self._recording()]
        if self._shell.document.path in [path.resolve() for path in going]:
            self._shell.show_document(self._shell.live)
            self._shell.show_page(PAGE)

        def deleted(done: Deleted) -> None:
            self.page.show_message(texts.deleted_text(done.count, done.bytes, done.left))
            self.refresh()

        self._run(lambda: delete_sessions(going), deleted)

    def _ask_import(self) -> None:
        folder = QFileDialog.getExistingDirectory(
            self._shell.window_widget, "Import the folder of a session", str(Path.home())
        )
        if folder:
            self.import_from(Path(folder))

    def import_from(self, source: Path) -> None:
        """Copy a session to the others."""
        folder = self._shell.sessions_folder()
        self.page.show_message(f"Importing {one_line(source.name, 80)}…")

        def imported(path: Path) -> None:
            self.page.search.clear()
            self.page.show_message(f"Imported as {one_line(path.name, 80)}.")
            self._run(lambda: read_entries([path]), lambda _: self._show_new(path))

        self._run(lambda: import_session(source, folder), imported)

    def _show_new(self, path: Path) -> None:
        folder = self._shell.sessions_folder()

        def listed(entries: list[Entry]) -> None:
            self.page.show_entries(work.with_recording(entries, self._recording()))
            self.page.table.select([path.absolute()])
            self.page.focus_table()

        self._run(lambda: scan(folder), listed)

    def _rename(self, path: Path, title: str) -> None:
        def call() -> list[Entry]:
            set_title(path, title)
            return read_entries([path])

        self._run(call, self.page.update_entries)

    def _leave(self) -> None:
        self._shell.show_page("talk")
        if self._shell.bridge.state == "running":
            self._shell.bridge.stop_speaking()  # Escape means that everywhere

    # what happens meanwhile

    def _session_changed(self, state: str, _: str) -> None:
        if state in ("running", "stopped", "failed") and self._shown:
            self.refresh()

    def _list_changed(self) -> None:
        """The folder may be another one, or hold other sessions."""
        if self._shown:
            self.refresh()

    def _trouble(self, text: str) -> None:
        if self._shown:
            self.page.show_message(text)

    def _close(self) -> None:
        self._closed = True
        if self.question is not None:
            self.question.close()

    def _run(self, call: Callable[[], Any], then: Callable[[Any], None]) -> None:
        def finished(result: Any, error: Exception | None) -> None:
            if self._closed:
                return
            if error is not None:
                self.page.show_message(error_line(error))
            else:
                then(result)

        self._shell.bridge.run_call(call, finished)

    def _expire(self, days: int) -> None:
        """As the window starts: delete what is older than wanted, without holding up anything else."""
        folder, now = self._shell.sessions_folder(), datetime.now(UTC)

        def read(left: Sequence[Path]) -> None:
            if left:
                self._run(lambda: work.read_some(left), lambda result: read(result.left))
            else:
                self._run(lambda: work.delete_expired(folder, days, now), told)

        def told(result: tuple[Deleted, int]) -> None:
            done, kept = result
            if text := texts.expired_text(done.count, kept, days):
                self._shell.notify(text)

        self._run(lambda: work.unread_and_old(folder, days, now), read)


def _reveal(path: Path) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))
