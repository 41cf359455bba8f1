"""What is being watched for: its words, its lane on the timeline, and taking it back."""

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt

from app.inspecting.feature import Inspecting
from app.inspecting.query import parse
from app.inspecting.search import search
from app.timeline.explain import explain
from app.timeline.model import TimelineModel
from app.watching.feature import REQUEST, Watching
from app.watching.texts import hover, lines
from engine.background.understanding.watching_stop import stopped
from engine.events import Event, VisionEvent
from engine.recorder.writer import SessionWriter
from tests.app.fake_session import FakeEngine
from tests.app.scenario import HEADER, turn
from tests.app.window_rig import feature, open_window, start

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")
NOTHING = "nothing is watched for any more"


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


def session(turns: int, *visions: tuple[float, str], **said: tuple[int, ...]) -> list[Event]:
    """Micro-turns that say a token at the given numbers, with what the engine tells, in time order."""
    events: list[Event] = [VisionEvent(t, what) for t, what in visions]
    for i in range(turns):
        token = next((token for token, at in said.items() if i in at), None)
        if token is None:
            events.append(turn(i))
        else:
            number = sorted(said[token]).index(i) + 1
            words = f"{number}." if token == "count" else "I see you."
            events.append(turn(i, "speak", say=token, text_out=words, generated_ms=200.0))
    return sorted(events, key=lambda event: event.t)  # type: ignore[union-attr]


SQUATS = session(
    100, (0.2, "started"), (1.1, "counts squats"), (12.1, "no longer counts squats"), count=(20, 30, 40)
)


def model(events: list[Event]) -> TimelineModel:
    made = TimelineModel()
    made.append(events)
    return made


@pytest.mark.parametrize(
    ("t", "told"),
    [
        (1.0, ()),
        (2.0, ("Counting squats",)),
        (4.5, ("Counting squats: 1",)),
        (9.0, ("Counting squats: 3",)),
        (12.1, ()),
    ],
)
def test_a_count_is_told_with_its_last_number_at_every_moment(t, told):
    assert lines(model(SQUATS).items.watches, t) == told


def test_every_kind_is_told_in_words():
    made = model(
        session(
            200,
            (1.1, "watches for somebody to come in"),
            (2.1, "says the time every 10 s"),
            (3.1, "counts high knees"),
            (30.1, 'says "Switch." every 20 s'),
            time=(60, 110),
            cue=(80,),
        )
    )
    log = made.items.watches
    assert lines(log, 5.0) == (
        "Watching for somebody to come in", "Every 10 s: the time", "Counting high knees",
    )  # fmt: skip
    assert lines(log, 25.0)[1] == "Every 10 s: 20 seconds"
    assert lines(log, 31.0)[2] == "Every 20 s: Switch"
    assert "said “10 seconds”" in hover(log, 12.2, 0.3).splitlines()
    assert "said it" in hover(log, 16.0, 0.3).splitlines()


def test_a_camera_that_is_off_is_told_of_what_it_is_needed_for():
    log = model(
        session(100, (1.1, "counts squats"), (1.2, 'says "Go." after 90 s'), (5.0, "off"), (9.0, "started"))
    ).items.watches
    assert lines(log, 6.0) == ("Counting squats – camera is off", "After 90 s: Go")
    assert lines(log, 10.0)[0] == "Counting squats"


def test_words_from_outside_are_made_safe():
    log = model(session(5, (0.1, 'says "a\nb\u202ec." every 5 s'))).items.watches
    (line,) = lines(log, 0.5)
    assert "\n" not in line
    assert "\u202e" not in line


def test_instructions_are_found_and_explained_and_are_no_marks():
    made = model(SQUATS)
    assert [item.text for item in made.items.notes.items] == ["started"]
    found = search(made, parse("watching:")).hits
    assert [(hit.t0, hit.text) for hit in found] == [
        (1.1, "Counting squats"), (4.0, "1"), (6.0, "2"), (8.0, "3"),
    ]  # fmt: skip
    assert found[0].t1 == 12.1
    assert search(made, parse("watching:squats")).total == 1
    made.select(5)
    near = explain(made)
    assert near is not None
    assert any("counts squats" in row.value for section in near.sections for row in section.rows)
    made.select(20)
    counted = explain(made)
    assert counted is not None
    assert any(row.value.startswith("count on") for section in counted.sections for row in section.rows)


def test_the_line_follows_a_running_session(engine, qtbot):
    with open_window(qtbot, engine) as window:
        live = start(window, engine, qtbot)
        view, watching = window.side.watching, feature(window, Watching)
        assert not view.isVisible()
        assert not watching.action.isEnabled()
        live.say(*SQUATS[:45])
        qtbot.waitUntil(lambda: view.lines == ("Counting squats: 3",))
        assert view.isVisible()
        assert view.accessibleName() == "What is being watched for"
        assert view.accessibleDescription() == "Counting squats: 3"
        assert watching.action.isEnabled()
        live.say(*SQUATS[45:])
        qtbot.waitUntil(lambda: not view.isVisible())
        assert not watching.action.isEnabled()


def test_it_goes_with_the_session(engine, qtbot):
    with open_window(qtbot, engine) as window:
        live = start(window, engine, qtbot)
        live.say(*SQUATS[:45])
        qtbot.waitUntil(window.side.watching.isVisible)
        window.bridge.stop()
        qtbot.waitUntil(lambda: window.bridge.state == "stopped")
        assert not window.side.watching.isVisible()
        assert not feature(window, Watching).action.isEnabled()


def test_it_is_taken_back_by_the_button_and_by_the_command(engine, qtbot):
    with open_window(qtbot, engine) as window:
        live = start(window, engine, qtbot)
        view, watching = window.side.watching, feature(window, Watching)
        live.say(*SQUATS[:45])
        qtbot.waitUntil(view.isVisible)
        qtbot.mouseClick(view.stop, Qt.MouseButton.LeftButton)
        assert live.typed == [REQUEST]
        assert not view.stop.isEnabled()  # it has been asked for
        live.say(VisionEvent(9.1, NOTHING))
        qtbot.waitUntil(lambda: not view.isVisible())
        live.say(VisionEvent(9.2, "watches for a wave"))
        qtbot.waitUntil(view.isVisible)
        watching.action.trigger()
        assert live.typed == [REQUEST, REQUEST]


def test_the_request_is_one_that_is_understood():
    call = stopped(REQUEST)
    assert call is not None
    assert (call.tool, call.arguments) == ("watch", {"token": "stop"})


def test_the_lane_is_there_where_something_was_watched(engine, qtbot):
    with open_window(qtbot, engine) as window:
        timeline = window.timeline
        live = start(window, engine, qtbot)
        live.say(turn(0))
        qtbot.waitUntil(lambda: timeline.model.turns.count == 1)
        assert "watching" not in [lane.name for lane, _, _ in timeline.layout_lanes()]
        live.say(*SQUATS[1:])
        qtbot.waitUntil(lambda: timeline.model.turns.count == 100)
        timeline.fit()
        height = next(h for lane, _, h in timeline.layout_lanes() if lane.name == "watching")
        live.say(VisionEvent(20.0, "watches for a wave"), turn(100))
        qtbot.waitUntil(lambda: timeline.model.turns.count == 101)
        top, both = next((y, h) for lane, y, h in timeline.layout_lanes() if lane.name == "watching")
        assert both == 2 * height
        at = QPoint(round(timeline.scale().x(6.1)), round(top + height / 2))
        assert timeline.hover(at).splitlines()[0] == "Counting squats (11.0 s, 3 said)"
        picture = timeline.grab().toImage()
        ratio = picture.devicePixelRatio()
        y = round((top + height / 4) * ratio)  # above the words
        colours = [
            picture.pixelColor(round(timeline.scale().x(t) * ratio), y).name() for t in (0.5, 10.0, 6.1)
        ]
        assert len(set(colours)) == 3  # nothing, a bar, and a tick on it


def test_a_recorded_session_is_told_at_the_playhead(engine, qtbot, tmp_path: Path):
    writer = SessionWriter(tmp_path / "s", HEADER, may_wait=True)
    for event in SQUATS:
        writer.event(event)
    writer.close()
    with open_window(qtbot, engine) as window:
        window.open_session(tmp_path / "s")
        qtbot.waitUntil(lambda: not window.document.live)
        view, playback = window.side.watching, feature(window, Inspecting).playback
        assert not view.isVisible()
        playback.seek(7.0)
        assert view.lines == ("Counting squats: 2",)
        assert not view.stop.isVisible()
        assert not feature(window, Watching).action.isEnabled()
        playback.seek(15.0)
        assert not view.isVisible()
        playback.seek(7.0)
        window.show_document(window.live)
        assert not view.isVisible()
