"""What a lane needs to paint itself, and how an array of pixels gets on the screen."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF
from PySide6.QtGui import QImage, QPainter

from app.theme import Theme
from app.timeline.columns import Columns
from app.timeline.found import Found
from app.timeline.media import Media
from app.timeline.model import TimelineModel
from app.timeline.time_scale import TimeScale
from app.timeline.wave import Wave
from engine.config import CHUNK_S

Pixels = NDArray[np.uint32]


@dataclass(frozen=True)
class View:
    """``columns`` is reduced to device pixels; ``left`` and ``width`` are logical ones."""

    model: TimelineModel
    theme: Theme
    scale: TimeScale
    left: int
    width: int
    dpr: float
    columns: Columns | None
    found: Found = field(default_factory=Found)
    media: Media | None = None

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

    def wave(self, name: str) -> tuple[Wave, float] | None:
        """Of each device pixel; see ``Media.wave``."""
        if self.media is None:
            return None
        first, px_per_s = round(self.scale.first_px * self.dpr), self.scale.px_per_s * self.dpr
        return self.media.wave(name, first, px_per_s, round(self.width * self.dpr))


def draw_pixels(painter: QPainter, pixels: Pixels, left: float, top: float, dpr: float) -> None:
    """(rows, columns) of 0xffRRGGBB, in device pixels, at a logical position."""
    packed = np.ascontiguousarray(pixels)
    rows, width = packed.shape
    image = QImage(packed.data, width, rows, width * 4, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(dpr)
    painter.drawImage(QPointF(left, top), image)
