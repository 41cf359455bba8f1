"""Shards of random numbers in the real format, for tests of the trainer."""

from pathlib import Path
from typing import Any

import numpy as np

from engine.training.shards import FIELDS, RANGES

TINY = """
name = 'mini'
seed = 2
[data]
shards = 2
sessions_per_shard = 4
turns = 40
[model]
front_end = 'dmel'
dim = 16
layers = 1
heads = 2
window = 16
[train]
epochs = 2
batch = 4
warmup_steps = 1
threads = 1
learning_rate = 3e-3
"""
ROUND = "[[stages.on_policy]]\nshards = 1\nepochs = 1\n"


def shard_arrays(sessions: int = 4, turns: int = 40, seed: int = 0) -> dict[str, np.ndarray]:
    """Random sessions. The decision is ``speak`` where the first feature is above 0, else ``listen``."""
    rng = np.random.default_rng(seed)
    arrays: dict[str, np.ndarray] = {}
    for name, (kind, rest) in FIELDS.items():
        shape = (sessions, *rest) if name in ("human", "scene") else (sessions, turns, *rest)
        low, high = RANGES[name]
        drawn: Any = (
            rng.normal(size=shape)
            if name in ("audio", "state", "standing")
            else rng.integers(int(low), int(high) + 1, shape)
        )
        arrays[name] = drawn.astype(kind)
    arrays["decision"] = (arrays["audio"][..., 0] > 0).astype(np.int8)
    arrays["weight"][:] = 1.0
    arrays["scene"][:] = -1
    arrays["human"] = (np.arange(sessions) % 2).astype(np.int8)
    return arrays


def write(path: Path, arrays: dict[str, np.ndarray]) -> Path:
    np.savez(path, **arrays)  # type: ignore[arg-type]
    return path


def write_shards(folder: Path, count: int = 2, turns: int = 40) -> list[Path]:
    """Imitation shards, and one of a first on-policy round."""
    folder.mkdir(parents=True, exist_ok=True)
    write(folder / "policy-1-00000.npz", shard_arrays(seed=99, turns=turns))
    return [write(folder / f"shard-{n:05d}.npz", shard_arrays(seed=n, turns=turns)) for n in range(count)]
