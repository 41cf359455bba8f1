"""Silero VAD v6 (MIT), from the ONNX file inside faster-whisper: is somebody speaking, every 32 ms."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.config import INPUT_HZ
from engine.detectors.onnx import open_session, packaged_file
from engine.types import Samples

WINDOW = 512
WINDOW_S = WINDOW / INPUT_HZ
WINDOW_MS = 1000 * WINDOW_S
_CONTEXT = 64  # samples of the window before, which the network sees too
_STATE = 128


def silero_file() -> Path:
    """Raises MicroturnError when faster-whisper is not installed."""
    return packaged_file("faster_whisper", "assets/silero_vad_v6.onnx", "faster-whisper==1.2.1")


class SileroVad:
    """Speech probability of each whole window of 512 samples of one stream. One thread at a time.

    About 0.2 ms a window on one core.

    Raises:
        MicroturnError: the model file is missing or damaged.
    """

    def __init__(self) -> None:
        self._session = open_session(silero_file())
        self.reset()

    def reset(self) -> None:
        """Forget the stream."""
        self._h = np.zeros((1, 1, _STATE), np.float32)
        self._c = np.zeros((1, 1, _STATE), np.float32)
        self._rest: Samples = np.zeros(_CONTEXT, np.float32)

    def push(self, samples: Samples) -> NDArray[np.float32]:
        """Take samples (n,) at 16 kHz, any n; probabilities of the windows that are now whole, oldest first.

        What is left of the last window is kept for the next call.
        """
        joined = np.concatenate([self._rest, samples])
        count = (len(joined) - _CONTEXT) // WINDOW
        self._rest = joined[count * WINDOW :]
        if not count:
            return np.zeros(0, np.float32)
        views = np.lib.stride_tricks.sliding_window_view(joined, _CONTEXT + WINDOW)[::WINDOW][:count]
        # The network runs over the rows in order, as over time.
        feed = {"input": np.ascontiguousarray(views, dtype=np.float32), "h": self._h, "c": self._c}
        probs, self._h, self._c = self._session.run(None, feed)
        out: NDArray[np.float32] = probs.reshape(-1)
        return out
