"""Work done ahead, as the engine's side knows it: what the worker thinks will be asked, and has found so far.

The worker begins with every text that has settled. Only a hand-over makes it
count: it adopts the guess if nothing was said since, and the answer's first
words are there in the same micro-turn.
"""

from dataclasses import dataclass, field

from engine.background.protocol import ENDS, HeardWords, JobEvent
from engine.config import CHUNK_S
from engine.handover import HandOver

NEWEST = 2  # micro-turns whose sound may still be on its way when a request is handed over


@dataclass
class Guess:
    """``number`` is negative. ``t``, ``began``: session second and real time at which it began."""

    number: int
    t: float
    began: float
    since: float
    utterance: int
    revision: int
    events: list[JobEvent] = field(default_factory=list)
    ended: bool = False


class Guesses:
    """The newest guess, and to which jobs earlier ones went. Not thread-safe."""

    def __init__(self) -> None:
        self._newest: Guess | None = None
        self._owners: dict[int, int] = {}
        self._heard: HeardWords | None = None
        self._listened = -1

    def clear(self) -> None:
        """The worker is gone, and what it thought with it."""
        self._newest, self._heard = None, None
        self._owners.clear()

    def owner(self, number: int) -> int | None:
        """The job that adopted guess ``number``."""
        return self._owners.get(number)

    def add(self, message: JobEvent, t: float, now: float) -> None:
        """The worker tells about a guess that nobody has adopted. Its first event says what it is about."""
        if message.detail.get("role") == "request":
            detail = message.detail
            self._newest = Guess(
                message.job,
                t,
                now,
                float(detail["since"]),
                int(detail["utterance"]),
                int(detail["revision"]),
            )
        guess = self._newest
        if guess is None or guess.number != message.job:
            return
        if message.event == "cancelled":
            self._newest = None
            return
        guess.events.append(message)
        # A guess that waits to be handed over before it does something is no longer at work.
        guess.ended = message.event in ENDS or bool(message.detail.get("waits"))

    def heard(self, message: HeardWords) -> None:
        self._heard = message

    def listened(self, index: int) -> None:
        self._listened = max(self._listened, index)

    def adopt(self, job: int, package: HandOver, t: float) -> Guess | None:
        """The guess that answers ``package`` handed over at session second ``t``, if there is one."""
        guess, heard = self._newest, self._heard
        if guess is None or heard is None or package.text:
            return None
        same_words = heard.settled and (guess.utterance, guess.revision) == (heard.utterance, heard.revision)
        up_to_date = t - (self._listened + 1) * CHUNK_S < (NEWEST + 1) * CHUNK_S
        if not (same_words and up_to_date and abs(guess.since - package.since) < CHUNK_S / 2):
            return None
        self._newest = None
        self._owners[guess.number] = job
        return guess

    def busy(self) -> list[tuple[float, float]]:
        """Session second and real time at which the work began that is going on."""
        guess = self._newest
        return [(guess.t, guess.began)] if guess is not None and not guess.ended else []
