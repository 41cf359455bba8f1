"""The whole way with the real worker and its real models: a spoken question, an answer in words."""

import sys
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import numpy as np
import psutil
import pytest
import soxr

from engine.background.client import BackgroundClient
from engine.background.settings import BackgroundSettings
from engine.events import BackgroundEvent
from engine.types import Samples
from tests.fake_openai import FakeOpenAI, failing, saying, silent

NONE = np.zeros(0, np.float32)
ENDS = ("answer", "failed", "cancelled")
MAX_WORKER_MB = 560


@pytest.fixture(scope="module")
def settings(tmp_path_factory) -> BackgroundSettings:
    """The converted model is shared by the test run."""
    return BackgroundSettings(cache_dir=str(Path(tmp_path_factory.getbasetemp()) / "models"))


@pytest.fixture(scope="module")
def background(settings) -> Iterator[BackgroundClient]:
    client = BackgroundClient(settings)
    client.start()
    assert client.wait_ready(100), client.status
    yield client
    client.stop()


@pytest.fixture(scope="module")
def question() -> Samples:
    """A second of silence, then a question."""
    speech = import_module("hibari").Hibari()("What is the capital of France?", seed=0)
    return np.concatenate((np.zeros(16_000), soxr.resample(speech, 24_000, 16_000))).astype(np.float32)


def finish(client: BackgroundClient, job: int, timeout: float = 60.0) -> list[BackgroundEvent]:
    """The job's events until it has ended."""
    events: list[BackgroundEvent] = []
    deadline = time.monotonic() + timeout
    while not events or events[-1].event not in ENDS:
        assert time.monotonic() < deadline, events
        events += [event for event in client.poll(1e9) if event.id == job]
        time.sleep(0.002)
    return events


def roles(events: list[BackgroundEvent], role: str) -> str:
    return " ".join(event.text for event in events if event.detail.get("role") == role)


def test_a_spoken_question_is_answered(background, question):
    events = finish(background, background.submit(7.0, question, "", (), None))
    assert [e.event for e in events][:2] == ["asked", "partial"]
    assert roles(events, "request") == "What is the capital of France?"
    assert "Paris" in events[-1].text
    assert events[-1].event == "answer"
    assert roles(events, "answer") == events[-1].text
    assert sum(e.detail.get("role") == "answer" for e in events) > 3
    assert all(7.0 <= e.t < 12.0 for e in events)
    assert events[-1].detail["first_word_s"] < events[-1].detail["answer_s"]


def test_typed_words_and_an_empty_request(background):
    events = finish(background, background.submit(1.0, NONE, "How many days are in a week?", (), None))
    assert events[0].text == "How many days are in a week?"
    assert events[-1].event == "answer" and events[-1].text
    noise = np.random.default_rng(0).normal(0, 0.03, 32_000).astype(np.float32)
    events = finish(background, background.submit(1.0, noise, "", (), None))
    assert [e.event for e in events] == ["asked", "answer"]
    assert (events[-1].text, events[-1].detail["reason"]) == ("", "nothing recognised")


def test_cancelled_between_words_it_is_free_for_the_next(background):
    job = background.submit(1.0, NONE, "Why is the sky blue?", (), None)
    while not any(e.detail.get("role") == "answer" for e in background.poll(1e9)):
        time.sleep(0.002)
    background.cancel(job, 2.0)
    began = time.monotonic()
    events = finish(background, background.submit(3.0, NONE, "Hello.", (), None))
    assert events[-1].event == "answer"
    assert time.monotonic() - began < 5.0
    assert not [e for e in background.poll(1e9) if e.id == job]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_the_worker_is_light_and_polite(background, question):
    finish(background, background.submit(1.0, question, "", (), None))
    worker = psutil.Process(background.pid)
    assert worker.nice() == min(19, psutil.Process().nice() + 5)
    assert worker.memory_info().rss < MAX_WORKER_MB * 1e6
    libraries = {Path(region.path).name for region in worker.memory_maps()}
    assert not [name for name in libraries if name.startswith(("libtorch", "libQt"))]
    assert "MICROTURN_API_KEY" not in worker.environ()


def test_killed_while_it_answers_the_request_is_answered_by_the_next(settings, question):
    client = BackgroundClient(settings)
    client.start()
    try:
        assert client.wait_ready(100), client.status
        job = client.submit(1.0, question, "Why is the sky blue?", (), None)
        events: list[BackgroundEvent] = []
        while not roles(events, "answer"):
            events += client.poll(1e9)
            time.sleep(0.001)
        psutil.Process(client.pid).kill()
        events += finish(client, job)
        assert events[-1].event == "answer"
        assert events[-1].detail["attempt"] == 2
        assert roles(events, "answer") == events[-1].text
        assert sum(e.detail.get("role") == "request" for e in events) == 1
        assert len(client.take_faults()) == 1
    finally:
        client.stop()


def test_a_server_answers_when_one_is_configured(settings, question):
    answers = (saying("*Paris*,", " of", " course.", pause_s=0.05), failing(401), saying("Again."), silent)
    with FakeOpenAI(*answers) as server:
        client = BackgroundClient(
            BackgroundSettings(base_url=server.base_url, api_key="secret-7", cache_dir=settings.cache_dir)
        )
        client.start()
        try:
            assert client.wait_ready(100), client.status
            assert "127.0.0.1" in client.status.text
            context = (("user", "Hello."), ("assistant", "Hello."))
            events = finish(client, client.submit(1.0, question, "", context, None))
            assert roles(events, "answer") == events[-1].text == "Paris, of course."
            messages = server.requests[0]["body"]["messages"]
            assert [m["role"] for m in messages] == ["system", "user", "assistant", "user"]
            assert messages[-1]["content"] == "What is the capital of France?"
            events = finish(client, client.submit(2.0, NONE, "And now?", (), None))
            assert events[-1].event == "failed"
            assert events[-1].text == "My language server refused the key."
            assert "secret-7" not in str(events)
            events = finish(client, client.submit(3.0, NONE, "And now?", (), None))
            assert events[-1].text == "Again."
            hung = client.submit(4.0, NONE, "And now?", (), None)
            while len(server.requests) < 4:
                time.sleep(0.01)
            client.cancel(hung, 5.0)
            events = finish(client, client.submit(6.0, np.zeros(16_000, np.float32), "", (), None))
            assert events[-1].event == "answer"
        finally:
            client.stop()
