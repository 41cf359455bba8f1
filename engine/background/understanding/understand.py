"""From the words of a request and what went before it to one call of a tool, or to none.

Domains are asked in order; a request that goes on from an earlier one ("and in
Paris?", "no, Thursday") is put to the domain of the earlier call first. What
nobody understands is for the language model.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache

from engine.background.tools.tool import Tool
from engine.background.understanding.call import Call, Domain
from engine.background.understanding.normal import correction, normal

LOOK_BACK = 3  # requests
_ALONE = ("about",)  # tools whose calls nothing goes on from: what was asked before them stays at hand
MAX_CHARS = 600  # of a request that can be one call
_SENTENCES = re.compile(r"(?<=[.?!])\s+(?=[\"'A-Za-z0-9])")
_POINTS_BACK = re.compile(
    r"\b(?:it|that|those|them|this|there|its|their|another|instead|too|as well|left)\b"
    r"|^(?:and|also|what about|how about|or|plus|minus|times|divided|half|double|make|add|cancel|in)\b"
)
_NEVER_MIND = re.compile(
    r"^(?:never ?mind|forget (?:it|that|about it|about that)|cancel (?:that|it)|stop that|"
    r"(?:don't|do not) bother|leave it|scratch that|drop it)(?: then| now)?$"
)
_HUSH = re.compile(
    r"^(?:(?:wait|no|ok|okay|all right|thanks|thank you|sorry),? )*"
    r"(?:stop(?: it| talking| there| now)?|wait|hold on|be quiet|quiet|shut up|silence|hush|"
    r"that's enough|that is enough|enough|that will do|that'll do)(?:,? (?:please|now|thanks|thank you))*$"
)


@dataclass(frozen=True)
class Exchange:
    """One earlier request, and the call it was understood as, if it was one."""

    text: str
    call: Call | None = None


@cache
def domains() -> tuple[Domain, ...]:
    """All that can be understood, the more certain first."""
    from engine.background.understanding.about import About
    from engine.background.understanding.here import Here
    from engine.background.understanding.knowledge import KNOWLEDGE
    from engine.background.understanding.planner import PLANNING
    from engine.background.understanding.watching import Watching

    # Watching before planning: what is to be said to the second is no timer.
    return (Watching(), *PLANNING, Here(), About(), *KNOWLEDGE)


def all_tools() -> dict[str, Tool]:
    """Every tool that can be called by understanding alone, by name."""
    return {tool.name: tool for domain in domains() for tool in domain.tools}


def never_mind(text: str) -> bool:
    """Whether a request takes back what was asked, by its last sentence."""
    return bool(_NEVER_MIND.match(normal(_SENTENCES.split(text.strip())[-1])))


def hush(text: str) -> bool:
    """Whether a request ends in asking for silence, and wants nothing else."""
    last = " ".join(_SENTENCES.split(text.strip())[-1].lower().split()).strip(" .!?,")
    return bool(_HUSH.match(last))


def ends_watching(text: str, earlier: Sequence[Exchange]) -> bool:
    """Whether "stop" and its kind take back the instruction that was given last."""
    from engine.background.understanding.watching import takes_back

    last = earlier[-1].call if earlier else None
    return last is not None and takes_back(normal(text), last)


def corrects(text: str) -> bool:
    """Whether a request begins as the correction of the one before."""
    return correction(normal(text)) is not None


def understand(text: str, earlier: Sequence[Exchange], now: datetime) -> Call | None:
    """The call that ``text`` asks for. ``earlier``: what was asked before, oldest first.

    Several sentences may correct each other ("Remind me on Tuesday. No, Thursday."),
    or hold one request among words that are none.
    """
    if len(text) > MAX_CHARS:
        return None
    whole = _one(normal(text), earlier, now)
    if whole is not None:
        return whole
    sentences = [normal(part) for part in _SENTENCES.split(text.strip())]
    if len(sentences) < 2:
        return None
    past, found = list(earlier), None
    for sentence in filter(None, sentences):
        call = _one(sentence, past, now)
        if call is not None:
            found = call if found is None else _instead(call, found)
            past.append(Exchange(sentence, found))
    return found


def _instead(call: Call, before: Call) -> Call:
    """``call`` in place of ``before``, which is of the same request: nothing was done yet to be replaced."""
    arguments = {name: value for name, value in call.arguments.items() if name != "replace"}
    if "replace" in before.arguments:
        arguments["replace"] = before.arguments["replace"]
    return Call(call.tool, arguments, before.corrects)


def _one(text: str, earlier: Sequence[Exchange], now: datetime) -> Call | None:
    if not text:
        return None
    calls = (each.call for each in reversed(earlier[-LOOK_BACK:]))
    last = next((call for call in calls if call is not None and call.tool not in _ALONE), None)
    rest = correction(text)
    if last is not None and (rest is not None or _POINTS_BACK.search(text)):
        call = _follow(text, last, now)
        if call is not None:
            return replace(call, corrects=True) if rest is not None else call
    for domain in domains():
        call = domain.parse(rest or text, now)
        if call is not None:
            return call
    return _follow(text, last, now) if last is not None else None


def _follow(text: str, last: Call, now: datetime) -> Call | None:
    for domain in domains():
        if any(tool.name == last.tool for tool in domain.tools):
            call = domain.follow(text, last, now)
            if call is not None:
                return call
    return None
