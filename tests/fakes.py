"""Fakes for the edges of a session: sound, model, voice, background. Time is simulated; nothing sleeps."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from engine.clock import Clock
from engine.config import INPUT_CHUNK, OUTPUT_CHUNK, OUTPUT_HZ
from engine.decisions import DECISIONS
from engine.events import BackgroundEvent
from engine.handover import HandOver, Line
from engine.types import Frame, MicroTurn, Samples, SourceChunk, StepOutput
from engine.voice import Phrase, SpokenWord, Voice

WORD_SAMPLES = OUTPUT_HZ // 4  # ToneVoice says four words a second


def output(decision: str = "listen", say: str = "none", delegate: bool = False) -> StepOutput:
    probs = {name: 0.9 if name == decision else 0.025 for name in DECISIONS}
    return StepOutput(decision, probs, say=say, delegate=delegate, delegate_prob=float(delegate))


class FakeSource:
    """Chunks at the pace of ``clock``: given ones, or ``count`` whose samples are their index / 1000."""

    def __init__(self, clock: Clock, count: int = 0, chunks: Sequence[SourceChunk] = ()) -> None:
        self._clock = clock
        numbered = [SourceChunk(np.full(INPUT_CHUNK, i / 1000, np.float32)) for i in range(count)]
        self._chunks = deque(chunks or numbered)
        self._index = 0
        self.started = self.stopped = 0
        self.fail_with: Exception | None = None
        self.on_read: Callable[[int], None] = lambda index: None

    def start(self) -> None:
        self.started += 1
        if self.fail_with:
            raise self.fail_with

    def read(self) -> SourceChunk | None:
        if self.stopped or not self._chunks:
            return None
        self.on_read(self._index)
        self._index += 1
        self._clock.wait_until(0.2 * self._index)
        return self._chunks.popleft()

    def stop(self) -> None:
        self.stopped += 1


class FakeSink:
    """A loudspeaker as one long array at 24 kHz; ``writes`` and ``flushes`` keep what was called when."""

    def __init__(self) -> None:
        self.track: Samples = np.zeros(0, np.float32)
        self.writes: list[tuple[float, int]] = []
        self.flushes: list[float] = []
        self.faults: list[str] = []
        self.started = self.stopped = 0

    def start(self) -> None:
        self.started += 1

    def write(self, samples: Samples, t: float) -> None:
        self.writes.append((t, len(samples)))
        begin = max(len(self.track), round(t * OUTPUT_HZ))
        gap = np.zeros(begin - len(self.track), np.float32)
        self.track = np.concatenate((self.track, gap, samples))

    def queued(self, t: float) -> int:
        return max(0, len(self.track) - round(t * OUTPUT_HZ))

    def flush(self, t: float) -> int:
        lost = self.queued(t)
        self.flushes.append(t)
        self.track = self.track[: round(t * OUTPUT_HZ)]
        return lost

    def played(self, index: int) -> Samples:
        piece = self.track[index * OUTPUT_CHUNK : (index + 1) * OUTPUT_CHUNK]
        return np.pad(piece, (0, OUTPUT_CHUNK - len(piece)))

    def take_faults(self) -> tuple[str, ...]:
        faults, self.faults = tuple(self.faults), []
        return faults

    def stop(self) -> None:
        self.stopped += 1


class FakeStopwatch:
    """What the runner measures compute time with: it moves only by the costs of the fake engine."""

    def __init__(self) -> None:
        self.t = 0.0

    def __call__(self) -> float:
        return self.t


@dataclass
class FakeEngine:
    """Gives ``outputs`` (by micro-turn, else ``listen``), taking ``costs`` seconds; keeps what it saw."""

    outputs: dict[int, StepOutput] = field(default_factory=dict)
    costs: dict[int, float] = field(default_factory=dict)
    cost: float = 0.0
    stopwatch: FakeStopwatch = field(default_factory=FakeStopwatch)
    failures: frozenset[int] = frozenset()
    name: str = "fake"
    model: str = "fake-000000000000"
    seen: list[MicroTurn] = field(default_factory=list)
    seed: int | None = None
    warm: bool = False

    def warm_up(self) -> None:
        self.warm = True

    def reset(self, seed: int) -> None:
        self.seed = seed

    def step(self, turn: MicroTurn) -> StepOutput:
        self.seen.append(turn)
        self.stopwatch.t += self.costs.get(turn.index, self.cost)
        if turn.index in self.failures:
            raise RuntimeError("weights melted\nbadly")
        return self.outputs.get(turn.index, output())


class ToneVoice(Voice):
    """The voice's queue with a tone instead of speech: every word lasts 0.25 s."""

    def __init__(self) -> None:
        self._samples = np.zeros(0, np.float32)
        self._words: list[SpokenWord] = []
        self._position = 0
        self.failing = False

    def warm_up(self, phrases: tuple[str, ...] = ()) -> None:
        pass

    def synthesise(self, text: str) -> Phrase:
        if self.failing:
            raise OSError("voice lost")
        words = text.split()
        tone = 0.1 + 0.05 * np.sin(np.arange(len(words) * WORD_SAMPLES) / 20.0)
        return Phrase(
            tone.astype(np.float32), tuple(SpokenWord(w, i * WORD_SAMPLES) for i, w in enumerate(words))
        )


@dataclass
class FakeBackground:
    """Answers every job with ``script``: (seconds after it was asked, event, text, detail)."""

    script: Sequence[tuple[float, str, str, Mapping[str, object]]] = ()
    fail_on: str = ""
    ready: bool = False
    can_start: bool = True
    replaces: bool = True
    """Whether a request takes the place of what was given up with it."""
    faults: list[str] = field(default_factory=list)
    started: int = 0
    stopped: int = 0
    asked: list[tuple[float, HandOver, Frame | None]] = field(default_factory=list)
    heard: list[tuple[int, float, float]] = field(default_factory=list)
    known: tuple[Line, ...] = ()
    cancelled: list[int] = field(default_factory=list)
    retried: list[int] = field(default_factory=list)
    permitted: list[tuple[int, bool]] = field(default_factory=list)
    shared: tuple[str, ...] = ()
    waited: list[float] = field(default_factory=list)
    _coming: list[BackgroundEvent] = field(default_factory=list)

    def start(self) -> None:
        self.started += 1

    def wait_ready(self, timeout: float) -> bool:
        self.ready = self.can_start
        return self.ready

    def hear(self, index: int, samples: Samples, t: float, since: float) -> None:
        self._maybe_fail("hear")
        self.heard.append((index, t, since))

    def know(self, lines: tuple[Line, ...]) -> None:
        self.known = lines

    def submit(self, t: float, package: HandOver, frame: Frame | None) -> int:
        self._maybe_fail("submit")
        job = len(self.asked)
        self.asked.append((t, package, frame))
        for other in package.given_up if self.replaces else ():
            self.cancel(other, t)
        self._coming.append(BackgroundEvent(job, t, "asked"))
        for dt, event, say, detail in self.script:
            self._coming.append(BackgroundEvent(job, t + dt, event, say, detail))
        self._coming.sort(key=lambda event: event.t)
        return job

    def poll(self, t: float) -> tuple[BackgroundEvent, ...]:
        self._maybe_fail("poll")
        due = tuple(event for event in self._coming if event.t < t)
        self._coming = [event for event in self._coming if event.t >= t]
        return due

    def wait_until(self, t: float) -> None:
        self._maybe_fail("wait_until")
        self.waited.append(t)

    def retry(self, job: int, t: float) -> int | None:
        self._maybe_fail("retry")
        self.retried.append(job)
        return self.submit(t, self.asked[job][1], None)

    def permit(self, job: int, allowed: bool) -> None:
        self._maybe_fail("permit")
        self.permitted.append((job, allowed))

    def share(self, paths: tuple[str, ...]) -> None:
        self._maybe_fail("share")
        self.shared = paths

    def cancel(self, job: int, t: float, reason: str = "") -> None:
        self._maybe_fail("cancel")
        self.cancelled.append(job)
        self._coming = [event for event in self._coming if event.id != job]
        self._coming.append(BackgroundEvent(job, t, "cancelled"))

    def take_faults(self) -> tuple[str, ...]:
        faults, self.faults = tuple(self.faults), []
        return faults

    def stop(self) -> None:
        self.stopped += 1

    def _maybe_fail(self, where: str) -> None:
        if self.fail_on == where:
            raise RuntimeError("pipe broken")


class FakeCamera:
    """``frames``: (time, number). ``fail_at``: from that session second on, everything raises."""

    def __init__(self, frames: Sequence[tuple[float, int]] = (), fail_at: float | None = None) -> None:
        self._frames = list(frames)
        self._fail_at = fail_at
        self.events: list[str] = []
        self.started = self.stopped = 0

    def start(self) -> None:
        self.started += 1

    def newest(self, t: float) -> Frame | None:
        if self._fail_at is not None and t >= self._fail_at:
            raise OSError("unplugged")
        due = [frame for frame in self._frames if frame[0] < t]
        self._frames = [frame for frame in self._frames if frame[0] >= t]
        if not due:
            return None
        captured, number = due[-1]
        return Frame(np.zeros((4, 4, 3), np.uint8), number, captured)

    def take_events(self) -> tuple[str, ...]:
        events, self.events = tuple(self.events), []
        return events

    def stop(self) -> None:
        self.stopped += 1
