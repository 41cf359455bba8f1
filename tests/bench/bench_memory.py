"""Memory over hours of conversation: ``python -m tests.bench.bench_memory [--minutes 120]``.

Replays the demo recording again and again as one session, without the background process, and reads the
process's resident memory every ten minutes of session time. The first ten minutes fill caches and the KV
ring and do not count.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import psutil

from engine.config import EngineConfig
from engine.demo import RECORDING
from engine.events import Event, TurnRecord
from engine.paths import asset
from engine.replay import run_replay
from tests.bench.bench_replay import looped

BUDGET_MB = 30.0
STEP_S = 600


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=int, default=120)
    minutes = parser.parse_args(argv).minutes
    process = psutil.Process()
    sampled: list[float] = []

    def look(event: Event) -> None:
        if isinstance(event, TurnRecord) and event.t >= STEP_S * (len(sampled) + 1) - 0.3:
            sampled.append(process.memory_info().rss / 1e6)
            print(f"{event.t / 60:5.0f} min {sampled[-1]:8.1f} MB", flush=True)

    with tempfile.TemporaryDirectory() as folder:
        recording = Path(folder) / "long.wav"
        looped(asset(RECORDING), minutes * 60, recording)
        quiet = EngineConfig(background=False)
        summary = run_replay(str(recording), Path(folder) / "out", config=quiet, on_event=look)
    if len(sampled) < 2:
        print("memory: give --minutes 20 or more")
        return 1
    growth = sampled[-1] - sampled[0]
    print(f"{summary.turns} micro-turns, growth from minute 10 to {10 * len(sampled)}: {growth:+.1f} MB")
    return 0 if growth <= BUDGET_MB else 1


if __name__ == "__main__":
    sys.exit(main())
