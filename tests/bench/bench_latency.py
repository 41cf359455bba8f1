"""From the end of the user's speech to the first sound of the answer.

    python -m tests.bench.bench_latency                                 # the demo, with its truth
    python -m tests.bench.bench_latency --session DIR --truth TRUTH.json    # a recorded session

TRUTH.json: see engine/truth.py. Prints a line for each turn and one JSON line.
Exit status 1 when the median is above 0.8 s, an answer is missing, or the
assistant took the floor inside a turn.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np

from engine.demo import RECORDING, TRUTH
from engine.inspect.measures import measure
from engine.paths import asset
from engine.recorder.reader import read_session
from engine.replay import run_replay
from engine.truth import Comparison, compare, read_truth

MEDIAN_S = 0.8


def figures(compared: Comparison) -> dict[str, float | int | list[float | None] | None]:
    """One JSON line's worth."""
    offsets = [offset for _, offset in compared.answers if offset is not None]
    return {
        "turns": len(compared.answers),
        "answered": len(offsets),
        "median_s": round(float(np.median(offsets)), 3) if offsets else None,
        "p90_s": round(float(np.percentile(offsets, 90)), 3) if offsets else None,
        "max_s": round(max(offsets), 3) if offsets else None,
        "taken_pauses": len(compared.taken_pauses),
        "barge_in_stops_s": [None if stop is None else round(stop, 3) for stop in compared.stops],
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--session", type=Path)
    parser.add_argument("--truth", type=Path, default=asset(TRUTH))
    options = parser.parse_args()
    said = read_truth(options.truth)
    if options.session is not None:
        compared = compare(measure(read_session(options.session)), said)
    else:
        with tempfile.TemporaryDirectory() as folder:
            run_replay(str(asset(RECORDING)), Path(folder) / "session")
            compared = compare(measure(read_session(Path(folder) / "session")), said)
    for one, offset in compared.answers:
        print(f"{one.end:8.2f} s  {'no answer' if offset is None else f'{offset:+.2f} s':>9}  {one.text}")
    result = figures(compared)
    print(json.dumps(result))
    median = compared.median_answer_s
    complete = result["answered"] == result["turns"] and not compared.taken_pauses
    return 0 if complete and median is not None and median <= MEDIAN_S else 1


if __name__ == "__main__":
    sys.exit(main())
