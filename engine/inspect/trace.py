"""The session as a Chrome trace, for Perfetto and chrome://tracing (Trace Event Format, JSON object form)."""

import json
from collections.abc import Iterator
from typing import Any

from engine.config import CHUNK_S
from engine.inspect.findings import findings
from engine.inspect.found_tracks import found_tracks
from engine.inspect.tracks import Job, Point, Tracks, lanes, tracks
from engine.recorder.reader import RecordedSession

Entry = dict[str, Any]
_PROCESS = 1
_COMPUTE, _DECISIONS, _NOTES, _SPEECH = 1, 2, 3, 4
_THREADS = {_COMPUTE: "engine: computing micro-turns", _DECISIONS: "decisions", _NOTES: "notes and faults"}


def to_chrome_trace(session: RecordedSession) -> str:
    """One trace event a line. Background jobs, which can overlap, are asynchronous b/e pairs.

    Raises:
        InputError: the session holds no micro-turn.
    """
    found = tracks(session)
    entries = [*_names(session), *_body(session, found)]
    head = {"displayTimeUnit": "ms", "otherData": _header(session)}
    opening = json.dumps(head, ensure_ascii=False)[:-1] + ', "traceEvents": [\n'
    lines = (json.dumps(entry, ensure_ascii=False, allow_nan=False) for entry in entries)
    return opening + ",\n".join(lines) + "\n]}\n"


def _header(session: RecordedSession) -> Entry:
    header = session.header
    return {
        "engine": header.engine,
        "model": header.model,
        "seed": header.seed,
        "started_at": header.started_at,
    }


def _names(session: RecordedSession) -> Iterator[Entry]:
    yield _meta("process_name", 0, f"Microturn {session.path.name}")
    for tid, name in _THREADS.items():
        yield _meta("thread_name", tid, name)


def _meta(what: str, tid: int, name: str) -> Entry:
    return {"ph": "M", "pid": _PROCESS, "tid": tid, "name": what, "args": {"name": name}}


def _body(session: RecordedSession, found: Tracks) -> list[Entry]:
    entries = [*_compute(session), *_counters(session)]
    entries += (_slice(_DECISIONS, span.text, span.t0, span.t1) for span in found.decisions)
    looked = found_tracks(findings(session))
    named = (
        ("user", found.user),
        ("user: words", found.words),
        ("assistant", found.assistant),
        ("waiting for a reply", looked.waits),
        ("findings", looked.findings),
        ("watching", found.watching),
    )
    tid = _SPEECH
    for name, spans in named:
        for lane in lanes(spans):
            entries.append(_meta("thread_name", tid, name))
            entries += (_slice(tid, span.text, span.t0, span.t1) for span in lane)
            tid += 1
    for job in found.jobs:
        entries += _job(job, found.duration)
    kinds = {
        "typed": found.typed, "camera": found.vision, "watched": found.watched, "fault": found.faults,
        "mark": found.marks,
    }  # fmt: skip
    entries += (_instant(kind, point) for kind, points in kinds.items() for point in points)
    return sorted(entries, key=lambda entry: float(entry.get("ts", -1.0)))


def _instant(kind: str, point: Point) -> Entry:
    name = f"{kind}: {point.text}"
    return {"ph": "i", "s": "p", "cat": kind, "name": name} | _place(_NOTES, point.t)


def _place(tid: int, t: float) -> Entry:
    return {"pid": _PROCESS, "tid": tid, "ts": _us(t)}


def _us(t: float) -> float:
    return round(1e6 * max(0.0, t), 1)


def _slice(tid: int, name: str, t0: float, t1: float, args: Entry | None = None) -> Entry:
    return {"ph": "X", "name": name, "dur": round(_us(t1) - _us(t0), 1), "args": args or {}} | _place(tid, t0)


def _compute(session: RecordedSession) -> Iterator[Entry]:
    free = 0.0
    for turn in session.turns:
        # One thread computes: a turn cannot begin before the one before it has ended.
        start = max(CHUNK_S * (turn.i + 1) + turn.lag_ms / 1000, free)
        free = start + turn.compute_ms / 1000
        args: Entry = {"decision": turn.decision, "probs": dict(turn.probs), "say": turn.say}
        args |= {"text_out": turn.text_out, "delegate": turn.delegate}
        args |= {"deadline_missed": turn.deadline_missed, "skipped": turn.skipped}
        yield _slice(_COMPUTE, f"turn {turn.i}", start, free, args)


def _counters(session: RecordedSession) -> Iterator[Entry]:
    for turn in session.turns:
        for name, values in (
            ("level dBFS", {"user": turn.user_level_db, "assistant": turn.self_level_db}),
            ("compute ms", {"compute": turn.compute_ms}),
        ):
            yield {"ph": "C", "name": name, "args": values} | _place(0, CHUNK_S * turn.i)


def _job(job: Job, duration: float) -> list[Entry]:
    end = max(job.asked, job.ended if job.ended is not None else duration)
    request = f"#{job.id} {job.request}".strip()
    both: Entry = {"cat": "background", "id": f"background-{job.id}", "name": request}
    steps = [
        both
        | {"ph": "n", "args": {"event": e.event, "text": e.text}}
        | _place(_NOTES, min(max(e.t, job.asked), end))
        for e in job.events
    ]
    begin = both | {"ph": "b", "args": {"outcome": job.outcome}} | _place(_NOTES, job.asked)
    return [begin, *steps, both | {"ph": "e"} | _place(_NOTES, end)]
