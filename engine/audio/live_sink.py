"""The loudspeaker of a live session, as the engine thread uses it."""

import time
from collections.abc import Callable

import numpy as np
import soxr

from engine.audio.beside import Beside
from engine.audio.heartbeat import Heartbeat, XrunWatch
from engine.audio.host import AudioHost, Line
from engine.audio.playout import Playout, fade_ramp
from engine.audio.resample import SpeechResampler
from engine.audio.samples import FLOOR_DB, level_db
from engine.audio.streams import OutputStream
from engine.clock import Clock
from engine.config import CHUNK_S, INPUT_CHUNK, INPUT_HZ, OUTPUT_CHUNK, OUTPUT_HZ
from engine.types import Samples

MARGIN_S = 0.012  # memory nearer to the play cursor is left alone: a callback may be copying it
MAX_MARGIN_S = 0.04
FADE_S = 0.02
_CONTEXT = OUTPUT_HZ // 50  # samples on each side that keep a resampler's edges out of the reference
_SILENT_JUMP = OUTPUT_HZ // 100  # the reference may be this far off the device's clock in silence
_JUMP = OUTPUT_HZ // 50  # and this far in speech; a larger error means that the device paused or raced
_BLOCK = OUTPUT_HZ // 50  # a device's ordinary block is shorter


class LiveSink:
    """An `AudioSink` over a playback stream that may vanish and come back.

    The account is kept in positions: samples at 24 kHz that the device has
    taken, counted so that they stay close to session time. Engine thread only,
    except ``level_db`` and ``name``.
    """

    def __init__(self, line: Line[OutputStream], host: AudioHost, clock: Clock) -> None:
        self._line, self._host, self._clock = line, host, clock
        self._stream: OutputStream | None = None
        self._playout = Playout()
        self._beside = Beside()
        self._resampler: SpeechResampler | None = None
        self._end = 0  # device frame after the last one that is certain
        self._tail = 0  # frames after it that hold if nothing follows
        self._base = 0.0  # position of device frame 0
        self._heartbeat, self._xruns = Heartbeat(0.0), XrunWatch(0.0)
        self._margin_s = MARGIN_S
        self._index = -1
        self._begin = 0  # position at which micro-turn ``_index`` begins
        self._heard = 0  # position up to which ``played`` has told what was heard
        self._underruns = 0
        self._unheard = 0
        self._faults: list[str] = []
        self._level_db = FLOOR_DB
        self._idle = True
        host.idle = lambda: self._idle
        self.on_open: Callable[[], None] = lambda: None
        """Called by ``start`` once the loudspeaker is open."""

    @property
    def name(self) -> str:
        """Of the loudspeaker in use; empty while there is none. Any thread."""
        stream = self._line.current
        return stream.device.name if stream else ""

    @property
    def level_db(self) -> float:
        """Level of the last 200 ms that were heard, in dB of full scale. Any thread."""
        return self._level_db

    def start(self) -> None:
        """Open the loudspeaker.

        Raises:
            InputError: there is no such device.
            MicroturnError: there is no loudspeaker, no PortAudio, or the device cannot be opened.
        """
        self._host.open_now(self._line)
        self.on_open()

    def stop(self) -> None:
        """Give both devices back and end the device thread. Speech still queued fades out first."""
        stream = self._playable()
        if stream is not None and (stream.beside is not None or self.queued(0.0)):
            self.flush(0.0)
            self._beside.fade(stream, self._margin_s)
            time.sleep(2 * FADE_S)
        # A device thread that hangs must keep nothing of ours alive.
        self._host.idle = lambda: True
        self._host.stop()

    def write(self, samples: Samples, t: float) -> None:
        """Queue 24 kHz mono samples behind what is queued, or to be heard as soon as possible."""
        del t
        stream = self._playable()
        if stream is None:
            self._unheard += len(samples)
            return
        cursor, margin = stream.ring.consumed, round(self._margin_s * stream.rate)
        position = self._playout.end
        if self._resampler is None or self._end < cursor + margin:
            self._end = max(self._end + self._tail, cursor + margin)
            self._resampler = SpeechResampler(stream.rate)
            position = round(self._position(stream, self._end))
        frames, tail = self._resampler.push(samples)
        begin = self._end
        fitted = stream.ring.write(begin, np.concatenate((frames, tail)))
        unfit = round((len(frames) + len(tail) - fitted) * OUTPUT_HZ / stream.rate)
        self._playout.add(samples[: max(0, len(samples) - unfit)], position)
        self._end += min(fitted, len(frames))
        self._tail = max(0, fitted - len(frames))
        if fitted < len(frames):
            lost_ms = 1000 * (len(frames) - fitted) / stream.rate
            self._faults.append(f"the playback ring is full: {lost_ms:.0f} ms of speech are lost")
        if fitted and (late := stream.ring.consumed - begin) > 0:
            # The cursor passed us while we wrote: this computer needs more time for it.
            self._margin_s = min(MAX_MARGIN_S, self._margin_s + 0.004)
            self._faults.append(f"speech came {1000 * late / stream.rate:.0f} ms too late for the device")

    def play_beside(self, samples: Samples, t: float) -> None:
        """Let 16 kHz mono samples be heard from session second ``t`` on, beside all speech: see `Beside`.

        Nothing is heard while there is no loudspeaker, or one that was not opened for it.
        """
        stream = self._playable()
        if stream is not None:
            self._beside.write(stream, samples, t, self._margin_s)

    def queued(self, t: float) -> int:
        """Samples at 24 kHz written and not yet taken by the device."""
        del t
        stream = self._playable()
        if stream is None:
            return 0
        return max(0, self._playout.end - round(self._position(stream, stream.ring.consumed)))

    def flush(self, t: float) -> int:
        """Fade out within 20 ms, beginning 12 ms from now, and forget the rest.

        Returns the samples at 24 kHz that will never be heard.
        """
        del t
        stream = self._playable()
        if stream is None:
            return 0
        frame = stream.ring.consumed + round(self._margin_s * stream.rate)
        if frame < self._end + self._tail:
            ramp = fade_ramp(round(FADE_S * stream.rate))
            stream.ring.fade(frame, ramp)
            self._end = min(self._end + self._tail, frame + len(ramp))
        self._resampler, self._tail = None, 0
        return self._playout.cut(round(self._position(stream, frame)))

    def reference(self, index: int) -> Samples:
        """What the device took during micro-turn ``index``: 3,200 samples at 16 kHz, for the canceller."""
        self._advance(index)
        around = self._playout.read(self._begin - _CONTEXT, OUTPUT_CHUNK + 2 * _CONTEXT)
        if not around.any():
            return np.zeros(INPUT_CHUNK, np.float32)
        skip = _CONTEXT * INPUT_HZ // OUTPUT_HZ
        far: Samples = soxr.resample(around, OUTPUT_HZ, INPUT_HZ)[skip : skip + INPUT_CHUNK]
        return far

    def played(self, index: int) -> Samples:
        """The 4,800 samples audible in micro-turn ``index``.

        That is what the device took one output latency earlier, as PortAudio
        states that latency, and the longest ordinary block. Every sample that
        it took appears once, and none that it did not take; where it takes them
        in bursts, or pauses, the account stands still until the next silence.
        """
        self._advance(index)
        stream = self._playable()
        target, taken = self._begin - _BLOCK, self._playout.end
        if stream is not None:
            target -= round(stream.latency_s * OUTPUT_HZ)
            taken = round(self._position(stream, stream.ring.consumed))
        target = min(target, taken)
        if not self._playout.scheduled(*sorted((self._heard, target))):
            self._heard = target
        count = max(0, min(OUTPUT_CHUNK, taken - self._heard))
        samples = np.zeros(OUTPUT_CHUNK, np.float32)
        samples[:count] = self._playout.read(self._heard, count)
        self._heard += count
        self._playout.forget(min(self._heard, self._begin) - 2 * _CONTEXT)
        self._level_db = level_db(samples)
        self._idle = self.queued(0.0) == 0
        return samples

    def take_faults(self) -> tuple[str, ...]:
        """Underruns and device trouble since the last call."""
        stream = self._playable()
        if stream is not None:
            underruns = stream.new_xruns()
            if underruns:
                self._faults.append(f"the loudspeaker's driver ran dry ({underruns} underruns)")
            if self._xruns.too_many(self._clock.now(), underruns) and self._idle:
                self._line.ask_for_latency(stream)
        if self._playout.underruns > self._underruns:
            self._faults.append("the loudspeaker ran dry in the middle of speech")
            self._underruns = self._playout.underruns
        if self._unheard:
            self._faults.append(f"{self._unheard / OUTPUT_HZ:.1f} s of speech had no loudspeaker to go to")
            self._unheard = 0
        faults = (*self._line.take_notices(), *self._faults)
        self._faults.clear()
        return faults

    def _playable(self) -> OutputStream | None:
        """The stream to write to, with silence refilled; follows the device thread."""
        current = self._line.current
        if current is not None and current.lost:
            current = None
        if current is not self._stream:
            if self._stream is not None:
                self._unheard += self._playout.cut(
                    round(self._position(self._stream, self._stream.ring.consumed))
                )
            self._stream, self._resampler, self._tail = current, None, 0
            if current is not None:
                self._end = current.ring.consumed
                # Positions never go back: what an earlier stream took has its own.
                base = self._clock.now() * OUTPUT_HZ - self._end * OUTPUT_HZ / current.rate
                self._base = max(base, self._playout.end)
                self._heartbeat, self._xruns = Heartbeat(self._clock.now()), XrunWatch(self._clock.now())
                self._margin_s = min(MAX_MARGIN_S, max(MARGIN_S, current.latency_s / 3))
        if current is None:
            return None
        now, consumed = self._clock.now(), current.ring.consumed
        if self._heartbeat.stalled(now, consumed):
            self._line.lose(current, f"the loudspeaker {current.device.name} has stopped or gone away")
            return self._playable()
        current.ring.refill()
        if current.beside is not None:
            current.beside.refill()
        current.clock.observe(now, consumed)
        return current

    def _position(self, stream: OutputStream, frame: float) -> float:
        return self._base + frame * OUTPUT_HZ / stream.rate

    def _advance(self, index: int) -> None:
        """Find the position at which micro-turn ``index`` begins. It hardly ever jumps: see the reference."""
        stream = self._playable()
        if index == self._index:
            return
        expected = self._begin + (index - self._index) * OUTPUT_CHUNK
        begin = expected
        if stream is not None:
            begin = round(self._position(stream, stream.clock.frame_at(index * CHUNK_S)))
        error = begin - expected
        self._index, self._begin = index, expected
        around = (min(begin, expected) - _CONTEXT, max(begin, expected) + OUTPUT_CHUNK)
        # An echo canceller minds a changing delay more than a wrong one, so small errors stay.
        if abs(error) > (_JUMP if self._playout.scheduled(*around) else _SILENT_JUMP):
            self._begin = begin
