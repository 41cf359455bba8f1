"""Constants of the micro-turn contract, and the engine's configuration."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.errors import InputError

CHUNK_S = 0.2
CHUNK_MS = 200
INPUT_HZ = 16_000
OUTPUT_HZ = 24_000
INPUT_CHUNK = 3_200  # samples of 16 kHz microphone audio in one micro-turn
OUTPUT_CHUNK = 4_800  # samples of 24 kHz assistant audio in one micro-turn
SESSION_VERSION = 1

assert INPUT_CHUNK == round(INPUT_HZ * CHUNK_S)
assert OUTPUT_CHUNK == round(OUTPUT_HZ * CHUNK_S)


@dataclass(frozen=True)
class LateRule:
    """What happens when a micro-turn is computed late; see docs/timing.md.

    A turn that starts late runs at once (no input is skipped) until the lag
    reaches ``skip_lag_s``; then the model is skipped for the oldest turns, each
    marked ``skipped`` with a fault, until the lag is below ``CHUNK_S`` again.
    """

    skip_lag_s: float = 1.0


MAX_BIAS = 3.0
MIN_SPEED, MAX_SPEED = 0.7, 1.4
DEFAULT_VOICE = "heart"
_TRAITS = {"interrupt": "interrupt", "backchannel": "backchannel", "give_way": "yield"}


@dataclass(frozen=True)
class Temperament:
    """How ready the assistant is to interrupt, to nod, and to give way.

    Each is a bias in nats, from -3 to 3, that is added to the model's own logit of
    that decision before the most probable one is taken: +0.7 makes it about twice
    as probable as the model found it beside the others. It is no threshold and
    no timer, and 0 leaves the model as it was trained.

    Raises:
        InputError: a value is not within its range.
    """

    interrupt: float = 0.0
    backchannel: float = 0.0
    give_way: float = 0.0

    def __post_init__(self) -> None:
        for trait in _TRAITS:
            value = getattr(self, trait)
            if not (math.isfinite(value) and abs(value) <= MAX_BIAS):
                raise InputError(f"{trait} is {value}: give a number from -{MAX_BIAS:g} to {MAX_BIAS:g}")

    @property
    def bias(self) -> dict[str, float]:
        """Nats by decision, for the engine; without those that are 0."""
        found = {decision: getattr(self, trait) for trait, decision in _TRAITS.items()}
        return {decision: value for decision, value in found.items() if value}

    @property
    def traits(self) -> dict[str, float]:
        """The values by name; without those that are 0."""
        return {trait: getattr(self, trait) for trait in _TRAITS if getattr(self, trait)}


def read_temperament(text: str) -> Temperament:
    """``interrupt=+0.5,backchannel=-1`` as a Temperament; what is not named is 0.

    Raises:
        InputError: it names something else, or a value is no number from -3 to 3.
    """
    traits: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = part.partition("=")
        trait = name.strip().replace("-", "_")
        if trait not in _TRAITS:
            raise InputError(f"{part!r} is no temperament: give {', '.join(_TRAITS)}, such as interrupt=+0.5")
        try:
            traits[trait] = float(value)
        except ValueError:
            raise InputError(f"{part!r} needs a number, such as {trait}=+0.5") from None
    return Temperament(**traits)


@dataclass(frozen=True)
class EngineConfig:
    """How one session is run. Immutable; made by the command line or the window.

    ``temperament`` is for the learned engine alone. ``voice``: a name of
    ``engine.voices``; ``speed``: of its speech, 0.7 to 1.4.

    Raises:
        InputError: the speed is out of its range.
    """

    engine: str = "micro"
    seed: int = 0
    background: bool = True
    torch_threads: int = 1
    late: LateRule = LateRule()
    temperament: Temperament = Temperament()
    voice: str = DEFAULT_VOICE
    speed: float = 1.0

    def __post_init__(self) -> None:
        if not MIN_SPEED <= self.speed <= MAX_SPEED:
            raise InputError(f"the speed is {self.speed}: give a number from {MIN_SPEED} to {MAX_SPEED}")

    @property
    def options(self) -> Mapping[str, Any]:
        """What differs from the defaults in temperament and voice, as the session's header keeps it."""
        chosen: dict[str, Any] = {}
        if self.temperament.traits:
            chosen["temperament"] = self.temperament.traits
        if self.voice != DEFAULT_VOICE:
            chosen["voice"] = self.voice
        if self.speed != 1.0:
            chosen["speed"] = self.speed
        return chosen
