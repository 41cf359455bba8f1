"""Sessions made up for the tests of the window: a conversation as events, repeated to any length."""

import math
import random
from collections.abc import Iterator

from engine.config import CHUNK_S
from engine.decisions import DECISIONS
from engine.events import (
    BackgroundEvent,
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

PERIOD_TURNS = 150  # one 30 s round of the conversation
HEADER = SessionHeader("micro", "micro-7m 3fa1c09b2d77", 7, "2026-11-23T09:30:00Z", source="scenario")

_USER = ((1.0, 3.9, "I have been wondering about something"), (4.9, 6.8, "how far away is the moon?"),
         (14.0, 15.6, "wait, in miles please"), (25.0, 26.4, "thank you"))  # fmt: skip
_SPEECH = ((7.2, "Let me see.", ""), (9.4, "The moon is about 384 thousand", "kilometres away."),
           (17.2, "Sure. That is about two hundred and thirty nine thousand miles.", ""),
           (27.0, "You are welcome.", ""))  # fmt: skip
_BACKCHANNEL_S = 4.2


def turn(i: int, decision: str = "listen", **fields: object) -> TurnRecord:
    """A turn that is sure of ``decision``, for a test that needs just one."""
    probs = dict.fromkeys(DECISIONS, 0.02)
    probs[decision] = 1 - 0.02 * (len(DECISIONS) - 1)
    return TurnRecord(i, round(i * CHUNK_S, 1), decision, probs, **fields)  # type: ignore[arg-type]


def _said(t: float) -> tuple[str, bool]:
    """(words of this turn, whether the assistant is speaking) at ``t`` of a round."""
    for start, text, _ in _SPEECH:
        words = text.split()
        first = (t - start) / CHUNK_S * 0.6
        if -0.01 <= first < len(words):
            return " ".join(words[k] for k in range(len(words)) if first <= k < first + 0.6), True
    return "", False


def _turn(i: int, dice: random.Random) -> TurnRecord:
    t = round(i % PERIOD_TURNS * CHUNK_S, 1)
    user = any(t0 <= t < t1 for t0, t1, _ in _USER)
    words, speaking = _said(t)
    decision, say = "listen", "none"
    if abs(t - _BACKCHANNEL_S) < 0.05:
        decision, words, say = "backchannel", "mm-hm", "mm-hm"
    elif speaking and user:
        decision = "yield" if t >= 14.6 else "speak"
    elif speaking:
        decision = (
            "interrupt" if abs(t - 27.0) < 0.05 and i % (3 * PERIOD_TURNS) > 2 * PERIOD_TURNS else "speak"
        )
        say = "relay" if t > 9 else "Let me see."
    unsure = 0.5 + 0.45 * abs(math.sin(i * 0.37)) * dice.uniform(0.7, 1)
    rest = [dice.uniform(0.05, 1) ** 2 for _ in DECISIONS]
    scale = (1 - unsure) / sum(rest)
    probs = {name: round(r * scale + (unsure if name == decision else 0), 4)
             for name, r in zip(DECISIONS, rest, strict=True)}  # fmt: skip
    missed = i % 1171 == 400
    return TurnRecord(
        i,
        round(i * CHUNK_S, 1),
        decision,
        probs,
        text_out=words,
        user_level_db=dice.gauss(-27, 6) if user else dice.gauss(-62, 2),
        self_level_db=dice.gauss(-24, 4) if speaking or words else -120.0,
        compute_ms=236.0 if missed else max(dice.gauss(34, 7) + (10 if speaking else 0), 12),
        deadline_missed=missed,
        delegate=abs(t - 7.0) < 0.05,
        delegate_prob=0.86 if abs(t - 7.0) < 0.05 else 0.01,
        say=say,
        say_probs={say: 0.8, "none" if say != "none" else "mm-hm": 0.15},
        user_activity=(0.9, 0.7, 0.5, 0.4) if user else (0.05, 0.1, 0.2, 0.3),
        generated_ms=200.0 if speaking else 0.0,
        heard_ms=200.0 if speaking and not (user and t > 14.6) else 0.0,
        words_left=4 if speaking else 0,
        background_words=9 if 9 < t < 12 else 0,
        open_jobs=1 if 7 <= t < 13 else 0,
        gap_samples=800 if i % 2003 == 1500 else 0,
        frame=i // 3,
        lag_ms=36.0 if i % 1171 == 401 else 0.0,
    )


def _others(start: float, seconds: float, job: int) -> Iterator[Event]:
    """What a round holds beside its turns."""
    for t0, t1, text in _USER:
        yield Transcript(start + t0, start + t1, "user", text)
    for t0, text, unheard in _SPEECH:
        yield Transcript(start + t0, start + t0 + len(text.split()) / 3, "assistant", text, unheard)
    yield Transcript(start + _BACKCHANNEL_S, start + _BACKCHANNEL_S + 0.4, "assistant", "mm-hm")
    yield BackgroundEvent(job, start + 7.0, "asked")
    heard = {"role": "request", "t0": start + 4.9, "t1": start + 6.8}
    yield BackgroundEvent(job, start + 7.6, "partial", "how far away is the moon?", heard)
    yield BackgroundEvent(job, start + 9.0, "partial", "The moon is about", {"role": "answer"})
    if job % 5 == 4:
        yield BackgroundEvent(job, start + 12.0, "failed", "the model did not answer")
    else:
        yield BackgroundEvent(job, start + 12.8, "answer", "The moon is about 384,400 kilometres away.")
    if job % 3 == 1:
        yield TextIn(start + 22.0, "please keep it short")
    if job % 4 == 2:
        yield Mark(start + 15.0, "good yield")
    if job % 7 == 3:
        yield Fault(start + 20.0, "the microphone gave 50 ms less than it should")
    if job == 1:
        yield VisionEvent(start + 0.4, "started")


def _published(event: Event) -> float:
    return event.t1 if isinstance(event, Transcript) else event_time(event)


def session(seconds: float, seed: int = 1) -> list[Event]:
    """Header and events of a made-up session, in time order."""
    dice = random.Random(seed)
    turns = round(seconds / CHUNK_S)
    events: list[Event] = [_turn(i, dice) for i in range(turns)]
    for number in range(turns // PERIOD_TURNS + 1):
        start = round(number * PERIOD_TURNS * CHUNK_S, 1)
        events += [e for e in _others(start, seconds, number + 1) if event_time(e) < seconds]
    events.sort(key=_published)
    return [HEADER, *events]
