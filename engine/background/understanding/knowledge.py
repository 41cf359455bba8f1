"""Requests for exact knowledge that needs no language model: arithmetic, units, countries, words."""

from datetime import UTC, datetime

from engine.background.tools import units
from engine.background.understanding.calculation import CALCULATION
from engine.background.understanding.call import Domain
from engine.background.understanding.conversion import CONVERSION
from engine.background.understanding.geography import GEOGRAPHY
from engine.background.understanding.words import WORDS

# Units first: "how many feet in 2 miles" has numbers as well.
KNOWLEDGE: tuple[Domain, ...] = (CONVERSION, CALCULATION, GEOGRAPHY, WORDS)


def warm_up() -> None:
    """Load what the first requests would wait for: pint, the units, countries, the dictionary's index.

    Takes about half a second once. The cities are loaded by ``engine.background.tools.places.warm_up``.
    """
    units.warm_up()
    now = datetime.now(UTC)
    for domain in KNOWLEDGE:
        for text in ("what is 1 mile in kilometres", "what is the capital of france", "define word"):
            domain.parse(text, now)
