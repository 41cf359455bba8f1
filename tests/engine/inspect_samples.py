"""Sessions made of given sound and decisions, for the tests of what is found in a session."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from engine.config import CHUNK_S, INPUT_CHUNK, OUTPUT_CHUNK, OUTPUT_HZ
from engine.events import Event, TurnRecord, event_time
from engine.recorder.writer import SessionWriter
from engine.types import Samples
from tests.engine.recorder_samples import HEADER, probs
from tests.engine.speech_samples import quiet, voice


def turn(i: int, decision: str = "listen", **fields: object) -> TurnRecord:
    """One micro-turn; computing takes 20 ms unless told otherwise."""
    values: dict[str, object] = {"compute_ms": 20.0} | fields
    return TurnRecord(i, round(CHUNK_S * i, 1), decision, probs(decision), **values)  # type: ignore[arg-type]


def tone(*spans: tuple[float, float], seconds: float, rate: int, level: float = 0.2) -> Samples:
    """A tone in each of the spans (start, end), silence elsewhere."""
    t = np.arange(round(seconds * rate)) / rate
    on = np.zeros(len(t), bool)
    for a, b in spans:
        on |= (t >= a - 1e-9) & (t < b - 1e-9)
    return np.where(on, level * np.sin(2 * np.pi * 200 * t), 0).astype(np.float32)


def assistant_says(seconds: float, *speech: tuple[float, str]) -> Samples:
    """24 kHz: the bundled voice says each text from its second on, and is digitally silent elsewhere."""
    samples = np.zeros(round(seconds * OUTPUT_HZ), np.float32)
    for start, text in speech:
        words = voice().synthesise(text).samples
        at = round(start * OUTPUT_HZ)
        samples[at : at + len(words)] += words[: len(samples) - at]
    return samples


def write_session(
    folder: Path, user: Samples, heard: Samples, turns: Sequence[TurnRecord], events: Sequence[Event] = ()
) -> Path:
    """Write it through the recorder. ``user``: 16 kHz, in a quiet room; ``heard``: 24 kHz."""
    writer = SessionWriter(folder, HEADER, may_wait=True)
    user = user + quiet(len(turns) * CHUNK_S, 2e-4)[: len(user)]
    for event in sorted(events, key=event_time):
        writer.event(event)
    for n, record in enumerate(turns):
        writer.event(record)
        writer.turn(
            user[n * INPUT_CHUNK : (n + 1) * INPUT_CHUNK],
            heard[n * OUTPUT_CHUNK : (n + 1) * OUTPUT_CHUNK],
            None,
        )
    assert writer.close(30)
    assert writer.take_faults() == ()
    return folder
