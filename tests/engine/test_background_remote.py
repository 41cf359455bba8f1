"""The language model on a server, over real HTTP: what is sent, and faults."""

import socket
import threading
import time

import pytest

from engine.background import remote
from engine.background.failure import JobError
from engine.background.prompt import Prompt, ToolUse
from engine.background.remote import RemoteModel, is_local
from engine.background.remote_failure import note
from engine.background.settings import BackgroundSettings
from tests.engine.background_server import (
    CLOCK,
    PICTURE,
    ask,
    model_at,
    never,
)
from tests.fake_openai import (
    FakeOpenAI,
    big_headers,
    dripping,
    failing,
    garbage,
    half,
    lines,
    no_http,
    odd_json,
    page,
    saying,
    silent,
    unless,
)


@pytest.fixture(autouse=True)
def quick_retry(monkeypatch):
    monkeypatch.setattr(remote, "RETRY_PAUSE_S", 0.01)


# Requests


def test_words_stream_as_they_come():
    with FakeOpenAI(saying("One ", "two ", "three.", pause_s=0.15)) as server:
        began = time.monotonic()
        pieces = model_at(server.base_url).stream(Prompt("Count."), never)
        assert next(pieces) == "One "
        first = time.monotonic() - began
        assert list(pieces) == ["two ", "three."]
        assert time.monotonic() - began > first + 0.2


def test_the_users_instructions_are_sent_beside_the_rules():
    with FakeOpenAI(saying("Yes.")) as server:
        ask(server, instructions="Talk like a pirate.")
        ask(server)
        told, plain = (request["body"]["messages"][0]["content"] for request in server.requests)
    assert told.endswith("Talk like a pirate.")
    assert told.startswith(plain)


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


@pytest.mark.parametrize(
    "behaviour", [page, no_http, big_headers, lines(b"data: [1, 2]\n\n"), lines(b"<html>")]
)
def test_what_is_no_answer(behaviour):
    with FakeOpenAI(behaviour) as server, pytest.raises(JobError, match="do not understand") as caught:
        ask(server)
    assert "127.0.0.1" in caught.value.advice and "MICROTURN_BASE_URL" in caught.value.advice


def test_words_before_a_broken_connection_are_kept_and_nothing_is_sent_again():
    with FakeOpenAI(half) as server:
        pieces = model_at(server.base_url).stream(Prompt("?"), never)
        assert next(pieces) == "The answer "
        with pytest.raises(JobError) as caught:
            list(pieces)
        assert len(server.requests) == 1
    assert caught.value.say == "My language server broke off."


def test_an_unknown_model_and_what_there_is_instead():
    models = ("nomic-embed-text", "llama-3:8b", "mistral", "qwen3:4b", "qwen3:8b")
    with FakeOpenAI(models=models) as server, pytest.raises(JobError, match="does not know") as caught:
        ask(server, model="qwen3")
    assert "has no model 'qwen3'; it has qwen3:8b, qwen3:4b, " in caught.value.advice
    assert "embed" not in caught.value.advice and caught.value.advice.count(",") == 2


def test_an_unknown_model_where_there_is_no_list():
    with (
        FakeOpenAI(listing=page) as server,
        pytest.raises(JobError, match="does not know this model") as caught,
    ):
        ask(server, model="nowhere")
    assert "MICROTURN_MODEL" in caught.value.advice


def test_a_model_that_is_there_at_an_address_without_chat():
    with FakeOpenAI(failing(404)) as server, pytest.raises(JobError, match="at this address") as caught:
        ask(server)
    assert "MICROTURN_BASE_URL" in caught.value.advice


@pytest.mark.parametrize("models", [(), ("nomic-embed-text",)])
def test_no_model_for_talking(models):
    with FakeOpenAI(models=models) as server, pytest.raises(JobError, match="has no model"):
        ask(server, model="")


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


@pytest.mark.parametrize("key", ["schl\u00fcssel", "two\nlines", "a\tb"])
def test_a_key_that_is_none(key):
    with pytest.raises(JobError) as caught:
        RemoteModel(BackgroundSettings(base_url="http://localhost/v1", api_key=key))
    assert key not in str(caught.value) + caught.value.advice


def test_without_a_key_it_says_how_to_give_one():
    with FakeOpenAI(failing(401)) as server, pytest.raises(JobError, match="wants a key") as caught:
        ask(server)
    assert "microturn key set 127.0.0.1" in caught.value.advice


# Parts that not every server takes


def test_a_model_without_eyes_is_asked_without_the_picture_from_then_on():
    blind = unless("image_url", 400, "invalid content type", saying("I cannot see."))
    with FakeOpenAI(blind) as server:
        model = model_at(server.base_url)
        assert [model.takes_images] == [None]
        for _ in range(2):
            assert list(model.stream(Prompt("What is this?", (), PICTURE), never)) == ["I cannot see."]
        assert model.takes_images is False
        assert len(server.requests) == 3
        assert "cannot be shown" in server.requests[2]["body"]["messages"][0]["content"]


def test_a_model_with_eyes():
    with FakeOpenAI(saying("A cup.")) as server:
        model = model_at(server.base_url)
        assert list(model.stream(Prompt("What is this?", (), PICTURE), never)) == ["A cup."]
        assert model.takes_images is True


def test_a_picture_is_not_blamed_for_another_fault():
    with FakeOpenAI(
        failing(400, "context too long"), failing(400, "context too long"), saying("A cup.")
    ) as server:
        model = model_at(server.base_url)
        with pytest.raises(JobError) as caught:
            list(model.stream(Prompt("What is this?", (), PICTURE), never))
        assert "context too long" in caught.value.advice
        assert model.takes_images is None
        assert list(model.stream(Prompt("What is this?", (), PICTURE), never)) == ["A cup."]


def test_reasoning_effort_is_sent_when_set_and_left_out_when_refused():
    message = "Unrecognized request argument supplied: reasoning_effort"
    with FakeOpenAI(saying("Yes.")) as server:
        ask(server)
        ask(server, reasoning_effort="low")
        assert ["reasoning_effort" in r["body"] for r in server.requests] == [False, True]
    with FakeOpenAI(unless("reasoning_effort", 400, message, saying("Yes."))) as server:
        model = model_at(server.base_url, reasoning_effort="low")
        for _ in range(2):
            assert list(model.stream(Prompt("?"), never)) == ["Yes."]
        assert len(server.requests) == 3


def test_a_model_without_tools_is_asked_without_them():
    message = "registry.ollama.ai/library/tiny does not support tools"
    with FakeOpenAI(unless('"tools"', 400, message, saying("No clock here."))) as server:
        model = model_at(server.base_url)
        prompt = Prompt("?", tools=(CLOCK,), exchanges=((ToolUse("a", "get_time", "{}"), "Five."),))
        assert list(model.stream(prompt, never)) == ["No clock here."]
        assert model.takes_tools is False
        body = server.requests[-1]["body"]
    assert "tools" not in body
    assert body["messages"][-1] == {"role": "user", "content": "Looked up: get_time: Five."}


def test_a_wrong_tool_is_not_taken_for_a_server_without_tools():
    message = "Invalid schema for function 'get_time'"
    with FakeOpenAI(unless('"tools"', 400, message, saying("No."))) as server:
        with pytest.raises(JobError, match="reports an error"):
            ask(server, Prompt("?", tools=(CLOCK,)))
        assert len(server.requests) == 1


def test_all_parts_may_be_refused_one_after_the_other():
    kind = unless("image_url", 422, "no", saying("Yes."))
    kind = unless('"tools"', 500, "tools param requires --jinja flag", kind)
    kind = unless("reasoning_effort", 400, '"x" does not support thinking', kind)
    kind = unless('"max_tokens"', 400, "Use 'max_completion_tokens' instead.", kind)
    with FakeOpenAI(kind) as server:
        prompt = Prompt("?", (), PICTURE, tools=(CLOCK,))
        assert ask(server, prompt, reasoning_effort="high") == ["Yes."]
        assert len(server.requests) == 5


def test_a_server_that_refuses_everything_is_given_up():
    with FakeOpenAI(failing(400, "reasoning_effort max_completion_tokens image support tools")) as server:
        with pytest.raises(JobError, match="reports an error"):
            ask(server, Prompt("?", (), PICTURE, tools=(CLOCK,)), reasoning_effort="high")
        assert len(server.requests) == 5


# Secrets


def test_what_the_server_says_is_told_without_the_key():
    key = "sk-abcdef-123456"
    for message in (f"bad key {key}", f"bad key {key[:8]}...", f"ends in {key[-6:]}"):
        with FakeOpenAI(failing(400, message)) as server, pytest.raises(JobError) as caught:
            ask(server, api_key=key)
        assert message not in caught.value.advice
        assert key[:6] not in caught.value.advice and key[-6:] not in caught.value.advice
    assert note({"error": "too\n long\u202e"}, key) == ": too long"


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("localhost", True),
        ("a.localhost", True),
        ("127.8.0.1", True),
        ("::1", True),
        ("10.0.0.1", False),
        ("localhost.org", False),
    ],
)
def test_what_is_this_computer(host, local):
    assert is_local(host) is local
