"""The question of a background job, with a yes and a no. Not modal: it can be answered by speech as well."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAccessible, QAccessibleEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.actions import Actions
from app.job_row import StateMark
from app.jobs import Job, JobState
from app.text import one_line
from app.theme import GAP, Theme

READY_S = 0.4
"""So long its buttons do nothing: a click meant for what was there before must not allow anything."""


class QuestionBar(QFrame):
    """Shows the oldest question; emits the job and whether it may."""

    replied = Signal(int, bool)

    def __init__(self, theme: Theme, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "question")
        self.job: Job | None = None
        self._age = 0.0
        self._actions = actions.allow, actions.deny
        self.mark = StateMark(theme)
        self.mark.state = JobState.ASKS
        self.text = QLabel()
        self.text.setProperty("kind", "heading")
        self.about = QLabel()
        self.about.setProperty("kind", "dim")
        for label in (self.text, self.about):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
        self.allow = QPushButton("Allow")
        self.deny = QPushButton("Don’t allow")
        for button, action in ((self.allow, actions.allow), (self.deny, actions.deny)):
            button.setToolTip(action.toolTip())
            button.setMinimumHeight(34)
            button.setAutoDefault(False)
        self.allow.clicked.connect(lambda: self._reply(True))
        self.deny.clicked.connect(lambda: self._reply(False))
        actions.allow.triggered.connect(lambda: self._reply(True))
        actions.deny.triggered.connect(lambda: self._reply(False))
        self._lay_out()
        self.hide()
        self._enable(False)

    def _lay_out(self) -> None:
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self.text)
        words.addWidget(self.about)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(2 * GAP, GAP, 2 * GAP, GAP)
        layout.setSpacing(GAP + 4)
        layout.addWidget(self.mark)
        layout.addLayout(words, 1)
        layout.addWidget(self.deny)
        layout.addWidget(self.allow)

    def set_theme(self, theme: Theme) -> None:
        self.mark.theme = theme
        self.mark.update()

    def show_questions(self, questions: tuple[Job, ...], seconds: float) -> None:
        """The first of ``questions``, ``seconds`` after the last call; none takes the bar away."""
        job = questions[0] if questions else None
        if job is None:
            if self.job is not None:
                self.job = None
                self._enable(False)
                self.hide()
            return
        if self.job is None or (self.job.id, self.job.asked_at) != (job.id, job.asked_at):
            self._age = 0.0
            self._enable(False)
            self._show(job, len(questions) - 1)
        elif self._age < READY_S:
            self._age += seconds
            self._enable(self._age >= READY_S)

    def _show(self, job: Job, more: int) -> None:
        self.job = job
        self.text.setText(one_line(job.question, 300))
        request = f"For “{one_line(job.request, 100)}”. " if job.request else ""
        others = f" {more} more to answer after this." if more else ""
        self.about.setText(f"{request}You can also just say yes or no.{others}")
        self.setAccessibleName(f"A question: {self.text.text()}")
        self.allow.setAccessibleName(f"Allow: {self.text.text()}")
        self.deny.setAccessibleName(f"Don’t allow: {self.text.text()}")
        self.show()
        QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.Alert))

    def _enable(self, on: bool) -> None:
        for one in (self.allow, self.deny, *self._actions):
            one.setEnabled(on)

    def _reply(self, allowed: bool) -> None:
        if self.job is not None and self.allow.isEnabled():
            self.replied.emit(self.job.id, allowed)
