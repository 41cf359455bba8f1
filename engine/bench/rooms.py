"""Rooms of the benchmark: shoeboxes by the image-source method, never used in training.

Allen and Berkley 1979, "Image method for efficiently simulating small-room acoustics", J. Acoust.
Soc. Am. 65(4). Training draws exponential noise tails instead (``engine.training.acoustics``), so
no room is shared.
"""

from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from engine.config import INPUT_HZ
from engine.types import Samples

SOUND_M_S = 343.0
LONGEST_S = 0.5
_FINE = 8  # arrivals fall on a grid finer than a sample, so that the low-pass places them in between
_HIGH_PASS_HZ = 100.0  # Allen and Berkley's: images all of one sign build up below it
_TURNED_CORNER_HZ = 1_800.0
_TALKER_DB = -3.0  # people speak forwards: their reflections are weaker than an equal radiator's

Position = tuple[float, float, float]


@dataclass(frozen=True)
class Room:
    """Impulse responses at 16 kHz from each source to the microphone.

    ``near``: the user; ``turned``: the user with the head turned away (weaker and duller direct sound);
    ``far``: somebody across the room; ``loudspeaker``: the assistant's own voice. The direct sound of
    ``near`` has a peak of 1.0, and the others are relative to it.
    """

    name: str
    near: Samples
    turned: Samples
    far: Samples
    loudspeaker: Samples


@dataclass(frozen=True)
class Shoebox:
    """A room to build: metres from one corner, seconds of reverberation time.

    ``turned_db``: level of the direct sound of a turned head, relative to the near one.
    """

    name: str
    size: Position
    rt60_s: float
    microphone: Position
    near: Position
    far: Position
    loudspeaker: Position
    turned_db: float


_TEST = (
    Shoebox(
        "living room",
        (5.2, 4.1, 2.6),
        0.42,
        (1.6, 1.5, 0.8),
        (2.1, 1.7, 1.15),
        (4.6, 3.4, 1.3),
        (1.3, 1.7, 0.8),
        -8.0,
    ),
    Shoebox(
        "office",
        (4.3, 3.2, 2.7),
        0.3,
        (1.1, 1.2, 0.75),
        (1.5, 1.5, 1.1),
        (3.6, 2.3, 1.2),
        (0.9, 0.8, 0.8),
        -7.0,
    ),
    Shoebox(
        "small kitchen",
        (3.3, 3.1, 2.5),
        0.58,
        (0.7, 0.8, 1.0),
        (1.1, 1.3, 1.4),
        (2.8, 2.8, 1.6),
        (0.5, 1.2, 1.0),
        -6.0,
    ),
    Shoebox(
        "bedroom",
        (4.0, 3.6, 2.4),
        0.18,
        (0.9, 2.4, 0.6),
        (1.2, 2.1, 0.9),
        (3.5, 0.8, 1.2),
        (1.1, 2.7, 0.6),
        -10.0,
    ),
)
_VALIDATION = (
    Shoebox(
        "dining room",
        (4.7, 3.7, 2.5),
        0.48,
        (2.0, 1.0, 0.78),
        (2.3, 1.45, 1.1),
        (4.1, 3.0, 1.2),
        (1.7, 1.2, 0.78),
        -7.5,
    ),
    Shoebox(
        "study",
        (3.6, 2.9, 2.5),
        0.22,
        (0.8, 0.9, 0.75),
        (1.2, 1.2, 1.15),
        (3.0, 2.2, 1.3),
        (0.6, 1.25, 0.75),
        -9.0,
    ),
)


def reflection(size: Position, rt60_s: float) -> float:
    """Pressure reflection of all six walls for a reverberation time (Eyring 1930)."""
    x, y, z = size
    volume, surface = x * y * z, 2 * (x * y + y * z + x * z)
    return float(np.exp(-0.161 * volume / (2 * surface * rt60_s)))


def images(box: Shoebox, source: Position, reach_m: float) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Distances from the microphone to all images of a source within ``reach_m``, and their reflections."""
    distances: list[NDArray[np.float64]] = []
    bounces: list[NDArray[np.int64]] = []
    orders = [np.arange(-n, n + 1) for n in (int(np.ceil(reach_m / (2 * side))) for side in box.size)]
    for mirrored in product((0, 1), repeat=3):
        squares, counts = [], []
        for side, at, microphone, flip, n in zip(
            box.size, source, box.microphone, mirrored, orders, strict=True
        ):
            squares.append(((1 - 2 * flip) * at + 2 * n * side - microphone) ** 2)
            counts.append(np.abs(n - flip) + np.abs(n))
        far = np.sqrt(squares[0][:, None, None] + squares[1][:, None] + squares[2])
        walls = counts[0][:, None, None] + counts[1][:, None] + counts[2]
        inside = far < reach_m
        distances.append(far[inside])
        bounces.append(walls[inside])
    return np.concatenate(distances), np.concatenate(bounces)


def _band_limited(distances: NDArray[np.float64], gains: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pulses at their arrival times, limited to 8 kHz, high-passed: ``LONGEST_S`` at 16 kHz."""
    length = 2 * int(LONGEST_S * INPUT_HZ)  # the second half takes what would wrap around
    at = np.round(distances / SOUND_M_S * INPUT_HZ * _FINE).astype(np.int64)
    kept = at < length * _FINE
    fine = np.bincount(at[kept], gains[kept], length * _FINE)
    spectrum = np.fft.rfft(fine)[: length // 2 + 1]
    hz = np.fft.rfftfreq(length, 1 / INPUT_HZ)
    high_pass = (1j * hz / (1j * hz + _HIGH_PASS_HZ)) ** 2
    return np.fft.irfft(spectrum * high_pass, length)[: length // 2]


def _dulled(samples: NDArray[np.float64], gain_db: float) -> NDArray[np.float64]:
    """Weaker, and low-passed with 6 dB an octave, as speech is behind the head."""
    hz = np.fft.rfftfreq(len(samples), 1 / INPUT_HZ)
    spectrum = np.fft.rfft(samples) / (1 + 1j * hz / _TURNED_CORNER_HZ)
    return 10 ** (gain_db / 20) * np.fft.irfft(spectrum, len(samples))


def build(box: Shoebox) -> Room:
    """The responses of a shoebox room."""
    beta = reflection(box.size, box.rt60_s)
    reach_m = min(LONGEST_S, box.rt60_s) * SOUND_M_S
    direct: dict[str, NDArray[np.float64]] = {}
    reverberant: dict[str, NDArray[np.float64]] = {}
    for name, source, rest_db in (
        ("near", box.near, _TALKER_DB),
        ("far", box.far, _TALKER_DB),
        ("loudspeaker", box.loudspeaker, 0.0),
    ):
        distances, bounces = images(box, source, reach_m)
        gains = beta**bounces / distances
        direct[name] = _band_limited(distances[bounces == 0], gains[bounces == 0])
        rest = 10 ** (rest_db / 20) * gains[bounces > 0]
        reverberant[name] = _band_limited(distances[bounces > 0], rest)
    scale = 1 / np.abs(direct["near"]).max()

    def response(straight: NDArray[np.float64], reflected: NDArray[np.float64]) -> Samples:
        out: Samples = (scale * (straight + reflected)).astype(np.float32)
        return out

    return Room(
        name=box.name,
        near=response(direct["near"], reverberant["near"]),
        turned=response(_dulled(direct["near"], box.turned_db), reverberant["near"]),
        far=response(direct["far"], reverberant["far"]),
        loudspeaker=response(direct["loudspeaker"], reverberant["loudspeaker"]),
    )


@cache
def test_rooms() -> tuple[Room, ...]:
    """The rooms in which engines are compared."""
    return tuple(build(box) for box in _TEST)


@cache
def validation_rooms() -> tuple[Room, ...]:
    """The rooms in which engines are tuned."""
    return tuple(build(box) for box in _VALIDATION)
