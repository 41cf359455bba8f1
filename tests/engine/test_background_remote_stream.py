"""The language model on a server: what is hidden, and what ends an answer."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.background import remote
from engine.background.failure import JobError
from engine.background.prompt import Prompt, ToolUse
from engine.background.remote_stream import MAX_CHARS, Answer, HiddenParts, NonsenseError, ServerFaultError
from tests.engine.background_server import (
    CLOCK,
    ask,
    model_at,
    never,
    text_of,
)
from tests.fake_openai import (
    FakeOpenAI,
    endless,
    failing,
    holding,
    lines,
    streaming,
    whole,
)


@pytest.fixture(autouse=True)
def quick_retry(monkeypatch):
    monkeypatch.setattr(remote, "RETRY_PAUSE_S", 0.01)


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
