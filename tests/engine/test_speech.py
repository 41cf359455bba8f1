"""The voice and the controller that carries decisions out."""

from itertools import groupby

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.config import OUTPUT_CHUNK, OUTPUT_HZ
from engine.decisions import ACKNOWLEDGEMENTS, BRIDGES, CORRECTIONS, DROP, FILLERS, HOLDS, NONE, RELAY
from engine.speech import CUSHION, SpeechAction, SpeechController, WaitingWords
from engine.types import StepOutput
from engine.voice import Voice, clean_text


@pytest.fixture(scope="module")
def voice() -> Voice:
    return Voice()


@pytest.fixture
def speech(voice: Voice) -> SpeechController:
    voice.stop()
    return SpeechController(voice)


def decide(decision: str, say: str = NONE, delegate: bool = False) -> StepOutput:
    return StepOutput(decision, {decision: 1.0}, say=say, delegate=delegate)


class Player:
    """A loudspeaker that plays 4,800 samples between decisions."""

    def __init__(self, speech: SpeechController) -> None:
        self.speech, self.queued = speech, 0

    def turn(self, decision: str, say: str = NONE, delegate: bool = False) -> SpeechAction:
        self.queued = max(0, self.queued - OUTPUT_CHUNK)
        action = self.speech.apply(decide(decision, say, delegate), self.queued)
        self.queued = 0 if action.flush else self.queued
        self.queued += len(action.samples)
        return action


def test_phrases_start_at_once_and_are_audible(voice: Voice) -> None:
    for text in ("mm-hm", *BRIDGES):
        samples = voice.synthesise(text).samples
        assert np.abs(samples[: OUTPUT_HZ // 20]).max() > 0.005, f"{text}: silence at the beginning"
        assert 0.02 < np.sqrt(np.mean(samples**2)) < 0.4
        assert np.abs(samples).max() <= 1.0


def test_synthesis_is_repeatable(voice: Voice) -> None:
    a = Voice().synthesise("It is half past nine.").samples
    np.testing.assert_array_equal(a, voice.synthesise("It is half past nine.").samples)


def test_words_come_out_in_order_and_completely(voice: Voice) -> None:
    text = "The capital of France is Paris, and it has two million people."
    voice.stop()
    voice.say(text)
    begun = []
    while voice.samples_left:
        begun.append(voice.render(OUTPUT_CHUNK)[1])
    assert " ".join(filter(None, begun)) == text
    assert voice.words_left == 0


def test_stopping_tells_what_was_not_heard(voice: Voice) -> None:
    voice.stop()
    voice.say("One two three four five six seven eight nine ten.")
    heard = voice.render(OUTPUT_HZ)[1].split()
    rest = voice.stop().split()
    assert [*heard, *rest] == "One two three four five six seven eight nine ten.".split()
    assert 1 < len(heard) < 9
    assert voice.samples_left == 0


@pytest.mark.parametrize("text", ["", "   ", "\u200b", "...", "🙂", "\x00\x07"])
def test_nothing_to_say_is_silence(voice: Voice, text: str) -> None:
    voice.stop()
    assert voice.say(text) == ""
    assert voice.samples_left == 0


def test_markup_and_control_characters_are_not_said() -> None:
    assert clean_text("**Paris**\u202e is `big`\n\n# yes") == "Paris is big yes"
    assert len(clean_text("word " * 10_000)) <= 400


def test_relay_speaks_clause_by_clause(speech: SpeechController) -> None:
    player = Player(speech)
    speech.offer(1, "Paris is the capital, and")
    assert speech.state().background_words == 5
    said = [player.turn("speak", RELAY).text_out]
    assert speech.state().background_words == 0, "the next clause is not ready to be said"
    speech.offer(1, "it is big.")
    speech.finish(1)
    while speech.state().speaking or speech.state().background_words:
        ready = speech.state().background_words and speech.state().words_left <= 1
        said.append(player.turn("speak", RELAY if ready else NONE).text_out)
    assert " ".join(filter(None, said)) == "Paris is the capital, and it is big."


def test_first_sound_is_in_the_first_micro_turn(speech: SpeechController) -> None:
    action = Player(speech).turn("speak", BRIDGES[0])
    assert len(action.samples) == OUTPUT_CHUNK + CUSHION
    assert action.level_db > -40
    assert speech.state().speaking


def test_yield_silences_and_tells_the_rest(speech: SpeechController) -> None:
    player = Player(speech)
    speech.offer(7, "one two three four five six seven eight nine ten eleven twelve.")
    speech.finish(7)
    player.turn("speak", RELAY)
    player.turn("speak")
    action = player.turn("yield")
    assert action.flush
    assert not len(action.samples)
    assert action.unheard.endswith("twelve.")
    assert not speech.state().speaking


@pytest.mark.parametrize("bridge", [False, True])
def test_after_yielding_an_answer_can_be_resumed_without_losing_a_word(
    speech: SpeechController, bridge: bool
) -> None:
    player = Player(speech)
    everything = "one two three four five six, seven eight nine ten eleven twelve."
    if bridge:
        player.turn("speak", BRIDGES[0])
    speech.offer(7, everything)
    speech.finish(7)
    before = [player.turn("speak", RELAY).text_out, player.turn("speak", RELAY).text_out]
    unheard = player.turn("yield").unheard.split()
    assert not speech.state().speaking
    assert speech.state().background_words >= 6
    after = [player.turn("listen").text_out]
    while speech.state().speaking or speech.state().background_words:
        ready = speech.state().words_left <= 1
        after.append(player.turn("speak", RELAY if ready else NONE).text_out)
    resumed = " ".join(filter(None, after)).split()
    assert resumed == everything.split()[-len(resumed) :]
    said = [w for w in " ".join(filter(None, before)).split() if w not in BRIDGES[0].split()]
    assert 0 <= len(said) + len(resumed) - len(everything.split()) <= 3
    assert set(unheard) - set(BRIDGES[0].split()) <= set(resumed)


@pytest.mark.parametrize(("decision", "say"), [("yield", DROP), ("speak", CORRECTIONS[0])])
def test_what_is_dropped_is_not_resumed(speech: SpeechController, decision: str, say: str) -> None:
    player = Player(speech)
    speech.offer(7, "one two three, four five six, seven eight nine.")
    speech.finish(7)
    player.turn("speak", RELAY)
    player.turn("yield")
    action = player.turn(decision, say)
    assert action.unheard.endswith("nine.")
    assert speech.state().background_words == 0
    assert action.text_out == ("" if say == DROP else say)


def test_drop_forgets_waiting_words(speech: SpeechController) -> None:
    player = Player(speech)
    speech.offer(7, "This will never be said.")
    speech.finish(7)
    action = player.turn("speak", DROP)
    assert action.unheard == "This will never be said."
    assert speech.state().background_words == 0


def test_listening_pauses_and_speaking_goes_on_from_the_word_cut_off(speech: SpeechController) -> None:
    player = Player(speech)
    speech.offer(7, "one two three four five six seven eight nine ten eleven twelve.")
    speech.finish(7)
    before = player.turn("speak", RELAY).text_out.split()
    before += player.turn("speak").text_out.split()
    assert player.turn("listen").flush
    assert not len(player.turn("listen").samples)
    after: list[str] = []
    while speech.state().speaking:
        after += player.turn("speak").text_out.split()
    everything = "one two three four five six seven eight nine ten eleven twelve.".split()
    assert after == everything[-len(after) :]
    assert len(before) + len(after) >= len(everything), "no word may be lost by a pause"
    assert len(before) + len(after) <= len(everything) + 2


def test_backchannels_are_quieter(voice: Voice) -> None:
    voice.stop()
    loud = SpeechController(voice).apply(decide("speak", "yeah"), 0).level_db
    voice.stop()
    quiet = SpeechController(voice).apply(decide("backchannel", "yeah"), 0).level_db
    voice.stop()
    assert quiet < loud - 2


def test_state_follows_what_happened(speech: SpeechController) -> None:
    player = Player(speech)
    assert speech.state().turns_since_speech == 1000
    player.turn("speak", BRIDGES[0], delegate=True)
    state = speech.state()
    assert (state.turns_since_speech, state.turns_since_delegate) == (0, 0)
    assert (state.last_decision, state.last_say) == ("speak", BRIDGES[0])
    while speech.state().speaking:
        player.turn("speak")
    player.turn("listen")
    assert speech.state().turns_since_speech >= 1
    assert speech.state().level_db == -120.0


def test_the_stop_button_keeps_nothing(speech: SpeechController) -> None:
    player = Player(speech)
    speech.offer(7, "one two three, four five six, seven eight nine.")
    speech.finish(7)
    player.turn("speak", RELAY)
    action = speech.stop(player.queued)
    assert action.flush
    assert action.unheard.endswith("seven eight nine.")
    assert not speech.state().speaking
    assert speech.state().background_words == 0


def test_the_state_has_the_sound_that_was_played(speech: SpeechController) -> None:
    player, written, played = Player(speech), [], []
    decisions = [
        ("speak", BRIDGES[0]),
        *[("speak", NONE)] * 3,
        ("yield", NONE),
        ("speak", "okay"),
        ("listen", NONE),
    ]
    for decision, say in decisions:
        action = player.turn(decision, say)
        if action.flush:
            written.append(np.zeros(0, np.float32))
        else:
            written.append(action.samples)
        played.append(speech.state().sound)
    assert all(len(sound) == 360 + OUTPUT_CHUNK for sound in played)
    first = np.concatenate(written[:4])[: 4 * OUTPUT_CHUNK]
    np.testing.assert_array_equal(np.concatenate([s[360:] for s in played[:4]])[: len(first)], first)
    np.testing.assert_array_equal(played[1][:360], played[0][-360:])
    assert not played[4][360:].any() and not played[6][360:].any(), "silent after yield, and when it listens"
    np.testing.assert_array_equal(played[5][360:], written[5][:OUTPUT_CHUNK])


# Several answers


def clauses(waiting: WaitingWords) -> list[tuple[int, str]]:
    """All that can be said now."""
    said = []
    while (clause := waiting.take_clause())[1]:
        said.append(clause)
    return said


def test_the_oldest_answer_that_can_be_said_comes_first() -> None:
    waiting = WaitingWords()
    waiting.offer(1, "Not")
    waiting.offer(2, "This one is whole.")
    assert waiting.take_clause() == (2, "This one is whole.")
    waiting.offer(1, "yet whole.")
    assert waiting.sayable == 0, "the second answer has begun, and may go on"
    waiting.finish(2)
    assert clauses(waiting) == [(1, "Not yet whole.")]


def test_once_begun_an_answer_is_said_to_its_end() -> None:
    waiting = WaitingWords()
    waiting.offer(1, "First clause, and")
    assert clauses(waiting) == [(1, "First clause,")]
    waiting.offer(2, "All of the second answer.")
    waiting.finish(2)
    assert clauses(waiting) == []
    assert waiting.sayable == 0
    waiting.offer(1, "the rest.")
    waiting.finish(1)
    assert waiting.sayable == 8
    assert clauses(waiting) == [(1, "and the rest."), (2, "All of the second answer.")]


def test_words_that_were_cut_off_come_first_again() -> None:
    waiting = WaitingWords()
    for job, text in ((1, "One two."), (2, "Three four."), (3, "Five six.")):
        waiting.offer(job, text)
        waiting.finish(job)
    assert [waiting.take_clause(), waiting.take_clause()] == [(1, "One two."), (2, "Three four.")]
    waiting.put_back([(1, "two."), (2, "Three"), (2, "four.")])
    assert clauses(waiting) == [(1, "two."), (2, "Three four."), (3, "Five six.")]


def test_words_of_an_answer_discarded_while_it_was_said_do_not_come_back() -> None:
    waiting = WaitingWords()
    waiting.offer(1, "One two, three four.")
    waiting.offer(2, "Five six.")
    waiting.finish(2)
    assert waiting.take_clause() == (1, "One two,")
    waiting.discard(1)
    assert waiting.take_clause() == (2, "Five six.")
    waiting.put_back([(1, "two,"), (2, "Five"), (2, "six.")])
    assert clauses(waiting) == [(2, "Five six.")]
    waiting.put_back([(1, "two,")])
    assert clauses(waiting) == []


def test_an_answer_that_begins_again_has_forgotten_what_waited() -> None:
    waiting = WaitingWords()
    waiting.offer(1, "It is five, no doubt.")
    assert waiting.take_clause() == (1, "It is five,")
    waiting.begin_again(1)
    assert waiting.sayable == 0
    waiting.offer(1, "It is four.")
    waiting.finish(1)
    assert clauses(waiting) == [(1, "It is four.")]


def test_what_was_set_aside_waits_to_be_restored() -> None:
    waiting = WaitingWords()
    waiting.offer(1, "It is sunny,")
    waiting.set_aside((1, 2))
    assert waiting.sayable == 0 and clauses(waiting) == []
    waiting.offer(1, "and warm.")
    waiting.finish(1)
    waiting.offer(2, "Not begun before.")
    waiting.offer(3, "Another.")
    waiting.finish(3)
    assert clauses(waiting) == [(3, "Another.")]
    assert waiting.clear() == "", "what is aside is not thrown away with the rest"
    waiting.restore(1)
    waiting.restore(1)
    waiting.restore(77)
    assert clauses(waiting) == [(1, "It is sunny,"), (1, "and warm.")]
    waiting.discard(2)
    waiting.restore(2)
    assert clauses(waiting) == []


def test_what_is_set_aside_twice_is_kept() -> None:
    waiting = WaitingWords()
    waiting.offer(1, "It is sunny.")
    waiting.finish(1)
    waiting.set_aside((1,))
    waiting.set_aside((1,))
    waiting.restore(1)
    assert clauses(waiting) == [(1, "It is sunny.")]


def test_what_is_put_back_while_the_rest_is_aside_comes_before_it() -> None:
    waiting = WaitingWords()
    waiting.offer(1, "One two, three four.")
    waiting.finish(1)
    waiting.take_clause()
    waiting.set_aside((1,))
    waiting.put_back([(1, "two,")])
    waiting.restore(1)
    assert clauses(waiting) == [(1, "two, three four.")]


ACTIONS = st.one_of(
    st.tuples(st.just("offer"), st.integers(0, 3), st.lists(st.sampled_from(("x", "y,", "z.")), max_size=16)),
    st.tuples(st.just("finish"), st.integers(0, 3), st.just([])),
    st.tuples(st.just("discard"), st.integers(0, 3), st.just([])),
    st.tuples(st.just("take"), st.just(0), st.just([])),
    st.tuples(st.just("take"), st.just(0), st.just([])),
    st.tuples(st.just("cut off"), st.integers(0, 20), st.just([])),
)


@settings(max_examples=400)
@given(st.lists(ACTIONS, max_size=40))
def test_two_answers_are_never_interleaved(actions) -> None:
    waiting = WaitingWords()
    offered: dict[int, list[str]] = {job: [] for job in range(4)}
    ended: set[int] = set()
    discarded: set[int] = set()
    said: list[tuple[int, str]] = []
    left = 0  # words of ``said`` that may still be cut off
    for what, number, kinds in actions:
        if what == "offer" and number not in ended:
            words = [f"{number}-{len(offered[number]) + n}{kind}" for n, kind in enumerate(kinds)]
            offered[number] += words
            waiting.offer(number, " ".join(words))
        elif what == "finish":
            ended.add(number)
            waiting.finish(number)
        elif what == "discard":
            ended.add(number)
            discarded.add(number)
            waiting.discard(number)
        elif what == "take":
            before = waiting.sayable
            job, clause = waiting.take_clause()
            assert bool(before) == bool(clause)
            assert job not in discarded or not clause
            said += [(job, word) for word in clause.split()]
            left = min(left + len(clause.split()), 20)
        elif what == "cut off" and left:
            cut = said[-min(number, left) :] if number else []
            said = said[: len(said) - len(cut)]
            # As the controller does: what was said of a discarded answer stays cut off.
            waiting.put_back(cut)
            left = 0
    for job in range(4):
        waiting.finish(job)
    said += [(job, word) for job, clause in clauses(waiting) for word in clause.split()]
    assert waiting.sayable == 0
    order = [job for job, _ in groupby(said, key=lambda each: each[0])]
    assert len(order) == len(set(order)), "one answer was begun before another had ended"
    for job, words in offered.items():
        mine = [word for of, word in said if of == job]
        assert mine == words[: len(mine)]
        assert job in discarded or mine == words, "no word is lost, none is said twice"


@pytest.mark.parametrize("say", FILLERS)
def test_a_filler_gives_way_to_an_answer_that_is_there(speech: SpeechController, say: str) -> None:
    player = Player(speech)
    speech.offer(1, "It is four.")
    action = player.turn("speak", say, delegate=True)
    assert action.say == RELAY
    assert "It is four.".startswith(action.text_out or "?")
    assert (speech.state().last_say, speech.state().turns_since_delegate) == (RELAY, 0)


@pytest.mark.parametrize(
    ("say", "delegate", "waits"),
    [
        (BRIDGES[0], False, "It is four."),
        (ACKNOWLEDGEMENTS[0], False, "It is four."),
        (BRIDGES[0], True, ""),
        (BRIDGES[0], True, "It"),
        (HOLDS[0], True, "It is four."),
        ("mm-hm", True, "It is four."),
    ],
)
def test_else_what_was_decided_is_said(
    speech: SpeechController, say: str, delegate: bool, waits: str
) -> None:
    player = Player(speech)
    speech.offer(1, waits)
    action = player.turn("speak", say, delegate)
    assert action.say == speech.state().last_say == say
    assert action.text_out and say.startswith(action.text_out)
    speech.finish(1)
    assert speech.state().background_words == len(waits.split())


def test_an_answer_is_restored_after_a_drop_and_said(speech: SpeechController) -> None:
    player = Player(speech)
    speech.offer(1, "This stays.")
    speech.offer(2, "This goes.")
    assert speech.drop(aside=(1,)) == "This goes."
    speech.finish(1)
    assert speech.state().background_words == 0
    action = speech.apply(decide("speak", CORRECTIONS[0], delegate=True), 0, dropped="This goes.")
    assert action.unheard == "This goes."
    speech.restore(1)
    assert speech.state().background_words == 2
    said = [player.turn("speak", RELAY).text_out]
    while speech.state().speaking:
        said.append(player.turn("speak").text_out)
    assert " ".join(filter(None, said)).endswith("This stays.")
