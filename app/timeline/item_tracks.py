"""Paint the tracks that hold items: what was said, and background jobs."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPen

from app.theme import argb, font, mix, q
from app.timeline.items import Groups, Job, Utterances, kind_of, merged
from app.timeline.tracks import CELL_PX
from app.timeline.view import View, draw_pixels
from engine.config import CHUNK_S
from engine.events import Transcript

Bools = NDArray[np.bool_]
_TEXT_PX = 26
"""A bar narrower than this shows no text."""
_LEAST_ROWS = 2
_TALL = 0.85
"""A bar lower than this part of a line of text shows none."""
_PLAIN_PX = 6
"""A bar narrower than this is a plain rectangle."""
_MERGE_PX = 1.5
"""Bars closer than this are one."""
_MARKED_PX = 40
"""A job narrower than this shows no marks of what it did."""
_MAX_MARKS = 80
_MAX_TOUCHING = 60
_MARK_PX = 8
_WORDS_PX = 90
_JOB_MARKS = ("tool_call", "tool_result", "question", "retry", "restart")


def elided(painter: QPainter, box: QRectF, text: str, metrics: QFontMetricsF) -> None:
    shown = metrics.elidedText(text[:400], Qt.TextElideMode.ElideRight, box.width())
    painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)


def bar(view: View, t0: float, t1: float, top: float, height: float) -> QRectF:
    """Clipped to the view: a job of hours must not become a rectangle of millions of pixels."""
    x0 = max(view.scale.x(t0), view.left - 4.0)
    x1 = min(view.scale.x(t1), view.left + view.width + 4.0)
    return QRectF(x0, top, max(x1 - x0, 2.0), height)


def _paint_utterances(
    painter: QPainter, top: float, height: float, view: View, said: Utterances, colour: str
) -> None:
    t, small, scale = view.theme, font(8.5), view.scale
    metrics = QFontMetricsF(small)
    painter.setFont(small)
    origin, groups = said.groups(view.t0, view.t1, _MERGE_PX / scale.px_per_s)
    wide = (groups.t1 - groups.t0) * scale.px_per_s > _PLAIN_PX
    paint_narrow(painter, top, height, view, groups, ~wide, mix(t.surface, colour, 0.3))
    fill = q(mix(t.surface, colour, 0.16))
    for k in np.flatnonzero(wide).tolist():
        among = said.items[origin + int(groups.first[k]) : origin + int(groups.last[k]) + 1]
        box = bar(view, float(groups.t0[k]), float(groups.t1[k]), top, height)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(fill)
        painter.drawRoundedRect(box, 3, 3)
        if len(among) == 1 and among[0].unheard:
            painter.fillRect(QRectF(box.right() - 2, top, 2, height), q(t.danger))
        if box.width() > _TEXT_PX and height >= _TALL * metrics.height():
            painter.setPen(q(t.text))
            inner = box.adjusted(5, 0, -4, 0)
            known = len(among) == 1 and (among[0].speaker == "assistant" or among[0].words)
            if known and view.cell_px >= 2 * CELL_PX:
                _paint_words(painter, inner, view, among[0])
            else:
                elided(painter, inner, " · ".join(u.text for u in among[:8]), metrics)


def paint_narrow(
    painter: QPainter, top: float, height: float, view: View, groups: Groups, which: Bools, colour: str
) -> None:
    """Runs too narrow for a shape of their own, as one image."""
    if not which.any():
        return
    px, width = view.scale.px_per_s * view.dpr, round(view.width * view.dpr)
    first_px = round(view.scale.first_px * view.dpr)
    begin = np.clip(np.round(groups.t0[which] * px).astype(np.int64) - first_px, 0, width)
    end = np.clip(
        np.maximum(np.round(groups.t1[which] * px).astype(np.int64) - first_px, begin + 1), 0, width
    )
    edges = np.bincount(begin, minlength=width + 1) - np.bincount(end, minlength=width + 1)
    covered = np.cumsum(edges[:width]) > 0
    row = np.where(covered, np.uint32(argb(colour)), np.uint32(argb(view.theme.surface)))
    draw_pixels(painter, np.broadcast_to(row, (round(height * view.dpr), width)), view.left, top, view.dpr)


def _paint_words(painter: QPainter, box: QRectF, view: View, item: Transcript) -> None:
    """Each word where it was said, while that leaves them readable; otherwise the sentence."""
    metrics = QFontMetricsF(painter.font())
    said = view.model.turns.words(int(item.t0 / CHUNK_S), int(item.t1 / CHUNK_S) + 1)
    words = [(t0, text) for text, t0, _ in item.words] or [(i * CHUNK_S, text) for i, text in said]
    x_free = box.left()
    placed: list[tuple[float, str]] = []
    for t, text in words:
        x = max(view.scale.x(t) + 2, x_free)
        x_free = x + metrics.horizontalAdvance(text + " ")
        placed.append((x, text))
    if not placed or x_free > box.right() + 2 * view.cell_px:
        elided(painter, box, item.text, metrics)
        return
    for x, text in placed:
        painter.drawText(QPointF(x, box.center().y() + metrics.capHeight() / 2), text)


def paint_user_words(painter: QPainter, top: float, height: float, view: View) -> None:
    _paint_utterances(painter, top, height, view, view.model.items.user, view.theme.user_level)


def paint_assistant_words(painter: QPainter, top: float, height: float, view: View) -> None:
    """Finished utterances; a red end marks one that was cut off."""
    _paint_utterances(painter, top, height, view, view.model.items.assistant, view.theme.assistant_level)


def paint_jobs(painter: QPainter, top: float, height: float, view: View) -> None:
    """A bar from asking to the end; solid from the first answer word on; a symbol says how it ended."""
    used = max(view.model.items.jobs.rows, _LEAST_ROWS)
    t, row_height = view.theme, height / used
    small = font(8)
    metrics = QFontMetricsF(small)
    painter.setFont(small)
    jobs = view.model.items.jobs.between(view.t0, view.t1)
    for row in range(used):
        in_row = sorted((j for j in jobs if j.row == row), key=lambda j: j.t0)
        starts, ends = np.array([j.t0 for j in in_row]), np.array([_job_end(j, view) for j in in_row])
        groups = merged(starts, ends, _MERGE_PX / view.scale.px_per_s)
        y, tall = top + row * row_height + 1, row_height - 2
        wide = (groups.t1 - groups.t0) * view.scale.px_per_s > _PLAIN_PX
        paint_narrow(painter, y, tall, view, groups, ~wide, mix(t.surface, t.warning, 0.5))
        for k in np.flatnonzero(~wide & _failed(in_row, groups)).tolist():
            painter.fillRect(bar(view, float(groups.t0[k]), float(groups.t1[k]), y, tall), q(t.danger))
        for k in np.flatnonzero(wide).tolist():
            among = in_row[int(groups.first[k]) : int(groups.last[k]) + 1]
            box = bar(view, float(groups.t0[k]), float(groups.t1[k]), y, tall)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(q(mix(t.surface, t.warning, 0.32)))
            painter.drawRoundedRect(box, 3, 3)
            for job in among[:_MAX_TOUCHING]:
                _paint_touching(painter, bar(view, job.t0, _job_end(job, view), y, tall), view, job, metrics)


def _paint_touching(painter: QPainter, box: QRectF, view: View, job: Job, metrics: QFontMetricsF) -> None:
    """One job of a run; one that takes the place of another begins where that ends."""
    if box.width() > _PLAIN_PX:
        painter.fillRect(QRectF(box.left() - 0.5, box.top(), 1, box.height()), q(view.theme.surface))
        _paint_job(painter, box, view, job, metrics)


def _failed(jobs: list[Job], groups: Groups) -> Bools:
    """Which runs hold a job that failed."""
    failed = np.cumsum([0, *(job.outcome == "failed" for job in jobs)])
    held: Bools = failed[groups.last + 1] > failed[groups.first]
    return held


def _job_end(job: Job, view: View) -> float:
    return job.t1 if job.t1 is not None else max(view.model.end_s, job.t0)


def _paint_job(painter: QPainter, box: QRectF, view: View, job: Job, metrics: QFontMetricsF) -> None:
    t = view.theme
    if job.first_answer_t is not None:
        painter.setPen(Qt.PenStyle.NoPen)
        answering = bar(view, job.first_answer_t, _job_end(job, view), box.top(), box.height())
        painter.setBrush(q(mix(t.surface, t.ok, 0.38)))
        painter.drawRoundedRect(answering, 3, 3)
    if job.outcome in ("failed", "cancelled"):
        painter.setPen(QPen(q(t.danger if job.outcome == "failed" else t.dim), 2))
        c = QPointF(box.right() - 4, box.center().y())
        painter.drawLine(c + QPointF(-3, -3), c + QPointF(3, 3))
        if job.outcome == "failed":
            painter.drawLine(c + QPointF(-3, 3), c + QPointF(3, -3))
    marks = [
        (view.scale.x(event.t), kind, bool(event.detail.get("ok", True)))
        for event in (job.events[:_MAX_MARKS] if box.width() > _MARKED_PX else ())
        if (kind := kind_of(event)) in _JOB_MARKS
    ]
    if box.width() > _TEXT_PX and box.height() >= _TALL * metrics.height():
        painter.setPen(q(t.text))
        room = _free(box.adjusted(5, 0, -9, 0), [x for x, _, _ in marks])
        elided(painter, room, job.request or f"job {job.id}", metrics)
    for x, kind, ok in marks:
        paint_job_mark(painter, QPointF(x, box.center().y()), kind, ok, view)


def _free(box: QRectF, marks: list[float]) -> QRectF:
    """The first part of a bar that has room for words between its marks, or the widest."""
    edges = [box.left(), *(x for x in marks if box.left() < x < box.right()), box.right()]
    gaps = [
        QRectF(a + (0 if k == 0 else _MARK_PX), box.top(), b - a - 2 * _MARK_PX, box.height())
        for k, (a, b) in enumerate(pairwise(edges))
    ]
    return next((gap for gap in gaps if gap.width() > _WORDS_PX), max(gaps, key=lambda gap: gap.width()))


def paint_job_mark(painter: QPainter, at: QPointF, kind: str, ok: bool, view: View) -> None:
    """Hollow square: a tool was called. Full: it answered, crossed out: it failed. Question mark: it asked
    you. Two bars: it began anew. Each has a ground of its own."""
    t, r = view.theme, 4.0
    ground = QRectF(at.x() - r - 2, at.y() - r - 2, 2 * r + 4, 2 * r + 4)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(q(t.surface))
    painter.drawRoundedRect(ground, 3, 3)
    square = QRectF(at.x() - r, at.y() - r, 2 * r, 2 * r)
    match kind:
        case "question":
            painter.setPen(q(t.text))
            painter.setFont(font(8.5, QFont.Weight.DemiBold))
            painter.drawText(ground, Qt.AlignmentFlag.AlignCenter, "?")
            painter.setFont(font(8))
        case "retry" | "restart":
            for dx in (-3.0, 1.0):
                painter.fillRect(QRectF(at.x() + dx, at.y() - r, 2, 2 * r), q(t.text))
        case "tool_result" if ok:
            painter.fillRect(square, q(t.text))
        case "tool_result":
            painter.setPen(QPen(q(t.danger), 1.8))
            painter.drawLine(square.topLeft(), square.bottomRight())
            painter.drawLine(square.bottomLeft(), square.topRight())
        case _:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(q(t.text), 1.4))
            painter.drawRect(square.adjusted(0.7, 0.7, -0.7, -0.7))
