"""Makes the speech of the benchmark: ``python -m engine.training.bench_audio assets/bench``.

Reads ``texts.json`` in that folder and writes ``test.ogg``, ``validation.ogg`` (16 kHz mono Opus)
and ``clips.json`` (who says what, and where in the file). The voices are families, variants or
vocal-tract lengths that the training never draws; test and validation share none. Needs hibari,
espeak-ng, flite and festival with festvox-kdlpc16k.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import soundfile as sf
import soxr

from engine.config import INPUT_HZ
from engine.training.clips import level, trim16, warp
from engine.training.texts import Rng
from engine.types import Samples

SEED = 4_711
BACKCHANNELS = 4  # of each voice
HUMMED = "Mm-hm."  # only hibari hums it, the others spell it
OPUS_QUALITY = 0.92  # of libsndfile, from 0 to 1 (smallest); about 25 kbit/s
_GAP = np.zeros(INPUT_HZ // 10, np.float32)
_CUT_OFF_S = 0.16  # what is missing of a word that breaks off
_FADE = np.linspace(1, 0, 320, dtype=np.float32)


@dataclass(frozen=True)
class BenchVoice:
    """One speaker. ``variant``: the synthesiser's own name of the voice; ``warp`` as in ``clips.warp``.

    ``speed`` above one is faster, for every family.
    """

    name: str
    split: str
    family: str
    variant: str
    warp: float = 1.0
    speed: float = 1.0


VOICES = (
    BenchVoice("hibari-low", "test", "hibari", "heart", 0.77, 1.25),
    BenchVoice("festival-ked", "test", "festival", "ked_diphone"),
    BenchVoice("hibari-high", "test", "hibari", "heart", 1.27, 0.84),
    BenchVoice("flite-awb", "test", "flite", "awb"),
    BenchVoice("espeak-us-edward", "test", "espeak-ng", "en-us+edward", 1.0, 0.9),
    BenchVoice("hibari-deep", "test", "hibari", "heart", 0.785, 1.16),
    BenchVoice("festival-ked-high", "test", "festival", "ked_diphone", 1.22, 0.86),
    BenchVoice("espeak-us-rob", "test", "espeak-ng", "en-us+rob", 1.0, 0.92),
    BenchVoice("hibari-bright", "test", "hibari", "heart", 1.24, 0.95),
    BenchVoice("flite-awb-high", "test", "flite", "awb", 1.24, 0.9),
    BenchVoice("hibari-lower", "validation", "hibari", "heart", 0.8, 1.25),
    BenchVoice("espeak-us-mike", "validation", "espeak-ng", "en-us+Mike", 1.0, 0.92),
    BenchVoice("hibari-higher", "validation", "hibari", "heart", 1.225, 0.9),
    BenchVoice("espeak-us-f3", "validation", "espeak-ng", "en-us+f3", 1.0, 0.88),
    BenchVoice("espeak-us-quincy", "validation", "espeak-ng", "en-us+quincy", 1.0, 0.92),
)


def _rendered(command: list[str], spoken: str = "") -> Samples:
    """What a program writes to the file named at the command's end, at 16 kHz."""
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "spoken.wav")  # a WAV on a pipe may not know its length
        subprocess.run([*command, file], input=spoken.encode(), capture_output=True, timeout=600, check=True)
        samples, rate = sf.read(file, dtype="float32")
    out: Samples = soxr.resample(samples, rate, INPUT_HZ).astype(np.float32) if rate != INPUT_HZ else samples
    return out


@cache
def _hibari(voice: str) -> Any:
    from hibari import Hibari

    return Hibari(voice, threads=1)


def speaker(voice: BenchVoice) -> Callable[[str, float, int], Samples]:
    """A function from text, relative speed and seed to dry speech of that voice, trimmed and levelled."""

    def raw(text: str, speed: float, seed: int) -> Samples:
        if voice.family == "hibari":
            tts = _hibari(voice.variant)
            sound = np.asarray(tts(text, speed=speed, seed=seed), np.float32)
            resampled: Samples = soxr.resample(sound, 24_000, INPUT_HZ).astype(np.float32)
            return resampled
        if voice.family == "espeak-ng":
            return _rendered(["espeak-ng", "-v", voice.variant, "-s", str(round(170 * speed)), text, "-w"])
        stretch = f"{1 / speed:.3f}"
        if voice.family == "flite":
            stretched = ["--setf", f"duration_stretch={stretch}"]
            return _rendered(["flite", "-voice", voice.variant, *stretched, "-t", text, "-o"])
        setting = f"(begin (voice_{voice.variant}) (Parameter.set 'Duration_Stretch {stretch}))"
        return _rendered(["text2wave", "-eval", setting, "-o"], text)

    def speak(text: str, speed: float, seed: int) -> Samples:
        return level(trim16(warp(raw(text, voice.speed * speed, seed), voice.warp)))

    return speak


def break_off(samples: Samples) -> Samples:
    """Speech whose last word is not finished."""
    kept = samples[: max(len(samples) - round(_CUT_OFF_S * INPUT_HZ), len(_FADE))].copy()
    kept[-len(_FADE) :] *= _FADE
    return kept


def assign(texts: dict[str, list[str]], voices: list[BenchVoice]) -> list[tuple[BenchVoice, str, str]]:
    """Who says what: (voice, kind, text). Each text once, but the few backchannels by several voices."""
    jobs: list[tuple[BenchVoice, str, str]] = []
    for kind, lines in texts.items():
        for k, line in enumerate(lines if kind != "backchannel" else ()):
            # Moved on by one each round: the texts alternate in kind, and so do the voices.
            jobs.append((voices[(k + k // len(voices)) % len(voices)], kind, line))
    for k, voice in enumerate(voices):
        own = [t for t in texts["backchannel"] if voice.family == "hibari" or t != HUMMED]
        jobs += [(voice, "backchannel", own[(k * BACKCHANNELS + n) % len(own)]) for n in range(BACKCHANNELS)]
    return jobs


def render(split: str, texts: dict[str, list[str]], rng: Rng) -> tuple[Samples, list[dict[str, Any]]]:
    """All clips of a split one after the other, and where each piece is."""
    voices = [v for v in VOICES if v.split == split]
    parts: list[Samples] = [_GAP]
    rows: list[dict[str, Any]] = []
    at = len(_GAP)
    for voice, kind, line in assign(texts, voices):
        speak = speaker(voice)
        pieces: list[list[int]] = []
        for part in line.split("|"):
            sound = speak(part.rstrip("-"), float(rng.uniform(0.93, 1.08)), int(rng.integers(1 << 30)))
            if part.endswith("-"):
                sound = break_off(sound)
            parts += [sound, _GAP]
            pieces.append([at, at + len(sound)])
            at += len(sound) + len(_GAP)
        rows.append({"split": split, "voice": voice.name, "kind": kind, "text": line, "pieces": pieces})
    return np.clip(np.concatenate(parts), -0.99, 0.99), rows


def make(folder: Path) -> None:
    """Write both splits and their index into ``folder``. Deterministic for the synthesisers installed."""
    texts = json.loads((folder / "texts.json").read_text(encoding="utf-8"))
    rows: list[dict[str, Any]] = []
    for number, split in enumerate(("test", "validation")):
        sound, found = render(split, texts[split], np.random.default_rng((SEED, number)))
        with sf.SoundFile(
            folder / f"{split}.ogg",
            "w",
            INPUT_HZ,
            1,
            format="OGG",
            subtype="OPUS",
            compression_level=OPUS_QUALITY,
        ) as file:
            # libsndfile's Opus writer overflows its stack on very long blocks.
            for first in range(0, len(sound), INPUT_HZ):
                file.write(sound[first : first + INPUT_HZ])
        rows += found
        print(f"{split}: {len(found)} clips, {len(sound) / INPUT_HZ:.0f} s", flush=True)
    lines = ",\n".join(json.dumps(row) for row in rows)
    (folder / "clips.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    make(Path(sys.argv[1]))
