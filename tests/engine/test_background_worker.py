"""The whole way with the real worker and its real models: a spoken question, an answer in words."""

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import psutil
import pytest
import soxr

from engine.background.client import BackgroundClient
from engine.background.jobs import Told
from engine.background.settings import BackgroundSettings
from engine.background.store import Store
from engine.config import INPUT_CHUNK
from engine.events import BackgroundEvent, Caption, Transcript
from engine.handover import HandOver, Line
from engine.types import Samples
from tests.fake_openai import FakeOpenAI, failing, saying, silent

ENDS = ("answer", "failed", "cancelled")
MAX_WORKER_MB = 640


@pytest.fixture(scope="module")
def settings(tmp_path_factory) -> BackgroundSettings:
    """The converted model is shared by the test run."""
    own = tmp_path_factory.mktemp("mind")
    return BackgroundSettings(
        cache_dir=str(Path(tmp_path_factory.getbasetemp()) / "models"),
        store=str(own / "mind.sqlite"),
        config_dir=str(own),
        discover=False,
    )


@pytest.fixture(scope="module")
def background(settings) -> Iterator[BackgroundClient]:
    client = BackgroundClient(settings)
    client.start()
    assert client.wait_ready(100), client.status
    yield client
    client.stop()


def spoken(text: str) -> Samples:
    """A second of silence, then a question."""
    speech = import_module("hibari").Hibari()(text, seed=0)
    return np.concatenate((np.zeros(16_000), soxr.resample(speech, 24_000, 16_000))).astype(np.float32)


@pytest.fixture(scope="module")
def question() -> Samples:
    """For the language model."""
    return spoken("Who wrote Romeo and Juliet?")


def finish(client: BackgroundClient, job: int, timeout: float = 60.0) -> list[BackgroundEvent]:
    """The job's events until it has ended."""
    events: list[BackgroundEvent] = []
    deadline = time.monotonic() + timeout
    while not events or events[-1].event not in ENDS:
        assert time.monotonic() < deadline, events
        came = [event for event in client.poll(1e9) if isinstance(event, BackgroundEvent)]
        events += [event for event in came if event.id == job]
        time.sleep(0.002)
    return events


def roles(events: Sequence[Told], role: str) -> str:
    own = [event for event in events if isinstance(event, BackgroundEvent)]
    return " ".join(event.text for event in own if event.detail.get("role") == role)


def test_a_spoken_question_is_answered(background, question):
    events = finish(background, background.submit(7.0, HandOver(audio=question), None))
    assert [e.event for e in events][:2] == ["asked", "partial"]
    assert "romeo and juliet" in roles(events, "request").lower()
    assert "Shakespeare" in events[-1].text
    assert events[-1].event == "answer"
    assert roles(events, "answer") == events[-1].text
    assert sum(e.detail.get("role") == "answer" for e in events) > 3
    assert all(7.0 <= e.t < 12.0 for e in events)
    assert events[-1].detail["first_word_s"] < events[-1].detail["answer_s"]


def test_typed_words_and_an_empty_request(background):
    events = finish(background, background.submit(1.0, HandOver(text="How many days are in a week?"), None))
    assert events[0].text == "How many days are in a week?"
    assert [e.event for e in events] == ["asked", "tool_call", "tool_result", "partial", "answer"]
    assert events[-1].event == "answer" and events[-1].text
    noise = np.random.default_rng(0).normal(0, 0.03, 32_000).astype(np.float32)
    events = finish(background, background.submit(1.0, HandOver(audio=noise), None))
    assert [e.event for e in events] == ["asked", "answer"]
    assert (events[-1].text, events[-1].detail["reason"]) == ("", "nothing recognised")


def test_cancelled_between_words_it_is_free_for_the_next(background):
    job = background.submit(1.0, HandOver(text="Why is the sky blue?"), None)
    while not roles(list(background.poll(1e9)), "answer"):
        time.sleep(0.002)
    background.cancel(job, 2.0)
    began = time.monotonic()
    events = finish(background, background.submit(3.0, HandOver(text="Hello."), None))
    assert events[-1].event == "answer"
    assert time.monotonic() - began < 5.0
    assert not roles(list(background.poll(1e9)), "answer")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_the_worker_is_light_and_polite(background, question):
    finish(background, background.submit(1.0, HandOver(audio=question), None))
    worker = psutil.Process(background.pid)
    assert worker.nice() == min(19, psutil.Process().nice() + 10)
    assert worker.memory_info().rss < MAX_WORKER_MB * 1e6
    libraries = {Path(region.path).name for region in worker.memory_maps()}
    assert not [name for name in libraries if name.startswith(("libtorch", "libQt"))]
    assert "MICROTURN_API_KEY" not in worker.environ()


def test_killed_while_it_answers_the_request_is_answered_by_the_next(settings, question):
    client = BackgroundClient(settings)
    client.start()
    try:
        assert client.wait_ready(100), client.status
        job = client.submit(1.0, HandOver(audio=question, text="Why is the sky blue?"), None)
        events: list[BackgroundEvent] = []
        while not roles(events, "answer"):
            events += [event for event in client.poll(1e9) if isinstance(event, BackgroundEvent)]
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
        client = BackgroundClient(replace(settings, base_url=server.base_url, api_key="secret-7"))
        client.start()
        try:
            assert client.wait_ready(100), client.status
            assert "127.0.0.1" in client.status.text
            context = (Line("user", "Hello."), Line("assistant", "Hello."))
            events = finish(client, client.submit(1.0, HandOver(audio=question, lines=context), None))
            assert roles(events, "answer") == events[-1].text == "Paris, of course."
            messages = server.requests[0]["body"]["messages"]
            assert [m["role"] for m in messages] == ["system", "user", "assistant", "user"]
            assert "romeo and juliet" in messages[-1]["content"].lower()
            events = finish(client, client.submit(2.0, HandOver(text="And now?"), None))
            assert events[-1].event == "failed"
            assert events[-1].text == "My language server refused the key."
            assert "secret-7" not in str(events)
            events = finish(client, client.submit(3.0, HandOver(text="And now?"), None))
            assert events[-1].text == "Again."
            hung = client.submit(4.0, HandOver(text="And now?"), None)
            while len(server.requests) < 4:
                time.sleep(0.01)
            client.cancel(hung, 5.0)
            events = finish(client, client.submit(6.0, HandOver(audio=np.zeros(16_000, np.float32)), None))
            assert events[-1].event == "answer"
        finally:
            client.stop()


def hear(client: BackgroundClient, samples: Samples, first: int) -> int:
    """Give sound as it comes from the microphone; the next micro-turn's index."""
    padded = np.pad(samples, (0, -len(samples) % INPUT_CHUNK))
    for start in range(0, len(padded), INPUT_CHUNK):
        client.hear(first, padded[start : start + INPUT_CHUNK], (first + 1) * 0.2, 0.0)
        first += 1
    return first


def test_what_was_heard_is_answered_when_it_is_handed_over(settings):
    question = spoken("What is the capital of France?")
    client = BackgroundClient(settings, simulated=True)
    client.start()
    try:
        assert client.wait_ready(100), client.status
        index = hear(client, np.concatenate((question, np.zeros(8_000, np.float32))), 0)
        t = index * 0.2
        client.wait_until(t + 60)  # until all is listened to, and thought about
        told = list(client.poll(1e9))
        assert not [e for e in told if isinstance(e, BackgroundEvent)], "a guess is nobody's business"
        assert any(isinstance(e, Caption) and e.settled for e in told)
        job = client.submit(t, HandOver(audio=question), None)
        at_once = client.poll(t + 0.001)
        assert isinstance(at_once[0], BackgroundEvent) and at_once[0].detail["thought_ahead"]
        assert "capital of france" in roles(at_once, "request").lower()
        assert "Paris" in roles(at_once, "answer")
        deadline = time.monotonic() + 20
        while not any(isinstance(e, Transcript) for e in told) and time.monotonic() < deadline:
            told += client.poll(1e9)
            time.sleep(0.01)
        while client.busy and time.monotonic() < deadline:
            time.sleep(0.01)
        ends = [e for e in (*told, *client.poll(1e9)) if isinstance(e, BackgroundEvent) and e.id == job]
        assert [e.event for e in ends if e.event in ENDS] == ["answer"]
        (said,) = [e for e in told if isinstance(e, Transcript)]
        assert said.speaker == "user" and said.words
        assert said.words[0][1] == pytest.approx(1.25, abs=0.25)
    finally:
        client.stop()


def test_an_alarm_speaks_up_also_when_its_process_was_killed_meanwhile(settings, tmp_path):
    client = BackgroundClient(replace(settings, store=str(tmp_path / "own.sqlite")))
    client.start()
    try:
        assert client.wait_ready(100), client.status
        events = finish(client, client.submit(1.0, HandOver(text="Set a timer for two seconds."), None))
        assert events[-1].text == "Timer set for 2 seconds."
        psutil.Process(client.pid).kill()
        told: list[BackgroundEvent] = []
        deadline = time.monotonic() + 30
        while not any(e.event == "answer" for e in told) and time.monotonic() < deadline:
            told += [e for e in client.poll(1e9) if isinstance(e, BackgroundEvent)]
            time.sleep(0.02)
        assert [e.event for e in told] == ["asked", "answer"]
        assert "timer is" in told[-1].text
        time.sleep(2.5)  # longer than until an alarm that was not taken comes again
        assert not [e for e in client.poll(1e9) if isinstance(e, BackgroundEvent)]
        again = finish(client, client.submit(9.0, HandOver(text="What timers do I have?"), None))
        assert "no timer" in again[-1].text.lower()
    finally:
        client.stop()


def test_what_changes_something_is_done_once_though_the_request_is_tried_twice(settings, tmp_path):
    path = tmp_path / "own.sqlite"
    client = BackgroundClient(replace(settings, store=str(path)))
    client.start()
    try:
        assert client.wait_ready(100), client.status
        job = client.submit(1.0, HandOver(text="Take a note: buy paint."), None)
        while not Store(path).notes():
            time.sleep(0.001)
        pid = client.pid
        if client.busy and pid is not None:
            psutil.Process(pid).kill()
        events = finish(client, job)
        assert events[-1].event == "answer" and "paint" in events[-1].text
        assert [note.text for note in Store(path).notes()] == ["buy paint"]
    finally:
        client.stop()
