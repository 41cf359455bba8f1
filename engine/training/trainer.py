"""The training loop: batches, losses, one epoch, and checkpoints from which a run goes on."""

import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from engine.decisions import DECISION_INDEX
from engine.errors import InputError
from engine.model.interaction import InteractionModel, ModelInputs
from engine.training import oracle
from engine.training.config import HELD_OUT, Stage, TrainConfig, TrainSection, model_config
from engine.training.frames import picture_bank
from engine.training.shards import Loaded
from engine.training.visual.bank import Scene
from engine.training.visual.store import SceneStore

PICTURES = 256
PICTURES_A_BATCH = 12
PICTURE_TURNS = 4  # micro-turns for which a picture is shown
CHECKPOINT, BEST = "checkpoint.safetensors", "best.safetensors"
SAY_WEIGHT, DELEGATE_WEIGHT = 0.5, 0.3
HAND_OVER_WEIGHT = 3.0  # a request that is not handed over is lost; one too many costs an empty answer
_OPTIMISER = "optimiser."

Arrays = dict[str, Tensor]


def pick_device(name: str) -> torch.device:
    """``auto`` takes CUDA where torch sees a GPU.

    Raises:
        InputError: ``cuda`` was asked for and there is none.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError(
            "device = 'cuda', but torch sees no GPU: set device = 'auto', or install CUDA's torch"
        )
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")


def batch_inputs(
    data: Arrays,
    rows: Tensor,
    pictures: Tensor,
    rng: np.random.Generator,
    noise: float = 0.0,
    store: SceneStore | None = None,
) -> ModelInputs:
    """Sessions ``rows`` as model inputs; half of those without a scene get a camera with random pictures.

    ``noise``: standard deviation of what is added to the sound's features; with noise pictures vary as well.
    """
    turns = data["decision"].shape[1]
    chosen = torch.from_numpy(rng.choice(len(pictures), size=PICTURES_A_BATCH, replace=False))
    scenes = rng.integers(0, PICTURES_A_BATCH, (len(rows), turns // PICTURE_TURNS + 1))
    shown = np.repeat(scenes, PICTURE_TURNS, axis=1)[:, :turns]
    camera = rng.random((len(rows), 1)) < 0.5
    frames, index = pictures[chosen.to(pictures.device)], np.where(camera, shown, -1)
    seen = data["scene"][rows].tolist()
    watched = [k for k, (file, _) in enumerate(seen) if file >= 0]
    if watched and store is not None:
        films = store.films([tuple(seen[k]) for k in watched], rng if noise else None)
        for place, k in enumerate(watched):
            index[k] = len(frames) + place * turns + np.arange(turns)
        frames = torch.cat([frames, films.to(frames.device)])
    audio = data["audio"][rows].float()
    if noise:
        audio.add_(torch.randn_like(audio), alpha=noise)
    return ModelInputs(
        audio=audio,
        state=data["state"][rows].float(),
        decision=data["decision_in"][rows].long(),
        say=data["say_in"][rows].long(),
        text=data["text"][rows].long(),
        standing=data["standing"][rows].float(),
        frames=frames,
        frame_index=torch.from_numpy(index).to(rows.device),
    )


def _mean(values: Tensor, weight: Tensor) -> Tensor:
    """Weighted mean, 0 where nothing has weight."""
    return (values * weight).sum() / weight.sum().clamp(min=1e-6)


def losses(
    model: torch.nn.Module, inputs: ModelInputs, data: Arrays, rows: Tensor, section: TrainSection
) -> dict[str, Tensor]:
    """Mean loss of each head on a batch, the decision's weighted by class. Heads without targets give 0."""
    out = model(inputs)
    decision = data["decision"][rows].long()
    weight = data["weight"][rows].float()
    classes = torch.tensor(section.class_weights.vector(), device=weight.device)
    wrong = F.cross_entropy(
        out.decision.float().flatten(0, 1),
        decision.flatten(),
        reduction="none",
        label_smoothing=section.label_smoothing,
    )
    active = ((decision != DECISION_INDEX["listen"]) & (weight > 0)).float()
    say = F.cross_entropy(out.say.float().flatten(0, 1), data["say"][rows].long().flatten(), reduction="none")
    delegate = F.binary_cross_entropy_with_logits(
        out.delegate.float(),
        data["delegate"][rows].float(),
        reduction="none",
        pos_weight=torch.tensor(HAND_OVER_WEIGHT, device=weight.device),
    )
    parts = {
        "decision": _mean(wrong, (weight * classes[decision]).flatten()),
        "say": _mean(say, active.flatten()),
        "delegate": _mean(delegate, active),
    }
    if section.aux.activity:
        parts["activity"] = F.binary_cross_entropy_with_logits(
            out.activity.float(), data["activity"][rows].float()
        )
    if section.aux.turn_end:
        target = data["turn_end"][rows].long().flatten()
        each = F.cross_entropy(out.turn_end.float().flatten(0, 1), target, reduction="none", ignore_index=-1)
        parts["turn_end"] = _mean(each, (target >= 0).float())
    if section.aux.complete:
        likely = data["complete"][rows].float()
        each = F.binary_cross_entropy_with_logits(
            out.complete.float(), likely.clamp(min=0.0), reduction="none"
        )
        parts["complete"] = _mean(each, (likely >= 0).float())
    return parts


def total(parts: dict[str, Tensor], section: TrainSection) -> Tensor:
    """The weighted sum that is minimised."""
    weights = {"decision": 1.0, "say": SAY_WEIGHT, "delegate": DELEGATE_WEIGHT, **vars(section.aux)}
    return torch.stack([weights[name] * part for name, part in parts.items()]).sum()


class Trainer:
    """One run's state: model, optimiser, averaged weights, the epoch reached."""

    def __init__(self, config: TrainConfig, folder: Path) -> None:
        torch.manual_seed(config.seed)
        torch.set_num_threads(config.train.threads)
        self.config, self.folder = config, folder
        self.device = pick_device(config.train.device)
        self.model = InteractionModel(model_config(config.model)).to(self.device)
        compiled = config.train.compile and self.device.type == "cuda"
        self.forward: torch.nn.Module = torch.compile(self.model) if compiled else self.model  # type: ignore[assignment]
        self.names = [name for name, _ in self.model.named_parameters()]
        self.weights: list[Tensor] = list(self.model.parameters())
        self.average = [p.detach().clone() for p in self.weights]
        groups = [
            {"params": [p for p in self.weights if p.dim() >= 2], "weight_decay": config.train.weight_decay},
            {"params": [p for p in self.weights if p.dim() < 2], "weight_decay": 0.0},
        ]
        self.optimiser = torch.optim.AdamW(
            groups, lr=config.train.learning_rate, betas=(0.9, 0.98), fused=True
        )
        self.pictures = torch.from_numpy(picture_bank(config.seed, PICTURES)).to(self.device)
        self.store: SceneStore | None = None
        self.watching = 0  # so many of the last sessions are of the watching stage
        self.watch_scenes: tuple[list[Scene], list[NDArray[np.float16]]] | None = None
        self.epoch = 0
        self.steps = 0
        self.score = -math.inf
        self.data: Arrays = {}

    def use(self, loaded: Loaded, imitation_shards: int, hard_moments: bool = False) -> None:
        """Train on these sessions; the last of those in the first ``imitation_shards`` are held out.

        ``hard_moments``: with the whole weight that the oracle gave them.
        """
        base = sum(loaded.counts[:imitation_shards])
        held = max(1, int(base * HELD_OUT))
        sessions = sum(loaded.counts)
        self.data = {k: v.to(self.device) for k, v in loaded.arrays.items()}
        oracle.give_up(*(self.data[name] for name in ("decision", "say", "delegate", "weight")))
        if not hard_moments:
            given = (self.data[name] for name in ("weight", "decision", "complete"))
            self.data["weight"] = oracle.even(*given)
        self.held = np.arange(base - held, base)
        self.training = np.setdiff1d(np.arange(sessions), self.held)
        if len(self.training) < self.config.train.batch:
            raise InputError(
                f"batch {self.config.train.batch} is more than the {len(self.training)} sessions that there "
                "are to train on: use more shards, or a smaller batch"
            )

    def steps_an_epoch(self, stage: Stage) -> int:
        return len(self._order(stage, np.random.default_rng(0))) // self.config.train.batch

    def learning_rate(self, stage: Stage, step: int) -> float:
        """Linear warm-up, then a cosine down to a twentieth; ``step`` counts from the stage's start."""
        if step < stage.warmup_steps:
            return stage.learning_rate * (step + 1) / stage.warmup_steps
        whole = max(1, (stage.last - stage.first) * self.steps_an_epoch(stage) - stage.warmup_steps)
        done = (step - stage.warmup_steps) / whole
        return stage.learning_rate * (0.05 + 0.475 * (1 + math.cos(math.pi * done)))

    def autocast(self) -> torch.autocast:
        wanted = self.config.train.precision == "bf16"
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=wanted)

    def step(self, rows: NDArray[np.int64], rate: float, rng: np.random.Generator) -> dict[str, Tensor]:
        """One update from sessions ``rows``; returns the losses, detached."""
        section = self.config.train
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        chosen = torch.from_numpy(rows).to(self.device)
        inputs = batch_inputs(self.data, chosen, self.pictures, rng, section.feature_noise, self.store)
        with self.autocast():
            parts = losses(self.forward, inputs, self.data, chosen, section)
        self.optimiser.zero_grad()
        total(parts, section).backward()
        torch.nn.utils.clip_grad_norm_(self.weights, 1.0)
        self.optimiser.step()
        keep = min(section.ema, (1 + self.steps) / (10 + self.steps))
        with torch.no_grad():
            torch._foreach_lerp_(self.average, self.weights, 1 - keep)
        self.steps += 1
        return {name: part.detach() for name, part in parts.items()}

    def run_epoch(self, stage: Stage) -> dict[str, float]:
        """One pass over the training sessions; returns mean losses and micro-turns a second."""
        rng = np.random.default_rng([self.config.seed, self.epoch])
        torch.manual_seed(self.config.seed * 1000 + self.epoch)
        order = self._order(stage, rng)
        batch = self.config.train.batch
        steps = len(order) // batch
        sums: dict[str, Tensor] = {}
        self.model.train()
        began = time.perf_counter()
        for k in range(steps):
            rows = np.sort(order[k * batch : (k + 1) * batch])
            rate = self.learning_rate(stage, (self.epoch - stage.first) * steps + k)
            for name, part in self.step(rows, rate, rng).items():
                sums[name] = sums[name] + part if name in sums else part
        means = {name: float(value) / steps for name, value in sums.items()}
        positions = steps * batch * self.data["decision"].shape[1]
        if not all(math.isfinite(v) for v in means.values()):
            raise InputError(
                f"the loss is no longer finite in epoch {self.epoch + 1}: lower learning_rate, and begin anew"
            )
        self.epoch += 1
        return {**means, "positions_per_s": round(positions / (time.perf_counter() - began))}

    def _order(self, stage: Stage, rng: np.random.Generator) -> NDArray[np.int64]:
        """The sessions of an epoch; when watching is trained, all of its own sessions and as many others."""
        if not stage.watching:
            return rng.permutation(self.training)
        own = self.training >= len(self.data["scene"]) - self.watching
        others = self.training[~own]
        some = rng.choice(others, min(len(others), int(own.sum())), replace=False)
        return rng.permutation(np.concatenate([self.training[own], some]))

    def averaged(self) -> InteractionModel:
        """A copy with the averaged weights, on the CPU, for evaluation."""
        return self._copy({name: v.cpu() for name, v in zip(self.names, self.average, strict=True)})

    def _copy(self, weights: dict[str, Tensor]) -> InteractionModel:
        model = InteractionModel(self.model.config)
        model.load_state_dict(weights)
        return model.eval()

    @torch.inference_mode()
    def held_out(self) -> dict[str, float]:
        """Losses of the averaged weights on the sessions kept out."""
        rng = np.random.default_rng(self.config.seed)
        model = self.averaged().to(self.device)
        sums: dict[str, float] = {}
        for rows in np.array_split(self.held, math.ceil(len(self.held) / self.config.train.batch)):
            chosen = torch.from_numpy(rows).to(self.device)
            inputs = batch_inputs(self.data, chosen, self.pictures, rng, store=self.store)
            with self.autocast():
                parts = losses(model, inputs, self.data, chosen, self.config.train)
            for name, part in parts.items():
                sums[f"held_{name}"] = sums.get(f"held_{name}", 0.0) + float(part) * len(rows) / len(
                    self.held
                )
        return sums

    def keep_if_best(self, score: float) -> bool:
        """Store the averaged weights when ``score`` is the run's highest so far."""
        if score < self.score:
            return False
        self.score = score
        tensors = {name: v.cpu() for name, v in zip(self.names, self.average, strict=True)}
        _write(self.folder / BEST, tensors, {"epoch": self.epoch, "score": score}, self.config)
        return True

    def best(self) -> tuple[InteractionModel, int]:
        """The best epoch's averaged weights, and which epoch that was.

        Raises:
            InputError: the file is damaged or of another run.
        """
        tensors, meta = _read(self.folder / BEST, self.config)
        return self._copy(tensors), int(meta["epoch"])

    def go_back_to_best(self) -> None:
        """Go on from the averaged weights of the best epoch so far: the next stage begins there.

        Raises:
            InputError: the file is damaged or of another run.
        """
        tensors, _ = _read(self.folder / BEST, self.config)
        with torch.no_grad():
            for name, weight, average in zip(self.names, self.weights, self.average, strict=True):
                weight.copy_(tensors[name])
                average.copy_(tensors[name])

    def save(self) -> None:
        """Write a checkpoint from which the run can go on, atomically."""
        tensors = {f"model.{k}": v for k, v in zip(self.names, self.weights, strict=True)}
        tensors |= {f"average.{k}": v for k, v in zip(self.names, self.average, strict=True)}
        for index, moments in self.optimiser.state_dict()["state"].items():
            tensors |= {f"{_OPTIMISER}{index}.{k}": v for k, v in moments.items()}
        meta = {"epoch": self.epoch, "steps": self.steps, "score": self.score}
        _write(self.folder / CHECKPOINT, tensors, meta, self.config)

    def resume(self) -> None:
        """Go on from the last checkpoint, if there is one.

        Raises:
            InputError: the file is damaged or of another run.
        """
        stored = self.folder / CHECKPOINT
        if not stored.exists():
            return
        tensors, meta = _read(stored, self.config)
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in tensors.items():
            if name.startswith(_OPTIMISER):
                _, index, key = name.split(".")
                state.setdefault(int(index), {})[key] = value
        try:
            self.model.load_state_dict({k: tensors[f"model.{k}"] for k in self.names})
            for name, value in zip(self.names, self.average, strict=True):
                value.copy_(tensors[f"average.{name}"])
            self.optimiser.load_state_dict({**self.optimiser.state_dict(), "state": state})
            self.epoch, self.steps = int(meta["epoch"]), int(meta["steps"])
            self.score = float(meta["score"])
        except (KeyError, ValueError, RuntimeError) as err:
            raise InputError(
                f"{stored} does not fit this version: delete it and go on with --resume; training starts anew"
            ) from err


def _write(path: Path, tensors: dict[str, Tensor], meta: dict[str, Any], config: TrainConfig) -> None:
    temporary = path.with_suffix(".tmp")
    notes = {k: str(v) for k, v in {**meta, "digest": config.digest()}.items()}
    save_file({k: v.detach().cpu().contiguous().clone() for k, v in tensors.items()}, temporary, notes)
    temporary.replace(path)


def _read(path: Path, config: TrainConfig) -> tuple[dict[str, Tensor], dict[str, str]]:
    try:
        with safe_open(path, framework="pt", device="cpu") as stored:
            meta = stored.metadata() or {}
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as err:
        raise InputError(
            f"{path} is damaged: delete it and go on with --resume; the data stays, training starts anew"
        ) from err
    if meta.get("digest") != config.digest():
        raise InputError(f"{path} belongs to another config: choose another --out, or move it away")
    return tensors, meta
