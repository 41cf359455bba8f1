"""``microturn train CONFIG``: from raw data to weights with a card, stage by stage.

Imitation comes first: conversations in which the simulated assistant follows
the oracle, or strays from it at random. Then come on-policy rounds: the current
weights play, the oracle says what they should have done, and training goes on
with both. What a stage makes is kept in the run's folder, so an interrupted run
goes on where it stopped. The folder belongs to one config.
"""

import ctypes
import dataclasses
import json
import math
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from engine import checkpoint
from engine.config import CHUNK_S
from engine.decisions import DECISION_INDEX
from engine.errors import InputError
from engine.model.interaction import InteractionModel
from engine.training import evaluate, shards
from engine.training.card import write_card
from engine.training.config import CONFIGS, Stage, TrainConfig, load_config
from engine.training.dataset import POOL, make_shards, shard_path, synthetic_clips
from engine.training.trainer import BEST, Trainer
from engine.training.visual.store import SceneStore

if TYPE_CHECKING:
    from engine.training.watch_eval import WatchReport

__all__ = ["CONFIGS", "load_config", "run_training", "train"]
LOG = "log.jsonl"
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of malloc.h
JUDGED_FILES = 3  # of 16 scenes, by which epochs of the watching stage are judged
Features = list[NDArray[np.float32]]


@dataclass(frozen=True)
class Folders:
    """Where a run reads and writes. ``data`` holds real voices and texts; ``shards`` what is made of them."""

    out: Path
    shards: Path
    data: Path | None


def claim(folder: Path, config: TrainConfig, resume: bool) -> None:
    """Make the run's folder this config's own.

    Raises:
        InputError: it holds another run, or one that was not to be resumed.
    """
    stamp = folder / "config.json"
    if stamp.exists():
        if read_stamp(stamp).get("digest") != config.digest():
            raise InputError(
                f"{folder} holds a run with another config: choose another --out, or move it away"
            )
        if not resume and (folder / f"{config.name}.safetensors").exists():
            raise InputError(
                f"{folder} holds a finished run: pass --resume to go on, or choose another --out"
            )
        return
    write_stamp(stamp, {"digest": config.digest(), **dataclasses.asdict(config)})


def claim_shards(folder: Path, config: TrainConfig, real_voices: bool) -> None:
    """Make a folder of shards that of one ``[data]`` section, which several runs may share.

    Raises:
        InputError: it holds shards of another one.
    """
    stamp = folder / "data.json"
    digest = config.data_digest(real_voices)
    if stamp.exists():
        if read_stamp(stamp).get("digest") != digest:
            raise InputError(
                f"{folder} holds shards of another [data] section, or made with other voices: "
                "use the same [data] and --data, or another folder"
            )
        return
    if shard_path(folder, 0).exists():
        print(f"data: {folder} does not say how its shards were made; they are taken as they are", flush=True)
    write_stamp(
        stamp, {"digest": digest, "real_voices": real_voices, "data": dataclasses.asdict(config.data)}
    )


def read_stamp(stamp: Path) -> dict[str, Any]:
    """A JSON object from a file.

    Raises:
        InputError: it cannot be read.
    """
    try:
        stored = json.loads(stamp.read_text())
    except (ValueError, OSError) as err:
        raise InputError(f"{stamp} cannot be read: choose another folder, or move this one away") from err
    return stored if isinstance(stored, dict) else {}


def write_stamp(stamp: Path, content: dict[str, Any]) -> None:
    """Write a JSON object, its folder included, whole or not at all.

    Raises:
        InputError: the place cannot be written to.
    """
    try:
        stamp.parent.mkdir(parents=True, exist_ok=True)
        temporary = stamp.with_suffix(".tmp")
        temporary.write_text(json.dumps(content, indent=1) + "\n")
        temporary.replace(stamp)
    except OSError as err:
        raise InputError(f"cannot write to {stamp.parent}: {err.strerror}") from err


def validation(folders: Folders, split: str, front_end: str) -> tuple[list[evaluate.Case], Features]:
    """Cases of a split with their features: real voices where there are any, and always noise.

    Validation also has turns of synthetic voices, for which some are kept out of training.
    """
    cases = evaluate.human_cases(folders.data, folders.shards, split) if folders.data else []
    if split == "validation" and (folders.shards / POOL).exists():
        cases += evaluate.synthetic_cases(synthetic_clips(folders.shards)[1])
    cases += evaluate.noise_cases()
    return cases, evaluate.case_features(cases, folders.shards / f"{split}-{front_end}.npz", front_end)


def biased(model: InteractionModel, bias: float) -> InteractionModel:
    """``model`` itself, ``bias`` added to the logits of speak and interrupt for good."""
    with torch.no_grad():
        for name in ("speak", "interrupt"):
            model.decision.bias[DECISION_INDEX[name]] += bias
    return model


def run_training(
    config: Path,
    out: Path | None = None,
    data: Path | None = None,
    resume: bool = False,
    shards_folder: Path | None = None,
) -> None:
    """Train from raw data to weights and a model card in ``out`` (default ``runs/NAME``).

    ``data``: folder with ``librispeech-*/`` voices and ``self-dialogues.jsonl.gz``;
    without it training uses synthetic voices and the request grammar only.
    ``shards_folder``: where simulated conversations lie or are made (default: in ``out``).

    Raises:
        InputError: the config, a folder or a file in it cannot be used; nothing was overwritten.
    """
    settings = load_config(config)
    folder = out or Path("runs") / settings.name
    train(settings, Folders(folder, shards_folder or folder, usable_data(data)), resume)


def usable_data(data: Path | None) -> Path | None:
    """``data`` if it holds real voices; says so where it does not.

    Raises:
        InputError: there is no such folder.
    """
    if data is None:
        print("data: no --data given, training without real voices and dialogue texts", flush=True)
        return None
    if not data.is_dir():
        raise InputError(f"--data {data}: no such folder")
    if not any(data.glob("librispeech-*/*.ogg")):
        print(f"data: no librispeech-*/*.ogg in {data}, training without real voices", flush=True)
        return None
    return data


def train(config: TrainConfig, folders: Folders, resume: bool = False) -> dict[str, Any]:
    """Run what is left of a training run; returns the log row of the epoch that was kept."""
    keep_memory()
    claim(folders.out, config, resume)
    claim_shards(folders.shards, config, folders.data is not None)
    make_shards(folders.shards, folders.data, config.data)
    trainer = Trainer(config, folders.out)
    trainer.resume()
    prune_log(folders.out / LOG, trainer.epoch)
    cases, features = validation(folders, "validation", config.model.front_end)
    paths = [shard_path(folders.shards, n) for n in range(config.shards_used())]
    imitation = len(paths)
    for stage in config.plan():
        if stage.round:
            if trainer.epoch == stage.first:
                trainer.go_back_to_best()
            if stage.watching:
                paths += watch_shards(trainer, folders)
            else:
                paths += policy_shards(trainer, stage, folders, cases, features)
        if trainer.epoch >= stage.last:
            continue
        if trainer.epoch == stage.first:
            trainer.score = -math.inf  # the best epoch is looked for in the last stage
        began = time.perf_counter()
        loaded = shards.load(paths, trainer.model.config, config.train.voices_used)
        trainer.use(loaded, imitation, stage.hard_moments)
        trainer.watching = sum(loaded.counts[-config.stages.watching.scenes :]) if stage.watching else 0
        hours = loaded.arrays["decision"].numel() * CHUNK_S / 3600
        print(
            f"{stage.name}: {hours:.1f} h of conversation from {len(paths)} shards, "
            f"loaded in {time.perf_counter() - began:.0f} s, on {trainer.device}",
            flush=True,
        )
        while trainer.epoch < stage.last:
            epoch(trainer, stage, hours, cases, features)
    return finish(trainer, folders, cases, features)


def keep_memory() -> None:
    """Let glibc keep what is freed: the pictures of a batch are hundreds of MB, and to get such memory anew
    from Linux in every step takes fifteen times as long as the computing. Elsewhere nothing is done.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        if hasattr(libc, "mallopt"):
            libc.mallopt(_M_MMAP_THRESHOLD, 1 << 30)
            libc.mallopt(_M_TRIM_THRESHOLD, (1 << 31) - 1)


def watch_shards(trainer: Trainer, folders: Folders) -> list[Path]:
    """Shards of sessions with a camera; the trainer gets their scenes."""
    from engine.training.visual.splits import VALIDATION
    from engine.training.watch_data import (
        WatchConfig,
        make_watch_shards,
        room_features,
        scenes_path,
        validation_scenes,
    )

    section = trainer.config.stages.watching
    wanted = WatchConfig(section.scenes, section.variants, section.spoken, section.blind)
    trainer.store = SceneStore({n: scenes_path(folders.shards, n) for n in range(section.scenes)})
    data = trainer.config.data
    paths = make_watch_shards(folders.shards, folders.data, data, wanted)
    kept = validation_scenes(folders.shards, data.seed, JUDGED_FILES, data.turns * CHUNK_S, VALIDATION)
    trainer.watch_scenes = kept, room_features(folders.shards, data.seed, data.turns)
    return paths


def policy_shards(
    trainer: Trainer, stage: Stage, folders: Folders, cases: list[evaluate.Case], features: Features
) -> list[Path]:
    """Shards of an on-policy round, played by the weights with which the round began."""
    from engine.training.onpolicy import roll_out

    weights = folders.out / f"round-{stage.round}.safetensors"
    if not weights.exists():
        model = trainer.averaged()
        choice = evaluate.choose_bias(cases, evaluate.decision_logits(model, features))
        checkpoint.save(biased(model, choice.bias), weights)
    count = trainer.config.stages.on_policy[stage.round - 1].shards
    return roll_out(
        folders.out, folders.shards, stage.round, count, weights, trainer.config.data, folders.data
    )


def epoch(
    trainer: Trainer, stage: Stage, hours: float, cases: list[evaluate.Case], features: Features
) -> None:
    """Train for an epoch, judge its averaged weights, keep them if they are the best, and log all that."""
    began = time.perf_counter()
    sums = trainer.run_epoch(stage)
    choice = evaluate.choose_bias(cases, evaluate.decision_logits(trainer.averaged(), features))
    report = choice.report
    held = trainer.held_out()
    # Without voices to judge on there is only the loss on conversations kept out.
    score = choice.score if report.ends else -held["held_decision"]
    watched = watch_report(trainer, stage)
    best = trainer.keep_if_best(score + (watched.score if watched else 0.0))
    row = {"epoch": trainer.epoch, "stage": stage.name, "hours": round(hours, 2), **sums, **held}
    row |= {"bias": choice.bias, **dataclasses.asdict(report), "usefulness": evaluate.usefulness(report)}
    if choice.human and choice.synthetic:
        row |= {f"synthetic_{k}": v for k, v in dataclasses.asdict(choice.synthetic).items()}
    row |= {"score": score, "best": best}
    row |= {f"watch_{k}": v for k, v in dataclasses.asdict(watched).items()} if watched else {}
    row["seconds"] = round(time.perf_counter() - began, 1)
    with (trainer.folder / LOG).open("a") as log:
        log.write(json.dumps({k: finite(v) for k, v in row.items()}) + "\n")
    trainer.save()
    print(
        f"epoch {trainer.epoch} ({stage.name}): loss {sums['decision']:.4f} held {held['held_decision']:.4f} "
        f"{sums['positions_per_s']:.0f} micro-turns/s | bias {choice.bias:+.2f} {report.line()} | "
        f"score {score:.3f}{' (best so far)' if best else ''}" + (f"\n  {watched.line()}" if watched else ""),
        flush=True,
    )


def watch_report(trainer: Trainer, stage: Stage) -> "WatchReport | None":
    """How well the averaged weights watch, where that is trained."""
    if not stage.watching or trainer.watch_scenes is None:
        return None
    from engine.training.watch_eval import judge

    return judge(trainer.averaged(), *trainer.watch_scenes)


def finite(value: Any) -> Any:
    """None in place of a number that JSON cannot hold, such as the offset where no end was taken."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def read_log(log: Path) -> list[dict[str, Any]]:
    """The rows of a log; a last line that was cut off is left out."""
    rows = []
    for line in log.read_text().splitlines() if log.exists() else []:
        try:
            rows.append(json.loads(line))
        except ValueError:
            break
    return rows


def prune_log(log: Path, last: int) -> None:
    """Drop rows of epochs after ``last``, which the checkpoint does not hold and which come again."""
    if log.exists():
        kept = [row for row in read_log(log) if row["epoch"] <= last]
        temporary = log.with_suffix(".tmp")
        temporary.write_text("".join(json.dumps(row) + "\n" for row in kept))
        temporary.replace(log)


def finish(
    trainer: Trainer, folders: Folders, cases: list[evaluate.Case], features: Features
) -> dict[str, Any]:
    """Take the best epoch, choose its bias on validation voices, judge once on test voices, write weights."""
    config = trainer.config
    if not (trainer.folder / BEST).exists():
        raise InputError(f"{trainer.folder / BEST} is missing: delete the checkpoint beside it and --resume")
    model, number = trainer.best()
    choice = evaluate.choose_bias(cases, evaluate.decision_logits(model, features))
    on_validation = choice.report
    weights = trainer.folder / f"{config.name}.safetensors"
    checkpoint.save(biased(model, choice.bias), weights, {"training_digest": config.digest()})
    test_cases, test_features = validation(folders, "test", config.model.front_end)
    on_test = evaluate.judge(
        test_cases, evaluate.decision_logits(checkpoint.load(weights), test_features), 0.0
    )
    row = next(r for r in read_log(trainer.folder / LOG) if r["epoch"] == number)
    print(
        f"kept: epoch {number}\nvalidation: {on_validation.line()}\ntest: {on_test.line()}\n"
        f"weights: {weights}",
        flush=True,
    )
    write_card(weights, config, model, row, on_validation, on_test)
    return {**row, "parameters": sum(p.numel() for p in model.parameters())}
