"""Renders a drawing as PNG."""

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.errors import MicroturnError
from engine.inspect.drawing import Line, Polygon, Rect, Scene, Shape, printable, text_width, typeface

_SHIFT = 4  # OpenCV's fixed-point coordinates: sixteenths of a pixel
Colour = tuple[int, int, int]


def to_png(scene: Scene, scale: float = 2.0) -> bytes:
    """PNG file with ``scale`` pixels to a logical pixel."""
    size = (round(scene.height * scale), round(scene.width * scale), 3)
    image = np.full(size, _bgr(scene.background), np.uint8)
    for shape in scene.shapes:
        _paint(image, shape, scale)
    done, data = cv2.imencode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    if not done:
        raise MicroturnError("the picture could not be encoded as PNG: export svg instead")
    return bytes(data)


def _bgr(colour: str) -> Colour:
    return int(colour[5:7], 16), int(colour[3:5], 16), int(colour[1:3], 16)


def _paint(image: NDArray[np.uint8], shape: Shape, scale: float) -> None:
    if isinstance(shape, Rect):
        _fill(image, _outline(shape), shape.fill, scale)
    elif isinstance(shape, Polygon):
        _fill(image, shape.points, shape.fill, scale)
    elif isinstance(shape, Line):
        half = shape.width / 2
        along = np.array((shape.x1 - shape.x0, shape.y1 - shape.y0))
        across = np.array((-along[1], along[0])) * half / max(1e-9, float(np.hypot(*along)))
        start, end = np.array((shape.x0, shape.y0)), np.array((shape.x1, shape.y1))
        corners = np.stack((start + across, end + across, end - across, start - across))
        _fill(image, corners, shape.stroke, scale)
    else:
        text = printable(shape.text)
        x = shape.x
        if shape.anchor != "start":
            x -= text_width(text, shape.size, shape.weight) / (2 if shape.anchor == "middle" else 1)
        origin = (round(x * scale), round(shape.y * scale))
        pixels = round(shape.size * scale)
        cv2.putText(image, text, origin, _bgr(shape.fill), typeface(), pixels, shape.weight)


def _fill(image: NDArray[np.uint8], points: NDArray[np.float64], colour: str, scale: float) -> None:
    # Pixel centres lie at whole numbers in OpenCV, half a pixel further in the drawing.
    fixed = np.round((points * scale - 0.5) * (1 << _SHIFT)).astype(np.int32)
    cv2.fillPoly(image, [fixed], _bgr(colour), cv2.LINE_AA, _SHIFT)


def _outline(rect: Rect) -> NDArray[np.float64]:
    x0, y0, x1, y1 = rect.x, rect.y, rect.x + rect.width, rect.y + rect.height
    r = min(rect.radius, rect.width / 2, rect.height / 2)
    if r <= 0:
        return np.array(((x0, y0), (x1, y0), (x1, y1), (x0, y1)))
    angles = np.linspace(0, np.pi / 2, 8)
    arc = np.stack((np.cos(angles), np.sin(angles)), axis=1) * r
    corners = (
        np.array((x1 - r, y1 - r)) + arc,
        np.array((x0 + r, y1 - r)) + arc[::-1] * (-1, 1),
        np.array((x0 + r, y0 + r)) - arc,
        np.array((x1 - r, y0 + r)) + arc[::-1] * (1, -1),
    )
    return np.concatenate(corners)
