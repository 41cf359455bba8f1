"""Slow calls beside the window's thread."""

import threading
import time

import pytest

from app.worker import MAX_WAITING, Worker
from engine.errors import MicroturnError


def polled(worker: Worker) -> None:
    """Poll until everything submitted has come back."""
    deadline = time.monotonic() + 5
    while worker.busy and time.monotonic() < deadline:
        worker.poll()
        time.sleep(0.005)


def test_results_and_errors_come_back_in_order_to_the_thread_that_polls():
    worker = Worker()
    got: list[tuple[object, type, bool]] = []
    main = threading.get_ident()

    def note(result, error):
        got.append((result, type(error), threading.get_ident() == main))

    worker.submit(lambda: threading.get_ident() == main, note)
    worker.submit(lambda: 1 / 0, note)
    polled(worker)
    assert got == [(False, type(None), True), (None, ZeroDivisionError, True)]
    assert not worker.busy
    assert worker.close(1)


def test_nothing_is_started_for_nothing():
    worker = Worker()
    assert worker.close(0.1)
    worker.submit(lambda: None, lambda *_: None)
    assert not worker.busy


def test_a_hanging_call_neither_blocks_nor_fills_up_for_ever():
    worker, hang = Worker(), threading.Event()
    for _ in range(MAX_WAITING):
        worker.submit(hang.wait, lambda *_: None)
    with pytest.raises(MicroturnError, match="waiting for a device"):
        worker.submit(hang.wait, lambda *_: None)
    assert not worker.close(0.05)
    hang.set()
    assert worker.close(2)
