"""What can be looked for on a timeline, as a line of text. Plain Python.

A query is words, quoted phrases and filters; a hit has to meet all of them.
Several filters of one sort (``fault: mark:``) widen the search, as people
expect of a list.
"""

import re
import unicodedata
from dataclasses import dataclass
from math import isfinite, nan

from engine.decisions import DECISIONS
from engine.errors import InputError

KINDS = ("heard", "said", "typed", "asked", "answer", "tool", "job", "fault", "mark", "camera", "watching")
"""What has words: ``kind:`` finds all of it, ``kind:word`` that with the word in it."""
FLAGS = ("missed", "skipped", "delegated", "lost")
"""Of micro-turns: a missed deadline, a skipped model, work handed over, lost input."""
COMPARED = ("p", "margin", "compute", "lag", "you", "assistant", *DECISIONS)
"""Of micro-turns, with ``<`` and the like; a decision's name stands for its probability."""

EXAMPLES = "For example: moon, “good yield”, decision:yield, p<0.6, compute>100, fault:, mark:, tool:"

_TOKEN = re.compile(
    r'"(?P<phrase>[^"]*)"?'
    r'|(?P<name>[^\W\d_]+):(?P<text>"[^"]*"?|\S*)'
    r"|(?P<measure>[^\W\d_]+)\s*(?P<sign><=|>=|<|>)\s*(?P<value>\S*)"
    r"|(?P<word>\S+)"
)


@dataclass(frozen=True)
class Comparison:
    measure: str
    sign: str
    value: float


@dataclass(frozen=True)
class Query:
    """``words``: folded, all have to occur. ``kinds``: (kind, folded text), one of them has to hold."""

    words: tuple[str, ...] = ()
    kinds: tuple[tuple[str, str], ...] = ()
    decisions: tuple[str, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    flags: tuple[str, ...] = ()

    @property
    def of_turns(self) -> bool:
        """Whether it says something about micro-turns."""
        return bool(self.decisions or self.comparisons or self.flags)

    @property
    def of_words(self) -> bool:
        return bool(self.words or self.kinds)


def folded(text: str) -> str:
    """For comparing words: without case and accents."""
    if text.isascii():
        return text.lower()
    parts = unicodedata.normalize("NFKD", text)
    return "".join(one for one in parts if not unicodedata.combining(one)).casefold()


def parse(text: str) -> Query:
    """The query that ``text`` says; an empty one for blank text.

    Raises:
        InputError: a filter is not known or has no sense, in one line that says what would.
    """
    straight = text.translate(str.maketrans("“”„", '"""'))
    words: list[str] = []
    kinds: list[tuple[str, str]] = []
    decisions: list[str] = []
    comparisons: list[Comparison] = []
    flags: list[str] = []
    for found in _TOKEN.finditer(straight):
        if found["measure"] is not None:
            comparisons.append(_comparison(found["measure"].lower(), found["sign"], found["value"]))
        elif found["name"] is not None:
            name, value = found["name"].lower(), found["text"].strip('"')
            if name == "decision":
                decisions.append(_decision(value))
            elif name in FLAGS:
                flags.append(_flag(name, value))
            elif name in KINDS:
                kinds.append((name, folded(value)))
            else:
                raise InputError(_unknown(name))
        else:
            word = found["word"] if found["phrase"] is None else found["phrase"]
            words += [folded(word)] if word.strip() else []
    return Query(tuple(words), tuple(kinds), tuple(decisions), tuple(comparisons), tuple(flags))


def _decision(value: str) -> str:
    if value.lower() not in DECISIONS:
        named = f"no decision is called “{value}”" if value else "“decision:” needs a name"
        raise InputError(f"{named}: choose one of {', '.join(DECISIONS)}")
    return value.lower()


def _flag(name: str, value: str) -> str:
    if value:
        raise InputError(f"“{name}:” takes no word: leave “{value}” out, or put a space before it")
    return name


def _comparison(measure: str, sign: str, value: str) -> Comparison:
    if measure not in COMPARED:
        raise InputError(f"“{measure}” cannot be compared: use one of {', '.join(COMPARED)}")
    try:
        number = float(value.rstrip("%")) / (100 if value.endswith("%") else 1)
    except ValueError:
        number = nan
    if not isfinite(number):
        example = "100" if measure in ("compute", "lag") else "0.6"
        shown = f"not “{value}”" if value else f"such as {example}"
        raise InputError(f"“{measure}{sign}” needs a number, {shown}")
    return Comparison(measure, sign, number)


def _unknown(name: str) -> str:
    known = ", ".join(("decision", *KINDS, *FLAGS))
    return f"no filter is called “{name}:”; there are {known}. Quote what is meant as words"
