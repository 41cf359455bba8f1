"""A recorded session of any length on the disk, for the benchmarks of the window: timeline, sound and all."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile

from engine.config import CHUNK_S, INPUT_HZ, OUTPUT_HZ
from engine.events import Caption, Event, Transcript, to_json
from engine.recorder.folder import INPUT, OUTPUT, TIMELINE
from engine.types import Samples
from tests.app.scenario import PERIOD_TURNS, session

ROUND_S = PERIOD_TURNS * CHUNK_S
_CAPTION_S = 0.4


def _lines(seconds: float, seed: int) -> Iterator[Event]:
    """The made-up conversation with what a real one holds besides: captions, and the time of each word."""
    for event in session(seconds, seed):
        if not isinstance(event, Transcript) or event.speaker != "user":
            yield event
            continue
        words = event.text.split()
        each = (event.t1 - event.t0) / len(words)
        times = [event.t0 + k * each for k in range(len(words) + 1)]
        for k in range(1, round((event.t1 - event.t0) / _CAPTION_S)):
            t = event.t0 + k * _CAPTION_S
            heard = " ".join(word for word, end in zip(words, times[1:], strict=True) if end < t)
            if heard:
                yield Caption(t, event.t0, heard, max(len(heard.split()) - 1, 0))
        yield replace(event, words=tuple(zip(words, times, times[1:], strict=False)))


def _round(speaker: str, rate: int, seed: int, room: float) -> Samples:
    """One round of something like a voice while ``speaker`` speaks, with ``room`` noise all the time."""
    t = np.arange(round(ROUND_S * rate)) / rate
    dice = np.random.default_rng(seed)
    on = np.zeros(len(t), bool)
    for event in session(ROUND_S, seed):
        if isinstance(event, Transcript) and event.speaker == speaker:
            on |= (t >= event.t0) & (t < event.t1)
    noise = dice.standard_normal(len(t))
    voice = np.sin(2 * np.pi * 170 * t) + 0.4 * np.sin(2 * np.pi * 690 * t) + 0.3 * noise
    syllables = np.abs(np.sin(2 * np.pi * 2.1 * t + dice.uniform(0, 6))) ** 1.5
    return (np.where(on, 0.25 * syllables * voice, 0) + room * noise).astype(np.float32)


def write_long_session(folder: Path, hours: float, seed: int = 1) -> Path:
    """Write ``hours`` of the made-up conversation into the new ``folder``; returns it."""
    folder.mkdir(parents=True)
    seconds = round(hours * 3600 / CHUNK_S) * CHUNK_S
    with (folder / TIMELINE).open("w", encoding="utf-8") as file:
        file.writelines(to_json(event) + "\n" for event in _lines(seconds, seed))
    sides = ((INPUT, INPUT_HZ, "FLAC", "user", 8e-4), (OUTPUT, OUTPUT_HZ, "WAV", "assistant", 0.0))
    for name, rate, kind, speaker, room in sides:
        once = _round(speaker, rate, seed, room)
        with soundfile.SoundFile(folder / name, "w", rate, 1, "PCM_16", format=kind) as sound:
            left = round(seconds * rate)
            while left > 0:
                sound.write(once[:left])
                left -= len(once)
    return folder
