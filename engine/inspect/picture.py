"""A session as a picture: its timeline in rows, like a score."""

import math

import numpy as np

from engine.config import CHUNK_MS
from engine.decisions import DECISIONS
from engine.inspect.drawing import Rect, Scene, Text, fit, text_width
from engine.inspect.envelope import envelope
from engine.inspect.findings import Findings, findings_of
from engine.inspect.measures import Measures, measure
from engine.inspect.picture_row import (
    BAD,
    DECISION_COLOURS,
    DIM,
    INK,
    PAPER,
    PLOT,
    RIGHT,
    WIDTH,
    Page,
    draw_row,
    note_spans,
)
from engine.inspect.summary import clock
from engine.inspect.tracks import job_spans, lanes, tracks
from engine.recorder.folder import INPUT, OUTPUT
from engine.recorder.reader import RecordedSession

_TOP, _BETWEEN = 112.0, 16.0
_ROW_SECONDS = (10, 15, 20, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 14_400)
_MOST_ROWS = 6
_MOST_JOB_LANES = 4


def draw(session: RecordedSession) -> Scene:
    """Draw a session of any length on one page, 1,200 logical pixels wide.

    Raises:
        InputError: the session holds no micro-turn.
    """
    found = tracks(session)
    measured = measure(session)
    looked = findings_of(session, measured)
    row_s = _row_seconds(found.duration)
    rows = max(1, math.ceil(found.duration / row_s - 1e-9))
    bins = round(PLOT)
    levels = ((INPUT, measured.columns.user_level_db), (OUTPUT, measured.columns.self_level_db))
    outlines = [envelope(session, name, db, row_s / bins, rows * bins) for name, db in levels]
    page = Page(
        found=found,
        measured=measured,
        replies=looked.replies,
        row_s=row_s,
        user=outlines[0],
        heard=outlines[1],
        job_lanes=lanes(job_spans(found))[:_MOST_JOB_LANES],
        notes=note_spans(found, looked),
    )
    step = page.row_height + _BETWEEN
    scene = Scene(WIDTH, _TOP + rows * step, PAPER, f"Session {session.path.name}")
    _heading(scene, session, measured, looked)
    for row in range(rows):
        draw_row(scene, page, row, _TOP + row * step)
    return scene


def _row_seconds(duration: float) -> float:
    if duration <= _ROW_SECONDS[0]:
        return max(1.0, duration)
    return next((s for s in _ROW_SECONDS if duration <= s * _MOST_ROWS), duration / _MOST_ROWS)


def _heading(scene: Scene, session: RecordedSession, measured: Measures, looked: Findings) -> None:
    header = session.header
    scene.add(Text(RIGHT, 32, fit(session.path.name, 560, 19), 19, INK, weight=600))
    about = f"{clock(session.duration)} · {header.engine} · {header.model} · {header.started_at}"
    scene.add(Text(RIGHT, 52, fit(about, 700, 12), 12, DIM))
    _legend(scene)
    x = RIGHT
    for value, label, colour in _figures(measured, looked):
        scene.add(Text(x, 82, value, 16, colour, weight=600), Text(x, 99, label, 11, DIM))
        x += max(text_width(value, 16, 600), text_width(label, 11)) + 34


def _figures(measured: Measures, looked: Findings) -> list[tuple[str, str, str]]:
    offsets = [t.offset for t in measured.take_overs if t.offset is not None]
    stops = [b.stop_s for b in measured.barge_ins if b.stop_s is not None]
    compute = measured.columns.compute_ms[~measured.columns.skipped]
    missed = int(measured.columns.deadline_missed.sum())
    figures = [
        (str(len(measured.take_overs)), "take-overs", INK),
        (f"{np.median(offsets):+.2f} s" if offsets else "–", "offset heard, median", INK),
        (f"{np.median(stops):.2f} s" if stops else "–", "barge-in to silence, median", INK),
        (str(len(measured.backchannels)), "backchannels", INK),
    ]
    if len(compute):
        p50, p99 = np.percentile(compute, [50, 99])
        figures.append((f"{p50:.0f} / {p99:.0f} ms", f"compute, median / p99 of {CHUNK_MS}", INK))
    figures.append((str(missed), "missed deadlines", BAD if missed else INK))
    figures.append((str(len(looked.long_gaps)), "long gaps", INK))
    figures.append((str(len(looked.faults)), "faults", BAD if looked.faults else INK))
    return figures


def _legend(scene: Scene) -> None:
    x = WIDTH - RIGHT
    for name, colour in reversed(tuple(zip(DECISIONS, DECISION_COLOURS, strict=False))):
        x -= text_width(name, 11.5)
        scene.add(Text(x, 32, name, 11.5, DIM))
        x -= 17
        scene.add(Rect(x, 22.5, 11, 11, colour, 2.5))
        x -= 16
