"""Streaming resampling with a ratio that can follow a drifting device."""

import numpy as np
import soxr
from numpy.typing import NDArray

from engine.config import OUTPUT_HZ
from engine.types import Samples

MAX_DRIFT = 0.005
_RECENT = OUTPUT_HZ // 20


class LiveResampler:
    """Mono float32 from one rate to another, block by block.

    Uses soxr's variable-rate mode: about 12 ms behind its input, where the
    fixed-rate modes lag 20 to 40 ms, with images and aliases below -110 dB.
    """

    def __init__(self, in_hz: float, out_hz: float) -> None:
        self._in_hz, self._out_hz = in_hz, out_hz
        # soxr wants the largest ratio it will ever be asked for at the start.
        self._soxr = soxr.ResampleStream(in_hz * (1 + MAX_DRIFT), out_hz, 1, quality="HQ", vr=True)
        self._ratio = 0.0
        self.due = 0.0
        """Output samples that correspond to all input so far; ``push`` has given about 12 ms fewer."""
        self.drift(0.0)

    def drift(self, fraction: float) -> None:
        """From now on, take the input to run this fraction faster than its nominal rate (at most 0.5 %)."""
        bounded = min(MAX_DRIFT, max(-MAX_DRIFT, fraction))
        self._ratio = self._in_hz * (1 + bounded) / self._out_hz
        self._soxr.set_io_ratio(self._in_hz * (1 + bounded), self._out_hz)

    def push(self, block: NDArray[np.float32], last: bool = False) -> Samples:
        """Output that became ready. With ``last`` everything, and the object is spent."""
        self.due += len(block) / self._ratio
        out: Samples = self._soxr.resample_chunk(np.ascontiguousarray(block, np.float32), last=last)
        return out


class SpeechResampler:
    """24 kHz speech to a device's rate, with an end that can be heard before it is certain.

    A resampler holds the last 12 ms back until it knows what follows. When
    speech ends, nothing does, and nobody says so beforehand. So each block also
    comes with a tail made as if it were the last; the next block begins where
    the tail does, and replaces it.
    """

    def __init__(self, out_hz: float) -> None:
        self._out_hz = out_hz
        self._live = LiveResampler(OUTPUT_HZ, out_hz)
        self._given = 0
        self._recent: Samples = np.zeros(0, np.float32)

    def push(self, samples: Samples) -> tuple[Samples, Samples]:
        """Frames that are certain, and the provisional ones after them."""
        if self._out_hz == OUTPUT_HZ:
            return samples, samples[:0]
        frames = self._live.push(samples)
        self._given += len(frames)
        self._recent = np.concatenate((self._recent, samples))[-_RECENT:]
        missing = round(self._live.due) - self._given
        ended: Samples = soxr.resample(self._recent, OUTPUT_HZ, self._out_hz)
        return frames, ended[len(ended) - missing :] if missing > 0 else ended[:0]
