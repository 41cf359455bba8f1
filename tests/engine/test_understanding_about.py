"""Questions about the assistant itself: understood as typed and as recognised, answered with what is true."""

from datetime import UTC, datetime
from typing import Any, cast

import pytest

from engine.background.tools.about import ABOUT, ANSWERS, CAMERA
from engine.background.tools.camera import LOOK, NO_PICTURE
from engine.background.tools.tool import Permission, ToolContext, ToolError
from engine.background.understanding import understand as understanding
from engine.background.understanding.about import About
from engine.background.understanding.call import Call
from engine.background.understanding.normal import normal
from engine.background.understanding.understand import Exchange, all_tools, hush, understand
from engine.voice import clean_text
from tests.engine.background_room import Room

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
BEFORE = (
    "What is twelve times six?",
    "Set a timer for ten minutes.",
    "What time is it in Paris?",
    "Add milk to my shopping list.",
    "What is the capital of Peru?",
    "Take a note: the key is under the mat.",
    "What does frugal mean?",
    "Every ten seconds say switch.",
    "What do you see?",
    "Can you hear me?",
)
EARLIER = [(), *((Exchange(text, understand(text, (), NOW)),) for text in BEFORE)]

ASKED = {
    "hearing": (
        "Hello, can you hear me?",
        "Can you hear me?",
        "hello can you hear me",
        "Hello? Can you hear me?",
        "Hello. Hello! Can you hear me now?",
        "hey microturn can you hear me okay",
        "Um, can you hear me?",
        "Could you hear me?",
        "Do you hear me?",
        "can you still hear me",
        "Can you understand me?",
    ),
    "presence": (
        "Are you there?",
        "hello are you there",
        "Hello? Are you still there?",
        "Are you listening?",
        "are you listening to me",
        "Microturn, are you there?",
        "Is this thing on?",
        "Is anybody there?",
    ),
    "identity": (
        "Who are you?",
        "What are you?",
        "And who are you?",
        "can you tell me who you are",
        "Who am I talking to?",
        "Tell me about yourself.",
        "Please introduce yourself.",
    ),
    "name": (
        "What's your name?",
        "what is your name please",
        "Could you tell me what your name is?",
        "Do you have a name?",
        "What should I call you?",
    ),
    "machine": (
        "Are you a robot?",
        "Are you an AI?",
        "are you an a.i.",
        "Are you human?",
        "Are you a real person?",
        "Are you a human or a machine?",
        "Am I talking to a real person?",
    ),
    "abilities": (
        "What can you do?",
        "So what can you do?",
        "what can you do for me",
        "What can you help me with?",
        "What else can you do?",
        "Tell me what you can do.",
        "How can you help me?",
        "What can I ask you?",
    ),
    CAMERA: (
        "What do you see me with?",
        "How do you see me?",
        "Can you see?",
        "Can you see anything?",
        "Do you have a camera?",
        "Is the camera on?",
        "Are you watching me?",
    ),
    "recording": (
        "Do you record me?",
        "Are you recording?",
        "are you recording this",
        "Is this being recorded?",
        "Am I being recorded?",
        "Do you store what I say?",
    ),
    "privacy": (
        "Where does my voice go?",
        "Does this leave my computer?",
        "does my voice ever leave this computer",
        "Do you send anything to the internet?",
        "Is this private?",
        "Are you connected to the internet?",
    ),
    "mood": ("How are you?", "Hi, how are you today?", "how are you doing", "Hello there, how are you?"),
    "maker": ("Who made you?", "who built you", "Who created you?"),
    "languages": (
        "What languages do you speak?",
        "Which languages can you understand?",
        "Do you speak German?",
        "Can you speak French?",
    ),
    "speed": ("Can you speak slower?", "could you speak a bit slower please", "You're speaking too fast."),
    "volume": ("Can you speak louder?", "Could you talk a little louder?", "Can you speak up?"),
    "stopping": ("How do I stop you?", "How can I make you stop talking?", "Can I interrupt you?"),
}
QUESTIONS = [(text, topic) for topic, texts in ASKED.items() for text in texts]
NEAR_MISSES = """
Can you hear the difference between a violin and a viola?
Can you hear me out?
Can you hear this?
Did you hear that?
I can't hear you.
Are you there yet?
Are you listening to music?
Is it on?
Is this thing on sale?
Is anybody there to help my mother?
Who are you going to call?
Who are you voting for?
What are you doing?
What are you cooking?
What's your name for this colour?
What is your favourite colour?
Are you a robot fan?
Are you a person who likes jazz?
Are you an AI expert?
Are you kidding?
Are you sure?
How old are you?
What can you do with flour?
What can you do about a cold?
What can you do in Paris?
What can I do with flour?
How can you help a drowning person?
Can you see the problem?
Is the camera on sale?
Do you record albums?
Are you recording a song?
Is this record broken?
Where does my car go?
Where are my pictures stored?
Does this train leave my town?
Does this leave a stain?
Is this safe?
How are you going to do it?
How are you so sure?
Who made you do that?
Who made the first computer?
What languages do they speak in Kenya?
Do you speak to your mother often?
Can you speak to him?
How do I stop hiccups?
How do I stop you from falling?
Tell me about Paris.
Hello.
Good morning.
"""


@pytest.fixture
def room(monkeypatch):
    made = Room(monkeypatch)
    made.tools[ABOUT.name] = ABOUT
    monkeypatch.setattr(understanding, "domains", lambda: (About(),))
    yield made
    made.close()


def context(jpeg: bytes = b"") -> ToolContext:
    return ToolContext(NOW, cast(Any, None), jpeg=jpeg)


@pytest.mark.parametrize(("text", "topic"), QUESTIONS)
def test_a_question_about_itself_is_understood_whatever_went_before(text, topic):
    wanted = (ABOUT.name, {"topic": topic})
    for earlier in EARLIER:
        # As typed, and as a recogniser without punctuation writes it down.
        for said in (text, " ".join(text.lower().replace("?", "").replace(".", "").replace(",", "").split())):
            call = understand(said, earlier, NOW)
            assert call is not None and (call.tool, dict(call.arguments)) == wanted, (said, earlier)
    assert not hush(text)


@pytest.mark.parametrize("text", NEAR_MISSES.strip().splitlines())
def test_what_only_begins_like_one_is_none(text):
    for earlier in EARLIER:
        call = understand(text, earlier, NOW)
        assert call is None or call.tool != ABOUT.name, (text, earlier, call)


@pytest.mark.parametrize("text", ["Can you see me?", "What do you see?", "Do you see me?"])
def test_what_the_camera_sees_is_still_looked_at(text):
    call = understand(text, (), NOW)
    assert call is not None and call.tool == LOOK.name


@pytest.mark.parametrize(
    ("text", "tool"),
    [
        ("What's my name?", "recall"),
        ("What language do they speak in Brazil?", "country"),
        ("What does robot mean?", "define"),
        ("Stop counting.", "watch"),
    ],
)
def test_others_keep_their_questions(text, tool):
    call = understand(text, (), NOW)
    assert call is not None and call.tool == tool


def test_nothing_goes_on_from_it():
    last = Call(ABOUT.name, {"topic": "hearing"})
    assert About().follow("and now", last, NOW) is None
    assert understand("And in Paris?", (Exchange("Can you hear me?", last),), NOW) is None


def test_what_was_asked_before_it_still_goes_on():
    earlier = [
        Exchange(text, understand(text, (), NOW)) for text in ("What time is it in Tokyo?", "Are you there?")
    ]
    call = understand("And in Paris?", earlier, NOW)
    assert call is not None and (call.tool, call.arguments["place"]) == ("time", "paris")


def test_can_you_is_gone_before_hear_me():
    assert normal("Hello, can you hear me?") == "hear me"


def test_it_is_free_changes_nothing_and_is_known():
    assert ABOUT.permission is Permission.FREE and not ABOUT.changes and not ABOUT.online
    assert all_tools()[ABOUT.name] is ABOUT
    assert set(ASKED) == {*ANSWERS, CAMERA} == set(ABOUT.parameters["properties"]["topic"]["enum"])


@pytest.mark.parametrize("topic", sorted(ASKED))
def test_answers_are_short_and_can_be_spoken(topic):
    for jpeg in (b"", b"picture"):
        said = ABOUT.run({"topic": topic}, context(jpeg)).say
        assert 3 <= len(said.split()) <= 30 and said.endswith((".", "?"))
        assert clean_text(said) == said


def test_it_says_whether_it_gets_pictures():
    off, on = (ABOUT.run({"topic": CAMERA}, context(jpeg)).say for jpeg in (b"", b"picture"))
    assert off == NO_PICTURE
    assert "I get pictures" in on and "cannot tell what is in them" in on
    with pytest.raises(ToolError, match="the camera is off"):
        LOOK.run({}, context())


@pytest.mark.parametrize("arguments", [{}, {"topic": ""}, {"topic": "weather"}, {"topic": 3}])
def test_what_it_does_not_know_it_says(arguments):
    with pytest.raises(ToolError, match="I don't know that about myself"):
        ABOUT.run(arguments, context())


def test_it_is_said_and_is_no_failure(room):
    room.asks(1, "Hello, can you hear me?")
    assert (room.end(1).event, room.end(1).text) == ("answer", ANSWERS["hearing"])
    room.asks(2, "Do you have a camera?")  # typed, without a picture
    assert (room.end(2).event, room.end(2).text) == ("answer", NO_PICTURE)
    room.asks(3, "Do you have a camera?", jpeg=b"picture")
    assert room.end(3).text.startswith("I get pictures")
