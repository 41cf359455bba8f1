"""The book of open requests: waiting on a simulated clock."""

import threading
import time

import pytest

from engine.background.jobs import JobBook
from engine.background.protocol import JobEvent
from tests.engine.background_book import (
    ask,
    guess_began,
    settled,
    told,
)


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
