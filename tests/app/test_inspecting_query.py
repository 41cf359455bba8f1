"""What can be typed into find, and what is said about what cannot."""

import pytest

from app.inspecting.query import Comparison, Query, folded, parse
from engine.errors import InputError


def test_words_and_phrases():
    assert parse("  the MOON ") == Query(words=("the", "moon"))
    assert parse('"the moon"') == Query(words=("the moon",))
    assert parse("“good yield”") == Query(words=("good yield",))
    assert parse('"never closed') == Query(words=("never closed",))
    assert parse("10:30") == Query(words=("10:30",))
    assert parse("") == parse("   ") == parse('""') == Query()


def test_case_and_accents_do_not_matter():
    assert folded("Café ÉTÉ") == "cafe ete"
    assert parse("STRASSE").words == (folded("Straße"),)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("decision:yield", Query(decisions=("yield",))),
        ("Decision:YIELD decision:interrupt", Query(decisions=("yield", "interrupt"))),
        ("p<0.6", Query(comparisons=(Comparison("p", "<", 0.6),))),
        ("p < 60%", Query(comparisons=(Comparison("p", "<", 0.6),))),
        ("compute>=100", Query(comparisons=(Comparison("compute", ">=", 100.0),))),
        ("yield>.3", Query(comparisons=(Comparison("yield", ">", 0.3),))),
        ("you>-30", Query(comparisons=(Comparison("you", ">", -30.0),))),
        ("fault: mark:", Query(kinds=(("fault", ""), ("mark", "")))),
        ('said:"the Moon" miles', Query(words=("miles",), kinds=(("said", "the moon"),))),
        ("tool:calculate", Query(kinds=(("tool", "calculate"),))),
        ("missed: decision:speak", Query(decisions=("speak",), flags=("missed",))),
    ],
)
def test_filters(text, query):
    assert parse(text) == query


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("decision:jump", "no decision is called “jump”: choose one of listen, speak"),
        ("decision:", "“decision:” needs a name"),
        ("colour:red", "no filter is called “colour:”; there are decision, heard, said"),
        ("p<", "“p<” needs a number, such as 0.6"),
        ("compute>much", "“compute>” needs a number, not “much”"),
        ("p<nan", "needs a number"),
        ("loudness>3", "“loudness” cannot be compared: use one of p, margin"),
        ("missed:yes", "“missed:” takes no word"),
    ],
)
def test_bad_queries_get_a_line_that_says_what_would_do(text, told):
    with pytest.raises(InputError) as error:
        parse(text)
    assert told in str(error.value)
    assert "\n" not in str(error.value)


def test_what_looks_like_a_filter_can_be_quoted():
    assert parse('"colour:red"') == Query(words=("colour:red",))
    assert parse('"p<0.6"') == Query(words=("p<0.6",))
