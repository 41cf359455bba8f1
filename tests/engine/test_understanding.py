"""From words to a call: the order of domains, what goes on from what, corrections, limits, things at hand."""

import re
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.background.tools.tool import Tool, ToolResult
from engine.background.understanding import understand as understanding
from engine.background.understanding.call import Call
from engine.background.understanding.here import Here
from engine.background.understanding.normal import normal
from engine.background.understanding.understand import (
    LOOK_BACK,
    MAX_CHARS,
    Exchange,
    all_tools,
    corrects,
    domains,
    hush,
    never_mind,
    understand,
)

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def tool(name: str) -> Tool:
    return Tool(name, name, {"type": "object"}, lambda arguments, context: ToolResult("Done."))


class FakeDomain:
    """Requests that begin with its verb; those that go on name place or day alone. Notes what it is asked."""

    def __init__(self, name: str, verb: str) -> None:
        self.tools = (tool(name),)
        self.name, self.verb = name, verb
        self.asked: list[str] = []

    def parse(self, text: str, now: datetime) -> Call | None:
        self.asked.append(text)
        found = re.fullmatch(rf"{self.verb} (?:on |in )?(\w+)", text)
        return Call(self.name, {"what": found[1]}) if found else None

    def follow(self, text: str, last: Call, now: datetime) -> Call | None:
        assert last.tool == self.name
        found = re.fullmatch(r"(?:and |no, |actually, |make it |what about )(?:on |in )?(\w+)", text)
        if not found:
            return Call(self.name, {"cancel": True}) if text == "cancel it" else None
        marks = {"replace": last.arguments["what"]} if text.startswith("no") else {}
        return Call(self.name, {"what": found[1], **marks})


@pytest.fixture
def fakes(monkeypatch) -> tuple[FakeDomain, FakeDomain]:
    made = (FakeDomain("remind", "remind me"), FakeDomain("weather", "weather"))
    monkeypatch.setattr(understanding, "domains", lambda: made)
    return made


def past(*calls: Call | None) -> tuple[Exchange, ...]:
    return tuple(Exchange("earlier", call) for call in calls)


PARIS = Call("weather", {"what": "paris"})
TUESDAY = Call("remind", {"what": "tuesday"})


def test_domains_are_asked_in_their_order_until_one_understands(fakes):
    first, second = fakes
    assert understand("Weather in Paris?", (), NOW) == PARIS
    assert (first.asked, second.asked) == (["weather in paris"], ["weather in paris"])
    assert understand("Remind me on Tuesday.", (), NOW) == TUESDAY
    assert second.asked == ["weather in paris"]
    assert all_tools().keys() == {"remind", "weather"}


def test_what_nobody_understands_is_no_call(fakes):
    assert understand("Why is the sky blue?", (), NOW) is None
    assert understand("Why is the sky blue?", past(PARIS), NOW) is None
    assert [understand(text, past(PARIS), NOW) for text in ("", "  ", "...", "?", "um")] == [None] * 5


@pytest.mark.parametrize("text", ["And Rome?", "What about Rome?", "Make it Rome."])
def test_a_request_goes_on_from_the_newest_call(fakes, text):
    found = understand(text, past(TUESDAY, PARIS), NOW)
    assert found is not None
    assert (found.tool, found.arguments) == ("weather", {"what": "rome"})


def test_what_says_nothing_itself_is_no_request(fakes):
    assert understand("And Rome?", (), NOW) is None
    assert understand("And Rome?", past(None), NOW) is None


def test_a_whole_request_is_none_that_goes_on(fakes):
    assert understand("Remind me on Thursday.", past(PARIS), NOW) == Call("remind", {"what": "thursday"})


@pytest.mark.parametrize("text", ["No, Thursday.", "Actually, Thursday.", "Make it Thursday."])
def test_a_correction_takes_the_place_of_the_call_before(fakes, text):
    found = understand(text, past(TUESDAY), NOW)
    assert found is not None
    assert (found.tool, found.arguments["what"], found.corrects) == ("remind", "thursday", True)


def test_what_goes_on_does_not_correct(fakes):
    for text, before in (("And Rome?", PARIS), ("Cancel it.", TUESDAY)):
        found = understand(text, past(before), NOW)
        assert found is not None and not found.corrects


def test_a_correction_can_be_a_whole_request(fakes):
    assert understand("No, weather in Rome.", past(TUESDAY), NOW) == Call("weather", {"what": "rome"})
    assert understand("Actually, weather in Rome.", (), NOW) == Call("weather", {"what": "rome"})


def test_only_the_last_requests_are_gone_on_from(fakes):
    between = [None] * (LOOK_BACK - 1)
    assert understand("And Rome?", past(PARIS, *between), NOW) is not None
    assert understand("And Rome?", past(PARIS, *between, None), NOW) is None


def test_a_correction_within_one_request(fakes):
    assert understand("Remind me on Tuesday. No, Thursday.", (), NOW) == Call("remind", {"what": "thursday"})
    assert understand("Remind me on Tuesday. No, Thursday. Actually, Friday!", (), NOW) == (
        Call("remind", {"what": "friday"})
    )


def test_a_correction_within_a_correction_still_corrects_the_one_before(fakes):
    found = understand("No, Wednesday. No, Thursday.", past(TUESDAY), NOW)
    assert found == Call("remind", {"what": "thursday", "replace": "tuesday"}, True)


def test_one_request_among_words_that_are_none(fakes):
    assert understand("I had a long day. Weather in Paris? It is late.", (), NOW) == PARIS
    assert understand("I had a long day. It is late.", (), NOW) is None


def test_of_two_requests_the_last_counts(fakes):
    found = understand("Weather in Paris? Weather in Rome?", (), NOW)
    assert found == Call("weather", {"what": "rome"})


def test_sentences_go_on_from_what_was_asked_before(fakes):
    assert understand("Thank you, that helps. And Rome?", past(PARIS), NOW) == Call(
        "weather", {"what": "rome"}
    )


def test_what_is_too_long_is_no_single_call(fakes):
    text = "Weather in Paris?"
    padded = text + " " * (MAX_CHARS - len(text))
    assert understand(padded, (), NOW) == PARIS
    assert understand(padded + " ", (), NOW) is None
    assert fakes[0].asked == ["weather in paris"]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Never mind.", True),
        ("Nevermind!", True),
        ("Okay, forget it.", True),
        ("Forget about that then.", True),
        ("Cancel that, please.", True),
        ("Stop that now.", True),
        ("Don't bother.", True),
        ("I wanted to ask something. Never mind.", True),
        ("Never mind. What is the time?", False),
        ("Never mind the gap.", False),
        ("Cancel the timer.", False),
        ("Can you forget it all and tell me a joke?", False),
        ("Mind the gap.", False),
        ("", False),
    ],
)
def test_never_mind(text, meant):
    assert never_mind(text) is meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Stop.", True),
        ("Okay, stop it now!", True),
        ("Wait.", True),
        ("Hold on, please.", True),
        ("That's enough, thank you.", True),
        ("It goes on and on. Be quiet!", True),
        ("Stop the timer.", False),
        ("Wait, what is the time?", False),
        ("Is that enough?", False),
        ("", False),
    ],
)
def test_hush(text, meant):
    assert hush(text) is meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("No, Thursday.", True),
        ("I mean Thursday.", True),
        ("Actually, make it Thursday.", True),
        ("No.", False),
        ("No thanks.", False),
        ("No problem.", False),
        ("Thursday.", False),
        ("", False),
    ],
)
def test_corrections(text, meant):
    assert corrects(text) is meant


# What is at hand


def here(text: str) -> str | None:
    found = Here().parse(normal(text), NOW)
    return found.tool if found else None


@pytest.mark.parametrize(
    "text",
    [
        "Read the file.",
        "Can you read the file I picked, please?",
        "Open that file.",
        "Summarize my document.",
        "Summarise this PDF file for me.",
        "What does the document say?",
        "What's in the file?",
        "How long is this file?",
        "How many words are in my document?",
        "Read the file aloud.",
    ],
)
def test_the_file(text):
    assert here(text) == "read_file"


@pytest.mark.parametrize(
    "text",
    [
        "Take a screenshot.",
        "Could you grab a screen shot?",
        "Take a picture of my screen.",
        "Capture the screen.",
    ],
)
def test_the_screen(text):
    assert here(text) == "screenshot"


@pytest.mark.parametrize(
    "text",
    [
        "What do you see?",
        "Tell me what you can see... what can you see in front of you?",
        "How many fingers do you see?",
        "What am I holding?",
        "What am I wearing today?",
        "What is this?",
        "What's that?",
        "Describe this.",
        "Describe what you see.",
        "Look at this.",
        "Can you see me?",
        "Do you see this?",
        "Do you see what I'm holding?",
        "How do I look?",
        "What color is my shirt?",
        "What's behind me?",
    ],
)
def test_the_camera(text):
    found = understand(text, (), NOW)
    assert found is not None and found.tool == "look"
    assert found.arguments["question"]


@pytest.mark.parametrize(
    "text",
    [
        "What is this thing called love?",
        "What is that song called?",
        "What can you see from the Eiffel tower?",
        "Which stars can you see in winter?",
        "Do you see what I mean?",
        "Describe me the war of 1812.",
        "Look at this from another side.",
        "How do I look up a word?",
        "How do I look after a cat?",
        "Take a picture of the cat.",
        "Save the screen door.",
        "How do I take a screenshot?",
        "What is the file size limit of FAT32?",
        "What does the file command do in Linux?",
        "Who wrote this document?",
        "Read me a story.",
        "Open the door.",
        "",
    ],
)
def test_what_is_not_at_hand(text):
    assert here(text) is None


@pytest.mark.parametrize(
    ("text", "again"),
    [
        ("Take another one.", True),
        ("Read it again.", True),
        ("Look once more.", True),
        ("Again and again.", False),
    ],
)
def test_once_more(text, again):
    last = Call("screenshot")
    assert Here().follow(normal(text), last, NOW) == (last if again else None)


# All there is


def test_every_tool_has_one_domain():
    names = [each.name for domain in domains() for each in domain.tools]
    assert len(names) == len(set(names))


@given(
    st.text(max_size=MAX_CHARS)
    | st.lists(st.sampled_from(str(normal.__doc__).split()), max_size=60).map(" ".join)
)
def test_nothing_breaks_it(text):
    found = understand(text, (Exchange("What is 2 plus 2?", Call("calculate", {"expression": "2+2"})),), NOW)
    assert found is None or found.tool in all_tools()


@pytest.mark.parametrize(
    "text", ["no, " * 150, "what is " * 75, "1 " * 300, "( " * 300, "1+" * 300, "and " * 150, "a. " * 200]
)
def test_it_is_quick_whatever_is_said(text):
    understand("warm up", (), NOW)
    began = time.perf_counter()
    understand(text, (), NOW)
    assert time.perf_counter() - began < 1.0


@pytest.mark.parametrize(
    "text",
    ["How is bread made?", "Wait, stop. How is bread made?", "How is paper recycled?", "How is it going?"],
)
def test_how_something_is_done_is_no_question_of_spelling(text: str) -> None:
    assert understand(text, (), datetime(2026, 11, 23, 10, 0, tzinfo=UTC)) is None
