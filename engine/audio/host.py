"""The device thread of a live session: opens, closes and reopens its two streams.

PortAudio may block for as long as a driver or sound server likes, so all its
calls are made here; the engine thread only looks at ``line.current``. The
thread is a daemon: a driver that hangs does not keep the program from ending.
"""

import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Generic, Protocol, TypeVar

from engine.audio.devices import WORDS, AudioDevice, Kind
from engine.audio.portaudio import calls, leave_portaudio_open, rebuild_device_list
from engine.errors import MicroturnError

FIRST_LATENCY_S = 0.03  # what PortAudio calls low is at the edge of xruns on a busy computer
MOST_LATENCY_S = 0.24
BACKOFF_S = (0.1, 0.2, 0.5, 1.0)
REBUILD_S = (3.0, 10.0, 30.0, 60.0)
TICK_S = 0.1
START_S = 8.0
STOP_S = 1.5
SLEEP_JUMP_S = 1.0


class DeviceStream(Protocol):
    """What the device thread needs to know of an open stream."""

    device: AudioDevice
    lost: bool

    @property
    def finished(self) -> bool: ...

    def close(self) -> None: ...


S = TypeVar("S", bound=DeviceStream)
Resolve = Callable[[], tuple[AudioDevice, bool]]


class Line(Generic[S]):
    """One direction: what is wanted, what is open, when to try again.

    ``current`` is the stream in use, None while there is none; any thread may
    look, set ``wanted``, or call ``lose``. The rest belongs to the device
    thread, but for ``take_notices`` and ``ask_for_latency``, which are the
    engine thread's.
    """

    def __init__(self, kind: Kind, resolve: Resolve, opener: Callable[[AudioDevice, bool, float], S]) -> None:
        self.word = WORDS[kind]
        self.current: S | None = None
        self.wanted = False
        self.error: MicroturnError | None = None
        self.notices: deque[str] = deque(maxlen=64)
        self.failing_since: float | None = None
        self.served = False
        """Whether the last device was one of a sound server, which shows new devices by itself."""
        self.latency_s = FIRST_LATENCY_S
        """What the device is asked for at the next opening."""
        self._resolve = resolve
        self._opener = opener
        self._was_lost = False
        self._tries = 0
        self._next_try = 0.0

    def tend(self, now: float) -> None:
        """Bring what is open in line with what is wanted."""
        stream = self.current
        if stream is not None:
            if stream.finished:
                self.lose(stream, f"the {self.word} {stream.device.name} has stopped or gone away")
            self._was_lost = stream.lost and self.wanted
            if stream.lost or not self.wanted:
                self.current = None
                _close(stream)
                self._tries = 0
                self._next_try = now
        if self.wanted and self.current is None and now >= self._next_try:
            self._open(now)
        if not self.wanted:
            self._was_lost, self.failing_since, self.error = False, None, None

    def _open(self, now: float) -> None:
        try:
            # Held throughout: a rebuilt list would give the device another number.
            with calls():
                stream = self._find_and_open()
        except MicroturnError as err:
            self._failed(err, now)
            return
        except Exception as err:  # noqa: BLE001 - whatever a driver comes up with, the session goes on
            self._failed(MicroturnError(f"the {self.word} cannot be opened ({err})"), now)
            return
        self.error = self.failing_since = None
        if self._was_lost:
            self.notices.append(f"the {self.word} is reattached: {stream.device.name}")
            self._was_lost = False
        self.current = stream

    def _failed(self, error: MicroturnError, now: float) -> None:
        self.error = error
        self.failing_since = now if self.failing_since is None else self.failing_since
        self._next_try = now + BACKOFF_S[min(self._tries, len(BACKOFF_S) - 1)]
        self._tries += 1

    def _find_and_open(self) -> S:
        device, asked = self._resolve()
        if self.served and not device.pulse:
            # PortAudio's own names would connect us to anything, and nobody could check to what.
            raise MicroturnError(f"the sound server of the {self.word} has ended; start it again")
        self.served = bool(device.pulse)
        return self._opener(device, asked, self.latency_s)

    def lose(self, stream: S, why: str) -> None:
        """Give a stream up: say why, once, and have the device thread close it and look for another."""
        if not stream.lost:
            stream.lost = True
            self.notices.append(why)

    def ask_for_latency(self, stream: S) -> None:
        """The device cannot keep up: open it again with twice the latency, up to a quarter of a second."""
        if self.latency_s < MOST_LATENCY_S:
            self.latency_s = min(MOST_LATENCY_S, 2 * self.latency_s)
            self.lose(
                stream,
                f"the {self.word} keeps losing sound: its latency is now {self.latency_s * 1000:.0f} ms",
            )

    def try_again(self) -> None:
        """Do not wait for the backoff, and forget why it failed. Any thread."""
        self.error = None
        self._next_try = 0.0

    def take_notices(self) -> tuple[str, ...]:
        """What happened since the last call."""
        taken = []
        while self.notices:
            taken.append(self.notices.popleft())
        return tuple(taken)


def _close(stream: DeviceStream) -> None:
    # Where PortAudio does not even let us close, the device is left to its driver.
    with suppress(MicroturnError):
        stream.close()


def suspended_s() -> float:
    """Seconds this computer has slept since it was started; always 0 where that cannot be told."""
    if sys.platform != "linux":
        return 0.0
    return time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)


class AudioHost:
    """Runs the device thread for the lines of a session. ``start``, ``stop`` and ``want`` from any thread."""

    def __init__(self, lines: Sequence[Line[Any]], slept: Callable[[], float] = suspended_s) -> None:
        self._lines = lines
        self._slept = slept
        self._slept_before = slept()
        self._wake = threading.Event()
        self._tended = threading.Condition()
        self._ending = False
        self._rebuilds = 0
        self._thread = threading.Thread(target=self._run, name="audio-devices", daemon=True)
        self.idle: Callable[[], bool] = lambda: True
        """Whether closing the other stream for a moment would cut nothing off."""

    def start(self) -> None:
        """Start the thread, if it does not run yet."""
        if self._thread.ident is None:
            self._thread.start()

    def want(self, line: Line[S], wanted: bool) -> None:
        """Ask for a line to be open or closed; returns at once."""
        line.wanted = wanted
        self._wake.set()

    def open_now(self, line: Line[S]) -> None:
        """Open a line and wait for it.

        Raises:
            MicroturnError: the device cannot be opened, or nothing answers within 8 seconds.
        """
        self.start()
        line.try_again()
        self.want(line, True)
        deadline = time.monotonic() + START_S
        with self._tended:
            while line.current is None and line.error is None:
                if not self._tended.wait(deadline - time.monotonic()):
                    line.wanted = False
                    raise MicroturnError(
                        f"the sound system does not answer when the {line.word} is opened; restart it"
                    )
        if line.error is not None:
            error, line.wanted = line.error, False
            raise error

    def stop(self) -> None:
        """Close everything; waits 1.5 s at most, then leaves a hanging driver to itself."""
        self._ending = True
        for line in self._lines:
            line.wanted = False
        self._wake.set()
        if self._thread.ident is None or self._thread is threading.current_thread():
            return
        self._thread.join(STOP_S)
        if self._thread.is_alive():
            leave_portaudio_open()

    def _run(self) -> None:
        while True:
            self._wake.clear()
            self._notice_sleep()
            for line in self._lines:
                line.tend(time.monotonic())
            self._look_for_new_devices(time.monotonic())
            with self._tended:
                self._tended.notify_all()
            if self._ending and all(line.current is None for line in self._lines):
                return
            self._wake.wait(TICK_S)

    def _notice_sleep(self) -> None:
        slept = self._slept()
        if slept - self._slept_before > SLEEP_JUMP_S:
            for line in self._lines:
                if line.current is not None:
                    line.lose(line.current, f"the computer slept for {slept - self._slept_before:.0f} s")
        self._slept_before = slept

    def _look_for_new_devices(self, now: float) -> None:
        """PortAudio sees devices plugged in later only after a restart, which needs all streams closed."""
        failing = [
            line for line in self._lines if line.wanted and line.failing_since is not None and not line.served
        ]
        if not failing:
            self._rebuilds = 0
            return
        since = min(line.failing_since for line in failing if line.failing_since is not None)
        if now - since < REBUILD_S[min(self._rebuilds, len(REBUILD_S) - 1)] or not self.idle():
            return
        self._rebuilds += 1
        for line in self._lines:
            if line.current is not None:
                stream, line.current = line.current, None
                _close(stream)
            line.failing_since = None if line.failing_since is None else now
        with suppress(MicroturnError):
            rebuild_device_list()
        for line in self._lines:
            line.try_again()
