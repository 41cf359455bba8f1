"""Text from outside is made plain before it is shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.text import MAX_CHARS, error_line, one_line, plain, sentence, size_text
from engine.errors import InputError


def test_hidden_and_reordering_characters_go():
    assert plain("pay\u202e 01 \u202cnow\u200b\u2060\ufeff") == "pay 01 now"
    assert plain("a\U000e0041\U000e0042b") == "ab"
    assert plain("ok\ufe0f") == "ok"


def test_control_characters_go_and_line_ends_become_one_kind():
    assert plain("a\x00\x1b[31mb\x7f\x9b") == "a[31mb"
    assert plain("a\r\nb\rc\u2028d\te") == "a\nb\nc\nd e"


def test_ordinary_scripts_stay():
    for text in ("Grüße, 世界! Здравствуй", "שלום", "नमस्ते", "👩 🎉", "e\u0301"):
        assert plain(text) == text


def test_length_is_bounded_and_says_so():
    shown = plain("x" * (MAX_CHARS + 5))
    assert len(shown) == MAX_CHARS
    assert shown.endswith("…")
    assert plain("x" * MAX_CHARS) == "x" * MAX_CHARS


def test_one_line():
    assert one_line(" two\n\n lines\t here ") == "two lines here"


@given(st.text(max_size=400))
def test_nothing_hidden_survives(text):
    shown = plain(text)
    assert all(c == "\n" or (c.isprintable() or c.isspace() or ord(c) > 0x9F) for c in shown)
    assert not set(shown) & set("\u200b\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u2069\ufeff\x1b\x00")
    shown.encode("utf-8")
    assert plain(shown) == shown


@pytest.mark.parametrize(
    ("size", "said"),
    [(0, "0 bytes"), (999, "999 bytes"), (1_000, "1 kB"), (3_400_000, "3.4 MB"), (54_000_000, "54 MB"),
     (2_150_000_000, "2.1 GB"), (5_000_000_000_000, "5000.0 GB")],
)  # fmt: skip
def test_sizes(size, said):
    assert size_text(size) == said


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (InputError("no such\nfile\u202e"), "no such file"),
        (ValueError("bad\nthing"), "ValueError: bad thing"),
        (KeyError(), "KeyError"),
        (InputError(""), "InputError"),
    ],
)
def test_an_error_is_one_line(error, line):
    assert error_line(error) == line


@pytest.mark.parametrize(
    ("line", "said"), [("it is gone", "It is gone."), ("Try again?", "Try again?"), ("Done.", "Done.")]
)
def test_a_line_becomes_a_sentence(line, said):
    assert sentence(line) == said
