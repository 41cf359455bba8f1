"""Plays a recorded session in a thread of its own. Plain Python.

The thread reads the files, writes half a second ahead into the loudspeaker's
ring, and tells the position from the frames that the device has taken: where
the device stands still, so does the position. Nobody else waits for a file or
for a device.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.inspecting.sound import RecordedSound
from engine.errors import MicroturnError

if TYPE_CHECKING:
    from engine.audio.host import AudioHost, Line
    from engine.audio.streams import OutputStream

AHEAD_S = 0.5
"""So much sound is ready before it is needed: a slow disk is not heard."""
TICK_S = 0.02
RELEASE_S = 3.0
"""So long after the last sound the loudspeaker is given back."""
_LATENCY_S = 0.1  # nobody waits for an answer here, so an unhurried device will do
_FADE_S = 0.02
_MARGIN_S = 0.04  # memory nearer to the play cursor is left alone: a callback may be copying it
_BLOCK_S = 0.1
_LOST_S = 5.0  # a loudspeaker that comes back within this goes on playing

OpenLine = Callable[[str | None], "tuple[AudioHost, Line[OutputStream]]"]


@dataclass(frozen=True)
class Wish:
    """Play ``folder`` from session second ``t`` on, until ``end_s``. ``device``: None for the default."""

    folder: Path
    t: float
    end_s: float
    speed: float = 1.0
    mixed: bool = False
    device: str | None = None


@dataclass(frozen=True)
class PlayState:
    """``phase``: idle, opening, playing, ended or failed. ``t``: session second that is heard now."""

    phase: str = "idle"
    t: float = 0.0
    note: str = ""
    """One line for the person: why it failed, or what is missing."""

    @property
    def active(self) -> bool:
        return self.phase in ("opening", "playing")


@dataclass(frozen=True)
class _Take:
    """Device frame ``first`` holds session second ``t0``; from there on, time runs at ``speed``."""

    wish: Wish
    stream: Any
    sound: RecordedSound
    first: int
    t0: float

    def t(self, frame: float) -> float:
        seconds = max(frame - self.first, 0.0) / float(self.stream.rate)
        return self.t0 + seconds * self.wish.speed


def open_line(device: str | None) -> "tuple[AudioHost, Line[OutputStream]]":
    """A loudspeaker's line and the thread that tends it; opens nothing yet. Raises MicroturnError."""
    from engine.audio.host import AudioHost, Line
    from engine.audio.opening import open_output, resolve
    from engine.audio.streams import OutputStream

    line: Line[OutputStream] = Line("output", lambda: resolve(device, "output"), open_output)
    line.latency_s = _LATENCY_S
    return AudioHost((line,)), line


class Player:
    """``play``, ``stop``, ``state`` and ``close``: from any thread, at once. The rest is the player's own."""

    def __init__(self, opener: OpenLine = open_line) -> None:
        self._opener = opener
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._wish: Wish | None = None
        self._state = PlayState()
        self._closing = False
        self._thread: threading.Thread | None = None
        self._current: Wish | None = None
        self._take: _Take | None = None
        self._host: AudioHost | None = None
        self._line: Line[OutputStream] | None = None
        self._device: str | None = None
        self._end = 0
        self._heartbeat: Any = None
        self._beats_for: Any = None
        self._idle_since = self._lost_since = 0.0

    @property
    def state(self) -> PlayState:
        with self._lock:
            return self._state

    def play(self, wish: Wish) -> None:
        """Play this instead of what is played now. Errors come as a ``failed`` state."""
        self._ask(wish)

    def stop(self) -> None:
        """Fade out within 60 ms; the position stays where it is."""
        self._ask(None)

    def close(self, timeout: float = 2.0) -> None:
        """End the thread and give the loudspeaker back; a driver that hangs is left behind."""
        with self._lock:
            self._closing, self._wish = True, None
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout)

    def _ask(self, wish: Wish | None) -> None:
        with self._lock:
            if self._closing or (wish is None and self._wish is None):
                return
            self._wish = wish
            if wish is not None:
                phase = "playing" if self._state.phase == "playing" else "opening"
                self._state = PlayState(phase, wish.t)
            else:
                self._state = replace(self._state, phase="idle")
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="playback", daemon=True)
                self._thread.start()
        self._wake.set()

    # the player's own thread from here on

    def _run(self) -> None:
        while not self._closing:
            with self._lock:
                wish = self._wish
            try:
                self._turn(wish)
            except MicroturnError as err:
                self._give_up(wish, str(err))
            except Exception as err:  # noqa: BLE001 - whatever a driver or a file comes up with
                self._give_up(wish, f"playing stopped ({type(err).__name__}: {err})")
            quiet = self._current is None and self._host is None
            self._wake.wait(None if quiet else TICK_S)
            self._wake.clear()
        self._silence()
        self._release()

    def _turn(self, wish: Wish | None) -> None:
        if wish is not self._current:
            self._silence()
            self._current, self._take = wish, None
            self._idle_since = self._lost_since = time.monotonic()
            if wish is not None:
                self._open(wish)
        if self._current is not None:
            self._go_on(self._current)
        elif self._host is not None:
            if self._line is not None and self._line.current is not None:
                self._line.current.ring.refill()
            if time.monotonic() - self._idle_since > RELEASE_S:
                self._release()

    def _open(self, wish: Wish) -> None:
        if self._host is not None and self._device != wish.device:
            self._release()
        if self._host is None or self._line is None:
            self._host, self._line = self._opener(wish.device)
            self._device = wish.device
        if self._line.current is None:
            self._host.open_now(self._line)
            self._lost_since = time.monotonic()

    def _go_on(self, wish: Wish) -> None:
        stream = self._usable(wish)
        if stream is None:
            return
        if self._take is None or self._take.stream is not stream:
            self._take = self._begin(wish, stream, self.state.t)
        take, ring = self._take, stream.ring
        ring.refill()
        cursor = ring.consumed
        last = take.first + round((wish.end_s - take.t0) / wish.speed * stream.rate)
        if self._end < min(cursor + round(_MARGIN_S / 2 * stream.rate), last):
            # The file was slower than the loudspeaker: go on from where the sound broke off.
            first = cursor + round(_MARGIN_S * stream.rate)
            last += first - self._end
            take = self._take = replace(take, first=first, t0=take.t(self._end))
            self._end = first
        block = round(_BLOCK_S * stream.rate)
        while self._end < min(cursor + AHEAD_S * stream.rate, ring.horizon - block, last):
            self._end += ring.write(self._end, take.sound.read(min(block, last - self._end)))
            if self._asked_for_something_else(wish):
                return
        t = take.t(ring.consumed - stream.latency_s * stream.rate)
        if t >= wish.end_s:
            self._silence()
            self._tell(wish, PlayState("ended", wish.end_s, take.sound.note), over=True)
        else:
            self._tell(wish, PlayState("playing", t, take.sound.note))

    def _usable(self, wish: Wish) -> Any:
        """The open stream, or None while a lost one is being looked for."""
        from engine.audio.heartbeat import Heartbeat

        assert self._line is not None
        now, stream = time.monotonic(), self._line.current
        if stream is not None and not stream.lost:
            if self._beats_for is not stream:
                self._beats_for, self._heartbeat, self._end = stream, Heartbeat(now), 0
            if not self._heartbeat.stalled(now, stream.ring.consumed):
                self._lost_since = now
                return stream
            self._line.lose(stream, f"the loudspeaker {stream.device.name} has stopped or gone away")
        if now - self._lost_since > _LOST_S:
            raise MicroturnError("the loudspeaker has gone away: choose another one, and play again")
        self._tell(wish, PlayState("opening", self.state.t, "The loudspeaker has gone; waiting for it."))
        return None

    def _begin(self, wish: Wish, stream: Any, t: float) -> _Take:
        sound = RecordedSound(wish.folder, t, wish.speed, stream.rate, stream.channels, wish.mixed)
        stream.ring.refill()
        # What has been faded out before it ends first.
        self._end = max(stream.ring.consumed + round(_MARGIN_S * stream.rate), self._end)
        return _Take(wish, stream, sound, self._end, t)

    def _silence(self) -> None:
        """Fade out what is written and not yet played."""
        from engine.audio.playout import fade_ramp

        take, self._take = self._take, None
        if take is None or take.stream.lost:
            return
        ring = take.stream.ring
        frame = ring.consumed + round(_MARGIN_S * take.stream.rate)
        if frame < self._end:
            ramp = fade_ramp(round(_FADE_S * take.stream.rate))
            ring.fade(frame, ramp)
            self._end = min(self._end, frame + len(ramp))

    def _release(self) -> None:
        """Give the loudspeaker back."""
        host, self._host, self._line, self._take = self._host, None, None, None
        if host is not None:
            time.sleep(_MARGIN_S + _FADE_S)
            host.stop()

    def _give_up(self, wish: Wish | None, why: str) -> None:
        self._tell(wish, PlayState("failed", self.state.t, why), over=True)
        self._silence()
        self._release()

    def _asked_for_something_else(self, wish: Wish) -> bool:
        with self._lock:
            return self._wish is not wish

    def _tell(self, wish: Wish | None, state: PlayState, over: bool = False) -> None:
        """Unless something else has been asked for meanwhile."""
        with self._lock:
            if self._wish is wish:
                self._state = state
                if over:
                    self._wish = self._current = None
                    self._idle_since = time.monotonic()
