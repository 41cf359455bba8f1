"""How quick a replay is: real-time factor, and compute time of a micro-turn.

    python -m tests.bench.bench_replay                         # a minute of the demo, as fast as it goes
    python -m tests.bench.bench_replay --pace real --minutes 10    # no deadline may be missed

The input is repeated to the length asked for. Prints a table and one JSON line.
Exit status 1 when a budget is broken: median 40 ms, p99 100 ms, quicker than
real time, and at real pace no missed deadline.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile
import soxr

from engine.config import INPUT_HZ, EngineConfig
from engine.demo import RECORDING
from engine.paths import asset
from engine.replay import SessionSummary, run_replay

MEDIAN_MS, P99_MS = 40.0, 100.0


def looped(recording: Path, seconds: float, target: Path) -> None:
    """Write ``seconds`` of 16 kHz mono, the recording again and again."""
    samples, rate = soundfile.read(recording, dtype="float32", always_2d=True)
    mono = soxr.resample(samples.mean(axis=1), rate, INPUT_HZ)
    soundfile.write(target, np.resize(mono, round(seconds * INPUT_HZ)), INPUT_HZ)


def broken_budgets(result: SessionSummary, pace: str) -> list[str]:
    """Which of the budgets the run did not keep."""
    broken = []
    if result.compute_median_ms > MEDIAN_MS:
        broken.append(f"median above {MEDIAN_MS:.0f} ms")
    if result.compute_p99_ms > P99_MS:
        broken.append(f"p99 above {P99_MS:.0f} ms")
    if pace == "fast" and result.speed <= 1.0:
        broken.append("slower than real time")
    if pace == "real" and result.deadlines_missed:
        broken.append(f"{result.deadlines_missed} deadlines missed")
    return broken


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--input", type=Path, default=asset(RECORDING))
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--pace", choices=("fast", "real"), default="fast")
    parser.add_argument("--engine", default="micro")
    parser.add_argument("--no-background", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        recording = Path(folder) / "input.flac"
        looped(options.input, 60 * options.minutes, recording)
        result = run_replay(
            str(recording),
            Path(folder) / "session",
            config=EngineConfig(engine=options.engine, background=not options.no_background),
            pace=options.pace,
        )
    figures = {
        "engine": result.engine,
        "model": result.model,
        "pace": options.pace,
        "background": not options.no_background,
        "seconds": round(result.duration_s, 1),
        "times_real_time": round(result.speed, 2),
        "compute_median_ms": round(result.compute_median_ms, 1),
        "compute_p99_ms": round(result.compute_p99_ms, 1),
        "compute_max_ms": round(result.compute_max_ms, 1),
        "deadlines_missed": result.deadlines_missed,
        "skipped": result.skipped,
        "faults": len(result.faults),
    }
    for name, value in figures.items():
        print(f"{name:<20} {value}")
    print(json.dumps(figures))
    broken = broken_budgets(result, options.pace)
    for what in broken:
        print(f"over budget: {what}", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
