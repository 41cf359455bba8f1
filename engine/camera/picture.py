"""Any picture a camera or a decoder gives, as the small RGB picture the engine takes."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.types import Image

LONGEST_PX = 320


def fit(width: int, height: int) -> tuple[int, int]:
    """(width, height) scaled down so that the longer side is at most 320 px; never below 1 px."""
    scale = min(1.0, LONGEST_PX / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def from_camera(raw: NDArray[Any]) -> Image:
    """RGB uint8 of at most 320 px from greyscale, BGR or BGRA pictures of 8 or 16 bits (a copy).

    Raises:
        ValueError: it is no picture: no pixels, or a shape no camera gives.
    """
    if raw.ndim not in {2, 3} or 0 in raw.shape or (raw.ndim == 3 and raw.shape[2] not in {1, 3, 4}):
        raise ValueError(f"a camera gave an array of shape {raw.shape}")
    if raw.dtype not in {np.dtype(np.uint8), np.dtype(np.uint16)}:
        raise ValueError(f"a camera gave pixels of type {raw.dtype}")
    pixels = (raw // 256 if raw.dtype == np.uint16 else raw).astype(np.uint8)
    size = fit(raw.shape[1], raw.shape[0])
    small = np.asarray(cv2.resize(np.ascontiguousarray(pixels), size, interpolation=cv2.INTER_AREA))
    if small.ndim == 2 or small.shape[2] == 1:
        return np.repeat(small.reshape(size[1], size[0], 1), 3, axis=2).astype(np.uint8)
    # Blue, green, red (and opacity) is OpenCV's order.
    return np.ascontiguousarray(small[:, :, 2::-1], dtype=np.uint8)
