"""One line of a timeline, read without trust: the right kinds, the right types, finite numbers."""

import dataclasses
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from operator import attrgetter
from typing import Any

from engine.events import EVENT_TYPES, Event, TurnRecord, from_fields, from_json

MAX_LINE = 1_000_000  # bytes; a real line has a few hundred


def parse_event(line: str) -> Event | None:
    """Parse one line; None for a kind this version does not know.

    Raises:
        ValueError: it is no event: broken JSON, a missing field, a wrong type, a number that is none.
    """
    if len(line) > MAX_LINE:
        raise ValueError("the line is too long")
    try:
        return _checked(from_json(line))
    except RecursionError as err:
        raise ValueError("nested too deeply") from err


def parse_lines(lines: Sequence[bytes]) -> list[tuple[Event | None, bool]]:
    """Parse lines, which takes half as long as one by one: (event, whether the line is whole) of each."""
    fields = _parse_at_once(lines)
    found: list[tuple[Event | None, bool]] = []
    for k, line in enumerate(lines):
        try:
            event = parse_event(line.decode("utf-8")) if fields is None else _checked(from_fields(fields[k]))
            found.append((event, True))
        except ValueError:
            found.append((None, False))
    return found


def _parse_at_once(lines: Sequence[bytes]) -> list[Any] | None:
    """The JSON values of all lines; None when any line is not exactly one value."""
    if any(len(line) > MAX_LINE for line in lines):
        return None
    try:
        # The zeros between them show where a line began: one cut off would swallow the next.
        values = json.loads((b"[" + b",0,".join(lines) + b"]").decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    between = values[1::2]
    if len(values) != 2 * len(lines) - 1 or any(type(zero) is not int or zero for zero in between):
        return None
    return list(values[::2])


def _checked(event: Event | None) -> Event | None:
    """The event, if every field holds what it should. Raises ValueError."""
    if event is None:
        return None
    for plainly, names, values, holds in _FIELD_CHECKS[type(event)]:
        found = values(event)
        if plainly(found):
            continue
        for name, value in zip(names, found, strict=True):
            if not holds(value):
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
    return isinstance(value, Mapping) and (_all_numbers(value.values()) or all(map(_number, value.values())))


def _timed_words(value: Any) -> bool:
    return isinstance(value, tuple) and all(
        isinstance(row, tuple) and len(row) == 3 and isinstance(row[0], str) and all(map(_number, row[1:]))
        for row in value
    )


# All values of a type at once, many times faster than one by one. No means: look at each.

_NUMBER_TYPES = {int, float}


def _all_numbers(values: Collection[Any]) -> bool:
    if not _NUMBER_TYPES.issuperset(map(type, values)):
        return False
    try:
        return bool(sum(map(abs, values)) < 1e15)
    except OverflowError:
        return False


def _all_whole(values: Collection[Any]) -> bool:
    return {int}.issuperset(map(type, values)) and bool(sum(map(abs, values)) < 2**53)


def _never(_: Collection[Any]) -> bool:
    return False


_ALL_AT_ONCE: dict[Any, Callable[[Collection[Any]], bool]] = {
    int: _all_whole,
    float: _all_numbers,
    str: lambda values: {str}.issuperset(map(type, values)),
    bool: lambda values: {bool}.issuperset(map(type, values)),
}
_CHECKS: dict[Any, Callable[[Any], bool]] = {
    int: _whole,
    float: _number,
    str: lambda value: isinstance(value, str),
    bool: lambda value: isinstance(value, bool),
    int | None: lambda value: value is None or _whole(value),
    Mapping[str, float]: _numbers,
    Mapping[str, Any]: lambda value: isinstance(value, Mapping),
    tuple[float, ...]: lambda value: (
        isinstance(value, tuple) and (_all_numbers(value) or all(map(_number, value)))
    ),
    tuple[tuple[str, float, float], ...]: _timed_words,
    tuple[str, ...]: lambda value: isinstance(value, tuple) and all(isinstance(v, str) for v in value),
}
_Check = tuple[
    Callable[[Collection[Any]], bool],
    tuple[str, ...],
    Callable[[Event], tuple[Any, ...]],
    Callable[[Any], bool],
]


def _getter(names: tuple[str, ...]) -> Callable[[Event], tuple[Any, ...]]:
    get = attrgetter(*names)
    return get if len(names) > 1 else lambda event: (get(event),)


def _checks_of(kind: type) -> list[_Check]:
    """The fields of a kind of event, those of one type together."""
    by_type: dict[Any, list[str]] = {}
    for field in dataclasses.fields(kind):
        by_type.setdefault(field.type, []).append(field.name)
    return [
        (_ALL_AT_ONCE.get(kind, _never), tuple(names), _getter(tuple(names)), _CHECKS[kind])
        for kind, names in by_type.items()
    ]


_FIELD_CHECKS = {kind: _checks_of(kind) for kind in EVENT_TYPES.values()}
