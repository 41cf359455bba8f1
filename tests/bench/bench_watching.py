"""Cues, timed speech and counting in held-out scenes of all kinds: ``python -m tests.bench.bench_watching``.

Scenes of 60 s of the simulator's test split; what is asked for in each is drawn by ``watch_eval.wishes``. The
model decides everything itself, micro-turn by micro-turn, in rooms in which nobody speaks. A cue counts as
found when it is named between 0.2 s before and 2 s after it began; every other naming is a false alarm. A
time is kept when it is said within 0.5 s. The clock rule that it is compared with would keep all of them.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from engine import checkpoint
from engine.engines.micro import MODEL_FILE
from engine.paths import asset
from engine.training.visual import Split
from engine.training.visual.bank import make_scene
from engine.training.watch_data import room_features
from engine.training.watch_eval import judge

SEED = 4_000_000


def main() -> int:
    options = argparse.ArgumentParser(description="What the model sees, and whether it keeps time.")
    options.add_argument("--scenes", type=int, default=96)
    options.add_argument("--seconds", type=float, default=60.0)
    options.add_argument("--split", default="test", choices=("validation", "test"))
    options.add_argument("--model", type=Path, help="other weights than the bundled ones")
    given = options.parse_args()
    split = Split(given.split)
    scenes = [make_scene([SEED, k], None, given.seconds, split) for k in range(given.scenes)]
    with tempfile.TemporaryDirectory() as folder:
        sounds = room_features(Path(folder), SEED, len(scenes[0].pictures))
    model = checkpoint.load(given.model or asset(f"model/{MODEL_FILE}"))
    print(judge(model, scenes, sounds).line().replace(" | ", "\n"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
