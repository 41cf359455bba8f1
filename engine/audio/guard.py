"""Makes sure that what we record is the microphone that was meant.

When a microphone goes away, PulseAudio (and PipeWire in its place) connects our
stream to another source, and on a computer without a second microphone that is
the monitor of our own loudspeaker: the assistant would answer itself. The
engine thread therefore asks the server before it uses a chunk.
"""

import os
import threading
from dataclasses import dataclass
from enum import Enum, auto

from engine.audio.pulse import PulseClient, PulseDevice, PulseError

CHECK_S = 0.15


class Verdict(Enum):
    SAME = auto()
    MOVED = auto()  # to another real microphone, by the user's or the system's choice
    REFUSED = auto()  # to a monitor, or away from the one that was asked for
    UNKNOWN = auto()  # the server did not answer


@dataclass(frozen=True)
class Pin:
    """The source that may feed us. ``asked``: the user named exactly this one."""

    source: str
    asked: bool


def judge(pin: Pin, now: PulseDevice | None, names: frozenset[str]) -> Verdict:
    """May ``now`` feed us? ``names`` are all sources that exist; ``now`` None: our stream is gone."""
    if now is None:
        return Verdict.UNKNOWN
    if now.name == pin.source:
        return Verdict.SAME
    if now.is_monitor:
        return Verdict.REFUSED
    # The one that was asked for is still there, so somebody chose to move us.
    return Verdict.MOVED if pin.source in names or not pin.asked else Verdict.REFUSED


class SourceGuard:
    """Knows our stream on the server. The engine thread checks, the device thread closes.

    Raises:
        PulseError: there is no server, or it does not answer.
    """

    def __init__(self, stream: int, pin: Pin) -> None:
        self.pin = pin
        self._stream = stream
        self._client = PulseClient(CHECK_S)
        self._sources: dict[int, PulseDevice] = {}
        self._gone = False
        self._lock = threading.Lock()

    def check(self) -> Verdict:
        """Ask the server; takes a tenth of a millisecond, and 0.3 s at most where the server is stuck."""
        with self._lock:
            return Verdict.UNKNOWN if self._gone else self._check()

    def _check(self) -> Verdict:
        try:
            streams = self._client.captures(os.getpid())
            mine = next((s for s in streams if s.index == self._stream), None)
            if mine is None:
                return Verdict.UNKNOWN
            if mine.device not in self._sources or self._sources[mine.device].name != self.pin.source:
                self._sources = {d.index: d for d in self._client.sources()}
        except PulseError:
            self._leave()
            return Verdict.UNKNOWN
        now = self._sources.get(mine.device)
        verdict = judge(self.pin, now, frozenset(d.name for d in self._sources.values()))
        if verdict is Verdict.MOVED and now is not None:
            self.pin = Pin(now.name, self.pin.asked)
        return verdict

    def close(self) -> None:
        """Leave the server."""
        with self._lock:
            self._leave()

    def _leave(self) -> None:
        if not self._gone:
            self._gone = True
            self._client.close()
