"""The book of open requests: times, retries, guesses, alarms, what was heard, cancelling, limits."""

import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.background import jobs
from engine.background.jobs import Job, JobBook
from engine.background.protocol import HeardWords, JobEvent, encode
from engine.events import BackgroundEvent, Caption, Transcript
from engine.handover import HandOver, Line

DEADLINE_S = 60.0


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


def ask(book: JobBook, t: float = 5.0, text: str = "hello", deadline_s: float = DEADLINE_S) -> int:
    return book.submit(t, HandOver(text=text), None, deadline_s)


def words(job: int, text: str, role: str = "answer") -> JobEvent:
    return JobEvent(job, "partial", text, 0.1, {"role": role})


def told(events) -> list[tuple[str, str]]:
    return [(event.event, event.text) for event in events]


def take(book: JobBook) -> Job:
    job = book.take_waiting()
    assert job is not None
    return job


def of_jobs(book: JobBook) -> list[BackgroundEvent]:
    """All that has happened to jobs."""
    return [event for event in book.poll(99.0) if isinstance(event, BackgroundEvent)]


def roles(events) -> list[str]:
    return [str(event.detail["role"]) for event in events if "role" in event.detail]


def answer_of(events) -> list[str]:
    """The answer's words as the user has them: void after a restart."""
    said: list[str] = []
    for event in events:
        if event.detail.get("role") == "restart":
            said = []
        elif event.detail.get("role") == "answer":
            said += event.text.split()
    return said


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


# Waiting on a simulated clock


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


def test_sound_that_is_being_listened_to_holds_the_clock_until_it_has_been_dealt_with():
    book = JobBook(simulated=True, max_open=3)
    for index in range(3):
        book.sound(index, 0.2 * (index + 1))
    timers = [threading.Timer(0.05, book.listened, (1,)), threading.Timer(0.1, book.listened, (2,))]
    began = time.monotonic()
    for timer in timers:
        timer.start()
    book.wait_until(60.0)
    assert 0.09 <= time.monotonic() - began < 2.0
    for timer in timers:
        timer.join()


def test_sound_holds_the_clock_no_longer_than_it_would_have_lasted_live():
    book = JobBook(simulated=True, max_open=3)
    book.sound(0, 0.2)
    began = time.monotonic()
    book.wait_until(0.4)
    assert 0.19 <= time.monotonic() - began < 1.0


def test_a_lost_worker_holds_nothing():
    book = JobBook(simulated=True, max_open=3)
    book.sound(0, 0.2)
    book.heard(settled("What is it?"))
    book.came(guess_began(-1))
    book.interrupted("killed")
    began = time.monotonic()
    book.wait_until(60.0)
    assert time.monotonic() - began < 0.1


@pytest.mark.parametrize(
    "over",
    [
        JobEvent(-1, "answer", "Four.", 0.1),
        JobEvent(-1, "failed", "No.", 0.1),
        JobEvent(-1, "cancelled", "", 0.1),
        JobEvent(-1, "tool_call", "timer", 0.1, {"waits": True}),
    ],
)
def test_a_guess_at_work_holds_the_clock_until_it_ends_or_waits_to_be_handed_over(over):
    book = JobBook(simulated=True, max_open=3)
    book.heard(settled("What is it?"))
    book.came(guess_began(-1))
    timer = threading.Timer(0.1, book.came, (over,))
    began = time.monotonic()
    timer.start()
    book.wait_until(60.0)
    assert 0.09 <= time.monotonic() - began < 2.0
    timer.join()


def test_live_nothing_waits():
    book = JobBook(simulated=False, max_open=3)
    ask(book)
    book.sound(0, 0.2)
    book.heard(settled("What is it?"))
    book.came(guess_began(-1))
    began = time.monotonic()
    book.wait_until(65.0)
    assert time.monotonic() - began < 0.1


# A lost worker


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


# What was heard


def hearing(
    text: str, *, utterance: int = 1, revision: int = 1, is_settled: bool = False, closed: bool = False
) -> HeardWords:
    """Words of 0.3 s each from session second 1 on."""
    timed = tuple((word, 1.0 + 0.3 * n, 1.3 + 0.3 * n) for n, word in enumerate(text.split()))
    return HeardWords(utterance, revision, timed, 0, is_settled or closed, closed, 2.0)


def settled(text: str, revision: int = 1, utterance: int = 1) -> HeardWords:
    return hearing(text, utterance=utterance, revision=revision, is_settled=True)


def test_what_is_heard_becomes_captions_and_in_the_end_a_transcript(book, real):
    book.sound(5, 1.2)
    book.heard(hearing("what"))
    real.now += 0.1
    book.heard(settled("what is", 2))
    book.sound(6, 1.4)
    book.heard(hearing("What is", revision=3, closed=True))
    first, second, last = book.poll(99.0)
    assert first == Caption(1.2, 1.0, "what", 0, False)
    assert isinstance(second, Caption) and second.settled and round(second.t, 3) == 1.3
    assert isinstance(last, Transcript)
    assert (last.t0, last.speaker, last.text) == (1.0, "user", "What is")
    assert last.t1 == pytest.approx(1.6)
    assert [word for word, _, _ in last.words] == ["What", "is"]


def test_nothing_heard_is_nothing_told(book):
    book.heard(HeardWords(1, 1, (), 0, True, True, 2.0))
    assert book.poll(99.0) == ()


def test_on_a_simulated_clock_what_is_heard_belongs_to_its_micro_turn_however_slow_it_is(book, real):
    book.sound(5, 1.2)
    real.now += 7.0
    book.heard(hearing("what"))
    assert [e.t for e in book.poll(99.0) if isinstance(e, Caption)] == [pytest.approx(1.4)]


def test_live_what_is_heard_belongs_to_now(real):
    book = JobBook(simulated=False, max_open=3, monotonic=real)
    book.sound(5, 1.2)
    real.now += 7.0
    book.heard(hearing("what"))
    assert [e.t for e in book.poll(99.0) if isinstance(e, Caption)] == [pytest.approx(8.2)]


# Guesses


def guess_began(number: int, since: float = 0.8, utterance: int = 1, revision: int = 1) -> JobEvent:
    detail: dict[str, str | int | float | bool] = {
        "role": "request",
        "since": since,
        "utterance": utterance,
        "revision": revision,
        "topic": "it",
    }
    return JobEvent(number, "partial", "What is it?", 0.0, detail)


def thinking(book: JobBook, number: int = -1, **about) -> None:
    """The worker has heard a question up to micro-turn 9, and thinks about it."""
    for index in range(10):
        book.sound(index, 0.2 * (index + 1))
        book.listened(index)
    book.heard(settled("What is it?"))
    book.poll(99.0)
    book.came(guess_began(number, **about))


def hand_over(book: JobBook, t: float = 2.0, since: float = 0.8, text: str = "") -> int:
    return book.submit(t, HandOver(since=since, text=text), None, DEADLINE_S)


def test_what_was_found_ahead_is_there_in_the_moment_of_the_hand_over(book, real):
    thinking(book)
    book.came(words(-1, "It is"))
    real.now += 5.0
    job = hand_over(book, 2.0)
    events = book.poll(2.0 + 1e-6)
    assert [(e.id, e.t, e.event, e.text) for e in events] == [
        (job, 2.0, "asked", ""),
        (job, 2.0, "partial", "What is it?"),
        (job, 2.0, "partial", "It is"),
    ]
    assert events[0].detail["thought_ahead"] is True
    request = take(book).request(b"")
    assert (request.job, request.adopt) == (job, -1)


def test_what_a_guess_says_later_belongs_to_the_job(book, real):
    thinking(book)
    job = hand_over(book, 2.0)
    real.now += 0.1
    book.came(words(-1, "It"))  # the worker has not got the request yet
    book.take_waiting()
    book.came(words(-1, "is"))
    book.came(words(job, "four."))
    book.came(JobEvent(job, "answer", "It is four.", 0.3))
    events = [e for e in book.poll(99.0) if e.id == job]
    assert answer_of(events) == ["It", "is", "four."]
    assert [round(e.t, 2) for e in events[-3:]] == [2.1, 2.1, 2.1]
    assert events[-1].event == "answer"
    book.came(words(-1, "late"))
    assert book.poll(99.0) == ()


@pytest.mark.parametrize("early", [False, True])
def test_a_guess_that_has_ended_is_a_job_until_the_worker_says_it_is_the_answer(book, early):
    thinking(book)
    book.came(words(-1, "Four."))
    if early:
        book.came(JobEvent(-1, "answer", "Four.", 0.1))
    job = hand_over(book, 2.0)
    if not early:
        book.came(JobEvent(-1, "answer", "Four.", 0.1))
    events = book.poll(2.1)
    assert answer_of(events) == ["Four."]
    assert book.is_open(job)
    assert take(book).request(b"").adopt == -1  # else the worker would never know that it was asked
    book.came(JobEvent(job, "answer", "Four.", 0.1))
    assert told(book.poll(99.0)) == [("answer", "Four.")]


def test_when_the_last_moment_changed_the_words_the_guess_is_void(book):
    thinking(book)
    book.came(words(-1, "Four."))
    book.came(JobEvent(-1, "answer", "Four.", 0.1))
    job = hand_over(book, 2.0)
    book.take_waiting()
    book.came(words(job, "", "restart"))
    book.came(words(job, "Five."))
    book.came(JobEvent(job, "answer", "Five.", 0.1))
    events = of_jobs(book)
    assert answer_of(events) == ["Five."]
    assert events[-1].text == "Five."


def other_words(book: JobBook) -> None:
    book.heard(settled("What is it not?", revision=2))


def not_settled(book: JobBook) -> None:
    book.heard(hearing("What is it?"))


def other_utterance(book: JobBook) -> None:
    book.heard(settled("What is it?", utterance=2))


def nothing_new(book: JobBook) -> None:
    pass


def thrown_away(book: JobBook) -> None:
    book.came(JobEvent(-1, "cancelled", "", 0.1))


def newer(book: JobBook) -> None:
    book.heard(settled("And that?", revision=3))
    book.came(guess_began(-2, revision=3))
    book.heard(settled("And those?", revision=4))
    book.came(words(-1, "Late words of the older guess."))


@pytest.mark.parametrize("change", [other_words, not_settled, other_utterance, thrown_away, newer])
def test_a_guess_about_something_else_is_not_adopted(book, change):
    thinking(book)
    book.came(words(-1, "Four."))
    change(book)
    hand_over(book, 2.0)
    assert answer_of(e for e in book.poll(99.0) if isinstance(e, BackgroundEvent)) == []
    assert take(book).request(b"").adopt == 0


@pytest.mark.parametrize(
    ("asked", "adopted"),
    [
        ({}, True),
        ({"since": 0.85}, True),
        ({"since": 0.4}, False),
        ({"since": 1.2}, False),
        ({"text": "typed"}, False),
        ({"t": 2.5}, True),
        ({"t": 2.7}, False),  # too much was said since that nobody has listened to
    ],
)
def test_a_guess_is_adopted_when_it_is_about_what_is_handed_over(book, asked, adopted):
    thinking(book)
    hand_over(book, **asked)
    assert take(book).request(b"").adopt == (-1 if adopted else 0)


def test_a_guess_is_adopted_once(book):
    thinking(book)
    first, second = hand_over(book), hand_over(book)
    requests = [take(book).request(b"") for _ in range(2)]
    assert [(r.job, r.adopt) for r in requests] == [(first, -1), (second, 0)]


def test_a_guess_dies_with_its_worker_before_the_hand_over(book):
    thinking(book)
    book.interrupted("killed")
    hand_over(book)
    assert take(book).request(b"").adopt == 0


@pytest.mark.parametrize("dispatched", [False, True])
def test_a_guess_dies_with_its_worker_after_the_hand_over_and_no_word_is_said_twice(book, dispatched):
    thinking(book)
    book.came(words(-1, "It is"))
    job = hand_over(book)
    if dispatched:
        book.take_waiting()
    book.interrupted("killed")
    assert take(book).request(b"").adopt == 0
    book.came(words(-1, "void"))  # the next worker counts from -1 again
    for piece in ("It", "is", "four."):
        book.came(words(job, piece))
    book.came(JobEvent(job, "answer", "It is four.", 0.1))
    events = [e for e in book.poll(99.0) if e.id == job]
    assert [e.text for e in events if e.detail.get("role") == "answer"] == ["It is", "four."]
    assert "restart" not in roles(events)
