"""The open requests as the engine sees them: what is waiting, what has come back, and when it belongs.

An event's session time is the time its request was asked plus the real time
that has passed since. Live that is simply now; on a simulated clock it keeps
the account honest, because ``wait_until`` holds the engine back until as much
real time has passed as session time, while anything is being worked on.
"""

import heapq
import itertools
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from engine.background.guesses import Guesses
from engine.background.protocol import (
    ENDS,
    MAX_AUDIO_S,
    MAX_LINE_TEXT,
    MAX_LINES,
    MAX_TEXT,
    HeardWords,
    JobEvent,
    Request,
    audio_bytes,
    clip_text,
)
from engine.config import CHUNK_S, INPUT_HZ
from engine.events import BackgroundEvent, Caption, Transcript
from engine.handover import HandOver, Line
from engine.types import Frame

ATTEMPTS = 2
_KEPT_EVENTS = 4_096

Told = BackgroundEvent | Caption | Transcript


@dataclass
class Job:
    """One open request. ``began`` is the real time it was handed over, in seconds."""

    id: int
    key: str
    t: float
    began: float
    package: HandOver
    frame: Frame | None
    deadline_s: float
    adopt: int = 0
    attempts: int = 0
    running: bool = False
    running_since: float = 0.0
    heard: bool = False
    words: list[str] = field(default_factory=list)
    again: int = 0  # words of an earlier attempt that this one has said again so far
    before: int = 0  # words that an earlier attempt had told

    def request(self, jpeg: bytes) -> Request:
        """The message for the worker, cut to the protocol's limits."""
        package = self.package
        return Request(
            job=self.id,
            key=self.key,
            t=self.t,
            since=package.since,
            text=clip_text(package.text, MAX_TEXT),
            lines=clip_lines(package.lines),
            given_up=package.given_up[-MAX_LINES:],
            standing=package.standing,
            adopt=self.adopt if self.attempts == 1 else 0,
            deadline_s=self.deadline_s,
            audio=audio_bytes(package.audio) if len(package.audio) else b"",
            jpeg=jpeg,
        )


def clip_lines(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """Lines cut to the protocol's limits; of a long one the end is kept."""
    return tuple(
        replace(
            line,
            speaker=clip_text(line.speaker, 40),
            text=clip_text(line.text[-MAX_LINE_TEXT:], MAX_LINE_TEXT),
            unheard=clip_text(line.unheard[:MAX_LINE_TEXT], MAX_LINE_TEXT),
        )
        for line in lines[-MAX_LINES:]
    )


class JobBook:
    """Thread-safe; nothing but ``wait_until`` waits, and that on a simulated clock only.

    At most ``max_open`` requests are open: one more, and the oldest that waits fails.
    Words that nobody polls are dropped from ``_KEPT_EVENTS`` on, and counted.
    ``monotonic`` gives the real time in seconds.
    """

    def __init__(
        self, simulated: bool, max_open: int, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._simulated = simulated
        self._max_open = max_open
        self._monotonic = monotonic
        self._changed = threading.Condition()
        self._session = uuid.uuid4().hex[:12]
        self._open: dict[int, Job] = {}
        self._ended: dict[int, Job] = {}  # the last ones, to be tried again
        self._events: list[tuple[float, int, Told]] = []
        self._order = itertools.count()
        self._next_id = 0
        self._closed = False
        self._dropped = 0
        self._guesses = Guesses()
        self._sound: dict[int, tuple[float, float]] = {}  # micro-turn being listened to -> (end t, real time)
        self._last_sound = (0.0, monotonic())
        self._alarms: dict[int, bool] = {}  # whether the engine has taken it
        self._told: list[int] = []

    # -- requests ------------------------------------------------------------------------------

    def submit(self, t: float, package: HandOver, frame: Frame | None, deadline_s: float) -> int:
        """Note a request; the last 60 s of its audio are copied.

        Where the worker has been thinking ahead about just these words, what it
        has found so far is there at once.
        """
        kept = np.array(package.audio[-MAX_AUDIO_S * INPUT_HZ :], np.float32)
        with self._changed:
            job = Job(
                self._next_id,
                f"{self._session}-{self._next_id}",
                t,
                self._monotonic(),
                replace(package, audio=kept),
                frame,
                deadline_s,
            )
            self._next_id += 1
            self._open[job.id] = job
            guess = self._guesses.adopt(job.id, package, t)
            detail: dict[str, object] = {"audio_s": round(len(kept) / INPUT_HZ, 2)}
            if guess is not None:
                job.adopt = guess.number
                detail["thought_ahead"] = True
            self._put(job, "asked", clip_text(package.text, MAX_TEXT), detail, t)
            if guess is not None:
                for event in guess.events:
                    if event.event not in ENDS:  # the worker repeats it when it adopts the guess
                        self._job_event(job, replace(event, job=job.id), t)
            if len(self._open) > self._max_open:
                waiting = (each for each in self._open.values() if not each.running)
                self._fail(
                    next(waiting, job),
                    "That was too much at once.",
                    "too many open requests: the oldest was dropped",
                )
        return job.id

    def take_waiting(self) -> Job | None:
        """The oldest waiting request, which is now running.

        Second attempts run one after the other: so one that takes the worker with it is found out.
        """
        with self._changed:
            trying_again = any(job.running and job.attempts > 1 for job in self._open.values())
            for job in self._open.values():
                if not job.running and not (job.attempts and trying_again):
                    job.running = True
                    job.running_since = self._monotonic()
                    job.attempts += 1
                    return job
        return None

    def overdue(self, grace_s: float) -> list[int]:
        """Running jobs whose deadline passed ``grace_s`` ago."""
        with self._changed:
            now = self._monotonic()
            return [
                job.id
                for job in self._open.values()
                if job.running and now - job.running_since > job.deadline_s + grace_s
            ]

    def came(self, message: JobEvent) -> None:
        """The worker reports. What belongs to no running job, or was told before, is passed over."""
        with self._changed:
            number = message.job
            if number < 0:
                owner = self._guesses.owner(number)
                if owner is None:
                    self._guesses.add(message, *self._now())
                    self._changed.notify_all()
                    return
                if message.event in ENDS:
                    return  # the worker has not adopted it yet, and may still find other words
                number = owner
            job = self._open.get(number)
            if job is not None and (job.running or message.job < 0):
                self._job_event(job, message, None)

    def _job_event(self, job: Job, message: JobEvent, t: float | None) -> None:
        detail = {**message.detail, "worker_s": message.elapsed_s}
        if job.attempts > 1:
            detail["attempt"] = job.attempts
        if message.event in ("tool_call", "tool_result"):
            self._put(job, message.event, message.text, detail, t)
        elif message.event == "partial":
            self._partial(job, message.text, detail, t)
        else:
            text = message.text
            if message.event == "answer" and job.attempts > 1:
                text = " ".join(job.words)
            self._end(job, message.event, text, detail, t)

    def _partial(self, job: Job, text: str, detail: Mapping[str, object], t: float | None) -> None:
        role = detail.get("role")
        if role == "request":
            if not job.heard:
                job.heard = True
                self._put(job, "partial", text, detail, t)
            return
        if role == "restart":
            self._restart(job, t)
            return
        # A second attempt says its answer from the beginning; the user has had these words.
        words = text.split()
        if role == "answer" and job.again < job.before:
            known = job.words[job.again : job.again + len(words)]
            if words[: len(known)] != known:
                words = job.words[: job.again] + words
                self._restart(job, t)
            else:
                job.again += len(known)
                words = words[len(known) :]
        job.words += words if role == "answer" else []
        if words:
            self._put(job, "partial", " ".join(words), detail, t)

    def _restart(self, job: Job, t: float | None) -> None:
        """Forget the words told so far: another answer comes."""
        job.words, job.again, job.before, job.heard = [], 0, 0, False
        self._put(job, "partial", "", {"role": "restart"}, t)

    def interrupted(self, why: str) -> None:
        """The worker died: what it worked on waits for its second attempt, or has failed."""
        with self._changed:
            self._guesses.clear()
            self._sound.clear()
            for job in self._open.values():
                if not job.running and job.adopt:
                    job.adopt, job.again, job.before = 0, 0, len(job.words)
            for job in [job for job in self._open.values() if job.running]:
                if job.attempts >= ATTEMPTS:
                    say = "Something broke while I worked on that."
                    self._fail(job, say, f"{why}, twice over this request")
                    continue
                job.running = False
                job.again, job.before = 0, len(job.words)
                self._put(job, "partial", "", {"role": "retry", "why": why})
            self._changed.notify_all()

    def failed(self, job_id: int, say: str, advice: str) -> None:
        """End one job, if it is still open."""
        with self._changed:
            if job_id in self._open:
                self._fail(self._open[job_id], say, advice)

    def fail_waiting(self, say: str, advice: str) -> None:
        """End all jobs that wait for a worker."""
        with self._changed:
            for job in [job for job in self._open.values() if not job.running]:
                self._fail(job, say, advice)

    def cancel(self, job_id: int, t: float, reason: str = "") -> None:
        """Give a job up at session time ``t``."""
        with self._changed:
            job = self._open.get(job_id)
            if job is not None:
                self._end(job, "cancelled", "", {"reason": reason} if reason else {}, max(t, job.t))

    def retry(self, job_id: int, t: float) -> int | None:
        """Ask again at ``t`` what an ended job was asked; the new job, None for one that is not known."""
        with self._changed:
            old = self._ended.get(job_id)
        return None if old is None else self.submit(t, replace(old.package), old.frame, old.deadline_s)

    # -- what the worker hears -----------------------------------------------------------------

    def sound(self, index: int, t: float) -> None:
        """The sound of micro-turn ``index`` goes to the worker at session second ``t``."""
        with self._changed:
            self._last_sound = (t, self._monotonic())
            self._sound[index] = self._last_sound

    def listened(self, index: int) -> None:
        """The worker has dealt with the sound of that micro-turn and all before."""
        with self._changed:
            self._guesses.listened(index)
            for earlier in [i for i in self._sound if i <= index]:
                del self._sound[earlier]
            self._changed.notify_all()

    def unheard(self, index: int) -> None:
        """The sound of that micro-turn never reached the worker; nobody is to wait for it."""
        with self._changed:
            self._sound.pop(index, None)
            self._changed.notify_all()

    def heard(self, message: HeardWords) -> None:
        """The user's words have changed, settled or ended."""
        with self._changed:
            self._guesses.heard(message)
            if not message.words:
                return
            text = " ".join(word for word, _, _ in message.words)
            begin = message.words[0][1]
            t, _ = self._now()
            if message.closed:
                end = message.words[-1][2]
                self._push(t, Transcript(begin, max(begin, end), "user", text, "", message.words))
            else:
                self._push(t, Caption(t, begin, text, message.stable, message.settled))

    def due(self, alarm: int, text: str) -> None:
        """An alarm speaks up: a job that nobody asked for and that is answered already."""
        with self._changed:
            if alarm in self._alarms:
                if self._alarms[alarm]:
                    self._told.append(alarm)  # the worker has not noticed that it was told
                return
            self._alarms[alarm] = False
            t, now = self._now()
            job = Job(self._next_id, f"{self._session}-{self._next_id}", t, now, HandOver(), None, 1.0)
            self._next_id += 1
            self._open[job.id] = job
            self._put(job, "asked", "", {"alarm": alarm})
            self._end(job, "answer", text, {"alarm": alarm})

    def take_told(self) -> list[int]:
        """Alarms that the engine has taken since the last call."""
        with self._changed:
            told, self._told = self._told, []
        return told

    # -- time ----------------------------------------------------------------------------------

    def poll(self, t: float) -> tuple[Told, ...]:
        """Events that happened before session time ``t`` and were not taken yet, in order of time."""
        taken = []
        with self._changed:
            while self._events and self._events[0][0] < t:
                event = heapq.heappop(self._events)[2]
                if isinstance(event, BackgroundEvent) and event.event == "answer" and "alarm" in event.detail:
                    self._told.append(int(event.detail["alarm"]))
                    self._alarms[int(event.detail["alarm"])] = True
                taken.append(event)
        return tuple(taken)

    def wait_until(self, t: float) -> None:
        """On a simulated clock, return once what is being worked on has had the real time up to ``t``."""
        if not self._simulated:
            return
        with self._changed:
            while not self._closed:
                now = self._monotonic()
                work = [(job.t, job.began) for job in self._open.values()]
                work += [*self._sound.values(), *self._guesses.busy()]
                left = max((t - asked - (now - began) for asked, began in work), default=0.0)
                if left <= 0:
                    return
                self._changed.wait(left)

    def is_open(self, job_id: int) -> bool:
        """Whether the job has not ended."""
        with self._changed:
            return job_id in self._open

    @property
    def any_open(self) -> bool:
        """Whether a job has not ended."""
        with self._changed:
            return bool(self._open)

    def take_dropped(self) -> int:
        """How many words were dropped since the last call because nobody polled."""
        with self._changed:
            dropped, self._dropped = self._dropped, 0
        return dropped

    def close(self) -> None:
        """Let go whoever waits."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _now(self) -> tuple[float, float]:
        """Session second and real time of this moment, by the sound that came last."""
        t, began = self._last_sound
        now = self._monotonic()
        return t + min(now - began, CHUNK_S) if self._simulated else t + now - began, now

    def _fail(self, job: Job, say: str, advice: str) -> None:
        self._end(job, "failed", say, {"advice": advice})

    def _end(
        self, job: Job, event: str, text: str, detail: Mapping[str, object], t: float | None = None
    ) -> None:
        if event in ENDS:
            del self._open[job.id]
            self._ended[job.id] = job
            while len(self._ended) > self._max_open:
                del self._ended[next(iter(self._ended))]
        self._put(job, event, text, detail, t)
        self._changed.notify_all()

    def _put(
        self, job: Job, event: str, text: str, detail: Mapping[str, object], t: float | None = None
    ) -> None:
        when = job.t + self._monotonic() - job.began if t is None else t
        if event == "partial" and len(self._events) >= _KEPT_EVENTS:
            self._dropped += 1
            return
        self._push(when, BackgroundEvent(job.id, when, event, text, detail))

    def _push(self, when: float, event: Told) -> None:
        if isinstance(event, Caption) and len(self._events) >= _KEPT_EVENTS:
            self._dropped += 1
            return
        heapq.heappush(self._events, (when, next(self._order), event))
