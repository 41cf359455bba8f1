"""Two sessions of the same recording side by side: where they were decided differently, and how often.

Sessions are laid over each other by whole micro-turns. Which shift is right is
found from the user's level, since both heard the same person; a session that
was made from another one's recording has shift 0.
"""

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.config import CHUNK_S
from engine.decisions import DECISIONS
from engine.errors import InputError
from engine.events import Event, SessionHeader, Transcript, TurnRecord
from engine.inspect.measures import Measures, measure
from engine.recorder.columns import UNKNOWN, TurnColumns, turn_columns
from engine.recorder.reader import RecordedSession

MAX_SHIFT_S = 30.0
SAME_RECORDING = 0.5
"""Correlation of the user's levels from which on two sessions count as made from one recording."""
_WORTH_SHIFTING = 0.05  # levels that repeat themselves correlate at other shifts almost as well
_SHORTEST_TURNS = 10
_NAMES = (*DECISIONS, "other")


@dataclass(frozen=True)
class Difference:
    """From ``t0`` to ``t1`` of the first session's time, one decided ``first`` and the other ``second``.

    ``distance``: mean total variation distance of the decision probabilities, 0 to 1.
    """

    t0: float
    t1: float
    first: str
    second: str
    kind: str
    distance: float


@dataclass(frozen=True)
class Row:
    """One figure of both sessions as text; ``better`` is 0, 1, or None where that cannot be said."""

    name: str
    first: str
    second: str
    better: int | None = None


@dataclass(frozen=True)
class Comparison:
    """``shift``: by so many micro-turns the second session is moved to lie on the first.

    ``match``: correlation of the user's levels at that shift, -1 to 1. ``pairs``: how many micro-turns
    were decided as (first, second). Everything is over the ``turns`` micro-turns that both have.
    """

    shift: int
    match: float
    turns: int
    agreement: float
    distance: float
    pairs: dict[tuple[str, str], int]
    differences: tuple[Difference, ...]
    rows: tuple[Row, ...]

    @property
    def same_recording(self) -> bool:
        """Whether both heard the same person, as far as levels tell."""
        return self.match >= SAME_RECORDING

    @property
    def counts(self) -> dict[str, int]:
        """How many differences there are of each kind, most frequent first."""
        return dict(Counter(d.kind for d in self.differences).most_common())


def compare(first: RecordedSession, second: RecordedSession) -> Comparison:
    """Compare two sessions. Reads the audio of both: some seconds for an hour.

    Raises:
        InputError: one of them holds no micro-turn, or they have none at the same time.
    """
    for session in (first, second):
        if not session.turns:
            raise InputError(f"{session.path} holds no micro-turn: there is nothing to compare")
    one, other = turn_columns(first.turns), turn_columns(second.turns)
    shift, match = find_shift(one, other)
    _, at_one, at_other = np.intersect1d(one.i, other.i + shift, return_indices=True)
    if not len(at_one):
        raise InputError("these sessions have no micro-turn at the same time: there is nothing to compare")
    decided = one.decision[at_one], other.decision[at_other]
    apart = np.abs(one.probs[at_one] - other.probs[at_other]).sum(axis=1) / 2
    pairs = Counter(zip(decided[0].tolist(), decided[1].tolist(), strict=True))
    return Comparison(
        shift=shift,
        match=match,
        turns=len(at_one),
        agreement=float(np.mean(decided[0] == decided[1])),
        distance=float(apart.mean()),
        pairs={(_NAMES[a], _NAMES[b]): n for (a, b), n in sorted(pairs.items())},
        differences=_differences(one.i[at_one], *decided, apart),
        rows=_rows(measure(first), measure(second), first, second),
    )


def find_shift(first: TurnColumns, second: TurnColumns) -> tuple[int, float]:
    """By how many micro-turns to move the second session, and the correlation of the user's levels there.

    No shift is taken unless another one is clearly better.
    """
    one, other = _levels(first), _levels(second)
    most = min(round(MAX_SHIFT_S / CHUNK_S), max(len(one), len(other)) - _SHORTEST_TURNS)
    best, best_match = 0, _correlation(one, other, 0)
    unshifted = best_match
    for shift in range(-most, most + 1):
        match = _correlation(one, other, shift)
        if match > max(best_match, unshifted + _WORTH_SHIFTING):
            best, best_match = shift, match
    return best, best_match


def _levels(columns: TurnColumns) -> NDArray[np.float64]:
    """The user's level in dB by index of the micro-turn, from index 0; what is missing is silence."""
    levels = np.full(int(columns.i.max()) + 1, -70.0)
    levels[columns.i] = np.clip(columns.user_level_db, -70.0, 0.0)
    return levels


def _correlation(one: NDArray[np.float64], other: NDArray[np.float64], shift: int) -> float:
    start, stop = max(0, shift), min(len(one), len(other) + shift)
    if stop - start < _SHORTEST_TURNS:
        return 1.0 if shift == 0 and stop > start else -1.0
    a, b = one[start:stop], other[start - shift : stop - shift]
    a, b = a - a.mean(), b - b.mean()
    norm = float(np.sqrt((a @ a) * (b @ b)))
    if norm < 1e-9:
        return 1.0 if np.allclose(a, b, atol=1.0) else 0.0
    # Few common micro-turns correlate by chance.
    return float(a @ b) / norm * min(1.0, 2 * (stop - start) / min(len(one), len(other)))


def _differences(
    index: NDArray[np.int64],
    one: NDArray[np.uint8],
    other: NDArray[np.uint8],
    apart: NDArray[np.float32],
) -> tuple[Difference, ...]:
    """Runs of neighbouring micro-turns with the same pair of unequal decisions."""
    found: list[Difference] = []
    differs = np.flatnonzero(one != other)
    start = 0
    for n in range(1, len(differs) + 1):
        last, here = differs[n - 1], differs[n] if n < len(differs) else -1
        goes_on = (
            here == last + 1
            and index[here] == index[last] + 1
            and one[here] == one[last]
            and other[here] == other[last]
        )
        if goes_on:
            continue
        begin = differs[start]
        names = _NAMES[min(one[begin], UNKNOWN)], _NAMES[min(other[begin], UNKNOWN)]
        found.append(
            Difference(
                t0=float(index[begin] * CHUNK_S),
                t1=float((index[last] + 1) * CHUNK_S),
                first=names[0],
                second=names[1],
                kind=kind_of(*names),
                distance=float(apart[begin : last + 1].mean()),
            )
        )
        start = n
    return tuple(found)


def kind_of(first: str, second: str) -> str:
    """What a pair of unequal decisions means, in a few words."""
    pair = {first, second}
    if "interrupt" in pair:
        return "interrupts in the first only" if first == "interrupt" else "interrupts in the second only"
    if "backchannel" in pair:
        return "backchannel in the first only" if first == "backchannel" else "backchannel in the second only"
    if "yield" in pair:
        return "yields in the first only" if first == "yield" else "yields in the second only"
    if pair == {"speak", "listen"}:
        return "talks in the first only" if first == "speak" else "talks in the second only"
    return "other"


def _rows(one: Measures, other: Measures, first: RecordedSession, second: RecordedSession) -> tuple[Row, ...]:
    rows = [
        Row("engine", first.header.engine, second.header.engine),
        Row("model", first.header.model, second.header.model),
        Row("seed", str(first.header.seed), str(second.header.seed)),
        _row("take-overs", len(one.take_overs), len(other.take_overs), "{:.0f}"),
        _row("turn-taking offset, median", _offset(one), _offset(other), "{:+.2f} s", lower=True),
        _row("barge-ins by the user", len(one.barge_ins), len(other.barge_ins), "{:.0f}"),
        _row("given way to", _yielded(one), _yielded(other), "{:.0f}"),
        _row("silent after a barge-in, median", _stop(one), _stop(other), "{:.2f} s", lower=True),
        _row("backchannels", len(one.backchannels), len(other.backchannels), "{:.0f}"),
        _row("both at once", one.both_s, other.both_s, "{:.1f} s"),
        _row("assistant heard", _heard(one), _heard(other), "{:.1f} s"),
        _row("work handed over", one.columns.delegate.sum(), other.columns.delegate.sum(), "{:.0f}"),
        _row("compute, median", _compute(one, 50), _compute(other, 50), "{:.1f} ms", lower=True),
        _row("compute, p99", _compute(one, 99), _compute(other, 99), "{:.1f} ms", lower=True),
        _row("missed deadlines", one.columns.deadline_missed.sum(), other.columns.deadline_missed.sum(),
             "{:.0f}", lower=True),
    ]  # fmt: skip
    return tuple(rows)


def _row(name: str, one: float | None, other: float | None, form: str, lower: bool = False) -> Row:
    """``lower``: the lower figure is the better one."""
    texts = ["none" if value is None else form.format(value) for value in (one, other)]
    better = None
    if lower and one is not None and other is not None and texts[0] != texts[1]:
        better = 0 if one < other else 1
    return Row(name, texts[0], texts[1], better)


def _median(values: list[float]) -> float | None:
    return float(np.median(values)) if values else None


def _offset(measured: Measures) -> float | None:
    return _median([t.offset for t in measured.take_overs if t.offset is not None])


def _stop(measured: Measures) -> float | None:
    return _median([b.stop_s for b in measured.barge_ins if b.stop_s is not None])


def _yielded(measured: Measures) -> int:
    return sum(b.stop_s is not None for b in measured.barge_ins)


def _heard(measured: Measures) -> float:
    return sum(t1 - t0 for t0, t1 in measured.heard)


def _compute(measured: Measures, percentile: float) -> float | None:
    ran = measured.columns.compute_ms[~measured.columns.skipped]
    return float(np.percentile(ran, percentile)) if len(ran) else None


def moved(session: RecordedSession, shift: int) -> RecordedSession:
    """The session as it would be ``shift`` micro-turns later. What would lie before second 0 is left out."""
    if not shift:
        return session
    by = shift * CHUNK_S
    turns = tuple(replace(t, i=t.i + shift, t=(t.i + shift) * CHUNK_S) for t in session.turns)
    return replace(
        session,
        turns=tuple(turn for turn in turns if turn.i >= 0),
        events=tuple(event for event in (_later(e, by) for e in session.events) if _start(event) >= 0),
    )


def _start(event: Event) -> float:
    if isinstance(event, SessionHeader):
        return 0.0
    return event.t0 if isinstance(event, Transcript) else event.t


def _later(event: Event, by: float) -> Event:
    if isinstance(event, Transcript):
        words = tuple((text, t0 + by, t1 + by) for text, t0, t1 in event.words)
        return replace(event, t0=event.t0 + by, t1=event.t1 + by, words=words)
    if isinstance(event, (SessionHeader, TurnRecord)):
        return event
    return replace(event, t=event.t + by)


def report(found: Comparison, first: str, second: str, most: int = 40) -> str:
    """The comparison for a terminal; ``first`` and ``second`` name the sessions."""
    lines = [f"First   {first}", f"Second  {second}"]
    if not found.same_recording:
        lines.append(f"These do not seem to be of the same recording (levels match by {found.match:.2f}).")
    elif found.shift:
        lines.append(f"The second was moved by {found.shift * CHUNK_S:+.1f} s to lie on the first.")
    alike = (
        f"{found.turns} micro-turns, {100 * found.agreement:.1f} % decided alike; "
        f"probabilities differ by {found.distance:.3f} on average (total variation)"
    )
    lines += [
        "",
        alike,
        "",
        f"{'':<34}{'first':>20}  {'second':>20}",
        *(f"{row.name:<34}{row.first[:20]:>20}  {row.second[:20]:>20}" for row in found.rows),
        "",
        f"{len(found.differences)} differences"
        + "".join(f"\n  {count:4d}  {kind}" for kind, count in found.counts.items()),
    ]
    shown = found.differences[:most]
    lines += [""] * bool(shown)
    lines += [f"{d.t0:8.1f} – {d.t1:.1f} s   {d.first:<12}{d.second:<12}{d.kind}" for d in shown]
    if len(found.differences) > most:
        lines.append(f"and {len(found.differences) - most} more")
    return "\n".join(lines)
