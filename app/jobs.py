"""Background jobs as the window lists them, folded from events. Plain Python; one owner thread."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum
from math import isfinite

from app.text import one_line
from engine.config import CHUNK_S
from engine.events import BackgroundEvent, Event, TurnRecord

MAX_JOBS = 50
"""Older jobs leave the list; they stay on the timeline."""
MAX_STEPS = 40
NOTHING = "nothing recognised"
"""The reason of an answer to what was no speech: there was no job."""
QUESTION_S = 31.0
"""A question that nobody has answered by then has lapsed: the background waits 30 s."""
_MAX_TEXT = 1_000
_ENDS = ("answer", "failed", "cancelled")


class JobState(Enum):
    """Each has its own word and its own shape."""

    WORKING = "working"
    ASKS = "asks"
    ANSWERED = "answered"
    FAILED = "failed"
    CANCELLED = "cancelled"
    ALARM = "alarm"
    UNFINISHED = "unfinished"
    """The session ended before the job did."""


STATE_WORDS = {
    JobState.WORKING: "Working",
    JobState.ASKS: "Asks you",
    JobState.ANSWERED: "Answered",
    JobState.FAILED: "Failed",
    JobState.CANCELLED: "Cancelled",
    JobState.ALARM: "Alarm",
    JobState.UNFINISHED: "Not finished",
}
OPEN = (JobState.WORKING, JobState.ASKS)


@dataclass(frozen=True)
class Step:
    """Something that happened to a job. ``what``: tool_call, tool_result, question, reply, retry, restart."""

    t: float
    what: str
    text: str
    tool: str = ""
    arguments: str = ""
    waits: bool = False
    ok: bool = True
    took_s: float | None = None


@dataclass(frozen=True)
class Job:
    """One job. ``t1`` is None while it is open."""

    id: int
    t0: float
    t1: float | None = None
    state: JobState = JobState.WORKING
    request: str = ""
    topic: str = ""
    answer: str = ""
    advice: str = ""
    """What to do about a failure."""
    reason: str = ""
    """Why it was cancelled, or why it has nothing to say."""
    question: str = ""
    asked_at: float = 0.0
    tool: str = ""
    """The tool that it uses, or used last."""
    using: bool = False
    """The tool is at work now."""
    alarm: bool = False
    """Nobody asked for it."""
    thought_ahead: bool = False
    steps: tuple[Step, ...] = ()

    @property
    def open(self) -> bool:
        return self.state in OPEN

    @property
    def can_retry(self) -> bool:
        """There was something to answer; an alarm, or a mere yes or no, cannot be asked again."""
        silent = self.state is JobState.ANSWERED and not self.answer
        return not self.open and not self.alarm and not silent

    @property
    def title(self) -> str:
        """What it is about."""
        if self.alarm:
            return self.answer or "Alarm"
        return self.request or self.topic or f"Request {self.id}"

    @property
    def note(self) -> str:
        """How it stands, in one sentence."""
        match self.state:
            case JobState.ASKS:
                return self.question
            case JobState.ANSWERED:
                return self.answer or (f"Nothing to say: {self.reason}" if self.reason else "Nothing to say")
            case JobState.FAILED:
                said = "" if self.answer and self.answer in self.advice else self.answer
                return " – ".join(part for part in (said, self.advice) if part)
            case JobState.CANCELLED:
                return self.reason[:1].upper() + self.reason[1:]
            case JobState.ALARM:
                return "It spoke up by itself"
            case JobState.UNFINISHED:
                return "The session ended first"
        return self._busy_with

    @property
    def _busy_with(self) -> str:
        if self.using:
            return f"Using {self.tool}"
        if self.steps and self.steps[-1].what == "retry":
            return "Trying again"
        if self.answer:
            return "Answering" + (f", with {self.tool}" if self.tool else "")
        return "Thinking" if self.request else "Finding out what you asked"

    def seconds(self, now: float) -> float:
        """For how long it has been open, or was."""
        return max((now if self.t1 is None else self.t1) - self.t0, 0.0)

    def details(self) -> tuple[str, ...]:
        """Everything that happened to it, a line each."""
        lines = ["It was thought about before you had finished."] if self.thought_ahead else []
        for step in self.steps:
            lines.append(f"+{max(step.t - self.t0, 0.0):.1f} s  {step_text(step)}")
            if step.arguments and step.arguments not in step.text:
                lines.append(f"with {step.arguments}")
        return tuple(lines)


def step_text(step: Step) -> str:
    """One step in words."""
    match step.what:
        case "tool_call":
            name = step.text or step.tool
            return f"Called {name}" + (", to run once you had finished" if step.waits else "")
        case "tool_result":
            took = f" ({step.took_s:.1f} s)" if step.took_s is not None else ""
            return f"{'Result' if step.ok else 'It did not work'}: {step.text}{took}"
        case "question":
            return f"Asked you: {step.text}"
        case "retry":
            return "Tried again" + (f": {step.text}" if step.text else "")
        case "restart":
            return "Began its answer anew"
    return step.text


def duration(seconds: float, exact: bool = False) -> str:
    """Whole seconds while it ticks, tenths when it is over."""
    if seconds >= 59.95:
        return f"{int(seconds) // 60}:{int(seconds) % 60:02d} min"
    return f"{seconds:.1f} s" if exact else f"{int(seconds)} s"


def heading(job: Job, now: float) -> str:
    """State and time, for the first line of a row."""
    word = STATE_WORDS[job.state]
    if job.alarm:
        return word
    return f"{word} · {duration(job.seconds(now), exact=not job.open)}"


def spoken(job: Job) -> str:
    """A row for a screen reader: without the time, which would be told every second."""
    note = job.note
    return f"{STATE_WORDS[job.state]}: {job.title}" + (f". {note}" if note and note != job.title else "")


class JobList:
    """The last jobs, newest first. ``now`` is the session second of the newest event."""

    def __init__(self) -> None:
        self.now = 0.0
        self._jobs: dict[int, Job] = {}

    @property
    def jobs(self) -> tuple[Job, ...]:
        return tuple(sorted(self._jobs.values(), key=lambda job: (job.t0, job.id), reverse=True))

    @property
    def open(self) -> tuple[Job, ...]:
        return tuple(job for job in self.jobs if job.open)

    @property
    def questions(self) -> tuple[Job, ...]:
        """Jobs that wait for a yes or no, the one that asked first in front."""
        asking = (job for job in self._jobs.values() if job.state is JobState.ASKS)
        return tuple(sorted(asking, key=lambda job: job.asked_at))

    def get(self, number: int) -> Job | None:
        return self._jobs.get(number)

    def append(self, events: Iterable[Event]) -> None:
        """Take events as they come."""
        for event in events:
            if isinstance(event, TurnRecord) and isfinite(event.t):
                self.now = max(self.now, event.t + CHUNK_S)
            elif isinstance(event, BackgroundEvent) and isfinite(event.t):
                self.now = max(self.now, event.t)
                self._take(event)
        for job in self.questions:
            if self.now - job.asked_at > QUESTION_S:
                self._reply(job.id, self.now, "Nobody answered")

    def answered(self, number: int, allowed: bool) -> None:
        """The question of a job was answered in the window."""
        self._reply(number, self.now, "You allowed it" if allowed else "You did not allow it")

    def close(self) -> None:
        """The session has ended: nothing is open any more."""
        for job in self.open:
            self._jobs[job.id] = replace(
                job, state=JobState.UNFINISHED, t1=max(self.now, job.t0), question="", using=False
            )

    def _take(self, event: BackgroundEvent) -> None:
        job = self._jobs.get(event.id)
        if job is None:
            job = Job(event.id, event.t, alarm="alarm" in event.detail)
        elif not job.open:
            return
        self._jobs[event.id] = _folded(job, event)
        if event.detail.get("reason") == NOTHING and not self._jobs[event.id].request:
            del self._jobs[event.id]  # a cough, or a take-over in a silence: nothing was asked for
        if event.event == "answer" and isinstance(to := event.detail.get("to"), int):
            said = one_line(str(event.detail.get("reason", "")), 40)
            self._reply(to, event.t, f"You said {said}")
        self._forget()

    def _reply(self, number: int, t: float, text: str) -> None:
        job = self._jobs.get(number)
        if job is not None and job.state is JobState.ASKS:
            self._jobs[number] = _stepped(
                replace(job, state=JobState.WORKING, question=""), Step(t, "reply", text)
            )

    def _forget(self) -> None:
        """Of too many, the oldest that has ended goes first."""
        if len(self._jobs) > MAX_JOBS:
            oldest = min(self._jobs.values(), key=lambda job: (job.open, job.t0, job.id))
            del self._jobs[oldest.id]


def _folded(job: Job, event: BackgroundEvent) -> Job:
    """The job after an event."""
    text, detail = one_line(event.text, _MAX_TEXT), event.detail
    match event.event:
        case "asked":
            return replace(
                job, t0=event.t, request=text or job.request, alarm=job.alarm or "alarm" in detail,
                thought_ahead=bool(detail.get("thought_ahead")),
            )  # fmt: skip
        case "partial":
            return _partial(job, event, text)
        case "tool_call":
            step = _tool_step(event, text)
            return _stepped(replace(_unasked(job), tool=step.tool, using=True), step)
        case "tool_result":
            step = _tool_step(event, text)
            return _stepped(replace(_unasked(job), tool=step.tool or job.tool, using=False), step)
    if event.event not in _ENDS:
        return job
    states = {"failed": JobState.FAILED, "cancelled": JobState.CANCELLED}
    state = states.get(event.event, JobState.ALARM if job.alarm else JobState.ANSWERED)
    return replace(
        job, state=state, t1=max(event.t, job.t0), question="", using=False,
        answer=text if event.event == "failed" else text or job.answer,
        advice=_word(detail.get("advice")), reason=_word(detail.get("reason")),
        tool=_word(detail.get("tool")) or job.tool,
    )  # fmt: skip


def _partial(job: Job, event: BackgroundEvent, text: str) -> Job:
    match event.detail.get("role"):
        case "request":
            return replace(job, request=text or job.request, topic=_word(event.detail.get("topic")))
        case "question":
            job = replace(job, state=JobState.ASKS, question=text, asked_at=event.t)
            return _stepped(job, Step(event.t, "question", text, _word(event.detail.get("tool"))))
        case "retry":
            why = _word(event.detail.get("why")) or text
            return _stepped(replace(_unasked(job), using=False), Step(event.t, "retry", why))
        case "restart":
            return _stepped(replace(_unasked(job), answer="", using=False), Step(event.t, "restart", ""))
    return replace(_unasked(job), answer=f"{job.answer} {text}".strip()[:_MAX_TEXT], using=False)


def _unasked(job: Job) -> Job:
    """It goes on, so its question has been answered."""
    return replace(job, state=JobState.WORKING, question="") if job.state is JobState.ASKS else job


def _stepped(job: Job, step: Step) -> Job:
    return replace(job, steps=(*job.steps, step)[-MAX_STEPS:])


def _tool_step(event: BackgroundEvent, text: str) -> Step:
    detail = event.detail
    took = detail.get("took_s")
    return Step(
        event.t,
        event.event,
        text,
        _word(detail.get("tool")),
        one_line(str(detail.get("arguments", "")), 600),
        bool(detail.get("waits")),
        bool(detail.get("ok", True)),
        float(took) if isinstance(took, (int, float)) else None,
    )


def _word(value: object) -> str:
    """A detail as one line; anything that is no text is left out."""
    return one_line(value, 300) if isinstance(value, str) else ""
