"""Small pure helpers on blocks of samples."""

import numpy as np
from numpy.typing import NDArray

from engine.types import Samples

FLOOR_DB = -120.0
ABSURD = 100.0  # beyond +40 dBFS nothing is sound: uninitialised memory or a broken decoder


def clean(block: NDArray[np.float32]) -> tuple[NDArray[np.float32], int]:
    """Replace NaN, infinite and absurdly large samples by 0.

    Returns the block itself when nothing was wrong, else a copy, and how many
    samples were replaced. Any shape.
    """
    with np.errstate(invalid="ignore"):
        bad = ~(np.abs(block) <= ABSURD)
    count = int(np.count_nonzero(bad))
    if not count:
        return block, 0
    return np.where(bad, np.float32(0.0), block), count


def level_db(samples: Samples) -> float:
    """RMS level in dB relative to full scale, never below -120."""
    if not len(samples):
        return FLOOR_DB
    power = float(np.mean(np.square(samples, dtype=np.float64)))
    return max(FLOOR_DB, 10.0 * float(np.log10(power))) if power > 0.0 else FLOOR_DB
