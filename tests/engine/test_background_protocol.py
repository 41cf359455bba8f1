"""The messages between engine and worker: what is written is read, and nothing else is."""

import io
import json
import typing

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.background import protocol
from engine.background.protocol import (
    Cancel,
    Configure,
    Due,
    Hear,
    HeardWords,
    JobEvent,
    Lines,
    Listened,
    Message,
    Permit,
    Ping,
    Pong,
    ProtocolError,
    Ready,
    Request,
    Share,
    Status,
    Stop,
    Told,
    audio_bytes,
    audio_samples,
    clip_text,
    encode,
    read_message,
    write_message,
)
from engine.background.settings import BackgroundSettings
from engine.handover import Line

numbers = st.integers(0, 2**53)
plain = st.one_of(
    st.text(max_size=20), st.integers(-(10**9), 10**9), st.booleans(), st.floats(-1e9, 1e9, allow_nan=False)
)
seconds = st.floats(-1e9, 1e9, allow_nan=False)
words = st.text(max_size=30)
sound = st.integers(0, 50).flatmap(lambda n: st.binary(min_size=4 * n, max_size=4 * n))
lines = st.lists(st.builds(Line, st.text(max_size=9), words, seconds, seconds, words), max_size=5).map(tuple)
kinds = (
    st.builds(
        Configure,
        st.builds(
            BackgroundSettings,
            base_url=st.text(max_size=30),
            api_key=st.text(max_size=30),
            threads=st.integers(1, 64),
            send_frames=st.booleans(),
            think_ahead=st.booleans(),
            wall_start=st.floats(0, 1e12, allow_nan=False),
            simulated=st.booleans(),
            zone=st.text(max_size=30),
        ),
    ),
    st.builds(
        Request,
        job=numbers,
        key=words,
        t=seconds,
        since=seconds,
        text=st.text(max_size=50),
        lines=lines,
        given_up=st.lists(numbers, max_size=5).map(tuple),
        adopt=st.integers(-(2**53), 2**53),
        deadline_s=st.floats(0.1, 3_600, allow_nan=False),
        audio=sound,
        jpeg=st.binary(max_size=60),
    ),
    st.builds(Hear, numbers, seconds, seconds, sound),
    st.builds(Listened, numbers),
    st.builds(Lines, lines),
    st.builds(
        HeardWords,
        numbers,
        numbers,
        st.lists(st.tuples(words, seconds, seconds), max_size=5).map(tuple),
        numbers,
        st.booleans(),
        st.booleans(),
        seconds,
    ),
    st.builds(Permit, numbers, st.booleans()),
    st.builds(Share, st.lists(words, max_size=5).map(tuple)),
    st.builds(Due, numbers, words),
    st.builds(Told, numbers),
    st.builds(Cancel, numbers),
    st.builds(Ping, numbers),
    st.builds(Pong, numbers),
    st.just(Stop()),
    st.builds(Status, st.text(max_size=50), st.floats(-1, 1, allow_nan=False)),
    st.builds(Ready, st.text(max_size=50), st.text(max_size=50)),
    st.builds(
        JobEvent,
        st.integers(-(2**53), 2**53),
        st.sampled_from(protocol.EVENTS),
        st.text(max_size=50),
        st.floats(0, 1e6, allow_nan=False),
        st.dictionaries(st.text(max_size=10), plain, max_size=5),
    ),
)
messages = st.one_of(*kinds)


def read_all(data: bytes) -> list[Message]:
    stream = io.BytesIO(data)
    found = []
    while (message := read_message(stream)) is not None:
        found.append(message)
    return found


@given(st.lists(messages, max_size=4))
def test_what_is_written_is_read(sent):
    stream = io.BytesIO()
    for message in sent:
        write_message(stream, message)
    assert read_all(stream.getvalue()) == sent


@given(st.binary(max_size=400))
@example(b"[" * 100_000 + b"\n")
@example(b'{"kind":"ping","number":' + b"9" * 5_000 + b"}\n")
@example(b'{"kind":"ping","number":true}\n')
@example(b'{"kind":["ping"]}\n')
@example(b"\n")
def test_what_is_no_message_is_refused(data):
    try:
        found = read_all(data)
    except ProtocolError:
        return
    assert b"".join(encode(message) for message in found) or data == b""


@settings(max_examples=300)
@given(messages, st.data())
def test_a_damaged_message_is_refused_or_another_message(message, data):
    sent = bytearray(encode(message))
    for _ in range(data.draw(st.integers(1, 3))):
        sent[data.draw(st.integers(0, len(sent) - 1))] = data.draw(st.integers(0, 255))
    try:
        for found in read_all(bytes(sent)):
            encode(found)  # it keeps all the limits
    except ProtocolError:
        pass


@given(messages, st.data())
def test_a_message_cut_anywhere_is_refused(message, data):
    sent = encode(message)
    cut = data.draw(st.integers(1, len(sent) - 1))
    with pytest.raises(ProtocolError):
        read_all(sent[:cut])


@settings(max_examples=5)
@given(st.tuples(*kinds))
def test_those_are_all_kinds_of_messages(each):
    assert {type(message) for message in each} == set(protocol._FIELDS) == set(typing.get_args(Message))


def header(**changes) -> bytes:
    request = Request(1, text="hi", lines=(Line("user", "a"),), audio=b"\0" * 8, jpeg=b"jpeg")
    line, _, _ = encode(request).partition(b"\n")
    fields = json.loads(line) | changes
    return json.dumps({k: v for k, v in fields.items() if v is not ...}).encode() + b"\n" + b"\0" * 12


@pytest.mark.parametrize(
    "changes",
    [
        {"audio": 2**63},
        {"audio": -4},
        {"audio": 7},
        {"audio": 1.0},
        {"audio": protocol.MAX_AUDIO_BYTES + 4},
        {"jpeg": protocol.MAX_JPEG_BYTES + 1},
        {"job": "1"},
        {"job": -1},
        {"job": True},
        {"text": None},
        {"text": "x" * (protocol.MAX_TEXT + 1)},
        {"key": "x" * 101},
        {"t": 1e10},
        {"t": "soon"},
        {"since": None},
        {"lines": [["user", "a"]]},
        {"lines": [["user", 7, 0, 0, ""]]},
        {"lines": [["user", "a", 0, 0, "", ""]]},
        {"lines": [["user", "a", 0, True, ""]]},
        {"lines": [["u" * 41, "a", 0, 0, ""]]},
        {"lines": [["user", "a", 0, 0, "x" * (protocol.MAX_LINE_TEXT + 1)]]},
        {"lines": {"user": "a"}},
        {"lines": [["user", "a", 0, 0, ""]] * (protocol.MAX_LINES + 1)},
        {"given_up": [-1]},
        {"given_up": 1},
        {"given_up": [1] * (protocol.MAX_LINES + 1)},
        {"adopt": 1.5},
        {"adopt": None},
        {"deadline_s": 0},
        {"deadline_s": 1e9},
        {"extra": 1},
        {"text": ...},
        {"kind": "exec"},
        {"kind": None},
    ],
)
def test_a_lying_header_is_refused_before_anything_is_read(changes):
    stream = io.BytesIO(header(**changes))
    with pytest.raises(ProtocolError):
        read_message(stream)
    assert stream.read() == b"\0" * 12
    assert read_message(io.BytesIO(header())) is not None


def test_a_header_without_end_is_not_read_for_ever():
    stream = io.BytesIO(b"x" * (4 * protocol.MAX_HEADER_BYTES))
    with pytest.raises(ProtocolError):
        read_message(stream)
    assert stream.tell() <= protocol.MAX_HEADER_BYTES + 1


@pytest.mark.parametrize(
    "message",
    [
        JobEvent(1, "answer", "x", float("nan")),
        JobEvent(1, "answer", "x", float("inf")),
        JobEvent(1, "explode", "x", 0.0),
        JobEvent(1, "answer", "x", 0.0, {"deep": [1]}),  # type: ignore[dict-item]
        JobEvent(1, "answer", "x" * (protocol.MAX_TEXT + 1), 0.0),
        Request(1, audio=b"abc"),
        Request(-1),
        Request(1, lines=(Line("user", "a", float("nan")),)),
        Request(1, deadline_s=0.0),
        Hear(1, 0.0, 0.0, b"abc"),
        Hear(-1, 0.0, 0.0),
        HeardWords(1, 1, (("a", 0.0, float("inf")),), 0, False, False, 0.0),
        HeardWords(1, 1, (("a", 0.0, 1.0),) * (protocol.MAX_WORDS + 1), 0, False, False, 0.0),
        HeardWords(1, 1, (("a", 0.0),), 0, False, False, 0.0),  # type: ignore[arg-type]
        Lines((Line("user", "x" * (protocol.MAX_LINE_TEXT + 1)),)),
        Permit(1, 1),  # type: ignore[arg-type]
        Share(("a",) * (protocol.MAX_FILES + 1)),
        Due(-1, "x"),
        Told(-1),
        Cancel(-1),  # a guess is not the engine's to cancel
        Configure(BackgroundSettings(threads=0)),
    ],
)
def test_the_sender_finds_its_own_mistakes(message):
    with pytest.raises(ProtocolError):
        encode(message)


@given(st.lists(st.floats(width=32), max_size=50))
def test_audio_arrives_finite_and_in_range(values):
    with np.errstate(all="ignore"):
        samples = np.array(values, np.float32)
    payload = audio_bytes(samples)
    assert len(payload) == 4 * len(values)
    arrived = audio_samples(payload)
    assert np.isfinite(arrived).all() and (np.abs(arrived) <= 1).all()
    good = np.isfinite(samples) & (np.abs(samples) <= 1)
    assert (arrived[good] == samples[good]).all()


def test_the_end_of_long_audio_is_kept():
    samples = np.zeros(protocol.MAX_AUDIO_BYTES // 4 + 5, np.float32)
    samples[-1] = 0.5
    arrived = audio_samples(audio_bytes(samples))
    assert 4 * len(arrived) == protocol.MAX_AUDIO_BYTES
    assert arrived[-1] == 0.5


@given(st.text(alphabet=st.characters(), max_size=20), st.integers(0, 20))
def test_clipped_text_can_be_sent(text, limit):
    clipped = clip_text(text, limit)
    assert len(clipped) <= limit
    clipped.encode("utf-8")


def test_the_key_is_not_shown():
    settings = BackgroundSettings(api_key="secret-7")
    assert "secret-7" not in repr(settings) + repr(Configure(settings))
