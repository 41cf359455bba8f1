"""The words of requests to watch for something and to say something at a time."""

import re
from dataclasses import dataclass

from engine.background.tools.saying import to_you
from engine.background.tools.watchable import EXERCISE
from engine.background.understanding.planning_changes import seconds_of
from engine.background.understanding.spans import SPAN

_SO = r"(?:,? (?:again|please|aloud|out loud|now|from now on|until i (?:say )?stop|for me))*"
TELL = re.compile(
    r"(?:please )?(?:(?:always|just|then) )?(?:(?:tell|alert|warn|notify|inform|ping|nudge|buzz|signal"
    r"|remind) (?:me|us)"
    r"|let (?:me|us) know|say (?:so|something|it|when)|speak up|call out|shout|beep(?: at me)?"
    r"|give (?:me|us) (?:a )?(?:shout|sign|signal|heads[ -]?up|nudge|hint|call|warning|beep))"
)
"""What asks to be told, without saying what."""
OWN_WORDS = re.compile(
    r"(?:please )?(?:(?:always|just|then) )?(?:"
    r"(?:say|shout|announce|call out|call|speak)(?: to (?:me|us|them|him|her))?,?(?: that)?"
    r"|(?:tell|remind|ask|nudge|get|warn) (?:me|us) (?:to|that)|remind (?:me|us) about) (?P<words>.+)"
)
_NO_WORDS = re.compile(
    r"(?:the|what|who|how|where|why|which|when|whether|if|about|something|anything|it|that|this|so|again"
    r"|(?:a|an|another|1) (?:\w+ )?(?:joke|fact|story|poem|quote|number|word|name))\b.*"
)
_EVERY_TERM = rf"(?:{SPAN}|(?:half (?:a )?)?minute|half minute|second|hour)"
_EACH = r"(?:once )?(?:every|each)(?: single)?|once (?:a|per)"
EVERY = re.compile(
    rf"(?:{_EACH}) (?P<every>{_EVERY_TERM}),? (?P<asked>.+?){_SO}"
    rf"|(?P<asked2>.+?),? (?:{_EACH}) (?P<every2>{_EVERY_TERM}){_SO}(?P<middle>,? (?:to|that|how|what"
    rf"|the) .+)?"
)
_OVER = r"(?: (?:are|is|have|has)(?: been)? (?:up|over|passed|gone(?: by)?|done)| pass| from now)"
ONCE = re.compile(
    rf"(?:in|after|when|once) (?:exactly )?(?P<span>{SPAN})(?P<over>{_OVER})?(?:,? (?P<asked>.+))?"
    rf"|(?P<asked2>.+?),? (?:in|after|when|once) (?:exactly )?(?P<span2>{SPAN})(?P<over2>{_OVER})?"
)
ELAPSED_WORDS = re.compile(
    r"(?:(?:say|save|announce|call out|tell (?:me|us)|read out|give me|shout|let me know) )?"
    r"(?:the (?:current |elapsed )?time|the seconds|what time it is|what the time is"
    r"|how (?:long|much time|many seconds) (?:it(?:'s| is| has)(?: been)?|(?:has|have)? ?(?:passed|gone by"
    r"|elapsed)))"
    r"(?: (?:that|which) has (?:passed|gone by))?(?: so far)?"
)

_PERSON = (
    r"(?:wife|husband|partner|girlfriend|boyfriend|mother|mum|mom|father|dad|parents?|son|daughter|kids?"
    r"|child|children|brother|sister|friends?|boss|colleagues?|roommate|flatmate|neighbou?r|guests?"
    r"|visitors?)"
)
_SUBJECT = (
    r"(?:you (?:can )?(?:see|notice) (?:that )?)?(?:(?P<i>i|me|we)|(?P<one>somebody|someone|anybody|anyone"
    r"|he|she|they"
    rf"|people|a person|another person|somebody else|someone else|(?:my|the|our) {_PERSON})"
    rf"|(?P<none>nobody|no one|no 1))"
)
_SHORT = r"(?:'(?P<short>m|s|re|ve))?"
_WHEN = (
    r"(?:when(?:ever)?|if|once|as soon as|(?:every|each|any) ?time|the (?:moment|second)|in case)(?: that)?"
)
_CONDITION = re.compile(rf"{_WHEN} {_SUBJECT}{_SHORT} (?P<did>.+)")
_BEFORE = re.compile(rf"(?P<asked>.+?),? (?P<rest>{_WHEN} (?:you (?:see|notice) )?.+)")
_AFTER = re.compile(
    rf"(?P<rest>{_WHEN} .+?)(?:, ?(?:then )?| then | )(?P<asked>{TELL.pattern}|{OWN_WORDS.pattern})"
)
_MIDDLE = re.compile(rf"(?P<tell>(?:remind|tell) me) (?P<rest>{_WHEN} .+?),? (?P<to>to .+)")
_SHORTS = {"m": "am", "s": "is", "re": "are", "ve": "have"}


@dataclass(frozen=True)
class Condition:
    """ "Say hi when I wave". ``asked``: "say hi"; ``did``: "wave"; ``somebody``, ``nobody``: who does.

    ``bare``: nothing but the condition was said.
    """

    asked: str
    did: str
    somebody: bool
    nobody: bool
    bare: bool


def condition(text: str) -> Condition | None:
    """What is to be done when somebody does something."""
    found = _CONDITION.fullmatch(text)
    after = _AFTER.fullmatch(text) if found else None
    if after and (split := _split(after["rest"], after["asked"])):
        return split
    if found:
        return _split(text, "")
    found = _MIDDLE.fullmatch(text)
    if found:
        return _split(found["rest"], f"{found['tell']} {found['to']}")
    found = _BEFORE.fullmatch(text)
    return _split(found["rest"], found["asked"]) if found else None


def _split(rest: str, asked: str) -> Condition | None:
    found = _CONDITION.fullmatch(rest)
    if not found:
        return None
    did = f"{_SHORTS[found['short']]} {found['did']}" if found["short"] else found["did"]
    if found["none"]:
        gone = re.fullmatch(r"is (?:there|here|left|around|in (?:the|my) \w+)(?: any ?more)?", did)
        return Condition(asked, did, somebody=False, nobody=bool(gone), bare=not asked)
    return Condition(asked, did, somebody=True, nobody=False, bare=not asked)


def own_words(words: str) -> str | None:
    """What the user wants said, as it is said to them; None where these are no such words."""
    words = words.strip(" ,.\"'")
    if not words or _NO_WORDS.fullmatch(words):
        return None
    return to_you(re.sub(rf"{_SO}$", "", words))


def every_s(words: str) -> float:
    """Seconds of "10 seconds", "minute", "half minute"; 0 for what is no length."""
    bare = re.fullmatch(r"(half )?(?:a )?(second|minute|hour)", words)
    if bare:
        return seconds_of(f"{'half a' if bare[1] else '1'} {bare[2]}")
    return seconds_of(words)


_WHO = r"(?:i|we|somebody|someone|anybody|anyone|he|she|they|you hear me)"
_ASKING = (
    r"(?:(?:stop|correct|interrupt|catch|tell|warn|alert|remind|ping|buzz|beep(?: at)?|nudge|poke|wake|ask)"
    r" (?:me|us)(?: up)?|let me know|say (?:so|something|stop)|shout|beep|speak up)"
)
DECLINED = (
    ("words", re.compile(
        rf"{_ASKING} {_WHEN} {_WHO} (?:say|says|use|uses|mention|mentions|repeat|swear|curse"
        rf"|mispronounce)\b.*"
        rf"|{_WHEN} i (?:say|mention)(?: [^,]*)?"
        rf"|count (?:how (?:many times|often)|every time|each time|whenever) {_WHO} (?:say|says|use"
        rf"|mention)\b.*"
        r"|count my (?:ums?|uhs?|filler words?|fillers?|likes)"
    )),
    ("silence", re.compile(
        rf"(?:{_ASKING} )?{_WHEN} (?:i'm|i am|i've been|i have been|i stay|i go|it's|it is|nobody is) "
        r"(?:silent|quiet|speechless|not (?:speaking|talking|saying anything))\b.*"
        rf"|{_ASKING} {_WHEN} (?:i don't|nobody|no one|i stop|i haven't) (?:say|says|speak|speaks|talk"
        rf"|talks|talking|speaking|said)\b.*"
    )),
    ("thing", re.compile(
        rf"(?:{_ASKING} )?{_WHEN} (?:the|my|this|that|our|your) (?:\w+ ){{1,3}}"
        r"(?:is gone|are gone|disappears?|is missing|goes missing|(?:is|gets) (?:moved|taken(?: away)?)|moves"
        r"|falls(?: over| down| off)?)(?: (?:away|from .+))?"
    )),
    ("sign", re.compile(
        rf"(?:(?:{_ASKING}|say .+?) {_WHEN} {_WHO}|when(?:ever)? i)(?:'m|'s|'re| am| is| are| start"
        rf"| starts)? ?"
        r"(?:smil|laugh|yawn|stand|sit|fall|close|look|turn|clap|point|danc|jump|blink|frown|touch|scratch"
        r"|cross|drink"
        r"|bit|pick)(?:e|es|s|ing|ding|ting)?(?: (?:up|down|asleep|away|around|my \w+|his \w+|her \w+|off"
        r"|at \w+))*"
    )),
    ("signs counted", re.compile(
        rf"(?:keep )?count (?:of )?(?:how (?:many times|often)|every time|each time"
        rf"|the times) {_WHO}(?: am| is|'m)? "
        r"(?:wave|nod|slouch|raise|shake|blink|smile|yawn|leave|come|get up|stand up|look|touch|drink)\w*\b.*"
    )),
    ("steps", re.compile(
        r"(?:start )?count(?:ing)? (?:how many )?(?:the |my )?(?:steps?|laps?|breaths?|blinks?|kicks?)"
        r"(?: (?:i (?:take|do|make|run)|for me|aloud|out loud|with me))*"
    )),
    ("looked up", re.compile(
        rf"how many {EXERCISE} (?:have i (?:done|made|managed|got)|did i (?:do|make|manage)|was that"
        rf"|were (?:that|those)"
        rf"|did you count|have you counted|am i at|is that|are we at)(?: (?:so far|now|up to now|until now"
        rf"|already|yet|in total))*"
    )),
)  # fmt: skip


class FOLLOW:
    """What goes on from an instruction."""

    stop = re.compile(
        r"(?:(?:ok|okay|all right|no|wait|and|now|thanks|please),? )*(?:(?:you can|please) )?(?:(?:stop"
        r"|quit|cancel|end"
        r"|undo|drop|forget|scratch|leave)(?: (?:it|that|this|them))?(?: (?:now|then|again|saying (?:that"
        r"|it)|doing (?:that|it)))?"
        r"|stop there|never ?mind|that's enough|that is enough|enough(?: of that)?|that will do|that'll do"
        r"|no more"
        r"|(?:be )?quiet|shut up|silence|hush|forget about (?:it|that)"
        r"|i don't need (?:it|that)(?: any ?more)?)(?:,? (?:now|please|thanks|thank you))*"
    )
    lead = re.compile(
        r"^(?:(?:no|and|also|but|then|so|now|rather|actually|make (?:it|that)|change (?:it|that)(?: to)?"
        r"|i (?:mean|meant|said)"
        r"|how about|what about|better|let's (?:do|say)|do|go (?:to|with)|switch to|sorry|plus)\b,? ?)+"
    )
    again = re.compile(
        r"(?:(?:start|begin|count|do it|do that|once more|watch) )?(?:again|over|from (?:1|zero"
        r"|the (?:start|beginning))|anew|once more)"
        r"(?: (?:please|at 1|from (?:1|zero|the (?:start|beginning))))*"
    )
    whose = re.compile(r"^(?:count )?(?:the|my|our|some|these)? ?(?=\w)")
    say = re.compile(r"(?:just |rather )?say (?P<words>.+?)(?: instead| then| rather)?")
    length = re.compile(
        rf"(?:for )?(?P<every>every |each )?(?:(?P<length>{_EVERY_TERM})|(?P<number>\d{{1,3}}))(?: instead"
        rf"| then)?"
    )
