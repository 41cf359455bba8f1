"""Reading shards: real content comes through, anything else names the file and what to do."""

from pathlib import Path

import numpy as np
import pytest

from engine.encode import ACCOUNT_DIM
from engine.errors import InputError
from engine.frontend import DMEL_DIM
from engine.standing import STANDING_DIM
from engine.training.config import ModelSection, model_config
from engine.training.dataset import ARRAYS
from engine.training.shards import FIELDS, RANGES, load
from tests.engine.training_fakes import shard_arrays, write, write_shards

WHISPER, DMEL = model_config(ModelSection()), model_config(ModelSection(front_end="dmel"))


def test_the_reader_knows_the_writer_s_arrays() -> None:
    assert set(FIELDS) == set(ARRAYS) == set(RANGES)


def test_sessions_come_in_order_and_whole(tmp_path: Path) -> None:
    paths = [
        write(tmp_path / "a.npz", shard_arrays(3, seed=1)),
        write(tmp_path / "b.npz", shard_arrays(5, seed=2)),
    ]
    loaded = load(paths, WHISPER)
    assert loaded.counts == (3, 5)
    for name, (kind, _) in FIELDS.items():
        both = np.concatenate([shard_arrays(3, seed=1)[name], shard_arrays(5, seed=2)[name]])
        np.testing.assert_array_equal(loaded.arrays[name].numpy(), both)
        assert loaded.arrays[name].numpy().dtype == kind, "nothing is widened in memory"


def test_the_small_front_end_reads_its_columns_of_the_same_shards(tmp_path: Path) -> None:
    paths = write_shards(tmp_path, 1)
    np.testing.assert_array_equal(
        load(paths, DMEL).arrays["audio"].numpy(), shard_arrays(seed=0)["audio"][..., :DMEL_DIM]
    )


def test_a_model_without_its_own_sound_reads_the_account_alone(tmp_path: Path) -> None:
    deaf = model_config(ModelSection(self_audio=False))
    np.testing.assert_array_equal(
        load(write_shards(tmp_path, 1), deaf).arrays["state"].numpy(),
        shard_arrays(seed=0)["state"][..., :ACCOUNT_DIM],
    )


def test_real_voices_can_be_left_out(tmp_path: Path) -> None:
    loaded = load(write_shards(tmp_path), DMEL, "synthetic")
    assert loaded.counts == (2, 2)
    assert not loaded.arrays["human"].any()
    np.testing.assert_array_equal(loaded.arrays["decision"][1], shard_arrays(seed=0)["decision"][2])
    only_people = shard_arrays(2)
    only_people["human"][:] = 1
    with pytest.raises(InputError, match="no session"):
        load([write(tmp_path / "people.npz", only_people)], DMEL, "synthetic")


def spoil(name: str, arrays: dict[str, np.ndarray]) -> None:
    if name == "older":
        del arrays["turn_end"]
    elif name == "longer phrases":
        arrays["say"][0, 0] = RANGES["say"][1] + 1
    elif name == "not finite":
        arrays["audio"][0, 0, 0] = np.nan
    elif name == "another type":
        arrays["weight"] = arrays["weight"].astype(np.float64)
    elif name == "another width":
        arrays["audio"] = arrays["audio"][..., :-1]
    elif name == "human of another length":
        arrays["human"] = arrays["human"][:-1]


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("older", "another version"),
        ("longer phrases", "'say' holds"),
        ("not finite", "'audio' holds"),
        ("another type", "'weight' has another"),
        ("another width", "'audio' has another"),
        ("human of another length", "'human' has another"),
    ],
)
def test_foreign_shards_are_refused_by_name(tmp_path: Path, how: str, says: str) -> None:
    arrays = shard_arrays(2)
    spoil(how, arrays)
    path = write(tmp_path / "shard-00007.npz", arrays)
    with pytest.raises(InputError, match=says) as refused:
        load([path], DMEL)
    assert "shard-00007.npz" in str(refused.value)
    assert "delete it and go on with --resume" in str(refused.value)


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 cut off", None])
def test_damaged_and_missing_shards_are_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "shard-00001.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match="--resume"):
        load([path], DMEL)


def test_a_truncated_shard_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "shard-00001.npz", shard_arrays())
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(InputError, match="damaged"):
        load([path], DMEL)


def test_sessions_of_another_length_are_refused(tmp_path: Path) -> None:
    paths = [write(tmp_path / f"{t}.npz", shard_arrays(turns=t)) for t in (40, 50)]
    with pytest.raises(InputError, match="50 micro-turns, not 40"):
        load(paths, DMEL)


def test_older_shards_hold_nothing_that_stands_and_no_scene(tmp_path: Path) -> None:
    arrays = shard_arrays(2)
    older = {name: values for name, values in arrays.items() if name not in ("standing", "scene")}
    loaded = load([write(tmp_path / "older.npz", older)], WHISPER).arrays
    assert loaded["standing"].shape == (2, 40, STANDING_DIM) and not loaded["standing"].any()
    assert (loaded["scene"] == -1).all() and loaded["scene"].shape == (2, 2)
