"""The session's one clock: monotonic for live and real-pace runs, simulated for fast replays.

Times are seconds since the session started. Sources, sinks and the runner ask
only this clock, so that one code path serves live sessions and replays.
"""

import time
from typing import Protocol


class Clock(Protocol):
    """Session time. ``now`` may be called from any thread; the rest from the engine thread."""

    def start(self) -> None:
        """Make this moment second 0. Called once, when listening begins."""

    def now(self) -> float:
        """Seconds since ``start`` (since construction before that). Never goes back after ``start``."""

    def wait_until(self, t: float) -> None:
        """Return once ``now() >= t``; at once when that is already so."""

    def advance_to(self, t: float) -> None:
        """Account for work that ends at ``t``. A simulated clock moves there, a real one is there already."""


class MonotonicClock:
    """The computer's monotonic clock. Setting the wall clock does not move it."""

    def __init__(self) -> None:
        self._zero = time.monotonic()

    def start(self) -> None:
        self._zero = time.monotonic()

    def now(self) -> float:
        return time.monotonic() - self._zero

    def wait_until(self, t: float) -> None:
        # A sleep may end early by the timer's resolution.
        while (left := t - self.now()) > 0:
            time.sleep(left)

    def advance_to(self, t: float) -> None:
        del t


class SimulatedClock:
    """Time that moves only when told to: waiting for a moment makes it that moment."""

    def __init__(self) -> None:
        self._now = 0.0

    def start(self) -> None:
        self._now = 0.0

    def now(self) -> float:
        return self._now

    def wait_until(self, t: float) -> None:
        self._now = max(self._now, t)

    def advance_to(self, t: float) -> None:
        self._now = max(self._now, t)
