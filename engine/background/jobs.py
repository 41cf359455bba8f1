"""The open requests as the engine sees them: what is waiting, what has come back, and when it belongs.

An event's session time is the time its request was asked plus the real time
that has passed since. Live that is simply now; on a simulated clock it keeps
the account honest, because ``wait_until`` holds the engine back until as much
real time has passed as session time.
"""

import heapq
import itertools
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from engine.background.protocol import (
    ENDS,
    MAX_AUDIO_S,
    MAX_CONTEXT,
    MAX_CONTEXT_TEXT,
    MAX_TEXT,
    JobEvent,
    Request,
    audio_bytes,
    clip_text,
)
from engine.config import INPUT_HZ
from engine.events import BackgroundEvent
from engine.types import Frame, Samples

ATTEMPTS = 2
_KEPT_EVENTS = 4_096


@dataclass
class Job:
    """One open request. ``began`` is the real time it was handed over, in seconds."""

    id: int
    t: float
    began: float
    audio: Samples
    text: str
    context: tuple[tuple[str, str], ...]
    frame: Frame | None
    attempts: int = 0
    running: bool = False
    running_since: float = 0.0
    heard: bool = False
    words: list[str] = field(default_factory=list)
    skip: int = 0

    def request(self, jpeg: bytes) -> Request:
        """The message for the worker, cut to the protocol's limits."""
        pairs = tuple(
            (clip_text(who, 40), clip_text(text[-MAX_CONTEXT_TEXT:], MAX_CONTEXT_TEXT))
            for who, text in self.context[-MAX_CONTEXT:]
        )
        audio = audio_bytes(self.audio) if len(self.audio) else b""
        return Request(self.id, clip_text(self.text, MAX_TEXT), pairs, audio, jpeg)


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
        self._open: dict[int, Job] = {}
        self._events: list[tuple[float, int, BackgroundEvent]] = []
        self._order = itertools.count()
        self._next_id = 0
        self._closed = False
        self._dropped = 0

    def submit(
        self, t: float, audio: Samples, text: str, context: tuple[tuple[str, str], ...], frame: Frame | None
    ) -> int:
        """Note a request; the last 60 s of its audio are copied."""
        kept = np.array(audio[-MAX_AUDIO_S * INPUT_HZ :], np.float32)
        with self._changed:
            job = Job(self._next_id, t, self._monotonic(), kept, text, context, frame)
            self._next_id += 1
            self._open[job.id] = job
            self._put(job, "asked", clip_text(text, MAX_TEXT), {"audio_s": round(len(kept) / INPUT_HZ, 2)}, t)
            if len(self._open) > self._max_open:
                oldest = next(job for job in self._open.values() if not job.running)
                self._fail(
                    oldest, "That was too much at once.", "too many open requests: the oldest was dropped"
                )
        return job.id

    def take_waiting(self) -> Job | None:
        """The oldest waiting request, which is now running."""
        with self._changed:
            for job in self._open.values():
                if not job.running:
                    job.running = True
                    job.running_since = self._monotonic()
                    job.attempts += 1
                    return job
        return None

    def came(self, message: JobEvent) -> None:
        """The worker reports. What belongs to no running job, or was told before, is passed over."""
        with self._changed:
            job = self._open.get(message.job)
            if job is None or not job.running:
                return
            detail = {**message.detail, "worker_s": message.elapsed_s}
            if job.attempts > 1:
                detail["attempt"] = job.attempts
            if message.event == "partial":
                self._partial(job, message.text, detail)
                return
            text = message.text
            if message.event == "answer" and job.attempts > 1:
                text = " ".join(job.words)
            self._end(job, message.event, text, detail)

    def _partial(self, job: Job, text: str, detail: Mapping[str, object]) -> None:
        if detail.get("role") == "request":
            if not job.heard:
                job.heard = True
                self._put(job, "partial", text, detail)
            return
        # A second attempt says its answer from the beginning; the user has had these words.
        words = text.split()
        skipped = min(job.skip, len(words))
        job.skip -= skipped
        job.words += words[skipped:]
        if skipped < len(words):
            self._put(job, "partial", " ".join(words[skipped:]), detail)

    def interrupted(self, job_id: int, why: str) -> None:
        """The worker died over this job: it waits for its second attempt, or has failed."""
        with self._changed:
            job = self._open.get(job_id)
            if job is None:
                return
            if job.attempts >= ATTEMPTS:
                self._fail(job, "Something broke while I worked on that.", f"{why}, twice over this request")
                return
            job.running = False
            job.skip = len(job.words)
            self._put(job, "partial", "", {"role": "retry", "why": why})

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

    def cancel(self, job_id: int, t: float) -> None:
        """Give a job up at session time ``t``."""
        with self._changed:
            job = self._open.get(job_id)
            if job is not None:
                self._end(job, "cancelled", "", {}, max(t, job.t))

    def poll(self, t: float) -> tuple[BackgroundEvent, ...]:
        """Events that happened before session time ``t`` and were not taken yet, in order of time."""
        taken = []
        with self._changed:
            while self._events and self._events[0][0] < t:
                taken.append(heapq.heappop(self._events)[2])
        return tuple(taken)

    def wait_until(self, t: float) -> None:
        """On a simulated clock, return once the jobs that are open have had the real time up to ``t``."""
        if not self._simulated:
            return
        with self._changed:
            while not self._closed:
                now = self._monotonic()
                left = max((t - job.t - (now - job.began) for job in self._open.values()), default=0.0)
                if left <= 0:
                    return
                self._changed.wait(left)

    def is_open(self, job_id: int) -> bool:
        """Whether the job has not ended."""
        with self._changed:
            return job_id in self._open

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

    def _fail(self, job: Job, say: str, advice: str) -> None:
        self._end(job, "failed", say, {"advice": advice})

    def _end(
        self, job: Job, event: str, text: str, detail: Mapping[str, object], t: float | None = None
    ) -> None:
        if event in ENDS:
            del self._open[job.id]
        self._put(job, event, text, detail, t)
        self._changed.notify_all()

    def _put(
        self, job: Job, event: str, text: str, detail: Mapping[str, object], t: float | None = None
    ) -> None:
        when = job.t + self._monotonic() - job.began if t is None else t
        if event == "partial" and len(self._events) >= _KEPT_EVENTS:
            self._dropped += 1
            return
        entry = BackgroundEvent(job.id, when, event, text, detail)
        heapq.heappush(self._events, (when, next(self._order), entry))
