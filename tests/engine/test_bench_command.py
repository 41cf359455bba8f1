"""``microturn bench`` as a command: its table, its JSON, and what it refuses before any work."""

import json
import sys
from types import ModuleType

import pytest

from engine import cli
from engine.bench import suite
from engine.bench.cases import TASKS
from engine.engines.registry import ENGINES
from engine.errors import MicroturnError
from tests.engine.bench_fakes import case, cue, overlap_cases
from tests.fakes import ToneVoice


def run(capsys, *argv: object) -> tuple[int, str, str]:
    status = cli.main(["bench", *(str(a) for a in argv)])
    out, err = capsys.readouterr()
    return status, out, err


def few_cases(task, split, count, voices, data, seed):
    """One small case of each task."""
    ready = {made.task: made for made in overlap_cases()}
    return [ready.get(task) or case(task, cue(), length_s=8.0)][:count]


@pytest.fixture
def bench(monkeypatch):
    """The real suite with small cases and the tone for a voice; the micro engine lacks its weights."""
    scenes = ModuleType("engine.bench.scenes")
    scenes.make_cases = few_cases  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "engine.bench.scenes", scenes)
    monkeypatch.setattr(suite, "Voice", ToneVoice)

    def missing(config):
        raise MicroturnError(f"no weights for {config.engine}: fetch them")

    monkeypatch.setattr(suite, "make_engine", missing)


@pytest.fixture
def nothing_runs(monkeypatch):
    def refuse(*args):
        raise AssertionError("work began")

    monkeypatch.setattr(suite, "run_bench", refuse)


def test_the_table_has_engines_side_by_side(capsys, bench):
    # A busy computer must not delay what is said: it would be heard as a stop.
    status, out, _ = run(capsys, "--engine", "never-speaks", "never-stops", "--cases", 1, "--cpu-time")
    assert status == 0
    lines = out.splitlines()
    header = next(line for line in lines if line.startswith("synthetic voices"))
    assert header.split()[-2:] == ["never-speaks", "never-stops"]
    overall = next(line for line in lines if "mean of RESPOND" in line)
    assert overall.split("higher")[1].split() == "0.0 [0.0, 0.0] 4 75.0 [75.0, 75.0] 4".split()
    assert "stop latency" not in out  # nobody stopped: a row without a figure is left out
    assert "human voices left out" in out


def test_stderr_is_quiet_where_it_is_no_terminal(capsys, bench):
    status, out, err = run(capsys, "--engine", "never-speaks", "--only", "turn_taking", "--cases", 1)
    assert (status, err) == (0, "")
    assert "takes the end of the turn" in out


def test_only_some_tasks_and_human_voices_apart(capsys, bench, tmp_path):
    status, out, _ = run(
        capsys, "--engine", "never-stops", "--only", "noise", "aside", "--data", tmp_path, "--cases", 2
    )
    assert status == 0
    assert [line.split("  ")[0] for line in out.splitlines() if " voices  " in line] == [
        "synthetic voices",
        "human voices",
    ]
    assert "the user interrupts" not in out
    assert out.count("the user talks to somebody else") == 2
    assert "aside, human voices: 1 cases instead of 2" in out


def test_what_cannot_be_loaded_is_left_out_with_a_reason(capsys, bench):
    status, out, _ = run(capsys, "--only", "noise", "--cases", 1)
    assert status == 0
    assert all(f"engine {name} left out: no weights for {name}: fetch them" in out for name in ENGINES)


def test_what_was_asked_for_by_name_must_load(capsys, bench):
    status, out, err = run(capsys, "--engine", ENGINES[0], "--only", "noise")
    assert (status, out) == (1, "")
    assert err == f"microturn: no weights for {ENGINES[0]}: fetch them\n"


def test_json_holds_figures_and_cases(capsys, bench, tmp_path):
    file = tmp_path / "figures.json"
    status, _, _ = run(
        capsys, "--engine", "never-stops", "--cases", 1, "--seed", 3, "--cpu-time", "--json", file
    )
    data = json.loads(file.read_text("utf-8"))
    assert status == 0
    assert list(tmp_path.iterdir()) == [file]
    assert data["engines"] == [{"name": "never-stops", "model": "rule"}]
    assert data["options"]["seed"] == 3
    figures = {figure["name"]: figure["engines"]["never-stops"] for figure in data["figures"]}
    assert figures["overlaps.success"]["value"] == 75.0
    assert figures["interruption.stopped"] == {"value": 0, "low": 0, "high": 0, "cases": 1, "observations": 1}
    cases = {one["task"]: one for one in data["cases"]}
    assert set(cases) == set(TASKS)
    assert cases["aside"]["figures"]["success"] == [[1, 1]]
    assert cases["aside"]["name"] == "aside 1"
    assert cases["aside"]["figures"]["compute_ms"]["median"] > 0


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--only", "juggling"], "unknown task 'juggling': choose from turn_taking,"),
        (["--engine", "psychic"], "unknown engine 'psychic': choose from micro,"),
        (["--split", "train"], "unknown split 'train'"),
        (["--cases", "0"], "'0' is no whole number"),
        (["--seed", "-1"], "'-1' is no whole number"),
        (["--data", "/no/voices"], "/no/voices"),
        (["--engine", "never-stops", "--model", "m.safetensors"], "--model"),
        (["--json", "/no/folder/f.json"], "/no/folder"),
        (["--json", "{tmp}"], "is a folder"),
    ],
)
def test_wrong_arguments_are_refused_before_any_work(capsys, nothing_runs, tmp_path, argv, words):
    status, out, err = run(capsys, *(a.replace("{tmp}", str(tmp_path)) for a in argv))
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert words in err


def test_a_place_that_cannot_be_written_is_refused_before_any_work(
    capsys, nothing_runs, monkeypatch, tmp_path
):
    # As root everything can be written; what the system says about others is faked.
    monkeypatch.setattr("os.access", lambda path, mode: False)
    status, _, err = run(capsys, "--json", tmp_path / "f.json")
    assert status == 2
    assert "cannot be written" in err
    assert not list(tmp_path.iterdir())


def test_help_names_the_options(capsys):
    status, out, _ = run(capsys, "--help")
    assert status == 0
    for option in (
        "--engine",
        "--only",
        "--json",
        "--cases",
        "--data",
        "--split",
        "--seed",
        "--model",
        "--cpu-time",
    ):
        assert option in out
