"""What simulated people say: a grammar of requests, and turns of real written dialogue."""

import gzip
import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

Rng = np.random.Generator

_WORDS: dict[str, tuple[str, ...]] = {
    "n": tuple(
        "two three five seven eight nine twelve fifteen seventeen twenty thirty forty five fifty sixty "
        "seventy two eighty ninety a hundred".split()
    ),
    "city": tuple(
        "Paris London Madrid Tokyo Berlin Oslo Chicago Boston Denver Seattle Toronto Cairo Lisbon Vienna "
        "Prague Dublin Athens Sydney Mumbai Nairobi".split()
    ),
    "country": tuple(
        "France Spain Japan Norway Brazil Canada Egypt Portugal Austria Kenya India Mexico Poland Greece "
        "Iceland Peru Chile Finland".split()
    ),
    "day": tuple("Monday Tuesday Wednesday Thursday Friday Saturday Sunday tomorrow tonight".split()),
    "person": tuple(
        "Anna Peter Maria David Susan Tom Laura James Emma Chris Nina Paul Kate Ben Lucy Mark".split()
    ),
    "thing": (
        "a good book",
        "a bicycle",
        "the milk",
        "my keys",
        "a birthday present",
        "the report",
        "a new phone",
        "the tickets",
        "some flowers",
        "the meeting notes",
        "a warm jacket",
        "a coffee maker",
        "the car",
    ),
    "dish": (
        "pancakes",
        "a tomato soup",
        "an apple pie",
        "fried rice",
        "a lentil curry",
        "pizza dough",
        "a chocolate cake",
        "roast chicken",
        "a potato salad",
        "banana bread",
    ),
    "topic": (
        "the moon",
        "black holes",
        "the Roman empire",
        "photosynthesis",
        "jazz music",
        "volcanoes",
        "the stock market",
        "honey bees",
        "the French revolution",
        "electric cars",
        "sleep",
        "glaciers",
    ),
    "unit": ("miles", "kilometers", "pounds", "kilograms", "feet", "meters", "ounces", "liters", "inches"),
    "time": ("at seven", "at half past six", "at noon", "in ten minutes", "in an hour", "at nine thirty"),
    "place": ("the station", "the airport", "the office", "the supermarket", "the library", "the beach"),
}

_REQUESTS = (
    "What is {n} times {n}?",
    "What is {n} plus {n}?",
    "How much is {n} percent of {n}?",
    "What is the capital of {country}?",
    "How many people live in {city}?",
    "How far is it from {city} to {city}?",
    "What will the weather be like in {city} on {day}?",
    "Do I need an umbrella in {city} {day}?",
    "Set a timer for {n} minutes.",
    "Remind me to buy {thing} {time}.",
    "Remind me on {day} to call {person}.",
    "Can you tell me how to make {dish}?",
    "How long does it take to bake {dish}?",
    "How many {unit} are there in {n} {unit}?",
    "Please convert {n} {unit} to {unit}.",
    "Tell me something about {topic}.",
    "Can you explain {topic} in simple words?",
    "What time is it in {city} right now?",
    "Who invented the telephone?",
    "When does the next train to {city} leave?",
    "Could you book a table for {n} people on {day}?",
    "Send a message to {person} that I will be late.",
    "Put {thing} on my shopping list.",
    "What is on my calendar for {day}?",
    "Play some music by the Beatles, please.",
    "How do I get to {place} from here?",
    "Is there a good restaurant near {place}?",
    "I would like to know who wrote the play about Hamlet.",
    "Would you read me the news about {country}?",
    "How do you say good morning in Spanish?",
    "Which is bigger, {country} or {country}?",
    "What should I get {person} for a birthday?",
    "Why is the sky blue?",
    "How old is the universe?",
    "I need to find {thing} before {day}, where should I look?",
    "Can you help me plan a trip to {city}?",
    "Give me a recipe for {dish} that takes less than {n} minutes.",
    "Wake me up {time}.",
    "Do you think I should take {thing} to {place}?",
    "Let's talk about {topic}, what do you know?",
    "My friend {person} is coming on {day}, so add dinner to my list.",
    "Turn the lights off in the kitchen.",
    "If I leave {place} {time}, when will I be in {city}?",
    "What does the word serendipity mean?",
    "Cancel the reminder for {day} and make a new one for {day}.",
    "Who was the first president of {country}?",
    "Spell the word necessary for me.",
    "Is it going to snow in {city}?",
    "Add {n} and {n} and then subtract {n}.",
    "Could you find out when {place} opens on {day}?",
    "I'm looking for a recipe with {thing}, or maybe just {dish}.",
    "How many days are left until {day}?",
    "Is it true that {topic} has something to do with {topic}?",
    "Please move my meeting with {person} to {day}.",
    "Where can I buy {thing} near {place}?",
    "When I was in {city} last year I lost {thing}, what should I do?",
    "What is the difference between {topic} and {topic}?",
    "Ask {person} whether {day} {time} works.",
    "If it rains on {day}, tell me to take {thing}.",
    "Can you check whether {person} has answered about {thing}?",
    "What do people eat in {country}?",
    "How much does a flight from {city} to {city} cost?",
    "Tell {person} that I am at {place}.",
    "Because {person} is late, I have to wait at {place}, so play me something.",
    "I think we need {thing} and {thing} for {day}, can you write that down?",
    "Start a note called {thing} and put {dish} in it.",
    "Do you know a story about {topic}?",
    "Would you say that {city} is nicer than {city}?",
    "Which {unit} do they use in {country}?",
    "Read the last message from {person}.",
    "What can I cook with {n} eggs and {thing}?",
    "Explain why {topic} matters to {country}.",
    "I want to go to {city} {day}, and I need to be back by {day}.",
    "Should I call {person} {time} or wait until {day}?",
)
_ASIDES = (
    "Hey {person}, did you lock the door?",
    "{person}, can you bring me {thing}?",
    "No, not you, {person}.",
    "Hang on {person}, I'm talking to my computer.",
    "{person}, dinner is ready!",
    "Mom, I'm busy right now.",
    "Sweetheart, where did you put {thing}?",
    "Yes {person}, I'll be there in a minute.",
    "{person}, please turn that down.",
    "Did you feed the cat, {person}?",
    "I'll call you back {time}, {person}.",
    "{person}, could you close the window, please?",
    "Not now, {person}, I'm in the middle of something.",
    "Thanks {person}, just put {thing} over there.",
    "Hi {person}, come in, I'm nearly done.",
    "Darling, have you seen {thing}?",
    "Kids, shoes off, please!",
    "Dad, the phone is for you.",
    "{person}, are we still going to {place} on {day}?",
    "Excuse me, could I have {thing}, please?",
    "Down, boy, down! Good dog.",
    "What did you say, {person}? I was talking to the machine.",
    "{person}, tell {person} that I'm coming.",
    "No {person}, the other one, next to {thing}.",
    "Honey, is {dish} ready?",
    "Guys, keep it down, I'm on a call.",
)
_OPENERS = (
    "Let me tell you what happened {day}.",
    "So listen to this story.",
    "You won't believe what happened at {place}.",
    "Let me tell you a bit about {person}.",
    "I want to tell you about my trip to {city}.",
    "You know what happened to me {day}?",
    "Okay, so here is the whole story.",
    "I have to tell you something about {person}.",
    "This is going to take a while, so just listen.",
    "Let me explain the whole thing from the beginning.",
    "So, I've been thinking about {topic}.",
    "I'll tell you how we make {dish} at home.",
    "Something strange happened at {place}.",
    "Let me walk you through my plan for {day}.",
    "I'd like to describe my day to you.",
    "There's a funny story about {person} and {thing}.",
    "Hear me out on this one.",
    "First let me give you some background.",
    "I need to get something off my chest.",
    "Well, it all started in {city}.",
)
_STATEMENTS = (
    "I went to {place} on {day}, and it was closed.",
    "{person} wants to make {dish} for all of us.",
    "We lost {thing} somewhere near {place}.",
    "I have been reading about {topic} all week.",
    "My brother moved to {city}, and he likes it there.",
    "I think {thing} costs too much.",
    "It took us {n} minutes to walk to {place}.",
    "{person} told me that {topic} is easier than it sounds.",
    "The train to {city} was late again.",
    "I would rather stay at home {day}.",
    "We had {dish}, and then we talked about {topic}.",
    "I never liked {dish} very much.",
    "There were {n} people waiting at {place}.",
    "{person} and {person} are coming over {time}.",
    "In {country} they do that differently.",
)
_STOPS = (
    "Stop.",
    "Okay, stop.",
    "That's enough, thank you.",
    "Okay, thanks, that's all.",
    "Never mind.",
    "Stop talking, please.",
    "All right, forget it.",
    "No, cancel that.",
    "Quiet, please.",
    "Thanks, I've got it.",
    "Be quiet for a moment.",
    "Forget about it.",
)
_REPAIRS = (
    "no,",
    "no wait,",
    "I mean,",
    "sorry,",
    "I mean",
    "no, sorry,",
    "actually,",
    "or rather,",
    "wait, no,",
)
_BARGE = (
    "Wait,",
    "No,",
    "Stop,",
    "Hold on,",
    "Actually,",
    "Sorry,",
    "Okay stop,",
    "No wait,",
    "Hang on,",
    "Never mind,",
)
BACKCHANNEL_TEXTS = (
    "Mm-hm.",
    "Uh-huh.",
    "Right.",
    "Yeah.",
    "Okay.",
    "I see.",
    "Sure.",
    "Oh wow.",
    "Yes.",
    "Mm.",
)
REMINDERS = (
    "Reminder: your tea is ready.",
    "Reminder: it is time to call {person}.",
    "Your timer for {n} minutes is done.",
    "Reminder: take the {dish} out of the oven.",
    "Alarm: you wanted to leave for {place} now.",
)
FILLERS = ("um,", "uh,", "er,", "like,", "you know,", "let's see,", "well,")


def fill(template: str, rng: Rng) -> str:
    """A template with its slots filled at random."""
    return re.sub(r"\{(\w+)\}", lambda m: str(rng.choice(_WORDS[m.group(1)])), template)


@dataclass(frozen=True)
class Line:
    """One thing to say. ``kind``: request, statement, aside, opener, barge_in, stop or backchannel.

    ``parts``: the pieces it is spoken in, where the text fixes them.
    """

    kind: str
    text: str
    parts: tuple[str, ...] = ()


@cache
def dialogue_turns(path: Path) -> tuple[str, ...]:
    """Clean turns of 4 to 28 words of the Self-dialogue Corpus; empty when the file is not there."""
    if not path.exists():
        return ()
    turns: list[str] = []
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            for turn in json.loads(line)["turns"]:
                text = re.sub(r"\s+", " ", turn).strip()
                if not 4 <= len(text.split()) <= 28 or not re.fullmatch(r"[A-Za-z0-9 ,.?!'\-]+", text):
                    continue
                turns.append(text if text[-1] in ".?!" else text + ".")
    return tuple(turns)


def is_test_dialogue(index: int) -> bool:
    """Every tenth dialogue turn is kept out of training."""
    return index % 10 == 0


def make_line(rng: Rng, dialogue: tuple[str, ...]) -> Line:
    """One line from the mix that the clip pool is made of; test dialogue turns are never used."""
    kind = str(
        rng.choice(
            ["request", "dialogue", "repair", "aside", "opener", "barge_in", "stop", "backchannel"],
            p=[0.31, 0.40, 0.06, 0.06, 0.03, 0.06, 0.02, 0.06],
        )
    )
    if kind == "repair":
        return make_repair(rng)
    if kind == "dialogue" and dialogue:
        index = int(rng.integers(len(dialogue)))
        index += is_test_dialogue(index)
        text = dialogue[index % len(dialogue)]
        return Line("request" if text.endswith("?") else "statement", text)
    if kind == "dialogue":
        return Line("statement", fill(str(rng.choice(_STATEMENTS)), rng))
    if kind == "aside":
        return Line(kind, fill(str(rng.choice(_ASIDES)), rng))
    if kind == "stop":
        return Line(kind, str(rng.choice(_STOPS)))
    if kind == "opener":
        return Line(kind, fill(str(rng.choice(_OPENERS)), rng))
    if kind == "backchannel":
        return Line(kind, str(rng.choice(BACKCHANNEL_TEXTS)))
    request = fill(str(rng.choice(_REQUESTS)), rng)
    if kind == "barge_in":
        return Line(kind, f"{rng.choice(_BARGE)} {request[0].lower()}{request[1:]}")
    return Line("request", request)


def make_repair(rng: Rng) -> Line:
    """A request whose speaker corrects a word: "Remind me on Tues-, no, Thursday to call Anna."."""
    while True:
        template = str(rng.choice(_REQUESTS))
        slots = [m for m in re.finditer(r"\{(\w+)\}", template) if m.start() > 0]
        if slots:
            break
    slot = slots[int(rng.integers(len(slots)))]
    wrong, right = (str(w) for w in rng.choice(_WORDS[slot.group(1)], size=2, replace=False))
    if rng.random() < 0.5 and len(wrong.split()[-1]) > 4:
        wrong = wrong[: -(len(wrong.split()[-1]) // 2)] + "-"
    first = fill(template[: slot.start()], rng) + wrong
    second = f"{rng.choice(_REPAIRS)} {right}{fill(template[slot.end() :], rng)}"
    return Line("request", f"{first} {second}", (first, second))


def answer_text(rng: Rng, dialogue: tuple[str, ...]) -> str:
    """Words a background model might answer with: one to four sentences."""
    if not dialogue:
        return fill("The answer is {n}. You can take {thing} to {place} on {day}, if you like.", rng)
    count = int(rng.choice([1, 2, 3, 4], p=[0.45, 0.3, 0.15, 0.10]))
    return " ".join(dialogue[int(rng.integers(len(dialogue)))] for _ in range(count))


def reminder_text(rng: Rng) -> str:
    return fill(str(rng.choice(REMINDERS)), rng)
