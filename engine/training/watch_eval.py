"""How well a model counts, watches and keeps time in simulated scenes, all decisions being its own.

Repetitions are judged as in RepCount-A (Hu et al. 2022, arXiv 2204.01018): off-by-one accuracy and the mean
absolute error normalised by the count; here the last number *said* in a stream is the count.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray

from engine.config import CHUNK_S
from engine.decisions import COUNT, CUE, DECISIONS, TIME
from engine.engines.micro import choose
from engine.model.interaction import InteractionModel
from engine.standing import ANY, CUE_WORDS, CUES, Instruction
from engine.training.onpolicy import model_inputs
from engine.training.simulator import SessionSimulator
from engine.training.texts import Rng
from engine.training.visual.bank import Scene
from engine.training.visual.store import pixels
from engine.training.watching import TIMES_S
from engine.voice import Voice

BATCH = 16
ASKED_AT_S = 0.4
CUE_FOUND_S = (-0.2, 2.0)  # said so long after it began, it counts as found
TIME_WITHIN_S = 0.5


@dataclass(frozen=True)
class Watched:
    """One session: what was asked, when it was due, when it was said, in session seconds."""

    asked: Instruction
    due: tuple[float, ...]
    said: tuple[float, ...]
    seconds: float

    @property
    def off(self) -> int:
        """How far the last number said is from the truth."""
        return abs(len(self.said) - len(self.due))

    @property
    def late(self) -> list[float]:
        """How late each number was said, the k-th against the k-th repetition's end."""
        return [s - d for s, d in zip(self.said, self.due, strict=False)]

    def found(self) -> list[float]:
        """How late those moments were named that were named at all, each by one saying."""
        left, out = [*self.said], []
        for due in self.due:
            low, high = (due + edge for edge in CUE_FOUND_S)
            hits = [t for t in left if low <= t <= high]
            if hits:
                left.remove(hits[0])
                out.append(hits[0] - due)
        return out


@dataclass(frozen=True)
class WatchReport:
    """Figures over many sessions; not a number where nothing was asked of that kind."""

    counted: int
    off_by_one: float
    count_error: float
    count_late_s: float
    counts_idle: float
    cues: int
    cue_found: float
    cue_late_s: float
    cue_false: float
    times: int
    time_within: float
    time_false: float

    def line(self) -> str:
        return (
            f"counts within one {self.off_by_one:.2f} of {self.counted}, error {self.count_error:.2f}, "
            f"late {self.count_late_s:.2f} s, {self.counts_idle:.2f} a minute without exercise | cues found "
            f"{self.cue_found:.2f} of {self.cues}, late {self.cue_late_s:.2f} s, false {self.cue_false:.2f} "
            f"a minute | times within {TIME_WITHIN_S} s {self.time_within:.2f} of {self.times}, "
            f"false {self.time_false:.2f} a minute"
        )

    @property
    def score(self) -> float:
        """One number, higher is better: what a training run keeps its best epoch by."""
        found = np.nan_to_num([self.off_by_one, self.cue_found, self.time_within])
        false = float(np.nan_to_num(self.cue_false + self.counts_idle))
        return float(found.mean()) - 0.1 * min(1.0, false)


def wishes(rng: Rng, scenes: Sequence[Scene]) -> list[Instruction]:
    """What is asked for in each scene: to count exercises, else to watch for something, or to say a time."""
    out = []
    for k, scene in enumerate(scenes):
        seen = sorted({e.label for e in scene.events if e.label in CUES and e.visible >= 0.5})
        if scene.repetitions:
            out.append(Instruction(COUNT, ANY if k % 2 else scene.repetitions[0].kind))
        elif k % 5 == 0:
            seconds = float(rng.choice(TIMES_S))
            out.append(Instruction(TIME, "", "It's time.", seconds, repeat=bool(seconds < 25)))
        elif k % 5 == 1:
            out.append(Instruction(COUNT, ANY))
        else:
            what = str(rng.choice(seen or CUES))
            out.append(Instruction(CUE, what, CUE_WORDS[what][0]))
    return out


def play(
    model: InteractionModel,
    scenes: Sequence[Scene],
    asked: Sequence[Instruction],
    sounds: Sequence[NDArray[np.float16]],
    seed: int,
    dialogue: tuple[str, ...] = ("It is four.",),
) -> list[Watched]:
    """Sessions in which nobody speaks, side by side; ``sounds``: features of rooms, (turns, dim) each."""
    sessions = []
    turns = len(scenes[0].pictures)
    for k, (scene, wish) in enumerate(zip(scenes, asked, strict=True)):
        rng = np.random.default_rng([seed, k])
        session = SessionSimulator(rng, [], [], Voice(), dialogue, turns, empty=True, scene=scene)
        assert session.watching is not None
        session.watching.only(wish, ASKED_AT_S)
        sessions.append(session)
    films = [pixels(scene.film()) for scene in scenes]
    state, bias = model.streaming(len(sessions)), torch.zeros(len(DECISIONS))
    said: list[list[float]] = [[] for _ in sessions]
    for i in range(turns):
        seen = [session.observe()[:2] for session in sessions]
        heard = [np.asarray(sounds[k % len(sounds)][i], np.float32) for k in range(len(sessions))]
        pictures = torch.stack([film[i] for film in films])
        out = model.step(model_inputs(heard, seen, model.config, pictures), state)
        for k, session in enumerate(sessions):
            chosen = choose(out, k, bias, session.rng)
            if chosen.decision != "listen" and chosen.say == asked[k].token:
                said[k].append((i + 1) * CHUNK_S)
            session.act(chosen)
    return [
        Watched(wish, _due(session, wish, turns * CHUNK_S), tuple(times), turns * CHUNK_S)
        for session, wish, times in zip(sessions, asked, said, strict=True)
    ]


def _due(session: SessionSimulator, asked: Instruction, seconds: float) -> tuple[float, ...]:
    """When the instruction was due, the last second left out: it may be named after the end."""
    assert session.watching is not None
    if asked.token != TIME:
        return tuple(m.t for m in session.watching.moments if m.t < seconds - 1.0)
    watch = session.speech.standing.view(0.0).of(TIME)
    assert watch is not None
    count = int((seconds - 1.0 - watch.since) // asked.seconds) if asked.repeat else 1
    times = (watch.since + asked.seconds * (k + 1) for k in range(count))
    return tuple(t for t in times if t < seconds - 1.0)


def summary(sessions: Sequence[Watched]) -> WatchReport:
    """The figures of sessions that were played."""
    counted = [s for s in sessions if s.asked.token == COUNT and s.due]
    idle = [s for s in sessions if s.asked.token == COUNT and not s.due]
    cues = [s for s in sessions if s.asked.token == CUE]
    times = [s for s in sessions if s.asked.token == TIME and s.due]
    late = [x for s in counted for x in s.late]
    found = [x for s in cues for x in s.found()]
    kept = [abs(a - b) <= TIME_WITHIN_S for s in times for a, b in _paired(s)]
    return WatchReport(
        len(counted),
        _mean([s.off <= 1 for s in counted]),
        _mean([s.off / len(s.due) for s in counted]),
        _median(late),
        _a_minute(sum(len(s.said) for s in idle), idle),
        sum(len(s.due) for s in cues),
        len(found) / max(1, sum(len(s.due) for s in cues)),
        _median(found),
        _a_minute(sum(len(s.said) for s in cues) - len(found), cues),
        len(kept),
        _mean(kept),
        _a_minute(sum(max(0, len(s.said) - len(s.due)) for s in times), times),
    )


def _paired(session: Watched) -> list[tuple[float, float]]:
    """Each time asked for with the nearest saying, infinitely far where there is none."""
    return [(due, min(session.said, key=lambda t: abs(t - due), default=float("inf"))) for due in session.due]


def _mean(values: Sequence[float] | Sequence[bool]) -> float:
    return float(np.mean(values)) if values else float("nan")


def _median(values: Sequence[float]) -> float:
    return float(np.median(values)) if values else float("nan")


def _a_minute(count: int, sessions: Sequence[Watched]) -> float:
    seconds = sum(s.seconds for s in sessions)
    return 60.0 * count / seconds if seconds else float("nan")


def judge(
    model: InteractionModel, scenes: Sequence[Scene], sounds: Sequence[NDArray[np.float16]], seed: int = 5
) -> WatchReport:
    """Play ``scenes`` with the model and sum up."""
    asked = wishes(np.random.default_rng(seed), scenes)
    edges = [*range(0, len(scenes), BATCH), len(scenes)]
    played: list[Watched] = []
    for a, b in pairwise(edges):
        played += play(model, scenes[a:b], asked[a:b], sounds, seed + a)
    return summary(played)
