"""What a simulated session is made of: what the user says, what the oracle wants, what the model will see."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.config import CHUNK_S
from engine.decisions import NONE
from engine.standing import Instruction
from engine.types import Samples, SelfState, StepOutput, TextEvent

ADDRESSED = ("request", "barge_in", "stop")
COMPLETE_S = 1.0  # how long after the end of a turn it is labelled complete


@dataclass
class Utterance:
    """What the user says. Times are session seconds; ``gaps`` are silences inside it.

    ``kind``: request, barge_in, stop, backchannel or aside. ``nods``: gaps in which a backchannel is
    welcome; ``between``: gaps that follow a whole sentence. ``pieces``: what is said between the gaps,
    with the time at which it begins; ``natural``: pauses inside pieces, and how complete the turn sounded
    in them to a teacher, -1 for unknown. ``doubtful``: one could take it for addressed to the assistant.
    ``unclear``: it cannot be understood.
    """

    kind: str
    start: float
    end: float
    gaps: list[tuple[float, float]] = field(default_factory=list)
    nods: list[tuple[float, float]] = field(default_factory=list)
    between: list[tuple[float, float]] = field(default_factory=list)
    pieces: list[tuple[float, Samples]] = field(default_factory=list)
    natural: list[tuple[float, float, float]] = field(default_factory=list)
    expects: bool = True
    answered: bool = False
    question: bool = False
    unclear: bool = False
    doubtful: bool = False
    text: str = ""

    @property
    def addressed(self) -> bool:
        """Meant for the assistant, and more than a nod."""
        return self.kind in ADDRESSED

    def speaking(self, t: float) -> bool:
        return self.start <= t < self.end and not any(a <= t < b for a, b in self.gaps)

    def onset(self, t: float) -> float:
        """When the stretch of speech that is going on at ``t`` began."""
        return max([self.start, *(b for _, b in self.gaps if b <= t)])


@dataclass(frozen=True)
class Target:
    """The oracle's answer for one micro-turn. ``weight`` 0 where a good listener could go either way."""

    decision: str
    say: str = NONE
    delegate: bool = False
    weight: float = 1.0


@dataclass
class Job:
    """A simulated background request: its words arrive at ``times``; one without words ends at ``until``.

    ``arms``: what stands from its first words on.
    """

    number: int
    words: list[str]
    times: list[float]
    given: int = 0
    until: float = 0.0
    arms: Instruction | None = None


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


def activity_targets(utterances: tuple[Utterance, ...], turns: int) -> NDArray[np.float32]:
    """Whether the user speaks in 0-0.2, 0.2-0.6, 0.6-1.2, 1.2-2.0 s after each micro-turn, (turns, 4)."""
    step = 0.05
    grid = np.zeros(int(turns * CHUNK_S / step) + 60, np.float32)
    for u in utterances:
        edges = [u.start, *(x for g in sorted(u.gaps) for x in g), u.end]
        for a, b in zip(edges[::2], edges[1::2], strict=True):
            grid[int(a / step) : int(b / step)] = 1.0
        for a, b, _ in u.natural:
            grid[int(a / step) : int(b / step)] = 0.0
    bins = ((0, 4), (4, 12), (12, 24), (24, 40))
    out = np.empty((turns, 4), np.float32)
    for i in range(turns):
        now = round((i + 1) * CHUNK_S / step)
        out[i] = [grid[now + a : now + b].mean() for a, b in bins]
    return (out > 0.5).astype(np.float32)


def turn_end_targets(utterances: tuple[Utterance, ...], turns: int) -> NDArray[np.int8]:
    """Class of the time to the end of the user's turn, (turns,).

    0: nobody's turn, or over; 1: within 0.4 s; 2: 0.4 to 1 s; 3: 1 to 2 s; 4: later.
    """
    out = np.zeros(turns, np.int8)
    ends = (np.arange(turns) + 1) * CHUNK_S
    for u in utterances:
        if u.addressed:
            inside = (ends > u.start) & (ends < u.end)
            out[inside] = 1 + np.searchsorted([0.4, 1.0, 2.0], u.end - ends[inside])
    return out


def complete_targets(utterances: tuple[Utterance, ...], turns: int) -> NDArray[np.float16]:
    """Whether what was said so far is a whole turn, (turns,): in its pauses 0, after its end 1, else -1."""
    out = np.full(turns, -1, np.float16)
    ends = (np.arange(turns) + 1) * CHUNK_S
    for u in utterances:
        if not u.addressed or u.unclear:
            continue
        for a, b in u.gaps:
            if (a, b) not in u.between:
                out[(ends > a) & (ends <= b)] = 0.0
        for a, b, likely in u.natural:
            out[(ends > a + 0.1) & (ends <= b)] = likely
        if u.expects:
            out[(ends > u.end) & (ends <= u.end + COMPLETE_S)] = 1.0
    return out
