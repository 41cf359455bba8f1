"""Turn-taking figures of a session: how soon it answered, how soon it stopped when talked over.

For looking back at recordings; nothing here takes part in a conversation.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.types import Samples

FRAME_S = 0.01
_FLOOR_DB, _ABOVE_NOISE_DB = -55.0, 15.0


@dataclass(frozen=True)
class Span:
    """Speech from ``t0`` to ``t1``, in session seconds."""

    t0: float
    t1: float


def speech_spans(samples: Samples, hz: int, joined_s: float = 0.3, shortest_s: float = 0.05) -> list[Span]:
    """Where there is sound, from the energy of 10 ms frames.

    A frame counts when it is 15 dB above the quietest tenth of the recording
    and above -55 dBFS. Gaps shorter than ``joined_s`` are closed.
    """
    size = round(hz * FRAME_S)
    frames = samples[: len(samples) // size * size].reshape(-1, size)
    if not len(frames):
        return []
    db = 10.0 * np.log10(np.mean(np.square(frames, dtype=np.float64), axis=1) + 1e-12)
    loud = db > max(_FLOOR_DB, float(np.percentile(db, 10)) + _ABOVE_NOISE_DB)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], loud, [False])).astype(np.int8)))
    spans: list[Span] = []
    for first, last in edges.reshape(-1, 2) * FRAME_S:
        if spans and first - spans[-1].t1 < joined_s:
            spans[-1] = Span(spans[-1].t0, float(last))
        else:
            spans.append(Span(float(first), float(last)))
    return [span for span in spans if span.t1 - span.t0 >= shortest_s]


def answer_offset(end: float, assistant: Sequence[Span], before: float) -> float | None:
    """Seconds from ``end`` of a user's turn to the next onset of assistant speech ``before`` a time.

    Speech that began up to half a second before the end counts, with a negative
    offset: people answer early too.
    """
    onsets = [span.t0 for span in assistant if end - 0.5 <= span.t0 < before]
    return onsets[0] - end if onsets else None


def answer_offsets(
    ends: Sequence[float], user: Sequence[Span], assistant: Sequence[Span], longest_s: float = 8.0
) -> list[float | None]:
    """Offset of the answer to each true end of a turn; None where the user spoke again without an answer."""
    offsets = []
    for end in ends:
        spoke_again = [span.t0 for span in user if span.t0 > end + 0.1]
        offsets.append(answer_offset(end, assistant, min([end + longest_s, *spoke_again])))
    return offsets


def stop_latency(barge_in: float, assistant: Sequence[Span]) -> float | None:
    """Seconds from the user's first sound to the assistant's last; None if it was not speaking then."""
    for span in assistant:
        if span.t0 <= barge_in < span.t1:
            return span.t1 - barge_in
    return None


def talked_over(user: Sequence[Span], assistant: Sequence[Span]) -> list[float]:
    """Moments at which the user began to speak while the assistant was speaking for at least 0.2 s."""
    return [u.t0 for u in user if any(a.t0 + 0.2 <= u.t0 < a.t1 for a in assistant)]


def turn_ends(user: Sequence[Span], pause_s: float = 1.0) -> list[float]:
    """Ends of the user's turns as far as silence alone can tell: followed by ``pause_s`` of it."""
    following = [*(span.t0 for span in user[1:]), float("inf")]
    return [span.t1 for span, next_t0 in zip(user, following, strict=False) if next_t0 - span.t1 >= pause_s]
