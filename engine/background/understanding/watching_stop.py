"""Requests to stop counting, watching and saying something at a time."""

import re

from engine.background.tools.watch import STOP, WATCH
from engine.background.tools.watchable import EXERCISE, cue_of
from engine.background.understanding.call import Call
from engine.background.understanding.watching_words import condition
from engine.decisions import COUNT, CUE, TIME

_STOPS = (
    r"(?:(?:and|now|then|so|no|but),? )*(?:(?:you (?:can|may|should) )?(?:now )?(?:stop|quit|end|cancel)"
    r"|never ?mind|forget(?: about)?|enough(?: of| with)?|no more|that's enough|that is enough"
    r"|(?:don't|do not)|no need to|(?:you )?(?:don't|do not) (?:have|need) to|(?:switch|turn) off)"
    r"(?: (?:the|your|with the|with your|all the|all|that|this|to))?"
)
_ENDS = r"(?:,? (?:now|then|any ?more|please|again|for me|aloud|out loud|along|with me|at once))*"
_WHAT = (
    (COUNT, rf"count(?:ing)?(?: (?:of )?(?:my|the|our|these|any)? ?(?:{EXERCISE}|them|it|that|these))?"),
    (
        CUE,
        (
            r"(?:watch(?:ing)?|look(?:ing)?)(?: out)?(?: for)? (?:that|it|this|me|this|my posture|people"
            r"|somebody|someone)"
            r"|(?:tell(?:ing)?|remind(?:ing)?) me to sit up(?: straight)?|greet(?:ing)? (?:me|people|us|them"
            r"|everybody|everyone)"
            r"|say(?:ing)? (?:hello|hi|welcome)|watch(?:ing)? (?:for )?(?:a wave|waves|slouching)"
        ),
    ),
    (
        TIME,
        (
            r"(?:(?:tell(?:ing)? me|say(?:ing)?|announc(?:e|ing)|call(?:ing)? out|read(?:ing)? out|giv(?:e"
            r"|ing) me)"
            r" (?:the (?:time|seconds)|what time it is|how (?:long|much time) .+)|keep(?:ing)? (?:the )?time"
            r"|time announcements?"
            r"|say(?:ing)? \d+)"
        ),
    ),
    ("", r"watch(?:ing)?|watch(?:ing)? and count(?:ing)?|count(?:ing)? and watch(?:ing)?"),
)
_STOP = tuple((token, re.compile(rf"{_STOPS} (?:{what}){_ENDS}")) for token, what in _WHAT)
_STOP_TELLING = re.compile(
    r"(?:(?:stop|quit) (?P<did>telling me|warning me|alerting me|letting me know|reminding me(?: to .+?)?"
    r"|saying .+?)"
    r"|(?:don't|do not) (?P<do>tell me|warn me|alert me|let me know|remind me|say .+?)(?: any ?more)?)"
    r" (?P<when>(?:when(?:ever)?|if|every time|each time|as soon as|that) .+?)(?: any ?more)?"
)


def stopped(text: str) -> Call | None:
    """The call that takes an instruction back; ``text`` as ``planning_words.request`` gives it."""
    token = next((token for token, pattern in _STOP if pattern.fullmatch(text)), None)
    if token is None and (found := _STOP_TELLING.fullmatch(text)):
        when = re.sub(r"^that ", "when ", found["when"])
        split = condition(when)
        token = CUE if split and not split.asked and cue_of(split.did) else None
    return None if token is None else Call(WATCH.name, {"token": STOP, **({"what": token} if token else {})})
