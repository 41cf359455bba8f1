"""The interaction model: streaming equals offline, nothing sees the future, bad weights are refused."""

import dataclasses
import json
import struct
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from engine import checkpoint
from engine.decisions import DECISIONS, SAY_TOKENS
from engine.errors import InputError
from engine.model.config import ModelConfig
from engine.model.interaction import InteractionModel, ModelInputs
from engine.paths import fingerprint

SMALL = ModelConfig(
    front_end="dmel", audio_dim=24, dmel_dim=10, decisions=len(DECISIONS), say_tokens=len(SAY_TOKENS),
    dim=32, layers=2, heads=2, window=12, text_buckets=16, patch_dim=8,
)  # fmt: skip


def make_model(seed: int = 3) -> InteractionModel:
    torch.manual_seed(seed)
    return InteractionModel(SMALL).eval()


def make_inputs(batch: int = 2, turns: int = 40, seed: int = 5) -> ModelInputs:
    made = torch.Generator().manual_seed(seed)
    return ModelInputs(
        audio=torch.randn(batch, turns, 24, generator=made),
        state=torch.randn(batch, turns, 16, generator=made),
        decision=torch.randint(0, 5, (batch, turns), generator=made),
        say=torch.randint(0, len(SAY_TOKENS), (batch, turns), generator=made),
        standing=torch.rand(batch, turns, SMALL.standing_dim, generator=made),
        text=torch.randint(0, 33, (batch, turns, 8), generator=made),
        frames=torch.randn(3, 3, 120, 160, generator=made),
        frame_index=torch.randint(-1, 3, (batch, turns), generator=made),
    )


def at(inputs: ModelInputs, i: int) -> ModelInputs:
    sliced = {
        f.name: getattr(inputs, f.name) if f.name == "frames" else getattr(inputs, f.name)[:, i : i + 1]
        for f in dataclasses.fields(inputs)
    }
    return ModelInputs(**sliced)


def test_streaming_equals_whole_sequence_beyond_the_window() -> None:
    model, inputs = make_model(), make_inputs()
    with torch.no_grad():
        whole = model(inputs)
    state = model.streaming(batch=2)
    steps = [model.step(at(inputs, i), state) for i in range(40)]
    for head in ("decision", "say", "delegate", "activity"):
        streamed = torch.cat([getattr(s, head) for s in steps], dim=1)
        torch.testing.assert_close(streamed, getattr(whole, head), atol=2e-5, rtol=1e-4)


def test_cache_stays_flat() -> None:
    model, inputs = make_model(), make_inputs(batch=1)
    state = model.streaming()
    size = state.keys.numel()
    for i in range(40):
        model.step(at(inputs, i), state)
    assert state.position == 40
    assert state.keys.numel() == size == SMALL.layers * SMALL.heads * SMALL.window * SMALL.head_dim


@torch.no_grad()
def test_the_future_changes_nothing() -> None:
    model, inputs = make_model(), make_inputs()
    before = model(inputs).decision
    audio = inputs.audio.clone()
    audio[:, 20:] += 1.0
    after = model(dataclasses.replace(inputs, audio=audio)).decision
    torch.testing.assert_close(before[:, :20], after[:, :20])
    assert not torch.allclose(before[:, 20], after[:, 20])


@torch.no_grad()
@pytest.mark.parametrize("name", ["audio", "state", "decision", "say", "text", "frames", "frame_index"])
def test_every_input_reaches_the_decision(name: str) -> None:
    model, inputs = make_model(), make_inputs()
    value = getattr(inputs, name)
    changed = (value + 1.0) if value.is_floating_point() else value.roll(1, dims=1)
    assert not torch.allclose(
        model(inputs).decision, model(dataclasses.replace(inputs, **{name: changed})).decision
    )


@torch.no_grad()
def test_what_lies_before_the_window_of_every_layer_is_forgotten() -> None:
    model, inputs = make_model(), make_inputs()
    reach = SMALL.layers * (SMALL.window - 1)
    audio = inputs.audio.clone()
    audio[:, 0] += 5.0
    before, after = model(inputs).decision, model(dataclasses.replace(inputs, audio=audio)).decision
    torch.testing.assert_close(before[:, reach + 1 :], after[:, reach + 1 :])
    assert not torch.allclose(before[:, reach - 5], after[:, reach - 5], atol=1e-7)


def test_weights_survive_a_round_trip(tmp_path: Path) -> None:
    model, path = make_model(), tmp_path / "m.safetensors"
    checkpoint.save(model, path, {"note": "x"})
    again = checkpoint.load(path)
    assert again.config == SMALL
    with torch.no_grad():
        torch.testing.assert_close(model(make_inputs()).say, again(make_inputs()).say, atol=0.1, rtol=0.1)
    assert fingerprint(path).startswith("m-")
    assert not list(tmp_path.glob("*.tmp"))


def rewrite(path: Path, **meta: str) -> None:
    tensors = load_file(path)
    known = {
        "format": checkpoint.FORMAT,
        "config": json.dumps(dataclasses.asdict(SMALL)),
        "decisions": json.dumps(DECISIONS),
        "say_tokens": json.dumps(SAY_TOKENS),
    }
    save_file(tensors, path, metadata={**known, **meta})


@pytest.mark.parametrize(
    ("meta", "says"),
    [
        ({"format": "other-9"}, "another version"),
        ({"decisions": '["listen"]'}, "another version"),
        ({"say_tokens": '["none"]'}, "other phrases"),
        ({"config": '{"dim": 32}'}, "does not fit"),
        ({"config": json.dumps({**dataclasses.asdict(SMALL), "layers": 3})}, "does not fit"),
    ],
)
def test_weights_of_another_version_are_refused(tmp_path: Path, meta: dict[str, str], says: str) -> None:
    path = tmp_path / "m.safetensors"
    checkpoint.save(make_model(), path)
    rewrite(path, **meta)
    with pytest.raises(InputError, match=says):
        checkpoint.load(path)


@pytest.mark.parametrize(
    "content",
    [b"", b"\x80\x04pickle", struct.pack("<Q", 1 << 62) + b"{}", struct.pack("<Q", 40) + b"{not json" * 9],
)
def test_files_that_are_no_weights_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(content)
    with pytest.raises(InputError):
        checkpoint.load(path)


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    checkpoint.save(make_model(), path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match="damaged"):
        checkpoint.load(path)


def test_numbers_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    model, path = make_model(), tmp_path / "m.safetensors"
    with torch.no_grad():
        model.delegate.bias.fill_(float("nan"))
    checkpoint.save(model, path)
    with pytest.raises(InputError, match="not finite"):
        checkpoint.load(path)


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="microturn train"):
        checkpoint.load(tmp_path / "none.safetensors")
