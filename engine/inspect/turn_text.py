"""One micro-turn in words: what went in, what came out, the runners-up, and its timing."""

import math

from engine.config import CHUNK_S, INPUT_HZ
from engine.errors import InputError
from engine.events import TurnRecord
from engine.inspect.summary import clock
from engine.recorder.reader import RecordedSession

_SHOWN_SAYS = 4
_HORIZONS = ("0–0.2", "0.2–0.6", "0.6–1.2", "1.2–2.0")


def turn_at(session: RecordedSession, t: float) -> TurnRecord:
    """The micro-turn in which second ``t`` of the session falls.

    Raises:
        InputError: it is not in the session.
    """
    number = math.floor(t / CHUNK_S + 1e-6) if math.isfinite(t) else -1
    found = next((turn for turn in session.turns if turn.i == number), None)
    if found is None:
        length = clock(session.duration)
        raise InputError(f"there is no micro-turn at {t:g} s: the session is {length} long; see its summary")
    return found


def turn_text(turn: TurnRecord) -> str:
    """Several lines of plain text."""
    ranked = sorted(turn.probs.items(), key=lambda item: -item[1])
    beside = [p for name, p in ranked if name != turn.decision]
    margin = turn.probs.get(turn.decision, 0.0) - max(beside, default=0.0)
    others = [item for item in turn.say_probs.items() if item[0] != turn.say]
    says = sorted(others, key=lambda item: -item[1])[:_SHOWN_SAYS]
    state = f"{turn.words_left} words left, {turn.background_words} of the background's"
    state += f", {turn.open_jobs} open jobs"
    rows = [
        ("decision", turn.decision + (", work handed over" if turn.delegate else "")),
        ("probabilities", ", ".join(f"{name} {p:.3f}" for name, p in ranked) + f"; margin {margin:.3f}"),
        ("hand-over", f"{turn.delegate_prob:.3f}"),
        ("says", f"{turn.say} {turn.say_probs.get(turn.say, 0.0):.3f}; "
                 + (", ".join(f"{name} {p:.3f}" for name, p in says) or "nothing else")),
        ("words", turn.text_out or "none"),
        ("heard", f"user {turn.user_level_db:.1f} dBFS, assistant {turn.self_level_db:.1f} dBFS"
                  + (f", {1000 * turn.gap_samples / INPUT_HZ:.0f} ms lost" if turn.gap_samples else "")),
        ("user ahead", ", ".join(f"{span} s {p:.2f}" for span, p in zip(_HORIZONS, turn.user_activity,
                                                                        strict=False)) or "not told"),
        ("frame", "none" if turn.frame is None else str(turn.frame)),
        ("texts", " | ".join(" ".join(text.split()) for text in turn.texts) or "none"),
        ("own state", state),
        ("speech", f"made {turn.generated_ms:.0f} ms, heard {turn.heard_ms:.0f} ms"),
        ("timing", f"began {turn.lag_ms:.1f} ms late, computed {turn.compute_ms:.1f} ms"
                   + (", deadline missed" if turn.deadline_missed else "")
                   + (", model skipped" if turn.skipped else "")),
    ]  # fmt: skip
    start = turn.i * CHUNK_S
    head = f"Micro-turn {turn.i}, {clock(start)} to {clock(start + CHUNK_S)}"
    return "\n".join([head, *(f"  {name:<14} {text}" for name, text in rows)])
