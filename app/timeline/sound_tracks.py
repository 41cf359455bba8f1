"""Paint what was heard and seen: both sides' sound, and the camera's pictures."""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QImage, QPainter, QPen

from app.theme import argb, mix, q
from app.timeline.columns import GAP, GENERATED_MS, HEARD_MS, SELF_DB, USER_DB, Columns
from app.timeline.media import Media
from app.timeline.view import Pixels, View, draw_pixels
from app.timeline.wave import Wave
from engine.recorder.folder import INPUT, OUTPUT

FLOOR_DB = -66.0
_MOST_SCALED = 300
Colours = tuple[int, int, int]
"""Background, soft, strong."""


def level_unit(db: NDArray[np.float32]) -> NDArray[np.float32]:
    """Decibels to 0..1 of a track's height."""
    unit: NDArray[np.float32] = np.clip((db - np.float32(FLOOR_DB)) / np.float32(-FLOOR_DB), 0, 1)
    return unit


def level_pixels(columns: Columns, column: int, rows: int, colours: Colours) -> Pixels:
    """Envelope about the middle: greatest and mean level of each micro-turn."""
    away = np.abs(np.arange(rows) + 0.5 - rows / 2)[:, None]
    half = rows / 2
    peak = np.where(columns.present, np.maximum(level_unit(columns.peak[:, column]) * half, 0.8), 0)
    mean = np.where(columns.present, level_unit(columns.mean[:, column]) * half, 0)
    background, light, strong = (np.uint32(c) for c in colours)
    return np.where(away < mean, strong, np.where(away < peak, light, background))


def sound_pixels(
    columns: Columns, column: int, rows: int, colours: Colours, faint: int, wave: tuple[Wave, float] | None
) -> Pixels:
    """The waveform over the level, which stays a faint envelope; only the level where no sound is known."""
    if wave is None:
        return level_pixels(columns, column, rows, colours)
    (least, most, known), gain = wave
    ground, _, strong = (np.uint32(c) for c in colours)
    half = rows / 2
    y = (half - np.arange(rows) - 0.5)[:, None]
    top = np.maximum(np.clip(most * gain, -1, 1) * half, 0.6)
    bottom = np.minimum(np.clip(least * gain, -1, 1) * half, -0.6)
    level = np.where(columns.present, level_unit(columns.mean[:, column]) * half, 0)
    drawn = np.where(
        (y < top) & (y > bottom), strong, np.where(np.abs(y) < level, np.uint32(faint), ground)
    ).astype(np.uint32)
    if not known.all():
        drawn[:, ~known] = level_pixels(columns, column, rows, colours)[:, ~known]
    return drawn


def _colours(view: View, colour: str) -> tuple[Colours, int]:
    t = view.theme
    return (argb(t.surface), argb(mix(t.surface, colour, 0.42)), argb(colour)), argb(
        mix(t.surface, colour, 0.2)
    )


def paint_user(painter: QPainter, top: float, height: float, view: View) -> None:
    """Microphone: waveform and level; lost audio is marked along the upper edge."""
    if view.columns is None:
        return
    rows = round(height * view.dpr)
    colours, faint = _colours(view, view.theme.user_level)
    pixels = sound_pixels(view.columns, USER_DB, rows, colours, faint, view.wave(INPUT))
    lost = view.columns.present & ((view.columns.bits & GAP) > 0)
    pixels[: max(round(3 * view.dpr), 1), lost] = argb(view.theme.danger)
    draw_pixels(painter, pixels, view.left, top, view.dpr)


def paint_assistant(painter: QPainter, top: float, height: float, view: View) -> None:
    """What was audible; below it a line of speech made and a line of speech heard."""
    if view.columns is None:
        return
    c, rows = view.columns, round(height * view.dpr)
    line = max(round(4 * view.dpr), 2)
    envelope_rows = max(rows - 2 * line - round(3 * view.dpr), 4)
    colours, faint = _colours(view, view.theme.assistant_level)
    ground, soft, strong = colours
    pixels = np.full((rows, len(c.present)), ground, np.uint32)
    pixels[:envelope_rows] = sound_pixels(c, SELF_DB, envelope_rows, colours, faint, view.wave(OUTPUT))[:rows]
    made = c.present & (c.peak[:, GENERATED_MS] > 0)
    heard = c.present & (c.peak[:, HEARD_MS] > 0)
    pixels[rows - 2 * line - 1 : rows - line - 1, made] = soft
    pixels[rows - line :, heard] = strong
    draw_pixels(painter, pixels, view.left, top, view.dpr)


def paint_camera(painter: QPainter, top: float, height: float, view: View) -> None:
    """Each picture from its moment on; an outline where one is still being read."""
    media = view.media
    if media is None or not media.has_video:
        return
    width = height * media.shape
    for tile in media.tiles:
        if tile.t >= view.model.end_s:
            break
        if media.pictureless(tile.t):
            continue
        # One that began before the view stays at its edge as long as it is shown.
        x = min(max(view.scale.x(tile.t), view.left), view.scale.x(tile.t1) - width)
        box = QRectF(x + 0.5, top, width, height)
        picture = media.picture(tile.t)
        if picture is None:
            painter.setPen(QPen(q(view.theme.border), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(box.adjusted(0.5, 0.5, -1.5, -0.5))
            continue
        thumbnail = _thumbnail(
            media, tile.t, picture, round((width - 1) * view.dpr), round(height * view.dpr)
        )
        thumbnail.setDevicePixelRatio(view.dpr)
        painter.drawImage(box.topLeft(), thumbnail)


def _thumbnail(media: Media, t: float, picture: Pixels, width: int, height: int) -> QImage:
    """A picture at the size of the lane; scaling it anew for each repaint would take longer than all else."""
    key = (t, width, height, id(picture))  # of a live session, a newer one may come for the same time
    made: QImage | None = media.scaled.get(key)
    if made is None:
        if len(media.scaled) >= _MOST_SCALED:
            media.scaled.clear()
        rows, columns = picture.shape
        whole = QImage(picture.data, columns, rows, columns * 4, QImage.Format.Format_RGB32)
        smooth = Qt.TransformationMode.SmoothTransformation
        made = whole.scaled(width, height, Qt.AspectRatioMode.IgnoreAspectRatio, smooth)
        media.scaled[key] = made
    return made


def picture_width(height: float, shape: float) -> float:
    """Room for one picture in a lane, with the gap after it."""
    return height * shape + 1
