"""Where the time of a reply went: the silence that the user heard, cause by cause.

Nothing here runs in a conversation: it explains a recorded one. Between the user's last sound and the
assistant's first, each moment has exactly one cause; ``CAUSES`` explains them in a line each.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.config import CHUNK_S
from engine.decisions import RELAY
from engine.events import TurnRecord
from engine.inspect.measures import Measures
from engine.recorder.reader import RecordedSession

WAITING = "waiting for the micro-turn's end"
LISTENING = "deciding to listen"
NOTHING = "nothing to say"
BACKGROUND = "waiting for the background"
LATE = "late"
COMPUTING = "computing"
PLAYING = "playing out"
UNKNOWN = "not recorded"

CAUSES: Mapping[str, str] = {
    WAITING: "from the user's last sound to the end of the micro-turn it fell into, when it is judged",
    LISTENING: "micro-turns in which the model went on listening although it could have spoken",
    NOTHING: "micro-turns in which the model decided to speak and had no words to say",
    BACKGROUND: "the background was at work on the answer, and the model had chosen no phrase to bridge it",
    LATE: "the computer was behind: computing began late, or the model was skipped",
    COMPUTING: "computing the micro-turn that began the reply, with its first speech",
    PLAYING: "from the speech made to the speech heard: the voice's own onset, and the loudspeaker's buffer",
    UNKNOWN: "micro-turns that are missing in the timeline",
}
"""What each segment means, in the order in which they follow one another."""

_TALKING = ("speak", "interrupt", "backchannel")
_EDGE_S = 0.03  # levels are measured in steps of 10 ms


@dataclass(frozen=True)
class Segment:
    """One cause of the wait, in session seconds. ``name`` is a key of ``CAUSES``."""

    name: str
    t0: float
    t1: float


@dataclass(frozen=True)
class Reply:
    """The assistant takes the floor after the user.

    ``t0``: the user's last sound; ``t1``: the assistant's first audible one; ``turn``: the micro-turn that
    decided it, -1 where it is missing; ``decision``: that micro-turn's decision; ``segments``: contiguous
    from ``t0`` to ``t1``, and none where the assistant began before the user had ended (``t1`` < ``t0``).
    """

    t0: float
    t1: float
    turn: int
    decision: str
    segments: tuple[Segment, ...]


def replies(session: RecordedSession, measured: Measures) -> tuple[Reply, ...]:
    """One for each take-over that followed something the user said, in order."""
    found = _Speech(session.turns, measured)
    result = []
    for take_over in measured.take_overs:
        if take_over.offset is None:
            continue
        end = take_over.t - take_over.offset
        turn = found.behind(take_over.t)
        segments = found.segments(end, take_over.t, turn) if take_over.offset > 0 else ()
        number, decision = (turn.i, turn.decision) if turn else (-1, take_over.decision)
        result.append(Reply(end, take_over.t, number, decision, segments))
    return tuple(result)


def spent(found: Iterable[Reply]) -> dict[str, tuple[float, ...]]:
    """Seconds of each cause in every reply that followed a silence; causes that never were are left out.

    A cause that a reply does not have is 0 there, so that the figures can be compared.
    """
    followed = [reply for reply in found if reply.segments]
    seconds = {name: tuple(_total(reply, name) for reply in followed) for name in CAUSES}
    return {name: times for name, times in seconds.items() if any(times)}


def medians(found: Iterable[Reply]) -> dict[str, float]:
    """Median of what was ``spent`` on each cause, in seconds."""
    return {name: float(np.median(times)) for name, times in spent(found).items()}


def _total(reply: Reply, name: str) -> float:
    return math.fsum(s.t1 - s.t0 for s in reply.segments if s.name == name)


class _Speech:
    """The micro-turns of a session, and which of them made what is heard."""

    def __init__(self, turns: Sequence[TurnRecord], measured: Measures) -> None:
        self._by_number = {turn.i: turn for turn in turns}
        told = any(turn.generated_ms > 0 for turn in turns)
        self._speaking = [t for t in turns if (t.generated_ms > 0 if told else t.decision in _TALKING)]
        self._starts = np.array([_made_at(turn) for turn in self._speaking])
        self._ends = np.array([end for _, end in measured.heard])
        # Without audio, all that is known of a sound is the micro-turn it fell into.
        self._edge_s = _EDGE_S if measured.precise else CHUNK_S

    def behind(self, onset: float) -> TurnRecord | None:
        """The micro-turn that began what begins to be heard at ``onset``."""
        last = int(np.searchsorted(self._starts, onset + self._edge_s, side="right")) - 1
        if last < 0 or onset - self._starts[last] > 2.0:
            return None
        before = int(np.searchsorted(self._ends, onset)) - 1
        silent_since = float(self._ends[before]) if before >= 0 else -math.inf
        while last > 0 and self._begins_before(last, silent_since):
            last -= 1
        return self._speaking[last]

    def _begins_before(self, n: int, silent_since: float) -> bool:
        one_run = self._speaking[n - 1].i == self._speaking[n].i - 1
        return one_run and float(self._starts[n - 1]) >= silent_since - self._edge_s

    def segments(self, t0: float, t1: float, turn: TurnRecord | None) -> tuple[Segment, ...]:
        """``t0`` to ``t1`` cut into causes."""
        if turn is None:
            return (Segment(UNKNOWN, t0, t1),)
        causes: list[tuple[float, str]] = []  # until when, and why
        heard_in = math.ceil(t0 / CHUNK_S - 1e-6) - 1  # the micro-turn that the last sound fell into
        if heard_in <= turn.i:
            causes.append((_end(heard_in), WAITING))
            causes += [(_end(i + 1), self._cause(i, turn)) for i in range(heard_in, turn.i)]
        began = _end(turn.i) + max(0.0, turn.lag_ms) / 1000
        causes += [(began, LATE), (_made_at(turn), COMPUTING), (t1, PLAYING)]
        return _joined(t0, t1, causes)

    def _cause(self, number: int, reply: TurnRecord) -> str:
        """Why micro-turn ``number`` did not begin the reply that ``reply`` began."""
        turn = self._by_number.get(number)
        if turn is None:
            return UNKNOWN
        if turn.skipped:
            return LATE
        at_work = turn.delegate or turn.open_jobs > 0
        if reply.say == RELAY and at_work and not turn.background_words:
            return BACKGROUND
        if turn.decision not in _TALKING:
            return LISTENING
        return PLAYING if turn.generated_ms > 0 else NOTHING


def _end(number: int) -> float:
    return CHUNK_S * (number + 1)


def _made_at(turn: TurnRecord) -> float:
    """When the output of a micro-turn had been computed, in session seconds."""
    return _end(turn.i) + (max(0.0, turn.lag_ms) + turn.compute_ms) / 1000


def _joined(t0: float, t1: float, causes: Iterable[tuple[float, str]]) -> tuple[Segment, ...]:
    """Contiguous segments from ``t0`` to ``t1``; equal neighbours become one, empty ones are left out."""
    found: list[Segment] = []
    start = t0
    for until, name in causes:
        end = min(max(until, start), t1)
        if end - start < 1e-9:
            continue
        if found and found[-1].name == name:
            found[-1] = Segment(name, found[-1].t0, end)
        else:
            found.append(Segment(name, start, end))
        start = end
    if found:
        found[-1] = Segment(found[-1].name, found[-1].t0, t1)
    return tuple(found)
