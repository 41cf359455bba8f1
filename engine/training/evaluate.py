"""How well a model takes turns on voices it never heard: pauses, ends, noise, silence.

Until the assistant first speaks its own state does not change, so a whole turn
can be judged in one offline pass: the first micro-turn in which ``speak`` or
``interrupt`` wins is the moment the model would take the floor.
"""

import hashlib
import os
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from engine.config import CHUNK_S, INPUT_CHUNK, INPUT_HZ
from engine.decisions import DECISION_INDEX, SAY_INDEX
from engine.encode import TEXT_SLOTS, state_vector
from engine.frontend import WhisperEncoder, whole_features
from engine.model.interaction import InteractionModel, ModelInputs
from engine.standing import STANDING_DIM
from engine.training import human
from engine.training.acoustics import coloured_noise, hum, knocks, music
from engine.training.clips import Clip, level, trim16
from engine.types import Samples, SelfState

COMPUTE_S = 0.03
TAIL_S = 3.0
LATEST_S = 3.0  # a turn taken later than this after its end was not taken
SEED = 20_26
TAKES = (DECISION_INDEX["speak"], DECISION_INDEX["interrupt"])
NOISE_KINDS = ("silence", "white", "pink", "brown", "hum", "knocks", "music")
NOISE_S = 30.0
SYNTHETIC_CASES = 300


@dataclass(frozen=True)
class Case:
    """One recording to judge. Times in seconds; ``end`` is None where nobody speaks to the assistant.

    ``voices``: ``human``, ``synthetic`` or, in noise, empty.
    """

    name: str
    audio: Samples
    pauses: tuple[tuple[float, float], ...]
    end: float | None
    voices: str = "human"


@dataclass(frozen=True)
class Report:
    """Figures of one split.

    ``pauses_taken`` is a share of the ``pauses`` reached without an earlier
    take; ``cut_in`` and ``ends_taken`` are shares of all turns, of which there
    are ``ends``: a turn taken too soon was not taken at its end. Offsets are
    those of the ends taken.
    """

    pauses: int
    pauses_taken: float
    cut_in: float
    ends: int
    ends_taken: float
    offset_median_s: float
    offset_p90_s: float
    noise_minutes: float
    takes_per_noise_minute: float

    def line(self) -> str:
        return (
            f"pauses wrongly taken {self.pauses_taken:.3f} of {self.pauses}, cut in {self.cut_in:.3f}, "
            f"ends taken {self.ends_taken:.3f} of {self.ends}, offset median {self.offset_median_s:.2f} s "
            f"p90 {self.offset_p90_s:.2f} s, takes in noise {self.takes_per_noise_minute:.2f} a minute"
        )


def turn_case(turn: human.HumanTurn, recording: Samples, rng: np.random.Generator, pauses: int) -> Case:
    """A real turn with ``pauses`` silences of 0.35 to 1.6 s put between words of one clause."""
    count = min(pauses, len(turn.gaps))
    cuts = sorted(rng.choice(turn.gaps, size=count, replace=False).tolist()) if count else []
    bounds = [turn.start, *cuts, turn.end]
    scale = 0.06 / (np.sqrt(np.mean(recording**2)) + 1e-9)
    pieces = [scale * recording[int(a * INPUT_HZ) : int(b * INPUT_HZ)] for a, b in pairwise(bounds)]
    return _with_pauses(f"{turn.file}:{pauses}", pieces, rng, "human")


def _with_pauses(name: str, pieces: Sequence[Samples], rng: np.random.Generator, voices: str) -> Case:
    """Silence, ``pieces`` with pauses of 0.35 to 1.6 s between them, silence; faint noise over it all."""
    t = float(rng.uniform(0.8, 1.8))
    parts: list[Samples] = [np.zeros(int(t * INPUT_HZ), np.float32)]
    spans: list[tuple[float, float]] = []
    for k, piece in enumerate(pieces):
        if k:
            pause = float(rng.uniform(0.35, 1.6))
            parts.append(np.zeros(int(pause * INPUT_HZ), np.float32))
            spans.append((t, t + pause))
            t += pause
        parts.append(piece.astype(np.float32))
        t += len(piece) / INPUT_HZ
    parts.append(np.zeros(int(TAIL_S * INPUT_HZ), np.float32))
    audio = np.concatenate(parts)
    audio += 10 ** (rng.uniform(-66, -48) / 20) * coloured_noise(rng, len(audio), 1.0)
    return Case(name, audio.astype(np.float32), tuple(spans), t, voices)


def synthetic_cases(clips: Sequence[Clip]) -> list[Case]:
    """Turns of synthetic voices that training does not use, ``SYNTHETIC_CASES`` at most. Deterministic."""
    rng = np.random.default_rng(SEED)
    turns = [c for c in clips if c.kind in ("request", "statement", "barge_in")]
    chosen = rng.permutation(len(turns))[:SYNTHETIC_CASES]
    cases: list[Case] = []
    for clip in (turns[k] for k in chosen):
        pieces = [0.75 * piece.astype(np.float32) for piece in clip.pieces]
        cases.append(_with_pauses(f"{clip.voice}: {clip.text}", pieces, rng, "synthetic"))
    return cases


def human_cases(data: Path, cache: Path, split: str) -> list[Case]:
    """Each turn of a split twice: as it was spoken, and with one or two pauses. Deterministic."""
    rng = np.random.default_rng(SEED)
    folder = human.recordings(data)[0].parent
    recordings: dict[str, Samples] = {}
    cases: list[Case] = []
    for turn in human.human_turns(data, cache):
        if human.split_of(turn.speaker) != split:
            continue
        recording = recordings.setdefault(turn.file, human.load(folder / turn.file))
        cases += [turn_case(turn, recording, rng, k) for k in (0, 1 + int(rng.integers(2)))]
    return cases


def noise_cases() -> list[Case]:
    """Half a minute each of silence and of six noises at three levels."""
    rng = np.random.default_rng(SEED)
    length = int(NOISE_S * INPUT_HZ)
    makers: dict[str, Any] = {
        "white": lambda: coloured_noise(rng, length, 0.0),
        "pink": lambda: coloured_noise(rng, length, 1.0),
        "brown": lambda: coloured_noise(rng, length, 2.0),
        "hum": lambda: hum(rng, length),
        "knocks": lambda: 8 * knocks(rng, length, 2.0),
        "music": lambda: music(rng, length),
    }
    cases = [Case("silence", np.zeros(length, np.float32), (), None, "")]
    for kind in NOISE_KINDS[1:]:
        for db in (-55, -40, -28):
            samples = np.clip(10 ** (db / 20) * makers[kind](), -1, 1).astype(np.float32)
            cases.append(Case(f"{kind} {db} dB", samples, (), None, ""))
    return cases


def listening_inputs(features: NDArray[np.float32], state_dim: int) -> ModelInputs:
    """A sequence during which the assistant stays silent, (1, T)."""
    turns = len(features)
    state = torch.from_numpy(state_vector(SelfState())[:state_dim]).expand(1, turns, -1)
    return ModelInputs(
        audio=torch.from_numpy(features)[None],
        state=state,
        decision=torch.full((1, turns), DECISION_INDEX["listen"]),
        say=torch.full((1, turns), SAY_INDEX["none"]),
        text=torch.zeros(1, turns, TEXT_SLOTS, dtype=torch.long),
        standing=torch.zeros(1, turns, STANDING_DIM),
        frames=torch.zeros(0, 3, 120, 160),
        frame_index=torch.full((1, turns), -1),
    )


@torch.inference_mode()
def decision_logits(
    model: InteractionModel, cases: Iterable[NDArray[np.float32]]
) -> list[NDArray[np.float32]]:
    """(T, 5) logits for each recording's features, the assistant silent throughout."""
    model.eval()
    inputs = (listening_inputs(features, model.config.state_dim) for features in cases)
    return [model(x).decision[0].float().numpy() for x in inputs]


def case_features(cases: list[Case], stored: Path, front_end: str) -> list[NDArray[np.float32]]:
    """Features of all cases for a front end; kept in ``stored`` (.npz) with a digest of the cases."""
    padded = [np.pad(c.audio, (0, -len(c.audio) % INPUT_CHUNK)) for c in cases]
    digest = hashlib.sha256(front_end.encode())
    for samples in padded:
        digest.update(samples.tobytes())
    known = np.frombuffer(digest.digest(), np.uint8)
    if stored.exists():
        try:
            with stored.open("rb") as raw, np.load(raw) as arrays:
                if "digest" in arrays.files and np.array_equal(arrays["digest"], known):
                    return [arrays[f"a{k}"].astype(np.float32) for k in range(len(cases))]
        except (OSError, ValueError, EOFError, zipfile.BadZipFile):
            print(f"{stored} is damaged: made again", flush=True)
    encoder = WhisperEncoder() if front_end == "whisper" else None
    features = [whole_features(a, encoder, batch=4).astype(np.float16) for a in padded]
    stored.parent.mkdir(parents=True, exist_ok=True)
    temporary = stored.with_suffix(f".{os.getpid()}.tmp.npz")
    np.savez(temporary, digest=known, **{f"a{k}": f for k, f in enumerate(features)})  # type: ignore[arg-type]
    temporary.replace(stored)
    return [f.astype(np.float32) for f in features]


def takes(logits: NDArray[np.float32], bias: float) -> NDArray[np.bool_]:
    """(T,): whether speak or interrupt wins, with ``bias`` added to both."""
    biased = logits.copy()
    biased[:, list(TAKES)] += bias
    return np.isin(biased.argmax(axis=1), TAKES)


def take_time(logits: NDArray[np.float32], bias: float) -> float | None:
    """End of the micro-turn that first takes the floor, in seconds, or None."""
    took = takes(logits, bias).nonzero()[0]
    return float((took[0] + 1) * CHUNK_S) if len(took) else None


def judge(cases: list[Case], logits: list[NDArray[np.float32]], bias: float) -> Report:
    """Score takes against the truth."""
    reached = taken = turns = cut_in = 0
    offsets: list[float] = []
    noise_s, noise_takes = 0.0, 0
    for case, scores in zip(cases, logits, strict=True):
        if case.end is None:
            noise_s += len(scores) * CHUNK_S
            speaking = takes(scores, bias)
            noise_takes += int(np.count_nonzero(speaking[1:] & ~speaking[:-1]) + speaking[0])
            continue
        turns += 1
        t = take_time(scores, bias)
        if t is None or t > case.end:
            reached += len(case.pauses)
            if t is not None and t <= case.end + LATEST_S:
                offsets.append(t + COMPUTE_S - case.end)
            continue
        in_pause = any(a < t <= b + CHUNK_S for a, b in case.pauses)
        reached += sum(a < t for a, _ in case.pauses)
        taken += in_pause
        cut_in += not in_pause
    return Report(
        pauses=reached,
        pauses_taken=taken / max(1, reached),
        cut_in=cut_in / max(1, turns),
        ends=turns,
        ends_taken=len(offsets) / max(1, turns),
        offset_median_s=float(np.median(offsets)) if offsets else float("nan"),
        offset_p90_s=float(np.percentile(offsets, 90)) if offsets else float("nan"),
        noise_minutes=noise_s / 60,
        takes_per_noise_minute=noise_takes / max(noise_s / 60, 1e-9),
    )


def usefulness(report: Report) -> float:
    """One number to choose by on validation voices: ends taken soon, pauses and noise left alone.

    A turn cut into is missing among the ends taken, so it is not counted again.
    """
    median, p90 = report.offset_median_s, report.offset_p90_s
    late = max(0.0, median - 0.3) if np.isfinite(median) else 1.0
    very_late = max(0.0, min(2.0, p90) - 0.8) if np.isfinite(p90) else 1.2
    wrong = report.pauses_taken + 0.1 * min(3.0, report.takes_per_noise_minute)
    return report.ends_taken - wrong - 0.5 * late - 0.3 * very_late


@dataclass(frozen=True)
class Choice:
    """A bias on taking the floor, and what it reaches.

    ``score``: usefulness, the mean of real and synthetic voices; ``human`` and ``synthetic`` the two apart,
    each with the noise cases, None where there are no cases of the kind.
    """

    bias: float
    score: float
    human: Report | None
    synthetic: Report | None

    @property
    def report(self) -> Report:
        """Of real voices where there are any."""
        found = self.human or self.synthetic
        assert found is not None
        return found


def choose_bias(cases: list[Case], logits: list[NDArray[np.float32]]) -> Choice:
    """The bias that serves best on these (validation) cases; of equals the smallest.

    Real and synthetic voices count alike. With noise alone ``human`` is a report without turns.
    """
    voices = {c.voices for c in cases}
    choices: list[Choice] = []
    for bias in np.arange(-4.0, 3.01, 0.25):
        reports = {
            kind: judge_voices(cases, logits, float(bias), kind)
            for kind in ("human", "synthetic")
            if kind in voices or (kind == "human" and voices == {""})
        }
        score = float(np.mean([usefulness(report) for report in reports.values()]))
        choices.append(Choice(float(bias), score, reports.get("human"), reports.get("synthetic")))
    return max(choices, key=lambda choice: (choice.score, -abs(choice.bias)))


def judge_voices(cases: list[Case], logits: list[NDArray[np.float32]], bias: float, voices: str) -> Report:
    """Score the cases of one kind of voices, and those of noise."""
    kept = [k for k, case in enumerate(cases) if case.voices in (voices, "")]
    return judge([cases[k] for k in kept], [logits[k] for k in kept], bias)


def spoken_case(pieces: list[Samples], pause_s: float, tail_s: float = TAIL_S) -> Case:
    """A case from given speech pieces (16 kHz) with equal pauses between them."""
    parts: list[Samples] = [np.zeros(INPUT_HZ, np.float32)]
    spans, t = [], 1.0
    for k, piece in enumerate(pieces):
        clean = level(trim16(piece), 0.06)
        if k:
            parts.append(np.zeros(int(pause_s * INPUT_HZ), np.float32))
            spans.append((t, t + pause_s))
            t += pause_s
        parts.append(clean)
        t += len(clean) / INPUT_HZ
    parts.append(np.zeros(int(tail_s * INPUT_HZ), np.float32))
    return Case("spoken", np.concatenate(parts), tuple(spans), t)
