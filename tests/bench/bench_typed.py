"""Whether the model hands typed requests over, and how soon: ``python -m tests.bench.bench_typed``.

Each request is typed into a silent session of its own, at another time; no background process, so nothing
answers. Printed is how long it took from the text to the hand-over, in seconds.
"""

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path

from engine.config import EngineConfig
from engine.engines.micro import MicroEngine
from engine.recorder.reader import read_session
from engine.replay import run_replay
from engine.startup import Factories

REQUESTS = (
    "What is the boiling point of water?",
    "who painted the mona lisa",
    "hi",
    "Remind me to water the ferns at noon",
    "how far is the moon",
    "count my squats",
    "Say ten every three seconds",
    "please add oat milk and rye bread to my list",
    "why",
    "Explain photosynthesis in one sentence, please.",
    "3*17",
    "Is it raining?",
)
WITHIN_S, AFTER_S = 1.0, 6.0


def handed_over(text: str, at: float, model: Path | None) -> float | None:
    """Seconds from the typed text to its hand-over; None when there was none."""
    engine = Factories(engine=lambda config: MicroEngine(seed=config.seed, path=model))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        script = folder / "typed.jsonl"
        script.write_text(json.dumps({"t": at, "text": text}) + "\n")
        config = EngineConfig(background=False)
        run_replay(
            f"silence:{at + AFTER_S:.0f}", folder / "session", text=script, config=config, factories=engine
        )
        turns = read_session(folder / "session").turns
    times = [
        turn.t + 0.2 for turn in turns if turn.delegate and turn.decision != "listen" and turn.t + 0.2 > at
    ]
    return round(times[0] - at, 2) if times else None


def main() -> int:
    options = argparse.ArgumentParser(description="Types requests into silence.")
    options.add_argument("--model", type=Path, help="other weights than the bundled ones")
    given = options.parse_args()
    waits = []
    for number, text in enumerate(REQUESTS):
        waits.append(handed_over(text, 2.0 + 1.3 * number, given.model))
        print(f"{'never' if waits[-1] is None else waits[-1]:>6}  {text}", flush=True)
    soon = [wait for wait in waits if wait is not None and wait <= WITHIN_S]
    middle = f"{statistics.median(soon):.2f} s" if soon else "-"
    print(f"handed over within {WITHIN_S} s: {len(soon)} of {len(waits)}, median {middle}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
