"""What the tests of the book of open requests share."""

from engine.background.jobs import Job, JobBook
from engine.background.protocol import HeardWords, JobEvent
from engine.events import BackgroundEvent
from engine.handover import HandOver

DEADLINE_S = 60.0


class FakeTime:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def ask(book: JobBook, t: float = 5.0, text: str = "hello", deadline_s: float = DEADLINE_S) -> int:
    return book.submit(t, HandOver(text=text), None, deadline_s)


def words(job: int, text: str, role: str = "answer") -> JobEvent:
    return JobEvent(job, "partial", text, 0.1, {"role": role})


def told(events) -> list[tuple[str, str]]:
    return [(event.event, event.text) for event in events]


def take(book: JobBook) -> Job:
    job = book.take_waiting()
    assert job is not None
    return job


def of_jobs(book: JobBook) -> list[BackgroundEvent]:
    """All that has happened to jobs."""
    return [event for event in book.poll(99.0) if isinstance(event, BackgroundEvent)]


def roles(events) -> list[str]:
    return [str(event.detail["role"]) for event in events if "role" in event.detail]


def answer_of(events) -> list[str]:
    """The answer's words as the user has them: void after a restart."""
    said: list[str] = []
    for event in events:
        if event.detail.get("role") == "restart":
            said = []
        elif event.detail.get("role") == "answer":
            said += event.text.split()
    return said


def hearing(
    text: str, *, utterance: int = 1, revision: int = 1, is_settled: bool = False, closed: bool = False
) -> HeardWords:
    """Words of 0.3 s each from session second 1 on."""
    timed = tuple((word, 1.0 + 0.3 * n, 1.3 + 0.3 * n) for n, word in enumerate(text.split()))
    return HeardWords(utterance, revision, timed, 0, is_settled or closed, closed, 2.0)


def settled(text: str, revision: int = 1, utterance: int = 1) -> HeardWords:
    return hearing(text, utterance=utterance, revision=revision, is_settled=True)


def guess_began(number: int, since: float = 0.8, utterance: int = 1, revision: int = 1) -> JobEvent:
    detail: dict[str, str | int | float | bool] = {
        "role": "request",
        "since": since,
        "utterance": utterance,
        "revision": revision,
        "topic": "it",
    }
    return JobEvent(number, "partial", "What is it?", 0.0, detail)


def thinking(book: JobBook, number: int = -1, **about) -> None:
    """The worker has heard a question up to micro-turn 9, and thinks about it."""
    for index in range(10):
        book.sound(index, 0.2 * (index + 1))
        book.listened(index)
    book.heard(settled("What is it?"))
    book.poll(99.0)
    book.came(guess_began(number, **about))


def hand_over(book: JobBook, t: float = 2.0, since: float = 0.8, text: str = "") -> int:
    return book.submit(t, HandOver(since=since, text=text), None, DEADLINE_S)
