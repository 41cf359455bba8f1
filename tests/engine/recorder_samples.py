"""A small session with one of everything, for the recorder's, the exports' and the command line's tests."""

from pathlib import Path

import numpy as np

from engine.config import CHUNK_S, INPUT_CHUNK, OUTPUT_CHUNK
from engine.decisions import DECISIONS
from engine.events import (
    BackgroundEvent,
    Caption,
    Event,
    Fault,
    Mark,
    SessionHeader,
    TextIn,
    Transcript,
    TurnRecord,
    VisionEvent,
    event_time,
)
from engine.recorder.writer import SessionWriter
from engine.types import Frame, Samples

HEADER = SessionHeader("micro", "tiny-0123456789ab", 7, "2026-03-01T10:00:00+00:00", source="test")
TURNS = 40  # 8 s
USER = ((0.4, 2.4), (5.4, 6.8))  # seconds in which the user talks
ASSISTANT = ((2.9, 5.8),)  # seconds in which the assistant is heard


def probs(decision: str) -> dict[str, float]:
    rest = dict.fromkeys(DECISIONS, 0.05)
    return rest | {decision: 0.8}


def decision_at(i: int) -> str:
    if i == 6:
        return "backchannel"
    if 13 <= i < 28:
        return "speak"
    return "yield" if i == 28 else "listen"


def turn(i: int) -> TurnRecord:
    decision = decision_at(i)
    return TurnRecord(
        i=i,
        t=round(CHUNK_S * i, 1),
        decision=decision,
        probs=probs(decision),
        text_out={6: "mm-hm", 13: "It is", 14: "half past three"}.get(i, ""),
        user_level_db=-20.0 if any(a <= CHUNK_S * i < b for a, b in USER) else -75.0,
        compute_ms=10.0 + i,
        deadline_missed=i == 39,
        delegate=i == 8,
        heard_ms=200.0 if any(a <= CHUNK_S * i < b for a, b in ASSISTANT) else 0.0,
    )


def other_events() -> list[Event]:
    return [
        TextIn(0.1, 'hello <there> & "you"'),
        VisionEvent(0.5, "started"),
        Caption(0.9, 0.4, "what time", stable=1),
        BackgroundEvent(1, 1.6, "asked", "what time is it"),
        BackgroundEvent(1, 2.0, "partial", "what time", {"role": "request"}),
        BackgroundEvent(2, 2.2, "asked", "tell me a joke"),
        BackgroundEvent(1, 2.6, "answer", "It is half past three."),
        Fault(3.1, "the microphone lost 320 samples"),
        Mark(4.0, "late?"),
        BackgroundEvent(2, 4.4, "cancelled"),
        # Known only after they were said.
        Transcript(0.4, 2.4, "user", "what time is it, and --> tell me a joke", words=(("what", 0.4, 0.6),)),
        Transcript(2.9, 5.8, "assistant", "It is half past three.", unheard="Shall I go on?"),
        Transcript(5.4, 6.8, "user", "stop, äöü 時"),
    ]


def _voice(spans: tuple[tuple[float, float], ...], rate: int, seed: int) -> Samples:
    total = round(TURNS * CHUNK_S * rate)
    t = np.arange(total) / rate
    noise = np.random.default_rng(seed).standard_normal(total)
    on = np.zeros(total, bool)
    for a, b in spans:
        on |= (t >= a) & (t < b)
    return np.where(on, 0.2 * np.sin(2 * np.pi * 180 * t) + 0.02 * noise, 0.0).astype(np.float32)


def user_audio() -> Samples:
    """(128,000,) at 16 kHz, with a little room noise."""
    noise = np.random.default_rng(1).standard_normal(TURNS * INPUT_CHUNK)
    return (_voice(USER, 16_000, 2) + 2e-4 * noise).astype(np.float32)


def heard_audio() -> Samples:
    """(192,000,) at 24 kHz."""
    return _voice(ASSISTANT, 24_000, 3)


def picture(i: int) -> Frame:
    image = np.full((48, 64, 3), 6 * i, np.uint8)
    return Frame(image, i, CHUNK_S * i + 0.1)


def write_sample(folder: Path, video: bool = False) -> Path:
    """Write the session through the recorder as an engine would, and return its folder."""
    writer = SessionWriter(folder, HEADER, may_wait=True)
    user, heard = user_audio(), heard_audio()
    pending = other_events()
    for i in range(TURNS):
        end = CHUNK_S * (i + 1)
        due = [e for e in pending if (e.t1 + 0.6 if isinstance(e, Transcript) else event_time(e)) < end]
        for event in due:
            writer.event(event)
            pending.remove(event)
        writer.event(turn(i))
        writer.turn(
            user[i * INPUT_CHUNK : (i + 1) * INPUT_CHUNK],
            heard[i * OUTPUT_CHUNK : (i + 1) * OUTPUT_CHUNK],
            picture(i) if video else None,
        )
    assert not pending
    assert writer.close(10)
    assert writer.take_faults() == ()
    return folder
