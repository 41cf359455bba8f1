"""Streaming resampling with a ratio that can follow a drifting device."""

import numpy as np
import soxr
from numpy.typing import NDArray

from engine.types import Samples

MAX_DRIFT = 0.005


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
