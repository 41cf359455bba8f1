"""Requests for timers, alarms and reminders."""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from engine.background.tools.timers import ALARM, ALARMS, CANCEL, MORE_TIME, REMIND, TIMER, TIMERS
from engine.background.tools.tool import Tool
from engine.background.understanding.call import Call
from engine.background.understanding.dates import WEEKDAY, date_of
from engine.background.understanding.moments import When, find_when, read_when, resolve
from engine.background.understanding.normal import correction
from engine.background.understanding.planning_changes import (
    FOLLOW_CANCEL,
    LEAD,
    STOP,
    TIMER_TOOLS,
    cancel_last,
    follow_alarm,
    follow_timer,
    iso,
    labelled,
    seconds_of,
    timer_call,
    which_one,
)
from engine.background.understanding.planning_words import request
from engine.background.understanding.spans import SPAN

MAX_CHARS = 400
_SET = (
    r"(?:(?:go ahead and |let's |let us |i(?:'d| would) like (?:to )?|can i |i (?:need|want) (?:to )?)?"
    r"(?:set|start|create|make|give|begin|put|run|add|have|get|launch|need|want|schedule"
    r"|set up)? ?(?:me )?(?:up |on )?)"
)
_A = r"(?:(?:a|an|the|my|another|1|one more)(?: new)? )?"
_LABEL = (
    r"(?:(?P<label>(?!for\b|of\b|to\b|on\b|off\b|from\b|in\b|with\b|left\b|at\b|the\b|my\b|is\b"
    r"|was\b)[a-z][a-z' -]{0,30}?) )?"
)
_TIMER_WORD = r"(?:countdown timer|countdown|timer)"
_NAMED = r"(?:(?:,? (?:called|named|labell?ed|for|to)|,) (?:the |my |some )?(?P<label2>[a-z][^,]{0,60}))?"
_SET_TIMER = (
    re.compile(
        rf"{_SET}{_A}{_LABEL}{_TIMER_WORD}(?: please)?,? (?:for |of |to |at |lasting "
        rf"|with )?(?P<span>{SPAN}){_NAMED}"
    ),
    re.compile(rf"{_SET}{_A}(?:(?:quick|short) )?(?P<span>{SPAN})(?: long)? {_LABEL}{_TIMER_WORD}{_NAMED}"),
    re.compile(
        rf"{_SET}{_A}{_TIMER_WORD} (?:for|called|named) (?:the "
        rf"|my )?(?P<label>[a-z][a-z' ]{{0,30}}?),? (?:for|of) (?P<span>{SPAN})"
    ),
    re.compile(rf"(?:count ?down|time me|start counting(?: down)?|count)(?: for| from)? (?P<span>{SPAN})"),
    re.compile(
        rf"(?:tell me|let me know|alert me|notify me|ping me|nudge me|beep(?: at me)?|buzz me|warn me"
        rf"|give me a shout|ring)"
        rf" (?:in|after|when) (?P<span>{SPAN})(?: (?:are|is|have|has) (?:up|over|passed|gone(?: by)?|done))?"
    ),
    re.compile(rf"when (?P<span>{SPAN}) (?:are|is|have|has) (?:up|over|passed)"),
)
_EMPTY_TIMER = re.compile(
    r"(?:set|start|create|make|begin|add|i need|i want|give me)(?: up)? (?:a|another"
    r"|the) (?:new )?timer|timer"
)
_TIMER_UNTIL = re.compile(
    r"(?:set|start|make|create)(?: up| me)? (?:a|the|my|another) timer (?:for|until|till|to|at) (?P<at>.+)"
)
_CHANGE_TIMER = re.compile(
    rf"(?:change|make|update|adjust|correct|switch|turn|reset|restart) (?:the|my"
    rf"|that) {_LABEL}timer(?: to| for| into| be| with)? (?P<span>{SPAN})(?: instead)?"
)
_MORE = (
    re.compile(
        rf"(?P<add>add|put) (?:another )?(?P<span>{SPAN})(?: more)? (?:to|on) (?:the|my|that) {_LABEL}timer"
    ),
    re.compile(
        rf"(?:extend|lengthen|prolong) (?:the|my|that) {_LABEL}timer (?:by|for) (?:another )?(?P<span>{SPAN})"
    ),
    re.compile(rf"(?P<less>shorten|reduce) (?:the|my|that) {_LABEL}timer by (?P<span>{SPAN})"),
    re.compile(
        rf"(?P<less>take|subtract|remove) (?P<span>{SPAN}) (?:off|from|off of) (?:the|my|that) {_LABEL}timer"
    ),
)
_LEFT_WORDS = (
    r"(?:how (?:much|long|many (?:minutes|seconds|hours))(?: more| longer)?(?: time)?"
    r"(?: is| do i have| do we have| have i got| are| does)?(?: there| it)?(?: still)?(?: left"
    r"| remaining| to go)"
    r"|how much (?:longer|more time)|time (?:left|remaining)|what(?: is|'s)? (?:the )?(?:time )?left"
    r"|what time is left)"
)
_TIMER_LEFT = (
    re.compile(
        rf"{_LEFT_WORDS}(?: (?:on|in|for|of|with) (?:the|my|that) {_LABEL}(?:timers?|countdown))?(?: now)?"
    ),
    re.compile(
        rf"(?:how long(?: is it)?|how much (?:time|longer)|how many minutes)(?: left)? (?:until|till"
        rf"|before|on|for|does|has)"
        rf" (?:the|my|that) {_LABEL}timer(?: still)?(?: (?:goes|go|is|will be|ends?|rings?|finishes"
        rf"|has|have|got).*)?"
    ),
    re.compile(
        rf"when (?:does|will|is|do) (?:the|my|that) {_LABEL}timers? (?:go off|end|be|ring|finish|done"
        rf"|over|up|stop|going).*"
    ),
    re.compile(
        rf"(?:what(?: is|'s)|check(?: on)?|how(?: is|'s)|status of|show me|read)(?: left on| up with"
        rf"| the status of)? "
        rf"(?:the|my|that) {_LABEL}timer(?: status| at| at now| doing| say| on)?|timer status"
    ),
)
_ANY = r"(?:any|an?|some)?(?: of my)? ?(?:active |running |other |upcoming |more )?"
_RUNNING = (
    r"(?: (?:do i have|have i got|did i set|i have|are(?: there)?|running|set|active|on|going"
    r"|left|right now|now|still|currently|today))*"
)
_SHOW = (
    r"(?:(?:what are|list|show|show me|read|read me|read out|tell me|tell me about|check"
    r"|go through|what is on)(?: all)?(?: of)?(?: the| my)?(?: current| active| upcoming)? )"
)
_TIMER_LIST = re.compile(
    rf"(?:(?:what|which|how many)(?: other| active)? timers?{_RUNNING}|{_SHOW}timers{_RUNNING}"
    rf"|(?:do i have|have i got|are there|is there) {_ANY}timers?{_RUNNING}|is (?:the"
    rf"|my) timer (?:still )?(?:running|on|set|going))"
)
_ALARM_WORD = r"alarm(?: clock)?"
_SET_ALARM = re.compile(
    rf"(?:set|create|make|add|start|i need|i want|put on|give me|have|schedule|set up|put in)(?: me| up)?"
    rf" (?:an?|another|the|my|1)?(?: new)? ?(?P<mid>[a-z0-9:' -]{{0,30}}?) ?{_ALARM_WORD}\b,?(?P<rest>.*)"
)
_BARE_ALARM = re.compile(rf"(?:new )?{_ALARM_WORD}(?P<rest> .+|$)")
_WAKE = re.compile(
    r"(?:(?:i (?:need|want) you to )?(?:wake (?:me|us)(?: up)?|get me up|wake up call)|i (?:need|want"
    r"|have) to be (?:woken up|woken|up|awake)(?= (?:at|by))"
    r"|i (?:need|want|have) to (?:wake|get) up(?= (?:at|by|tomorrow)))\b(?P<rest>.*)"
)
_ALARM_LIST = re.compile(
    rf"(?:when|what time|for when|for what time|what) (?:is|are|does|do|will|did i set) (?:my"
    rf"|the)(?: next)? alarms?(?: clocks?)?"
    r"(?: (?:set|for|at|go|going|off|ring|to|now))*"
    rf"|{_SHOW}alarms{_RUNNING}|(?:what|which|how many) alarms?{_RUNNING}"
    rf"|(?:do i have|have i got|are there|is there) {_ANY}alarms?{_RUNNING}|is (?:my|the"
    rf"|an) alarm (?:still )?(?:set|on)"
)
_CHANGE = re.compile(
    r"(?:change|move|push|reschedule|update|shift|postpone|delay|put|bring|switch|set back)(?: back"
    r"| forward)? (?:my|the|that) (?:next )?"
    r"(?P<kind>alarm|reminder)(?: (?:to|about|for) (?P<about>.+?))? ?(?:to|until|till|for|into) (?P<rest>.+)"
)
_REMIND = (
    re.compile(r"remind (?:me|us)(?P<rest>\b.*)"),
    re.compile(
        r"(?:(?:set|create|make|add|schedule|give me|i need|i want|i'd like|put in|leave"
        r"|set up)(?: me| up)? )?(?:an?|another|the|my|1)?(?: new)? ?"
        r"reminder\b[,:]?(?P<rest>.*)"
    ),
    re.compile(
        r"(?:please )?(?:don't let me forget|remember(?= to (?!be (?!at|in|on|there|back|home)))"
        r"|make sure i don't forget|help me remember"
        r"|i must not forget)(?P<rest> .+)"
    ),
)
_REMIND_LATE = re.compile(
    r"(?P<when>[^,]{1,60}?),? (?:please )?(?:can you )?remind me(?P<rest> (?:to|about|that|of)\b.*)"
)
_NO_REMINDER = re.compile(
    r"^(?:again|who|what|where|why|which|how|whether|if|when|whose|to whom|of the time|is|was|are"
    r"|are you|isn't|works?|sounds?)\b"
)
_REPEAT = re.compile(
    rf"\b(?:every(?: (?:single|other))? (?:day|morning|afternoon|evening|night|week|weekday|weekend"
    rf"|month|year|hour|minute|{SPAN}|\d+ \w+|{WEEKDAY}s?)"
    rf"|each (?:day|morning|week|month|{WEEKDAY})|daily|weekly|hourly|on weekdays|on weekends"
    rf"|on {WEEKDAY}s)\b"
)
_REMINDER_LIST = (
    re.compile(
        rf"(?:{_SHOW}(?:reminders?|alarms and reminders|reminders and alarms)|(?:what|which"
        rf"|how many)(?: other)? reminders?"
        rf"|(?:do i have|have i got|are there|is there) {_ANY}reminders?){_RUNNING}"
        rf"(?: about (?P<about>.+?))?(?: (?:for|on|due))?(?: (?P<day>today|tomorrow|{WEEKDAY}"
        rf"|on {WEEKDAY})| this week| at the moment)?"
    ),
    re.compile(
        r"(?:what|when)(?: time)? (?:is|are|will)(?: my| the)?(?P<next> next)? reminders?(?: (?:about"
        r"|for|to) (?P<about>.+)| set for| due)?"
    ),
    re.compile(
        r"what (?:did i (?:ask|tell) you to|are you (?:going|supposed) to"
        r"|will you) remind me(?: about| of| to do)?"
    ),
    re.compile(
        r"what (?:do i have to remember|am i supposed to remember|do i have coming up"
        r"|is coming up)(?: (?P<day>today|tomorrow))?"
    ),
)
_CANCEL = (
    re.compile(
        rf"{STOP} (?P<all>all|both|every|each)?(?: of)? ?(?P<the>the|my|that|this|our|those|any"
        rf"|an?)? ?(?P<label>[a-z0-9:' -]{{0,40}}?) ?"
        r"(?P<kind>timer|alarm|reminder)(?P<many>s)?(?: clock)?(?: (?:for|about|to|called|at|on|of"
        r"|that|set for) (?P<rest>.+))?"
    ),
    re.compile(
        r"turn (?P<all>all )?(?P<the>the|my|that) (?P<label>[a-z0-9:' -]{0,30}?) ?(?P<kind>timer"
        r"|alarm)(?P<many>s)? off(?P<rest>\Z)"
    ),
)


class Alarms:
    """Timers, alarms and reminders."""

    tools: tuple[Tool, ...] = (TIMER, TIMERS, MORE_TIME, ALARM, REMIND, ALARMS, CANCEL)

    def parse(self, text: str, now: datetime) -> Call | None:
        if len(text) > MAX_CHARS:
            return None
        text = request(text)
        text = re.sub(
            r"^remind me (?=what|how (?:much|long|many) .*(?:left|timer|reminder)|when (?:is|are) my)",
            "",
            text,
        )
        text = re.sub(r"^and (?=set|start|remind|cancel|wake|add a)", "", text)
        return (
            _cancel(text, now)
            or _ask(text, now)
            or _timer(text, now)
            or _remind(text, now)
            or _alarm(text, now)
        )

    def follow(self, text: str, last: Call, now: datetime) -> Call | None:
        if len(text) > MAX_CHARS:
            return None
        text = request(text)
        found = FOLLOW_CANCEL.fullmatch(text)
        if found and last.tool != "cancel":
            return cancel_last(found["what"] or "", last)
        rest = correction(text) or text
        whole = self.parse(rest, now)
        if whole is not None:
            if rest != text and whole.tool == last.tool and last.tool in ("timer", "alarm", "remind"):
                return Call(whole.tool, {**whole.arguments, "replace": True}, corrects=True)
            return whole
        rest = LEAD.sub("", rest)
        if last.tool == "cancel":
            return which_one(rest, last)
        if last.tool in TIMER_TOOLS:
            return follow_timer(rest, text, last)
        return follow_alarm(rest, text, last, now)


def _timer(text: str, now: datetime) -> Call | None:
    for pattern in _SET_TIMER:
        found = pattern.fullmatch(text)
        if found:
            groups = found.groupdict()
            label = groups.get("label") or groups.get("label2") or ""
            return timer_call(found["span"], label)
    found = _CHANGE_TIMER.fullmatch(text)
    if found:
        return timer_call(found["span"], found["label"] or "", replace=True)
    for pattern in _MORE:
        found = pattern.fullmatch(text)
        if found:
            groups = found.groupdict()
            seconds = seconds_of(found["span"])
            arguments = {"seconds": -seconds if groups.get("less") else seconds, **labelled(found["label"])}
            return Call("more_time", arguments) if seconds else None
    if _EMPTY_TIMER.fullmatch(text):
        return Call("timer", {})
    found = _TIMER_UNTIL.fullmatch(text)
    when = read_when(found["at"], now) if found else None
    moment = resolve(when, now) if when else None
    return (
        Call("timer", {"seconds": round((moment - now).total_seconds())}) if moment and moment > now else None
    )


def _alarm(text: str, now: datetime) -> Call | None:
    found = _WAKE.fullmatch(text)
    wake = bool(found)
    middle = ""
    if not found:
        found = _SET_ALARM.fullmatch(text)
        middle = found["mid"].strip() if found else ""
        found = found or _BARE_ALARM.fullmatch(text)
    if not found:
        return None
    rest = found["rest"].strip(" ,:")
    if _REPEAT.search(rest):
        return Call("alarm", {"at": "", "repeat": True})
    rest = re.sub(r"^(?:off|so it rings|to go off|to ring|set) (?=for|at|to|in)", "", rest)
    span = re.fullmatch(rf"(?:for|in|of) (?:about )?({SPAN})(?: from now)?", rest)
    when, left = find_when(f"in {span[1]}" if span else rest, now, bare=True)
    if middle:
        early = read_when(middle, now)
        if early:
            when, left = early, rest
    label = (
        re.sub(r"^(?:called|named|labell?ed|to|for|so (?:that )?i can) ", "", left)
        if left != rest or middle
        else left
    )
    moment = resolve(when, now, early=True, wake=wake)
    if moment:
        wanted = label if label != left or not left else ""
        if left and not wanted and not middle:
            return None
        if middle and when != read_when(middle, now):
            wanted = wanted or middle
        return Call("alarm", {"at": iso(moment), **labelled(wanted)})
    if not rest and (wake or middle == "") and not (text.startswith("alarm") and text != "alarm"):
        return Call("alarm", {"at": ""})
    if when.day and not left:
        return Call("alarm", {"at": "", "day": when.day.isoformat()})
    return None


def _remind(text: str, now: datetime) -> Call | None:
    found = _CHANGE.fullmatch(text)
    if found:
        when = read_when(found["rest"], now)
        tool = "alarm" if found["kind"] == "alarm" else "remind"
        return _changed(tool, when, now) if when else None
    for pattern in _REMIND:
        found = pattern.fullmatch(text)
        if found:
            noun = pattern is not _REMIND[0] and "forget" not in text[:30]
            return _reminder(found["rest"].strip(" ,:"), now, noun)
    found = _REMIND_LATE.fullmatch(text)
    if found and read_when(found["when"], now):
        return _reminder(f"{found['rest'].strip()} {found['when']}", now)
    return None


def _changed(tool: str, when: When, now: datetime) -> Call | None:
    """The newest one at another time; what is not said of its time stays."""
    moment = resolve(when, now, early=tool == "alarm")
    keep = {}
    if when.day and not moment:
        moment, keep = datetime.combine(when.day, now.timetz()), {"keep": "time"}
    elif when.clock and not when.day and not when.span and tool == "remind":
        moment, keep = resolve(replace(when, day=now.date() + timedelta(1)), now), {"keep": "day"}
    return Call(tool, {"at": iso(moment), "replace": True, **keep}) if moment else None


def _reminder(rest: str, now: datetime, noun: bool = False) -> Call | None:
    """``noun``: it is a reminder's name that was given rather than what to do."""
    if _NO_REMINDER.match(rest):
        return None
    if _REPEAT.search(rest):
        return Call("remind", {"at": "", "about": "", "repeat": True})
    rest = re.sub(r"[, ]+(?:later|sometime|soon|at some point)(?= to\b|$)|^(?:later|please) ", "", rest)
    rest = re.sub(r"^(?:for|at) (?=(?:\d|noon|midnight|half|quarter))", "at ", rest)
    when, about = find_when(rest, now)
    about = re.sub(r"^(?:and|saying|called|that says|:) ", "", about).strip(" ,:")
    lead = re.match(r"(to|about|of|for|that|on|the) ", about)
    if re.match(r"(?:to )?(?:when|if|once|as soon as) i\b", about):
        return None
    known = resolve(when, now) is not None or when.day is not None
    if lead and lead[1] == "of" and not known:
        return None
    if not lead and about and not known:
        return None
    if noun and about and not lead:
        about = f"about {about}"
    if lead and lead[1] in ("to", "of", "for", "on"):
        about = about[lead.end() :] if lead[1] == "to" else f"about {about[lead.end() :]}"
    if about in ("it", "that", "about it", "about that", "me", "to"):
        return None
    return _with_time("remind", {"about": about.strip()}, when, now)


def _with_time(tool: str, kept: dict[str, Any], when: When, now: datetime) -> Call:
    moment = resolve(when, now, early=tool == "alarm")
    if moment:
        return Call(tool, {"at": iso(moment), **kept})
    return Call(tool, {"at": "", **({"day": when.day.isoformat()} if when.day else {}), **kept})


def _ask(text: str, now: datetime) -> Call | None:
    for pattern in _TIMER_LEFT:
        found = pattern.fullmatch(text)
        if found:
            label = found.groupdict().get("label")
            return Call("timers", {"what": "left", **labelled(_without_span(label))})
    if _TIMER_LIST.fullmatch(text):
        return Call("timers", {"what": "list"})
    day_said = re.search(rf" (?:for|on) (today|tomorrow|{WEEKDAY})$", text)
    if _ALARM_LIST.fullmatch(text[: day_said.start()] if day_said else text):
        day = date_of(day_said[1], now.date()) if day_said else None
        on = {"day": day.isoformat()} if day else {}
        return Call("alarms", {"what": "next" if " next " in text else "list", "kind": "alarm", **on})
    for pattern in _REMINDER_LIST:
        found = pattern.fullmatch(text)
        if found:
            groups = found.groupdict()
            day = date_of(groups["day"], now.date()) if groups.get("day") else None
            arguments: dict[str, Any] = {"what": "next" if groups.get("next") else "list"}
            arguments["kind"] = "" if "alarm" in text or "coming up" in text else "reminder"
            if day:
                arguments["day"] = day.isoformat()
            return Call("alarms", {**arguments, **labelled(groups.get("about"))})
    return None


def _cancel(text: str, now: datetime) -> Call | None:
    for pattern in _CANCEL:
        found = pattern.fullmatch(text)
        if not found:
            continue
        label, rest, kind = (found["label"] or "").strip(), found["rest"] or "", found["kind"]
        arguments: dict[str, Any] = {"kind": kind}
        if found["all"] or (found["many"] and not label and not rest):
            return Call("cancel", {**arguments, "which": "all"})
        if label in ("last", "latest", "newest", "most recent", "new") or (
            found["the"] in ("that", "this") and not label
        ):
            return Call("cancel", {**arguments, "which": "newest"})
        for words in filter(None, (label, rest)):
            seconds = seconds_of(words) if kind == "timer" else 0
            when = read_when(words, now) if not seconds else None
            moment = resolve(when, now, early=kind == "alarm") if when else None
            if seconds:
                arguments["seconds"] = seconds
            elif moment:
                arguments["at"] = iso(moment)
            elif not when:
                arguments["label"] = re.sub(r"^(?:the|my) ", "", words)
        return Call("cancel", arguments)
    return None


def _without_span(label: str | None) -> str:
    return re.sub(r"^(?:other|current|running) ?", "", label or "")
