"""One line of a timeline, read without trust: the right kinds, the right types, finite numbers."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from engine.events import EVENT_TYPES, Event, TurnRecord, from_json

MAX_LINE = 1_000_000  # bytes; a real line has a few hundred


def parse_event(line: str) -> Event | None:
    """Parse one line; None for a kind this version does not know.

    Raises:
        ValueError: it is no event: broken JSON, a missing field, a wrong type, a number that is none.
    """
    if len(line) > MAX_LINE:
        raise ValueError("the line is too long")
    try:
        event = from_json(line)
    except RecursionError as err:
        raise ValueError("nested too deeply") from err
    if event is None:
        return None
    for name, holds in _FIELD_CHECKS[type(event)]:
        if not holds(getattr(event, name)):
            raise ValueError(f"{name} has a wrong value")
    if isinstance(event, TurnRecord) and event.i < 0:
        raise ValueError("i is negative")
    return event


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53


def _number(value: Any) -> bool:
    # NaN and infinity compare false.
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e15


def _numbers(value: Any) -> bool:
    return isinstance(value, Mapping) and all(map(_number, value.values()))


def _timed_words(value: Any) -> bool:
    return isinstance(value, tuple) and all(
        isinstance(row, tuple) and len(row) == 3 and isinstance(row[0], str) and all(map(_number, row[1:]))
        for row in value
    )


_CHECKS: dict[Any, Callable[[Any], bool]] = {
    int: _whole,
    float: _number,
    str: lambda value: isinstance(value, str),
    bool: lambda value: isinstance(value, bool),
    int | None: lambda value: value is None or _whole(value),
    Mapping[str, float]: _numbers,
    Mapping[str, Any]: lambda value: isinstance(value, Mapping),
    tuple[float, ...]: lambda value: isinstance(value, tuple) and all(map(_number, value)),
    tuple[tuple[str, float, float], ...]: _timed_words,
    tuple[str, ...]: lambda value: isinstance(value, tuple) and all(isinstance(v, str) for v in value),
}
_FIELD_CHECKS = {
    kind: [(f.name, _CHECKS[f.type]) for f in dataclasses.fields(kind)] for kind in EVENT_TYPES.values()
}
