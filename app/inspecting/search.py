"""Finds what a query asks for on a timeline. Plain Python; belongs to the model's thread."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.inspecting.query import Comparison, Query, folded
from app.inspecting.turns import Floats, TurnRows, turn_at, turn_rows
from app.text import one_line
from app.timeline.columns import DELEGATE, GAP, MISSED, OTHER, SKIPPED
from app.timeline.explain import job_event_text
from app.timeline.items import Job, kind_of
from app.timeline.model import TimelineModel
from app.watching.texts import said_text, title
from engine.config import CHUNK_S
from engine.decisions import DECISIONS

MAX_HITS = 2_000
"""More are counted, and neither listed nor drawn."""
_FLAG_BITS = {"missed": MISSED, "skipped": SKIPPED, "delegated": DELEGATE, "lost": GAP}
_TITLES = {"text_in": "typed", "vision": "camera"}
_UNITS = {"compute": " ms", "lag": " ms", "you": " dB", "assistant": " dB"}
_SIGNS = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}


@dataclass(frozen=True)
class Hit:
    """One find, in session seconds. ``kind`` is one of ``query.KINDS``, or ``turn``."""

    t0: float
    t1: float
    kind: str
    text: str

    @property
    def turn(self) -> int:
        """Number of the micro-turn in which it begins."""
        return turn_at(self.t0)

    @property
    def label(self) -> str:
        """What it is, in a line."""
        return self.text if self.kind == "turn" else f"{self.kind}: {self.text}"


@dataclass(frozen=True)
class Hits:
    """In time order, at most ``MAX_HITS``; ``total`` were found."""

    hits: tuple[Hit, ...] = ()
    total: int = 0

    def near(self, turn: int) -> int | None:
        """Place of the first hit in or after micro-turn ``turn``; of the last one when none follows."""
        if not self.hits:
            return None
        return min(bisect_left([hit.turn for hit in self.hits], turn), len(self.hits) - 1)


def search(model: TimelineModel, query: Query) -> Hits:
    """All that meets ``query``: whatever has words, and runs of micro-turns."""
    found: list[Hit] = []
    rows = turn_rows(model) if query.of_turns or _bare_decision(query) else None
    mask = None if rows is None else _mask(rows, query)
    if query.of_words:
        found += [
            item
            for item in _items(model)
            if _has_words(item, query) and (not query.of_turns or _touches(item, rows, mask))
        ]
    if rows is not None and mask is not None and not (query.of_words and query.of_turns):
        measured = {one.measure: rows.measure(one.measure) for one in query.comparisons}
        found += [_run(rows, first, end, query, measured) for first, end in rows.runs(mask)]
    found.sort(key=lambda hit: (hit.t0, hit.t1))
    return Hits(tuple(found[:MAX_HITS]), len(found))


def _bare_decision(query: Query) -> bool:
    """A decision's name alone finds the decisions as well as the word."""
    return len(query.words) == 1 and query.words[0] in DECISIONS and not query.kinds


def _mask(rows: TurnRows, query: Query) -> NDArray[np.bool_]:
    mask = rows.present.copy()
    wanted = query.decisions or (() if query.of_turns else query.words)
    if wanted:
        mask &= np.isin(rows.decision, [DECISIONS.index(name) for name in wanted])
    for comparison in query.comparisons:
        mask &= _compared(rows, comparison)
    if query.flags:
        mask &= (rows.bits & sum(_FLAG_BITS[flag] for flag in query.flags)) != 0
    return mask


def _compared(rows: TurnRows, comparison: Comparison) -> NDArray[np.bool_]:
    held: NDArray[np.bool_] = _SIGNS[comparison.sign](
        rows.measure(comparison.measure), np.float32(comparison.value)
    )
    return held


def _run(rows: TurnRows, first: int, end: int, query: Query, measured: Mapping[str, Floats]) -> Hit:
    """Neighbouring turns as one find: what was decided, and the value that stands out most."""
    part = slice(first - rows.first, end - rows.first)
    code = int(np.bincount(rows.decision[part]).argmax())
    words = [DECISIONS[code] if code < OTHER else "unknown decision"]
    if end - first > 1:
        words.append(f"{end - first} micro-turns")
    for comparison in query.comparisons:
        values = measured[comparison.measure][part]
        value = float(np.nanmin(values) if comparison.sign.startswith("<") else np.nanmax(values))
        unit = _UNITS.get(comparison.measure)
        shown = f"{value:.0%}" if unit is None else f"{value:.0f}{unit}"
        words.append(f"{comparison.measure} {shown}")
    words += query.flags
    return Hit(first * CHUNK_S, end * CHUNK_S, "turn", ", ".join(words))


def _touches(item: Hit, rows: TurnRows | None, mask: NDArray[np.bool_] | None) -> bool:
    """Whether a micro-turn for which ``mask`` holds lies in the time of ``item``."""
    if rows is None or mask is None:
        return False
    first, last = turn_at(item.t0) - rows.first, turn_at(max(item.t0, item.t1 - 1e-3)) - rows.first
    return bool(mask[max(first, 0) : max(last + 1, 0)].any())


def _has_words(item: Hit, query: Query) -> bool:
    if query.kinds and all(item.kind != kind for kind, _ in query.kinds):
        return False
    text = folded(item.text)
    if not all(word in text for word in query.words):
        return False
    return not query.kinds or any(item.kind == kind and wanted in text for kind, wanted in query.kinds)


def _items(model: TimelineModel) -> Iterator[Hit]:
    """Everything on the timeline that has words."""
    items = model.items
    for heard in items.user.items:
        yield Hit(heard.t0, heard.t1, "heard", heard.text)
    for said in items.assistant.items:
        text = f"{said.text} [not heard: {said.unheard}]" if said.unheard else said.text
        yield Hit(said.t0, said.t1, "said", text)
    for one in items.watches.watched:
        yield Hit(one.t0, model.end_s if one.t1 is None else one.t1, "watching", title(one))
        for told in one.said:
            yield Hit(told.t, told.t, "watching", said_text(one, told.text))
    for instant in items.instants.items:
        if instant.what == "watching":
            continue  # as stretches, above
        yield Hit(instant.t, instant.t, _TITLES.get(instant.what, instant.what), instant.text)
    for job in items.jobs.items.values():
        yield from _of_job(job)


def _of_job(job: Job) -> Iterator[Hit]:
    ended = any(event.event == "answer" and event.text for event in job.events)
    asked = ""
    for event in job.events:
        kind, t = kind_of(event), event.t
        if kind in ("asked", "request"):
            if event.text and event.text != asked:
                asked = event.text
                yield Hit(t, t, "asked", asked)
        elif kind in ("tool_call", "tool_result"):
            tool = one_line(str(event.detail.get("tool", "")), 80)
            text = job_event_text(event)
            yield Hit(t, t, "tool", text if tool in text else f"{tool} {text}")
        elif kind == "answer":
            # Its pieces are looked at only where the whole never came.
            if event.text and (event.event == "answer" or not ended):
                yield Hit(t, t, "answer", event.text)
        else:
            yield Hit(t, t, "job", job_event_text(event))


def marked(hits: Sequence[Hit]) -> list[tuple[float, float, str]]:
    """Stretches for the timeline to point out, each at least a micro-turn long."""
    return [(hit.t0, max(hit.t1, hit.t0 + CHUNK_S), one_line(hit.label, 120)) for hit in hits]
