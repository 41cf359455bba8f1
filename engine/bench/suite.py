"""Runs the benchmark: every engine through the same cases, one after another, in one thread."""

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from engine.bench.cases import OVERLAPS, TASKS, Case
from engine.bench.drive import run_case, twin
from engine.bench.measure import Figures, measure
from engine.config import EngineConfig
from engine.engines.registry import ENGINES, make_engine
from engine.errors import InputError, MicroturnError
from engine.interfaces import InteractionEngine
from engine.speech import SpeechController
from engine.voice import Voice

REFERENCES = ("never-speaks", "never-stops")
SPLITS = ("test", "validation")
SYNTHETIC, HUMAN = "synthetic", "human"
_CASE_SECONDS = 30.0  # of a case not made yet, for the progress alone

Progress = Callable[[float, float | None], None]
"""Called with the session seconds done, and about how many there will be."""


@dataclass(frozen=True)
class Options:
    """What to run. ``engines`` empty: all that can be loaded, and the references. ``cases``: of each task.

    ``data``: folder with human voices; ``weights``: a model file for the ``micro`` engine. ``cpu_time``
    counts the processor time of computing instead of wall-clock time.
    """

    engines: tuple[str, ...] = ()
    tasks: tuple[str, ...] = TASKS
    cases: int = 24
    split: str = "test"
    seed: int = 0
    data: Path | None = None
    weights: Path | None = None
    cpu_time: bool = False


@dataclass(frozen=True)
class CaseResult:
    """One engine in one case. ``seconds`` of session took ``wall_s`` to compute, a twin run included."""

    engine: str
    voices: str
    task: str
    name: str
    figures: Figures
    faults: tuple[str, ...]
    seconds: float
    wall_s: float


@dataclass
class Results:
    """All that a run found. ``models``: by engine; ``notes``: what was left out, and why."""

    options: Options
    models: dict[str, str]
    voices: tuple[str, ...]
    cases: list[CaseResult] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def by_task(self, engine: str, voices: str) -> dict[str, list[Figures]]:
        """The observations of one engine with one kind of voices."""
        found: dict[str, list[Figures]] = {}
        for case in self.cases:
            if (case.engine, case.voices) == (engine, voices):
                found.setdefault(case.task, []).append(case.figures)
        return found


def check(options: Options) -> None:
    """Raises InputError for what cannot be run, before any work."""
    for task in options.tasks:
        if task not in TASKS:
            raise InputError(f"unknown task {task!r}: choose from {', '.join(TASKS)}")
    known = (*ENGINES, *REFERENCES)
    for name in options.engines:
        if name not in known:
            raise InputError(f"unknown engine {name!r}: choose from {', '.join(known)}")
    if options.split not in SPLITS:
        raise InputError(f"unknown split {options.split!r}: choose {' or '.join(SPLITS)}")
    if options.data is not None and not options.data.is_dir():
        raise InputError(f"there is no folder {options.data}: give the one with the human voices")
    if options.weights is not None and options.engines and "micro" not in options.engines:
        raise InputError("--model gives the weights of the micro engine, which is not to be run: add it")


def load_engine(name: str, weights: Path | None) -> InteractionEngine:
    """An engine by name, the references included. ``weights``: for ``micro``, in place of the shipped ones.

    Raises:
        MicroturnError: something that it needs is missing.
    """
    if name in REFERENCES:
        from engine.engines.reference import NeverSpeaks, NeverStops

        return NeverSpeaks() if name == NeverSpeaks.name else NeverStops()
    if name == "micro" and weights is not None:
        from engine.engines.micro import MicroEngine

        return MicroEngine(path=weights)
    return make_engine(EngineConfig(engine=name))


def _load_engines(options: Options, notes: list[str]) -> list[InteractionEngine]:
    loaded: list[InteractionEngine] = []
    for name in dict.fromkeys(options.engines or (*ENGINES, *REFERENCES)):
        try:
            engine = load_engine(name, options.weights)
            engine.warm_up()
        except MicroturnError as err:
            if options.engines or (name == "micro" and options.weights is not None):
                raise
            notes.append(f"engine {name} left out: {err}")
        else:
            loaded.append(engine)
    return loaded


def run_bench(options: Options, progress: Progress, voice: Voice | None = None) -> Results:
    """Run everything. ``voice``: the bundled one by default.

    Raises:
        InputError: see ``check``.
        MicroturnError: an engine that was asked for cannot be loaded, or one fails on the way.
    """
    check(options)
    notes: list[str] = []
    engines = _load_engines(options, notes)
    voices: tuple[str, ...] = (SYNTHETIC,)
    if options.data is None:
        notes.append("human voices left out: give their folder with --data DIR")
    else:
        voices = (SYNTHETIC, HUMAN)
    voice = voice or Voice()
    SpeechController(voice).warm_up()
    results = Results(options, {e.name: e.model for e in engines}, voices, notes=notes)
    stopwatch = time.process_time if options.cpu_time else time.perf_counter
    done = 0.0
    pending = len(voices) * len(options.tasks) * len(engines)
    with _quiet_collector():
        for kind in voices:
            for task in options.tasks:
                cases = _make_cases(task, kind, options, notes)
                for engine in engines:
                    for case in cases:
                        results.cases.append(_run(case, kind, engine, voice, stopwatch))
                        done += case.length_s
                        progress(done, done + pending * options.cases * _CASE_SECONDS)
                    pending -= 1
    return results


def _make_cases(task: str, voices: str, options: Options, notes: list[str]) -> Sequence[Case]:
    from engine.bench.scenes import make_cases

    cases = make_cases(task, options.split, options.cases, voices, options.data, options.seed)
    if len(cases) < options.cases:
        notes.append(f"{task}, {voices} voices: {len(cases)} cases instead of {options.cases}")
    return cases


def _run(
    case: Case, voices: str, engine: InteractionEngine, voice: Voice, stopwatch: Callable[[], float]
) -> CaseResult:
    began = time.perf_counter()
    outcome = run_case(case, engine, voice, stopwatch)
    alone = run_case(twin(case), engine, voice, stopwatch) if case.task in OVERLAPS else None
    turns = len(outcome.turns) + (len(alone.turns) if alone else 0)
    return CaseResult(
        engine=engine.name,
        voices=voices,
        task=case.task,
        name=case.name,
        figures=measure(outcome, alone),
        faults=outcome.faults,
        seconds=0.2 * turns,
        wall_s=time.perf_counter() - began,
    )


@contextmanager
def _quiet_collector() -> Iterator[None]:
    """As in a session: what is loaded by now is not looked at by later garbage collections."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
