"""Chooses the end-of-turn rules of the ``pipeline`` engine on validation voices, as the model's bias is.

The recordings, the score (``evaluate.usefulness``) and the moments at which one can act are the learned
model's own. Run as ``python -m engine.training.tune_pipeline --data FOLDER --cache FOLDER``; takes minutes.
"""

import argparse
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.config import INPUT_CHUNK, INPUT_HZ
from engine.decisions import DECISION_INDEX, DECISIONS
from engine.detectors.silero import WINDOW, SileroVad
from engine.detectors.smart_turn import SmartTurn
from engine.engines.endpointing import Endpointer
from engine.engines.pipeline import BEFORE_SPEECH_S
from engine.engines.pipeline_rules import PipelineRules
from engine.training.evaluate import Case, human_cases, judge, noise_cases, usefulness

VAD_THRESHOLDS = (0.3, 0.5, 0.7)
# Longer silences score better still, since they outlast the pauses of these recordings; nobody would wait.
SILENCES_MS = (200.0, 300.0, 400.0, 500.0, 600.0, 700.0, 800.0, 1_000.0)
SMART_TURN_THRESHOLDS = (0.3, 0.5, 0.7, 0.9)
SMART_TURN_WAITS_MS = (200.0, 400.0)
SHOWN = 25
MAX_SILENCES_MS = (1_500.0, 2_000.0, 3_000.0)


def candidates(smart_turn: bool) -> Iterator[PipelineRules]:
    """The grid of end-of-turn rules."""
    base = PipelineRules(smart_turn=smart_turn)
    if smart_turn:
        grid = product(VAD_THRESHOLDS, SMART_TURN_THRESHOLDS, SMART_TURN_WAITS_MS, MAX_SILENCES_MS)
        for vad, complete, wait, longest in grid:
            yield replace(
                base,
                vad_threshold=vad,
                smart_turn_threshold=complete,
                smart_turn_wait_ms=wait,
                max_silence_ms=longest,
            )
    else:
        for vad, silence in product(VAD_THRESHOLDS, SILENCES_MS):
            yield replace(base, vad_threshold=vad, silence_ms=silence)


class Listener:
    """Detectors on one recording, each asked once for the same moment."""

    def __init__(self, case: Case, vad: SileroVad, smart_turn: SmartTurn) -> None:
        vad.reset()
        self._audio = case.audio
        self._probs = vad.push(case.audio).tolist()
        self._smart_turn = smart_turn
        self._known: dict[tuple[int, int], float] = {}

    def _complete(self, first: int, last: int) -> float:
        if (first, last) not in self._known:
            begin = max(0, first * WINDOW - round(BEFORE_SPEECH_S * INPUT_HZ))
            self._known[first, last] = self._smart_turn.completeness(self._audio[begin : last * WINDOW])
        return self._known[first, last]

    def takes(self, rules: PipelineRules) -> NDArray[np.float32]:
        """Scores (T, 5) by micro-turn, as of a model: 1 for ``speak`` where the rules take the turn."""
        ends = Endpointer(rules)
        turns = -(-len(self._audio) // INPUT_CHUNK)
        scores = np.zeros((turns, len(DECISIONS)), np.float32)
        for turn in range(turns):
            for prob in self._probs[ends.now : (turn + 1) * INPUT_CHUNK // WINDOW]:
                ends.push(prob)
            over = ends.over(self._complete)
            scores[turn, DECISION_INDEX["speak" if over else "listen"]] = 1.0
            if over:
                ends.close()
        return scores


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of real voices")
    parser.add_argument("--cache", type=Path, required=True, help="folder in which words.json is kept")
    given = parser.parse_args(arguments)
    cases = [*human_cases(given.data, given.cache, "validation"), *noise_cases()]
    vad, smart_turn = SileroVad(), SmartTurn()
    listeners = [Listener(case, vad, smart_turn) for case in cases]
    for smart in (False, True):
        scored = []
        for rules in candidates(smart):
            report = judge(cases, [listener.takes(rules) for listener in listeners], 0.0)
            scored.append((usefulness(report), rules, report))
        scored.sort(key=lambda row: -row[0])
        print(f"\nsmart-turn {'on' if smart else 'off'}, best first:")
        for score, rules, report in scored[:SHOWN]:
            ends = (
                f"complete {rules.smart_turn_threshold} after {rules.smart_turn_wait_ms:.0f} ms, "
                f"at most {rules.max_silence_ms:.0f} ms"
                if smart
                else f"silence {rules.silence_ms:.0f} ms"
            )
            print(f"{score:+.3f}  speech {rules.vad_threshold}, {ends}: {report.line()}")


if __name__ == "__main__":
    main()
