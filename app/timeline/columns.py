"""The turns of a session as numpy columns: bounded, with level of detail.

Nothing here knows Qt. One thread owns a model. Counts and means come from
prefix sums (exact at any zoom); extremes and flags from power-of-two pyramids,
so that a view costs what its pixels cost, not what the session lasts.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, inf, log2
from operator import attrgetter, itemgetter

import numpy as np
from numpy.typing import ArrayLike, NDArray

from app.text import one_line
from engine.config import CHUNK_S
from engine.decisions import DECISION_INDEX, DECISIONS, SAY_TOKENS
from engine.events import TurnRecord

TRIM = 16_384
"""Turns forgotten at once when the model is full; a power of two keeps pyramid buckets aligned."""
MAX_TURNS = 14 * TRIM
"""12.7 hours."""
LEVELS = 14  # the coarsest bucket is TRIM turns
OTHER, ABSENT = len(DECISIONS), len(DECISIONS) + 1
"""Codes of a decision this version does not know, and of a turn that never arrived."""

USER_DB, SELF_DB, GENERATED_MS, HEARD_MS, COMPUTE_MS, LAG_MS = range(6)
"""Columns of ``level``."""
DELEGATE, MISSED, SKIPPED, GAP, TEXT = (1 << b for b in range(8, 13))
"""Flag bits above the decision bits (``1 << code``)."""

_ROW = np.dtype(
    [
        ("level", np.float32, 6),
        ("probs", np.float32, len(DECISIONS)),
        ("activity", np.float32, 4),
        ("delegate_prob", np.float32),
        ("say_prob", np.float32),
        ("next_say_prob", np.float32),
        ("gap_samples", np.int32),
        ("frame", np.int32),
        ("words_left", np.int32),
        ("background_words", np.int32),
        ("open_jobs", np.int32),
        ("bits", np.uint16),
        ("decision", np.uint8),
        ("say", np.uint8),
        ("next_say", np.uint8),
    ]
)
_FLOOR = np.array([-120.0, -120.0, 0, 0, 0, 0], np.float32)
_LEVEL_SUMS = slice(ABSENT + 1, ABSENT + 7)
_PROB_SUMS = slice(ABSENT + 7, ABSENT + 7 + len(DECISIONS))
_ACTIVITY_SUMS = slice(_PROB_SUMS.stop, _PROB_SUMS.stop + 4)
_SUMS = _ACTIVITY_SUMS.stop  # after the counts of each code

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Columns:
    """One entry for each of ``width`` pixels; ``present`` says where there are turns at all."""

    present: NDArray[np.bool_]
    majority: NDArray[np.intp]
    """Commonest decision code."""
    bits: NDArray[np.uint16]
    """Every decision and flag that occurs."""
    peak: Floats
    """(width, 6) greatest ``level``."""
    mean: Floats
    """(width, 6) mean ``level``."""
    probs: Floats
    """(width, 5) mean decision probabilities."""
    activity: Floats
    """(width, 4) mean probabilities that the user speaks 0-0.2, 0.2-0.6, 0.6-1.2 and 1.2-2 s later."""


@dataclass(frozen=True)
class Turn:
    """One micro-turn read back from the columns, for the details panel."""

    i: int
    decision: str
    probs: dict[str, float]
    say: tuple[tuple[str, float], ...]
    """The chosen say token and the strongest other, with probabilities."""
    delegate: bool
    delegate_prob: float
    user_activity: tuple[float, ...]
    user_level_db: float
    self_level_db: float
    generated_ms: float
    heard_ms: float
    compute_ms: float
    lag_ms: float
    deadline_missed: bool
    skipped: bool
    gap_samples: int
    frame: int | None
    words_left: int
    background_words: int
    open_jobs: int
    text_out: str
    texts: tuple[str, ...]

    @property
    def t(self) -> float:
        """Start of the interval, in session seconds."""
        return self.i * CHUNK_S


def _finite(values: ArrayLike, default: ArrayLike = 0.0) -> NDArray[np.float64]:
    """A recorded session may hold anything; what is no finite number becomes the default."""
    found = np.array(values, np.float64)
    clean: NDArray[np.float64] = np.where(np.isfinite(found), found, np.asarray(default, np.float64))
    return clean


def _whole(values: list[int]) -> NDArray[np.int32]:
    return np.clip(_finite(values), -(2**31), 2**31 - 1).astype(np.int32)


def _index(record: TurnRecord) -> int:
    return record.i


_levels_of = attrgetter(
    "user_level_db", "self_level_db", "generated_ms", "heard_ms", "compute_ms", "lag_ms"
)  # as in ``level``

_every_prob = itemgetter(*DECISIONS)


def _probs_of(r: TurnRecord) -> tuple[float, ...]:
    try:
        probs: tuple[float, ...] = _every_prob(r.probs)
        return probs
    except KeyError:
        return tuple(r.probs.get(name, 0.0) for name in DECISIONS)


def _flags_of(r: TurnRecord) -> int:
    return (
        (DELEGATE if r.delegate else 0)
        | (MISSED if r.deadline_missed else 0)
        | (SKIPPED if r.skipped else 0)
        | (GAP if r.gap_samples else 0)
        | (TEXT if r.text_out else 0)
    )


def _strongest_other(r: TurnRecord) -> tuple[float, str]:
    """The most probable say token that was not chosen."""
    best, other = 0.0, "none"
    for name, p in r.say_probs.items():
        if best < p < inf and name != r.say:
            best, other = p, name
    return best, other


class TurnColumns:
    """Micro-turns ``base .. base + count`` of one session."""

    def __init__(self, max_turns: int = MAX_TURNS) -> None:
        if max_turns % TRIM or max_turns < 2 * TRIM:
            raise ValueError(f"max_turns must be a multiple of {TRIM}, and at least two of them")
        self.max_turns = max_turns
        self.base = 0
        self.count = 0
        self.ignored = 0
        """Turns out of order or impossibly far ahead, which were not kept."""
        self.projects = False
        """Some turn says how probable it is that the user will speak."""
        self._rows = np.zeros(1024, _ROW)
        self._sums = np.zeros((1025, _SUMS))
        lengths = [max(1024 >> k, 1) for k in range(1, LEVELS + 1)]
        self._peaks = [np.zeros((length, 6), np.float32) for length in lengths]
        self._bits = [np.zeros(length, np.uint16) for length in lengths]
        self._says = list(SAY_TOKENS)
        self._say_codes = {name: code for code, name in enumerate(self._says)}
        self._text_out: dict[int, str] = {}
        self._texts: dict[int, tuple[str, ...]] = {}

    @property
    def end(self) -> int:
        """Index after the last turn."""
        return self.base + self.count

    @property
    def end_s(self) -> float:
        return self.end * CHUNK_S

    def extend(self, records: Sequence[TurnRecord]) -> None:
        """Append turns. A skipped index is filled as absent; one seen before is ignored."""
        kept: list[TurnRecord] = []
        end = self.end
        for record in records:
            if end <= record.i < end + TRIM:
                kept.append(record)
                end = record.i + 1
        self.ignored += len(records) - len(kept)
        done = 0
        while done < len(kept):
            if kept[done].i >= self.base + self.max_turns:
                self._forget_oldest()
            fit = bisect_left(kept, self.base + self.max_turns, done, key=_index)
            self._store(kept[done:fit])
            done = fit

    def _store(self, records: Sequence[TurnRecord]) -> None:
        """Turns in order for which there is room."""
        start, stop = self.count, records[-1].i + 1 - self.base
        self._reserve(stop)
        new = self._rows[start:stop]
        if len(records) == len(new):
            new[:] = self._table(records)
        else:
            new[...] = np.zeros((), _ROW)
            new["level"], new["decision"], new["bits"] = _FLOOR, ABSENT, 1 << ABSENT
            new[[record.i - self.base - start for record in records]] = self._table(records)
        for record in records:
            if record.text_out:
                self._text_out[record.i] = one_line(str(record.text_out))
            if record.texts:
                self._texts[record.i] = tuple(one_line(str(text)) for text in record.texts[:16])
        self.count = stop
        self._update(start)

    def _table(self, records: Sequence[TurnRecord]) -> NDArray[np.void]:
        """Turns as rows, all of them at once: an hour is 18,000."""
        rows = np.zeros(len(records), _ROW)
        rows["level"] = _finite([_levels_of(r) for r in records], _FLOOR)
        rows["probs"] = _finite([_probs_of(r) for r in records])
        unknown = (-1.0,) * 4
        rows["activity"] = _finite([(*r.user_activity, *unknown)[:4] for r in records])
        rows["delegate_prob"] = _finite([r.delegate_prob for r in records])
        rows["say_prob"] = _finite([r.say_probs.get(r.say, 0.0) for r in records])
        others = [_strongest_other(r) for r in records]
        rows["next_say_prob"] = [p for p, _ in others]
        rows["next_say"] = [self._say_code(name) for _, name in others]
        rows["say"] = [self._say_code(r.say) for r in records]
        rows["gap_samples"] = _whole([r.gap_samples for r in records])
        rows["frame"] = _whole([-1 if r.frame is None else r.frame for r in records])
        rows["words_left"] = _whole([r.words_left for r in records])
        rows["background_words"] = _whole([r.background_words for r in records])
        rows["open_jobs"] = _whole([r.open_jobs for r in records])
        codes = np.array([DECISION_INDEX.get(r.decision, OTHER) for r in records], np.uint16)
        rows["decision"] = codes
        rows["bits"] = np.left_shift(np.uint16(1), codes) | np.array(
            [_flags_of(r) for r in records], np.uint16
        )
        return rows

    def _say_code(self, name: str) -> int:
        code = self._say_codes.get(name)
        if code is None:
            code = 0
            if len(self._says) < 255:
                code = self._say_codes[name] = len(self._says)
                self._says.append(str(name))
        return code

    def _reserve(self, needed: int) -> None:
        size = len(self._rows)
        if needed <= size:
            return
        while size < needed:
            size *= 2
        size = min(size, self.max_turns)
        self._rows = np.resize(self._rows, size)
        self._sums = np.resize(self._sums, (size + 1, _SUMS))
        for k in range(LEVELS):
            length = -(-size >> (k + 1))
            self._peaks[k] = np.resize(self._peaks[k], (length, 6))
            self._bits[k] = np.resize(self._bits[k], length)

    def _update(self, start: int) -> None:
        """Bring prefix sums and pyramids up to date for rows from ``start`` on."""
        stop = self.count
        if stop <= start:
            return
        rows = self._rows[start:stop]
        terms = np.zeros((stop - start, _SUMS))
        terms[np.arange(stop - start), rows["decision"]] = 1
        here = rows["decision"] != ABSENT
        terms[:, _LEVEL_SUMS] = rows["level"] * here[:, None]
        terms[:, _PROB_SUMS] = rows["probs"]
        terms[:, _ACTIVITY_SUMS] = np.maximum(rows["activity"], 0)
        self.projects = self.projects or bool((terms[:, _ACTIVITY_SUMS] > 0).any())
        self._sums[start + 1 : stop + 1] = self._sums[start] + np.cumsum(terms, axis=0)
        peak, bits = self._rows["level"], self._rows["bits"]
        low, high = start, stop
        for k in range(LEVELS):
            low, below = low >> 1, high
            high = (high + 1) >> 1
            odd = peak[2 * low + 1 : below : 2], bits[2 * low + 1 : below : 2]
            self._peaks[k][low:high] = peak[2 * low : below : 2]
            self._bits[k][low:high] = bits[2 * low : below : 2]
            pairs = slice(low, low + len(odd[1]))
            np.maximum(self._peaks[k][pairs], odd[0], out=self._peaks[k][pairs])
            np.bitwise_or(self._bits[k][pairs], odd[1], out=self._bits[k][pairs])
            peak, bits = self._peaks[k], self._bits[k]

    def _forget_oldest(self) -> None:
        keep = self.count - TRIM
        self._rows[:keep] = self._rows[TRIM : self.count]
        self._sums[: keep + 1] = self._sums[TRIM : self.count + 1]
        for k in range(LEVELS):
            shift, length = TRIM >> (k + 1), -(-keep >> (k + 1))
            self._peaks[k][:length] = self._peaks[k][shift : shift + length].copy()
            self._bits[k][:length] = self._bits[k][shift : shift + length].copy()
        self.base += TRIM
        self.count = keep
        self._text_out = {i: text for i, text in self._text_out.items() if i >= self.base}
        self._texts = {i: texts for i, texts in self._texts.items() if i >= self.base}

    def columns(self, first_px: int, px_per_s: float, width: int) -> Columns | None:
        """Reduce turns to pixels: entry ``x`` covers session time ``[first_px + x, +1) / px_per_s``.

        A pixel narrower than a turn repeats the turn. None when there is no turn at all.
        """
        if not self.count or width <= 0:
            return None
        turns_per_px = 1 / (px_per_s * CHUNK_S)
        edges = np.floor((first_px + np.arange(width + 1)) * turns_per_px + 1e-6).astype(np.int64) - self.base
        inside = np.flatnonzero((edges[:-1] < self.count) & (np.maximum(edges[1:], edges[:-1] + 1) > 0))
        shown = slice(int(inside[0]), int(inside[-1]) + 1) if len(inside) else slice(0, 0)
        low = np.maximum(edges[:-1][shown], 0)
        high = np.minimum(np.maximum(edges[1:][shown], low + 1), self.count)
        made = Columns(
            present=np.zeros(width, np.bool_),
            majority=np.zeros(width, np.intp),
            bits=np.zeros(width, np.uint16),
            peak=np.zeros((width, 6), np.float32),
            mean=np.zeros((width, 6), np.float32),
            probs=np.zeros((width, len(DECISIONS)), np.float32),
            activity=np.zeros((width, 4), np.float32),
        )
        if len(inside):
            sums = self._sums[high] - self._sums[low]
            known = sums[:, :ABSENT].sum(axis=1)
            share = 1 / np.maximum(known, 1)[:, None]
            made.present[shown] = known > 0
            made.majority[shown] = np.argmax(sums[:, :ABSENT], axis=1)
            made.mean[shown] = sums[:, _LEVEL_SUMS] * share
            made.probs[shown] = sums[:, _PROB_SUMS] * share
            made.activity[shown] = sums[:, _ACTIVITY_SUMS] * share
            self._extremes(made, shown, low, int(high[-1]), turns_per_px)
        return made

    def _extremes(
        self, made: Columns, shown: slice, low: NDArray[np.int64], stop: int, turns_per_px: float
    ) -> None:
        """Greatest levels and all bits of the shown pixels, from the pyramid."""
        # Buckets of half a pixel at most: an extreme is drawn in its own pixel or on the edge to the next.
        level = min(max(floor(log2(turns_per_px)) - 1, 0), LEVELS) if turns_per_px > 1 else 0
        peak = self._rows["level"] if level == 0 else self._peaks[level - 1]
        bits = self._rows["bits"] if level == 0 else self._bits[level - 1]
        starts = low >> level
        origin, last = int(starts[0]), (stop - 1) >> level
        made.bits[shown] = np.bitwise_or.reduceat(bits[origin : last + 1], starts - origin)
        made.peak[shown] = np.maximum.reduceat(peak[origin : last + 1], starts - origin, axis=0)

    def has(self, i: int) -> bool:
        return self.base <= i < self.end

    def decision(self, i: int) -> int:
        """Decision code of turn ``i``."""
        return int(self._rows["decision"][i - self.base]) if self.has(i) else ABSENT

    def probs(self, i: int) -> tuple[float, ...]:
        """Probability of each decision in turn ``i``, in the order of ``DECISIONS``."""
        return tuple(self._rows["probs"][i - self.base].tolist()) if self.has(i) else ()

    def activity(self, i: int) -> tuple[float, ...]:
        """What turn ``i`` expects of the user; empty where it does not say."""
        return tuple(float(p) for p in self._rows["activity"][i - self.base] if p >= 0) if self.has(i) else ()

    def flagged(self, flag: int, first: int, last: int) -> list[int]:
        """Turns of ``first .. last`` with a flag bit."""
        low, high = max(first - self.base, 0), max(min(last + 1 - self.base, self.count), 0)
        return (np.flatnonzero(self._rows["bits"][low:high] & flag) + low + self.base).tolist()

    def bits(self, i: int) -> int:
        return int(self._rows["bits"][i - self.base]) if self.has(i) else 1 << ABSENT

    def words(self, first: int, last: int) -> list[tuple[int, str]]:
        """(turn, words that it said) for turns ``first .. last``; meant for a few hundred turns."""
        return [(i, self._text_out[i]) for i in range(first, last + 1) if i in self._text_out]

    def turn(self, i: int) -> Turn | None:
        """Everything known of turn ``i``; None when it is not there."""
        if self.decision(i) == ABSENT:
            return None
        row = self._rows[i - self.base]
        code, bits = int(row["decision"]), int(row["bits"])
        level = [round(float(v), 4) for v in row["level"]]
        says = (
            (self._says[row["say"]], round(float(row["say_prob"]), 4)),
            (self._says[row["next_say"]], round(float(row["next_say_prob"]), 4)),
        )
        return Turn(
            i=i,
            decision=DECISIONS[code] if code < OTHER else "other",
            probs={name: round(float(p), 4) for name, p in zip(DECISIONS, row["probs"], strict=True)},
            say=says if says[1][1] > 0 else says[:1],
            delegate=bool(bits & DELEGATE),
            delegate_prob=round(float(row["delegate_prob"]), 4),
            user_activity=tuple(round(float(p), 4) for p in row["activity"] if p >= 0),
            user_level_db=level[USER_DB],
            self_level_db=level[SELF_DB],
            generated_ms=level[GENERATED_MS],
            heard_ms=level[HEARD_MS],
            compute_ms=level[COMPUTE_MS],
            lag_ms=level[LAG_MS],
            deadline_missed=bool(bits & MISSED),
            skipped=bool(bits & SKIPPED),
            gap_samples=int(row["gap_samples"]),
            frame=int(row["frame"]) if row["frame"] >= 0 else None,
            words_left=int(row["words_left"]),
            background_words=int(row["background_words"]),
            open_jobs=int(row["open_jobs"]),
            text_out=self._text_out.get(i, ""),
            texts=self._texts.get(i, ()),
        )

    def next_change(self, i: int, step: int) -> int:
        """The nearest turn after (``step`` 1) or before (-1) ``i`` at which the decision changed."""
        decisions = self._rows["decision"][: self.count]
        changes = np.flatnonzero(decisions[1:] != decisions[:-1]) + 1 + self.base
        at = int(np.searchsorted(changes, i, side="right" if step > 0 else "left")) - (step < 0)
        if 0 <= at < len(changes):
            return int(changes[at])
        return self.end - 1 if step > 0 else self.base
