"""The sweep over sizes, hours and parts of the recipe, and the figure drawn from it."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from engine.errors import InputError
from engine.training import evaluate, figure, run, sweep
from engine.training import trainer as trainer_module
from engine.training.config import TrainConfig, read_config
from engine.training.dataset import DataConfig
from engine.training.sweep import REFERENCE, VARIANTS, Variant, config_of
from tests.engine.training_fakes import TINY, write_shards

SMALL = (
    Variant(REFERENCE, 16, 1, 2, front_end="dmel"),
    Variant("no-aux", 16, 1, 2, 0.5, "dmel", "all", False),
)


@pytest.fixture(autouse=True)
def little_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluate, "NOISE_S", 1.0)
    monkeypatch.setattr(trainer_module, "PICTURES", 12)


def base(tmp_path: Path) -> TrainConfig:
    path = tmp_path / "c.toml"
    path.write_text(TINY.replace("batch = 4", "batch = 2"))
    return run.load_config(path)


def folders(tmp_path: Path) -> run.Folders:
    write_shards(tmp_path / "shards")
    run.claim_shards(tmp_path / "shards", base(tmp_path), False)
    return run.Folders(tmp_path / "out", tmp_path / "shards", None)


def test_variants_differ_in_what_they_are_about() -> None:
    whole = read_config({"name": "x"}, "test")
    data = DataConfig(shards=80)
    made = {v.name: config_of(v, whole, data, 4) for v in VARIANTS}
    assert len(made) == len(VARIANTS)
    reference = made[REFERENCE]
    assert reference.train.shards_used == 80
    assert made["hours-1-8"].train.shards_used == 10
    assert made["hours-1-8"].train.epochs == 12, "at most three times as many passes"
    assert made["hours-1-2"].train.epochs == 8, "as many steps as with all of them"
    assert set(vars(made["no-aux"].train.aux).values()) == {0.0}
    assert made["no-real-voices"].train.voices_used == "synthetic"
    assert made["dmel"].model.front_end == "dmel"
    assert [s.name for s in made["on-policy"].plan()] == ["imitation", "on_policy 1"]
    assert all(c.data_digest(True) == reference.data_digest(True) for c in made.values())
    assert len({c.digest() for c in made.values()}) == len(VARIANTS)


def test_a_sweep_is_resumed_and_collected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    where = folders(tmp_path)
    results = sweep.sweep(SMALL, base(tmp_path), where, epochs=1)
    assert [r["name"] for r in results] == [REFERENCE, "no-aux"]
    assert results[0]["hours"] == pytest.approx(2 * results[1]["hours"], abs=0.011)
    assert all(r["parameters"] > 1000 and r["ends"] == 0 for r in results)
    stored = json.loads((where.out / "sweep.json").read_text())
    assert stored["variants"] == results
    assert "| no-aux | " in sweep.as_table(results)
    monkeypatch.setattr(run, "train", None)
    assert sweep.sweep(SMALL, base(tmp_path), where, epochs=1) == results, "nothing is trained twice"
    assert "== no-aux" in capsys.readouterr().out


def test_a_sweep_needs_to_know_its_conversations(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_shards(tmp_path / "shards")
    (tmp_path / "data").mkdir()
    given = ("--shards", tmp_path / "shards", "--data", tmp_path / "data", "--out", tmp_path / "out")
    assert sweep.main([str(a) for a in given]) == 2
    assert "data.json cannot be read" in capsys.readouterr().err
    run.write_stamp(tmp_path / "shards" / "data.json", {"data": {"colour": 3}})
    with pytest.raises(InputError, match="does not fit"):
        sweep.stored_data(tmp_path / "shards")


def point(name: str, parameters: float, hours: float, score: float, pauses: float) -> dict[str, Any]:
    return {
        "name": name,
        "parameters": parameters,
        "hours": hours,
        "usefulness": score,
        "pauses_taken": pauses,
    }


SWEEP = {
    "variants": [
        point("dim-64", 4e5, 24.0, 0.31, 0.4),
        point("dim-128", 1.4e6, 24.0, 0.42, 0.3),
        point(REFERENCE, 6e6, 24.0, 0.55, 0.2),
        point("dim-384", 1.7e7, 24.0, 0.57, 0.18),
        point("hours-1-8", 6e6, 3.0, 0.12, 0.5),
        point("hours-1-4", 6e6, 6.0, 0.3, 0.42),
        point("hours-1-2", 6e6, 12.0, 0.44, 0.31),
        point("dmel", 6e6, 24.0, -0.5, 0.7),
    ]
}


def bench(**rows: dict[str, float]) -> dict[str, Any]:
    return {
        "engines": [{"name": n, "model": ""} for n in ("micro", "pipeline", "silent")],
        "figures": [
            {
                "voices": "human",
                "name": name.replace("__", "."),
                "engines": {engine: {"value": value} for engine, value in values.items()},
            }
            for name, values in rows.items()
        ],
    }


BENCH = bench(
    pauses__pause_taken={"micro": 0.1, "pipeline": 0.35, "silent": 0.0},
    pauses__cut_in={"micro": 0.1, "pipeline": 0.05, "silent": 0.0},
    pauses__taken={"micro": 0.9, "pipeline": 0.6, "silent": 0.0},
    pauses__offset__median={"micro": 0.3, "pipeline": 0.8},
    pauses__offset__p90={"micro": 0.7, "pipeline": 1.8},
    noise__takes={"micro": 0.0, "pipeline": 1.0, "silent": 0.0},
)


def test_curves_hold_their_own_variants_in_order() -> None:
    names = [r["name"] for r in figure.curve(SWEEP["variants"], "parameters")]
    assert names == ["dim-64", "dim-128", REFERENCE, "dim-384"]
    assert [r["hours"] for r in figure.curve(SWEEP["variants"], "hours")] == [3.0, 6.0, 12.0, 24.0]


def test_baselines_are_scored_like_the_variants() -> None:
    (rival,) = figure.baselines(BENCH)
    assert rival.name == "pipeline"
    assert rival.usefulness == pytest.approx(0.6 - 0.35 - 0.1 - 0.25 - 0.3)
    assert rival.pauses_taken == 0.35


def test_axes_keep_their_ends_and_round_ticks() -> None:
    hours = figure.Axis(2.0, 40.0, 100.0, logarithmic=True)
    assert hours.ticks() == pytest.approx([2, 5, 10, 20])
    assert (hours.at(2.0), hours.at(40.0)) == pytest.approx((0.0, 100.0))
    score = figure.Axis(-0.35, 0.62, 100.0)
    assert score.ticks() == pytest.approx([0.0, 0.5])


def test_a_run_adds_the_best_epoch_of_each_stage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def row(stage: str, score: float, hours: float) -> dict[str, Any]:
        return {
            "stage": stage,
            "score": score,
            "hours": hours,
            "usefulness": score + 0.01,
            "pauses_taken": 0.1,
        }

    log = [row("imitation", 0.5, 30.0), row("imitation", 0.4, 30.0), row("on_policy 1", 0.66, 45.0)]
    assert figure.stages(log) == [log[0], log[2]]
    (tmp_path / "sweep.json").write_text(json.dumps(SWEEP))
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(r) + "\n" for r in log))
    given = [str(tmp_path / "sweep.json"), "--out", str(tmp_path / "x.svg"), "--log"]
    assert figure.main([*given, str(tmp_path / "log.jsonl")]) == 0
    texts = [e.text for e in ET.parse(tmp_path / "x.svg").iter("{http://www.w3.org/2000/svg}text")]
    assert "0.51" in texts and "0.67" in texts and "0.41" not in texts
    (tmp_path / "x.svg").unlink()
    assert figure.main([*given, str(tmp_path / "missing.jsonl")]) == 2
    assert "holds no epoch" in capsys.readouterr().err
    assert not (tmp_path / "x.svg").exists()


def test_the_figure_is_a_whole_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "sweep.json").write_text(json.dumps(SWEEP))
    (tmp_path / "bench.json").write_text(json.dumps(BENCH))
    out = tmp_path / "thesis.svg"
    given = [tmp_path / "sweep.json", "--out", out, "--bench", tmp_path / "bench.json"]
    assert figure.main([str(a) for a in given]) == 0
    root = ET.parse(out).getroot()
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    texts = [e.text for e in root.iter("{http://www.w3.org/2000/svg}text")]
    for wanted in ("parameters", "hours of simulated conversation", "pipeline", "10 M", "5 h", "0.55"):
        assert wanted in texts
    assert "70" not in texts, "an ablation is no point of a curve"
    for line in root.iter("{http://www.w3.org/2000/svg}line"):
        assert all(0 <= float(line.attrib[k]) <= width for k in ("x1", "x2"))
        assert all(0 <= float(line.attrib[k]) <= height for k in ("y1", "y2"))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{cut off", "cannot be read"),
        ("[]", "no table"),
        ("{}", "no 'variants'"),
        ('{"variants": []}', "fewer"),
    ],
)
def test_a_sweep_that_cannot_be_drawn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, says: str
) -> None:
    (tmp_path / "sweep.json").write_text(content)
    assert figure.main([str(tmp_path / "sweep.json"), "--out", str(tmp_path / "x.svg")]) == 2
    assert says in capsys.readouterr().err
    assert not (tmp_path / "x.svg").exists()
