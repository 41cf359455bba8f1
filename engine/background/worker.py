"""The background process itself: a thread for the pipe, one that listens, one for each task, one for alarms.

The pipe's thread answers pings while a model computes, so that silence means a
stopped process. It ends the process when the engine's end of the pipe closes.
"""

import contextlib
import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NoReturn

from engine.background.protocol import (
    Cancel,
    Configure,
    Hear,
    Lines,
    Message,
    Permit,
    Ping,
    Pong,
    ProtocolError,
    Ready,
    Request,
    Share,
    Status,
    Stop,
    Told,
    clip_text,
    read_message,
    write_message,
)
from engine.background.settings import BackgroundSettings

if TYPE_CHECKING:
    from engine.background.office import Office

_PR_SET_PDEATHSIG = 1
_SIGKILL = 9


class Pipe:
    """The worker's end: reads in its own thread, writes from all. A broken pipe ends the process.

    Attributes:
        office: who gets what comes; the engine sends nothing but settings before it is there.
    """

    def __init__(self, source: BinaryIO, target: BinaryIO) -> None:
        self._source = source
        self._target = target
        self._write_lock = threading.Lock()
        self.settings: queue.SimpleQueue[BackgroundSettings] = queue.SimpleQueue()
        self.office: Office | None = None
        threading.Thread(target=self._read, name="pipe", daemon=True).start()

    def send(self, message: Message) -> None:
        try:
            with self._write_lock:
                write_message(self._target, message)
        except (OSError, ValueError):
            leave(0)

    def _read(self) -> None:
        try:
            while (message := read_message(self._source)) is not None:
                self._take(message)
        except (OSError, ProtocolError) as err:
            print(f"the engine's messages broke off: {err}", file=sys.stderr, flush=True)  # noqa: T201
            leave(3)
        leave(0)

    def _take(self, message: Message) -> None:
        if isinstance(message, Ping):
            self.send(Pong(message.number))
        elif isinstance(message, Configure):
            self.settings.put(message.settings)
        elif isinstance(message, Stop):
            leave(0)
        elif self.office is not None and isinstance(
            message, (Request, Hear, Lines, Cancel, Permit, Share, Told)
        ):
            self.office.take(message, time.monotonic())


def leave(status: int) -> NoReturn:
    """End now: the models' threads do not survive an orderly shutdown of the interpreter."""
    os._exit(status)


def die_with_parent(parent: int) -> None:
    """On Linux, be killed when the engine's process dies, however it dies; elsewhere the pipe's end tells."""
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
    # It may have died before the call above. A frozen program may have its loader for a parent.
    if os.getppid() != parent and not getattr(sys, "frozen", False):
        leave(0)


def step_back(niceness: int) -> None:
    """Let the engine go first; on Linux also where the kernel weighs sessions instead of processes."""
    with contextlib.suppress(AttributeError, OSError):
        os.nice(niceness)
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError):
            Path("/proc/self/autogroup").write_text(str(niceness), encoding="ascii")


def private_pipe() -> tuple[BinaryIO, BinaryIO]:
    """Standard input and output for ourselves alone: whatever a library prints goes to standard error."""
    source = os.fdopen(os.dup(0), "rb")
    target = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return source, target


def serve(pipe: Pipe) -> NoReturn:
    """Load the models, then watch the alarms until the process is told to leave."""
    settings = pipe.settings.get()
    step_back(settings.niceness)
    # Neither is needed here, and torch alone would double the memory; whatever looks for it finds none.
    sys.modules.setdefault("torch", None)  # type: ignore[arg-type]

    from engine.background.office import Office

    office = Office(settings, pipe.send, lambda text, done: pipe.send(Status(clip_text(text, 500), done)))
    pipe.office = office
    pipe.send(Ready(clip_text(office.model_name, 300), clip_text(office.trouble, 500)))
    office.watch_alarms()


def main(arguments: Sequence[str]) -> NoReturn:
    """Entry point; ``arguments``: the engine's process id."""
    if sys.platform != "win32":
        import signal

        # Ctrl-C is for the engine, which then tells us.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent(int(arguments[0]))
    pipe = Pipe(*private_pipe())
    try:
        serve(pipe)
    except Exception:  # noqa: BLE001 - its last line tells the engine why
        traceback.print_exc()
        sys.stderr.flush()
    leave(1)


if __name__ == "__main__":
    main(sys.argv[1:])
