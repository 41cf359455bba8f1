"""Voices that no training has heard: speakers of the interactivity benchmark."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass

from engine.training.bench_audio import VOICES, speaker
from engine.types import Samples

_PROGRAMS = {"espeak-ng": "espeak-ng", "flite": "flite", "festival": "text2wave"}


@dataclass(frozen=True)
class Speaker:
    """``say``: text to dry speech, 16 kHz mono, trimmed at both ends."""

    name: str
    say: Callable[[str], Samples]


def speakers(count: int, split: str = "test") -> list[Speaker]:
    """Up to ``count`` held-out voices whose synthesiser this computer has; families take turns."""
    here = [v for v in VOICES if v.split == split and shutil.which(_PROGRAMS.get(v.family, "true"))]
    chosen = []
    for voice in here[:count]:
        talk = speaker(voice)
        chosen.append(Speaker(voice.name, lambda text, talk=talk: talk(text, 1.0, 0)))  # type: ignore[misc]
    return chosen
