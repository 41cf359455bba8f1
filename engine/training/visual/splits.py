"""What training may see and what is kept for judging: every drawn number and kind belongs to one split.

A range of numbers is cut into forty bands. Of each ten, seven are for training, one is for validation and two
are for the test; which ones depends on the name of the number. So each split covers the whole range, in other
places. Kinds (rooms, hair, patterns, ways to do an exercise) are given to splits by name.
"""

import colorsys
import functools
import zlib
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from engine.errors import InputError

Rng = np.random.Generator
Colour = tuple[int, int, int]
"""Red, green, blue, 0 to 255."""

BANDS = 40
_BLOCK = 10
_SHARES = {"train": range(7), "validation": range(7, 8), "test": range(8, 10)}
_EDGE = 0.06  # share of a band left empty at either side, so that no two splits touch

T = TypeVar("T")


@functools.cache
def bands_of(split: str, name: str) -> tuple[int, ...]:
    """Which of the forty bands of the number ``name`` belong to ``split``."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    orders = [first + rng.permutation(_BLOCK) for first in range(0, BANDS, _BLOCK)]
    return tuple(sorted(int(order[k]) for order in orders for k in _SHARES[split]))


@dataclass(frozen=True)
class Split:
    """Draws numbers and kinds that no other split draws. ``name``: train, validation or test."""

    name: str

    def __post_init__(self) -> None:
        """Raises InputError: there is no such split."""
        if self.name not in _SHARES:
            raise InputError(f"there is no split {self.name!r}: choose one of {', '.join(_SHARES)}")

    def number(self, rng: Rng, name: str, low: float, high: float) -> float:
        """A number between ``low`` and ``high`` out of this split's bands."""
        bands = bands_of(self.name, name)
        band = bands[int(rng.integers(len(bands)))]
        share = _EDGE + (1 - 2 * _EDGE) * float(rng.random())
        return low + (high - low) * (band + share) / BANDS

    def kind(self, rng: Rng, train: tuple[T, ...], held_out: tuple[T, ...]) -> T:
        """One of ``train`` while training; else one of ``held_out`` in half of the cases."""
        if self.name == "train" or rng.random() < 0.5:
            return train[int(rng.integers(len(train)))]
        # Validation and test have no kind in common that training lacks.
        first = held_out[: max(1, len(held_out) // 3)]
        chosen = first if self.name == "validation" else held_out[len(first) :] or held_out
        return chosen[int(rng.integers(len(chosen)))]

    def colour(self, rng: Rng, name: str, grey: float = 0.25) -> Colour:
        """A colour whose hue is out of this split's bands; grey, black or white in a share ``grey``."""
        vivid = float(rng.uniform(0.5, 0.9) if rng.random() < 0.3 else rng.uniform(0.15, 0.5))
        saturation = 0.04 if rng.random() < grey else vivid
        hue = self.number(rng, name, 0.0, 1.0)
        return hsv(hue, saturation, float(rng.uniform(0.12, 0.95)))


TRAIN, VALIDATION, TEST = Split("train"), Split("validation"), Split("test")


def hsv(hue: float, saturation: float, value: float) -> Colour:
    """Hue, saturation and value, each 0 to 1, as a colour."""
    r, g, b = colorsys.hsv_to_rgb(hue % 1.0, min(max(saturation, 0.0), 1.0), min(max(value, 0.0), 1.0))
    return round(255 * r), round(255 * g), round(255 * b)


@functools.lru_cache(maxsize=4096)
def toned(colour: Colour, gain: float) -> Colour:
    """The colour lighter (gain above 1) or darker."""
    return (
        min(255, max(0, round(colour[0] * gain))),
        min(255, max(0, round(colour[1] * gain))),
        min(255, max(0, round(colour[2] * gain))),
    )


def mixed(a: Colour, b: Colour, share: float) -> Colour:
    """``share`` of ``b`` in ``a``."""
    r, g, blue = (round(p + (q - p) * share) for p, q in zip(a, b, strict=True))
    return r, g, blue
