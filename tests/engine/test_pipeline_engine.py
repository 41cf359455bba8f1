"""The turn-based engine in the live loop: real detectors on real speech, fake loudspeaker and background."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from engine.config import EngineConfig
from engine.decisions import DECISIONS, DROP, RELAY
from engine.detectors.silero import WINDOW_MS
from engine.engines.endpointing import Endpointer
from engine.engines.pipeline import PipelineEngine
from engine.engines.pipeline_rules import PIPELINES, PipelineRules
from engine.engines.registry import ENGINES, make_engine
from engine.errors import InputError, MicroturnError
from engine.events import TextIn
from engine.types import MicroTurn, Samples, SelfState, StepOutput
from tests.engine.speech_samples import chunks, end_of, quiet, scene
from tests.fakes import FakeBackground, FakeEngine
from tests.rig import Rig

QUESTION = "What is the capital of France?"
OTHER = "Hold on, what about the train to London?"
ANSWER = " ".join(f"word{k}" for k in range(40)) + "."
RULES = PipelineRules(
    vad_threshold=0.5, min_speech_ms=100, silence_ms=600, barge_in_ms=300, min_words=2, words_every_ms=400
)


@dataclass
class Driven(FakeEngine):
    """The real engine, whose compute time counts as none."""

    real: PipelineEngine | None = None

    def step(self, turn: MicroTurn) -> StepOutput:
        assert self.real is not None
        return self.real.step(turn)


def run(
    engine: PipelineEngine, samples: Samples, script: Sequence[TextIn] = (), answer_s: float = 0.3
) -> Rig:
    answer = [(answer_s, "partial", ANSWER, {"role": "answer"}), (answer_s + 0.1, "answer", ANSWER, {})]
    rig = Rig(
        Driven(real=engine), chunks=chunks(samples), background=FakeBackground(answer), script=tuple(script)
    )
    return rig.run()


def engine(rules: PipelineRules = RULES) -> PipelineEngine:
    return PipelineEngine("test", rules)


def asked(rig: Rig) -> list[float]:
    assert rig.background is not None
    return [t for t, *_ in rig.background.asked]


def decisions(rig: Rig, decision: str) -> list[float]:
    """When a decision could be carried out."""
    return [turn.t + 0.2 for turn in rig.turns if turn.decision == decision]


def spoken(rig: Rig, begin: float, end: float = float("inf")) -> str:
    """The words that began by decisions between two moments."""
    return " ".join(t.text_out for t in rig.turns if t.text_out and begin <= t.t + 0.2 < end)


@pytest.mark.parametrize("silence_ms", [300.0, 600.0, 1_000.0])
def test_a_turn_is_handed_over_after_the_silence_that_was_set(silence_ms):
    rig = run(engine(PipelineRules(silence_ms=silence_ms)), scene(6.0, (1.0, QUESTION)))
    (t,) = asked(rig)
    waited = t - end_of(1.0, QUESTION)
    # Up to a micro-turn late; the speech ends up to 0.1 s before its samples do.
    assert silence_ms / 1000 - 0.1 <= waited <= silence_ms / 1000 + 0.25


def test_a_pause_shorter_than_the_silence_is_no_end():
    first, second = "I would like to book a table", "for two people on Thursday evening."
    resumed = end_of(1.0, first) + 0.5
    rules = PipelineRules(silence_ms=800)
    rig = run(engine(rules), scene(8.0, (1.0, first), (resumed, second)))
    (t,) = asked(rig)
    assert t > end_of(resumed, second)


def test_it_is_silent_until_the_answer_comes_and_then_says_all_of_it():
    rig = run(engine(), scene(16.0, (1.0, QUESTION)))
    (t,) = asked(rig)
    assert spoken(rig, 0.0, t) == ""
    assert spoken(rig, t) == ANSWER
    assert {turn.say for turn in rig.turns} == {"none", RELAY}
    assert not decisions(rig, "yield")


@pytest.mark.parametrize("level", [0.0, 5e-4, 0.02])
def test_noise_and_silence_are_no_turn(level):
    rig = run(engine(), quiet(6.0, level))
    assert {turn.decision for turn in rig.turns} == {"listen"}


def test_speech_over_the_answer_stops_it_drops_the_rest_and_is_the_next_request():
    rig = run(engine(), scene(12.0, (1.0, QUESTION), (5.0, OTHER)))
    (stopped,) = decisions(rig, "yield")
    assert 5.3 <= stopped <= 5.9
    assert next(turn.say for turn in rig.turns if turn.decision == "yield") == DROP
    first, second = asked(rig)
    assert first < stopped < end_of(5.0, OTHER) < second
    assert spoken(rig, stopped, second) == ""
    # What comes after is the new answer from its start.
    assert spoken(rig, second).startswith("word0 word1")


def test_speech_shorter_than_the_rule_does_not_stop_it():
    rules = PipelineRules(barge_in_ms=1_500)
    rig = run(engine(rules), scene(12.0, (1.0, QUESTION), (5.0, "Right.")))
    assert len(asked(rig)) == 1
    assert not decisions(rig, "yield")


def test_by_words_a_nod_goes_past_it_and_a_sentence_stops_it():
    words = engine(PipelineRules(barge_in="words", min_words=3, words_every_ms=400))
    nod = run(words, scene(12.0, (1.0, QUESTION), (5.0, "Mm-hm.")))
    assert len(asked(nod)) == 1
    assert not decisions(nod, "yield")
    words.reset(0)
    sentence = run(words, scene(12.0, (1.0, QUESTION), (5.0, OTHER)))
    (stopped,) = decisions(sentence, "yield")
    assert 5.4 <= stopped <= end_of(5.0, OTHER) + 0.6
    assert len(asked(sentence)) == 2


def test_going_on_before_the_answer_began_takes_the_request_back():
    first, second = "I would like to book", "a table for two people."
    resumed = end_of(1.0, first) + 0.65
    rules = PipelineRules(silence_ms=400)
    rig = run(engine(rules), scene(8.0, (1.0, first), (resumed, second)), answer_s=1.5)
    early, whole = asked(rig)
    assert end_of(1.0, first) < early < resumed + 0.3
    assert whole > end_of(resumed, second)
    assert rig.background is not None
    assert rig.background.cancelled[0] == 0
    samples = rig.background.asked[1][1].audio
    assert len(samples) / 16_000 > whole - 1.0  # it reaches back to the beginning of the first part


def test_typed_words_are_handed_over_at_once_and_stop_an_answer():
    rig = run(engine(), quiet(8.0), [TextIn(1.05, "hello"), TextIn(4.05, "something else")])
    first, second = asked(rig)
    assert 1.2 <= first <= 1.4
    assert 4.2 <= second <= 4.6
    assert len(decisions(rig, "yield")) == 1
    assert rig.background is not None
    assert [package.text for _, package, _ in rig.background.asked] == ["hello", "something else"]


def test_smart_turn_decides_or_the_longest_silence_does():
    samples = scene(7.0, (1.0, QUESTION))
    end = end_of(1.0, QUESTION)
    sure = run(engine(PipelineRules(smart_turn=True, smart_turn_threshold=0.0)), samples)
    never = run(
        engine(PipelineRules(smart_turn=True, smart_turn_threshold=1.01, max_silence_ms=2_000)), samples
    )
    assert 0.1 <= asked(sure)[0] - end <= 0.45
    assert 1.9 <= asked(never)[0] - end <= 2.25


def test_smart_turn_takes_a_finished_question_soon():
    rig = run(make_pipeline("pipeline-smart-turn"), scene(6.0, (1.0, QUESTION)))
    (t,) = asked(rig)
    assert t - end_of(1.0, QUESTION) <= 0.45


def make_pipeline(name: str) -> PipelineEngine:
    made = make_engine(EngineConfig(engine=name))
    assert isinstance(made, PipelineEngine)
    return made


def test_the_decision_is_the_likeliest_and_probabilities_sum_to_one():
    rig = run(engine(), scene(12.0, (1.0, QUESTION), (5.0, OTHER)))
    for turn in rig.turns:
        assert set(turn.probs) == set(DECISIONS)
        assert sum(turn.probs.values()) == pytest.approx(1.0)
        assert max(turn.probs, key=lambda name: turn.probs[name]) == turn.decision
    before = [turn.probs["speak"] for turn in rig.turns if turn.t < asked(rig)[0] - 0.2]
    assert 0.1 < before[-1] < 0.5  # the end was seen coming


def test_after_a_reset_it_decides_the_same_again():
    subject = engine(PipelineRules(smart_turn=True))
    samples = scene(9.0, (1.0, QUESTION), (4.5, OTHER))
    first = run(subject, samples).turns
    subject.reset(7)
    second = run(subject, samples).turns
    assert [(t.decision, t.say, t.probs) for t in first] == [(t.decision, t.say, t.probs) for t in second]


@pytest.mark.parametrize("name", sorted(PIPELINES))
def test_every_variant_is_made_by_its_name_and_names_its_files(name):
    made = make_pipeline(name)
    made.warm_up()
    assert made.name == name
    assert made.model.startswith("silero_vad_v6-")
    assert ("smart-turn-v3.2" in made.model) == ("smart-turn" in name)
    assert made.model.count("+") == ("smart-turn" in name) + ("words" in name)
    silence = MicroTurn(0, np.zeros(3_200, np.float32), SelfState())
    assert made.step(silence).decision == "listen"


def test_an_unknown_engine_is_answered_with_the_names():
    assert {"micro", "pipeline", "pipeline-words"} <= set(ENGINES)
    with pytest.raises(InputError, match="pipeline-smart-turn-words"):
        make_engine(EngineConfig(engine="pipelines"))


def test_without_smart_turn_s_file_only_the_variants_that_use_it_are_lost(monkeypatch):
    def missing(package: str, inside: str, install: str) -> None:
        raise MicroturnError(f"missing: run `pip install {install}`")

    monkeypatch.setattr("engine.detectors.smart_turn.packaged_file", missing)
    make_pipeline("pipeline")
    with pytest.raises(MicroturnError, match="pip install --no-deps pipecat-ai"):
        make_pipeline("pipeline-smart-turn")


def feed(ends: Endpointer, *parts: tuple[float, float]) -> Endpointer:
    for prob, ms in parts:
        for _ in range(round(ms / WINDOW_MS)):
            ends.push(prob)
    return ends


def test_a_click_opens_no_turn_and_speech_does():
    assert not feed(Endpointer(RULES), (0.01, 500), (0.9, 64), (0.01, 2_000)).open
    assert feed(Endpointer(RULES), (0.01, 500), (0.9, 128)).open


def test_speech_lasts_while_it_stays_a_little_below_the_threshold():
    ends = feed(Endpointer(RULES), (0.9, 320), (0.4, 320))
    assert ends.silence_ms == 0
    assert feed(ends, (0.3, 320), (0.4, 320)).silence_ms == pytest.approx(640)
    assert feed(ends, (0.6, 32)).silence_ms == 0


def test_a_turn_begins_with_its_first_speech_and_short_breaks_do_not_end_the_burst():
    ends = feed(Endpointer(RULES), (0.01, 960), (0.9, 320), (0.01, 160), (0.9, 320))
    assert ends.begin == 30
    assert ends.speech_ms == pytest.approx(640)
    assert feed(ends, (0.01, 224)).speech_ms == 0
    assert ends.open


def test_smart_turn_is_asked_once_in_each_silence_about_the_turn_so_far():
    ends = Endpointer(PipelineRules(smart_turn=True, smart_turn_wait_ms=192, max_silence_ms=3_000))
    questions: list[tuple[int, int]] = []

    def complete(first: int, last: int) -> float:
        questions.append((first, last))
        return 0.2

    feed(ends, (0.9, 320), (0.01, 160))
    assert not ends.over(complete)
    for _ in range(5):
        feed(ends, (0.01, 160))
        assert not ends.over(complete)
    assert questions == [(0, 16)]  # 320 ms of speech and 192 ms of silence
    feed(ends, (0.9, 320), (0.01, 320))
    assert not ends.over(complete)
    assert len(questions) == 2
    feed(ends, (0.01, 3_000))
    assert ends.over(complete)
