"""The newest camera picture, small; or why there is none."""

from typing import Any

import numpy as np
from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QImage, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.theme import Theme, font, icon, px, q
from engine.types import Image

RADIUS = 10
NOTE_PX, PICTURE_PX = 76, 180


def to_qimage(picture: Image) -> QImage:
    """(height, width, 3) RGB to an image that owns its pixels."""
    packed = np.ascontiguousarray(picture)
    height, width, _ = packed.shape
    return QImage(packed.data, width, height, width * 3, QImage.Format.Format_RGB888).copy()


def newest_picture(camera: Any, shown: int) -> tuple[Image, int] | str | None:
    """The newest picture of a session's camera with its number, or why there is none.

    None when picture ``shown`` is still the newest. ``camera`` may be None.
    """
    if camera is None:
        return "Camera off"
    count = camera.ring.count
    if not count:
        return "Waiting for the camera"
    if not getattr(camera, "live", True):
        return "The camera gives no pictures"
    if count - 1 == shown:
        return None
    frame = camera.ring.newest()
    return (frame.image, frame.number) if frame is not None else None


class CameraPreview(QWidget):
    """Shows pictures as they are given; without one, a line of text."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self._image: QImage | None = None
        self._number = -1
        self._note = "Camera off"
        self.off = False
        """Switched off by hand: whatever a session's camera had last is not shown."""
        self.setAccessibleName("Camera preview")
        self.setAccessibleDescription(self._note)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        if self._image is not None:
            return QSize(240, PICTURE_PX)
        room = QRect(0, 0, max(self.width(), 120) - 24, 1000)
        words = QFontMetrics(font(9)).boundingRect(room, Qt.TextFlag.TextWordWrap, self._note)
        return QSize(240, max(px(NOTE_PX), words.height() + 40))

    @property
    def note(self) -> str:
        """What is shown instead of a picture; empty while there is one."""
        return "" if self._image is not None else self._note

    def show_newest(self, camera: Any) -> None:
        """Show what a session's camera has now."""
        newest = newest_picture(None if self.off else camera, self._number)
        if isinstance(newest, str):
            self.show_note(newest)
        elif newest is not None:
            self.show_picture(*newest)

    def show_picture(self, picture: Image, number: int) -> None:
        """Show camera picture ``number``, unless it is shown already."""
        if number != self._number:
            if self._image is None:
                self.setAccessibleDescription("live picture")
                self.updateGeometry()
            self._image, self._number = to_qimage(picture), number
            self.update()

    def show_note(self, note: str) -> None:
        """Take the picture away: a stale one must not pass for a live one."""
        if self._image is not None or note != self._note:
            self._image, self._number, self._note = None, -1, note
            self.setAccessibleDescription(note)
            self.updateGeometry()
            self.update()

    def paintEvent(self, _: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        box = QRectF(self.rect())
        path = QPainterPath()
        path.addRoundedRect(box, RADIUS, RADIUS)
        painter.fillPath(path, q(self.theme.raised))
        if self._image is not None:
            painter.setClipPath(path)
            size = self._image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatioByExpanding)
            left, top = (self.width() - size.width()) / 2, (self.height() - size.height()) / 2
            painter.drawImage(QRectF(left, top, size.width(), size.height()), self._image)
        else:
            middle = box.center()
            drawn = icon("camera-off", self.theme.dim, 22)
            painter.setPen(q(self.theme.dim))
            painter.setFont(font(9))
            top = max(round(middle.y() - px(24)), 4)
            drawn.paint(painter, round(middle.x() - 11), top, 22, 22)
            under = QRectF(12, top + 26, box.width() - 24, box.height() - top - 28)
            painter.drawText(under, Qt.AlignmentFlag.AlignHCenter | Qt.TextFlag.TextWordWrap, self._note)
        painter.end()
