"""Requests to count, to watch for something and to say something at a time, typed and recognised."""

import time
from datetime import UTC, datetime

import pytest

from engine.background.store import Store
from engine.background.tools.tool import ToolContext, ToolError
from engine.background.tools.watch import DECLINED, LONGEST_S, WATCH
from engine.background.understanding.call import Call
from engine.background.understanding.understand import Exchange, ends_watching, understand
from engine.decisions import COUNT, CUE, STANDING_TOKENS, TIME
from engine.standing import ANY, ELAPSED, from_detail
from engine.voice import clean_text

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def asked(text: str, *before: str) -> Call | None:
    """The call of ``text`` after other requests."""
    earlier: list[Exchange] = []
    for each in before:
        earlier.append(Exchange(each, understand(each, earlier, NOW)))
    return understand(text, earlier, NOW)


def watched(text: str, *before: str) -> dict[str, object]:
    """The arguments of the call, which has to be one of the tool ``watch``."""
    call = asked(text, *before)
    assert call is not None and call.tool == WATCH.name, call
    assert set(call.arguments) <= set(WATCH.parameters["properties"])
    return dict(call.arguments)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("Count my squats.", "squat"),
        ("Hey, could you, um, count my squats please?", "squat"),
        ("count my squads", "squat"),
        ("Count how many push-ups I do", "push-up"),
        ("count how many times I squat", "squat"),
        ("I want you to count my push ups", "push-up"),
        ("count my pushups out loud", "push-up"),
        ("count my press-ups", "push-up"),
        ("could you please count the repetitions", ANY),
        ("count my reps", ANY),
        ("count my burpees", ANY),
        ("start counting my jumping jacks", "jumping jack"),
        ("start counting my jumping jacks aloud", "jumping jack"),
        ("count the star jumps for me", "jumping jack"),
        ("would you mind counting my lunges", "lunge"),
        ("keep count of my sit-ups", "sit-up"),
        ("let's count biceps curls together", "biceps curl"),
        ("Can you count my high knees?", "high knees"),
        ("count my arm raises from now on", "arm raise"),
        ("I'm doing squats, count them", "squat"),
        ("I'm going to do 20 lunges, count with me", "lunge"),
        ("count while I do squats", "squat"),
        ("count with me", ANY),
        ("start counting", ANY),
        ("count aloud", ANY),
    ],
)
def test_counting(text: str, what: str) -> None:
    assert watched(text) == {"token": COUNT, "what": what}


@pytest.mark.parametrize(
    ("text", "what", "words"),
    [
        ("Tell me when I wave.", "wave", ""),
        ("tell me when I wave at you", "wave", ""),
        ("let me know when I raise my hand", "raise hand", ""),
        ("tell me when I put my hand up", "raise hand", ""),
        ("tell me when I give a thumbs up", "thumbs up", ""),
        ("tell me when I nod", "nod", ""),
        ("tell me whenever I shake my head", "shake head", ""),
        ("tell me when I slouch", "slouch", ""),
        ("tell me if I'm slouching", "slouch", ""),
        ("watch my posture", "slouch", ""),
        ("tell me when somebody comes in", "enter", ""),
        ("warn me as soon as someone's coming in", "enter", ""),
        ("when somebody comes in, tell me", "enter", ""),
        ("look out for somebody coming in", "enter", ""),
        ("tell me when my wife comes in", "enter", ""),
        ("let me know when I leave", "leave", ""),
        ("let me know once I have left the room", "leave", ""),
        ("tell me when nobody is there any more", "leave", ""),
        ("watch for a thumbs up", "thumbs up", ""),
        ("say hello when somebody enters", "enter", "hello"),
        ("whenever somebody enters the room say welcome", "enter", "welcome"),
        ("greet people who come in", "enter", "hello"),
        ('Say "good job" when I give a thumbs up', "thumbs up", "good job"),
        ("When I wave, say hi there", "wave", "hi there"),
        ("remind me to sit up straight whenever I'm slouching", "slouch", "sit up straight"),
        ("remind me when I'm slouching to sit up", "slouch", "sit up"),
        ("tell me to fix my back when I slouch", "slouch", "fix your back"),
    ],
)
def test_cues(text: str, what: str, words: str) -> None:
    assert watched(text) == {"token": CUE, "what": what, **({"words": words} if words else {})}


@pytest.mark.parametrize(
    ("text", "seconds", "words"),
    [
        ("tell me when twenty seconds are over", 20, ""),
        ("Tell me when 20 seconds have passed.", 20, ""),
        ("give me a shout in thirty seconds", 30, ""),
        ("let me know after 45 seconds", 45, ""),
        ("in ten seconds, tell me", 10, ""),
        ("say go in ten seconds", 10, "go"),
        ("in twenty seconds say stop", 20, "stop"),
        ("say switch after two minutes", 120, "switch"),
        ("tell me to breathe in 20 seconds", 20, "breathe"),
    ],
)
def test_a_time_that_comes_once(text: str, seconds: float, words: str) -> None:
    assert watched(text) == {"token": TIME, "seconds": seconds, **({"words": words} if words else {})}


@pytest.mark.parametrize(
    ("text", "seconds", "words"),
    [
        ("say ten every ten seconds", 10, "10"),
        ("every half minute say switch", 30, "switch"),
        ("say switch sides once a minute", 60, "switch sides"),
        ("remind me every thirty seconds to breathe", 30, "breathe"),
        ("every thirty seconds remind me to breathe", 30, "breathe"),
        ("remind me to move my feet every two minutes", 120, "move your feet"),
        ("every ten seconds say the time", 10, ELAPSED),
        ("say the time every 10 seconds", 10, ELAPSED),
        ("tell me the time every 30 seconds", 30, ELAPSED),
        ("tell me how long it has been every ten seconds", 10, ELAPSED),
        ("ping me every 20 seconds", 20, ELAPSED),
        ("every minute announce the time", 60, ELAPSED),
        ("say the time every ten minutes", 600, ELAPSED),  # declined by the tool
    ],
)
def test_a_time_again_and_again(text: str, seconds: float, words: str) -> None:
    said = {"what": ELAPSED} if words == ELAPSED else {"words": words}
    assert watched(text) == {"token": TIME, "seconds": seconds, "repeat": True, **said}


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("Stop counting.", COUNT),
        ("stop counting my squats now, please", COUNT),
        ("you can stop counting now", COUNT),
        ("don't count any more", COUNT),
        ("no more counting", COUNT),
        ("never mind the counting", COUNT),
        ("stop watching for that", CUE),
        ("stop telling me when I wave", CUE),
        ("don't tell me when I slouch any more", CUE),
        ("stop telling me the time", TIME),
        ("stop saying the time", TIME),
        ("stop watching", ""),
    ],
)
def test_taking_it_back(text: str, what: str) -> None:
    assert watched(text) == {"token": "stop", **({"what": what} if what else {})}


@pytest.mark.parametrize(
    ("text", "declined"),
    [
        ("stop me when I say um", "words"),
        ("correct me when I say Tuesday", "words"),
        ("tell me when I say like too often", "words"),
        ("count how many times I say like", "words"),
        ("wake me up if I'm silent for a minute", "silence"),
        ("say something if nobody speaks for ten seconds", "silence"),
        ("tell me when the red cup is gone", "thing"),
        ("let me know when my phone disappears", "thing"),
        ("tell me when I smile", "sign"),
        ("let me know when somebody stands up", "sign"),
        ("count how often I nod", "signs counted"),
        ("count my steps", "steps"),
        ("how many squats have I done so far?", "looked up"),
    ],
)
def test_what_cannot_be_done_yet_is_declined_in_one_sentence(text: str, declined: str) -> None:
    arguments = watched(text)
    assert arguments["declined"] == declined
    store = Store(None)
    with pytest.raises(ToolError, match=r"^[^.!?]*\bcan\b[^.!?]*\.$|as I count") as said:
        WATCH.run(arguments, ToolContext(NOW, store, jpeg=b"picture", standing=STANDING_TOKENS))
    assert str(said.value) == DECLINED[declined]
    store.close()


@pytest.mark.parametrize(
    ("text", "tool"),
    [
        ("set a timer for ten minutes", "timer"),
        ("set a timer for thirty seconds", "timer"),
        ("count for 30 seconds", "timer"),
        ("count down from ten seconds", "timer"),
        ("tell me when two minutes are over", "timer"),
        ("give me a shout in 2 minutes", "timer"),
        ("let me know in five minutes", "timer"),
        ("tell me in ten minutes", "timer"),
        ("remind me in ten minutes", "remind"),
        ("remind me in thirty seconds to breathe", "remind"),
        ("remind me every day to drink", "remind"),
        ("remind me every hour to drink water", "remind"),
        ("remind me to call mom when I get home", "remind"),
        ("wake me up in thirty seconds", "alarm"),
        ("stop the timer", "cancel"),
        ("what's the time", "time"),
        ("tell me the time", "time"),
        ("how many people do you see?", "look"),
        ("how many seconds are in an hour", "convert"),
        ("how many days until Christmas", "date"),
        *(
            (text, "")
            for text in (
                *("count", "count my money", "count to ten", "count down from ten", "can I count on you"),
                *("count me in", "count the letters in strawberry", "every second counts"),
                *("how many squats should I do", "what is a squat", "how do I do push-ups"),
                *("stop", "never mind", "stop the music", "stop watching TV", "watch out", "say cheese"),
                *(
                    "watch the movie with me",
                    "say hello",
                    "say that again",
                    "wave hello",
                    "who came in first",
                ),
                *("when I was young I waved a lot", "when did they leave", "when do I leave"),
                *(
                    "let me know when dinner is ready",
                    "tell me when the train leaves",
                    "tell me every detail",
                ),
                *("tell me when you're done", "tell me a joke every minute", "correct me if I'm wrong"),
                *(
                    "tell me a story when I wave",
                    "say the weather every ten seconds",
                    "I leave in ten seconds",
                ),
                *("every other day I go running", "when I leave, what happens to my plants?"),
            )
        ),
    ],
)
def test_what_is_no_instruction_goes_where_it_went(text: str, tool: str) -> None:
    call = asked(text)
    assert (call.tool if call else "") == tool


@pytest.mark.parametrize(
    ("first", "then", "arguments"),
    [
        ("count my squats", "no, push-ups", {"token": COUNT, "what": "push-up"}),
        ("count my squats", "and now the lunges", {"token": COUNT, "what": "lunge"}),
        ("count my squats", "start again", {"token": COUNT, "what": "squat"}),
        ("count with me", "jumping jacks", {"token": COUNT, "what": "jumping jack"}),
        ("tell me when I wave", "no, when I nod", {"token": CUE, "what": "nod"}),
        ("tell me when I wave", "say hello instead", {"token": CUE, "what": "wave", "words": "hello"}),
        ("tell me when I wave", "and when I nod", {"token": CUE, "what": "nod", "also": True}),
        ("tell me when I wave", "also tell me when I nod", {"token": CUE, "what": "nod", "also": True}),
        ("say hi when I wave", "no, when I nod", {"token": CUE, "what": "nod", "words": "hi"}),
        (
            "every ten seconds say the time",
            "make it every five seconds",
            {"token": TIME, "what": ELAPSED, "seconds": 5, "repeat": True},
        ),
        (
            "say ten every ten seconds",
            "no, twenty",
            {"token": TIME, "words": "10", "seconds": 20, "repeat": True},
        ),
        ("tell me in thirty seconds", "make it 40 seconds", {"token": TIME, "seconds": 40}),
        ("tell me in thirty seconds", "every 30 seconds", {"token": TIME, "seconds": 30, "repeat": True}),
        ("count my squats", "stop it", {"token": "stop", "what": COUNT}),
        ("count my squats", "never mind", {"token": "stop", "what": COUNT}),
        ("tell me when I wave", "cancel that", {"token": "stop", "what": CUE}),
        ("every ten seconds say the time", "that's enough", {"token": "stop", "what": TIME}),
        ("tell me when the red cup is gone", "no, when I wave", {"token": CUE, "what": "wave"}),
    ],
)
def test_going_on_from_an_instruction(first: str, then: str, arguments: dict[str, object]) -> None:
    assert watched(then, first) == arguments


@pytest.mark.parametrize(
    ("first", "then", "tool"),
    [
        ("count my squats", "what time is it", "time"),
        ("count my squats", "stop the timer", "cancel"),
        ("count my squats", "and in Paris?", ""),
        ("count my squats", "thanks", ""),
        ("count my squats", "no thanks", ""),
        ("stop counting", "stop it", ""),
        ("set a timer for ten minutes", "make it 30 seconds", "timer"),
        ("set a timer for ten minutes", "stop it", "cancel"),
        ("tell me when the red cup is gone", "stop it", ""),
    ],
)
def test_what_does_not_go_on_from_it(first: str, then: str, tool: str) -> None:
    call = asked(then, first)
    assert (call.tool if call else "") == tool


@pytest.mark.parametrize(
    ("text", "before", "ends"),
    [
        ("Stop!", ["count my squats"], True),
        ("Okay, stop it.", ["count my squats"], True),
        ("that's enough", ["every ten seconds say the time"], True),
        ("be quiet", ["tell me when I wave"], True),
        ("wait", ["count my squats"], False),
        ("hold on", ["count my squats"], False),
        ("stop", [], False),
        ("stop", ["count my squats", "what time is it"], False),
        ("stop", ["count my squats", "tell me about whales"], False),
        ("stop", ["stop counting"], False),
    ],
)
def test_stop_takes_back_what_was_asked_just_before(text: str, before: list[str], ends: bool) -> None:
    earlier: list[Exchange] = []
    for each in before:
        earlier.append(Exchange(each, understand(each, earlier, NOW)))
    assert ends_watching(text, earlier) is ends


def test_a_correction_says_that_it_is_one() -> None:
    call = asked("no, push-ups", "count my squats")
    assert call is not None and call.corrects


@pytest.mark.parametrize(
    "text",
    [
        *("count my squats", "say hello when somebody enters", "tell me when I slouch"),
        *("say ten every ten seconds", "every ten seconds say the time", "give me a shout in 30 seconds"),
    ],
)
def test_what_is_understood_can_be_put_in_force(text: str) -> None:
    store = Store(None)
    result = WATCH.run(watched(text), ToolContext(NOW, store, jpeg=b"picture", standing=STANDING_TOKENS))
    assert result.say.endswith(".")
    assert 0 <= from_detail(dict(result.standing), clean_text).seconds <= LONGEST_S
    store.close()


@pytest.mark.parametrize(
    "text",
    [
        *("say " + "a " * 90, "say x when i " + "wave when i " * 14, "tell me when i " * 12),
        *("every 10 seconds " * 11, "count " * 33, "and now " * 24, "say a every second " * 10),
        *("stop " * 40, "x" * 200, "when i " * 28),
    ],
)  # fmt: skip
def test_it_is_quick_whatever_is_said(text: str) -> None:
    last = (Exchange("count my squats", asked("count my squats")),)
    began = time.perf_counter()
    understand(text, last, NOW)
    assert time.perf_counter() - began < 0.5
