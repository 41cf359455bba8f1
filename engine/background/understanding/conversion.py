"""Requests for conversions of units: "how many feet are in a mile", "100 fahrenheit in celsius"."""

import re
from datetime import datetime
from functools import cache
from typing import Any

from engine.background.tools.tool import Tool
from engine.background.tools.units import CONVERT, Unit, find_unit, units
from engine.background.understanding.call import Call
from engine.background.understanding.normal import correction

MAX_CHARS = 300

_LEAD = re.compile(
    r"^(?:and|now|then|but|also|next|so|what about|how about|or)(?:,? (?:then|now|what about|how about))*,? "
)
_NUMBER = r"(?:minus |-)?(?:\d+(?:\.\d+)?|\.\d+)"
_AMOUNT = (
    rf"(?:{_NUMBER} and (?:a |1 )?(?:half|quarter)|{_NUMBER} and \d/\d|{_NUMBER} quarters? of an?"
    rf"|\d+/\d+(?: of)?(?: an?)?"
    rf"|{_NUMBER}(?: dozen)?|half an?|half of an?|a half|an? half|half|a quarter(?: of an?)?"
    rf"|a couple of|an?|1|the|)"
)
_IN = (
    r"(?: ?(?:in|into|to|as|expressed in|converted to|converted into|equals how many|is how many"
    r"|are how many|=) (?:the )?)"
)
_THERE = (
    r"(?:(?:are|is|is there|are there|there are|there is|do|does|would be|fit|go|make|makes|equals?"
    r"|equal to|will)(?: there)?(?: up)?)?"
)
_WHAT = (
    r"(?:what(?: is| are| would| does|'s)?(?: be)?|how (?:much|long|far|tall|high|heavy|hot|cold|big|large"
    r"|fast|old)(?: is| are)?|convert|change|turn|calculate|work out|give me|how many is|is"
    r"|a temperature of|i want)"
)


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    names = sorted(units(), key=len, reverse=True)
    unit = (
        "(?:"
        + "|".join(re.escape(name).replace(r"\ ", "[ -]") for name in names)
        + r")(?:(?<=['\"])|(?![\w°]))"
    )
    long = (
        "(?:"
        + "|".join(
            re.escape(name).replace(r"\ ", "[ -]")
            for name in names
            if len(name) > 2 or name in ("km", "cm", "kg", "ml", "mm")
        )
        + r")(?!\w)"
    )

    # Between a word and the unit stands a space: "at 5" is not "a t 5".
    first = rf"(?P<amount>{_AMOUNT})(?:(?<=\d) ?|(?<=[a-z]) |(?<![\w.]))(?P<unit>{unit})"
    quantity = rf"{first}(?:(?:,? and)? ?(?P<more>{_NUMBER})(?: ?(?P<small>{unit}))?)?"
    named = rf"(?P<to>(?:us |american )?{unit})"
    far = rf"(?P<to>(?:us |american )?{long})"
    has = r"(?: (?:have|has|contain|contains|make|makes|last|lasts|equal|equals|be|to))?"
    short = {
        "plain": rf"(?:{_WHAT} )?{quantity}{_IN}{named}",
        "many": (
            rf"(?:how many|how much|what number of) (?P<to>(?:us |american )?{unit}) ?{_THERE} ?(?:in |to "
            rf"|into |is |are |per |from )?{quantity}{has}"
        ),
        "is": rf"{quantity} (?:is|are|equals?|makes?|has) (?:how many|how much|what in) {named}",
        "that": (
            rf".{{0,100}}?\b(?:is|are|at|weigh|weighs|have|got|about|says|by|for|am|at about"
            rf"|with) {quantity}\b[^,.?!]{{0,20}}[,.?! ]+(?:and |so |but )?(?:what|how much|how many"
            rf"|how long|how far) ?(?P<to2>{long})? ?(?:is|'s|would|are|does)? ?(?:that|it|this)(?: be"
            rf"| equal| make)?(?: in {far})?"
        ),
        "follow_to": (
            rf"(?:(?:what|how much|how long|how far|how tall) (?:is|are|would) (?:that|it|this|they)"
            rf"(?: be)? )?(?:and )?(?:(?:convert|change|turn) (?:that|it|this) )?(?:in|into|to|as) {named}"
        ),
        "follow_many": rf"(?:and )?how many {named}(?: (?:is|are|would) (?:that|it|this)(?: be)?)?",
        "unit": rf"(?:in )?{far}",
        "quantity": rf"(?:in |is |for )?{quantity}",
        "number": rf"(?:in |for )?(?P<amount>{_NUMBER})(?: degrees?)?",
    }
    return {name: re.compile(pattern) for name, pattern in short.items()}


def _clean(text: str) -> str:
    text = text.replace("what's", "what is")
    text = re.sub(r"(?<=\d)[,;](?= \d)", "", text)
    return _LEAD.sub("", text).strip(" ,?.")


def _number(said: str) -> float | int | None:
    """The amount that was said; None: no amount."""
    said = said.replace("minus ", "-").strip()
    dozen = said.endswith(" dozen")
    said = said.removesuffix(" dozen")
    bare = re.sub(r"(?: of)?(?: an?)?$", "", said).strip() or said
    if bare in ("", "a", "an", "the"):
        return 1
    words = {"half": 0.5, "a half": 0.5, "an half": 0.5, "a quarter": 0.25, "a couple": 2}
    value: float | None = words.get(bare)
    mixed = re.fullmatch(r"(-?[\d.]+) and (?:(?:a |1 )?(half|quarter)|(\d)/(\d))", bare)
    parts = re.fullmatch(r"(\d+)/(\d+)|([\d.]+) quarters?", bare)
    if mixed:
        rest = {"half": 0.5, "quarter": 0.25}.get(mixed[2] or "") or int(mixed[3]) / max(1, int(mixed[4]))
        value = float(mixed[1]) + rest
    elif parts:
        value = float(parts[3]) / 4 if parts[3] else int(parts[1]) / max(1, int(parts[2]))
    elif value is None and re.fullmatch(r"-?(?:\d+\.?\d*|\.\d+)", bare) and len(bare) < 40:
        value = float(bare)
    if value is None:
        return None
    value *= 12 if dozen else 1
    return int(value) if value == int(value) and abs(value) < 10**15 else value


def _arguments(found: re.Match[str], to: Unit | None) -> dict[str, Any] | None:
    groups = found.groupdict()
    unit = _guess(groups.get("unit") or "", to)
    amount = _number(groups.get("amount") or "")
    if unit is None or amount is None or (to is not None and unit.kind != to.kind):
        return None
    made: dict[str, Any] = {"amount": amount, "unit": unit.name}
    if groups.get("more"):
        small = _guess(groups.get("small") or _BELOW.get(unit.name, ""), unit)
        more = _number(groups["more"])
        if small is None or small.kind != unit.kind or more is None or small == unit:
            return None
        made |= {"plus": more, "plus_unit": small.name}
    return made | ({"to": to.name} if to else {})


_BELOW = {
    "foot": "inch",
    "pound": "ounce",
    "stone": "pound",
    "hour": "minute",
    "minute": "second",
    "metre": "centimetre",
}


def _guess(said: str, other: Unit | None) -> Unit | None:
    """A unit; "ounces" beside a volume are fluid, "degrees" beside a temperature the other scale."""
    unit = find_unit(said)
    if unit and other and unit.kind != other.kind:
        if unit.name == "ounce" and other.kind == "volume":
            return find_unit("fluid ounce")
        if unit.name == "degree" and other.kind == "temperature":
            return find_unit("fahrenheit" if other.name == "degree Celsius" else "celsius")
    return unit


def _target(found: re.Match[str]) -> Unit | None:
    groups = found.groupdict()
    said = groups.get("to") or groups.get("to2") or ""
    return _guess(said, find_unit(groups.get("unit") or ""))


class Conversion:
    """Requests for ``convert``."""

    tools: tuple[Tool, ...] = (CONVERT,)

    def parse(self, text: str, now: datetime) -> Call | None:  # noqa: ARG002
        if len(text) > MAX_CHARS:
            return None
        core = _clean(text)
        for name in ("many", "plain", "is", "that"):
            found = _patterns()[name].fullmatch(core)
            to = _target(found) if found else None
            if not found or not to:
                continue
            arguments = _arguments(found, to)
            if arguments and not (name == "plain" and arguments["unit"] == to.name):
                return Call("convert", arguments)
        return None

    def follow(self, text: str, last: Call, now: datetime) -> Call | None:
        if last.tool != "convert" or len(text) > MAX_CHARS:
            return None
        rest = correction(text)
        words = rest if rest is not None else text
        marked = rest is not None or bool(_LEAD.match(words))
        whole = self.parse(words, now) if rest is not None else None
        arguments = (
            dict(whole.arguments) if whole else _changed(_clean(words), dict(last.arguments), marked=marked)
        )
        return Call("convert", arguments, corrects=rest is not None) if arguments else None


def _changed(core: str, before: dict[str, Any], *, marked: bool) -> dict[str, Any] | None:
    unit, to = find_unit(str(before.get("unit"))), find_unit(str(before.get("to")))
    if unit is None or to is None:
        return None
    patterns = _patterns()
    for name in ("follow_to", "follow_many", "unit") if marked else ("follow_to", "follow_many"):
        found = patterns[name].fullmatch(core)
        other = _guess(found["to"], unit) if found else None
        if other and other.kind == unit.kind:
            return before | {"to": other.name}
    if re.fullmatch(r"(?:double|twice|2 times) (?:that|it)|times 2", core):
        return (
            before | {"amount": before["amount"] * 2}
            if unit.kind != "temperature" and "plus" not in before
            else None
        )
    if not marked:
        return None
    found = patterns["quantity"].fullmatch(core)
    if found and found["unit"]:
        made = _arguments(found, to)
        return made if made and find_unit(str(made["unit"])) != to else None
    found = patterns["number"].fullmatch(core)
    amount = _number(found["amount"]) if found else None
    return {"amount": amount, "unit": unit.name, "to": to.name} if amount is not None else None


CONVERSION = Conversion()
