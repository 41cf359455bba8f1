"""Procedural pictures for the camera input: rooms, lights and figures, so that frames are familiar.

In this version they carry no target: the model learns that pictures, of
whatever kind, do not change whose turn it is.
"""

import numpy as np
from numpy.typing import NDArray

from engine.encode import frame_array
from engine.training.texts import Rng


def draw_picture(rng: Rng) -> NDArray[np.uint8]:
    """One RGB picture (240, 320, 3): walls, furniture, perhaps a person; or a covered or dark lens."""
    import cv2

    base = rng.integers(0, 256, 3)
    if rng.random() < 0.08:
        flat = np.full((240, 320, 3), int(rng.integers(0, 30)), np.uint8)
        return flat
    ramp = np.linspace(0.5, 1.3, 320)[None, :, None] * np.linspace(1.2, 0.7, 240)[:, None, None]
    picture = np.clip(base * ramp, 0, 255).astype(np.uint8)
    for _ in range(int(rng.integers(1, 7))):
        x, y = (int(v) for v in rng.integers(0, (320, 240)))
        w, h = (int(v) for v in rng.integers(15, 140, 2))
        colour = tuple(int(v) for v in rng.integers(0, 256, 3))
        cv2.rectangle(picture, (x, y), (x + w, y + h), colour, -1)
    if rng.random() < 0.7:
        x, y, size = int(rng.integers(60, 260)), int(rng.integers(60, 150)), int(rng.integers(18, 60))
        skin = tuple(int(v) for v in np.clip(np.array([210, 170, 140]) * rng.uniform(0.35, 1.15), 0, 255))
        shirt = tuple(int(v) for v in rng.integers(0, 256, 3))
        cv2.ellipse(picture, (x, y + 3 * size), (int(1.7 * size), 2 * size), 0, 0, 360, shirt, -1)
        cv2.ellipse(picture, (x, y), (int(0.75 * size), size), float(rng.uniform(-15, 15)), 0, 360, skin, -1)
        for side in (-1, 1):
            cv2.circle(picture, (x + side * size // 3, y - size // 5), max(1, size // 10), (30, 30, 30), -1)
        cv2.line(picture, (x - size // 4, y + size // 2), (x + size // 4, y + size // 2), (120, 50, 50), 2)
    noisy = picture.astype(np.float32) * rng.uniform(0.3, 1.4) + rng.normal(
        0, rng.uniform(0, 14), picture.shape
    )
    out: NDArray[np.uint8] = np.clip(noisy, 0, 255).astype(np.uint8)
    return out


def picture_bank(seed: int, count: int) -> NDArray[np.float32]:
    """(count, 3, 120, 160) in [-1, 1]."""
    rng = np.random.default_rng(seed)
    return np.stack([frame_array(draw_picture(rng)) for _ in range(count)])
