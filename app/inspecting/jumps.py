"""Where the next thing of a kind is. Plain Python; belongs to the model's thread.

A recorded session is looked through as a whole (``Measured``); of a live one
the timeline itself has to do.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from app.inspecting.turns import turn_at, turn_rows
from app.timeline.found import told_faults
from app.timeline.items import Instant
from app.timeline.model import TimelineModel
from engine.config import CHUNK_S
from engine.decisions import DECISIONS
from engine.inspect.finding import Finding
from engine.inspect.findings import Findings
from engine.inspect.gaps import LONG_S

LOW_P, LOW_MARGIN = 0.5, 0.15
"""A decision less probable than the one, or nearer to its runner-up than the other, was unsure."""


@dataclass(frozen=True)
class Kind:
    """Something to jump to: ``name`` in a sentence, ``title`` in a menu."""

    key: str
    name: str
    title: str


KINDS = (
    Kind("barge_in", "barge-in", "&Barge-in"),
    Kind("long_gap", "long gap", "&Long gap"),
    Kind("fault", "fault", "&Fault"),
    Kind("unsure", "unsure decision", "&Unsure decision"),
    Kind("mark", "mark", "&Mark"),
)


@dataclass(frozen=True)
class Target:
    """A stretch of session seconds, and a line on what it is."""

    t0: float
    t1: float
    text: str

    @property
    def turn(self) -> int:
        return turn_at(self.t0)


def targets(kind: str, model: TimelineModel, found: Findings | None) -> list[Target]:
    """Everything of a kind (a ``key`` of ``KINDS``), in time order."""
    match kind:
        case "barge_in":
            return _found(found.barge_ins) if found else _yields(model)
        case "long_gap":
            return _found(found.long_gaps) if found else _pauses(model)
        case "fault":
            return _found(found.faults) if found else _told(model)
        case "unsure":
            return _unsure(model)
    return _instants(model, "mark")


def neighbour(among: Sequence[Target], turn: int | None, direction: int) -> Target | None:
    """The nearest one after (1) or before (-1) micro-turn ``turn``; from an end where that is None."""
    if turn is None:
        return (among[0] if direction > 0 else among[-1]) if among else None
    if direction > 0:
        return next((one for one in among if one.turn > turn), None)
    return next((one for one in reversed(among) if one.turn < turn), None)


def _found(findings: Sequence[Finding]) -> list[Target]:
    return sorted((Target(one.t0, one.t1, one.text) for one in findings), key=lambda one: one.t0)


def _instants(model: TimelineModel, what: str) -> list[Target]:
    found: list[Instant] = [one for one in model.items.instants.items if one.what == what]
    return [Target(one.t, one.t, one.text) for one in found]


def _told(model: TimelineModel) -> list[Target]:
    return [Target(one.t0, one.t1, one.text) for one in told_faults(model).items]


def _yields(model: TimelineModel) -> list[Target]:
    rows = turn_rows(model)
    runs = rows.runs(rows.decision == DECISIONS.index("yield"))
    return [Target(first * CHUNK_S, end * CHUNK_S, "the assistant gave the floor up") for first, end in runs]


def _pauses(model: TimelineModel) -> list[Target]:
    """After something the user said, until the assistant's next words."""
    said = {one.t0 for one in model.items.assistant.items}
    starts = sorted([*said, *(one.t0 for one in model.items.user.items)])
    found = []
    for heard in model.items.user.items:
        at = bisect_right(starts, heard.t1)
        if at < len(starts) and starts[at] in said and starts[at] - heard.t1 > LONG_S:
            text = f"{starts[at] - heard.t1:.1f} s until the assistant’s next words"
            found.append(Target(heard.t1, starts[at], text))
    return found


def _unsure(model: TimelineModel) -> list[Target]:
    rows = turn_rows(model)
    chosen, margin = rows.chosen, rows.margin
    found = []
    for first, end in rows.runs((chosen < LOW_P) | (margin < LOW_MARGIN)):
        at = min(range(first, end), key=lambda i: float(margin[i - rows.first]))
        p, by = float(chosen[at - rows.first]), float(margin[at - rows.first])
        name = DECISIONS[int(rows.decision[at - rows.first])]
        text = f"{name} {p:.0%}, {by * 100:+.0f} points to its runner-up"
        found.append(Target(first * CHUNK_S, end * CHUNK_S, text))
    return found
