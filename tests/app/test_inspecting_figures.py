"""Jumps and statistics, with and without a measured recording."""

import pytest

from app.inspecting.jumps import neighbour, targets
from app.inspecting.measured import Measured, measured
from app.inspecting.statistics import as_text, statistics, table
from app.timeline.model import TimelineModel
from engine.events import Fault, Mark, SessionHeader, Transcript, TurnRecord
from engine.inspect.finding import Finding
from engine.inspect.findings import Findings
from engine.inspect.measures import BargeIn, TakeOver
from engine.recorder.reader import RecordedSession
from tests.app.scenario import HEADER, session, turn


def model_of(*events) -> TimelineModel:
    model = TimelineModel()
    model.append(events)
    return model


FOUND = Measured(
    Findings(
        replies=(),
        barge_ins=(Finding(5.0, 5.4, "barge-in", "silent after 0.40 s"), Finding(8.0, 9.0, "barge-in", "on")),
        long_gaps=(Finding(2.0, 4.0, "long gap", "2.0 s"),),
        faults=(Finding(1.0, 1.2, "late step", "compute"), Finding(7.0, 7.0, "lost audio", "50 ms")),
        take_overs=(TakeOver(2.0, None, "speak"), TakeOver(4.0, 0.4, "speak"), TakeOver(6.0, 0.8, "speak")),
    ),
    user=((1.0, 2.0), (5.0, 6.0)),
    heard=((2.5, 4.0), (4.5, 5.5)),
    barge_ins=(BargeIn(5.0, 0.4), BargeIn(8.0, None)),
    precise=True,
)


def test_a_recording_is_jumped_through_by_what_was_found():
    model = model_of(*(turn(i) for i in range(60)), Mark(3.0, "here"), Fault(9.0, "only on the timeline"))
    assert [one.t0 for one in targets("barge_in", model, FOUND.findings)] == [5.0, 8.0]
    assert [one.t0 for one in targets("long_gap", model, FOUND.findings)] == [2.0]
    assert [one.text for one in targets("fault", model, FOUND.findings)] == ["compute", "50 ms"]
    assert [one.text for one in targets("mark", model, FOUND.findings)] == ["here"]


def test_a_live_session_is_jumped_through_by_its_timeline():
    model = model_of(
        *(turn(i) for i in range(20)),
        turn(20, "yield"),
        turn(21, "yield"),
        turn(22),
        Transcript(0.5, 1.0, "user", "are you there"),
        Transcript(2.8, 3.4, "assistant", "yes"),
        Transcript(3.5, 3.6, "user", "good"),
        Transcript(3.9, 4.2, "assistant", "fine"),
        Fault(2.0, "the disk is full"),
    )
    (gave_way,) = targets("barge_in", model, None)
    assert gave_way.turn == 20
    assert gave_way.t1 == pytest.approx(4.4)
    (gap,) = targets("long_gap", model, None)
    assert (gap.t0, gap.t1, gap.text) == (1.0, 2.8, "1.8 s until the assistant’s next words")
    assert [one.text for one in targets("fault", model, None)] == ["the disk is full"]


def test_unsure_decisions_are_told_with_their_probability():
    probs = {"listen": 0.42, "speak": 0.40, "backchannel": 0.1, "interrupt": 0.05, "yield": 0.03}
    clear = {"listen": 0.7, "speak": 0.3, "backchannel": 0, "interrupt": 0, "yield": 0}
    narrow = {"listen": 0.5, "speak": 0.45, "backchannel": 0.05, "interrupt": 0, "yield": 0}
    model = model_of(
        TurnRecord(0, 0.0, "listen", clear),
        TurnRecord(1, 0.2, "listen", probs),
        TurnRecord(2, 0.4, "listen", narrow),
        TurnRecord(3, 0.6, "listen", clear),
        TurnRecord(4, 0.8, "speak", narrow),
        TurnRecord(5, 1.0, "speak", {}),
    )
    first, second = targets("unsure", model, None)
    assert (first.turn, first.text) == (1, "listen 42%, +2 points to its runner-up")
    assert first.t1 == pytest.approx(0.6)
    assert (second.turn, second.text) == (4, "speak 45%, -5 points to its runner-up")


def test_the_neighbour_is_never_the_one_that_is_selected():
    among = targets("barge_in", model_of(turn(0)), FOUND.findings)
    assert [one.t0 for one in among] == [5.0, 8.0]
    for turn_number, direction, t in (
        (0, 1, 5.0),
        (25, 1, 8.0),
        (40, 1, None),
        (40, -1, 5.0),
        (25, -1, None),
        (None, 1, 5.0),
        (None, -1, 8.0),
    ):
        target = neighbour(among, turn_number, direction)
        assert (target.t0 if target else None) == t
    assert neighbour([], None, 1) is None


def test_the_figures_of_a_stretch():
    model = model_of(
        *(turn(i) for i in range(20)),
        *(turn(i, "speak", compute_ms=10.0 * (i - 19), heard_ms=200.0) for i in range(20, 30)),
        turn(30, "backchannel", text_out="mm-hm", compute_ms=300.0, deadline_missed=True),
        turn(31, skipped=True),
        Transcript(1.0, 2.0, "user", "one two three four"),
        Transcript(4.0, 6.0, "assistant", "a b", words=(("a", 4.0, 4.5), ("b", 6.1, 6.3))),
        Fault(4.5, "not looked at, since the recording was measured"),
    )
    all_of_it = statistics(model, FOUND, 0.0, 6.4)
    assert all_of_it.turns == 32
    assert dict(all_of_it.decisions) == {"listen": 21, "speak": 10, "backchannel": 1}
    assert (all_of_it.take_overs, all_of_it.offsets) == (3, (0.4, 0.8))
    assert (all_of_it.barge_ins, all_of_it.stops) == (1, (0.4,))
    assert (all_of_it.backchannels, all_of_it.missed, all_of_it.skipped, all_of_it.faults) == (1, 1, 1, 1)
    assert (all_of_it.user_s, all_of_it.heard_s, all_of_it.both_s) == pytest.approx((2.0, 2.5, 0.5))
    assert (all_of_it.words_heard, all_of_it.words_said) == (4, 2)
    assert all_of_it.compute_ms is not None
    assert all_of_it.compute_ms[2] == 300.0

    part = statistics(model, FOUND, 1.5, 5.2)
    assert part.turns == 18
    assert part.user_s == pytest.approx(0.7)
    assert (part.words_heard, part.words_said) == (2, 1)
    assert part.take_overs == 2
    assert part.faults == 0
    assert part.compute_ms == pytest.approx((0.0, 58.3, 60.0))


def test_without_a_measured_recording_the_turns_do():
    model = model_of(
        *(turn(i, user_level_db=-25.0) for i in range(10)),
        *(turn(i, "speak", user_level_db=-25.0, heard_ms=150.0) for i in range(10, 20)),
        Fault(1.0, "x"),
    )
    found = statistics(model, None, 0.0, 4.0)
    assert (found.user_s, found.heard_s, found.both_s) == pytest.approx((4.0, 1.5, 1.5))
    assert (found.take_overs, found.barge_ins, found.faults) == (None, None, 1)
    rows = {row.name: row.value for row in table(found)}
    assert rows["Take-overs"] == "measured when the recording is opened"
    assert rows["Both at once"] == "1.5 s (to 0.2 s)"


def test_the_table_reads_well_and_can_be_copied():
    model = model_of(*session(60))
    rows = {row.name: row for row in table(statistics(model, FOUND, 0.0, 60.0))}
    assert rows["Duration"].value == "60.0 s, 300 micro-turns"
    assert rows["Take-overs"].value == "3, median offset +0.60 s"
    assert rows["Barge-ins"].value == "2, silent after 0.40 s (median), 0.40 s (most); 1 talked through"
    assert rows["Faults"].alert
    assert "%" in rows["listen"].value
    text = as_text("Selected range", tuple(rows.values()))
    assert text.startswith("Selected range\nTime\t0:00.0 – 1:00.0\n")
    assert all(line.count("\t") == 1 for line in text.splitlines()[1:])


def test_an_empty_stretch_has_figures_too():
    for model in (TimelineModel(), model_of(turn(0))):
        found = statistics(model, None, 5.0, 5.0)
        assert (found.turns, found.compute_ms) == (0, None)
        assert {row.name: row.value for row in table(found)}["Compute"] == "nothing was computed"


def test_a_recording_is_measured_as_inspect_does(tmp_path):
    events = session(60)
    turns = tuple(e for e in events if isinstance(e, TurnRecord))
    others = tuple(e for e in events if not isinstance(e, (TurnRecord, SessionHeader)))
    found = measured(RecordedSession(HEADER, turns, others, (), tmp_path))
    assert not found.precise
    assert found.findings.take_overs
    assert len(found.findings.barge_ins) == len(found.barge_ins)
    assert measured(RecordedSession(HEADER, (), (), (), tmp_path)).findings.take_overs == ()
