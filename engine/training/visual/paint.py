"""Shapes on a picture with sub-pixel places: polygons, limbs, discs, ovals and strokes.

Pictures are (height, width, 3) uint8 RGB; points are (x, y) floats in pixels.
"""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.training.visual.splits import Colour
from engine.types import Image

Points = NDArray[np.float64]
_SHIFT = 4
_ONE = 1 << _SHIFT
_FAR = 4_000.0


def _fixed(value: float) -> int:
    if -_FAR < value < _FAR:
        return int(value * _ONE)
    return int(math.copysign(_FAR, value)) * _ONE


def polygon(image: Image, points: Points, colour: Colour) -> None:
    """A filled convex polygon of (N, 2) points."""
    fixed = (np.clip(points, -_FAR, _FAR) * _ONE).astype(np.int32)
    cv2.fillConvexPoly(image, fixed, colour, cv2.LINE_8, _SHIFT)


def area(image: Image, points: Points, colour: Colour) -> None:
    """A filled polygon of (N, 2) points that need not be convex."""
    fixed = (np.clip(points, -_FAR, _FAR) * _ONE).astype(np.int32)
    cv2.fillPoly(image, [fixed], colour, cv2.LINE_8, _SHIFT)


def hull(image: Image, points: Points, colour: Colour) -> None:
    """The filled convex hull of (N, 2) points."""
    outline = cv2.convexHull(np.clip(points, -_FAR, _FAR).astype(np.float32))
    cv2.fillConvexPoly(image, (outline * _ONE).astype(np.int32), colour, cv2.LINE_8, _SHIFT)


def disc(image: Image, x: float, y: float, radius: float, colour: Colour) -> None:
    """A filled circle."""
    cv2.circle(image, (_fixed(x), _fixed(y)), max(1, _fixed(radius)), colour, -1, cv2.LINE_8, _SHIFT)


def oval(
    image: Image, x: float, y: float, radii: tuple[float, float], degrees: float, colour: Colour
) -> None:
    """A filled ellipse; ``degrees``: how far its first axis is turned, clockwise."""
    axes = (max(1, _fixed(radii[0])), max(1, _fixed(radii[1])))
    cv2.ellipse(image, (_fixed(x), _fixed(y)), axes, degrees, 0, 360, colour, -1, cv2.LINE_8, _SHIFT)


def stroke(
    image: Image, a: tuple[float, float], b: tuple[float, float], width: float, colour: Colour
) -> None:
    """A line with round ends."""
    ends = ((_fixed(a[0]), _fixed(a[1])), (_fixed(b[0]), _fixed(b[1])))
    cv2.line(image, *ends, colour, max(1, min(200, round(width))), cv2.LINE_8, _SHIFT)


def limb(image: Image, a: tuple[float, float, float], b: tuple[float, float, float], colour: Colour) -> None:
    """A tapering limb between two circles, each (x, y, radius)."""
    ax, ay, ar = a
    bx, by, br = b
    dx, dy = bx - ax, by - ay
    length = math.hypot(dx, dy)
    if length > 0.5:
        nx, ny = -dy / length, dx / length
        corners = (
            (_fixed(ax + nx * ar), _fixed(ay + ny * ar)),
            (_fixed(bx + nx * br), _fixed(by + ny * br)),
            (_fixed(bx - nx * br), _fixed(by - ny * br)),
            (_fixed(ax - nx * ar), _fixed(ay - ny * ar)),
        )
        cv2.fillConvexPoly(image, np.array(corners, np.int32), colour, cv2.LINE_8, _SHIFT)
    disc(image, ax, ay, ar, colour)
    disc(image, bx, by, br, colour)
