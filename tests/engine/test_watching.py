"""What is to be counted, watched for and said at a time: when it is due, what the oracle makes of it."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.config import CHUNK_S
from engine.decisions import COUNT, CUE, STANDING_TOKENS, TIME
from engine.errors import InputError
from engine.frontend import WHISPER_DIM, WhisperEncoder
from engine.standing import ANY, CUE_WORDS, CUES, Instruction
from engine.training import watch_eval
from engine.training.config import Stage, read_config
from engine.training.dataset import DataConfig, Pools
from engine.training.shards import read_shard
from engine.training.simulator import SessionSimulator
from engine.training.trace import Target, Trace
from engine.training.trainer import PICTURES_A_BATCH, Trainer, batch_inputs
from engine.training.visual import bank
from engine.training.visual.bank import Scene
from engine.training.visual.script import Repetition
from engine.training.visual.splits import VALIDATION
from engine.training.visual.store import SceneStore
from engine.training.visual.truth import VisualEvent
from engine.training.watch_data import Makings, WatchConfig, make_watch_shard
from engine.training.watch_eval import Watched, summary
from engine.training.watching import LATE_S
from engine.types import StepOutput
from engine.voice import Voice
from tests.engine.training_fakes import shard_arrays
from tests.fakes import ToneVoice

TURNS = 150
WAVES = (6.0, 15.0)


def scene(**more: object) -> Scene:
    made = Scene(
        "exercise",
        (np.zeros(0, np.uint8),) * TURNS,
        np.zeros(TURNS, np.bool_),
        tuple(Repetition("squat", 3.0 + 2 * k, 4.7 + 2 * k, counts=True) for k in range(10)),
        (
            *(VisualEvent(t, t + 2, "wave", "left") for t in WAVES),
            VisualEvent(20, 22, "wave", "left", visible=0.2),
        ),
    )
    return replace(made, **more)  # type: ignore[arg-type]


def session(asked: Instruction, seen: Scene | None = None) -> SessionSimulator:
    made = SessionSimulator(
        np.random.default_rng(1), [], [], ToneVoice(), ("Yes.",), TURNS, empty=True, scene=seen or scene()
    )
    assert made.watching is not None
    made.watching.only(asked, 0.4)
    return made


def flawless(made: SessionSimulator) -> Trace:
    while made.index < made.turns:
        wanted = made.observe()[2]
        made.act(StepOutput(wanted.decision, {}, say=wanted.say, delegate=wanted.delegate))
    return made.trace()


def said(trace: Trace) -> list[float]:
    return [(i + 1) * CHUNK_S for i, turn in enumerate(trace.turns) if turn.acted.say in STANDING_TOKENS]


@pytest.mark.parametrize("what", [ANY, "squat"])
def test_every_repetition_is_counted_once_and_at_once(what: str) -> None:
    made = session(Instruction(COUNT, what))
    times = said(flawless(made))
    ends = [r.end for r in scene().repetitions]
    assert len(times) == len(ends)
    assert all(0.05 <= t - end <= 0.3 for t, end in zip(times, ends, strict=True))
    watch = made.speech.standing.view(30.0).of(COUNT)
    assert watch is not None and watch.said == 10


def test_other_exercises_are_not_counted() -> None:
    assert said(flawless(session(Instruction(COUNT, "lunge")))) == []


def test_a_cue_is_said_once_when_it_can_be_seen() -> None:
    times = said(flawless(session(Instruction(CUE, "wave", "You're waving."))))
    assert len(times) == 2
    assert all(0 < t - at < 0.4 for t, at in zip(times, WAVES, strict=True))


def test_times_are_said_again_and_again_and_do_not_drift() -> None:
    times = said(flawless(session(Instruction(TIME, "", "Five.", 5.0, repeat=True))))
    assert len(times) == 5
    assert np.ptp(np.diff(times)) < 0.25 and abs(np.mean(np.diff(times)) - 5.0) < 0.05
    assert len(said(flawless(session(Instruction(TIME, "", "Now.", 5.0))))) == 1


def test_what_cannot_be_seen_is_not_asked_for() -> None:
    dark = np.zeros(TURNS, np.bool_)
    dark[: int(12 / CHUNK_S)] = True
    times = said(flawless(session(Instruction(COUNT, ANY), scene(bad=dark))))
    assert times and min(times) > 12.0


def test_what_was_missed_no_longer_matters_after_a_while() -> None:
    made = session(Instruction(COUNT, ANY))
    wanted = []
    while made.index < made.turns:
        wanted.append(made.observe()[2].say == COUNT)
        made.act(StepOutput("listen", {}))
    first = [k for k, due in enumerate(wanted) if due]
    runs = np.split(np.array(first), np.flatnonzero(np.diff(first) > 1) + 1)
    assert len(runs) == 10
    assert all(len(run) <= math.ceil(LATE_S[COUNT] / CHUNK_S) for run in runs)


def test_a_number_said_too_early_counts_for_the_repetition_that_is_about_to_end() -> None:
    made = session(Instruction(COUNT, ANY))
    early = int(4.4 / CHUNK_S) - 1
    while made.index < made.turns:
        wanted = made.observe()[2]
        hasty = made.index == early
        made.act(StepOutput("speak" if hasty else wanted.decision, {}, say=COUNT if hasty else wanted.say))
    assert len(said(made.trace())) == 10


def test_who_talks_is_counted_along_with_and_cut_in_on_where_that_was_asked() -> None:
    for asked, decision in (
        (Instruction(COUNT, ANY), "backchannel"),
        (Instruction(CUE, "wave", "Hi."), "interrupt"),
    ):
        made = session(asked)
        watching = made.watching
        assert watching is not None
        watching.arm(asked, 0.0)
        due = watching.moments[0].t + 0.1
        assert watching.blend(Target("listen"), due, speaks=True, words_left=0).decision == decision
        assert watching.blend(Target("listen"), due, speaks=False, words_left=0).decision == "speak"
        hand_over = Target("speak", "Let me see.", delegate=True)
        assert watching.blend(hand_over, due, speaks=False, words_left=0) is hand_over
        assert watching.blend(Target("yield"), due, speaks=True, words_left=0).decision == "yield"
        assert watching.blend(Target("speak"), due, speaks=False, words_left=9).say == "none"


def test_stopping_ends_it() -> None:
    made = session(Instruction(COUNT, ANY))
    assert made.watching is not None
    made.watching.stops_at = 10.0
    times = said(flawless(made))
    assert times and max(times) < 10.5
    assert made.speech.standing.view(30.0).watches == ()


def test_mixed_sessions_draw_what_makes_sense() -> None:
    kinds = set()
    for seed in range(40):
        made = SessionSimulator(
            np.random.default_rng(seed), [], [], ToneVoice(), ("Yes.",), TURNS, empty=True, scene=scene()
        )
        made.run()
        kinds |= {turn.target.say for turn in made.traces}
    assert {COUNT, CUE, TIME} <= kinds


def test_the_words_of_cues_cover_all_of_them() -> None:
    assert set(CUE_WORDS) == set(CUES)


def watched(asked: Instruction, due: tuple[float, ...], times: tuple[float, ...]) -> Watched:
    return Watched(asked, due, times, 60.0)


def test_figures() -> None:
    count, cue, time = (
        Instruction(COUNT, ANY),
        Instruction(CUE, "wave", "Hi."),
        Instruction(TIME, "", "Now.", 5.0),
    )
    report = summary(
        [
            watched(count, (1.0, 2.0, 3.0, 4.0), (1.2, 2.2, 3.2)),
            watched(count, (1.0, 2.0), (1.2, 2.2, 3.0, 4.0, 5.0)),
            watched(count, (), (7.0,)),
            watched(cue, (10.0, 20.0), (10.4, 40.0)),
            watched(time, (5.0, 10.0), (5.3, 11.0, 30.0)),
        ]
    )
    assert report.counted == 2 and report.off_by_one == 0.5
    assert report.count_error == pytest.approx((0.25 + 1.5) / 2)
    assert report.count_late_s == pytest.approx(0.2)
    assert report.counts_idle == pytest.approx(1.0)
    assert (report.cues, report.cue_found, report.cue_false) == (2, 0.5, 1.0)
    assert report.cue_late_s == pytest.approx(0.4)
    assert (report.times, report.time_within, report.time_false) == (2, 0.5, 1.0)
    assert "counts within one 0.50 of 2" in report.line()
    assert report.score < 0.5
    empty = summary([])
    assert math.isnan(empty.off_by_one) and math.isfinite(empty.score)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scenes") / "scenes-00000.npz"
    bank.write(path, [bank.make_scene([4, k], kind, 12.0) for k, kind in enumerate(("exercise", "gestures"))])
    return path


def test_scenes_come_back_from_a_file(stored: Path) -> None:
    first, second = bank.read(stored)
    again = bank.make_scene([4, 0], "exercise", 12.0)
    assert (first.kind, second.kind) == ("exercise", "gestures")
    assert first.events == again.events and first.repetitions == again.repetitions
    np.testing.assert_array_equal(first.film(), again.film())
    assert first.film().shape == (60, 120, 160, 3)
    assert np.ptp(second.picture(3)) > 50


def test_a_file_of_scenes_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "x.npz").write_bytes(b"PK\x03\x04 no")
    for name in ("x.npz", "missing.npz"):
        with pytest.raises(InputError, match="no bank of scenes"):
            bank.read(tmp_path / name)


def test_scenes_of_another_split_are_others(stored: Path) -> None:
    kept = bank.make_scene([4, 0], "exercise", 12.0, VALIDATION)
    assert not np.array_equal(kept.film(), bank.read(stored)[0].film())


def test_films_are_what_the_model_takes(stored: Path) -> None:
    store = SceneStore({7: stored})
    films = store.films([(7, 0), (7, 1)])
    assert films.shape == (120, 3, 120, 160)
    assert -1.0 <= float(films.min()) < 0.0 < float(films.max()) <= 1.0
    varied = store.films([(7, 0)], np.random.default_rng(1))
    assert varied.shape == (60, 3, 120, 160) and not torch.equal(varied, films[:60])


def test_wishes_are_for_what_is_to_be_seen() -> None:
    asked = watch_eval.wishes(np.random.default_rng(0), [scene(repetitions=()), scene()] * 10)
    assert {a.token for a in asked} == {COUNT, CUE, TIME}
    assert all(a.token == COUNT for a in asked[1::2])


def test_a_batch_shows_each_session_its_own_scene(stored: Path) -> None:
    data = {name: torch.from_numpy(values) for name, values in shard_arrays(3, turns=60).items()}
    data["scene"] = torch.tensor([[-1, -1], [7, 1], [7, 0]], dtype=torch.int16)
    pictures, rng = torch.zeros(16, 3, 120, 160), np.random.default_rng(2)
    inputs = batch_inputs(data, torch.arange(3), pictures, rng, store=SceneStore({7: stored}))
    films = SceneStore({7: stored}).films([(7, 1), (7, 0)])
    for row, film in ((1, films[:60]), (2, films[60:])):
        torch.testing.assert_close(inputs.frames[inputs.frame_index[row]], film)
    assert (inputs.frame_index[0] < PICTURES_A_BATCH).all()


def test_sessions_of_watching_are_balanced_by_as_many_others(tmp_path: Path) -> None:
    config = read_config({"name": "mini", "seed": 1, "train": {"batch": 2}}, "test")
    trainer = Trainer(config, tmp_path)
    trainer.training = np.arange(10)
    trainer.data = {"scene": torch.tensor([[-1, -1]] * 8 + [[0, 0], [0, 1]])}
    trainer.watching = 2
    watching = Stage(1, 0, 1, 1e-3, 0, watching=True)
    for seed in range(5):
        rows = trainer._order(watching, np.random.default_rng(seed))
        assert len(rows) == 4 and {8, 9} <= set(rows)
    assert len(trainer._order(replace(watching, watching=False), np.random.default_rng(0))) == 10


def test_sessions_with_a_camera_are_made_once(tmp_path: Path, stored: Path) -> None:
    rooms = [np.zeros((60, WHISPER_DIM), np.float16)]
    makings = Makings(
        DataConfig(turns=60), WatchConfig(1, 2, 0.0), Pools({"a": []}, [], []), rooms,
        Voice(), WhisperEncoder(), ("Yes.",), ("what is the time?",),
    )  # fmt: skip
    path = tmp_path / "watch-00000.npz"
    make_watch_shard(path, stored, 0, makings)
    arrays = read_shard(path)
    assert arrays["decision"].shape == (4, 60)
    assert set(map(tuple, arrays["scene"].tolist())) <= {(-1, -1), (0, 0), (0, 1)}
    assert arrays["standing"].any(), "something was asked for"
    written = path.stat().st_mtime_ns
    make_watch_shard(path, stored, 0, makings)
    assert path.stat().st_mtime_ns == written
