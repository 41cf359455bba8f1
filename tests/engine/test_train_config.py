"""Training configs: what is refused, what is told apart by digest, and the shipped ones."""

import dataclasses
import re
from pathlib import Path

import pytest

from engine.decisions import DECISION_INDEX
from engine.errors import InputError
from engine.frontend import DMEL_DIM, WHISPER_DIM
from engine.model.interaction import InteractionModel
from engine.training.config import CONFIGS, TrainConfig, load_config, model_config
from tests.engine.training_fakes import ROUND, TINY


def read(tmp_path: Path, text: str) -> TrainConfig:
    path = tmp_path / "c.toml"
    path.write_text(text)
    return load_config(path)


def millions(config: TrainConfig) -> float:
    model = InteractionModel(model_config(config.model))
    return sum(p.numel() for p in model.parameters()) / 1e6


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name = 3 =", "not valid TOML"),
        ("seed = 1", "no 'name'"),
        ("name = 3", "no 'name'"),
        ("name = 'a/b'", "must not hold a path"),
        ("name = 'x'\nseed = 'one'", "seed must be int"),
        ("name = 'x'\nseed = -1", "seed must not be negative"),
        ("name = 'x'\ntrain = 3", "train must be a table"),
        ("name = 'x'\ncolour = 1", "unknown key 'colour'"),
        ("name = 'x'\n[train]\nepoch = 3", r"unknown key 'epoch' in \[train\]"),
        ("name = 'x'\n[train]\nepochs = 'many'", "epochs must be int"),
        ("name = 'x'\n[train]\nepochs = true", "epochs must be int"),
        ("name = 'x'\n[train]\nepochs = 0", "epochs must be 1 or more"),
        ("name = 'x'\n[train]\ncompile = 1", "compile must be bool"),
        ("name = 'x'\n[train]\ncompile = true\ndevice = 'cpu'", "CUDA only"),
        ("name = 'x'\n[train]\ndevice = 'tpu'", "device must be one of"),
        ("name = 'x'\n[train]\nprecision = 'fp8'", "precision must be one of"),
        ("name = 'x'\n[train]\nvoices_used = 'men'", "voices_used must be one of"),
        ("name = 'x'\n[train]\nshards_used = 200", "shards_used must lie between"),
        ("name = 'x'\n[train]\nbatch = 0", "batch and threads"),
        ("name = 'x'\n[data]\nshards = 1\n[train]\nbatch = 8", "more than the 7 sessions"),
        ("name = 'x'\n[train]\nbatch = 8\nshards_used = 1", "more than the 7 sessions"),
        ("name = 'x'\n[train]\nlearning_rate = 0", "learning_rate"),
        ("name = 'x'\n[train]\nema = 1.0", "ema"),
        ("name = 'x'\n[train.aux]\nactivity = -0.1", "0 or more"),
        ("name = 'x'\n[train.aux]\nsmell = 0.1", r"unknown key 'smell' in \[train.aux\]"),
        ("name = 'x'\n[train.class_weights]\nlisten = 2.0", "unknown key 'listen'"),
        ("name = 'x'\n[train.class_weights]\nyield = -2.0", "0 or more"),
        ("name = 'x'\n[model]\nfront_end = 'ears'", "front_end must be one of"),
        ("name = 'x'\n[model]\ndim = 100\nheads = 3", "multiple of twice heads"),
        ("name = 'x'\n[model]\nheads = 0", "1 or more"),
        ("name = 'x'\n[model]\nwindow = 0", "window must be 1"),
        ("name = 'x'\n[model]\ndropout = 1.0", "dropout"),
        ("name = 'x'\n[data]\nturns = 0", "makes no conversation"),
        ("name = 'x'\nbase = 'nothing'", "no config 'nothing'"),
        ("name = 'x'\nbase = 3", "no config 3"),
        ("name = 'x'\nbase = 'small'", "has a base itself"),
        ("name = 'x'\nbase = 'tiny'\n[model]\nwidth = 3", "unknown key 'width'"),
        ("name = 'x'\n[stages]\ndreaming = []", "unknown stage 'dreaming'"),
        ("name = 'x'\n[stages]\non_policy = 3", "list of tables"),
        ("name = 'x'\n[[stages.on_policy]]\nshard = 3", "unknown key 'shard'"),
        ("name = 'x'\n[[stages.on_policy]]\nshards = 0", "needs 1 shard"),
    ],
)
def test_bad_configs_are_refused(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read(tmp_path, text)


def test_unknown_names_list_the_shipped_ones() -> None:
    with pytest.raises(InputError, match="interaction"):
        load_config(Path("nothing-like-it"))


def test_the_shipped_configs_are_whole() -> None:
    configs = {path.stem: load_config(path) for path in CONFIGS.glob("*.toml")}
    assert set(configs) == {"tiny", "small", "interaction", "large", "dmel", "gpu"}
    assert {name: c.name for name, c in configs.items()} == {name: name for name in configs}
    whole = configs["interaction"]
    assert configs["dmel"].model == dataclasses.replace(whole.model, front_end="dmel")
    rounds = [c.plan() for c in configs.values() if c.stages.on_policy and c.name != "tiny"]
    assert rounds and all(
        [s.hard_moments for s in plan] == [False, False] + [True] * (len(plan) - 2) for plan in rounds
    )
    shared = {c.data_digest(True) for n, c in configs.items() if n != "tiny"}
    assert len(shared) == 1, "the same conversations serve all of them"
    sizes = [millions(configs[name]) for name in ("tiny", "small", "interaction", "large", "gpu")]
    assert sizes == sorted(sizes)
    for name in ("small", "interaction", "large", "gpu"):
        said = re.search(r"([\d.]+) million parameters", (CONFIGS / f"{name}.toml").read_text())
        assert said and float(said[1]) == pytest.approx(millions(configs[name]), rel=0.05)


def test_a_base_gives_what_a_config_does_not(tmp_path: Path) -> None:
    base = load_config(Path("tiny"))
    made = read(tmp_path, "base = 'tiny'\nname = 'x'\n[train]\nepochs = 9\n[stages]\non_policy = []\n")
    assert made.model == base.model
    assert made.data == base.data
    assert made.train == dataclasses.replace(base.train, epochs=9)
    assert base.stages.on_policy and not made.stages.on_policy


def test_a_front_end_sets_the_width_of_the_sound(tmp_path: Path) -> None:
    assert model_config(read(tmp_path, TINY).model).audio_dim == DMEL_DIM
    assert model_config(read(tmp_path, "name = 'x'").model).audio_dim == WHISPER_DIM


def test_class_weights_lie_in_the_order_of_the_decisions(tmp_path: Path) -> None:
    config = read(tmp_path, "name = 'x'\n[train.class_weights]\nyield = 7\n")
    weights = config.train.class_weights.vector()
    assert weights[DECISION_INDEX["yield"]] == 7.0
    assert weights[DECISION_INDEX["listen"]] == weights[DECISION_INDEX["speak"]] == 1.0


def test_the_data_digest_is_that_of_what_a_shard_holds(tmp_path: Path) -> None:
    one = read(tmp_path, TINY)
    assert read(tmp_path, TINY.replace("dim = 16", "dim = 32")).data_digest(True) == one.data_digest(True)
    assert read(tmp_path, TINY.replace("shards = 2", "shards = 9")).data_digest(True) == one.data_digest(True)
    assert read(tmp_path, TINY.replace("turns = 40", "turns = 41")).data_digest(True) != one.data_digest(True)
    assert one.data_digest(True) != one.data_digest(False)
    assert read(tmp_path, TINY.replace("dim = 16", "dim = 32")).digest() != one.digest()


def test_stages_count_epochs_through(tmp_path: Path) -> None:
    stages = read(tmp_path, TINY + ROUND + ROUND).plan()
    assert [(s.round, s.first, s.last) for s in stages] == [(0, 0, 2), (1, 2, 3), (2, 3, 4)]
    assert [s.name for s in stages] == ["imitation", "on_policy 1", "on_policy 2"]
    hard = read(tmp_path, TINY + ROUND + ROUND + "hard_moments = true\n").plan()
    assert [s.hard_moments for s in hard] == [False, False, True]
