from pathlib import Path

import pytest

from engine.camera import WebCamera
from engine.clock import Clock
from engine.config import EngineConfig
from engine.errors import MicroturnError
from engine.event_bus import EventBus
from engine.events import Fault, SessionHeader
from engine.session import open_live
from engine.speech import SpeechController
from engine.startup import Factories
from tests.fakes import FakeEngine, FakeSink, FakeSource, ToneVoice

CONFIG = EngineConfig(background=False)
FACTORIES = Factories(lambda config: FakeEngine(), lambda _: SpeechController(ToneVoice()))


@pytest.fixture
def asked_for(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str | None, str | None]]:
    """Devices that end at once in place of PortAudio's; what was asked for."""
    asked: list[tuple[str | None, str | None]] = []

    def open_fakes(source: str | None, sink: str | None, clock: Clock) -> tuple[FakeSource, FakeSink]:
        asked.append((source, sink))
        return FakeSource(clock), FakeSink()

    monkeypatch.setattr("engine.audio.live.open_live_audio", open_fakes)
    return asked


def test_live_session_runs_on_the_devices_asked_for(
    asked_for: list[tuple[str | None, str | None]], tmp_path: Path
) -> None:
    bus = EventBus()
    events = bus.subscribe()
    session = open_live(CONFIG, "my mic", None, "0", tmp_path / "s", bus, FACTORIES)
    assert asked_for == [("my mic", None)]
    assert isinstance(session.camera, WebCamera)
    assert (session.state, session.out_dir) == ("starting", tmp_path / "s")
    session.start()
    assert session.join(10)
    (header,) = [event for event in events.drain() if isinstance(event, SessionHeader)]
    assert header.source == "live"


def test_camera_that_is_not_there_is_a_fault_and_no_error(
    asked_for: list[tuple[str | None, str | None]],
) -> None:
    bus = EventBus()
    events = bus.subscribe()
    session = open_live(CONFIG, None, None, "no such camera", None, bus, FACTORIES)
    session.start()
    assert session.join(10)
    assert session.camera is None
    (fault,) = [event for event in events.drain() if isinstance(event, Fault)]
    assert "no such camera" in fault.what
    assert session.error is None


def test_sound_device_that_is_not_there_is_refused_at_once() -> None:
    with pytest.raises(MicroturnError) as caught:
        open_live(CONFIG, "no such microphone", None, None, None, EventBus())
    assert "\n" not in str(caught.value)
