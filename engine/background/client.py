"""The background process as the engine holds it: started, watched, restarted, stopped."""

import logging
import tempfile
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from engine.background.jobs import Job, JobBook, Told, clip_lines
from engine.background.keys import with_key
from engine.background.process import WorkerProcess, worker_command
from engine.background.protocol import (
    ENDS,
    MAX_FILES,
    MAX_JPEG_BYTES,
    Cancel,
    Configure,
    Due,
    Hear,
    HeardWords,
    JobEvent,
    Lines,
    Listened,
    Message,
    Permit,
    Ping,
    Ready,
    Share,
    Status,
    audio_bytes,
)
from engine.background.protocol import Told as AlarmTold
from engine.background.settings import BackgroundSettings, Supervision, from_environment
from engine.config import CHUNK_S
from engine.handover import HandOver, Line
from engine.paths import cache_dir
from engine.types import Frame, Image, Samples

log = logging.getLogger(__name__)
STOP_S = 2.9
LONG_LIFE_S = 10.0
KEPT_SOUND = 100  # micro-turns that a worker which starts anew gets to hear again: 20 s


@dataclass(frozen=True)
class BackgroundStatus:
    """``state``: starting, ready, restarting, broken or stopped.

    ``text``: what it is busy with, what it lacks, or why it broke; ``progress``:
    0 to 1, -1 where unknown.
    """

    state: str
    text: str = ""
    progress: float = -1.0


class BackgroundClient:
    """Implements ``engine.interfaces.Background``. One worker process at a time, several jobs at once in it.

    Methods may be called from any thread and never wait, but for
    ``wait_ready``, ``wait_until`` on a simulated clock, and ``stop``. A thread
    of its own starts the worker, pings it, kills it when it is silent, and
    starts it anew; open requests are then tried once more, and it hears the last seconds again.

    Args:
        settings: from the environment when not given.
        simulated: session time is simulated; see ``wait_until``.
        command: what to start instead of the real worker.
        limits: times of the supervision.
    """

    def __init__(
        self,
        settings: BackgroundSettings | None = None,
        *,
        simulated: bool = False,
        command: Sequence[str] | None = None,
        limits: Supervision | None = None,
    ) -> None:
        settings = settings or from_environment()
        self._settings = replace(
            settings, cache_dir=settings.cache_dir or str(cache_dir()), simulated=simulated
        )
        self._own_store: tempfile.TemporaryDirectory[str] | None = None
        if simulated:
            self._keep_apart()
        self._command = tuple(command) if command else worker_command()
        self._limits = limits or Supervision()
        self._book = JobBook(simulated, self._limits.max_open)
        self._worker: WorkerProcess | None = None
        self._status = BackgroundStatus("starting")
        self._settled = threading.Condition()
        self._wake = threading.Event()
        self._stopping = False
        self._failed_starts = 0
        self._short_lives = 0
        self._start_at = 0.0
        self._ping_at = 0.0
        self._pings = 0
        self._faults: deque[str] = deque(maxlen=16)
        self._sound: deque[Hear] = deque(maxlen=KEPT_SOUND)
        self._hearing = threading.Lock()
        self._lines: tuple[Line, ...] = ()
        self._files: tuple[str, ...] = ()
        self._deaf = 0
        self._thread = threading.Thread(target=self._supervise, name="background supervisor", daemon=True)

    def _keep_apart(self) -> None:
        """A replay has a store and a wall clock of its own: it must not touch the user's notes and alarms."""
        if not self._settings.store:
            self._own_store = tempfile.TemporaryDirectory(prefix="microturn-")
            path = Path(self._own_store.name) / "mind.sqlite"
            self._settings = replace(self._settings, store=str(path))
        if not self._settings.wall_start:
            self._settings = replace(self._settings, wall_start=datetime.now(UTC).timestamp())

    @property
    def status(self) -> BackgroundStatus:
        return self._status

    @property
    def pid(self) -> int | None:
        """Process id of the worker, None while there is none."""
        worker = self._worker
        return worker.pid if worker else None

    @property
    def busy(self) -> bool:
        """Whether a request is open."""
        return self._book.any_open

    def start(self) -> None:
        """Start the process; returns at once."""
        self._thread.start()

    def wait_ready(self, timeout: float) -> bool:
        """Wait until requests are answered; False after ``timeout`` seconds or when it does not start."""
        with self._settled:
            self._settled.wait_for(lambda: self._status.state in ("ready", "broken", "stopped"), timeout)
            return self._status.state == "ready"

    def hear(self, index: int, samples: Samples, t: float, since: float) -> None:
        """The microphone's sound of micro-turn ``index``; see ``engine.interfaces.Background``."""
        message = Hear(index, index * CHUNK_S, max(0.0, since), audio_bytes(samples))
        with self._hearing:
            self._sound.append(message)
            worker = self._worker
            if worker is None or not worker.ready:
                return
            self._book.sound(index, t)
            if not worker.offer(message):
                self._book.unheard(index)
                self._deaf += 1

    def know(self, lines: tuple[Line, ...]) -> None:
        """What was said lately, whenever it has changed."""
        self._lines = clip_lines(lines)
        if (worker := self._worker) is not None and worker.ready:
            worker.offer(Lines(self._lines))

    def submit(self, t: float, package: HandOver, frame: Frame | None) -> int:
        """Hand work over at session time ``t`` and return its id; see ``engine.interfaces.Background``.

        The last 60 s of the audio count. An ``asked`` event follows at ``t``.
        """
        job = self._book.submit(t, package, frame, self._limits.job_s)
        self._wake.set()
        return job

    def poll(self, t: float) -> tuple[Told, ...]:
        """Events that happened before session time ``t``, in order, each once."""
        events = self._book.poll(t)
        for alarm in self._book.take_told():
            if (worker := self._worker) is not None:
                worker.offer(AlarmTold(alarm))
        return events

    def wait_until(self, t: float) -> None:
        """On a simulated clock: return once every open job has had the real time up to ``t`` or has ended."""
        self._book.wait_until(t)

    def cancel(self, job: int, t: float, reason: str = "") -> None:
        """Give a job up; its ``cancelled`` event follows, and nothing else."""
        self._book.cancel(job, t, reason)
        if (worker := self._worker) is not None and job in worker.jobs:
            worker.send(Cancel(job))

    def retry(self, job: int, t: float) -> int | None:
        """Ask again what an ended job was asked; the new job's id."""
        again = self._book.retry(job, t)
        self._wake.set()
        return again

    def permit(self, job: int, allowed: bool) -> None:
        """The user's answer to a job's question, given in the window."""
        if (worker := self._worker) is not None:
            worker.send(Permit(job, allowed))

    def share(self, paths: tuple[str, ...]) -> None:
        """The files that the user lets the tools read, newest last."""
        self._files = paths[-MAX_FILES:]
        if (worker := self._worker) is not None and worker.ready:
            worker.offer(Share(self._files))

    def take_faults(self) -> tuple[str, ...]:
        """What went wrong with the process since the last call, in plain words."""
        taken = []
        if dropped := self._book.take_dropped():
            taken.append(f"{dropped} background events were dropped")
        if self._deaf:
            taken.append(f"the background process missed {self._deaf * CHUNK_S:.1f} s of sound")
            self._deaf = 0
        while self._faults:
            taken.append(self._faults.popleft())
        return tuple(taken)

    def stop(self) -> None:
        """End the process; within 3 s, also when it hangs."""
        self._stopping = True
        self._book.close()
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join(STOP_S)
        if self._own_store is not None:
            self._own_store.cleanup()
        self._set_status(BackgroundStatus("stopped"))

    def _supervise(self) -> None:
        try:
            while not self._stopping:
                self._step(time.monotonic())
                self._wake.wait(self._limits.ping_s / 2)
                self._wake.clear()
        finally:
            if self._worker is not None:
                self._worker.close(gently=True)
                self._worker = None

    def _step(self, now: float) -> None:
        worker = self._worker
        if worker is None:
            if now >= self._start_at:
                self._launch()
            elif self._status.state == "broken":
                self._fail_waiting()
            return
        why = self._trouble(worker, now)
        if why:
            self._bury(worker, why, now)
            return
        if now >= self._ping_at:
            self._ping_at = now + self._limits.ping_s
            self._pings += 1
            worker.unanswered += 1
            worker.send(Ping(self._pings))
        if worker.ready:
            self._dispatch(worker)
        elif self._status.state == "broken":
            self._fail_waiting()

    def _trouble(self, worker: WorkerProcess, now: float) -> str:
        """Why this worker has to go, empty while all is well."""
        limits = self._limits
        silence = limits.silence_s if worker.ready else limits.start_silence_s
        if worker.ended:
            return worker.why_ended()
        # Pings are counted too: when this process was held up itself, nobody has been silent.
        if now - worker.heard > silence and worker.unanswered > limits.silence_s / limits.ping_s / 2:
            return f"silent for {silence:g} s"
        if not worker.ready and now - worker.started > limits.load_s:
            return f"not ready after {limits.load_s:g} s"
        overdue = self._book.overdue(limits.overdue_s)
        for job in overdue:
            self._book.failed(job, "That took too long.", f"no end after {limits.job_s:g} s")
        return f"busy with one request for {limits.job_s:g} s" if overdue else ""

    def _launch(self) -> None:
        try:
            worker = WorkerProcess(self._command, self._settings.threads, self._came, self._wake.set)
        except OSError as err:
            self._ended(f"cannot be started: {err.strerror or err}", time.monotonic(), lived=0.0)
            return
        self._worker = worker
        worker.send(Configure(with_key(self._settings)))

    def _bury(self, worker: WorkerProcess, why: str, now: float) -> None:
        self._worker = None
        worker.close(gently=False)
        self._book.interrupted(f"the background process was lost: {why}")
        lived = now - worker.ready_at if worker.ready else 0.0
        self._ended(why, now, lived, useful=worker.useful or lived > LONG_LIFE_S)

    def _ended(self, why: str, now: float, lived: float, useful: bool = False) -> None:
        """Note the end of a worker that was ready for ``lived`` seconds, and when to start the next.

        One that was of no use makes the next wait longer.
        """
        self._failed_starts = 0 if lived else self._failed_starts + 1
        self._short_lives = 0 if useful else self._short_lives + 1
        limits = self._limits
        self._start_at = now + min(
            limits.max_backoff_s, limits.backoff_s * 2 ** min(16, max(0, self._short_lives - 1))
        )
        self._faults.append(f"the background process was lost and is started again: {why}")
        log.info("background process lost: %s", why)
        broken = self._failed_starts >= limits.start_attempts
        self._set_status(BackgroundStatus("broken" if broken else "restarting", why))

    def _fail_waiting(self) -> None:
        self._book.fail_waiting(
            "I cannot think right now.", f"the background process does not start: {self._status.text}"
        )

    def _dispatch(self, worker: WorkerProcess) -> None:
        while (job := self._book.take_waiting()) is not None:
            worker.jobs.add(job.id)
            worker.send(job.request(_jpeg(job)))
            if not self._book.is_open(job.id):  # cancelled while it was being handed over
                worker.send(Cancel(job.id))

    def _came(self, worker: WorkerProcess, message: Message) -> None:
        """In the worker's reader thread."""
        book = self._book
        if isinstance(message, JobEvent):
            book.came(message)
            if message.event in ENDS:
                worker.jobs.discard(message.job)
                worker.useful = True
                self._wake.set()
        elif isinstance(message, Listened):
            book.listened(message.index)
        elif isinstance(message, HeardWords):
            book.heard(message)
        elif isinstance(message, Due):
            book.due(message.alarm, message.text)
        elif isinstance(message, Status):
            self._set_status(BackgroundStatus(self._loading_state(), message.text, message.progress))
        elif isinstance(message, Ready):
            self._ready(worker, message)

    def _ready(self, worker: WorkerProcess, message: Ready) -> None:
        worker.ready_at = time.monotonic()
        if message.trouble:
            self._faults.append(message.trouble)
        worker.send(Lines(self._lines))
        worker.send(Share(self._files))
        with self._hearing:  # every micro-turn is heard again or heard live
            for sound in tuple(self._sound)[-worker.room :]:
                worker.offer(sound)
            worker.ready = True
        self._set_status(BackgroundStatus("ready", message.trouble or message.model, 1.0))
        self._wake.set()

    def _loading_state(self) -> str:
        return self._status.state if self._status.state in ("restarting", "broken") else "starting"

    def _set_status(self, status: BackgroundStatus) -> None:
        with self._settled:
            self._status = status
            self._settled.notify_all()


def _jpeg(job: Job) -> bytes:
    """The job's picture for the worker; without it when it cannot be made small enough."""
    return _encode(job.frame.image) if job.frame is not None else b""


def _encode(image: Image) -> bytes:
    import cv2

    scale = min(1.0, 768 / max(image.shape[:2]))
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else image
    done, data = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 80])
    return data.tobytes() if done and data.nbytes <= MAX_JPEG_BYTES else b""
