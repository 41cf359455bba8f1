"""What the tools for time, timers, notes, lists and facts do and say."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from engine.background.store import Store
from engine.background.tools.saying import clock, day, joined, near_day, ordinal, span, to_you, when
from engine.background.tools.timers import alarm_words
from engine.background.tools.tool import ToolContext, ToolError
from engine.background.understanding.planner import PLANNING

LONDON = ZoneInfo("Europe/London")
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=LONDON)
TOOLS = {tool.name: tool for domain in PLANNING for tool in domain.tools}


@pytest.fixture
def store():
    made = Store(None)
    yield made
    made.close()


def say(store, tool, /, now=NOW, **arguments):
    return TOOLS[tool].run(arguments, ToolContext(now, store)).say


def test_every_tool_that_writes_says_so():
    changing = {name for name, tool in TOOLS.items() if tool.changes}
    assert changing == set(
        "timer more_time alarm remind cancel note delete_note list remember forget".split()
    )
    assert all(not tool.online and tool.parameters["type"] == "object" for tool in TOOLS.values())


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 seconds"),
        (1, "1 second"),
        (90, "1 minute and 30 seconds"),
        (600, "10 minutes"),
        (5400, "1 hour and 30 minutes"),
        (3665, "1 hour, 1 minute and 5 seconds"),
        (86_400, "1 day"),
        (-5, "0 seconds"),
    ],
)
def test_spans(seconds, words):
    assert span(seconds) == words


def test_words_for_times_and_days():
    assert [clock(NOW.replace(hour=h, minute=m)) for h, m in ((0, 0), (0, 5), (9, 30), (12, 0), (17, 0))] == [
        *("midnight", "12:05 a.m.", "9:30 a.m.", "noon", "5 p.m.")
    ]
    assert [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 22, 23, 31, 111)] == (
        "1st 2nd 3rd 4th 11th 12th 13th 21st 22nd 23rd 31st 111th".split()
    )
    assert joined(["milk"]) == "milk"
    assert joined(["a", "b", "c"]) == "a, b and c"
    assert to_you("call my mom and tell her i'm late") == "call your mom and tell her you're late"
    today = NOW.date()
    assert [near_day(today + timedelta(n), today) for n in (-1, 0, 1, 3, 7)] == [
        *("yesterday", "today", "tomorrow", "on Thursday", "on Monday, November 30th")
    ]
    assert day(datetime(2027, 1, 1).date(), today) == "Friday, January 1st, 2027"  # noqa: DTZ001
    assert when(NOW.replace(hour=0) + timedelta(1), NOW) == "tonight at midnight"


def test_time(store):
    assert say(store, "time") == "It's 10 a.m."
    assert say(store, "time", place="Tokyo") == "It's 7 p.m. in Tokyo."
    assert say(store, "time", place="kathmandu") == "It's 3:45 p.m. in Kathmandu."
    evening = NOW.replace(hour=20)
    assert say(store, "time", now=evening, place="Tokyo") == "It's 5 a.m. tomorrow in Tokyo."
    assert say(store, "time", at="2026-11-23T17:00", place="Tokyo") == (
        "At 5 p.m., it's 2 a.m. in Tokyo the next day."
    )
    assert say(store, "time", at="2026-11-23T09:00", other="New York") == (
        "At 9 a.m. in New York, it's 2 p.m. here."
    )
    assert say(store, "time", what="difference", place="Tokyo") == "Tokyo is 9 hours ahead of your time."
    assert say(store, "time", what="difference", place="Paris", other="Berlin") == (
        "Paris and Berlin have the same time."
    )
    with pytest.raises(ToolError, match="don't know what time"):
        say(store, "time", place="xyzzy plugh")
    with pytest.raises(ToolError, match="that time"):
        say(store, "time", at="soon")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"what": "today"}, "Today is Monday, November 23rd."),
        ({"what": "today", "unit": "year"}, "It's 2026."),
        ({"what": "today", "unit": "month"}, "It's November 2026."),
        ({"what": "today", "unit": "week"}, "It's week 48."),
        ({"what": "weekday", "date": "2026-12-25"}, "December 25th is a Friday."),
        ({"what": "weekday", "date": "1969-07-20"}, "July 20th, 1969 was a Sunday."),
        (
            {"what": "when", "date": "2027-03-28", "name": "easter"},
            "Easter is Sunday, March 28th, 2027.",
        ),
        ({"what": "until", "to": "2026-12-25"}, "32 days until Friday, December 25th."),
        (
            {"what": "until", "to": "2026-12-25", "unit": "weeks"},
            "4 weeks and 4 days until Friday, December 25th.",
        ),
        ({"what": "until", "to": "2026-11-23"}, "That's today."),
        ({"what": "until", "to": "2026-11-20"}, "Friday, November 20th was 3 days ago."),
        ({"what": "until", "to": "2026-11-23T17:30"}, "7 hours and 30 minutes until 5:30 p.m."),
        (
            {"what": "difference", "from": "2027-03-01", "to": "2027-04-15"},
            "There are 45 days between Monday, March 1st, 2027 and Thursday, April 15th, 2027.",
        ),
        (
            {"what": "add", "from": "2027-01-31", "amount": 1, "unit": "months"},
            "1 month from January 31st is Sunday, February 28th, 2027.",
        ),
        (
            {"what": "add", "from": "2028-02-29", "amount": -1, "unit": "years"},
            "1 year before February 29th is Sunday, February 28th, 2027.",
        ),
        ({"what": "add", "amount": 3, "unit": "weeks"}, "3 weeks from today is Monday, December 14th."),
        ({"what": "leap", "year": 2100}, "No, 2100 is not a leap year."),
        ({"what": "month", "date": "2028-02-01"}, "February 2028 has 29 days."),
    ],
)
def test_date(store, arguments, words):
    assert say(store, "date", **arguments) == words


def test_hours_across_a_change_of_the_clocks(store):
    # In the night to 29 March 2026 an hour is left out, in the night to 25 October one comes twice.
    spring = datetime(2026, 3, 28, 22, 0, tzinfo=LONDON)
    autumn = datetime(2026, 10, 24, 22, 0, tzinfo=LONDON)
    assert say(store, "date", now=spring, what="until", to="2026-03-29T06:00", unit="hours").startswith(
        "7 hours"
    )
    assert say(store, "date", now=autumn, what="until", to="2026-10-25T06:00", unit="hours").startswith(
        "9 hours"
    )


def test_days_until_the_birthday_that_was_told(store):
    with pytest.raises(ToolError, match="haven't told me"):
        say(store, "date", what="until", fact="birthday")
    say(store, "remember", key="birthday", value="december 3rd, 1990")
    assert say(store, "date", what="until", fact="birthday") == "10 days until Thursday, December 3rd."


@pytest.mark.parametrize(
    "arguments",
    [
        {"what": "weekday", "date": "2026-02-30"},
        {"what": "weekday"},
        {"what": "add", "amount": 10**9, "unit": "days"},
        {"what": "add", "amount": 999_999, "unit": "years"},
        {"what": "add", "amount": "many", "unit": "days"},
        {"what": "add", "amount": float("inf"), "unit": "days"},
        {"what": "add", "amount": 1, "unit": "moons"},
        {"what": "leap", "year": 123456},
        {"what": "until", "to": "T"},
        {"what": "difference", "from": "x", "to": "y"},
    ],
)
def test_bad_dates_are_declined(store, arguments):
    with pytest.raises(ToolError):
        say(store, "date", **arguments)


def test_timers(store):
    assert say(store, "timer") == "For how long should I set the timer?"
    assert say(store, "timer", seconds=600) == "Timer set for 10 minutes."
    assert say(store, "timer", seconds=900, replace=True) == "Timer changed to 15 minutes."
    assert [alarm.due for alarm in store.alarms()] == [NOW + timedelta(minutes=15)]
    assert say(store, "timer", seconds=300, label="eggs") == "Eggs timer set for 5 minutes."
    later = NOW + timedelta(minutes=2)
    assert say(store, "timers", now=later, label="egg") == "Your eggs timer has 3 minutes left."
    assert say(store, "timers", now=later, what="list") == (
        "You have 2 timers: eggs, 5 minute, with 3 minutes left; 15 minute, with 13 minutes left."
    )
    assert say(store, "more_time", now=later, seconds=60) == (
        "1 minute added: your eggs timer has 4 minutes left."
    )
    assert "Which one?" in say(store, "cancel", kind="timer")
    assert say(store, "cancel", kind="timer", label="egg") == "Cancelled: the 6 minute eggs timer."
    assert say(store, "cancel", kind="timer", which="newest") == "Cancelled: the 15 minute timer."
    assert say(store, "cancel", kind="timer") == "There is no timer to cancel."
    assert say(store, "timers") == "You have no timers."
    # Nothing to replace: a new one.
    assert say(store, "timer", seconds=60, replace=True) == "Timer set for 1 minute."


@pytest.mark.parametrize("seconds", [-5, 0.2, 10**7, "abc", float("nan"), 1e300])
def test_timers_of_no_sensible_length_are_declined(store, seconds):
    with pytest.raises(ToolError):
        say(store, "timer", seconds=seconds)
    assert store.alarms() == ()


def test_a_timer_cannot_be_shortened_to_nothing(store):
    with pytest.raises(ToolError, match="no timer"):
        say(store, "more_time", seconds=60)
    say(store, "timer", seconds=60)
    with pytest.raises(ToolError):
        say(store, "more_time", seconds=-60)


def test_reminders(store):
    assert say(store, "remind", about="call my mom") == "When should I remind you to call your mom?"
    assert say(store, "remind", about="call my mom", day="2026-11-24", at="") == (
        "At what time should I remind you to call your mom tomorrow?"
    )
    assert say(store, "remind", at="2026-11-24T17:00", about="call my mom") == (
        "I'll remind you to call your mom tomorrow at 5 p.m."
    )
    assert say(store, "remind", at="2026-11-26T17:00", replace=True) == (
        "I'll remind you to call your mom on Thursday at 5 p.m."
    )
    assert say(store, "remind", at="2026-11-23T18:00", replace=True, keep="day") == (
        "I'll remind you to call your mom on Thursday at 6 p.m."
    )
    assert say(store, "remind", at="2026-11-27T00:00", replace=True, keep="time") == (
        "I'll remind you to call your mom on Friday at 6 p.m."
    )
    assert say(store, "remind", at="2026-12-03T09:15", about="the dentist") == (
        "I'll remind you about the dentist on Thursday, December 3rd at 9:15 a.m."
    )
    assert say(store, "alarms", kind="reminder") == (
        "You have 2 reminders: to call your mom on Friday at 6 p.m.; "
        "about the dentist on Thursday, December 3rd at 9:15 a.m."
    )
    assert say(store, "alarms", kind="reminder", day="2026-11-27") == (
        "Your reminder is to call your mom on Friday at 6 p.m."
    )
    assert say(store, "alarms", kind="reminder", day="2026-11-28") == "You have no reminders on Saturday."
    assert say(store, "alarms", kind="alarm") == "You have no alarms."
    assert say(store, "cancel", kind="reminder", label="dentist").startswith("Cancelled: the reminder about")
    assert len(store.alarms("reminder")) == 1


def test_alarms(store):
    assert say(store, "alarm", at="2026-11-24T07:00:00+00:00") == "Alarm set for tomorrow at 7 a.m."
    assert say(store, "alarm", at="2026-11-24T00:00") == "Alarm set for tonight at midnight."
    assert say(store, "alarm", at="2026-11-23T10:20", replace=True) == (
        "Alarm set for 10:20 a.m., in 20 minutes."
    )
    # The moment between understanding and setting is not heard.
    assert say(store, "alarm", now=NOW + timedelta(seconds=1), at="2026-11-23T10:20", replace=True) == (
        "Alarm set for 10:20 a.m., in 20 minutes."
    )
    assert say(store, "cancel", kind="alarm", at="2026-11-24T07:00") == (
        "Cancelled: the alarm tomorrow at 7 a.m."
    )
    assert say(store, "cancel", kind="alarm", which="all") == "Cancelled: the alarm today at 10:20 a.m."


@pytest.mark.parametrize(
    ("at", "why"),
    [("2026-11-23T09:00", "already passed"), ("2099-01-01T00:00", "too far"), ("at noon", "understand")],
)
def test_impossible_times_are_declined(store, at, why):
    for tool in ("alarm", "remind"):
        with pytest.raises(ToolError, match=why):
            say(store, tool, at=at, about="x")
    assert store.alarms() == ()


def test_repeated_alarms_are_declined(store):
    with pytest.raises(ToolError, match="repeat"):
        say(store, "alarm", at="", repeat=True)


def due(store, kind, label="", seconds=0, after=timedelta(hours=7)):
    return store.add_alarm(kind, label, NOW + after, NOW, seconds)


def test_what_is_said_when_it_is_due(store):
    at = NOW.replace(hour=17)
    timer = due(store, "timer", seconds=600)
    assert alarm_words(timer, at) == "Your 10 minute timer is done."
    assert alarm_words(due(store, "timer", "eggs", 300), at) == "Your 5 minute eggs timer is done."
    assert alarm_words(due(store, "timer", "", 5400), at) == "Your 1 hour and 30 minute timer is done."
    assert alarm_words(timer, at + timedelta(minutes=5, seconds=7)) == (
        "Your 10 minute timer was done 5 minutes ago."
    )
    alarm = due(store, "alarm")
    assert alarm_words(alarm, at) == "It's 5 p.m. This is your alarm."
    assert alarm_words(alarm, at + timedelta(hours=2)) == (
        "I'm late: your alarm was set for today at 5 p.m., 2 hours ago."
    )
    mom = due(store, "reminder", "call my mom")
    assert alarm_words(mom, at) == "It's 5 p.m.: remember to call your mom."
    assert alarm_words(mom, at + timedelta(days=1)) == (
        "I'm late: this was for yesterday at 5 p.m., 1 day ago: remember to call your mom."
    )
    assert (
        alarm_words(due(store, "reminder", "about the dentist"), at) == "It's 5 p.m.: remember the dentist."
    )
    assert alarm_words(due(store, "reminder", "that it rains"), at) == "It's 5 p.m.: remember that it rains."
    assert alarm_words(due(store, "reminder"), at) == "It's 5 p.m.: you asked me to remind you now."
    # In the user's zone, wherever the clock that asks is.
    assert "7 p.m" not in alarm_words(mom, at.astimezone(UTC))
    assert alarm_words(mom, at.astimezone(ZoneInfo("Europe/Athens"))).startswith("It's 7 p.m.")


def test_notes(store):
    assert say(store, "notes") == "You have no notes."
    assert say(store, "note") == "What should I note down?"
    assert say(store, "note", text="the car is parked on level 3") == "Noted: the car is parked on level 3."
    assert say(store, "note", text="level 4", replace=True, part=True) == (
        "Changed to: the car is parked on level 4."
    )
    assert (
        say(store, "note", text="5", replace=True, part=True) == "Changed to: the car is parked on level 5."
    )
    with pytest.raises(ToolError, match="what to change"):
        say(store, "note", text="chocolate", replace=True, part=True)
    assert say(store, "note", text="sam owes me 20 pounds") == "Noted: sam owes you 20 pounds."
    assert say(store, "notes", what="count") == "You have 2 notes."
    assert say(store, "notes", what="last") == "Your last note says: sam owes you 20 pounds."
    assert say(store, "notes", what="find", about="parking the car") == (
        "Your note says: the car is parked on level 5."
    )
    assert say(store, "notes", what="find", about="the moon") == "You have no notes about the moon."
    assert say(store, "notes").startswith("You have 2 notes. 1: the car")
    with pytest.raises(ToolError, match="which note"):
        say(store, "delete_note", which="7")
    assert say(store, "delete_note", about="sam") == "Deleted the note: sam owes you 20 pounds."
    assert say(store, "delete_note", which="newest").startswith("Deleted the note: the car")
    assert say(store, "delete_note", which="all") == "You have no notes."


def test_lists(store):
    assert say(store, "lists", what="read", name="shopping") == "Your shopping list is empty."
    assert say(store, "list", name="grocery", what="add", items=["milk", "eggs"]) == (
        "Your shopping list has milk and eggs."
    )
    assert say(store, "list", name="shopping", what="add", items=["egg"]) == (
        "Egg is already on your shopping list."
    )
    assert say(store, "list", name="shopping", what="add", items=["oat milk"], instead_of=["milk"]) == (
        "I put oat milk on your shopping list instead of milk."
    )
    assert store.items("shopping") == ("eggs", "oat milk")
    assert say(store, "lists", what="has", name="shopping", items=["eggs"]) == (
        "Yes, eggs are on your shopping list."
    )
    assert say(store, "lists", what="has", name="shopping", items=["salt"]) == (
        "No, salt is not on your shopping list."
    )
    assert say(store, "lists", what="count", name="") == "There are 2 things on your shopping list."
    assert say(store, "list", name="shopping", what="remove", items=["the egg", "jam"]) == (
        "I took eggs off your shopping list, but jam was not on it."
    )
    assert say(store, "list", name="shopping", what="remove", items=["jam"]) == (
        "Jam is not on your shopping list."
    )
    assert say(store, "lists", what="names") == "You have a shopping list."
    assert say(store, "list", name="shopping", what="clear") == "Your shopping list is empty now."
    assert say(store, "list", name="shopping", what="clear") == "Your shopping list was already empty."
    with pytest.raises(ToolError, match="at a time"):
        say(store, "list", name="shopping", what="add", items=[str(n) for n in range(99)])


def test_facts(store):
    assert say(store, "recall", key="name") == "You haven't told me your name."
    assert say(store, "recall") == "You haven't told me anything about yourself yet."
    assert say(store, "remember", key="name", value="Ada") == "I'll call you Ada."
    assert say(store, "recall", key="my name") == "Your name is Ada."
    say(store, "remember", key="favourite colour", value="green")
    assert say(store, "recall", key="favorite color") == "Your favorite color is green."
    assert say(store, "forget", key="name") == "I've forgotten your name."
    assert say(store, "forget", key="name") == "You haven't told me your name."
    say(store, "note", text="my locker code is 4411")
    assert say(store, "recall", key="locker code") == "Your note says: your locker code is 4411."
    with pytest.raises(ToolError):
        say(store, "remember", key="name", value="")


GARBAGE: list[object] = [None, "", "\0", "x" * 5000, -1, 1e308, [], {}, ["a", None], True, "2026-99-99T99:99"]


@pytest.mark.parametrize("value", GARBAGE)
def test_garbage_arguments_are_answered_or_declined(store, value):
    """A language model may give anything."""
    for tool in TOOLS.values():
        names = tool.parameters["properties"]
        for arguments in ({}, dict.fromkeys(names, value), *({name: value} for name in names)):
            try:
                result = tool.run(arguments, ToolContext(NOW, store))
            except ToolError as error:
                assert str(error)
            else:
                assert result.say
