"""Runs one case through the live loop, on a simulated clock."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from engine.bench.background import ScriptedBackground
from engine.bench.cases import Case, Outcome
from engine.bench.user import CaseSource, HeardSink
from engine.clock import SimulatedClock
from engine.config import LateRule
from engine.events import BackgroundEvent, Event, Fault, Transcript, TurnRecord
from engine.inbox import Inbox
from engine.interfaces import InteractionEngine
from engine.runner import Parts, Runner
from engine.speech import SpeechController
from engine.types import Frame, Samples
from engine.voice import Voice


def twin(case: Case) -> Case:
    """The same case without what is said into the answer: what the engine does when nothing overlaps."""
    cues = tuple(cue for cue in case.cues if cue.after != "answer")
    return replace(case, name=f"{case.name} without overlap", cues=cues)


@dataclass
class _Tape:
    """What the runner tells, sorted by kind."""

    told: Callable[[TurnRecord], None]
    turns: list[TurnRecord] = field(default_factory=list)
    transcripts: list[Transcript] = field(default_factory=list)
    background: list[BackgroundEvent] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    heard: list[Samples] = field(default_factory=list)

    def emit(self, event: Event) -> None:
        if isinstance(event, TurnRecord):
            self.turns.append(event)
            self.told(event)
        elif isinstance(event, Transcript):
            self.transcripts.append(event)
        elif isinstance(event, BackgroundEvent):
            self.background.append(event)
        elif isinstance(event, Fault):
            self.faults.append(event.what)

    def record(self, given: Samples, heard: Samples, frame: Frame | None) -> None:
        del given, frame
        self.heard.append(heard)


def run_case(
    case: Case, engine: InteractionEngine, voice: Voice, stopwatch: Callable[[], float] = time.perf_counter
) -> Outcome:
    """Play a case to an engine and keep what it did.

    The loop is the live one (``engine.runner``); as in a fast replay the
    measured computing time of each micro-turn delays its own output. Engine and
    voice are used again from case to case, with nothing left of the last one.

    Raises:
        MicroturnError: the engine or the voice failed in several micro-turns in a row.
    """
    engine.reset(case.seed)
    voice.stop()
    speech = SpeechController(voice)
    speech.warm_up()
    clock, sink = SimulatedClock(), HeardSink()
    source = CaseSource(case, sink, clock, lambda: background.open_jobs)
    background = ScriptedBackground(case.answers, source.begun)
    tape = _Tape(source.told)
    parts = Parts(source, sink, engine, speech, clock, background=background)
    # Nobody waits for a simulated user: every micro-turn gets its decision.
    Runner(parts, LateRule(math.inf), Inbox(), tape.emit, tape.record, stopwatch).run()
    return Outcome(
        case=case,
        engine=engine.name,
        happened=source.happened,
        turns=tuple(tape.turns),
        transcripts=tuple(tape.transcripts),
        background=tuple(tape.background),
        heard=np.concatenate(tape.heard) if tape.heard else np.zeros(0, np.float32),
        faults=tuple(tape.faults),
    )
