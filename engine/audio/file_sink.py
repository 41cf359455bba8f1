"""A loudspeaker in virtual time: what a device would have played, as samples."""

from engine.audio.playout import Playout
from engine.config import OUTPUT_CHUNK, OUTPUT_HZ
from engine.types import Samples


def _position(t: float) -> int:
    return round(t * OUTPUT_HZ)


class FileSink:
    """An `AudioSink` whose device is arithmetic.

    Samples written at session time t begin at t, or when what is queued has
    been played, to the sample at 24 kHz. ``flush(t)`` fades over 20 ms from t.
    Speech that goes on within 100 ms after the queue ran dry is an underrun.
    Nothing is written to disk here; the recorder keeps what ``played`` gives.
    Engine thread only.
    """

    def __init__(self) -> None:
        self._playout = Playout()
        self._reported = 0

    def start(self) -> None:
        """Nothing to do: there is no device."""

    def write(self, samples: Samples, t: float) -> None:
        """Queue 24 kHz mono samples at session time ``t``."""
        self._playout.add(samples, _position(t))

    def queued(self, t: float) -> int:
        """Samples written and not yet played at time ``t``."""
        return max(0, self._playout.end - _position(t))

    def flush(self, t: float) -> int:
        """Fade out within 20 ms from ``t`` on; returns the samples that will never be heard."""
        return self._playout.cut(_position(t))

    def played(self, index: int) -> Samples:
        """The 4,800 samples audible in micro-turn ``index``; final once all calls before its end are made."""
        begin = index * OUTPUT_CHUNK
        samples = self._playout.read(begin, OUTPUT_CHUNK)
        self._playout.forget(begin + OUTPUT_CHUNK)
        return samples

    def take_faults(self) -> tuple[str, ...]:
        """Underruns since the last call."""
        new = self._playout.underruns - self._reported
        self._reported = self._playout.underruns
        return ("the loudspeaker ran dry in the middle of speech",) * new

    def stop(self) -> None:
        """Nothing to release."""
