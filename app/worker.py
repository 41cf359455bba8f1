"""One thread for slow calls, so that the window never waits. Plain Python."""

import queue
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from engine.errors import MicroturnError

MAX_WAITING = 32

Then = Callable[[Any, Exception | None], None]
"""Gets the result, or the exception, in the thread that polls."""


class Worker:
    """Runs calls one after the other. ``submit``, ``poll`` and ``close`` belong to one thread.

    The thread is a daemon: a device that hangs cannot keep the program from ending.
    """

    def __init__(self, name: str = "window-worker") -> None:
        self._waiting: queue.Queue[tuple[Callable[[], Any], Then] | None] = queue.Queue(MAX_WAITING + 1)
        self._finished: deque[tuple[Then, Any, Exception | None]] = deque()
        self._pending = 0
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._closed = False

    @property
    def busy(self) -> bool:
        """Whether results are still to be polled."""
        return self._pending > 0

    def submit(self, call: Callable[[], Any], then: Then) -> None:
        """Have ``call`` run; ``then`` is called by a later ``poll``.

        Raises:
            MicroturnError: too much is waiting, since an earlier call hangs.
        """
        if self._closed:
            return
        if self._pending >= MAX_WAITING:
            raise MicroturnError("the window is still waiting for a device: unplug it, or restart Microturn")
        if self._thread.ident is None:
            self._thread.start()
        self._pending += 1
        self._waiting.put_nowait((call, then))

    def poll(self) -> None:
        """Hand over what has finished."""
        while self._finished:
            then, result, error = self._finished.popleft()
            self._pending -= 1
            then(result, error)

    def close(self, timeout: float) -> bool:
        """Let what waits run, then end. False when a call still hangs after ``timeout`` seconds."""
        if not self._closed:
            self._closed = True
            self._waiting.put_nowait(None)
        if self._thread.ident is not None:
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (job := self._waiting.get()) is not None:
            call, then = job
            try:
                self._finished.append((then, call(), None))
            except Exception as err:  # noqa: BLE001 - told to whoever asked
                self._finished.append((then, None, err))
