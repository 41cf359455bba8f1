"""Reading shards of simulated conversation: one preallocated array a field, checked file by file.

A shard is an ``.npz`` of ``FIELDS``; axis 0 is the session, axis 1 the
micro-turn. Sound stays float16 and is converted batch by batch: sixty hours
are 1.1 million micro-turns, 2 GB.
"""

import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engine.decisions import DECISIONS, SAY_TOKENS
from engine.encode import STATE_DIM, TEXT_BUCKETS, TEXT_SLOTS
from engine.errors import InputError
from engine.frontend import WHISPER_DIM
from engine.model.config import ModelConfig
from engine.standing import STANDING_DIM

# Per field its type and what follows (sessions, micro-turns), or sessions where there is one for each.
FIELDS: dict[str, tuple[type[np.generic], tuple[int, ...]]] = {
    "audio": (np.float16, (WHISPER_DIM,)),
    "state": (np.float16, (STATE_DIM,)),
    "decision_in": (np.int8, ()),
    "say_in": (np.int8, ()),
    "text": (np.int16, (TEXT_SLOTS,)),
    "decision": (np.int8, ()),
    "say": (np.int8, ()),
    "delegate": (np.int8, ()),
    "weight": (np.float16, ()),
    "standing": (np.float16, (STANDING_DIM,)),
    "activity": (np.int8, (4,)),
    "turn_end": (np.int8, ()),
    "complete": (np.float16, ()),
    "human": (np.int8, ()),
    "scene": (np.int16, (2,)),  # number of the file of scenes, and of the scene in it; -1 without a camera
}
_A_SESSION = ("human", "scene")

RANGES: dict[str, tuple[float, float]] = {
    "audio": (-65504, 65504),
    "state": (-100, 100),
    "decision_in": (0, len(DECISIONS) - 1),
    "say_in": (0, len(SAY_TOKENS) - 1),
    "text": (0, 2 * TEXT_BUCKETS),
    "decision": (0, len(DECISIONS) - 1),
    "say": (0, len(SAY_TOKENS) - 1),
    "delegate": (0, 1),
    "weight": (0, 100),
    "standing": (-100, 100),
    "activity": (0, 1),
    "turn_end": (-1, 4),
    "complete": (-1, 1),
    "human": (0, 1),
    "scene": (-1, 32767),
}


_NEWER = {"standing": 0, "scene": -1}  # older shards have none: nothing stood, nobody saw anything


def _refuse(path: Path, what: str) -> InputError:
    return InputError(f"{path} {what}: delete it and go on with --resume, and it is made again")


def _none(stored: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    kind, rest = FIELDS[name]
    lead = stored["decision"].shape
    return np.full((*(lead[:1] if name in _A_SESSION else lead), *rest), _NEWER[name], kind)


def _members(path: Path, names: Iterable[str]) -> dict[str, np.ndarray]:
    """The named arrays of a shard."""
    try:
        with path.open("rb") as raw, np.load(raw) as stored:
            missing = [name for name in FIELDS if name not in stored.files and name not in _NEWER]
            if missing:
                raise _refuse(path, f"is a shard of another version (no '{missing[0]}')")
            return {name: stored[name] if name in stored.files else _none(stored, name) for name in names}
    except FileNotFoundError as err:
        raise InputError(f"{path} is missing: go on with --resume, and it is made again") from err
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, AttributeError, TypeError) as err:
        raise _refuse(path, "is damaged or no shard") from err


def read_shard(path: Path) -> dict[str, np.ndarray]:
    """One shard's arrays.

    Raises:
        InputError: the file is missing, damaged, of an older version, or no shard.
    """
    arrays = _members(path, FIELDS)
    lead = arrays["decision"].shape
    for name, (kind, rest) in FIELDS.items():
        wanted = (*(lead[:1] if name in _A_SESSION else lead), *rest)
        if len(lead) != 2 or arrays[name].shape != wanted or arrays[name].dtype != kind:
            raise _refuse(path, f"does not fit this version ('{name}' has another shape or type)")
    for name, (low, high) in RANGES.items():
        values = arrays[name]
        # Not a number fails both comparisons, so it is refused as well.
        if not (values.min(initial=low) >= low and values.max(initial=low) <= high):
            raise _refuse(
                path, f"does not fit this version ('{name}' holds {values.min()} to {values.max()})"
            )
    return arrays


@dataclass(frozen=True)
class Loaded:
    """Sessions in memory. ``counts``: how many came from each of the shards, in their order."""

    arrays: dict[str, Tensor]
    counts: tuple[int, ...]


def load(paths: Sequence[Path], sizes: ModelConfig, voices: str = "all") -> Loaded:
    """All sessions of ``paths``, session on axis 0; of ``audio`` and ``state`` what the model takes.

    ``voices``: ``all``, or ``synthetic`` to leave out sessions of real voices.

    Raises:
        InputError: a shard is unusable, has another length than the first, or nothing is left.
    """
    chosen = [_members(path, ("human",))["human"].ravel() != 1 for path in paths]
    if voices == "all":
        chosen = [np.ones_like(kept) for kept in chosen]
    counts = tuple(int(kept.sum()) for kept in chosen)
    if not sum(counts):
        raise InputError("there is no session to train on: make more shards, or set voices_used = 'all'")
    data: dict[str, np.ndarray] = {}
    filled = 0
    for path, kept, count in zip(paths, chosen, counts, strict=True):
        arrays = read_shard(path)
        arrays["audio"] = arrays["audio"][..., : sizes.audio_dim]
        arrays["state"] = arrays["state"][..., : sizes.state_dim]
        if not data:
            data = {name: np.empty((sum(counts), *a.shape[1:]), a.dtype) for name, a in arrays.items()}
        turns = data["decision"].shape[1]
        if arrays["decision"].shape[1] != turns:
            raise _refuse(path, f"has sessions of {arrays['decision'].shape[1]} micro-turns, not {turns}")
        for name, values in arrays.items():
            data[name][filled : filled + count] = values[kept]
        filled += count
    return Loaded({name: torch.from_numpy(values) for name, values in data.items()}, counts)
