"""The visible timeline as a picture, as it is painted on the screen. Qt's thread, but for ``png_bytes``."""

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QSize
from PySide6.QtGui import QImage, QImageWriter, QPainter
from PySide6.QtSvg import QSvgGenerator

from app.timeline.timeline_widget import TimelineWidget
from engine.errors import MicroturnError

SCALE = 2.0
"""Pixels of a picture to a logical pixel of the window."""
_INCH_PX = 96


def paint_image(timeline: TimelineWidget) -> QImage:
    """What the timeline shows, without playhead and focus, at ``SCALE``."""
    image = QImage(timeline.size() * SCALE, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(SCALE)
    painter = QPainter(image)
    timeline.paint_on(painter, SCALE)
    painter.end()
    return image


def png_bytes(image: QImage) -> bytes:
    """The image as a PNG file. Any thread.

    Raises:
        MicroturnError: it cannot be encoded.
    """
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    if not QImageWriter(buffer, QByteArray(b"png")).write(image):
        raise MicroturnError("the picture could not be encoded: make the window smaller, or export SVG")
    buffer.close()
    return bytes(data.data())


def svg_bytes(timeline: TimelineWidget, title: str) -> bytes:
    """What the timeline shows as an SVG file: text stays text; waveforms and merged cells are pictures."""
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    generator = QSvgGenerator(QSvgGenerator.SvgVersion.Svg11)
    generator.setOutputDevice(buffer)
    generator.setResolution(_INCH_PX)
    generator.setSize(QSize(timeline.width(), timeline.height()))
    generator.setViewBox(timeline.rect())
    generator.setTitle(title)
    painter = QPainter(generator)
    timeline.paint_on(painter, SCALE)
    painter.end()
    buffer.close()
    return bytes(data.data())
