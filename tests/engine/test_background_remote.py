"""The language model on a server, over real HTTP."""

import json
import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.background import remote
from engine.background.failure import JobError
from engine.background.prompt import Prompt, ToolUse
from engine.background.remote import RemoteModel, is_local
from engine.background.remote_failure import in_words, note, retry_after
from engine.background.remote_stream import MAX_CHARS, Answer, HiddenParts, NonsenseError, ServerFaultError
from engine.background.settings import BackgroundSettings
from engine.background.tools.tool import Tool, ToolResult, schema
from tests.fake_openai import (
    CERTIFICATE,
    FakeOpenAI,
    big_headers,
    calling,
    dripping,
    endless,
    failing,
    garbage,
    half,
    holding,
    lines,
    no_http,
    odd_json,
    page,
    redirecting,
    saying,
    silent,
    streaming,
    unless,
    waiting,
    whole,
)

PICTURE = b"\xff\xd8"
CLOCK = Tool(
    "get_time",
    "The time somewhere.",
    schema(("place",), place={"type": "string"}),
    lambda a, c: ToolResult("Five."),
)


def never() -> bool:
    return False


def model_at(base_url: str, **settings) -> RemoteModel:
    model = RemoteModel(BackgroundSettings(base_url=base_url, **{"model": "test-model", **settings}))
    model.warm_up()
    return model


def text_of(pieces: list[str | ToolUse]) -> str:
    return "".join(piece for piece in pieces if isinstance(piece, str))


def uses_of(pieces: list[str | ToolUse]) -> list[ToolUse]:
    return [piece for piece in pieces if isinstance(piece, ToolUse)]


def ask(server: FakeOpenAI, prompt: Prompt | None = None, **settings) -> list[str | ToolUse]:
    return list(model_at(server.base_url, **settings).stream(prompt or Prompt("?"), never))


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


# Calls of tools


def test_tools_are_offered_and_several_calls_come_whole():
    two = (("id1", "get_time", {"place": "Oslo"}), ("id2", "get_time", {"place": "S\u00e3o Paulo"}))
    with FakeOpenAI(calling(*two)) as server:
        model = model_at(server.base_url)
        got = list(model.stream(Prompt("Time?", tools=(CLOCK,)), never))
        body = server.requests[0]["body"]
    assert got == [ToolUse(i, name, json.dumps(arguments)) for i, name, arguments in two]
    assert body["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "get_time",
                "description": "The time somewhere.",
                "parameters": dict(CLOCK.parameters),
            },
        }
    ]
    assert "use the tools" in body["messages"][0]["content"]
    assert model.takes_tools is True


def test_results_go_back_as_calls_and_their_answers():
    made = (
        (ToolUse("a", "get_time", '{"place": "Oslo"}'), "Five."),
        (ToolUse("b", "get_time", "{broken"), "These arguments are no JSON."),
    )
    with FakeOpenAI(saying("Five.")) as server:
        prompt = Prompt("Time?", tools=(CLOCK,), memory="The user is called Ada.", exchanges=made)
        assert ask(server, prompt) == ["Five."]
        system, asked, *rest = server.requests[0]["body"]["messages"]
    assert "Ada" in system["content"]
    assert asked == {"role": "user", "content": "Time?"}
    assert [m["role"] for m in rest] == ["assistant", "tool"] * 2
    assert rest[0]["tool_calls"] == [
        {"id": "a", "type": "function", "function": {"name": "get_time", "arguments": '{"place": "Oslo"}'}}
    ]
    assert (rest[1]["tool_call_id"], rest[1]["content"]) == ("a", "Five.")
    assert rest[2]["tool_calls"][0]["function"]["arguments"] == "{}"  # servers refuse what they cannot parse


def calls_of(*pieces, before: int = 0) -> list[tuple[str, str, str]]:
    answer = Answer(before)
    for piece in pieces:
        chunk = {"choices": [{"delta": {"tool_calls": piece if isinstance(piece, list) else [piece]}}]}
        assert answer.feed(f"data: {json.dumps(chunk)}\n\n".encode()) == []
    return [(use.id, use.name, use.arguments) for use in answer.end() if isinstance(use, ToolUse)]


def call(name=None, arguments=None, **rest):
    return {"function": {"name": name, "arguments": arguments}, **rest}


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        # all at index 0, whole, with ids of their own
        (
            [call("f", "{}", index=0, id="x"), call("g", '{"a":1}', index=0, id="y")],
            [("x", "f", "{}"), ("y", "g", '{"a":1}')],
        ),
        # the same in one delta, without indexes
        ([[call("f", "{}", id="x"), call("f", "{}", id="y")]], [("x", "f", "{}"), ("y", "f", "{}")]),
        # neither ids nor indexes, arguments in pieces
        (
            [call("f"), call(None, '{"a"'), call(None, ":1}"), call("f", '{"a":2}')],
            [("call00001", "f", '{"a":1}'), ("call00002", "f", '{"a":2}')],
        ),
        # the name and the id in every piece
        ([call("f", '{"a"', index=0, id="x"), call("f", ":1}", index=0, id="x")], [("x", "f", '{"a":1}')]),
        # the id comes later
        ([call("f", "{", index=3), call(None, "}", index=3, id="x")], [("x", "f", "{}")]),
        # interleaved, the second first
        (
            [
                call("g", "[", index=1),
                call("f", "{", index=0),
                call(None, "]", index=1),
                call(None, "}", index=0),
            ],
            [("call00001", "g", "[]"), ("call00002", "f", "{}")],
        ),
        # an object where a text belongs; nothing at all; what is no JSON is given through
        ([call("f", {"a": 1})], [("call00001", "f", '{"a": 1}')]),
        ([call("f", None)], [("call00001", "f", "{}")]),
        ([call("f", '{"a": oops')], [("call00001", "f", '{"a": oops')]),
        # without a name it is no call
        ([call(None, "{}", index=0)], []),
    ],
)
def test_pieces_of_calls_as_servers_send_them(pieces, expected):
    assert calls_of(*pieces) == expected


def test_made_up_ids_differ_between_the_rounds():
    assert [i for i, *_ in calls_of(call("f", "{}"), before=2)] == ["call00003"]


def test_there_is_an_end_to_calls():
    many = [call("f", "{}", index=i, id=str(i)) for i in range(500)]
    assert len(calls_of(many)) == 16


def test_calls_that_a_model_writes_into_its_text():
    text = 'Let me see. <tool_call>\n{"name": "get_time", "arguments": {"place": "Oslo"}}\n</tool_call>'
    deltas = [{"content": text[at : at + 3]} for at in range(0, len(text), 3)]
    with FakeOpenAI(streaming(*deltas)) as server:
        *said, use = ask(server, Prompt("?", tools=(CLOCK,)))
    assert text_of(said) == "Let me see. "
    assert use == ToolUse("call00001", "get_time", '{"place": "Oslo"}')


def test_calls_cut_off_are_asked_for_again_not_made():
    cut = {"tool_calls": [call("get_time", '{"pla', index=0, id="x")]}
    good = calling(("y", "get_time", {"place": "Oslo"}))
    with FakeOpenAI(streaming(cut, finish=None), good) as server:  # with [DONE] it stands
        assert [use.arguments for use in uses_of(ask(server, Prompt("?", tools=(CLOCK,))))] == ['{"pla']
    broken = lines(b"data: " + json.dumps({"choices": [{"delta": cut}]}).encode() + b"\n\n")
    with FakeOpenAI(broken, good) as server:
        assert [use.id for use in uses_of(ask(server, Prompt("?", tools=(CLOCK,))))] == ["y"]


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


# What is hidden, what ends an answer


def test_reasoning_is_passed_over():
    deltas = (
        {"role": "assistant", "content": "", "reasoning_content": "Let me think."},
        {"reasoning": "More.", "content": None},
        {"content": "<thi"},
        {"content": "nk>Hm, 1 < 2 and </thin"},
        {"content": "k>Yes, "},
        {"content": "1 < 2."},
    )
    with FakeOpenAI(streaming(*deltas)) as server:
        assert text_of(ask(server)) == "Yes, 1 < 2."


@given(
    st.lists(
        st.sampled_from(
            [
                "a",
                "<",
                "<think>",
                "</think>",
                "<thinking>",
                "</THINKING>",
                "<tool_call>",
                "</tool_call>",
                "\n",
            ]
        ),
        max_size=8,
    ),
    st.integers(1, 4),
)
def test_hidden_parts_do_not_depend_on_the_cuts(parts, size):
    text = "".join(parts)
    one, other = HiddenParts(), HiddenParts()
    at_once = one.feed(text) + one.finish()
    pieces = [other.feed(text[at : at + size]) for at in range(0, len(text), size)]
    assert "".join(pieces) + other.finish() == at_once
    assert one.calls == other.calls


def test_all_tokens_for_thoughts_is_said_to_be_so():
    thought = streaming({"reasoning_content": "Hm."}, finish="length")
    with FakeOpenAI(thought) as server, pytest.raises(JobError, match="thought for too long") as caught:
        ask(server)
    assert "MICROTURN_REASONING_EFFORT" in caught.value.advice


def test_an_answer_cut_by_its_length_stands():
    with FakeOpenAI(streaming({"content": "A long"}, finish="length")) as server:
        assert ask(server) == ["A long"]


@pytest.mark.parametrize(
    "behaviour",
    [streaming(finish="content_filter"), failing(400, "The content management policy forbids it")],
)
def test_a_content_filter(behaviour):
    with FakeOpenAI(behaviour) as server, pytest.raises(JobError, match="will not answer that"):
        ask(server)


def test_words_before_a_content_filter_stand():
    with FakeOpenAI(streaming({"content": "First, "}, finish="content_filter")) as server:
        pieces = model_at(server.base_url).stream(Prompt("?"), never)
        assert next(pieces) == "First, "
        with pytest.raises(JobError, match="will not answer that"):
            next(pieces)


def test_a_refusal_is_said():
    with FakeOpenAI(streaming({"refusal": "I cannot help with that."})) as server:
        assert ask(server) == ["I cannot help with that."]


@pytest.mark.parametrize("behaviour", [streaming(), streaming({"content": None}), whole({"content": ""})])
def test_an_empty_answer(behaviour):
    with FakeOpenAI(behaviour) as server:
        with pytest.raises(JobError, match="no answer to that"):
            ask(server)
        assert len(server.requests) == 1


def test_a_server_that_does_not_stream():
    with FakeOpenAI(whole({"content": "<think>Hm.</think>Yes."})) as server:
        assert ask(server) == ["Yes."]
    use = {"id": "x", "type": "function", "function": {"name": "get_time", "arguments": "{}"}}
    with FakeOpenAI(whole({"content": None, "tool_calls": [use]}, "tool_calls")) as server:
        assert ask(server, Prompt("?", tools=(CLOCK,))) == [ToolUse("x", "get_time", "{}")]


def test_content_in_parts():
    with FakeOpenAI(streaming({"content": [{"type": "text", "text": "Yes."}, {"type": "image"}]})) as server:
        assert ask(server) == ["Yes."]


def test_lines_as_some_servers_write_them():
    one = b'data:{"choices":[{"delta":{"content":"On"}}]}'
    two = b'data: {"choices":[{"delta":{"content":"e."}}],"usage":null}'
    odd = lines(
        b"\xef\xbb\xbf\r\n: hi\r\nevent: x\r\n",
        one + b"\r\n\r\n",
        two + b"\n",
        b'data: {"choices":[]}\n',
        b"data: [DONE]",
    )
    with FakeOpenAI(odd) as server:
        assert ask(server) == ["On", "e."]


def test_an_end_without_an_end_is_a_break():
    said = lines(b'data: {"choices":[{"delta":{"content":"One"}}]}\n\n')
    with FakeOpenAI(said) as server:
        pieces = model_at(server.base_url).stream(Prompt("?"), never)
        assert next(pieces) == "One"
        with pytest.raises(JobError, match="broke off"):
            next(pieces)
        assert len(server.requests) == 1


def test_an_answer_that_ends_does_not_wait_for_the_connection():
    with FakeOpenAI(holding("Yes.")) as server:
        began = time.monotonic()
        assert ask(server) == ["Yes."]
        assert time.monotonic() - began < 2.0


@pytest.mark.parametrize("word", ["word ", "<think>"])
def test_an_answer_without_end_is_cut(word):
    with FakeOpenAI(endless(word)) as server:
        try:
            said = text_of(ask(server))
        except JobError as err:
            assert word == "<think>" and "says too much" in err.say
        else:
            assert MAX_CHARS < len(said) < MAX_CHARS + 1_000
        assert server.hung_up.wait(5)


def test_one_event_without_end():
    with (
        FakeOpenAI(endless("word ", one_line=True)) as server,
        pytest.raises(JobError, match="says too much"),
    ):
        ask(server)


@pytest.mark.parametrize("status", [200, 500])
def test_a_page_without_end(status):
    big = json.dumps({"error": {"message": "x" * 10_000_000}})
    with FakeOpenAI(lambda e: e.reply(status, big)) as server, pytest.raises(JobError) as caught:
        ask(server)
    assert len(caught.value.say + caught.value.advice) < 400


def test_packed_answers_are_not_unpacked():
    with FakeOpenAI(lambda e: e.reply(200, "\x1f" * 99, Content_Encoding="gzip")) as server:
        with pytest.raises(JobError, match="do not understand"):
            ask(server)
        assert server.requests[0]["headers"]["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    ("data", "requests"),
    [
        (b'data: {"error": {"message": "out of memory", "code": 500}}\n\n', 2),
        (b'data: {"error": {"message": "out of memory", "code": "fault"}}\n\n', 1),
        (b'error: {"message": "out of memory"}\n\n', 1),
    ],
)
def test_an_error_inside_the_stream(data, requests):
    with FakeOpenAI(lines(data)) as server:
        with pytest.raises(JobError, match="reports an error") as caught:
            ask(server)
        assert "out of memory" in caught.value.advice
        assert len(server.requests) == requests


@given(
    st.lists(st.binary(max_size=60), max_size=4),
    st.sampled_from([b"", b"data: ", b"{", b'data: {"choices":[']),
)
def test_any_bytes_are_an_answer_or_nonsense(pieces, start):
    answer = Answer()
    try:
        for piece in (start, *pieces):
            answer.feed(piece)
        answer.end()
    except (NonsenseError, ServerFaultError):
        pass


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["choices", "delta", "content", "tool_calls", "function", "name", "arguments", "index", "id"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.lists(json_values, max_size=3))
def test_any_json_is_an_answer_or_nonsense(values):
    for wrap in (lambda v: v, lambda v: {"choices": [v]}, lambda v: {"choices": [{"delta": v}]}):
        answer = Answer()
        try:
            for value in values:
                answer.feed(f"data: {json.dumps(wrap(value))}\n".encode())
            answer.end()
        except (NonsenseError, ServerFaultError):
            pass


# Busy servers, and those that cannot be reached


def test_retry_after_is_waited_for():
    with FakeOpenAI(failing(429, Retry_After="0.3"), saying("Here.")) as server:
        began = time.monotonic()
        assert ask(server) == ["Here."]
        assert time.monotonic() - began > 0.3


def test_a_server_busy_for_long_says_until_when():
    with FakeOpenAI(failing(503, Retry_After="90")) as server:
        with pytest.raises(JobError) as caught:
            ask(server)
        assert len(server.requests) == 1
    assert caught.value.say == "My language server is busy; ask me again in 2 minutes."
    assert "wait 90 s, until " in caught.value.advice


def test_cancelling_ends_the_wait_for_a_busy_server():
    stop = threading.Event()
    with FakeOpenAI(failing(429, Retry_After="20"), saying("Late.")) as server:
        pieces = model_at(server.base_url).stream(Prompt("?"), stop.is_set)
        timer = threading.Timer(0.2, stop.set)
        timer.start()
        began = time.monotonic()
        assert list(pieces) == []
        assert time.monotonic() - began < 1.5
        assert len(server.requests) == 1
        timer.join()


def test_an_account_used_up_is_not_asked_again():
    with FakeOpenAI(failing(429, "insufficient_quota: see billing")) as server:
        with pytest.raises(JobError, match="used up"):
            ask(server)
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7),
        ("0", 0),
        (" 1.5 ", 1.5),
        ("-3", 0),
        ("1e99", 7 * 86_400),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
    ],
)
def test_retry_after_in_seconds(value, seconds):
    assert retry_after({"retry-after": value}) == seconds


def test_retry_after_as_a_date():
    now = datetime.now(UTC)
    wait = retry_after({"retry-after": format_datetime(now + timedelta(seconds=40), usegmt=True)})
    assert wait is not None and 38 < wait <= 40
    # by the server's own clock where it tells
    headers = {"retry-after": "Wed, 21 Oct 2015 07:28:30 GMT", "date": "Wed, 21 Oct 2015 07:28:00 GMT"}
    assert retry_after(headers) == 30
    assert retry_after({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0
    assert retry_after({"retry-after": "Wed, 99 Oct 2015 07:28:00 GMT"}) is None


def test_times_are_said():
    assert [in_words(s) for s in (0, 1, 1.2, 60, 61, 3_600, 90_000)] == [
        "in a moment", "in a moment", "in 2 seconds", "in 1 minute", "in 2 minutes", "in 1 hour", "in 2 days",
    ]  # fmt: skip


def test_redirects_are_not_followed():
    with FakeOpenAI(redirecting) as server:
        with pytest.raises(JobError, match="has moved"):
            ask(server)
        assert len(server.requests) == 1


def test_a_certificate_that_nobody_vouches_for(monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    with FakeOpenAI(tls=True) as server:
        with pytest.raises(JobError, match="cannot trust") as caught:
            ask(server)
        assert not server.requests
    assert "certificate of 127.0.0.1" in caught.value.advice and "SSL_CERT_FILE" in caught.value.advice


def test_a_certificate_of_ones_own_can_be_vouched_for(monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    with FakeOpenAI(saying("Yes."), tls=True) as server:
        assert ask(server) == ["Yes."]


def test_certificates_that_cannot_be_read(monkeypatch, tmp_path):
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    with pytest.raises(JobError) as caught:
        model_at("https://localhost/v1")
    assert "SSL_CERT_FILE" in caught.value.advice


def test_tls_where_there_is_none():
    with FakeOpenAI() as server, pytest.raises(JobError, match="speak securely"):
        list(model_at(server.base_url.replace("http:", "https:")).stream(Prompt("?"), never))


def test_a_computer_that_nobody_knows():
    with pytest.raises(JobError, match="cannot reach") as caught:
        list(model_at("http://nowhere.invalid/v1").stream(Prompt("?"), never))
    assert "nowhere.invalid" in caught.value.advice


# Ending early


@pytest.mark.parametrize("behaviour", [silent, waiting("One ")])
@pytest.mark.parametrize("tls", [False, True])
def test_cancelling_hangs_up(behaviour, tls, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    stop = threading.Event()
    with FakeOpenAI(behaviour, tls=tls) as server:
        pieces = model_at(server.base_url).stream(Prompt("?"), stop.is_set)
        timer = threading.Timer(0.2, stop.set)
        timer.start()
        began = time.monotonic()
        list(pieces)
        timer.join()
        if behaviour is not silent:
            assert server.hung_up.wait(2)
        wait_for_readers()
        assert time.monotonic() - began < 2.0


def wait_for_readers() -> None:
    deadline = time.monotonic() + 1.0
    while any(t.name == "remote" for t in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_an_answer_left_alone_hangs_up_and_the_next_is_whole():
    with FakeOpenAI(waiting("One "), saying("Two.")) as server:
        model = model_at(server.base_url)
        pieces = model.stream(Prompt("?"), never)
        assert next(pieces) == "One "
        pieces.close()  # type: ignore[attr-defined]
        assert server.hung_up.wait(2)
        assert list(model.stream(Prompt("?"), never)) == ["Two."]


def test_connections_are_used_again_and_can_be_cut_all_the_same():
    stop = threading.Event()
    hello = streaming({"content": "Hi."})
    with FakeOpenAI(hello, hello, silent, hello, keep=True) as server:
        model = model_at(server.base_url)
        for _ in range(2):
            assert list(model.stream(Prompt("?"), never)) == ["Hi."]
        timer = threading.Timer(0.1, stop.set)
        timer.start()
        assert list(model.stream(Prompt("?"), stop.is_set)) == []
        timer.join()
        wait_for_readers()
        assert len(server.connections) == 1
        assert list(model.stream(Prompt("?"), never)) == ["Hi."]
        assert len(server.connections) == 2
        model.close()


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
