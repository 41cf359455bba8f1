import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.clock import SimulatedClock
from engine.config import INPUT_CHUNK, EngineConfig
from engine.errors import InputError
from engine.event_bus import EventBus
from engine.events import Event, Fault, Mark, SessionHeader, TextIn, TurnRecord, VisionEvent
from engine.inbox import MAX_COMMANDS
from engine.recorder.reader import read_session
from engine.session import Session
from engine.speech import SpeechController
from engine.startup import Factories
from engine.types import SourceChunk
from tests.engine.test_camera_video_file import make_video
from tests.fakes import FakeBackground, FakeCamera, FakeEngine, FakeSink, FakeSource, ToneVoice, output


class EndlessSource(FakeSource):
    """Gives a chunk for every ``release`` of the test, and ends only with ``stop``."""

    def __init__(self, clock: SimulatedClock) -> None:
        super().__init__(clock)
        self._turns = threading.Semaphore(0)

    def release(self, count: int) -> None:
        self._turns.release(count)

    def read(self) -> SourceChunk | None:
        self._turns.acquire()
        if self.stopped:
            return None
        self._chunks.append(SourceChunk(np.zeros(INPUT_CHUNK, np.float32)))
        return super().read()

    def stop(self) -> None:
        super().stop()
        self._turns.release()


class Rig:
    def __init__(
        self, source: FakeSource | None = None, engine: FakeEngine | None = None, **more: Any
    ) -> None:
        self.clock = SimulatedClock()
        self.source = source or FakeSource(self.clock, 5)
        self.sink, self.engine, self.bus = FakeSink(), engine or FakeEngine(), EventBus()
        self.subscription = self.bus.subscribe()
        factories = Factories(lambda config: self.engine, lambda _: SpeechController(ToneVoice()))
        arguments: dict[str, Any] = {"factories": factories, "simulated": True} | more
        self.session = Session(
            EngineConfig(seed=7),
            source=self.source,
            sink=self.sink,
            clock=self.clock,
            bus=self.bus,
            **arguments,
        )

    def run(self) -> list[Event]:
        self.session.start()
        assert self.session.join(10)
        return self.subscription.drain()


@pytest.fixture
def endless() -> tuple[Rig, EndlessSource]:
    source = EndlessSource(SimulatedClock())
    return Rig(source), source


def wait_for(rig: Rig, condition: Callable[[list[Event]], bool]) -> list[Event]:
    """Drain until the events so far meet a condition; the engine thread needs no time to speak of."""
    events: list[Event] = []
    for _ in range(10_000):
        events += rig.subscription.drain()
        if condition(events):
            return events
        rig.session.join(0.001)
    raise AssertionError(f"still waiting after {events}")


def faults(events: list[Event]) -> list[str]:
    return [event.what for event in events if isinstance(event, Fault)]


def test_session_runs_from_header_to_the_last_turn_and_releases_everything() -> None:
    camera, background = FakeCamera(), FakeBackground()
    rig = Rig(camera=camera, background=background, source_name="test.wav")
    events = rig.run()
    header = events[0]
    assert isinstance(header, SessionHeader)
    assert (header.engine, header.model, header.seed) == ("fake", "fake-000000000000", 7)
    assert header.source == "test.wav"
    assert header.started_at.endswith("+00:00")
    assert [type(event) for event in events[1:]] == [TurnRecord] * 5
    assert rig.session.state == "stopped"
    assert rig.session.error is None
    assert rig.session.stats.turns == 5
    assert rig.engine.warm
    assert rig.engine.seed == 7
    for part in (rig.source, rig.sink, camera, background):
        assert (part.started, part.stopped) == (1, 1)
    assert background.ready


def test_stop_ends_a_live_session_and_may_be_repeated(endless: tuple[Rig, EndlessSource]) -> None:
    rig, source = endless
    assert rig.session.state == "starting"
    rig.session.start()
    source.release(3)
    wait_for(rig, lambda events: sum(isinstance(e, TurnRecord) for e in events) == 3)
    assert rig.session.state == "running"
    assert rig.session.stop(timeout=3)
    assert rig.session.stop(timeout=3)
    assert rig.session.state == "stopped"
    assert rig.sink.stopped == 1


def test_stop_before_start_and_while_starting(endless: tuple[Rig, EndlessSource]) -> None:
    rig, _ = endless
    assert rig.session.stop()
    loading, go_on = threading.Event(), threading.Event()

    class SlowEngine(FakeEngine):
        def warm_up(self) -> None:
            loading.set()
            go_on.wait(10)

    rig = Rig(engine=SlowEngine())
    rig.session.start()
    assert loading.wait(10)
    assert rig.session.progress == "loading the interaction model"
    assert not rig.session.stop(timeout=0)
    go_on.set()
    assert rig.session.join(10)
    assert rig.session.state == "stopped"
    assert rig.engine.seen == []
    assert rig.source.started == rig.sink.started == 0


def test_commands_from_other_threads_reach_the_engine_thread(endless: tuple[Rig, EndlessSource]) -> None:
    rig, source = endless
    rig.session.start()
    source.release(2)
    wait_for(rig, lambda events: sum(isinstance(e, TurnRecord) for e in events) == 2)
    rig.session.type_text("  what is\nthis?\x00 ")
    rig.session.type_text("   ")
    rig.session.mark("odd")
    rig.session.stop_speaking()
    rig.session.cancel_job(3)
    source.release(2)
    events = wait_for(rig, lambda events: sum(isinstance(e, TurnRecord) for e in events) == 2)
    rig.session.stop()
    assert [e.text for e in events if isinstance(e, TextIn)] == ["what is this?"]
    assert [e.note for e in events if isinstance(e, Mark)] == ["odd", "the user's button stopped the speech"]
    assert faults(events) == []


def test_words_typed_while_starting_belong_to_the_beginning() -> None:
    rig = Rig()
    rig.clock.advance_to(5.0)
    rig.session.type_text("hello")
    assert TextIn(0.0, "hello") in rig.run()


def test_huge_text_and_floods_of_commands_are_cut_visibly() -> None:
    rig = Rig()
    rig.session.type_text("x" * 1_000_000)
    for i in range(MAX_COMMANDS):
        rig.session.mark(str(i))
    events = rig.run()
    (typed,) = [e for e in events if isinstance(e, TextIn)]
    assert len(typed.text) == 4_000
    assert sorted(faults(events)) == [
        "too many commands at once: Mark refused",
        "typed text cut after 4000 characters",
    ]
    assert sum(isinstance(e, Mark) for e in events) == MAX_COMMANDS - 1


def test_recorded_session_is_what_was_published(tmp_path: Path) -> None:
    engine = FakeEngine({1: output("speak", "One moment."), 2: output("speak"), 3: output("speak")})
    rig = Rig(engine=engine, out_dir=tmp_path / "s", script=[TextIn(0.5, "hi")])
    assert not rig.session.recording
    events = rig.run()
    assert not rig.session.recording
    recorded = read_session(tmp_path / "s")
    assert recorded.damaged == ()
    assert [turn.decision for turn in recorded.turns] == ["listen", "speak", "speak", "speak", "listen"]
    assert [turn.i for turn in recorded.turns] == [e.i for e in events if isinstance(e, TurnRecord)]
    assert TextIn(0.5, "hi") in recorded.events


def test_failing_model_ends_the_session_as_failed_with_everything_saved(tmp_path: Path) -> None:
    engine = FakeEngine(failures=frozenset(range(2, 100)))
    rig = Rig(FakeSource(SimulatedClock(), 50), engine, out_dir=tmp_path / "s")
    events = rig.run()
    assert rig.session.state == "failed"
    assert "interaction model failed 5 times in a row" in str(rig.session.error)
    assert faults(events)[-1] == str(rig.session.error)
    recorded = read_session(tmp_path / "s")
    assert len(recorded.turns) == 6
    assert str(rig.session.error) in faults(list(recorded.events))
    assert rig.source.stopped
    assert rig.sink.stopped == 1


def test_session_goes_on_without_a_camera_and_a_background_that_do_not_start(tmp_path: Path) -> None:
    class Broken(FakeCamera):
        def start(self) -> None:
            raise OSError("no such device")

    class Dead(FakeBackground):
        def start(self) -> None:
            raise OSError("cannot spawn")

    rig = Rig(camera=Broken(), background=Dead(), out_dir=tmp_path / "s")
    events = rig.run()
    expected = [
        "starting the background process failed: cannot spawn",
        "opening the camera failed: no such device",
    ]
    assert isinstance(events[0], SessionHeader)
    assert faults(events) == expected
    assert faults(list(read_session(tmp_path / "s").events)) == expected
    assert rig.session.state == "stopped"
    assert rig.session.stats.turns == 5


def test_background_that_never_gets_ready_does_not_hold_a_replay_up() -> None:
    events = Rig(background=FakeBackground(can_start=False)).run()
    assert len(faults(events)) == 1
    assert "not ready" in faults(events)[0]
    assert sum(isinstance(event, TurnRecord) for event in events) == 5


def test_device_that_cannot_be_opened_fails_the_session_in_one_line() -> None:
    rig = Rig()
    rig.source.fail_with = InputError("no microphone called 'x': choose another")
    rig.run()
    assert rig.session.state == "failed"
    assert str(rig.session.error) == "no microphone called 'x': choose another"
    assert rig.session.error is not None
    assert rig.session.error.exit_status == 2
    assert rig.sink.stopped == 1

    rig = Rig()
    rig.source.fail_with = ValueError("boom")
    rig.run()
    assert str(rig.session.error) == "the session failed (ValueError: boom)"


def test_folder_that_cannot_be_written_fails_the_session(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    rig = Rig(out_dir=tmp_path / "file")
    rig.run()
    assert rig.session.state == "failed"
    assert isinstance(rig.session.error, InputError)


def test_unknown_engine_is_refused_at_once() -> None:
    with pytest.raises(InputError, match="unknown engine 'nano': choose one of micro"):
        Session(
            EngineConfig(engine="nano"),
            source=FakeSource(SimulatedClock()),
            sink=FakeSink(),
            clock=SimulatedClock(),
            bus=EventBus(),
        )


def test_the_camera_is_switched_while_it_runs_and_given_back(
    endless: tuple[Rig, EndlessSource], tmp_path: Path
) -> None:
    rig, source = endless
    rig.session.camera = first = FakeCamera()
    rig.session.start()
    source.release(2)
    wait_for(rig, lambda events: any(isinstance(e, TurnRecord) for e in events))
    rig.session.switch_camera(None)
    assert first.stopped == 1
    before: Any = rig.session.camera
    assert before is None
    rig.session.switch_camera(str(make_video(tmp_path / "seen.mp4")))
    other: Any = rig.session.camera
    source.release(5)
    events = wait_for(rig, lambda events: sum(isinstance(e, TurnRecord) for e in events) >= 4)
    assert [e.event for e in events if isinstance(e, VisionEvent)][:2] == ["off", "another camera"]
    assert other.live
    with pytest.raises(InputError):
        rig.session.switch_camera("no such camera")
    assert rig.session.camera == other, "the one that works stays"
    assert rig.session.stop(timeout=3)
    assert not other._thread.is_alive()
