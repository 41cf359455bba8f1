"""Draws how interactivity grows with parameters and with hours of conversation, as SVG.

``python -m engine.training.figure SWEEP.json --out FILE.svg [--bench BENCH.json] [--log LOG.jsonl]``.
Two rows (usefulness; pauses wrongly taken), two columns (parameters; hours),
both axes of the columns logarithmic. Turn-based engines of a benchmark's JSON
are horizontal lines; the benchmark's cases are others than the sweep's, which
the figure says. The log of a whole training run adds the best epoch of each of its stages, against hours.
"""

import argparse
import json
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from engine.errors import InputError
from engine.inspect.drawing import Line, Rect, Scene, Text, text_width
from engine.inspect.svg import to_svg
from engine.training.evaluate import Report, usefulness
from engine.training.run import read_log
from engine.training.sweep import REFERENCE

Rows = list[dict[str, Any]]
INK, DIM, GRID, PAPER, DOT, RUN = "#1f2933", "#66717d", "#e3e8ed", "#ffffff", "#1769aa", "#1b7f4b"
BASELINES = ("#b3541e", "#8a6d1a", "#7a4a8a", "#4d7a3a", "#8a3a52")
WIDTH, HEIGHT = 960.0, 760.0
PLOT_WIDTH, PLOT_HEIGHT = 360.0, 230.0
LEFTS, TOPS = (90.0, 560.0), (110.0, 430.0)
CROWDED = 36.0  # labels of points nearer than this would overlap
RIVALS = "pipeline"  # how the names of the benchmark's turn-based engines begin


@dataclass(frozen=True)
class Baseline:
    """An engine of the benchmark, judged on human voices."""

    name: str
    usefulness: float
    pauses_taken: float


@dataclass(frozen=True)
class Axis:
    """Values from ``low`` to ``high`` on ``length`` logical pixels."""

    low: float
    high: float
    length: float
    logarithmic: bool = False

    def at(self, value: float) -> float:
        if self.logarithmic:
            return self.length * math.log(value / self.low) / math.log(self.high / self.low)
        return self.length * (value - self.low) / (self.high - self.low)

    def ticks(self) -> list[float]:
        """Round values within the axis: 1, 2, 5 times powers of ten, or even steps."""
        if self.logarithmic:
            powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            rounded = [m * 10.0**p for p in powers for m in (1, 2, 5)]
        else:
            step = _step(self.high - self.low)
            rounded = [k * step for k in range(math.ceil(self.low / step), math.floor(self.high / step) + 1)]
        return [v for v in rounded if self.low * 0.999 <= v <= self.high * 1.001 or v == 0.0 >= self.low]


def _step(span: float) -> float:
    """A round step that divides ``span`` into about four."""
    rough = span / 4
    power = 10.0 ** math.floor(math.log10(rough))
    return power * next(m for m in (1, 2, 5, 10) if m * power >= rough)


def curve(rows: Rows, key: str) -> Rows:
    """The variants of one curve in order: ``parameters`` at all hours, ``hours`` at the reference's size."""
    prefix = "dim-" if key == "parameters" else "hours-"
    kept = [r for r in rows if r["name"].startswith(prefix) or r["name"] == REFERENCE]
    return sorted(kept, key=lambda r: float(r[key]))


def stages(log: Rows) -> Rows:
    """The best epoch of each stage in a training log, in order."""
    names = list(dict.fromkeys(row["stage"] for row in log))
    return [max((r for r in log if r["stage"] == name), key=lambda r: float(r["score"])) for name in names]


def baselines(bench: dict[str, Any]) -> list[Baseline]:
    """The turn-based engines in a benchmark's JSON, scored like the sweep's variants."""
    rows = {r["name"]: r["engines"] for r in bench["figures"] if r["voices"] == "human"}
    rows |= {r["name"]: r["engines"] for r in bench["figures"] if r["name"].startswith("noise.")}
    wanted = {
        "pauses_taken": "pauses.pause_taken",
        "cut_in": "pauses.cut_in",
        "ends_taken": "pauses.taken",
        "offset_median_s": "pauses.offset.median",
        "offset_p90_s": "pauses.offset.p90",
        "takes_per_noise_minute": "noise.takes",
    }
    found = []
    for engine in (e["name"] for e in bench["engines"] if e["name"].startswith(RIVALS)):
        figures = {k: rows.get(name, {}).get(engine) for k, name in wanted.items()}
        if figures["pauses_taken"] is None or figures["ends_taken"] is None:
            continue
        values = {k: f["value"] if f else math.nan for k, f in figures.items()}
        if math.isnan(values["takes_per_noise_minute"]):
            values["takes_per_noise_minute"] = 0.0
        report = Report(pauses=0, ends=0, noise_minutes=0.0, **values)
        found.append(Baseline(engine, usefulness(report), report.pauses_taken))
    return found


@dataclass(frozen=True)
class Panel:
    """What one of the four plots shows."""

    x_key: str
    x_title: str
    x_label: Callable[[float], str]
    y_title: str
    y_of: Callable[[dict[str, Any]], float]
    lines: tuple[tuple[str, float], ...]

    def points(self, rows: Rows) -> list[tuple[float, float]]:
        return [(float(r[self.x_key]), self.y_of(r)) for r in rows]


def draw_panel(scene: Scene, panel: Panel, rows: Rows, run: Rows, left: float, top: float) -> None:
    """Axes with units, baselines, and curves with the value at each point: the sweep's, and that of a run."""
    curves = [(DOT, panel.points(curve(rows, panel.x_key))), (RUN, panel.points(run))]
    points = [point for _, found in curves for point in found]
    heights = [y for _, y in points] + [y for _, y in panel.lines]
    span = max(max(heights) - min(heights), 0.05)
    low, high = min(heights) - 0.15 * span, max(heights) + 0.2 * span
    if min(heights) >= 0.0:
        low = max(low, 0.0)
    y_axis = Axis(low, high, PLOT_HEIGHT)
    widths = [x for x, _ in points]
    x_axis = Axis(min(widths) / 1.4, max(widths) * 1.4, PLOT_WIDTH, logarithmic=True)
    bottom = top + PLOT_HEIGHT
    scene.add(Text(left - 60, top - 18, panel.y_title, 14, INK, weight=600))
    for tick in y_axis.ticks():
        y = bottom - y_axis.at(tick)
        scene.add(Line(left, y, left + PLOT_WIDTH, y, GRID))
        scene.add(Text(left - 8, y + 4, f"{tick:g}" if abs(tick) > 1e-9 else "0", 12, DIM, "end"))
    for tick in x_axis.ticks():
        x = left + x_axis.at(tick)
        scene.add(Line(x, bottom, x, bottom + 5, DIM))
        scene.add(Text(x, bottom + 20, panel.x_label(tick), 12, DIM, "middle"))
    scene.add(Line(left, bottom, left + PLOT_WIDTH, bottom, DIM))
    scene.add(Text(left + PLOT_WIDTH / 2, bottom + 42, panel.x_title, 13, INK, "middle"))
    for k, (_, value) in enumerate(panel.lines):
        y = bottom - y_axis.at(value)
        scene.add(Line(left, y, left + PLOT_WIDTH, y, BASELINES[k % len(BASELINES)], 1.5))
    for colour, found in curves:
        places = [(left + x_axis.at(x), bottom - y_axis.at(y)) for x, y in found]
        for (x0, y0), (x1, y1) in pairwise(places):
            scene.add(Line(x0, y0, x1, y1, colour, 2))
        last = -math.inf
        for (x, y), (_, value) in zip(places, found, strict=True):
            below = x - last < CROWDED
            last = -math.inf if below else x
            scene.add(Rect(x - 4.5, y - 4.5, 9, 9, colour, 4.5))
            scene.add(Text(x, y + 21 if below else y - 11, _figure(value), 12, INK, "middle"))


def _figure(value: float) -> str:
    return f"{value:.{0 if abs(value) >= 10 else 1 if abs(value) >= 1 else 2}f}"


def draw(sweep: dict[str, Any], others: list[Baseline], run: Rows | None = None) -> Scene:
    """The whole figure; ``run``: stages of a whole run, drawn against hours.

    Raises:
        InputError: the sweep holds no curve.
    """
    rows: Rows = sweep["variants"]
    if min(len(curve(rows, "parameters")), len(curve(rows, "hours"))) < 2:
        raise InputError("the sweep has fewer than two points on a curve: train more of its variants")
    scene = Scene(WIDTH, HEIGHT, PAPER, "Interactivity against parameters and hours of conversation")
    scene.add(Text(30, 36, "Interactivity against size and hours of conversation", 19, INK, weight=600))
    scene.add(Text(30, 58, "Real voices never trained on, one training a point.", 13, DIM))
    if run:
        said = "Green: stages of one whole run, imitation first, then on-policy rounds."
        scene.add(Text(WIDTH - 40, 58, said, 13, RUN, "end"))
    score = tuple((b.name, b.usefulness) for b in others)
    pauses = tuple((b.name, 100 * b.pauses_taken) for b in others)
    million: Callable[[float], str] = lambda v: f"{v / 1e6:g} M"  # noqa: E731
    hours: Callable[[float], str] = lambda v: f"{v:g} h"  # noqa: E731
    for key, title, label, left in (
        ("parameters", "parameters", million, LEFTS[0]),
        ("hours", "hours of simulated conversation", hours, LEFTS[1]),
    ):
        for y_title, value, lines, top in (
            ("usefulness (higher is better)", _usefulness, score, TOPS[0]),
            ("pauses wrongly taken, % (lower is better)", _pauses, pauses, TOPS[1]),
        ):
            panel = Panel(key, title, label, y_title, value, lines)
            draw_panel(scene, panel, rows, (run or []) if key == "hours" else [], left, top)
    x, y = 30.0, HEIGHT - 22
    if others:
        said = "Lines, from the benchmark's own cases: "
        scene.add(Text(x, y, said, 12, DIM))
        x += text_width(said, 12) + 8
    for k, other in enumerate(others):
        colour = BASELINES[k % len(BASELINES)]
        scene.add(Line(x, y - 4, x + 22, y - 4, colour, 2), Text(x + 28, y, other.name, 12, INK))
        x += 28 + text_width(other.name, 12) + 18
    return scene


def _usefulness(row: dict[str, Any]) -> float:
    return float(row["usefulness"])


def _pauses(row: dict[str, Any]) -> float:
    return 100 * float(row["pauses_taken"])


def read(path: Path) -> dict[str, Any]:
    """A JSON object.

    Raises:
        InputError: it is missing or is none.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as err:
        raise InputError(f"{path} cannot be read as JSON: make it with the sweep or the benchmark") from err
    if not isinstance(content, dict):
        raise InputError(f"{path} holds no table: make it with the sweep or the benchmark")
    return content


def main(argv: list[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m engine.training.figure", description=__doc__)
    parser.add_argument("sweep", type=Path, help="sweep.json")
    parser.add_argument("--out", type=Path, required=True, help="SVG file to write")
    parser.add_argument("--bench", type=Path, help="JSON of `microturn bench`, for the other engines")
    parser.add_argument("--log", type=Path, help="log.jsonl of a whole training run")
    arguments = parser.parse_args(argv)
    try:
        others = baselines(read(arguments.bench)) if arguments.bench else []
        run = stages(read_log(arguments.log)) if arguments.log else []
        if arguments.log and not run:
            raise InputError(f"{arguments.log} holds no epoch: pass the log.jsonl in a run's folder")
        picture = to_svg(draw(read(arguments.sweep), others, run))
        arguments.out.write_text(picture, encoding="utf-8")
    except KeyError as err:
        print(f"figure: the JSON has no {err}: it is of another version", file=sys.stderr)
        return 2
    except OSError as err:
        print(f"figure: cannot write {arguments.out}: {err.strerror}", file=sys.stderr)
        return 2
    except InputError as err:
        print(f"figure: {err}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
