"""``microturn train CONFIG``: from raw voices and texts to weights with a card.

Stages, each kept in the run's folder and skipped when it is there: clip pool,
shards, checkpoints, weights. The folder belongs to one config: resuming with
another is refused.
"""

import dataclasses
import hashlib
import json
import math
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor

from engine import checkpoint
from engine.decisions import DECISION_INDEX, DECISIONS, SAY_TOKENS
from engine.encode import STATE_DIM, TEXT_BUCKETS, TEXT_SLOTS
from engine.errors import InputError
from engine.frontend import DMEL_DIM, FEATURE_DIMS
from engine.model.config import ModelConfig
from engine.model.interaction import InteractionModel, ModelInputs
from engine.training import evaluate
from engine.training.card import write_card
from engine.training.dataset import DataConfig, load_shards, make_shards
from engine.training.frames import picture_bank

CONFIGS = Path(__file__).parent / "configs"
_CLASS_WEIGHTS = {"listen": 1.0, "speak": 1.0, "backchannel": 2.0, "interrupt": 3.0, "yield": 3.0}
_PICTURES = 256
_HELD_OUT = 0.05


@dataclass(frozen=True)
class ModelSection:
    front_end: str = "whisper"
    dim: int = 256
    layers: int = 6
    heads: int = 4
    window: int = 256
    dropout: float = 0.1


@dataclass(frozen=True)
class TrainSection:
    epochs: int = 10
    batch: int = 16
    learning_rate: float = 6e-4
    weight_decay: float = 0.05
    warmup_steps: int = 100
    activity_weight: float = 0.3
    ema: float = 0.995
    threads: int = 2


@dataclass(frozen=True)
class TrainConfig:
    """A training run. Read from TOML; unknown keys are refused."""

    name: str
    seed: int
    data: DataConfig
    model: ModelSection
    train: TrainSection

    def digest(self) -> str:
        return hashlib.sha256(json.dumps(dataclasses.asdict(self), sort_keys=True).encode()).hexdigest()[:16]


def _section(cls: type[Any], table: dict[str, Any], where: str) -> Any:
    known = {f.name: f.type for f in dataclasses.fields(cls)}
    for key, value in table.items():
        if key not in known:
            raise InputError(f"config: unknown key '{key}' in [{where}]; known: {', '.join(known)}")
        wanted = known[key]
        assert not isinstance(wanted, str)
        expected = (int, float) if wanted is float else (wanted,)
        if not isinstance(value, expected) or isinstance(value, bool):
            raise InputError(f"config: [{where}] {key} must be {wanted.__name__}")
    return cls(**table)


def load_config(path: Path) -> TrainConfig:
    """Read a config; a bare name means one of the shipped ones.

    Raises:
        InputError: not found, not TOML, unknown keys, or values that contradict each other.
    """
    if not path.exists():
        shipped = CONFIGS / f"{path.name.removesuffix('.toml')}.toml"
        if not shipped.exists():
            names = ", ".join(sorted(p.stem for p in CONFIGS.glob("*.toml")))
            raise InputError(f"no config {path}; shipped ones: {names}")
        path = shipped
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as err:
        raise InputError(f"{path} is not valid TOML: {err}") from err
    extra = set(table) - {"name", "seed", "data", "model", "train"}
    if extra or "name" not in table:
        what = f"unknown key '{min(extra)}'" if extra else "no 'name'"
        raise InputError(f"{path}: {what}; a config has name, seed, [data], [model], [train]")
    config = TrainConfig(
        name=str(table["name"]),
        seed=int(table.get("seed", 0)),
        data=_section(DataConfig, table.get("data", {}), "data"),
        model=_section(ModelSection, table.get("model", {}), "model"),
        train=_section(TrainSection, table.get("train", {}), "train"),
    )
    if config.model.front_end not in FEATURE_DIMS:
        raise InputError(f"{path}: front_end must be one of {', '.join(FEATURE_DIMS)}")
    if config.model.dim % (2 * config.model.heads):
        raise InputError(f"{path}: dim {config.model.dim} must be a multiple of twice heads")
    return config


def model_config(section: ModelSection) -> ModelConfig:
    return ModelConfig(
        front_end=section.front_end,
        audio_dim=FEATURE_DIMS[section.front_end],
        dmel_dim=DMEL_DIM,
        decisions=len(DECISIONS),
        say_tokens=len(SAY_TOKENS),
        dim=section.dim,
        layers=section.layers,
        heads=section.heads,
        window=section.window,
        state_dim=STATE_DIM,
        text_buckets=TEXT_BUCKETS,
        text_slots=TEXT_SLOTS,
        dropout=section.dropout,
    )


def batch_inputs(
    data: dict[str, NDArray[Any]],
    rows: NDArray[np.int64],
    pictures: Tensor,
    rng: np.random.Generator,
    audio_dim: int,
) -> ModelInputs:
    """Sessions ``rows`` as model inputs; half of them get a camera with random pictures."""
    turns = data["decision"].shape[1]
    chosen = torch.from_numpy(rng.choice(len(pictures), size=12, replace=False))
    shown = np.repeat(rng.integers(0, 12, (len(rows), turns // 4 + 1)), 4, axis=1)[:, :turns]
    camera = rng.random((len(rows), 1)) < 0.5
    return ModelInputs(
        audio=torch.from_numpy(data["audio"][rows][..., :audio_dim]).float(),
        state=torch.from_numpy(data["state"][rows]),
        decision=torch.from_numpy(data["decision_in"][rows]).long(),
        say=torch.from_numpy(data["say_in"][rows]).long(),
        text=torch.from_numpy(data["text"][rows]).long(),
        frames=pictures[chosen],
        frame_index=torch.from_numpy(np.where(camera, shown, -1)),
    )


def losses(
    model: InteractionModel, inputs: ModelInputs, data: dict[str, NDArray[Any]], rows: NDArray[np.int64]
) -> dict[str, Tensor]:
    """Mean losses of each head on a batch."""
    out = model(inputs)
    decision = torch.from_numpy(data["decision"][rows]).long()
    weight = torch.from_numpy(data["weight"][rows]).float()
    classes = torch.tensor([_CLASS_WEIGHTS[name] for name in DECISIONS])
    per_turn = weight * classes[decision]
    wrong = F.cross_entropy(out.decision.float().flatten(0, 1), decision.flatten(), reduction="none")
    active = (decision != DECISION_INDEX["listen"]) & (weight > 0)
    say = torch.from_numpy(data["say"][rows]).long()
    delegate = torch.from_numpy(data["delegate"][rows]).float()
    activity = torch.from_numpy(data["activity"][rows]).float()
    return {
        "decision": (wrong * per_turn.flatten()).sum() / per_turn.sum(),
        "say": F.cross_entropy(out.say.float()[active], say[active]),
        "delegate": F.binary_cross_entropy_with_logits(out.delegate.float()[active], delegate[active]),
        "activity": F.binary_cross_entropy_with_logits(out.activity.float(), activity),
    }


class Trainer:
    """One run's state: model, optimiser, averaged weights, log."""

    def __init__(self, config: TrainConfig, folder: Path, data: dict[str, NDArray[Any]]) -> None:
        torch.manual_seed(config.seed)
        torch.set_num_threads(config.train.threads)
        self.config, self.folder, self.data = config, folder, data
        sessions = len(data["decision"])
        held = max(1, int(sessions * _HELD_OUT))
        self.training, self.held = np.arange(sessions - held), np.arange(sessions - held, sessions)
        self.model = InteractionModel(model_config(config.model))
        self.average = {k: v.detach().clone() for k, v in self.model.state_dict().items()}
        decayed = [p for p in self.model.parameters() if p.dim() >= 2]
        plain = [p for p in self.model.parameters() if p.dim() < 2]
        self.optimiser = torch.optim.AdamW(
            [
                {"params": decayed, "weight_decay": config.train.weight_decay},
                {"params": plain, "weight_decay": 0.0},
            ],
            lr=config.train.learning_rate,
            betas=(0.9, 0.98),
        )
        self.pictures = torch.from_numpy(picture_bank(config.seed, _PICTURES))
        self.steps_an_epoch = max(1, len(self.training) // config.train.batch)
        self.epoch = 0

    def learning_rate(self, step: int) -> float:
        """Linear warm-up, then a cosine down to a twentieth."""
        section = self.config.train
        if step < section.warmup_steps:
            return section.learning_rate * (step + 1) / section.warmup_steps
        whole = max(1, section.epochs * self.steps_an_epoch - section.warmup_steps)
        return section.learning_rate * (
            0.05 + 0.475 * (1 + math.cos(math.pi * (step - section.warmup_steps) / whole))
        )

    def total(self, parts: dict[str, Tensor]) -> Tensor:
        weight = self.config.train.activity_weight
        return parts["decision"] + 0.5 * parts["say"] + 0.3 * parts["delegate"] + weight * parts["activity"]

    def run_epoch(self) -> dict[str, float]:
        """One pass over the training sessions; returns mean losses."""
        rng = np.random.default_rng([self.config.seed, self.epoch])
        torch.manual_seed(self.config.seed * 1000 + self.epoch)
        order = rng.permutation(self.training)
        sums: dict[str, float] = {}
        self.model.train()
        for k in range(self.steps_an_epoch):
            rows = np.sort(order[k * self.config.train.batch : (k + 1) * self.config.train.batch])
            step = self.epoch * self.steps_an_epoch + k
            for group in self.optimiser.param_groups:
                group["lr"] = self.learning_rate(step)
            inputs = batch_inputs(self.data, rows, self.pictures, rng, self.model.config.audio_dim)
            noise = torch.randn_like(inputs.audio) * 0.1
            inputs = dataclasses.replace(inputs, audio=inputs.audio + noise)
            with torch.autocast("cpu", dtype=torch.bfloat16):
                parts = losses(self.model, inputs, self.data, rows)
            self.optimiser.zero_grad()
            self.total(parts).backward()
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            self.optimiser.step()
            keep = min(self.config.train.ema, (1 + step) / (10 + step))
            for name, value in self.model.state_dict().items():
                self.average[name].lerp_(value.detach(), 1 - keep)
            for name, part in parts.items():
                sums[name] = sums.get(name, 0.0) + float(part.detach()) / self.steps_an_epoch
        self.epoch += 1
        return sums

    def averaged(self) -> InteractionModel:
        model = InteractionModel(self.model.config)
        model.load_state_dict(self.average)
        return model.eval()

    @torch.inference_mode()
    def held_out(self, model: InteractionModel) -> dict[str, float]:
        """Losses on sessions kept out, in whole-batch means."""
        rng = np.random.default_rng(self.config.seed)
        inputs = batch_inputs(self.data, self.held, self.pictures, rng, model.config.audio_dim)
        return {f"held_{k}": float(v) for k, v in losses(model, inputs, self.data, self.held).items()}

    def save(self) -> None:
        """Write a checkpoint from which the run can go on, atomically."""
        tensors = {f"model.{k}": v for k, v in self.model.state_dict().items()}
        tensors |= {f"average.{k}": v for k, v in self.average.items()}
        for index, moments in self.optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{index}.{k}": v for k, v in moments.items()}
        temporary = self.folder / "checkpoint.tmp"
        meta = {"epoch": str(self.epoch), "digest": self.config.digest()}
        save_file({k: v.contiguous().clone() for k, v in tensors.items()}, temporary, metadata=meta)
        temporary.replace(self.folder / "checkpoint.safetensors")
        (self.folder / "epoch.txt").write_text(str(self.epoch))

    def resume(self) -> None:
        """Go on from the last checkpoint, if there is one."""
        stored = self.folder / "checkpoint.safetensors"
        if not stored.exists():
            return
        tensors = load_file(stored)
        self.model.load_state_dict({k[6:]: v for k, v in tensors.items() if k.startswith("model.")})
        self.average = {k[8:]: v for k, v in tensors.items() if k.startswith("average.")}
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in tensors.items():
            if name.startswith("optimiser."):
                _, index, key = name.split(".")
                state.setdefault(int(index), {})[key] = value
        whole = self.optimiser.state_dict()
        whole["state"] = state
        self.optimiser.load_state_dict(whole)
        self.epoch = int((self.folder / "epoch.txt").read_text())


def claim_folder(folder: Path, config: TrainConfig, resume: bool) -> None:
    """Make the run's folder this config's own.

    Raises:
        InputError: it holds another run, or one that was not to be resumed.
    """
    stamp = folder / "config.json"
    if stamp.exists():
        if json.loads(stamp.read_text())["digest"] != config.digest():
            raise InputError(
                f"{folder} holds a run with another config: choose another --out, or move it away"
            )
        if not resume and (folder / f"{config.name}.safetensors").exists():
            raise InputError(
                f"{folder} holds a finished run: pass --resume to go on, or choose another --out"
            )
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        stamp.write_text(json.dumps({"digest": config.digest(), **dataclasses.asdict(config)}, indent=1))
    except OSError as err:
        raise InputError(f"cannot write to {folder}: {err.strerror}") from err


def run_training(
    config: Path, out: Path | None = None, data: Path | None = None, resume: bool = False
) -> None:
    """Train from raw data to weights and a model card in ``out`` (default ``runs/NAME``).

    ``data``: folder with ``librispeech-*/`` voices and ``self-dialogues.jsonl.gz``;
    without it training uses synthetic voices and the request grammar only.
    """
    settings = load_config(config)
    folder = out or Path("runs") / settings.name
    if data is not None and not data.is_dir():
        raise InputError(f"--data {data}: no such folder")
    if data is None:
        print("data: no --data given, training without real voices and dialogue texts", flush=True)
    claim_folder(folder, settings, resume)
    began = time.monotonic()
    make_shards(folder, data, settings.data)
    trainer = Trainer(settings, folder, load_shards(folder, settings.data))
    trainer.resume()
    cases, features = validation(folder, data, "validation", settings.model.front_end)
    while trainer.epoch < settings.train.epochs:
        sums = trainer.run_epoch()
        model = trainer.averaged()
        row: dict[str, Any] = {"epoch": trainer.epoch, "seconds": round(time.monotonic() - began), **sums}
        row |= trainer.held_out(model)
        bias, report = evaluate.choose_bias(cases, evaluate.decision_logits(model, features))
        row |= {"bias": bias, **dataclasses.asdict(report)}
        trainer.save()
        with (folder / "log.jsonl").open("a") as log:
            log.write(json.dumps(row) + "\n")
        print(
            f"epoch {trainer.epoch}: loss {sums['decision']:.4f} held {row['held_decision']:.4f} | "
            f"bias {bias:+.2f} {report.line()}",
            flush=True,
        )
    finish(trainer, cases, features, data)


def validation(
    folder: Path, data: Path | None, split: str, front_end: str
) -> tuple[list[evaluate.Case], list[NDArray[np.float32]]]:
    """Cases of a split with their features: real voices where there are any, and always noise."""
    cases = evaluate.human_cases(data, folder, split) if data else []
    cases += evaluate.noise_cases()
    return cases, evaluate.case_features(cases, folder / f"{split}.npz", front_end)


def finish(
    trainer: Trainer, cases: list[evaluate.Case], features: list[NDArray[np.float32]], data: Path | None
) -> None:
    """Choose the bias on validation voices, judge once on test voices, write weights and card."""
    model = trainer.averaged()
    bias, on_validation = evaluate.choose_bias(cases, evaluate.decision_logits(model, features))
    with torch.no_grad():
        for name in ("speak", "interrupt"):
            model.decision.bias[DECISION_INDEX[name]] += bias
    front_end = trainer.config.model.front_end
    test_cases, test_features = validation(trainer.folder, data, "test", front_end)
    weights = trainer.folder / f"{trainer.config.name}.safetensors"
    checkpoint.save(model, weights, {"training_digest": trainer.config.digest()})
    on_test = evaluate.judge(
        test_cases, evaluate.decision_logits(checkpoint.load(weights), test_features), 0.0
    )
    print(f"validation: {on_validation.line()}\ntest: {on_test.line()}\nweights: {weights}", flush=True)
    hours = trainer.data["decision"].size * 0.2 / 3600
    write_card(weights, trainer.config, model, hours, bias, on_validation, on_test)
