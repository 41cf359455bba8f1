"""Tries the microphone and the loudspeaker before a session: opens them as a session does, keeps nothing.

A check is a thread of its own over ``open_live_audio``. It tells what the
microphone gives before anything cleans it, plays a sound if there is one to
play, and can measure the echo of it. Sound is held in memory for the check
alone, and is gone with it.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

import numpy as np

from engine.audio.echo import VoiceProcessor
from engine.audio.echo_check import QUIET_S, EchoReport, measure_echo
from engine.audio.live import open_live_audio
from engine.audio.live_sink import LiveSink
from engine.audio.live_source import LiveSource
from engine.audio.samples import FLOOR_DB, level_db
from engine.clock import Clock, MonotonicClock
from engine.config import CHUNK_S, OUTPUT_CHUNK, OUTPUT_HZ
from engine.errors import MicroturnError
from engine.types import Samples

OpenAudio = Callable[[str | None, str | None, Clock, VoiceProcessor], tuple[LiveSource, LiveSink]]
"""Microphone, loudspeaker, clock and processor; see ``open_live_audio``."""

MAX_S = 60.0
"""A check of the microphone ends by itself after so long."""
_JUDGED_S = 1.5  # devices may begin with zeros
_QUIET_S = 8.0  # somebody who was asked to speak has done so by now
_CLIPPED = 0.98
_CLIPPED_SHARE = 0.002
_VOICE_DB = -45.0
_OVER_DB = 12.0
_AFTER_S = 0.8  # sound is still on its way back
_AHEAD = 3 * OUTPUT_CHUNK  # as much is queued at the loudspeaker at most


@dataclass(frozen=True)
class Heard:
    """What the microphone has given so far, before anything cleans it. Levels in dB of full scale."""

    seconds: float = 0.0
    level_db: float = FLOOR_DB
    """Of the last 200 ms."""
    loudest_db: float = FLOOR_DB
    quietest_db: float = 0.0
    only_zeros: bool = True
    clipped: int = 0
    """Blocks of 200 ms in which sound was cut off at full scale."""
    gap_s: float = 0.0
    """Silence that was put in, since the device gave nothing."""


class MicrophoneVerdict(Enum):
    """What a person is told."""

    WAITING = auto()
    WORKS = auto()
    ZEROS = auto()
    """Not even noise: a system that does not let us listen, or a switch on the microphone."""
    CLIPPED = auto()
    QUIET = auto()
    NOTHING = auto()
    """It is open, and gives no sound."""


def take_in(heard: Heard, samples: Samples, gap_s: float = 0.0) -> Heard:
    """``heard`` with another 200 ms of the microphone."""
    level = level_db(samples)
    judged = heard.seconds >= 2 * CHUNK_S and gap_s == 0.0  # neither clicks at the start nor what was put in
    share = float(np.mean(np.abs(samples) >= _CLIPPED)) if len(samples) else 0.0
    return Heard(
        heard.seconds + CHUNK_S,
        level,
        max(heard.loudest_db, level) if judged else heard.loudest_db,
        min(heard.quietest_db, level) if judged else heard.quietest_db,
        heard.only_zeros and not np.any(samples),
        heard.clipped + (share > _CLIPPED_SHARE),
        heard.gap_s + gap_s,
    )


def judge_microphone(heard: Heard) -> MicrophoneVerdict:
    """Whether a microphone with this sound can be talked into."""
    if heard.seconds < _JUDGED_S:
        return MicrophoneVerdict.WAITING
    if heard.only_zeros:
        missing = heard.gap_s > 0.9 * heard.seconds
        return MicrophoneVerdict.NOTHING if missing else MicrophoneVerdict.ZEROS
    if heard.clipped >= 2:
        return MicrophoneVerdict.CLIPPED
    if heard.loudest_db > max(_VOICE_DB, heard.quietest_db + _OVER_DB):
        return MicrophoneVerdict.WORKS
    return MicrophoneVerdict.QUIET if heard.seconds > _QUIET_S else MicrophoneVerdict.WAITING


class Tap(VoiceProcessor):
    """A VoiceProcessor that keeps what goes in and out, while it is asked to. Of the check's thread."""

    def __init__(self) -> None:
        super().__init__()
        self.keeps = False
        self.near: list[Samples] = []
        self.far: list[Samples] = []
        self.out: list[Samples] = []
        self.newest: Samples = np.zeros(0, np.float32)

    def process(self, near: Samples, far: Samples) -> Samples:
        out = super().process(near, far)
        self.newest = near
        if self.keeps:
            for track, samples in ((self.near, near), (self.far, far), (self.out, out)):
                track.append(samples.copy())
        return out


class DeviceCheck:
    """One look at the devices. ``start`` and ``stop`` return at once; the properties are for any thread.

    Args:
        input_name, output_name: a device's id, name, or part of its name; None: the default.
        microphone: whether to open it.
        sound: 24 kHz mono to play; None leaves the loudspeaker closed.
        open_audio: what reaches the devices.
        clock: what they are paced by; None makes one.

    With both, the echo of the sound is measured, and the check ends by itself;
    so it does when a sound alone has been played. A microphone alone is listened
    to until ``stop``, for ``MAX_S`` seconds at most.
    """

    def __init__(
        self,
        input_name: str | None,
        output_name: str | None,
        *,
        microphone: bool,
        sound: Samples | None = None,
        open_audio: OpenAudio = open_live_audio,
        clock: Clock | None = None,
    ) -> None:
        self._names = input_name, output_name
        self._microphone, self._sound = microphone, sound
        self._open_audio = open_audio
        self._clock = clock or MonotonicClock()
        self._stopping = threading.Event()
        self._after: DeviceCheck | None = None
        self._thread = threading.Thread(target=self._run, name="device-check", daemon=True)
        self.state = "opening"
        """``opening``, ``running`` or ``ended``; the devices are given back before it is ``ended``."""
        self.error = ""
        """Why a device could not be opened, and what to do."""
        self.device = ""
        """Names of the devices in use."""
        self.heard = Heard()
        self.progress = 0.0
        """Share of the sound that was played, 0 to 1."""
        self.echo: EchoReport | None = None
        self.cancels = True
        """Whether this computer has echo cancellation at all."""

    def start(self, after: "DeviceCheck | None" = None) -> None:
        """Begin, once ``after`` has given its devices back."""
        self._after = after
        self._thread.start()

    def stop(self) -> None:
        """Give the devices back, soon."""
        self._stopping.set()

    def join(self, timeout: float) -> bool:
        """Wait for the end. Whether it has ended."""
        if self._thread.ident is not None:
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            if self._after is not None:
                self._after.join(MAX_S)
                self._after = None
            if not self._stopping.is_set():
                self._check()
        except MicroturnError as err:
            self.error = str(err)
        except Exception as err:  # noqa: BLE001 - whatever a driver comes up with, the window goes on
            self.error = f"the devices could not be tried ({type(err).__name__}: {err})"
        finally:
            self.state = "ended"

    def _check(self) -> None:
        clock, tap = self._clock, Tap()
        self.cancels = tap.available
        source, sink = self._open_audio(*self._names, clock, tap)
        try:
            if self._sound is not None:
                if not self._microphone:
                    sink.on_open = lambda: None
                sink.start()
            clock.start()
            if self._microphone:
                source.start()
            self.device = " · ".join(name for name in (source.name, sink.name) if name)
            self.state = "running"
            if self._microphone:
                self._listen(source, sink, tap)
            elif self._sound is not None:
                self._play(sink, clock, self._sound)
        finally:
            source.stop()
            sink.stop()
        if tap.keeps and not self._stopping.is_set() and not self.error:
            self.echo = measure_echo(*(np.concatenate(track) for track in (tap.far, tap.near, tap.out)))

    def _listen(self, source: LiveSource, sink: LiveSink, tap: Tap) -> None:
        """Micro-turn by micro-turn, as the engine does."""
        tap.keeps = self._sound is not None
        length = 0.0 if self._sound is None else len(self._sound) / OUTPUT_HZ
        last_s = MAX_S if self._sound is None else QUIET_S + length + _AFTER_S
        written = index = 0
        while not self._stopping.is_set() and index * CHUNK_S < last_s:
            chunk = source.read()
            if chunk is None:
                return
            self.heard = take_in(self.heard, tap.newest, chunk.gap_samples / len(tap.newest) * CHUNK_S)
            if self._sound is not None:
                sink.played(index)
                if index * CHUNK_S >= QUIET_S:
                    written += _feed(sink, self._sound, written)
                    self.progress = min(max(index * CHUNK_S - QUIET_S, 0.0) / length, 1.0)
            index += 1

    def _play(self, sink: LiveSink, clock: Clock, sound: Samples) -> None:
        written = _feed(sink, sound, 0)
        while not self._stopping.is_set() and (written < len(sound) or sink.queued(clock.now())):
            clock.wait_until(clock.now() + 0.05)
            written += _feed(sink, sound, written)
            self.progress = min((written - sink.queued(clock.now())) / len(sound), 1.0)
        clock.wait_until(clock.now() + 0.1)  # the device has taken it, and is about to play it


def _feed(sink: LiveSink, sound: Samples, written: int) -> int:
    """Queue as much as is due; how many samples that was."""
    piece = sound[written : written + max(_AHEAD - sink.queued(0.0), 0)]
    if len(piece):
        sink.write(piece, 0.0)
    return len(piece)
