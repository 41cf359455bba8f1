"""The benchmark's results as one table and as JSON."""

import dataclasses
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from engine import __version__
from engine.bench.figures import COMPUTE, LEVEL, MEASURES, OVERALL, RESAMPLES, Figure, Measure, figure
from engine.bench.suite import Results
from engine.errors import InputError, MicroturnError

FORMAT = 1
Rows = list[tuple[Measure, dict[str, Figure | None]]]
"""Measures with their figures by engine."""

Summary = dict[str, Rows]
"""Rows by the kind of voices."""
_TITLES = {
    "turn_taking": "smooth turn-taking",
    "pauses": "pauses inside a turn",
    "correction": "hesitation and self-correction",
    "interruption": "the user interrupts",
    "backchannel": "the user nods",
    "aside": "the user talks to somebody else",
    "background_speech": "others talk in the background",
    OVERALL: "all four overlaps",
    "monologue": "the user tells something",
    "noise": "noise, music and silence",
    "echo": "its own voice at the microphone",
    COMPUTE: "all tasks",
}


def check_writable(path: Path) -> None:
    """Raises InputError when a file cannot be written there; nothing is created."""
    if path.is_dir():
        raise InputError(f"{path} is a folder: give a file name")
    if not path.parent.is_dir():
        raise InputError(f"there is no folder {path.parent}: make it, or choose another place")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise InputError(f"{path} cannot be written: choose another place")


def summarise(results: Results) -> Summary:
    """All rows with something in them."""
    return {voices: _rows(results, voices) for voices in results.voices}


def table(results: Results, summary: Summary) -> str:
    """The rows, engines side by side, one block for each kind of voices.

    A cell: the value, its 95 % interval, and the number of cases.
    """
    options = results.options
    names = list(results.models)
    about = f"{options.split} split, {options.cases} cases a task, seed {options.seed}"
    if options.cpu_time:
        about += ", computing in processor time"
    lines = [
        f"Microturn {__version__} benchmark: {about}. A cell: value [95 % interval] cases.",
        "; ".join(f"{name}: {model}" for name, model in results.models.items()),
        *results.notes,
    ]
    for voices, rows in summary.items():
        body = [_cells(measure, figures) for measure, figures in rows]
        header = [f"{voices} voices", "better", *names]
        widths = [max(len(line[k]) for line in (header, *body)) for k in range(len(header))]
        lines += ["", _line(header, widths), _line(["-" * w for w in widths], widths)]
        group = ""
        for (measure, _), cells in zip(rows, body, strict=True):
            if measure.group != group:
                group = measure.group
                lines.append(_TITLES[group])
            lines.append(_line(cells, widths))
    return "\n".join(lines)


def _rows(results: Results, voices: str) -> Rows:
    found = {name: results.by_task(name, voices) for name in results.models}
    rows = [(m, {name: figure(m, cases) for name, cases in found.items()}) for m in MEASURES]
    return [(m, figures) for m, figures in rows if any(f is not None for f in figures.values())]


def _cells(measure: Measure, figures: dict[str, Figure | None]) -> list[str]:
    digits = 1 if measure.unit in ("ms", "points", "1/min") else 2
    unit = "" if measure.unit == "share" else f" ({measure.unit})"
    cells = [f"  {measure.label}{unit}", measure.better]
    for f in figures.values():
        if f is None:
            cells.append("-")
        else:
            cells.append(f"{f.value:.{digits}f} [{f.low:.{digits}f}, {f.high:.{digits}f}] {f.cases}")
    return cells


def _line(cells: list[str], widths: list[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def to_json(results: Results, summary: Summary) -> dict[str, Any]:
    """Everything: each figure, and each case with its observations as [value, weight]."""
    options = dataclasses.asdict(results.options)
    return {
        "format": FORMAT,
        "microturn": __version__,
        "options": {k: str(v) if isinstance(v, Path) else v for k, v in options.items()},
        "interval": {"percent": LEVEL, "resamples": RESAMPLES, "method": "percentile bootstrap over cases"},
        "engines": [{"name": name, "model": model} for name, model in results.models.items()],
        "notes": results.notes,
        "figures": [
            {
                "voices": voices,
                "name": measure.name,
                "task": measure.group,
                "label": measure.label.strip(),
                "better": measure.better,
                "unit": measure.unit,
                "engines": {n: dataclasses.asdict(f) if f else None for n, f in figures.items()},
            }
            for voices, rows in summary.items()
            for measure, figures in rows
        ],
        "cases": [
            {**dataclasses.asdict(case), "figures": _case_figures(case.figures)} for case in results.cases
        ],
    }


def _case_figures(figures: dict[str, list[tuple[float, float]]]) -> dict[str, Any]:
    """A case's observations; of the computing times, which are many, the median and the 99th percentile."""
    plain: dict[str, Any] = {k: [list(pair) for pair in v] for k, v in figures.items() if k != "compute"}
    if times := [value for value, _ in figures.get("compute", ())]:
        plain["compute_ms"] = {"median": float(np.median(times)), "p99": float(np.percentile(times, 99))}
    return plain


def write_json(results: Results, summary: Summary, path: Path) -> None:
    """Write the JSON form, whole or not at all.

    Raises:
        MicroturnError: the disk refuses.
    """
    text = json.dumps(to_json(results, summary), indent=1, ensure_ascii=False, allow_nan=False)
    try:
        # In the same folder, so that replacing the old file is one step.
        with tempfile.TemporaryDirectory(prefix=".bench-", dir=path.parent) as folder:
            made = Path(folder) / path.name
            made.write_text(text + "\n", encoding="utf-8")
            made.replace(path)
    except OSError as err:
        raise MicroturnError(
            f"cannot write {path} ({err.strerror or type(err).__name__}): choose another place"
        ) from err
