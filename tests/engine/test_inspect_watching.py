"""What was watched for and what was said of it, told from events."""

import json

import pytest

from engine.decisions import COUNT, CUE, TIME
from engine.events import BackgroundEvent, TurnRecord, VisionEvent
from engine.inspect.labels import to_audacity, to_textgrid
from engine.inspect.summary import summary
from engine.inspect.trace import to_chrome_trace
from engine.inspect.tracks import tracks
from engine.inspect.watching import NOTHING, WatchLog, instruction, watch_log
from engine.recorder.reader import read_session
from engine.standing import COUNTED, CUES, ELAPSED, Instruction, Standing, described
from tests.engine.inspect_samples import tone, turn, write_session

EVERY = (
    *(Instruction(COUNT, what) for what in COUNTED),
    *(Instruction(CUE, what) for what in CUES),
    Instruction(TIME, "", "Breathe.", 2.5, repeat=True),
    Instruction(TIME, "", 'Say "no longer" after 5 s', 300.0),
    Instruction(TIME, ELAPSED, "", 10.0, repeat=True),
    Instruction(TIME, "", "Go.", 86_400.0),
)


def says(i: int, token: str, words: str = "", decision: str = "speak") -> TurnRecord:
    return turn(i, decision, say=token, text_out=words, generated_ms=200.0)


def log_of(*items: VisionEvent | TurnRecord) -> WatchLog:
    """Fed in the order given, as live."""
    log = WatchLog()
    for item in items:
        if isinstance(item, VisionEvent):
            log.add_event(item)
        else:
            log.add_turn(item)
    return log


@pytest.mark.parametrize("asked", EVERY)
def test_every_instruction_is_read_back_from_what_the_engine_tells_of_it(asked):
    assert instruction(described(asked)) == asked
    assert WatchLog.tells(VisionEvent(1.0, f"no longer {described(asked)}"))


@pytest.mark.parametrize(
    "text", ["started", "lost: counts squats", "counts sheep", "says nothing", "another camera"]
)
def test_what_the_camera_does_is_no_instruction(text):
    log = WatchLog()
    assert not log.add_event(VisionEvent(1.0, text))
    assert log.watched == []


def test_numbers_are_counted_as_the_register_counts_them():
    register, log = Standing(), log_of(VisionEvent(1.0, "counts squats"))
    register.arm(Instruction(COUNT, "squat"), 1.0)
    for i in (10, 17, 24):
        log.add_turn(says(i, COUNT, "" if i == 17 else register.said(COUNT, 0.2 * i)))
        if i == 17:
            register.said(COUNT, 0.2 * i)  # the words come later, behind others
    (one,) = log.watched
    assert [said.text for said in one.said] == ["1", "2", "3"]
    first = one.last(3.3)
    assert first is not None
    assert first.number == 1
    assert one.last(1.9) is None
    assert (one.t0, one.t1) == (1.0, None)


def test_a_number_that_was_heard_is_right_where_events_were_lost():
    log = log_of(VisionEvent(1.0, "counts repetitions"), says(10, COUNT, "1."), says(20, COUNT, "4."))
    log.add_turn(turn(25, "speak", say=COUNT, text_out="384.", words_left=1))  # the end of an answer
    assert [said.number for said in log.watched[0].said] == [1, 4, 5]


def test_what_was_not_carried_out_was_not_said():
    log = log_of(
        says(4, COUNT, "1."),
        VisionEvent(1.0, "counts squats"),
        says(10, COUNT, decision="listen"),
        says(11, COUNT, decision="yield"),
        says(12, CUE),
    )
    assert log.watched[0].said == []


def brings(t: float, **standing: object) -> BackgroundEvent:
    detail = {"token": CUE, "what": "wave", "words": "Hello there.", "seconds": 0.0, "repeat": False}
    return BackgroundEvent(
        0, t, "tool_result", "Okay.", {"tool": "watch", "standing": json.dumps(detail | standing)}
    )


def test_a_cue_is_told_in_its_words_whatever_else_is_being_said():
    log = WatchLog()
    log.add_result(brings(1.0))
    log.add_event(VisionEvent(1.0, "watches for a wave"))
    log.add_turn(says(10, CUE, "5 seconds."))
    assert [said.text for said in log.watched[0].said] == ["Hello there."]
    log.add_event(VisionEvent(5.0, "no longer watches for a wave"))
    assert log.watched[0].t1 == 5.0


@pytest.mark.parametrize(
    "result",
    [
        brings(1.0, what="nod"),
        brings(0.5),
        brings(1.0, token="no such"),
        BackgroundEvent(0, 1.0, "tool_result", "", {"standing": "[" * 100_000}),
        BackgroundEvent(0, 1.0, "tool_result", "", {"standing": "3"}),
        BackgroundEvent(0, 1.0, "tool_result", "Twelve.", {"tool": "calculate"}),
    ],
)
def test_words_of_something_else_are_not_taken_for_them(result):
    log = WatchLog()
    log.add_result(result)
    log.add_event(VisionEvent(1.0, "watches for a wave"))
    log.add_turn(says(10, CUE, "I"))
    assert [said.text for said in log.watched[0].said] == [""]


def test_times_are_told_as_the_register_tells_them():
    asked = Instruction(TIME, ELAPSED, "", 30.0, repeat=True)
    register, log = Standing(), log_of(VisionEvent(1.0, described(asked)))
    register.arm(asked, 1.0)
    words = [register.said(TIME, 30.0 * n) for n in (1, 2, 3)]
    for n in (1, 2, 3):
        log.add_turn(says(150 * n, TIME, "30"))
    assert [said.text for said in log.watched[0].said] == words
    assert words[2] == "1 minute and 30 seconds."


def test_once_ends_with_being_said():
    log = log_of(VisionEvent(1.0, 'says "Go." after 5 s'), says(30, TIME, "Go."))
    (one,) = log.watched
    assert one.t1 == pytest.approx(6.2)
    assert [said.text for said in one.said] == ["Go."]
    assert log.at(100.0) == ()
    assert log.add_event(VisionEvent(9.0, 'no longer says "Go." after 5 s'))
    assert one.t1 == pytest.approx(6.2)


def test_a_newer_one_of_its_kind_takes_the_place_and_the_end_ends_all():
    log = log_of(
        VisionEvent(1.0, "counts squats"),
        VisionEvent(2.0, "watches for a wave"),
        VisionEvent(5.0, "counts push-ups"),
        VisionEvent(7.0, "no longer counts squats"),
        VisionEvent(8.0, "no longer watches for a wave"),
        VisionEvent(9.0, NOTHING),
    )
    assert [(one.t0, one.t1) for one in log.watched] == [(1.0, 5.0), (2.0, 8.0), (5.0, 9.0)]
    assert [one.asked.what for one in log.at(6.0)] == ["wave", "push-up"]
    assert log.kinds == (COUNT, CUE)
    assert log.at(9.0) == ()


def test_the_camera_is_known_at_each_moment():
    log = log_of(
        VisionEvent(0.2, "started"),
        VisionEvent(5.0, "off"),
        VisionEvent(8.0, "another camera"),
        VisionEvent(9.0, "lost: it was unplugged"),
    )
    assert [log.camera_at(t) for t in (0.0, 1.0, 6.0, 8.5, 20.0)] == [
        "",
        "",
        "camera is off",
        "",
        "camera was lost",
    ]


def test_lines_that_were_sorted_by_time_tell_the_same():
    """A recording's turn begins before the event that was there when it was decided."""
    events = [VisionEvent(1.0, "counts squats"), VisionEvent(4.1, NOTHING)]
    log = watch_log([says(10, COUNT, "1."), says(20, COUNT)], events)
    assert [said.number for said in log.watched[0].said] == [1]


def test_exports_hold_what_was_watched(tmp_path):
    turns = [says(i, COUNT, f"{i // 10}.") if i in (10, 20) else turn(i) for i in range(40)]
    events = [VisionEvent(0.4, "started"), VisionEvent(1.0, "counts squats"), VisionEvent(6.0, NOTHING)]
    sound = tone(seconds=8.0, rate=16_000), tone(seconds=8.0, rate=24_000)
    session = read_session(write_session(tmp_path / "s", *sound, turns, events))
    found = tracks(session)
    assert [(s.t0, s.t1, s.text) for s in found.watching] == [(1.0, 6.0, "counts squats")]
    assert [(p.t, p.text) for p in found.watched] == [(2.0, "1"), (4.0, "2")]
    assert [p.text for p in found.vision] == ["started"]
    labels = to_audacity(session)
    assert "1.000000\t6.000000\twatching: counts squats\n" in labels
    assert "4.000000\t4.000000\twatched: 2\n" in labels
    assert 'name = "watching"' in to_textgrid(session)
    assert 'name = "watched"' in to_textgrid(session)
    assert "counts squats" in to_chrome_trace(session)
    assert "0:01.00 – 0:06.00  counts squats" in summary(session)
