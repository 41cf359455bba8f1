"""The decision ring: a segment for each decision, always at the same place, as full as it is probable."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import cos, radians, sin

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from app.presenting.panel import Panel, type_of
from app.text import one_line
from app.theme import Theme, mix, q
from app.timeline.tracks import LETTERS
from engine.decisions import DECISION_INDEX, DECISIONS
from engine.events import Event, TurnRecord

SEGMENT_DEG = 360 / len(DECISIONS)
GAP_DEG = 5.0
_JOB_DEG = 64.0
_JOB_STEP_DEG = 18.0
"""By how much the arc of the background goes round with each micro-turn."""
_MAX_JOBS = 4


@dataclass(frozen=True)
class Ring:
    """``code`` indexes DECISIONS, -1 before the first micro-turn. ``probs`` in the order of DECISIONS."""

    code: int = -1
    probs: tuple[float, ...] = field(default=(0.0,) * len(DECISIONS))
    jobs: int = 0
    """Open in the background."""
    work: str = ""
    """What the background works on."""
    turn: int = 0

    @property
    def name(self) -> str:
        return DECISIONS[self.code] if self.code >= 0 else ""


def taken(ring: Ring, events: Sequence[Event], jobs: int, work: str) -> Ring:
    """The ring after some events, with what the background does now."""
    turn = next((event for event in reversed(events) if isinstance(event, TurnRecord)), None)
    if turn is None:
        return Ring(ring.code, ring.probs, jobs, one_line(work, 80), ring.turn)
    probs = tuple(round(min(max(float(turn.probs.get(name, 0.0)), 0.0), 1.0), 2) for name in DECISIONS)
    return Ring(DECISION_INDEX.get(turn.decision, -1), probs, jobs, one_line(work, 80), turn.i)


class RingPanel(Panel):
    """Paints a Ring."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(theme, "Decision", parent)
        self.ring = Ring()

    def show_ring(self, ring: Ring) -> None:
        """Repainted only when something visible has changed."""
        before, self.ring = self.ring, ring
        if ring.name != before.name or ring.work != before.work:
            work = f". In the background: {ring.work}" if ring.work else ""
            self.setAccessibleDescription(f"{ring.name or 'none yet'}{work}")
        if (ring.code, ring.probs, ring.jobs, ring.work) != (
            before.code, before.probs, before.jobs, before.work
        ) or (ring.jobs and ring.turn != before.turn):  # fmt: skip
            self.update()

    def paintEvent(self, _: QPaintEvent) -> None:
        painter = self.painter()
        label_px = self.px(40)
        below = 2.6 * label_px
        radius = min((self.width() / 2 - 5.3 * label_px) / 1.12, (self.height() - below) / 2 - 3.1 * label_px)
        if radius > 20:
            middle = QPointF(self.width() / 2, (self.height() - below) / 2)
            self._paint_segments(painter, middle, radius, label_px)
            self._paint_jobs(painter, middle, radius * 1.08)
            self._paint_middle(painter, middle, radius)
            self._paint_work(painter, label_px, below)
        painter.end()

    def _paint_segments(self, painter: QPainter, middle: QPointF, radius: float, label_px: int) -> None:
        t, thick = self.theme, radius * 0.17
        names = type_of(label_px, QFont.Weight.Medium, tabular=True)
        bold = type_of(label_px, QFont.Weight.DemiBold, tabular=True)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for code, name in enumerate(DECISIONS):
            chosen = code == self.ring.code
            start = code * SEGMENT_DEG + GAP_DEG / 2
            whole = SEGMENT_DEG - GAP_DEG
            width = thick * (1.35 if chosen else 1.0)
            box = _circle(middle, radius - thick / 2)
            painter.setPen(_pen(mix(t.window, t.dim, 0.22), width))
            painter.drawArc(box, *_sixteenths(start, whole))
            if self.ring.probs[code] > 0:
                painter.setPen(_pen(t.decisions[code], width))
                painter.drawArc(box, *_sixteenths(start, whole * self.ring.probs[code]))
            painter.setPen(q(t.text if chosen else t.dim))
            painter.setFont(bold if chosen else names)
            at = _on(middle, radius * 1.15, start + whole / 2)
            _label(painter, at, middle, f"{name}\n{100 * self.ring.probs[code]:.0f} %", label_px)

    def _paint_jobs(self, painter: QPainter, middle: QPointF, radius: float) -> None:
        """Work in the background: arcs that go round outside the ring, one for each job."""
        if not self.ring.jobs:
            return
        shown = min(self.ring.jobs, _MAX_JOBS)
        painter.setPen(
            QPen(
                q(self.theme.warning), max(radius * 0.035, 3), Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap
            )
        )
        for k in range(shown):
            start = self.ring.turn * _JOB_STEP_DEG + k * 360 / shown
            painter.drawArc(_circle(middle, radius), *_sixteenths(start, _JOB_DEG))

    def _paint_middle(self, painter: QPainter, middle: QPointF, radius: float) -> None:
        if self.ring.code < 0:
            return
        inside = radius * 0.78
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(q(self.theme.decisions[self.ring.code]))
        disc = inside * 0.62
        at = middle - QPointF(0, inside * 0.16)
        painter.drawEllipse(at, disc, disc)
        painter.setPen(q(self.theme.on_decisions[self.ring.code]))
        painter.setFont(type_of(round(disc * 1.25), QFont.Weight.DemiBold))
        painter.drawText(_circle(at, disc), Qt.AlignmentFlag.AlignCenter, LETTERS[self.ring.code])
        painter.setPen(q(self.theme.text))
        painter.setFont(type_of(round(inside * 0.3), QFont.Weight.DemiBold))
        name = QRectF(middle.x() - inside, at.y() + disc, 2 * inside, inside * 0.46)
        painter.drawText(name, Qt.AlignmentFlag.AlignCenter, self.ring.name)

    def _paint_work(self, painter: QPainter, label_px: int, below: float) -> None:
        if not self.ring.jobs:
            return
        painter.setFont(type_of(label_px, QFont.Weight.Medium))
        painter.setPen(q(self.theme.text))
        box = QRectF(0, self.height() - below, self.width(), below)
        text = f"In the background: {self.ring.work}" if self.ring.work else "Working in the background"
        shown = QFontMetricsF(painter.font()).elidedText(
            text, Qt.TextElideMode.ElideRight, 1.8 * self.width()
        )
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, shown)


def _circle(middle: QPointF, radius: float) -> QRectF:
    return QRectF(middle.x() - radius, middle.y() - radius, 2 * radius, 2 * radius)


def _pen(colour: str, width: float) -> QPen:
    return QPen(q(colour), width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap)


def _sixteenths(start_deg: float, span_deg: float) -> tuple[int, int]:
    """Degrees clockwise from the top, as Qt wants arcs: sixteenths, anticlockwise from the right."""
    return round(16 * (90 - start_deg)), -max(round(16 * span_deg), 16)


def _on(middle: QPointF, radius: float, deg: float) -> QPointF:
    """A point at so many degrees clockwise from the top."""
    return QPointF(middle.x() + radius * sin(radians(deg)), middle.y() - radius * cos(radians(deg)))


def _label(painter: QPainter, at: QPointF, middle: QPointF, text: str, label_px: int) -> None:
    """Two lines beside a point of the ring, away from its middle."""
    wide, high = 12.0 * label_px, 2.4 * label_px
    if abs(at.x() - middle.x()) < label_px:
        left, side = at.x() - wide / 2, Qt.AlignmentFlag.AlignHCenter
    elif at.x() > middle.x():
        left, side = at.x(), Qt.AlignmentFlag.AlignLeft
    else:
        left, side = at.x() - wide, Qt.AlignmentFlag.AlignRight
    away = (at.y() - middle.y()) / max(abs(at.y() - middle.y()), abs(at.x() - middle.x()), 1.0)
    box = QRectF(left, at.y() + (away - 1) * high / 2, wide, high)
    painter.drawText(box, side | Qt.AlignmentFlag.AlignVCenter, text)
