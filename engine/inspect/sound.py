"""Both sides of a session as one stereo file."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
import soxr

from engine.config import CHUNK_S, OUTPUT_HZ
from engine.errors import InputError, MicroturnError
from engine.recorder.folder import INPUT, OUTPUT, reason
from engine.recorder.reader import RecordedSession, audio_blocks, audio_rate
from engine.types import Samples

_BLOCK = OUTPUT_HZ  # one second


def write_flac(session: RecordedSession, target: Path) -> None:
    """Left the user, right the assistant, 24 kHz, 16 bit, as long as the timeline.

    A file that is missing or cut off is silence; both missing is an error.

    Raises:
        InputError: the session has no audio.
        MicroturnError: ``target`` cannot be written.
    """
    files = [session.path / name for name in (INPUT, OUTPUT)]
    if not any(file.is_file() and file.stat().st_size for file in files):
        raise InputError(f"{session.path} has no audio: {INPUT} and {OUTPUT} are missing")
    total = round(max((turn.i + 1 for turn in session.turns), default=0) * CHUNK_S * OUTPUT_HZ)
    left, right = (_steady(_at_output_rate(file), total) for file in files)
    try:
        with soundfile.SoundFile(target, "w", OUTPUT_HZ, 2, "PCM_16", format="FLAC") as out:
            for pair in zip(left, right, strict=True):
                out.write(np.stack(pair, axis=1))
    except (soundfile.LibsndfileError, OSError) as err:
        raise MicroturnError(f"cannot write {target}: {reason(err)}") from err


def _at_output_rate(file: Path) -> Iterator[Samples]:
    try:
        rate = audio_rate(file)
    except InputError:
        return
    if rate == OUTPUT_HZ:
        yield from audio_blocks(file)
        return
    resampler = soxr.ResampleStream(rate, OUTPUT_HZ, 1, dtype="float32")
    for block in audio_blocks(file):
        yield resampler.resample_chunk(block)
    yield resampler.resample_chunk(np.zeros(0, np.float32), last=True)


def _steady(blocks: Iterator[Samples], total: int) -> Iterator[Samples]:
    """Blocks of one second, ``total`` samples in all, filled up with silence."""
    held = np.zeros(0, np.float32)
    for start in range(0, total, _BLOCK):
        size = min(_BLOCK, total - start)
        parts, length = [held], len(held)
        while length < size:
            block = next(blocks, None)
            if block is None:
                block = np.zeros(size - length, np.float32)
            parts.append(block)
            length += len(block)
        joined = np.concatenate(parts)
        held = joined[size:]
        yield joined[:size]
