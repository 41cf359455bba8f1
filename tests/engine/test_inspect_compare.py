"""Two sessions laid over each other: shift, differences, figures, text."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.config import CHUNK_S
from engine.decisions import DECISIONS
from engine.errors import InputError
from engine.events import Mark, SessionHeader, Transcript, TurnRecord
from engine.inspect.compare import compare, find_shift, kind_of, moved, report
from engine.recorder.columns import turn_columns
from engine.recorder.reader import RecordedSession
from tests.engine.recorder_samples import HEADER, other_events, turn


def levels(count: int, seed: int = 3) -> np.ndarray:
    """A user's level that repeats nothing: bursts of speech of random length."""
    dice = np.random.default_rng(seed)
    found = np.full(count, -65.0)
    at = 0
    while at < count:
        length = int(dice.integers(3, 12))
        found[at : at + length] = dice.uniform(-30, -15, len(found[at : at + length]))
        at += length + int(dice.integers(4, 20))
    return found


def made(user: np.ndarray, decisions: dict[int, str], path: str = "x", first: int = 0) -> RecordedSession:
    turns = []
    for n, level in enumerate(user):
        decision = decisions.get(n, "listen")
        probs = dict.fromkeys(DECISIONS, 0.05) | {decision: 0.8}
        i = first + n
        turns.append(TurnRecord(i, i * CHUNK_S, decision, probs, user_level_db=float(level), compute_ms=10.0))
    return RecordedSession(HEADER, tuple(turns), (), (), Path(path))


def test_same_session_has_no_differences():
    session = made(levels(200), {50: "speak", 51: "speak"})
    found = compare(session, session)
    assert (found.shift, found.agreement, found.differences) == (0, 1.0, ())
    assert found.match == pytest.approx(1.0)
    assert found.distance == 0.0
    assert found.pairs == {("listen", "listen"): 198, ("speak", "speak"): 2}


def test_each_run_of_other_decisions_is_one_difference():
    user = levels(200)
    one = made(user, {50: "speak", 51: "speak", 52: "speak", 90: "backchannel", 120: "speak"})
    other = made(user, {52: "speak", 120: "interrupt", 121: "yield"})
    found = compare(one, other)
    assert [(round(d.t0, 1), round(d.t1, 1), d.first, d.second) for d in found.differences] == [
        (10.0, 10.4, "speak", "listen"),
        (18.0, 18.2, "backchannel", "listen"),
        (24.0, 24.2, "speak", "interrupt"),
        (24.2, 24.4, "listen", "yield"),
    ]
    assert found.agreement == pytest.approx(195 / 200)
    assert found.counts == {
        "talks in the first only": 1,
        "backchannel in the first only": 1,
        "interrupts in the second only": 1,
        "yields in the second only": 1,
    }
    assert found.differences[0].distance == pytest.approx(0.75)


@pytest.mark.parametrize("shift", [-37, -1, 4, 60])
def test_a_recording_that_began_elsewhere_is_moved_onto_the_other(shift: int):
    user = levels(500)
    start = max(0, shift)
    one = made(user[: 400 + min(0, shift)], {})
    other = made(user[start:], {}) if shift > 0 else made(np.concatenate((np.full(-shift, -66.0), user)), {})
    found, match = find_shift(turn_columns(one.turns), turn_columns(other.turns))
    assert found == shift
    assert match > 0.95


def test_another_recording_is_said_to_be_one():
    found = compare(made(levels(400, 1), {}), made(levels(400, 2), {}))
    assert not found.same_recording
    assert "do not seem to be of the same recording" in report(found, "a", "b")


def test_missing_micro_turns_are_left_out():
    user = levels(200)
    one = made(user, {})
    other = made(user, {100: "speak"})
    holes = replace(other, turns=tuple(t for t in other.turns if not 40 <= t.i < 60))
    found = compare(one, holes)
    assert found.turns == 180
    assert len(found.differences) == 1


def test_difference_does_not_run_across_a_hole():
    user = levels(100)
    one = made(user, dict.fromkeys(range(40, 60), "speak"))
    other = made(user, {})
    holes = replace(other, turns=tuple(t for t in other.turns if t.i not in (48, 49)))
    assert [(round(d.t0, 1), round(d.t1, 1)) for d in compare(one, holes).differences] == [
        (8.0, 9.6),
        (10.0, 12.0),
    ]


def test_nothing_to_compare():
    empty = RecordedSession(HEADER, (), (), (), Path("empty"))
    with pytest.raises(InputError, match="empty holds no micro-turn"):
        compare(made(levels(50), {}), empty)


def test_figures_say_which_is_better_only_where_that_is_known():
    one = RecordedSession(HEADER, tuple(turn(i) for i in range(40)), tuple(other_events()), (), Path("one"))
    slow = replace(one, turns=tuple(replace(t, compute_ms=t.compute_ms + 30) for t in one.turns))
    rows = {row.name: row for row in compare(one, slow).rows}
    assert rows["compute, median"].better == 0
    assert rows["take-overs"].better is None
    assert rows["backchannels"].better is None
    assert rows["engine"].first == "micro"


def test_moved_moves_turns_events_and_words():
    said = Transcript(1.0, 2.0, "user", "hello there", words=(("hello", 1.0, 1.4), ("there", 1.5, 2.0)))
    session = replace(made(levels(20), {}), events=(said, Mark(0.4, "early")))
    later = moved(session, 5)
    assert [t.i for t in later.turns][:2] == [5, 6]
    assert later.turns[0].t == pytest.approx(1.0)
    transcript, mark = later.events
    assert isinstance(transcript, Transcript) and transcript.words[1] == ("there", 2.5, 3.0)
    assert isinstance(mark, Mark) and mark.t == pytest.approx(1.4)
    earlier = moved(session, -5)
    assert earlier.turns[0].i == 0 and len(earlier.turns) == 15
    assert [type(e) for e in earlier.events] == [Transcript]


def test_kinds_are_named_from_either_side():
    assert kind_of("speak", "listen") == "talks in the first only"
    assert kind_of("listen", "speak") == "talks in the second only"
    assert kind_of("yield", "speak") == "yields in the first only"
    assert kind_of("other", "listen") == "other"


def test_report_lists_what_differs():
    user = levels(200)
    text = report(compare(made(user, {50: "speak"}), made(user, {})), "first folder", "second folder")
    assert "First   first folder" in text
    assert "99.5 % decided alike" in text
    assert "10.0 – 10.2 s   speak       listen      talks in the first only" in text
    many = report(compare(made(user, dict.fromkeys(range(0, 200, 2), "speak")), made(user, {})), "a", "b", 3)
    assert many.endswith("and 97 more")


def test_header_of_another_engine():
    other = replace(
        made(levels(60), {}), header=SessionHeader("pipeline", "silero", 2, "2026-11-23T00:00:00Z")
    )
    rows = compare(made(levels(60), {}), other).rows
    assert (rows[0].first, rows[0].second) == ("micro", "pipeline")
