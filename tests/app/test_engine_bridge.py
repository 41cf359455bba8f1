"""The bridge between a session and Qt, with a fake session at its end."""

from pathlib import Path

import pytest
from PySide6.QtTest import QSignalSpy

from app.engine_bridge import EngineBridge
from app.live import Choice
from app.worker import MAX_WAITING
from engine.errors import InputError, MicroturnError
from engine.events import Event
from tests.app.fake_session import FakeEngine, FakeSession
from tests.app.scenario import HEADER, turn


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def bridge(engine, qtbot):
    made = EngineBridge(engine.open, engine.list_devices)
    yield made
    made.close()


def started(bridge: EngineBridge, engine: FakeEngine, qtbot, choice: Choice | None = None) -> FakeSession:
    bridge.start(choice or Choice())
    qtbot.waitUntil(lambda: bridge.session is not None)
    session = engine.sessions[-1]
    session.run()
    qtbot.waitUntil(lambda: bridge.state == "running")
    return session


def test_events_arrive_as_signals_in_order(bridge, engine, qtbot):
    got: list[Event] = []
    bridge.events.connect(got.extend)
    session = started(bridge, engine, qtbot)
    sent: list[Event] = [HEADER, *(turn(i) for i in range(50))]
    session.say(*sent)
    qtbot.waitUntil(lambda: len(got) == 51)
    assert got == sent


def test_states_follow_the_session(bridge, engine, qtbot):
    told = []
    bridge.session_changed.connect(lambda state, detail: told.append((state, detail)))
    started(bridge, engine, qtbot)
    assert told[0] == ("starting", "opening")
    assert ("starting", "loading the interaction model") in told
    assert told[-1] == ("running", "")
    bridge.stop()
    assert bridge.state == "stopping"
    qtbot.waitUntil(lambda: bridge.state == "stopped")
    assert not bridge.active
    assert engine.sessions[0].stops == 1


def test_the_timer_rests_when_nothing_runs(bridge, engine, qtbot):
    assert not bridge._timer.isActive()
    started(bridge, engine, qtbot)
    assert bridge._timer.isActive()
    bridge.stop()
    qtbot.waitUntil(lambda: not bridge._timer.isActive())


def test_what_cannot_be_opened_is_told_in_one_line(bridge, engine, qtbot):
    engine.refuse = InputError("no microphone is called 'x';\nthere are: none")
    bridge.start(Choice())
    qtbot.waitUntil(lambda: bridge.state == "failed")
    assert bridge._told == ("failed", "no microphone is called 'x'; there are: none")
    assert not bridge.active
    engine.refuse = None
    started(bridge, engine, qtbot)


def test_an_unexpected_error_is_one_line_too(bridge, engine, qtbot):
    engine.refuse = ValueError("bad\nvalue")
    bridge.start(Choice())
    qtbot.waitUntil(lambda: bridge.state == "failed")
    assert bridge._told[1] == "ValueError: bad value"


def test_a_session_that_fails_by_itself_is_told_and_let_go(bridge, engine, qtbot):
    session = started(bridge, engine, qtbot)
    got: list[Event] = []
    bridge.events.connect(got.extend)
    session.say(turn(0))
    session.fail("the model file is damaged")
    qtbot.waitUntil(lambda: bridge.state == "failed")
    assert bridge._told[1] == "the model file is damaged"
    assert len(got) == 1
    assert bridge.session is None
    assert session.bus._subscriptions == ()


def test_the_recording_light_follows_the_recorder_not_the_wish(bridge, engine, qtbot, tmp_path):
    light = QSignalSpy(bridge.recording_changed)
    session = started(bridge, engine, qtbot, Choice(record_in=tmp_path))
    qtbot.waitUntil(lambda: light.count() == 1)
    assert light.at(0) == [True]
    session.recording = False  # the disk is full
    qtbot.waitUntil(lambda: light.count() == 2)
    assert light.at(1) == [False]


def test_the_light_is_out_after_the_session(bridge, engine, qtbot, tmp_path):
    light = QSignalSpy(bridge.recording_changed)
    started(bridge, engine, qtbot, Choice(record_in=tmp_path))
    bridge.stop()
    qtbot.waitUntil(lambda: bridge.state == "stopped")
    assert light.at(light.count() - 1) == [False]


def test_muting_reaches_the_source_and_is_remembered(bridge, engine, qtbot):
    session = started(bridge, engine, qtbot)
    bridge.set_muted(True)
    qtbot.waitUntil(lambda: session.source.calls == [True])
    bridge.stop()
    qtbot.waitUntil(lambda: bridge.state == "stopped")
    again = started(bridge, engine, qtbot)
    qtbot.waitUntil(lambda: again.source.calls == [True])
    bridge.set_muted(False)
    qtbot.waitUntil(lambda: again.source.calls == [True, False])
    assert again.marks == ["microphone muted", "microphone on again"]


def test_commands_go_to_the_session_and_nowhere_without_one(bridge, engine, qtbot):
    for call in (bridge.stop_speaking, lambda: bridge.type_text("x"), lambda: bridge.mark("x")):
        call()
    bridge.cancel_job(1)
    bridge.stop()
    assert bridge.state == "off"
    session = started(bridge, engine, qtbot)
    bridge.type_text("hello")
    bridge.mark("here")
    bridge.stop_speaking()
    bridge.cancel_job(7)
    assert (session.typed, session.marks, session.silenced, session.cancelled) == (
        ["hello"],
        ["here"],
        1,
        [7],
    )


def test_starting_twice_starts_once(bridge, engine, qtbot):
    bridge.start(Choice())
    bridge.start(Choice())
    qtbot.waitUntil(lambda: bridge.session is not None)
    bridge.start(Choice())
    assert len(engine.sessions) == 1


def test_stopping_while_it_opens_ends_it(bridge, engine, qtbot):
    engine.hold.clear()
    bridge.start(Choice())
    bridge.stop()
    engine.hold.set()
    qtbot.waitUntil(lambda: bridge.state == "stopped")
    assert engine.sessions[0].stops == 1


def test_a_session_that_hangs_is_told(bridge, engine, qtbot):
    session = started(bridge, engine, qtbot)
    session.ends_in_time = False
    trouble = QSignalSpy(bridge.trouble)
    bridge.stop()
    qtbot.waitUntil(lambda: bridge.state == "stopped")
    assert "slow to end" in trouble.at(0)[0]


def test_events_lost_to_a_stalled_window_are_counted(bridge, engine, qtbot):
    session = started(bridge, engine, qtbot)
    dropped = QSignalSpy(bridge.dropped)
    session.say(*(turn(i) for i in range(5_000)))
    qtbot.waitUntil(lambda: dropped.count() > 0)
    assert dropped.at(0) == [5_000 - 4_096]


def test_closing_ends_a_session_that_is_still_being_opened(engine, qtbot):
    bridge = EngineBridge(engine.open, engine.list_devices)
    engine.hold.clear()
    bridge.start(Choice())
    qtbot.wait(50)
    engine.hold.set()
    bridge.close()
    assert all(session.stops >= 1 for session in engine.sessions)
    assert not bridge._timer.isActive()


def test_devices_are_listed_and_the_list_is_not_rebuilt_under_open_streams(bridge, engine, qtbot):
    with qtbot.waitSignal(bridge.devices_changed) as caught:
        bridge.refresh_devices()
    assert caught.args[0] == engine.devices
    started(bridge, engine, qtbot)
    with qtbot.waitSignal(bridge.devices_changed):
        bridge.refresh_devices()
    assert engine.rebuilds == [True, False]


def test_devices_that_cannot_be_listed_are_told(qtbot):
    def broken(_):
        raise MicroturnError("PortAudio is missing")

    bridge = EngineBridge(FakeEngine().open, broken)
    with qtbot.waitSignals([bridge.trouble, bridge.devices_changed]):
        bridge.refresh_devices()
    bridge.close()


def test_what_is_no_session_is_one_line(bridge, qtbot, tmp_path):
    with qtbot.waitSignal(bridge.trouble) as caught:
        bridge.open_recorded(tmp_path)
    assert caught.args[0].startswith(f"{tmp_path} is no session")
    with qtbot.waitSignal(bridge.trouble) as caught:
        bridge.open_recorded(Path("/nowhere/at/all"))
    assert "there is no" in caught.args[0]


def test_after_a_stop_while_it_could_not_be_opened_the_next_session_runs(bridge, engine, qtbot):
    engine.hold.clear()
    engine.refuse = InputError("no microphone")
    bridge.start(Choice())
    bridge.stop()
    engine.hold.set()
    qtbot.waitUntil(lambda: not bridge.active)
    engine.refuse = None
    session = started(bridge, engine, qtbot)
    assert session.stops == 0


def test_what_cannot_be_begun_is_told_to_whoever_asked(bridge, engine, qtbot):
    engine.hold.clear()
    bridge.start(Choice())
    answers: list[object] = []
    for _ in range(2 * MAX_WAITING):
        bridge.run_call(engine.hold.wait, lambda _, error: answers.append(error))
    refused = len(answers)
    assert refused >= MAX_WAITING and all(isinstance(error, MicroturnError) for error in answers)
    engine.hold.set()
    qtbot.waitUntil(lambda: len(answers) == 2 * MAX_WAITING)
    assert answers[refused:] == [None] * (2 * MAX_WAITING - refused)


def test_a_stop_that_cannot_be_begun_can_be_asked_for_again(bridge, engine, qtbot, monkeypatch):
    session = started(bridge, engine, qtbot)
    trouble = QSignalSpy(bridge.trouble)
    with monkeypatch.context() as full:
        full.setattr("app.worker.MAX_WAITING", 0)
        bridge.stop()
    assert trouble.count() == 1 and bridge.session is session
    bridge.stop()
    qtbot.waitUntil(lambda: bridge.state == "stopped")
    assert session.stops == 1


def test_a_start_that_cannot_be_begun_has_failed(bridge, engine, qtbot, monkeypatch):
    with monkeypatch.context() as full:
        full.setattr("app.worker.MAX_WAITING", 0)
        bridge.start(Choice())
    assert bridge.state == "failed" and not bridge.active
    started(bridge, engine, qtbot)
