"""Requests for the time and about dates."""

import re
from datetime import date, datetime, timedelta
from typing import Any

from engine.background.tools.clock import DATE as DATE_TOOL
from engine.background.tools.clock import TIME as TIME_TOOL
from engine.background.tools.saying import aware
from engine.background.tools.tool import Tool
from engine.background.understanding.call import Call
from engine.background.understanding.dates import DATE, MONTH, WEEKDAY, date_of
from engine.background.understanding.moments import read_when, resolve
from engine.background.understanding.normal import correction
from engine.background.understanding.planning_words import request
from engine.background.understanding.spans import SPAN, add_to_date, add_to_time, span_of

MAX_CHARS = 160
_IS = r"(?:'s|s| is| was| are)"
_NOW = r"(?: (?:right )?now| at the moment| currently| at present)?"
_ASK_TIME = re.compile(
    rf"(?:what(?:{_IS})? (?:the (?:current |exact |local )?|current "
    rf"|local )time(?: is it)?(?: of day)?(?: is it)?"
    r"|what time (?:do you have|is it|have you got|it is)|what (?:hour is it|is the hour)|how late is it"
    r"|(?:do you have|have you got|got|give me|tell me|check|say) (?:the )?(?:current )?time"
    r"|(?:tell me )?what time it is|time(?: is it)?|the time|current time|local time)"
    rf"{_NOW}(?: today| here)?(?: (?:over )?(?:in|at|for) (?P<place>[^,]+?))?{_NOW}(?: today)?"
)
_ASK_PLACE_TIME = re.compile(rf"what{_IS} (?P<place>[a-z .'-]{{2,40}}?)(?:'s)? time{_NOW}")
_ASK_LATER = re.compile(
    rf"(?:what time (?:will it be|is it|was it|would it be)|what (?:will|was) the time(?: be)?) "
    rf"(?:(?P<ahead>in {SPAN}|{SPAN} from now)|(?P<ago>{SPAN}) ago)"
)
_ASK_DIFFERENCE = (
    re.compile(
        rf"(?:what{_IS} |tell me )?(?:the )?time (?:zone )?difference (?:between"
        rf"|from) (?P<a>.+?) (?:and|to) (?P<b>.+)"
    ),
    re.compile(rf"(?:what{_IS} |tell me )?(?:the )?time (?:zone )?difference (?:to|with|in) (?P<a>.+)"),
    re.compile(
        r"how (?:many hours|far) (?:ahead|behind|ahead or behind) (?:of (?P<b>.+?) )?is (?P<a>.+?)"
        r"(?: (?:of|from|than) (?P<c>.+?))?"
    ),
    re.compile(r"how many hours (?:is|are) (?P<a>.+?) (?:ahead|behind)(?: of| from)?(?: (?P<b>.+?))?"),
)
_HERE = r"(?:here|us|me|my time|our time|home|where i am)"
_ASK_WHEN_THERE = (
    re.compile(
        r"what time is it (?:in (?P<place>.+?)|here) (?:when|if) it(?:'s| is) (?P<at>.+?)"
        rf"(?: in (?P<other>.+?)| {_HERE})?"
    ),
    re.compile(
        rf"(?:when|if) it(?:'s| is) (?P<at>.+?)(?: in (?P<other>.+?)"
        rf"| {_HERE}),? what(?: is the)? time (?:is it )?"
        r"(?:in (?P<place>.+?)|here)"
    ),
    re.compile(
        r"what(?: time)? is (?P<at>[\d: ]+ ?(?:[ap]m)?|noon"
        r"|midnight)(?: in)?(?: (?P<other>[a-z .]+?)(?: time)?)?"
        r" in (?P<place>[a-z .]+?)(?: time)?"
    ),
)
_ASK_TODAY = re.compile(
    r"(?:(?:what|which) (?:day|date|day of the week|weekday)(?: of the week)? (?:is (?:it|today)|it is)"
    rf"|(?:what{_IS}|tell me|give me|say) (?:today'?s (?:date|day)|(?:the |our )?(?:current )?(?:date"
    rf"|day)(?: of the week)?)"
    r"|what(?:'s| is) today|today'?s date|(?:the )?(?:current )?date|what day of the month is it)"
    r"(?: today)?(?: right now| now)?(?: here)?"
)
_ASK_UNIT = re.compile(
    r"(?:what|which) (?P<unit>month|year|week)(?: number)?(?: of the year)? (?:is it|are we in)(?: now)?"
    r"|what is the (?:current )?(?P<unit2>month|year|week)(?: number)?"
)
_DAY = rf"(?P<day>{DATE}|(?:on )?the day .+|tomorrow|yesterday)"
_ASK_WEEKDAY = (
    re.compile(
        rf"(?:on )?(?:what|which) (?:day|weekday|week day)(?: of the week)? (?:is|was|will|does"
        rf"|did)(?: it)?(?: be)?"
        rf"(?: on)? {_DAY}(?: be| fall(?: on)?| on| land on| going to be)?(?: on)?(?: {_NOW})?"
    ),
    re.compile(
        rf"(?:is|was|does|will) {_DAY} (?:on |fall on |be )?(?:on )?an? (?P<weekday>{WEEKDAY}|weekday)"
    ),
)
_ASK_DATE = (
    re.compile(rf"when (?:is|was|will|does|did)(?: it)? {_DAY}(?: be| happen| fall)?"),
    re.compile(
        rf"(?:what|which) date (?:is|was|will)(?: it)?(?: be)?(?: on)? {_DAY}(?: be)?|what (?:is|was"
        rf"|will be|will) the date"
        rf"(?: be)?(?: on| of| for)? {_DAY.replace('<day>', '<day2>')}"
    ),
    re.compile(rf"(?:what{_IS} )?(?P<day>{SPAN} (?:from|after|before) {DATE}|{SPAN} from now|{SPAN} ago)"),
    re.compile(rf"what{_IS} (?P<day>{DATE})'s date|what{_IS} (?P<day2>tomorrow|yesterday)(?:'s date| day)?"),
    re.compile(r"what (?:(?:date|day|year|month) )?(?:will|would) (?:it|the date|the day) be (?P<day>.+)"),
)
_UNITS = r"(?P<unit>days?|weeks?|months?|years?|hours?|minutes?|sleeps?|nights?)"
_FILL = (
    r"(?: more| is it| are there| is there| do (?:we|i) have| left| are left| remain(?:ing)?"
    r"| to go| away| from now)*"
)
_ASK_UNTIL = (
    re.compile(
        rf"(?:and )?(?:how (?:many {_UNITS}|long|much (?:time|longer))|(?P<unit2>days|weeks|months)"
        rf"|countdown)"
        rf"{_FILL} (?:until|till|til|'til|to|before|'till) (?P<day>.+)"
    ),
    re.compile(rf"how (?:far (?:away|off|out)|many {_UNITS} (?:away|off|out)) (?:is|are) (?P<day>.+)"),
    re.compile(rf"how (?:soon|long away) is (?P<day>{DATE})"),
)
_ASK_SINCE = re.compile(
    rf"how (?:many {_UNITS}|long)(?: (?:has it been|is it|has passed|have passed|passed|was it|ago))*"
    r" (?:since|ago was|was) (?P<day>.+)"
)
_ASK_LEFT = re.compile(
    rf"how many {_UNITS}{_FILL} (?:(?:in|of) )?(?:(?P<what>the|this) (?P<span>year|month|week)"
    rf"|(?P<month>{MONTH}))"
    rf"{_FILL}"
)
_ASK_BETWEEN = re.compile(
    rf"(?:how (?:many {_UNITS}|long|much time)(?: are there| is it| is there| is| are| lie)?"
    rf"|(?:the )?(?:number of )?days"
    r"|what is the difference(?: in days)?) (?:between|from) (?P<a>.+?) (?:and|to|until|till) (?P<b>.+)"
)
_ASK_LEAP = re.compile(
    r"(?:is|was|will) (?P<year>\d{4}|\d\d \d\d|it|this|this year|next year)(?: be)? a leap year"
)
_ASK_MONTH = re.compile(
    rf"how many days (?:are (?:there )?in|does|in|has|are there in) (?P<month>{MONTH})(?: have| has)?"
    r"(?: ?(?:in |of )?(?P<year>\d{4}))?(?: have)?"
)
_LEAD = re.compile(r"^(?:(?:and|but|so|then|or)\b,? ?)?(?:what about|how about|what of)? ?(?:it )?")
_FOLLOW_WEEKDAY = re.compile(
    r"(?:what|which) (?:day|weekday)(?: of the week)? (?:is|was|would|will) (?:that|it|this)(?: be)?(?: on)?"
    r"|what (?:day|weekday)(?: of the week)?|what day does (?:that|it) fall on"
)
_FOLLOW_DATE = re.compile(
    r"(?:what|which) date (?:is|was|would|will) (?:that|it)(?: be)?|when (?:is|was) (?:that|it)"
)
_FOLLOW_LONG = re.compile(
    rf"how (?:many {_UNITS}|long|far (?:away|off)|soon)(?: away| off)?(?: is| until| till| to"
    rf"| are)? ?(?:that|it|then|there)?"
    rf"(?: is(?: it)?)?(?: from (?:now|today)| away| off| until then| until that)?"
    rf"|(?:and )?in (?P<unit2>days|weeks|months|hours)"
)
_FOLLOW_MOVED = re.compile(
    rf"(?P<span>{SPAN}) (?P<way>later|after(?: that| it| then)?|before(?: that| it| then)?|earlier"
    rf"|from (?:then|that))"
)
_NO_PLACE = re.compile(
    r"\b(?:you|me|it|that|this|them|movie|film|book|game|morning|today|tomorrow|what|which|whose"
    r"|life)\b|\d"
)


class Clock:
    """The time, here and elsewhere, and dates."""

    tools: tuple[Tool, ...] = (TIME_TOOL, DATE_TOOL)

    def parse(self, text: str, now: datetime) -> Call | None:
        if len(text) > MAX_CHARS:
            return None
        text = request(text)
        text = re.sub(r"^and (?=what|how|when|which)", "", text)
        return _parse_time(text, now) or _parse_date(text, now)

    def follow(self, text: str, last: Call, now: datetime) -> Call | None:
        if len(text) > MAX_CHARS:
            return None
        text = request(text)
        rest = _LEAD.sub("", correction(text) or text).strip(" ,")
        if not rest:
            return None
        if last.tool == "time":
            return _follow_time(rest, text, last, now)
        return _follow_date(rest, last, now)


def _parse_time(text: str, now: datetime) -> Call | None:
    for pattern in _ASK_WHEN_THERE:
        found = pattern.fullmatch(text)
        when = read_when(found["at"].strip(), now) if found else None
        # "What is 5 pm in ..." is a question of places only when there is such a place.
        plain = pattern is _ASK_WHEN_THERE[-1]
        if found and when and when.clock and not (plain and not _known(found["place"])):
            moment = resolve(
                when, now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(seconds=1)
            )
            if moment:
                # On the clocks of the other place, so without a zone.
                at = moment.replace(tzinfo=None).isoformat(timespec="minutes")
                return _time(at=at, place=found["place"], other=found["other"])
    found = _ASK_LATER.fullmatch(text)
    if found:
        span = span_of((found["ahead"] or found["ago"]).removeprefix("in ").removesuffix(" from now"))
        later = add_to_time(now, span.negative() if found["ago"] else span) if span else None
        return _time(at=later.isoformat(timespec="seconds")) if later else None
    found = _ASK_TIME.fullmatch(text)
    if found:
        place = found["place"]
        return _time(place=place) if not place or not _NO_PLACE.search(place) else None
    for pattern in _ASK_DIFFERENCE:
        found = pattern.fullmatch(text)
        if found:
            groups = found.groupdict()
            other = groups.get("b") or groups.get("c")
            return _time(what="difference", place=found["a"], other=other)
    found = _ASK_PLACE_TIME.fullmatch(text)
    if found and _known(found["place"]):
        return _time(place=found["place"])
    return None


def _parse_date(text: str, now: datetime) -> Call | None:
    today = now.date()
    if _ASK_TODAY.fullmatch(text):
        return Call("date", {"what": "today"})
    found = _ASK_UNIT.fullmatch(text)
    if found:
        return Call("date", {"what": "today", "unit": found["unit"] or found["unit2"]})
    past = bool(re.match(r"(?:\w+ )*?(?:was|did)\b", text))
    for pattern in _ASK_WEEKDAY:
        found = pattern.fullmatch(text)
        if found:
            return _on(found["day"], today, past, weekday=True)
    for pattern in _ASK_DATE:
        found = pattern.fullmatch(text)
        if found:
            groups = found.groupdict()
            return _on(groups.get("day") or groups["day2"], today, past, weekday=False)
    found = _ASK_LEAP.fullmatch(text)
    if found:
        digits = found["year"].replace(" ", "")
        year = int(digits) if digits.isdecimal() else today.year + digits.startswith("next")
        return Call("date", {"what": "leap", "year": year})
    return _parse_count(text, now)


def _parse_count(text: str, now: datetime) -> Call | None:
    """Questions for a number of days."""
    today = now.date()
    found = _ASK_BETWEEN.fullmatch(text)
    if found:
        start = date_of(found["a"], today)
        end = start and (date_of(found["b"], start) if found["b"] != "today" else today)
        if start and end:
            arguments = {"what": "difference", "from": start.isoformat(), "to": end.isoformat()}
            return Call("date", {**arguments, **_unit(found["unit"])})
    found = _ASK_MONTH.fullmatch(text)
    if found:
        day = date_of(f"{found['month']} 1" + (f" {found['year']}" if found["year"] else ""), today)
        # February this year is meant even when it is over.
        day = day.replace(year=int(found["year"] or today.year)) if day else None
        return Call("date", {"what": "month", "date": day.isoformat()}) if day else None
    found = _ASK_LEFT.fullmatch(text)
    if found:
        words = (
            f"the end of {found['what']} {found['span']}" if found["span"] else f"the end of {found['month']}"
        )
        end = today + timedelta(6 - today.weekday()) if found["span"] == "week" else date_of(words, today)
        return Call("date", {"what": "until", "to": end.isoformat(), **_unit(found["unit"])}) if end else None
    for pattern in _ASK_UNTIL:
        found = pattern.fullmatch(text)
        if found:
            groups = found.groupdict()
            return _until(found["day"], groups.get("unit") or groups.get("unit2"), now)
    found = _ASK_SINCE.fullmatch(text)
    day = date_of(found["day"], today, past=True) if found else None
    if found and day:
        return Call("date", {"what": "until", "to": day.isoformat(), **_unit(found["unit"])})
    return None


def _until(words: str, unit: str | None, now: datetime) -> Call | None:
    if words == "my birthday":
        return Call("date", {"what": "until", "fact": "birthday", **_unit(unit)})
    day = date_of(words, now.date())
    if day and unit not in ("hour", "hours", "minute", "minutes"):
        return Call("date", {"what": "until", "to": day.isoformat(), **_unit(unit)})
    when = read_when(words, now)
    moment = resolve(when, now) if when else None
    if day and moment is None:
        moment = datetime(day.year, day.month, day.day, tzinfo=now.tzinfo)
    if moment is None:
        return None
    return Call("date", {"what": "until", "to": moment.isoformat(timespec="seconds"), **_unit(unit)})


def _on(words: str, today: date, past: bool, weekday: bool) -> Call | None:
    """The weekday or the date of a day; one that is known by its weekday or its distance gets both."""
    day = date_of(words, today, past)
    if day is None:
        return None
    numbered = re.search(r"\d(?:st|nd|rd|th)?\b", words) and not re.search(SPAN, words)
    if weekday and (numbered or re.search(MONTH, words) or not _is_relative(words)):
        return Call("date", {"what": "weekday", "date": day.isoformat()})
    name = re.sub(r"^on ", "", words)
    name = re.sub(rf"^in ({SPAN})$|^({SPAN}) from now$", lambda m: f"{m[1] or m[2]} from today", name)
    return Call("date", {"what": "when", "date": day.isoformat(), "name": name})


def _is_relative(words: str) -> bool:
    return bool(re.search(rf"{SPAN}|tomorrow|yesterday|week|month|year\b|{WEEKDAY}", words))


def _follow_time(rest: str, text: str, last: Call, now: datetime) -> Call | None:
    kept = {name: value for name, value in last.arguments.items() if name in ("what", "at", "other")}
    span = span_of(rest.removeprefix("in ")) if rest.startswith("in ") or rest != text else None
    if span:
        moment = add_to_time(now, span)
        place = last.arguments.get("place")
        return _time(at=moment.isoformat(timespec="seconds"), place=place) if moment else None
    if re.fullmatch(
        r"(?:what is |how big is )?the (?:time )?difference|how many hours(?: is that)?(?: ahead| behind)?",
        rest,
    ):
        place = last.arguments.get("place")
        return _time(what="difference", place=place) if place else None
    found = re.fullmatch(
        r"(?:what time is it )?(in |over in )?(?P<place>[^,]{2,40}?)(?: now| right now| then)?", rest
    )
    if not found or _NO_PLACE.search(found["place"]):
        return None
    if re.fullmatch(r"here|at home|home", found["place"]):
        return _time(**{**kept, "other": None})
    # Without "in" or "what about" it must be a place that is known.
    if found[1] is None and not _known(found["place"]):
        return None
    return Call("time", {**kept, "place": found["place"]})


def _follow_date(rest: str, last: Call, now: datetime) -> Call | None:
    today, what = now.date(), last.arguments.get("what")
    base = _base(last, now)
    unit = {"unit": last.arguments["unit"]} if last.arguments.get("unit") else {}
    if _FOLLOW_WEEKDAY.fullmatch(rest):
        return Call("date", {"what": "weekday", "date": base.isoformat()})
    if _FOLLOW_DATE.fullmatch(rest):
        return Call("date", {"what": "when", "date": base.isoformat()})
    found = _FOLLOW_LONG.fullmatch(rest)
    if found and rest not in ("how long", "how many"):
        asked = _unit(found["unit"] or found["unit2"])
        if what == "difference":
            return Call("date", {**last.arguments, **asked})
        return Call("date", {"what": "until", "to": base.isoformat(), **asked})
    found = _FOLLOW_MOVED.fullmatch(rest)
    span = span_of(found["span"]) if found else None
    if found and span:
        back = found["way"].startswith(("before", "earlier"))
        moved = add_to_date(base, span.negative() if back else span)
        return Call("date", {"what": "when", "date": moved.isoformat()}) if moved else None
    year = re.fullmatch(r"(?:in )?(\d{4}|(?:1[5-9]|2[01]) \d\d|next year|the year after|last year)", rest)
    if year:
        digits = year[1].replace(" ", "")
        base_year = last.arguments.get("year", base.year)
        number = int(digits) if digits.isdecimal() else base_year + (-1 if "last" in digits else 1)
        return _in_year(number, base, last)
    until = re.fullmatch(r"(?:until|till|to|before|since) (.+)", rest)
    if until or what == "until":
        return _until(until[1] if until else re.sub(r"^on ", "", rest), unit.get("unit"), now)
    day = date_of(rest, today, past=base < today and what != "today")
    if day is None:
        return None
    if what == "difference":
        return Call("date", {**last.arguments, "to": day.isoformat()})
    return _on(rest, today, base < today and what != "today", weekday=what == "weekday")


def _in_year(year: int, base: date, last: Call) -> Call | None:
    if not 1 <= year <= 9999:
        return None
    if last.arguments.get("what") == "leap":
        return Call("date", {"what": "leap", "year": year})
    name = str(last.arguments.get("name", ""))
    if name:
        # A feast may move from year to year.
        day = date_of(f"{name} {year}", base) or date_of(
            re.sub(r" (?:next year|this year|\d{4})$", "", name) + f" {year}", base
        )
        return (
            Call("date", {"what": "when", "date": day.isoformat(), "name": f"{name} {year}"}) if day else None
        )
    try:
        day = base.replace(year=year)
    except ValueError:
        return None
    what = last.arguments.get("what")
    return Call("date", {"what": what if what in ("weekday", "month") else "when", "date": day.isoformat()})


def _base(last: Call, now: datetime) -> date:
    """The day that an answer was about."""
    for name in ("date", "to"):
        moment = aware(last.arguments.get(name, ""), now)
        if moment:
            return moment.date()
    return now.date()


def _unit(words: str | None) -> dict[str, Any]:
    if not words:
        return {}
    unit = words.rstrip("s")
    return {"unit": {"sleep": "day", "night": "day"}.get(unit, unit) + "s"}


def _time(**arguments: str | None) -> Call:
    cleaned = {
        name: "" if value and re.fullmatch(_HERE, value) else value
        for name, value in arguments.items()
        if value
    }
    return Call("time", {name: value for name, value in cleaned.items() if value})


def _known(place: str) -> bool:
    if _NO_PLACE.search(place) or len(place.split()) > 4:
        return False
    # Loaded with the first question that may be about a place.
    from engine.background.tools.places import city_zone

    return city_zone(place) is not None
