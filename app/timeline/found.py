"""What was found in a session, sorted for painting: faults, and replies with where their time went. No Qt.

A recorded session's findings come from ``engine.inspect.findings``. As long as
there are none, as in a live session, faults are the reported ones and the
micro-turns that were late, skipped or lost sound.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from app.text import one_line
from app.timeline.columns import GAP, MISSED, SKIPPED
from app.timeline.model import TimelineModel
from engine.config import CHUNK_S

if TYPE_CHECKING:
    from engine.inspect.findings import Findings
    from engine.inspect.latency import Reply

Times = NDArray[np.float64]
_MAX_LIVE = 4_000
_WRONG = (
    (GAP, "lost audio", "some of the microphone’s sound was lost",
     "some of the microphone’s sound was lost in {} micro-turns"),
    (SKIPPED, "overrun", "the model was not asked: the computer was too far behind",
     "the model was not asked for {} micro-turns: the computer was too far behind"),
    (MISSED, "late step", "the step came more than 200 ms late", "{} steps came more than 200 ms late"),
)  # fmt: skip
"""Flag of a micro-turn, kind of fault, and its words for one of them and for a run."""


@dataclass(frozen=True)
class Spot:
    """``t0`` and ``t1`` are equal for a moment."""

    t0: float
    t1: float
    kind: str
    text: str


class Spots:
    """Spots in order of their start."""

    def __init__(self, spots: Sequence[Spot] = ()) -> None:
        self.items = sorted(spots, key=lambda spot: (spot.t0, spot.t1))
        self.t0: Times = np.array([spot.t0 for spot in self.items])
        self.t1: Times = np.array([spot.t1 for spot in self.items])
        self._longest = float((self.t1 - self.t0).max()) if self.items else 0.0

    def range(self, t0: float, t1: float) -> tuple[int, int]:
        """First and last + 1 of those that may touch ``t0 .. t1``."""
        first = int(np.searchsorted(self.t0, t0 - self._longest))
        return first, int(np.searchsorted(self.t0, t1, side="right"))

    def groups(self, t0: float, t1: float, apart_s: float) -> list[tuple[int, int]]:
        """(first, last + 1) of those in ``t0 .. t1``, together where they begin within ``apart_s``."""
        first, last = self.range(t0, t1)
        shown = (np.flatnonzero(self.t1[first:last] >= t0) + first).tolist()
        found: list[tuple[int, int]] = []
        for k in shown:
            if found and self.t0[k] < max(float(self.t0[found[-1][0]]), t0) + apart_s:
                found[-1] = found[-1][0], k + 1
            else:
                found.append((k, k + 1))
        return found

    def between(self, t0: float, t1: float) -> list[Spot]:
        first, last = self.range(t0, t1)
        return [spot for spot in self.items[first:last] if spot.t1 >= t0]


class Found:
    """What is to be painted of one session's findings."""

    def __init__(self, findings: "Findings | None" = None) -> None:
        self.replies: tuple[Reply, ...] = ()
        self.known = findings is not None
        self.faults = self.barge_ins = Spots()
        if findings is not None:
            self.replies = tuple(sorted(findings.replies, key=lambda reply: reply.t0))
            self.faults = Spots([_spot(one) for one in findings.faults])
            self.barge_ins = Spots([_spot(one) for one in findings.barge_ins])
        self._told, self._told_of = Spots(), (0, 0, 0, 0, 0)
        self.reply_t0: Times = np.array([reply.t0 for reply in self.replies])
        self.reply_t1: Times = np.array([reply.t1 for reply in self.replies])

    def faults_of(self, model: TimelineModel) -> Spots:
        """Those found, or those that the session itself tells."""
        if self.known:
            return self.faults
        faults = model.items.faults
        state = (id(model), model.turns.base, model.turns.end, len(faults.items), faults.dropped)
        if state != self._told_of:
            self._told_of, self._told = state, told_faults(model)
        return self._told

    def replies_between(self, t0: float, t1: float) -> "list[Reply]":
        """Replies whose wait, or overlap, touches ``t0 .. t1``."""
        if not self.replies:
            return []
        low, high = np.minimum(self.reply_t0, self.reply_t1), np.maximum(self.reply_t0, self.reply_t1)
        return [self.replies[k] for k in np.flatnonzero((low <= t1) & (high >= t0)).tolist()]


def _spot(found: object) -> Spot:
    t0, t1 = float(getattr(found, "t0", 0.0)), float(getattr(found, "t1", 0.0))
    kind, text = str(getattr(found, "kind", "other")), str(getattr(found, "text", ""))
    return Spot(t0, max(t0, t1), one_line(kind, 40), one_line(text, 400))


def told_faults(model: TimelineModel) -> Spots:
    """Reported faults, and runs of micro-turns that went wrong."""
    spots = [Spot(i.t, i.t, "fault", i.text) for i in model.items.faults.items[-_MAX_LIVE:]]
    turns = model.turns
    wrong = {GAP: list[int](), SKIPPED: list[int](), MISSED: list[int]()}
    for i in turns.flagged(MISSED | SKIPPED | GAP, turns.base, turns.end)[-_MAX_LIVE:]:
        bits = turns.bits(i)
        if bits & GAP:
            wrong[GAP].append(i)
        if bits & SKIPPED:
            wrong[SKIPPED].append(i)
        elif bits & MISSED:
            wrong[MISSED].append(i)
    for flag, kind, one, more in _WRONG:
        for first, last in _runs(wrong[flag]):
            count = last - first + 1
            text = one if count == 1 else more.format(count)
            spots.append(Spot(first * CHUNK_S, (last + 1) * CHUNK_S, kind, text))
    return Spots(spots)


def _runs(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """First and last of each run of neighbours."""
    found: list[tuple[int, int]] = []
    for i in numbers:
        if found and found[-1][1] == i - 1:
            found[-1] = found[-1][0], i
        else:
            found.append((i, i))
    return found
