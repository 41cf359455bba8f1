"""One row of a session's picture: the same stretch of time on every track."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.config import CHUNK_MS, CHUNK_S
from engine.decisions import DECISIONS
from engine.inspect.drawing import Line, Polygon, Rect, Scene, Text, band, fit, text_width
from engine.inspect.findings import Findings
from engine.inspect.found_tracks import mostly
from engine.inspect.latency import Reply
from engine.inspect.measures import Measures
from engine.inspect.tracks import Point, Span, Tracks

PAPER, INK, DIM, RULE, PANEL = "#ffffff", "#1a1e26", "#545e6d", "#e2e6ec", "#f6f7f9"
USER, ASSISTANT, BAD, BAR = "#0f7c8a", "#2b55cf", "#b3261e", "#9aa5b5"
USER_SOFT, ASSISTANT_SOFT, JOB_SOFT, NOTE_SOFT = "#d9eef0", "#e3eafc", "#f4ead0", "#fbe4e2"
DECISION_COLOURS = ("#dfe4ec", "#2b55cf", "#1b7a55", "#bf430d", "#8a3cc4", "#3f4754")
"""listen, speak, backchannel, interrupt, yield, and one this version does not know."""

WIDTH, LEFT, RIGHT = 1_200.0, 100.0, 30.0
PLOT = WIDTH - LEFT - RIGHT
_AXIS, _WAVE, _CELL, _CAPTION, _COMPUTE, _GAP = 20.0, 34.0, 18.0, 17.0, 26.0, 7.0
_TICKS = (0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600)
_WEIGHTS = np.array((1, 10, 30, 60, 60, 30))  # of the decisions, where one pixel holds several
_LONG_WAIT_S = 0.5
_TICK_PX = 58.0  # ticks stand no closer


@dataclass(frozen=True)
class Page:
    """What every row needs. ``user``, ``heard``: outlines 0..1, ``PLOT`` values for ``row_s`` seconds."""

    found: Tracks
    measured: Measures
    replies: tuple[Reply, ...]
    row_s: float
    user: NDArray[np.float64]
    heard: NDArray[np.float64]
    job_lanes: list[list[Span]]
    notes: list[Span]

    @property
    def figures_height(self) -> float:
        """Room above the assistant's voice for offsets; in long sessions they would only be clutter."""
        return 9.0 if self.row_s <= 120 else 0.0

    @property
    def row_height(self) -> float:
        """Logical pixels."""
        jobs = len(self.job_lanes) * _CAPTION + _GAP if self.job_lanes else 0.0
        notes = _CAPTION + _GAP if self.notes else 0.0
        speech = 2 * (_WAVE + _CAPTION + _GAP) + self.figures_height
        return _AXIS + speech + _CELL + _GAP + jobs + _COMPUTE + _GAP + notes


def note_spans(found: Tracks, looked: Findings) -> list[Span]:
    """Faults, long gaps, marks, typed words and camera events, each with its kind before it."""
    kinds = (("mark", found.marks), ("typed", found.typed), ("camera", found.vision))
    notes = [_note(kind, p) for kind, points in kinds for p in points]
    notes += [Span(s.t0, s.t0, f"watching: {s.text}") for s in found.watching]
    notes += [Span(f.t0, f.t0, f"fault: {f.text}") for f in looked.faults]
    notes += [Span(f.t0, f.t0, f"long gap: {f.text}") for f in looked.long_gaps]
    return sorted(notes, key=lambda s: s.t0)


def _note(kind: str, point: Point) -> Span:
    return Span(point.t, point.t, f"{kind}: {point.text}")


@dataclass(frozen=True)
class _Row:
    """A row's stretch of time and its way to pixels."""

    scene: Scene
    page: Page
    number: int

    @property
    def t0(self) -> float:
        return self.number * self.page.row_s

    @property
    def t1(self) -> float:
        return min(self.t0 + self.page.row_s, self.page.found.duration)

    def x(self, t: float) -> float:
        """Pixel of a time, kept inside the row."""
        share = (min(max(t, self.t0), self.t1) - self.t0) / self.page.row_s
        return LEFT + PLOT * share

    def holds(self, t: float) -> bool:
        return self.t0 <= t < self.t1 or t == self.t1 == self.page.found.duration

    def label(self, y: float, text: str) -> None:
        self.scene.add(Text(LEFT - 12, y, text, 11.5, DIM, "end"))


def draw_row(scene: Scene, page: Page, number: int, y: float) -> None:
    """Draw row ``number`` with its upper edge at ``y``."""
    row = _Row(scene, page, number)
    _axis(row, y)
    y += _AXIS
    y = _speech(row, y, "user", page.user, page.found.user, (USER, USER_SOFT))
    y = _decisions(row, y)
    if page.figures_height:
        _figures(row, y + page.figures_height - 1)
        y += page.figures_height
    y = _speech(row, y, "assistant", page.heard, page.found.assistant, (ASSISTANT, ASSISTANT_SOFT))
    if page.job_lanes:
        row.label(y + 12, "background")
        for lane in page.job_lanes:
            _captions(row, y, lane, JOB_SOFT)
            y += _CAPTION
        y += _GAP
    y = _compute(row, y)
    if page.notes:
        row.label(y + 12, "notes")
        _notes(row, y)


def _axis(row: _Row, y: float) -> None:
    least = row.page.row_s * _TICK_PX / PLOT
    step = next((s for s in _TICKS if s >= least), _TICKS[-1] * float(np.ceil(least / _TICKS[-1])))
    bottom = y + row.page.row_height - _GAP
    row.scene.add(Line(LEFT, y + _AXIS - 3, row.x(row.t1), y + _AXIS - 3, RULE))
    first = int(np.ceil(row.t0 / step - 1e-9))
    for n in range(first, int(row.t1 / step + 1e-9) + 1):
        x = row.x(n * step)
        row.scene.add(Line(x, y + _AXIS - 6, x, bottom, RULE, 0.7))
        text = _tick(n * step)
        if x + 3 + text_width(text, 10.5) <= WIDTH:
            row.scene.add(Text(x + 3, y + 11, text, 10.5, DIM))


def _tick(t: float) -> str:
    minutes, seconds = divmod(round(t, 1), 60)
    hours, minutes = divmod(int(minutes), 60)
    tail = f"{seconds:04.1f}" if seconds % 1 else f"{seconds:02.0f}"
    return f"{hours}:{minutes:02d}:{tail}" if hours else f"{minutes}:{tail}"


def _speech(
    row: _Row,
    y: float,
    name: str,
    outline: NDArray[np.float64],
    spans: Iterable[Span],
    colours: tuple[str, str],
) -> float:
    """A waveform with the words below it. Returns the y of what comes next."""
    row.label(y + _WAVE / 2 + 4, name)
    bins = round(PLOT)
    count = round((row.t1 - row.t0) / row.page.row_s * bins)
    part = outline[row.number * bins : row.number * bins + count]
    middle = y + _WAVE / 2
    row.scene.add(Line(LEFT, middle, row.x(row.t1), middle, RULE, 0.7))
    for first, last in _runs(part > 0.004):
        # Half a pixel on both sides, so that the shortest sound is seen.
        x = LEFT + np.concatenate(([first], np.arange(first, last) + 0.5, [last]))
        half = np.concatenate(([part[first]], part[first:last], [part[last - 1]])) * (_WAVE / 2 - 1) + 0.35
        row.scene.add(Polygon(band(x, half, middle), colours[0]))
    _captions(row, y + _WAVE, spans, colours[1])
    return y + _WAVE + _CAPTION + _GAP


def _runs(inside: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(inside.astype(np.int8), prepend=0, append=0))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _captions(row: _Row, y: float, spans: Iterable[Span], fill: str) -> None:
    """Soft bars with their text; it may run on over the empty space up to the next bar."""
    here = [s for s in spans if s.t0 < row.t1 and s.t1 > row.t0]
    for n, span in enumerate(here):
        x0, x1 = row.x(span.t0), row.x(span.t1)
        row.scene.add(Rect(x0, y + 1, max(1.5, x1 - x0 - 1), _CAPTION - 3, fill, 3))
        room = (row.x(here[n + 1].t0) if n + 1 < len(here) else WIDTH - RIGHT) - x0 - 8
        begins_here = span.t0 >= row.t0
        if room > 16 and (begins_here or x1 - x0 > 60):
            text = span.text if begins_here else f"… {span.text}"
            row.scene.add(Text(x0 + 4, y + 12, fit(text, room, 11), 11, INK))


def _decisions(row: _Row, y: float) -> float:
    row.label(y + 13, "decision")
    first, last = round(row.t0 / CHUNK_S), round(row.t1 / CHUNK_S)
    columns = row.page.measured.columns
    inside = (columns.i >= first) & (columns.i < last)
    cell = PLOT * CHUNK_S / row.page.row_s
    if cell >= 3:
        _cells(row, y, columns.i[inside].tolist(), columns.decision[inside].tolist(), cell)
    else:
        _merged(row, y, np.asarray((columns.i[inside] - first) * cell, np.float64), columns.decision[inside])
    for i in columns.i[inside & columns.delegate].tolist():
        # A small diamond: work was handed to the background here.
        x = row.x(CHUNK_S * (i + 0.5))
        corners = np.array(((x, y - 4.5), (x + 4, y - 0.5), (x, y + 3.5), (x - 4, y - 0.5)))
        row.scene.add(Polygon(corners, INK))
    return y + _CELL + _GAP


def _cells(row: _Row, y: float, turns: Sequence[int], decisions: Sequence[int], cell: float) -> None:
    space = 1.0 if cell >= 6 else 0.5
    for i, decision in zip(turns, decisions, strict=True):
        x = row.x(CHUNK_S * i)
        row.scene.add(Rect(x, y, cell - space, _CELL, DECISION_COLOURS[decision], min(2.0, cell / 4)))


def _merged(row: _Row, y: float, x: NDArray[np.float64], decision: NDArray[np.uint8]) -> None:
    """Less than three pixels a micro-turn: a pixel shows what weighs most in it, rare decisions the most."""
    pixels = np.zeros((round(PLOT), len(DECISIONS) + 1), np.int64)
    np.add.at(pixels, (np.minimum(x.astype(np.int64), len(pixels) - 1), decision), 1)
    shown = (pixels * _WEIGHTS).argmax(axis=1)
    # A micro-turn wider than a pixel covers the next one too.
    count = len(pixels)
    latest = np.maximum.accumulate(np.where(pixels.any(axis=1), np.arange(count), 0))
    end = round(row.x(row.t1) - LEFT)
    shown = shown[latest][:end]
    edges = np.flatnonzero(np.diff(shown, prepend=-1))
    for start, stop in zip(edges.tolist(), [*edges[1:].tolist(), end], strict=True):
        row.scene.add(Rect(LEFT + start, y, stop - start, _CELL, DECISION_COLOURS[int(shown[start])]))


def _figures(row: _Row, y: float) -> None:
    """Turn-taking offsets and stop times, written where they were heard; ``y`` is the baseline."""
    end = 0.0
    figures = [(reply.t1, _offset(reply)) for reply in row.page.replies]
    figures += [
        (b.t + b.stop_s, f"stop {b.stop_s:.2f} s")
        for b in row.page.measured.barge_ins
        if b.stop_s is not None
    ]
    for t, text in sorted(figures):
        x = row.x(t)
        if row.holds(t) and x > end:
            width = text_width(text, 10)
            x = min(x, WIDTH - RIGHT - width)
            row.scene.add(Text(x, y, text, 10, INK))
            end = x + width + 10


def _offset(reply: Reply) -> str:
    """How long the user waited and, where that was long, mostly for what."""
    wait = reply.t1 - reply.t0
    cause = mostly(reply) if wait >= _LONG_WAIT_S else ""
    return f"{wait:+.2f} s, {cause}" if cause else f"{wait:+.2f} s"


def _compute(row: _Row, y: float) -> float:
    row.label(y + 16, "compute")
    bottom = y + _COMPUTE
    end = row.x(row.t1)
    row.scene.add(Rect(LEFT, y, end - LEFT, _COMPUTE, PANEL))
    columns = row.page.measured.columns
    first = round(row.t0 / CHUNK_S)
    inside = (columns.i >= first) & (columns.i < round(row.t1 / CHUNK_S))
    width = max(1.0, PLOT * CHUNK_S / row.page.row_s)
    worst: dict[int, tuple[float, bool]] = {}
    parts = (columns.i[inside], columns.compute_ms[inside], columns.deadline_missed[inside])
    for i, ms, late in zip(*(part.tolist() for part in parts), strict=True):
        pixel = i - first if width > 1 else int(row.x(CHUNK_S * i) - LEFT)
        old_ms, old_late = worst.get(pixel, (0.0, False))
        worst[pixel] = max(old_ms, ms), old_late or late
    for pixel, (ms, late) in worst.items():
        height = _COMPUTE * min(1.0, ms / CHUNK_MS)
        space = min(1.0, width / 4)
        x = LEFT + pixel * width
        row.scene.add(Rect(x, bottom - height, width - space, height, BAD if late else BAR))
    row.scene.add(Line(LEFT, y, end, y, BAD, 0.8), Text(end + 2, y + 4, f"{CHUNK_MS}", 8.5, BAD))
    return bottom + _GAP


def _notes(row: _Row, y: float) -> None:
    here = [s for s in row.page.notes if row.holds(s.t0)]
    end = 0.0
    for n, note in enumerate(here):
        x = row.x(note.t0)
        colour = BAD if note.text.startswith("fault") else INK
        row.scene.add(Rect(x - 0.6, y, 1.6, _CAPTION - 3, colour))
        room = (row.x(here[n + 1].t0) if n + 1 < len(here) else WIDTH - RIGHT) - x - 8
        if x >= end and room > 30:
            text = fit(note.text, room, 11)
            row.scene.add(Text(x + 4, y + 11, text, 11, colour))
            end = x + 4 + text_width(text, 11)
