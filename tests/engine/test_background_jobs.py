"""The book of open requests: times, retries, cancelling, limits."""

import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.background import jobs
from engine.background.jobs import JobBook
from engine.background.protocol import JobEvent, encode
from engine.events import BackgroundEvent

NONE = np.zeros(0, np.float32)


class FakeTime:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def real():
    return FakeTime()


@pytest.fixture
def book(real):
    return JobBook(simulated=True, max_open=3, monotonic=real)


def ask(book: JobBook, t: float = 5.0, text: str = "hello") -> int:
    return book.submit(t, NONE, text, (), None)


def words(job: int, text: str, role: str = "answer") -> JobEvent:
    return JobEvent(job, "partial", text, 0.1, {"role": role})


def told(events: tuple[BackgroundEvent, ...]) -> list[tuple[str, str]]:
    return [(event.event, event.text) for event in events]


def test_an_event_belongs_to_when_it_was_asked_plus_the_real_time_since(book, real):
    job = ask(book, 5.0)
    book.take_waiting()
    real.now += 0.3
    book.came(words(job, "what", "request"))
    real.now += 0.2
    book.came(words(job, "Four."))
    book.came(JobEvent(job, "answer", "Four.", 0.5))
    events = book.poll(9.0)
    assert [round(event.t, 3) for event in events] == [5.0, 5.3, 5.5, 5.5]
    assert told(events) == [
        ("asked", "hello"),
        ("partial", "what"),
        ("partial", "Four."),
        ("answer", "Four."),
    ]
    assert events[1].detail["role"] == "request"
    assert events[3].detail["worker_s"] == 0.5


def test_events_can_be_polled_only_once_their_time_has_come(book, real):
    job = ask(book, 5.0)
    book.take_waiting()
    real.now += 0.5
    book.came(words(job, "Four."))
    assert told(book.poll(5.2)) == [("asked", "hello")]
    assert told(book.poll(5.4)) == []
    assert told(book.poll(5.6)) == [("partial", "Four.")]
    assert told(book.poll(5.8)) == []


def test_jobs_of_different_times_come_in_the_order_of_session_time(book, real):
    first, second = ask(book, 5.0, "a"), ask(book, 5.1, "b")
    real.now += 1.0
    assert [job.id for job in (book.take_waiting(), book.take_waiting())] == [first, second]
    book.came(JobEvent(second, "answer", "B", 0.0))
    real.now += 0.05
    book.came(JobEvent(first, "answer", "A", 0.0))
    assert told(book.poll(99.0))[2:] == [("answer", "A"), ("answer", "B")]


def test_waiting_lasts_as_long_as_the_session_time_that_goes_by():
    book = JobBook(simulated=True, max_open=3)
    began = time.monotonic()
    ask(book, 5.0)
    book.wait_until(5.2)
    assert 0.2 <= time.monotonic() - began < 1.0
    book.wait_until(5.1)
    assert time.monotonic() - began < 1.0


@pytest.mark.parametrize("event", ["answer", "failed", "cancelled"])
def test_waiting_ends_with_the_job(event):
    book = JobBook(simulated=True, max_open=3)
    job = ask(book, 5.0)
    book.take_waiting()
    timer = threading.Timer(0.1, book.came, (JobEvent(job, event, "", 0.1),))
    timer.start()
    began = time.monotonic()
    book.wait_until(5.0 + 60)
    assert time.monotonic() - began < 2.0
    timer.join()


def test_waiting_ends_with_the_session():
    book = JobBook(simulated=True, max_open=3)
    ask(book)
    timer = threading.Timer(0.1, book.close)
    timer.start()
    book.wait_until(65.0)
    timer.join()
    assert told(book.poll(9.0)) == [("asked", "hello")]


def test_live_nothing_waits():
    book = JobBook(simulated=False, max_open=3)
    ask(book)
    began = time.monotonic()
    book.wait_until(65.0)
    assert time.monotonic() - began < 0.1


def test_a_lost_job_is_tried_once_more_then_fails(book):
    job = ask(book)
    assert book.take_waiting().attempts == 1
    book.interrupted(job, "killed")
    assert book.take_waiting().attempts == 2
    book.interrupted(job, "killed")
    assert book.take_waiting() is None
    events = book.poll(99.0)
    assert [event.event for event in events] == ["asked", "partial", "failed"]
    assert events[1].detail == {"role": "retry", "why": "killed"}
    assert events[2].detail["advice"] == "killed, twice over this request"


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
    book.interrupted(job, "killed")
    book.take_waiting()
    book.came(words(job, "hm", "request"))
    for piece in pieces:
        book.came(words(job, piece))
    book.came(JobEvent(job, "answer", " ".join(pieces), 0.0))
    events = book.poll(99.0)
    streamed = [e.text for e in events if e.detail.get("role") == "answer"]
    assert " ".join(streamed).split() == whole
    assert events[-1].text == " ".join(whole)
    assert events[-1].detail["attempt"] == 2
    assert sum(e.detail.get("role") == "request" for e in events) == 1


def test_a_cancelled_job_says_nothing_more(book):
    job = ask(book, 5.0)
    book.take_waiting()
    book.cancel(job, 5.4)
    book.cancel(job, 5.5)
    book.came(words(job, "late"))
    book.came(JobEvent(job, "answer", "late", 1.0))
    book.interrupted(job, "killed")
    assert [(e.event, e.t) for e in book.poll(99.0)] == [("asked", 5.0), ("cancelled", 5.4)]
    assert book.take_waiting() is None


def test_one_too_many_and_the_oldest_that_waits_fails(book):
    running, oldest, *_ = ask(book, 1.0), ask(book, 1.1), ask(book, 1.2)
    assert book.take_waiting().id == running
    assert book.is_open(oldest)
    newest = ask(book, 1.3)
    failed = [event for event in book.poll(99.0) if event.event == "failed"]
    assert [event.id for event in failed] == [oldest]
    assert not book.is_open(oldest)
    assert "too many" in failed[0].detail["advice"]
    assert newest in {book.take_waiting().id, book.take_waiting().id}


def test_unknown_jobs_and_late_words_are_passed_over(book):
    book.came(words(77, "who?"))
    job = ask(book)
    book.came(words(job, "before it was taken"))
    book.take_waiting()
    book.came(JobEvent(job, "answer", "done", 0.1))
    book.came(words(job, "after"))
    assert told(book.poll(99.0)) == [("asked", "hello"), ("answer", "done")]


def test_no_worker_and_all_that_waits_fails(book):
    ask(book)
    ask(book)
    book.take_waiting()
    book.fail_waiting("No.", "it does not start")
    assert [event.event for event in book.poll(99.0)] == ["asked", "asked", "failed"]


def test_words_that_nobody_polls_are_dropped_and_counted_but_never_the_end(book, monkeypatch):
    monkeypatch.setattr(jobs, "_KEPT_EVENTS", 3)
    job = ask(book)
    book.take_waiting()
    for word in ("one", "two", "three", "four"):
        book.came(words(job, word))
    book.came(JobEvent(job, "answer", "one two three four", 0.1))
    assert [text for _, text in told(book.poll(99.0))] == ["hello", "one", "two", "one two three four"]
    assert book.take_dropped() == 2
    assert book.take_dropped() == 0


def test_any_request_fits_the_protocol(book):
    long = "\ud800" + "wörter " * 3_000
    book.submit(0.0, np.full(70 * 16_000, np.nan), long, ((long, long),) * 99, None)
    job = book.take_waiting()
    message = job.request(jpeg=b"")
    assert len(encode(message)) > 60 * 16_000 * 4
    assert message.context[-1][1].endswith("wörter ")


def test_submitting_copies_the_audio(book):
    audio = np.full(10, 0.25, np.float32)
    book.submit(0.0, audio, "", (), None)
    audio[:] = 0
    assert (book.take_waiting().audio == 0.25).all()
