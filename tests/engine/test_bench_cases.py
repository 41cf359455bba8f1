"""The benchmark's cases: apart from the training in voices, texts and rooms, sane, and the same each time."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from engine.bench import material, rooms, scenes
from engine.bench.cases import OVERLAPS, TASKS, Case
from engine.bench.noises import LEVELS_DB, NOISES, noise
from engine.config import INPUT_HZ
from engine.errors import InputError
from engine.paths import asset
from engine.training import clips, human, phrases
from engine.training.bench_audio import VOICES, assign
from engine.training.texts import make_line

SPLITS = ("test", "validation")
WARPS_OF_TRAINING = (0.82, 1.2)


def index() -> list[dict[str, object]]:
    rows: list[dict[str, object]] = json.loads(asset("bench/clips.json").read_text(encoding="utf-8"))
    return rows


def plain(text: str) -> str:
    """Lower-case words with single spaces around each, so that one text can be looked for in another."""
    return f" {' '.join(re.findall(r'[a-z0-9]+', text.lower().replace(chr(39), '')))} "


def said(split: str) -> list[str]:
    lines = material.texts()[split]
    return [plain(line) for kind in lines if kind != "backchannel" for line in lines[kind]]


# -- apart from the training ------------------------------------------------------------------


def test_no_voice_of_the_benchmark_is_drawn_in_training():
    for voice in VOICES:
        if voice.family == "espeak-ng":
            assert voice.variant not in clips._ESPEAK
        elif voice.family == "flite":
            assert voice.variant not in clips._FLITE
        elif voice.family == "hibari":
            low, high = WARPS_OF_TRAINING
            assert not low <= voice.warp <= high
        else:
            assert voice.family == "festival"


def test_training_stays_within_its_band_of_vocal_tracts():
    rng = np.random.default_rng(0)
    speakers = clips._speakers()
    names = [speakers.choose(rng)[0] for _ in range(400)]
    warps = [float(n.rsplit(" w", 1)[1]) for n in names if " w" in n]
    assert WARPS_OF_TRAINING[0] <= min(warps) and max(warps) <= WARPS_OF_TRAINING[1]


def test_no_voice_is_in_both_splits():
    settings = {s: {(v.family, v.variant, v.warp) for v in VOICES if v.split == s} for s in SPLITS}
    assert settings["test"].isdisjoint(settings["validation"])
    others = {(v.family, v.variant) for v in VOICES if v.split == "test" and v.family != "hibari"}
    assert others.isdisjoint({(v.family, v.variant) for v in VOICES if v.split == "validation"})
    names = {v.name: v.split for v in VOICES}
    assert len(names) == len(VOICES)
    assert all(names[str(row["voice"])] == row["split"] for row in index())


def test_no_text_of_the_benchmark_is_a_line_of_the_training():
    rng = np.random.default_rng(0)
    trained = {plain(make_line(rng, ()).text) for _ in range(4000)}
    trained = {line for line in trained if len(line.split()) >= 4}
    for text in said("test") + said("validation"):
        assert text not in trained
        assert not [line for line in trained if line in text]
        assert len(text.split()) < 4 or not [line for line in trained if text in line]


def test_no_text_of_the_benchmark_fits_a_template_of_the_training():
    slot = r"(?:[a-z0-9]+ ){1,4}"
    groups = (phrases.REQUESTS, phrases.SHORT, phrases.ASIDES, phrases.OPENERS)
    templates = []
    for template in (t for group in groups for t in group if len(t.split()) > 3):
        words = re.findall(r"\{[a-z]+\}|[a-z0-9]+", template.lower().replace("'", ""))
        pattern = "".join(slot if w.startswith("{") else f"{w} " for w in words)
        templates.append(re.compile(f" {pattern}"))
    assert len(templates) > 50
    fitting = [
        (text, template.pattern)
        for text in said("test") + said("validation")
        for template in templates
        if template.search(text)
    ]
    assert not fitting


def test_the_splits_share_no_text():
    assert set(said("test")).isdisjoint(said("validation"))
    for split in SPLITS:
        assert len(set(said(split))) == len(said(split))


def test_what_is_shipped_is_what_is_written():
    for split in SPLITS:
        voices = [v for v in VOICES if v.split == split]
        jobs = assign(material.texts()[split], voices)
        rows = [row for row in index() if row["split"] == split]
        assert [(v.name, kind, text) for v, kind, text in jobs] == [
            (r["voice"], r["kind"], r["text"]) for r in rows
        ]
        for clip, row in zip(material.synthetic(split), rows, strict=True):
            assert len(clip.pieces) == str(row["text"]).count("|") + 1
            assert all(0.1 < len(p) / INPUT_HZ < 9 for p in clip.pieces), clip.text
            assert all(abs(float(np.sqrt(np.mean(p**2))) / 0.08 - 1) < 0.05 for p in clip.pieces)


def test_the_speech_is_light():
    assert sum(f.stat().st_size for f in asset("bench").iterdir()) < 5 * 1024 * 1024


# -- rooms ------------------------------------------------------------------------------------


def test_rooms_differ_and_sound_like_rooms():
    every = [*rooms.test_rooms(), *rooms.validation_rooms()]
    assert len({room.name for room in every}) == len(every)
    for k, room in enumerate(every):
        assert not any(np.array_equal(room.near, other.near) for other in every[:k])
        assert np.abs(room.near).max() == pytest.approx(1.0, abs=0.05)
        power = [float(np.sum(r**2)) for r in (room.loudspeaker, room.near, room.turned)]
        assert power == sorted(power, reverse=True)
        assert np.abs(room.far).max() < 0.4
        assert np.abs(room.near[-800:]).max() < 0.01
        assert np.argmax(np.abs(room.far)) > np.argmax(np.abs(room.near))


def test_a_room_reverberates_as_long_as_it_was_asked_to():
    size = (5.0, 4.0, 2.6)
    for wanted in (0.2, 0.45):
        box = rooms.Shoebox(
            "box", size, wanted, (1.6, 1.5, 0.9), (2.1, 1.7, 1.2), (4.2, 3.3, 1.4), (1.3, 1.8, 0.9), -8.0
        )
        energy = np.cumsum((rooms.build(box).far ** 2)[::-1])[::-1]
        level = 10 * np.log10(energy / energy[0] + 1e-12)
        decay = 3 * (np.argmax(level < -25) - np.argmax(level < -5)) / INPUT_HZ  # T20, ISO 3382
        assert decay == pytest.approx(wanted, rel=0.3)


# -- noise ------------------------------------------------------------------------------------


def test_noises_come_in_turn_at_every_level():
    made = [noise(k, np.random.default_rng(k), INPUT_HZ * 2) for k in range(3 * len(NOISES))]
    names = {name for name, _ in made}
    assert len(names) == 1 + (len(NOISES) - 1) * len(LEVELS_DB)
    for name, samples in made:
        assert samples.dtype == np.float32 and len(samples) == INPUT_HZ * 2
        if name != "silence":
            wanted = float(name.split()[1])
            assert 20 * np.log10(np.std(samples)) == pytest.approx(wanted, abs=3)


# -- cases ------------------------------------------------------------------------------------


def check(case: Case, task: str, split: str) -> None:
    choice = rooms.test_rooms() if split == "test" else rooms.validation_rooms()
    assert case.task == task
    assert any(case.room is room for room in choice)
    assert case.noise is not None and len(case.noise) == round(case.length_s * INPUT_HZ)
    assert case.noise.dtype == np.float32 and np.abs(case.noise).max() <= 1
    assert (task == "noise") == (not case.cues)
    for cue in case.cues:
        assert cue.audio.dtype == np.float32 and np.isfinite(cue.audio).all()
        edges = [t for span in cue.spans for t in span]
        assert edges[0] >= 0 and edges == sorted(edges) and edges[-1] <= len(cue.audio) / INPUT_HZ + 1e-9
        for (_, end), (start, _) in zip(cue.spans, cue.spans[1:], strict=False):
            silence = cue.audio[round(end * INPUT_HZ) : round(start * INPUT_HZ)]
            assert not silence.any()
        if cue.after == "start":
            assert cue.delay_s + edges[-1] + 3.5 <= case.length_s
    if case.cues and case.cues[0].channel == "near":
        heard = case.speech_gain * 0.08 * float(np.sqrt(np.sum(case.room.near**2)))
        assert 0.029 < heard < 0.121
    if case.cues:
        assert len(case.answers) == 3
    if task in OVERLAPS:
        first, second = case.cues
        assert (first.after, second.after) == ("start", "answer")
        assert second.role == task and 1.5 <= second.delay_s <= 4
        assert second.wants_answer == (task == "interruption")
        assert first.wants_answer and first.text != second.text
        assert (second.channel == "far") == (task == "background_speech")
        assert len(case.answers[0].split()) > 30
    if task in ("pauses", "correction", "monologue"):
        assert len(case.cues[0].spans) >= 2
    if task == "monologue":
        assert case.cues[0].clauses == tuple(end for _, end in case.cues[0].spans)
    assert (case.echo_gain > 0) == (task == "echo")


@pytest.mark.parametrize("task", TASKS)
def test_every_task_makes_sane_cases(task: str):
    for split in SPLITS:
        cases = scenes.make_cases(task, split, 3, "synthetic", None)
        assert len({case.name for case in cases}) == 3
        for case in cases:
            check(case, task, split)
            assert case.voices == "synthetic"
            assert not case.speaker or case.speaker in {v.name for v in VOICES if v.split == split}


def test_a_case_depends_on_its_number_and_the_seed_alone():
    few = scenes.make_cases("aside", "test", 2, "synthetic", None, seed=5)
    more = scenes.make_cases("aside", "test", 4, "synthetic", None, seed=5)
    other = scenes.make_cases("aside", "test", 2, "synthetic", None, seed=6)
    for a, b in zip(few, more, strict=False):
        assert (a.name, a.answers, a.speech_gain, a.seed) == (b.name, b.answers, b.speech_gain, b.seed)
        assert a.noise is not None and b.noise is not None and np.array_equal(a.noise, b.noise)
        for one, two in zip(a.cues, b.cues, strict=True):
            assert one.text == two.text and one.delay_s == two.delay_s
            assert np.array_equal(one.audio, two.audio)
    assert few[0].seed != other[0].seed
    assert {case.cues[1].channel for case in more} == {"near", "turned"}


def test_all_clips_are_used_before_one_comes_again():
    corrections = len(material.texts()["validation"]["correction"])
    cases = scenes.make_cases("correction", "validation", corrections, "synthetic", None)
    assert len({case.cues[0].text for case in cases}) == corrections


def test_what_the_benchmark_does_not_know_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match="'juggling'"):
        scenes.make_cases("juggling", "test", 1, "synthetic", None)
    with pytest.raises(InputError, match="'train'"):
        scenes.make_cases("noise", "train", 1, "synthetic", None)
    with pytest.raises(InputError, match="no librispeech"):
        scenes.make_cases("pauses", "test", 1, "human", tmp_path)


def test_without_recordings_there_are_no_human_cases():
    assert [scenes.make_cases(task, "test", 2, "human", None) for task in TASKS] == [[]] * len(TASKS)


# -- real speakers ----------------------------------------------------------------------------


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Recordings of four test speakers, one to validate and one to train, with their words known already."""
    folder = tmp_path / "librispeech-6"
    folder.mkdir()
    words = {}
    for speaker, clip in zip((4, 8, 12, 16, 6, 5), stories(), strict=True):
        parts, rows, at = [], [], 0.0
        for piece, line in zip(clip.pieces, str(clip.text).split("|"), strict=True):
            spoken, length = line.split(), len(piece) / INPUT_HZ
            step = length / len(spoken)
            rows += [(w, at + k * step, at + (k + 1) * step) for k, w in enumerate(spoken)]
            parts += [piece, np.zeros(INPUT_HZ // 2, np.float32)]
            at += length + 0.5
        sf.write(folder / f"{speaker}-1-0000.ogg", np.concatenate(parts), INPUT_HZ, format="OGG")
        words[f"{speaker}-1-0000"] = rows
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "words.json").write_text(json.dumps(words), encoding="utf-8")
    monkeypatch.setattr(material, "cache_dir", lambda: cache)
    return tmp_path


def stories() -> list[material.Spoken]:
    """Six spoken stories with the marks of their pieces."""
    marked = {t.replace("|", " "): t for t in material.texts()["test"]["story"]}
    found = [c for c in material.synthetic("test") if c.kind == "story"][:6]
    return [material.Spoken("story", marked[c.text], c.voice, c.pieces) for c in found]


def test_human_cases_come_from_speakers_of_their_split(recorded: Path):
    for task in TASKS:
        cases = scenes.make_cases(task, "test", 3, "human", recorded)
        if task in ("correction", "backchannel", "noise"):
            assert cases == []
            continue
        assert len(cases) == 3
        for case in cases:
            check(case, task, "test")
            assert case.voices == "human"
            assert human.split_of(int(case.speaker.split()[1])) == "test"
            if task == "aside":
                assert case.cues[1].channel == "turned"


def test_a_real_story_keeps_its_pauses(recorded: Path):
    (case,) = scenes.make_cases("monologue", "validation", 1, "human", recorded)
    cue = case.cues[0]
    assert case.speaker == "speaker 6"
    assert cue.wants_answer
    pauses = [b[0] - a[1] for a, b in zip(cue.spans, cue.spans[1:], strict=False)]
    assert np.median(pauses) == pytest.approx(0.5, abs=0.2)
