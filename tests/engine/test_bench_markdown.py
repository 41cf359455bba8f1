"""Benchmark files as Markdown."""

import json
from pathlib import Path

import pytest

from engine.bench import markdown
from engine.errors import InputError


def bench_file(path: Path, engine: str, value: float | None, cases: int = 4) -> Path:
    figure = {"value": value, "low": 0.1, "high": 0.9, "cases": 4, "observations": 4}
    row = {
        "voices": "synthetic",
        "name": "pauses.taken",
        "task": "pauses",
        "label": "taken",
        "better": "lower",
        "unit": "share",
        "engines": {engine: figure},
    }
    options = {"cases": cases, "split": "test", "seed": 0, "tasks": ["pauses"]}
    path.write_text(json.dumps({"options": options, "engines": [{"name": engine}], "figures": [row]}))
    return path


def test_engines_of_several_files_become_columns(tmp_path: Path) -> None:
    files = [bench_file(tmp_path / "a.json", "micro", 0.25), bench_file(tmp_path / "b.json", "pipeline", 0.5)]
    assert markdown.as_markdown(markdown.load(files)).splitlines() == [
        "Synthetic voices:",
        "",
        "| | better | micro | pipeline |",
        "| --- | --- | --- | --- |",
        "| pauses: taken | lower | 0.25 (0.10 to 0.90) | 0.50 |",
    ]


def test_rows_without_a_value_are_left_out(tmp_path: Path) -> None:
    text = markdown.as_markdown(markdown.load([bench_file(tmp_path / "a.json", "micro", None)]))
    assert "pauses" not in text


def test_files_of_other_cases_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [
        bench_file(tmp_path / "a.json", "micro", 0.2),
        bench_file(tmp_path / "b.json", "pipeline", 0.5, 9),
    ]
    with pytest.raises(InputError, match="other cases than"):
        markdown.load(files)
    (tmp_path / "c.json").write_text("[]")
    assert markdown.main([str(tmp_path / "c.json")]) == 2
    assert "is no benchmark" in capsys.readouterr().err
    assert markdown.main([]) == 2
