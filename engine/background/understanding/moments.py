"""Points in time in words: "tomorrow at 5 pm", "half past 6", "in an hour", "on friday morning"."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from engine.background.understanding.dates import DATE, MONTH, WEEKDAY, date_of
from engine.background.understanding.spans import SPAN, Span, add_to_time, span_of

_GAP = "\0"  # where words about the time were taken out
_PARTS = {"morning": 9, "afternoon": 15, "evening": 19, "night": 20, "lunchtime": 12}
_HOUR = r"(?:2[0-3]|1\d|0?\d)"
_MINUTE = r"[0-5]\d"
_CLOCK = (
    rf"(?:{_HOUR}(?::{_MINUTE}|\.{_MINUTE}| {_MINUTE}| oh \d)? ?[ap]m\b|{_HOUR}:{_MINUTE}|{_HOUR} o'? ?clock"
    rf"|(?:half|(?:a )?quarter|\d{{1,2}}(?: minutes?)?) (?:past|to|after|before|till) (?:{_HOUR}|noon"
    rf"|midnight)"
    rf"(?: ?[ap]m\b| o'? ?clock)?|half {_HOUR}|noon|midday|midnight)(?![\w:%])"
)
# "630" and "6.30" are how recognisers write "six thirty".
_BARE = rf"(?:{_HOUR}(?:(?: |\. ?){_MINUTE}| oh \d)?|{_HOUR}{_MINUTE})(?![\w:%/]|\.\d)"
_FOLLOWS = (
    rf"(?= ?(?:$|,|{_GAP}|and\b|to\b|about\b|that\b|on\b|in the\b|at night|for\b|so\b|or\b|tonight"
    rf"|today|tomorrow"
    rf"|this\b|next\b|every\b|the day\b|{WEEKDAY}\b|{MONTH}\b))"
)
_PART_OF_DAY = (
    r"(?:(?:first thing |early |late )?(?:in the|this|that|at|during the) (?:morning|afternoon"
    r"|evening|night|lunchtime)"
    r"|tonight|(?<=\0) ?(?:morning|afternoon|evening|night)|at lunch(?: time)?)\b"
)
_AT = r"(?:(?:at|by|around|about|for|before|until|till|to|from|@)(?: about| around| exactly)? )"
_DAY_PREFIX = r"(?:(?:for|by|until|till|due|of|from)(?: the)? )?(?:on )?"
_RELATIVE = re.compile(
    rf"(?:\b(?:in|after)(?: about| another)? ({SPAN})(?: from now|(?:'s|') time)?"
    rf"|\b({SPAN}) from now)(?![\w'])"
)
_CLOCKS = (
    re.compile(rf"(?:\b{_AT})?(?<![\w:.])({_CLOCK})"),
    re.compile(rf"(?:\b(?:at|by|around|before)(?: about| around| exactly)? |@ ?)({_BARE}){_FOLLOWS}"),
)
_BARE_CLOCK = re.compile(rf"^(?:{_AT})?({_BARE})(?:{_FOLLOWS}|(?=\s*(?:$|{_GAP}|,)))")
# A weekday may belong to what is to be done ("the monday meeting"): it counts after "on", or at an edge.
_ON_DAY = re.compile(rf"\b{_DAY_PREFIX}((?:on )?(?:this |next |coming )?{WEEKDAY} next week)\b")
_SURE_DAY = re.compile(rf"\b(?:for )?(on (?:this |next |coming )?{WEEKDAY})\b(?! (?:meeting|night's))")
_ANY_DAY = re.compile(rf"\b{_DAY_PREFIX}({DATE})")
_EDGE = re.compile(rf"[\s,{_GAP}]*\Z")
_IS_WEEKDAY = re.compile(rf"(?:this |next |the |coming |last )?{WEEKDAY}\Z")
_WEEKDAY_PART = re.compile(rf"\b({WEEKDAY}|tomorrow|yesterday) (morning|afternoon|evening|night|lunchtime)\b")
_READ = re.compile(
    rf"({_HOUR})(?:(?:[:. ]|\. )(?:oh )?(\d{{1,2}})|(?<=\d)(\d\d))?(?: ?([ap]m))?(?: o'? ?clock)?\Z"
)
_BESIDE = re.compile(
    r"(half|(?:a )?quarter|\d{1,2})(?: minutes?)?(?: (past|to|after|before|till))? (\d{1,2}|noon|midnight)"
    r"(?: ?([ap]m)| o'? ?clock)?\Z"
)


@dataclass(frozen=True)
class When:
    """What was said about a time, none of it filled in.

    ``clock``: hour and minute; ``half``: "am", "pm", "24" when the hour is exact, "" when it may be either.
    ``part``: of the day. ``span``: from now.
    """

    span: Span | None = None
    day: date | None = None
    clock: tuple[int, int] | None = None
    half: str = ""
    part: str = ""


def find_when(text: str, now: datetime, bare: bool = False) -> tuple[When, str]:
    """What ``text`` says about a time, and the words that are left; ``bare``: "7" alone is an hour too."""
    when = When()
    rest = text
    found = _RELATIVE.search(rest)
    span = span_of(found[1] or found[2]) if found else None
    if found and span:
        rest = _without(rest, found)
        when = replace(when, span=span)
        # "in 2 days at 5": the days only say which day.
        if span.seconds or span.exact_s == 0:
            return when, _tidy(rest)
    rest = re.sub(rf"\bfirst thing (?=(?:on )?(?:tomorrow|{WEEKDAY}) morning)", "", rest)
    rest = _WEEKDAY_PART.sub(r"\1 in the \2", rest)
    for pattern in (*_CLOCKS, *((_BARE_CLOCK,) if bare else ())):
        found = pattern.search(rest)
        read = _clock(found[1]) if found else None
        if found and read:
            when = replace(when, clock=read[0], half=read[1])
            rest = _without(rest, found)
            break
    rest, day = _find_day(rest, now.date())
    found = re.search(_PART_OF_DAY, rest)
    if found:
        word = found[0].split()[-1]
        part = "night" if word == "tonight" else "lunchtime" if word in ("lunch", "time") else word
        when = replace(when, part=part)
        if "this" in found[0] or word == "tonight":
            day = day or now.date()
        rest = _without(rest, found)
        if bare and when.clock is None:
            found = _BARE_CLOCK.search(rest)
            read = _clock(found[1]) if found else None
            if found and read:
                when, rest = replace(when, clock=read[0], half=read[1]), _without(rest, found)
    return replace(when, day=day), _tidy(rest)


def read_when(text: str, now: datetime) -> When | None:
    """``text`` as a whole; "7" is an hour. None: it says something else as well, or nothing."""
    when, rest = find_when(text, now, bare=True)
    return when if when != When() and not rest else None


def resolve(when: When, now: datetime, early: bool = False, wake: bool = False) -> datetime | None:
    """The moment that is meant, in the zone of ``now``; None when only a day is known, or nothing.

    An hour that may be of either half of the day is the next one that comes;
    on another day 1 to 6 is in the afternoon, and with ``early`` 4 to 11 in the
    morning; with ``wake`` this holds for today as well.
    """
    if when.span and (when.clock is None and not when.part):
        return add_to_time(now, when.span)
    day = when.day
    if when.span:
        later = add_to_time(now, when.span)
        day = later.date() if later else None
    if when.clock is None:
        if not when.part:
            return None
        hour = _PARTS[when.part]
        moment = _local(day or now.date(), hour, 0, now)
        if moment <= now and when.part == "night":
            return _local(day or now.date(), 22, 0, now) if now.hour < 22 else None
        return moment if moment > now or day else _local(now.date() + timedelta(1), hour, 0, now)
    choices = _hours(when, wake)
    if day is None:
        days = [now.date(), now.date() + timedelta(1)]
        moments = sorted(_on(d, when.clock, h, when, now) for d in days for h in choices)
        return next((moment for moment in moments if moment > now), None)
    if day == now.date():
        moments = [_on(day, when.clock, h, when, now) for h in choices]
        return next((moment for moment in moments if moment > now), moments[-1])
    hour = when.clock[0]
    if len(choices) == 2:
        morning = 4 <= hour <= 11 if early else 7 <= hour <= 11
        choices = [hour % 12 + (0 if morning else 12)]
    return _on(day, when.clock, choices[0], when, now)


def shifted(before: datetime, when: When, now: datetime) -> datetime | None:
    """``before`` with what ``when`` says otherwise: another day, another hour of the same half of the day."""
    if when.span:
        return resolve(when, now)
    if when.clock is None and when.part:
        when = replace(when, day=when.day or before.date())
        return resolve(when, now)
    if when.clock is None:
        return _local(when.day, before.hour, before.minute, now) if when.day else None
    half = when.half or (
        "" if when.part else "24" if when.clock[0] > 12 else "am" if before.hour < 12 else "pm"
    )
    day = when.day or before.date()
    moment = resolve(replace(when, day=day, half=half), now)
    if moment and moment <= now and not when.half:
        return resolve(replace(when, day=when.day), now)
    if moment and moment <= now and not when.day:
        return resolve(replace(when, day=None), now)
    return moment


def _hours(when: When, wake: bool) -> list[int]:
    assert when.clock is not None
    hour = when.clock[0]
    if when.half == "24" or hour > 12 or (hour == 0 and not when.half):
        return [hour]
    if when.half:
        return [hour % 12 + (12 if when.half == "pm" else 0)]
    if when.part == "morning":
        return [hour % 12]
    if when.part in ("afternoon", "evening", "lunchtime"):
        return [hour % 12 + 12] if when.part != "lunchtime" or hour < 11 or hour == 12 else [hour]
    if when.part == "night":
        return [hour + 12 if 5 <= hour < 12 else 24 + hour % 12]
    if wake and 4 <= hour <= 11:
        return [hour]
    return [hour % 12, hour % 12 + 12]


def _on(day: date, at: tuple[int, int], hour: int, when: When, now: datetime) -> datetime:
    # Midnight today, tonight or at no known day is the one that comes.
    late = hour >= 24 or (at == (0, 0) and when.half == "24" and day == now.date())
    if late and hour >= 24 and when.part == "night" and day == now.date() and now.hour < hour - 24:
        late = False
    return _local(day + timedelta(1) if late else day, hour % 24, at[1], now)


def _local(day: date, hour: int, minute: int, now: datetime) -> datetime:
    """In the user's zone; an hour that the clocks leave out is the one after it."""
    moment = datetime.combine(day, time(hour, minute), now.tzinfo)
    return moment.astimezone(UTC).astimezone(now.tzinfo)


def _clock(words: str) -> tuple[tuple[int, int], str] | None:
    if words in ("noon", "midday"):
        return (12, 0), "24"
    if words == "midnight":
        return (0, 0), "24"
    found = _READ.match(words)
    if found:
        hour, minute = int(found[1]), int(found[2] or found[3] or 0)
        half = found[4] or ""
        if minute > 59 or (half and not 1 <= hour <= 12):
            return None
        exact = not half and (found[1].startswith("0") or hour > 12 or hour == 0)
        return (hour, minute), "24" if exact else half
    found = _BESIDE.match(words)
    if not found:
        return None
    ahead = {"half": 30, "quarter": 15, "a quarter": 15}.get(found[1]) or int(found[1])
    hour = {"noon": 12, "midnight": 0}.get(found[3], -1)
    half = "24" if hour >= 0 else found[4] or ""
    hour = int(found[3]) if hour < 0 else hour
    if ahead > 59 or hour > 23 or (half in ("am", "pm") and not 1 <= hour <= 12):
        return None
    if found[2] in ("to", "before", "till"):
        if half in ("am", "pm"):
            hour, half = hour % 12 + (12 if half == "pm" else 0), "24"
        return ((hour - 1) % 24 if half or hour != 1 else 12, 60 - ahead), half
    return (hour, ahead), half or ("24" if hour > 12 else "")


def _find_day(rest: str, today: date) -> tuple[str, date | None]:
    for pattern in (_ON_DAY, _SURE_DAY, _ANY_DAY):
        for found in pattern.finditer(rest):
            words = found[1]
            edge = not rest[: found.start()].strip(f" ,{_GAP}") or _EDGE.match(rest, found.end())
            beside = rest[: found.start()].endswith((_GAP, f"{_GAP} ")) or rest[found.end() :].startswith(
                (_GAP, f" {_GAP}", " in the ", " to ", ",")
            )
            if _IS_WEEKDAY.match(words) and not (edge or beside):
                continue
            if words in ("now", "tonight"):
                continue
            day = date_of(words, today)
            if day:
                return _without(rest, found), day
    return rest, None


def _without(text: str, found: re.Match[str]) -> str:
    return f"{text[: found.start()]}{_GAP}{text[found.end() :]}"


def _tidy(rest: str) -> str:
    return re.sub(r"\s*,?\s*,\s*|\s+", lambda m: ", " if "," in m[0] else " ", rest.replace(_GAP, " ")).strip(
        " ,"
    )
