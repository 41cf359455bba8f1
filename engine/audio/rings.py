"""Rings between PortAudio's C callback and the engine thread.

Both are PortAudio's own lock-free single-producer, single-consumer ring; the
other end is rtmixer's callback, in C. Positions are frames since the stream
began. Each object belongs to the engine thread.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.types import Samples

Frames = NDArray[np.float32]
"""(frames, channels), float32."""


def _size(seconds: float, rate: float) -> int:
    return 1 << int(np.ceil(np.log2(seconds * rate)))


class CaptureRing:
    """The callback writes, the engine reads. Holds at least ``seconds``."""

    def __init__(self, rtmixer: Any, channels: int, rate: float, seconds: float = 8.0) -> None:
        self.channels = channels
        self.ring = rtmixer.RingBuffer(4 * channels, _size(seconds, rate))
        self._read = 0

    @property
    def captured(self) -> int:
        """Frames the device has delivered."""
        return self._read + int(self.ring.read_available)

    @property
    def position(self) -> int:
        """The frame that the next ``read`` begins with."""
        return self._read

    def read(self) -> Frames:
        """All frames that are there."""
        data = np.frombuffer(self.ring.read(), np.float32).reshape(-1, self.channels)
        self._read += len(data)
        return data


class PlaybackRing:
    """Memory that the callback plays round and round; the engine writes ahead of the play cursor.

    The ring is kept full of silence, so the callback never finds it empty and
    its read counter is the exact number of frames the device has taken. Speech
    is written in place, ahead of that cursor, and a flush is a fade and zeros
    in place: no index ever moves back, so there is nothing to race for. What
    has been played becomes silence again in ``refill``, which has to be called
    at least every few seconds.
    """

    def __init__(self, rtmixer: Any, channels: int, rate: float, seconds: float = 8.0) -> None:
        self.size = _size(seconds, rate)
        self._memory = np.zeros((self.size, channels), np.float32)
        self.ring = rtmixer.RingBuffer(4 * channels, buffer=self._memory)
        self.ring.advance_write_index(self.size)
        self._filled = self.size

    @property
    def consumed(self) -> int:
        """Frames the device has taken."""
        return self._filled - int(self.ring.read_available)

    @property
    def horizon(self) -> int:
        """First frame that cannot be written yet."""
        return self._filled

    def refill(self) -> None:
        """Turn what has been played into silence ahead of the cursor."""
        free = int(self.ring.write_available)
        if free:
            self._span(self._filled, free, lambda memory, _: memory.fill(0.0))
            self._filled += free
            self.ring.advance_write_index(free)

    def write(self, frame: int, samples: Samples) -> int:
        """Put ``samples`` from ``frame`` on: mono on all channels, or one column for each channel.

        Returns how many frames fitted.
        """
        count = max(0, min(len(samples), self._filled - frame))
        columns = samples[:, None] if samples.ndim == 1 else samples

        def put(memory: Frames, offset: int) -> None:
            memory[:] = columns[offset : offset + len(memory)]

        self._span(frame, count, put)
        return count

    def fade(self, frame: int, ramp: Samples) -> None:
        """Multiply by ``ramp`` from ``frame`` on, with silence after it. The far end first: see the class."""
        silent = frame + len(ramp)
        self._span(silent, self._filled - silent, lambda memory, _: memory.fill(0.0))

        def scale(memory: Frames, offset: int) -> None:
            memory *= ramp[offset : offset + len(memory), None]

        self._span(frame, min(len(ramp), self._filled - frame), scale)

    def _span(self, frame: int, count: int, change: Any) -> None:
        """Call ``change(memory, offset)`` for the one or two pieces of memory that hold these frames."""
        first = frame % self.size
        head = min(count, self.size - first)
        if head > 0:
            change(self._memory[first : first + head], 0)
        if count > head:
            change(self._memory[: count - head], head)
