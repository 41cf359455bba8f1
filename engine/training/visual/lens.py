"""Where things in the room appear in the picture: a pinhole camera."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.training.visual.paint import Points

NEAR_M = 0.08


@dataclass(frozen=True)
class Lens:
    """A camera at ``place`` (metres). ``axes``: rows right, up, forward.

    ``width``, ``height``: the canvas, px.
    """

    place: NDArray[np.float64]
    axes: NDArray[np.float64]
    focal: float
    width: int
    height: int

    def project(self, points: NDArray[np.float64]) -> tuple[Points, NDArray[np.float64]]:
        """(N, 3) points in the room to (N, 2) pixels and (N,) distances along the view, at least 8 cm."""
        seen = (points - self.place) @ self.axes.T
        depth = np.maximum(seen[:, 2], NEAR_M)
        pixels = np.empty((len(points), 2))
        pixels[:, 0] = self.width / 2 + self.focal * seen[:, 0] / depth
        pixels[:, 1] = self.height / 2 - self.focal * seen[:, 1] / depth
        return pixels, depth

    def inside(self, point: NDArray[np.float64], margin: float = 0.0) -> bool:
        """Whether a point (3,) is in the picture, and not within a ``margin``, a share of its size."""
        seen = self.axes @ (point - self.place)
        if seen[2] < NEAR_M:
            return False
        x = self.focal * float(seen[0]) / float(seen[2]) / self.width
        y = self.focal * float(seen[1]) / float(seen[2]) / self.height
        return abs(x) <= 0.5 - margin and abs(y) <= 0.5 - margin


def aimed(
    place: tuple[float, float, float],
    at: tuple[float, float, float],
    roll: float,
    focal: float,
    size: tuple[int, int],
) -> Lens:
    """A camera at ``place`` that looks at ``at``; ``roll``: how far it is tilted, radians; ``size``: px."""
    eye = np.array(place)
    forward = np.array(at) - eye
    forward /= np.linalg.norm(forward)
    right = np.array([-forward[2], 0.0, forward[0]])
    right /= np.linalg.norm(right)
    up = np.array(
        [
            right[1] * forward[2] - right[2] * forward[1],
            right[2] * forward[0] - right[0] * forward[2],
            right[0] * forward[1] - right[1] * forward[0],
        ]
    )
    c, s = math.cos(roll), math.sin(roll)
    return Lens(eye, np.stack([c * right + s * up, c * up - s * right, forward]), focal, *size)
