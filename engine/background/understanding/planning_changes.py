"""What is said after a timer, an alarm or a reminder to change it, complete it or have one more."""

import re
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from engine.background.tools.saying import aware
from engine.background.understanding.call import Call
from engine.background.understanding.moments import When, find_when, resolve, shifted
from engine.background.understanding.normal import correction
from engine.background.understanding.spans import SPAN, Span, add_to_time, span_of

_MORE = re.compile(r"^(?:and|also)\b(?! (?:make|change|move|put|set) (?:it|that))")
STOP = (
    r"(?:cancel|stop|delete|remove|turn off|switch off|clear|kill|end|dismiss|get rid of|shut off"
    r"|disable|forget|silence|abort|scrap|drop|erase|undo)"
)
FOLLOW_CANCEL = re.compile(
    r"(?:never ?mind,? ?|no,? |oh |wait,? |and |actually,? |please |then )*(?:"
    rf"{STOP}(?: (?P<what>it|that|this|them|those|both|all|all of them|everything|that one|this one"
    rf"|the last one|the \w+ (?:one|1)"
    r"|that (?:timer|alarm|reminder)|the (?:timer|alarm|reminder)))(?: again| now| then| instead)?"
    r"|turn (?:it|that) off|take (?:it|that) back|(?:cancel|undo|scratch that|never ?mind"
    r"|forget about it|forget about that)"
    r"|i don't need (?:it|that|the timer|the alarm|the reminder)(?: any ?more)?|scratch (?:it|that))"
)
LEAD = re.compile(
    r"^(?:(?:and|also|but|then|so|maybe|rather|let's say|say|how about|what about|could you|can you)\b,? ?)+"
)
_CHANGE_IT = re.compile(
    r"^(?:(?:make|change|set|move|put|switch|reschedule|push|shift|do|update|postpone|delay|bring)"
    r"(?: (?:it|that|the (?:timer|alarm|reminder)))(?: (?:back|forward))?|make|rather|better|i said"
    r"|let's make it|let's do)"
    r"(?: (?:to|for|until|till|be|at))?(?= )"
)
_ANOTHER = re.compile(
    r"(?:(?:add|set|start|make|create|i need|give me) )?(?:(?:another(?: (?:one|timer|alarm|reminder|1))?"
    r"|one more|1 more|a (?:2nd|second|new) (?:one|timer|alarm|reminder))(?:,? (?:for|of|at|in|to|with))?"
    r"|(?:one|1) (?:for|of|at|with)) (?P<rest>.+)"
)
_FOLLOW_MORE = (
    re.compile(
        rf"(?!give me (?:a|1) (?:second|minute|moment)$)"
        r"(?:add|plus|give (?:me|it)|put on|extend (?:it|that) by|extend by"
        rf"|i need)(?: another)? (?P<span>{SPAN})(?: (?:more|longer|to (?:it|that)|extra|on top))*"
    ),
    re.compile(
        rf"(?P<span>{SPAN}) (?:more|longer|extra)|another (?P<span2>{SPAN})|make (?:it"
        rf"|that) (?P<span3>{SPAN}) longer"
    ),
)
_FOLLOW_LESS = re.compile(
    rf"(?:(?:take|subtract|remove)(?: off| away)?|minus|less) (?P<span>{SPAN})(?: (?:off|away"
    rf"|from (?:it|that)))?"
    rf"|(?P<span2>{SPAN}) (?:less|shorter)|make (?:it|that) (?P<span3>{SPAN}) shorter"
)
_FOLLOW_SHIFT = re.compile(
    rf"(?:(?:make|push|move|delay|postpone|snooze|bring|shift)(?: (?:it|that))?(?: back| forward"
    rf"| up)?(?: by| for)? )?(?P<span>{SPAN})(?: (?P<way>later|earlier|sooner|more))?"
)
_FOLLOW_WHEN = re.compile(
    r"(?:when|what time|for when|at what time) (?:is|was|will|does) (?:it|that|this)(?: be| again| set for"
    r"| go off)?"
)
TIMER_TOOLS = ("timer", "timers", "more_time")


def seconds_of(words: str) -> float:
    span = span_of(words)
    seconds = span.exact_s if span else None
    return int(seconds) if seconds and seconds == int(seconds) else seconds or 0


def labelled(label: str | None) -> dict[str, str]:
    return {"label": label.strip()} if label and label.strip() else {}


def iso(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


def timer_call(words: str, label: str, **more: Any) -> Call | None:
    seconds = seconds_of(words)
    label = re.sub(r"^(?:the|my|some|an?|quick|new) ", "", label)
    return Call("timer", {"seconds": seconds, **labelled(label), **more}) if seconds else None


def cancel_last(what: str, last: Call) -> Call:
    if last.tool in TIMER_TOOLS:
        kind = "timer"
    else:
        kind = {"alarm": "alarm", "remind": "reminder"}.get(last.tool, str(last.arguments.get("kind", "")))
    if what in ("them", "those", "both", "all", "all of them", "everything"):
        return Call("cancel", {"kind": kind, "which": "all"})
    named = re.fullmatch(r"the (\w+) (?:one|1)", what)
    if named and named[1] not in ("last", "new"):
        return Call("cancel", {"kind": kind, "label": named[1]})
    label = (
        {"label": last.arguments["label"]} if last.tool == "timers" and last.arguments.get("label") else {}
    )
    newest = "newest" if last.tool in ("timer", "alarm", "remind", "more_time") else ""
    return Call("cancel", {"kind": kind, "which": newest, **label})


def which_one(rest: str, last: Call) -> Call | None:
    """An answer to the question which one is to be cancelled."""
    kind = last.arguments.get("kind", "")
    if re.fullmatch(r"(?:all|both|all of them|both of them|every one|everything)", rest):
        return Call("cancel", {"kind": kind, "which": "all"})
    found = re.fullmatch(
        r"(?:the )?(?:one (?:for|about|to) )?(?:the )?([a-z0-9' -]{1,40}?)(?: one| 1| timer| reminder"
        r"| alarm)?",
        rest,
    )
    if not found or len(found[1].split()) > 4 or not re.search(r"\bone\b|\b1$|timer|reminder|alarm", rest):
        return None
    seconds = seconds_of(found[1])
    return Call("cancel", {"kind": kind, **({"seconds": seconds} if seconds else {"label": found[1]})})


def follow_timer(rest: str, text: str, last: Call) -> Call | None:
    label = labelled(last.arguments.get("label"))
    for pattern in _FOLLOW_MORE:
        found = pattern.fullmatch(rest) or pattern.fullmatch(text)
        if found and last.arguments.get("seconds", 1):
            words = next(filter(None, found.groupdict().values()))
            return Call(
                "more_time", {"seconds": seconds_of(words), **(label if last.tool == "timers" else {})}
            )
    found = _FOLLOW_LESS.fullmatch(rest) or _FOLLOW_LESS.fullmatch(text)
    if found:
        return Call("more_time", {"seconds": -seconds_of(next(filter(None, found.groupdict().values())))})
    if re.fullmatch(
        r"how (?:long|much)(?: now| is it| does it have| left| time)?(?: left)?|is it (?:done"
        r"|over)(?: yet)?|what is left|when (?:does|will|do|is) (?:it|they) (?:go off|end|ring"
        r"|be done|done|over)"
        r"|how long do (?:they|i|we) have left",
        rest,
    ):
        return Call("timers", {"what": "left", **label})
    found = _ANOTHER.fullmatch(rest)
    if found:
        again = re.fullmatch(
            rf"(?P<span>{SPAN})(?: (?:one|timer))?(?: for (?:the |my )?(?P<label>.+))?", found["rest"]
        )
        return timer_call(again["span"], again["label"] or "") if again else None
    rest = _CHANGE_IT.sub("", rest).strip()
    rest = re.sub(r"^(?:for|to) (?=\d|an?\b|half)|,? instead$", "", rest)
    asked = last.tool == "timer" and not last.arguments.get("seconds")
    changed = rest != text or asked
    found = re.fullmatch(
        rf"(?:an? )?(?P<span>{SPAN}|\d{{1,4}}(?:\.5)?)(?: for (?:the |my )?(?P<label>[a-z].+))?", rest
    )
    if found and (changed or last.tool != "timer"):
        seconds = seconds_of(found["span"]) or seconds_of(f"{found['span']} {_unit(last)}")
        if not seconds or (last.tool == "timers" and not changed):
            return None
        name = labelled(found["label"]) or (label if last.tool == "timer" else {})
        # "and 20 minutes" is one more.
        if asked or re.match(r"and\b(?! (?:make|change|set) it)", text):
            return Call("timer", {"seconds": seconds, **(name if asked or found["label"] else {})})
        return Call("timer", {"seconds": seconds, **name, "replace": True}, corrects=True)
    named = re.fullmatch(
        r"(?:call it|name it|(?:it's|it is|that's|this is) for)(?: the| my)? (?P<label>[a-z' ]{1,40})", rest
    )
    if named and last.arguments.get("seconds"):
        return Call(
            "timer",
            {"seconds": last.arguments["seconds"], "label": named["label"], "replace": True},
            corrects=True,
        )
    return None


def _unit(last: Call) -> str:
    """What a number alone counts, after a timer."""
    seconds = last.arguments.get("seconds") or 60
    return "seconds" if seconds < 60 else "hours" if seconds >= 3_600 and seconds % 3_600 == 0 else "minutes"


def follow_alarm(rest: str, text: str, last: Call, now: datetime) -> Call | None:
    if _FOLLOW_WHEN.fullmatch(rest):
        kind = {"alarm": "alarm", "remind": "reminder"}.get(last.tool, str(last.arguments.get("kind", "")))
        return Call("alarms", {"what": "list", "kind": kind})
    another = _ANOTHER.fullmatch(rest)
    shift = _FOLLOW_SHIFT.fullmatch(rest) or _FOLLOW_SHIFT.fullmatch(text)
    if shift and not (
        shift["way"] or re.match(r"(?:make|push|move|delay|postpone|snooze|bring|shift)", shift[0])
    ):
        shift = None
    words = another["rest"] if another else _CHANGE_IT.sub("", rest).strip()
    span = (span_of(shift["span"]), shift["way"] or "") if shift else None
    return _changed_alarm(words, text, last, now, bool(another), span)


def _changed_alarm(
    words: str, text: str, last: Call, now: datetime, another: bool, shift: tuple[Span | None, str] | None
) -> Call | None:
    """The call that ``words`` make of ``last``: another time, another day, another thing to be reminded of.

    ``text``: all that was said. ``another``: one more is wanted. ``shift``: by
    how much, and "earlier" or "later".
    """
    tool = {"alarm": "alarm", "remind": "remind"}.get(last.tool, "")
    if last.tool == "alarms":
        tool = {"alarm": "alarm", "reminder": "remind"}.get(str(last.arguments.get("kind")), "")
    if not tool:
        return None
    kept = {name: last.arguments[name] for name in ("about", "label") if last.arguments.get(name)}
    before = aware(last.arguments.get("at", ""), now)
    if shift and shift[0]:
        moment = _moved(before, shift[0], shift[1])
        return _changed(tool, moment, kept) if moment else None
    words = re.sub(r",? (?:instead|then|rather)$", "", words)
    when, rest = find_when(words, now, bare=True)
    if rest:
        return _about(rest, when, text, last, now, before)
    if when == When():
        return None
    if before is None:
        return _completed(tool, when, kept, last, now)
    if another or (_MORE.match(text) and correction(text) is None):
        moment = shifted(before, when, now)
        return Call(tool, {"at": iso(moment), **kept}) if moment else None
    moment = shifted(before, when, now)
    return _changed(tool, moment, kept) if moment else None


def _completed(tool: str, when: When, kept: dict[str, Any], last: Call, now: datetime) -> Call | None:
    """The time that was asked for, or of one whose time is not known here."""
    if last.arguments.get("day") and when.day is None and last.tool != "alarms":
        when = replace(when, day=date.fromisoformat(str(last.arguments["day"])))
    moment = resolve(when, now, early=tool == "alarm")
    if last.tool == "alarms":
        return Call(tool, {"at": iso(moment), "replace": True}, corrects=True) if moment else None
    if moment:
        return Call(tool, {"at": iso(moment), **kept})
    return Call(tool, {"at": "", "day": when.day.isoformat(), **kept}) if when.day else None


def _about(
    rest: str, when: When, text: str, last: Call, now: datetime, before: datetime | None
) -> Call | None:
    """Something else to be reminded of: "no, to call dad"."""
    if last.tool != "remind" or len(rest.split()) > 20:
        return None
    old = str(last.arguments.get("about", ""))
    found = re.match(r"(?:to |about |that )", rest)
    same = bool(old) and rest.partition(" ")[0] == old.partition(" ")[0]
    if not found and not same and old:
        return None
    if old and correction(text) is None:
        return None
    if (
        not old
        and not found
        and re.match(r"(?:what|who|how|when|where|why|is|are|can|do|set|cancel)\b", rest)
    ):
        return None
    about = rest.removeprefix("to ")
    moment = shifted(before, when, now) if before and when != When() else before or resolve(when, now)
    if old and before:
        return Call("remind", {"at": iso(moment or before), "about": about, "replace": True}, corrects=True)
    day = {"day": last.arguments["day"]} if last.arguments.get("day") else {}
    return Call("remind", {"at": iso(moment) if moment else "", "about": about, **({} if moment else day)})


def _moved(before: datetime | None, span: Span, way: str) -> datetime | None:
    if before is None:
        return None
    return add_to_time(before, span.negative() if way in ("earlier", "sooner") else span)


def _changed(tool: str, moment: datetime, kept: dict[str, Any]) -> Call:
    return Call(tool, {"at": iso(moment), **kept, "replace": True}, corrects=True)
