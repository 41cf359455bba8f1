"""What flows through one micro-turn. Everything here is immutable."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.standing import NOTHING, StandingView

Samples = NDArray[np.float32]
"""Mono float32 audio in [-1, 1]; the rate is said where it is used."""

Image = NDArray[np.uint8]
"""One picture, (height, width, 3) RGB."""


@dataclass(frozen=True)
class Frame:
    """One camera picture. ``number`` counts captured frames from 0; ``t`` is session seconds."""

    image: Image
    number: int
    t: float


@dataclass(frozen=True)
class TextEvent:
    """Typed text (``origin='user'``) or words of a background answer (``origin='background'``)."""

    t: float
    text: str
    origin: str = "user"


@dataclass(frozen=True)
class SelfState:
    """What the assistant is doing as a micro-turn begins to be judged.

    Derived from what was decided and rendered, counted in whole micro-turns, so
    that it is the same in a live session and in a replay.
    """

    speaking: bool = False
    level_db: float = -120.0
    words_left: int = 0
    seconds_left: float = 0.0
    background_words: int = 0
    open_jobs: int = 0
    turns_since_speech: int = 1_000
    turns_since_delegate: int = 1_000
    last_decision: str = "listen"
    last_say: str = "none"
    standing: StandingView = NOTHING
    sound: Samples = field(default_factory=lambda: np.zeros(0, np.float32), compare=False)
    """24 kHz: what the loudspeaker played in this micro-turn, after 15 ms of what it played before.

    Empty when nothing is known of it, which means silence."""


@dataclass(frozen=True)
class MicroTurn:
    """The whole input of one 200 ms step.

    ``audio``: 3,200 samples at 16 kHz, after echo cancellation. ``gap_samples``
    of them were lost and are zeros.
    """

    index: int
    audio: Samples
    self_state: SelfState
    frame: Frame | None = None
    texts: tuple[TextEvent, ...] = ()
    gap_samples: int = 0

    @property
    def t(self) -> float:
        """Start of the interval, in session seconds."""
        return self.index * 0.2


@dataclass(frozen=True)
class StepOutput:
    """What an interaction engine decided for one micro-turn."""

    decision: str
    probs: Mapping[str, float]
    say: str = "none"
    say_probs: Mapping[str, float] = field(default_factory=dict)
    delegate: bool = False
    delegate_prob: float = 0.0
    user_activity: tuple[float, ...] = ()
    """Probability that the user speaks 0-0.2, 0.2-0.6, 0.6-1.2, 1.2-2.0 s from now (not a gate)."""


@dataclass(frozen=True)
class SourceChunk:
    """200 ms from an audio source: ``samples`` (3,200,) at 16 kHz, and what went wrong."""

    samples: Samples
    gap_samples: int = 0
    faults: tuple[str, ...] = ()
