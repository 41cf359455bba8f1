"""Clips, real voices, evaluation, and the training command from end to end."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from engine import checkpoint
from engine.config import INPUT_HZ
from engine.decisions import DECISION_INDEX
from engine.errors import InputError
from engine.paths import fingerprint
from engine.training import evaluate, human, run
from engine.training.clips import (
    PAUSE_CHANCE,
    Clip,
    break_line,
    cut_speech,
    hesitant,
    human_clips,
    lengthen,
    pauses_in,
    read,
    save,
    trim16,
    warp,
)
from engine.training.texts import dialogue_turns, is_test_dialogue, make_line, one_sentence
from engine.types import Samples

DIALOGUE = ("The answer is four.", "I think so too.", "It was a long day at the office, so I went home.")


def buzz(seconds: float, pitch: float) -> Samples:
    t = np.arange(int(seconds * INPUT_HZ)) / INPUT_HZ
    return (0.1 * np.sign(np.sin(2 * np.pi * pitch * t))).astype(np.float32)


def clips(voice: str = "buzz") -> list[Clip]:
    kinds = {"request": 2, "statement": 2, "barge_in": 1, "backchannel": 1, "aside": 1, "opener": 1}
    return [
        Clip(kind, f"{kind} words", voice, tuple(buzz(0.6 + 0.3 * k, 100 + 20 * k) for k in range(count)))
        for kind, count in kinds.items()
    ]


def test_broken_lines_keep_their_words() -> None:
    rng = np.random.default_rng(0)
    text = "could you please tell me how far it is to the moon"
    assert break_line(text, 0, rng) == [text]
    for count in (1, 2, 3) * 20:
        parts = break_line(text, count, rng)
        assert len(parts) == count + 1
        joined = " ".join(parts)
        assert [w for w in joined.replace(",", "").split() if w in text.split()][-1] == "moon"
        assert all(w in joined for w in text.split())


def test_having_heard_a_pause_says_nothing_about_the_next_silence() -> None:
    rng = np.random.default_rng(0)
    counts = np.array([pauses_in(rng, 9) for _ in range(4000)])
    for heard in (0, 1, 2):
        again = np.mean(counts[counts >= heard] > heard)
        assert again == pytest.approx(PAUSE_CHANCE, abs=0.05)
    assert max(pauses_in(rng, 2) for _ in range(200)) == 2


def test_running_speech_is_cut_inside_clauses_without_losing_a_sample() -> None:
    rng = np.random.default_rng(0)
    stop, pause = np.zeros(960, np.float32), np.zeros(4800, np.float32)
    sound = np.concatenate([buzz(0.9, 110), stop, buzz(0.9, 115), pause, buzz(1.4, 120)])
    for _ in range(10):
        pieces = cut_speech(sound, 3, rng)
        np.testing.assert_array_equal(np.concatenate(pieces), sound)
        assert len(pieces) == 2, "not where the speaker pauses, which sounds complete"
        assert 0.88 * INPUT_HZ < len(pieces[0]) < 0.98 * INPUT_HZ, "cut where it is weakest"


def test_hesitation_draws_ends_out_at_their_own_pitch() -> None:
    sound = buzz(1.0, 200)
    longer = lengthen(sound, 0.5, 1.6)
    assert len(longer) == pytest.approx(1.3 * INPUT_HZ, abs=2)
    np.testing.assert_array_equal(longer[: INPUT_HZ // 2], sound[: INPUT_HZ // 2])
    spectrum = np.abs(np.fft.rfft(longer[-8000:]))
    before = np.abs(np.fft.rfft(sound[-8000:]))
    assert int(spectrum.argmax()) == pytest.approx(int(before.argmax()), abs=2)
    pieces = hesitant([sound, sound, sound], np.random.default_rng(0))
    assert all(len(piece) >= len(sound) and abs(piece[-1]) < 1e-3 for piece in pieces[:2])
    np.testing.assert_array_equal(pieces[2], sound)


def test_a_turn_of_several_sentences_is_mostly_cut_to_one() -> None:
    rng = np.random.default_rng(0)
    turn = "I saw it. Was it good? Yes, very good!"
    said = [one_sentence(turn, rng) for _ in range(200)]
    assert {"I saw it.", "Was it good?", "Yes, very good!", turn} == set(said)
    assert 20 < said.count(turn) < 60
    assert one_sentence("Yes.", rng) == "Yes."


def test_dialogue_kept_for_tests_is_never_said(tmp_path: Path) -> None:
    turns = tuple(f"this is dialogue turn number {k}." for k in range(40))
    rng = np.random.default_rng(0)
    said = {make_line(rng, turns).text for _ in range(3000)} & set(turns)
    assert len(said) > 25
    assert not {t for k, t in enumerate(turns) if is_test_dialogue(k)} & said
    assert dialogue_turns(tmp_path / "none.gz") == ()


def test_pool_round_trip(tmp_path: Path) -> None:
    save(clips(), tmp_path / "pool.npz")
    again = read(tmp_path / "pool.npz")
    assert [(c.kind, c.text, c.voice, len(c.pieces)) for c in again] == [
        (c.kind, c.text, c.voice, len(c.pieces)) for c in clips()
    ]
    np.testing.assert_allclose(again[0].pieces[1], clips()[0].pieces[1], atol=1e-4)


def test_warp_and_trim() -> None:
    sound = buzz(1.0, 200)
    assert len(warp(sound, 0.8)) == pytest.approx(len(sound) / 0.8, rel=0.01)
    padded = np.concatenate([np.zeros(5000, np.float32), sound, np.zeros(3000, np.float32)])
    assert abs(len(trim16(padded)) - len(sound)) < 100


def test_speakers_are_split_by_number() -> None:
    assert [human.split_of(n) for n in (103, 1246, 1040)] == ["train", "validation", "test"]


def make_people(folder: Path) -> Path:
    """Three speakers' recordings with a transcript cache, as the shared data is laid out."""
    import soundfile as sf

    voices = folder / "data" / "librispeech-3"
    voices.mkdir(parents=True)
    words: dict[str, list[tuple[str, float, float]]] = {}
    for speaker in (11, 14, 16):
        name = f"{speaker}-1-0000"
        sf.write(
            voices / f"{name}.ogg",
            np.concatenate([buzz(3.0, 90 + speaker), np.zeros(8000, np.float32)]),
            16_000,
        )
        words[name] = [
            (w, 0.5 * k, 0.5 * k + 0.5) for k, w in enumerate("the man went home at night.".split())
        ]
    (folder / "words.json").write_text(json.dumps(words))
    return folder / "data"


def test_training_voices_are_not_judged_on(tmp_path: Path) -> None:
    data = make_people(tmp_path)
    trained = {c.voice for c in human_clips(data, tmp_path, "train", np.random.default_rng(0), 2)}
    assert trained == {"human 11"}
    for split, speaker in (("validation", "14"), ("test", "16")):
        assert {c.name.split("-")[0] for c in evaluate.human_cases(data, tmp_path, split)} == {speaker}


def test_cases_know_where_speech_ends(tmp_path: Path) -> None:
    for case in evaluate.human_cases(make_people(tmp_path), tmp_path, "test"):
        assert case.end is not None
        after = case.audio[int((case.end + 0.05) * INPUT_HZ) :]
        assert np.abs(after).max() < 0.15 * np.abs(case.audio).max()
        for a, b in case.pauses:
            assert 0.34 < b - a < 1.61
            assert np.abs(case.audio[int((a + 0.02) * INPUT_HZ) : int((b - 0.02) * INPUT_HZ)]).max() < 0.02


def scores(*takes: int, turns: int = 40) -> np.ndarray:
    logits = np.zeros((turns, 5), np.float32)
    logits[:, DECISION_INDEX["listen"]] = 2.0
    for k in takes:
        logits[k, DECISION_INDEX["speak"]] = 3.0
    return logits


def test_judging_counts_what_it_says() -> None:
    case = evaluate.Case("x", np.zeros(0, np.float32), ((2.0, 3.0),), 5.0)
    noise = evaluate.Case("noise", np.zeros(0, np.float32), (), None)

    def judge(*logits: np.ndarray) -> evaluate.Report:
        return evaluate.judge([case] * len(logits), list(logits), 0.0)

    in_pause, at_end, never, in_speech = (judge(scores(*t)) for t in ((12,), (26,), (), (5,)))
    assert (in_pause.pauses, in_pause.pauses_taken, in_pause.cut_in) == (1, 1.0, 0.0)
    assert (in_pause.ends, in_pause.ends_taken) == (1, 0.0), "a turn taken too soon is no end taken"
    assert (at_end.pauses, at_end.pauses_taken, at_end.ends_taken) == (1, 0.0, 1.0)
    assert at_end.offset_median_s == pytest.approx(27 * 0.2 + evaluate.COMPUTE_S - 5.0)
    assert (never.ends, never.ends_taken) == (1, 0.0)
    assert (in_speech.cut_in, in_speech.pauses, in_speech.ends_taken) == (1.0, 0, 0.0)
    too_late = judge(scores(41, turns=60))
    assert (too_late.pauses, too_late.ends_taken, too_late.cut_in) == (1, 0.0, 0.0)
    mixed = judge(scores(12), scores(26), scores(27), scores(5))
    assert mixed.pauses == 3
    assert mixed.pauses_taken == pytest.approx(1 / 3)
    assert (mixed.ends, mixed.ends_taken, mixed.cut_in) == (4, 0.5, 0.25)
    on_noise = evaluate.judge([noise], [scores(3, 4, 20)], 0.0)
    assert on_noise.takes_per_noise_minute == pytest.approx(2 / (8 / 60))


def report(**figures: float) -> evaluate.Report:
    perfect = {"pauses_taken": 0.0, "cut_in": 0.0, "ends_taken": 1.0, "takes_per_noise_minute": 0.0}
    offsets = {"offset_median_s": 0.3, "offset_p90_s": 0.8}
    return evaluate.Report(pauses=10, ends=10, noise_minutes=1.0, **{**perfect, **offsets, **figures})


def test_usefulness_weighs_mistakes_and_waiting() -> None:
    assert evaluate.usefulness(report()) == pytest.approx(1.0)
    assert evaluate.usefulness(report(cut_in=0.2, ends_taken=0.8)) == pytest.approx(0.8)
    assert evaluate.usefulness(report(pauses_taken=0.2)) == pytest.approx(0.8)
    assert evaluate.usefulness(report(takes_per_noise_minute=50.0)) == pytest.approx(0.7)
    assert evaluate.usefulness(report(offset_median_s=0.5)) == pytest.approx(0.9)
    assert evaluate.usefulness(report(offset_p90_s=1.8)) == pytest.approx(0.7)
    nothing = report(ends_taken=0.0, offset_median_s=float("nan"), offset_p90_s=float("nan"))
    assert evaluate.usefulness(nothing) < -0.8


def test_the_bias_is_chosen_for_what_is_useful() -> None:
    case = evaluate.Case("x", np.zeros(0, np.float32), ((2.0, 3.0),), 5.0)
    eager = scores(12, 26)
    eager[12, DECISION_INDEX["speak"]] -= 0.6
    choice = evaluate.choose_bias([case], [eager])
    assert -1.0 < choice.bias < 0.0
    assert (choice.report.pauses_taken, choice.report.ends_taken) == (0.0, 1.0)
    assert evaluate.choose_bias([case], [scores(26)]).bias == 0.0, "of equals the smallest"


def test_real_and_synthetic_voices_count_alike() -> None:
    said = [
        evaluate.Case("x", np.zeros(0, np.float32), ((2.0, 3.0),), 5.0, voices)
        for voices in ("human", "human", "human", "synthetic")
    ]
    late = scores(35)
    choice = evaluate.choose_bias(said, [scores(26)] * 3 + [late])
    assert choice.human is not None and choice.synthetic is not None
    assert (choice.human.ends, choice.synthetic.ends) == (3, 1)
    apart = [evaluate.usefulness(choice.human), evaluate.usefulness(choice.synthetic)]
    assert apart[1] < apart[0] and choice.score == pytest.approx(sum(apart) / 2)


def test_features_are_kept_until_the_cases_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = tmp_path / "validation.npz"
    cases = [evaluate.Case("x", buzz(1.0, 200), (), None)]
    first = evaluate.case_features(cases, stored, "dmel")[0]
    assert first.shape == (5, 160)
    with monkeypatch.context() as patched:
        patched.setattr(evaluate, "whole_features", None)
        np.testing.assert_array_equal(evaluate.case_features(cases, stored, "dmel")[0], first)
    other = [evaluate.Case("x", buzz(1.0, 300), (), None)]
    assert not np.array_equal(evaluate.case_features(other, stored, "dmel")[0], first)
    stored.write_bytes(b"PK cut off")
    np.testing.assert_array_equal(evaluate.case_features(cases, stored, "dmel")[0], first)


def test_bias_moves_the_take() -> None:
    assert evaluate.take_time(scores(10), 0.0) == pytest.approx(2.2)
    assert evaluate.take_time(scores(10), -2.0) is None
    assert evaluate.take_time(scores(10), 3.0) == pytest.approx(0.2)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_training_runs_resumes_and_guards_its_folder(tmp_path: Path) -> None:
    config = tmp_path / "c.toml"
    config.write_text(
        "name = 'mini'\nseed = 2\n[data]\nvoices = 2\nlines_per_voice = 5\n"
        "shards = 2\nsessions_per_shard = 1\n"
        "turns = 60\nworkers = 1\nhuman_share = 0.0\n"
        "[model]\nfront_end = 'dmel'\ndim = 32\nlayers = 1\nheads = 2\n"
        "window = 32\n[train]\nepochs = 2\nbatch = 1\nwarmup_steps = 1\nema = 0.5\nthreads = 1\n"
    )
    out = tmp_path / "run"
    run.run_training(config, out, None)
    rows = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    assert [r["epoch"] for r in rows] == [1, 2]
    model = checkpoint.load(out / "mini.safetensors")
    assert model.config.front_end == "dmel"
    card = (out / "mini.md").read_text()
    assert fingerprint(out / "mini.safetensors") in card
    with pytest.raises(InputError, match="finished run"):
        run.run_training(config, out, None)
    before = load_file(out / "mini.safetensors")
    run.run_training(config, out, None, resume=True)
    assert len((out / "log.jsonl").read_text().splitlines()) == 2, "nothing was left to train"
    after = load_file(out / "mini.safetensors")
    assert all(torch.equal(before[name], after[name]) for name in before)
    config.write_text(config.read_text().replace("epochs = 2", "epochs = 3"))
    with pytest.raises(InputError, match="another config"):
        run.run_training(config, out, None, resume=True)
