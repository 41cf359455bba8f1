"""The user's side of a case: an audio source that hears the assistant and reacts."""

import math
from collections.abc import Callable

import numpy as np
import soxr

from engine.assembler import turn_start
from engine.audio.file_sink import FileSink
from engine.bench.cases import Case, Cue, Happened
from engine.bench.rooms import Room
from engine.bench.said import AUDIBLE, Word, WordLog, onset
from engine.clock import Clock
from engine.config import INPUT_CHUNK, INPUT_HZ, OUTPUT_CHUNK, OUTPUT_HZ
from engine.events import TurnRecord
from engine.types import Samples, SourceChunk

ECHO_DELAY_S = 0.06  # loudspeaker buffer, air and microphone buffer together
QUIET_S = 4.0  # so long after the assistant's last sound a case is over
KEPT_S = 4.5  # so long a case goes on after the last cue: the latest response that counts comes 4 s after it
GIVE_UP_S = 10.0  # so long the user waits for an answer before something is said into it
_CONTEXT = OUTPUT_HZ // 50  # sound on both sides of a piece to be resampled


def convolve(samples: Samples, response: Samples) -> Samples:
    """Sound in a room, (N + R - 1,), from samples (N,) and an impulse response (R,) of one rate."""
    length = len(samples) + len(response) - 1
    size = 1 << (length - 1).bit_length()
    out = np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(response, size), size)[:length]
    return out.astype(np.float32)


def room_response(room: Room, channel: str) -> Samples:
    """The impulse response from where a cue's ``channel`` is."""
    responses: dict[str, Samples] = {"near": room.near, "turned": room.turned, "far": room.far}
    return responses[channel]


class HeardSink(FileSink):
    """A loudspeaker in virtual time that can be overheard."""

    def audible(self, index: int) -> Samples:
        """The 4,800 samples of micro-turn ``index``, before ``played`` is called for it.

        Final from the moment at which the micro-turn before it has been dealt
        with: what is decided at its own end cannot be heard in it.
        """
        return self._playout.read(index * OUTPUT_CHUNK, OUTPUT_CHUNK)


class CaseSource:
    """An ``AudioSource`` that plays a case to the assistant and listens to it. Engine thread only.

    Cues begin to the sample: those after ``start`` at their time, those after
    ``answer`` when ``delay_s`` has passed since the first audible sample of the
    first background answer (words of the engine's own do not count). The
    microphone gets each cue through the room's response for its channel, the
    room's noise, and the loudspeaker's sound ``ECHO_DELAY_S`` later.

    The session ends at ``length_s``, or sooner: ``KEPT_S`` after the last cue,
    once no job is open and the assistant has been silent for ``QUIET_S``; and
    when no answer has begun ``GIVE_UP_S`` after the cues that ask for one.

    Args:
        sink: the loudspeaker, overheard.
        open_jobs: how many background jobs have not ended.
    """

    def __init__(self, case: Case, sink: HeardSink, clock: Clock, open_jobs: Callable[[], int]) -> None:
        self._case, self._sink, self._clock, self._open_jobs = case, sink, clock, open_jobs
        self._turns = math.ceil(case.length_s * INPUT_HZ / INPUT_CHUNK)
        self._index = 0
        self._microphone: Samples = np.zeros(self._turns * INPUT_CHUNK, np.float32)
        self._track: Samples = np.zeros(self._turns * OUTPUT_CHUNK, np.float32)
        self._log = WordLog()
        self._first_word: Word | None = None
        self._answer_t: float | None = None
        self._last_sound = 0.0
        self._happened: list[Happened] = []
        self._waiting = [cue for cue in case.cues if cue.after == "answer"]
        self._stopped = False
        if case.noise is not None:
            self._add(case.noise, 0)
        for cue in case.cues:
            if cue.after == "start":
                self._place(cue, cue.delay_s)

    @property
    def happened(self) -> tuple[Happened, ...]:
        """The cues that have been placed, by their start."""
        return tuple(sorted(self._happened, key=lambda h: h.start))

    @property
    def answer_t(self) -> float | None:
        """When the first answer began to be heard."""
        return self._answer_t

    def begun(self, t: float) -> tuple[Cue, ...]:
        """Turns that want an answer and in which somebody had begun to speak at ``t``."""
        return tuple(h.cue for h in self.happened if h.cue.wants_answer and h.start + h.cue.spans[0][0] <= t)

    def told(self, turn: TurnRecord) -> None:
        """Take note of what was decided."""
        for word in self._log.add(turn):
            if self._first_word is None and not word.own:
                self._first_word = word

    def start(self) -> None:
        """Nothing to open."""

    def stop(self) -> None:
        """End the session with the next read."""
        self._stopped = True

    def read(self) -> SourceChunk | None:
        """The next 3,200 samples at 16 kHz; None when the case is over."""
        index = self._index
        if self._stopped or index >= self._turns or self._over(turn_start(index)):
            return None
        end = turn_start(index + 1)
        self._listen(index, end)
        self._react(turn_start(index), end)
        self._echo(index)
        self._index += 1
        self._clock.wait_until(end)
        piece = self._microphone[index * INPUT_CHUNK : (index + 1) * INPUT_CHUNK]
        return SourceChunk(np.clip(piece, -1.0, 1.0))

    def _listen(self, index: int, end: float) -> None:
        """Overhear the loudspeaker up to ``end``."""
        piece = self._sink.audible(index)
        self._track[index * OUTPUT_CHUNK : (index + 1) * OUTPUT_CHUNK] = piece
        if float(np.abs(piece).max()) > AUDIBLE:
            self._last_sound = end
        if self._answer_t is None and self._first_word is not None:
            self._answer_t = onset(self._track, self._first_word, end)
            if self._answer_t is None and end > self._first_word.t1 + 0.2:
                self._first_word = None  # cut off before any of it was heard

    def _react(self, begin: float, end: float) -> None:
        """Place the cues whose time comes in ``[begin, end)``; nothing can be said in the past."""
        if self._answer_t is None:
            return
        due = [cue for cue in self._waiting if self._answer_t + cue.delay_s < end]
        for cue in due:
            self._place(cue, max(begin, self._answer_t + cue.delay_s))
            self._waiting.remove(cue)

    def _place(self, cue: Cue, t: float) -> None:
        """Put a cue on the microphone from second ``t`` on."""
        at = round(t * INPUT_HZ)
        self._add(
            self._case.speech_gain * convolve(cue.audio, room_response(self._case.room, cue.channel)), at
        )
        self._happened.append(Happened(cue, at / INPUT_HZ))

    def _echo(self, index: int) -> None:
        """Add what the loudspeaker plays in a micro-turn, as it comes back to the microphone."""
        if not self._case.echo_gain:
            return
        first = index * OUTPUT_CHUNK - round(ECHO_DELAY_S * OUTPUT_HZ)
        begin, end = first - _CONTEXT, first + OUTPUT_CHUNK + _CONTEXT
        piece = self._track[max(0, begin) : end]
        if not piece.any():
            return
        piece = np.pad(piece, (max(0, -begin), 0))
        at16 = soxr.resample(piece, OUTPUT_HZ, INPUT_HZ)
        edge = _CONTEXT * INPUT_HZ // OUTPUT_HZ
        near = self._case.echo_gain * convolve(at16[edge : edge + INPUT_CHUNK], self._case.room.loudspeaker)
        self._add(near, index * INPUT_CHUNK)

    def _add(self, samples: Samples, at: int) -> None:
        room = self._microphone[at : at + len(samples)]
        room += samples[: len(room)]

    def _over(self, t: float) -> bool:
        if not self._case.cues or self._open_jobs() > 0 or t < self._last_sound + QUIET_S:
            return False
        last = max((h.end for h in self._happened), default=0.0)
        if self._waiting:
            return self._answer_t is None and t >= last + GIVE_UP_S
        return t >= last + KEPT_S
