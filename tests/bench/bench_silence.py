"""What the assistant says to nobody: short conversations, each followed by a minute in which nobody speaks.

python -m tests.bench.bench_silence [--voices N] [--json FILE]

Synthetic voices that training kept for validation, at three levels of room noise; whole fast replays with the
background process. Printed are utterances a minute of silence that no open request explains, counted from
five seconds after the last word of either side, and the share of silences in which nothing was said.
"""

import argparse
import json
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from engine.config import INPUT_HZ
from engine.decisions import NONE
from engine.events import Transcript, TurnRecord
from engine.recorder.reader import read_session
from engine.replay import run_replay
from engine.types import Samples
from tests.bench.voices import Speaker, speakers

SILENCE_S, AFTER_S = 60.0, 5.0
LEVELS = (0.0, 0.0006, 0.002)  # RMS of white noise
TALKS = (
    ("What is the capital of Peru?", "What is twelve times seven?"),
    ("How do volcanoes work?", "Wait, stop. That is enough."),
    ("What time is it in Tokyo?", "Thank you, that was all."),
    ("Set a timer for ten minutes.", "How do bees make honey?", "Okay, stop."),
)


@dataclass(frozen=True)
class Silence:
    """One silence. ``said``: what was said to nobody, and when, in seconds after it began."""

    voice: str
    level: float
    said: tuple[tuple[float, str], ...]
    seconds: float


def audio(talk: tuple[str, ...], speaker: Speaker, level: float, seed: int) -> tuple[Samples, float]:
    """A conversation and a minute of nothing; where the last word of the user ends, in seconds."""
    rng = np.random.default_rng(seed)
    pieces: list[Samples] = [np.zeros(INPUT_HZ, np.float32)]
    for text in talk:
        pieces += [speaker.say(text), np.zeros(round(float(rng.uniform(3, 7)) * INPUT_HZ), np.float32)]
    talked = np.concatenate(pieces[:-1])
    whole = np.concatenate([talked, np.zeros(round((SILENCE_S + AFTER_S) * INPUT_HZ), np.float32)])
    whole += level * rng.standard_normal(len(whole)).astype(np.float32)
    return whole.astype(np.float32), len(talked) / INPUT_HZ


def listen(talk: tuple[str, ...], speaker: Speaker, level: float, seed: int, folder: Path) -> Silence:
    """Play one conversation and see what comes after it."""
    samples, end = audio(talk, speaker, level, seed)
    path = folder / "talk.wav"
    soundfile.write(path, samples, INPUT_HZ)
    out = folder / "session"
    run_replay(str(path), out)
    session = read_session(out)
    answered = [
        e.t1
        for e in session.events
        if isinstance(e, Transcript) and e.speaker == "assistant" and e.t0 < end + AFTER_S
    ]
    begin = max([end, *answered]) + AFTER_S
    said = []
    before: TurnRecord | None = None
    for turn in session.turns:
        starts = turn.say != NONE or (turn.delegate and turn.decision != "listen")
        fresh = starts and (before is None or before.self_level_db < -100)
        if turn.t >= begin and fresh and not turn.open_jobs and not turn.background_words:
            said.append((round(turn.t - begin, 1), turn.say))
        before = turn
    return Silence(speaker.name, level, tuple(said), max(0.0, len(samples) / INPUT_HZ - begin))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--voices", type=int, default=2)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    silences = []
    for v, speaker in enumerate(speakers(given.voices, "validation")):
        for k, talk in enumerate(TALKS):
            for level in LEVELS:
                with tempfile.TemporaryDirectory() as folder:
                    silences.append(listen(talk, speaker, level, 10 * v + k, Path(folder)))
                print(silences[-1], file=sys.stderr, flush=True)
    minutes = sum(s.seconds for s in silences) / 60
    figures = {
        "silences": len(silences),
        "minutes": round(minutes, 1),
        "utterances_a_minute": round(sum(len(s.said) for s in silences) / minutes, 2),
        "quiet_share": round(sum(not s.said for s in silences) / len(silences), 2),
    }
    print(json.dumps(figures, indent=1))
    if given.json:
        given.json.write_text(json.dumps(figures) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
