"""Privacy: where words go, where recordings are, how long they stay, and how they are deleted."""

from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QFileDialog, QLineEdit, QMessageBox

from app.preferences.forms import Check, Choices, Page, button, dim, labelled, row
from app.preferences.wording import RECORDING, delete_question, deleted_text, keep_options, usage_text
from app.privacy import privacy_text
from app.session_choice import background_from
from app.settings import Settings
from app.shell import Shell


class PrivacyPage(Page):
    """Nothing is deleted before the question, which names the number, was answered."""

    title = "Privacy"
    names = ("recordings_folder", "keep_days")

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self.section("Where your words go")
        self.where = dim("")
        self.column.addWidget(self.where)
        form = self.section("Recording", RECORDING)
        self.record = Check("&Record the next sessions of this window")
        form.addRow(self.record)
        self.folder = QLineEdit()
        self.folder.setReadOnly(True)
        self.folder.setAccessibleName("Folder of recordings")
        self.browse = button("&Choose…", "Choose the folder of recordings")
        labelled(form, "&Folder", self.folder, row(self.folder, self.browse))
        self.keep = Choices("How long recordings are kept")
        labelled(form, "&Keep recordings", self.keep)
        form.addRow(dim("Older ones are deleted when the window opens; those with marks stay."))
        self.usage = dim("")
        self.delete_all = button("&Delete all recordings…")
        labelled(form, "On the disk", self.delete_all, row(self.usage, self.delete_all))
        self.finish()
        action = shell.commands.record
        self.record.clicked.connect(self._record)
        action.toggled.connect(self.record.setChecked)
        self.record.setChecked(action.isChecked())
        self.browse.clicked.connect(self._browse)
        self.keep.picked.connect(lambda days: self.change(keep_days=int(days)))
        self.delete_all.clicked.connect(self.ask_to_delete)

    def show_settings(self, settings: Settings) -> None:
        background = background_from(settings)
        self.where.setText(privacy_text(background.base_url, background.send_frames))
        folder = str(self.shell.sessions_folder())
        if self.folder.text() != folder:
            self.folder.setText(folder)
            self.folder.setCursorPosition(0)
            self._measure()
        self.keep.show_options(keep_options(settings.keep_days), str(settings.keep_days))

    def opened(self) -> None:
        self._measure()

    def _record(self, on: bool) -> None:
        # As from the menu, so that what it says about recording is said.
        if self.shell.commands.record.isChecked() != on:
            self.shell.commands.record.trigger()

    def _browse(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Folder of recordings", self.folder.text())
        if folder:
            self.change(recordings_folder=folder)

    def _measure(self) -> None:
        folder = self.shell.sessions_folder()
        self.usage.setText("Looking…")
        self.delete_all.setEnabled(False)

        def measured(found: Any, trouble: str) -> None:
            count, size = found or (0, 0)
            self.usage.setText(trouble or usage_text(count, size))
            self.delete_all.setEnabled(count > 0)

        self.calls.run(lambda: _usage(folder), measured)

    def ask_to_delete(self) -> None:
        """Count anew, ask, and delete after a yes."""
        folder = self.shell.sessions_folder()

        def counted(found: Any, trouble: str) -> None:
            if trouble or not found[0]:
                self.tell(trouble)
                self._measure()
                return
            count, size = found
            self.question = QMessageBox(self.window())
            self.question.setIcon(QMessageBox.Icon.Warning)
            self.question.setWindowTitle("Delete all recordings")
            self.question.setText(delete_question(count, size, folder))
            yes = self.question.addButton("&Delete all", QMessageBox.ButtonRole.DestructiveRole)
            no = self.question.addButton(QMessageBox.StandardButton.Cancel)
            self.question.setDefaultButton(no)
            self.question.setEscapeButton(no)
            yes.clicked.connect(lambda: self._delete(folder))
            self.question.finished.connect(self.question.deleteLater)
            self.question.open()

        self.calls.run(lambda: _usage(folder), counted)

    def _delete(self, folder: Path) -> None:
        def call() -> Any:
            from engine.recorder.retention import delete_all

            return delete_all(folder)

        def deleted(done: Any, trouble: str) -> None:
            self.tell(trouble or deleted_text(done.count, done.bytes, done.left))
            self._measure()
            self.shell.signals.settings_changed.emit()

        self.calls.run(call, deleted)


def _usage(folder: Path) -> tuple[int, int]:
    from engine.recorder.retention import usage

    return usage(folder) if folder.is_dir() else (0, 0)
