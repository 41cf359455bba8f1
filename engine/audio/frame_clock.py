"""Where a device is on the session clock, from counting its frames."""

from collections import deque

WINDOW_S = 2.0
SHIFT_S = 0.06
SHIFTED_FOR_S = 0.3


class FrameClock:
    """Maps a stream's frames to session time, smoothly.

    Devices hand frames over in blocks, so a count is mostly behind the truth
    and never ahead of it: of the last two seconds of observations the earliest
    origin is kept. A device that runs a few hundred ppm fast or slow is
    followed that way; one that stopped for more than 60 ms, within 0.3 s.
    """

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self._seen: deque[tuple[float, float]] = deque()
        self._origin = 0.0
        self._agreed_at = 0.0

    def observe(self, now: float, frames: int) -> None:
        """``frames`` had passed at session time ``now``."""
        origin = now - frames / self.rate
        if not self._seen or origin < self._origin + SHIFT_S:
            self._agreed_at = now
        elif now - self._agreed_at > SHIFTED_FOR_S:
            self._seen.clear()
        # What is neither newer nor earlier can never be the minimum again.
        while self._seen and self._seen[-1][1] >= origin:
            self._seen.pop()
        self._seen.append((now, origin))
        while self._seen[0][0] < now - WINDOW_S:
            self._seen.popleft()
        self._origin = self._seen[0][1]

    def time_of(self, frame: float) -> float:
        """Session time at which ``frame`` passed the callback, or will."""
        return self._origin + frame / self.rate

    def frame_at(self, t: float) -> float:
        """The frame that passes the callback at session time ``t``."""
        return (t - self._origin) * self.rate
