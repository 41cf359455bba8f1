"""The pictures of the visual simulator: that they show what the truth says, and what cameras do to them."""

import json
from dataclasses import replace

import av
import cv2
import numpy as np
import pytest

from engine.encode import frame_array
from engine.training.visual import KINDS, TRAIN, Stage, draw_script
from engine.training.visual.__main__ import main
from engine.training.visual.props import COLOURS, Prop, draw_prop
from engine.training.visual.script import ExerciseSet, Repetition, Script, Showing
from engine.training.visual.sensor import Fault

STYLE = {"arms": 4.0, "wide": 1.0, "deep": 1.0, "lean": 1.0, "alternate": 1.0}


def calm(script: Script, seed: int = 0) -> Stage:
    """A stage with a camera that has nothing wrong with it, and nothing else that moves."""
    stage = Stage(np.random.default_rng(seed), script, faults=False)
    sensor = stage.sensor
    sensor.fps, sensor.jitter, sensor.dropping, sensor.shake, sensor.flicker = 30.0, 0.0, 0.0, 0.0, 0.0
    sensor.switches, sensor.shutter, sensor.quality, sensor.blur = (), 0.0, 0, 0.0
    sensor._grain *= 0.0
    stage.distractors.kinds = ()
    return stage


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_gives_the_same_pictures_in_any_order(kind):
    pictures = []
    for order in ((0.2, 3.4, 7.0), (7.0, 0.2, 3.4)):
        rng = np.random.default_rng(9)
        stage = Stage(rng, draw_script(rng, kind, 8.0), TRAIN)
        drawn = {t: stage.render(t) for t in order}
        pictures.append([drawn[t] for t in sorted(drawn)])
    for a, b in zip(*pictures, strict=True):
        assert a.shape == (120, 160, 3) and a.dtype == np.uint8
        assert np.array_equal(a, b)
    assert frame_array(pictures[0][0]).shape == (3, 120, 160)


def test_other_seeds_give_other_people_and_rooms():
    drawn = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        drawn.append(Stage(rng, draw_script(rng, "talking", 8.0)).render(2.0).astype(int))
    assert min(np.abs(a - b).mean() for k, a in enumerate(drawn) for b in drawn[:k]) > 5


def test_a_repetition_moves_the_picture_and_brings_it_back():
    reps = tuple(Repetition("squat", 2.0 + 2 * k, 4.0 + 2 * k, True) for k in range(3))
    one = ExerciseSet("squat", 2.0, 8.0, 0.4, STYLE, 0.45, 0.1, reps)
    stage = calm(Script("exercise", 10.0, sets=(one,)))
    stage.actor._restless = 0.0
    top, bottom, back = (stage.render(t).astype(int) for t in (4.01, 4.95, 6.01))
    assert np.abs(top - bottom).mean() > 3 * np.abs(top - back).mean()


def test_motion_is_the_same_at_any_frame_rate():
    reps = (Repetition("jumping jack", 1.0, 2.5, True),)
    one = ExerciseSet("jumping jack", 1.0, 2.5, 0.0, STYLE, 0.5, 0.0, reps)
    stage = calm(Script("exercise", 4.0, sets=(one,)))
    slow = [stage.render(k / 5) for k in range(20)]
    fast = [stage.render(k / 30) for k in range(120)]
    assert all(np.array_equal(picture, fast[6 * k]) for k, picture in enumerate(slow))


def test_an_empty_room_stays_as_it_is():
    stage = calm(Script("empty", 5.0, presence=False))
    assert np.abs(stage.render(1.0).astype(int) - stage.render(4.0)).max() <= 1


@pytest.mark.parametrize("name", ["red", "green", "blue", "yellow"])
def test_a_shown_ball_has_its_colour(name):
    from engine.training.visual.splits import hsv

    showing = Showing(Prop("ball", name, hsv(*COLOURS[name])), 1.0, 5.0)
    stage = calm(Script("objects", 6.0, "sitting", "bust", showings=(showing,)), seed=3)
    stage.sensor._map = np.ones_like(stage.sensor._map)
    stage.sensor._curve = np.arange(256, dtype=np.uint8)
    stage.sensor.grey = False
    before, during = stage.render(0.5).astype(int), stage.render(3.0)
    changed = np.abs(before - during).max(axis=2) > 60
    hues = cv2.cvtColor(during, cv2.COLOR_RGB2HSV)[..., 0][changed] / 180
    off = np.abs((hues - COLOURS[name][0] + 0.5) % 1.0 - 0.5)
    assert changed.sum() > 40
    assert (off < 0.06).sum() > 30


def test_props_are_named_after_what_they_are():
    rng = np.random.default_rng(0)
    labels = {draw_prop(rng).label for _ in range(200)}
    assert "red cup" in labels and not any(label.startswith("blue apple") for label in labels)


def test_a_faulty_camera_is_black_covered_or_frozen():
    rng = np.random.default_rng(1)
    stage = Stage(rng, draw_script(rng, "mixed", 12.0), faults=False)
    stage.sensor.faults = (Fault("black", 1.0, 2.0), Fault("covered", 3.0, 4.0), Fault("frozen", 5.0, 8.0))
    inside = (slice(stage._top, stage._top + stage._height), slice(stage._left, stage._left + stage._width))
    assert stage.render(1.5)[inside].max() == 0
    assert stage.render(3.5)[inside].std() < 15
    assert np.array_equal(stage.render(5.2), stage.render(7.8))
    assert [stage.per_turn(i).camera for i in (5, 17, 30)] == ["black", "covered", "frozen"]


def test_pictures_come_late_but_never_early():
    rng = np.random.default_rng(2)
    stage = Stage(rng, draw_script(rng, "talking", 10.0), faults=False)
    for fps in (5.0, 30.0):
        stage.sensor.fps, stage.sensor.dropping, stage.sensor.jitter = fps, 0.3, 0.4
        taken = [stage.sensor.moment(t)[0] for t in np.arange(0, 10, 0.05)]
        assert all(at <= t + 1e-9 for at, t in zip(taken, np.arange(0, 10, 0.05), strict=True))
        assert taken == sorted(taken)


def test_the_camera_makes_up_for_a_switched_light():
    from engine.training.visual.sensor import Switch

    stage = calm(Script("empty", 20.0, presence=False))
    stage.sensor.switches = (Switch(5.0, 0.4),)
    before, dark, later = (float(stage.render(t).mean()) for t in (4.9, 5.05, 15.0))
    assert dark < 0.75 * before and dark < later < before


def test_the_command_writes_video_truth_and_sheet(tmp_path, capsys):
    out = tmp_path / "scene"
    assert main(["exercise", "--out", str(out), "--seed", "3", "--seconds", "6", "--fps", "10"]) == 0
    assert "events" in capsys.readouterr().out
    lines = [json.loads(line) for line in (out / "truth.jsonl").read_text().splitlines()]
    assert sum(line["type"] == "turn" for line in lines) == 30
    assert {"event", "repetition"} <= {line["type"] for line in lines}
    contact = cv2.imread(str(out / "contact.png"))
    assert contact is not None and contact.shape[2] == 3
    with av.open(str(out / "video.mp4")) as video:
        assert sum(1 for _ in video.decode(video=0)) == 60
    assert main(["exercise", "--out", str(tmp_path / "short"), "--seconds", "1"]) == 2


def test_the_light_and_the_split_do_not_change_the_script():
    rng = np.random.default_rng(0)
    script = draw_script(rng, "gestures", 10.0)
    a = Stage(np.random.default_rng(1), script)
    b = Stage(np.random.default_rng(2), replace(script))
    assert [(e.start, e.label) for e in a.events] == [(e.start, e.label) for e in b.events]
