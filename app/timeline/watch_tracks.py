"""Paint what was counted, watched for and said at a time: a row for each kind of instruction."""

from collections.abc import Sequence

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter

from app.theme import font, mix, q
from app.timeline.item_tracks import bar, elided
from app.timeline.view import View
from app.watching.texts import said_text, title
from engine.config import CHUNK_S
from engine.inspect.watching import Saying, Watched

_TALL = 0.85
_TICK_PX = 2.0
_APART_PX = 3.0
"""Of several sayings closer than this one is drawn."""
_STUB_PX = 3.0
"""So high is a tick under a title."""
_WORDS_PX = 60
"""In less room, words are not cut short but left out."""
_ROUND_PX = 6
"""A bar narrower than this is a plain rectangle."""


def paint_watching(painter: QPainter, top: float, height: float, view: View) -> None:
    """A bar with a title from an instruction to its end; a tick with a number or words for each saying."""
    log = view.model.items.watches
    kinds = log.kinds
    small = font(8, tabular=True)
    metrics = QFontMetricsF(small)
    painter.setFont(small)
    tall = height / max(len(kinds), 1)
    for one in log.watched:
        end = max(view.model.end_s, one.t0) if one.t1 is None else one.t1
        if end >= view.t0 and one.t0 <= view.t1:
            row = top + kinds.index(one.asked.token) * tall
            _paint_one(painter, bar(view, one.t0, end, row + 1, tall - 2), one, view, metrics)


def _paint_one(painter: QPainter, box: QRectF, one: Watched, view: View, metrics: QFontMetricsF) -> None:
    t = view.theme
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(q(mix(t.surface, t.accent, 0.22)))
    if box.width() > _ROUND_PX:
        painter.drawRoundedRect(box, 3, 3)
    else:
        painter.drawRect(box)
    ticks = _ticks(one, view, box)
    texts = box.height() >= _TALL * metrics.height()
    free = _free(box, [x for x, _ in ticks], [said_text(one, said.text) for _, said in ticks], metrics)
    place, below = (
        _title_place(free, box, metrics.horizontalAdvance(title(one)) + 10) if texts else (None, 0.0)
    )
    painter.setPen(q(t.text))
    for (x, said), (room, _) in zip(ticks, free[1:], strict=True):
        stub = _STUB_PX if x < below else box.height()
        painter.fillRect(QRectF(x, box.bottom() - stub, _TICK_PX, stub), q(t.accent))
        words = said_text(one, said.text)
        if (
            texts
            and x >= below
            and (room.width() >= _WORDS_PX or metrics.horizontalAdvance(words) <= room.width())
        ):
            elided(painter, room, words, metrics)
    if place is not None:
        elided(painter, place.adjusted(5, 0, -3, 0), title(one), metrics)


def _free(
    box: QRectF, ticks: Sequence[float], words: Sequence[str], metrics: QFontMetricsF
) -> list[tuple[QRectF, QRectF]]:
    """The room before the first tick and after each, and what is left of it beside that tick's words."""
    edges = [*ticks, box.right()]
    first = QRectF(box.left(), box.top(), edges[0] - box.left(), box.height())
    found = [(first, first)]
    for x, after, text in zip(ticks, edges[1:], words, strict=True):
        room = QRectF(x + _TICK_PX + 2, box.top(), max(after - x - _TICK_PX - 4, 0.0), box.height())
        taken = min(metrics.horizontalAdvance(text) + 6, room.width())
        found.append((room, room.adjusted(taken, 0, 0, 0)))
    return found


def _title_place(
    free: Sequence[tuple[QRectF, QRectF]], box: QRectF, wide: float
) -> tuple[QRectF | None, float]:
    """Where a title goes: where there is room for it, else over the ticks at the beginning.

    Also the pixel up to which ticks lie under it.
    """
    rest = next((rest for _, rest in free if rest.width() >= wide), None)
    if rest is not None:
        return rest, 0.0
    if box.width() < _WORDS_PX:
        return None, 0.0
    place = QRectF(box.left(), box.top(), min(wide, box.width()), box.height())
    return place, place.right()


def _ticks(one: Watched, view: View, box: QRectF) -> list[tuple[float, Saying]]:
    """Where sayings are drawn: in the middle of their micro-turns, and not on each other."""
    found: list[tuple[float, Saying]] = []
    for said in one.said:
        x = view.scale.x(said.t + CHUNK_S / 2) - _TICK_PX / 2
        if box.left() <= x <= box.right() and (not found or x - found[-1][0] >= _APART_PX):
            found.append((x, said))
    return found
