"""Requests to count, to watch for something, and to say something after some seconds or again and again.

Timers, alarms and reminders are another domain's: what is here is said to the second, within five minutes.
"""

import re
from datetime import datetime
from typing import Any

from engine.background.tools.tool import Tool
from engine.background.tools.watch import LONGEST_S, STOP, WATCH
from engine.background.tools.watchable import EXERCISE, cue_of, exercise_of
from engine.background.understanding.call import Call
from engine.background.understanding.planning_changes import seconds_of
from engine.background.understanding.planning_words import request
from engine.background.understanding.watching_stop import stopped
from engine.background.understanding.watching_words import (
    DECLINED,
    ELAPSED_WORDS,
    EVERY,
    FOLLOW,
    ONCE,
    OWN_WORDS,
    TELL,
    condition,
    every_s,
    own_words,
)
from engine.decisions import COUNT, CUE, STANDING_TOKENS, TIME
from engine.standing import ANY, ELAPSED

MAX_CHARS = 200
_ON = (
    r"(?:,? (?:aloud|allowed|out loud"
    r"|loudly|along|with me|along with me|for me|together|now|again|too|as well"
    r"|live|i do"
    r"|i'm doing|i am doing|i make|i manage|i can do|i have done|that i do|we do|as i go|as i do (?:them|it)"
    r"|while i (?:do|work|exercise|train)(?: (?:it|them|out))?|with the camera|you see(?: me do)?"
    r"|from (?:now on|1|zero|the (?:start|beginning))|starting (?:from|at) 1|every (?:single )?1"
    r"|starting now))*"
)
_BEGIN = (
    r"(?:(?:let's|let us|now|then|and|you|help me(?: to)?|mind|can|could) )*"
    r"(?:(?:start|begin|continue|keep|go on) (?:to )?)?"
)
_COUNT = re.compile(
    rf"{_BEGIN}(?:count|counting|keep (?:a )?(?:count|track|tally) of)(?: (?:aloud|out loud|along|with me"
    rf"|for me))?"
    rf"(?: (?:how (?:many|often)(?: times)?|the number of)(?: i)?| while i do)?(?: (?:all )?(?:of )?(?:the"
    rf"|my|our|his|her|their|these|each|every|some))?"
    rf" (?P<what>{EXERCISE}){_ON}"
)
_COUNT_ANY = re.compile(
    rf"{_BEGIN}(?:count(?:ing)? (?:along|with me|for me|along with me|out loud|aloud)|(?:start"
    rf"|begin) (?:to )?count(?:ing)?)"
    rf"{_ON}"
)
_DOING = re.compile(
    rf"(?:i'm|i am|i'll|i will|let me)(?: now)?(?: about to| going to| gonna)? (?:do|doing|start|starting)"
    rf"(?: (?:some|my|a few|a set of|\d+))? (?P<what>{EXERCISE})(?: now)?[,.;]?(?: (?:so|and|now|please"
    rf"|can you))*"
    rf" (?:start )?count(?:ing)?(?: (?:them|these|those))?{_ON}"
)
_WATCH_FOR = re.compile(
    r"(?:watch|look)(?: out)? for|out for|watch|mind"
    r"|keep (?:an eye|your eyes?|a look ?out) (?:out |open )?(?:for|on)"
)
_NOUNS = (
    ("wave", r"(?:a|my) wave|waving|me (?:to wave|waving)"),
    ("raise hand", r"(?:a|my) (?:raised )?hand(?: (?:to go|going) up)?|me (?:to raise|raising) my hand"),
    ("thumbs up", r"(?:a|my) thumbs?[ -]up"),
    ("slouch", r"(?:my )?(?:posture|slouching|sitting position)|(?:how i sit|me slouching)"),
    ("nod", r"(?:a|my) nod|nods|me (?:to nod|nodding)"),
    ("shake head", r"(?:a|my) (?:shake of (?:the|my) head|head ?shake)|me (?:to shake|shaking) my head"),
    (
        "enter",
        (r"(?:anybody|anyone|somebody|someone|people|visitors|a visitor|guests)"
        r"(?: (?:to come|coming|who comes?|entering|to enter|arriving|to arrive)(?: in(?: here)?)?)?"),
    ),
    ("leave", r"(?:anybody|anyone|somebody|someone|people|me) (?:leaving|who leaves|to leave|going away)"),
)  # fmt: skip
_GREET = re.compile(
    r"(?:greet|welcome|say (?P<words>hello|hi|good (?:morning|evening|day)|welcome) to)"
    r" (?P<who>me|people|everybody|everyone|anybody|anyone|somebody|someone|visitors|guests|whoever)"
    r"(?: (?:who|that|when|whenever|as soon as|if|once))?(?: (?:i|they|he or she|1))? (?P<did>.+)"
)


class Watching:
    """Standing instructions. Implements ``engine.background.understanding.call.Domain``."""

    tools: tuple[Tool, ...] = (WATCH,)

    def parse(self, text: str, now: datetime) -> Call | None:
        """As the protocol says; ``now`` plays no part."""
        del now
        if len(text) > MAX_CHARS:
            return None
        text = _plain(text)
        return stopped(text) or _count(text) or _cue(text) or _time(text) or _declined(text)

    def follow(self, text: str, last: Call, now: datetime) -> Call | None:
        """As the protocol says: "stop it", "no, push-ups", "make it every five seconds", "start again"."""
        if len(text) > MAX_CHARS:
            return None
        text = _plain(text)
        token = str(last.arguments.get("token", ""))
        if takes_back(text, last):
            return Call(WATCH.name, {"token": STOP, "what": token})
        rest = FOLLOW.lead.sub("", text)
        if token == CUE and (what := _condition(rest.removesuffix(" instead"))):
            kept = {"words": last.arguments["words"]} if last.arguments.get("words") else {}
            return _beside(Call(WATCH.name, {"token": CUE, "what": what, **kept}), last, text)
        whole = self.parse(rest, now)
        if whole is not None:
            return _beside(whole, last, text)
        if FOLLOW.again.fullmatch(rest) and token:
            return last if token != "stop" else None
        if token == COUNT:
            what = exercise_of(FOLLOW.whose.sub("", rest).removesuffix(" instead"))
            return Call(WATCH.name, {"token": COUNT, "what": what}) if what else None
        if token in (CUE, TIME) and (words := FOLLOW.say.fullmatch(rest)) and own_words(words["words"]):
            kept = {**last.arguments, "words": own_words(words["words"])}
            return Call(WATCH.name, {**kept, "what": ""} if token == TIME else kept)
        return _other_time(rest, text, last) if token == TIME else None


def _plain(text: str) -> str:
    """As ``planning_words.request``; also without a comma where somebody hesitated on the way."""
    return request(re.sub(r"\b(you|count|me|when), ", r"\1 ", text))


def takes_back(text: str, last: Call) -> bool:
    """Whether "stop it" and its kind are about ``last``: an instruction, and nothing else."""
    stands = last.tool == WATCH.name and not last.arguments.get("declined")
    stands = stands and last.arguments.get("token") in STANDING_TOKENS
    return stands and FOLLOW.stop.fullmatch(_plain(text)) is not None


def _beside(call: Call, last: Call, text: str) -> Call:
    """Of cues one stands at a time, so one more is told to take the other's place."""
    cues = call.arguments.get("token") == last.arguments.get("token") == CUE
    more = cues and re.search(r"^(?:and|also|plus)\b|\b(?:also|too|as well)\b", text)
    return Call(call.tool, {**call.arguments, "also": True}) if more else call


def _count(text: str) -> Call | None:
    found = _COUNT.fullmatch(text) or _DOING.fullmatch(text)
    if found:
        return Call(WATCH.name, {"token": COUNT, "what": exercise_of(found["what"]) or ANY})
    return Call(WATCH.name, {"token": COUNT, "what": ANY}) if _COUNT_ANY.fullmatch(text) else None


def _cue(text: str) -> Call | None:
    found = _GREET.fullmatch(text)
    if found and (what := _did(found["did"])):
        return _cue_call(what, found["words"] or ("welcome" if text.startswith("welcome") else "hello"))
    found = _WATCH_FOR.match(text)
    if found:
        rest = text[found.end() :].strip()
        what = next((name for name, pattern in _NOUNS if re.fullmatch(pattern, rest)), None)
        if what and (found[0] not in ("watch", "mind") or what == "slouch"):
            return _cue_call(what)
        what = _condition(rest)
        return _cue_call(what) if what else None
    split = condition(text)
    if split is None:
        return None
    what = _did(split.did) if split.somebody else None
    if what is None and split.nobody:
        what = "leave"
    if what is None:
        return None
    if not split.asked or TELL.fullmatch(split.asked):
        # "Tell me" before "when" is not there any more in a normal text.
        return _cue_call(what) if split.asked or split.bare else None
    found = OWN_WORDS.fullmatch(split.asked)
    words = own_words(found["words"]) if found else None
    return _cue_call(what, words) if words else None


def _cue_call(what: str, words: str = "") -> Call:
    return Call(WATCH.name, {"token": CUE, "what": what, **({"words": words} if words else {})})


def _condition(text: str) -> str | None:
    """The cue of "when somebody comes in" alone."""
    split = condition(text)
    if split is None or split.asked:
        return None
    return _did(split.did) if split.somebody else "leave" if split.nobody else None


def _did(words: str) -> str | None:
    return cue_of(re.sub(r"(?:,? (?:again|now|here|today|then|or not|at any time))+$", "", words))


def _time(text: str) -> Call | None:
    found = EVERY.fullmatch(text)
    if found:
        return _every(found.groupdict(), text)
    found = ONCE.fullmatch(text)
    if not found:
        return None
    groups = found.groupdict()
    span = groups["span"] or groups["span2"]
    said = (groups["asked"] or groups["asked2"] or "").strip(" ,")
    seconds = seconds_of(span)
    if not seconds:
        return None
    if not said or TELL.fullmatch(said):
        # What is not said to the second is a timer.
        bare_when = not said and (groups["over"] or groups["over2"]) and text.startswith("when")
        exact = re.search(r"\d ?s(?:ec\w*)?\b", span) and seconds <= LONGEST_S
        return _time_call(seconds) if exact and (said or bare_when) else None
    found = OWN_WORDS.fullmatch(said)
    if not found or said.startswith("remind"):
        return None
    words = own_words(found["words"])
    return _time_call(seconds, words=words) if words else None


def _every(groups: dict[str, str | None], text: str) -> Call | None:
    seconds = every_s(groups["every"] or groups["every2"] or "")
    said = (groups["asked"] or groups["asked2"] or "").strip(" ,")
    if groups["middle"] is not None:
        said = f"{said} {groups['middle'].strip(' ,')}"
    if not seconds or (said.startswith("remind") and seconds > LONGEST_S):
        return None
    if ELAPSED_WORDS.fullmatch(said) or (TELL.fullmatch(said) and not text.startswith("remind")):
        return _time_call(seconds, what=ELAPSED, repeat=True)
    found = OWN_WORDS.fullmatch(said)
    words = own_words(found["words"]) if found else None
    return _time_call(seconds, words=words, repeat=True) if words else None


def _time_call(seconds: float, **more: Any) -> Call:
    return Call(WATCH.name, {"token": TIME, "seconds": seconds, **{k: v for k, v in more.items() if v}})


def _other_time(rest: str, text: str, last: Call) -> Call | None:
    """The last time asked for with another length: "make it every five seconds", "no, twenty"."""
    found = FOLLOW.length.fullmatch(rest)
    if not found:
        return None
    words = found["length"]
    if found["number"] and rest == text:
        return None
    seconds = seconds_of(f"{found['number']} seconds") if found["number"] else every_s(words)
    repeat = {"repeat": True} if found["every"] or last.arguments.get("repeat") else {}
    return Call(WATCH.name, {**last.arguments, "seconds": seconds, **repeat}) if seconds else None


def _declined(text: str) -> Call | None:
    """What cannot be done yet, which is said rather than left to a language model that would promise it."""
    what = next((name for name, pattern in DECLINED if pattern.fullmatch(text)), None)
    return Call(WATCH.name, {"token": CUE, "declined": what}) if what else None
