"""Tools that tell the time and reckon with dates."""

import calendar
import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from engine.background.tools.saying import (
    MONTHS,
    aware,
    clock,
    count,
    day,
    month_day,
    near_day,
    proper,
    sentence,
    span,
    words_of,
)
from engine.background.tools.tool import Arguments, Tool, ToolContext, ToolError, ToolResult, schema
from engine.background.understanding.dates import date_of
from engine.background.understanding.spans import Span, add_to_date

_TEXT = {"type": "string"}
_UNITS = {"day": Span(days=1), "week": Span(days=7), "month": Span(months=1), "year": Span(months=12)}
_MAX_AMOUNT = 1_000_000


def _time(arguments: Arguments, context: ToolContext) -> ToolResult:
    now = context.now
    place, there = _zoned(words_of(arguments, "place"), now)
    other, source = _zoned(words_of(arguments, "other"), now)
    if arguments.get("what") == "difference":
        return _difference(place or "your time", there, other or "your time", source)
    if not arguments.get("at"):
        said = f"It's {clock(there)}"
        if there.date() != now.date():
            said += f" {near_day(there.date(), now.date())}"
        return ToolResult(sentence(f"{said} in {place}" if place else said), {"time": _iso(there)})
    asked = aware(arguments["at"], source)
    if asked is None:
        raise ToolError("I didn't understand that time.")
    shown = asked.astimezone(there.tzinfo)
    when = f"at {clock(asked)} in {other}" if other else f"at {clock(asked)}"
    what = f"it's {clock(shown)}" + (f" in {place}" if place else " here" if other else "")
    if not place and not other:
        verb = "was" if asked < now else "will be"
        return ToolResult(
            sentence(f"it {verb} {clock(asked)} {near_day(asked.date(), now.date())}"), {"time": _iso(asked)}
        )
    if shown.date() != asked.date():
        what += f" {'the next day' if shown.date() > asked.date() else 'the day before'}"
    return ToolResult(sentence(f"{when}, {what}"), {"time": _iso(shown)})


def _difference(place: str, there: datetime, other: str, here: datetime) -> ToolResult:
    ahead = ((there.utcoffset() or timedelta()) - (here.utcoffset() or timedelta())).total_seconds()
    if not ahead:
        return ToolResult(sentence(f"{place} and {other} have the same time"), {"hours": 0.0})
    word = "ahead of" if ahead > 0 else "behind"
    return ToolResult(sentence(f"{place} is {span(abs(ahead))} {word} {other}"), {"hours": ahead / 3_600})


def _zoned(place: str, now: datetime) -> tuple[str, datetime]:
    """The place as it is said, and ``now`` on its clocks; no place: the user's."""
    if not place:
        return "", now
    # Loaded with the first question about a place.
    from engine.background.tools.places import city_zone

    found = city_zone(place)
    if found is None:
        raise ToolError(f"I don't know what time it is in {place[:60]}.")
    return found[0], now.astimezone(ZoneInfo(found[1]))


def _date(arguments: Arguments, context: ToolContext) -> ToolResult:
    today = context.now.date()
    what = arguments.get("what", "today")
    if what == "today":
        unit = words_of(arguments, "unit")
        names = {"year": f"it's {today.year}", "month": f"it's {MONTHS[today.month - 1]} {today.year}"}
        said = names.get(unit) or (
            f"it's week {today.isocalendar().week}" if unit == "week" else f"today is {day(today, today)}"
        )
        return ToolResult(sentence(said), {"date": today.isoformat()})
    if what == "until" and arguments.get("fact"):
        arguments = {**arguments, "to": _told_day(str(arguments["fact"]), context).isoformat()}
    if what in ("until", "difference"):
        return _between(arguments, context.now)
    if what == "leap":
        year = _year(arguments, today)
        leap = calendar.isleap(year)
        return ToolResult(f"{'Yes' if leap else 'No'}, {year} is{'' if leap else ' not'} a leap year.")
    if what == "month":
        first = _day(arguments, "date")
        days = calendar.monthrange(first.year, first.month)[1]
        return ToolResult(f"{MONTHS[first.month - 1]} {first.year} has {days} days.", {"days": days})
    if what == "add":
        return _add(arguments, today)
    asked = _day(arguments, "date")
    verb = "was" if asked < today else "is"
    data = {"date": asked.isoformat(), "weekday": calendar.day_name[asked.weekday()]}
    if what == "weekday":
        in_year = "" if asked.year == today.year else f", {asked.year}"
        return ToolResult(f"{month_day(asked)}{in_year} {verb} a {data['weekday']}.", data)
    name = proper(words_of(arguments, "name")[:80]) or "that"
    said = day(asked, today)
    if name.endswith(data["weekday"]) and " from " not in name:
        said = said.partition(", ")[2]
    return ToolResult(sentence(f"{name} {verb} {said}"), data)


def _add(arguments: Arguments, today: date) -> ToolResult:
    start = _day(arguments, "from") if arguments.get("from") else today
    amount, unit = _number(arguments.get("amount", 0)), words_of(arguments, "unit").rstrip("s")
    step = _UNITS.get(unit)
    if step is None or abs(amount) > _MAX_AMOUNT:
        raise ToolError("I can't reckon that far.")
    moved = add_to_date(start, Span(step.months * amount, step.days * amount))
    if moved is None:
        raise ToolError("That is outside of the calendar.")
    where = "today" if start == today else month_day(start)
    words = f"{count(abs(amount), unit)} {'before' if amount < 0 else 'from'} {where}"
    verb = "was" if moved < today else "is"
    return ToolResult(
        sentence(f"{words} {verb} {day(moved, today)}"),
        {"date": moved.isoformat(), "days": (moved - start).days},
    )


def _between(arguments: Arguments, now: datetime) -> ToolResult:
    until = arguments.get("what") == "until"
    to, unit = words_of(arguments, "to"), words_of(arguments, "unit").rstrip("s")
    if until and "T" in to:
        moment = aware(to, now)
        if moment is None:
            raise ToolError("I didn't understand that time.")
        left = (moment.astimezone(UTC) - now.astimezone(UTC)).total_seconds()
        # Nobody wants the seconds of an hour.
        left = round(left / 60) * 60 if abs(left) >= 600 else left
        words = _in_unit(left, unit) or span(abs(left))
        tail = f"until {clock(moment)}" if left >= 0 else f"since {clock(moment)}"
        tonight = clock(moment) == "midnight" and (moment.date() - now.date()).days == 1
        if moment.date() != now.date() and not tonight:
            tail += f" {near_day(moment.date(), now.date())}"
        return ToolResult(sentence(f"{words} {tail}"), {"seconds": left})
    start = now.date() if until else _day(arguments, "from")
    end = _day(arguments, "to")
    days = (end - start).days
    size = _days_in(abs(days), unit, min(start, end), max(start, end))
    first, last = day(start, now.date()), day(end, now.date())
    verb = "is" if size.startswith("1 ") and " and " not in size else "are"
    if not until:
        said = f"there {verb} {size} between {first} and {last}"
    elif days == 0:
        said = "that's today"
    elif days > 0:
        said = f"{size} until {last}"
    else:
        said = f"{last} was {size} ago"
    return ToolResult(sentence(said), {"days": days})


def _days_in(days: int, unit: str, start: date, end: date) -> str:
    if unit == "week":
        rest = f" and {count(days % 7, 'day')}" if days % 7 else ""
        return count(days // 7, "week") + rest if days >= 7 else count(days, "day")
    if unit in ("month", "year") or (not unit and days > 730):
        unit = unit or "year"
        step, number = _UNITS[unit].months, 0
        while (later := add_to_date(start, Span(months=step * (number + 1)))) and later <= end:
            number += 1
        begun = add_to_date(start, Span(months=step * number)) or start
        rest_days = (end - begun).days
        if not number:
            return count(days, "day")
        return count(number, unit) + (f" and {count(rest_days, 'day')}" if rest_days else "")
    if unit == "hour":
        return count(days * 24, "hour")
    return count(days, "day")


def _told_day(key: str, context: ToolContext) -> date:
    """The next day of a year that the user told, such as a birthday."""
    told = (context.store.fact(key) or "").lower()
    if not told:
        raise ToolError(f"You haven't told me your {key[:60]}.")
    day = date_of(re.sub(r",? ?\b\d{4}$", "", told), context.now.date())
    if day is None:
        raise ToolError(
            f"You told me that your {key[:60]} is {told[:80]}, and I can't find that in the calendar."
        )
    return day


def _in_unit(seconds: float, unit: str) -> str:
    size = {"second": 1, "minute": 60, "hour": 3_600}.get(unit)
    if not size or abs(seconds) % size:
        return ""
    return count(int(abs(seconds)) // size, unit)


def _day(arguments: Arguments, name: str) -> date:
    try:
        return date.fromisoformat(str(arguments.get(name, ""))[:10])
    except ValueError:
        raise ToolError("I didn't understand that date.") from None


def _year(arguments: Arguments, today: date) -> int:
    year = _number(arguments.get("year", today.year))
    if not 1 <= year <= 9999:
        raise ToolError("That year is outside of my calendar.")
    return year


def _number(value: object) -> int:
    try:
        return int(float(str(value)))
    except (ValueError, OverflowError):
        raise ToolError("I didn't understand that number.") from None


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


TIME = Tool(
    "time",
    "Tell the time, here or in a place; convert a time between two places; the difference between two"
    " places.",
    schema(
        what={"type": "string", "enum": ["now", "difference"]},
        place={"type": "string", "description": "city or country; empty: here"},
        at={"type": "string", "description": "another time than now, ISO, on the clocks of `other`"},
        other={"type": "string", "description": "the second place; empty: here"},
    ),
    _time,
)
DATE = Tool(
    "date",
    "Today's date, the weekday or date of a day, days until or between dates, a date plus or minus"
    " some time.",
    schema(
        ("what",),
        what={
            "type": "string",
            "enum": ["today", "weekday", "when", "until", "difference", "add", "leap", "month"],
        },
        date={"type": "string", "description": "ISO, for weekday, when and month"},
        name={"type": "string", "description": "what the day is called, for when"},
        **{"from": {"type": "string", "description": "ISO, for difference and add"}},
        to={"type": "string", "description": "ISO date or time, for until and difference"},
        fact={"type": "string", "description": "for until: a day that the user told, such as birthday"},
        amount={"type": "integer", "description": "for add; may be negative"},
        unit={"type": "string", "description": "of the amount or of the answer: days, weeks, months, years"},
        year={"type": "integer", "description": "for leap"},
    ),
    _date,
)
