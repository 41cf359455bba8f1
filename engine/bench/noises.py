"""Sounds that nobody makes to the assistant: what must not be answered. 16 kHz, RMS one."""

from collections.abc import Callable

import numpy as np

from engine.config import INPUT_HZ
from engine.training.acoustics import coloured_noise, hum, knocks, music
from engine.types import Samples

Rng = np.random.Generator

LEVELS_DB = (-40.0, -28.0, -52.0)


def _even(samples: Samples) -> Samples:
    out: Samples = (samples / (np.std(samples) + 1e-9)).astype(np.float32)
    return out


def _swell(rng: Rng, length: int, low: float, high: float, every_s: float) -> Samples:
    """A gain that wanders between two values."""
    points = max(2, int(length / INPUT_HZ / every_s))
    gains = rng.uniform(low, high, points)
    out: Samples = np.interp(np.arange(length), np.linspace(0, length, points), gains).astype(np.float32)
    return out


def fan(rng: Rng, length: int) -> Samples:
    """Air and the blades: steady noise and a tone that wavers a little."""
    t = np.arange(length) / INPUT_HZ
    blades = float(rng.uniform(70, 140))
    tone = np.sin(2 * np.pi * blades * t + 2 * np.sin(2 * np.pi * 0.3 * t))
    return _even(coloured_noise(rng, length, 1.7) + np.float32(0.3) * tone.astype(np.float32))


def typing(rng: Rng, length: int) -> Samples:
    """Keys in runs, with rests."""
    keys = knocks(rng, length, float(rng.uniform(5, 9)))
    return _even(keys * (_swell(rng, length, 0.0, 1.0, 1.5) > 0.4) + 0.01 * coloured_noise(rng, length, 1.0))


def dishes(rng: Rng, length: int) -> Samples:
    """Ringing knocks: cups, plates, a door now and then."""
    out = 0.02 * coloured_noise(rng, length, 1.0)
    for start in rng.integers(0, length, size=max(3, int(0.9 * length / INPUT_HZ))):
        size = min(int(rng.uniform(0.08, 0.5) * INPUT_HZ), length - int(start))
        t = np.arange(size) / INPUT_HZ
        low = rng.random() < 0.25
        pitches = rng.uniform(70, 200, 3) if low else rng.uniform(900, 5_000, 3)
        ring = sum(np.sin(2 * np.pi * p * t) for p in pitches) * np.exp(-t * rng.uniform(12, 40))
        out[start : start + size] += (float(rng.uniform(0.2, 1.0)) * ring).astype(np.float32)
    return _even(out)


def rain(rng: Rng, length: int) -> Samples:
    """A hiss that swells, and single drops near by."""
    hiss = coloured_noise(rng, length, 0.4) * _swell(rng, length, 0.5, 1.3, 3.0)
    return _even(hiss + 3 * knocks(rng, length, 12.0))


def street(rng: Rng, length: int) -> Samples:
    """A distant rumble, and cars that pass."""
    out = 0.5 * coloured_noise(rng, length, 2.0)
    t = np.arange(length) / INPUT_HZ
    for _ in range(max(2, length // (6 * INPUT_HZ))):
        middle, width = rng.uniform(0, length / INPUT_HZ), rng.uniform(0.8, 2.5)
        passing = np.exp(-(((t - middle) / width) ** 2)).astype(np.float32)
        out += float(rng.uniform(0.6, 2.0)) * passing * coloured_noise(rng, length, 1.2)
    return _even(out)


def band(rng: Rng, length: int) -> Samples:
    """Drums, bass and a chord that changes each bar."""
    beat = int(rng.uniform(0.4, 0.65) * INPUT_HZ)
    root = float(rng.uniform(98, 165))
    t = np.arange(beat) / INPUT_HZ
    kick = np.sin(2 * np.pi * 55 * t * np.exp(-t * 4)) * np.exp(-t * 14)
    snare = rng.standard_normal(beat) * np.exp(-t * 22)
    hat = np.diff(rng.standard_normal(beat), prepend=0.0) * np.exp(-t * 70)
    chords = [(0, 4, 7), (9, 12, 16), (5, 9, 12), (7, 11, 14)]
    out = np.zeros(length + beat, np.float32)
    for number, start in enumerate(range(0, length, beat)):
        chord = chords[number // 4 % len(chords)]
        pitches = [root * 2 ** (step / 12) for step in chord]
        pad = sum(np.sin(2 * np.pi * p * h * t) / h for p in pitches for h in (1, 2, 3, 5))
        bass = np.sin(2 * np.pi * pitches[0] / 2 * t) * np.exp(-t * 3)
        drum = (kick, snare)[number % 2]
        out[start : start + beat] += (0.25 * pad + 0.8 * bass + drum + 0.2 * hat).astype(np.float32)
    return _even(out[:length])


NOISES: dict[str, Callable[[Rng, int], Samples]] = {
    "silence": lambda rng, length: np.float32(0.01) * coloured_noise(rng, length, 0.5),
    "pink": lambda rng, length: coloured_noise(rng, length, 1.0),
    "music": music,
    "typing": typing,
    "fan": fan,
    "dishes": dishes,
    "white": lambda rng, length: coloured_noise(rng, length, 0.0),
    "band": band,
    "street": street,
    "brown": lambda rng, length: coloured_noise(rng, length, 2.0),
    "hum": hum,
    "rain": rain,
}


def noise(number: int, rng: Rng, length: int) -> tuple[str, Samples]:
    """Noise number ``number``: its name, and ``length`` samples at its level. All kinds come in turn."""
    kinds = list(NOISES)
    kind = kinds[number % len(kinds)]
    db = LEVELS_DB[(number + number // len(kinds)) % len(LEVELS_DB)]
    samples: Samples = np.clip(10 ** (db / 20) * NOISES[kind](rng, length), -1.0, 1.0).astype(np.float32)
    return (kind if kind == "silence" else f"{kind} {db:.0f} dB"), samples
