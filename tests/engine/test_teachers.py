"""Detectors as teachers, and rules chosen on recordings: spans, completeness, what is kept, the grid."""

import importlib.util

import numpy as np
import pytest

from engine.background.recognise import before_loop
from engine.config import CHUNK_S
from engine.decisions import DECISION_INDEX
from engine.detectors.silero import WINDOW_S, SileroVad
from engine.detectors.smart_turn import SmartTurn
from engine.engines.pipeline_rules import PipelineRules
from engine.training.evaluate import spoken_case
from engine.training.teachers import Teachers, spans_of
from engine.training.tune_pipeline import Listener, candidates
from tests.engine.speech_samples import end_of, quiet, said, scene

FIRST, SECOND = "I would like to book a table", "for two people on Thursday evening."


def test_spans_join_short_breaks_and_leave_out_short_sounds():
    probs = [0.0] * 10 + [0.9] * 10 + [0.1] * 2 + [0.4, 0.9] * 5 + [0.1] * 20 + [0.9] * 2 + [0.0] * 10
    ((start, end),) = spans_of(probs)
    assert start == pytest.approx(10 * WINDOW_S)
    assert end == pytest.approx(32 * WINDOW_S)
    assert spans_of([0.9] * 10) == ((0.0, 10 * WINDOW_S),)
    assert spans_of([]) == ()


def test_the_teachers_find_speech_and_finished_turns():
    teachers = Teachers()
    assert teachers.hears_speech
    assert teachers.judges_turns
    samples = scene(6.0, (1.0, FIRST), (3.5, SECOND))
    spans = teachers.activity(samples)
    assert spans is not None
    assert len(spans) == 2
    np.testing.assert_allclose(spans[0], (1.0, end_of(1.0, FIRST)), atol=0.15)
    sentence = said("I would like to book a table for two people.")
    whole = teachers.completeness(np.concatenate([sentence, quiet(0.2)]))
    broken = teachers.completeness(np.concatenate([sentence[: round(0.55 * len(sentence))], quiet(0.2)]))
    assert whole is not None
    assert broken is not None
    assert broken < 0.5 < whole


def test_what_they_said_is_kept_and_not_asked_again(tmp_path, monkeypatch):
    kept = tmp_path / "run" / "teachers.json"
    samples = scene(3.0, (1.0, SECOND))
    first = Teachers(kept)
    told = first.activity(samples), first.completeness(samples)
    first.save()

    def refuse(self: object, samples: object) -> None:
        raise AssertionError("asked again")

    monkeypatch.setattr(SileroVad, "push", refuse)
    monkeypatch.setattr(SmartTurn, "completeness", refuse)
    again = Teachers(kept)
    assert (again.activity(samples), again.completeness(samples)) == told
    assert [path.name for path in kept.parent.iterdir()] == ["teachers.json"]


def test_a_missing_teacher_is_done_without_and_said_once(monkeypatch, capsys):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "pipecat" else find(name))
    teachers = Teachers()
    samples = scene(2.0, (0.5, SECOND))
    assert not teachers.judges_turns
    assert teachers.completeness(samples) is None
    assert teachers.completeness(samples) is None
    assert teachers.activity(samples)
    assert capsys.readouterr().out.count("pip install --no-deps pipecat-ai==1.14.0") == 1


def test_rules_are_judged_by_when_they_take_a_recorded_turn():
    case = spoken_case([said(FIRST), said(SECOND)], pause_s=0.7)
    listener = Listener(case, SileroVad(), SmartTurn())

    def takes(rules: PipelineRules) -> list[float]:
        scores = listener.takes(rules)
        return [(k + 1) * CHUNK_S for k in np.flatnonzero(scores[:, DECISION_INDEX["speak"]])]

    assert case.end is not None
    hasty = takes(PipelineRules(silence_ms=300))
    patient = takes(PipelineRules(silence_ms=900))
    assert len(hasty) == 2
    assert case.pauses[0][0] < hasty[0] < case.pauses[0][1] + CHUNK_S
    assert len(patient) == 1
    assert 0.75 < patient[0] - case.end < 1.2


def test_the_grid_holds_the_rules_in_use():
    assert PipelineRules() in candidates(smart_turn=False)
    assert PipelineRules(smart_turn=True) in candidates(smart_turn=True)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Hold on. Hold on. Hold on. Hold on", "Hold on."),
        ("Hold on, what about this? Hold on, what about", "Hold on, what about this?"),
        ("Oh, really? Oh, really?", "Oh, really?"),
        ("no no no no", "no"),
        ("No, I meant Thursday.", "No, I meant Thursday."),
        ("Yes.", "Yes."),
        ("", ""),
    ],
)
def test_a_loop_of_the_recogniser_is_cut_off(text, kept):
    assert before_loop(text) == kept
