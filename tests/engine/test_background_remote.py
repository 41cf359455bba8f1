"""The language model on a server, over real HTTP."""

import socket
import threading
import time

import pytest

from engine.background import remote
from engine.background.failure import JobError
from engine.background.prompt import Prompt
from engine.background.remote import RemoteModel
from engine.background.settings import BackgroundSettings
from tests.fake_openai import (
    FakeOpenAI,
    dripping,
    failing,
    garbage,
    half,
    odd_json,
    page,
    saying,
    silent,
)


def never() -> bool:
    return False


def model_at(base_url: str, **settings) -> RemoteModel:
    model = RemoteModel(BackgroundSettings(base_url=base_url, **{"model": "test-model", **settings}))
    model.warm_up()
    return model


@pytest.fixture(autouse=True)
def quick_retry(monkeypatch):
    monkeypatch.setattr(remote, "RETRY_PAUSE_S", 0.01)


def test_words_stream_as_they_come():
    with FakeOpenAI(saying("One ", "two ", "three.", pause_s=0.15)) as server:
        began = time.monotonic()
        pieces = model_at(server.base_url).stream(Prompt("Count."), never)
        assert next(pieces) == "One "
        first = time.monotonic() - began
        assert list(pieces) == ["two ", "three."]
        assert time.monotonic() - began > first + 0.2


def test_what_is_sent():
    with FakeOpenAI(saying("Yes.")) as server:
        context = (("user", "Hello."), ("assistant", "Hi."))
        list(
            model_at(server.base_url, api_key="secret-7").stream(
                Prompt("And now?", context, b"\xff\xd8"), never
            )
        )
        request = server.requests[0]
    assert request["headers"]["authorization"] == "Bearer secret-7"
    assert request["body"]["stream"] is True
    assert request["body"]["model"] == "test-model"
    system, *turns, asked = request["body"]["messages"]
    assert system["role"] == "system" and "spoken" in system["content"]
    assert turns == [{"role": "user", "content": "Hello."}, {"role": "assistant", "content": "Hi."}]
    assert asked["content"][0] == {"type": "text", "text": "And now?"}
    assert asked["content"][1]["image_url"]["url"] == "data:image/jpeg;base64,/9g="


def test_the_first_listed_model_when_none_is_named():
    with FakeOpenAI(saying("Yes."), models=("alpha", "beta")) as server:
        assert list(model_at(server.base_url, model="").stream(Prompt("?"), never)) == ["Yes."]
        assert server.requests[0]["body"]["model"] == "alpha"


@pytest.mark.parametrize("fault", [failing(500), failing(503), failing(429)])
def test_a_passing_fault_is_retried_once(fault):
    with FakeOpenAI(fault, saying("Here.")) as server:
        assert list(model_at(server.base_url).stream(Prompt("?"), never)) == ["Here."]
        assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("behaviour", "say", "requests"),
    [
        (failing(500), "reports an error", 2),
        (failing(400), "reports an error", 1),
        (failing(401), "refused the key", 1),
        (failing(403), "refused the key", 1),
        (garbage, "do not understand", 1),
        (odd_json, "do not understand", 1),
    ],
)
def test_faults_are_one_plain_sentence(behaviour, say, requests):
    with FakeOpenAI(behaviour) as server:
        with pytest.raises(JobError) as caught:
            list(model_at(server.base_url, api_key="secret-7").stream(Prompt("?"), never))
        assert len(server.requests) == requests
    assert say in caught.value.say
    assert "127.0.0.1" in caught.value.advice
    assert "secret-7" not in caught.value.say + caught.value.advice
    assert "\n" not in caught.value.say + caught.value.advice


def test_a_web_page_is_no_answer():
    with FakeOpenAI(page) as server:
        try:
            pieces = list(model_at(server.base_url).stream(Prompt("?"), never))
        except JobError as err:
            assert "do not understand" in err.say
        else:
            assert pieces == []


def test_words_before_a_broken_connection_are_kept_and_nothing_is_sent_again():
    with FakeOpenAI(half) as server:
        pieces = model_at(server.base_url).stream(Prompt("?"), never)
        assert next(pieces) == "The answer "
        with pytest.raises(JobError) as caught:
            list(pieces)
        assert len(server.requests) == 1
    assert "language server" in caught.value.say


def test_an_unknown_model():
    with FakeOpenAI() as server, pytest.raises(JobError, match="does not know this model"):
        list(model_at(server.base_url, model="nowhere").stream(Prompt("?"), never))


def test_no_server_at_all():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(JobError, match="cannot reach"):
        list(model_at(f"http://127.0.0.1:{port}/v1").stream(Prompt("?"), never))


@pytest.mark.parametrize("behaviour", [silent, dripping])
def test_a_server_without_words_is_given_up_in_time(behaviour):
    with FakeOpenAI(behaviour) as server:
        model = model_at(server.base_url, remote_timeout_s=0.5)
        began = time.monotonic()
        with pytest.raises(JobError, match="takes too long"):
            list(model.stream(Prompt("?"), never))
        assert 0.4 < time.monotonic() - began < 2.0


def test_cancelling_a_silent_server_takes_no_time():
    stop = threading.Event()
    with FakeOpenAI(silent) as server:
        pieces = model_at(server.base_url).stream(Prompt("?"), stop.is_set)
        timer = threading.Timer(0.2, stop.set)
        timer.start()
        began = time.monotonic()
        assert list(pieces) == []
        assert time.monotonic() - began < 1.5
        timer.join()


@pytest.mark.parametrize("base_url", ["ftp://x/v1", "localhost:80", "http://", "nonsense"])
def test_an_address_that_is_none(base_url):
    with pytest.raises(JobError) as caught:
        RemoteModel(BackgroundSettings(base_url=base_url))
    assert "MICROTURN_BASE_URL" in caught.value.advice
