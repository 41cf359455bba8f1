"""The last seconds as three lanes: the person, the decisions, the assistant."""

from itertools import groupby

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from app.presenting.panel import Panel, type_of
from app.theme import Theme, q
from app.timeline.model import TimelineModel
from app.timeline.sound_tracks import paint_assistant, paint_user
from app.timeline.time_scale import TimeScale
from app.timeline.tracks import LETTERS, SHAPES
from app.timeline.view import View
from engine.config import CHUNK_S
from engine.decisions import DECISIONS

SPAN_S = 20.0
NAMES = ("You", "Decision", "Assistant")
_WEIGHTS = (1.0, 1.8, 1.0)


def runs(model: TimelineModel, first: int, end: int) -> list[tuple[int, int, int]]:
    """(decision's code, first micro-turn, micro-turn after the last) of each run of equal decisions."""
    turns = range(max(first, model.turns.base), min(end, model.turns.end))
    found = []
    for code, run in groupby(turns, model.turns.decision):
        members = list(run)
        if code < len(DECISIONS):
            found.append((code, members[0], members[-1] + 1))
    return found


class LanesPanel(Panel):
    """Follows the end of a TimelineModel."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(theme, "The last 20 seconds", parent)
        self.model = TimelineModel()
        self._shown: tuple[int, int] = (0, 0)

    def show_model(self, model: TimelineModel) -> None:
        """Repainted only when there is a new micro-turn."""
        now = id(model), model.turns.end
        if now != self._shown:
            self.model, self._shown = model, now
            self.update()

    def paintEvent(self, _: QPaintEvent) -> None:
        painter = self.painter()
        t, gutter, gap = self.theme, self.px(7.2), self.px(90)
        width = max(self.width() - gutter - self.px(60), 10)
        end_s = max(self.model.end_s, SPAN_S)
        scale = TimeScale.of(end_s - SPAN_S, SPAN_S, width, gutter)
        dpr = self.devicePixelRatioF()
        columns = self.model.turns.columns(
            round(scale.first_px * dpr), scale.px_per_s * dpr, round(width * dpr)
        )
        view = View(self.model, t, scale, gutter, width, dpr, columns)
        room = self.height() - gap * len(NAMES)
        y = gap / 2
        painter.setFont(type_of(self.px(40), QFont.Weight.Medium))
        for name, weight in zip(NAMES, _WEIGHTS, strict=True):
            height = float(round(room * weight / sum(_WEIGHTS)))
            painter.fillRect(QRectF(gutter, y, width, height), q(t.surface))
            painter.setPen(q(t.dim))
            label = QRectF(self.px(60), y, gutter - self.px(60), height)
            painter.drawText(label, Qt.AlignmentFlag.AlignVCenter, name)
            painter.save()
            painter.setClipRect(QRectF(gutter, y, width, height))
            if name == "You":
                paint_user(painter, y, height, view)
            elif name == "Assistant":
                paint_assistant(painter, y, height, view)
            else:
                self._paint_decisions(painter, y, height, view)
            painter.restore()
            y += height + gap
        painter.end()

    def _paint_decisions(self, painter: QPainter, top: float, height: float, view: View) -> None:
        """A block for each run: colour, height, place, and its name or letter where that fits."""
        t, letters = self.theme, type_of(self.px(44), QFont.Weight.DemiBold)
        metrics = QFontMetricsF(letters)
        painter.setFont(letters)
        first, last = view.scale.turn(view.left), view.scale.turn(view.left + view.width) + 1
        for code, begin, end in runs(view.model, first, last):
            upper, lower = SHAPES[code]
            box = QRectF(
                view.scale.x(begin * CHUNK_S) + 1,
                top + upper * height,
                (end - begin) * view.cell_px - 2,
                (lower - upper) * height,
            )
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(q(t.decisions[code]))
            painter.drawRoundedRect(box, 4, 4)
            painter.setPen(q(t.on_decisions[code]))
            text = next(
                (
                    text
                    for text in (DECISIONS[code], LETTERS[code])
                    if metrics.horizontalAdvance(text) < box.width() - 4
                ),
                "",
            )
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
