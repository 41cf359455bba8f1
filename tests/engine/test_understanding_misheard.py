"""What was meant by words that nobody understands: other hypotheses, words that sound alike, and chat."""

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.background.understanding.misheard import MOST_WORDS, meant
from engine.background.understanding.sounds import distance, sound_of, substitution
from engine.background.understanding.understand import Exchange, understand
from tests.engine.test_understanding_chat import BEFORE, CHAT

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
SOUNDS = st.text(st.sampled_from("pbtdkɡfvθszmnlɹwhæəɪiuA"), max_size=8)


def after(*texts: str) -> tuple[Exchange, ...]:
    return tuple(Exchange(text, understand(text, (), NOW)) for text in texts)


@pytest.mark.parametrize(
    ("before", "heard", "said"),
    [
        ("", "How many pines are in a gallon?", "How many pints are in a gallon?"),
        ("", "What's 20% on 90?", "What's 20% of 90?"),
        ("", "Convert ten miles to kill a metres.", "Convert ten miles to kilometres."),
        ("", "How many cups are in a leader?", "How many cups are in a litre?"),
        ("What is nine times eleven?", "Plus Wendy.", "Plus twenty."),
        ("What is the capital of Norway?", "And then mark.", "And Denmark."),
        ("Put milk on my shopping list.", "What's on my shopping lest?", "What's on my shopping list?"),
    ],
)
def test_a_word_is_taken_for_one_that_sounds_like_it(before, heard, said):
    earlier = after(before) if before else ()
    assert understand(heard, earlier, NOW) is None
    found = meant((heard,), earlier, NOW)
    assert found is not None
    assert found.call == understand(said, earlier, NOW)
    assert found.cost > 0


def test_another_hypothesis_comes_before_words_that_sound_alike():
    found = meant(
        ("How many pines are in a gallon?", "How many pens?", "How many cups are in a gallon?"), (), NOW
    )
    assert found is not None
    assert (found.text, found.cost) == ("How many cups are in a gallon?", 0.0)


def test_it_listens_once_more_to_what_looks_like_a_request_only():
    asked = []

    def again() -> tuple[str, ...]:
        asked.append(1)
        return ("Set a timer for ten minutes.",)

    found = meant(("Set a dime for ten midges.",), (), NOW, again)
    assert found is not None
    assert (found.call.tool, len(asked)) == ("timer", 1)
    assert meant(("Why do cats purr?",), (), NOW, again) is None
    assert len(asked) == 1
    assert (
        meant(("And pairs?",), after("What time is it in Rome?"), NOW, lambda: ("And in Paris?",)) is not None
    )


@pytest.mark.parametrize(
    "heard",
    [
        ("Delete all my no.", "Delete all my notes."),
        ("Clear the shopping lest.", "Clear the shopping list."),
        ("Forget my birth day.", "Forget my birthday."),
        ("Take a screen shoot.", "Take a screenshot."),
    ],
)
def test_nothing_is_deleted_or_shown_on_a_guess(heard):
    assert understand(heard[1], (), NOW) is not None
    assert understand(heard[0], (), NOW) is None
    assert meant(heard, (), NOW) is None


@pytest.mark.parametrize("heard", ["Tape a note: the pines are ripe.", "My mane is Peter."])
def test_what_is_dictated_is_never_guessed(heard):
    assert meant((heard,), (), NOW) is None


@pytest.mark.parametrize("text", CHAT.strip().splitlines())
def test_chat_stays_chat(text):
    asked = {before: meant((text,), after(before) if before else (), NOW) for before in ("", *BEFORE)}
    assert {before: found for before, found in asked.items() if found is not None} == {}


@pytest.mark.parametrize(
    "text", ["", " ", "?", "no", "word " * (MOST_WORDS + 1), "\U0001f600 \u200b", "7 8 9"]
)
def test_odd_texts_are_nothing(text):
    assert meant((text,), (), NOW) is None


def test_how_words_sound():
    assert sound_of("two") == sound_of("too") == sound_of("to")
    assert distance(sound_of("leader"), sound_of("litre"), 2.0) < 0.5
    assert distance(sound_of("pints"), sound_of("pines"), 2.0) < 1.5
    assert distance(sound_of("timer"), sound_of("gallon"), 1.0) == math.inf


@given(SOUNDS, SOUNDS)
def test_distance_is_the_same_both_ways_and_nothing_for_the_same(one, other):
    assert distance(one, one, 9.0) == 0.0
    assert distance(one, other, 99.0) == pytest.approx(distance(other, one, 99.0))
    assert distance(one, other, 99.0) >= 0.4 * abs(len(one) - len(other)) - 1e-9
    assert all(substitution(a, b) > 0 for a in one for b in other if a != b)
