"""The micro-turns of a timeline as one exact row each, for searching and counting. Plain Python."""

from dataclasses import dataclass
from functools import cached_property
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from app.timeline.columns import COMPUTE_MS, LAG_MS, OTHER, SELF_DB, USER_DB
from app.timeline.model import TimelineModel
from engine.config import CHUNK_S
from engine.decisions import DECISIONS

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class TurnRows:
    """n neighbouring micro-turns, the first of them number ``first``."""

    first: int
    present: NDArray[np.bool_]
    """False for a turn that never arrived; what the other columns hold there means nothing."""
    decision: NDArray[np.intp]
    """Code of the decision: its place in ``DECISIONS``, or a higher one for an unknown decision."""
    probs: Floats
    """(n, 5), in the order of ``DECISIONS``."""
    level: Floats
    """(n, 6): see ``app.timeline.columns``."""
    bits: NDArray[np.uint16]

    def __len__(self) -> int:
        return len(self.present)

    @cached_property
    def chosen(self) -> Floats:
        """Probability of the decision that was taken; NaN where none was recorded."""
        known = np.minimum(self.decision, OTHER - 1)
        taken = np.take_along_axis(self.probs, known[:, None], axis=1)[:, 0]
        return np.where(self._judged, taken, np.nan).astype(np.float32)

    @cached_property
    def margin(self) -> Floats:
        """By how much the strongest other decision was less probable; negative when it was more so."""
        others = self.probs.copy()
        np.put_along_axis(others, np.minimum(self.decision, OTHER - 1)[:, None], -1.0, axis=1)
        margin: Floats = self.chosen - others.max(axis=1)
        return margin

    @cached_property
    def _judged(self) -> NDArray[np.bool_]:
        judged: NDArray[np.bool_] = self.present & (self.decision < OTHER) & (self.probs.sum(axis=1) > 0)
        return judged

    def measure(self, name: str) -> Floats:
        """A column by the name it has in a query: see ``MEASURES``."""
        if name in DECISIONS:
            return np.where(self._judged, self.probs[:, DECISIONS.index(name)], np.nan).astype(np.float32)
        if name in ("p", "margin"):
            return self.chosen if name == "p" else self.margin
        return self.level[:, MEASURES[name]]

    def runs(self, mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
        """Neighbouring turns for which ``mask`` holds: number of the first, and of the one after the last."""
        edges = np.diff(np.concatenate(([False], mask & self.present, [False])).astype(np.int8))
        starts, ends = np.flatnonzero(edges == 1) + self.first, np.flatnonzero(edges == -1) + self.first
        return list(zip(starts.tolist(), ends.tolist(), strict=True))


MEASURES = {"compute": COMPUTE_MS, "lag": LAG_MS, "you": USER_DB, "assistant": SELF_DB}
"""Measured columns that can be compared: milliseconds, and dB of full scale."""


def turn_rows(model: TimelineModel, t0: float | None = None, t1: float | None = None) -> TurnRows:
    """The turns that begin in session seconds ``t0 .. t1``; all of them when no time is given."""
    turns = model.turns
    first, end = turns.base, turns.end
    if t0 is not None:
        first = max(first, ceil(t0 / CHUNK_S - 1e-6))
    if t1 is not None:
        end = min(end, ceil(t1 / CHUNK_S - 1e-6))
    # One pixel a turn: nothing is averaged or merged.
    columns = turns.columns(first, 1 / CHUNK_S, max(end - first, 0))
    if columns is None:
        none = np.zeros(0)
        return TurnRows(
            first,
            none.astype(np.bool_),
            none.astype(np.intp),
            np.zeros((0, len(DECISIONS)), np.float32),
            np.zeros((0, 6), np.float32),
            none.astype(np.uint16),
        )
    return TurnRows(first, columns.present, columns.majority, columns.probs, columns.peak, columns.bits)


def turn_at(t: float) -> int:
    """Number of the micro-turn that holds session second ``t``."""
    return floor(t / CHUNK_S + 1e-6)
