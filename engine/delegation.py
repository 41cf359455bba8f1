"""Work handed to the background process, seen from the engine thread."""

from collections.abc import Callable

from engine.assembler import turn_start
from engine.conversation import Conversation, Request
from engine.events import BackgroundEvent, Event, Fault, Transcript
from engine.interfaces import Background
from engine.speech import SpeechController
from engine.types import Frame, TextEvent

FAILED = "Sorry, that did not work."
_ENDS = ("answer", "failed", "cancelled")


class Delegation:
    """Submits requests, and turns what comes back into words for the model and lines for the timeline.

    Never waits, and survives a background that raises: it is then let go with a
    fault, and its open jobs count as failed, which the user gets to hear.
    """

    def __init__(
        self,
        background: Background | None,
        speech: SpeechController,
        conversation: Conversation,
        emit: Callable[[Event], None],
    ) -> None:
        self._background = background
        self._speech = speech
        self._conversation = conversation
        self._emit = emit
        self._asked: dict[int, tuple[float, float]] = {}  # open job -> (t0, t1) of its request
        self._offered: set[int] = set()
        self._heard: set[int] = set()
        self._cancelled: set[int] = set()
        self._missed = False

    @property
    def open_jobs(self) -> int:
        return len(self._asked)

    def wait_until(self, t: float) -> None:
        """On a simulated clock, let every event before ``t`` arrive."""
        if self._background is not None:
            try:
                self._background.wait_until(t)
            except Exception as err:  # noqa: BLE001 - the conversation goes on without a background
                self._lose(t, err)

    def submit(self, t: float, request: Request, frame: Frame | None) -> None:
        """Hand one request over at session second ``t``."""
        if self._background is None:
            if not self._missed:
                self._emit(
                    Fault(t, "the model asked for background work, but no background process is running")
                )
            self._missed = True
            return
        try:
            job = self._background.submit(t, request.audio, request.text, request.context, frame)
        except Exception as err:  # noqa: BLE001 - as above
            self._lose(t, err)
            return
        self._asked[job] = (request.t0, request.t1)

    def cancel(self, job: int, t: float) -> None:
        """Give a job up; its waiting words, and those still on the way, are not said."""
        self._speech.discard(job)
        if job in self._asked:
            self._cancelled.add(job)
        if self._background is not None:
            try:
                self._background.cancel(job, t)
            except Exception as err:  # noqa: BLE001 - as above
                self._lose(t, err)

    def cancel_all(self, t: float) -> None:
        """Stop every open job: the model has dropped what they were to answer."""
        for job in tuple(self._asked):
            self.cancel(job, t)

    def poll(self, index: int) -> tuple[TextEvent, ...]:
        """Answer words that arrived before the end of micro-turn ``index``; everything is emitted."""
        end = turn_start(index + 1)
        if self._background is None:
            return ()
        try:
            events = self._background.poll(end)
            for what in self._background.take_faults():
                self._emit(Fault(end, what))
        except Exception as err:  # noqa: BLE001 - as above
            self._lose(end, err)
            return ()
        return tuple(text for event in events for text in self._take(event))

    def _take(self, event: BackgroundEvent) -> tuple[TextEvent, ...]:
        self._emit(event)
        # What a cancelled job still had on the way is shown, but not said.
        words = "" if event.id in self._cancelled else self._words(event)
        if words:
            self._offered.add(event.id)
            self._speech.offer(event.id, words)
        if event.event in _ENDS:
            self._speech.finish(event.id)
            self._forget(event.id)
        return (TextEvent(event.t, words, "background"),) if words.strip() else ()

    def _words(self, event: BackgroundEvent) -> str:
        """What an event gives the assistant to say."""
        role = event.detail.get("role") if event.event == "partial" else ""
        if role == "request":
            self._recognised(event)
        elif event.event == "cancelled":
            self._speech.discard(event.id)
        elif event.event == "failed":
            return event.text or FAILED
        elif role == "answer" or (event.event == "answer" and event.id not in self._offered):
            return event.text  # a short answer may come whole
        return ""

    def _recognised(self, event: BackgroundEvent) -> None:
        """The words of the request, once a job."""
        if event.id in self._heard or not event.text.strip():
            return
        self._heard.add(event.id)
        t0, t1 = self._asked.get(event.id, (event.t, event.t))
        transcript = Transcript(t0, t1, "user", event.text.strip())
        self._conversation.add(transcript)
        self._emit(transcript)

    def _forget(self, job: int) -> None:
        self._asked.pop(job, None)
        self._offered.discard(job)
        self._heard.discard(job)
        self._cancelled.discard(job)

    def _lose(self, t: float, err: Exception) -> None:
        self._background = None
        self._emit(Fault(t, f"the background process is gone: {err or type(err).__name__}"))
        for job in tuple(self._asked):
            self._take(BackgroundEvent(job, t, "failed", FAILED))
