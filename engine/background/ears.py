"""The worker's ears: one thread that follows what the user says, and knows the words of any stretch of it."""

import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from engine.background.failure import JobError
from engine.background.protocol import (
    MAX_WORDS,
    Hear,
    HeardWords,
    Listened,
    Message,
    Request,
    audio_samples,
    clip_text,
)
from engine.background.spoken import strip_invisible
from engine.background.streaming import Heard, Listener, Word
from engine.background.task import Detail
from engine.background.transcribe import Transcriber

KEPT_WORDS = 600
_EDGE_S = 0.15  # a word counts by its middle; the window's edge lies this much earlier
_CHUNK_S = 0.2
_MISSED_S = 0.5


@dataclass(frozen=True)
class Spoken:
    """The words of a stretch of time, and which state of the listener they are.

    ``others``: what else may have been said, the more probable first; ``again``: after listening once more.
    """

    text: str
    utterance: int = -1
    revision: int = -1
    detail: Detail | None = None
    others: tuple[str, ...] = ()
    again: Callable[[], tuple[str, ...]] | None = field(default=None, repr=False, compare=False)


class Ears:
    """Implements the listening of the worker. ``changed`` and ``handed_over`` are called in its thread.

    Args:
        recogniser: or why there is none; then typed requests alone are understood.
        send: to the engine.
        changed: the words since a request would begin have changed; ``settled``: nobody speaks.
        handed_over: a request with the words that belong to it, or why they cannot be known.
    """

    def __init__(
        self,
        recogniser: Transcriber | JobError,
        send: Callable[[Message], None],
        changed: Callable[[Spoken, float, bool], None],
        handed_over: Callable[[Request, float, Spoken | JobError], None],
    ) -> None:
        self._recogniser = recogniser
        self._listener = None if isinstance(recogniser, JobError) else Listener(recogniser)
        self._send = send
        self._changed = changed
        self._handed_over = handed_over
        self._words: deque[Word] = deque(maxlen=KEPT_WORDS)
        self._now: Heard | None = None
        self._from = float("inf")
        self._until = 0.0
        self._queue: queue.SimpleQueue[Hear | tuple[Request, float]] = queue.SimpleQueue()
        threading.Thread(target=self._work, name="ears", daemon=True).start()

    def put(self, what: Hear | tuple[Request, float]) -> None:
        """Sound, or a request that ends the utterance, in their order; never waits."""
        self._queue.put(what)

    def _work(self) -> None:
        while True:
            what = self._queue.get()
            if isinstance(what, Hear):
                self._hear(what)
            else:
                self._finish(*what)

    def _hear(self, message: Hear) -> None:
        if self._listener is not None:
            if message.t > self._until + _MISSED_S:
                self._from = message.t
            self._until = message.t + _CHUNK_S
            behind = not self._queue.empty()
            heard = self._listener.hear(message.t, audio_samples(message.audio), behind)
            self._take(heard, message.since)
        self._send(Listened(message.index))

    def _take(self, heard: Heard | None, since: float) -> None:
        if heard is None:
            return
        self._send(_message(heard))
        if heard.closed:
            self._words.extend(heard.words)
            self._now = None
        else:
            self._now = heard
        self._changed(self._since(since, heard), since, heard.settled or heard.closed)

    def _since(self, since: float, heard: Heard | None) -> Spoken:
        """What was said from session second ``since`` on."""
        words = [*self._words, *(self._now.words if self._now is not None else ())]
        wanted = [w for w in words if (w.t0 + w.t1) / 2 >= since - _EDGE_S]
        state = heard or self._now
        numbers = (state.utterance, state.revision) if state is not None else (-1, -1)
        others, again = _others(state, wanted)
        return Spoken(_joined(wanted), *numbers, others=others, again=again)

    def _finish(self, request: Request, received: float) -> None:
        """Settle the words of a request; what comes after it begins a new utterance."""
        if isinstance(self._recogniser, JobError):
            self._handed_over(request, received, Spoken("") if request.text else self._recogniser)
            return
        if self._listener is None:
            return
        last = None
        for heard in (self._listener.finish(request.t), self._listener.close()):
            if heard is not None:
                last = heard
                self._send(_message(heard))
                if heard.closed:
                    self._words.extend(heard.words)
                    self._now = None
                else:
                    self._now = heard
        spoken = self._since(request.since, last)
        if not spoken.text and request.audio and self._from > request.since + _MISSED_S:
            # This process did not hear it: it was started since.
            found = self._recogniser.recognise(audio_samples(request.audio))
            spoken = Spoken(
                " ".join(strip_invisible(found.text).split()),
                detail={"speech_s": round(found.speech_s, 2), "padded": found.padded},
            )
        self._handed_over(request, received, spoken)


def _joined(words: Sequence[Word]) -> str:
    return " ".join(strip_invisible(" ".join(word.text for word in words)).split())


def _others(
    heard: Heard | None, wanted: list[Word]
) -> tuple[tuple[str, ...], Callable[[], tuple[str, ...]] | None]:
    """What else ``wanted`` may be, at once and later, where its end is the newest utterance as a whole."""
    if heard is None or not heard.words or wanted[-len(heard.words) :] != list(heard.words):
        return (), None
    before = _joined(wanted[: -len(heard.words)])
    again = heard.again

    def whole(texts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(" ".join(strip_invisible(f"{before} {text}").split()) for text in texts)

    return whole(heard.others), None if again is None else lambda: whole(again())


def _message(heard: Heard) -> HeardWords:
    words = tuple((clip_text(w.text, 200), round(w.t0, 3), round(w.t1, 3)) for w in heard.words[-MAX_WORDS:])
    stable = max(0, heard.stable - max(0, len(heard.words) - MAX_WORDS))
    return HeardWords(
        heard.utterance, heard.revision, words, stable, heard.settled, heard.closed, round(heard.until, 3)
    )
