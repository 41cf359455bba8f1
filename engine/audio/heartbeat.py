"""Tells whether a device still runs, from its frames alone, and whether it keeps up."""

from collections import deque

STALL_S = 0.5
FIRST_FRAMES_S = 4.0  # a sound server may sleep for two seconds before it wakes an idle device
STEADY_S = 0.3
XRUN_TURNS, XRUN_WITHIN_S, XRUN_START_S = 4, 10.0, 1.0


class Heartbeat:
    """Watches the age of the newest frame; PortAudio's ``active`` stays true when a sound server hangs.

    A device counts as beating once frames have passed without a break for 0.3
    s: the buffer that is filled when a stream starts is no sign of life.
    """

    def __init__(self, now: float) -> None:
        self._frames = 0
        self._at = now
        self._steady_since = now
        self.beating = False

    def stalled(self, now: float, frames: int) -> bool:
        """Whether the device has stopped: no frame for half a second, or four before it was beating."""
        if frames != self._frames:
            if now - self._at > STALL_S:
                self._steady_since = now
            self._frames, self._at = frames, now
            self.beating = self.beating or now - self._steady_since > STEADY_S
        return now - self._at > (STALL_S if self.beating else FIRST_FRAMES_S)


class XrunWatch:
    """Tells when a device loses sound so often that it needs more latency."""

    def __init__(self, now: float) -> None:
        self._opened = now
        self._times: deque[float] = deque(maxlen=XRUN_TURNS)

    def too_many(self, now: float, xruns: int) -> bool:
        """Whether four micro-turns of the last ten seconds had xruns, the stream's first second apart."""
        if xruns and now - self._opened > XRUN_START_S:
            self._times.append(now)
        return len(self._times) == XRUN_TURNS and now - self._times[0] < XRUN_WITHIN_S
