"""Lengths of time in words: "5 minutes", "an hour and a half", "2 weeks and 3 days"."""

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

_SECONDS = {"second": 1, "sec": 1, "s": 1, "minute": 60, "min": 60, "m": 60}
_SECONDS |= {"hour": 3_600, "hr": 3_600, "h": 3_600}
_DAYS = {"day": 1, "week": 7, "fortnight": 14}
_MONTHS = {"month": 1, "year": 12, "decade": 120}
_UNIT = r"(?:seconds?|secs?|minutes?|mins?|hours?|hrs?|days?|weeks?|fortnights?|months?|years?|decades?)"
_NUMBER = r"(?:\d{1,6}(?:\.\d{1,4})?(?: 1/2| and a half| and a quarter| and 3 quarters)?)"
_PART = r"(?:(?:(?:1/2|half)|(?:(?:a |1 )?quarter|1/4|3 quarters|3/4)(?: of)?)(?: an?)?)"
_TERM = (
    rf"(?:(?:{_NUMBER}|a half|{_PART}|an?|a couple(?: of)?|couple of|another)[ -]{_UNIT}"
    rf"|\d{{1,6}}(?:\.\d{{1,4}})?"
    rf"(?:{_UNIT}|[hms](?![a-z'])))(?: and a (?:half|quarter))?(?![a-z])"
)
_MORE = rf"(?:(?:, and |, | and | ){_TERM}){{0,3}}"
SPAN = rf"(?:{_TERM}{_MORE}(?: and \d{{1,2}}| \d{{1,2}})?(?![\d:/.]|\w| ?[ap]m\b))"
"""Matches a length of time; without groups."""

_ONE_TERM = re.compile(rf"(.+?)[ -]?({_UNIT}|[hms])( and a half| and a quarter)?$")
_TERMS = re.compile(_TERM)
_WHOLE = re.compile(SPAN)
_FRACTIONS = (
    ("3 quarters", 0.75),
    ("3/4", 0.75),
    ("half", 0.5),
    ("1/2", 0.5),
    ("quarter", 0.25),
    ("1/4", 0.25),
)


@dataclass(frozen=True)
class Span:
    """Parts of different kinds: a month has no fixed number of days, nor a day of seconds."""

    months: int = 0
    days: int = 0
    seconds: float = 0.0

    @property
    def exact_s(self) -> float | None:
        """Its length in seconds, with days of 24 hours; None when it has months in it."""
        return None if self.months else self.days * 86_400 + self.seconds

    def negative(self) -> "Span":
        return Span(-self.months, -self.days, -self.seconds)


def span_of(text: str) -> Span | None:
    """``text`` as a whole."""
    if len(text) > 100 or not _WHOLE.fullmatch(text):
        return None
    months = days = seconds = 0.0
    size, end = 0.0, 0
    for found in _TERMS.finditer(text):
        term = _ONE_TERM.match(found[0])
        if term is None:
            return None
        number = _number(term[1].strip(" -"))
        number += {" and a half": 0.5, " and a quarter": 0.25}.get(term[3] or "", 0)
        unit = term[2] if len(term[2]) == 1 else term[2].rstrip("s")
        months += number * _MONTHS.get(unit, 0)
        days += number * _DAYS.get(unit, 0)
        size = _SECONDS.get(unit, 0)
        seconds += number * size
        end = found.end()
    # "2 hours 30" means minutes, "1 minute 30" seconds.
    rest = re.search(r"\d+", text[end:])
    if rest:
        if size not in (3_600, 60):
            return None
        seconds += int(rest[0]) * size / 60
    seconds += (days % 1) * 86_400 if months % 1 == 0 else 0
    if months % 1:
        return None
    return Span(int(months), int(days), seconds)


def add_to_date(start: date, span: Span) -> date | None:
    """The day so much later; a month's end stays within the month. None: outside of the calendar."""
    month = start.year * 12 + start.month - 1 + span.months
    try:
        year, month = month // 12, month % 12 + 1
        moved = date(year, month, min(start.day, calendar.monthrange(year, month)[1]))
        return moved + timedelta(days=span.days)
    except (ValueError, OverflowError):
        return None


def add_to_time(start: datetime, span: Span) -> datetime | None:
    """So much later, in the zone of ``start``: months and days by the calendar, the rest as time passes."""
    day = add_to_date(start.date(), span)
    if day is None:
        return None
    try:
        moved = datetime.combine(day, start.timetz()) if span.months or span.days else start
        later = moved.astimezone(UTC) + timedelta(seconds=span.seconds)
        return later.astimezone(start.tzinfo)
    except (ValueError, OverflowError):
        return None


def _number(words: str) -> float:
    if words in ("a", "an", "another"):
        return 1
    if "couple" in words:
        return 2
    whole = re.match(r"\d+(?:\.\d+)?(?= 1/2| and|$)", words)
    number = float(whole[0]) if whole else 0.0
    rest = words[whole.end() :] if whole else words
    return number + next((value for word, value in _FRACTIONS if word in rest), 0.0)
