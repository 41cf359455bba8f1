"""What the visual simulator says happens, against what the figures do."""

import numpy as np
import pytest

from engine.config import CHUNK_S
from engine.errors import InputError
from engine.training.visual import KINDS, TEST, TRAIN, Split, Stage, Talk, draw_script, with_talks
from engine.training.visual.exercises import EXERCISES, RATES, draw_set, movement
from engine.training.visual.gestures import LABELS
from engine.training.visual.look import draw_body
from engine.training.visual.pose import INDEX, mirrored, pose
from engine.training.visual.script import Gesture, Move, Script
from engine.training.visual.skeleton import joints, two_bones
from engine.training.visual.splits import BANDS, bands_of


def stage_of(kind: str, seed: int, seconds: float = 16.0, split: Split = TRAIN) -> Stage:
    rng = np.random.default_rng(seed)
    return Stage(rng, draw_script(rng, kind, seconds, split), split)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_a_truth_for_each_micro_turn(kind):
    stage = stage_of(kind, 3)
    turns = [stage.per_turn(i) for i in range(stage.turns)]
    assert len(turns) == 80
    for turn in turns:
        assert 0.0 <= turn.phase < 1.0
        assert set(turn.gestures) <= set(LABELS)
        assert turn.present or not (turn.gaze or turn.speaking or turn.facing)
    assert all(0.0 <= e.start < e.end <= 16.0 and 0.0 <= e.visible <= 1.0 for e in stage.events)
    assert any(turn.present for turn in turns) == (kind != "empty")


@pytest.mark.parametrize("kind", EXERCISES)
def test_repetitions_follow_each_other_at_a_human_pace(kind):
    for seed in range(5):
        one = draw_set(np.random.default_rng(seed), TRAIN, kind, 2.0, 40.0)
        assert one.repetitions
        for a, b in zip(one.repetitions, one.repetitions[1:], strict=False):
            assert a.end <= b.start
        for r in one.repetitions:
            assert 2.0 <= r.start and r.end <= 40.0
            assert r.end - r.start <= 1.3 / RATES[0]
            assert r.counts == (r.depth > 0.6)


def test_a_half_repetition_does_not_count_and_a_whole_one_counts_when_it_ends():
    for seed in range(40):
        stage = stage_of("exercise", seed, 20.0)
        if len(stage.script.sets) == 1 and any(not r.counts for r in stage.repetitions):
            break
    else:
        pytest.fail("no scene has a half repetition")
    for r in stage.repetitions:
        assert stage.count(r.end) - stage.count(r.end - 1e-6) == int(r.counts)
    turns = [stage.per_turn(i) for i in range(stage.turns)]
    assert turns[-1].count == sum(r.counts for r in stage.repetitions)
    assert sum(turn.ended for turn in turns) == turns[-1].count


@pytest.mark.parametrize("kind", EXERCISES)
def test_the_body_is_where_it_began_when_a_repetition_ends(kind):
    style = {"arms": 0.0, "wide": 1.0, "deep": 1.0, "lean": 1.0, "alternate": 0.0}
    move = movement(kind, style)
    assert np.allclose(move.at(0.0, True), move.start)
    assert np.abs(move.at(1.0, True) - move.start).max() > 0.2
    if move.alternates:
        assert np.allclose(mirrored(move.at(1.0, True)), move.at(1.0, False))


def test_a_squat_lowers_the_hips_and_a_push_up_the_shoulders_with_hands_on_the_floor():
    body = draw_body(np.random.default_rng(0), TRAIN)
    style = {"arms": 0.0, "wide": 1.0, "deep": 1.0, "lean": 1.0, "alternate": 0.0}
    squat = [joints(movement("squat", style).at(d, True), body, (0, 0), 0.0) for d in (0.0, 1.0)]
    assert squat[1].pelvis[1] < 0.7 * squat[0].pelvis[1]
    assert np.allclose(squat[0].ankles, squat[1].ankles, atol=0.03)
    push = [joints(movement("push-up", style).at(d, True), body, (0, 0), 0.0) for d in (0.0, 1.0)]
    assert push[1].neck[1] < 0.6 * push[0].neck[1]
    for j in push:
        assert all(-0.1 < wrist[1] < 0.22 for wrist in j.wrists)


def test_limbs_keep_their_length_whatever_the_pose():
    rng = np.random.default_rng(5)
    body = draw_body(rng, TEST)
    for _ in range(50):
        p = pose() + rng.normal(0, 0.4, len(INDEX))
        j = joints(p, body, (0.3, -0.2), float(rng.uniform(-3, 3)))
        for k in (0, 1):
            assert np.linalg.norm(j.shoulders[k] - j.elbows[k]) == pytest.approx(body.upper_arm, abs=1e-6)
            assert np.linalg.norm(j.elbows[k] - j.wrists[k]) == pytest.approx(body.forearm, abs=1e-3)
            assert np.linalg.norm(j.hips[k] - j.knees[k]) == pytest.approx(body.thigh, abs=1e-6)
            assert np.linalg.norm(j.knees[k] - j.ankles[k]) == pytest.approx(body.shin, abs=1e-3)


def test_two_bones_reach_what_they_can_reach():
    start, target = np.zeros(3), np.array([0.3, 0.2, 0.1])
    middle, end = two_bones(start, target, 0.3, 0.25, np.array([0.0, -1.0, 0.0]))
    assert np.allclose(end, target)
    assert middle[1] < 0.5 * (start[1] + target[1])
    _, end = two_bones(start, np.array([9.0, 0, 0]), 0.3, 0.25, np.array([0.0, 1.0, 0.0]))
    assert np.linalg.norm(end) == pytest.approx(0.55, rel=0.01)


def test_who_leaves_is_gone_and_who_enters_is_there():
    script = Script("presence", 14.0, moves=(Move("leave", 2.0, 4.0, True), Move("enter", 8.0, 10.0)))
    stage = Stage(np.random.default_rng(1), script, faults=False)
    labels = [e.label for e in stage.events]
    assert labels.count("present") == 2 and "leave" in labels and "enter" in labels
    left = next(e for e in stage.events if e.label == "leave").start
    came = next(e for e in stage.events if e.label == "enter").start
    assert 2.0 < left < 4.0 and 8.0 < came < 10.0
    assert stage.actor.seen(left - 0.02) and not stage.actor.seen(left + 0.02)
    assert not stage.actor.seen(came - 0.02) and stage.actor.seen(came + 0.02)
    assert not stage.per_turn(round(6.0 / CHUNK_S)).present
    assert stage.per_turn(round(12.0 / CHUNK_S)).present


def test_a_gesture_is_true_while_the_hand_is_up():
    script = Script("gestures", 8.0, framing="waist", gestures=(Gesture("raise hand", 2.0, 5.0),))
    stage = Stage(np.random.default_rng(2), script, faults=False)
    (event,) = [e for e in stage.events if e.label == "raise hand"]
    assert event.visible == 1.0 and event.detail == "right"

    def height(t: float) -> float:
        j = stage.actor.joints(t)
        return float(j.wrists[1][1] - j.neck[1])

    assert height(0.5 * (event.start + event.end)) > 0.1 > height(event.start - 0.3)
    assert height(event.end + 0.3) < 0.0


def test_a_finger_more_is_another_label():
    labels = []
    for n in range(1, 6):
        script = Script("gestures", 4.0, framing="bust", gestures=(Gesture("fingers", 1.0, 3.0, fingers=n),))
        stage = Stage(np.random.default_rng(2), script)
        labels += [e.label for e in stage.events if "fingers" in e.label]
        curls = stage.actor.person(2.0).pose[INDEX["r_f0"] : INDEX["r_f4"] + 1]
        assert (curls < 0.2).sum() == n
    assert labels == [f"{n} fingers" for n in range(1, 6)]


def test_who_talks_to_somebody_else_looks_away_and_moves_the_mouth():
    rng = np.random.default_rng(4)
    plain = Script("talking", 10.0, framing="bust")
    stage = Stage(
        rng, with_talks(rng, plain, (Talk(1.0, 4.0), Talk(6.0, 9.0, to_camera=False))), faults=False
    )
    at = {t: stage.per_turn(round(t / CHUNK_S)) for t in (0.4, 2.4, 5.0, 7.4)}
    assert [at[t].speaking for t in at] == [False, True, False, True]
    assert at[2.4].gaze == "camera" and at[7.4].gaze != "camera"
    assert max(stage.actor.mouth(t) for t in np.arange(1.2, 3.8, 0.05)) > 0.3
    assert stage.actor.mouth(5.0) == 0.0


def test_a_voice_moves_the_mouth():
    script = Script("talking", 6.0, framing="face")
    stage = Stage(np.random.default_rng(0), script, voice=lambda t: 1.0 if 2.0 < t < 3.0 else 0.0)
    assert stage.actor.mouth(2.5) > 0.8 > stage.actor.mouth(4.0)
    assert stage.per_turn(12).speaking and not stage.per_turn(20).speaking


def test_no_number_belongs_to_two_splits():
    for name in ("stature", "shirt", "skin", "field of view"):
        owners = [set(bands_of(split, name)) for split in ("train", "validation", "test")]
        assert sum(len(o) for o in owners) == BANDS == len(set.union(*owners))
    rng = np.random.default_rng(0)
    drawn = {s: [Split(s).number(rng, "stature", 0.0, 1.0) for _ in range(300)] for s in ("train", "test")}
    bands = {s: {int(x * BANDS) for x in numbers} for s, numbers in drawn.items()}
    assert not bands["train"] & bands["test"]
    assert min(drawn["test"]) < 0.25 and max(drawn["test"]) > 0.75


def test_held_out_rooms_are_never_trained_on():
    rooms = {
        s: {stage_of("empty", k, split=Split(s)).room.kind for k in range(40)} for s in ("train", "test")
    }
    assert rooms["test"] - rooms["train"]
    assert not rooms["train"] & {"hallway", "office", "gym", "street"}


def test_what_there_is_not_is_an_input_error():
    rng = np.random.default_rng(0)
    with pytest.raises(InputError, match="no visual scene"):
        draw_script(rng, "dance", 10.0)
    with pytest.raises(InputError, match="at least 4 seconds"):
        draw_script(rng, "mixed", 1.0)
    with pytest.raises(InputError, match="no split"):
        Split("holdout")
