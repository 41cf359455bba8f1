"""Slow calls of one page of the dialog: the disk, the keyring, servers, the loudspeaker."""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from app.text import error_line, sentence
from app.worker import Worker
from engine.errors import MicroturnError

POLL_MS = 50
CLOSE_S = 1.0


class Calls(QObject):
    """One thread that is started when it is first needed. Belongs to Qt's thread."""

    ticked = Signal()
    """While a call runs, about 20 times a second."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._worker = Worker("settings")
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self._tick)
        self._closed = False

    @property
    def busy(self) -> bool:
        return self._worker.busy

    def run(self, call: Callable[[], Any], then: Callable[[Any, str], None]) -> None:
        """Have ``call`` run; ``then`` gets its result and an empty text, or None and what went wrong."""
        if self._closed:
            return
        try:
            self._worker.submit(call, lambda result, error: then(result, line_of(error)))
        except MicroturnError as err:
            then(None, line_of(err))
            return
        self._timer.start()

    def close(self) -> None:
        """The window closes: a call that hangs is left to die with the program."""
        self._closed = True
        self._timer.stop()
        self._worker.close(CLOSE_S)

    def _tick(self) -> None:
        self.ticked.emit()
        self._worker.poll()
        if not self._worker.busy:
            self._timer.stop()


def line_of(error: Exception | None) -> str:
    """An error as a sentence for the person; empty when there was none."""
    return "" if error is None else sentence(error_line(error))
