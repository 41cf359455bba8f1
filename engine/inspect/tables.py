"""The timeline as JSON lines and as a table."""

import csv
import io

from engine.decisions import DECISIONS
from engine.events import Event, event_time, to_json
from engine.recorder.reader import RecordedSession

_PLAIN = (
    "text_out say user_level_db self_level_db generated_ms heard_ms compute_ms lag_ms "
    "deadline_missed skipped delegate delegate_prob words_left background_words open_jobs gap_samples frame"
).split()


def to_jsonl(session: RecordedSession) -> str:
    """The timeline as the recorder writes it, in time order and without what was damaged."""
    everything: list[Event] = sorted([*session.turns, *session.events], key=event_time)
    return "".join(to_json(event) + "\n" for event in (session.header, *everything))


def to_csv(session: RecordedSession) -> str:
    """One row a micro-turn, RFC 4180, comma-separated, with a header row.

    Text that a spreadsheet would take for a formula has an apostrophe before it.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["i", "t", "decision", *(f"p_{d}" for d in DECISIONS), *_PLAIN, "texts"])
    for turn in session.turns:
        probs = [turn.probs.get(d, "") for d in DECISIONS]
        plain = [_cell(getattr(turn, name)) for name in _PLAIN]
        writer.writerow(
            [turn.i, f"{turn.t:.1f}", turn.decision, *probs, *plain, _cell("\n".join(turn.texts))]
        )
    return out.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return "'" + value
    return value
