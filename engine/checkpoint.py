"""Weights on disk: safetensors with the model's configuration in the header, never pickle."""

import dataclasses
import json
import struct
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from engine.decisions import DECISIONS, SAY_TOKENS, STANDING_TOKENS
from engine.errors import InputError
from engine.model.config import ModelConfig
from engine.model.interaction import InteractionModel

FORMAT = "microturn-interaction-2"
_HEADER_CAP = 4 << 20


def save(model: InteractionModel, path: Path, notes: dict[str, str] | None = None) -> None:
    """Write weights as bfloat16, atomically. ``notes``: strings kept beside them (training figures)."""
    tensors = {
        name: t.detach().to(torch.bfloat16).contiguous().cpu() for name, t in model.state_dict().items()
    }
    meta = {
        "format": FORMAT,
        "config": json.dumps(dataclasses.asdict(model.config)),
        "decisions": json.dumps(DECISIONS),
        "say_tokens": json.dumps(SAY_TOKENS[: model.config.say_tokens]),
        **(notes or {}),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    save_file(tensors, temporary, metadata=meta)
    temporary.chmod(0o644)
    temporary.replace(path)


def standing(path: Path) -> tuple[str, ...]:
    """The tokens of standing instructions that a file of weights, which can be read, has learned to say."""
    with safe_open(path, framework="pt", device="cpu") as stored:
        named = json.loads((stored.metadata() or {}).get("standing", "[]"))
    return tuple(token for token in STANDING_TOKENS if token in named)


def load(path: Path) -> InteractionModel:
    """Read a model for inference, float32 on the CPU.

    Raises:
        InputError: the file is missing, damaged, not safetensors, or of another version.
    """
    if not path.is_file():
        raise InputError(f"no model at {path}: train one with `microturn train`, or reinstall Microturn")
    with path.open("rb") as raw:
        start = raw.read(8)
    if len(start) < 8 or struct.unpack("<Q", start)[0] > _HEADER_CAP:
        raise InputError(f"{path} is not a safetensors file: pass weights made by `microturn train`")
    try:
        with safe_open(path, framework="pt", device="cpu") as stored:
            meta = stored.metadata() or {}
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as err:
        raise InputError(f"{path} is damaged ({err}): get the file again") from err
    if meta.get("format") != FORMAT or json.loads(meta["decisions"]) != list(DECISIONS):
        raise InputError(f"{path} was made for another version of Microturn: train it again")
    # Newer tokens come last: weights that were trained without them never say them.
    known = json.loads(meta["say_tokens"])
    if known != list(SAY_TOKENS[: json.loads(meta["config"]).get("say_tokens")]):
        raise InputError(f"{path} knows other phrases than this version: train it again")
    if not all(torch.isfinite(t).all() for t in tensors.values()):
        raise InputError(f"{path} holds numbers that are not finite: get the file again")
    try:
        model = InteractionModel(ModelConfig(**json.loads(meta["config"])))
        model.load_state_dict({name: t.to(torch.float32) for name, t in tensors.items()})
    except (TypeError, ValueError, RuntimeError) as err:
        raise InputError(f"{path} does not fit this version of Microturn: train it again") from err
    return model.eval()
