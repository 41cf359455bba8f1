"""Language model servers on this computer: which are found, and what is not taken for one."""

import contextlib
import io
import json
import socket
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.background import discovery, doctor
from engine.background.discovery import Found, discover, parse_models, with_discovered
from engine.background.protocol import Configure, encode, read_message
from engine.background.settings import BackgroundSettings, from_environment
from tests.fake_openai import FakeOpenAI, big_headers, endless, failing, no_http, page, redirecting, silent


def listing(*names: object, owner: str = "test") -> str:
    return json.dumps({"object": "list", "data": [{"id": name, "owned_by": owner} for name in names]})


def at(*servers: FakeOpenAI) -> tuple[tuple[str, int], ...]:
    return tuple((f"server {number}", server.port) for number, server in enumerate(servers))


@pytest.fixture
def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        yield free.getsockname()[1]


def test_servers_are_found_in_their_order(free_port):
    with FakeOpenAI(models=("a", "b")) as one, FakeOpenAI(models=("c",)) as two:
        places = (("first", one.port), ("nobody", free_port), ("second", two.port))
        assert discover(places) == (
            Found("first", f"http://127.0.0.1:{one.port}/v1", ("a", "b")),
            Found("second", f"http://127.0.0.1:{two.port}/v1", ("c",)),
        )
        assert one.visits == ["/v1/models"]
        assert not one.requests


def test_a_server_of_ipv6_alone_is_found():
    try:
        server = FakeOpenAI(host="::1")
    except OSError:
        pytest.skip("no IPv6 here")
    with server:
        assert [found.base_url for found in discover(at(server))] == [f"http://[::1]:{server.port}/v1"]


@pytest.mark.parametrize(
    "behaviour",
    [
        page,
        no_http,
        big_headers,
        redirecting,
        failing(401),
        failing(500),
        endless("word "),
        lambda e: e.reply(200, "{}"),
        lambda e: e.reply(200, "[" * 100_000),
        lambda e: e.reply(200, listing()),
        lambda e: e.reply(200, listing("nomic-embed-text", "whisper-1")),
        lambda e: e.reply(200, listing(7)),
        lambda e: e.reply(200, listing("two\nlines")),
        lambda e: e.reply(200, json.dumps({"object": "list", "data": None})),
        lambda e: e.reply(200, json.dumps({"object": "list", "data": ["a"]})),
        lambda e: e.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{}"),
        lambda e: e.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
        lambda e: e.wfile.write(b"HTTP/9 what\r\n\r\n"),
        lambda e: None,
    ],
)
def test_what_is_no_language_model_server(behaviour):
    with FakeOpenAI(listing=behaviour) as server:
        assert discover(at(server)) == ()


def test_chunks_and_open_connections_are_understood():
    text = listing("a").encode()

    def chunked(exchange):
        exchange.begin_stream()
        exchange.raw(text[:9])
        exchange.raw(text[9:])
        exchange.wfile.write(b"0\r\n\r\n")
        exchange.rest(5)  # it does not hang up

    with FakeOpenAI(listing=chunked) as server:
        assert [found.models for found in discover(at(server), within_s=0.2)] == [("a",)]


def test_silent_servers_take_no_longer_than_allowed():
    with FakeOpenAI(listing=silent) as one, FakeOpenAI(listing=silent) as two, FakeOpenAI() as good:
        began = time.monotonic()
        assert [found.name for found in discover(at(one, two, good))] == ["server 2"]
        assert time.monotonic() - began < 0.9


def test_a_server_says_by_its_models_what_it_is():
    with FakeOpenAI(listing=lambda e: e.reply(200, listing("m", owner="llamacpp"))) as server:
        assert discover(at(server))[0].name == "llama.cpp"


def test_models_for_talking():
    talk = (
        "llama3.2:3b",
        "qwen3-vl",
        "gemma-3-12b-it",
        "gpt-4o",
        "Mistral-7B-Instruct",
        "phi4",
        "gtech-7b",
        "essential",
    )
    other = (
        "nomic-embed-text", "text-embedding-3-small", "bge-m3", "BAAI/bge-large", "intfloat/e5-base",
        "whisper-large",
        "tts-1", "gpt-4o-mini-tts", "jina-reranker", "all-minilm:l6", "gpt-4o-transcribe", "llama-guard-3",
        "stable-diffusion", "text-moderation", "kokoro-82m",
    )  # fmt: skip
    assert parse_models(listing(*talk, *other).encode()) == talk


@given(
    st.binary(max_size=80)
    | st.recursive(st.none() | st.text(max_size=4), st.lists).map(lambda v: json.dumps(v).encode())
)
def test_any_bytes_are_a_list_or_none(data):
    with contextlib.suppress(ValueError):
        assert isinstance(parse_models(data), tuple)


def test_an_explicit_server_goes_before_a_found_one_and_that_before_none(monkeypatch, free_port):
    with FakeOpenAI(models=("a",)) as one, FakeOpenAI(models=("b", "c")) as two:
        monkeypatch.setattr(discovery, "discover", lambda: discover(at(one, two)))
        explicit = BackgroundSettings(base_url="http://elsewhere/v1", api_key="k")
        assert with_discovered(explicit) == explicit
        off = BackgroundSettings(discover=False)
        assert with_discovered(off) == off
        assert not one.visits
        found = with_discovered(BackgroundSettings(api_key="k", model="unknown"))
        assert (found.base_url, found.model, found.api_key) == (one.base_url, "a", "")
        named = with_discovered(BackgroundSettings(model="c"))
        assert (named.base_url, named.model) == (two.base_url, "c")
    monkeypatch.setattr(discovery, "discover", lambda: discover((("nobody", free_port),)))
    assert with_discovered(BackgroundSettings(model="m")) == BackgroundSettings(model="m")


def test_nothing_is_left_behind():
    with FakeOpenAI(listing=silent) as server:
        before = threading.active_count()
        discover(at(server), within_s=0.05)
        assert threading.active_count() <= before + 1  # the server's own


def test_variables_of_the_environment():
    read = from_environment({"MICROTURN_DISCOVER": "0", "MICROTURN_REASONING_EFFORT": " low "})
    assert (read.discover, read.reasoning_effort) == (False, "low")
    assert from_environment({"MICROTURN_DISCOVER": "1"}).discover
    assert from_environment({}).discover
    told = read_message(io.BytesIO(encode(Configure(read))))
    assert told == Configure(read)


def test_the_doctor_names_the_servers_it_finds(monkeypatch):
    found = (Found("Ollama", "http://127.0.0.1:11434/v1", ("a", "b", "c", "d")),)
    monkeypatch.setattr(doctor, "discover", lambda: found)
    lines = [
        text for name, _, text in doctor.check_parts(BackgroundSettings()) if name == "language model server"
    ]
    assert lines == ["Ollama at http://127.0.0.1:11434/v1 (a, b, c, ...); nothing leaves this computer"]
    names = [name for name, *_ in doctor.check_parts(BackgroundSettings(discover=False))]
    assert "language model server" not in names
