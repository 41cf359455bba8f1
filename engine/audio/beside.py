"""What a loudspeaker plays beside the assistant's speech: a recording that stands in for the microphone.

It has a ring of its own, which the device mixes in frame by frame. So it is
neither in the account of what the assistant was heard to say, nor in the echo
canceller's reference, nor in a recorded session's output, and a flush of speech
leaves it alone.
"""

from engine.audio.playout import fade_ramp
from engine.audio.resample import LiveResampler
from engine.audio.samples import level_db
from engine.audio.streams import OutputStream
from engine.config import INPUT_HZ
from engine.types import Samples

FADE_S = 0.02
_JUMP_S = 0.03  # a device's count of frames is no more exact than its blocks are long
_SILENT_JUMP_S = 0.004
_SILENT_DB = -60.0


class Beside:
    """Keeps a sound in time on one stream after another. Engine thread only."""

    def __init__(self) -> None:
        self._stream: OutputStream | None = None
        self._resampler = LiveResampler(INPUT_HZ, INPUT_HZ)
        self._end = 0

    def write(self, stream: OutputStream, samples: Samples, t: float, margin_s: float) -> None:
        """Let 16 kHz mono samples be heard from session second ``t`` on; what is too late is left out.

        ``margin_s``: so near to the device's play cursor nothing is written.
        """
        ring = stream.beside
        if ring is None:
            return
        wanted = round(stream.clock.frame_at(t - stream.latency_s))
        late = abs(wanted - self._end) / stream.rate
        if stream is not self._stream or late > (
            _SILENT_JUMP_S if level_db(samples) < _SILENT_DB else _JUMP_S
        ):
            self._stream, self._end = stream, wanted
            self._resampler = LiveResampler(INPUT_HZ, stream.rate)
        frames = self._resampler.push(samples)
        first = ring.consumed + round(margin_s * stream.rate)
        ring.write(max(self._end, first), frames[max(first - self._end, 0) :])
        self._end += len(frames)

    def fade(self, stream: OutputStream, margin_s: float) -> None:
        """Silent within ``margin_s`` and 20 ms."""
        if stream.beside is not None:
            frame = stream.beside.consumed + round(margin_s * stream.rate)
            stream.beside.fade(frame, fade_ramp(round(FADE_S * stream.rate)))
