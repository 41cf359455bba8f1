"""A session as tracks of spans and points, the common ground of all exports."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine.config import CHUNK_S
from engine.errors import InputError
from engine.events import BackgroundEvent, Fault, Mark, TextIn, Transcript, VisionEvent
from engine.inspect.watching import WatchLog, watch_log
from engine.recorder.marks import mark_text
from engine.recorder.reader import RecordedSession
from engine.standing import described

FINAL_EVENTS = ("answer", "failed", "cancelled")


@dataclass(frozen=True)
class Span:
    """Something that lasted from ``t0`` to ``t1``, in session seconds."""

    t0: float
    t1: float
    text: str


@dataclass(frozen=True)
class Point:
    """Something that happened at ``t``, in session seconds."""

    t: float
    text: str


@dataclass(frozen=True)
class Job:
    """One request to the background process. ``ended`` is None when the session ended before it did."""

    id: int
    asked: float
    request: str
    first_words: float | None
    ended: float | None
    outcome: str
    events: tuple[BackgroundEvent, ...]


@dataclass(frozen=True)
class Tracks:
    """``decisions`` has one span for each run of equal decisions, ``words`` one for each word of the user
    whose time is known; ``marks`` begin with their verdict. ``watching``: what was to be counted, watched
    for and said at a time; ``watched``: the numbers and words said of it. No track but ``jobs`` and
    ``watching`` overlaps itself by rights, but a damaged or foreign session may say otherwise: see
    ``lanes``."""

    duration: float
    decisions: tuple[Span, ...]
    user: tuple[Span, ...]
    words: tuple[Span, ...]
    assistant: tuple[Span, ...]
    jobs: tuple[Job, ...]
    typed: tuple[Point, ...]
    vision: tuple[Point, ...]
    faults: tuple[Point, ...]
    marks: tuple[Point, ...]
    watching: tuple[Span, ...]
    watched: tuple[Point, ...]


def tracks(session: RecordedSession) -> Tracks:
    """All tracks of a session.

    Raises:
        InputError: the session holds no micro-turn, so that there is nothing to show.
    """
    if not session.turns:
        raise InputError(f"{session.path} holds no micro-turn: there is nothing to show or export")
    events = session.events
    log = watch_log(session.turns, events)
    seen = (event for event in events if isinstance(event, VisionEvent) and not WatchLog.tells(event))
    return Tracks(
        duration=session.duration,
        decisions=tuple(_decisions(session)),
        user=_speech(events, "user"),
        words=tuple(sorted(_words(events), key=lambda s: (s.t0, s.t1))),
        assistant=_speech(events, "assistant") or tuple(_spoken(session)),
        jobs=jobs(events),
        typed=tuple(Point(e.t, e.text) for e in events if isinstance(e, TextIn)),
        vision=tuple(Point(e.t, e.event) for e in seen),
        faults=tuple(Point(e.t, e.what) for e in events if isinstance(e, Fault)),
        marks=tuple(Point(e.t, mark_text(e)) for e in events if isinstance(e, Mark)),
        watching=tuple(
            Span(one.t0, max(session.duration, one.t0) if one.t1 is None else one.t1, described(one.asked))
            for one in log.watched
        ),
        watched=tuple(Point(said.t, said.text) for one in log.watched for said in one.said),
    )


def _decisions(session: RecordedSession) -> Iterable[Span]:
    start = session.turns[0]
    last = start
    for turn in session.turns[1:]:
        if turn.decision != start.decision or turn.i != last.i + 1:
            yield Span(CHUNK_S * start.i, CHUNK_S * (last.i + 1), start.decision)
            start = turn
        last = turn
    yield Span(CHUNK_S * start.i, CHUNK_S * (last.i + 1), start.decision)


def _speech(events: Sequence[object], speaker: str) -> tuple[Span, ...]:
    found = [e for e in events if isinstance(e, Transcript) and e.speaker == speaker]
    return tuple(Span(e.t0, max(e.t0, e.t1), e.text) for e in found if e.text)


def _words(events: Sequence[object]) -> Iterable[Span]:
    for event in events:
        if isinstance(event, Transcript):
            yield from (Span(t0, max(t0, t1), text) for text, t0, t1 in event.words)


def _spoken(session: RecordedSession) -> Iterable[Span]:
    """Where a session has no transcripts: the words that the turns say they began."""
    words: list[str] = []
    start = end = 0.0
    for turn in session.turns:
        if turn.text_out:
            if not words:
                start = CHUNK_S * (turn.i + 1)
            words.append(turn.text_out)
        if words and (turn.generated_ms or turn.heard_ms or turn.text_out):
            end = CHUNK_S * (turn.i + 1)
        elif words:
            yield Span(start, max(start, end), " ".join(words))
            words = []
    if words:
        yield Span(start, max(start, end), " ".join(words))


def jobs(events: Sequence[object]) -> tuple[Job, ...]:
    """The background jobs among ``events``, in the order in which they were asked."""
    by_id: dict[int, list[BackgroundEvent]] = {}
    for event in events:
        if isinstance(event, BackgroundEvent):
            by_id.setdefault(event.id, []).append(event)
    return tuple(sorted((_job(found) for found in by_id.values()), key=lambda job: job.asked))


def _job(events: list[BackgroundEvent]) -> Job:
    asked = next((e for e in events if e.event == "asked"), events[0])
    recognised = next((e.text for e in reversed(events) if e.detail.get("role") == "request"), "")
    words = (e.t for e in events if e.text and (e.event == "answer" or e.detail.get("role") == "answer"))
    end = next((e for e in events if e.event in FINAL_EVENTS), None)
    return Job(
        id=asked.id,
        asked=asked.t,
        request=asked.text or recognised,
        first_words=next(words, None),
        ended=end.t if end else None,
        outcome=end.event if end else "open",
        events=tuple(events),
    )


def lanes(spans: Iterable[Span]) -> list[list[Span]]:
    """Spread spans over as few lanes as needed for none to overlap within a lane, earliest first."""
    result: list[list[Span]] = []
    for span in sorted(spans, key=lambda s: (s.t0, s.t1)):
        lane = next((lane for lane in result if lane[-1].t1 <= span.t0), None)
        if lane is None:
            result.append([span])
        else:
            lane.append(span)
    return result


def job_spans(found: Tracks) -> list[Span]:
    """One span a job, from asking to its end."""
    return [Span(j.asked, _job_end(j, found.duration), f"#{j.id} {j.request}".strip()) for j in found.jobs]


def _job_end(job: Job, duration: float) -> float:
    return max(job.asked, job.ended if job.ended is not None else duration)
