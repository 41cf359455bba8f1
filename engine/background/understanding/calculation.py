"""Requests for arithmetic: "what is 15% of 80", "add 3 and 4", "divide that by 2"."""

import re
from collections.abc import Callable
from datetime import datetime

from engine.background.tools.calculate import CALCULATE
from engine.background.tools.expression import parsed
from engine.background.tools.tool import Tool, ToolError
from engine.background.understanding.arithmetic import UnclearError, operand, read
from engine.background.understanding.call import Call
from engine.background.understanding.normal import correction

MAX_CHARS = 300

_FRAME = re.compile(
    r"^(?:and |now |then |but )*(?:(?:what (?:do|would|will) (?:you|i|we) get (?:if|when) (?:you|i|we)"
    r"|what(?: is| are| was| would| will|'s|'d)?(?: be)?|how much(?: is| are| would| does)?"
    r"|how many (?:is|are)|calculate|compute|work out|solve|figure out|evaluate|find|is|give me"
    r"|do the math(?: on| for)?"
    r"|(?:if|when) (?:you|i|we)|(?:the )?(?:result|answer|value|solution) (?:of|to|for)) )+"
)
_LEAD = re.compile(r"^(?:and|now|then|but|also|next|okay|again|so)(?:,? (?:then|now|again))*,? ")
_TAIL = re.compile(
    r"(?:,? (?:equals?(?: what| to)?|equal to|makes?|is what|is how much|comes? (?:out )?to|gives?|be|for me"
    r"|together|altogether|in total|(?:what|how much) (?:is|does) (?:that|it)(?: (?:make|come to|be))?"
    r"|what do (?:you|i|we) get|how much do i (?:pay|get)|is)|\s*=\s*(?:what)?)+$"
)
_MONEY = re.compile(r"[$£€](?=\s?[\d.])|(?<=\d) (?:dollars?|euros?|bucks|quid|cents?)(?![\w'])")
_STARTED = re.compile(
    r"^.{0,60}?\b(?:bill|price|meal|check|total|rent|cost|costs)\b.{0,20}? (?:is|was|of|costs?)? ?"
    r"(?P<a>[\d.]+)[,.;]? (?:and )?(?:what|how much) (?:is|would be|would)? ?(?:a |an |the )?"
    r"(?P<b>[\d.]+)(?: percent|%) tip$"
)

_LISTED = re.compile(r"\s*(?:,? and |,| plus )\s*")


Build = Callable[[dict[str, str]], str]
_PERCENT = r"(?: percent|%| per cent)"
# Requests that are no infix expression. Groups a and b are operands, l a list of them, n a plain number.
_SHAPES: tuple[tuple[str, Build], ...] = (
    (
        r"(?:what )?percent(?:age)? of (?P<b>.+?) (?:is|are|does) (?P<a>[^a-z]+?)(?: make)?",
        lambda g: f"percent({g['a']}, {g['b']})",
    ),
    (
        r"(?P<a>.+?) (?:is|are|as) (?:what|which|a) (?:percent(?:age)?|%) of (?P<b>.+)",
        lambda g: f"percent({g['a']}, {g['b']})",
    ),
    (
        r"(?P<a>.+?) out of (?P<b>.+?) (?:as|in) (?:a )?percent(?:age)?",
        lambda g: f"percent({g['a']}, {g['b']})",
    ),
    (
        rf"(?P<n>[\d.]+){_PERCENT} (?:off|discount on|discount off)(?: of)? (?P<b>.+)",
        lambda g: f"{g['b']} - {g['n']}%",
    ),
    (rf"(?P<b>.+?) with (?:a )?(?P<n>[\d.]+){_PERCENT} (?:off|discount)", lambda g: f"{g['b']} - {g['n']}%"),
    (
        (
            rf"(?:(?:a|an|the) )?(?P<n>[\d.]+){_PERCENT} (?:tip|gratuity) (?:on|for|of)(?: an?)? (?P<b>.+?)"
            rf"(?: bill| meal)?"
        ),
        lambda g: f"{g['n']}% * {g['b']}",
    ),
    (rf"increase (?P<b>.+) by (?P<n>[\d.]+){_PERCENT}", lambda g: f"{g['b']} + {g['n']}%"),
    (rf"(?:decrease|reduce|lower) (?P<b>.+) by (?P<n>[\d.]+){_PERCENT}", lambda g: f"{g['b']} - {g['n']}%"),
    (r"(?:increase) (?P<a>.+) by (?P<b>.+)", lambda g: f"{g['a']} + {g['b']}"),
    (r"(?:decrease|reduce) (?P<a>.+) by (?P<b>.+)", lambda g: f"{g['a']} - {g['b']}"),
    (
        r"(?:subtract|take(?: away)?|deduct|minus) (?P<a>.+?)(?: away)? from (?P<b>.+)",
        lambda g: f"{g['b']} - {g['a']}",
    ),
    (r"(?:multiply|times) (?P<a>.+?) (?:by|with|and|times) (?P<b>.+)", lambda g: f"{g['a']} * {g['b']}"),
    (
        (
            r"(?:divide|split) (?P<a>.+?) (?:by|through|in|into|among|between)(?: the)? (?P<b>.+?)"
            r"(?: people| ways| parts| friends)?"
        ),
        lambda g: f"{g['a']} / {g['b']}",
    ),
    (
        r"how (?:many times|often) does (?P<b>.+?) (?:go|fit) (?:in|into) (?P<a>.+)",
        lambda g: f"{g['a']} / {g['b']}",
    ),
    (r"(?P<b>.+?) (?:goes into|into) (?P<a>.+)", lambda g: f"{g['a']} / {g['b']}"),
    (r"(?:the )?difference between (?P<a>.+?) and (?P<b>.+)", lambda g: f"{g['a']} - {g['b']}"),
    (r"(?:the )?(?:quotient|ratio) of (?P<a>.+?) (?:and|to) (?P<b>.+)", lambda g: f"{g['a']} / {g['b']}"),
    (
        (
            r"(?:the )?remainder (?:of|when|if|after)(?: dividing| (?:you|i|we) divide)? (?P<a>.+?) "
            r"(?:is divided by|divided by|by) (?P<b>.+)"
        ),
        lambda g: f"{g['a']} mod {g['b']}",
    ),
    (r"raise (?P<a>.+?) to (?:the power of )?(?P<b>.+)", lambda g: f"{g['a']}^{g['b']}"),
    (r"(?:square|cube) (?P<a>.+)", lambda g: f"{g['a']}^{g['?']}"),
    (r"(?:halve|half) (?P<a>.+)", lambda g: f"{g['a']} / 2"),
    (r"(?:add|sum)(?: up| together)? (?P<a>[^,]+?) to (?P<b>.+)", lambda g: f"{g['b']} + {g['a']}"),
    (r"(?:add|sum)(?: up| together)? (?P<l>.+?)(?: together| up)?", lambda g: " + ".join(g["l"].split("; "))),
    (r"(?:the )?(?:sum|total) of (?P<l>.+)", lambda g: " + ".join(g["l"].split("; "))),
    (r"(?:the )?product of (?P<l>.+)", lambda g: " * ".join(g["l"].split("; "))),
    (r"multiply (?P<l>.+?)(?: together)?", lambda g: " * ".join(g["l"].split("; "))),
    (
        r"(?:the )?(?:average|mean) (?:of|between) (?P<l>.+)",
        lambda g: f"average({', '.join(g['l'].split('; '))})",
    ),
    (
        (
            r"(?:the )?(?:greatest|highest|largest) common (?:divisor|factor|denominator) (?:of|between) "
            r"(?P<l>.+)|(?:the )?gcd of (?P<l2>.+)"
        ),
        lambda g: f"gcd({', '.join((g.get('l') or g['l2']).split('; '))})",
    ),
    (
        (
            r"(?:the )?(?:least|lowest|smallest) common (?:multiple|denominator) (?:of|between) (?P<l>.+)|"
            r"(?:the )?lcm of (?P<l2>.+)"
        ),
        lambda g: f"lcm({', '.join((g.get('l') or g['l2']).split('; '))})",
    ),
    (r"round (?P<a>[\d.]+)(?: to the nearest (?:whole number|integer|1))?", lambda g: f"round({g['a']})"),
)
_SHAPES_COMPILED = tuple((re.compile(pattern), build) for pattern, build in _SHAPES)


def _shaped(text: str, that: str) -> str:
    for pattern, build in _SHAPES_COMPILED:
        found = pattern.fullmatch(text)
        if not found:
            continue
        groups = {name: value for name, value in found.groupdict().items() if value}
        try:
            ready = {name: _group(name, value, that) for name, value in groups.items()}
        except UnclearError:
            continue
        return build(ready | {"?": "3" if text.startswith("cube") else "2"})
    raise UnclearError


def _group(name: str, value: str, that: str) -> str:
    if name == "n":
        return value
    if name in ("a", "b"):
        return operand(value, that)
    parts = [part for part in _LISTED.split(value) if part]
    if not 2 <= len(parts) <= 30:
        raise UnclearError
    return "; ".join(operand(part, that) for part in parts)


def expression_of(text: str, that: str = "") -> str | None:
    """The expression for ``calculate`` that a normal text says, ``that`` for "that" and "it"; or None."""
    if len(text) > MAX_CHARS or not (re.search(r"\d|half|quarter|dozen|\bpi\b", text) or that):
        return None
    text = text.replace("what's", "what is").replace("how's", "how is")
    text = _MONEY.sub("", text).strip()
    tip = _STARTED.match(text)
    if tip:
        return f"{tip['b']}% * {tip['a']}"
    found = _FRAME.match(text + " ")
    framed = bool(found)
    for candidate in dict.fromkeys((text[found.end() :] if found else text, text)):
        core = _TAIL.sub("", candidate).strip(" ,?.")
        for reader in (_shaped, read):
            try:
                expression = reader(core, that)
                parsed(expression)
            except (UnclearError, ToolError):
                continue
            if framed or not re.fullmatch(r"\d+ ?/ ?\d+", core):
                return expression
    pair = re.fullmatch(r"(?:what is|how much is) (\d[\d.]*) and (\d[\d.]*)", text)
    return f"{pair[1]} + {pair[2]}" if pair else None


_OPERATION_FIRST = re.compile(
    r"^(?:plus|minus|less|take away|subtract|times|multiplied by|multiply by|divided by|divide by|over"
    r"|to the|raised to"
    r"|squared|cubed|factorial|mod|modulo|\+|\*|×|/|÷|\^|x (?=\d)|- )"
)
_INSTEAD = re.compile(
    r"^(?:what about|how about|and|or|what if it(?:'s| is| was)|with|but)(?: (?:for|with|of))?,? "
)
_LAST_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?!.*\d)(?=[)!]*\Z)")
_VERB_THAT = (
    (r"(?:add|plus) (?P<x>.+?)(?: (?:to|on) (?:that|it))?(?: more)?", "{that} + {x}"),
    (
        r"(?:subtract|minus|take(?: away)?|deduct) (?P<x>.+?)(?: (?:away )?from (?:that|it)| away)?",
        "{that} - {x}",
    ),
    (r"multiply (?:that |it )?by (?P<x>.+)", "{that} * {x}"),
    (r"(?:divide|split) (?:that |it )?(?:by|in|into) (?P<x>.+)", "{that} / {x}"),
    (
        r"(?:halve|half)(?: of)? (?:that|it)|half|halved|(?:cut|split|divide) (?:that|it) in half",
        "{that} / 2",
    ),
    (r"(?:double|twice)(?: (?:that|it))?|doubled", "{that} * 2"),
    (r"triple(?: (?:that|it))?|tripled", "{that} * 3"),
    (r"square (?:that|it)", "{that}^2"),
    (r"cube (?:that|it)", "{that}^3"),
    (r"(?:the )?square root(?: of (?:that|it))?", "sqrt({that})"),
    (r"(?:the )?cube root(?: of (?:that|it))?", "cbrt({that})"),
    (r"(?P<x>[\d.]+)(?: percent|%) (?:off|less)(?: (?:of )?(?:that|it))?", "{that} - {x}%"),
    (r"(?P<x>[\d.]+)(?: percent|%) more(?: than (?:that|it))?", "{that} + {x}%"),
    (r"(?:round|rounded) (?:that|it)(?: (?:up|off))?", "round({that})"),
)
_VERBS_COMPILED = tuple((re.compile(pattern), shape) for pattern, shape in _VERB_THAT)


class Calculation:
    """Requests for ``calculate``."""

    tools: tuple[Tool, ...] = (CALCULATE,)

    def parse(self, text: str, now: datetime) -> Call | None:  # noqa: ARG002
        expression = expression_of(text)
        return Call("calculate", {"expression": expression}) if expression else None

    def follow(self, text: str, last: Call, now: datetime) -> Call | None:  # noqa: ARG002
        rest = correction(text)
        before = str(last.arguments.get("expression", ""))
        if last.tool != "calculate" or not before or len(text) > MAX_CHARS:
            return None
        words = rest if rest is not None else text
        expression = expression_of(words) if rest is not None else None
        expression = expression or _instead(words, before, corrects=rest is not None)
        if expression is None and rest is None:
            expression = _further(words, before)
        if expression is None:
            return None
        try:
            parsed(expression)
        except ToolError:
            return None
        return Call("calculate", {"expression": expression}, corrects=rest is not None)


def _further(text: str, before: str) -> str | None:
    """What goes on from the result: "times 2", "half of that", "divide it by 4"."""
    that = before if re.fullmatch(r"[\d.]+", before) else f"({before})"
    core = _FRAME.sub("", _LEAD.sub("", text) + " ").strip()
    core = _LEAD.sub("", core)
    core = _TAIL.sub("", core).strip(" ,?.")
    core = re.sub(r"^(?:what about|how about|what is) ", "", core)
    if not core:
        return None
    if _OPERATION_FIRST.match(core):
        try:
            return read(
                re.sub(
                    r"^(multiply|divide) by", r"\1d by", f"that {core}".replace("multiplyd", "multiplied")
                ),
                that,
            )
        except UnclearError:
            pass
    for pattern, shape in _VERBS_COMPILED:
        found = pattern.fullmatch(core)
        if found:
            try:
                by = operand(found["x"], that) if "x" in found.groupdict() and found["x"] else ""
            except UnclearError:
                continue
            return shape.format(that=that, x=by)
    if not re.search(r"\b(?:that|it|this|result|answer|total)\b", core):
        return None
    return expression_of(core, that)


def _instead(text: str, before: str, *, corrects: bool) -> str | None:
    """The last calculation with another number in it: "what about 20 percent", "and of 250", "no, 8"."""
    lead = _INSTEAD.match(text)
    if not (lead or corrects):
        return None
    core = _MONEY.sub("", text[lead.end() :] if lead else text).strip(" ,?.")
    of = bool(re.search(r"\bof\b", lead[0])) if lead else False
    core, again = re.subn(r"^of ", "", core)
    percent = re.fullmatch(r"([\d.]+)(?: percent|%)", core)
    if percent and re.search(r"\d%", before) and not of and not again:
        return re.sub(r"\d+(?:\.\d+)?%", f"{percent[1]}%", before, count=1)
    if percent and not re.search(r"\d%", before):
        return None
    minus = "-?(?:minus )?" if corrects else ""
    number = re.fullmatch(minus + r"(\d+(?:\.\d+)?)(?:st|nd|rd|th)?(?: percent|%)?", core)
    if number:
        replaced, count = _LAST_NUMBER.subn(
            core.replace("minus ", "-").replace(" percent", "%"), before, count=1
        )
        return replaced if count else None
    same = core.startswith("to the power") and re.search(r"\^[\d.]+\Z", before)
    if _OPERATION_FIRST.match(core) and (corrects or same):
        shorter = re.sub(r"\s*(?:[-+*/^]|mod)\s*[\d.]+%?\Z", "", before)
        if shorter != before:
            try:
                return read(f"that {core}", shorter if re.fullmatch(r"[\d.]+", shorter) else f"({shorter})")
            except UnclearError:
                return None
    return None


CALCULATION = Calculation()
