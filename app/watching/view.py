"""Below the camera's picture: what is being watched for, and a button to take it back; else hidden."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from app.theme import GAP, Theme, icon
from engine.decisions import STANDING_TOKENS

NAME = "What is being watched for"
_ICON_PX = 18


class WatchingView(QWidget):
    """A label for each instruction that stands, changed only with its text."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(NAME)
        self._eye = QLabel()
        self.labels = tuple(QLabel() for _ in STANDING_TOKENS)
        self.stop = QToolButton()
        self.stop.setAccessibleName("Stop watching")
        self.stop.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        words = QVBoxLayout()
        words.setSpacing(GAP // 2)
        for label in self.labels:
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
            words.addWidget(label)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GAP)
        layout.addWidget(self._eye, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(words, 1)
        layout.addWidget(self.stop, 0, Qt.AlignmentFlag.AlignTop)
        self.set_theme(theme)
        self.hide()

    @property
    def lines(self) -> tuple[str, ...]:
        """What is shown."""
        return tuple(label.text() for label in self.labels if label.text())

    def set_theme(self, theme: Theme) -> None:
        self._eye.setPixmap(icon("eye", theme.dim, _ICON_PX).pixmap(_ICON_PX, _ICON_PX))
        self.stop.setIcon(icon("close", theme.text, _ICON_PX))

    def use(self, action: QAction) -> None:
        """The button does what ``action`` does."""
        self.stop.setToolTip(action.toolTip())
        self.stop.clicked.connect(action.trigger)

    def show_lines(self, lines: tuple[str, ...], can_stop: bool, enabled: bool) -> None:
        """``can_stop``: they can be taken back at all; ``enabled``: now."""
        if lines != self.lines:
            for label, text in zip(self.labels, (*lines, *("" for _ in self.labels)), strict=False):
                label.setText(text)
                label.setVisible(bool(text))
            self.setAccessibleDescription(". ".join(lines))
        self.stop.setVisible(can_stop)
        self.stop.setEnabled(enabled)
        self.setVisible(bool(lines))
