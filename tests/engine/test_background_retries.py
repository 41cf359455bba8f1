"""The book of open requests: a worker that is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.background.jobs import JobBook
from engine.background.protocol import JobEvent
from tests.engine.background_book import (
    FakeTime,
    answer_of,
    ask,
    of_jobs,
    roles,
    take,
    words,
)


@pytest.fixture
def real():
    return FakeTime()


@pytest.fixture
def book(real):
    return JobBook(simulated=True, max_open=3, monotonic=real)


def test_a_lost_job_is_tried_once_more_then_fails(book):
    ask(book)
    assert take(book).attempts == 1
    book.interrupted("killed")
    assert take(book).attempts == 2
    book.interrupted("killed")
    assert book.take_waiting() is None
    events = of_jobs(book)
    assert [event.event for event in events] == ["asked", "partial", "failed"]
    assert events[1].detail == {"role": "retry", "why": "killed"}
    assert events[2].detail["advice"] == "killed, twice over this request"


def test_second_attempts_run_one_after_the_other_so_that_only_the_guilty_one_fails(book):
    bad, good = ask(book, 5.0, "bad"), ask(book, 5.1, "good")
    book.take_waiting()
    book.take_waiting()
    book.interrupted("killed")
    assert take(book).id == bad
    assert book.take_waiting() is None
    new = ask(book, 5.2, "new")
    assert take(book).id == new  # what is asked for the first time does not wait for it
    book.came(JobEvent(new, "answer", "New.", 0.1))
    book.interrupted("killed")
    assert not book.is_open(bad)
    assert take(book).id == good
    book.came(JobEvent(good, "answer", "Good.", 0.1))
    assert [e.id for e in book.poll(99.0) if e.event == "failed"] == [bad]


@given(st.lists(st.sampled_from(["a", "b", "c d", "e f g"]), max_size=6), st.integers(0, 8))
def test_a_second_attempt_repeats_no_word(pieces, said):
    book = JobBook(simulated=False, max_open=3)
    job = ask(book)
    whole = " ".join(pieces).split()
    book.take_waiting()
    book.came(words(job, "hm", "request"))
    before = whole[:said]
    for word in before:
        book.came(words(job, word))
    book.interrupted("killed")
    book.take_waiting()
    book.came(words(job, "hm", "request"))
    for piece in pieces:
        book.came(words(job, piece))
    book.came(JobEvent(job, "answer", " ".join(pieces), 0.0))
    events = of_jobs(book)
    streamed = [e.text for e in events if e.detail.get("role") == "answer"]
    assert " ".join(streamed).split() == whole
    assert events[-1].text == " ".join(whole)
    assert events[-1].detail["attempt"] == 2
    assert roles(events).count("request") == 1
    assert "restart" not in roles(events)


@given(st.lists(st.sampled_from("abc"), max_size=6), st.lists(st.sampled_from("abc"), max_size=6), st.data())
def test_a_second_attempt_that_says_something_else_voids_the_first(first, second, data):
    book = JobBook(simulated=False, max_open=3)
    job = ask(book)
    book.take_waiting()
    for word in first:
        book.came(words(job, word))
    book.interrupted("killed")
    book.take_waiting()
    left = list(second)
    while left:
        count = data.draw(st.integers(1, len(left)))
        book.came(words(job, " ".join(left[:count])))
        left = left[count:]
    book.came(JobEvent(job, "answer", " ".join(second), 0.0))
    events = of_jobs(book)
    known = min(len(first), len(second))
    same = first[:known] == second[:known]
    # What was told and is not taken back stays told.
    wanted = first if same and len(first) > len(second) else second
    assert answer_of(events) == wanted
    assert events[-1].text.split() == wanted
    assert roles(events).count("restart") == (0 if same else 1)


def test_a_restart_of_the_worker_itself_voids_what_was_told(book):
    job = ask(book)
    book.take_waiting()
    book.came(words(job, "One two"))
    book.came(words(job, "", "restart"))
    book.came(words(job, "three."))
    assert answer_of(book.poll(99.0)) == ["three."]
