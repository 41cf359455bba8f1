"""Repetition counting, by the model and by the classical rival: ``python -m tests.bench.bench_repetitions``.

Streams held-out simulated exercise scenes, picture by picture, into the period counter, and micro-turn by
micro-turn into the interaction model, which was asked to count and says its numbers, and compares their
counts with the truth, with the measures of RepCount-A (Hu et al. 2022, "TransRAC"): MAE, the mean absolute
error divided by the true count, and OBO, the share of scenes whose final count is wrong by one at most. Here
only whole repetitions count, and a scene is 30 seconds of one set with at least three of them.
``late``: from the end of a repetition to the first picture after which the count is that high, or to the
micro-turn in which the number is said.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from engine import checkpoint
from engine.config import INPUT_CHUNK
from engine.decisions import COUNT
from engine.engines.micro import MODEL_FILE
from engine.frontend import WhisperEncoder, whole_features
from engine.model.interaction import InteractionModel
from engine.paths import asset
from engine.standing import ANY, Instruction
from engine.training.visual import Split, Stage, draw_script
from engine.training.visual.bank import scene_of
from engine.training.visual.counting import CounterConfig, PeriodCounter
from engine.training.visual.exercises import EXERCISES
from engine.training.watch_eval import BATCH, play


@dataclass(frozen=True)
class Result:
    """One scene: its exercise, true and counted repetitions, and how late each number was, seconds."""

    kind: str
    true: int
    counted: int
    late: tuple[float, ...]


def draw_stage(seed: int, split: Split, seconds: float, faults: bool) -> Stage:
    """A scene with at least three whole repetitions in one set."""
    for attempt in range(100):
        rng = np.random.default_rng([seed, attempt])
        script = draw_script(rng, "exercise", seconds, split)
        whole = sum(r.counts for one in script.sets for r in one.repetitions)
        if len(script.sets) == 1 and whole >= 3:
            return Stage(rng, script, split, faults=faults)
    raise RuntimeError("no scene with repetitions was drawn")


def count_scene(stage: Stage, fps: float, config: CounterConfig | None = None) -> Result:
    """Stream one scene through the counter."""
    counter = PeriodCounter(fps, config)
    reached: list[float] = []
    for k in range(int(stage.script.seconds * fps)):
        t = (k + 1) / fps
        count = counter.feed(stage.render(t))
        reached += [t] * (count - len(reached))
    ends = [r.end for r in stage.repetitions if r.counts]
    late = tuple(at - end for at, end in zip(reached, ends, strict=False))
    return Result(stage.script.sets[0].kind, len(ends), counter.count, late)


def count_aloud(model: InteractionModel, stages: list[Stage]) -> list[Result]:
    """Let the model count in scenes of equal length, nobody speaking, in a silent room."""
    out: list[Result] = []
    asked = Instruction(COUNT, ANY)
    for first in range(0, len(stages), BATCH):
        some = stages[first : first + BATCH]
        scenes = [scene_of(stage) for stage in some]
        silence = np.zeros(len(scenes[0].pictures) * INPUT_CHUNK, np.float32)
        sound = whole_features(silence, WhisperEncoder(), batch=4).astype(np.float16)
        for stage, heard in zip(some, play(model, scenes, [asked] * len(some), [sound], first), strict=True):
            ends = [r.end for r in stage.repetitions if r.counts]
            late = tuple(at - end for at, end in zip(heard.said, ends, strict=False))
            out.append(Result(stage.script.sets[0].kind, len(ends), len(heard.said), late))
    return out


def table(results: list[Result]) -> list[str]:
    """Rows by exercise, and one of all."""
    out = []
    for kind in (*EXERCISES, "all"):
        rows = [r for r in results if kind in (r.kind, "all")]
        if not rows:
            continue
        error = float(np.mean([abs(r.counted - r.true) / r.true for r in rows]))
        near = float(np.mean([abs(r.counted - r.true) <= 1 for r in rows]))
        late = [x for r in rows for x in r.late]
        middle = f"{np.median(late):5.1f} s" if late else "      -"
        out.append(f"{kind:<14}{len(rows):5d}{near:8.2f}{error:8.2f}{middle:>12}")
    return out


def main() -> int:
    options = argparse.ArgumentParser(description="Counts repetitions by their period.")
    options.add_argument("--scenes", type=int, default=120)
    options.add_argument("--seconds", type=float, default=30.0)
    options.add_argument("--fps", type=float, default=5.0)
    options.add_argument("--split", default="test", choices=("validation", "test"))
    options.add_argument("--model", type=Path, help="other weights than the bundled ones")
    options.add_argument("--faults", action="store_true", help="with frozen, black and covered pictures")
    given = options.parse_args()
    cv2.setNumThreads(1)
    split = Split(given.split)
    stages = [draw_stage(seed, split, given.seconds, given.faults) for seed in range(given.scenes)]
    results = [count_scene(stage, given.fps) for stage in stages]
    print(f"{given.split} scenes of {given.seconds:.0f} s at {given.fps:g} pictures a second")
    head = f"{'scenes':>5}{'OBO':>7}{'MAE':>8}{'late (median)':>14}"
    print(f"{'period counter':<14}{head}")
    print("\n".join(table(results)))
    model = checkpoint.load(given.model or asset(f"model/{MODEL_FILE}"))
    print(f"{'the model':<14}{head}")
    print("\n".join(table(count_aloud(model, stages))))
    zero = [Result(r.kind, r.true, round(float(np.mean([q.true for q in results]))), ()) for r in results]
    print(
        f"always the mean count instead: {table(zero)[-1].split()[2]} OBO, {table(zero)[-1].split()[3]} MAE"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
