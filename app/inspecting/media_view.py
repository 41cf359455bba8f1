"""The sound and the picture of one micro-turn, small, in the details panel."""

import math

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.camera_preview import to_qimage
from app.inspecting.media import Media, outline, peak_text
from app.theme import Theme, font, px, q
from app.timeline.time_scale import clock_label
from engine.types import Samples

_TITLE_PX, _WAVE_PX, _PICTURE_PX, _GAP = 18, 34, 112, 6


class MediaView(QWidget):
    """A waveform of each side, and the picture that was given to the model."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.media: Media | None = None
        self._image: QImage | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Sound and picture of the micro-turn")
        self.hide()

    def show_media(self, media: Media | None) -> None:
        """What was read; None, or nothing recorded, takes the view away."""
        self.media = media
        self._image = None if media is None or media.picture is None else to_qimage(media.picture.image)
        self.setVisible(bool(self._sides()) or self._image is not None)
        self.setAccessibleDescription(". ".join(self._titles()))
        self.updateGeometry()
        self.update()

    def _sides(self) -> list[tuple[str, Samples, str]]:
        """(title, samples, colour) of each side that was recorded."""
        if self.media is None:
            return []
        sides = (
            ("You", self.media.user, self.theme.user_level),
            ("Assistant", self.media.assistant, self.theme.assistant_level),
        )
        return [(f"{name}, {peak_text(s)}", s, colour) for name, s, colour in sides if s is not None]

    def _titles(self) -> list[str]:
        titles = [title for title, _, _ in self._sides()]
        if self.media is not None and self.media.picture is not None:
            titles.append(f"Picture of {clock_label(self.media.picture.t, 0.1)}")
        return titles

    def sizeHint(self) -> QSize:
        height = len(self._sides()) * (px(_TITLE_PX) + _WAVE_PX + _GAP)
        if self._image is not None:
            height += px(_TITLE_PX) + _PICTURE_PX + _GAP
        return QSize(240, height)

    def paintEvent(self, _: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        y = 0.0
        for title, samples, colour in self._sides():
            y = self._paint_title(painter, y, title)
            self._paint_wave(painter, QRectF(0, y, self.width(), _WAVE_PX), samples, colour)
            y += _WAVE_PX + _GAP
        if self._image is not None:
            y = self._paint_title(painter, y, self._titles()[-1])
            size = self._image.size().scaled(self.width(), _PICTURE_PX, Qt.AspectRatioMode.KeepAspectRatio)
            box = QRectF(0, y, size.width(), size.height())
            path = QPainterPath()
            path.addRoundedRect(box, 6, 6)
            painter.setClipPath(path)
            painter.drawImage(box, self._image)
        painter.end()

    def _paint_title(self, painter: QPainter, y: float, title: str) -> float:
        painter.setPen(q(self.theme.dim))
        painter.setFont(font(8.5, tabular=True))
        painter.drawText(QRectF(0, y, self.width(), px(_TITLE_PX)), Qt.AlignmentFlag.AlignVCenter, title)
        return y + px(_TITLE_PX)

    def _paint_wave(self, painter: QPainter, box: QRectF, samples: Samples, colour: str) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(q(self.theme.raised))
        painter.drawRoundedRect(box, 4, 4)
        painter.setPen(QPen(q(colour), 1))
        middle, half = box.center().y(), box.height() / 2 - 2
        # The square root lets quiet speech be seen; the title says how loud it was.
        for x, (low, high) in enumerate(outline(samples, max(int(box.width()), 1)).tolist()):
            top = middle - half * _shown(high)
            bottom = middle - half * _shown(low)
            painter.drawLine(QPointF(x + 0.5, top), QPointF(x + 0.5, max(bottom, top + 0.5)))


def _shown(value: float) -> float:
    return math.copysign(math.sqrt(min(abs(value), 1.0)), value)
