"""The small window in which a mark gets its verdict and its words."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from app.marking.ledger import time_text
from app.theme import GAP, px
from engine.recorder.marks import MAX_NOTE, VERDICTS, verdict_label

NO_VERDICT = "No verdict"


class MarkLine(QDialog):
    """Return saves, Escape leaves; ``saved`` tells verdict and note."""

    saved = Signal(str, str)

    def __init__(self, t: float, verdict: str, note: str, parent: QWidget) -> None:
        super().__init__(parent)
        name = f"Mark at {time_text(t)}"
        self.setWindowTitle(name)
        heading = QLabel(name)
        heading.setProperty("kind", "heading")
        self.verdict = QComboBox()
        self.verdict.setAccessibleName("Verdict")
        self.verdict.addItem(NO_VERDICT, "")
        for one in VERDICTS:
            self.verdict.addItem(f"{one.key}  {one.label}", one.name)
        if self.verdict.findData(verdict) < 0:
            self.verdict.addItem(verdict_label(verdict), verdict)  # of a later version
        self.verdict.setCurrentIndex(self.verdict.findData(verdict))
        self.note = QLineEdit(note)
        self.note.setAccessibleName("Note")
        self.note.setPlaceholderText("What happened here?")
        self.note.setMaxLength(MAX_NOTE)
        self.note.setMinimumWidth(px(360))
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel
        )
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        form = QFormLayout()
        form.setSpacing(GAP)
        form.addRow("&Verdict", self.verdict)
        form.addRow("&Note", self.note)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * GAP, 2 * GAP, 2 * GAP, 2 * GAP)
        layout.setSpacing(2 * GAP)
        layout.addWidget(heading)
        layout.addLayout(form)
        layout.addWidget(buttons)
        self.note.setFocus()
        self.accepted.connect(lambda: self.saved.emit(str(self.verdict.currentData()), self.note.text()))
