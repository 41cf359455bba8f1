"""Times, spans and lists of things as they are said."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from engine.background.tools.tool import Arguments

MAX_TEXT = 2_000
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August"),
    *("September", "October", "November", "December"),
)
_ABOUT_ME = "my me mine myself our i am i'm i've i'll i'd us we"
_ABOUT_YOU = "your you yours yourself your you are you're you've you'll you'd you you"
_TO_YOU = dict(zip(_ABOUT_ME.split(), _ABOUT_YOU.split(), strict=True))


def count(number: int, thing: str) -> str:
    """ "1 day", "2 days"."""
    return f"{number} {thing}" + ("" if number == 1 else "s")


def joined(things: Sequence[str]) -> str:
    """ "milk", "milk and eggs", "milk, eggs and bread"."""
    *head, last = things or ("nothing",)
    return f"{', '.join(head)} and {last}" if head else last


def sentence(text: str) -> str:
    """``text`` with a capital letter at the beginning and one full stop at the end."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def to_you(text: str) -> str:
    """The user's words about themselves as they are said back: "call my mom", "call your mom"."""
    return " ".join(_TO_YOU.get(word.lower(), word) for word in text.split(" "))


def span(seconds: float) -> str:
    """Whole seconds, to three units: "1 hour and 30 minutes", "3 days and 2 hours", "0 seconds"."""
    left = max(round(seconds), 0)
    parts = []
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)):
        if left >= size:
            parts.append(count(left // size, unit))
            left %= size
    return joined(parts[:3]) if parts else "0 seconds"


def clock(moment: datetime) -> str:
    """ "5 p.m.", "6:30 a.m.", "noon", "midnight"."""
    hour, minute = moment.hour, moment.minute
    if minute == 0 and hour in (0, 12):
        return "noon" if hour else "midnight"
    return f"{hour % 12 or 12}{f':{minute:02}' if minute else ''} {'a' if hour < 12 else 'p'}.m."


def ordinal(number: int) -> str:
    """ "1st", "22nd", "13th"."""
    end = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{end}"


def day(what: date, today: date) -> str:
    """ "Friday, November 27th", with the year when it is not this one."""
    year = "" if what.year == today.year else f", {what.year}"
    return f"{DAYS[what.weekday()]}, {month_day(what)}{year}"


def month_day(what: date) -> str:
    """ "November 27th"."""
    return f"{MONTHS[what.month - 1]} {ordinal(what.day)}"


def near_day(what: date, today: date) -> str:
    """ "today", "tomorrow", "on Thursday" within six days, else "on Friday, December 11th"."""
    ahead = (what - today).days
    if ahead in (-1, 0, 1):
        return ("today", "tomorrow", "yesterday")[ahead]
    return "on " + (DAYS[what.weekday()] if 1 < ahead < 7 else day(what, today))


def when(moment: datetime, now: datetime) -> str:
    """ "today at 6 p.m.", "tomorrow at 5 p.m.", "on Thursday at noon"; ``now`` has the user's zone."""
    local = moment.astimezone(now.tzinfo)
    if local.hour == local.minute == 0:
        if local.date() - now.date() == timedelta(days=1):
            return "tonight at midnight"
        return f"{near_day(local.date(), now.date())} at 12 a.m."
    return f"{near_day(local.date(), now.date())} at {clock(local)}"


_PROPER = {name.lower() for name in (*DAYS, *MONTHS)} - {"may", "march"}
_PROPER |= set("christmas easter halloween thanksgiving i i'm i'll i've valentine's patrick's".split())


def proper(text: str) -> str:
    """``text`` in lower case with the capital letters of days, months and feasts."""
    return " ".join(word.capitalize() if word.strip(",.") in _PROPER else word for word in text.split(" "))


def words_of(arguments: Arguments, name: str) -> str:
    """A text among the arguments of a call; what is none is empty."""
    value = arguments.get(name)
    return str(value).strip()[:MAX_TEXT] if isinstance(value, str | int | float) else ""


def aware(text: object, now: datetime) -> datetime | None:
    """An ISO time in the zone of ``now``, which is also meant where it names none. None: it is no time."""
    try:
        moment = datetime.fromisoformat(str(text))
        return moment.replace(tzinfo=now.tzinfo) if moment.tzinfo is None else moment.astimezone(now.tzinfo)
    except (ValueError, OverflowError):
        return None
