"""When somebody was audible in a recording: used to measure a session afterwards, never to run one."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from engine.config import CHUNK_S
from engine.errors import InputError
from engine.recorder.columns import TurnColumns
from engine.recorder.folder import INPUT, OUTPUT
from engine.recorder.reader import RecordedSession, audio_blocks, audio_rate
from engine.types import Samples

HOP_S = 0.01
_SILENCE_DB = -120.0
_BRIDGED_S = 0.25  # shorter pauses belong to the speech around them (a stop consonant, a breath)
_SHORTEST_S = 0.06
_ABOVE_FLOOR_DB = 12.0
_BELOW_SPEECH_DB = 40.0  # the quietest sounds of speech lie at most so far below its loudest
_LOWEST_DB, _HIGHEST_DB = -60.0, -30.0  # where the user's threshold may lie

Segments = tuple[tuple[float, float], ...]
"""(start, end) in session seconds, in order, without overlaps."""


def levels(blocks: Iterable[Samples], rate: int) -> NDArray[np.float32]:
    """RMS level in dBFS of every 10 ms of audio at ``rate`` Hz; a rest of less than 10 ms is left out."""
    hop = round(HOP_S * rate)
    rest = np.zeros(0, np.float32)
    parts = [np.zeros(0, np.float32)]
    for block in blocks:
        joined = np.concatenate((rest, block))
        whole = len(joined) // hop * hop
        power = np.square(joined[:whole].reshape(-1, hop), dtype=np.float32).mean(axis=1)
        parts.append(10 * np.log10(np.maximum(power, 1e-12)))
        rest = joined[whole:]
    return np.concatenate(parts)


def segments(levels_db: NDArray[np.float32], threshold_db: float, hop_s: float = HOP_S) -> Segments:
    """Stretches louder than the threshold, short pauses bridged, clicks left out."""
    loud = np.concatenate(([False], levels_db > threshold_db, [False])).astype(np.int8)
    edges = np.diff(loud)
    starts, ends = np.flatnonzero(edges == 1) * hop_s, np.flatnonzero(edges == -1) * hop_s
    joined: list[tuple[float, float]] = []
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        if joined and start - joined[-1][1] < _BRIDGED_S:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return tuple((start, end) for start, end in joined if end - start >= _SHORTEST_S)


def user_threshold(levels_db: NDArray[np.float32]) -> float:
    """12 dB above the room: the level that a tenth of the recording does not reach.

    A microphone that is silent between noises (a noise gate, a virtual one) tells nothing of the room:
    what lies 40 dB below the loudest twentieth of all that is audible at all is no speech either.
    """
    audible = levels_db[levels_db > _SILENCE_DB + 1]
    floor = float(np.percentile(audible, 10)) if len(audible) else _SILENCE_DB
    loud = levels_db[levels_db > _LOWEST_DB]
    speech = float(np.percentile(loud, 95)) if len(loud) else _LOWEST_DB
    lowest = max(floor + _ABOVE_FLOOR_DB, speech - _BELOW_SPEECH_DB)
    return float(np.clip(lowest, _LOWEST_DB, _HIGHEST_DB))


def user_segments(session: RecordedSession, columns: TurnColumns) -> tuple[Segments, bool]:
    """When the user spoke, and whether that is known to 10 ms (from audio) or to 0.2 s (from turns)."""
    try:
        found = _file_levels(session, INPUT)
    except InputError:
        return segments(columns.user_level_db, user_threshold(columns.user_level_db), CHUNK_S), False
    return segments(found, user_threshold(found)), True


def heard_segments(session: RecordedSession, columns: TurnColumns) -> tuple[Segments, bool]:
    """When the assistant was audible, and whether that is known to 10 ms (from audio) or to 0.2 s."""
    try:
        return segments(_file_levels(session, OUTPUT), _LOWEST_DB), True
    except InputError:
        return segments((columns.heard_ms > 0) * 1.0 + _SILENCE_DB, _SILENCE_DB + 0.5, CHUNK_S), False


def _file_levels(session: RecordedSession, name: str) -> NDArray[np.float32]:
    file = session.path / name
    return levels(audio_blocks(file), audio_rate(file))
