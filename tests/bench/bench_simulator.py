"""Hours of simulated conversation a minute, and where they go: ``python -m tests.bench.bench_simulator``.

Makes a small clip pool, then sessions one after another in this process; training uses two processes.
"""

import sys
import time
from pathlib import Path

import numpy as np

from engine.config import CHUNK_S
from engine.frontend import WhisperEncoder, whole_features
from engine.training import clips as pools
from engine.training.acoustics import Microphone, draw_room
from engine.training.dataset import DataConfig, Pools, begin, session_arrays
from engine.voice import Voice

SESSIONS = 16


def main() -> int:
    config = DataConfig(voices=4, lines_per_voice=40)
    began = time.perf_counter()
    clips = pools.make_pool(1, config.voices, config.lines_per_voice, dialogue=Path("missing"))
    pool_s = time.perf_counter() - began
    by_voice: dict[str, list[pools.Clip]] = {}
    for clip in clips:
        by_voice.setdefault(clip.voice, []).append(clip)
    pool, voice, encoder = Pools(by_voice, [], clips), Voice(), WhisperEncoder()
    spent = {"simulating": 0.0, "microphone": 0.0, "encoder": 0.0}
    for k in range(SESSIONS):
        rng = np.random.default_rng([7, k])
        session, human = begin(rng, pool, config, voice, ())
        marks = [time.perf_counter()]
        trace = session.run()
        marks.append(time.perf_counter())
        sound = Microphone(draw_room(rng), rng, len(trace.near)).whole(trace.near, trace.far, trace.echo)
        marks.append(time.perf_counter())
        session_arrays(trace, whole_features(sound, encoder, batch=4), human)
        marks.append(time.perf_counter())
        for name, a, b in zip(spent, marks, marks[1:], strict=False):
            spent[name] += b - a
    whole = sum(spent.values())
    hours = SESSIONS * config.turns * CHUNK_S / 3600
    print(f"clip pool: {len(clips) / pool_s:.1f} lines a second, once a run")
    for name, seconds in spent.items():
        print(f"{name:<12}{1000 * seconds / SESSIONS:7.0f} ms a session, {seconds / whole:4.0%}")
    print(f"{hours / (whole / 60):.2f} hours of conversation a minute and process")
    return 0


if __name__ == "__main__":
    sys.exit(main())
