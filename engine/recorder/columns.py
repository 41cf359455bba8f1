"""The micro-turns of a session as columns, for pictures, summaries and statistics."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.decisions import DECISION_INDEX, DECISIONS
from engine.events import TurnRecord

UNKNOWN = len(DECISIONS)  # a decision of a later version


@dataclass(frozen=True)
class TurnColumns:
    """One array a field, n micro-turns long. Times in seconds, levels in dBFS."""

    i: NDArray[np.int64]
    t: NDArray[np.float64]
    decision: NDArray[np.uint8]
    """Index into ``engine.decisions.DECISIONS``; ``UNKNOWN`` for others."""
    probs: NDArray[np.float32]
    """(n, 5), in the order of ``DECISIONS``; 0 where a probability is not given."""
    user_level_db: NDArray[np.float32]
    self_level_db: NDArray[np.float32]
    compute_ms: NDArray[np.float32]
    heard_ms: NDArray[np.float32]
    deadline_missed: NDArray[np.bool_]
    delegate: NDArray[np.bool_]
    skipped: NDArray[np.bool_]


def turn_columns(turns: Sequence[TurnRecord]) -> TurnColumns:
    """Columns of ``turns``, in their order."""
    return TurnColumns(
        i=np.array([r.i for r in turns], np.int64),
        t=np.array([r.t for r in turns], np.float64),
        decision=np.array([DECISION_INDEX.get(r.decision, UNKNOWN) for r in turns], np.uint8),
        probs=np.array([[r.probs.get(d, 0.0) for d in DECISIONS] for r in turns], np.float32).reshape(-1, 5),
        user_level_db=np.array([r.user_level_db for r in turns], np.float32),
        self_level_db=np.array([r.self_level_db for r in turns], np.float32),
        compute_ms=np.array([r.compute_ms for r in turns], np.float32),
        heard_ms=np.array([r.heard_ms for r in turns], np.float32),
        deadline_missed=np.array([r.deadline_missed for r in turns], np.bool_),
        delegate=np.array([r.delegate for r in turns], np.bool_),
        skipped=np.array([r.skipped for r in turns], np.bool_),
    )
