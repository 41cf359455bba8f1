"""The microphone of a live session, as the engine thread reads it."""

from collections.abc import Callable

import numpy as np

from engine.audio.echo import NO_ECHO_CANCELLATION, VoiceProcessor
from engine.audio.guard import SourceGuard, Verdict
from engine.audio.heartbeat import STALL_S, Heartbeat, XrunWatch
from engine.audio.host import AudioHost, Line
from engine.audio.intake import Intake
from engine.audio.opening import unverified
from engine.audio.samples import FLOOR_DB, level_db
from engine.audio.streams import InputStream
from engine.clock import Clock
from engine.config import CHUNK_S, INPUT_CHUNK
from engine.types import Samples, SourceChunk

GRACE_S = 0.02  # silence of a lost device comes this long after its interval
START_GRACE_S = 0.1  # and that of one which has not begun to run
POLL_S = 0.02
LATE_POLL_S = 0.003  # once the chunk could be complete


class LiveSource:
    """An `AudioSource` over a capture stream that may stop, vanish and come back.

    ``read`` belongs to the engine thread; ``stop``, ``set_muted`` and the
    properties to any thread. ``reference(i)`` must give the 3,200 samples at
    16 kHz that the loudspeaker took during micro-turn i.
    """

    def __init__(
        self,
        line: Line[InputStream],
        host: AudioHost,
        clock: Clock,
        reference: Callable[[int], Samples],
        processor: VoiceProcessor,
    ) -> None:
        self._line, self._host, self._clock = line, host, clock
        self._reference = reference
        self._processor = processor
        self._intake = Intake()
        self._stream: InputStream | None = None
        self._heartbeat, self._xruns = Heartbeat(0.0), XrunWatch(0.0)
        self._index = 0
        self._stopped = False
        self._muted = False
        self._level_db = FLOOR_DB
        self._faults: list[str] = [] if processor.available else [NO_ECHO_CANCELLATION]
        self._replaced = 0

    @property
    def name(self) -> str:
        """Of the microphone in use; empty while there is none."""
        stream = self._line.current
        return stream.device.name if stream else ""

    @property
    def device_open(self) -> bool:
        """Whether a microphone is really open. A recording light shows this, not an intention."""
        return self._line.current is not None

    @property
    def muted(self) -> bool:
        """Whether the user has muted the microphone."""
        return self._muted

    @property
    def level_db(self) -> float:
        """Level of the last 200 ms as the model hears them, in dB of full scale."""
        return self._level_db

    def set_muted(self, muted: bool) -> None:
        """Close the capture device, or open it again. Returns at once; silence comes meanwhile."""
        self._muted = muted
        if not self._stopped:
            self._host.want(self._line, not muted)

    def start(self) -> None:
        """Open the microphone, unless it was opened with the loudspeaker or is muted.

        Raises:
            InputError: there is no such device.
            MicroturnError: there is no microphone, no PortAudio, or the device cannot be opened.
        """
        if not self._muted and self._line.current is None:
            self._host.open_now(self._line)

    def stop(self) -> None:
        """Give the microphone back; ``read`` returns None from now on."""
        self._stopped = True
        self._host.want(self._line, False)

    def read(self) -> SourceChunk | None:
        """The next 200 ms after echo cancellation; silence at the clock's pace while there is no device."""
        end = CHUNK_S * (self._index + 1)
        while not self._stopped:
            now = self._clock.now()
            self._watch(now)
            self._intake.pull(now)
            if self._intake.ready >= INPUT_CHUNK or now >= end + self._patience():
                break
            self._clock.wait_until(now + (POLL_S if now < end else LATE_POLL_S))
        if self._stopped:
            return None
        return self._chunk()

    def _patience(self) -> float:
        if self._stream is None:
            return GRACE_S
        return STALL_S + GRACE_S if self._heartbeat.beating else START_GRACE_S

    def _watch(self, now: float) -> None:
        """Follow the device thread, and notice before it does that no frames come any more."""
        current = self._line.current
        if current is not None and current.lost:
            current = None
        if current is not self._stream:
            self._stream = current
            self._heartbeat, self._xruns = Heartbeat(now), XrunWatch(now)
            if current is None:
                self._intake.detach()
            else:
                self._intake.attach(current.ring, current.clock, now)
                if notice := unverified(current):
                    self._faults.append(notice)
        if self._stream is not None and self._heartbeat.stalled(now, self._stream.frames):
            self._lose(f"the microphone {self._stream.device.name} has stopped or gone away")

    def _lose(self, why: str) -> None:
        """Go on in silence; the device thread looks for the microphone again."""
        if self._stream is not None:
            self._line.lose(self._stream, why)
        self._stream = None
        self._intake.detach()

    def _chunk(self) -> SourceChunk:
        samples, gap = self._intake.take()
        if self._stream is not None and self._stream.guard is not None and gap < INPUT_CHUNK:
            samples, gap = self._verified(self._stream.guard, samples, gap)
        if self._muted:
            # Silence that the user asked for is no loss; what was on its way when they did is not heard.
            samples, gap = np.zeros(INPUT_CHUNK, np.float32), 0
        clean = self._processor.process(samples, self._reference(self._index))
        self._level_db = level_db(clean)
        self._index += 1
        return SourceChunk(clean, gap, self._take_faults())

    def _verified(self, guard: SourceGuard, samples: Samples, gap: int) -> tuple[Samples, int]:
        """The chunk if it comes from the microphone that was meant, else silence."""
        before = guard.pin.source
        verdict = guard.check()
        if verdict is Verdict.SAME:
            return samples, gap
        if verdict is Verdict.MOVED:
            self._faults.append(f"the sound server now listens to {guard.pin.source} instead of {before}")
            return samples, gap
        if verdict is Verdict.REFUSED:
            self._lose(f"{before} has gone away, and what the sound server offers in its place is refused")
        else:
            self._lose("the sound server does not say which microphone it uses: opening it again")
        self._intake.discard()
        return np.zeros(INPUT_CHUNK, np.float32), INPUT_CHUNK

    def _take_faults(self) -> tuple[str, ...]:
        faults = [*self._faults, *self._line.take_notices()]
        self._faults.clear()
        if self._intake.replaced > self._replaced:
            count = self._intake.replaced - self._replaced
            faults.append(f"the microphone gave {count} samples that are no numbers: replaced by silence")
            self._replaced = self._intake.replaced
        if self._stream is not None:
            overruns = self._stream.new_xruns()
            if overruns:
                faults.append(f"the microphone's driver lost sound ({overruns} overruns)")
            if self._xruns.too_many(self._clock.now(), overruns):
                self._line.ask_for_latency(self._stream)
        return tuple(faults)
