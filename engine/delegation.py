"""Work handed to the background process, seen from the engine thread."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from engine.assembler import turn_start
from engine.conversation import Conversation
from engine.decisions import STANDING_TOKENS, TIME
from engine.events import BackgroundEvent, Caption, Event, Fault, Transcript, VisionEvent
from engine.handover import HandOver, Line
from engine.interfaces import Background
from engine.speech import SpeechController
from engine.standing import described, from_detail
from engine.types import Frame, Samples, TextEvent
from engine.voice import clean_text

FAILED = "Sorry, that did not work."
LATE_S = 8.0  # an answer that comes later says what it is about
_ENDS = ("answer", "failed", "cancelled")
_NOW_S = 1e-6


@dataclass
class _Job:
    """An open job. ``t``: when it was asked; ``t0``, ``t1``: when its request was spoken."""

    t: float
    t0: float = 0.0
    t1: float = 0.0
    given_up: tuple[int, ...] = ()
    topic: str = ""
    recognised: bool = False
    introduced: bool = False
    offered: bool = False
    cancelled: bool = False
    ahead: bool = False
    unasked: bool = False


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
        self._jobs: dict[int, _Job] = {}
        self._known: tuple[Line, ...] = ()
        self._waiting: list[TextEvent] = []
        self._missed = False
        self._asked_last = 0.0

    @property
    def open_jobs(self) -> int:
        return len(self._jobs)

    @property
    def jobs(self) -> tuple[int, ...]:
        """The open jobs that were asked for, oldest first."""
        return tuple(number for number, job in self._jobs.items() if not job.unasked)

    def wait_until(self, t: float) -> None:
        """On a simulated clock, let every event before ``t`` arrive."""
        if self._background is not None:
            try:
                self._background.wait_until(t)
            except Exception as err:  # noqa: BLE001 - the conversation goes on without a background
                self._lose(t, err)

    def hear(self, index: int, samples: Samples, t: float, since: float) -> None:
        """Give the background the microphone's sound, and what was said since it last got some."""
        if self._background is None:
            return
        try:
            if (lines := self._conversation.lines) != self._known:
                self._known = lines
                self._background.know(lines)
            self._background.hear(index, samples, t, since)
        except Exception as err:  # noqa: BLE001 - as above
            self._lose(t, err)

    def submit(self, t: float, request: HandOver, frame: Frame | None) -> None:
        """Hand one request over at session second ``t``; what is answered already can be said at once."""
        if self._background is None:
            if not self._missed:
                self._emit(
                    Fault(t, "the model asked for background work, but no background process is running")
                )
            self._missed = True
            return
        try:
            number = self._background.submit(t, request, frame)
            self._jobs[number] = _Job(t, request.t0, request.t1, request.given_up)
            self._asked_last = t
            events = self._background.poll(t + _NOW_S)
        except Exception as err:  # noqa: BLE001 - as above
            self._lose(t, err)
            return
        self._waiting += [text for event in events for text in self._take(event)]

    def cancel(self, job: int, t: float, reason: str = "") -> None:
        """Give a job up; its waiting words, and those still on the way, are not said."""
        self._speech.discard(job)
        if job in self._jobs:
            self._jobs[job].cancelled = True
        if self._background is not None:
            try:
                self._background.cancel(job, t, reason)
            except Exception as err:  # noqa: BLE001 - as above
                self._lose(t, err)

    def cancel_all(self, t: float, reason: str = "") -> None:
        """Stop every open job: the model has dropped what they were to answer."""
        for job in self.jobs:
            self.cancel(job, t, reason)

    def retry(self, job: int, t: float) -> None:
        """The user wants an ended job tried again."""
        if self._background is None:
            return
        try:
            again = self._background.retry(job, t)
        except Exception as err:  # noqa: BLE001 - as above
            self._lose(t, err)
            return
        if again is not None:
            self._jobs[again] = _Job(t)

    def permit(self, job: int, allowed: bool, t: float) -> None:
        """The user answers a job's question."""
        if self._background is not None:
            try:
                self._background.permit(job, allowed)
            except Exception as err:  # noqa: BLE001 - as above
                self._lose(t, err)

    def share(self, paths: tuple[str, ...], t: float) -> None:
        """The user picks the files that may be read."""
        if self._background is not None:
            try:
                self._background.share(paths)
            except Exception as err:  # noqa: BLE001 - as above
                self._lose(t, err)

    def poll(self, index: int) -> tuple[TextEvent, ...]:
        """Answer words that arrived before the end of micro-turn ``index``; everything is emitted."""
        end = turn_start(index + 1)
        words, self._waiting = self._waiting, []
        if self._background is None:
            return tuple(words)
        try:
            events = self._background.poll(end)
            for what in self._background.take_faults():
                self._emit(Fault(end, what))
        except Exception as err:  # noqa: BLE001 - as above
            self._lose(end, err)
            return tuple(words)
        return (*words, *(text for event in events for text in self._take(event)))

    def _take(self, event: BackgroundEvent | Caption | Transcript) -> tuple[TextEvent, ...]:
        self._emit(event)
        if isinstance(event, Transcript):
            self._conversation.add(event)
            return ()
        if isinstance(event, Caption):
            return ()
        job = self._jobs.setdefault(event.id, _Job(event.t, unasked="alarm" in event.detail))
        if event.event == "tool_result" and "standing" in event.detail and not job.cancelled:
            self._instruct(event, job)
        words = self._words(event, job)
        # What a cancelled job still had on the way is shown, but not said.
        if words and not job.cancelled:
            words = self._introduced(event, job, words)
            self._speech.offer(event.id, words)
            if event.detail.get("role") == "question":
                self._speech.finish(event.id)  # while it is open, other answers can be said
        else:
            words = ""
        if event.event in _ENDS:
            self._settle(job)
            self._speech.finish(event.id)
            self._jobs.pop(event.id, None)
        return (TextEvent(event.t, words, "background"),) if words.strip() else ()

    def _instruct(self, event: BackgroundEvent, job: _Job) -> None:
        """Put an instruction in force, or take it back; a time counts from the end of the request."""
        standing = self._speech.standing
        try:
            detail = json.loads(str(event.detail["standing"]))
            if not isinstance(detail, dict):
                raise ValueError("it is no object")
            if "stop" in detail:
                if (token := str(detail["stop"])) not in ("", *STANDING_TOKENS):
                    raise ValueError(f"there is no standing instruction {token!r}")
                gone = standing.disarm(token)
                left = standing.view(event.t).watches
                now = "nothing is watched for any more" if gone and not left else ""
                told = [now] if now else [f"no longer {described(watch.asked)}" for watch in gone]
            else:
                asked = from_detail(detail, clean_text)
                standing.arm(asked, (job.t1 or job.t) if asked.token == TIME else event.t)
                told = [described(asked)]
        except (ValueError, RecursionError) as err:
            self._emit(Fault(event.t, f"a standing instruction was not understood: {err}"))
            return
        for what in told:
            self._emit(VisionEvent(event.t, what))

    def _words(self, event: BackgroundEvent, job: _Job) -> str:
        """What an event gives the assistant to say."""
        role = event.detail.get("role") if event.event == "partial" else ""
        if role == "request":
            self._recognised(event, job)
            return ""
        if event.event == "asked":
            job.ahead = bool(event.detail.get("thought_ahead"))
        elif not job.ahead:
            self._settle(job)
        if role == "restart":
            self._speech.begin_again(event.id)
            job.offered = False
        elif event.event == "cancelled":
            self._speech.discard(event.id)
        elif event.event == "failed":
            return event.text or FAILED
        elif role == "question":
            return event.text
        elif role == "answer" or (event.event == "answer" and not job.offered):
            job.offered = True
            return event.text  # a short answer may come whole
        return ""

    def _settle(self, job: _Job) -> None:
        """By now the background has cancelled what this job replaces; the rest that was dropped matters."""
        for other in job.given_up:
            self._speech.restore(other)
        job.given_up = ()

    def _introduced(self, event: BackgroundEvent, job: _Job, words: str) -> str:
        """An answer that comes late, or after something newer was asked, first says what it is about."""
        first, job.introduced = not job.introduced, True
        newer = self._asked_last > job.t
        if not first or job.unasked or not (newer or event.t - job.t > LATE_S):
            return words
        return f"About {job.topic or 'what you asked before'}: {words}"

    def _recognised(self, event: BackgroundEvent, job: _Job) -> None:
        """The words of the request; as a transcript where no caption has shown them."""
        job.topic = str(event.detail.get("topic", ""))
        if event.detail.get("streamed") or job.recognised or not event.text.strip():
            return
        job.recognised = True
        transcript = Transcript(job.t0 or event.t, job.t1 or event.t, "user", event.text.strip())
        self._conversation.add(transcript)
        self._emit(transcript)

    def _lose(self, t: float, err: Exception) -> None:
        self._background = None
        self._emit(Fault(t, f"the background process is gone: {err or type(err).__name__}"))
        for job in tuple(self._jobs):
            self._take(BackgroundEvent(job, t, "failed", FAILED))
