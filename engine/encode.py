"""Micro-turn input other than sound, as the numbers the model takes.

Used by the live engine and by training alike, so that both mean the same.
"""

import math
import re
import zlib

import numpy as np
from numpy.typing import NDArray

from engine.config import INPUT_CHUNK
from engine.frontend import DMEL_DIM, played_features
from engine.types import Image, SelfState, TextEvent

ACCOUNT_DIM = 16
STATE_DIM = ACCOUNT_DIM + DMEL_DIM
TEXT_BUCKETS = 1024
TEXT_SLOTS = 8
_TYPED = "<typed>"
FRAME_SIZE = (160, 120)  # width, height


def state_vector(state: SelfState, gap_samples: int = 0) -> NDArray[np.float32]:
    """The assistant's own state as (176,) numbers of order one.

    The first 16 give account of what it does; the others are the log-mel energies of what it plays,
    on the scale of those of the microphone, so that its echo can be told from other people.
    """
    speech, delegate = state.turns_since_speech, state.turns_since_delegate
    account = np.array(
        [
            state.speaking,
            min(max((state.level_db + 60.0) / 60.0, 0.0), 1.0),
            math.log1p(state.words_left) / 3.0,
            min(state.seconds_left, 6.0) / 3.0,
            state.words_left == 0 and state.speaking,
            math.log1p(state.background_words) / 3.0,
            state.background_words > 0,
            min(state.open_jobs, 3) / 3.0,
            state.open_jobs > 0,
            *(math.exp(-speech / scale) for scale in (2, 8, 40)),
            *(math.exp(-delegate / scale) for scale in (3, 12, 50)),
            gap_samples / INPUT_CHUNK,
        ],
        dtype=np.float32,
    )
    return np.concatenate([account, played_features(state.sound)])


def text_ids(texts: tuple[TextEvent, ...]) -> NDArray[np.int64]:
    """The newest words of a micro-turn as (8,) hash buckets, 0 for none; background words have their own.

    Typed words are followed by a mark, so that even words that no training has typed can be told from none.
    """
    ids: list[int] = []
    for event in texts:
        offset = 1 + (TEXT_BUCKETS if event.origin == "background" else 0)
        words = re.findall(r"[\w']+|\?", event.text.lower())
        if event.origin == "user":
            words.append(_TYPED)
        ids += [offset + zlib.crc32(word.encode()) % TEXT_BUCKETS for word in words]
    row = np.zeros(TEXT_SLOTS, np.int64)
    newest = ids[-TEXT_SLOTS:]
    row[: len(newest)] = newest
    return row


def frame_array(image: Image) -> NDArray[np.float32]:
    """RGB picture of any size to (3, 120, 160) in [-1, 1], letterboxed."""
    import cv2

    height, width = image.shape[:2]
    scale = min(FRAME_SIZE[0] / width, FRAME_SIZE[1] / height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    canvas = np.zeros((FRAME_SIZE[1], FRAME_SIZE[0], 3), np.uint8)
    top, left = (FRAME_SIZE[1] - size[1]) // 2, (FRAME_SIZE[0] - size[0]) // 2
    canvas[top : top + size[1], left : left + size[0]] = small
    return (canvas.astype(np.float32) / 127.5 - 1.0).transpose(2, 0, 1)
