"""The worker's desk: work that begins before it is asked for."""

import time

import pytest

from engine.background.ears import Spoken
from engine.background.tools.tool import Permission
from tests.engine.background_room import (
    Room,
    quiet,
)


@pytest.fixture
def room(monkeypatch):
    made = Room(monkeypatch)
    yield made
    made.close()


def test_work_begins_when_the_words_have_settled(room):
    room.hears("Run look", settled=False)
    quiet()
    assert room.sent == []
    room.hears("Run look_up.", since=3.2)
    assert room.end(-1).text == "look_up is done."
    first = room.of(-1)[0]
    assert (first.event, first.text) == ("partial", "Run look_up.")
    assert first.detail == {
        "role": "request", "since": 3.2, "utterance": 0, "revision": 2,
        "topic": "run look_up", "streamed": True,
    }  # fmt: skip
    room.desk.heard(Spoken("Run look_up.", 0, 2), 3.2, True)
    quiet()
    assert room.guess == -1


def test_nobody_thinks_ahead_who_was_told_not_to(monkeypatch):
    room = Room(monkeypatch, think_ahead=False)
    room.hears("Run look_up.")
    quiet()
    assert room.sent == [] and room.ran == []
    room.asks(1, spoken="Run look_up.")
    assert room.end(1).event == "answer"


def test_a_guess_is_thrown_away_when_the_words_change(room):
    room.add("slow", room.wait)
    room.hears("Run slow.")
    room.comes(-1, "tool_call")
    room.hears("Run slow. And", settled=False)
    assert room.end(-1).event == "cancelled"
    room.hears("Run look_up.")
    assert room.end(-2).text == "look_up is done."


def test_a_correction_that_is_tried_again_leaves_what_was_asked_since(room):
    room.add("slow", room.wait)
    room.asks(3, "Run slow newest.")
    room.comes(3, "tool_call")
    room.asks(1, "Run slow old.", since=0.0)
    room.comes(1, "tool_call")
    room.asks(2, "No, new.")
    assert room.end(1).detail == {"reason": "replaced by 2"}
    room.may_go.set()
    assert room.end(3).event == room.end(2).event == "answer"


def test_a_guess_becomes_the_job_that_adopts_it(room):
    room.add("slow", room.wait)
    room.hears("Run slow.")
    room.comes(-1, "tool_call")
    room.asks(1, spoken="Run slow.", adopt=-1)
    room.may_go.set()
    assert room.end(1).text == "It took a while."
    assert [e.event for e in room.of(1)] == ["tool_result", "partial", "answer"]
    assert [e.event for e in room.of(-1)] == ["partial", "tool_call"]
    assert len(room.ran) == 1


def test_the_end_of_an_adopted_guess_is_told_by_the_job(room):
    room.hears("Run look_up.")
    room.end(-1)
    room.asks(1, spoken="Run look_up.", adopt=-1)
    assert room.end(1).text == "look_up is done."
    assert len(room.of(1)) == 1  # the rest was there before


def test_the_worker_adopts_what_the_engine_did_not_see_and_tells_it_again(room):
    room.hears("Run look_up!")
    room.end(-1)
    room.asks(1, spoken="run look_up")  # the same but for punctuation
    assert room.end(1).text == "look_up is done."
    assert [e.event for e in room.of(1)] == [e.event for e in room.of(-1)]
    assert len(room.ran) == 1


def test_a_guess_about_other_words_is_not_adopted_whatever_the_engine_thought(room):
    room.hears("Run look_up.")
    room.end(-1)
    room.asks(1, spoken="Run look_up now.", adopt=-1)
    assert room.end(1).text == "look_up is done."
    assert room.of(1)[0].detail["role"] == "restart"
    assert [arguments for _, arguments in room.ran] == [{}, {"what": "now"}]


def test_nobody_begins_before_the_words_have_settled(room):
    room.hears("Run look_up now.", settled=False)
    quiet()
    assert room.sent == []


def test_a_guess_that_only_waits_for_the_hand_over_says_so(room):
    room.hears("Stop.")
    assert room.comes(room.guess, "partial", "ready").detail["waits"] is True
    room.asks(1, spoken="Stop.", adopt=room.guess)
    assert (room.end(1).text, room.end(1).detail) == ("", {"reason": "called off"})


def test_what_changes_something_waits_until_it_is_handed_over_and_is_done_once(room):
    room.hears("Run note milk.")
    assert room.comes(-1, "tool_call").detail["waits"] is True
    quiet()
    assert room.ran == []
    room.asks(1, spoken="Run note milk.", adopt=-1)
    assert room.end(1).text == "note is done."
    assert room.ran == [("note", {"what": "milk"})]


def test_what_changes_something_is_not_done_when_the_guess_was_wrong(room):
    room.hears("Run note milk.")
    room.comes(-1, "tool_call")
    room.hears("Run note milk and eggs.")
    assert room.end(-1).event == "cancelled"
    room.comes(-2, "tool_call")
    room.asks(1, spoken="Never.")
    room.end(1)
    assert room.end(-2).event == "cancelled"
    assert room.ran == []


def test_a_tool_that_asks_waits_for_the_hand_over_before_it_asks(room):
    room.add("peek", permission=Permission.ASK_ONCE)
    room.hears("Run peek.")
    assert room.comes(-1, "tool_call").detail["waits"] is True
    quiet()
    assert not [e for e in room.sent if e.detail.get("role") == "question"]
    room.asks(1, spoken="Run peek.", adopt=-1)
    room.comes(1, "partial", "question")
    room.desk.permit(1, True)
    assert room.end(1).text == "peek is done."


def test_a_cancelled_job_that_adopts_a_guess_does_nothing(room):
    room.hears("Run note.")
    room.comes(-1, "tool_call")
    room.desk.cancel(1)
    room.asks(1, spoken="Run note.", adopt=-1)
    assert room.end(1).event == "cancelled"
    assert room.ran == []


def test_the_time_of_a_job_begins_when_it_is_handed_over(room, monkeypatch):
    room.hears("Run note.")
    room.comes(-1, "tool_call")
    time.sleep(0.4)
    room.asks(1, spoken="Run note.", adopt=-1, deadline_s=0.3)
    assert room.end(1).event == "answer"


def test_a_second_attempt_does_not_do_it_again(room):
    room.asks(1, "Run note milk.")
    room.end(1)
    room.desk = room.new_desk()  # the worker was lost, its store was not
    room.asks(1, "Run note milk.")
    room.until(lambda: sum(e.event == "answer" for e in room.sent) == 2)
    assert {e.text for e in room.sent if e.event == "answer"} == {"note is done."}
    assert len(room.ran) == 1
    room.asks(2, "Run note milk.")  # another request is another deed
    room.end(2)
    assert len(room.ran) == 2
