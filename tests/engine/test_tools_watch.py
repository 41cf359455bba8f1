"""The tool for standing instructions: what it says, what it gives the engine, and the way there."""

import json
from datetime import UTC, datetime

import pytest

from engine.background.store import Store
from engine.background.task import Asked
from engine.background.tools.tool import Permission, ToolContext, ToolError, ToolResult
from engine.background.tools.watch import DECLINED, WATCH
from engine.background.tools.watchable import cue_of, exercise_of
from engine.background.understanding import understand as understanding
from engine.background.understanding.watching import Watching
from engine.decisions import COUNT, CUE, STANDING_TOKENS, TIME
from engine.standing import ANY, COUNTED, CUE_WORDS, CUES, ELAPSED, from_detail
from engine.voice import clean_text
from tests.engine.background_room import Room

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


@pytest.fixture
def store():
    made = Store(None)
    yield made
    made.close()


@pytest.fixture
def room(monkeypatch):
    made = Room(monkeypatch)
    made.tools[WATCH.name] = WATCH
    monkeypatch.setattr(understanding, "domains", lambda: (Watching(),))
    yield made
    made.close()


def watch(
    store: Store, camera: bool = True, standing: tuple[str, ...] = STANDING_TOKENS, **arguments: object
) -> ToolResult:
    return WATCH.run(
        arguments, ToolContext(NOW, store, jpeg=b"picture" if camera else b"", standing=standing)
    )


def test_it_is_free_and_never_ahead_of_a_request():
    assert WATCH.changes and WATCH.permission is Permission.FREE and not WATCH.online


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"token": COUNT, "what": "squat"}, "Sure, counting your squats."),
        ({"token": COUNT, "what": "high knees"}, "Sure, counting your high knees."),
        ({"token": COUNT, "what": ANY}, "Okay, I'll count."),
        ({"token": COUNT}, "Okay, I'll count."),
        ({"token": CUE, "what": "wave"}, "Okay, I'll tell you when you wave."),
        ({"token": CUE, "what": "enter", "words": "hello"}, "Okay, I'll say hello when somebody comes in."),
        (
            {"token": CUE, "what": "nod", "also": True},
            "I can watch for one thing at a time: now I'll tell you when you nod.",
        ),
        ({"token": TIME, "seconds": 30}, "Okay, I'll tell you in 30 seconds."),
        ({"token": TIME, "seconds": 10, "words": "go"}, "Okay, I'll say go in 10 seconds."),
        (
            {"token": TIME, "seconds": 10, "words": "10", "repeat": True},
            "Okay, I'll say 10 every 10 seconds.",
        ),
        (
            {"token": TIME, "seconds": 90, "what": ELAPSED, "repeat": True},
            "Okay, every 1 minute and 30 seconds I'll say how long it has been.",
        ),
        ({"token": "stop"}, "Okay, I'll stop."),
        ({"token": "stop", "what": COUNT}, "Okay, I'll stop counting."),
    ],
)
def test_what_it_says(store, arguments, said):
    assert watch(store, **arguments).say == said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        *(({"token": CUE, "what": what}, CUE_WORDS[what][0]) for what in CUES),
        ({"token": CUE, "what": "wave", "words": "'well done'"}, "Well done."),
        ({"token": TIME, "seconds": 30}, "Time is up."),
        ({"token": TIME, "seconds": 10, "repeat": True}, "10 seconds."),
        ({"token": TIME, "seconds": 10, "words": "are you awake?", "repeat": True}, "Are you awake?"),
    ],
)
def test_the_words_that_are_said_later(store, arguments, words):
    assert watch(store, **arguments).standing["words"] == words


@pytest.mark.parametrize("what", COUNTED)
def test_all_that_is_counted_reaches_the_engine(store, what):
    result = watch(store, token=COUNT, what=what)
    assert from_detail(dict(result.standing), clean_text).what == what
    assert dict(result.data) == dict(result.standing)


@pytest.mark.parametrize("what", CUES)
def test_all_that_is_watched_for_reaches_the_engine(store, what):
    asked = from_detail(dict(watch(store, token=CUE, what=what).standing), clean_text)
    assert (asked.token, asked.what) == (CUE, what)


def test_a_language_model_may_call_things_by_other_names(store):
    assert watch(store, token=COUNT, what="push_ups").standing["what"] == "push-up"
    assert watch(store, token=CUE, what="raise_hand").standing["what"] == "raise hand"
    assert watch(store, token=CUE, what="thumbs_up").standing["what"] == "thumbs up"
    assert exercise_of("Jumping Jacks") == "jumping jack" and exercise_of("pull-ups") == ANY
    assert exercise_of("money") is None and cue_of("smile") is None


@pytest.mark.parametrize("token", [COUNT, CUE])
def test_without_the_camera_nothing_stands(store, token):
    with pytest.raises(ToolError, match=r"^The camera is off"):
        watch(store, camera=False, token=token, what="squat" if token == COUNT else "wave")


@pytest.mark.parametrize("arguments", [{"token": TIME, "seconds": 20}, {"token": "stop"}])
def test_times_and_stopping_need_no_camera(store, arguments):
    assert watch(store, camera=False, **arguments).standing


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({}, "Which one"),
        ({"token": "dance"}, "Which one"),
        ({"token": COUNT, "what": "money"}, "can't count that"),
        ({"token": CUE, "what": "smile"}, "can't watch for that"),
        ({"token": CUE}, "can't watch for that"),
        ({"token": CUE, "what": "wave", "words": "la " * 50}, "too long"),
        ({"token": TIME}, "how many seconds"),
        ({"token": TIME, "seconds": "soon"}, "up to 5 minutes"),
        ({"token": TIME, "seconds": float("nan")}, "up to 5 minutes"),
        ({"token": TIME, "seconds": -5}, "up to 5 minutes"),
        ({"token": TIME, "seconds": 301}, "ask me for a timer"),
        ({"token": TIME, "seconds": 1, "repeat": True}, "every 2 seconds"),
        ({"token": TIME, "seconds": 600, "repeat": True}, "every 5 minutes"),
        *(({"token": CUE, "declined": why}, said) for why, said in DECLINED.items()),
    ],
)
def test_what_it_cannot_do_is_said(store, arguments, says):
    with pytest.raises(ToolError) as error:
        watch(store, **arguments)
    assert says in str(error.value)


# From the request to the engine


def standing_of(room: Room, job: int) -> dict[str, object]:
    made = json.loads(str(room.comes(job, "tool_result").detail["standing"]))
    assert isinstance(made, dict)
    return made


def test_an_instruction_reaches_the_engine_with_the_result(room):
    room.asks(1, "Say ten every ten seconds.")
    assert room.end(1).text == "Okay, I'll say 10 every 10 seconds."
    assert standing_of(room, 1) == {
        "token": TIME,
        "what": "",
        "words": "10.",
        "seconds": 10.0,
        "repeat": True,
    }


def test_stop_right_after_it_takes_it_back_and_is_no_mere_hush(room):
    room.asks(1, "Say ten every ten seconds.")
    room.end(1)
    room.asks(2, "Stop it.")
    assert room.end(2).text == "Okay, I'll stop saying it."
    assert standing_of(room, 2) == {"stop": TIME}
    room.asks(3, "Stop.")
    assert room.end(3).text == ""
    assert not [event for event in room.of(3) if event.event == "tool_result"]


def test_what_cannot_be_done_gives_the_engine_nothing(room):
    room.asks(1, "Count my squats.")  # typed, without a picture
    assert room.end(1).event == "failed"
    assert "standing" not in room.comes(1, "tool_result").detail


def test_a_second_attempt_tells_the_engine_again(room):
    """The engine may not have had the first one's result."""
    asked = Asked("Say ten every ten seconds.", key="session-1")
    for job in (1, 2):
        room.asks(job, asked.text, key=asked.key)
        room.end(job)
    assert standing_of(room, 1) == standing_of(room, 2)


def test_a_guess_waits_until_it_is_asked_for(room):
    room.hears("Say ten every ten seconds.")
    assert room.comes(-1, "tool_call").detail["waits"] is True
    assert not [event for event in room.sent if event.event == "tool_result"]


@pytest.mark.parametrize(
    ("standing", "arguments", "said"),
    [
        ((TIME,), {"token": COUNT}, "can't count or watch for that yet, but I can say something after"),
        ((TIME,), {"token": CUE, "what": "wave"}, "can't count or watch for that yet"),
        ((TIME,), {"declined": "words"}, "can't count or watch for that yet"),
        ((), {"token": TIME, "seconds": 10}, "in this session"),
        ((), {"declined": "words"}, "in this session"),
    ],
)
def test_what_the_engine_has_not_learned_is_not_promised(store, standing, arguments, said):
    with pytest.raises(ToolError, match=said):
        watch(store, standing=standing, **arguments)
    assert watch(store, standing=(TIME,), token=TIME, seconds=10.0).standing
    assert watch(store, standing=(), token="stop").standing == {"stop": ""}
