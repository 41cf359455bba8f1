"""From words to calls of the exact knowledge tools, by itself and going on from the last call."""

import json
import re
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.background.store import Store
from engine.background.tools.calculate import value_of
from engine.background.tools.tool import ToolContext, ToolError
from engine.background.understanding.call import Call
from engine.background.understanding.knowledge import KNOWLEDGE, warm_up
from engine.background.understanding.normal import correction, normal

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
CONTEXT = ToolContext(now=NOW, store=cast("Store", None))
REQUESTS = Path(__file__).parents[1] / "bench" / "requests_knowledge.json"


@pytest.fixture(scope="module", autouse=True)
def warm():
    warm_up()


def parsed(text: str) -> Call | None:
    return next((call for domain in KNOWLEDGE if (call := domain.parse(normal(text), NOW))), None)


def followed(text: str, last: Call) -> Call | None:
    return next((call for domain in KNOWLEDGE if (call := domain.follow(normal(text), last, NOW))), None)


def answer(call: Call) -> str:
    tool = next(tool for domain in KNOWLEDGE for tool in domain.tools if tool.name == call.tool)
    try:
        return tool.run(call.arguments, CONTEXT).say
    except ToolError as error:
        return str(error)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Um, what's 12 times 7?", "what is 12 times 7"),
        ("Okay so, could you tell me what's twelve times seven please?", "what is 12 times 7"),
        ("Hey Microturn, what is 15 per cent of 80?", "what is 15 percent of 80"),
        ("I'd like to know the capital of Spain.", "the capital of spain"),
        ("Sorry, what's the time?", "what is the time"),
        ("Tell me about Paris.", "tell me about paris"),
        ("hello", "hello"),
        ("thank you", "thank you"),
        ("", ""),
        ("?!", ""),
        ("two hundred and fifty", "250"),
        ("three point five", "3.5"),
        ("point five plus one", "0.5 plus 1"),
        ("minus five", "minus 5"),
        ("negative five", "minus 5"),
        ("a thousand and one", "1001"),
        ("1,234.5 plus two", "1234.5 plus 2"),
        ("1.5 million", "1500000"),
        ("9 hundred", "900"),
        ("the sum of one hundred and two hundred", "the sum of 100 and 200"),
        ("twenty and three", "20 and 3"),
        ("seven thirty", "7 30"),
        ("seven oh five", "7 oh 5"),
        ("Set an alarm for 7:30 p.m.", "set an alarm for 7:30 pm"),
        ("half an hour", "half an hour"),
        ("a quarter past five", "a quarter past 5"),
        ("two and a half hours", "2 and a half hours"),
        ("two thirds of nine", "2/3 of 9"),
        ("a third of nine", "1/3 of 9"),
        ("wait two seconds", "wait 2 seconds"),
        ("a twenty second timer", "a 20 second timer"),
        ("the second of may", "the 2nd of may"),
        ("on may second", "on may 2nd"),
        ("the twenty second of june", "the 22nd of june"),
        ("remind me on the second", "remind me on the 2nd"),
        ("delete the second one", "delete the second one"),
        ("june third", "june 3rd"),
        ("the third", "the 3rd"),
        ("call mum first", "call mum first"),
        ("that one is mine", "that one is mine"),
        ("no one knows", "no one knows"),
        ("one of my friends", "one of my friends"),
        ("in one day", "in 1 day"),
        ("how much is one times five", "how much is 1 times 5"),
        ("Please add milk, eggs and bread to my list", "add milk, eggs and bread to my list"),
        ("What's the population of the U.K.?", "what is the population of the uk"),
        ("and what's its population", "and what is its population"),
        ("No, Spain!", "no, spain"),
        ("Actually, make it ten minutes.", "actually, make it 10 minutes"),
    ],
)
def test_normal_texts(text: str, wanted: str):
    assert normal(text) == wanted
    assert normal(wanted) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("no, Spain", "spain"),
        ("No no, Spain.", "spain"),
        ("no wait, actually make it ten minutes", "10 minutes"),
        ("Sorry, I meant Sweden", "sweden"),
        ("i mean 12 times 8", "12 times 8"),
        ("not France but Spain", "spain"),
        ("no, Spain, not France", "spain"),
        ("no", None),
        ("no problem", None),
        ("no one knows", None),
        ("nobody knows", None),
        ("what's the capital of Spain", None),
    ],
)
def test_corrections(text: str, wanted: str | None):
    assert correction(normal(text)) == wanted


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("What's 12 times 7?", 84),
        ("twelve times seven", 84),
        ("Divide 144 by 12.", 12),
        ("what is 15% of 80", 12),
        ("how much is twenty percent of fifty", 10),
        ("subtract 5 from 20", 15),
        ("take 3 away from 10", 7),
        ("add 125, 340 and 78", 543),
        ("the sum of 48 and 67", 115),
        ("the product of 6 and 7", 42),
        ("what's the difference between 100 and 58", 42),
        ("half of 50", 25),
        ("three quarters of 60", 45),
        ("double 45", 90),
        ("5 squared plus 2 cubed", 33),
        ("the square root of 16 plus 9", 13),
        ("the cube root of 27", 3),
        ("what's the fourth root of 16", 2),
        ("two to the power of ten", 1024),
        ("2 to the 10th power", 1024),
        ("2 to the 5th", 32),
        ("six factorial", 720),
        ("20 divided by half of 10", 4),
        ("200 divided by 10 percent of 50", 40),
        ("10 divided by double 5", 1),
        ("2 times minus 3", -6),
        ("2/3 of 9 plus 1", 7),
        ("what's 5!", 120),
        ("2 + 3 * 4", 14),
        ("(2 + 3) * 4", 20),
        ("7x8", 56),
        ("3.5 times 4", 14),
        ("minus 5 plus 12", 7),
        ("$20 plus $3.50", 23.5),
        ("20 percent off 85 dollars", 68),
        ("an 18 percent tip on 64 dollars", 11.52),
        ("what percent of 80 is 20", 25),
        ("30 is what percent of 120", 25),
        ("what is 2 and 2", 4),
        ("what do you get if you multiply 6 by 7", 42),
        ("the remainder when 17 is divided by 5", 2),
        ("how many times does 7 go into 63", 9),
        ("the average of 4, 8 and 15", 9),
        ("two and a half times four", 10),
        ("200 plus 19 percent", 238),
        ("What is 1,250 divided by 5, please?", 250),
    ],
)
def test_arithmetic_is_understood(text: str, result: float):
    call = parsed(text)
    assert call and call.tool == "calculate"
    assert float(value_of(str(call.arguments["expression"])).number) == pytest.approx(result)


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, 10**6),
    st.sampled_from(["plus", "minus", "times", "multiplied by", "+", "-", "*"]),
    st.integers(0, 10**6),
    st.sampled_from(
        ["{}", "What's {}?", "how much is {}", "Calculate {}.", "Hey, could you tell me what {} is?"]
    ),
)
def test_any_two_numbers(left: int, word: str, right: int, frame: str):
    call = parsed(frame.format(f"{left} {word} {right}"))
    assert call
    wanted = {"plus": left + right, "+": left + right, "minus": left - right, "-": left - right}.get(
        word, left * right
    )
    assert value_of(str(call.arguments["expression"])).number == wanted


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("How many kilometres is five miles?", {"amount": 5, "unit": "mile", "to": "kilometre"}),
        ("how many feet in a mile", {"amount": 1, "unit": "mile", "to": "foot"}),
        (
            "convert 100 fahrenheit to celsius",
            {"amount": 100, "unit": "degree Fahrenheit", "to": "degree Celsius"},
        ),
        (
            "what's 100 degrees in Fahrenheit",
            {"amount": 100, "unit": "degree Celsius", "to": "degree Fahrenheit"},
        ),
        ("How many seconds are there in a day?", {"amount": 1, "unit": "day", "to": "second"}),
        ("how many minutes are in 3 hours", {"amount": 3, "unit": "hour", "to": "minute"}),
        ("How many grams in half a pound?", {"amount": 0.5, "unit": "pound", "to": "gram"}),
        ("two and a half cups in ml", {"amount": 2.5, "unit": "cup", "to": "millilitre"}),
        ("12 fl oz in ml", {"amount": 12, "unit": "fluid ounce", "to": "millilitre"}),
        ("how many ml in 12 ounces", {"amount": 12, "unit": "fluid ounce", "to": "millilitre"}),
        ("60 mph in km/h", {"amount": 60, "unit": "mile per hour", "to": "kilometre per hour"}),
        ("I weigh 70 kilos, what's that in pounds?", {"amount": 70, "unit": "kilogram", "to": "pound"}),
        (
            "what's 5 feet 10 inches in centimetres",
            {"amount": 5, "unit": "foot", "plus": 10, "plus_unit": "inch", "to": "centimetre"},
        ),
        (
            "how tall is 6'2 in cm",
            {"amount": 6, "unit": "foot", "plus": 2, "plus_unit": "inch", "to": "centimetre"},
        ),
        ("minus ten celsius to f", {"amount": -10, "unit": "degree Celsius", "to": "degree Fahrenheit"}),
    ],
)
def test_conversions_are_understood(text: str, arguments: dict[str, object]):
    assert parsed(text) == Call("convert", arguments)


@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        ("What's the capital of France?", "France", "capital"),
        ("whats the capital of the phillipines", "Philippines", "capital"),
        ("Canada's capital city", "Canada", "capital"),
        ("Is Sydney the capital of Australia?", "Australia", "capital"),
        ("what is the capital of texas", "Texas", "capital"),
        ("What country is Lima the capital of?", "lima", "country"),
        ("How many people live in Japan?", "Japan", "population"),
        ("what's the population of the U.S.", "United States", "population"),
        ("What currency do they use in Switzerland?", "Switzerland", "currency"),
        ("which continent is Egypt in", "Egypt", "continent"),
        ("Where is Peru?", "Peru", "continent"),
        ("What languages are spoken in Belgium?", "Belgium", "languages"),
        ("How big is Iceland?", "Iceland", "area"),
        ("Which countries border Portugal?", "Portugal", "neighbours"),
        ("which countries share a border with Germany", "Germany", "neighbours"),
        ("Do you happen to know what the capital of Norway is?", "Norway", "capital"),
    ],
)
def test_countries_are_understood(text: str, place: str, what: str):
    assert parsed(text) == Call("country", {"place": place, "what": what})


@pytest.mark.parametrize(
    ("text", "word", "what"),
    [
        ("Define serendipity.", "serendipity", "meaning"),
        ("What does gregarious mean?", "gregarious", "meaning"),
        ("what's the meaning of the word ephemeral", "ephemeral", "meaning"),
        ("What's another word for happy?", "happy", "synonym"),
        ("a synonym of big", "big", "synonym"),
        ("How do you spell necessary?", "necessary", "spelling"),
        ("how is receipt spelled", "receipt", "spelling"),
        ("spell rhythm please", "rhythm", "spelling"),
    ],
)
def test_words_are_understood(text: str, word: str, what: str):
    assert parsed(text) == Call("define", {"word": word, "what": what})


FOREIGN = [
    "what's the capital gain tax", "can you count on me", "I have 2 dogs and 3 cats", "what is love",
    "what does it mean to be happy", "tell me about Paris", "who wrote Hamlet", "what's the meaning of life",
    "set a timer for 10 minutes", "remind me to call mum at 5", "what time is it in London",
    "how many days until christmas", "wake me up at 7:30", "add 2 eggs and milk to my shopping list", "15",
    "7 30", "what day is the 3rd of may", "how many people are in this room", "how far is the moon",
    "how old are you", "how big is the sun", "where is my phone", "what's the weather in Paris",
    "I weigh 70 kilos", "what do you mean", "what does that mean", "what currency should I invest in",
    "it is 5 minutes past 3", "I'll be there in 5 minutes", "two plus two makes a good team",
    "she is one in a million", "half the people left", "double trouble", "what's up", "that's it",
    "plus size clothes", "the capital of culture", "square dance", "what is the best language",
    "what's the population of Paris", "divide and conquer", "how long is a piece of string", "24/7", "5 to 6",
    "call 555 1234", "is it over", "hello", "no", "", "what about 15 percent", "and Germany",
]  # fmt: skip


@pytest.mark.parametrize("text", FOREIGN)
def test_what_belongs_to_others_is_left_alone(text: str):
    assert parsed(text) is None


TIMES = Call("calculate", {"expression": "12 * 7"})
PERCENT = Call("calculate", {"expression": "15% * 80"})
MILES = Call("convert", {"amount": 5, "unit": "mile", "to": "kilometre"})
FRANCE = Call("country", {"place": "France", "what": "capital"})
LIMA = Call("country", {"place": "lima", "what": "country"})
HAPPY = Call("define", {"word": "happy", "what": "meaning"})


@pytest.mark.parametrize(
    ("last", "text", "wanted", "corrects"),
    [
        (TIMES, "times two", r"\bis 168\.", False),
        (TIMES, "plus 10", r"\bis 94\.", False),
        (TIMES, "and minus 4", r"\bis 80\.", False),
        (TIMES, "divide that by 4", r"\bis 21\.", False),
        (TIMES, "and half of that", r"\bis 42\.", False),
        (TIMES, "what's that divided by 2", r"\bis 42\.", False),
        (TIMES, "now multiply it by 10", r"\bis 840\.", False),
        (TIMES, "subtract 4 from it", r"\bis 80\.", False),
        (TIMES, "what's 10 percent of that", r"8\.4\.", False),
        (TIMES, "double it", r"\bis 168\.", False),
        (TIMES, "what about 8", r"\bis 96\.", False),
        (TIMES, "no, 12 times 8", r"\bis 96\.", True),
        (TIMES, "no, 9", r"\bis 108\.", True),
        (TIMES, "no, plus 7", r"\bis 19\.", True),
        (PERCENT, "what about 20 percent", r"\bis 16\.", False),
        (PERCENT, "and of 250?", r"\bis 37\.5\.", False),
        (MILES, "and in inches", r"\b316,800 inches", False),
        (MILES, "how about 10 miles", r"\b16\.09 kilo", False),
        (MILES, "and 3?", r"\b4\.83 kilo", False),
        (MILES, "how many feet is that", r"\b26,400 feet", False),
        (MILES, "no, 6 miles", r"\b9\.66 kilo", True),
        (MILES, "no, in metres", r"\b8,046\.72 metres", True),
        (FRANCE, "and Germany?", r"\bBerlin\b", False),
        (FRANCE, "What about the UK", r"\bLondon\b", False),
        (FRANCE, "what about its population", r"\b67 million", False),
        (FRANCE, "what's its currency", r"\beuro\b", False),
        (FRANCE, "and how many people live there", r"\b67 million", False),
        (FRANCE, "what language do they speak there", r"\bFrench\b", False),
        (FRANCE, "where is it", r"\bEurope\b", False),
        (FRANCE, "no, Spain", r"\bMadrid\b", True),
        (FRANCE, "i mean sweden", r"\bStockholm\b", True),
        (FRANCE, "no, the population", r"\b67 million", True),
        (LIMA, "and Nairobi?", r"\bKenya\b", False),
        (LIMA, "how many people live there", r"^Peru has about 34 million", False),
        (HAPPY, "how do you spell it", r"H, A, P, P, Y", False),
        (HAPPY, "and sad?", r"\bsorrow\b", False),
        (HAPPY, "no, I said affect", r"^Affect", True),
    ],
)
def test_requests_go_on_from_the_last_call(last: Call, text: str, wanted: str, corrects: bool):
    call = followed(text, last)
    assert call and call.corrects == corrects
    assert re.search(wanted, answer(call)), answer(call)


@pytest.mark.parametrize("last", [TIMES, MILES, FRANCE, HAPPY], ids=lambda call: call.tool)
@pytest.mark.parametrize(
    "text",
    ["cancel it", "thanks", "no", "no thanks", "what time is it", "set a timer for 5 minutes",
     "tell me a joke",
     "what's the weather", "and then",
     "who wrote Hamlet", "I see", "that's great", "it is nice", "and you?"],
)  # fmt: skip
def test_what_goes_on_from_nothing_is_left_alone(last: Call, text: str):
    assert followed(text, last) is None


def test_a_long_chain_of_operations_ends_in_no_call():
    last: Call | None = TIMES
    for _ in range(200):
        assert last
        following = followed("times two", last)
        if following is None:
            break
        last = following
    else:
        pytest.fail("it grows without end")
    assert last and len(str(last.arguments["expression"])) <= 400


HOSTILE = [
    "a" * 10_000, "1 " * 5_000, "what is " + "2 + " * 2_500 + "2", "(" * 300, "x" * 299, "minus " * 45,
    "how many feet in " + "1 " * 130, "what is the capital of " + "a b " * 60, "is is is " * 30,
    "i weigh 5 kg " * 20, "add " + "1, " * 90 + "1",
    "of of " * 45, "define " + "a-" * 50, "🌍" * 100, "\x00\n\t",
    "what is 9 to the power of 9 to the power of 9", "5 feet " * 40, "um " * 3_000,
    "no, " * 3_000,
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:12].encode("ascii", "replace").decode())
def test_hostile_texts_are_quick(text: str):
    form = normal(text)
    for domain in KNOWLEDGE:
        for last in (TIMES, MILES, FRANCE, HAPPY):
            best = min(timed(domain, form, last) for _ in range(3))
            assert best < 0.02


def timed(domain, form: str, last: Call) -> float:
    begin = time.perf_counter()
    domain.parse(form, NOW)
    domain.follow(form, last, NOW)
    return time.perf_counter() - begin


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_any_text_has_one_form_and_may_mean_nothing(text: str):
    form = normal(text)
    assert "\n" not in form and form == form.strip()
    for domain in KNOWLEDGE:
        domain.parse(form, NOW)
        for last in (TIMES, MILES, FRANCE, HAPPY):
            domain.follow(form, last, NOW)


DIALOGUES = json.loads(REQUESTS.read_text(encoding="utf-8"))


@pytest.mark.parametrize("dialogue", DIALOGUES, ids=lambda dialogue: dialogue["name"])
def test_the_scripted_requests(dialogue):
    last: Call | None = None
    for turn in dialogue["turns"]:
        call = parsed(turn["say"]) or (followed(turn["say"], last) if last else None)
        assert call, turn["say"]
        assert re.search(turn["expect"], answer(call), re.IGNORECASE), answer(call)
        last = call


def test_there_are_enough_scripted_requests():
    assert sum(len(dialogue["turns"]) for dialogue in DIALOGUES) >= 110
    assert sum(len(dialogue["turns"]) - 1 for dialogue in DIALOGUES) >= 25
