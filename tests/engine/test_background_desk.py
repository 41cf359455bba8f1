"""The worker's desk: requests, several at once, and too much of anything."""

import threading
import time
from collections.abc import Iterator

import pytest

from engine.background.answer import Mind, Models
from engine.background.desk import NOTHING, topic_of
from engine.background.failure import JobError
from engine.background.prompt import Cancelled, Prompt
from engine.background.protocol import ENDS, MAX_TEXT
from engine.handover import Line
from tests.engine.background_room import (
    NOW,
    WAIT_S,
    Room,
)


@pytest.fixture
def room(monkeypatch):
    made = Room(monkeypatch)
    yield made
    made.close()


# Requests


def test_a_request_is_answered_by_the_model(room):
    room.asks(
        1, "Why is the sky blue?", lines=(Line("user", "Hello."), Line("assistant", "Hi.", unheard="You"))
    )
    assert room.end(1).event == "answer"
    assert room.said(1) == room.end(1).text == "You said Why is the sky blue?"
    prompt = room.model.prompts[0]
    assert prompt.context[0] == ("user", "Hello.")
    assert "the user did not hear: You" in prompt.context[1][1]
    assert {tool.name for tool in prompt.tools} == {"note", "look_up"}


def test_a_request_is_answered_by_a_tool(room):
    room.asks(1, "Run look_up.")
    assert room.end(1).text == "look_up is done."
    assert [e.event for e in room.of(1)] == ["tool_call", "tool_result", "partial", "answer"]
    assert room.of(1)[0].detail["tool"] == "look_up"
    assert room.model.prompts == []


def test_spoken_words_are_told_with_a_topic_and_typed_ones_are_not(room):
    room.asks(1, spoken="What is the capital of Peru?")
    heard = room.comes(1, "partial", "request")
    assert (heard.text, heard.detail["topic"]) == ("What is the capital of Peru?", "the capital of Peru")
    assert heard.detail["streamed"] is True  # captions have shown it
    room.end(1)
    room.asks(2, "Typed?")
    room.end(2)
    assert not [e for e in room.of(2) if e.detail.get("role") == "request"]


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("What is the capital of Peru?", "the capital of Peru"),
        ("Can you tell me what's the time?", "the time"),
        ("Who wrote Hamlet?", "who wrote Hamlet"),
        ("Paris?", ""),
        ("one two three four five six seven", ""),
        ("", ""),
        ("?!", ""),
    ],
)
def test_topics_can_follow_about(text, topic):
    assert topic_of(text) == topic


def test_nothing_said_is_nothing_answered(room):
    room.asks(1, " \u200b ", spoken="")
    assert (room.end(1).event, room.end(1).text, room.end(1).detail["reason"]) == ("answer", "", NOTHING)


def test_without_ears_what_was_said_fails_and_what_was_typed_does_not(room):
    deaf = JobError("I cannot hear.", "no recogniser")
    room.asks(1, spoken=deaf)
    assert (room.end(1).event, room.end(1).detail["advice"]) == ("failed", "no recogniser")
    room.asks(2, "Typed.", spoken=deaf)
    assert room.end(2).text == "You said Typed."


def test_without_a_model_tools_answer_all_the_same(room):
    room.mind = Mind(
        JobError("I cannot think.", "no model"),
        lambda: room.tools, room.permissions, room.store, lambda: (NOW, ()),
    )  # fmt: skip
    room.desk = room.new_desk()
    room.asks(1, "Hello?")
    assert (room.end(1).event, room.end(1).text) == ("failed", "I cannot think.")
    room.asks(2, "Run look_up.")
    assert room.end(2).event == "answer"


def test_two_are_answered_at_once_and_neither_holds_the_other(room):
    room.add("slow", room.wait)
    room.asks(1, "Run slow.")
    room.comes(1, "tool_call")
    room.asks(2, "Run look_up.")
    assert room.end(2).text == "look_up is done."
    room.may_go.set()
    assert room.end(1).text == "It took a while."


def test_two_share_one_model_by_turns(room):
    def slowly(prompt: Prompt, cancelled: Cancelled) -> Iterator[str]:
        for word in ("one ", "two ", "three."):
            time.sleep(0.01)
            yield word

    room.model.answers = {"A": slowly, "B": slowly}
    for job in (1, 2, 3, 4):
        room.asks(job, "AB"[job % 2])
    assert {room.end(job).text for job in (1, 2, 3, 4)} == {"one two three."}
    assert room.model.most_at_once == 1


def test_who_waits_for_the_model_can_be_cancelled(room):
    def never(prompt: Prompt, cancelled: Cancelled) -> Iterator[str]:
        while not cancelled():
            time.sleep(0.005)
        yield from ()

    room.model.answers = {"A": never}
    room.asks(1, "A")
    while not room.model.prompts:
        time.sleep(0.005)
    room.asks(2, "B")
    room.desk.cancel(2)
    assert room.end(2).event == "cancelled"
    room.desk.cancel(1)
    assert room.end(1).event == "cancelled"
    room.asks(3, "B")
    assert room.end(3).text == "You said B"


def test_several_copies_of_a_model_work_side_by_side(room):
    both = threading.Barrier(2)

    def together(prompt: Prompt, cancelled: Cancelled) -> Iterator[str]:
        both.wait(WAIT_S)
        yield "Together."

    room.models = Models(room.model, lambda: room.model)
    room.mind = Mind(room.models, dict, room.permissions, room.store, lambda: (NOW, ()))
    room.desk = room.new_desk()
    room.model.answers = {"A": together}
    room.asks(1, "A")
    room.asks(2, "A")
    assert room.end(1).text == room.end(2).text == "Together."


def test_a_request_cancelled_before_it_came(room):
    room.desk.cancel(1)
    room.asks(1, "Run note.")
    assert room.end(1).event == "cancelled"
    assert room.ran == []


def test_a_mind_that_breaks_ends_one_job_only(room, capfd):
    def broken(prompt: Prompt, cancelled: Cancelled) -> Iterator[str]:
        yield ""
        raise RuntimeError("boom")

    room.model.answers = {"A": broken}
    room.asks(1, "A")
    assert (room.end(1).event, room.end(1).detail["advice"]) == (
        "failed", "RuntimeError in the background process",
    )  # fmt: skip
    assert "boom" in capfd.readouterr().err
    room.asks(2, "B")
    assert room.end(2).event == "answer"


# Too much


@pytest.mark.parametrize(("pieces", "spaces"), [(1, False), (160, True), (40, False)])
def test_an_answer_of_ten_megabytes(room, pieces, spaces):
    size = 10 * 2**20 // pieces
    piece = ("word " * (size // 5)) if spaces else "x" * size
    room.model.answers = {"A": [piece] * pieces}
    began = time.monotonic()
    room.asks(1, "A")
    with room._news:
        assert room._news.wait_for(lambda: any(e.event in ENDS for e in room.sent), 20)
    assert room.end(1).event == "answer"
    assert 0 < len(room.end(1).text) <= MAX_TEXT
    assert time.monotonic() - began < 15


def test_an_answer_that_never_ends_is_cut_after_some_words(room):
    def endless(prompt: Prompt, cancelled: Cancelled) -> Iterator[str]:
        while True:
            yield "and on "

    room.model.answers = {"A": endless}
    room.asks(1, "A")
    assert 120 <= len(room.end(1).text.split()) <= 121


def test_an_answer_is_cut_after_its_sentences(room):
    room.model.answers = {"A": ["One. ", "Two. ", "Three. ", "Four. "]}
    room.asks(1, "A")
    assert room.end(1).text == "One. Two. Three."


def test_an_empty_answer_is_a_failure(room):
    room.model.answers = {"A": ["  ", "\u200b"]}
    room.asks(1, "A")
    assert (room.end(1).event, room.end(1).detail["advice"]) == ("failed", "fake model answered with nothing")


def test_a_very_long_request_fits(room):
    room.asks(1, "word " * 1_500, spoken="more " * 5_000)
    assert room.end(1).event == "answer"
    assert len(room.model.prompts[0].text) <= MAX_TEXT // 2
