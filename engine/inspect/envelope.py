"""The outline of a recording at the resolution of a picture."""

import numpy as np
from numpy.typing import NDArray

from engine.config import CHUNK_S
from engine.errors import InputError
from engine.recorder.reader import RecordedSession, audio_blocks, audio_rate

_STEPS = 16  # the file is reduced to so many values a bin first


def envelope(
    session: RecordedSession, name: str, levels_db: NDArray[np.float32], bin_s: float, bins: int
) -> NDArray[np.float64]:
    """Peak of each of ``bins`` stretches of ``bin_s`` seconds, scaled so that loud speech reaches 1.

    From the audio file ``name``; where it is missing, from the level of each
    micro-turn, ``levels_db`` (dBFS, one a turn of the session).
    """
    try:
        peaks = _from_file(session, name, bin_s, bins)
    except InputError:
        peaks = _from_levels(session, levels_db, bin_s, bins)
    loud = peaks[peaks > 1e-4]
    top = float(np.percentile(loud, 98)) if len(loud) else 1.0
    # Room noise alone is not blown up to look like speech.
    return np.minimum(1.0, peaks / max(top, 0.02))


def _from_file(session: RecordedSession, name: str, bin_s: float, bins: int) -> NDArray[np.float64]:
    file = session.path / name
    rate = audio_rate(file)
    hop = max(1, int(rate * bin_s / _STEPS))
    peaks = np.zeros(bins)
    rest = np.zeros(0, np.float32)
    done = 0
    for block in audio_blocks(file):
        joined = np.concatenate((rest, block))
        whole = len(joined) // hop
        steps = np.abs(joined[: whole * hop].reshape(whole, hop)).max(axis=1)
        index = ((done + np.arange(whole)) * hop / (rate * bin_s)).astype(np.int64)
        np.maximum.at(peaks, np.minimum(index, bins - 1), steps)
        rest = joined[whole * hop :]
        done += whole
    return peaks


def _from_levels(
    session: RecordedSession, levels_db: NDArray[np.float32], bin_s: float, bins: int
) -> NDArray[np.float64]:
    peaks = np.zeros(bins)
    for turn, level in zip(session.turns, levels_db.tolist(), strict=True):
        first = round(turn.i * CHUNK_S / bin_s)
        last = max(first + 1, round((turn.i + 1) * CHUNK_S / bin_s))
        peaks[first:last] = np.maximum(peaks[first:last], 10 ** (level / 20))
    return peaks
