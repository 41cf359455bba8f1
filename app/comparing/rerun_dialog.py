"""Asks through what a session is to be run again."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QLabel,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.comparing.options import TEMPERAMENTS, RerunChoice
from app.preferences.wording import NO_TEMPERAMENT
from app.text import one_line
from app.theme import GAP
from engine.engines.registry import has_temperament

ABOUT = (
    "The recorded microphone, camera and typed words go through the engine again, background included, "
    "as fast as this computer can. The result is a new session beside the old one."
)
TEMPERAMENT = "Temperament, added to the model’s own scores (logits); no timer or threshold is involved."


class RerunDialog(QDialog):
    """Non-modal; ``accepted`` says that ``choice`` is to be run."""

    def __init__(self, name: str, engines: tuple[str, ...], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Run again")
        self.engine = QComboBox()
        self.engine.addItems(list(engines))
        self.seed = QSpinBox()
        self.seed.setRange(0, 2**31 - 1)
        self.biases: dict[str, QDoubleSpinBox] = {}
        form = QFormLayout()
        form.addRow("&Engine", self.engine)
        form.addRow("&Seed", self.seed)
        about = _words(ABOUT)
        self.temperament = _words(TEMPERAMENT)
        form.addRow(self.temperament)
        for key, label in TEMPERAMENTS:
            spin = QDoubleSpinBox()
            spin.setRange(-3.0, 3.0)
            spin.setSingleStep(0.25)
            spin.setDecimals(2)
            spin.setAccessibleName(label)
            self.biases[key] = spin
            form.addRow(label, spin)
        self.engine.currentTextChanged.connect(self._engine_changed)
        title = _words(one_line(name, 80))
        title.setProperty("kind", "heading")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        buttons.addButton("&Run again", QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3 * GAP, 3 * GAP, 3 * GAP, 2 * GAP)
        layout.setSpacing(GAP + 4)
        layout.addWidget(title)
        layout.addWidget(about)
        layout.addLayout(form)
        layout.addWidget(buttons)
        self.setMinimumWidth(440)

    def _engine_changed(self, engine: str) -> None:
        learned = has_temperament(engine)
        for spin in self.biases.values():
            spin.setEnabled(learned)
        self.temperament.setText(TEMPERAMENT if learned else NO_TEMPERAMENT)

    @property
    def choice(self) -> RerunChoice:
        """What was chosen."""
        return RerunChoice(
            engine=self.engine.currentText(),
            seed=self.seed.value(),
            biases={key: spin.value() for key, spin in self.biases.items()},
        )


def _words(text: str) -> QLabel:
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setProperty("kind", "dim")
    label.setWordWrap(True)
    return label
