"""Paint what was found or noted: where the time of a reply went, faults, marks."""

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QFontMetricsF, QPainter, QPen, QPolygonF

from app.theme import Theme, argb, font, mix, q
from app.timeline.found import Spots
from app.timeline.item_tracks import bar, elided
from app.timeline.items import Instant
from app.timeline.view import View, draw_pixels

SYMBOL_PX = 24
_NARROW_PX = 5
"""From waits narrower than this only their length is seen."""
_FULL_WAIT_S = 2.0
_TEXT_PX = 30
_TALL = 0.85
_LABEL_MOST_PX = 240
_GOOD = "good"
_PATTERNS = (
    Qt.BrushStyle.BDiagPattern, Qt.BrushStyle.HorPattern, Qt.BrushStyle.FDiagPattern,
    Qt.BrushStyle.VerPattern, Qt.BrushStyle.DiagCrossPattern, Qt.BrushStyle.Dense5Pattern,
    Qt.BrushStyle.CrossPattern, Qt.BrushStyle.Dense6Pattern,
)  # fmt: skip
SEGMENTS = (
    "waiting for the micro-turn's end", "deciding to listen", "nothing to say", "waiting for the background",
    "late", "computing", "playing out", "not recorded",
)  # fmt: skip
"""Causes that have a colour and a pattern of their own, as ``engine.inspect.latency`` names them."""


def segment_colour(name: str, theme: Theme) -> str:
    colours = (
        theme.dim, theme.decisions[0], theme.decisions[4], theme.warning, theme.danger, theme.ok,
        theme.assistant_level, theme.decisions[5],
    )  # fmt: skip
    return colours[SEGMENTS.index(name)] if name in SEGMENTS else theme.dim


def paint_latency(painter: QPainter, top: float, height: float, view: View) -> None:
    """The silence before each reply, cause by cause; from afar a bar as high as the wait is long."""
    replies = view.found.replies_between(view.t0, view.t1)
    if not replies:
        return
    near = [reply for reply in replies if (reply.t1 - reply.t0) * view.scale.px_per_s >= _NARROW_PX]
    _paint_waits(painter, top, height, view)
    small = font(8)
    metrics = QFontMetricsF(small)
    painter.setFont(small)
    starts = [view.scale.x(min(reply.t0, reply.t1)) for reply in replies]
    for reply in near:
        right = view.scale.x(reply.t1)
        painter.fillRect(bar(view, reply.t0, reply.t1, top, height), q(view.theme.surface))
        for segment in reply.segments:
            _paint_segment(
                painter, bar(view, segment.t0, segment.t1, top, height), segment.name, view, metrics
            )
        label = f"{reply.t1 - reply.t0:.2f} s"
        after = next((x for x in starts if x > right), view.left + view.width)
        if after - right > metrics.horizontalAdvance(label) + 12 and height >= _TALL * metrics.height():
            painter.setPen(q(view.theme.text))
            box = QRectF(right + 5, top, after - right, height)
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, label)


def _paint_segment(painter: QPainter, box: QRectF, name: str, view: View, metrics: QFontMetricsF) -> None:
    t = view.theme
    colour = segment_colour(name, t)
    painter.fillRect(box.adjusted(0, 1, -1, -1), q(mix(t.surface, colour, 0.3)))
    if box.width() > metrics.horizontalAdvance(name) + 8 and box.height() >= _TALL * metrics.height():
        painter.setPen(q(t.text))
        painter.drawText(box.adjusted(4, 0, -2, 0), Qt.AlignmentFlag.AlignVCenter, name)
    else:
        pattern = _PATTERNS[SEGMENTS.index(name)] if name in SEGMENTS else Qt.BrushStyle.NoBrush
        painter.fillRect(box.adjusted(0, 1, -1, -1), QBrush(q(colour), pattern))
    painter.fillRect(QRectF(box.left(), box.bottom() - 3, max(box.width() - 1, 1), 2), q(colour))


def _paint_waits(painter: QPainter, top: float, height: float, view: View) -> None:
    """Those too narrow for their causes: height tells the length, up to 2 s."""
    found, px = view.found, view.scale.px_per_s * view.dpr
    width, rows = round(view.width * view.dpr), round(height * view.dpr)
    wait = found.reply_t1 - found.reply_t0
    at = np.floor(found.reply_t1 * px).astype(np.int64) - round(view.scale.first_px * view.dpr)
    shown = (wait * view.scale.px_per_s < _NARROW_PX) & (wait > 0) & (at >= 0) & (at < width)
    if not shown.any():
        return
    tall = np.zeros(width)
    np.maximum.at(tall, at[shown], np.clip(wait[shown] / _FULL_WAIT_S, 0.2, 1) * rows)
    from_bottom = (rows - np.arange(rows) - 0.5)[:, None]
    t = view.theme
    pixels = np.where(from_bottom < tall, np.uint32(argb(t.warning)), np.uint32(argb(t.surface)))
    draw_pixels(painter, pixels, view.left, top, view.dpr)


def paint_faults(painter: QPainter, top: float, height: float, view: View) -> None:
    """A triangle for each, with a bar over its time and its kind; crowded ones carry their number."""
    spots = view.found.faults_of(view.model)
    t, scale = view.theme, view.scale
    margin = SYMBOL_PX / scale.px_per_s
    groups = spots.groups(view.t0 - margin, view.t1 + margin, margin)
    small = font(8)
    metrics = QFontMetricsF(small)
    painter.setFont(small)
    # Stretches first: they must not cover a neighbour's symbol.
    for low, high in groups:
        t1 = float(spots.t1[low:high].max())
        stretch = bar(view, float(spots.t0[low]), t1, top + 1, height - 2)
        if stretch.width() > 3:
            painter.fillRect(stretch, q(mix(t.surface, t.danger, 0.28)))
    # What began before the view keeps its symbol at the edge.
    starts = [max(scale.x(float(spots.t0[low])), view.left + 7.0) for low, _ in groups]
    for k, (low, high) in enumerate(groups):
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(q(t.danger))
        x, y, r = starts[k], top + height / 2, min(5.5, height / 2 - 1)
        painter.drawPolygon(QPolygonF([QPointF(x, y - r), QPointF(x + r, y + r), QPointF(x - r, y + r)]))
        room = (starts[k + 1] if k + 1 < len(starts) else view.left + view.width) - x - 20
        _label(painter, QRectF(x + 8, top, room, height), _fault_text(spots, low, high - 1), view, metrics)


def _fault_text(spots: Spots, low: int, high: int) -> str:
    kinds = list(dict.fromkeys(spots.items[k].kind for k in range(low, min(high + 1, low + 40))))
    if low == high:
        only = spots.items[low]
        return only.text if only.kind == "fault" else only.kind
    return f"{high + 1 - low}: {', '.join(kinds[:3])}" if len(kinds) <= 3 else str(high + 1 - low)


def _label(painter: QPainter, room: QRectF, text: str, view: View, metrics: QFontMetricsF) -> None:
    """Text beside a symbol; only its beginning, the number, where there is no room for words."""
    if room.height() < _TALL * metrics.height():
        return
    painter.setPen(q(view.theme.text))
    box = room.adjusted(0, 0, min(_LABEL_MOST_PX - room.width(), 0), 0)
    number = text.split(":", maxsplit=1)[0]
    if metrics.horizontalAdvance(text) < box.width() or (box.width() >= _TEXT_PX and not number.isdigit()):
        elided(painter, box, text, metrics)
    elif number.isdigit():
        painter.drawText(box.adjusted(-1, 0, 20, 0), Qt.AlignmentFlag.AlignVCenter, number)


def paint_marks(painter: QPainter, top: float, height: float, view: View) -> None:
    """Flag: mark with its verdict. Square: typed text. Circle: camera. Crowded ones carry their number."""
    notes, scale = view.model.items.notes, view.scale
    small = font(8)
    metrics = QFontMetricsF(small)
    painter.setFont(small)
    per_px = 1 / scale.px_per_s
    runs = notes.runs(view.t0 - 8 * per_px, view.t1 + 8 * per_px, SYMBOL_PX * per_px)
    starts = [scale.x(notes.items[run.first].t) for run in runs]
    for k, run in enumerate(runs):
        among = notes.items[run.first : run.first + min(run.count, 40)]
        shown = next((item for item in among if item.what == "mark"), among[0])
        paint_symbol(painter, QPointF(starts[k], top + height / 2), shown, view.theme)
        text = str(run.count) if run.count > 1 else shown.text
        room = (starts[k + 1] if k + 1 < len(runs) else view.left + view.width) - starts[k] - 20
        _label(painter, QRectF(starts[k] + 9, top, room, height), text, view, metrics)


def paint_symbol(painter: QPainter, at: QPointF, instant: Instant, theme: Theme) -> None:
    """The symbol of one instant, 10 pixels wide, centred. A flag with a verdict carries a tick or a cross."""
    t = theme
    painter.setPen(Qt.PenStyle.NoPen)
    x, y = at.x(), at.y()
    match instant.what:
        case "mark":
            colour = t.accent if not instant.verdict else t.ok if instant.verdict == _GOOD else t.warning
            painter.setBrush(q(colour))
            painter.drawPolygon(
                QPolygonF([QPointF(x - 4, y - 6), QPointF(x + 6, y - 2.5), QPointF(x - 4, y + 1)])
            )
            painter.fillRect(QRectF(x - 5, y - 6, 1.5, 12), q(colour))
            if instant.verdict:
                painter.setPen(QPen(q(colour), 1.6))
                low = QPointF(x + 1, y + 4)
                if instant.verdict == _GOOD:
                    painter.drawPolyline([low + QPointF(-2, -1), low + QPointF(0, 1.5), low + QPointF(4, -3)])
                else:
                    painter.drawLine(low + QPointF(-1, -2), low + QPointF(3, 2))
                    painter.drawLine(low + QPointF(-1, 2), low + QPointF(3, -2))
        case "text_in":
            painter.setBrush(q(t.user_level))
            painter.drawRoundedRect(QRectF(x - 5, y - 5, 10, 10), 2, 2)
        case _:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(q(t.dim), 1.6))
            painter.drawEllipse(at, 4.5, 4.5)
