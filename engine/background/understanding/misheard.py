"""What was probably meant by a request that nobody understands as it was written down.

A word that the recogniser took for another ("how many pines are in a gallon") is looked for among the words
that requests are made of, by their sound. A sentence counts only if it is understood as a whole afterwards,
and if little had to be changed for it. What the user dictates is never changed, and nothing is deleted on
such a guess.
"""

import heapq
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from engine.background.understanding.call import Call
from engine.background.understanding.normal import normal
from engine.background.understanding.sounds import distance, frame_of, framed_alike, sound_of
from engine.background.understanding.understand import LOOK_BACK, Exchange, understand

MOST_WORDS = 14
_MOST_TRIES = 80
_MOST_CHANGES = 3
_SPAN_WORDS = 3
_MOST_TEXTS = 4
_SHARE = 0.16  # of all sounds that may differ
_CHANGE_COST = 0.3  # each change costs so much, however alike it sounds
_FEW_WORDS = 5
_TELLING = re.compile(
    r"\d|\b(?:set|count(?:ing)?|tell me when(?:ever)?"
    r"|timers?|alarms?|remind\w*|remember|notes?|lists?|shopping|add|put|cancel|wake|define"
    r"|definition|synonym|spell|mean(?:s|ing)?|word|convert|percent|plus|minus|times|divided|squared?|cubed?|root"
    r"|half|power"
    r"|capital|currency|population|countr(?:y|ies)|continent|language|how many|how much is|time|days?|date"
    r"|week|year|inch(?:es)?|feet|miles?|met(?:er|re)s?|kilo\w*|ounces?|pounds?|grams?|pints?|gallons?"
    r"|lit(?:er|re)s?"
    r"|cups?|\w*spoons?|celsius|fahrenheit|my name|call me|screenshot)\b"
)
_FEWEST_SOUNDS = 4  # of a name that is guessed

_COMMANDS = """
set start create make give add put take write read delete remove cancel stop clear wake remind remember
forget call define convert spell divide multiply subtract tell show check find list note notes timer timers
alarm alarms reminder reminders shopping grocery to-do what what's how many much long is are for from by
my me and minus plus times divided point percent half quarter third squared cubed square cube root power
double capital country population currency continent language languages border neighbours people live money
use mean means meaning definition synonym word another spelled time date day week month year today tomorrow
yesterday now left until since days weeks months years hours minutes minute hour second seconds morning
afternoon evening noon midnight monday tuesday wednesday thursday friday saturday sunday january february
march april june july august september october november december christmas easter leap name birthday
all last newest about no not instead actually also change screenshot down that it this which does do
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million
inch inches foot feet yard yards mile miles metre metres kilometre kilometres centimetre centimetres
millimetre millimetres ounce ounces pound pounds stone gram grams kilogram kilograms kilos ton tons tonnes
pint pints gallon gallons litre litres millilitres cup cups teaspoon teaspoons tablespoon tablespoons
celsius fahrenheit degrees acre acres
count counting squats push-ups jumping jacks lunges sit-ups curls slouch slouching aloud
"""
# Words that say little and are often taken for each other.
_SHORT = (frozenset(("of", "in", "on", "to", "for", "at", "from", "and")), frozenset(("a", "the")))
_SHORT_COST = 0.8
_DICTATED = (
    *("text", "items", "about", "value", "label", "word", "words", "question", "instead_of", "key", "name"),
)
_DICTATION = ("note", "remember")
_FORBIDDEN = ("delete_note", "forget", "screenshot", "look", "read_file")
_CLOSED = frozenset("calculate convert country time date timer timers more_time alarm alarms".split())


@dataclass(frozen=True)
class Meant:
    """``text``: the request as it is understood; ``cost``: how far that is from what was heard."""

    text: str
    call: Call
    cost: float


@dataclass(frozen=True, order=True)
class _Change:
    cost: float
    first: int
    end: int
    word: str


@cache
def _vocabulary() -> tuple[tuple[str, str, int], ...]:
    """Words that requests are made of, with their sounds and the frame of these."""
    from engine.background.tools.countries import countries

    words = dict.fromkeys(_COMMANDS.split())
    for country in countries().values():
        for name in (country.name, country.capital):
            plain = re.sub(r"[^a-z ]", "", (name or "").lower()).strip()
            if plain and len(plain.split()) <= _SPAN_WORDS:
                words[plain] = None
    named = ((word, sound_of(word)) for word in words)
    commands = set(_COMMANDS.split())
    kept = ((w, s) for w, s in named if s and (w in commands or len(s) >= _FEWEST_SOUNDS))
    return tuple((word, sounds, frame_of(sounds)) for word, sounds in kept)


@cache
def _commands() -> frozenset[str]:
    return frozenset(_COMMANDS.split())


def meant(
    texts: Sequence[str],
    earlier: Sequence[Exchange],
    now: datetime,
    again: Callable[[], Sequence[str]] | None = None,
) -> Meant | None:
    """The request that was probably made where the first of ``texts`` was heard; None: anybody's guess.

    ``texts``: what the recogniser heard, the more probable first, of which nobody understands the first.
    ``again`` listens once more. That and words that sound alike are tried where there is a word of a request;
    it takes 10 to 50 ms beside listening, and 0.5 s and 100 MB the first time.
    """
    found = _other(texts[1:], earlier, now)
    if found is not None or not like_a_request(texts, earlier):
        return found
    if again is not None:
        texts = tuple(dict.fromkeys((*texts[:1], *again(), *texts[1:])))
        found = _other(texts[1:], earlier, now)
    if found is not None:
        return found
    repaired = [each for text in texts[:_MOST_TEXTS] if (each := _repaired(text, earlier, now)) is not None]
    return min(repaired, key=lambda each: each.cost, default=None)


def like_a_request(texts: Sequence[str], earlier: Sequence[Exchange]) -> bool:
    """Whether one of them has a word that few but requests have, or so few words that they may go on."""
    goes_on = any(each.call is not None for each in earlier[-LOOK_BACK:])
    short = goes_on and len(texts[0].split()) <= _FEW_WORDS
    return short or any(_TELLING.search(normal(text)) for text in texts)


def _other(texts: Sequence[str], earlier: Sequence[Exchange], now: datetime) -> Meant | None:
    """The first of the recogniser's other hypotheses that is a request."""
    for text in texts:
        call = understand(text, earlier, now)
        if call is not None and _harmless(call) and _sure(text, call, now):
            return Meant(text, call, 0.0)
    return None


def _repaired(text: str, earlier: Sequence[Exchange], now: datetime) -> Meant | None:
    words = normal(text).split()
    if not 1 < len(words) <= MOST_WORDS:
        return None
    sounds = [sound_of(word) if _spoken(word) else "" for word in words]
    budget = _SHARE * sum(map(len, sounds)) + _CHANGE_COST
    changes = _changes(words, sounds, budget)
    for tried, (cost, chosen) in enumerate(_by_cost(changes, budget)):
        if tried >= _MOST_TRIES:
            return None
        repaired = _with(words, chosen)
        call = understand(repaired, earlier, now)
        if call is not None and _harmless(call) and _sure(repaired, call, now) and _kept(call, chosen):
            return Meant(repaired, call, cost)
    return None


def _spoken(word: str) -> bool:
    """Whether it can have been misheard: numbers in digits were heard well enough to be written so."""
    return not any(c.isdigit() for c in word)


def _changes(words: list[str], sounds: list[str], budget: float) -> list[_Change]:
    """What could be put in the place of one to three words, cheapest first."""
    found = []
    for first, length in itertools.product(range(len(words)), range(1, _SPAN_WORDS + 1)):
        end = first + length
        if end > len(words) or not all(sounds[first:end]):
            continue
        heard = [word.strip(".,?!") for word in words[first:end]]
        short = next((group for group in _SHORT if length == 1 and heard[0] in group), frozenset())
        if short:
            found += [_Change(_SHORT_COST, first, end, word) for word in short - {heard[0]} if first]
            continue
        if (length == 1 and heard[0] in _commands()) or heard[0] in ("a", "an", "the"):
            continue
        sound = "".join(sounds[first:end])
        frame = frame_of(sound)
        for word, other, framed in _vocabulary():
            sounds_there = min(len(sound), len(other))
            if not framed_alike(frame, framed, sounds_there) or word in heard or word == " ".join(heard):
                continue
            most = min(_allowed(word, sounds_there), budget - _CHANGE_COST)
            away = distance(sound, other, most)
            if away <= most:
                found.append(_Change(away + _CHANGE_COST, first, end, word))
    return sorted(found)[:60]


def _allowed(word: str, sounds: int) -> float:
    """How far apart a word of so many sounds and what was heard may be."""
    share = 0.15 if sounds <= 3 else 0.25 if sounds == 4 or word not in _commands() else 0.32
    return share * sounds


def _by_cost(changes: list[_Change], budget: float) -> Iterator[tuple[float, tuple[_Change, ...]]]:
    """Sets of changes that do not overlap, the cheapest first."""
    queue: list[tuple[float, int, tuple[_Change, ...]]] = [
        (change.cost, number, (change,)) for number, change in enumerate(changes)
    ]
    heapq.heapify(queue)
    while queue:
        cost, newest, chosen = heapq.heappop(queue)
        yield cost, chosen
        if len(chosen) == _MOST_CHANGES:
            continue
        for number in range(newest + 1, len(changes)):
            more = changes[number]
            if cost + more.cost > budget:
                break
            if all(more.end <= each.first or more.first >= each.end for each in chosen):
                heapq.heappush(queue, (cost + more.cost, number, (*chosen, more)))


def _with(words: list[str], chosen: tuple[_Change, ...]) -> str:
    out, at = [], 0
    for change in sorted(chosen, key=lambda each: each.first):
        out += [*words[at : change.first], change.word]
        at = change.end
    return " ".join([*out, *words[at:]])


def _harmless(call: Call) -> bool:
    """Whether nothing is lost and nothing leaves by that call."""
    arguments = call.arguments
    return not (call.tool in _FORBIDDEN or "all" in arguments.values() or arguments.get("what") == "clear")


def _sure(text: str, call: Call, now: datetime) -> bool:
    """Whether it is a request by itself, or goes on from another in a way that leaves no room for chat."""
    if call.tool == "time" and call.arguments.get("place"):
        from engine.background.tools.places import city_zone

        if city_zone(str(call.arguments["place"])) is None:
            return False
    closed = call.tool in _CLOSED and not any(name in call.arguments for name in _DICTATED)
    return closed or understand(text, (), now) is not None


def _kept(call: Call, chosen: tuple[_Change, ...]) -> bool:
    """Whether the changes are no part of what the user dictated."""
    dictated = " ".join(str(call.arguments[name]) for name in _DICTATED if name in call.arguments).lower()
    dictated = normal(dictated)
    return call.tool not in _DICTATION and not any(
        re.search(rf"\b{re.escape(normal(change.word))}\b", dictated) for change in chosen
    )
