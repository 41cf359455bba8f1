"""What a loudspeaker plays and when, kept sample by sample at 24 kHz.

A file sink follows it in virtual time; the live sink keeps the same account of
what the device consumed, which is what was heard and what the echo canceller
needs. Positions are samples at 24 kHz from an origin of the owner's choice.
"""

from collections import deque

import numpy as np

from engine.config import OUTPUT_HZ
from engine.types import Samples

FADE_SAMPLES = OUTPUT_HZ * 20 // 1000
UNDERRUN_LIMIT = OUTPUT_HZ // 10
_EDGE = OUTPUT_HZ * 5 // 1000
_AUDIBLE = 1e-3


def fade_ramp(length: int) -> Samples:
    """Factors from just under 1 to 0, raised cosine."""
    ramp: Samples = (0.5 + 0.5 * np.cos(np.pi * (np.arange(length) + 1) / length)).astype(np.float32)
    return ramp


def _is_audible(edge: Samples) -> bool:
    return bool(len(edge)) and float(np.abs(edge).max()) > _AUDIBLE


class Playout:
    """Samples scheduled one after another; silence in between. Owned by one thread."""

    def __init__(self) -> None:
        self._parts: deque[tuple[int, Samples]] = deque()
        self._floor = 0
        self._cut_off = False  # whether the last scheduled sample leaves speech unfinished
        self.end = 0
        """Position after the last scheduled sample."""
        self.underruns = 0
        """Audible holes: speech that went on less than 100 ms after the queue had run dry."""

    def add(self, samples: Samples, position: int) -> int:
        """Play ``samples`` from ``position`` on, or after what is scheduled. Returns where they begin."""
        begin = max(position, self.end, self._floor)
        if not len(samples):
            return begin
        # Speech that had come to its end, or begins anew, is silent at the edge.
        if 0 < begin - self.end < UNDERRUN_LIMIT and self._cut_off and _is_audible(samples[:_EDGE]):
            self.underruns += 1
        self._parts.append((begin, samples.astype(np.float32)))
        self.end = begin + len(samples)
        self._cut_off = _is_audible(samples[-_EDGE:])
        return begin

    def cut(self, position: int) -> int:
        """Fade what plays at ``position`` out within 20 ms and forget the rest.

        Returns how many scheduled samples will not be heard.
        """
        position = max(position, self._floor)
        scheduled = self.scheduled(position, self.end)
        tail = self.read(position, FADE_SAMPLES)
        playing = self.scheduled(position, position + 1) > 0
        kept = self.scheduled(position, position + FADE_SAMPLES) if playing else 0
        while self._parts and self._parts[-1][0] >= position:
            self._parts.pop()
        if self._parts:
            begin, samples = self._parts[-1]
            self._parts[-1] = (begin, samples[: position - begin])
        if playing:
            tail = tail[: self.end - position]
            self._parts.append((position, tail * fade_ramp(FADE_SAMPLES)[: len(tail)]))
        if self._parts:
            begin, samples = self._parts[-1]
            self.end = begin + len(samples)
        else:
            self.end = min(self.end, position)
        self._cut_off = False
        return scheduled - kept

    def scheduled(self, first: int, last: int) -> int:
        """How many samples are scheduled in ``[first, last)``."""
        return sum(max(0, min(b + len(s), last) - max(b, first)) for b, s in self._parts)

    def read(self, position: int, count: int) -> Samples:
        """What is scheduled in ``[position, position + count)``, zeros where nothing is."""
        out = np.zeros(count, np.float32)
        for begin, samples in self._parts:
            first, last = max(begin, position), min(begin + len(samples), position + count)
            if first < last:
                out[first - position : last - position] = samples[first - begin : last - begin]
        return out

    def forget(self, position: int) -> None:
        """Drop what lies before ``position``: it can be neither read nor changed any more."""
        self._floor = max(self._floor, position)
        while self._parts and self._parts[0][0] + len(self._parts[0][1]) <= self._floor:
            self._parts.popleft()
