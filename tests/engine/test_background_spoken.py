"""Language models write; people listen. Only words may be left."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.background.spoken import SpokenWords, plain_text, strip_invisible


def stream(text: str, size: int) -> tuple[list[str], int]:
    """Feed ``text`` in pieces: the words, and how many sentences have ended."""
    spoken = SpokenWords()
    words = [word for i in range(0, len(text), size) for word in spoken.feed(text[i : i + size])]
    return words + spoken.finish(), spoken.sentences


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("**Paris** is the `capital`.", "Paris is the capital."),
        ("1. Boil _water_.\n2. Add *eggs* 🥚 now\u200b!", "Boil water. Add eggs now!"),
        ("# Title\n> quote ~~gone~~", "Title quote gone"),
        ("- one\n- two", "one two"),
        ('It\'s [here](https://example.org/a_b), "_yes_".', 'It\'s here, "yes".'),
        ("<think>\nWell, well. 2 + 2?\n</think>\n\nFour.", "Four."),
        ("So <think>never ends", "So"),
        ("Hello<|im_end|> there", "Hello there"),
        ("C# and F# cost $5 & 50%", "C# and F# cost $5 & 50%"),
        ("2 + 2 = 4 — yes", "2 + 2 = 4 yes"),
        ("snake_case stays, x*y too", "snake_case stays, x*y too"),
        ("a\u202eb\ufeff c\U000e0041", "ab c"),
        ("  \n\t ", ""),
        ("*** --- ```", ""),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 3, 5, 1000])
def test_what_is_written_and_what_is_said(written, said, size):
    assert " ".join(stream(written, size)[0]) == said
    assert plain_text(written) == said


@given(st.text(max_size=200), st.integers(1, 20))
def test_pieces_do_not_matter_and_nothing_invisible_is_left(text, size):
    words = stream(text, size)[0]
    assert " ".join(words) == plain_text(text)
    assert all(word == strip_invisible(word) and word.split() == [word] for word in words)


def test_words_come_as_soon_as_they_are_whole():
    spoken = SpokenWords()
    assert spoken.feed("The cap") == ["The"]
    assert spoken.feed("ital ") == ["capital"]
    assert spoken.feed("of") == []
    assert spoken.finish() == ["of"]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three?", 3),
        ("Dr. Smith has 3.5 cats.", 1),
        ('He said "no." Then he left.', 2),
        ("1. First\n2. Second", 0),
        ("e.g. this one", 0),
        ("Wait...", 1),
    ],
)
def test_sentences_are_counted(text, sentences):
    assert stream(text, 4)[1] == sentences
