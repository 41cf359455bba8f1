"""The conversation with its heading, its recording light, and the field to type in."""

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.conversation_view import ConversationView
from app.shared_files import SharedFiles
from app.theme import GAP, Theme, icon

MAX_TYPED = 4_000
WELCOME = "Press Start and talk"
WELCOME_RUNNING = "Talk, or type below"
WELCOME_MORE = (
    "Interrupt whenever you like: it listens while it speaks.\nNothing is recorded unless you ask for it."
)


class RecordingLight(QLabel):
    """Says whether the recorder has its files open. A filled and a hollow dot, and words."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.on = False
        self.show_recording(False)

    def show_recording(self, on: bool) -> None:
        self.on = on
        self.setText("●  Recording" if on else "○  Not recording")
        self.setAccessibleName(self.text()[3:])
        colour = QColor(self.theme.danger if on else self.theme.dim)
        palette = self.palette()
        palette.setColor(self.foregroundRole(), colour)
        self.setPalette(palette)

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.show_recording(self.on)


class ConversationCard(QFrame):
    """Emits ``typed`` with text the person wants to say in writing."""

    typed = Signal(str)

    def __init__(self, theme: Theme, privacy: str, sharing: str = "", parent: QWidget | None = None) -> None:
        """``sharing``: what is said about files that are shared."""
        super().__init__(parent)
        self.setProperty("kind", "card")
        self.title = QLabel("Conversation")
        self.title.setProperty("kind", "heading")
        self.title.setTextFormat(Qt.TextFormat.PlainText)
        self.light = RecordingLight(theme)
        self.leave = QToolButton()
        self.notice = QLabel()
        self.notice.setProperty("kind", "notice")
        self.notice.setTextFormat(Qt.TextFormat.PlainText)
        self.notice.setWordWrap(True)
        self.notice.setAccessibleName("Notice")
        self.notice.hide()
        self.note = QLabel()
        self.note.setProperty("kind", "note")
        self.note.setTextFormat(Qt.TextFormat.PlainText)
        self.note.setWordWrap(True)
        self.note.setAccessibleName("About this session")
        self.note.hide()
        self.view = ConversationView(theme)
        self.stack = QStackedWidget()
        self.welcome_more = QLabel()
        self.welcome_title = QLabel(WELCOME)
        self.stack.addWidget(_welcome(self.welcome_title, self.welcome_more))
        self.stack.addWidget(self.view)
        self.files = SharedFiles(theme, sharing)
        self.show_privacy(privacy, sharing)
        self.share = QToolButton()
        self.share.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.share.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.field = QLineEdit()
        self.field.setAccessibleName("Type to the assistant")
        self.field.setMaxLength(MAX_TYPED)
        self.field.returnPressed.connect(self._send)
        self.send = QToolButton()
        self.send.setAccessibleName("Send")
        self.send.setToolTip("Send (Return)")
        self.send.setIconSize(QSize(18, 18))
        self.send.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.send.clicked.connect(self._send)
        self._lay_out()
        self.set_theme(theme)
        self.show_running(False)

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self.title)
        top.addWidget(self.leave)
        top.addStretch(1)
        top.addWidget(self.light)
        bottom = QHBoxLayout()
        bottom.setSpacing(GAP)
        bottom.addWidget(self.field, 1)
        bottom.addWidget(self.send)
        bottom.addWidget(self.share)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * GAP, GAP + 4, 2 * GAP, GAP + 4)
        layout.setSpacing(GAP)
        layout.addLayout(top)
        layout.addWidget(self.note)
        layout.addWidget(self.stack, 1)
        layout.addWidget(self.files)
        layout.addLayout(bottom)

    def set_theme(self, theme: Theme) -> None:
        self.light.set_theme(theme)
        self.view.set_theme(theme)
        self.files.set_theme(theme)
        self.send.setIcon(icon("send", theme.text, 18))

    def show_running(self, running: bool) -> None:
        """Typing is for a running session, and so is talking."""
        self.welcome_title.setText(WELCOME_RUNNING if running else WELCOME)
        self.field.setEnabled(running)
        self.send.setEnabled(running)
        self.field.setPlaceholderText(
            "Type instead of speaking" if running else "Start a session to talk or type"
        )

    def show_empty(self, empty: bool) -> None:
        self.stack.setCurrentIndex(0 if empty else 1)

    def show_note(self, text: str) -> None:
        """What is to be known about the session shown; empty takes it away."""
        self.note.setText(text)
        self.note.setVisible(bool(text))

    def show_notice(self, text: str) -> None:
        """One line above whatever page is shown; empty takes it away."""
        if text != self.notice.text():
            self.notice.setText(text)
        self.notice.setVisible(bool(text))

    def show_privacy(self, privacy: str, sharing: str) -> None:
        """Where words go, and what is read from shared files."""
        self.welcome_more.setText(f"{WELCOME_MORE}\n\n{privacy}")
        self.files.rule.setText(sharing)

    def _send(self) -> None:
        text = self.field.text().strip()
        if text:
            self.typed.emit(text)
            self.field.clear()


def _welcome(first: QLabel, more: QLabel) -> QWidget:
    page = QWidget()
    first.setProperty("kind", "title")
    more.setProperty("kind", "dim")
    area = QScrollArea()  # large text on a small screen
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setWidget(page)
    layout = QVBoxLayout(page)
    layout.setSpacing(GAP + 2)
    layout.addStretch(2)
    for label in (first, more):
        label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        label.setWordWrap(True)
        layout.addWidget(label)
    layout.addStretch(3)
    return area
