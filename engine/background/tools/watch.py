"""The tool for standing instructions: what is to be counted, watched for, and said at a time.

It changes nothing by itself. Its result carries the instruction to the engine, where it stands in
``engine.standing.Standing`` until it is taken back.
"""

import math

from engine.background.tools.saying import MAX_TEXT, sentence, span, words_of
from engine.background.tools.tool import Arguments, Tool, ToolContext, ToolError, ToolResult, schema
from engine.background.tools.watchable import cue_of, exercise_of
from engine.decisions import COUNT, CUE, STANDING_TOKENS, TIME
from engine.standing import ANY, COUNTED, CUE_WORDS, CUES, ELAPSED, Instruction, plural

STOP = "stop"
SHORTEST_S, LONGEST_S = 2.0, 300.0
MAX_WORDS_CHARS = 80
TIME_WORDS = "Time is up."
DECLINED = {
    "words": "I can't listen for words yet, but I can count exercises, watch for a wave and keep time.",
    "silence": "I can't watch for silence yet, but I can say something after a few seconds, or every few.",
    "thing": "I can't watch for things yet, but I can tell you when somebody comes in or leaves.",
    "sign": "I can't watch for that yet, but I can tell you when you wave, nod, slouch or raise a hand.",
    "steps": "I can't count that yet, but I can count exercises such as squats and push-ups.",
    "signs counted": "I can't count that yet, but I can count exercises, and tell you when it happens.",
    "looked up": "I only say the numbers as I count, so I can't look them up afterwards yet.",
}  # fmt: skip
_WHEN = {
    "enter": "somebody comes in",
    "leave": "somebody leaves",
    "wave": "you wave",
    "raise hand": "you raise your hand",
    "thumbs up": "you give a thumbs up",
    "slouch": "you slouch",
    "nod": "you nod",
    "shake head": "you shake your head",
}
_STOPPED = {
    "": "Okay, I'll stop.",
    COUNT: "Okay, I'll stop counting.",
    CUE: "Okay, I'll stop watching for that.",
    TIME: "Okay, I'll stop saying it.",
}
_ONLY_TIME = "I can't count or watch for that yet, but I can say something after a few seconds, or every few."
_NOTHING = "I can't count, watch for something or keep time in this session."
_NO_CAMERA = "The camera is off, so I can't see that. Switch it on and ask me again."


def watch(arguments: Arguments, context: ToolContext) -> ToolResult:
    """Put an instruction in force, or take it back. The result's ``standing`` is for the engine.

    Raises:
        ToolError: it cannot be done, is not to be understood, or there is no picture to watch.
    """
    token = words_of(arguments, "token")
    cannot = _ONLY_TIME if TIME in context.standing else _NOTHING
    if declined := DECLINED.get(words_of(arguments, "declined")):
        raise ToolError(declined if CUE in context.standing else cannot)
    if token in STANDING_TOKENS and token not in context.standing:
        raise ToolError(cannot)
    if token == STOP:
        what = words_of(arguments, "what")
        stopped = what if what in STANDING_TOKENS else ""
        return ToolResult(_STOPPED[stopped], {"stop": stopped}, standing={"stop": stopped})
    if token in (COUNT, CUE) and not context.jpeg:
        raise ToolError(_NO_CAMERA)
    asked = _instruction(token, arguments)
    data: dict[str, str | float | bool] = {
        "token": asked.token, "what": asked.what, "words": asked.words,
        "seconds": asked.seconds, "repeat": asked.repeat,
    }  # fmt: skip
    return ToolResult(_confirmation(asked, arguments), data, standing=data)


def _instruction(token: str, arguments: Arguments) -> Instruction:
    what = words_of(arguments, "what")
    words = words_of(arguments, "words")[:MAX_TEXT].strip("\"' ")
    if len(words) > MAX_WORDS_CHARS:
        raise ToolError("That is too long for me to say each time.")
    words = sentence(words) if words else ""
    if token == COUNT:
        exercise = exercise_of(what or ANY)
        if exercise is None:
            raise ToolError(DECLINED["steps"])
        return Instruction(COUNT, exercise)
    if token == CUE:
        cue = cue_of(what)
        if cue is None:
            raise ToolError(DECLINED["sign"])
        return Instruction(CUE, cue, words or CUE_WORDS[cue][0])
    if token == TIME:
        return _timed(what, words, arguments)
    raise ToolError("I can count, watch for something or keep time. Which one should I do?")


def _timed(what: str, words: str, arguments: Arguments) -> Instruction:
    try:
        seconds = float(str(arguments.get("seconds") or 0))
    except ValueError:
        seconds = math.nan
    repeat = arguments.get("repeat") is True
    if not seconds:
        raise ToolError("I need to know after how many seconds.")
    if not (SHORTEST_S if repeat else 1.0) <= seconds <= LONGEST_S:
        if repeat:
            raise ToolError("I can say something every 2 seconds up to every 5 minutes.")
        raise ToolError("I can say something up to 5 minutes from now. For longer, ask me for a timer.")
    if repeat and (what == ELAPSED or not words):
        return Instruction(TIME, ELAPSED, sentence(span(seconds)), seconds, repeat)
    return Instruction(TIME, "", words or TIME_WORDS, seconds, repeat)


def _confirmation(asked: Instruction, arguments: Arguments) -> str:
    """What is said to an instruction that stands now."""
    if asked.token == COUNT:
        return "Okay, I'll count." if asked.what == ANY else f"Sure, counting your {plural(asked.what)}."
    own = bool(words_of(arguments, "words"))
    words = asked.words.rstrip(".")
    said = f"say {words[:1].lower()}{words[1:]}"
    if asked.token == CUE:
        told = f"{said if own else 'tell you'} when {_WHEN[asked.what]}."
        if arguments.get("also") is True:
            return f"I can watch for one thing at a time: now I'll {told}"
        return f"Okay, I'll {told}"
    if asked.what == ELAPSED:
        return f"Okay, every {span(asked.seconds)} I'll say how long it has been."
    if asked.repeat:
        return f"Okay, I'll {said} every {span(asked.seconds)}."
    return f"Okay, I'll {said if own else 'tell you'} in {span(asked.seconds)}."


WATCH = Tool(
    "watch",
    "Count repetitions of an exercise that the camera sees (count), say something each time that somebody"
    " does something that the camera sees (cue), say something once after some seconds or every some"
    " seconds (time), or stop that (stop). For longer than 5 minutes use a timer.",
    schema(
        ("token",),
        token={"type": "string", "enum": [*STANDING_TOKENS, STOP]},
        what={
            "type": "string",
            "enum": [*COUNTED, *CUES, ELAPSED, *STANDING_TOKENS, ""],
            "description": f"count: an exercise, or {ANY}; cue: what somebody does; time: {ELAPSED} to say"
            " how long it has been; stop: count, cue or time, or nothing for all",
        },
        words={"type": "string", "description": "what to say then, a few words; count says the numbers"},
        seconds={"type": "number", "minimum": 1, "maximum": LONGEST_S, "description": "of time"},
        repeat={"type": "boolean", "description": "time: again and again"},
        also={"type": "boolean", "description": "asked for beside another cue, in whose place it comes"},
        declined={
            "type": "string",
            "enum": [*DECLINED],
            "description": "asked for but not possible yet: told when words are said, when it is silent, what"
            " a thing does, another sign, steps counted, how often a sign is given, how many were counted",
        },
    ),
    watch,
    changes=True,
)
