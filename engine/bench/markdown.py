"""Benchmark JSON as Markdown tables: ``python -m engine.bench.markdown FILE.json [MORE.json ...]``.

Several files, each with other engines on the same cases, become columns of one table.
"""

import json
import sys
from pathlib import Path
from typing import Any

from engine.errors import InputError, MicroturnError

SAME = ("cases", "split", "seed", "tasks")


def load(paths: list[Path]) -> list[dict[str, Any]]:
    """The contents of benchmark files.

    Raises:
        InputError: one is not what ``microturn bench --json`` writes, or they are of different cases.
    """
    tables: list[dict[str, Any]] = []
    for path in paths:
        try:
            table = json.loads(path.read_text(encoding="utf-8"))
            options = {name: table["options"][name] for name in SAME}
        except (OSError, ValueError, KeyError, TypeError) as err:
            raise InputError(f"{path} is no benchmark: give what `microturn bench --json` wrote") from err
        if tables and options != {name: tables[0]["options"][name] for name in SAME}:
            raise InputError(f"{path} has other cases than {paths[0]}: run both with the same options")
        tables.append(table)
    return tables


def cell(figure: dict[str, Any] | None, unit: str, interval: bool) -> str:
    """A figure, for the first engine with its interval."""
    if not figure or figure["value"] is None:
        return "–"
    digits = 1 if unit in ("1/min", "ms", "points") else 2
    value = f"{figure['value']:.{digits}f}"
    return f"{value} ({figure['low']:.{digits}f} to {figure['high']:.{digits}f})" if interval else value


def as_markdown(tables: list[dict[str, Any]]) -> str:
    """A table for each kind of voices; rows without a value for any engine are left out."""
    merged: dict[tuple[str, str], dict[str, Any]] = {}
    names: list[str] = []
    for table in tables:
        names += [e["name"] for e in table["engines"] if e["name"] not in names]
        for row in table["figures"]:
            known = merged.setdefault((row["voices"], row["name"]), {**row, "engines": {}})
            known["engines"] |= row["engines"]
    lines: list[str] = []
    for voices in dict.fromkeys(key[0] for key in merged):
        lines += ["", f"{voices.capitalize()} voices:", ""]
        lines += [f"| | better | {' | '.join(names)} |", f"| --- | --- |{' --- |' * len(names)}"]
        for (kind, _), row in merged.items():
            found = [row["engines"].get(name) for name in names]
            if kind != voices or not any(f and f["value"] is not None for f in found):
                continue
            label = f"{row['task']}: {row['label']}"
            if row["unit"] not in ("share", ""):
                label += f" ({row['unit']})"
            cells = [cell(f, row["unit"], k == 0) for k, f in enumerate(found)]
            lines.append(f"| {label} | {row['better']} | {' | '.join(cells)} |")
    return "\n".join(lines[1:]) + "\n"


def main(arguments: list[str]) -> int:
    """Command line; returns the exit status."""
    if not arguments:
        sys.stderr.write("usage: python -m engine.bench.markdown FILE.json [MORE.json ...]\n")
        return 2
    try:
        sys.stdout.write(as_markdown(load([Path(a) for a in arguments])))
    except MicroturnError as err:
        sys.stderr.write(f"markdown: {err}\n")
        return err.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
