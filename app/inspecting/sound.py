"""Both sides of a recorded session as frames for a loudspeaker, from any point and at any speed.

Plain Python, blocking reads: belongs to the thread that plays.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soxr

from engine.errors import InputError
from engine.recorder.folder import INPUT, OUTPUT
from engine.recorder.reader import audio_blocks, audio_rate
from engine.types import Samples

_NAMES = {INPUT: "your side", OUTPUT: "the assistant’s side"}


class _Side:
    """One file from second ``t`` on, at ``hz`` samples a second; silence where it is missing or over."""

    def __init__(self, file: Path, t: float, speed: float, hz: float) -> None:
        self.problem = ""
        try:
            rate = audio_rate(file)
        except InputError as err:
            self.problem = str(err)
            self._blocks: Iterator[Samples] = iter(())
        else:
            blocks = audio_blocks(file, round(t * rate))
            self._blocks = blocks if rate * speed == hz else _resampled(blocks, rate * speed, hz)
        self._held: Samples = np.zeros(0, np.float32)

    def read(self, count: int) -> Samples:
        parts, length = [self._held], len(self._held)
        while length < count:
            block = next(self._blocks, None)
            if block is None:
                block = np.zeros(count - length, np.float32)
            parts.append(block)
            length += len(block)
        joined = np.concatenate(parts)
        self._held = joined[count:]
        return joined[:count]


def _resampled(blocks: Iterator[Samples], from_hz: float, to_hz: float) -> Iterator[Samples]:
    resampler = soxr.ResampleStream(from_hz, to_hz, 1, dtype="float32")
    for block in blocks:
        yield resampler.resample_chunk(block)
    yield resampler.resample_chunk(np.zeros(0, np.float32), last=True)


class RecordedSound:
    """Frames of a session's two audio files, together."""

    def __init__(
        self, folder: Path, t: float, speed: float, hz: float, channels: int, mixed: bool = False
    ) -> None:
        """From session second ``t`` on. ``mixed``: both sides on every channel, not one on each.

        Raises:
            InputError: neither file can be read.
        """
        self._sides = {name: _Side(folder / name, t, speed, hz) for name in (INPUT, OUTPUT)}
        problems = {name: side.problem for name, side in self._sides.items() if side.problem}
        if len(problems) == len(self._sides):
            raise InputError(f"this session has no sound to play: {', '.join(problems.values())}")
        self.note = "; ".join(f"{why}: {_NAMES[name]} is silent" for name, why in problems.items())
        """What is missing; empty where nothing is."""
        self._channels = channels
        self._mixed = mixed or channels < 2

    def read(self, count: int) -> Samples:
        """(count, channels) float32: the user left and the assistant right, or both on all. Never ends."""
        user, assistant = (side.read(count) for side in self._sides.values())
        if self._mixed:
            both = np.clip(user + assistant, -1.0, 1.0)
            return np.repeat(both[:, None], self._channels, axis=1)
        frames = np.zeros((count, self._channels), np.float32)
        frames[:, 0], frames[:, 1] = user, assistant
        return frames
