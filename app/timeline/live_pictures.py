"""The newest small pictures of a running session's camera, for the timeline's lane. Knows no Qt."""

from bisect import bisect_right

import numpy as np

from app.timeline.pictures import HEIGHT_PX, STALE_S, Picture
from engine.types import Image

MOST = 300
APART_S = 0.4
"""Pictures are kept so far apart: two minutes in 8 MB."""


class LivePictures:
    """One owner thread. Older pictures go; nothing is written anywhere."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._times: list[float] = []
        self._pictures: list[Picture] = []

    @property
    def next_s(self) -> float:
        """Session second from which on another picture is wanted."""
        return self._times[-1] + APART_S if self._times else 0.0

    @property
    def shape(self) -> float | None:
        """Width of a picture by its height; None before the first."""
        return self._pictures[-1].shape[1] / self._pictures[-1].shape[0] if self._pictures else None

    def add(self, t: float, image: Image) -> None:
        """Keep (height, width, 3) RGB of second ``t``, made small; nothing earlier than ``next_s``."""
        if t < self.next_s:
            return
        self._times.append(t)
        self._pictures.append(_small(image))
        if len(self._times) > self._most:
            del self._times[0], self._pictures[0]

    def at(self, t: float) -> Picture | None:
        """The newest picture at second ``t``; None before the first, and where the camera had stopped."""
        number = bisect_right(self._times, t + 1e-6) - 1
        if number < 0 or t - self._times[number] > STALE_S:
            return None
        return self._pictures[number]


def _small(image: Image) -> Picture:
    """Every so-many-th pixel is enough at this size."""
    height, width, _ = image.shape
    rows = np.arange(min(height, HEIGHT_PX)) * height // min(height, HEIGHT_PX)
    wide = max(round(width * len(rows) / height), 1)
    rgb = image[rows[:, None], (np.arange(wide) * width // wide)[None, :]].astype(np.uint32)
    made = 0xFF000000 | rgb[:, :, 0] << 16 | rgb[:, :, 1] << 8 | rgb[:, :, 2]
    return np.ascontiguousarray(made, np.uint32)
