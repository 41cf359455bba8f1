"""What a simulated session is made of: what the user says, what the oracle wants, what the model will see."""

from dataclasses import dataclass, field

import numpy as np

from engine.config import CHUNK_S
from engine.decisions import NONE
from engine.types import Samples, SelfState, StepOutput, TextEvent


@dataclass
class Utterance:
    """What the user says. Times are session seconds; ``gaps`` are silences inside it."""

    kind: str
    start: float
    end: float
    gaps: list[tuple[float, float]] = field(default_factory=list)
    nods: list[tuple[float, float]] = field(default_factory=list)
    expects: bool = True
    answered: bool = False
    question: bool = False

    def speaking(self, t: float) -> bool:
        return self.start <= t < self.end and not any(a <= t < b for a, b in self.gaps)


@dataclass(frozen=True)
class Target:
    """The oracle's answer for one micro-turn. ``weight`` 0 where a good listener could go either way."""

    decision: str
    say: str = NONE
    delegate: bool = False
    weight: float = 1.0


@dataclass
class Job:
    """A simulated background request: its words arrive at ``times``."""

    number: int
    words: list[str]
    times: list[float]
    given: int = 0


@dataclass(frozen=True)
class TurnTrace:
    """One micro-turn of a simulated session: the model's inputs besides sound, and its target."""

    state: SelfState
    texts: tuple[TextEvent, ...]
    target: Target
    acted: StepOutput


@dataclass(frozen=True)
class Trace:
    """A simulated session. ``near``, ``far``, ``echo``: 16 kHz, before the room."""

    turns: tuple[TurnTrace, ...]
    near: Samples
    far: Samples
    echo: Samples
    utterances: tuple[Utterance, ...]


def activity_targets(utterances: tuple[Utterance, ...], turns: int) -> np.ndarray:
    """Whether the user speaks in 0-0.2, 0.2-0.6, 0.6-1.2, 1.2-2.0 s after each micro-turn, (turns, 4)."""
    step = 0.05
    grid = np.zeros(int(turns * CHUNK_S / step) + 60, np.float32)
    for u in utterances:
        edges = [u.start, *(x for g in sorted(u.gaps) for x in g), u.end]
        for a, b in zip(edges[::2], edges[1::2], strict=True):
            grid[int(a / step) : int(b / step)] = 1.0
    bins = ((0, 4), (4, 12), (12, 24), (24, 40))
    out = np.empty((turns, 4), np.float32)
    for i in range(turns):
        now = round((i + 1) * CHUNK_S / step)
        out[i] = [grid[now + a : now + b].mean() for a, b in bins]
    return (out > 0.5).astype(np.float32)
