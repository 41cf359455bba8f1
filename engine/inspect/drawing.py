"""A drawing as data, made once and rendered as SVG or PNG. Lengths are logical pixels; y grows downwards."""

import re
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Anchor = Literal["start", "middle", "end"]


@dataclass(frozen=True)
class Rect:
    x: float
    y: float
    width: float
    height: float
    fill: str
    radius: float = 0.0


@dataclass(frozen=True)
class Polygon:
    """``points``: (n, 2)."""

    points: NDArray[np.float64]
    fill: str


@dataclass(frozen=True)
class Line:
    x0: float
    y0: float
    x1: float
    y1: float
    stroke: str
    width: float = 1.0


@dataclass(frozen=True)
class Text:
    """``y`` is the baseline; ``size`` the font size; ``weight`` 400 or 600."""

    x: float
    y: float
    text: str
    size: float
    fill: str
    anchor: Anchor = "start"
    weight: int = 400


Shape = Rect | Polygon | Line | Text


@dataclass
class Scene:
    """Shapes in the order in which they are painted, on a plain background."""

    width: float
    height: float
    background: str
    title: str = ""
    shapes: list[Shape] = field(default_factory=list)

    def add(self, *shapes: Shape) -> None:
        self.shapes += shapes


@cache
def typeface() -> cv2.FontFace:
    """The sans-serif face that OpenCV carries, for drawing and for measuring text."""
    return cv2.FontFace("sans")


def text_width(text: str, size: float, weight: int = 400) -> float:
    """Width of one line of text."""
    rect = cv2.getTextSize((4096, 4096), printable(text), (0, 0), typeface(), round(size * 4), weight)
    return float(rect[2]) / 4


def fit(text: str, width: float, size: float) -> str:
    """``text``, or as much of it as fits followed by an ellipsis; empty when not even a few letters fit."""
    text = printable(text)
    if text_width(text, size) <= width:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if text_width(text[:middle].rstrip() + "…", size) <= width:
            low = middle
        else:
            high = middle - 1
    return text[:low].rstrip() + "…" if low >= 2 else ""


_UNPRINTABLE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff]"
)


def printable(text: str) -> str:
    """One line, without control and direction characters, which neither XML nor a picture can hold."""
    return " ".join(_UNPRINTABLE.sub(" ", text).split())


def band(x: NDArray[np.float64], half: NDArray[np.float64], middle: float) -> NDArray[np.float64]:
    """Corners (2n, 2) of the area ``middle`` ± ``half`` over ``x``: a waveform's outline."""
    upper = np.stack((x, middle - half), axis=1)
    lower = np.stack((x, middle + half), axis=1)[::-1]
    return np.concatenate((upper, lower))
