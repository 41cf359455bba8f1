"""The timeline as JSON lines and as a table."""

import csv
import io
from collections.abc import Iterable

from engine.config import CHUNK_S
from engine.decisions import DECISIONS
from engine.events import Event, event_time, to_json
from engine.inspect.findings import findings
from engine.inspect.found_tracks import found_tracks
from engine.inspect.tracks import Point, Span, tracks
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

    ``marks`` and ``findings`` stand in the row of the micro-turn in which they begin.
    Text that a spreadsheet would take for a formula has an apostrophe before it.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    probabilities = [f"p_{decision}" for decision in DECISIONS]
    writer.writerow(["i", "t", "decision", *probabilities, *_PLAIN, "texts", "marks", "findings"])
    if not session.turns:
        return out.getvalue()
    columns = [_begun_in(tracks(session).marks), _begun_in(found_tracks(findings(session)).findings)]
    for turn in session.turns:
        probs = [turn.probs.get(d, "") for d in DECISIONS]
        plain = [_cell(getattr(turn, name)) for name in _PLAIN]
        several = ["\n".join(turn.texts), *("\n".join(column.get(turn.i, ())) for column in columns)]
        writer.writerow(
            [turn.i, f"{turn.t:.1f}", turn.decision, *probs, *plain, *map(_cell, several)],
        )
    return out.getvalue()


def _begun_in(found: Iterable[Span | Point]) -> dict[int, list[str]]:
    """Texts by the number of the micro-turn in which they begin."""
    texts: dict[int, list[str]] = {}
    for one in found:
        t = one.t0 if isinstance(one, Span) else one.t
        texts.setdefault(int(t / CHUNK_S + 1e-6), []).append(one.text)
    return texts


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return "'" + value
    return value
