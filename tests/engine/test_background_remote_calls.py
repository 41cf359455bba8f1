"""The language model on a server: calls of tools."""

import json

import pytest

from engine.background import remote
from engine.background.prompt import Prompt, ToolUse
from engine.background.remote_stream import Answer
from tests.engine.background_server import (
    CLOCK,
    ask,
    model_at,
    never,
    text_of,
    uses_of,
)
from tests.fake_openai import (
    FakeOpenAI,
    calling,
    lines,
    saying,
    streaming,
)


@pytest.fixture(autouse=True)
def quick_retry(monkeypatch):
    monkeypatch.setattr(remote, "RETRY_PAUSE_S", 0.01)


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
