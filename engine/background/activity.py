"""Whether somebody speaks, chunk by chunk: Silero VAD with its state carried from one chunk to the next."""

import numpy as np

from engine.background.failure import JobError
from engine.detectors.silero import WINDOW, SileroVad
from engine.errors import MicroturnError
from engine.types import Samples

SPEECH = 0.5
_ONSET_WINDOWS = 3  # so many windows of speech among the last _ONSET_SEEN begin an utterance: 96 of 192 ms
_ONSET_SEEN = 6
_RESUME_WINDOWS = 2  # after a short pause a click of one window does not count as speech


class Activity:
    """Speech in one stream, counted in its samples (16 kHz). One thread at a time; about 1.5 ms a chunk.

    ``heard``: samples taken. ``judged``: samples that the detector has seen, in whole windows of 32 ms.
    ``speaking``: an utterance has begun. ``spans``: (first, end) samples of the speech in it, oldest first.
    ``last``: the sample at which the newest speech ended.

    Raises:
        JobError: the detector is not installed, or damaged.
    """

    def __init__(self) -> None:
        try:
            self._vad = SileroVad()
        except MicroturnError as err:
            raise JobError("I cannot understand speech right now.", str(err)) from err
        self.reset()

    def reset(self) -> None:
        """Forget the stream; the next sample is number 0."""
        self._vad.reset()
        self.heard = self.judged = self.last = 0
        self.rest()

    def rest(self) -> None:
        """The utterance is over: speech must begin anew, the stream goes on."""
        self.speaking = False
        self.spans: list[tuple[int, int]] = []
        self._recent: list[bool] = []
        self._run = 0

    @property
    def silent(self) -> int:
        """Samples judged since the newest speech ended."""
        return self.judged - self.last

    def push(self, samples: Samples) -> None:
        """Take samples (n,), finite and in [-1, 1], any n."""
        self.heard += len(samples)
        for prob in self._vad.push(samples):
            self._judge(bool(prob >= SPEECH))

    def _judge(self, speech: bool) -> None:
        start = self.judged
        self.judged += WINDOW
        self._run = self._run + 1 if speech else 0
        if not self.speaking:
            self._recent = [*self._recent[1 - _ONSET_SEEN :], speech]
            if sum(self._recent) >= _ONSET_WINDOWS:
                first = len(self._recent) - self._recent.index(True)
                self.spans = [(self.judged - first * WINDOW, self.judged)]
                self.speaking, self.last = True, self.judged
        elif speech and self.last == start:
            self.spans[-1] = (self.spans[-1][0], self.judged)
            self.last = self.judged
        elif self._run >= _RESUME_WINDOWS:
            self.spans.append((self.judged - self._run * WINDOW, self.judged))
            self.last = self.judged


def safe(samples: Samples) -> Samples:
    """One channel of finite samples in [-1, 1], whatever came in."""
    flat = np.asarray(samples, np.float32).reshape(-1)
    cleaned: Samples = np.clip(np.nan_to_num(flat, nan=0.0, posinf=0.0, neginf=0.0), -1.0, 1.0)
    return cleaned
