"""Numbered frame slots: one writer that never waits, any number of readers."""

import numpy as np

from engine.camera.picture import LONGEST_PX
from engine.types import Frame, Image

_WRITING = -1


class FrameRing:
    """The last few frames, each in the slot of its number modulo the slot count.

    A slot carries its frame's number; the writer takes the number away before
    it touches the pixels and puts the new one there afterwards. A reader copies
    between two looks at that number, so it can tell that it was overtaken.
    """

    def __init__(self, slots: int = 8) -> None:
        self._pixels = np.zeros((slots, LONGEST_PX, LONGEST_PX, 3), np.uint8)
        self._numbers = np.full(slots, _WRITING, np.int64)
        self._sizes = np.zeros((slots, 2), np.int64)
        self._times = np.zeros(slots, np.float64)
        self._count = 0

    @property
    def count(self) -> int:
        """Frames written so far; the newest one's number is one less."""
        return self._count

    def write(self, image: Image, t: float) -> int:
        """Store an RGB picture of at most 320 px a side, taken at session time ``t``; its number is returned.

        Only one thread may write.
        """
        number = self._count
        slot = number % len(self._numbers)
        height, width, _ = image.shape
        self._numbers[slot] = _WRITING
        self._pixels[slot, :height, :width] = image
        self._sizes[slot] = height, width
        self._times[slot] = t
        self._numbers[slot] = number
        self._count = number + 1
        return number

    def read(self, number: int) -> Frame | None:
        """A copy of frame ``number``; None when it was overwritten, also meanwhile, or is yet to come."""
        slot = number % len(self._numbers)
        if self._numbers[slot] != number:
            return None
        height, width = self._sizes[slot]
        image, t = self._pixels[slot, :height, :width].copy(), float(self._times[slot])
        if self._numbers[slot] != number:
            return None
        return Frame(image, number, t)

    def newest(self) -> Frame | None:
        """A copy of the newest frame; None before the first one."""
        # Overtaken while copying: there is a newer one by now.
        while (count := self._count) > 0:
            if (frame := self.read(count - 1)) is not None:
                return frame
        return None

    def newest_before(self, t: float) -> Frame | None:
        """A copy of the newest frame still held that was taken before session time ``t``."""
        count = self._count
        for number in range(count - 1, max(-1, count - 1 - len(self._numbers)), -1):
            if self._times[number % len(self._numbers)] < t and (frame := self.read(number)) is not None:
                return frame
        return None
