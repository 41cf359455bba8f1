"""Faults and replies sorted for painting, with findings and without."""

import pytest

from app.theme import BY_NAME, DARK, LIGHT, contrast, mix
from app.timeline import columns
from app.timeline.found import Found, Spot, Spots
from app.timeline.found_tracks import _PATTERNS, SEGMENTS, segment_colour
from app.timeline.hover import lane_text, latency_text, projection_text
from app.timeline.lanes import LANES, natural_height, place
from app.timeline.model import TimelineModel
from engine.events import Fault, Mark
from engine.inspect.findings import Finding, Findings
from engine.inspect.latency import CAUSES, Reply, Segment
from tests.app.scenario import turn

REPLIES = (
    Reply(30.0, 29.5, 140, "interrupt", ()),
    Reply(10.0, 10.6, 52, "speak", (Segment("computing", 10.0, 10.6),)),
)


def findings(**fields) -> Findings:
    empty = {"replies": (), "barge_ins": (), "long_gaps": (), "faults": (), "take_overs": ()}
    return Findings(**{**empty, **fields})


def test_spots_are_found_from_any_part_of_them():
    spots = Spots([Spot(10, 40, "a", "long"), Spot(12, 13, "b", "short"), Spot(50, 50, "c", "moment")])
    assert [s.text for s in spots.between(30, 31)] == ["long"]
    assert [s.text for s in spots.between(12.5, 60)] == ["long", "short", "moment"]
    assert spots.between(41, 49) == []
    assert Spots().between(0, 9) == []


def test_neighbours_are_one_group_and_a_chain_of_them_is_several():
    spots = Spots([Spot(t, t, "a", "") for t in (0.0, 0.6, 1.2, 1.8, 9.0)])
    assert spots.groups(0, 10, 1.0) == [(0, 2), (2, 4), (4, 5)]
    assert spots.groups(20, 30, 1.0) == []
    early = Spots([Spot(0, 30, "a", "began before"), Spot(20.5, 20.5, "a", ""), Spot(25, 25, "a", "")])
    assert early.groups(20, 30, 1.0) == [(0, 2), (2, 3)]


def test_a_live_session_tells_faults_and_what_its_turns_missed():
    model = TimelineModel()
    model.append([turn(0), turn(1, deadline_missed=True), turn(2, skipped=True, deadline_missed=True)])
    model.append([Fault(0.3, "no sound"), Mark(0.2, "a mark"), turn(3, gap_samples=160)])
    found = Found()
    told = [(s.t0, s.kind) for s in found.faults_of(model).items]
    assert told == [(0.2, "late step"), (0.3, "fault"), (0.4, "overrun"), (0.6000000000000001, "lost audio")]
    assert found.faults_of(model) is found.faults_of(model)
    model.append([Fault(0.7, "again")])
    assert len(found.faults_of(model).items) == 5


def test_a_recorded_sessions_faults_are_those_that_were_found():
    model = TimelineModel()
    model.append([turn(0, deadline_missed=True), Fault(0.1, "told")])
    odd = Finding(5, 4, "underrun\u202e", "x\ny")
    found = Found(findings(faults=(odd, Finding(1, 2, "echo leak", "loud"))))
    assert [(s.t0, s.t1, s.kind, s.text) for s in found.faults_of(model).items] == [
        (1, 2, "echo leak", "loud"), (5, 5, "underrun", "x y"),
    ]  # fmt: skip
    assert lane_text(model, found, "faults", 1.5, 0.01) == "echo leak: loud"


def test_replies_are_found_by_their_wait_or_their_overlap():
    found = Found(findings(replies=REPLIES))
    assert [r.turn for r in found.replies] == [52, 140]
    assert [r.turn for r in found.replies_between(10.2, 10.3)] == [52]
    assert [r.turn for r in found.replies_between(29.6, 29.7)] == [140]
    assert found.replies_between(11, 29) == []
    assert Found().replies_between(0, 99) == []
    assert latency_text(found, 10.1, 0.1).splitlines() == [
        "0.60 s from your last sound to the assistant’s first",
        f"600 ms computing: {CAUSES['computing']}",
    ]
    assert latency_text(found, 29.8, 0.1) == "began 0.50 s before you had ended"
    assert latency_text(found, 20, 0.1) == ""


@pytest.mark.parametrize("theme", BY_NAME.values(), ids=lambda theme: theme.name)
def test_text_in_the_lanes_can_be_read(theme):
    grounds = [mix(theme.surface, segment_colour(name, theme), 0.3) for name in SEGMENTS]
    grounds += [mix(theme.surface, theme.danger, 0.28), mix(theme.surface, theme.user_level, 0.45)]
    assert min(contrast(theme.text, ground) for ground in grounds) >= 4.5
    assert contrast(theme.on_accent, theme.accent) >= 4.5


def test_every_cause_has_a_look_of_its_own():
    assert set(SEGMENTS) == set(CAUSES)
    assert len(set(_PATTERNS)) == len(SEGMENTS)
    for theme in (LIGHT, DARK):
        assert len({segment_colour(name, theme) for name in SEGMENTS}) >= 7


def test_the_projection_is_told_in_words():
    model = TimelineModel()
    model.append([turn(0, user_activity=(0.9, 0.5, 0.25, 0.1)), turn(1)])
    assert projection_text(model, 0).splitlines() == [
        "0:00.2  expects you to speak",
        " 90.0%  0–0.2 s later",
        " 50.0%  0.2–0.6 s later",
        " 25.0%  0.6–1.2 s later",
        " 10.0%  1.2–2 s later",
    ]
    assert projection_text(model, 1) == projection_text(model, 7) == ""


def test_turns_tell_probabilities_projection_and_flags():
    assert not columns.TurnColumns().projects
    made = columns.TurnColumns()
    made.extend([turn(i, user_activity=(0.5, 0.25) if i == 3 else (), skipped=i in (2, 5)) for i in range(8)])
    assert made.projects
    assert made.activity(3) == (0.5, 0.25)
    assert made.activity(2) == made.activity(99) == ()
    assert len(made.probs(0)) == 5
    assert made.flagged(columns.SKIPPED, 0, 99) == [2, 5]
    assert made.flagged(columns.SKIPPED, 3, 4) == []
    got = made.columns(0, 5, 8)
    assert got is not None
    assert got.activity[3].tolist() == [0.5, 0.25, 0.0, 0.0]
    assert not got.activity[2].any()


def test_lanes_share_the_room_there_is():
    natural = place((), 24, natural_height(()))
    assert [lane.name for lane, _, _ in natural] == [lane.name for lane in LANES]
    assert natural[-1][1] + natural[-1][2] <= 24 + natural_height(()) + 8
    big = place((), 24, natural_height(()), text_scale=2.0)
    text = {lane.name: height for lane, _, height in big if lane.text}
    assert text["faults"] == 34
    assert big[-1][1] + big[-1][2] <= 24 + natural_height(()) + 30
