"""A hand with a thumb and four fingers that bend."""

import math

import numpy as np
from numpy.typing import NDArray

from engine.training.visual import paint
from engine.training.visual.lens import Lens
from engine.training.visual.splits import Colour, toned
from engine.types import Image

_SMALLEST = 7.0  # px of a palm's length below which fingers cannot be told apart
# In hand lengths: across (thumb's side positive), along; then length and half-width of each finger.
_ROOTS = np.array([(0.33, 0.25), (0.30, 0.92), (0.10, 1.0), (-0.10, 0.96), (-0.29, 0.86)])
_LENGTHS = (0.75, 0.78, 0.86, 0.8, 0.62)
_WIDTHS = (0.12, 0.105, 0.11, 0.105, 0.09)
_SPREAD = (0.0, 0.16, 0.03, -0.09, -0.22)
_PALM = np.array([(0.22, 0.0), (-0.22, 0.0), (-0.36, 0.55), (-0.34, 0.9), (0.36, 0.95), (0.4, 0.35)])


def draw(
    image: Image,
    lens: Lens,
    wrist: NDArray[np.float64],
    basis: NDArray[np.float64],
    size: float,
    curls: NDArray[np.float64],
    skin: Colour,
    shade: float,
    holding: bool = False,
) -> None:
    """Paint a hand. ``basis``: columns thumb's side, fingers, out of the palm; ``size``: palm, m.

    ``curls``: thumb and fingers from 0 (straight) to 1 (fist). ``holding``: the thumb alone.
    """
    middle, depth = lens.project((wrist + basis[:, 1] * (0.6 * size))[None])
    scale = lens.focal / float(depth[0]) * size
    if scale < _SMALLEST:
        if not holding:
            paint.disc(image, float(middle[0, 0]), float(middle[0, 1]), 0.55 * scale, skin)
            if float(np.mean(curls[1:])) < 0.4:
                tip, _ = lens.project((wrist + basis[:, 1] * (1.5 * size))[None])
                paint.stroke(image, (middle[0, 0], middle[0, 1]), (tip[0, 0], tip[0, 1]), 0.75 * scale, skin)
        return
    flat = np.zeros((len(_PALM), 3))
    flat[:, :2] = _PALM
    tips = _fingers(curls)
    pixels, depths = lens.project(wrist + (np.concatenate([flat, tips.reshape(-1, 3)]) * size) @ basis.T)
    outline, joints = pixels[: len(_PALM)], pixels[len(_PALM) :].reshape(5, 3, 2)
    palm_near = float(np.mean(depths[: len(_PALM)]))
    dark = toned(skin, shade * 0.78)
    order = sorted(range(5), key=lambda k: -float(depths[len(_PALM) + 3 * k + 2]))
    if holding:
        order = [0]
    behind = [k for k in order if float(depths[len(_PALM) + 3 * k + 2]) > palm_near + 0.002]
    for k in behind:
        _finger(image, joints[k], _WIDTHS[k] * scale, skin, dark)
    if not holding:
        paint.hull(image, outline, dark)
        centre = outline.mean(axis=0)
        paint.hull(image, centre + (outline - centre) * 0.86, skin)
    for k in order:
        if k not in behind:
            _finger(image, joints[k], _WIDTHS[k] * scale, skin, dark)


def _fingers(curls: NDArray[np.float64]) -> NDArray[np.float64]:
    """Root, middle joint and tip of each finger in hand lengths, (5, 3, 3)."""
    out = np.zeros((5, 3, 3))
    for k in range(5):
        curl = min(max(float(curls[k]), 0.0), 1.0)
        x, y = _ROOTS[k]
        length = _LENGTHS[k]
        if k == 0:
            # A thumb folds across the palm, not towards the wrist.
            angle = 0.85 - 2.0 * curl
            way = np.array([math.sin(angle), math.cos(angle), 0.25 + 0.45 * curl])
            far = way * (1.0 - 0.35 * curl)
            out[k] = (x, y, 0), (x, y, 0) + way * (0.5 * length), (x, y, 0) + far * length
            continue
        near, tip = 1.5 * curl, 2.9 * curl
        lean = _SPREAD[k] * (1.0 - curl)
        first = np.array([lean * math.cos(near), math.cos(near), math.sin(near)])
        second = np.array([lean * math.cos(tip), math.cos(tip), math.sin(tip)])
        root = np.array([x, y, 0.0])
        middle = root + first * (0.5 * length)
        out[k] = root, middle, middle + second * (0.5 * length)
    return out


def _finger(image: Image, points: paint.Points, width: float, skin: Colour, dark: Colour) -> None:
    a, b, c = [(float(p[0]), float(p[1])) for p in points]
    paint.stroke(image, a, b, 2 * width + 1.2, dark)
    paint.stroke(image, b, c, 1.9 * width + 1.2, dark)
    paint.stroke(image, a, b, 2 * width - 0.6, skin)
    paint.stroke(image, b, c, 1.9 * width - 0.6, skin)
