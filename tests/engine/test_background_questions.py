"""The worker's desk: questions to the user, and tools that misbehave."""

import time
from collections.abc import Iterator

import pytest

from engine.background import task as task_module
from engine.background.answer import REFUSED, UNANSWERED, Mind
from engine.background.failure import JobError
from engine.background.memory import Memory
from engine.background.prompt import Cancelled, Prompt
from engine.background.protocol import ENDS, JobEvent
from engine.background.store import StoreError
from engine.background.task import Asked, Task
from engine.background.tools.tool import Permission, ToolError, ToolResult
from engine.background.understanding.call import Call
from tests.engine.background_room import (
    NOW,
    WAIT_S,
    Room,
    quiet,
)


@pytest.fixture
def room(monkeypatch):
    made = Room(monkeypatch)
    yield made
    made.close()


# Questions


def asking(room: Room, job: int = 1) -> JobEvent:
    room.add("peek", permission=Permission.ASK_ALWAYS)
    room.asks(job, "Run peek.")
    return room.comes(job, "partial", "question")


def test_a_question_names_its_tool(room):
    question = asking(room)
    assert (question.text, question.detail) == ("May I use peek?", {"role": "question", "tool": "peek"})


@pytest.mark.parametrize(
    ("words", "event", "text"), [("Yes, please.", "answer", "peek is done."), ("No.", "failed", REFUSED)]
)
@pytest.mark.parametrize("how", ["spoken", "typed"])
def test_yes_or_no_answers_the_question_of_another_job(room, words, event, text, how):
    asking(room)
    if how == "spoken":
        room.hears(words, since=2.0)
        quiet()
        assert room.guess >= 0  # nobody works ahead on an answer
        room.asks(2, spoken=words)
    else:
        room.asks(2, words)
    assert (room.end(2).event, room.end(2).text, room.end(2).detail["to"]) == ("answer", "", 1)
    assert (room.end(1).event, room.end(1).text) == (event, text)
    assert room.end(1).detail.get("refused", False) is (event == "failed"), "a no is no fault"
    assert len(room.ran) == (event == "answer")


@pytest.mark.parametrize("allowed", [True, False])
def test_the_window_answers_the_question(room, allowed):
    asking(room)
    room.desk.permit(7, True)  # of no job
    room.desk.permit(1, allowed)
    assert room.end(1).event == ("answer" if allowed else "failed")
    assert len(room.ran) == allowed
    room.desk.permit(1, True)  # too late


def test_a_yes_before_the_question_allows_nothing(room):
    room.add("peek", permission=Permission.ASK_ALWAYS)
    room.hears("Run peek.")
    room.comes(-1, "tool_call")
    room.desk.permit(1, True)
    room.asks(1, spoken="Run peek.", adopt=-1)
    room.comes(1, "partial", "question")
    quiet()
    assert room.ran == []


def test_something_else_leaves_the_question_open(room):
    asking(room)
    room.asks(2, "Yes but tell me about whales before you do that, please.", since=4.0)
    assert room.end(2).text.startswith("You said Yes but")
    assert not [e for e in room.of(1) if e.event in ENDS]
    room.desk.permit(1, True)
    room.end(1)


def test_a_question_that_nobody_answers(room, monkeypatch):
    monkeypatch.setattr(task_module, "ANSWER_WAIT_S", 0.1)
    asking(room)
    assert (room.end(1).event, room.end(1).text) == ("failed", UNANSWERED)
    assert room.ran == []
    room.asks(2, "Yes.")
    assert room.end(2).text == "You said Yes."


def test_a_job_that_asks_can_be_cancelled(room):
    asking(room)
    room.desk.cancel(1)
    assert room.end(1).event == "cancelled"
    assert room.ran == []


def test_questions_are_asked_one_at_a_time(room):
    asking(room, 1)
    room.asks(2, "Run peek two.", since=9.0)
    room.comes(2, "tool_call")
    quiet()
    assert not [e for e in room.of(2) if e.detail.get("role") == "question"]
    room.asks(3, "Yes.", since=12.0)
    room.end(1)
    room.comes(2, "partial", "question")
    room.asks(4, "No.", since=15.0)
    assert room.end(2).text == REFUSED
    assert room.ran == [("peek", {})]


# Tools that misbehave


def test_a_tool_that_hangs_holds_its_own_job_only(room):
    room.add("hang", room.wait, timeout_s=0.1)
    room.asks(1, "Run hang.")
    assert (room.end(1).event, room.end(1).text) == (
        "failed",
        "That took too long, so I stopped waiting for it.",
    )
    result = room.comes(1, "tool_result")
    assert result.detail["ok"] is False
    room.asks(2, "Run look_up.")
    assert room.end(2).event == "answer"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ToolError("There is no such city."), "There is no such city."),
        (StoreError("The disk is full."), "The disk is full."),
        (RuntimeError("secret"), "Something went wrong with that."),
        (MemoryError(), "Something went wrong with that."),
        (JobError("No.", "advice"), "Something went wrong with that."),
    ],
)
def test_a_tool_that_fails_says_so(room, error, said):
    def fails(arguments, context):
        raise error

    room.add("bad", fails)
    room.asks(1, "Run bad.")
    assert (room.end(1).event, room.end(1).text) == ("failed", said)
    assert "secret" not in str(room.sent)


def test_a_tool_that_does_not_listen_is_left_behind_when_its_job_is_cancelled(room):
    def deaf(arguments, context):
        room.may_go.wait(WAIT_S)
        return ToolResult("Too late.")

    room.add("deaf", deaf)
    room.asks(1, "Run deaf.")
    room.comes(1, "tool_call")
    began = time.monotonic()
    room.desk.cancel(1)
    assert room.end(1).event == "cancelled"
    assert time.monotonic() - began < 1.0
    room.may_go.set()
    quiet()
    assert room.end(1).event == "cancelled"


def test_a_tool_that_is_switched_off(room):
    task = Task(5, Asked("x"), room._send)
    room.mind.answer(task, Call("switched_off"), Memory((), ""))
    assert (room.end(5).event, room.end(5).text) == ("failed", "I have no tool for that.")


@pytest.mark.parametrize("what", ["tool", "model"])
def test_a_job_has_its_deadline(room, what):
    def never(prompt: Prompt, cancelled: Cancelled) -> Iterator[str]:
        while not cancelled():
            time.sleep(0.005)
        yield from ()

    room.add("slow", room.wait)
    room.model.answers = {"A": never}
    room.asks(1, "Run slow." if what == "tool" else "A", deadline_s=0.15)
    assert (room.end(1).event, room.end(1).text) == ("failed", "That took too long.")
    assert room.end(1).detail["advice"] == "no answer within 0.15 s"


def test_a_picture_that_a_tool_took_is_shown_to_a_model_that_takes_images(room):
    room.add("look", lambda arguments, context: ToolResult("I took one.", jpeg=b"picture"))
    room.asks(1, "Run look.")
    assert room.end(1).text == "You said Run look."
    assert room.model.prompts[0].jpeg == b"picture"
    room.model.takes_images = False
    room.asks(2, "Run look.", since=9.0)
    assert room.end(2).text == "I took one."


@pytest.mark.parametrize("shown", [True, False])
def test_the_cameras_picture_goes_to_the_model_only_when_it_may(room, shown):
    room.mind = Mind(room.models, dict, room.permissions, room.store, lambda: (NOW, ()), shown)
    room.desk = room.new_desk()
    room.asks(1, "Hello.", jpeg=b"camera")
    room.end(1)
    assert room.model.prompts[0].jpeg == (b"camera" if shown else b"")
