"""Messages between the engine and the background process, and their form on the pipe.

A message is one line of JSON (its kind, its fields, the lengths of its
payloads), then the payloads as raw bytes: audio as little-endian float32 at
16 kHz, a picture as JPEG. Nothing is unpickled; every field has a type, a range
and a length cap, and anything else is a ProtocolError.
"""

import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import IO, Any, ClassVar

import numpy as np

from engine.background.settings import MAX_INSTRUCTIONS, BackgroundSettings
from engine.handover import Line
from engine.types import Samples

MAX_HEADER_BYTES = 256 * 1024
MAX_TEXT = 8_000  # characters of one text field
MAX_LINES = 64
MAX_LINE_TEXT = 1_000
MAX_WORDS = 400  # of one utterance
MAX_FILES = 16
MAX_AUDIO_S = 60
MAX_AUDIO_BYTES = MAX_AUDIO_S * 16_000 * 4
MAX_JPEG_BYTES = 4 * 1024 * 1024
MAX_DETAIL = 16
EVENTS = ("partial", "tool_call", "tool_result", "answer", "failed", "cancelled")
ENDS = ("answer", "failed", "cancelled")


class ProtocolError(Exception):
    """The other side sent something that is not this protocol."""


@dataclass(frozen=True)
class Configure:
    """First message to the worker."""

    kind: ClassVar[str] = "configure"
    settings: BackgroundSettings


@dataclass(frozen=True)
class Request:
    """One job, handed over at session second ``t``. What was said from second ``since`` on belongs to it.

    ``audio``: little-endian float32, 16 kHz mono, for a worker that did not hear
    it; ``jpeg``: a picture. Either may be empty. ``key`` names the job for ever: a
    second attempt has the same, so that what was done is not done twice. ``adopt``:
    the guess (``JobEvent``) that already answers it, or 0. ``given_up``: jobs that
    it may replace. ``standing``: tokens of instructions that may stand.
    """

    kind: ClassVar[str] = "request"
    job: int
    key: str = ""
    t: float = 0.0
    since: float = 0.0
    text: str = ""
    lines: tuple[Line, ...] = ()
    given_up: tuple[int, ...] = ()
    standing: tuple[str, ...] = ()
    adopt: int = 0
    deadline_s: float = 60.0
    audio: bytes = field(default=b"", repr=False)
    jpeg: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class Hear:
    """The microphone's sound from session second ``t`` on, 200 ms of it.

    ``since``: where a request would begin that was handed over now.
    """

    kind: ClassVar[str] = "hear"
    index: int
    t: float
    since: float
    audio: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class Listened:
    """The sound of that micro-turn has been dealt with."""

    kind: ClassVar[str] = "listened"
    index: int


@dataclass(frozen=True)
class Lines:
    """What was said lately, oldest first, whenever it has changed."""

    kind: ClassVar[str] = "lines"
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class HeardWords:
    """An utterance of the user as it is understood so far; see ``engine.background.streaming.Heard``.

    ``words``: (text, t0, t1) in session seconds.
    """

    kind: ClassVar[str] = "heard"
    utterance: int
    revision: int
    words: tuple[tuple[str, float, float], ...]
    stable: int
    settled: bool
    closed: bool
    until: float


@dataclass(frozen=True)
class Permit:
    """The window's answer to the question of a job."""

    kind: ClassVar[str] = "permit"
    job: int
    allowed: bool


@dataclass(frozen=True)
class Share:
    """The files that the user picked, newest last."""

    kind: ClassVar[str] = "share"
    paths: tuple[str, ...]


@dataclass(frozen=True)
class Due:
    """An alarm's time has come: ``text`` is to be said. Comes again until it is ``Told``."""

    kind: ClassVar[str] = "due"
    alarm: int
    text: str


@dataclass(frozen=True)
class Told:
    kind: ClassVar[str] = "told"
    alarm: int


@dataclass(frozen=True)
class Cancel:
    kind: ClassVar[str] = "cancel"
    job: int


@dataclass(frozen=True)
class Ping:
    kind: ClassVar[str] = "ping"
    number: int


@dataclass(frozen=True)
class Stop:
    kind: ClassVar[str] = "stop"


@dataclass(frozen=True)
class Pong:
    kind: ClassVar[str] = "pong"
    number: int


@dataclass(frozen=True)
class Status:
    """What the worker is loading, in plain words; ``progress`` from 0 to 1, -1 where unknown."""

    kind: ClassVar[str] = "status"
    text: str
    progress: float = -1.0


@dataclass(frozen=True)
class Ready:
    """The worker can take requests. ``trouble``: what it has to do without, in plain words."""

    kind: ClassVar[str] = "ready"
    model: str
    trouble: str = ""


@dataclass(frozen=True)
class JobEvent:
    """Something happened to a job, ``elapsed_s`` seconds after the worker received it.

    A negative job is a guess: work on what was said so far, before it was handed over.
    """

    kind: ClassVar[str] = "job"
    job: int
    event: str
    text: str
    elapsed_s: float
    detail: Mapping[str, str | int | float | bool] = field(default_factory=dict)


Message = (
    Configure
    | Request
    | Hear
    | Lines
    | Cancel
    | Permit
    | Share
    | Told
    | Ping
    | Stop
    | Pong
    | Status
    | Ready
    | Listened
    | HeardWords
    | Due
    | JobEvent
)
Check = Callable[[Any], Any]


def _need(ok: bool, what: str) -> None:
    if not ok:
        raise ProtocolError(what)


def _whole(low: int, high: int) -> Check:
    def check(value: Any) -> int:
        _need(type(value) is int and low <= value <= high, "not a whole number in range")
        return int(value)

    return check


def _number(low: float, high: float) -> Check:
    def check(value: Any) -> float:
        _need(type(value) in (int, float) and low <= value <= high, "not a number in range")
        return float(value)

    return check


def _text(limit: int) -> Check:
    def check(value: Any) -> str:
        _need(isinstance(value, str) and len(value) <= limit, "not a text, or too long")
        return str(value)

    return check


def _flag(value: Any) -> bool:
    _need(isinstance(value, bool), "not true or false")
    return bool(value)


def _event(value: Any) -> str:
    _need(isinstance(value, str) and value in EVENTS, "unknown event")
    return str(value)


def _list(most: int, item: Check) -> Check:
    def check(value: Any) -> tuple[Any, ...]:
        _need(isinstance(value, list) and len(value) <= most, "not a list, or too long")
        return tuple(item(each) for each in value)

    return check


def _row(*checks: Check) -> Check:
    def check(value: Any) -> tuple[Any, ...]:
        _need(isinstance(value, list) and len(value) == len(checks), "a row of another length")
        return tuple(each(part) for each, part in zip(checks, value, strict=True))

    return check


def _lines(value: Any) -> tuple[Line, ...]:
    return tuple(Line(*row) for row in _LINES(value))


def _detail(value: Any) -> dict[str, str | int | float | bool]:
    _need(isinstance(value, dict) and len(value) <= MAX_DETAIL, "not a detail, or too long")
    for key, item in value.items():
        _need(len(key) <= 40 and isinstance(item, (str, int, float, bool)), "a detail is a plain value")
        if isinstance(item, str):
            _text(MAX_TEXT)(item)
        elif not isinstance(item, bool):
            _number(-1e12, 1e12)(item)
    return dict(value)


def _settings(value: Any) -> BackgroundSettings:
    _need(isinstance(value, dict) and set(value) == set(_SETTINGS), "settings with missing or unknown fields")
    return BackgroundSettings(**{name: check(value[name]) for name, check in _SETTINGS.items()})


_TIME = _number(-1e9, 1e9)
_LINES = _list(MAX_LINES, _row(_text(40), _text(MAX_LINE_TEXT), _TIME, _TIME, _text(MAX_LINE_TEXT)))
_SETTINGS: dict[str, Check] = {
    "base_url": _text(2_000),
    "model": _text(200),
    "api_key": _text(2_000),
    "threads": _whole(1, 64),
    "niceness": _whole(0, 19),
    "max_tokens": _whole(1, 1_000),
    "send_frames": _flag,
    "remote_timeout_s": _number(0.1, 600),
    "cache_dir": _text(4_000),
    "asr_dir": _text(4_000),
    "language": _text(20),
    "think_ahead": _flag,
    "store": _text(4_000),
    "config_dir": _text(4_000),
    "wall_start": _number(0, 1e12),
    "simulated": _flag,
    "zone": _text(100),
    "reasoning_effort": _text(40),
    "discover": _flag,
    "instructions": _text(MAX_INSTRUCTIONS),
}
_JOB = _whole(0, 2**53)
_JOB_OR_GUESS = _whole(-(2**53), 2**53)
_FIELDS: dict[type, dict[str, Check]] = {
    Configure: {"settings": _settings},
    Request: {
        "job": _JOB,
        "key": _text(100),
        "t": _TIME,
        "since": _TIME,
        "text": _text(MAX_TEXT),
        "lines": _lines,
        "given_up": _list(MAX_LINES, _JOB),
        "standing": _list(8, _text(20)),
        "adopt": _JOB_OR_GUESS,
        "deadline_s": _number(0.1, 3_600),
    },
    Hear: {"index": _JOB, "t": _TIME, "since": _TIME},
    Listened: {"index": _JOB},
    Lines: {"lines": _lines},
    HeardWords: {
        "utterance": _JOB,
        "revision": _JOB,
        "words": _list(MAX_WORDS, _row(_text(200), _TIME, _TIME)),
        "stable": _JOB,
        "settled": _flag,
        "closed": _flag,
        "until": _TIME,
    },
    Permit: {"job": _JOB, "allowed": _flag},
    Share: {"paths": _list(MAX_FILES, _text(4_000))},
    Due: {"alarm": _JOB, "text": _text(MAX_TEXT)},
    Told: {"alarm": _JOB},
    Cancel: {"job": _JOB},
    Ping: {"number": _JOB},
    Stop: {},
    Pong: {"number": _JOB},
    Status: {"text": _text(500), "progress": _number(-1, 1)},
    Ready: {"model": _text(300), "trouble": _text(500)},
    JobEvent: {
        "job": _JOB_OR_GUESS,
        "event": _event,
        "text": _text(MAX_TEXT),
        "elapsed_s": _number(0, 1e6),
        "detail": _detail,
    },
}
_PAYLOADS: dict[type, dict[str, int]] = {
    Request: {"audio": MAX_AUDIO_BYTES, "jpeg": MAX_JPEG_BYTES},
    Hear: {"audio": MAX_AUDIO_BYTES},
}
_KINDS: dict[str, type] = {str(cls.__dict__["kind"]): cls for cls in _FIELDS}


def encode(message: Message) -> bytes:
    """The message as bytes for the pipe.

    Raises:
        ProtocolError: a field is out of its range or too long.
    """
    cls = type(message)
    payloads = [getattr(message, name) for name in _PAYLOADS.get(cls, {})]
    fields: dict[str, Any] = {}
    for name in _FIELDS[cls]:
        value = getattr(message, name)
        if isinstance(value, BackgroundSettings):
            value = dataclasses.asdict(value)
        if name == "lines":
            value = [dataclasses.astuple(line) for line in value]
        fields[name] = dict(value) if isinstance(value, Mapping) else value
    lengths = {name: len(data) for name, data in zip(_PAYLOADS.get(cls, {}), payloads, strict=True)}
    try:
        line = json.dumps({"kind": message.kind, **fields, **lengths}, allow_nan=False).encode() + b"\n"
    except (TypeError, ValueError) as err:
        raise ProtocolError(f"not a plain value: {err}") from err
    _parse(line)  # the sender finds its own mistake; the receiver would have to give the connection up
    return b"".join((line, *payloads))


def write_message(stream: IO[bytes], message: Message) -> None:
    """Write and flush one message. Blocks while the pipe is full.

    Raises:
        ProtocolError: as ``encode``.
        OSError: the other side is gone.
    """
    stream.write(encode(message))
    stream.flush()


def read_message(stream: IO[bytes]) -> Message | None:
    """Read one message from a buffered stream; blocks. None at its end.

    Raises:
        ProtocolError: what came is no valid message; the stream cannot be used any more.
        OSError: the pipe broke.
    """
    line = stream.readline(MAX_HEADER_BYTES + 1)
    if not line:
        return None
    cls, fields, lengths = _parse(line)
    for name, length in lengths.items():
        data = stream.read(length)
        _need(len(data) == length, "cut off in a payload")
        fields[name] = data
    message: Message = cls(**fields)
    return message


def _parse(line: bytes) -> tuple[type, dict[str, Any], dict[str, int]]:
    _need(line.endswith(b"\n") and len(line) <= MAX_HEADER_BYTES, "a header without end, or too long")
    try:
        data = json.loads(line, parse_constant=_no_constant)
    except (ValueError, RecursionError) as err:
        raise ProtocolError(f"not JSON: {err}") from err
    _need(isinstance(data, dict), "not a JSON object")
    kind = data.pop("kind", None)
    _need(isinstance(kind, str) and kind in _KINDS, "unknown kind of message")
    cls = _KINDS[kind]
    checks, caps = _FIELDS[cls], _PAYLOADS.get(cls, {})
    _need(set(data) == {*checks, *caps}, "missing or unknown fields")
    lengths = {name: _whole(0, cap)(data[name]) for name, cap in caps.items()}
    if "audio" in lengths:
        _need(lengths["audio"] % 4 == 0, "audio is whole float32 samples")
    return cls, {name: check(data[name]) for name, check in checks.items()}, lengths


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number")


def audio_bytes(samples: Samples) -> bytes:
    """The last MAX_AUDIO_S seconds of 16 kHz mono samples as payload; what is not finite becomes 0."""
    return _sound(np.asarray(samples).reshape(-1)[-(MAX_AUDIO_BYTES // 4) :]).astype("<f4").tobytes()


def audio_samples(payload: bytes) -> Samples:
    """The payload as float32 samples in [-1, 1]; what is not finite becomes 0."""
    return _sound(np.frombuffer(payload, dtype="<f4"))


def _sound(samples: Samples) -> Samples:
    finite = np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0)
    return np.clip(finite, -1.0, 1.0).astype(np.float32)


def clip_text(text: str, limit: int) -> str:
    """``text`` cut at ``limit`` characters, without lone surrogates, which no tokenizer takes."""
    return text[:limit].encode("utf-8", "replace").decode("utf-8")
