"""What the people of the benchmark say: shipped synthetic clips, and turns of real speakers.

Both come as ``Spoken``, so that a scene does not care which it is given. The clips are made by
``engine.training.bench_audio``; real speakers are the ones that ``engine.training.human`` keeps
out of training.
"""

import json
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import soundfile as sf

from engine.config import INPUT_HZ
from engine.errors import InputError
from engine.paths import asset, cache_dir
from engine.training import human
from engine.types import Samples

SPEECH_RMS = 0.08
_EDGE = np.linspace(0, 1, 80, dtype=np.float32)
_PAUSE_S = 0.1  # shorter silences between clauses stay as they were recorded


@dataclass(frozen=True)
class Spoken:
    """One thing somebody says: dry 16 kHz pieces at RMS 0.08, between which there can be pauses.

    ``gaps``: the pauses that the speaker made between the pieces, in seconds, where they are real.
    ``complete``: it ends as a finished turn does.
    """

    kind: str
    text: str
    voice: str
    pieces: tuple[Samples, ...]
    gaps: tuple[float, ...] = ()
    complete: bool = True


def leveled(samples: Samples) -> Samples:
    """At the common RMS, with 5 ms of fade at both ends."""
    rms = float(np.sqrt(np.mean(samples**2)))
    out: Samples = (samples * (SPEECH_RMS / max(rms, 1e-6))).astype(np.float32)
    out[: len(_EDGE)] *= _EDGE
    out[-len(_EDGE) :] *= _EDGE[::-1]
    return out


@cache
def texts() -> dict[str, Any]:
    """``assets/bench/texts.json``: lines by split and kind, and what the background answers."""
    stored: dict[str, Any] = json.loads(asset("bench/texts.json").read_text(encoding="utf-8"))
    return stored


@cache
def synthetic(split: str) -> tuple[Spoken, ...]:
    """The shipped clips of a split.

    Raises:
        InputError: the clips are not there.
    """
    sound, index = asset(f"bench/{split}.ogg"), asset("bench/clips.json")
    if not sound.is_file() or not index.is_file():
        raise InputError(f"{sound} or {index} is missing: install the program again")
    samples, _ = sf.read(sound, dtype="float32")
    return tuple(
        Spoken(
            kind=row["kind"],
            text=row["text"].replace("|", " "),
            voice=row["voice"],
            pieces=tuple(leveled(samples[a:b]) for a, b in row["pieces"]),
        )
        for row in json.loads(index.read_text(encoding="utf-8"))
        if row["split"] == split
    )


@cache
def real(split: str, data: Path) -> tuple[Spoken, ...]:
    """What the real speakers of a split say; their words are recognised once and kept in the user's cache.

    Kinds: ``turn`` (whole), ``paused`` (one or two cuts inside clauses) and ``story`` (a whole recording,
    as it was read).

    Raises:
        InputError: there are no recordings under ``data``.
    """
    files = [f for f in human.recordings(data) if human.split_of(human.speaker_of(f)) == split]
    words = human.transcribe(files, cache_dir() / "words.json")
    rng = np.random.default_rng(0)
    found: list[Spoken] = []
    for file in files:
        samples, heard = human.load(file), words[file.stem]
        for turn in human.cut_turns(file, heard, samples):
            found += turn_clips(turn, samples, rng)
        if heard:
            found.append(story(f"speaker {human.speaker_of(file)}", heard, samples))
    return tuple(found)


def _cut(samples: Samples, bounds: list[float]) -> tuple[Samples, ...]:
    return tuple(leveled(samples[int(a * INPUT_HZ) : int(b * INPUT_HZ)]) for a, b in pairwise(bounds))


def turn_clips(turn: human.HumanTurn, recording: Samples, rng: np.random.Generator) -> list[Spoken]:
    """A real turn as it was spoken, and cut where the speaker could have hesitated."""
    voice = f"speaker {turn.speaker}"
    clips = [Spoken("turn", turn.text, voice, _cut(recording, [turn.start, turn.end]))]
    count = min(1 + int(rng.integers(2)), len(turn.gaps))
    if count:
        cuts = sorted(rng.choice(turn.gaps, size=count, replace=False).tolist())
        bounds = [turn.start, *cuts, turn.end]
        if min(b - a for a, b in pairwise(bounds)) > 0.15:
            clips.append(Spoken("paused", turn.text, voice, _cut(recording, bounds)))
    return clips


def story(voice: str, words: list[human.Word], samples: Samples) -> Spoken:
    """A whole recording in pieces that end where its clauses end."""
    pieces: list[Samples] = []
    gaps: list[float] = []
    start = max(0.0, words[0].start - 0.05)
    for word, nxt in pairwise([*words, None]):
        assert word is not None
        if nxt is not None and not word.text.endswith((*human.SENTENCE_END, *human.CLAUSE_END)):
            continue
        end = human.true_end(samples, word.end)
        follows = nxt.start if nxt is not None else end
        if nxt is not None and follows - end < _PAUSE_S:
            end = follows
        if end - start < 0.05:
            continue
        pieces.append(samples[int(start * INPUT_HZ) : int(end * INPUT_HZ)])
        gaps.append(follows - end)
        start = follows
    rms = float(np.sqrt(np.mean(np.concatenate(pieces) ** 2)))
    even = tuple((p * (SPEECH_RMS / max(rms, 1e-6))).astype(np.float32) for p in pieces)
    complete = words[-1].text.endswith(human.SENTENCE_END)
    text = " ".join(word.text for word in words)
    return Spoken("story", text, voice, even, tuple(gaps[:-1]), complete)
