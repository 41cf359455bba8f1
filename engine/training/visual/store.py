"""Scenes in memory, as JPEG, and batches of their pictures as the model takes them."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.training.visual import bank
from engine.training.visual.bank import Scene

_THREADS = 2


class SceneStore:
    """Reads files of scenes when they are first asked for, and keeps them: 1.2 MB a minute of camera.

    ``paths``: by the number that sessions know them by. Not to be shared by threads.
    """

    def __init__(self, paths: dict[int, Path]) -> None:
        self._paths = paths
        self._files: dict[int, list[Scene]] = {}
        self._pool = ThreadPoolExecutor(_THREADS)
        cv2.setNumThreads(1)

    def scene(self, file: int, number: int) -> Scene:
        if file not in self._files:
            self._files[file] = bank.read(self._paths[file])
        return self._files[file][number]

    def films(self, wanted: Iterable[tuple[int, int]], rng: np.random.Generator | None = None) -> Tensor:
        """The pictures of scenes, one scene after the other, (N, 3, 120, 160) in about [-1, 1].

        With ``rng`` some are mirrored, and all a little brighter or darker, of more or less contrast.
        """
        films = list(self._pool.map(lambda each: self.scene(*each).film(), wanted))
        return torch.cat([pixels(film, rng).permute(0, 2, 3, 1) for film in films]).permute(0, 3, 1, 2)


def pixels(film: NDArray[np.uint8], rng: np.random.Generator | None = None) -> Tensor:
    """(turns, 120, 160, 3) RGB as (turns, 3, 120, 160) in about [-1, 1]."""
    gain, offset = 1.0, 0.0
    if rng is not None:
        film = film[:, :, ::-1] if rng.random() < 0.5 else film
        gain, offset = float(rng.uniform(0.8, 1.2)), float(rng.uniform(-0.15, 0.15))
    out = film.astype(np.float32)
    out *= np.float32(gain / 127.5)
    out += np.float32(offset - gain)
    return torch.from_numpy(out).permute(0, 3, 1, 2)  # the memory stays as the model folds it
