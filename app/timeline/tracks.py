"""Paint one track of the timeline each: turns as pixels when they are narrow, as cells when they are wide.

Every function gets the painter, the track's top and height in logical pixels,
and a View. Narrow turns are composed as one image with numpy, so that an hour
costs no more than a minute.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QImage, QPainter, QPen, QPolygonF

from app.theme import Theme, argb, font, mix, q
from app.timeline.columns import (
    COMPUTE_MS,
    DELEGATE,
    GAP,
    GENERATED_MS,
    HEARD_MS,
    LAG_MS,
    MISSED,
    OTHER,
    SELF_DB,
    SKIPPED,
    USER_DB,
    Columns,
)
from app.timeline.model import TimelineModel
from app.timeline.time_scale import TimeScale
from engine.config import CHUNK_MS, CHUNK_S
from engine.decisions import DECISION_INDEX

LETTERS = ("L", "S", "B", "I", "Y", "?")
SHAPES = ((0.56, 1.0), (0.0, 1.0), (0.22, 0.78), (0.0, 1.0), (0.0, 0.56), (0.3, 0.7))
"""Top and bottom of each decision's cell as parts of the track: told apart without colour."""
CELL_PX = 8
"""Turns at least this wide are drawn as cells of their own."""
LETTER_PX = 12
"""Cells at least this wide carry their letter."""
COMPUTE_FULL_MS = 260
FLOOR_DB = -66.0
_SHOWN_RARE = ("backchannel", "interrupt", "yield")

Pixels = NDArray[np.uint32]


@dataclass(frozen=True)
class View:
    """What a track needs to paint itself. ``columns`` is reduced to device pixels."""

    model: TimelineModel
    theme: Theme
    scale: TimeScale
    left: int
    width: int
    dpr: float
    columns: Columns | None

    @property
    def cell_px(self) -> float:
        return self.scale.px_per_s * CHUNK_S

    @property
    def t0(self) -> float:
        return self.scale.t(self.left)

    @property
    def t1(self) -> float:
        return self.scale.t(self.left + self.width)

    @property
    def visible_turns(self) -> range:
        first = max(self.scale.turn(self.left), self.model.turns.base)
        return range(first, min(self.scale.turn(self.left + self.width) + 1, self.model.turns.end))


def draw_pixels(painter: QPainter, pixels: Pixels, left: float, top: float, dpr: float) -> None:
    """(rows, columns) of 0xffRRGGBB, in device pixels, at a logical position."""
    packed = np.ascontiguousarray(pixels)
    rows, width = packed.shape
    image = QImage(packed.data, width, rows, width * 4, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(dpr)
    painter.drawImage(QPointF(left, top), image)


def level_unit(db: NDArray[np.float32]) -> NDArray[np.float32]:
    """Decibels to 0..1 of a track's height."""
    unit: NDArray[np.float32] = np.clip((db - np.float32(FLOOR_DB)) / np.float32(-FLOOR_DB), 0, 1)
    return unit


def level_pixels(columns: Columns, column: int, rows: int, colours: tuple[int, int, int]) -> Pixels:
    """Envelope about the middle: (background, peak, mean) colours."""
    away = np.abs(np.arange(rows) + 0.5 - rows / 2)[:, None]
    half = rows / 2
    peak = np.where(columns.present, np.maximum(level_unit(columns.peak[:, column]) * half, 0.8), 0)
    mean = np.where(columns.present, level_unit(columns.mean[:, column]) * half, 0)
    background, light, strong = (np.uint32(c) for c in colours)
    return np.where(away < mean, strong, np.where(away < peak, light, background))


def paint_user(painter: QPainter, top: float, height: float, view: View) -> None:
    """Microphone level; lost audio is marked along the upper edge."""
    if view.columns is None:
        return
    t, rows = view.theme, round(height * view.dpr)
    colours = argb(t.surface), argb(mix(t.surface, t.user_level, 0.42)), argb(t.user_level)
    pixels = level_pixels(view.columns, USER_DB, rows, colours)
    lost = view.columns.present & ((view.columns.bits & GAP) > 0)
    pixels[: max(round(3 * view.dpr), 1), lost] = argb(t.danger)
    draw_pixels(painter, pixels, view.left, top, view.dpr)


def paint_assistant(painter: QPainter, top: float, height: float, view: View) -> None:
    """Level of what was audible; below it a line of speech made and a line of speech heard."""
    if view.columns is None:
        return
    t, c, rows = view.theme, view.columns, round(height * view.dpr)
    line = max(round(4 * view.dpr), 2)
    envelope_rows = rows - 2 * line - round(3 * view.dpr)
    ground, soft, strong = (
        argb(t.surface),
        argb(mix(t.surface, t.assistant_level, 0.42)),
        argb(t.assistant_level),
    )
    pixels = np.full((rows, len(c.present)), ground, np.uint32)
    pixels[:envelope_rows] = level_pixels(c, SELF_DB, envelope_rows, (ground, soft, strong))
    made = c.present & (c.peak[:, GENERATED_MS] > 0)
    heard = c.present & (c.peak[:, HEARD_MS] > 0)
    pixels[rows - 2 * line - 1 : rows - line - 1, made] = soft
    pixels[rows - line :, heard] = strong
    draw_pixels(painter, pixels, view.left, top, view.dpr)


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
            painter.drawText(cell, Qt.AlignmentFlag.AlignCenter, LETTERS[code])
        if turns.bits(i) & DELEGATE:
            _diamond(painter, cell.center().x(), top + 3, 4, t)


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
    level = 1 - (np.arange(rows) + 0.5)[:, None] / rows
    band = (level[:, :, None] > stack[None]).sum(axis=2)
    shades = np.array(
        [argb(mix(view.theme.surface, colour, 0.62)) for colour in view.theme.decisions], np.uint32
    )
    pixels = shades[band]
    pixels[:, ~c.present | (c.probs.sum(axis=1) <= 0)] = argb(view.theme.surface)
    draw_pixels(painter, pixels, view.left, top, view.dpr)


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
