"""The lines of ``timeline.jsonl`` as dataclasses, and their JSON form.

Field names are the file's. Times are seconds from the start of the session on
one monotonic clock; wall-clock time appears only in ``SessionHeader.started_at``
(ISO 8601, UTC).
"""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, get_origin

from engine.config import CHUNK_MS, SESSION_VERSION


@dataclass(frozen=True)
class SessionHeader:
    """``options``: temperament, voice and speed of speech where they differ from the defaults."""

    kind: ClassVar[str] = "session"
    engine: str
    model: str
    seed: int
    started_at: str
    version: int = SESSION_VERSION
    chunk_ms: int = CHUNK_MS
    source: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class TurnRecord:
    """One micro-turn. ``generated_ms`` of speech were made for it, ``heard_ms`` of the
    assistant's voice were audible during the interval itself."""

    kind: ClassVar[str] = "turn"
    i: int
    t: float
    decision: str
    probs: Mapping[str, float]
    text_out: str = ""
    user_level_db: float = -120.0
    self_level_db: float = -120.0
    compute_ms: float = 0.0
    deadline_missed: bool = False
    delegate: bool = False
    delegate_prob: float = 0.0
    say: str = "none"
    say_probs: Mapping[str, float] = field(default_factory=dict)
    user_activity: tuple[float, ...] = ()
    generated_ms: float = 0.0
    heard_ms: float = 0.0
    words_left: int = 0
    background_words: int = 0
    open_jobs: int = 0
    gap_samples: int = 0
    frame: int | None = None
    texts: tuple[str, ...] = ()
    lag_ms: float = 0.0
    skipped: bool = False


@dataclass(frozen=True)
class BackgroundEvent:
    """``event``: asked, partial, tool_call, tool_result, answer, failed, cancelled."""

    kind: ClassVar[str] = "background"
    id: int
    t: float
    event: str
    text: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class TextIn:
    kind: ClassVar[str] = "text_in"
    t: float
    text: str


@dataclass(frozen=True)
class Transcript:
    """``text`` was heard between t0 and t1; ``unheard`` was cut off and never reached the ear.

    ``words``: (text, t0, t1) of each word where that is known.
    """

    kind: ClassVar[str] = "transcript"
    t0: float
    t1: float
    speaker: str
    text: str
    unheard: str = ""
    words: tuple[tuple[str, float, float], ...] = ()


@dataclass(frozen=True)
class Caption:
    """What the user is saying, as understood at ``t``: it began at ``t0`` and may still change.

    ``stable``: so many of its words have been confirmed. ``settled``: nobody has
    spoken since. A Transcript takes its place when the utterance is over.
    """

    kind: ClassVar[str] = "caption"
    t: float
    t0: float
    text: str
    stable: int = 0
    settled: bool = False


@dataclass(frozen=True)
class VisionEvent:
    kind: ClassVar[str] = "vision"
    t: float
    event: str


@dataclass(frozen=True)
class Fault:
    kind: ClassVar[str] = "fault"
    t: float
    what: str


@dataclass(frozen=True)
class Mark:
    """Somebody's remark at a moment. ``verdict``: a name of ``engine.recorder.marks.VERDICTS``, or empty."""

    kind: ClassVar[str] = "mark"
    t: float
    note: str
    verdict: str = ""


Event = (
    SessionHeader | TurnRecord | BackgroundEvent | TextIn | Transcript | Caption | VisionEvent | Fault | Mark
)
EVENT_TYPES: dict[str, type] = {
    c.kind: c
    for c in (
        SessionHeader,
        TurnRecord,
        BackgroundEvent,
        TextIn,
        Transcript,
        Caption,
        VisionEvent,
        Fault,
        Mark,
    )
}


_FIELDS = {kind: frozenset(f.name for f in dataclasses.fields(c)) for kind, c in EVENT_TYPES.items()}
_SEQUENCES = {
    kind: frozenset(f.name for f in dataclasses.fields(c) if get_origin(f.type) is tuple)
    for kind, c in EVENT_TYPES.items()
}


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return value


def _frozen(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    return tuple(map(_frozen, value)) if list in map(type, value) else tuple(value)


def event_time(event: Event) -> float:
    """Session time at which an event belongs on the timeline, in seconds."""
    if isinstance(event, SessionHeader):
        return 0.0
    return event.t0 if isinstance(event, Transcript) else event.t


def to_json(event: Event) -> str:
    """One line of ``timeline.jsonl``, without the newline. Floats carry four decimals."""
    fields = {f.name: _plain(getattr(event, f.name)) for f in dataclasses.fields(event)}
    if not fields.get("options", True):
        del fields["options"]
    return json.dumps({"kind": event.kind, **fields}, ensure_ascii=False, allow_nan=False)


def from_json(line: str) -> Event | None:
    """Parse one line. Unknown kinds give None, unknown fields are skipped.

    Raises:
        ValueError: the line is not a JSON object, or a needed field is missing.
    """
    return from_fields(json.loads(line))


def from_fields(data: Any) -> Event | None:
    """As ``from_json``, of a line whose JSON is parsed already."""
    if not isinstance(data, dict):
        raise ValueError("not a JSON object")
    kind = str(data.get("kind"))
    cls = EVENT_TYPES.get(kind)
    if cls is None:
        return None
    fields = {k: v for k, v in data.items() if k in _FIELDS[kind]}
    for name in _SEQUENCES[kind] & fields.keys():
        fields[name] = _frozen(fields[name])
    try:
        event: Event = cls(**fields)
    except TypeError as err:
        raise ValueError(str(err)) from err
    return event
