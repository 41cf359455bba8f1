"""The benchmark's rows: which observations make them, and how sure they are.

Intervals are percentile bootstraps (Efron 1979): cases are drawn anew with
replacement, because observations of one case are not independent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.bench.cases import OVERLAPS, TASKS
from engine.bench.measure import Figures

RESAMPLES = 1_000
SEED = 1979
LEVEL = 95.0
OVERALL = "overlaps"
COMPUTE = "compute"

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Measure:
    """A row. ``group``: the task whose cases count, or ``OVERALL``, or ``COMPUTE`` for all tasks.

    ``key``: the observations' name; ``better``: ``higher``, ``lower`` or empty; ``stat``: ``mean``
    (weighted), ``median`` or a percentile such as ``p90``.
    """

    group: str
    key: str
    label: str
    better: str
    unit: str
    stat: str = "mean"

    @property
    def name(self) -> str:
        """Names the row in JSON."""
        return f"{self.group}.{self.key}" + ("" if self.stat == "mean" else f".{self.stat}")


@dataclass(frozen=True)
class Figure:
    """A row's value for one engine: ``cases`` had something to observe; ``low`` to ``high`` is 95 %."""

    value: float
    low: float
    high: float
    cases: int
    observations: int


def _end_rows(task: str) -> tuple[Measure, ...]:
    return (
        Measure(task, "taken", "takes the end of the turn", "higher", "share"),
        Measure(task, "offset", "end to first sound, median", "lower", "s", "median"),
        Measure(task, "offset", "end to first sound, p90", "lower", "s", "p90"),
        Measure(task, "answer_offset", "end to first word of the answer, median", "lower", "s", "median"),
    )


def _pause_rows(task: str) -> tuple[Measure, ...]:
    return (
        Measure(task, "pause_taken", "pauses wrongly taken", "lower", "share"),
        Measure(task, "cut_in", "cuts in while they speak", "lower", "share"),
        Measure(task, "too_soon", "takes the turn before its end", "lower", "share"),
        *_end_rows(task),
    )


def _resume_rows(task: str) -> tuple[Measure, ...]:
    return (
        Measure(task, "success", "RESUME", "higher", "share"),
        Measure(task, "went_on", "RESUME without a stop", "", "share"),
        Measure(task, "stopped_resumed", "RESUME after a stop", "", "share"),
        Measure(task, "pause_made", "pause of those that stopped, median", "lower", "s", "median"),
    )


MEASURES = (
    Measure("turn_taking", "cut_in", "cuts in before the end", "lower", "share"),
    *_end_rows("turn_taking"),
    *_pause_rows("pauses"),
    *_pause_rows("correction"),
    Measure("interruption", "success", "RESPOND", "higher", "share"),
    Measure("interruption", "stopped", "stops", "higher", "share"),
    Measure("interruption", "stop", "stop latency, median", "lower", "s", "median"),
    Measure("interruption", "stop", "stop latency, p90", "lower", "s", "p90"),
    Measure("interruption", "response", "response latency, median", "lower", "s", "median"),
    *_resume_rows("backchannel"),
    *_resume_rows("aside"),
    *_resume_rows("background_speech"),
    Measure(OVERALL, "success", "mean of RESPOND and the three RESUME x 100", "higher", "points"),
    Measure("monologue", "nods", "backchannels a minute of speech", "2 to 8", "1/min"),
    Measure("monologue", "nod_placed", "backchannels at ends of clauses", "higher", "share"),
    Measure("monologue", "cut_in", "takes the floor before the end", "lower", "share"),
    Measure("monologue", "takes", "take-overs a minute of speech", "lower", "1/min"),
    Measure("monologue", "taken", "takes the end of the monologue", "higher", "share"),
    Measure("noise", "false_speech", "seconds of speech a minute", "lower", "s/min"),
    Measure("noise", "takes", "take-overs a minute", "lower", "1/min"),
    Measure("echo", "false_speech", "seconds of speech a minute after the answer", "lower", "s/min"),
    Measure("echo", "false_stop", "answers broken off or interrupted", "lower", "share"),
    Measure(COMPUTE, "compute", "computing a micro-turn, median", "lower", "ms", "median"),
    Measure(COMPUTE, "compute", "computing a micro-turn, p99", "lower", "ms", "p99"),
)


def figure(measure: Measure, by_task: Mapping[str, Sequence[Figures]]) -> Figure | None:
    """A row's value over the cases of each task; None where nothing was observed or a task is missing."""
    if measure.group == OVERALL:
        return _overall(measure, by_task)
    tasks = TASKS if measure.group == COMPUTE else (measure.group,)
    pairs = [np.array(f[measure.key], float) for t in tasks for f in by_task.get(t, ()) if f.get(measure.key)]
    if not pairs:
        return None
    rng = np.random.default_rng(SEED)
    if measure.stat == "mean":
        value, resampled = _mean(pairs, rng)
    else:
        value, resampled = _percentile([p[:, 0] for p in pairs], _percent(measure.stat), rng)
    return _figure(value, resampled, len(pairs), sum(map(len, pairs)))


def _overall(measure: Measure, by_task: Mapping[str, Sequence[Figures]]) -> Figure | None:
    """The mean over the overlap tasks, each drawn anew by itself, in points."""
    rng = np.random.default_rng(SEED)
    values: list[float] = []
    drawn: list[Array] = []
    cases = 0
    for task in OVERLAPS:
        pairs = [np.array(f[measure.key], float) for f in by_task.get(task, ()) if f.get(measure.key)]
        if not pairs:
            return None
        value, resampled = _mean(pairs, rng)
        values.append(value)
        drawn.append(resampled)
        cases += len(pairs)
    return _figure(100 * float(np.mean(values)), 100 * np.mean(drawn, axis=0), cases, cases)


def _figure(value: float, resampled: Array, cases: int, observations: int) -> Figure:
    edge = (100 - LEVEL) / 2
    low, high = np.percentile(resampled, [edge, 100 - edge])
    return Figure(value, float(low), float(high), cases, observations)


def _percent(stat: str) -> float:
    return 50.0 if stat == "median" else float(stat.removeprefix("p"))


def _draw(count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    return rng.integers(count, size=(RESAMPLES, count))


def _mean(pairs: list[Array], rng: np.random.Generator) -> tuple[float, Array]:
    """The weighted mean over all observations, and over those of resampled cases."""
    weighted = np.array([float((p[:, 0] * p[:, 1]).sum()) for p in pairs])
    weights = np.array([float(p[:, 1].sum()) for p in pairs])
    drawn = _draw(len(pairs), rng)
    return float(weighted.sum() / weights.sum()), weighted[drawn].sum(axis=1) / weights[drawn].sum(axis=1)


def _percentile(values: list[Array], percent: float, rng: np.random.Generator) -> tuple[float, Array]:
    """The percentile of all observations, and of those of resampled cases, interpolated alike."""
    together = np.concatenate(values)
    order = np.argsort(together)
    ordered = together[order]
    owner = np.repeat(np.arange(len(values)), [len(v) for v in values])[order]
    resampled = np.empty(RESAMPLES)
    for k, row in enumerate(_draw(len(values), rng)):
        # How often each value is drawn: sorting them anew a thousand times would take minutes.
        upto = np.cumsum(np.bincount(row, minlength=len(values))[owner])
        place = (upto[-1] - 1) * percent / 100
        ranks = [int(place), min(int(place) + 1, int(upto[-1]) - 1)]
        below, above = ordered[np.searchsorted(upto, ranks, side="right")]
        resampled[k] = below + (above - below) * (place - ranks[0])
    return float(np.percentile(together, percent)), resampled
