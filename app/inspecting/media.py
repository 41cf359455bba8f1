"""What one micro-turn heard, said and saw, read from a session's files. Plain Python.

Not for the window's thread: files may be slow.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.inspecting.pictures import Picture, PictureReader, has_pictures
from engine.config import CHUNK_S, INPUT_HZ, OUTPUT_HZ
from engine.errors import InputError
from engine.recorder.folder import INPUT, OUTPUT
from engine.recorder.reader import audio_blocks, audio_rate
from engine.types import Samples

_SILENT = 1e-5  # -100 dB of full scale
_BLACK = 20  # compressing moves black by a few steps


@dataclass(frozen=True)
class Media:
    """Of micro-turn ``turn``: mono float32 of its 0.2 s, None where the file is missing or ends before.

    ``picture``: the newest one at the end of the micro-turn.
    """

    turn: int
    user: Samples | None = None
    user_hz: int = INPUT_HZ
    assistant: Samples | None = None
    assistant_hz: int = OUTPUT_HZ
    picture: Picture | None = None


def read_media(folder: Path, turn: int) -> Media:
    """Read what there is; what is missing or damaged is left out. Takes 5 to 50 ms."""
    user, user_hz = _sound(folder / INPUT, turn, INPUT_HZ)
    assistant, assistant_hz = _sound(folder / OUTPUT, turn, OUTPUT_HZ)
    return Media(turn, user, user_hz, assistant, assistant_hz, _picture(folder, turn))


def _sound(file: Path, turn: int, usual_hz: int) -> tuple[Samples | None, int]:
    try:
        hz = audio_rate(file)
        blocks = list(audio_blocks(file, round(turn * CHUNK_S * hz), round((turn + 1) * CHUNK_S * hz)))
    except InputError:
        return None, usual_hz
    return (np.concatenate(blocks) if blocks else None), hz


def _picture(folder: Path, turn: int) -> Picture | None:
    if not has_pictures(folder):
        return None
    try:
        reader = PictureReader(folder)
    except InputError:
        return None
    try:
        found = reader.at((turn + 1) * CHUNK_S - 0.005)
    finally:
        reader.close()
    # The recorder fills the time before the first picture with black.
    empty = found is None or (found.t == 0.0 and found.image.max() < _BLACK)
    return None if empty else found


def outline(samples: Samples, bins: int) -> Samples:
    """(bins, 2) least and greatest sample of each of ``bins`` stretches."""
    if not len(samples) or bins <= 0:
        return np.zeros((max(bins, 0), 2), np.float32)
    edges = np.arange(bins) * len(samples) // bins
    return np.stack((np.minimum.reduceat(samples, edges), np.maximum.reduceat(samples, edges)), axis=1)


def peak_text(samples: Samples | None) -> str:
    """The greatest level of 0.2 s, in words."""
    if samples is None:
        return "not recorded"
    peak = float(np.abs(samples).max()) if len(samples) else 0.0
    return "silent" if peak < _SILENT else f"peak {round(20 * np.log10(peak))} dB"
