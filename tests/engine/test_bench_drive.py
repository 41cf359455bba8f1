"""Cases run through the live loop: the scripted background, and what an outcome holds."""

import numpy as np
import pytest

from engine.bench.background import FIRST_WORD_S, NOTHING, RECOGNISED_S, WORDS_A_SECOND, ScriptedBackground
from engine.bench.drive import run_case, twin
from engine.bench.figures import MEASURES, OVERALL, figure
from engine.bench.measure import measure
from engine.bench.said import answer_onset, words
from engine.bench.suite import load_engine
from engine.handover import HandOver
from tests.engine.bench_fakes import ANSWER, Planned, case, cue, overlap_cases
from tests.fakes import FakeEngine, FakeStopwatch, ToneVoice, output


def run(made_for, engine, voice=None):
    return run_case(made_for, engine, voice or ToneVoice(), FakeStopwatch())


def began(made):
    """When the answer began to be heard."""
    t = answer_onset(made.heard, words(made.turns))
    assert t is not None
    return t


def asks(*indices):
    return Planned({i: output("speak", "Let me see.", delegate=True) for i in indices})


# the background


def ask(background, t):
    return background.submit(t, HandOver(), None)


def answers_of(background, t=100.0):
    return [(e.id, e.text) for e in background.poll(t) if e.event == "answer"]


def test_words_come_as_fast_as_from_the_real_background():
    background = ScriptedBackground((ANSWER,), lambda t: (cue(),))
    ask(background, 2.0)
    events = background.poll(100.0)
    assert [(e.event, e.t) for e in events[:2]] == [("asked", 2.0), ("partial", 2.0 + RECOGNISED_S)]
    assert events[1].detail["role"] == "request"
    spoken = [e for e in events if e.detail.get("role") == "answer"]
    assert " ".join(e.text for e in spoken) == ANSWER
    assert spoken[0].t == 2.0 + FIRST_WORD_S
    assert spoken[12 - 1].t - spoken[0].t == pytest.approx(11 / WORDS_A_SECOND)
    assert events[-1].event == "answer"


def test_the_same_turn_gets_the_same_answer_again_and_the_next_one_the_next():
    begun = [cue()]
    background = ScriptedBackground(("first answer", "second answer"), lambda t: tuple(begun))
    ask(background, 1.0), ask(background, 2.0)
    begun.append(cue())
    ask(background, 3.0)
    begun.append(cue())
    ask(background, 4.0)
    texts = ["first answer", "first answer", "second answer", "second answer"]
    assert answers_of(background) == list(enumerate(texts))


def test_there_is_nothing_in_a_request_before_anybody_spoke():
    background = ScriptedBackground((ANSWER,), lambda t: ())
    ask(background, 1.0)
    assert [(e.event, e.text, e.detail.get("reason")) for e in background.poll(9.0)] == [
        ("asked", "", None),
        ("answer", "", NOTHING),
    ]
    assert background.open_jobs == 0


def test_a_cancelled_job_says_no_more():
    background = ScriptedBackground((ANSWER,), lambda t: (cue(),))
    job = ask(background, 1.0)
    assert background.open_jobs == 1
    before = background.poll(1.5)
    background.cancel(job, 1.5)
    assert [e.event for e in background.poll(9.0)] == ["cancelled"]
    assert before[-1].t < 1.5
    assert background.open_jobs == 0
    background.cancel(job, 2.0)
    assert background.poll(9.0) == ()


# a case


def test_an_outcome_holds_what_was_done_and_heard():
    made = run(case("turn_taking", cue()), asks(10))
    assert [h.start for h in made.happened] == [1.0]
    assert [e.event for e in made.background][:2] == ["asked", "partial"]
    assert len(made.heard) == 4_800 * len(made.turns)
    assert made.turns[10].delegate
    said = " ".join(line.text for line in made.transcripts if line.speaker == "assistant")
    assert said == f"Let me see. {ANSWER}"
    assert [line.text for line in made.transcripts if line.speaker == "user"] == ["say a number"]
    own = [w.own for w in words(made.turns)]
    assert own == [True] * 3 + [False] * 12


def test_the_first_sound_comes_when_the_decision_was_computed():
    engine = FakeEngine({5: output("speak", "right")}, {5: 0.15})
    made = run_case(case("turn_taking", cue()), engine, ToneVoice(), engine.stopwatch)
    assert np.flatnonzero(made.heard)[0] / 24_000 == pytest.approx(1.2 + 0.15, abs=1e-3)
    assert made.turns[5].compute_ms == pytest.approx(150)


def test_the_user_reacts_to_the_answer_and_not_to_the_phrase_before_it():
    made_for = case("aside", cue(), cue(after="answer", delay_s=1.0, wants_answer=False))
    made = run(made_for, asks(10))
    assert made.happened[1].start == pytest.approx(began(made) + 1.0, abs=1e-4)
    assert began(made) > 2.2 + 0.75


def test_engine_and_voice_are_as_new_in_every_case():
    engine, voice = asks(10), ToneVoice()
    made_for = case("turn_taking", cue(), length_s=4.0, seed=7)
    first, second = run(made_for, engine, voice), run(made_for, engine, voice)
    assert engine.seeds == [7, 7]
    assert first.turns == second.turns
    np.testing.assert_array_equal(first.heard, second.heard)


def test_the_twin_lacks_the_overlap_alone():
    made_for = overlap_cases()[0]
    alone = twin(made_for)
    assert alone.cues == made_for.cues[:1]
    assert alone.answers == made_for.answers


# the references


def overlaps_of(name):
    engine = load_engine(name, None)
    found = {}
    for made_for in overlap_cases():
        found[made_for.task] = [measure(run(made_for, engine), run(twin(made_for), engine))]
    return found


def overall(found):
    (row,) = [m for m in MEASURES if m.group == OVERALL]
    value = figure(row, found)
    assert value is not None
    return value.value


def test_never_stopping_is_right_in_three_overlaps_of_four():
    found = overlaps_of("never-stops")
    assert [found[task][0]["success"] for task in found] == [[(0, 1)], [(1, 1)], [(1, 1)], [(1, 1)]]
    assert found["interruption"][0]["stopped"] == [(0, 1)]
    assert overall(found) == 75.0


def test_silence_is_no_way_to_resume():
    assert overall(overlaps_of("never-speaks")) == 0.0


def test_yielding_to_an_interruption_and_asking_anew_responds():
    made_for = overlap_cases()[0]
    alone = run(twin(made_for), asks(10))
    stop = int((began(alone) + 2.0) / 0.2) + 2
    plan = dict(asks(10).plan)
    plan[stop] = output("yield", "drop")
    plan[stop + 6] = output("speak", "Let me see.", delegate=True)
    made = run(made_for, Planned(plan))
    figures = measure(made, alone)
    assert figures["success"] == [(1, 1)]
    assert 0.2 < figures["stop"][0][0] < 0.7
    assert 0.0 < figures["response"][0][0] < 1.0
    assert "quite another answer" in " ".join(line.text for line in made.transcripts)


def test_yielding_and_relaying_on_resumes():
    made_for = overlap_cases()[1]
    alone = run(twin(made_for), asks(10))
    stop = int((began(alone) + 2.0) / 0.2) + 2
    plan = {**asks(10).plan, stop: output("yield")}
    plan |= {i: output() for i in range(stop + 1, stop + 8)}
    figures = measure(run(made_for, Planned(plan)), alone)
    assert figures["success"] == figures["stopped_resumed"] == [(1, 1)]
    assert 1.0 < figures["pause_made"][0][0] < 2.2
