"""Two engines that show what the benchmark's figures mean. Rules, and no rivals.

An engine that never speaks disturbs nobody; one that never stops goes on
through everything and is right in three of the four kinds of overlap.
"""

from collections import deque

import numpy as np

from engine.config import INPUT_HZ
from engine.decisions import DECISIONS, NONE, RELAY
from engine.types import MicroTurn, Samples, StepOutput

SILENCE_TURNS = 3  # 0.6 s, as a plain silence rule
SPEECH_TURNS = 1
_ABOVE_FLOOR_DB = 12.0
_LOWEST_DB = -55.0
_BLOCK = INPUT_HZ // 50
_FLOOR_BLOCKS = 500  # 10 s


def _decided(decision: str, say: str = NONE, delegate: bool = False) -> StepOutput:
    probs = {name: float(name == decision) for name in DECISIONS}
    return StepOutput(decision, probs, say=say, delegate=delegate, delegate_prob=float(delegate))


class NeverSpeaks:
    """Listens, and does nothing else."""

    name = "never-speaks"
    model = "rule"

    def warm_up(self) -> None:
        """Nothing to load."""

    def reset(self, seed: int) -> None:
        """It has no state."""
        del seed

    def step(self, turn: MicroTurn) -> StepOutput:
        """Listen."""
        del turn
        return _decided("listen")


class NeverStops:
    """Takes the floor after 0.6 s of silence like a plain silence rule, and keeps it until all is said.

    Sound is speech when it is 12 dB above the quietest tenth of the last 10 s.
    What is said while it speaks, or waits for the answer that it asked for, goes
    past it.
    """

    name = "never-stops"
    model = "rule"

    def __init__(self) -> None:
        self.reset(0)

    def warm_up(self) -> None:
        """Nothing to load."""

    def reset(self, seed: int) -> None:
        """Forget what was heard."""
        del seed
        self._levels: deque[float] = deque(maxlen=_FLOOR_BLOCKS)
        self._spoken = self._silent = 0
        self._talked_over = False

    def step(self, turn: MicroTurn) -> StepOutput:
        """One micro-turn."""
        own = turn.self_state
        speech = self._hears_speech(turn.audio)
        if own.background_words and own.seconds_left < 0.4:
            return self._keep(_decided("speak", RELAY))
        if own.speaking:
            return self._keep(_decided("speak"))
        if own.open_jobs:
            return self._keep(_decided("listen"))
        if self._talked_over:
            # Whoever spoke into the answer and still does has not been listened to.
            self._talked_over = speech
            return _decided("listen")
        self._silent = 0 if speech else self._silent + 1
        self._spoken += speech
        if self._spoken > SPEECH_TURNS and self._silent >= SILENCE_TURNS:
            return self._keep(_decided("speak", delegate=True))
        return _decided("listen")

    def _keep(self, out: StepOutput) -> StepOutput:
        self._spoken = self._silent = 0
        self._talked_over = True
        return out

    def _hears_speech(self, audio: Samples) -> bool:
        power = np.square(audio.reshape(-1, _BLOCK)).mean(axis=1)
        levels = 10 * np.log10(power + 1e-12)
        self._levels.extend(levels.tolist())
        floor = float(np.percentile(np.array(self._levels), 10))
        return float(np.max(levels)) > max(floor + _ABOVE_FLOOR_DB, _LOWEST_DB)
