"""The book of open requests: what was heard, and guesses about it."""

import pytest

from engine.background.jobs import JobBook
from engine.background.protocol import HeardWords, JobEvent
from engine.events import BackgroundEvent, Caption, Transcript
from tests.engine.background_book import (
    FakeTime,
    answer_of,
    guess_began,
    hand_over,
    hearing,
    of_jobs,
    roles,
    settled,
    take,
    thinking,
    told,
    words,
)


@pytest.fixture
def real():
    return FakeTime()


@pytest.fixture
def book(real):
    return JobBook(simulated=True, max_open=3, monotonic=real)


# What was heard


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
