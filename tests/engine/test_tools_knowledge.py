"""The exact offline tools: arithmetic, units, countries, places, the dictionary."""

import math
import re
import time
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import cast
from zoneinfo import available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.background.store import Store
from engine.background.tools import dictionary, places, units
from engine.background.tools.calculate import CALCULATE, spoken_number, value_of
from engine.background.tools.countries import COUNTRY, WHAT, countries, find_capital, find_country
from engine.background.tools.dictionary import DEFINE
from engine.background.tools.places import city_zone
from engine.background.tools.tool import Tool, ToolContext, ToolError
from engine.background.tools.units import CONVERT, converted, find_unit

CONTEXT = ToolContext(now=datetime(2026, 11, 23, 12, tzinfo=UTC), store=cast("Store", None))


def said(tool: Tool, **arguments: object) -> str:
    return tool.run(arguments, CONTEXT).say


@pytest.fixture(scope="module", autouse=True)
def warm():
    units.warm_up()
    places.warm_up()


@pytest.mark.parametrize(
    ("expression", "answer"),
    [
        ("12 * 7", "12 times 7 is 84."),
        ("15% of 80", "15 percent of 80 is 12."),
        ("15% * 80", "15 percent of 80 is 12."),
        ("80 + 15%", "80 plus 15 percent is 92."),
        ("200 - 10%", "200 minus 10 percent is 180."),
        ("2 + 3 * 4", "2 plus 3 times 4 is 14."),
        ("(2 + 3) * 4", "That's 20."),
        ("0.1 + 0.2", "0.1 plus 0.2 is 0.3."),
        ("10 / 3", "10 divided by 3 is about 3.3333."),
        ("1 / 8", "1 divided by 8 is 0.125."),
        ("2/3 of 9", "2 thirds of 9 is 6."),
        ("sqrt(2)", "The square root of 2 is about 1.4142."),
        ("sqrt(144)", "The square root of 144 is 12."),
        ("sqrt(2.25)", "The square root of 2.25 is 1.5."),
        ("cbrt(-27)", "The cube root of minus 27 is minus 3."),
        ("root(16, 4)", "The fourth root of 16 is 2."),
        ("8^(1/3)", "That's 2."),
        ("2^-2", "2 to the power of minus 2 is 0.25."),
        ("-2^2", "Minus 2 squared is minus 4."),
        ("(-2)^2", "That's 4."),
        ("20!", "20 factorial is about 2.433 quintillion."),
        ("10^100", "10 to the power of 100 is 1 with 100 zeros."),
        ("999999 * 999999", "999,999 times 999,999 is 999,998,000,001."),
        ("17 mod 5", "17 modulo 5 is 2."),
        ("percent(20, 80)", "20 is 25 percent of 80."),
        ("average(4, 8, 15)", "The average of 4, 8 and 15 is 9."),
        ("gcd(12, 18)", "The greatest common divisor of 12 and 18 is 6."),
        ("log(1000)", "The logarithm of 1,000 is 3."),
        ("sin(30)", "The sine of 30 is 0.5."),
        ("9^9^9", "9 to the power of 9 to the power of 9 is a number with about 369.7 million digits."),
        ("5000!", "5,000 factorial is a number with 16,326 digits."),
    ],
)
def test_results_are_exact_and_said_plainly(expression: str, answer: str):
    assert said(CALCULATE, expression=expression) == answer


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("1 / 0", "divide by zero"),
        ("0 ^ -1", "divide by zero"),
        ("5 mod 0", "divide by zero"),
        ("sqrt(-4)", "negative"),
        ("(-2)^0.5", "negative"),
        ("(-3)!", "factorial"),
        ("2.5!", "factorial"),
        ("ln(0)", "logarithm"),
        ("tan(90)", "tangent"),
        ("infinity", "can't read"),
        ("1e999", "can't read"),
        ("", "nothing"),
        ("1 +", "can't read"),
        ("12 7", "can't read"),
        ("__import__('os')", "can't read"),
        ("9" * 390 + "!", "too large"),
        ("9^9^9 + 1", "too large"),
        ("9^9^9^9", "too large"),
        ("5!!!!", "too large"),
        ("(" * 200 + "1" + ")" * 199, "nested"),
        ("-" * 399 + "(", "can't read"),
        ("1+" * 5_000, "too long"),
        ("2^" * 150 + "2", "nested"),
    ],
)
def test_what_has_no_result_says_why_at_once(expression: str, reason: str):
    begin = time.perf_counter()
    with pytest.raises(ToolError, match=reason):
        said(CALCULATE, expression=expression)
    assert time.perf_counter() - begin < 0.25


NUMBERS = st.one_of(
    st.integers(0, 10**9).map(str), st.decimals(0, 1000, places=3, allow_nan=False).map(lambda d: f"{d:f}")
)
EXPRESSIONS = st.recursive(
    NUMBERS,
    lambda inner: st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda t: f"({t[0]}{t[1]}{t[2]})"),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(EXPRESSIONS)
def test_arithmetic_agrees_with_python_s_fractions(expression: str):
    exact = re.sub(r"\d+(?:\.\d+)?", lambda found: f"Fraction('{found[0]}')", expression)
    try:
        wanted = eval(exact, {"Fraction": Fraction})
    except ZeroDivisionError:
        with pytest.raises(ToolError, match="zero"):
            value_of(expression)
    else:
        assert value_of(expression).number == wanted


@settings(max_examples=200, deadline=None)
@given(st.integers(-50, 50), st.integers(-30, 30))
def test_powers_agree_with_python(base: int, exponent: int):
    if base == 0 and exponent < 0:
        return
    assert value_of(f"({base})^{exponent}").number == Fraction(base) ** exponent


@settings(max_examples=200, deadline=None)
@given(st.fractions(0, 10**6, max_denominator=1000))
def test_roots_are_right_to_many_places(number: Fraction):
    root = value_of(f"sqrt({number.numerator} / {number.denominator})").number
    assert math.isclose(float(root) ** 2, float(number), rel_tol=1e-12, abs_tol=1e-12)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="0123456789+-*/^%!().,eπabcinfsqrt ", max_size=60))
def test_garbage_ends_in_a_result_or_a_sentence(text: str):
    try:
        result = said(CALCULATE, expression=text)
    except ToolError as error:
        result = str(error)
    assert result.endswith(".") and "\n" not in result


@settings(max_examples=300, deadline=None)
@given(st.fractions(-(10**14), 10**14, max_denominator=10**6))
def test_a_rounded_number_says_so_and_is_close(number: Fraction):
    text, rounded = spoken_number(number)
    if "times 10" in text:
        return
    value = Fraction(text.replace(",", "").replace("minus ", "-"))
    assert rounded == (value != number) or abs(value - number) < abs(number) / 10**11
    assert abs(value - number) <= max(abs(number) / 100, Fraction(1, 10**6))


@pytest.mark.parametrize(
    ("amount", "unit", "to", "answer"),
    [
        (5, "mile", "kilometre", "5 miles is about 8.05 kilometres."),
        (1, "mile", "feet", "1 mile is 5,280 feet."),
        (100, "fahrenheit", "celsius", "100 degrees Fahrenheit is about 37.8 degrees Celsius."),
        (0, "celsius", "fahrenheit", "0 degrees Celsius is 32 degrees Fahrenheit."),
        (-40, "c", "f", "Minus 40 degrees Celsius is minus 40 degrees Fahrenheit."),
        (300, "kelvin", "celsius", "300 kelvin is 26.85 degrees Celsius."),
        (3, "hours", "minutes", "3 hours are 180 minutes."),
        (1, "year", "days", "1 year is 365 days, in a year of 365 days."),
        (2, "years", "months", "2 years are 24 months."),
        (1, "cup", "tablespoons", "1 cup is 16 tablespoons."),
        (180, "cm", "feet", "180 centimetres is about 5.91 feet, or 5 feet 11 inches."),
        (60, "mph", "km/h", "60 miles per hour is about 96.56 kilometres per hour."),
        (5, "gb", "mb", "5 gigabytes is 5,000 megabytes."),
        (30, "psi", "bar", "30 pounds per square inch is about 2.07 bars."),
        (200, "calories", "kilojoules", "200 calories is 836.8 kilojoules."),
        (1, "stone", "lbs", "1 stone is 14 pounds."),
        (2, "hectares", "square meters", "2 hectares is 20,000 square metres."),
    ],
)
def test_units(amount: float, unit: str, to: str, answer: str):
    assert said(CONVERT, amount=amount, unit=unit, to=to) == answer


def test_feet_and_inches_add_up():
    answer = said(CONVERT, amount=5, unit="foot", plus=10, plus_unit="inch", to="centimetre")
    assert answer == "5 feet 10 inches is 177.8 centimetres."


@pytest.mark.parametrize(
    ("amount", "unit", "to", "reason"),
    [
        (5, "kg", "miles", "mass"),
        (-300, "celsius", "fahrenheit", "absolute zero"),
        (1e300, "mile", "km", "too large"),
        ("nan", "mile", "km", "too large"),
        ("many", "mile", "km", "number"),
        (1, "smoot", "km", "smoot"),
        (1, "x" * 10_000, "km", "unit"),
    ],
)
def test_what_cannot_be_converted_says_why(amount: object, unit: str, to: str, reason: str):
    with pytest.raises(ToolError, match=reason):
        said(CONVERT, amount=amount, unit=unit, to=to)


def test_every_unit_converts_to_its_like_and_back():
    for unit in set(units.units().values()):
        for other in {u for u in units.units().values() if u.kind == unit.kind}:
            there = converted(Decimal(7), unit, other)
            assert abs(converted(there, other, unit) - 7) < Decimal("1e-9"), (unit.name, other.name)


@pytest.mark.parametrize(
    "name", ["kilometers", "Kilometres", "km", "sq ft", "degrees c", "miles per hour", "fl oz", "lbs"]
)
def test_units_are_found_in_many_spellings(name: str):
    assert find_unit(name)


@pytest.mark.parametrize(
    ("place", "what", "answer"),
    [
        ("France", "capital", "The capital of France is Paris."),
        (
            "holland",
            "capital",
            "The capital of the Netherlands is Amsterdam, while the government sits in The Hague.",
        ),
        ("USA", "capital", "The capital of the United States is Washington, D.C."),
        ("kazakhstan", "capital", "The capital of Kazakhstan is Astana."),
        ("Texas", "capital", "The capital of Texas is Austin."),
        ("georgia", "capital", "The capital of Georgia is Tbilisi, and of the US state it's Atlanta."),
        ("japan", "population", "Japan has about 124 million people."),
        ("uk", "currency", "The currency of the United Kingdom is the pound sterling."),
        ("bulgaria", "currency", "The currency of Bulgaria is the euro."),
        ("Peru", "continent", "Peru is in South America."),
        ("Portugal", "neighbours", "Portugal borders Spain."),
        ("iceland", "neighbours", "Iceland has no land border with another country."),
        ("Iceland", "area", "Iceland has an area of about 103,000 square kilometres."),
        ("Brazil", "languages", "In Brazil people speak Portuguese, Spanish, English and French."),
        ("Lima", "country", "Lima is the capital of Peru."),
        ("new delhi", "country", "New Delhi is the capital of India."),
        ("Austin", "country", "Austin is the capital of Texas."),
    ],
)
def test_countries(place: str, what: str, answer: str):
    assert said(COUNTRY, place=place, what=what) == answer


@pytest.mark.parametrize("place", ["", "Atlantis", "gains", "x" * 10_000, "🌍", "Francis"])
def test_no_country_is_made_up(place: str):
    for what in ("capital", "country"):
        with pytest.raises(ToolError):
            said(COUNTRY, place=place, what=what)


def test_every_country_can_be_told_everything_about():
    for country in countries().values():
        for what in WHAT[:-1]:
            answer = said(COUNTRY, place=country.name, what=what)
            assert answer.endswith(".") and ".." not in answer and "  " not in answer, answer
        if country.capital:
            assert find_capital(country.capital) is not None


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("phillipines", "PH"),
        ("Columbia", "CO"),
        ("Equador", "EC"),
        ("Morrocco", "MA"),
        ("Côte d'Ivoire", "CI"),
        ("U.K.", "GB"),
    ],
)
def test_misspelled_countries_are_found(wrong: str, right: str):
    country = find_country(wrong)
    assert country and country.code == right


@pytest.mark.parametrize("ambiguous", ["nigera", "slovania", "land", "an", "guin"])
def test_what_may_be_two_countries_is_none(ambiguous: str):
    assert find_country(ambiguous) is None


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("Tokyo", "Asia/Tokyo"),
        ("london", "Europe/London"),
        ("Paris, Texas", "America/Chicago"),
        ("New York", "America/New_York"),
        ("Bombay", "Asia/Kolkata"),
        ("Germany", "Europe/Berlin"),
        ("australia", "Australia/Sydney"),
        ("the USA", "America/New_York"),
        ("California", "America/Los_Angeles"),
        ("texas", "America/Chicago"),
        ("sao paulo", "America/Sao_Paulo"),
        ("Melborne", "Australia/Melbourne"),
        ("UTC", "UTC"),
    ],
)
def test_places_have_their_time_zone(name: str, zone: str):
    found = city_zone(name)
    assert found and found[1] == zone and found[1] in available_timezones()


@pytest.mark.parametrize(
    "name", ["", "tomorrow", "half an hour", "me", "the moon", "asdfgh", "x" * 10_000, "5"]
)
def test_no_place_is_made_up(name: str):
    assert city_zone(name) is None


@pytest.mark.parametrize(
    ("word", "what", "answer"),
    [
        ("serendipity", "meaning", r"^Serendipity, noun: good luck"),
        ("cats", "meaning", r"^Cat, noun: feline mammal"),
        ("stopped", "meaning", r"^Stopped, adjective"),
        ("big", "synonym", r"\blarge\b"),
        ("necessary", "spelling", r"N, E, C, E, S, S, A, R, Y\.$"),
        ("don't", "spelling", r"D, O, N, apostrophe, T\.$"),
    ],
)
def test_words(word: str, what: str, answer: str):
    assert re.search(answer, said(DEFINE, word=word, what=what))


@pytest.mark.parametrize("word", ["", "xyzzyx", "12", "a" * 10_000, "drop table words", "\x00"])
def test_unknown_words_are_said_to_be_unknown(word: str):
    with pytest.raises(ToolError):
        said(DEFINE, word=word, what="meaning")


def test_every_block_of_the_dictionary_is_whole():
    first, spans, _ = dictionary._index()
    assert list(first) == sorted(first) and len(spans) > 100
    for number in range(0, len(spans), 20):
        for line in dictionary._block(number).splitlines():
            cells = line.split("\t")
            assert len(cells) in (4, 7) and cells[0] and cells[1] in "nvar" and cells[2]


def test_tools_are_quick_when_warm():
    calls: list[tuple[Tool, dict[str, object]]] = [
        (CALCULATE, {"expression": "9^9^9"}),
        (CALCULATE, {"expression": "2000!"}),
        (CONVERT, {"amount": 5, "unit": "mile", "to": "km"}),
        (COUNTRY, {"place": "phillipines", "what": "neighbours"}),
        (DEFINE, {"word": "zebra", "what": "meaning"}),
    ]
    for tool, arguments in calls:
        tool.run(arguments, CONTEXT)
        begin = time.perf_counter()
        tool.run(arguments, CONTEXT)
        assert time.perf_counter() - begin < 0.05, tool.name
