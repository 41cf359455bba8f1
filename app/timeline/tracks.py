"""Paint what each micro-turn decided and expected: pixels where turns are narrow, cells where they are wide.

Every function gets the painter, the track's top and height in logical pixels,
and a View. Narrow turns are composed as one image with numpy, so that an hour
costs no more than a minute.
"""

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPen, QPolygonF

from app.theme import Theme, argb, font, mix, px, q
from app.timeline.columns import COMPUTE_MS, DELEGATE, LAG_MS, MISSED, OTHER, SKIPPED, Columns
from app.timeline.view import Pixels, View, draw_pixels
from engine.config import CHUNK_MS, CHUNK_S
from engine.decisions import DECISION_INDEX

LETTERS = ("L", "S", "B", "I", "Y", "?")
SHAPES = ((0.56, 1.0), (0.0, 1.0), (0.22, 0.78), (0.0, 1.0), (0.0, 0.56), (0.3, 0.7))
"""Top and bottom of each decision's cell as parts of the track: told apart without colour."""
CELL_PX = 8
"""Turns at least this wide are drawn as cells of their own."""
LETTER_PX = 12
"""Cells at least this wide carry their letter."""
PROB_PX = 52
"""So much width is needed for each probability in a cell."""
COMPUTE_FULL_MS = 260
AHEAD_S = ((0.0, 0.2), (0.2, 0.6), (0.6, 1.2), (1.2, 2.0))
"""What the probabilities of ``TurnRecord.user_activity`` are about, in seconds after the turn."""
_FAN_PX = 40
"""A look ahead narrower than this is not drawn for a single turn."""
_SHOWN_RARE = ("backchannel", "interrupt", "yield")


def decision_pixels(columns: Columns, rows: int, theme: Theme) -> Pixels:
    """Commonest decision as a bar of its own height and place; rare ones as ticks on the upper edge."""
    ground = argb(theme.surface)
    profiles = np.full((len(SHAPES), rows), ground, np.uint32)
    for code, (upper, lower) in enumerate(SHAPES):
        profiles[code, round(upper * rows) : max(round(lower * rows), 1)] = argb(theme.decisions[code])
    profiles[DECISION_INDEX["interrupt"], : max(rows // 6, 1)] = argb(theme.text)
    profiles[OTHER, ::2] = ground
    pixels = profiles[columns.majority].T.copy()
    tick = max(rows // 4, 1)
    for name in _SHOWN_RARE:
        code = DECISION_INDEX[name]
        hidden = ((columns.bits & (1 << code)) > 0) & (columns.majority != code)
        upper = round(SHAPES[code][0] * rows)
        pixels[upper : upper + tick, hidden] = argb(theme.decisions[code])
    pixels[:, ~columns.present] = ground
    return pixels


def paint_decisions(painter: QPainter, top: float, height: float, view: View) -> None:
    """A cell for each micro-turn: colour, height, place and letter; a diamond where work was handed over."""
    if view.columns is None:
        return
    if view.cell_px < CELL_PX:
        pixels = decision_pixels(view.columns, round(height * view.dpr), view.theme)
        draw_pixels(painter, pixels, view.left, top, view.dpr)
        return
    t, turns, gap = view.theme, view.model.turns, 1.0 if view.cell_px < 16 else 2.0
    letter_font = font(7.5 if view.cell_px < 16 else 8.5, QFont.Weight.DemiBold)
    painter.setFont(letter_font)
    for i in view.visible_turns:
        code = turns.decision(i)
        if code > OTHER:
            continue
        upper, lower = SHAPES[code]
        cell = QRectF(
            view.scale.x(i * CHUNK_S) + gap / 2,
            top + upper * height,
            view.cell_px - gap,
            (lower - upper) * height,
        )
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(q(t.decisions[code]))
        radius = min(3.0, cell.width() / 3)
        painter.drawRoundedRect(cell, radius, radius)
        if view.cell_px >= LETTER_PX:
            painter.setPen(q(t.on_decisions[code]))
            painter.drawText(
                cell, Qt.AlignmentFlag.AlignCenter, _cell_text(turns.probs(i), code, view.cell_px)
            )
        if turns.bits(i) & DELEGATE:
            _diamond(painter, cell.center().x(), top + 3, 4, t)


def _cell_text(probs: Sequence[float], code: int, cell_px: float) -> str:
    """The decision's letter; with its probability, and the other decisions', where there is room."""
    if cell_px < px(PROB_PX) or not any(probs) or code >= OTHER:
        return LETTERS[code]
    others = sorted(((p, k) for k, p in enumerate(probs) if k != code and p >= 0.005), reverse=True)
    room = max(int(cell_px // px(PROB_PX)) - 1, 0)
    return "   ".join(f"{LETTERS[k]} {p:.0%}" for p, k in [(probs[code], code), *others[:room]])


def _diamond(painter: QPainter, x: float, y: float, r: float, theme: Theme) -> None:
    painter.setPen(QPen(q(theme.surface), 1))
    painter.setBrush(q(theme.text))
    painter.drawPolygon(
        QPolygonF([QPointF(x, y - r), QPointF(x + r, y), QPointF(x, y + r), QPointF(x - r, y)])
    )


def paint_probs(painter: QPainter, top: float, height: float, view: View) -> None:
    """Decision probabilities stacked to full height, in the order of the legend, from the bottom."""
    if view.columns is None:
        return
    c, rows = view.columns, round(height * view.dpr)
    stack = np.cumsum(c.probs, axis=1)
    stack /= np.maximum(stack[:, -1:], 1e-6)
    level = (1 - (np.arange(rows) + 0.5)[:, None] / rows).astype(np.float32)
    band = np.zeros((rows, len(stack)), np.intp)
    for upper in stack.T[:-1]:
        band += level > upper
    shades = np.array(
        [argb(mix(view.theme.surface, colour, 0.62)) for colour in view.theme.decisions], np.uint32
    )
    pixels = shades[band]
    pixels[:, ~c.present | (c.probs.sum(axis=1) <= 0)] = argb(view.theme.surface)
    draw_pixels(painter, pixels, view.left, top, view.dpr)


def paint_projection(painter: QPainter, top: float, height: float, view: View) -> None:
    """How probable the user's speech is, darker is more: four rows, the next 0.2 s on top, 1.2 to 2 s below.

    For the selected micro-turn, the same as bars at the times they are about.
    """
    if view.columns is None or not view.model.turns.projects:
        return
    t, rows = view.theme, round(height * view.dpr)
    shades = np.array([argb(mix(t.surface, t.user_level, k / 63)) for k in range(64)], np.uint32)
    row = np.minimum(np.arange(rows) * len(AHEAD_S) // rows, len(AHEAD_S) - 1)
    strength = (np.clip(view.columns.activity.T, 0, 1) * 63).astype(np.intp)
    pixels = shades[strength][row]
    pixels[np.flatnonzero(np.diff(row)) + 1] = argb(t.surface)
    pixels[:, ~view.columns.present] = argb(t.surface)
    draw_pixels(painter, pixels, view.left, top, view.dpr)
    if view.model.selected is not None:
        _paint_fan(painter, top, height, view, view.model.selected)


def _paint_fan(painter: QPainter, top: float, height: float, view: View, i: int) -> None:
    t, x, begun = view.theme, view.scale.x, (i + 1) * CHUNK_S
    expected = view.model.turns.activity(i)
    left, right = x(begun), x(begun + AHEAD_S[-1][1])
    if not expected or right - left < _FAN_PX:
        return
    painter.fillRect(QRectF(left, top, right - left, height), q(t.surface))
    small = font(7.5, QFont.Weight.Medium)
    metrics = QFontMetricsF(small)
    painter.setFont(small)
    for (t0, t1), p in zip(AHEAD_S, expected, strict=False):
        box = QRectF(x(begun + t0), top, x(begun + t1) - x(begun + t0), height)
        full = max(height * min(p, 1.0), 1.0)
        painter.fillRect(
            QRectF(box.left(), top + height - full, box.width() - 1, full),
            q(mix(t.surface, t.user_level, 0.45)),
        )
        painter.setPen(QPen(q(t.user_level), 1.6))
        y = top + height - full + 0.8
        painter.drawLine(QPointF(box.left(), y), QPointF(box.right() - 1, y))
        label = f"{p:.0%}"
        if box.width() > metrics.horizontalAdvance(label) + 3 and height >= metrics.height():
            painter.setPen(q(t.text))
            edge = Qt.AlignmentFlag.AlignTop if p < 0.5 else Qt.AlignmentFlag.AlignBottom
            painter.drawText(box, edge | Qt.AlignmentFlag.AlignHCenter, label)
    painter.setPen(QPen(q(t.user_level), 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(QRectF(left, top + 0.5, right - left - 1, height - 1))


def paint_compute(painter: QPainter, top: float, height: float, view: View) -> None:
    """Compute time of each turn, its lag stacked on it, and the 200 ms deadline."""
    t = view.theme
    if view.columns is not None:
        c, rows = view.columns, round(height * view.dpr)
        from_bottom = (rows - np.arange(rows) - 0.5)[:, None]
        unit = rows / COMPUTE_FULL_MS
        peak, mean = c.peak[:, COMPUTE_MS] * unit, c.mean[:, COMPUTE_MS] * unit
        lag = peak + c.peak[:, LAG_MS] * unit
        missed = (c.bits & MISSED) > 0
        strong = np.where(missed, argb(t.danger), argb(t.dim)).astype(np.uint32)
        light = np.where(missed, argb(mix(t.surface, t.danger, 0.5)), argb(mix(t.surface, t.dim, 0.55)))
        late, ground = np.uint32(argb(mix(t.surface, t.dim, 0.3))), np.uint32(argb(t.surface))
        pixels = np.where(
            from_bottom <= mean,
            strong,
            np.where(from_bottom <= peak, light, np.where(from_bottom <= lag, late, ground)),
        ).astype(np.uint32)
        skipped = (c.bits & SKIPPED) > 0
        pixels[::3, skipped] = argb(t.warning)
        pixels[: max(round(3 * view.dpr), 1), missed] = argb(t.danger)
        pixels[:, ~c.present] = ground
        draw_pixels(painter, pixels, view.left, top, view.dpr)
    y = round(top + height * (1 - CHUNK_MS / COMPUTE_FULL_MS)) + 0.5
    painter.setPen(QPen(q(t.danger), 1, Qt.PenStyle.DashLine))
    painter.drawLine(QPointF(view.left, y), QPointF(view.left + view.width, y))
