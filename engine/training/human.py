"""Real people: recordings cut into turns with the places where a speaker could pause.

The recordings are read speech (LibriSpeech); the words and their times come from
Whisper tiny.en used as a teacher. A turn runs from the start of a recording, or
from a sentence start, to a sentence end. Speakers are split by number: odd
train, even and not divisible by four validate, divisible by four test.
"""

import json
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import soundfile as sf

from engine.config import INPUT_HZ
from engine.errors import InputError
from engine.frontend import whisper_model_dir
from engine.types import Samples

SENTENCE_END = (".", "?", "!")
CLAUSE_END = (",", ";", ":", "-", "—")


@dataclass(frozen=True)
class Word:
    """One word and its time in the recording, in seconds."""

    text: str
    start: float
    end: float


@dataclass(frozen=True)
class HumanTurn:
    """One turn of a real speaker, in seconds of its recording.

    ``gaps``: midpoints of word gaps inside a clause, where a hesitation can be put.
    """

    file: str
    speaker: int
    start: float
    end: float
    text: str
    gaps: tuple[float, ...]


def split_of(speaker: int) -> str:
    """train, validation or test, by speaker number."""
    if speaker % 2:
        return "train"
    return "validation" if speaker % 4 else "test"


def recordings(data: Path) -> list[Path]:
    """All recordings of people under ``data``.

    Raises:
        InputError: there are none.
    """
    files = sorted(data.glob("librispeech-*/*.ogg"))
    if not files:
        raise InputError(f"no librispeech-*/*.ogg under {data}: pass the folder of real voices with --data")
    return files


def speaker_of(path: Path) -> int:
    return int(path.stem.split("-")[0])


def transcribe(files: list[Path], cache: Path) -> dict[str, list[Word]]:
    """Words with times for each recording; kept in ``cache`` (JSON), so that it is done once."""
    known: dict[str, list[Word]] = {}
    if cache.exists():
        known = {k: [Word(*w) for w in v] for k, v in json.loads(cache.read_text()).items()}
    missing = [f for f in files if f.stem not in known]
    if missing:
        from faster_whisper import WhisperModel

        model = WhisperModel(str(whisper_model_dir()), device="cpu", compute_type="int8", cpu_threads=1)
        for n, file in enumerate(missing):
            segments, _ = model.transcribe(
                str(file), language="en", beam_size=3, word_timestamps=True, condition_on_previous_text=False
            )
            known[file.stem] = [
                Word(w.word.strip(), float(w.start), float(w.end)) for s in segments for w in (s.words or [])
            ]
            if n % 20 == 19 or n == len(missing) - 1:
                cache.parent.mkdir(parents=True, exist_ok=True)
                rows = {k: [(w.text, w.start, w.end) for w in v] for k, v in known.items()}
                cache.write_text(json.dumps(rows))
    return known


def load(path: Path) -> Samples:
    """Mono float32 at 16 kHz."""
    samples, rate = sf.read(path, dtype="float32", always_2d=True)
    if rate != INPUT_HZ:
        raise InputError(f"{path} has {rate} Hz; the voices must be {INPUT_HZ} Hz")
    mono: Samples = samples.mean(axis=1).astype(np.float32)
    return mono


def true_end(samples: Samples, end_s: float, reach_s: float = 0.35) -> float:
    """Where the last word really ends, near ``end_s``: the last 20 ms less than 39 dB below the peaks."""
    first = max(0, int((end_s - reach_s) * INPUT_HZ))
    piece = samples[first : int((end_s + reach_s) * INPUT_HZ)]
    if len(piece) < 640:
        return end_s
    frames = piece[: len(piece) // 320 * 320].reshape(-1, 320)
    level = 20 * np.log10(np.sqrt((frames**2).mean(axis=1)) + 1e-9)
    loud = 20 * np.log10(np.percentile(np.abs(samples), 99) + 1e-9) - 9
    above = np.nonzero(level > loud - 30)[0]
    if not len(above):
        return end_s
    # A following sentence may start within reach: stop at the first real gap after the word.
    last = int(above[0])
    for k in above[1:]:
        if k - last > 6 and first + last * 320 > (end_s - 0.15) * INPUT_HZ:
            break
        last = int(k)
    return (first + (last + 1) * 320) / INPUT_HZ


def quietest(samples: Samples, t: float, reach_s: float = 0.09) -> float:
    """The quietest 20 ms within ``reach_s`` of ``t``: word times are only good to a tenth of a second."""
    first = max(0, int((t - reach_s) * INPUT_HZ))
    piece = samples[first : int((t + reach_s) * INPUT_HZ)]
    if len(piece) < 480:
        return t
    power = np.convolve(piece**2, np.ones(320), mode="valid")
    return float(first + int(power.argmin()) + 160) / INPUT_HZ


def cut_turns(file: Path, words: list[Word], samples: Samples) -> list[HumanTurn]:
    """Turns of 1.2 to 14 seconds that end at a sentence end followed by silence or the end of the file."""
    turns: list[HumanTurn] = []
    begin = 0
    for k, word in enumerate(words):
        if not word.text.endswith(SENTENCE_END):
            continue
        nxt = words[k + 1].start if k + 1 < len(words) else len(samples) / INPUT_HZ
        if k + 1 < len(words) and nxt - word.end < 0.12:
            continue
        inside = words[begin : k + 1]
        start = max(0.0, inside[0].start - 0.05)
        end = min(true_end(samples, word.end), max(nxt - 0.02, word.end))
        gaps = tuple(
            quietest(samples, (a.end + b.start) / 2)
            for a, b in pairwise(inside[1:])
            if not a.text.endswith((*SENTENCE_END, *CLAUSE_END)) and b.start - a.end < 0.3
        )
        if 1.2 <= end - start <= 14:
            text = " ".join(w.text for w in inside)
            turns.append(HumanTurn(str(file.name), speaker_of(file), start, end, text, gaps))
        begin = k + 1
    return turns


def human_turns(data: Path, cache: Path) -> list[HumanTurn]:
    """Every turn of every speaker; ``cache`` is a folder."""
    files = recordings(data)
    words = transcribe(files, cache / "words.json")
    return [t for f in files for t in cut_turns(f, words[f.stem], load(f))]


def split_table(turns: list[HumanTurn]) -> dict[str, dict[str, int]]:
    """Counts by split: speakers and turns."""
    table: dict[str, dict[str, int]] = {}
    for name in ("train", "validation", "test"):
        chosen = [t for t in turns if split_of(t.speaker) == name]
        table[name] = {"speakers": len({t.speaker for t in chosen}), "turns": len(chosen)}
    return table
