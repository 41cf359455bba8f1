"""Days in words: "tomorrow", "next friday", "the 3rd of may", "3 weeks after christmas"."""

import calendar
import re
from collections.abc import Callable
from datetime import date, timedelta

from dateutil.easter import easter

from engine.background.understanding.spans import SPAN, Span, add_to_date, span_of

WEEKDAY = r"(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday|mon|tues?|wed|thurs?|thu|fri|sat|sun)"
MONTH = (
    r"(?:january|february|march|april|may|june|july|august|september|october|november|december"
    r"|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\.?"
)
_NTH = r"\d{1,2}(?:st|nd|rd|th)"
_THIS = r"(?:the|this|next)"
_EDGES = r"(?:last day|end|first day|start|beginning)"
_YEAR = r"(?:,? (?:in |of )?(?:(?:18|19|20|21)\d\d|(?:19|20) \d\d|next year|this year|last year))"
_HOLIDAYS: dict[str, Callable[[int], date]] = {
    r"christmas eve": lambda y: date(y, 12, 24),
    r"christmas(?: day)?|xmas(?: day)?": lambda y: date(y, 12, 25),
    r"boxing day": lambda y: date(y, 12, 26),
    r"new year'?s eve|nye": lambda y: date(y, 12, 31),
    r"new year'?s?(?: day)?": lambda y: date(y, 1, 1),
    r"valentine'?s?(?: day)?|st\.? valentine'?s day": lambda y: date(y, 2, 14),
    r"(?:st\.?|saint) patrick'?s day": lambda y: date(y, 3, 17),
    r"april fools?'?s?(?: day)?": lambda y: date(y, 4, 1),
    r"(?:the )?4th of july|independence day": lambda y: date(y, 7, 4),
    r"hall?oween": lambda y: date(y, 10, 31),
    r"bonfire night|guy fawkes(?: night| day)?": lambda y: date(y, 11, 5),
    r"veterans'? day|armistice day": lambda y: date(y, 11, 11),
    r"good friday": lambda y: easter(y) - timedelta(2),
    r"easter monday": lambda y: easter(y) + timedelta(1),
    r"easter(?: sunday| day)?": easter,
    r"ash wednesday": lambda y: easter(y) - timedelta(46),
    r"shrove tuesday|pancake day": lambda y: easter(y) - timedelta(47),
    r"pentecost|whit sunday": lambda y: easter(y) + timedelta(49),
    r"thanksgiving(?: day)?": lambda y: _nth_weekday(y, 11, 3, 4),
    r"black friday": lambda y: _nth_weekday(y, 11, 3, 4) + timedelta(1),
    r"labor day": lambda y: _nth_weekday(y, 9, 0, 1),
    r"memorial day": lambda y: _nth_weekday(y, 5, 0, -1),
}
_HOLIDAY = "|".join(_HOLIDAYS)
_FORMS = (
    r"today|now|tomorrow|yesterday|tonight|the day after tomorrow|the day before yesterday",
    rf"(?:the )?(?:{_NTH}|first|last|second|third) {WEEKDAY} (?:of|in) (?:{MONTH}{_YEAR}?|{_THIS} month)",
    rf"(?:(?:on )?(?:this |coming |this coming |next |last |the )?{WEEKDAY}|{WEEKDAY} next week)",
    rf"(?:{WEEKDAY},? )?{MONTH} (?:the )?\d{{1,2}}(?:st|nd|rd|th)?(?![\d:]|\.\d| ?[ap]m\b){_YEAR}?",
    rf"(?:{WEEKDAY},? )?(?:the )?\d{{1,2}}(?:st|nd|rd|th)? (?:of )?{MONTH}(?![a-z]){_YEAR}?",
    rf"(?:{WEEKDAY},? )?the {_NTH}(?: of (?:this|next|the) month)?",
    rf"(?:next |this |last )?(?:{_HOLIDAY}){_YEAR}?",
    r"(?:next|last) (?:week|month|year)|(?:a|1) (?:week|month|year) today|the week after next",
    rf"(?:the )?{_EDGES} of (?:{_THIS} (?:month|year)|{MONTH}{_YEAR}?)",
    r"\d{4}-\d{2}-\d{2}",
)
_PLAIN = "|".join(f"(?:{form})" for form in _FORMS)
DATE = (
    rf"(?:(?:in )?{SPAN} (?:from|after|before|on) (?:{_PLAIN})|in {SPAN}(?: from now|(?:'s|')? time)?"
    rf"|{SPAN} (?:from now|ago)"
    rf"|{WEEKDAY} week(?![a-z])|{_PLAIN})(?![\w'])"
)
"""Matches a day; without groups."""

_WHOLE = re.compile(DATE)
_RELATIVE = re.compile(rf"(?:in )?({SPAN}) (from|after|before|on) ({_PLAIN})$")
_AHEAD = re.compile(rf"(?:in )?({SPAN})(?: from now|(?:'s|')? time)?$")
_AGO = re.compile(rf"({SPAN}) ago$")
_NTH_WEEKDAY = re.compile(rf"(?:the )?({_NTH}|first|last|second|third) ({WEEKDAY}) (?:of|in) (.+)$")
_WEEKDAY = re.compile(
    rf"(?:on )?(?:(this|coming|this coming|next|last|the) )?({WEEKDAY})( next week| week)?$"
)
_MONTH_DAY = re.compile(
    rf"(?:{WEEKDAY},? )?(?:({MONTH}) (?:the )?(\d{{1,2}})(?:st|nd|rd|th)?"
    rf"|(?:the )?(\d{{1,2}})(?:st|nd|rd|th)? (?:of )?({MONTH}))({_YEAR})?$"
)
_DAY = re.compile(rf"(?:{WEEKDAY},? )?the (\d{{1,2}})(?:st|nd|rd|th)(?: of (this|next|the) month)?$")
_NAMED = re.compile(rf"(next |this |last )?({_HOLIDAY})({_YEAR})?$")
_EDGE = re.compile(r"(?:the )?(last day|end|first day|start|beginning) of (.+)$")
_MONTH_YEAR = re.compile(rf"({MONTH})({_YEAR})?$")
_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NEAR = {
    "today": 0,
    "now": 0,
    "tonight": 0,
    "tomorrow": 1,
    "yesterday": -1,
    "the day after tomorrow": 2,
    "the day before yesterday": -2,
    "the week after next": 14,
}


def date_of(text: str, today: date, past: bool = False) -> date | None:
    """The day that ``text`` as a whole means; ``past``: of several possible ones, the last that was.

    None also for days that do not exist.
    """
    if len(text) > 120 or not _WHOLE.fullmatch(text):
        return None
    try:
        return _date(text, today, past)
    except (ValueError, OverflowError):
        return None


def _date(text: str, today: date, past: bool) -> date | None:
    if text in _NEAR:
        return today + timedelta(_NEAR[text])
    for pattern, read in _READERS:
        found = pattern.match(text)
        if found:
            day = read(found, today, past)
            if day:
                return day
    return None


def _relative(found: re.Match[str], today: date, past: bool) -> date | None:
    span = span_of(found[1])
    start = _date(found[3], today, past)
    if not span or not start or span.seconds:
        return None
    return add_to_date(start, span.negative() if found[2] == "before" else span)


def _ahead(found: re.Match[str], today: date, _past: bool) -> date | None:
    span = span_of(found[1])
    return add_to_date(today, span) if span and not span.seconds else None


def _ago(found: re.Match[str], today: date, _past: bool) -> date | None:
    span = span_of(found[1])
    return add_to_date(today, span.negative()) if span and not span.seconds else None


def _nth(found: re.Match[str], today: date, past: bool) -> date | None:
    number = {"first": 1, "second": 2, "third": 3, "last": -1}.get(found[1]) or int(
        re.sub(r"\D", "", found[1])
    )
    weekday = _NAMES.index(found[2][:3])
    month = _MONTH_YEAR.match(found[3])
    if month:
        named = _MONTH_NAMES.index(month[1][:3]) + 1
        return _in_year(lambda y: _nth_weekday(y, named, weekday, number), month[2], today, past)
    start = add_to_date(today.replace(day=1), Span(months=1 if "next" in found[3] else 0))
    return start and _nth_weekday(start.year, start.month, weekday, number)


def _weekday(found: re.Match[str], today: date, past: bool) -> date | None:
    which, name, week = found.groups()
    ahead = (_NAMES.index(name[:3]) - today.weekday()) % 7
    if which == "last" or (past and which is None):
        return today - timedelta((-ahead) % 7 or 7)
    if which == "next" or week == " next week":
        # The one in the calendar week that comes.
        return today + timedelta(_NAMES.index(name[:3]) - today.weekday() + 7)
    if which in ("this", "this coming", "coming") and ahead == 0:
        return today + timedelta(0 if which == "this" else 7)
    return today + timedelta((ahead or 7) + (7 if week else 0))


def _month_day(found: re.Match[str], today: date, past: bool) -> date | None:
    month = _MONTH_NAMES.index((found[1] or found[4])[:3]) + 1
    number = int(found[2] or found[3])
    return _in_year(lambda y: date(y, month, number), found[5], today, past)


def _day_of_month(found: re.Match[str], today: date, past: bool) -> date | None:
    first = today.replace(day=1)
    for ahead in range(1 if found[2] == "next" else 0, 13):
        month = add_to_date(first, Span(months=-ahead if past else ahead))
        if month and int(found[1]) <= calendar.monthrange(month.year, month.month)[1]:
            day = month.replace(day=int(found[1]))
            if found[2] or (day <= today if past else day >= today):
                return day
    return None


def _named(found: re.Match[str], today: date, past: bool) -> date | None:
    make = next(make for name, make in _HOLIDAYS.items() if re.fullmatch(name, found[2]))
    return _in_year(make, found[3], today, past or found[1] == "last ")


def _coming(found: re.Match[str], today: date, _past: bool) -> date | None:
    unit = {"week": Span(days=7), "month": Span(months=1), "year": Span(months=12)}[found[2]]
    return add_to_date(today, unit.negative() if found[1] == "last" else unit)


def _edge(found: re.Match[str], today: date, past: bool) -> date | None:
    last = found[1] in ("last day", "end")
    words = found[2]
    if words.endswith("year"):
        year = today.year + words.startswith("next")
        if _MONTH_YEAR.match(words) is None:
            return date(year, 12, 31) if last else date(year, 1, 1)
    month = _MONTH_YEAR.match(words)
    if month:
        number = _MONTH_NAMES.index(month[1][:3]) + 1
        return _in_year(
            lambda y: date(y, number, calendar.monthrange(y, number)[1] if last else 1), month[2], today, past
        )
    start = add_to_date(today.replace(day=1), Span(months=1 if words.startswith("next") else 0))
    return start and start.replace(day=calendar.monthrange(start.year, start.month)[1] if last else 1)


def _iso(found: re.Match[str], _today: date, _past: bool) -> date | None:
    return date.fromisoformat(found[0])


_READERS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], date, bool], date | None]], ...] = (
    (_RELATIVE, _relative),
    (_AHEAD, _ahead),
    (_AGO, _ago),
    (_NTH_WEEKDAY, _nth),
    (_WEEKDAY, _weekday),
    (_NAMED, _named),
    (_MONTH_DAY, _month_day),
    (_DAY, _day_of_month),
    (re.compile(r"(?:(next|last)|(?:a|1)) (week|month|year)(?: today)?$"), _coming),
    (_EDGE, _edge),
    (re.compile(r"\d{4}-\d{2}-\d{2}$"), _iso),
)


def _in_year(make: Callable[[int], date], year: str | None, today: date, past: bool) -> date | None:
    """The day in the year that was said, or the next one, today counted, or the last that was.

    Leap days come only every few years.
    """
    if year:
        digits = re.sub(r"\D", "", year)
        near = {"next": 1, "last": -1}.get(year.strip(" ,").split()[-2], 0) if not digits else 0
        return make(int(digits) if digits else today.year + near)
    for ahead in range(9):
        try:
            day = make(today.year - ahead if past else today.year + ahead)
        except ValueError:
            continue
        if day <= today if past else day >= today:
            return day
    return None


def _nth_weekday(year: int, month: int, weekday: int, number: int) -> date:
    """``number`` counts from 1, or is -1 for the last. Raises ValueError when there is none."""
    days = calendar.monthrange(year, month)[1]
    if number < 0:
        last = date(year, month, days)
        return last - timedelta((last.weekday() - weekday) % 7)
    first = date(year, month, 1)
    return first.replace(day=1 + (weekday - first.weekday()) % 7 + 7 * (number - 1))
