"""Sound devices in simulated time: real rings, with the test in the place of PortAudio's callback."""

from collections.abc import Callable
from typing import Any

import numpy as np

from engine.audio.devices import AudioDevice
from engine.audio.frame_clock import FrameClock
from engine.audio.guard import SourceGuard
from engine.audio.portaudio import load
from engine.audio.rings import CaptureRing, PlaybackRing
from engine.clock import SimulatedClock
from engine.types import Samples

STEP_S = 0.01


def device(name: str = "Desk", rate: float = 48_000.0, **more: Any) -> AudioDevice:
    return AudioDevice(name, "Test", 1, 1, rate, False, False, id=name, **more)


class FakeInput:
    """A microphone that hears ``sound(t)`` and runs ``drift`` faster than its nominal rate."""

    def __init__(
        self,
        sound: Callable[[np.ndarray], np.ndarray],
        rate: float = 48_000.0,
        drift: float = 0.0,
        began: float = 0.0,
    ) -> None:
        self.device = device(rate=rate)
        self.rate, self.drift, self.began = rate, drift, began
        self.sound = sound
        self.ring = CaptureRing(load()[1], 1, rate)
        self.clock = FrameClock(rate)
        self.guard: SourceGuard | None = None
        self.lost = self.closed = False
        self.running = True
        self.xruns = 0
        self.made = 0
        self.delivered = 0

    @property
    def frames(self) -> int:
        return self.ring.captured

    def tick(self, now: float) -> None:
        due = int((now - self.began) * self.rate * (1 + self.drift))
        count = due - self.made
        if count <= 0:
            return
        t = self.began + (self.made + np.arange(count)) / (self.rate * (1 + self.drift))
        self.made = due
        if self.running:
            self.delivered += int(self.ring.ring.write(self.sound(t).astype(np.float32).tobytes()))

    def new_xruns(self) -> int:
        taken, self.xruns = self.xruns, 0
        return taken

    def close(self) -> None:
        self.lost = self.closed = True


class FakeOutput:
    """A loudspeaker that keeps what it plays, frame by frame."""

    def __init__(self, rate: float = 48_000.0, drift: float = 0.0, began: float = 0.0) -> None:
        self.device = device("Box", rate)
        self.rate, self.drift, self.began = rate, drift, began
        self.latency_s = 0.0
        self.ring = PlaybackRing(load()[1], 1, rate)
        self.beside: PlaybackRing | None = None
        self.clock = FrameClock(rate)
        self.lost = self.closed = False
        self.running = True
        self.xruns = 0
        self.made = 0
        self.block_s = 0.0
        self._played: list[np.ndarray] = []

    @property
    def frames(self) -> int:
        return self.ring.consumed

    @property
    def played(self) -> Samples:
        return np.concatenate(self._played)

    def tick(self, now: float) -> None:
        due = int((now - self.began) * self.rate * (1 + self.drift))
        count = due - self.made
        if count < self.block_s * self.rate:
            return
        self.made = max(due, self.made)
        if count > 0 and self.running:
            rings = [self.ring] if self.beside is None else [self.ring, self.beside]
            self._played.append(np.sum([np.frombuffer(one.ring.read(count), np.float32) for one in rings], 0))

    def new_xruns(self) -> int:
        taken, self.xruns = self.xruns, 0
        return taken

    def close(self) -> None:
        self.lost = self.closed = True


class DeviceClock(SimulatedClock):
    """Waiting makes the devices run, in steps of 10 ms."""

    def __init__(self) -> None:
        super().__init__()
        self.devices: list[FakeInput | FakeOutput] = []
        self.at: list[tuple[float, Callable[[], None]]] = []
        """What happens when."""

    def wait_until(self, t: float) -> None:
        while self.now() < t:
            super().wait_until(min(t, self.now() + STEP_S))
            for due in [event for event in self.at if event[0] <= self.now()]:
                self.at.remove(due)
                due[1]()
            for one in self.devices:
                one.tick(self.now())


class FakeHost:
    """The device thread's place: lines are opened at once, by the test."""

    def __init__(self) -> None:
        self.idle: Callable[[], bool] = lambda: True
        self.stopped = 0

    def open_now(self, line: Any) -> None:
        line.wanted = True

    def want(self, line: Any, wanted: bool) -> None:
        line.wanted = wanted
        if not wanted:
            line.current = None

    def stop(self) -> None:
        self.stopped += 1
