"""The line above the timeline in which one looks for something."""

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLineEdit, QToolButton, QWidget

from app.theme import GAP, Theme, icon

HINT = "Words, or decision:yield  p<0.6  compute>100  fault:  mark:  tool:"


class _Field(QLineEdit):
    """Keeps the keys that belong to the bar."""

    stepped = Signal(int)
    left = Signal()

    def event(self, event: QEvent) -> bool:
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.key() == Qt.Key.Key_Escape
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.stepped.emit(-1 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1)
        elif event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)


class FindBar(QFrame):
    """A field, what was found, and buttons. Return and Shift+Return step, Esc closes."""

    changed = Signal(str)
    stepped = Signal(int)
    """1 to the next one, -1 to the previous one."""
    closed = Signal()
    escaped = Signal()
    """Closed with Esc, which elsewhere silences the assistant."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Find on the timeline")
        self.field = _Field()
        self.field.setPlaceholderText(HINT)
        self.field.setMaxLength(200)
        self.field.setAccessibleName("Find on the timeline")
        self.field.setClearButtonEnabled(False)
        self.count = QLabel()
        self.count.setProperty("kind", "dim")
        self.message = QLabel()
        for label in (self.count, self.message):
            label.setTextFormat(Qt.TextFormat.PlainText)
        self.message.setWordWrap(True)
        self.message.setProperty("kind", "label")
        self.previous, self.next, self.close_button = QToolButton(), QToolButton(), QToolButton()
        for button, name in (
            (self.previous, "Previous find (Shift+F3)"),
            (self.next, "Next find (F3)"),
            (self.close_button, "Close find (Esc)"),
        ):
            button.setProperty("kind", "quiet")
            button.setToolTip(name)
            button.setAccessibleName(name.split(" (")[0])
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.previous.setText("Previous")
        self.next.setText("Next")
        self.field.textChanged.connect(self.changed)
        self.field.stepped.connect(self.stepped)
        self.field.left.connect(self.closed)
        self.field.left.connect(self.escaped)
        self.previous.clicked.connect(lambda: self.stepped.emit(-1))
        self.next.clicked.connect(lambda: self.stepped.emit(1))
        self.close_button.clicked.connect(self.closed)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(2 * GAP - 2, 0, GAP, 0)
        layout.setSpacing(GAP)
        layout.addWidget(self.field, 2)
        layout.addWidget(self.count)
        layout.addWidget(self.message, 3)
        for button in (self.previous, self.next, self.close_button):
            layout.addWidget(button)
        self.set_theme(theme)
        self.hide()

    def set_theme(self, theme: Theme) -> None:
        self.close_button.setIcon(icon("close", theme.dim, 16))

    def show_found(self, count: str, message: str, steps: bool) -> None:
        """``count``: "3 of 17"; ``message``: what is shown, or wrong; ``steps``: there is a next one."""
        self.count.setText(count)
        self.message.setText(message)
        self.field.setAccessibleDescription(". ".join(part for part in (count, message) if part))
        self.previous.setEnabled(steps)
        self.next.setEnabled(steps)
