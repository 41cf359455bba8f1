"""One job or guess while a thread works on it, and how it is told about, adopted, asked and given up."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from engine.background.protocol import ENDS, MAX_TEXT, JobEvent, clip_text
from engine.background.understanding.call import Call
from engine.handover import Line

ANSWER_WAIT_S = 30.0
_POLL_S = 0.05

Detail = dict[str, str | int | float | bool]


@dataclass(frozen=True)
class Asked:
    """What a task is to answer.

    ``text``: all words of the request; ``heard``: how they came to be known. ``spoken``: none of them was
    typed; ``others``, ``again``: what else may have been said, as in ``Spoken``. ``t``, ``since``: session
    seconds of the hand-over, and from which on words belong to it. ``standing``: see ``HandOver``.
    """

    text: str
    t: float = 0.0
    since: float = 0.0
    key: str = ""
    lines: tuple[Line, ...] = ()
    jpeg: bytes = field(default=b"", repr=False)
    given_up: tuple[int, ...] = ()
    deadline_s: float = 60.0
    heard: Detail = field(default_factory=dict)
    spoken: bool = False
    others: tuple[str, ...] = ()
    again: Callable[[], tuple[str, ...]] | None = field(default=None, repr=False)
    standing: tuple[str, ...] = ()


class Task:
    """Made for one request, or for one guess (a negative ``number``). Any thread may call any method.

    Attributes:
        asked: what is to be answered; replaced when a guess is adopted.
        ended: its last event was sent.
        asking: it waits for the user's yes or no.
        understood: the request has been looked at, and ``call`` is what it was understood as, if it was.
        meant: what it must have been for that, when it was misheard.
    """

    def __init__(self, number: int, asked: Asked, send: Callable[[JobEvent], None]) -> None:
        self.number = number
        self.asked = asked
        self.ended = self.asking = self.understood = False
        self.call: Call | None = None
        self.meant = ""
        self._send = send
        self._began = self._wanted = time.monotonic()
        self._lock = threading.Lock()
        self._committed = threading.Event()
        self._given_up = threading.Event()
        self._told: list[tuple[str, str, Detail]] = []
        self._answered = threading.Event()
        self._allowed: bool | None = None
        if number >= 0:
            self._committed.set()

    @property
    def is_guess(self) -> bool:
        """Nobody has handed it over yet, so it must not change anything."""
        return not self._committed.is_set()

    def emit(self, event: str, text: str, detail: Detail | None = None) -> None:
        """Tell the engine; nothing after the end."""
        with self._lock:
            if self.ended:
                return
            self.ended = event in ENDS
            told = (event, clip_text(text, MAX_TEXT), dict(detail or {}))
            self._told.append(told)
            self._send_now(*told)

    def _send_now(self, event: str, text: str, detail: Detail) -> None:
        self._send(JobEvent(self.number, event, text, round(time.monotonic() - self._began, 4), detail))

    def cancelled(self) -> bool:
        """Given up, or out of time."""
        return self._given_up.is_set() or self.late

    @property
    def late(self) -> bool:
        """Its deadline has passed."""
        return time.monotonic() - self._wanted > self.asked.deadline_s

    def give_up(self) -> None:
        """It is no longer wanted; its thread finds out within some 50 ms."""
        self._given_up.set()
        self._answered.set()

    def adopt(self, number: int, asked: Asked, *, again: bool) -> None:
        """The guess turns out to be what is asked. ``again``: the engine has seen nothing of it yet.

        Its end is told again in any case: the engine takes it from nobody but a job.
        """
        with self._lock:
            self.number, self.asked, self._wanted = number, asked, time.monotonic()
            for told in self._told:
                if again or told[0] in ENDS:
                    self._send_now(*told)
        self._committed.set()

    def handed_over(self) -> bool:
        """As ``commit``, for a guess that has nothing left to do, and says that it only waits."""
        if self.is_guess:
            self.emit("partial", "", {"role": "ready", "waits": True})
        return self.commit()

    def commit(self) -> bool:
        """Wait until this is no guess any more; False when it was given up instead."""
        while not self._committed.wait(_POLL_S):
            if self._given_up.is_set():
                return False
        return not self._given_up.is_set()

    def ask(self, question: str, tool: str) -> bool | None:
        """Put a question to the user; None when it is not answered in time, or the task is given up."""
        self._answered.clear()
        self._allowed, self.asking = None, True
        self.emit("partial", question, {"role": "question", "tool": tool})
        try:
            deadline = time.monotonic() + ANSWER_WAIT_S
            while time.monotonic() < deadline and not self.cancelled():
                if self._answered.wait(_POLL_S):
                    return self._allowed
        finally:
            self.asking = False
        return None

    def permit(self, allowed: bool) -> None:
        """The user's answer to the question."""
        if self.asking:
            self._allowed = allowed
            self._answered.set()
