"""One conversation: the facade that the window and the commands use."""

import gc
import logging
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from engine.assembler import MAX_TYPED_CHARS
from engine.background.settings import BackgroundSettings
from engine.clock import Clock, MonotonicClock
from engine.config import EngineConfig, Temperament
from engine.engines.registry import check_engine
from engine.errors import InputError, MicroturnError
from engine.event_bus import EventBus
from engine.events import Event, Fault, Mark, SessionHeader, TextIn
from engine.inbox import (
    CancelJob,
    Command,
    Inbox,
    PermitJob,
    RetryJob,
    SetTemperament,
    ShareFiles,
    StopSpeaking,
    UseCamera,
)
from engine.interfaces import AudioSink, AudioSource, Background, Camera, InteractionEngine
from engine.recorder.writer import SessionWriter
from engine.runner import Parts, Runner, RunStats
from engine.startup import Factories, Startup
from engine.types import Frame, Samples
from engine.voices import with_installed

log = logging.getLogger(__name__)
READY_TIMEOUT_S = 200.0  # the first start converts the embedded model
LIVE_READY_TIMEOUT_S = 20.0  # somebody looks at it
_READY_STEP_S = 0.5


class Session:
    """Owns the engine thread and everything it runs on. Used once: ``start``, then ``stop`` or the end.

    All methods may be called from any thread, and only ``stop`` and ``join``
    wait. Everything that happens is published on ``bus``; with ``out_dir`` it is
    recorded there too.

    Attributes:
        source, sink, camera: the devices, for level meters, mute and preview.
        progress: what ``starting`` is busy with, in plain words.
        stats: figures of the run so far.
    """

    def __init__(
        self,
        config: EngineConfig,
        *,
        source: AudioSource,
        sink: AudioSink,
        clock: Clock,
        bus: EventBus,
        camera: Camera | None = None,
        background: Background | None = None,
        out_dir: Path | None = None,
        source_name: str = "",
        script: Sequence[TextIn] = (),
        simulated: bool = False,
        factories: Factories | None = None,
    ) -> None:
        """Prepare a session; nothing is opened before ``start``.

        Args:
            script: texts to be typed at given times.
            simulated: the clock is simulated, so that waiting for the disk delays nobody, and the
                session can wait until the background is ready to answer.
            factories: what makes the engine and the voice.

        Raises:
            InputError: there is no engine of that name, or it cannot have that temperament.
        """
        check_engine(config.engine, config.temperament)
        self.config = config
        self.source, self.sink, self.camera = source, sink, camera
        self._first_camera = camera
        self.bus = bus
        self.out_dir = out_dir
        self.stats = RunStats()
        self._background = background
        self._clock = clock
        self._source_name = source_name
        self._script = tuple(script)
        self._simulated = simulated
        self.await_background = simulated
        """Second 0 is when the background can answer: a recording, unlike a person, says nothing twice."""
        self._factories = factories or Factories()
        self._inbox = Inbox()
        self._writer: SessionWriter | None = None
        self._stopping = threading.Event()
        self.progress = ""
        self._startup = Startup(self._stopping, self._say)
        self._state = "starting"
        self._recording_error = ""
        self._error: MicroturnError | None = None
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)

    @property
    def state(self) -> str:
        """``starting``, ``running``, ``stopped`` or ``failed``."""
        return self._state

    @property
    def error(self) -> MicroturnError | None:
        """Why the session failed."""
        return self._error

    @property
    def recording(self) -> bool:
        """Whether the session is being written to the disk at this moment."""
        return self._writer is not None and self._writer.recording

    @property
    def recording_error(self) -> str:
        """Why the session is no longer recorded although it should be; empty when all is well."""
        return self._recording_error

    def now(self) -> float:
        """Session seconds; 0 while the session is starting."""
        return 0.0 if self._state == "starting" else self._clock.now()

    def warn(self, what: str) -> None:
        """Put a fault that is known before ``start`` at the beginning of the timeline."""
        self._startup.troubles.append(what)

    def start(self) -> None:
        """Begin loading and then listening, in the engine thread; returns at once."""
        self._thread.start()

    def stop(self, timeout: float = 3.0) -> bool:
        """End the session and wait for it. False if it has not ended in time, and is still ending."""
        self._stopping.set()
        self.source.stop()
        return self.join(timeout)

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the end of the input or of ``stop``. True when the session has ended."""
        if self._thread.ident is None:
            return True
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def type_text(self, text: str) -> None:
        """Words typed by the user, up to ``MAX_TYPED_CHARS`` characters; the rest is cut with a fault."""
        words = "".join(c if c.isprintable() else " " for c in text[:MAX_TYPED_CHARS]).strip()
        if len(text) > MAX_TYPED_CHARS:
            self._emit(Fault(self.now(), f"typed text cut after {MAX_TYPED_CHARS} characters"))
        if words:
            self._post(TextIn(self.now(), words))

    def mark(self, note: str, verdict: str = "", t: float | None = None) -> None:
        """Put a note at second ``t`` of the timeline; None is this moment, and so is the future."""
        now = self.now()
        self._post(Mark(now if t is None else min(max(t, 0.0), now), note[:MAX_TYPED_CHARS], verdict))

    def cancel_job(self, job: int) -> None:
        """Give a background job up."""
        self._post(CancelJob(self.now(), job))

    def retry_job(self, job: int) -> None:
        """Ask again what a background job was asked that has ended."""
        self._post(RetryJob(self.now(), job))

    def permit_job(self, job: int, allowed: bool) -> None:
        """Answer the question that a background job has asked."""
        self._post(PermitJob(self.now(), job, allowed))

    def share_files(self, paths: Sequence[Path]) -> None:
        """Let the tools read these files and no others; newest last."""
        self._post(ShareFiles(self.now(), tuple(map(str, paths))))

    def set_temperament(self, temperament: Temperament) -> None:
        """Lean otherwise from now on, if the engine can; a mark says so."""
        self._post(SetTemperament(self.now(), temperament))

    def switch_camera(self, camera: str | None) -> None:
        """Look through another webcam or video file from now on; None is none. Waits for the devices.

        Raises:
            InputError: there is no such camera.
        """
        opened, trouble = _open_webcam(camera, self._clock)
        if trouble:
            raise InputError(trouble)
        if opened is not None:
            opened.start()
        before, self.camera = self.camera, opened
        self._post(UseCamera(self.now(), opened))
        for gone in (before, None if self._thread.is_alive() else opened):
            if gone is not None:
                gone.stop()

    def stop_speaking(self) -> None:
        """The user's button: be silent within one micro-turn, and forget what was to be said."""
        self._post(StopSpeaking(self.now()))

    def _post(self, command: Command) -> None:
        if not self._inbox.put(command):
            self._emit(Fault(self.now(), f"too many commands at once: {type(command).__name__} refused"))

    def _emit(self, event: Event) -> None:
        self.bus.publish(event)
        if self._writer is not None:
            self._writer.event(event)

    def _record(self, heard_by_us: Samples, heard_by_user: Samples, frame: Frame | None) -> None:
        if self._writer is None:
            return
        self._writer.turn(heard_by_us, heard_by_user, frame)
        for what in self._writer.take_faults():
            self._emit(Fault(self.now(), what))
            if not self._writer.recording:
                self._recording_error = what

    def _run(self) -> None:
        try:
            runner = self._prepare()
            if runner is not None:
                self._state = "running"
                runner.run()
        except MicroturnError as err:
            self._error = err
        except Exception as err:
            log.debug("session failed", exc_info=True)
            self._error = MicroturnError(f"the session failed ({type(err).__name__}: {err})")
            self._error.__cause__ = err
        finally:
            self._release()
            self._state = "failed" if self._error else "stopped"

    def _prepare(self) -> Runner | None:
        """Load and open everything; None when ``stop`` was called meanwhile."""
        startup = self._startup
        background = startup.start_optional("starting the background process", self._background)
        self.progress = "loading the interaction model"
        engine = self._factories.engine(self.config)
        engine.warm_up()
        engine.reset(self.config.seed)
        if self._stopping.is_set():
            return None
        self.progress = "loading the voice"
        self.config, trouble = with_installed(self.config)
        if trouble:
            startup.troubles.append(trouble)
        speech = self._factories.speech(self.config)
        speech.warm_up()
        self._open_record(engine)
        camera = startup.start_optional("opening the camera", self.camera)
        for trouble in startup.troubles:
            self._emit(Fault(0.0, trouble))
        parts = Parts(self.source, self.sink, engine, speech, self._clock, camera, background, self._script)
        runner = Runner(parts, self.config.late, self._inbox, self._emit, self._record)
        self.stats = runner.stats
        if self.await_background and background is not None:
            self._wait_for(background)
        # What was made so far lives as long as the session: later collections need not look at it.
        gc.collect()
        gc.freeze()
        startup.start("opening the loudspeaker", self.sink)
        startup.start("opening the microphone", self.source)
        # Second 0 is when both devices run: a sound server may take seconds to wake them.
        self._clock.start()
        self.progress = ""
        return None if self._stopping.is_set() else runner

    def _say(self, progress: str) -> None:
        self.progress = progress

    def _wait_for(self, background: Background) -> None:
        """Until the background can answer: its start-up must not count as its answer."""
        self.progress = "loading the background model"
        began = asked = time.monotonic()
        limit = READY_TIMEOUT_S if self._simulated else LIVE_READY_TIMEOUT_S
        while not self._stopping.is_set() and asked - began < limit:
            if background.wait_ready(_READY_STEP_S):
                return
            before, asked = asked, time.monotonic()
            if asked - before < _READY_STEP_S / 2:
                break  # it does not start at all
        if not self._stopping.is_set():
            self._emit(Fault(0.0, "the background process is not ready: answers come late or not at all"))

    def _open_record(self, engine: InteractionEngine) -> None:
        header = SessionHeader(
            engine=engine.name,
            model=engine.model,
            seed=self.config.seed,
            started_at=datetime.now(UTC).isoformat(timespec="seconds"),
            source=self._source_name,
            options=self.config.options,
        )
        self.bus.publish(header)
        if self.out_dir is not None:
            self._writer = SessionWriter(self.out_dir, header, may_wait=self._simulated)

    def _release(self) -> None:
        """Stop everything that was started, and finish the files."""
        for trouble in self._startup.stop_all():
            self._emit(Fault(self.now(), trouble))
        if self.camera is not None and self.camera is not self._first_camera:
            self.camera.stop()
        gc.unfreeze()
        if self._error is not None:
            self._emit(Fault(self.now(), str(self._error)))
        if self._writer is not None:
            self._writer.close()
            for what in self._writer.take_faults():
                self.bus.publish(Fault(self.now(), what))


def open_live(
    config: EngineConfig,
    input_device: str | None,
    output_device: str | None,
    camera: str | None,
    out_dir: Path | None,
    bus: EventBus,
    factories: Factories | None = None,
    background: BackgroundSettings | None = None,
    aloud: bool = False,
) -> Session:
    """A session on this computer's devices, ready to be started.

    Args:
        input_device, output_device: id, name or part of a name; None is the system's default. An
            ``input_device`` that is a sound file stands in for the microphone, as if it were spoken now;
            silence follows its end until the session is stopped.
        camera: index, name, or a video file; None goes without. One that is not there is a fault, no error.
        out_dir: new or empty folder to record into; None records nothing.
        background: how the background process is run; from the environment when not given.
        aloud: a sound file that stands in for the microphone is heard from the loudspeaker, too.

    Raises:
        InputError: no such engine or sound device, or no sound file that can be read.
        MicroturnError: PortAudio is missing.
    """
    from engine.background.client import BackgroundClient

    clock = MonotonicClock()
    source, sink, name = _open_audio(input_device, output_device, clock, aloud)
    webcam, trouble = _open_webcam(camera, clock)
    session = Session(
        config,
        source=source,
        sink=sink,
        clock=clock,
        bus=bus,
        camera=webcam,
        background=BackgroundClient(background, simulated=False) if config.background else None,
        out_dir=out_dir,
        source_name=name,
        factories=factories,
    )
    session.await_background = name != "live"
    if trouble:
        session.warn(trouble)
    return session


def _open_audio(
    input_device: str | None, output_device: str | None, clock: Clock, aloud: bool
) -> tuple[AudioSource, AudioSink, str]:
    """Microphone or file, loudspeaker, and where the sound comes from."""
    from engine.audio.live import open_live_audio, open_loudspeaker

    if input_device is None or not Path(input_device).is_file():
        return *open_live_audio(input_device, output_device, clock), "live"
    from engine.audio.file_source import FileSource

    source = FileSource(input_device, clock, goes_on=True)
    try:
        sink = open_loudspeaker(output_device, clock, aloud)
    except MicroturnError:
        source.stop()
        raise
    if aloud:
        source.aloud = sink.play_beside
    return source, sink, source.name


def _open_webcam(camera: str | None, clock: Clock) -> tuple[Camera | None, str]:
    """The webcam or video file, or None and why not."""
    if camera is None:
        return None, ""
    from engine.camera.video_file import VideoFileCamera
    from engine.camera.webcam import WebCamera

    try:
        return (VideoFileCamera if Path(camera).is_file() else WebCamera)(camera, clock), ""
    except InputError as err:
        return None, str(err)
