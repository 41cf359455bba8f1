"""Finds on a made-up timeline."""

import numpy as np
import pytest

from app.inspecting.query import parse
from app.inspecting.search import MAX_HITS, Hit, marked, search
from app.inspecting.turns import turn_at, turn_rows
from app.timeline.model import TimelineModel
from engine.decisions import DECISIONS
from engine.events import BackgroundEvent, Fault, Mark, TextIn, Transcript, VisionEvent
from tests.app.scenario import session, turn


def model_of(*events) -> TimelineModel:
    model = TimelineModel()
    model.append(events)
    return model


def found(model: TimelineModel, text: str) -> list[tuple[str, float]]:
    return [(hit.kind, round(hit.t0, 2)) for hit in search(model, parse(text)).hits]


@pytest.fixture
def model() -> TimelineModel:
    return model_of(
        *(turn(i) for i in range(4)),
        turn(4, "speak", compute_ms=236.0, deadline_missed=True),
        turn(5, "speak", compute_ms=120.0),
        turn(6, "yield"),
        turn(7, gap_samples=800),
        turn(8, "speak", delegate=True),
        turn(9),
        Transcript(0.2, 0.9, "user", "How far is the Café?"),
        Transcript(0.9, 1.3, "assistant", "Let me see", "about the café"),
        TextIn(1.4, "please yield"),
        Fault(1.5, "the microphone gave 50 ms less"),
        Mark(1.6, "good yield"),
        VisionEvent(0.1, "started"),
        BackgroundEvent(1, 1.0, "asked"),
        BackgroundEvent(1, 1.1, "partial", "how far is the café", {"role": "request"}),
        BackgroundEvent(1, 1.2, "tool_call", "", {"tool": "places", "arguments": '{"name": "café"}'}),
        BackgroundEvent(1, 1.25, "tool_result", "2 km", {"tool": "places", "ok": True}),
        BackgroundEvent(1, 1.3, "partial", "It is", {"role": "answer"}),
        BackgroundEvent(1, 1.5, "answer", "It is 2 km away."),
        BackgroundEvent(2, 1.7, "failed", "no network"),
    )


def test_words_wherever_they_are(model):
    assert found(model, "cafe") == [("heard", 0.2), ("said", 0.9), ("asked", 1.1), ("tool", 1.2)]
    assert found(model, "how cafe") == [("heard", 0.2), ("asked", 1.1)]
    assert found(model, '"2 km"') == [("tool", 1.25), ("answer", 1.5)]
    assert found(model, "nowhere") == []


def test_kinds(model):
    assert found(model, "fault: mark:") == [("fault", 1.5), ("mark", 1.6)]
    assert found(model, "tool:places") == [("tool", 1.2), ("tool", 1.25)]
    assert found(model, "answer:") == [("answer", 1.5)], "its pieces are not told again"
    assert found(model, "job:") == [("job", 1.7)]
    assert found(model, "camera:") == [("camera", 0.1)]
    assert found(model, "said:cafe") == [("said", 0.9)], "also what was cut off"


def test_turns_that_follow_one_another_are_one_find(model):
    hits = search(model, parse("decision:speak")).hits
    assert [(hit.turn, round(hit.t1, 1)) for hit in hits] == [(4, 1.2), (8, 1.8)]
    assert hits[0].text == "speak, 2 micro-turns"


def test_the_name_of_a_decision_finds_both(model):
    assert found(model, "yield") == [("turn", 1.2), ("typed", 1.4), ("mark", 1.6)]


def test_measures_and_flags(model):
    (late,) = search(model, parse("compute>100 missed:")).hits
    assert (late.turn, late.text) == (4, "speak, compute 236 ms, missed")
    assert found(model, "lost:") == [("turn", 1.4)]
    assert found(model, "delegated:") == [("turn", 1.6)]
    assert found(model, "p<0.5") == []
    assert found(model, "margin>0.8") == [("turn", 0.0)], "one run of all"


def test_words_and_measures_have_to_meet(model):
    assert found(model, "cafe compute>100") == [("heard", 0.2), ("said", 0.9), ("asked", 1.1)]
    assert found(model, "fault: decision:speak") == []


def test_a_probability_that_was_never_recorded_is_not_small():
    model = model_of(turn(0), *[turn(1).__class__(1, 0.2, "speak", {})])
    assert found(model, "p<0.6") == []
    assert np.isnan(turn_rows(model).chosen[1])


def test_rows_are_exactly_the_turns():
    model = model_of(*session(120))
    rows = turn_rows(model)
    assert len(rows) == model.turns.count
    for i in range(0, len(rows), 7):
        one = model.turns.turn(i)
        assert one is not None
        assert DECISIONS[rows.decision[i]] == one.decision
        assert rows.level[i, 4] == pytest.approx(one.compute_ms, abs=1e-3)
        assert rows.probs[i].tolist() == pytest.approx(list(one.probs.values()), abs=1e-4)
        assert rows.chosen[i] == pytest.approx(one.probs[one.decision], abs=1e-4)
        others = [p for name, p in one.probs.items() if name != one.decision]
        assert rows.margin[i] == pytest.approx(one.probs[one.decision] - max(others), abs=2e-4)
    part = turn_rows(model, 10.0, 20.0)
    assert (part.first, len(part)) == (50, 50)
    assert np.array_equal(part.decision, rows.decision[50:100])


def test_turns_that_never_arrived_are_no_find():
    model = model_of(turn(0, "speak"), turn(3, "speak"))
    assert [hit.turn for hit in search(model, parse("decision:speak")).hits] == [0, 3]
    assert found(model, "compute<1000") == [("turn", 0.0), ("turn", 0.6)]


def test_an_hour_is_found_quickly_and_bounded():
    model = model_of(*session(3600))
    hits = search(model, parse("decision:listen p<2"))
    assert hits.total == len(hits.hits) > 500
    many = model_of(*(Mark(k * 0.01, "x") for k in range(3 * MAX_HITS)))
    hits = search(many, parse("mark:"))
    assert (hits.total, len(hits.hits)) == (3 * MAX_HITS, MAX_HITS)


def test_the_nearest_one_and_what_the_timeline_is_told(model):
    hits = search(model, parse("yield"))
    assert [hits.near(turn) for turn in (0, 6, 7, 8, 9)] == [0, 0, 1, 2, 2]
    assert search(model, parse("nowhere")).near(0) is None
    (t0, t1, label), *_ = marked([Hit(1.0, 1.0, "mark", "x" * 300)])
    assert (t0, t1) == (1.0, 1.2)
    assert label.startswith("mark: xxx")
    assert len(label) <= 120


def test_times_on_the_edge_belong_to_the_turn_that_begins():
    assert [turn_at(t) for t in (0.0, 0.6, 0.6000001, 0.59, 3 * 0.2)] == [0, 3, 3, 2, 3]
