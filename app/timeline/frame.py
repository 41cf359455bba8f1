"""Paint what is around and across the lanes: ruler, names, selection, highlights, playhead, minimap."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPen, QPixmap

from app.theme import font, px, q
from app.timeline import tracks
from app.timeline.lanes import Placed
from app.timeline.time_scale import TimeScale, clock_label, ticks
from app.timeline.view import View, draw_pixels
from app.timeline.viewport import Viewport
from engine.config import CHUNK_S

Highlights = Sequence[tuple[float, float, str]]
"""(start, end, label) in session seconds."""
LEAST_LABEL = 0.4
"""Names become no smaller than this part of their natural size."""
TICK_PX = 4
"""Height of the rows of ticks above and below the minimap."""


@dataclass(frozen=True)
class Frame:
    """Where things are, in logical pixels of the widget."""

    width: int
    height: int
    gutter: int
    ruler: int
    overview: int

    @property
    def bottom(self) -> int:
        """Below the lanes."""
        return self.height - self.overview

    @property
    def strip(self) -> QRectF:
        """The minimap without its ticks."""
        top = self.bottom + 4 + TICK_PX
        return QRectF(
            self.gutter, top, max(self.width - self.gutter - 12, 1), self.overview - 8 - 2 * TICK_PX
        )


def paint_ruler(painter: QPainter, frame: Frame, view: View, taken: QRectF | None) -> None:
    """Ticks and times; none where the ruler is ``taken``."""
    t = view.theme
    small = font(8.5, tabular=True)
    metrics = QFontMetricsF(small)
    painter.setFont(small)
    start = max(view.t0, 0.0)
    widest = metrics.horizontalAdvance("00:00:00.00") + 10
    for tick in ticks(start, view.t1 - start, view.scale.px_per_s, max(80, widest)):
        x = round(view.scale.x(tick.t)) + 0.5
        painter.setPen(q(t.border))
        painter.drawLine(QPointF(x, frame.ruler - (8 if tick.label else 4)), QPointF(x, frame.ruler))
        if tick.label:
            painter.setPen(q(t.dim, 34))
            painter.drawLine(QPointF(x, frame.ruler), QPointF(x, frame.bottom))
            painter.setPen(q(t.dim))
            end = x + 4 + metrics.horizontalAdvance(tick.label)
            free = taken is None or end < taken.left() - 4 or x + 4 > taken.right() + 4
            if end < frame.width and free:
                painter.drawText(QPointF(x + 4, frame.ruler - 9), tick.label)


def paint_highlights(painter: QPainter, frame: Frame, view: View, highlights: Highlights) -> None:
    """A bracket on the ruler and a shade over the lanes; those closer than a pixel are one."""
    t, done = view.theme, -1e9
    for t0, t1, _ in highlights:
        if t1 < view.t0 or t0 > view.t1:
            continue
        x0 = max(view.scale.x(t0), view.left - 4.0)
        x1 = min(max(view.scale.x(t1), x0 + 3), view.left + view.width + 4.0)
        if x1 - done < 1:
            continue
        x0, done = max(x0, done), x1
        painter.fillRect(QRectF(x0, frame.ruler, x1 - x0, frame.bottom - frame.ruler), q(t.warning, 38))
        painter.fillRect(QRectF(x0, frame.ruler - 4, x1 - x0, 4), q(t.warning))


def range_label(frame: Frame, view: View, selected: tuple[float, float] | None) -> QRectF | None:
    """Where on the ruler the length of the selected stretch stands, if any of it is visible."""
    if selected is None or selected[1] <= view.t0 or selected[0] >= view.t1:
        return None
    x0, x1 = _range_edges(view, selected)
    wide = QFontMetricsF(_range_font()).horizontalAdvance(_length(selected)) + 10
    left = min(max((x0 + x1 - wide) / 2, view.left), view.left + view.width - wide)
    return QRectF(left, 2, wide, frame.ruler - 7)


def _range_font() -> QFont:
    return font(8.5, QFont.Weight.DemiBold, tabular=True)


def _length(selected: tuple[float, float]) -> str:
    return f"{selected[1] - selected[0]:.2f} s"


def _range_edges(view: View, selected: tuple[float, float]) -> tuple[float, float]:
    low, high = view.left - 4.0, view.left + view.width + 4.0
    return max(view.scale.x(selected[0]), low), min(view.scale.x(selected[1]), high)


def paint_range(painter: QPainter, frame: Frame, view: View, selected: tuple[float, float] | None) -> None:
    """The selected stretch, with its length on the ruler."""
    box = range_label(frame, view, selected)
    if selected is None or box is None:
        return
    t = view.theme
    x0, x1 = _range_edges(view, selected)
    painter.fillRect(QRectF(x0, frame.ruler, x1 - x0, frame.bottom - frame.ruler), q(t.accent, 36))
    painter.setPen(QPen(q(t.accent), 1.4))
    for x in (x0, x1):
        painter.drawLine(QPointF(x, frame.ruler - 6), QPointF(x, frame.bottom))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(q(t.accent))
    painter.drawRoundedRect(box, 3, 3)
    painter.setPen(q(t.on_accent))
    painter.setFont(_range_font())
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, _length(selected))


def paint_selection(painter: QPainter, frame: Frame, view: View, follow: bool) -> None:
    """The newest moment while following, and the selected micro-turn."""
    t, model = view.theme, view.model
    if follow and model.turns.count:
        now = view.scale.x(model.end_s)
        painter.setPen(QPen(q(t.accent), 1.5))
        painter.drawLine(QPointF(now, frame.ruler - 6), QPointF(now, frame.bottom))
    if model.selected is None:
        return
    x = view.scale.x(model.selected * CHUNK_S)
    box = QRectF(x - 1, frame.ruler - 6, max(view.cell_px, 1) + 2, frame.bottom - frame.ruler + 6)
    painter.setPen(QPen(q(t.text), 1.4))
    painter.setBrush(q(t.text, 22) if view.cell_px < 200 else Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(box, 3, 3)


def paint_playhead(painter: QPainter, frame: Frame, x: float, colour: str) -> None:
    painter.setPen(QPen(q(colour), 2))
    painter.drawLine(QPointF(x, frame.ruler - 10), QPointF(x, frame.bottom))


def label_places(
    wanted: Sequence[float], line: float, top: float, bottom: float
) -> tuple[float, list[float]]:
    """Where the lanes' names stand: the scale of their text, and the middle of each, without overlaps.

    ``wanted``: middles of the lanes; ``line``: height of a name at its natural size. Where lanes are lower
    than a name, names move away from their lanes, by half their height at most, and become smaller.
    """
    scale = 1.0
    while True:
        places = _apart(wanted, line * scale, top, bottom)
        far = max((abs(a - b) for a, b in zip(places, wanted, strict=True)), default=0.0)
        if far <= line * scale / 2 or scale <= LEAST_LABEL:
            return scale, places
        scale = round(scale - 0.05, 2)


def _apart(wanted: Sequence[float], line: float, top: float, bottom: float) -> list[float]:
    """As near to ``wanted`` as can be with ``line`` between neighbours: pushed down, then up."""
    places, last = [], top - line / 2
    for middle in wanted:
        last = max(middle, last + line)
        places.append(last)
    following = bottom + line / 2
    for k in range(len(places) - 1, -1, -1):
        following = places[k] = min(places[k], following - line)
    return places


def paint_gutter(painter: QPainter, frame: Frame, view: View, lanes: Sequence[Placed]) -> None:
    """The names of the lanes."""
    t = view.theme
    painter.fillRect(QRectF(0, 0, frame.gutter - 1, frame.height), q(t.surface))
    painter.setPen(q(t.border))
    x = frame.gutter - 0.5
    painter.drawLine(QPointF(x, frame.ruler), QPointF(x, frame.bottom))
    small = font(7.5)
    left = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
    named = [one for one in lanes if one[0].label]
    # In a high lane the name stands at the top, with the note under it.
    wanted = [top + min(height, px(16)) / 2 for _, top, height in named]
    scale, places = label_places(wanted, px(16), frame.ruler, frame.bottom)
    line = px(16) * scale
    for (lane, top, height), middle in zip(named, places, strict=True):
        painter.setFont(font(9 * scale, QFont.Weight.Medium))
        painter.setPen(q(t.text))
        box = QRectF(14, middle - line / 2, frame.gutter - 18, line)
        painter.drawText(box, left, lane.label)
        if lane.note and height >= line + px(11):
            painter.setFont(small)
            painter.setPen(q(t.dim))
            painter.drawText(QRectF(14, top + line - 1, frame.gutter - 16, px(13)), left, lane.note)


def overview_scale(frame: Frame, first_s: float, end_s: float) -> TimeScale:
    return TimeScale.of(first_s, max(end_s - first_s, 60.0), round(frame.strip.width()), frame.gutter)


def overview_window(frame: Frame, scale: TimeScale, start_s: float, stop_s: float) -> QRectF:
    """The frame around what is visible: at least 6 pixels wide, inside the minimap."""
    strip = frame.strip
    x0 = min(max(scale.x(start_s), strip.left()), strip.right() - 6)
    x1 = min(max(scale.x(stop_s), x0 + 6), strip.right())
    return QRectF(x0, strip.top() - 2, x1 - x0, strip.height() + 4)


def paint_overview(
    painter: QPainter, frame: Frame, view: View, window: QRectF, scale: TimeScale, highlights: Highlights
) -> None:
    """The whole session: decisions; above them faults and highlights, below marks, across them barge-ins."""
    t, strip, model, dpr = view.theme, frame.strip, view.model, view.dpr
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(q(t.raised))
    painter.drawRoundedRect(strip, 3, 3)
    columns = model.turns.columns(
        round(scale.first_px * dpr), scale.px_per_s * dpr, round(strip.width() * dpr)
    )
    if columns is not None:
        shown = int(columns.present.nonzero()[0][-1]) + 1 if columns.present.any() else 0
        if shown:
            pixels = tracks.decision_pixels(columns, round(strip.height() * dpr), t)[:, :shown]
            draw_pixels(painter, pixels, strip.left(), strip.top(), dpr)
    width = round(strip.width())
    above, below = strip.top() - TICK_PX, strip.bottom() + 1
    for t0, t1, _ in highlights[:2_000]:
        left = scale.x(t0)
        painter.fillRect(QRectF(left, above - 1, max(scale.x(t1) - left, 2), TICK_PX - 1), q(t.warning))
    for x in _pixels_of(view.found.barge_ins.t0, scale, width):
        painter.fillRect(QRectF(x, strip.top(), 1, strip.height()), q(t.text))
    for x in _pixels_of(view.found.faults_of(model).t0, scale, width):
        painter.fillRect(QRectF(x - 0.5, above, 2, TICK_PX - 1), q(t.danger))
    marks = np.array([note.t for note in model.items.notes.items if note.what == "mark"])
    for x in _pixels_of(marks, scale, width):
        painter.fillRect(QRectF(x - 0.5, below, 2, TICK_PX - 1), q(t.accent))
    painter.setPen(QPen(q(t.text), 1.4))
    painter.setBrush(q(t.text, 18))
    painter.drawRoundedRect(window, 3, 3)
    if window.width() >= 18:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(q(t.text))
        for edge in (window.left(), window.right()):
            painter.drawRoundedRect(QRectF(edge - 1.5, window.center().y() - 4, 3, 8), 1.5, 1.5)
    painter.setFont(font(8.5, tabular=True))
    painter.setPen(q(t.dim))
    label = QRectF(14, strip.top() - 4, frame.gutter - 18, strip.height() + 8)
    painter.drawText(
        label, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, clock_label(model.end_s)
    )


def _pixels_of(
    times: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]", scale: TimeScale, width: int
) -> list[int]:
    """Each pixel at which something is, once."""
    if not len(times):
        return []
    at = np.floor(times * scale.px_per_s).astype(np.int64) - scale.first_px
    seen = np.unique(at[(at >= 0) & (at <= width)])
    pixels: list[int] = (seen + scale.left).tolist()
    return pixels


def draw_kept(painter: QPainter, picture: QPixmap, frame: Frame, shift: int) -> None:
    """A kept picture, its lanes moved to the left by ``shift`` pixels; it is so much wider at the right."""
    if not shift:
        painter.drawPixmap(0, 0, picture)
        return
    dpr, lanes, below = picture.devicePixelRatio(), frame.width - frame.gutter, frame.height - frame.bottom
    for x, y, wide, high, dx in (
        (0, 0, frame.gutter, frame.height, 0),
        (frame.gutter, 0, lanes, frame.bottom, shift),
        (frame.gutter, frame.bottom, lanes, below, 0),
    ):
        source = QRectF((x + dx) * dpr, y * dpr, wide * dpr, high * dpr)
        painter.drawPixmap(QRectF(x, y, wide, high), picture, source)


def paint_session(
    painter: QPainter, frame: Frame, view: View, lanes: Sequence[Placed], highlights: Highlights,
    selected: tuple[float, float] | None, viewport: Viewport,
) -> None:  # fmt: skip
    """Everything that stands still, one over the other."""
    painter.setClipRect(QRectF(frame.gutter, 0, view.width, frame.bottom))
    for lane, top, height in lanes:
        lane.paint(painter, top, height, view)
    paint_ruler(painter, frame, view, range_label(frame, view, selected))
    paint_highlights(painter, frame, view, highlights)
    paint_selection(painter, frame, view, viewport.follow)
    paint_range(painter, frame, view, selected)
    painter.setClipping(False)
    paint_gutter(painter, frame, view, lanes)
    overview = overview_scale(frame, view.model.first_s, view.model.end_s)
    window = overview_window(frame, overview, viewport.start_s, viewport.stop_s)
    paint_overview(painter, frame, view, window, overview, highlights)
