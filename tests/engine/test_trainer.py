"""The training loop and its stages, on shards of random numbers."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from engine import checkpoint
from engine.errors import InputError
from engine.model.transformer import Dropout, attention, window_mask
from engine.paths import fingerprint
from engine.training import evaluate, run
from engine.training import trainer as trainer_module
from engine.training.config import load_config
from engine.training.shards import load
from engine.training.trainer import CHECKPOINT, Trainer, batch_inputs, losses, pick_device
from tests.engine.training_fakes import ROUND, TINY, shard_arrays, write, write_shards


@pytest.fixture(autouse=True)
def little_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluate, "NOISE_S", 1.0)
    monkeypatch.setattr(trainer_module, "PICTURES", 12)


def config_file(tmp_path: Path, text: str = TINY) -> Path:
    path = tmp_path / "c.toml"
    path.write_text(text)
    return path


def make_trainer(tmp_path: Path, text: str = TINY) -> Trainer:
    trainer = Trainer(load_config(config_file(tmp_path, text)), tmp_path)
    paths = write_shards(tmp_path)
    trainer.use(load(paths, trainer.model.config), len(paths))
    return trainer


def log_of(folder: Path) -> list[dict[str, Any]]:
    return run.read_log(folder / "log.jsonl")


def parts_of(trainer: Trainer) -> dict[str, float]:
    rows = torch.arange(4)
    inputs = batch_inputs(trainer.data, rows, trainer.pictures, np.random.default_rng(0))
    with torch.no_grad():
        found = losses(trainer.model.eval(), inputs, trainer.data, rows, trainer.config.train)
    return {name: float(value) for name, value in found.items()}


def test_a_rule_is_learned(tmp_path: Path) -> None:
    trainer = make_trainer(tmp_path, TINY.replace("epochs = 2", "epochs = 30"))
    (stage,) = trainer.config.plan()
    found = [trainer.run_epoch(stage)["decision"] for _ in range(30)]
    assert found[-1] < 0.6 * found[0]
    assert trainer.held_out()["held_decision"] < 0.8 * found[0]


def test_the_average_follows_the_weights(tmp_path: Path) -> None:
    trainer = make_trainer(tmp_path)
    before = [v.clone() for v in trainer.average]
    trainer.step(np.arange(4), 1e-2, np.random.default_rng(0))
    for old, new, now in zip(before, trainer.weights, trainer.average, strict=True):
        torch.testing.assert_close(now, old + 0.9 * (new - old), atol=1e-6, rtol=1e-5)


def test_the_rate_warms_up_and_falls(tmp_path: Path) -> None:
    trainer = make_trainer(tmp_path, TINY.replace("warmup_steps = 1", "warmup_steps = 4") + ROUND)
    stage, second = trainer.config.plan()
    stage = dataclasses.replace(stage, last=50)
    rates = [trainer.learning_rate(stage, k) for k in range(50)]
    assert rates[:4] == pytest.approx([stage.learning_rate * k / 4 for k in (1, 2, 3, 4)])
    assert rates[4:] == sorted(rates[4:], reverse=True)
    assert rates[-1] == pytest.approx(stage.learning_rate * 0.05, rel=0.1)
    assert trainer.learning_rate(second, 0) == pytest.approx(second.learning_rate)


def test_an_unused_head_is_not_trained(tmp_path: Path) -> None:
    trainer = make_trainer(tmp_path, TINY + "[train.aux]\nturn_end = 0.0\n")
    before = trainer.model.turn_end.weight.clone(), trainer.model.complete.weight.clone()
    found = trainer.step(np.arange(4), 1e-2, np.random.default_rng(0))
    assert set(found) == {"decision", "say", "delegate", "activity", "complete"}
    assert torch.equal(trainer.model.turn_end.weight, before[0])
    assert not torch.equal(trainer.model.complete.weight, before[1])


def test_targets_that_are_unknown_do_not_count(tmp_path: Path) -> None:
    trainer = make_trainer(tmp_path)
    whole = parts_of(trainer)
    trainer.data["complete"][:2], trainer.data["turn_end"][:2] = -1.0, -1
    some = parts_of(trainer)
    trainer.data["complete"][:], trainer.data["turn_end"][:], trainer.data["weight"][:] = -1.0, -1, 0.0
    none = parts_of(trainer)
    assert 0 < some["complete"] != whole["complete"] > 0
    assert 0 < some["turn_end"] != whole["turn_end"] > 0
    assert none["complete"] == none["turn_end"] == none["decision"] == none["say"] == none["delegate"] == 0.0
    assert none["activity"] == pytest.approx(whole["activity"])


def test_hard_moments_have_their_weight_where_the_stage_says_so(tmp_path: Path) -> None:
    arrays = shard_arrays(2, seed=1)
    arrays["decision"][:], arrays["complete"][:], arrays["weight"][:] = 0, -1.0, 0.25
    hard = [(0, 0.0, 12.0), (0, 0.5, 6.0), (0, -1.0, 6.0), (0, 1.0, 0.0), (1, 1.0, 6.0), (1, 1.0, 2.0)]
    for k, (decision, complete, weight) in enumerate(hard):
        arrays["decision"][0, k], arrays["complete"][0, k] = decision, complete
        arrays["weight"][0, k] = weight
    trainer = Trainer(load_config(config_file(tmp_path)), tmp_path)
    paths = [write(tmp_path / "one.npz", arrays), *write_shards(tmp_path)]
    loaded = load(paths, trainer.model.config)
    trainer.use(loaded, len(paths), hard_moments=True)
    assert trainer.data["weight"][0, :6].tolist() == [12.0, 6.0, 6.0, 0.0, 6.0, 2.0]
    trainer.use(loaded, len(paths))
    assert trainer.data["weight"][0, :7].tolist() == pytest.approx(
        [2.0, 1.0, 1.0, 0.0, 2.0, 2.0, 0.25], rel=1e-3
    )
    trainer.use(loaded, len(paths), hard_moments=True)
    assert trainer.data["weight"][0, 0] == 12.0, "the stored weights are what they were"


def test_class_weights_move_the_mean(tmp_path: Path) -> None:
    plain = make_trainer(tmp_path, TINY)
    plain.data["decision"][:, ::3] = 4
    heavy = make_trainer(tmp_path, TINY + "[train.class_weights]\nyield = 50.0\n")
    heavy.data["decision"][:, ::3] = 4
    heavy.model.load_state_dict(plain.model.state_dict())
    with torch.no_grad():
        for trainer in (plain, heavy):
            trainer.model.decision.bias[4] = -5.0
    assert parts_of(heavy)["decision"] > parts_of(plain)["decision"] + 1.0


def test_the_best_epoch_is_kept(tmp_path: Path) -> None:
    trainer = make_trainer(tmp_path)
    (stage,) = trainer.config.plan()
    trainer.run_epoch(stage)
    assert trainer.keep_if_best(0.5)
    kept = trainer.averaged().state_dict()
    trainer.run_epoch(stage)
    assert not trainer.keep_if_best(0.4)
    model, number = trainer.best()
    assert number == 1
    assert all(torch.equal(kept[name], value) for name, value in model.state_dict().items())


def test_the_next_stage_begins_from_the_best_epoch(tmp_path: Path) -> None:
    trainer = make_trainer(tmp_path)
    (stage,) = trainer.config.plan()
    trainer.run_epoch(stage)
    assert trainer.keep_if_best(0.5)
    best = [v.clone() for v in trainer.average]
    trainer.run_epoch(stage)
    trainer.go_back_to_best()
    for kept, weight, average in zip(best, trainer.weights, trainer.average, strict=True):
        torch.testing.assert_close(weight, kept)
        torch.testing.assert_close(average, kept)


def test_a_gpu_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="no GPU"):
        pick_device("cuda")
    assert pick_device("auto").type == "cpu"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert pick_device("auto").type == "cuda"
    assert pick_device("cpu").type == "cpu"


def test_more_sessions_than_there_are_are_refused(tmp_path: Path) -> None:
    trainer = make_trainer(tmp_path)
    paths = [write(tmp_path / "few.npz", shard_arrays(2))]
    with pytest.raises(InputError, match="batch 4 is more than the 1 sessions"):
        trainer.use(load(paths, trainer.model.config), 1)


@torch.no_grad()
def test_both_ways_to_attend_agree() -> None:
    torch.manual_seed(0)
    q, k, v = (torch.randn(2, 3, n, 16) for n in (30, 31, 31))
    mask = window_mask(30, 8, q.device)
    exact = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    quick = attention(q.bfloat16(), k.bfloat16(), v.bfloat16(), mask)
    assert quick.dtype == torch.bfloat16
    torch.testing.assert_close(quick.float(), exact, atol=0.03, rtol=0.03)


def test_dropout_drops_its_share_and_keeps_the_mean() -> None:
    torch.manual_seed(0)
    drop = Dropout(0.25)
    x = torch.ones(1000, 301, requires_grad=True)
    out = drop(x)
    assert float((out == 0).float().mean()) == pytest.approx(0.25, abs=0.005)
    assert float(out.detach().mean()) == pytest.approx(1.0, abs=0.01)
    out.sum().backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad, out.detach())
    assert drop.eval()(x) is x


def test_a_run_goes_through_its_stages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config, out = config_file(tmp_path, TINY + ROUND), tmp_path / "run"
    write_shards(out)
    run.run_training(config, out)
    rows = log_of(out)
    assert [(r["epoch"], r["stage"]) for r in rows] == [
        (1, "imitation"),
        (2, "imitation"),
        (3, "on_policy 1"),
    ]
    assert rows[2]["hours"] == pytest.approx(1.5 * rows[0]["hours"], abs=0.01)
    assert all({"held_turn_end", "positions_per_s", "score", "best"} <= set(r) for r in rows)
    played = checkpoint.load(out / "round-1.safetensors")
    assert played.config.front_end == "dmel"
    assert fingerprint(out / "mini.safetensors") in (out / "mini.md").read_text()
    printed = capsys.readouterr().out
    assert "no --data given" in printed
    assert "kept: epoch" in printed


def test_an_interrupted_run_ends_like_one_that_was_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config_file(tmp_path, TINY.replace("epochs = 2", "epochs = 3"))
    for name in ("whole", "broken"):
        write_shards(tmp_path / name)
    run.run_training(config, tmp_path / "whole")
    save = Trainer.save

    def cut_off(trainer: Trainer) -> None:
        if trainer.epoch == 2:
            raise KeyboardInterrupt
        save(trainer)

    monkeypatch.setattr(Trainer, "save", cut_off)
    with pytest.raises(KeyboardInterrupt):
        run.run_training(config, tmp_path / "broken")
    assert len(log_of(tmp_path / "broken")) == 2, "an epoch was logged that the checkpoint does not hold"
    monkeypatch.setattr(Trainer, "save", save)
    run.run_training(config, tmp_path / "broken", resume=True)
    assert [r["epoch"] for r in log_of(tmp_path / "broken")] == [1, 2, 3]
    one, other = (load_file(tmp_path / n / "mini.safetensors") for n in ("whole", "broken"))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_folder_belongs_to_one_config(tmp_path: Path) -> None:
    out = tmp_path / "run"
    write_shards(out)
    run.run_training(config_file(tmp_path), out)
    before = {p.name: p.read_bytes() for p in out.iterdir()}
    with pytest.raises(InputError, match="finished run"):
        run.run_training(config_file(tmp_path), out)
    with pytest.raises(InputError, match="another config"):
        run.run_training(config_file(tmp_path, TINY.replace("epochs = 2", "epochs = 3")), out, resume=True)
    assert {p.name: p.read_bytes() for p in out.iterdir()} == before, "something was overwritten"


def test_runs_share_conversations_of_the_same_data(tmp_path: Path) -> None:
    shared = tmp_path / "shards"
    write_shards(shared)
    run.run_training(config_file(tmp_path), tmp_path / "one", shards_folder=shared)
    larger = TINY.replace("dim = 16", "dim = 32")
    run.run_training(config_file(tmp_path, larger), tmp_path / "two", shards_folder=shared)
    assert not list((tmp_path / "two").glob("shard-*"))
    assert checkpoint.load(tmp_path / "two" / "mini.safetensors").config.dim == 32
    other = TINY.replace("[data]", "[data]\nhuman_share = 0.9")
    with pytest.raises(InputError, match=r"another \[data\] section"):
        run.run_training(config_file(tmp_path, other), tmp_path / "three", shards_folder=shared)


@pytest.mark.parametrize("how", ["truncated", "not safetensors", "another run", "another network"])
def test_a_training_checkpoint_that_cannot_be_used(tmp_path: Path, how: str) -> None:
    trainer = make_trainer(tmp_path)
    trainer.save()
    path = tmp_path / CHECKPOINT
    text = TINY
    if how == "truncated":
        path.write_bytes(path.read_bytes()[:-50])
    elif how == "not safetensors":
        path.write_bytes(b"\x80\x04 something else")
    elif how == "another run":
        text = TINY.replace("epochs = 2", "epochs = 4")
    again = Trainer(load_config(config_file(tmp_path, text)), tmp_path)
    if how == "another network":
        again.names[0] = "a.layer.of.another.version"
    with pytest.raises(InputError, match="another config" if how == "another run" else "delete it and go on"):
        again.resume()


def test_a_stamp_that_is_no_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json").write_text("{cut off")
    with pytest.raises(InputError, match="cannot be read"):
        run.run_training(config_file(tmp_path), tmp_path / "run")


def test_a_folder_without_voices_trains_without_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "data").mkdir()
    assert run.usable_data(tmp_path / "data") is None
    assert "without real voices" in capsys.readouterr().out
    with pytest.raises(InputError, match="no such folder"):
        run.usable_data(tmp_path / "nowhere")


def test_a_log_that_was_cut_off_is_read_to_its_last_whole_line(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text(json.dumps({"epoch": 1}) + "\n" + json.dumps({"epoch": 2}) + '\n{"epo')
    run.prune_log(log, 1)
    assert run.read_log(log) == [{"epoch": 1}]
