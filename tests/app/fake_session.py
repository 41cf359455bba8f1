"""A session without devices or a model, for tests of what stands before the engine."""

import threading
from collections.abc import Sequence
from pathlib import Path

from app.live import Choice, Devices
from engine.config import Temperament
from engine.errors import MicroturnError
from engine.event_bus import EventBus
from engine.events import Event


class FakeSource:
    def __init__(self) -> None:
        self.muted = False
        self.device_open: bool | None = None
        self.over = False
        self.calls: list[bool] = []

    def set_muted(self, muted: bool) -> None:
        self.muted = muted
        self.calls.append(muted)


class FakeSession:
    """Behaves like engine.session.Session as far as the window can see. Its events come from ``say``."""

    def __init__(self, bus: EventBus, choice: Choice) -> None:
        self.bus, self.choice = bus, choice
        self.source, self.sink, self.camera = FakeSource(), None, None
        self.out_dir = choice.record_in
        self.progress = "loading the interaction model"
        self.state = "starting"
        self.error: MicroturnError | None = None
        self.recording = False
        self.typed: list[str] = []
        self.marks: list[str] = []
        self.verdicts: list[tuple[str, float | None]] = []
        self.cancelled: list[int] = []
        self.retried: list[int] = []
        self.permitted: list[tuple[int, bool]] = []
        self.shared: list[tuple[Path, ...]] = []
        self.silenced = 0
        self.temperaments: list[Temperament] = []
        self.cameras: list[tuple[str | None, str]] = []
        self.stops = 0
        self.ends_in_time = True

    def start(self) -> None:
        self.recording = self.choice.record_in is not None

    def run(self) -> None:
        self.state, self.progress = "running", ""

    def say(self, *events: Event) -> None:
        for event in events:
            self.bus.publish(event)

    def fail(self, why: str) -> None:
        self.error, self.state, self.recording = MicroturnError(why), "failed", False

    def stop(self, timeout: float = 3.0) -> bool:
        self.stops += 1
        if self.ends_in_time:
            self.state, self.recording = "stopped", False
        return self.ends_in_time

    def type_text(self, text: str) -> None:
        self.typed.append(text)

    def mark(self, note: str, verdict: str = "", t: float | None = None) -> None:
        self.marks.append(note)
        self.verdicts.append((verdict, t))

    def cancel_job(self, job: int) -> None:
        self.cancelled.append(job)

    def retry_job(self, job: int) -> None:
        self.retried.append(job)

    def permit_job(self, job: int, allowed: bool) -> None:
        self.permitted.append((job, allowed))

    def share_files(self, paths: Sequence[Path]) -> None:
        self.shared.append(tuple(paths))

    def stop_speaking(self) -> None:
        self.silenced += 1

    def set_temperament(self, temperament: Temperament) -> None:
        self.temperaments.append(temperament)

    def switch_camera(self, camera: str | None) -> None:
        """Called in the thread that uses devices."""
        self.cameras.append((camera, threading.current_thread().name))


class FakeEngine:
    """What a bridge gets instead of the engine: opens fake sessions, lists fake devices."""

    def __init__(self) -> None:
        self.sessions: list[FakeSession] = []
        self.refuse: Exception | None = None
        self.hold = threading.Event()
        self.hold.set()
        self.devices = Devices(
            (("mic-1", "Desk microphone"),), (("spk-1", "Headphones"),), (("0", "Webcam"),)
        )
        self.rebuilds: list[bool] = []

    def open(self, choice: Choice, bus: EventBus) -> FakeSession:
        self.hold.wait(10)
        if self.refuse is not None:
            raise self.refuse
        self.sessions.append(FakeSession(bus, choice))
        return self.sessions[-1]

    def list_devices(self, rebuild: bool) -> Devices:
        self.rebuilds.append(rebuild)
        return self.devices
