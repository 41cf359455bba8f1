"""One background job on the screen: its state as shape and words, what it is about, and what can be done."""

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QFont, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from app.jobs import Job, JobState, heading, spoken
from app.text import one_line
from app.theme import GAP, Theme, font, q

_MARK_PX = 16
_TITLE_CHARS = 140
_NOTE_CHARS = 120


def state_colour(state: JobState, theme: Theme) -> str:
    if state in (JobState.WORKING, JobState.ASKS):
        return theme.warning
    if state is JobState.FAILED:
        return theme.danger
    if state in (JobState.ANSWERED, JobState.ALARM):
        return theme.ok
    return theme.dim


class StateMark(QWidget):
    """Open ring: working. Question mark, tick, triangle, cross, bell, dash: a shape for each state."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.state = JobState.WORKING
        self.setFixedSize(QSize(_MARK_PX, _MARK_PX))

    def paintEvent(self, _: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colour = q(state_colour(self.state, self.theme))
        pen = QPen(colour, 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        c = QPointF(_MARK_PX / 2, _MARK_PX / 2)
        match self.state:
            case JobState.WORKING:
                painter.drawArc(QRectF(3, 3, 10, 10), 60 * 16, 270 * 16)
            case JobState.ASKS:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(colour)
                painter.drawEllipse(c, 8, 8)
                painter.setPen(q(self.theme.surface))
                painter.setFont(font(8.5, QFont.Weight.DemiBold))
                painter.drawText(QRectF(0, 0, _MARK_PX, _MARK_PX), Qt.AlignmentFlag.AlignCenter, "?")
            case JobState.ANSWERED:
                painter.drawPolyline([QPointF(3, 8.5), QPointF(6.5, 12), QPointF(13, 4.5)])
            case JobState.FAILED:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(colour)
                painter.drawPolygon([QPointF(8, 2), QPointF(14.5, 14), QPointF(1.5, 14)])
            case JobState.CANCELLED:
                painter.drawLine(QPointF(4, 4), QPointF(12, 12))
                painter.drawLine(QPointF(4, 12), QPointF(12, 4))
            case JobState.ALARM:
                painter.drawChord(QRectF(3.5, 2.5, 9, 15), 0, 180 * 16)
                painter.drawPoint(QPointF(8, 13))
            case JobState.UNFINISHED:
                painter.drawLine(QPointF(4, 8), QPointF(12, 8))
        painter.end()


class _RowButton(QToolButton):
    """Leaves the arrow keys to the list."""

    def __init__(self, text: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setText(text)
        self.setProperty("kind", "small")
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            event.ignore()
        else:
            super().keyPressEvent(event)


class JobRow(QFrame):
    """Keys: up and down go to another row, Return opens the details, Delete stops, R tries again."""

    stop_asked = Signal(int)
    retry_asked = Signal(int)
    moved = Signal(int)
    """By so many rows, to be made the current one."""
    focused = Signal()

    def __init__(self, job: Job, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "row")
        self.job = job
        self._can_act = False
        self.mark = StateMark(theme)
        self.heading = _label("label")
        self.title = _label("")
        self.note = _label("dim")
        self.steps = _label("steps")
        self.steps.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.steps.hide()
        self.details = _RowButton("Details", self)
        self.details.setCheckable(True)
        self.details.toggled.connect(self._toggled)
        self.stop = _RowButton("Stop", self)
        self.stop.clicked.connect(lambda: self.stop_asked.emit(self.job.id))
        self.retry = _RowButton("Try again", self)
        self.retry.clicked.connect(lambda: self.retry_asked.emit(self.job.id))
        self._lay_out()
        self.set_current(False)

    def _lay_out(self) -> None:
        top, bottom = QHBoxLayout(), QHBoxLayout()
        top.setSpacing(GAP)
        top.addWidget(self.mark)
        top.addWidget(self.heading, 1)
        top.addWidget(self.details)
        bottom.setSpacing(GAP)
        bottom.addWidget(self.note, 1)
        for button in (self.retry, self.stop):
            bottom.addWidget(button, 0, Qt.AlignmentFlag.AlignBottom)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP + 2, GAP - 2, GAP - 2, GAP - 2)
        layout.setSpacing(GAP // 2)
        layout.addLayout(top)
        layout.addWidget(self.title)
        layout.addLayout(bottom)
        layout.addWidget(self.steps)

    def set_theme(self, theme: Theme) -> None:
        self.mark.theme = theme
        self.mark.update()

    def show_job(self, job: Job, now: float, can_act: bool) -> None:
        """Bring the row up to date; what has not changed is left alone."""
        _set(self.heading, heading(job, now))
        if job is self.job and can_act is self._can_act and self.title.text():
            return
        self.job, self._can_act = job, can_act
        self.mark.state = job.state
        self.mark.update()
        _set(self.title, one_line(job.title, _TITLE_CHARS))
        note = one_line(job.note, _NOTE_CHARS)
        _set(self.note, "" if note == self.title.text() else note)
        lines = job.details()
        _set(self.steps, "\n".join(lines))
        self.steps.setVisible(bool(lines) and self.details.isChecked())
        about = one_line(job.title, 80)
        for button, shown, name in (
            (self.details, bool(lines), f"Details of: {about}"),
            (self.stop, can_act and job.open, f"Stop: {about}"),
            (self.retry, can_act and job.can_retry, f"Try again: {about}"),
        ):
            if button.accessibleName() != name:
                button.setAccessibleName(name)
            if button.isVisibleTo(self) != shown:
                self._show_button(button, shown)
        self.setToolTip("\n".join(lines))
        if self.accessibleName() != (name := spoken(job)):
            self.setAccessibleName(name)
            self.setAccessibleDescription("\n".join(lines))

    def _show_button(self, button: QToolButton, shown: bool) -> None:
        """A button that goes while it has the focus leaves it to its row."""
        if not shown and button.hasFocus():
            self.setFocus()
        button.setVisible(shown)

    def set_current(self, current: bool) -> None:
        """Only the current row is in the order of the tab key: fifty rows would bar the way."""
        policy = Qt.FocusPolicy.StrongFocus if current else Qt.FocusPolicy.ClickFocus
        self.setFocusPolicy(policy)
        for button in (self.details, self.stop, self.retry):
            button.setFocusPolicy(policy)

    def _toggled(self, on: bool) -> None:
        self.steps.setVisible(on and bool(self.steps.text()))

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.focused.emit()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        match event.key():
            case Qt.Key.Key_Up:
                self.moved.emit(-1)
            case Qt.Key.Key_Down:
                self.moved.emit(1)
            case Qt.Key.Key_Return | Qt.Key.Key_Enter | Qt.Key.Key_Space:
                self.details.toggle()
            case Qt.Key.Key_Delete if not self.stop.isHidden():
                self.stop_asked.emit(self.job.id)
            case Qt.Key.Key_R if not self.retry.isHidden():
                self.retry_asked.emit(self.job.id)
            case _:
                super().keyPressEvent(event)


def _set(label: QLabel, text: str) -> None:
    if label.text() != text or label.isHidden() == bool(text):
        label.setText(text)
        label.setVisible(bool(text))


def _label(kind: str) -> QLabel:
    made = QLabel()
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setWordWrap(True)
    if kind:
        made.setProperty("kind", kind)
    return made
