"""The book of open requests: times, limits, cancelling, alarms."""

import numpy as np
import pytest

from engine.background import jobs
from engine.background.jobs import JobBook
from engine.background.protocol import JobEvent, encode
from engine.events import BackgroundEvent, Transcript
from engine.handover import HandOver, Line
from tests.engine.background_book import (
    FakeTime,
    ask,
    hearing,
    of_jobs,
    take,
    told,
    words,
)


@pytest.fixture
def real():
    return FakeTime()


@pytest.fixture
def book(real):
    return JobBook(simulated=True, max_open=3, monotonic=real)


# Times


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


def test_several_run_at_once_and_come_in_the_order_of_session_time(book, real):
    first, second = ask(book, 5.0, "a"), ask(book, 5.1, "b")
    real.now += 1.0
    assert [job.id for job in (book.take_waiting(), book.take_waiting())] == [first, second]
    book.came(words(second, "B1"))
    book.came(words(first, "A1"))
    book.came(JobEvent(second, "answer", "B", 0.0))
    real.now += 0.05
    assert book.is_open(first) and not book.is_open(second)
    book.came(JobEvent(first, "answer", "A", 0.0))
    events = book.poll(99.0)[2:]
    assert [(event.id, event.text) for event in events] == [
        (first, "A1"), (first, "A"), (second, "B1"), (second, "B"),
    ]  # fmt: skip
    assert [round(event.t, 2) for event in events] == [6.0, 6.05, 6.1, 6.1]


def test_each_request_has_a_key_of_its_own_that_stays_for_its_second_attempt(book):
    ask(book)
    ask(book)
    first, second = book.take_waiting(), book.take_waiting()
    keys = [job.request(b"").key for job in (first, second)]
    assert keys[0] != keys[1]
    book.interrupted("killed")
    assert take(book).request(b"").key == keys[0]
    other = JobBook(simulated=True, max_open=3)
    ask(other)
    assert take(other).request(b"").key not in keys


def test_a_request_carries_its_package():
    book = JobBook(simulated=True, max_open=3)
    line = Line("user", "Hello.", 1.0, 1.5)
    package = HandOver(4.0, 4.9, 3.8, np.full(4, 0.5, np.float32), "typed", (line,), (7, 8))
    book.submit(5.0, package, None, 12.0)
    request = take(book).request(jpeg=b"jpeg")
    assert (request.t, request.since, request.text, request.deadline_s) == (5.0, 3.8, "typed", 12.0)
    assert (request.lines, request.given_up, request.jpeg) == ((line,), (7, 8), b"jpeg")
    assert np.frombuffer(request.audio, "<f4").tolist() == [0.5] * 4
    assert request.adopt == 0


# Deadlines and limits


def test_a_job_is_overdue_when_its_own_deadline_has_passed_for_a_while(book, real):
    long, short = ask(book, deadline_s=30.0), ask(book, deadline_s=5.0)
    waiting = ask(book, deadline_s=0.1)
    assert {take(book).id, take(book).id} == {long, short}
    real.now += 7.9
    assert book.overdue(3.0) == []
    real.now += 0.2
    assert book.overdue(3.0) == [short]
    real.now += 30.0
    assert book.overdue(3.0) == [long, short]
    assert take(book).id == waiting  # a deadline counts from when a job runs


def test_a_second_attempt_has_the_whole_time_again(book, real):
    job = ask(book, deadline_s=5.0)
    book.take_waiting()
    real.now += 7.0
    book.interrupted("killed")
    book.take_waiting()
    real.now += 7.0
    assert book.overdue(3.0) == []
    real.now += 2.0
    assert book.overdue(3.0) == [job]


def test_one_too_many_and_the_oldest_that_waits_fails(book):
    running, oldest, *_ = ask(book, 1.0), ask(book, 1.1), ask(book, 1.2)
    assert take(book).id == running
    assert book.is_open(oldest)
    newest = ask(book, 1.3)
    failed = [event for event in book.poll(99.0) if event.event == "failed"]
    assert [event.id for event in failed] == [oldest]
    assert not book.is_open(oldest)
    assert "too many" in failed[0].detail["advice"]
    assert newest in {take(book).id, take(book).id}


def test_one_too_many_while_all_run_and_the_new_one_fails(book):
    for _ in range(3):
        ask(book)
        book.take_waiting()
    newest = ask(book)
    assert [e.id for e in book.poll(99.0) if e.event == "failed"] == [newest]
    assert book.take_waiting() is None


def test_unknown_jobs_and_late_words_are_passed_over(book):
    book.came(words(77, "who?"))
    book.came(words(-77, "who?"))
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
    book.heard(hearing("one two"))
    book.heard(hearing("one two", closed=True))
    book.came(JobEvent(job, "answer", "one two three four", 0.1))
    events = [e for e in book.poll(99.0) if isinstance(e, BackgroundEvent | Transcript)]
    assert [e.text for e in sorted(events, key=lambda e: isinstance(e, Transcript))] == [
        "hello", "one", "two", "one two three four", "one two",
    ]  # fmt: skip
    assert book.take_dropped() == 3
    assert book.take_dropped() == 0


def test_any_request_fits_the_protocol(book):
    long = "\ud800" + "wörter " * 3_000
    line = Line(long, long, -1.0, 2.0, long)
    audio = np.full(70 * 16_000, np.nan, np.float32)
    book.submit(0.0, HandOver(audio=audio, text=long, lines=(line,) * 99, given_up=(1,) * 99), None, 60.0)
    job = book.take_waiting()
    message = job.request(jpeg=b"")
    assert len(encode(message)) > 60 * 16_000 * 4
    assert message.lines[-1].text.endswith("wörter ")


def test_submitting_copies_the_audio(book):
    audio = np.full(10, 0.25, np.float32)
    book.submit(0.0, HandOver(audio=audio), None, 60.0)
    audio[:] = 0
    assert (take(book).package.audio == 0.25).all()


# Cancelling and trying again


@pytest.mark.parametrize("reason", ["", "dropped by the model"])
def test_a_cancelled_job_says_nothing_more(book, reason):
    job = ask(book, 5.0)
    book.take_waiting()
    book.cancel(job, 5.4, reason)
    book.cancel(job, 5.5, "again")
    book.came(words(job, "late"))
    book.came(JobEvent(job, "answer", "late", 1.0))
    book.interrupted("killed")
    events = of_jobs(book)
    assert [(e.event, e.t) for e in events] == [("asked", 5.0), ("cancelled", 5.4)]
    assert events[-1].detail == ({"reason": reason} if reason else {})
    assert book.take_waiting() is None


def test_a_job_is_not_cancelled_before_it_was_asked(book):
    job = ask(book, 5.0)
    book.cancel(job, 4.0)
    assert [(e.event, e.t) for e in book.poll(99.0)] == [("asked", 5.0), ("cancelled", 5.0)]


def test_the_worker_says_why_a_job_was_cancelled(book):
    job = ask(book)
    book.take_waiting()
    book.came(JobEvent(job, "cancelled", "", 0.1, {"reason": "replaced by 7"}))
    assert book.poll(99.0)[-1].detail["reason"] == "replaced by 7"


def test_an_ended_job_can_be_asked_again(book):
    package = HandOver(since=1.0, text="What is it?", audio=np.full(5, 0.5, np.float32))
    job = book.submit(5.0, package, None, 9.0)
    first = book.take_waiting()
    assert book.retry(job, 6.0) is None  # it is still at work
    book.came(JobEvent(job, "failed", "No.", 0.1))
    again = book.retry(job, 7.0)
    assert again is not None and again != job
    second = book.take_waiting()
    assert (second.id, second.t, second.attempts, second.deadline_s) == (again, 7.0, 1, 9.0)
    assert second.key != first.key  # what changes something is done again
    assert (second.package.text, second.package.since) == ("What is it?", 1.0)
    assert second.package.audio.tolist() == [0.5] * 5
    assert book.retry(99, 8.0) is None


def test_only_the_last_ended_jobs_can_be_asked_again(book):
    ended = []
    for _ in range(5):
        ended.append(ask(book))
        book.cancel(ended[-1], 5.0)
    assert [book.retry(job, 6.0) is not None for job in ended] == [False, False, True, True, True]


# Alarms


def test_an_alarm_is_a_job_that_is_answered_at_once(book, real):
    book.sound(9, 2.0)
    real.now += 0.1
    book.due(3, "Your timer is done.")
    assert book.take_told() == []
    events = of_jobs(book)
    assert told(events) == [("asked", ""), ("answer", "Your timer is done.")]
    assert all(event.detail["alarm"] == 3 and round(event.t, 3) == 2.1 for event in events)
    assert len({event.id for event in events}) == 1
    assert book.take_told() == [3]
    assert book.take_told() == []
    assert not book.is_open(events[0].id)


def test_an_alarm_is_told_once_and_the_worker_learns_of_it_when_the_engine_has_it(book):
    book.sound(9, 2.0)
    book.due(3, "Time.")
    book.due(3, "Time.")
    assert book.poll(1.0) == ()
    assert book.take_told() == []
    assert len(book.poll(99.0)) == 2
    assert book.take_told() == [3]
    book.due(3, "Time.")  # the worker has not noticed
    assert book.poll(99.0) == ()
    assert book.take_told() == [3]
    book.due(4, "Another.")
    assert told(book.poll(99.0))[-1] == ("answer", "Another.")


def test_an_alarm_outlives_a_lost_worker_and_leaves_the_jobs_alone(book):
    job = ask(book)
    book.due(3, "Time.")
    book.take_waiting()
    book.interrupted("killed")
    book.due(3, "Time.")
    assert [e.text for e in book.poll(99.0) if e.event == "answer"] == ["Time."]
    assert book.is_open(job)
