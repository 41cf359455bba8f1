"""How interactivity grows with size and hours of conversation, and what each part of the recipe is worth.

``python -m engine.training.sweep --shards DIR --data DIR --out DIR`` trains a
list of variants with short schedules on conversations that are there already
and collects their figures on real voices never trained on, in ``sweep.json``.
Variants that are finished are not trained again; an interrupted one goes on.

The curves and the ablations hold the number of steps about equal: fewer hours
are seen more often, at most ``MOST_PASSES`` times as often as all of them.
"""

import argparse
import dataclasses
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import InputError, MicroturnError
from engine.training import run
from engine.training.config import (
    AuxWeights,
    Round,
    StagesSection,
    TrainConfig,
    load_config,
)
from engine.training.dataset import DataConfig

RESULTS = "sweep.json"
FORMAT = 1
EPOCHS = 5
MOST_PASSES = 3
# The figures of a log row that the table holds; all are of the validation voices.
FIGURES = (
    "pauses",
    "pauses_taken",
    "cut_in",
    "ends",
    "ends_taken",
    "offset_median_s",
    "offset_p90_s",
    "takes_per_noise_minute",
    "held_decision",
)


@dataclass(frozen=True)
class Variant:
    """One point of a curve or one ablation; ``share`` is the share of the shards that are trained on."""

    name: str
    dim: int = 256
    layers: int = 6
    heads: int = 4
    share: float = 1.0
    front_end: str = "whisper"
    voices: str = "all"
    auxiliary: bool = True
    self_audio: bool = True
    on_policy: bool = False


REFERENCE = "dim-256"
VARIANTS = (
    Variant("dim-64", 64, 2, 2),
    Variant("dim-128", 128, 4, 4),
    Variant(REFERENCE),
    Variant("dim-384", 384, 8, 6),
    Variant("hours-1-8", share=1 / 8),
    Variant("hours-1-4", share=1 / 4),
    Variant("hours-1-2", share=1 / 2),
    Variant("dmel", front_end="dmel"),
    Variant("no-aux", auxiliary=False),
    Variant("no-real-voices", voices="synthetic"),
    Variant("no-self-audio", self_audio=False),
    Variant("on-policy", on_policy=True),
)


def config_of(variant: Variant, base: TrainConfig, data: DataConfig, epochs: int) -> TrainConfig:
    """The variant as a whole training config on conversations made with ``data``."""
    used = max(1, round(variant.share * data.shards))
    passes = min(MOST_PASSES, data.shards / used)
    train = dataclasses.replace(
        base.train,
        epochs=max(1, round(epochs * passes)),
        shards_used=used,
        voices_used=variant.voices,
        aux=base.train.aux if variant.auxiliary else AuxWeights(0.0, 0.0, 0.0),
    )
    model = dataclasses.replace(
        base.model,
        front_end=variant.front_end,
        self_audio=variant.self_audio,
        dim=variant.dim,
        layers=variant.layers,
        heads=variant.heads,
    )
    rounds = (Round(max(1, data.shards // 8), max(1, epochs // 2)),) if variant.on_policy else ()
    return TrainConfig(variant.name, base.seed, data, model, train, StagesSection(rounds))


def stored_data(shards: Path) -> DataConfig:
    """The ``[data]`` section with which the conversations in a folder were made.

    Raises:
        InputError: the folder does not say so, or says it for another version.
    """
    stamp = run.read_stamp(shards / "data.json")
    try:
        return DataConfig(**stamp["data"])
    except (KeyError, TypeError) as err:
        raise InputError(
            f"{shards / 'data.json'} does not fit this version: make the data again with `microturn train`"
        ) from err


def result_of(variant: Variant, row: dict[str, Any]) -> dict[str, Any]:
    """One line of the table, from the log row of the epoch that was kept."""
    figures = {name: row[name] for name in FIGURES}
    return {
        **dataclasses.asdict(variant),
        "parameters": row["parameters"],
        "hours": row["hours"],
        "epoch": row["epoch"],
        "usefulness": row["usefulness"],
        **figures,
    }


def sweep(
    variants: tuple[Variant, ...],
    base: TrainConfig,
    folders: run.Folders,
    epochs: int = EPOCHS,
) -> list[dict[str, Any]]:
    """Train each variant that is not finished in a folder of its own, and write the table after each.

    Raises:
        InputError: a folder holds a variant of another recipe, or a shard cannot be used.
    """
    data = stored_data(folders.shards)
    results: list[dict[str, Any]] = []
    for variant in variants:
        config = config_of(variant, base, data, epochs)
        own = folders.out / variant.name
        stored = own / "result.json"
        if stored.exists() and run.read_stamp(stored).get("digest") == config.digest():
            row = run.read_stamp(stored)["row"]
        else:
            began = time.monotonic()
            print(f"== {variant.name}", flush=True)
            row = run.train(config, dataclasses.replace(folders, out=own), resume=True)
            run.write_stamp(stored, {"digest": config.digest(), "row": row})
            print(f"== {variant.name}: {time.monotonic() - began:.0f} s", flush=True)
        results.append(result_of(variant, row))
        table = {"format": FORMAT, "epochs": epochs, "data": dataclasses.asdict(data), "variants": results}
        run.write_stamp(folders.out / RESULTS, table)
    return results


def seconds(value: float | None) -> str:
    """An offset for reading; there is none where no end was taken."""
    return "–" if value is None else f"{value:.2f} s"


def as_table(results: list[dict[str, Any]]) -> str:
    """The results in Markdown."""
    lines = [
        "| variant | parameters | hours | pauses taken | ends taken | offset median / p90 | usefulness |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {r['name']} | {r['parameters'] / 1e6:.2f} M | {r['hours']:.1f} | {r['pauses_taken']:.3f} | "
        f"{r['ends_taken']:.3f} | {seconds(r['offset_median_s'])} / {seconds(r['offset_p90_s'])} | "
        f"{r['usefulness']:.3f} |"
        for r in results
    ]
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m engine.training.sweep", description=__doc__)
    parser.add_argument("--shards", type=Path, required=True, help="folder of simulated conversations")
    parser.add_argument("--data", type=Path, required=True, help="folder with recorded voices to judge on")
    parser.add_argument("--out", type=Path, required=True, help="folder of the sweep")
    parser.add_argument("--config", type=Path, default=Path("interaction"), help="recipe to vary")
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="passes over all conversations")
    names = [v.name for v in VARIANTS]
    parser.add_argument("--only", nargs="+", choices=names, default=names, help="variants to train")
    arguments = parser.parse_args(argv)
    chosen = tuple(v for v in VARIANTS if v.name in arguments.only)
    try:
        folders = run.Folders(arguments.out, arguments.shards, run.usable_data(arguments.data))
        print(as_table(sweep(chosen, load_config(arguments.config), folders, arguments.epochs)))
    except MicroturnError as err:
        print(f"sweep: {err}", file=sys.stderr)
        return err.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main())
