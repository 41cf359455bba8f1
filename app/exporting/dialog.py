"""Asks what to export, as what, and into which file."""

from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.exporting.formats import BY_NAME, FORMATS, Format, Offer, file_name, target, with_suffix
from app.theme import GAP
from engine.errors import InputError
from engine.recorder.folder import reason

WHOLE, VISIBLE = "whole", "visible"
EXISTS = "This file exists. Press Replace to write over it."


class ExportDialog(QDialog):
    """Non-modal over its window; ``asked`` says that the export is to be done now."""

    asked = Signal()

    def __init__(self, offer: Offer, chosen: str, folder: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Export")
        self.offer = offer
        self._replace: Path | None = None  # the file that may be written over
        self.formats = QComboBox()
        self.formats.setAccessibleName("Format")
        for one in FORMATS:
            self.formats.addItem(one.label, one.name)
        self.formats.setCurrentIndex(max(self.formats.findData(chosen), 0))
        self.extent = QComboBox()
        self.extent.setAccessibleName("What to export")
        self.file = QLineEdit()
        self.file.setAccessibleName("File")
        self.file.setMinimumWidth(420)
        self.browse = QPushButton("&Choose…")
        row = QHBoxLayout()
        row.addWidget(self.file, 1)
        row.addWidget(self.browse)
        form = QFormLayout()
        form.addRow("&Format", self.formats)
        form.addRow("&What", self.extent)
        file_label = QLabel("F&ile")
        file_label.setBuddy(self.file)
        form.addRow(file_label, row)
        self.message = QLabel()
        self.message.setTextFormat(Qt.TextFormat.PlainText)
        self.message.setWordWrap(True)
        self.message.setMinimumHeight(2 * self.message.fontMetrics().lineSpacing())
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.export = buttons.addButton("&Export", QDialogButtonBox.ButtonRole.AcceptRole)
        self.export.setDefault(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3 * GAP, 3 * GAP, 3 * GAP, 2 * GAP)
        layout.setSpacing(2 * GAP)
        layout.addLayout(form)
        layout.addWidget(self.message)
        layout.addWidget(buttons)
        self._named = ""
        self._folder = folder
        self._format_chosen()
        self.formats.currentIndexChanged.connect(self._format_chosen)
        self.extent.currentIndexChanged.connect(self._name)
        self.file.textEdited.connect(lambda: self._say(self._why_not()))
        self.browse.clicked.connect(self._browse)
        buttons.accepted.connect(self._accept)
        buttons.rejected.connect(self.reject)

    @property
    def format(self) -> Format:
        return BY_NAME[self.formats.currentData()]

    @property
    def of_visible(self) -> bool:
        """Only what the timeline shows."""
        return bool(self.extent.currentData() == VISIBLE)

    def path(self) -> Path:
        """The file to write.

        Raises:
            InputError: none is named.
        """
        return target(self.file.text(), self.format)

    def _format_chosen(self) -> None:
        """Offer what of the session this format can hold."""
        was = self.extent.currentData()
        with QSignalBlocker(self.extent):
            self.extent.clear()
            if self.offer.folder is not None:
                self.extent.addItem("The whole session", WHOLE)
            if self.format.picture:
                self.extent.addItem("What the timeline shows now", VISIBLE)
            self.extent.setCurrentIndex(max(self.extent.findData(was), 0))
        self.extent.setEnabled(self.extent.count() > 0)
        self._name()

    def _name(self) -> None:
        """The file's name follows format and extent, unless somebody has changed it."""
        chosen = self.format
        name = file_name(self.offer.title, chosen, self.of_visible)
        if self.file.text() == self._named:  # as it was proposed
            self.file.setText(str(self._folder / name))
        else:
            self.file.setText(str(with_suffix(Path(self.file.text()), chosen)))
        self._named = str(self._folder / name)
        self._say(self._why_not())

    def _why_not(self) -> str:
        """Why this cannot be exported; or what cannot, as a remark."""
        self.export.setEnabled(self.extent.count() > 0)
        return self.offer.why_not

    def _browse(self) -> None:
        found, _ = QFileDialog.getSaveFileName(self, "Export to", self.file.text())
        if found:
            self.set_file(found)

    def set_file(self, name: str) -> None:
        """A file that somebody chose, and agreed to replace."""
        self.file.setText(name)
        self._replace = Path(name)
        self._say(self._why_not())

    def _accept(self) -> None:
        try:
            path = self.path()
            taken = path.exists() and not path.is_dir()
        except InputError as err:
            self._say(str(err))
            return
        except OSError as err:
            self._say(f"This file cannot be written ({reason(err)}): choose another.")
            return
        if taken and path != self._replace:
            self._say(EXISTS)
            self._replace = path
            self.export.setText("&Replace")
            return
        self.asked.emit()

    def set_busy(self, busy: bool) -> None:
        """While the file is written nothing can be changed."""
        for widget in (self.formats, self.extent, self.file, self.browse, self.export):
            widget.setEnabled(not busy)
        if busy:
            self._say("Exporting…")
        else:
            self._format_chosen()

    def show_error(self, text: str) -> None:
        """The export failed; the dialog stays for another try."""
        self.set_busy(False)
        self._say(text)

    def _say(self, text: str) -> None:
        if text != EXISTS:
            self.export.setText("&Export")
        self.message.setText(text)
        self.setAccessibleDescription(text)
