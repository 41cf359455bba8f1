"""Chooses when speech over its answer stops the ``pipeline`` engine, on the benchmark's validation scenes.

What is said into the answer is played to the engine in the scene's room while it believes itself to be
answering. The score is the share of interruptions that stop it and of the three other overlaps that do not,
averaged over the four kinds: the benchmark's mean, if all that follows went well. Run as
``python -m engine.training.tune_barge_in [--cases N] [--data FOLDER]``; takes minutes.
"""

import argparse
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np

from engine.bench.cases import OVERLAPS, Case
from engine.bench.scenes import make_cases
from engine.bench.suite import HUMAN, SYNTHETIC
from engine.bench.user import convolve, room_response
from engine.config import CHUNK_S, INPUT_CHUNK, INPUT_HZ
from engine.engines.pipeline import PipelineEngine
from engine.engines.pipeline_rules import PipelineRules
from engine.types import MicroTurn, Samples, SelfState, TextEvent

VAD_THRESHOLDS = (0.3, 0.5, 0.7)
SPEECH_MS = (100.0, 200.0, 300.0, 400.0, 600.0)
MIN_WORDS = (1, 2, 3)
EVERY_MS = (200.0, 400.0)
LEAD_TURNS = 10
TAIL_S = 1.0
SEED = 2


def candidates(words: bool) -> Iterator[PipelineRules]:
    """The grid of barge-in rules, by words (at the speech threshold in use) or by speech."""
    base = PipelineRules(barge_in="words") if words else PipelineRules()
    if words:
        for count, every in product(MIN_WORDS, EVERY_MS):
            yield replace(base, min_words=count, words_every_ms=every)
    else:
        for vad, speech in product(VAD_THRESHOLDS, SPEECH_MS):
            yield replace(base, vad_threshold=vad, barge_in_ms=speech)


def overlap_sound(case: Case) -> Samples:
    """The microphone at 16 kHz: 2 s of the room's noise, then what is said into the answer, then 1 s."""
    cue = next(cue for cue in case.cues if cue.after == "answer")
    gain = 1.0 if cue.channel == "far" else case.speech_gain
    wet = gain * convolve(cue.audio, room_response(case.room, cue.channel))
    lead, tail = LEAD_TURNS * INPUT_CHUNK, round(TAIL_S * INPUT_HZ)
    sound = np.pad(wet, (lead, tail + -(len(wet) + tail) % INPUT_CHUNK))
    if case.noise is not None:
        sound += np.resize(case.noise, len(sound))
    return np.clip(sound, -1.0, 1.0).astype(np.float32)


def stops(engine: PipelineEngine, sound: Samples) -> float | None:
    """Seconds from the overlap's first sample to the decision that stops the answer, or None."""
    engine.reset(0)
    asked = SelfState()
    waiting = SelfState(background_words=40, open_jobs=1)
    speaking = SelfState(speaking=True, words_left=20, seconds_left=8.0)
    states = [asked, waiting]
    for index, audio in enumerate(sound.reshape(-1, INPUT_CHUNK)):
        texts = () if index else (TextEvent(0.0, "a question"),)
        own = states[index] if index < len(states) else speaking
        if engine.step(MicroTurn(index, audio, own, texts=texts)).decision == "yield":
            return (index + 1 - LEAD_TURNS) * CHUNK_S
    return None


def line(rules: PipelineRules, sounds: dict[str, list[Samples]]) -> tuple[float, str]:
    """The score, and in words what was tried and what came of it."""
    engine = PipelineEngine("candidate", rules)
    right: dict[str, float] = {}
    latencies: list[float] = []
    for task, chosen in sounds.items():
        times = [stops(engine, sound) for sound in chosen]
        stopped = [t for t in times if t is not None]
        share = len(stopped) / len(times)
        right[task] = share if task == "interruption" else 1.0 - share
        if task == "interruption":
            latencies = stopped
    score = float(np.mean(list(right.values())))
    rule = (
        f"{rules.min_words} words, looked for every {rules.words_every_ms:.0f} ms"
        if rules.barge_in == "words"
        else f"{rules.barge_in_ms:.0f} ms of speech"
    )
    each = ", ".join(f"{task} {share:.2f}" for task, share in right.items())
    latency = np.median(latencies) if latencies else float("nan")
    return score, f"{100 * score:.1f}  speech {rules.vad_threshold}, {rule}: {each}; stops in {latency:.1f} s"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=24, help="of each kind of overlap and of voices")
    parser.add_argument("--data", type=Path, help="folder of real voices, to use them too")
    given = parser.parse_args(arguments)
    kinds = (SYNTHETIC,) if given.data is None else (SYNTHETIC, HUMAN)
    sounds = {
        task: [
            overlap_sound(case)
            for kind in kinds
            for case in make_cases(task, "validation", given.cases, kind, given.data, SEED)
        ]
        for task in OVERLAPS
    }
    for words in (False, True):
        scored = sorted((line(rules, sounds) for rules in candidates(words)), reverse=True)
        print(f"\nby {'words' if words else 'speech'}, best first:")
        print("\n".join(text for _, text in scored), flush=True)


if __name__ == "__main__":
    main()
