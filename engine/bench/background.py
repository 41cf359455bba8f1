"""A background that answers by the script of a case, as fast as the real one does."""

import itertools
from collections.abc import Callable

from engine.bench.cases import Cue
from engine.events import BackgroundEvent
from engine.handover import HandOver, Line
from engine.types import Frame, Samples

# docs/background.md, "Figures": recognition of a spoken question, from `submit` to the first word of the
# answer (the upper end of its median), and tokens a second on a shared core in words.
RECOGNISED_S = 0.10
FIRST_WORD_S = 0.30
WORDS_A_SECOND = 12.0
NOTHING = "nothing recognised"


class ScriptedBackground:
    """Implements ``engine.interfaces.Background`` for one case. Engine thread only.

    The k-th turn that wants an answer gets the case's k-th answer, however often
    it is handed over: an engine that took the floor too soon and asks again
    loses nothing. A request before anybody has spoken has nothing in it. So that
    engines differ in nothing but their decisions, each answer takes as long.

    ``begun``: the turns that want an answer and had begun by a session second.
    """

    def __init__(self, answers: tuple[str, ...], begun: Callable[[float], tuple[Cue, ...]]) -> None:
        self._answers, self._begun = answers, begun
        self._numbers = itertools.count()
        self._coming: list[BackgroundEvent] = []
        self._open: set[int] = set()

    @property
    def open_jobs(self) -> int:
        """Jobs whose end has not been polled."""
        return len(self._open)

    def start(self) -> None:
        """Nothing to start."""

    def wait_ready(self, timeout: float) -> bool:
        """Always ready."""
        del timeout
        return True

    def hear(self, index: int, samples: Samples, t: float, since: float) -> None:
        """It knows what is said."""

    def know(self, lines: tuple[Line, ...]) -> None:
        """It needs no context."""

    def submit(self, t: float, package: HandOver, frame: Frame | None) -> int:
        """See ``engine.interfaces.Background``; what counts is when it is asked."""
        del frame
        for replaced in package.given_up:
            self.cancel(replaced, t)
        job = next(self._numbers)
        self._open.add(job)
        self._coming.append(BackgroundEvent(job, t, "asked"))
        turns = self._begun(t)
        if turns and self._answers:
            self._answer(job, t, turns[-1].text, self._answers[min(len(turns), len(self._answers)) - 1])
        else:
            end = t + RECOGNISED_S
            self._coming.append(BackgroundEvent(job, end, "answer", "", {"reason": NOTHING}))
        return job

    def _answer(self, job: int, t: float, request: str, answer: str) -> None:
        put = self._coming.append
        put(BackgroundEvent(job, t + RECOGNISED_S, "partial", request, {"role": "request"}))
        spoken = answer.split()
        for k, word in enumerate(spoken):
            at = t + FIRST_WORD_S + k / WORDS_A_SECOND
            put(BackgroundEvent(job, at, "partial", word, {"role": "answer"}))
        put(BackgroundEvent(job, t + FIRST_WORD_S + len(spoken) / WORDS_A_SECOND, "answer", answer))

    def poll(self, t: float) -> tuple[BackgroundEvent, ...]:
        """Events before session second ``t``, in order, each once."""
        due = sorted((event for event in self._coming if event.t < t), key=lambda event: event.t)
        self._coming = [event for event in self._coming if event.t >= t]
        self._open -= {event.id for event in due if event.event in ("answer", "cancelled")}
        return tuple(due)

    def wait_until(self, t: float) -> None:
        """Everything is known beforehand."""

    def cancel(self, job: int, t: float, reason: str = "") -> None:
        """Give a job up."""
        del reason
        if job in self._open:
            self._coming = [event for event in self._coming if event.id != job or event.t <= t]
            self._coming.append(BackgroundEvent(job, t, "cancelled"))

    def retry(self, job: int, t: float) -> int | None:
        """Nobody asks again."""

    def permit(self, job: int, allowed: bool) -> None:
        """It asks nothing."""

    def share(self, paths: tuple[str, ...]) -> None:
        """It reads no files."""

    def take_faults(self) -> tuple[str, ...]:
        """It has none."""
        return ()

    def stop(self) -> None:
        """Nothing to stop."""
