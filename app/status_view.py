"""What the assistant does now, to be felt at a glance: a shape of its own for each state, and words."""

import math
from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from app.status import Activity, Status
from app.theme import GAP, Theme, icon, mix, q
from engine.decisions import DECISION_INDEX

ORB_PX = 76
_SIGN_PX = 16


def colour_of(activity: Activity, theme: Theme) -> str:
    """The decision's own colour where a decision stands behind the state."""
    of = {
        Activity.TALKING: "speak",
        Activity.BACKCHANNEL: "backchannel",
        Activity.INTERRUPTING: "interrupt",
        Activity.YIELDED: "yield",
    }
    if activity in of:
        return theme.decisions[DECISION_INDEX[of[activity]]]
    if activity is Activity.LISTENING:
        return theme.user_level
    if activity is Activity.FOLLOWING:
        return theme.thinking
    if activity in (Activity.FAILED, Activity.DEAF):
        return theme.danger
    return theme.warning if activity in (Activity.MUTED, Activity.STARTING) else theme.dim


class Orb(QWidget):
    """Listening: rings that open with your voice. Talking: bars that move with its own. And so on."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self._status = Status()
        self._phase = 0.0
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("State")

    def sizeHint(self) -> QSize:
        return QSize(ORB_PX, ORB_PX)

    def show_status(self, status: Status, seconds: float) -> None:
        """``seconds`` since the last call move what moves; nothing is repainted when nothing does."""
        moves = status.working or status.activity in (
            Activity.STARTING,
            Activity.TALKING,
            Activity.INTERRUPTING,
        )
        if moves:
            self._phase = (self._phase + seconds) % 60
        if moves or status != self._status:
            self._status = status
            self.update()

    def paintEvent(self, _: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        status, t = self._status, self.theme
        colour = colour_of(status.activity, t)
        centre, r = QPointF(self.width() / 2, self.height() / 2), self.width() / 2 - 6
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(q(mix(t.surface, colour, 0.14)))
        painter.drawEllipse(centre, r, r)
        _SHAPES[status.activity](painter, centre, r, self)
        if status.working:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(q(t.warning), 3, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            turn = round(-self._phase * 180 * 16) % (360 * 16)
            box = QRectF(centre.x() - r - 3, centre.y() - r - 3, 2 * r + 6, 2 * r + 6)
            painter.drawArc(box, turn, 80 * 16)
        if status.fault:
            at = centre + QPointF(r * 0.72, r * 0.72)
            painter.setPen(QPen(q(t.surface), 2))
            painter.setBrush(q(t.danger))
            painter.drawPolygon([at + QPointF(0, -9), at + QPointF(10, 8), at + QPointF(-10, 8)])
        painter.end()

    def level(self, db: float) -> float:
        return min(max((db + 60) / 50, 0.0), 1.0)

    def rings(self, painter: QPainter, centre: QPointF, r: float) -> None:
        opened = self.level(self._status.user_level_db)
        colour = colour_of(Activity.LISTENING, self.theme)
        painter.setBrush(q(colour))
        painter.drawEllipse(centre, r * 0.2, r * 0.2)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for k, share in enumerate((0.36, 0.5)):
            painter.setPen(QPen(q(colour, 220 - 90 * k), 2.4))
            ring = r * (share + 0.22 * opened * (k + 1))
            painter.drawEllipse(centre, ring, ring)

    def bars(self, painter: QPainter, centre: QPointF, r: float) -> None:
        colour = colour_of(self._status.activity, self.theme)
        loud = 0.25 + 0.75 * self.level(self._status.self_level_db)
        painter.setBrush(q(colour))
        for k in range(-2, 3):
            wave = 0.55 + 0.45 * math.sin(self._phase * 9 + k * 1.7)
            half = r * (0.16 + 0.46 * loud * wave * (1 - abs(k) * 0.16))
            painter.drawRoundedRect(
                QRectF(centre.x() + k * 9 - 2.6, centre.y() - half, 5.2, 2 * half), 2.6, 2.6
            )
        if self._status.activity is Activity.INTERRUPTING:
            painter.fillRect(QRectF(centre.x() - r * 0.6, centre.y() - r * 0.86, r * 1.2, 4), q(colour))

    def lines(self, painter: QPainter, centre: QPointF, r: float) -> None:
        """Lines of words, the last one not yet whole: what is being said is followed."""
        colour = colour_of(Activity.FOLLOWING, self.theme)
        painter.setPen(QPen(q(colour), 5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        left = centre.x() - r * 0.46
        for k, share in enumerate((0.92, 0.72, 0.34)):
            y = centre.y() + (k - 1) * r * 0.36
            painter.drawLine(QPointF(left, y), QPointF(left + r * share, y))
        painter.drawPoint(QPointF(left + r * 0.62, centre.y() + r * 0.36))

    def dots(self, painter: QPainter, centre: QPointF, r: float) -> None:
        painter.setBrush(q(colour_of(Activity.BACKCHANNEL, self.theme)))
        for k in (-1, 0, 1):
            painter.drawEllipse(centre + QPointF(k * r * 0.42, 0), r * 0.14, r * 0.14)

    def open_hand(self, painter: QPainter, centre: QPointF, r: float) -> None:
        """An arrow that comes down: the floor is handed over."""
        painter.setPen(
            QPen(
                q(colour_of(Activity.YIELDED, self.theme)),
                4.5,
                Qt.PenStyle.SolidLine,
                Qt.PenCapStyle.RoundCap,
            )
        )
        tip, arm = centre + QPointF(0, r * 0.42), r * 0.34
        painter.drawLine(centre - QPointF(0, r * 0.45), tip)
        painter.drawLine(tip, tip + QPointF(-arm, -arm))
        painter.drawLine(tip, tip + QPointF(arm, -arm))

    def glyph(self, name: str, painter: QPainter, centre: QPointF) -> None:
        size = round(ORB_PX * 0.42)
        drawn = icon(name, colour_of(self._status.activity, self.theme), size)
        drawn.paint(painter, round(centre.x() - size / 2), round(centre.y() - size / 2), size, size)

    def arc(self, painter: QPainter, centre: QPointF, r: float) -> None:
        painter.setPen(QPen(q(self.theme.warning), 4, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        box = QRectF(centre.x() - r * 0.5, centre.y() - r * 0.5, r, r)
        painter.drawArc(box, round(-self._phase * 270 * 16) % (360 * 16), 110 * 16)

    def triangle(self, painter: QPainter, centre: QPointF, r: float) -> None:
        path = QPainterPath(centre + QPointF(0, -r * 0.52))
        path.lineTo(centre + QPointF(r * 0.56, r * 0.42))
        path.lineTo(centre + QPointF(-r * 0.56, r * 0.42))
        path.closeSubpath()
        painter.fillPath(path, q(self.theme.danger))
        painter.fillRect(QRectF(centre.x() - 2, centre.y() - r * 0.16, 4, r * 0.3), q(self.theme.surface))
        painter.fillRect(QRectF(centre.x() - 2, centre.y() + r * 0.22, 4, 4), q(self.theme.surface))


_SHAPES: dict[Activity, Callable[[QPainter, QPointF, float, "Orb"], None]] = {
    Activity.OFF: lambda p, c, _, orb: orb.glyph("microphone", p, c),
    Activity.STARTING: lambda p, c, r, orb: orb.arc(p, c, r),
    Activity.LISTENING: lambda p, c, r, orb: orb.rings(p, c, r),
    Activity.FOLLOWING: lambda p, c, r, orb: orb.lines(p, c, r),
    Activity.TALKING: lambda p, c, r, orb: orb.bars(p, c, r),
    Activity.BACKCHANNEL: lambda p, c, r, orb: orb.dots(p, c, r),
    Activity.INTERRUPTING: lambda p, c, r, orb: orb.bars(p, c, r),
    Activity.YIELDED: lambda p, c, r, orb: orb.open_hand(p, c, r),
    Activity.MUTED: lambda p, c, _, orb: orb.glyph("microphone-off", p, c),
    Activity.DEAF: lambda p, c, _, orb: orb.glyph("microphone-off", p, c),
    Activity.STOPPED: lambda p, c, _, orb: orb.glyph("stop", p, c),
    Activity.FAILED: lambda p, c, r, orb: orb.triangle(p, c, r),
}


class Sign(QWidget):
    """What goes on beside the state: a small shape of its own, and words. Hidden when it does not."""

    def __init__(self, draw: Callable[[QPainter, QRectF, Theme], None], theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self._draw = draw
        self.text = QLabel()
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.text.setWordWrap(True)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(_SIGN_PX + GAP, 0, 0, 0)
        layout.addWidget(self.text, 1)
        self.setVisible(False)

    def show_text(self, text: str) -> None:
        """Say it; empty takes the sign away. The label changes only with its text."""
        if text != self.text.text():
            self.text.setText(text)
        self.setVisible(bool(text))

    def paintEvent(self, _: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        top = (min(self.height(), self.text.fontMetrics().height()) - _SIGN_PX) / 2
        self._draw(painter, QRectF(0, max(top, 0), _SIGN_PX, _SIGN_PX), self.theme)
        painter.end()


def _draw_work(painter: QPainter, box: QRectF, theme: Theme) -> None:
    """An open ring, as on the orb and in the list of jobs."""
    painter.setPen(QPen(q(theme.warning), 2.4, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    painter.drawArc(box.adjusted(2, 2, -2, -2), 60 * 16, 270 * 16)


def _draw_recording(painter: QPainter, box: QRectF, theme: Theme) -> None:
    """A full disc in a ring."""
    painter.setPen(QPen(q(theme.danger), 1.6))
    painter.drawEllipse(box.adjusted(1, 1, -1, -1))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(q(theme.danger))
    painter.drawEllipse(box.adjusted(4, 4, -4, -4))


class StatusView(QWidget):
    """The orb with its title and a line of detail; below, work in the background and recording."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.orb = Orb(theme)
        self.title = QLabel()
        self.title.setProperty("kind", "title")
        self.detail = QLabel()
        self.detail.setProperty("kind", "dim")
        self.detail.setWordWrap(True)
        self.work, self.recording = Sign(_draw_work, theme), Sign(_draw_recording, theme)
        self.title.setWordWrap(True)
        for label in (self.title, self.detail):
            label.setTextFormat(Qt.TextFormat.PlainText)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addStretch(1)
        words.addWidget(self.title)
        words.addWidget(self.detail)
        words.addStretch(1)
        top = QHBoxLayout()
        top.setSpacing(GAP + 4)
        top.addWidget(self.orb)
        top.addLayout(words, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GAP // 2)
        layout.addLayout(top)
        layout.addWidget(self.work)
        layout.addWidget(self.recording)
        self.show_status(Status(), 0.0)

    def set_theme(self, theme: Theme) -> None:
        for one in (self.orb, self.work, self.recording):
            one.theme = theme
            one.update()

    def show_recording(self, on: bool) -> None:
        """Whether the session is being written to the disk."""
        self.recording.show_text("Recording" if on else "")

    def show_status(self, status: Status, seconds: float) -> None:
        """Labels change only with their text, so that a screen reader is not flooded."""
        self.orb.show_status(status, seconds)
        detail, work = status.detail, ""
        if status.working:
            count = "a request" if status.open_jobs == 1 else f"{status.open_jobs} requests"
            work = f"Working on {count} in the background"
        self.work.show_text(work)
        for label, text in ((self.title, status.title), (self.detail, detail)):
            if label.text() != text:
                label.setText(text)
        self.detail.setVisible(bool(detail))
        told = " ".join(part for part in (f"{status.title}.", detail, work, status.fault) if part)
        if self.orb.accessibleDescription() != told:
            self.orb.setAccessibleDescription(told)
