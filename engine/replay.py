"""Feeds a recording through the whole engine and writes the session: the live code with other ends."""

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from engine.audio.file_sink import FileSink
from engine.audio.file_source import FileSource
from engine.clock import Clock, MonotonicClock, SimulatedClock
from engine.config import CHUNK_S, EngineConfig, LateRule
from engine.engines.registry import check_engine
from engine.errors import InputError, MicroturnError
from engine.event_bus import EventBus
from engine.events import Event, Fault, SessionHeader, TurnRecord
from engine.interfaces import Background, Camera
from engine.recorder.folder import prepare_folder
from engine.script import read_script
from engine.session import Session
from engine.startup import Factories
from engine.voices import check_voice

PACES = ("fast", "real")
_QUEUE = 100_000
_POLL_S = 0.05
_KEPT_FAULTS = 100

Progress = Callable[[float, float | None], None]
"""Called with the seconds done, and the whole length in seconds where it is known."""


@dataclass(frozen=True)
class SessionSummary:
    """One replay in figures. Times in seconds unless they say ``_ms``."""

    path: Path
    engine: str
    model: str
    duration_s: float
    wall_s: float
    turns: int
    decisions: dict[str, int]
    compute_median_ms: float
    compute_p99_ms: float
    compute_max_ms: float
    deadlines_missed: int
    skipped: int
    faults: tuple[str, ...]

    @property
    def speed(self) -> float:
        """Seconds of conversation a second, from the first micro-turn on."""
        return self.duration_s / self.wall_s if self.wall_s > 0 else 0.0


@dataclass
class _Tally:
    """What the summary needs from the events."""

    header: SessionHeader | None = None
    decisions: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    done_s: float = 0.0

    def add(self, event: Event) -> None:
        if isinstance(event, TurnRecord):
            self.decisions[event.decision] += 1
            self.done_s = event.t + CHUNK_S
        elif isinstance(event, SessionHeader):
            self.header = event
        elif isinstance(event, Fault) and len(self.faults) < _KEPT_FAULTS:
            self.faults.append(event.what)


def run_replay(
    input_spec: str,
    out: Path,
    *,
    video: Path | None = None,
    text: Path | None = None,
    config: EngineConfig | None = None,
    pace: str = "fast",
    progress: Progress | None = None,
    on_event: Callable[[Event], None] | None = None,
    factories: Factories | None = None,
) -> SessionSummary:
    """Replay a recording (or ``silence:SECONDS``) and write the session into ``out``.

    ``pace='fast'`` runs on a simulated clock as quickly as the computer can,
    ``'real'`` against the wall clock. ``progress`` and ``on_event`` are called
    in the caller's thread. What ``config`` says of being late is not used.
    Without the background, the decisions of a fast replay depend on the
    recording and on ``config`` alone. A voice that is not installed is replaced, with a fault.

    Raises:
        InputError: an argument or a file is wrong.
        MicroturnError: the run failed, the disk did, or Ctrl-C ended it; what was recorded is kept.
    """
    # Nobody waits for a fast replay: every micro-turn gets its decision, however late by the account.
    late = LateRule(math.inf) if pace == "fast" else LateRule()
    config = replace(config or EngineConfig(), late=late)
    check_engine(config.engine, config.temperament)
    check_voice(config.voice)
    if pace not in PACES:
        raise InputError(f"unknown pace {pace!r}: choose fast or real")
    script = read_script(text) if text is not None else ()
    clock: Clock = SimulatedClock() if pace == "fast" else MonotonicClock()
    source, camera = _open_inputs(input_spec, video, clock)
    try:
        prepare_folder(out)
    except MicroturnError:
        source.stop()
        if camera is not None:
            camera.stop()
        raise
    session = Session(
        config,
        source=source,
        sink=FileSink(),
        camera=camera,
        background=_make_background(simulated=pace == "fast") if config.background else None,
        clock=clock,
        bus=EventBus(),
        out_dir=out,
        source_name=source.name,
        script=script,
        simulated=pace == "fast",
        factories=factories,
    )
    return _run(session, out, source.duration_s, progress, on_event)


def _open_inputs(input_spec: str, video: Path | None, clock: Clock) -> tuple[FileSource, Camera | None]:
    source = FileSource(input_spec, clock)
    if video is None:
        return source, None
    from engine.camera.video_file import VideoFileCamera

    try:
        return source, VideoFileCamera(video, clock)
    except MicroturnError:
        source.stop()
        raise


def _make_background(simulated: bool) -> Background:
    from engine.background.client import BackgroundClient

    return BackgroundClient(simulated=simulated)


def _run(
    session: Session,
    out: Path,
    duration_s: float | None,
    progress: Progress | None,
    on_event: Callable[[Event], None] | None,
) -> SessionSummary:
    tally = _Tally()
    subscription = session.bus.subscribe(_QUEUE)

    def follow() -> None:
        for event in subscription.drain():
            tally.add(event)
            if on_event is not None:
                on_event(event)
        if progress is not None:
            progress(tally.done_s, duration_s)

    try:
        session.start()
        while not session.join(_POLL_S):
            follow()
            if session.recording_error:
                raise MicroturnError(session.recording_error)
        follow()
    except KeyboardInterrupt:
        session.stop(10.0)
        raise MicroturnError(
            f"interrupted after {tally.done_s:.1f} s; the session until then is in {out}"
        ) from None
    finally:
        session.stop(10.0)
        subscription.close()
    if session.error is not None:
        raise session.error
    return _summary(session, tally, out)


def _summary(session: Session, tally: _Tally, out: Path) -> SessionSummary:
    compute = np.array(session.stats.compute_ms or [0.0])
    return SessionSummary(
        path=out,
        engine="" if tally.header is None else tally.header.engine,
        model="" if tally.header is None else tally.header.model,
        duration_s=tally.done_s,
        wall_s=session.stats.wall_s,
        turns=session.stats.turns,
        decisions=dict(tally.decisions),
        compute_median_ms=float(np.median(compute)),
        compute_p99_ms=float(np.percentile(compute, 99)),
        compute_max_ms=float(compute.max()),
        deadlines_missed=session.stats.deadlines_missed,
        skipped=session.stats.skipped,
        faults=tuple(tally.faults),
    )
