"""A worker process with its pipes, as the engine's side holds it."""

import contextlib
import logging
import os
import queue
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from engine.background import WORKER_FLAG
from engine.background.protocol import Message, ProtocolError, Stop, read_message, write_message
from engine.paths import project_root

log = logging.getLogger(__name__)
MAX_QUEUED = 256
_STATUS_S = 0.2
_LEAVE_S = 0.5
_KILL_S = 1.0


def worker_command() -> tuple[str, ...]:
    """This program as a background process: the frozen application started again, or the interpreter."""
    if getattr(sys, "frozen", False):
        return (sys.executable, WORKER_FLAG, str(os.getpid()))
    return (sys.executable, "-P", "-m", "engine.background.worker", str(os.getpid()))


def worker_environment(threads: int) -> dict[str, str]:
    """What the worker inherits: not the key, which comes through the pipe, and no model hubs."""
    env = {name: value for name, value in os.environ.items() if name != "MICROTURN_API_KEY"}
    paths = [str(project_root()), *filter(None, [env.get("PYTHONPATH")])]
    env.update(
        PYTHONPATH=os.pathsep.join(paths),
        PYTHONUTF8="1",
        OMP_NUM_THREADS=str(threads),
        HF_HUB_OFFLINE="1",
        TOKENIZERS_PARALLELISM="false",
        # glibc else keeps what the largest step took, some 70 MB; lower ones double a token's time.
        MALLOC_ARENA_MAX="1",
        MALLOC_MMAP_THRESHOLD_=str(4 * 2**20),
        MALLOC_TRIM_THRESHOLD_=str(16 * 2**20),
    )
    return env


class WorkerProcess:
    """Starts at once. ``on_message`` and ``on_end`` are called from its reader thread.

    Attributes:
        started, heard: when it was started and last heard of, by ``time.monotonic``.
        ready: it has said so. ready_at: when.
        unanswered: pings sent since it was last heard of.
        jobs: what it works on. useful: it has ended one.
    """

    def __init__(
        self,
        command: Sequence[str],
        threads: int,
        on_message: Callable[["WorkerProcess", Message], None],
        on_end: Callable[[], None],
    ) -> None:
        self.started = self.heard = time.monotonic()
        self.ready = False
        self.ready_at = 0.0
        self.unanswered = 0
        self.jobs: set[int] = set()
        self.useful = False
        self._broken = ""
        self._last_lines: deque[str] = deque(maxlen=20)
        self._outgoing: queue.Queue[Message | None] = queue.Queue(maxsize=MAX_QUEUED)
        self._on_message = on_message
        self._on_end = on_end
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=worker_environment(threads),
            # Ctrl-C in the terminal is for the engine alone.
            start_new_session=sys.platform != "win32",
            creationflags=_quiet_and_low() if sys.platform == "win32" else 0,
        )
        self._threads = [
            threading.Thread(target=work, name=f"background {name}", daemon=True)
            for name, work in (("reader", self._read), ("writer", self._write), ("log", self._follow))
        ]
        for thread in self._threads:
            thread.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def ended(self) -> bool:
        """It is gone, or can no longer be talked to."""
        return bool(self._broken) or self._process.poll() is not None

    def why_ended(self) -> str:
        """In plain words, with the last line it printed."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            # Its pipe closes a moment before its status is known.
            self._process.wait(_STATUS_S)
        status = self._process.poll()
        if status is None:
            why = self._broken or "it does not answer"
        elif status < 0:
            why = f"killed by signal {-status}"
        else:
            why = f"ended with status {status}"
        return f"{why} ({self._last_lines[-1]})" if self._last_lines else why

    def send(self, message: Message) -> None:
        """Queue a message; never waits. A worker that takes none of a full queue counts as gone."""
        try:
            self._outgoing.put_nowait(message)
        except queue.Full:
            self._broken = self._broken or "it takes no messages"

    def offer(self, message: Message) -> bool:
        """Queue a message that may be lost; False when there is no room for it."""
        if self._outgoing.qsize() >= MAX_QUEUED // 2:
            return False
        self.send(message)
        return True

    @property
    def room(self) -> int:
        """How many messages may be offered now."""
        return max(1, MAX_QUEUED // 2 - self._outgoing.qsize())

    def close(self, gently: bool) -> None:
        """End the process and the threads; at most 2.5 s, usually some milliseconds."""
        if gently:
            self.send(Stop())
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_LEAVE_S)
        if self._process.poll() is None:
            self._process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_KILL_S)
        with contextlib.suppress(queue.Full):
            self._outgoing.put_nowait(None)
        for thread in self._threads:
            thread.join(_LEAVE_S)

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as stream:
            try:
                while (message := read_message(stream)) is not None:
                    self.heard = time.monotonic()
                    self.unanswered = 0
                    self._on_message(self, message)
                self._broken = self._broken or "it closed its pipe"
            except (OSError, ProtocolError) as err:
                self._broken = f"its messages broke off: {err}"
        self._on_end()

    def _write(self) -> None:
        assert self._process.stdin is not None
        stream = self._process.stdin
        try:
            while (message := self._outgoing.get()) is not None:
                write_message(stream, message)
        except (OSError, ProtocolError) as err:
            self._broken = self._broken or f"it cannot be written to: {err}"
            self._on_end()
        with contextlib.suppress(OSError):
            stream.close()

    def _follow(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as stream:
            while line := stream.readline(2_000):
                text = line.decode("utf-8", "replace").strip()
                if text:
                    self._last_lines.append(text[:300])
                    log.debug("background: %s", text)


def _quiet_and_low() -> int:
    """Windows: no console window, its own group, below normal priority."""
    names = ("CREATE_NO_WINDOW", "CREATE_NEW_PROCESS_GROUP", "BELOW_NORMAL_PRIORITY_CLASS")
    return sum(int(getattr(subprocess, name, 0)) for name in names)
