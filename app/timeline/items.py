"""What lies on the timeline beside the turns: background jobs, transcripts, instants.

Plain Python, one owner thread, every list bounded (the oldest entry goes first).
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from app.text import one_line
from engine.events import BackgroundEvent, Event, Fault, Mark, TextIn, Transcript, VisionEvent
from engine.inspect.watching import WatchLog
from engine.recorder.marks import mark_text

MAX_ITEMS = 20_000
MAX_JOBS = 4_000
MAX_JOB_EVENTS = 400
MAX_TEXT = 2_000
MAX_WORDS = 400
_SAME_START_S = 0.05
JOB_ROWS = 3
Times = NDArray[np.float64]
_ENDS = ("answer", "failed", "cancelled")


@dataclass(frozen=True)
class Instant:
    """``what`` is fault, mark, text_in, vision or watching; ``verdict`` belongs to a mark."""

    t: float
    what: str
    text: str
    verdict: str = ""


@dataclass(frozen=True)
class Run:
    """Neighbouring instants closer than a symbol: drawn once, with their number."""

    first: int
    count: int


class Instants:
    """Instants in time order."""

    def __init__(self, limit: int = MAX_ITEMS) -> None:
        self.limit = limit
        self.items: list[Instant] = []
        self.dropped = 0
        self._times: list[float] = []

    def add(self, instant: Instant) -> None:
        at = bisect_right(self._times, instant.t)
        self._times.insert(at, instant.t)
        self.items.insert(at, instant)
        if len(self.items) > self.limit:
            drop = max(self.limit // 16, 1)  # in lumps: removing from the front moves the whole list
            del self.items[:drop], self._times[:drop]
            self.dropped += drop

    def replace(self, old: Instant, new: Instant | None) -> None:
        """Another instant of the same time instead of one, or none."""
        at = next((k for k in range(*self._range(old.t)) if self.items[k] == old), None)
        if at is None:
            return
        if new is not None:
            self.items[at] = new
        else:
            del self.items[at], self._times[at]

    def _range(self, t: float) -> tuple[int, int]:
        return bisect_left(self._times, t), bisect_right(self._times, t)

    def between(self, t0: float, t1: float) -> list[Instant]:
        return self.items[bisect_left(self._times, t0) : bisect_left(self._times, t1)]

    def runs(self, t0: float, t1: float, apart_s: float) -> list[Run]:
        """At most one run for each ``apart_s`` of time, so that drawing costs what it shows."""
        found: list[Run] = []
        at, stop = bisect_left(self._times, t0), bisect_right(self._times, t1)
        while at < stop:
            after = bisect_left(self._times, self._times[at] + apart_s, at + 1, stop)
            found.append(Run(at, after - at))
            at = after
        return found


@dataclass(frozen=True)
class Groups:
    """Runs of intervals whose gaps are too small to be seen: indices of the first and last, start and end."""

    first: NDArray[np.intp]
    last: NDArray[np.intp]
    t0: Times
    t1: Times


def merged(t0: Times, t1: Times, apart_s: float) -> Groups:
    """Group intervals, sorted by start, whose gaps are at most ``apart_s``."""
    if not len(t0):
        none = np.zeros(0, np.intp)
        return Groups(none, none, t0, t1)
    reach = np.maximum.accumulate(t1)
    breaks = np.flatnonzero(t0[1:] > reach[:-1] + apart_s) + 1
    first = np.concatenate(([0], breaks))
    last = np.concatenate((breaks - 1, [len(t0) - 1]))
    return Groups(first, last, t0[first], reach[last])


class Utterances:
    """Transcripts of one speaker, by start time."""

    def __init__(self, limit: int = MAX_ITEMS) -> None:
        self.limit = limit
        self.items: list[Transcript] = []
        self._starts: list[float] = []
        self._longest = 0.0
        self._times: tuple[Times, Times] | None = None

    def add(self, item: Transcript) -> None:
        """A longer hearing of the same speech replaces the shorter one."""
        at = bisect_right(self._starts, item.t0)
        if at and item.t0 - self._starts[at - 1] < _SAME_START_S and self.items[at - 1].t1 <= item.t1:
            at -= 1
            del self.items[at], self._starts[at]
        self._starts.insert(at, item.t0)
        self.items.insert(at, item)
        self._longest = max(self._longest, item.t1 - item.t0)
        if len(self.items) > self.limit:
            drop = max(self.limit // 16, 1)
            del self.items[:drop], self._starts[:drop]
        self._times = None

    def _range(self, t0: float, t1: float) -> tuple[int, int]:
        return bisect_left(self._starts, t0 - self._longest), bisect_right(self._starts, t1)

    def between(self, t0: float, t1: float) -> list[Transcript]:
        """Those that touch ``t0 .. t1``."""
        first, last = self._range(t0, t1)
        return [item for item in self.items[first:last] if item.t1 >= t0]

    def groups(self, t0: float, t1: float, apart_s: float) -> tuple[int, Groups]:
        """Runs that may touch ``t0 .. t1``, and the index in ``items`` that theirs count from."""
        if self._times is None:
            self._times = np.array(self._starts), np.array([item.t1 for item in self.items])
        first, last = self._range(t0, t1)
        return first, merged(self._times[0][first:last], self._times[1][first:last], apart_s)


def kind_of(event: BackgroundEvent) -> str:
    """What an event of a job is: its role where it is a part of something, else its name."""
    return str(event.detail.get("role", "answer")) if event.event == "partial" else event.event


@dataclass
class Job:
    """One request to the background. ``t1`` is None while it is open."""

    id: int
    t0: float
    row: int
    t1: float | None = None
    outcome: str = "open"
    """``open``, ``answer``, ``failed`` or ``cancelled``."""
    request: str = ""
    first_answer_t: float | None = None
    events: list[BackgroundEvent] = field(default_factory=list)

    def near(self, t0: float, t1: float) -> list[BackgroundEvent]:
        return [event for event in self.events if t0 <= event.t < t1]


class Jobs:
    """Background jobs, packed into rows so that those that overlap do not hide each other."""

    def __init__(self, limit: int = MAX_JOBS) -> None:
        self.limit = limit
        self.items: dict[int, Job] = {}
        self.rows = 1
        """So many rows have been needed."""
        self._free_at = [-1.0] * JOB_ROWS

    def add(self, event: BackgroundEvent) -> None:
        job = self.items.get(event.id)
        if job is None:
            job = self.items[event.id] = Job(event.id, event.t, self._free_row(event.t))
            self._free_at[job.row] = float("inf")
            self.rows = max(self.rows, job.row + 1)
            if len(self.items) > self.limit:
                del self.items[next(iter(self.items))]
        if len(job.events) < MAX_JOB_EVENTS or event.event in _ENDS:
            job.events.append(event)
        role = event.detail.get("role", "answer") if event.event == "partial" else ""
        if event.event == "asked" or role == "request":
            job.request = event.text or job.request
        elif role == "restart":
            job.first_answer_t = None
        elif (role == "answer" or (event.event == "answer" and event.text)) and job.first_answer_t is None:
            job.first_answer_t = event.t
        if event.event in _ENDS:
            job.t1, job.outcome = max(event.t, job.t0), event.event
            self._free_at[job.row] = job.t1

    def _free_row(self, t: float) -> int:
        return next((row for row, at in enumerate(self._free_at) if at <= t), JOB_ROWS - 1)

    def between(self, t0: float, t1: float) -> list[Job]:
        return [job for job in self.items.values() if job.t0 <= t1 and (job.t1 is None or job.t1 >= t0)]


class Items:
    """All of them, fed from events. Text is made safe to show on its way in."""

    def __init__(self) -> None:
        self.instants = Instants()
        """Every instant; ``faults`` and ``notes`` hold those of their lanes."""
        self.faults = Instants()
        self.notes = Instants()
        """Marks, typed text and what the camera did."""
        self.user = Utterances()
        self.assistant = Utterances()
        self.jobs = Jobs()
        self.watches = WatchLog()
        """What was counted, watched for and said at a time."""

    def add(self, event: Event) -> None:
        """Keep an event that is not a turn; other kinds are ignored."""
        match event:
            case BackgroundEvent():
                self.jobs.add(replace(event, text=one_line(event.text, MAX_TEXT)))
                self.watches.add_result(event)
            case Transcript():
                safe = replace(
                    event,
                    text=one_line(event.text, MAX_TEXT),
                    unheard=one_line(event.unheard, MAX_TEXT),
                    words=tuple((one_line(text, 80), t0, t1) for text, t0, t1 in event.words[:MAX_WORDS]),
                )
                (self.user if event.speaker == "user" else self.assistant).add(safe)
            case Fault():
                self._instant(self.faults, Instant(event.t, "fault", one_line(event.what)))
            case Mark():
                self._instant(self.notes, _marked(event))
            case TextIn():
                self._instant(self.notes, Instant(event.t, "text_in", one_line(event.text)))
            case VisionEvent():
                if self.watches.add_event(event):
                    self.instants.add(Instant(event.t, "watching", one_line(event.event)))
                else:
                    self._instant(self.notes, Instant(event.t, "vision", one_line(event.event)))

    def replace_mark(self, old: Mark, new: Mark | None) -> None:
        """Another mark of the same time instead of one, or none."""
        for lane in (self.instants, self.notes):
            lane.replace(_marked(old), None if new is None else _marked(new))

    def _instant(self, lane: Instants, instant: Instant) -> None:
        self.instants.add(instant)
        lane.add(instant)


def _marked(event: Mark) -> Instant:
    """A mark with its verdict in words."""
    return Instant(event.t, "mark", one_line(mark_text(event)), one_line(event.verdict, 40))
