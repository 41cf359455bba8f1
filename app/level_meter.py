"""A level as a bar that falls slowly, so that the eye can follow it."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.theme import Theme, mix, px, q

FLOOR_DB = -66.0
CLIP_DB = -3.0
FALL_DB_PER_S = 45.0


class Ballistics:
    """Rises at once, falls ``FALL_DB_PER_S``. Plain arithmetic."""

    def __init__(self) -> None:
        self.shown_db = FLOOR_DB

    def step(self, level_db: float, seconds: float) -> bool:
        """Move towards a level; whether anything visible changed."""
        before = self.shown_db
        level = min(max(level_db, FLOOR_DB), 0.0) if level_db == level_db else FLOOR_DB
        self.shown_db = max(level, before - FALL_DB_PER_S * seconds)
        return abs(self.shown_db - before) > 0.05

    @property
    def unit(self) -> float:
        """0 at the floor, 1 at full scale."""
        return 1 - self.shown_db / FLOOR_DB


class LevelMeter(QWidget):
    """Segments fill from the left; beyond -3 dB the last one turns to the warning colour and is framed."""

    SEGMENTS = 22

    def __init__(self, theme: Theme, name: str, colour: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.colour = colour
        self._ballistics = Ballistics()
        self.setAccessibleName(f"{name} level")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(120, px(10))

    def show_level(self, level_db: float, seconds: float) -> None:
        """Take the level of now, ``seconds`` after the last call; repaints only when it shows."""
        if self._ballistics.step(level_db, seconds):
            self.update()

    def paintEvent(self, _: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        step = self.width() / self.SEGMENTS
        lit = self._ballistics.unit * self.SEGMENTS
        on, off = q(self.colour), q(mix(self.theme.raised, self.theme.border, 0.5))
        clipping = self._ballistics.shown_db > CLIP_DB
        for k in range(self.SEGMENTS):
            painter.setBrush(on if k < lit - 0.2 else off)
            last = clipping and k == self.SEGMENTS - 1
            if last:
                painter.setBrush(q(self.theme.danger))
            height = self.height() if last else self.height() - 2
            top = (self.height() - height) / 2
            painter.drawRoundedRect(QRectF(k * step, top, step - 2.5, height), 1.5, 1.5)
        painter.end()
