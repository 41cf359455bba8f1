"""``microturn inspect`` beside its summary and its exports: one micro-turn, a comparison, a new mark."""

from pathlib import Path

import pytest

from engine.cli import main
from engine.events import Mark
from engine.recorder.reader import read_session
from tests.engine.recorder_samples import write_sample


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_sample(tmp_path / "session")


def test_one_micro_turn_in_full(folder: Path, capsys):
    assert main(["inspect", str(folder), "--at", "2.75"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Micro-turn 13, 0:02.60 to 0:02.80"
    assert "  decision       speak" in lines
    assert any(line.startswith("  probabilities  speak 0.800, ") and "margin 0.750" in line for line in lines)
    assert "  words          It is" in lines
    assert "  timing         began 0.0 ms late, computed 23.0 ms" in lines


@pytest.mark.parametrize("at", ["8.1", "-1", "nan", "inf"])
def test_no_such_moment(folder: Path, capsys, at: str):
    assert main(["inspect", str(folder), f"--at={at}"]) == 2
    assert "no micro-turn at" in capsys.readouterr().err


def test_comparison(folder: Path, tmp_path: Path, capsys):
    other = write_sample(tmp_path / "other")
    file = other / "timeline.jsonl"
    file.write_text(file.read_text().replace('"decision": "backchannel"', '"decision": "listen"', 1))
    assert main(["inspect", str(folder), "--compare", str(other)]) == 0
    out = capsys.readouterr().out
    assert "40 micro-turns, 97.5 % decided alike" in out
    assert "1.2 – 1.4 s   backchannel listen      backchannel in the first only" in out


def test_compare_with_what_is_no_session(folder: Path, tmp_path: Path, capsys):
    assert main(["inspect", str(folder), "--compare", str(tmp_path)]) == 2
    assert "is no session" in capsys.readouterr().err


def test_mark_is_saved(folder: Path, capsys):
    command = ["inspect", str(folder), "--mark", "3.05", "cut me off", "--verdict", "wrong_interruption"]
    assert main(command) == 0
    marks = [event for event in read_session(folder).events if isinstance(event, Mark)]
    assert Mark(3.05, "cut me off", "wrong_interruption") in marks
    capsys.readouterr()
    assert main(["inspect", str(folder), "--marks"]) == 0
    assert "wrong interruption: cut me off" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--mark", "9", "x"], "no second of this session"),
        (["--mark", "soon", "x"], "no second of this session"),
        (["--mark", "1", "x", "--verdict", "bad"], "use one of wrong_interruption"),
        (["--verdict", "good"], "belongs to a new mark"),
    ],
)
def test_marks_that_make_no_sense(folder: Path, capsys, arguments: list[str], said: str):
    before = (folder / "timeline.jsonl").read_bytes()
    assert main(["inspect", str(folder), *arguments]) == 2
    assert said in capsys.readouterr().err
    assert (folder / "timeline.jsonl").read_bytes() == before
