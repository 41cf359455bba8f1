"""Tools for timers, alarms and reminders, and what these say when they are due."""

from datetime import UTC, datetime, timedelta

from engine.background.store import Alarm
from engine.background.tools.saying import (
    aware,
    clock,
    count,
    joined,
    proper,
    sentence,
    span,
    to_you,
    when,
    words_of,
)
from engine.background.tools.tool import Arguments, Tool, ToolContext, ToolError, ToolResult, schema

MAX_TIMER_S = 7 * 86_400
MAX_AHEAD = timedelta(days=366 * 10)
LATE_S = 60
_NOUN_STARTS = ("the ", "my ", "a ", "an ", "our ", "his ", "her ", "your ", "their ", "this ", "that ")


def alarm_words(alarm: Alarm, now: datetime) -> str:
    """What is said when ``alarm`` is due, in one sentence or two; one that is over a minute late says so.

    ``now`` has the user's zone.
    """
    late = (now.astimezone(UTC) - alarm.due).total_seconds()
    ago = span(late // 60 * 60) if late >= LATE_S else ""
    due = alarm.due.astimezone(now.tzinfo)
    if alarm.kind == "timer":
        name = f"your {_length(alarm.duration_s)}{f' {alarm.label}' if alarm.label else ''} timer"
        return sentence(f"{name} was done {ago} ago" if ago else f"{name} is done")
    if alarm.kind == "alarm":
        label = f": {to_you(proper(alarm.label))}" if alarm.label else ""
        if ago:
            return sentence(f"I'm late: your alarm was set for {when(due, now)}, {ago} ago{label}")
        return " ".join((sentence(f"it's {clock(due)}"), sentence(f"this is your alarm{label}")))
    about = _about(to_you(proper(alarm.label))).removeprefix("about ")
    what = f"remember {about}" if about else "you asked me to remind you now"
    if ago:
        return sentence(f"I'm late: this was for {when(due, now)}, {ago} ago: {what}")
    return sentence(f"It's {clock(due)}: {what}")


def _timer(arguments: Arguments, context: ToolContext) -> ToolResult:
    now, store = context.now, context.store
    seconds = _seconds(arguments.get("seconds") or 0)
    label = words_of(arguments, "label")
    if not seconds:
        return ToolResult("For how long should I set the timer?", {"needs": "seconds"})
    if not 1 <= seconds <= MAX_TIMER_S:
        raise ToolError("A timer can be set for between 1 second and 7 days.")
    length = timedelta(seconds=seconds)
    old = store.newest_alarm("timer") if arguments.get("replace") else None
    if old:
        # A corrected timer counts from when it was first asked for.
        due = old.created + length if old.created + length > now else now + length
        changed = store.change_alarm(old.id, due=due, label=label or None, duration_s=seconds)
        if changed:
            said = f"{_timer_name(changed)} changed to {span(seconds)}"
            return ToolResult(sentence(said), {"id": changed.id, "due": _iso(due, now)})
    made = store.add_alarm("timer", label, now + length, now, seconds)
    said = f"{_timer_name(made)} set for {span(seconds)}"
    return ToolResult(sentence(said), {"id": made.id, "due": _iso(made.due, now)})


def _timers(arguments: Arguments, context: ToolContext) -> ToolResult:
    label = words_of(arguments, "label")
    running = context.store.alarms("timer")
    found = _with_label(running, label)
    if not running:
        return ToolResult("You have no timers.", {"count": 0})
    if label and not found:
        return ToolResult(sentence(f"you have no {label} timer"), {"count": 0})
    data = {"count": len(found)}
    if len(found) == 1:
        (one,) = found
        left = _left(one, context.now)
        if arguments.get("what") == "list":
            said = (
                f"you have a {_length(one.duration_s)} {f'{one.label} ' if one.label else ''}timer"
                f" with {left}"
            )
        else:
            said = f"your {f'{one.label} ' if one.label else ''}timer has {left}"
        return ToolResult(sentence(said), data)
    parts = [
        f"{f'{one.label}, ' if one.label else ''}{_length(one.duration_s)}, with {_left(one, context.now)}"
        for one in found
    ]
    return ToolResult(sentence(f"you have {len(found)} timers: {'; '.join(parts)}"), data)


def _more_time(arguments: Arguments, context: ToolContext) -> ToolResult:
    now, store = context.now, context.store
    seconds = _seconds(arguments.get("seconds") or 0)
    found = _with_label(store.alarms("timer"), words_of(arguments, "label"))
    newest = max(found, key=lambda alarm: alarm.id, default=None)
    if newest is None:
        raise ToolError("There is no timer running.")
    due = max(newest.due, now.astimezone(UTC)) + timedelta(seconds=seconds)
    if due <= now or abs(seconds) > MAX_TIMER_S or (due - now).total_seconds() > MAX_TIMER_S:
        raise ToolError("That would leave the timer with less than nothing, or with more than 7 days.")
    store.change_alarm(newest.id, due=due, duration_s=max(newest.duration_s + seconds, 1))
    left = span((due - now.astimezone(UTC)).total_seconds())
    word = "added" if seconds > 0 else "taken off"
    said = (
        f"{span(abs(seconds))} {word}: your {f'{newest.label} ' if newest.label else ''}timer has {left} left"
    )
    return ToolResult(sentence(said), {"id": newest.id, "due": _iso(due, now)})


def _alarm(arguments: Arguments, context: ToolContext) -> ToolResult:
    return _set("alarm", words_of(arguments, "label"), arguments, context)


def _remind(arguments: Arguments, context: ToolContext) -> ToolResult:
    return _set("reminder", words_of(arguments, "about"), arguments, context)


def _set(kind: str, label: str, arguments: Arguments, context: ToolContext) -> ToolResult:
    now, store = context.now, context.store
    label = label.strip()
    if arguments.get("repeat"):
        raise ToolError(f"I can't repeat {kind}s yet. I can set one for a single time.")
    old = store.newest_alarm(kind) if arguments.get("replace") else None
    if not arguments.get("at") and not (old and label):
        day = aware(arguments.get("day", ""), now)
        at = f" {_day_words(day, now)}" if day else ""
        about = f" {_about(to_you(label))}" if label else ""
        asked = f"remind you{about}{at}" if kind == "reminder" else f"wake you{at}"
        return ToolResult(f"{'At what time' if day else 'When'} should I {asked}?", {"needs": "at"})
    due = aware(arguments["at"], now) if arguments.get("at") else None
    if old and arguments.get("keep") in ("day", "time") and due:
        before = old.due.astimezone(now.tzinfo)
        if arguments["keep"] == "day":
            due = datetime.combine(before.date(), due.time(), now.tzinfo)
        else:
            due = datetime.combine(due.date(), before.time(), now.tzinfo)
        due = due.astimezone(UTC).astimezone(now.tzinfo)
    if arguments.get("at") and due is None:
        raise ToolError("I didn't understand that time.")
    if due and due <= now:
        raise ToolError(f"That time, {when(due, now)}, has already passed.")
    if due and due - now > MAX_AHEAD:
        raise ToolError("That is too far away for me.")
    changed = store.change_alarm(old.id, due=due, label=label or None) if old else None
    if changed is None:
        if due is None:
            raise ToolError(f"There is no {kind} to change.")
        changed = store.add_alarm(kind, label, due, now)
    said = _said(changed, now)
    return ToolResult(sentence(said), {"id": changed.id, "due": _iso(changed.due, now)})


def _said(alarm: Alarm, now: datetime) -> str:
    local = alarm.due.astimezone(now.tzinfo)
    # To 5 seconds: a moment has passed since it was asked for.
    left = round((alarm.due - now.astimezone(UTC)).total_seconds() / 5) * 5
    at = when(local, now)
    if left < 3_600:
        at = f"in {span(left)}, at {clock(local)}"
    if alarm.kind == "alarm":
        at = f"{clock(local)}, in {span(left)}" if left < 3_600 else at.removeprefix("on ")
        return f"alarm set for {at}{f': {to_you(proper(alarm.label))}' if alarm.label else ''}"
    return f"I'll remind you {_about(to_you(proper(alarm.label)))} {at}".replace("  ", " ")


def _alarms(arguments: Arguments, context: ToolContext) -> ToolResult:
    now = context.now
    kind = words_of(arguments, "kind")
    kinds = (kind,) if kind in ("alarm", "reminder") else ("alarm", "reminder")
    found = _with_label(context.store.alarms(*kinds), words_of(arguments, "label"))
    day = aware(arguments["day"], now) if arguments.get("day") else None
    if day:
        found = tuple(one for one in found if one.due.astimezone(now.tzinfo).date() == day.date())
    name = kind if kind in ("alarm", "reminder") else "alarm or reminder"
    if not found:
        on = f" {_day_words(day, now)}" if day else ""
        about = f" about {arguments['label']}" if arguments.get("label") else ""
        return ToolResult(sentence(f"you have no {name.replace(' or ', 's or ')}s{about}{on}"), {"count": 0})
    if arguments.get("what") == "next":
        found = found[:1]
    parts = [_listed(one, now, len(kinds) > 1) for one in found[:10]]
    more = f", and {len(found) - 10} more" if len(found) > 10 else ""
    if len(found) == 1:
        one = found[0]
        label = f": {to_you(proper(one.label))}" if one.label else ""
        at = when(one.due, now)
        next_one = "next " if arguments.get("what") == "next" else ""
        said = (
            f"your {next_one}alarm is set for {at.removeprefix('on ')}{label}"
            if one.kind == "alarm"
            else f"your {next_one}reminder is {_about(to_you(proper(one.label)))} {at}"
        )
        return ToolResult(sentence(said), {"count": 1})
    names = f"{name}s" if len(kinds) == 1 else "alarms and reminders"
    said = f"you have {len(found)} {names}: {'; '.join(parts)}{more}"
    return ToolResult(sentence(said), {"count": len(found)})


def _cancel(arguments: Arguments, context: ToolContext) -> ToolResult:
    now, store = context.now, context.store
    kind = words_of(arguments, "kind")
    kinds = (kind,) if kind in ("timer", "alarm", "reminder") else ()
    name = kind or "timer, alarm or reminder"
    found = store.alarms(*kinds)
    label, at = words_of(arguments, "label"), aware(arguments.get("at", ""), now)
    if label:
        found = _with_label(found, label)
    if at:
        found = tuple(one for one in found if abs((one.due - at.astimezone(UTC)).total_seconds()) < 60)
    if arguments.get("seconds"):
        found = tuple(one for one in found if one.duration_s == _seconds(arguments["seconds"]))
    if not found:
        return ToolResult(
            f"There is no such {name} to cancel." if label or at else f"There is no {name} to cancel."
        )
    which = arguments.get("which", "")
    if which == "newest":
        found = (max(found, key=lambda one: one.id),)
    elif which != "all" and len(found) > 1:
        return ToolResult(
            sentence(f"you have {count(len(found), kind or 'of them')}: {_names(found, now)}. Which one?")
        )
    store.cancel(*(one.id for one in found))
    if len(found) == 1:
        return ToolResult(sentence(f"cancelled: {_listed(found[0], now, many=True)}"), {"count": 1})
    return ToolResult(sentence(f"cancelled all {len(found)}: {_names(found, now)}"), {"count": len(found)})


def _names(found: tuple[Alarm, ...], now: datetime) -> str:
    return "; ".join(_listed(one, now, many=True) for one in found[:10])


def _listed(alarm: Alarm, now: datetime, many: bool) -> str:
    if alarm.kind == "timer":
        return f"the {_length(alarm.duration_s)} {f'{alarm.label} ' if alarm.label else ''}timer"
    label = to_you(proper(alarm.label))
    if alarm.kind == "alarm":
        return f"{'the alarm ' if many else ''}{when(alarm.due, now)}{f': {label}' if label else ''}"
    return f"{'the reminder ' if many else ''}{_about(label)} {when(alarm.due, now)}"


def _about(label: str) -> str:
    """ "call mom" is "to call mom", "the dentist" is "about the dentist"."""
    if not label or label.startswith(("to ", "about ", "that ")):
        return label
    return ("about " if label.startswith(_NOUN_STARTS) else "to ") + label


def _day_words(day: datetime, now: datetime) -> str:
    return when(day.replace(hour=12), now).rsplit(" at ", 1)[0]


def _timer_name(timer: Alarm) -> str:
    return f"{timer.label} timer" if timer.label else "timer"


def _length(seconds: float) -> str:
    """How a timer is called by its length: "10 minute", "1 hour and 30 minute"."""
    return joined([part.rstrip("s") for part in span(seconds).split(" and ")]).replace("s,", ",")


def _left(timer: Alarm, now: datetime) -> str:
    left = (timer.due - now.astimezone(UTC)).total_seconds()
    return f"{span(left)} left" if left > 0 else "run out"


def _with_label(alarms: tuple[Alarm, ...], label: str) -> tuple[Alarm, ...]:
    """Those whose label has all these words, whatever their endings; also a timer by its length."""
    words = [_stem(word) for word in label.lower().split() if word not in ("the", "my", "a", "to", "about")]
    return tuple(
        one
        for one in alarms
        if {*words} <= {_stem(word) for word in f"{one.label.lower()} {_length(one.duration_s)}".split()}
    )


def _stem(word: str) -> str:
    word = word.strip(".,'\"").removesuffix("'s")
    return word[:-1] if word.endswith("s") and len(word) > 3 else word


def _seconds(value: object) -> float:
    try:
        seconds = float(str(value))
    except ValueError:
        raise ToolError("I didn't understand how long.") from None
    if seconds != seconds or abs(seconds) > 1e9:
        raise ToolError("That is too long for a timer.")
    return seconds


def _iso(moment: datetime, now: datetime) -> str:
    return moment.astimezone(now.tzinfo).isoformat(timespec="seconds")


_TEXT = {"type": "string"}
_REPLACE = {"type": "boolean", "description": "change the newest one instead of adding one"}
_AT = {"type": "string", "description": "local time, ISO 8601"}
_KEEP = {"type": "string", "enum": ["day", "time"], "description": "of the one that is changed"}
_KIND = {"type": "string", "enum": ["timer", "alarm", "reminder", ""]}
TIMER = Tool(
    "timer",
    "Set a countdown timer.",
    schema(("seconds",), seconds={"type": "number", "minimum": 1}, label=_TEXT, replace=_REPLACE),
    _timer,
    changes=True,
)
TIMERS = Tool(
    "timers",
    "How much time is left on the timers.",
    schema(what={"type": "string", "enum": ["left", "list"]}, label=_TEXT),
    _timers,
)
MORE_TIME = Tool(
    "more_time",
    "Add seconds to the newest timer, or take some off.",
    schema(("seconds",), seconds={"type": "number"}, label=_TEXT),
    _more_time,
    changes=True,
)
ALARM = Tool(
    "alarm",
    "Set an alarm for a time of day.",
    schema(
        ("at",),
        at=_AT,
        label=_TEXT,
        replace=_REPLACE,
        keep=_KEEP,
        day={"type": "string", "description": "ISO date, when the time is not known"},
        repeat={"type": "boolean", "description": "asked for again and again, which is declined"},
    ),
    _alarm,
    changes=True,
)
REMIND = Tool(
    "remind",
    "Remind the user of something at a time.",
    schema(
        ("at", "about"),
        at=_AT,
        about={"type": "string", "description": 'what to do, such as "call mom"'},
        replace=_REPLACE,
        keep=_KEEP,
        day={"type": "string", "description": "ISO date, when the time is not known"},
        repeat={"type": "boolean", "description": "asked for again and again, which is declined"},
    ),
    _remind,
    changes=True,
)
ALARMS = Tool(
    "alarms",
    "Tell which alarms and reminders are set.",
    schema(
        what={"type": "string", "enum": ["list", "next"]},
        kind={"type": "string", "enum": ["alarm", "reminder", ""]},
        label=_TEXT,
        day={"type": "string", "description": "ISO date"},
    ),
    _alarms,
)
CANCEL = Tool(
    "cancel",
    "Cancel timers, alarms or reminders.",
    schema(
        kind=_KIND,
        which={"type": "string", "enum": ["", "newest", "all"]},
        label=_TEXT,
        at=_AT,
        seconds={"type": "number", "description": "length of the timer"},
    ),
    _cancel,
    changes=True,
)
