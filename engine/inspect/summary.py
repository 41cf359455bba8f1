"""``microturn inspect``: a session in a few lines for people."""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from engine.config import CHUNK_MS
from engine.decisions import DECISIONS
from engine.events import Mark
from engine.inspect.finding import Finding
from engine.inspect.findings import Findings, findings_of
from engine.inspect.latency import spent
from engine.inspect.measures import Measures, TakeOver, measure
from engine.inspect.tracks import Job, Point, Tracks, tracks
from engine.recorder.marks import mark_text
from engine.recorder.reader import RecordedSession

_SHOWN = 12  # lines of one kind


def summary(session: RecordedSession) -> str:
    """Several lines of plain text, without a last line feed.

    Raises:
        InputError: the session holds no micro-turn.
    """
    found = tracks(session)
    measured = measure(session)
    return "\n".join(_lines(session, found, measured, findings_of(session, measured)))


def _lines(session: RecordedSession, found: Tracks, measured: Measures, looked: Findings) -> Iterator[str]:
    header = session.header
    yield f"Session {session.path}"
    source = f", source {header.source}" if header.source else ""
    yield f"  {header.started_at}, engine {header.engine}, model {header.model}, seed {header.seed}{source}"
    yield f"  {clock(found.duration)} long, {len(session.turns)} micro-turns"
    for what in session.damaged:
        yield f"  damaged: {what}"
    yield ""
    yield _row("Decisions", _decisions(session))
    yield _row("Talking", _talking(measured))
    yield _row("Turn-taking", _turn_taking(measured.take_overs))
    yield from _list([_take_over(t, found) for t in measured.take_overs])
    yield _row("Waiting", _waiting(looked))
    yield from _list([_spent(name, times) for name, times in spent(looked.replies).items()])
    yield _row("Barge-ins", _barge_ins(measured))
    yield from _list([_barge_in(b.t, b.stop_s) for b in measured.barge_ins])
    yield _row("Backchannels", str(len(measured.backchannels)))
    yield from _list([f"{clock(t)}  {text}" for t, text in measured.backchannels])
    yield _row("Long gaps", str(len(looked.long_gaps) or "none"))
    yield from _list([_finding(f) for f in looked.long_gaps])
    yield _row("Compute", _compute(measured))
    yield _row("Background", _background(found.jobs))
    yield from _list([_job(job) for job in found.jobs])
    yield _row("Faults", _faults(looked))
    yield from _list([_finding(f) for f in looked.faults])
    if found.watching:
        yield _row("Watching", str(len(found.watching)))
        yield from _list([f"{clock(s.t0)} – {clock(s.t1)}  {_shorten(s.text)}" for s in found.watching])
    for name, points in (("Typed", found.typed), ("Camera", found.vision), ("Marks", found.marks)):
        if points:
            yield _row(name, str(len(points)))
            yield from _list([_point(p) for p in points])
    if not measured.precise:
        yield ""
        yield "Audio is missing: turn-taking was measured from the timeline, in steps of 0.2 s."


def clock(seconds: float) -> str:
    """Seconds as ``m:ss.ss``, or ``h:mm:ss.ss`` from an hour on."""
    hundredths = round(100 * max(0.0, seconds))
    minutes, rest = divmod(hundredths, 6_000)
    hours, minutes = divmod(minutes, 60)
    tail = f"{rest // 100:02d}.{rest % 100:02d}"
    return f"{hours}:{minutes:02d}:{tail}" if hours else f"{minutes}:{tail}"


def _row(name: str, text: str) -> str:
    return f"{name:<13} {text}"


def _list(lines: Sequence[str]) -> Iterator[str]:
    for line in lines[:_SHOWN]:
        yield f"    {line}"
    if len(lines) > _SHOWN:
        yield f"    and {len(lines) - _SHOWN} more"


def _shorten(text: str, width: int = 70) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= width else plain[: width - 1] + "…"


def _point(point: Point) -> str:
    return f"{clock(point.t)}  {_shorten(point.text)}"


def _decisions(session: RecordedSession) -> str:
    counts = Counter(t.decision for t in session.turns)
    names = [*(d for d in DECISIONS if counts[d]), *sorted(set(counts) - set(DECISIONS))]
    return ", ".join(
        f"{name} {counts[name]} ({100 * counts[name] / len(session.turns):.0f} %)" for name in names
    )


def _talking(measured: Measures) -> str:
    user, heard = (sum(b - a for a, b in s) for s in (measured.user, measured.heard))
    return f"user {user:.1f} s, assistant {heard:.1f} s, both at once {measured.both_s:.1f} s"


def _turn_taking(take_overs: Sequence[TakeOver]) -> str:
    offsets = [t.offset for t in take_overs if t.offset is not None]
    text = f"{len(take_overs)} take-over{'' if len(take_overs) == 1 else 's'}"
    if not offsets:
        return text
    low, middle, high = min(offsets), float(np.median(offsets)), max(offsets)
    return f"{text}; from the user's last word to the first sound: {low:+.2f} … {middle:+.2f} … {high:+.2f} s"


def _take_over(take_over: TakeOver, found: Tracks) -> str:
    words = next((s.text for s in found.assistant if s.t0 - 0.3 <= take_over.t < s.t1), "")
    offset = "unprompted" if take_over.offset is None else f"{take_over.offset:+.2f} s"
    return f"{clock(take_over.t)}  {offset:>10}  {take_over.decision:<9}  {_shorten(words, 50)}".rstrip()


def _waiting(looked: Findings) -> str:
    followed = sum(bool(reply.segments) for reply in looked.replies)
    if not followed:
        return "no reply followed a silence"
    count = "1 reply" if followed == 1 else f"{followed} replies"
    return f"the silence before {count}, cause by cause (median, longest):"


def _spent(name: str, times: Sequence[float]) -> str:
    return f"{1000 * float(np.median(times)):6.0f} ms {1000 * max(times):6.0f} ms  {name}"


def marks(session: RecordedSession) -> str:
    """Every mark with its verdict, a line each, without a last line feed."""
    found = (event for event in session.events if isinstance(event, Mark))
    lines = [f"{clock(mark.t)}  {' '.join(mark_text(mark).split())}" for mark in found]
    return "\n".join(lines) or "This session has no marks."


def _faults(looked: Findings) -> str:
    counts = Counter(finding.kind for finding in looked.faults)
    if not counts:
        return "none"
    return f"{len(looked.faults)}: " + ", ".join(f"{count} {kind}" for kind, count in counts.most_common())


def _finding(finding: Finding) -> str:
    return f"{clock(finding.t0)}  {_shorten(finding.text)}"


def _barge_ins(measured: Measures) -> str:
    stops = [b.stop_s for b in measured.barge_ins if b.stop_s is not None]
    if not measured.barge_ins:
        return "none"
    if not stops:
        return f"{len(measured.barge_ins)}, all talked through"
    count = f"{len(measured.barge_ins)}, gave way to {len(stops)}"
    return f"{count}; silent after {float(np.median(stops)):.2f} s (median), {max(stops):.2f} s (max)"


def _barge_in(t: float, stop_s: float | None) -> str:
    return f"{clock(t)}  " + ("talked through" if stop_s is None else f"silent {stop_s:.2f} s later")


def _compute(measured: Measures) -> str:
    columns = measured.columns
    ran = columns.compute_ms[~columns.skipped]
    parts = []
    if len(ran):
        p50, p99 = np.percentile(ran, [50, 99])
        parts.append(f"median {p50:.1f} ms, p99 {p99:.1f} ms, max {ran.max():.1f} ms of {CHUNK_MS} ms")
    parts.append(f"{int(columns.deadline_missed.sum()) or 'no'} missed deadlines")
    if columns.skipped.any():
        parts.append(f"{int(columns.skipped.sum())} micro-turns skipped")
    if measured.lost_input_s:
        parts.append(f"{measured.lost_input_s:.2f} s of input lost")
    return "; ".join(parts)


def _background(jobs: Sequence[Job]) -> str:
    if not jobs:
        return "no jobs"
    counts = Counter(job.outcome for job in jobs)
    words = {"answer": "answered", "failed": "failed", "cancelled": "cancelled", "open": "unfinished"}
    return f"{len(jobs)} job{'' if len(jobs) == 1 else 's'}: " + ", ".join(
        f"{counts[k]} {words[k]}" for k in words if counts[k]
    )


def _job(job: Job) -> str:
    first = "" if job.first_words is None else f", first words after {job.first_words - job.asked:.2f} s"
    end = "unfinished" if job.ended is None else f"{job.outcome} after {job.ended - job.asked:.2f} s"
    return f"{clock(job.asked)}  #{job.id} {end}{first}  {_shorten(job.request, 40)}".rstrip()
