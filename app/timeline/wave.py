"""The waveform of a recorded sound at any zoom. Knows no Qt.

A ``Pyramid`` keeps the least and greatest sample of every 10 ms and of
powers of four of that, 4 bytes each: 5 MB for two hours. Nearer than that
the samples themselves are wanted, of which ``Blocks`` keeps a few seconds.
``WaveFile`` fills both from a file: its methods may be slow and belong to one
thread; what they return is put into pyramid and blocks by the thread that paints.
"""

from collections import OrderedDict
from collections.abc import Iterator
from math import ceil, floor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.errors import InputError
from engine.recorder.reader import audio_blocks, audio_rate, audio_seconds
from engine.types import Samples

BIN_S = 0.01
STEP = 4
LEVELS = 5
"""10, 40, 160, 640 and 2,560 ms."""
FINE_PX_PER_S = 1 / BIN_S
"""From so many pixels a second on, the samples themselves are drawn."""
BLOCK_S = 1.0
MAX_BLOCKS = 64
PIECE_S = 60.0
"""So much is read from the file in one call."""
MAX_SECONDS = 24 * 3600
_LOUD_SHARE = 99.7
_LEAST_LOUD = 0.04
_FULL = 32_767

Pair = NDArray[np.int16]
"""(n, 2) least and greatest sample of n stretches."""
Wave = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]
"""Least, greatest (-1..1) and whether they are known, of each pixel."""


def to_int16(samples: Samples) -> NDArray[np.int16]:
    return np.rint(np.clip(samples, -1, 1) * _FULL).astype(np.int16)


def extremes(samples: NDArray[np.int16], size: int) -> Pair:
    """Least and greatest of every ``size`` samples; the last stretch may be shorter."""
    if not len(samples):
        return np.zeros((0, 2), np.int16)
    starts = np.arange(0, len(samples), size)
    return np.stack((np.minimum.reduceat(samples, starts), np.maximum.reduceat(samples, starts)), axis=1)


def _pixels(low: NDArray[np.int16], high: NDArray[np.int16], starts: NDArray[np.int64], stop: int) -> Pair:
    """Reduce entries ``starts[k] .. starts[k + 1]`` (the last up to ``stop``), at least one each."""
    origin = int(starts[0])
    cut = starts - origin
    return np.stack(
        (np.minimum.reduceat(low[origin:stop], cut), np.maximum.reduceat(high[origin:stop], cut)), axis=1
    )


def _edges(first_px: int, px_per_s: float, width: int, per_s: float) -> NDArray[np.int64]:
    """Index of the entry in which each pixel begins, and of the one after the last."""
    edges: NDArray[np.int64] = np.floor((first_px + np.arange(width + 1)) * (per_s / px_per_s) + 1e-6).astype(
        np.int64
    )
    return edges


class Pyramid:
    """Extremes of a sound of ``seconds``, filled from the front."""

    def __init__(self, seconds: float) -> None:
        bins = max(ceil(min(seconds, MAX_SECONDS) / BIN_S - 1e-6), 1)
        self._levels = [np.zeros((-(-bins // STEP**k), 2), np.int16) for k in range(LEVELS)]
        self.filled = 0
        """Bins of 10 ms that are known."""
        self.gain = 1.0
        """Makes loud speech fill the height, without blowing up the noise of a room."""

    @property
    def complete(self) -> bool:
        return self.filled >= len(self._levels[0])

    def add(self, pairs: Pair) -> None:
        """The next extremes, of 10 ms each."""
        start = self.filled
        stop = min(start + len(pairs), len(self._levels[0]))
        self._levels[0][start:stop] = pairs[: stop - start]
        self.filled = stop
        for below, level in zip(self._levels, self._levels[1:], strict=False):
            first, last = start // STEP, -(-stop // STEP)
            part = below[first * STEP : min(stop, len(below))]
            if len(part):
                cut = np.arange(0, len(part), STEP)
                level[first:last, 0] = np.minimum.reduceat(part[:, 0], cut)
                level[first:last, 1] = np.maximum.reduceat(part[:, 1], cut)
            start, stop = first, last
        self._set_gain()

    def end(self) -> None:
        """Nothing more comes: the rest is silence."""
        self.filled = len(self._levels[0])

    def _set_gain(self) -> None:
        loudness = np.abs(self._levels[2][: -(-self.filled // STEP**2)].astype(np.int32)).max(axis=1)
        heard = loudness[loudness > 40]
        loud = float(np.percentile(heard, _LOUD_SHARE)) / _FULL if len(heard) else 1.0
        self.gain = 1 / max(loud, _LEAST_LOUD)

    def wave(self, first_px: int, px_per_s: float, width: int) -> Wave:
        """Extremes of each of ``width`` pixels; pixel x covers ``[first_px + x, + 1) / px_per_s``."""
        per_px = 1 / (px_per_s * BIN_S)
        k, size = 0, 1
        while k + 1 < LEVELS and size * STEP <= per_px / 2:
            k, size = k + 1, size * STEP
        level = self._levels[k]
        return _wave(
            level[:, 0], level[:, 1], -(-self.filled // size), 0,
            _edges(first_px, px_per_s, width, 1 / (BIN_S * size)),
        )  # fmt: skip


def _wave(
    low: NDArray[np.int16], high: NDArray[np.int16], count: int, origin: int, edges: NDArray[np.int64]
) -> Wave:
    """Reduce entries ``origin .. origin + count`` to the pixels between ``edges``."""
    width = len(edges) - 1
    least, most = np.zeros(width, np.float32), np.zeros(width, np.float32)
    known = (edges[:-1] >= origin) & (edges[:-1] < origin + count)
    shown = np.flatnonzero(known)
    if len(shown):
        starts = edges[:-1][known] - origin
        stop = min(max(int(edges[shown[-1] + 1]) - origin, int(starts[-1]) + 1), count)
        pairs = _pixels(low, high, starts, stop)
        least[shown], most[shown] = pairs[:, 0] / _FULL, pairs[:, 1] / _FULL
    return least, most, known


class Blocks:
    """The samples of the seconds that were looked at last."""

    def __init__(self, rate: int, limit: int = MAX_BLOCKS) -> None:
        self.rate = rate
        self.size = round(rate * BLOCK_S)
        self._limit = limit
        self._kept: OrderedDict[int, NDArray[np.int16]] = OrderedDict()

    def put(self, number: int, samples: NDArray[np.int16]) -> None:
        self._kept[number] = samples
        self._kept.move_to_end(number)
        while len(self._kept) > self._limit:
            self._kept.popitem(last=False)

    def missing(self, t0: float, t1: float) -> list[int]:
        """Blocks of ``t0 .. t1`` that are to be read, those in the middle first."""
        first, last = max(floor(t0 / BLOCK_S), 0), floor(t1 / BLOCK_S)
        wanted = range(first, min(last + 1, first + self._limit))
        middle = (t0 + t1) / 2 / BLOCK_S - 0.5
        return sorted((n for n in wanted if n not in self._kept), key=lambda n: abs(n - middle))

    def wave(self, first_px: int, px_per_s: float, width: int) -> Wave:
        """As ``Pyramid.wave``, from samples; neighbours are joined, so that the line does not break."""
        edges = _edges(first_px, px_per_s, width, self.rate)
        least, most = np.zeros(width, np.float32), np.zeros(width, np.float32)
        known = np.zeros(width, np.bool_)
        for number in range(max(int(edges[0]) // self.size, 0), int(edges[-1]) // self.size + 1):
            samples = self._kept.get(number)
            if samples is None or not len(samples):
                continue
            self._kept.move_to_end(number)
            part = _wave(samples, samples, len(samples), number * self.size, edges)
            here = part[2]
            least[here], most[here] = part[0][here], part[1][here]
            known |= here
        joined = known[1:] & known[:-1]
        least[1:][joined] = np.minimum(least[1:], most[:-1])[joined]
        most[1:][joined] = np.maximum(most[1:], least[:-1])[joined]
        return least, most, known


class WaveFile:
    """Reads a sound file for a pyramid and its blocks. Methods belong to one thread, which they keep waiting.

    Raises:
        InputError: the file is missing or cannot be read as sound.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rate = audio_rate(path)
        self.seconds = audio_seconds(path)
        self._rest: Iterator[Samples] | None = None
        self._left_over = np.zeros(0, np.int16)

    def next_piece(self, seconds: float = PIECE_S) -> Pair:
        """Extremes of the next stretch; none at the end."""
        if self._rest is None:
            self._rest = audio_blocks(self.path)
        size = round(self.rate * BIN_S)
        parts, have = [self._left_over], len(self._left_over)
        wanted = round(seconds * self.rate)
        ended = True
        for block in self._rest:
            parts.append(to_int16(block))
            have += len(block)
            if have >= wanted:
                ended = False
                break
        joined = np.concatenate(parts)
        whole = len(joined) if ended else len(joined) // size * size
        self._left_over = joined[whole:]
        return extremes(joined[:whole], size)

    def block(self, number: int) -> NDArray[np.int16]:
        """Samples of one block; empty where the file has none."""
        size = round(self.rate * BLOCK_S)
        try:
            parts = [to_int16(b) for b in audio_blocks(self.path, number * size, (number + 1) * size)]
        except InputError:
            parts = []
        return np.concatenate(parts) if parts else np.zeros(0, np.int16)
