"""Real speech at 16 kHz for tests, by the bundled voice."""

from functools import cache

import numpy as np
import soxr

from engine.config import INPUT_CHUNK, INPUT_HZ, OUTPUT_HZ
from engine.types import Samples, SourceChunk
from engine.voice import Voice


@cache
def voice() -> Voice:
    return Voice()


@cache
def said(text: str) -> Samples:
    """``text`` spoken, without silence around it; its ends lie within 0.06 s of the speech."""
    spoken: Samples = soxr.resample(voice().synthesise(text).samples, OUTPUT_HZ, INPUT_HZ)
    return 0.5 * spoken.astype(np.float32)


def quiet(seconds: float, level: float = 5e-4, seed: int = 5) -> Samples:
    """A quiet room."""
    noise = np.random.default_rng(seed).standard_normal(round(seconds * INPUT_HZ))
    return (level * noise).astype(np.float32)


def scene(seconds: float, *speech: tuple[float, str], level: float = 5e-4) -> Samples:
    """A quiet room in which each text is said from its second on."""
    samples = quiet(seconds, level)
    for start, text in speech:
        words = said(text)
        at = round(start * INPUT_HZ)
        samples[at : at + len(words)] += words[: len(samples) - at]
    return samples


def end_of(start: float, text: str) -> float:
    """Second at which a text said from ``start`` on has ended."""
    return start + len(said(text)) / INPUT_HZ


def chunks(samples: Samples) -> tuple[SourceChunk, ...]:
    """Whole micro-turns of it."""
    whole = samples[: len(samples) // INPUT_CHUNK * INPUT_CHUNK].reshape(-1, INPUT_CHUNK)
    return tuple(SourceChunk(chunk.copy()) for chunk in whole)
