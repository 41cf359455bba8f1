"""Things that are shown to the camera: shapes in named colours."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.training.visual import paint
from engine.training.visual.lens import Lens
from engine.training.visual.splits import Colour, Rng, hsv, toned
from engine.types import Image

COLOURS = {
    "red": (0.99, 0.85, 0.78), "orange": (0.075, 0.92, 0.95), "yellow": (0.147, 0.85, 0.95),
    "green": (0.36, 0.75, 0.62), "blue": (0.60, 0.8, 0.8), "purple": (0.77, 0.65, 0.6),
    "pink": (0.93, 0.4, 0.97), "brown": (0.07, 0.7, 0.42), "black": (0.6, 0.1, 0.1),
    "white": (0.1, 0.03, 0.95),
}  # fmt: skip
"""Name: middle hue, saturation and value; each thing differs a little."""

_ENLARGED = 1.25
SHAPES = ("cup", "book", "phone", "ball", "bottle", "apple", "box", "pen", "dumbbell")
SHOWN = ("cup", "book", "phone", "ball", "bottle", "apple", "box", "pen")
_SIZES = {"cup": 0.05, "book": 0.1, "phone": 0.075, "ball": 0.05, "bottle": 0.1, "apple": 0.042, "box": 0.07,
          "pen": 0.085, "dumbbell": 0.1}  # fmt: skip
"""Half of the height, metres; things are drawn a little larger than life."""


@dataclass(frozen=True)
class Prop:
    """One thing: its shape, its colour's name, and the colour itself."""

    shape: str
    name: str
    colour: Colour

    @property
    def label(self) -> str:
        return f"{self.name} {self.shape}"


def draw_prop(rng: Rng, shapes: tuple[str, ...] = SHOWN) -> Prop:
    """A thing of any shape and colour; apples are red, green or yellow."""
    shape = str(rng.choice(shapes))
    names = ("red", "green", "yellow") if shape == "apple" else tuple(COLOURS)
    name = str(rng.choice(names))
    hue, saturation, value = COLOURS[name]
    colour = hsv(
        hue + float(rng.uniform(-0.012, 0.012)),
        saturation * float(rng.uniform(0.88, 1.1)),
        value * float(rng.uniform(0.85, 1.05)),
    )
    return Prop(shape, name, colour)


def half_height(shape: str) -> float:
    """Metres from the middle of a thing to what it stands on."""
    return _ENLARGED * _SIZES[shape]


def draw(
    image: Image,
    lens: Lens,
    shape: str,
    colour: Colour,
    place: NDArray[np.float64],
    basis: NDArray[np.float64] | None = None,
) -> None:
    """Paint a thing whose middle is at ``place``, upright; ``basis``: the hand's, for what lies along it."""
    pixels, depth = lens.project(place[None])
    scale = lens.focal / float(depth[0])
    x, y = pixels[0].tolist()
    high = half_height(shape) * scale
    dark, light = toned(colour, 0.7), toned(colour, 1.25)
    if shape in ("ball", "apple"):
        paint.disc(image, x, y, high, dark)
        paint.disc(image, x - 0.12 * high, y - 0.12 * high, 0.84 * high, colour)
        paint.disc(image, x - 0.35 * high, y - 0.38 * high, 0.25 * high, light)
        if shape == "apple":
            paint.stroke(
                image, (x, y - 0.9 * high), (x + 0.2 * high, y - 1.35 * high), 0.18 * high, (80, 55, 30)
            )
        return
    if shape in ("pen", "dumbbell"):
        _along(image, lens, shape, colour, place, basis, scale)
        return
    if shape == "bottle":
        _box(image, x, y + 0.25 * high, 0.34 * high, 0.75 * high, colour, dark)
        _box(image, x, y - 0.72 * high, 0.14 * high, 0.26 * high, colour, dark)
        _box(image, x, y - 0.95 * high, 0.17 * high, 0.1 * high, (235, 235, 230), (200, 200, 196))
        return
    if shape == "cup":
        paint.oval(image, x + 0.95 * high, y, (0.42 * high, 0.5 * high), 0, dark)
        paint.oval(image, x + 0.95 * high, y, (0.2 * high, 0.28 * high), 0, toned(dark, 0.5))
        _box(image, x, y, 0.8 * high, 0.95 * high, colour, dark)
        paint.oval(image, x, y - 0.95 * high, (0.8 * high, 0.2 * high), 0, toned(colour, 0.55))
        return
    wide = {"book": 0.74, "phone": 0.5, "box": 1.0}[shape] * high
    _box(image, x, y, wide, high, colour, dark)
    if shape == "book":
        _box(image, x + 0.97 * wide, y, 0.06 * wide, 0.94 * high, (238, 234, 222), (210, 205, 190))
        _box(image, x, y - 0.4 * high, 0.55 * wide, 0.12 * high, light, light)
    elif shape == "phone":
        _box(image, x - 0.45 * wide, y - 0.65 * high, 0.3 * wide, 0.2 * high, (26, 30, 38), (26, 30, 38))
    else:
        paint.polygon(
            image,
            np.array([
                (x - wide, y - high), (x + wide, y - high),
                (x + 0.8 * wide, y - 1.3 * high), (x - 0.8 * wide, y - 1.3 * high),
            ]),
            light,
        )  # fmt: skip


def _along(
    image: Image,
    lens: Lens,
    shape: str,
    colour: Colour,
    place: NDArray[np.float64],
    basis: NDArray[np.float64] | None,
    scale: float,
) -> None:
    """What is gripped lies across the hand."""
    across = basis[:, 0] if basis is not None else np.array([0.0, 1.0, 0.0])
    half = _SIZES[shape]
    ends, _ = lens.project(np.stack([place - across * half, place + across * half]))
    a, b = (float(ends[0, 0]), float(ends[0, 1])), (float(ends[1, 0]), float(ends[1, 1]))
    paint.stroke(image, a, b, max(2.0, (0.014 if shape == "pen" else 0.025) * scale), colour)
    if shape == "dumbbell":
        for end in (a, b):
            paint.disc(image, *end, 0.045 * scale, toned(colour, 0.75))
            paint.disc(image, *end, 0.03 * scale, colour)


def _box(image: Image, x: float, y: float, wide: float, high: float, colour: Colour, dark: Colour) -> None:
    def corners(w: float, shift: float) -> paint.Points:
        return np.array(
            [
                (x - w + shift, y - high),
                (x + w + shift, y - high),
                (x + w + shift, y + high),
                (x - w + shift, y + high),
            ]
        )

    paint.polygon(image, corners(wide, 0.0), dark)
    paint.polygon(image, corners(0.84 * wide, -0.12 * wide), colour)
