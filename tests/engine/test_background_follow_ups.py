"""The worker's desk: which requests belong together."""

import time
from datetime import UTC, datetime

import pytest

from engine.background.ears import Spoken
from engine.background.protocol import ENDS, Request
from engine.background.store import StoreError
from engine.background.tools.tool import Permission
from engine.background.understanding.call import Call
from engine.handover import Line
from tests.engine.background_room import (
    NOW,
    FakeDomain,
    Room,
    quiet,
)


@pytest.fixture
def room(monkeypatch):
    made = Room(monkeypatch)
    yield made
    made.close()


def test_a_correction_cancels_the_newest_job_and_tells_by_what(room):
    room.add("slow", room.wait)
    room.asks(1, "Run slow old.")
    room.asks(2, "Run slow new.")
    room.comes(1, "tool_call")
    room.comes(2, "tool_call")
    room.asks(3, "No, newest.", given_up=(1, 2))
    assert (room.end(2).event, room.end(2).detail) == ("cancelled", {"reason": "replaced by 3"})
    room.comes(3, "tool_call")
    room.may_go.set()
    assert room.end(3).event == room.end(1).event == "answer"
    assert ("slow", {"what": "newest"}) in room.ran


def test_a_correction_that_was_thought_ahead_cancels_when_it_is_handed_over(room):
    room.add("slow", room.wait)
    room.asks(1, "Run slow old.")
    room.comes(1, "tool_call")
    room.hears("No, new.", since=2.0)
    room.comes(-1, "tool_call")
    quiet()
    assert room.of(1)[-1].event == "tool_call"
    room.asks(2, spoken="No, new.", adopt=-1, given_up=(1,))
    assert room.end(1).detail == {"reason": "replaced by 2"}
    room.may_go.set()
    assert room.end(2).event == "answer"


def test_a_request_that_holds_the_words_of_another_takes_its_place(room):
    room.add("slow", room.wait)
    room.asks(1, "Run slow.", since=1.0)
    room.comes(1, "tool_call")
    room.asks(2, "Run slow now.", since=1.0, given_up=(1,))
    assert room.end(1).detail == {"reason": "replaced by 2"}
    room.may_go.set()
    room.end(2)
    # The first may end its call after the second: both have begun.
    assert sorted(room.ran, key=str) == [("slow", {"what": "now"}), ("slow", {})]


def test_an_independent_request_leaves_the_first_alone(room):
    room.add("slow", room.wait)
    room.asks(1, "Run slow.", since=1.0)
    room.comes(1, "tool_call")
    room.asks(2, "Run look_up.", since=4.0, given_up=(1,))
    assert room.end(2).event == "answer"
    room.may_go.set()
    assert room.end(1).text == "It took a while."


def test_words_that_did_something_already_do_not_do_it_again(room):
    room.asks(1, "Run note milk", since=1.0)
    room.end(1)
    room.asks(2, "Run note milk and eggs", since=1.0)
    room.end(2)
    assert room.ran == [("note", {"what": "milk"}), ("note", {"what": "eggs"})]


def test_words_that_were_to_do_something_do_it_with_those_that_follow(room):
    room.add("slow_note", room.wait, changes=True, permission=Permission.ASK_ALWAYS)
    room.asks(1, "Run slow_note milk", since=1.0)
    room.comes(1, "partial", "question")
    room.asks(2, "Run slow_note milk and eggs", since=1.0, given_up=(1,))
    assert room.end(1).detail == {"reason": "replaced by 2"}
    room.comes(2, "partial", "question")
    room.desk.permit(2, True)
    room.may_go.set()
    room.end(2)
    assert room.ran == [("slow_note", {"what": "milk and eggs"})]


def test_a_request_goes_on_from_an_earlier_one(room):
    room.asks(1, "Run look_up paris.")
    room.end(1)
    room.asks(2, "And rome?", since=9.0)
    room.end(2)
    assert room.ran == [("look_up", {"what": "paris"}), ("look_up", {"what": "rome"})]


def test_a_request_goes_on_from_one_that_was_thought_ahead(room):
    room.hears("Run look_up paris.")
    room.end(-1)
    room.asks(1, spoken="Run look_up paris.", adopt=-1)
    room.end(1)
    room.asks(2, "And rome?", since=9.0)
    room.end(2)
    assert room.ran[-1] == ("look_up", {"what": "rome"})


def test_a_guess_that_nobody_asked_for_is_not_gone_on_from(room):
    room.hears("Run look_up paris.")
    room.end(-1)
    room.asks(1, spoken="And rome?")
    assert room.end(1).text == "You said And rome?"


def test_after_a_restart_it_is_read_off_what_was_said(room):
    lines = (Line("user", "Run look_up paris."), Line("assistant", "It is done."), Line("user", "And rome?"))
    room.asks(1, "And rome?", lines=lines)
    room.end(1)
    assert room.ran == [("look_up", {"what": "rome"})]


def test_never_mind_cancels_what_is_open(room):
    room.add("slow", room.wait)
    for job in (1, 2):
        room.asks(job, "Run slow.")
        room.comes(job, "tool_call")
    room.hears("Never mind.", since=3.0)
    quiet()
    assert not [e for job in (1, 2) for e in room.of(job) if e.event in ENDS]  # nobody has handed it over
    room.asks(3, spoken="Never mind.", adopt=-1)
    assert (room.end(3).text, room.end(3).detail["reason"]) == ("", "called off")
    for job in (1, 2):
        assert (room.end(job).event, room.end(job).detail) == ("cancelled", {"reason": "called off"})


@pytest.mark.parametrize("words", ["Never mind.", "Stop.", "Be quiet, please."])
def test_with_nothing_open_never_mind_is_answered_with_silence(room, words):
    room.asks(1, words)
    assert (room.end(1).event, room.end(1).text, room.end(1).detail["reason"]) == ("answer", "", "called off")
    assert room.model.prompts == []


def test_a_tool_that_goes_on_from_never_mind_comes_first_when_nothing_is_open(room, monkeypatch):
    room.asks(1, "Run note milk.")
    room.end(1)
    monkeypatch.setattr(FakeDomain, "follow", lambda self, text, last, now: Call(last.tool, {"what": text}))
    room.asks(2, "Cancel that.", since=9.0)
    assert room.end(2).text == "note is done."
    assert room.ran[-1] == ("note", {"what": "cancel that"})


def test_never_mind_that_was_taken_back_cancels_nothing(room):
    room.add("slow", room.wait)
    room.asks(1, "Run slow.")
    room.comes(1, "tool_call")
    room.hears("Never mind.")
    room.hears("Never mind the gap.", settled=False)
    assert room.end(-1).event == "cancelled"
    room.may_go.set()
    assert room.end(1).event == "answer"


def test_the_model_learns_what_is_open_and_what_is_known(room):
    room.add("slow", room.wait)
    room.store.set_fact("name", "Ada")
    room.store.add_alarm("timer", "tea", datetime(2026, 3, 2, 9, 35, tzinfo=UTC), NOW)
    room.asks(1, "Run slow.")
    room.comes(1, "tool_call")
    room.asks(2, "Hello there.")
    room.end(2)
    memory = room.model.prompts[0].memory
    assert "name: Ada" in memory
    assert "still answering: Run slow." in memory
    assert "timer tea at 09:35 on Monday 02 March" in memory


def test_a_store_that_fails_costs_the_memory_only(room, monkeypatch):
    def fails(*args):
        raise StoreError("The disk is full.")

    monkeypatch.setattr(room.store, "facts", fails)
    monkeypatch.setattr(room.store, "alarms", fails)
    room.asks(1, "Hello there.")
    assert room.end(1).event == "answer"
    monkeypatch.setattr(room.store, "once", fails)
    room.asks(2, "Run note.")
    assert (room.end(2).event, room.end(2).text) == ("failed", "The disk is full.")


def test_what_was_misheard_is_done_as_it_was_meant_and_the_timeline_says_so(room):
    heard = Spoken("Ron look up.", 0, 1, others=("Wrong look up.", "Run look_up."))
    room.desk.request(Request(1, key="1", t=1.0, since=0.0), time.monotonic(), heard)
    assert room.end(1).text == "look_up is done."
    assert room.comes(1, "tool_call").detail["meant"] == "Run look_up."
    assert room.comes(1, "partial", "request").text == "Ron look up."


def test_a_guess_that_was_misheard_is_adopted_as_it_was_meant(room):
    heard = Spoken("Ron look up.", 0, 1, others=("Run look_up.",))
    room.desk.heard(heard, 0.0, True)
    room.end(-1)
    room.desk.request(Request(1, key="1", t=1.0, since=0.0, adopt=-1), time.monotonic(), heard)
    assert room.end(1).text == "look_up is done."
    assert [name for name, _ in room.ran] == ["look_up"]


def test_typed_words_are_taken_as_they_are(room):
    room.asks(1, "Ron look up.")
    assert room.end(1).text == "You said Ron look up."
