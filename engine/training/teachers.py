"""Public detectors as teachers on real speech: where somebody speaks, and whether a turn is complete.

Silero VAD (Silero Team 2024) and smart-turn v3.2 (Daily 2025). What they said is kept in the run's folder, so
that each recording is asked about once. A detector that is not installed is done without.
"""

import hashlib
import json
from pathlib import Path
from typing import TypeVar

import numpy as np

from engine.config import INPUT_HZ
from engine.detectors.silero import WINDOW_S, SileroVad
from engine.detectors.smart_turn import SEEN_S, SmartTurn
from engine.errors import MicroturnError
from engine.types import Samples

SPEECH, RELEASE = 0.5, 0.35
MIN_SPEECH_S, MIN_SILENCE_S = 0.1, 0.1

Spans = tuple[tuple[float, float], ...]
Detector = TypeVar("Detector", SileroVad, SmartTurn)


def spans_of(probs: list[float]) -> Spans:
    """Speech probabilities every 32 ms to spans of speech, in seconds.

    Speech begins at ``SPEECH`` and lasts while it stays above ``RELEASE``; breaks and spans shorter than
    0.1 s are not kept.
    """
    voiced = np.zeros(len(probs) + 2, bool)
    for k, p in enumerate(probs):
        voiced[k + 1] = p >= SPEECH or (bool(voiced[k]) and p >= RELEASE)
    edges = np.flatnonzero(voiced[1:] != voiced[:-1]) * WINDOW_S
    spans: list[tuple[float, float]] = []
    for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if spans and start - spans[-1][1] < MIN_SILENCE_S:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return tuple((a, b) for a, b in spans if b - a >= MIN_SPEECH_S)


class Teachers:
    """Asks the detectors, once for each piece of sound. One thread at a time.

    ``hears_speech`` and ``judges_turns`` say which of the two there are; without one its method gives None.
    What is missing is said on stdout. ``kept``: a JSON file, read at the start and written by ``save``;
    None keeps nothing.
    """

    def __init__(self, kept: Path | None = None) -> None:
        self._kept = kept
        self._known: dict[str, list[list[float]] | float] = {}
        if kept is not None and kept.is_file():
            self._known = json.loads(kept.read_text(encoding="utf-8"))
        self._vad = _made(SileroVad)
        self._smart_turn = _made(SmartTurn)

    @property
    def hears_speech(self) -> bool:
        return self._vad is not None

    @property
    def judges_turns(self) -> bool:
        return self._smart_turn is not None

    def activity(self, samples: Samples) -> Spans | None:
        """Spans of speech in a recording (n,) at 16 kHz, in seconds; None without the detector."""
        if self._vad is None:
            return None
        key = f"activity {_digest(samples)}"
        if key not in self._known:
            self._vad.reset()
            self._known[key] = [list(span) for span in spans_of(self._vad.push(samples).tolist())]
        stored = self._known[key]
        assert isinstance(stored, list)
        return tuple((start, end) for start, end in stored)

    def completeness(self, samples_until_t: Samples) -> float | None:
        """Probability that the turn in ``samples_until_t`` (n,) at 16 kHz is complete; None without the
        detector. The sound should end with about 0.2 s of silence; its last 8 s count."""
        if self._smart_turn is None:
            return None
        recent = samples_until_t[-SEEN_S * INPUT_HZ :]
        key = f"complete {_digest(recent)}"
        if key not in self._known:
            self._known[key] = self._smart_turn.completeness(recent)
        stored = self._known[key]
        assert isinstance(stored, float)
        return stored

    def save(self) -> None:
        """Write what was learned to ``kept``, whole or not at all."""
        if self._kept is None:
            return
        self._kept.parent.mkdir(parents=True, exist_ok=True)
        partial = self._kept.with_suffix(".partial")
        partial.write_text(json.dumps(self._known), encoding="utf-8")
        partial.replace(self._kept)


def _made(detector: type[Detector]) -> Detector | None:
    try:
        return detector()
    except MicroturnError as err:
        print(f"training goes on without a teacher: {err}")
        return None


def _digest(samples: Samples) -> str:
    return hashlib.sha256(np.ascontiguousarray(samples, dtype=np.float32).tobytes()).hexdigest()[:20]
