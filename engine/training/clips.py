"""The clip pool: lines spoken by many voices, cut into pieces between which people can pause.

Synthetic voices are hibari, espeak-ng and flite with changes of rate, pitch and
vocal tract; real voices are the training speakers (``engine.training.human``).
A voice that is not installed is left out, and said.
"""

import io
import multiprocessing
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import soundfile as sf
import soxr
from numpy.typing import NDArray

from engine.config import INPUT_HZ
from engine.training import human
from engine.training.phrases import FILLERS
from engine.training.teachers import Teachers
from engine.training.texts import Line, Rng, dialogue_turns, make_line
from engine.types import Samples

_ESPEAK = tuple(
    f"{lang}{variant}"
    for lang in ("en-us", "en-gb", "en-gb-scotland", "en-gb-x-rp")
    for variant in ("", "+f2", "+f4", "+m3", "+m5", "+m7", "+Annie", "+Michael", "+linda", "+Gene")
)
STRETCH_FRAME = 480  # 30 ms
PAUSE_CHANCE = 0.35  # of a pause in a turn rather than its end, whenever there is silence
_FLITE = ("slt", "rms", "kal16")


Piece = NDArray[np.float16] | Samples
NaturalPauses = tuple[tuple[float, float, float], ...]


@dataclass(frozen=True)
class Clip:
    """One line by one voice: trimmed 16 kHz pieces in order, between which pauses go; float16 saves memory.

    ``natural``: for each piece the pauses that the speaker made in it, where a teacher found them: start and
    end in seconds from the piece's start, and how complete the turn sounded there, -1 for unknown.
    """

    kind: str
    text: str
    voice: str
    pieces: tuple[Piece, ...]
    natural: tuple[NaturalPauses, ...] = ()


def trim16(samples: Samples) -> Samples:
    """Cut what is 38 dB below the peak at both ends."""
    if not len(samples):
        return samples
    loud = np.nonzero(np.abs(samples) > 0.0125 * np.abs(samples).max())[0]
    return samples[loud[0] : loud[-1] + 1] if len(loud) else samples[:0]


def warp(samples: Samples, factor: float) -> Samples:
    """Change pitch, rate and vocal-tract length together, by resampling."""
    if abs(factor - 1) < 0.01:
        return samples
    out: Samples = soxr.resample(samples, INPUT_HZ * factor, INPUT_HZ, quality="MQ").astype(np.float32)
    return out


def level(samples: Samples, target: float = 0.08) -> Samples:
    """Bring speech to a common RMS."""
    rms = float(np.sqrt(np.mean(samples**2))) if len(samples) else 0.0
    return (samples * (target / rms)).astype(np.float32) if rms > 1e-6 else samples


def _run_to_wav(command: list[str]) -> Samples:
    done = subprocess.run(command, capture_output=True, timeout=30, check=True)
    samples, rate = sf.read(io.BytesIO(done.stdout), dtype="float32")
    out: Samples = soxr.resample(samples, rate, INPUT_HZ).astype(np.float32) if rate != INPUT_HZ else samples
    return out


class Speakers:
    """The synthetic voices that this computer has."""

    def __init__(self) -> None:
        self._hibari: Any = None
        self.families: list[str] = []
        try:
            from hibari import Hibari

            self._hibari = Hibari(threads=1)
            self.families.append("hibari")
        except ImportError:
            print("voices: hibari is not installed, training without it", file=sys.stderr)
        for program in ("espeak-ng", "flite"):
            if shutil.which(program):
                self.families.append(program)
            else:
                print(f"voices: {program} is not installed, training without it", file=sys.stderr)

    def choose(self, rng: Rng) -> tuple[str, Callable[[str], Samples]]:
        """A voice with its settings, as a name and a function from text to 16 kHz speech."""
        weights = np.array([{"hibari": 0.5, "espeak-ng": 0.3, "flite": 0.2}[f] for f in self.families])
        family = str(rng.choice(self.families, p=weights / weights.sum()))
        factor = float(rng.uniform(0.82, 1.2))
        if family == "hibari":
            speed = float(rng.uniform(0.85, 1.3))
            seed = int(rng.integers(1 << 30))

            def speak(text: str) -> Samples:
                out = np.asarray(self._hibari(text, speed=speed, seed=seed), np.float32)
                resampled: Samples = soxr.resample(out, 24_000, INPUT_HZ).astype(np.float32)
                return resampled

            return f"hibari x{speed:.2f} w{factor:.2f}", lambda text: warp(speak(text), factor)
        if family == "espeak-ng":
            name = str(rng.choice(_ESPEAK))
            rate, pitch = int(rng.integers(125, 195)), int(rng.integers(25, 75))
            command = ["espeak-ng", "-v", name, "-s", str(rate), "-p", str(pitch), "--stdout"]
            factor = 1 + (factor - 1) * 0.5
            return f"espeak {name} s{rate} p{pitch}", lambda text: warp(_run_to_wav([*command, text]), factor)
        name = str(rng.choice(_FLITE))
        stretch = float(rng.uniform(0.85, 1.25))
        command = [
            "flite",
            "-voice",
            name,
            "--setf",
            f"duration_stretch={stretch:.2f}",
            "-o",
            "/dev/stdout",
            "-t",
        ]
        return f"flite {name} x{stretch:.2f} w{factor:.2f}", lambda text: warp(
            _run_to_wav([*command, text]), factor
        )


def pauses_in(rng: Rng, most: int) -> int:
    """How many pauses a turn has: after each as likely another as after the last one, ``most`` at most.

    So that having heard no pause yet, or one, says nothing about whether this one is the end.
    """
    return min(int(rng.geometric(1 - PAUSE_CHANCE)) - 1, most)


def break_line(text: str, count: int, rng: Rng) -> list[str]:
    """Cut a line inside its clauses; all pieces but the last end with a filler."""
    words = text.split()
    if not count or len(words) < 4:
        return [text]
    places = np.arange(1, len(words) - 1)
    cuts = sorted(rng.choice(places, size=min(count, len(places)), replace=False).tolist())
    pieces = [words[a:b] for a, b in zip([0, *cuts], [*cuts, len(words)], strict=True)]
    out: list[str] = []
    for k, piece in enumerate(pieces):
        if k == len(pieces) - 1:
            out.append(" ".join(piece))
            continue
        out.append(" ".join(piece).rstrip(",.!?") + f", {rng.choice(FILLERS)}")
    if rng.random() < 0.15:
        out[-1] = f"{rng.choice(FILLERS)} {out[-1]}"
    return out


def cut_speech(samples: Samples, count: int, rng: Rng) -> list[Samples]:
    """Cut running speech inside its clauses, ``count`` times at most, so that pauses interrupt its melody.

    Cuts are at weak moments, half a second apart, and not next to a silence of 0.11 s or more: there a
    clause or a sentence ends, which sounds complete.
    """
    hop, near = 80, 12
    power = np.convolve(samples**2, np.ones(4 * hop, np.float32) / (4 * hop), mode="same")[::hop]
    level_db = 10 * np.log10(power + 1e-9)
    loud_db = np.percentile(level_db, 95)
    silent = np.flatnonzero(np.diff(np.pad(level_db < loud_db - 30, 1).astype(np.int8)))
    usable = level_db < loud_db - 10
    for first, last in silent.reshape(-1, 2).tolist():
        if (last - first) * hop > 0.11 * INPUT_HZ:
            usable[max(0, first - near) : last + near] = False
    edge = int(0.45 * INPUT_HZ / hop)
    usable[:edge] = usable[max(0, len(usable) - edge) :] = False
    weakest = np.pad(level_db, 8, constant_values=np.inf)
    weakest = np.lib.stride_tricks.sliding_window_view(weakest, 17).min(axis=1)
    cuts: list[int] = []
    for at in rng.permutation(np.flatnonzero(usable & (level_db <= weakest))).tolist():
        if len(cuts) < count and all(abs(at - other) > edge for other in cuts):
            cuts.append(at)
    return np.split(samples, [hop * at for at in sorted(cuts)])


def lengthen(samples: Samples, seconds: float, factor: float) -> Samples:
    """Stretch the last ``seconds`` of speech at its own pitch, as people do who do not know how to go on.

    WSOLA: Verhelst and Roelands 1993, "An overlap-add technique based on waveform similarity".
    """
    head = max(0, len(samples) - int(seconds * INPUT_HZ))
    part = np.pad(samples[head:], (0, 2 * STRETCH_FRAME))
    window = np.hanning(STRETCH_FRAME).astype(np.float32)
    half, reach = STRETCH_FRAME // 2, STRETCH_FRAME // 4
    length = int((len(samples) - head) * factor)
    out = np.zeros(length + STRETCH_FRAME, np.float32)
    out[:half] = part[:half] * (1 - window[:half])
    follows = 0  # what would come next if nothing were stretched
    for at in range(0, length, half):
        wanted = min(int(at / factor), len(part) - 2 * STRETCH_FRAME)
        first = max(0, wanted - reach)
        places = np.lib.stride_tricks.sliding_window_view(
            part[first : wanted + reach + STRETCH_FRAME], STRETCH_FRAME
        )
        best = first + int(np.argmax(places @ part[follows : follows + STRETCH_FRAME])) if at else 0
        out[at : at + STRETCH_FRAME] += window * part[best : best + STRETCH_FRAME]
        follows = min(best + half, len(part) - STRETCH_FRAME)
    return np.concatenate([samples[:head], out[:length]]).astype(np.float32)


def hesitant(pieces: list[Samples], rng: Rng) -> list[Samples]:
    """Pieces of running speech that was cut, as one would say them: some ends drawn out, none abrupt."""
    fade = np.linspace(1, 0, 320, dtype=np.float32)
    out: list[Samples] = []
    for piece in pieces[:-1]:
        if rng.random() < 0.4:
            piece = lengthen(piece, float(rng.uniform(0.15, 0.35)), float(rng.uniform(1.2, 1.8)))
        out.append(np.concatenate([piece[:-320], piece[-320:] * fade]))
    return [*out, pieces[-1]]


def synthesise(line: Line, name: str, speak: Callable[[str], Samples], rng: Rng) -> Clip | None:
    """One clip, or None when the voice made no sound of it.

    A line with pauses is spoken piece by piece, as one hesitates, or spoken whole and cut.
    """
    longer = line.kind in ("request", "statement", "barge_in")
    count = pauses_in(rng, len(line.text.split()) // 4) if longer else 0
    if count and not line.parts and rng.random() < 0.8:
        cut = cut_speech(level(trim16(speak(line.text))), count, rng)
        if any(len(piece) < INPUT_HZ // 10 for piece in cut):
            return None
        pieces = tuple(hesitant(cut, rng))
    else:
        parts = list(line.parts) or break_line(line.text, count, rng)
        pieces = tuple(level(trim16(speak(part))) for part in parts)
    if any(len(p) < 800 or len(p) > 14 * INPUT_HZ for p in pieces):
        return None
    return Clip(line.kind, line.text, name, pieces)


def voice_clips(seed: int, number: int, lines: int, dialogue: Path) -> list[Clip]:
    """What synthetic voice ``number`` says. Deterministic for a seed and the voices installed."""
    rng = np.random.default_rng([seed, number])
    name, speak = _speakers().choose(rng)
    turns = dialogue_turns(dialogue)
    clips: list[Clip] = []
    for _ in range(lines):
        try:
            clip = synthesise(make_line(rng, turns), name, speak, rng)
        except (subprocess.SubprocessError, sf.LibsndfileError) as err:
            print(f"voices: {name} failed ({err}), line left out", file=sys.stderr)
            continue
        if clip is not None:
            clips.append(clip)
    return clips


@cache
def _speakers() -> Speakers:
    return Speakers()


def make_pool(seed: int, voices: int, lines_per_voice: int, dialogue: Path, workers: int = 1) -> list[Clip]:
    """Clips of ``voices`` synthetic voices, made in ``workers`` processes."""
    jobs = [(seed, number, lines_per_voice, dialogue) for number in range(voices)]
    if workers == 1:
        made = [voice_clips(*job) for job in jobs]
    else:
        with multiprocessing.get_context("spawn").Pool(workers) as pool:
            made = pool.starmap(voice_clips, jobs, chunksize=2)
    return [clip for clips in made for clip in clips]


def human_clips(
    data: Path, cache: Path, split: str, rng: Rng, variants: int, teachers: Teachers | None = None
) -> list[Clip]:
    """Real turns of one split, each in ``variants`` ways: begun later, cut elsewhere, another vocal tract."""
    clips: list[Clip] = []
    folder = human.recordings(data)[0].parent
    recordings: dict[str, Samples] = {}
    for turn in human.human_turns(data, cache):
        if human.split_of(turn.speaker) != split:
            continue
        if turn.file not in recordings:
            recordings = {turn.file: human.load(folder / turn.file)}
        spoken = level(recordings[turn.file][int(turn.start * INPUT_HZ) : int(turn.end * INPUT_HZ)])
        found = natural_pauses(spoken, teachers) if teachers else ()
        for k in range(variants):
            first = turn.start if rng.random() < 0.6 else later_start(turn, rng)
            gaps = [g for g in turn.gaps if g > first + 0.3]
            factor = 1.0 if k == 0 else float(rng.uniform(0.86, 1.16))
            count = pauses_in(rng, min(4, len(gaps)))
            cuts = sorted(rng.choice(gaps, size=count, replace=False).tolist()) if count else []
            bounds = [first - turn.start, *(cut - turn.start for cut in cuts), len(spoken) / INPUT_HZ]
            cut = [warp(spoken[int(a * INPUT_HZ) : int(b * INPUT_HZ)], factor) for a, b in pairwise(bounds)]
            if any(len(piece) < INPUT_HZ // 10 for piece in cut):
                continue
            pieces = tuple(piece.astype(np.float16) for piece in hesitant(cut, rng))
            inside = tuple(
                tuple(((x - a) / factor, (y - a) / factor, p) for x, y, p in found if a < x and y < b)
                for a, b in pairwise(bounds)
            )
            clips.append(Clip("statement", turn.text, f"human {turn.speaker}", pieces, inside))
    return clips


def later_start(turn: human.HumanTurn, rng: Rng) -> float:
    """A gap between words of a turn, in seconds of its recording, with 0.8 s or more of it to come."""
    places = [g for g in turn.gaps if g < turn.end - 0.8]
    return float(rng.choice(places)) if places else turn.start


def natural_pauses(spoken: Samples, teachers: Teachers) -> NaturalPauses:
    """Pauses of 0.2 s and more that a speaker made in one turn, by the teachers; empty without them."""
    spans = teachers.activity(spoken) or ()
    pauses = [(a[1], b[0]) for a, b in pairwise(spans) if b[0] - a[1] >= 0.2]
    judged = ((a, b, teachers.completeness(spoken[: int((a + 0.2) * INPUT_HZ)])) for a, b in pauses)
    return tuple((a, b, -1.0 if p is None else p) for a, b, p in judged)


def save(clips: list[Clip], path: Path) -> None:
    """Write a pool as one .npz file (16-bit samples), atomically."""
    pieces = [p for c in clips for p in c.pieces]
    sound = np.concatenate([np.clip(p * 32767, -32768, 32767).astype(np.int16) for p in pieces])
    rows = [(c.kind, c.text, c.voice, str(len(c.pieces))) for c in clips]
    temporary = path.with_suffix(".tmp.npz")
    np.savez(temporary, sound=sound, lengths=np.array([len(p) for p in pieces]), rows=np.array(rows))
    temporary.replace(path)


def read(path: Path) -> list[Clip]:
    """Read a pool written by ``save``."""
    with np.load(path, allow_pickle=False) as stored:
        ends = np.cumsum(stored["lengths"])
        pieces = np.split(stored["sound"], ends[:-1])
        clips: list[Clip] = []
        at = 0
        for kind, text, voice, count in stored["rows"].tolist():
            chosen = [(p / np.float32(32767)).astype(np.float16) for p in pieces[at : at + int(count)]]
            at += int(count)
            clips.append(Clip(kind, text, voice, tuple(chosen)))
    return clips
