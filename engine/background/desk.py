"""What lies on the worker's desk: every job and the newest guess, each with a thread of its own.

A guess is work on what the user has said so far, begun as soon as the words
have settled. When just these words are handed over it becomes the job;
when the user goes on it is thrown away. It changes nothing meanwhile.
"""

import itertools
import re
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from engine.background.answer import Mind
from engine.background.ears import Spoken
from engine.background.failure import JobError
from engine.background.memory import remember
from engine.background.permission import yes_or_no
from engine.background.protocol import MAX_TEXT, JobEvent, Request, clip_text
from engine.background.spoken import strip_invisible
from engine.background.store import Store, StoreError
from engine.background.task import Asked, Detail, Task
from engine.background.understanding.call import Call
from engine.background.understanding.misheard import meant
from engine.background.understanding.understand import (
    Exchange,
    corrects,
    ends_watching,
    hush,
    never_mind,
    understand,
)
from engine.handover import Line

NOTHING = "nothing recognised"
KEPT_EXCHANGES = 12
_ASKING = re.compile(
    r"^(?:(?:can|could|would|will) you |please |tell me |do you know |i(?:'d| would) like to know )*"
    r"(?:what(?:'s| is| are| was)|who(?:'s| is| was)|where(?:'s| is)|when(?:'s| is)|how)?\s*",
    re.IGNORECASE,
)
TOPIC_WORDS = 6


@dataclass(frozen=True)
class Done:
    """A request that was begun: ``since`` to ``t`` in session seconds, and the call it was understood as."""

    job: int
    since: float
    t: float
    text: str
    call: Call | None
    changes: bool


class Desk:
    """Thread-safe. ``send`` tells the engine; ``now`` is the session's time with its zone."""

    def __init__(
        self,
        mind: Mind,
        store: Store,
        send: Callable[[JobEvent], None],
        now: Callable[[], datetime],
        changes: Callable[[str], bool],
        think_ahead: bool = True,
    ) -> None:
        self._mind = mind
        self._store = store
        self._send = send
        self._now = now
        self._changes = changes
        self._think_ahead = think_ahead
        self._lock = threading.RLock()
        self._tasks: dict[int, Task] = {}
        self._cancelled: deque[int] = deque(maxlen=64)
        self._guess: Task | None = None
        self._guessed: Spoken | None = None
        self._numbers = itertools.count(1)
        self._done: deque[Done] = deque(maxlen=KEPT_EXCHANGES)
        self.lines: tuple[Line, ...] = ()

    # -- guesses ---------------------------------------------------------------------------------

    def heard(self, spoken: Spoken, since: float, settled: bool) -> None:
        """The words that would be handed over now; once they have settled work on them begins."""
        with self._lock:
            known = self._guessed
            if known is not None and (known.utterance, known.revision, known.text) == (
                spoken.utterance,
                spoken.revision,
                spoken.text,
            ):
                return
            if known is not None and spoken.text != known.text:
                self._drop_guess()
            if not (settled and self._think_ahead and spoken.text) or any(t.asking for t in self._open()):
                return
            self._drop_guess()
            asked = Asked(
                spoken.text,
                since=since,
                lines=self.lines,
                spoken=True,
                others=spoken.others,
                again=spoken.again,
            )
            guess = Task(-next(self._numbers), asked, self._send)
            self._guess, self._guessed = guess, spoken
            detail: Detail = {
                "role": "request",
                "streamed": True,
                "since": round(since, 3),
                "utterance": spoken.utterance,
                "revision": spoken.revision,
                "topic": topic_of(spoken.text),
            }
            guess.emit("partial", spoken.text, detail)
            self._begin(guess)

    def _drop_guess(self) -> None:
        if self._guess is not None:
            self._guess.give_up()
        self._guess = self._guessed = None

    # -- jobs ------------------------------------------------------------------------------------

    def request(self, request: Request, received: float, spoken: Spoken | JobError) -> None:
        """A request was handed over, and these words belong to it."""
        with self._lock:
            asked = self._asked(request, spoken)
            task = self._adopted(request, asked)
            if task is None:
                self._drop_guess()
                task = Task(request.job, asked, self._send)
                self._tasks[request.job] = task
                if request.job in self._cancelled:
                    task.give_up()
                if isinstance(spoken, JobError) and not asked.text:
                    task.emit("failed", spoken.say, {"advice": spoken.advice})
                    self._end(task)
                    return
                if request.adopt:
                    task.emit("partial", "", {"role": "restart"})
                if not asked.text:
                    task.emit("answer", "", {"reason": NOTHING, **asked.heard})
                    self._end(task)
                    return
                waited = round(time.monotonic() - received, 3)
                detail: Detail = {
                    "role": "request",
                    "streamed": not isinstance(spoken, JobError) and spoken.detail is None,
                    "recognise_s": waited,
                    "topic": topic_of(asked.text),
                }
                if spoken_words(spoken):
                    task.emit("partial", clip_text(asked.text, MAX_TEXT // 2), {**detail, **asked.heard})
                self._begin(task)

    def _asked(self, request: Request, spoken: Spoken | JobError) -> Asked:
        typed = " ".join(strip_invisible(request.text).split())
        said = spoken_words(spoken)
        text = clip_text(f"{typed} {said}".strip(), MAX_TEXT // 2)
        heard = {} if isinstance(spoken, JobError) else dict(spoken.detail or {})
        return Asked(
            text,
            request.t,
            request.since,
            request.key,
            request.lines,
            request.jpeg,
            request.given_up,
            request.deadline_s,
            heard,
            spoken=bool(said) and not typed,
            others=() if isinstance(spoken, JobError) or typed else spoken.others,
            again=None if isinstance(spoken, JobError) or typed else spoken.again,
            standing=request.standing,
        )

    def _adopted(self, request: Request, asked: Asked) -> Task | None:
        """The guess, if it is about just these words, as the task of this job."""
        guess = self._guess
        same = guess is not None and plain_words(guess.asked.text) == plain_words(asked.text)
        known = guess is not None and guess.number == request.adopt
        if guess is None or not (same or known) or guess.asked.deadline_s < 0:
            return None
        if known and not same:
            # The last moment changed the words after the engine had taken the guess for granted.
            return None
        self._guess = self._guessed = None
        self._tasks[request.job] = guess
        self._replace(guess, asked, request.job)
        asked = replace(asked, text=guess.asked.text, others=guess.asked.others, again=guess.asked.again)
        guess.adopt(request.job, asked, again=not known)
        if request.job in self._cancelled:
            guess.give_up()
        if guess.understood:
            self._note(guess)
        if guess.ended:
            self._end(guess)
        return guess

    def _note(self, task: Task) -> None:
        """From now on others may go on from this request."""
        changes = task.call is not None and self._changes(task.call.tool)
        asked = task.asked
        self._done.append(Done(task.number, asked.since, asked.t, asked.text, task.call, changes))

    def cancel(self, job: int) -> None:
        """The engine gives a job up; it may not have come yet."""
        with self._lock:
            self._cancelled.append(job)
            if job in self._tasks:
                self._tasks[job].give_up()

    def permit(self, job: int, allowed: bool) -> None:
        """The window's answer to a job's question."""
        with self._lock:
            if job in self._tasks:
                self._tasks[job].permit(allowed)

    def _open(self) -> list[Task]:
        return [task for task in self._tasks.values() if not task.ended]

    def _begin(self, task: Task) -> None:
        threading.Thread(target=self._work, args=(task,), name=f"task {task.number}", daemon=True).start()

    def _end(self, task: Task) -> None:
        with self._lock:
            self._tasks.pop(task.number, None)

    def _work(self, task: Task) -> None:
        try:
            self._do(task)
        except Exception as err:  # noqa: BLE001 - one bad job must not take the next with it
            traceback.print_exc()
            advice = f"{type(err).__name__} in the background process"
            task.emit("failed", "Something went wrong.", {"advice": advice})
        if not task.is_guess:
            self._end(task)

    def _do(self, task: Task) -> None:
        """Work out what is wanted, and do it."""
        text = task.asked.text
        if self._answers_question(task, text):
            return
        others = self._others(task)
        earlier = self._earlier(task)
        ends = not others and ends_watching(text, earlier)
        if (hush(text) and not ends) or (never_mind(text) and others):
            self._call_off(task, others)
            return
        text = self._new_words(task)
        if text != task.asked.text:
            task.asked = replace(task.asked, text=text, others=(), again=None)
        call = understand(text, earlier, self._now())
        if call is None and never_mind(text):
            self._call_off(task, others)
            return
        if call is None and task.asked.spoken:
            found = meant((text, *task.asked.others), earlier, self._now(), task.asked.again)
            if found is not None:
                task.meant, call = found.text, found.call
        with self._lock:
            task.call, task.understood = call, True
            if not task.is_guess:
                self._replace(task, task.asked, task.number)
                self._note(task)
        self._mind.answer(task, call, remember(task.asked.lines, self._facts(), self._tasks_open(task)))

    def _call_off(self, task: Task, others: list[Task]) -> None:
        """Give up what is open; there is nothing to say."""
        if not task.handed_over():
            task.emit("cancelled", "")
            return
        for other in others:
            other.emit("cancelled", "", {"reason": "called off"})
            other.give_up()
        task.emit("answer", "", {"reason": "called off"})

    def _answers_question(self, task: Task, text: str) -> bool:
        """Whether this is the yes or no that another job waits for."""
        asking = next((each for each in self._others(task) if each.asking), None)
        allowed = yes_or_no(text) if asking is not None else None
        if asking is None or allowed is None:
            return False
        if task.handed_over():
            asking.permit(allowed)
            task.emit("answer", "", {"reason": "yes" if allowed else "no", "to": asking.number})
        else:
            task.emit("cancelled", "")
        return True

    def _others(self, task: Task) -> list[Task]:
        with self._lock:
            return [each for each in self._open() if each is not task]

    def _replace(self, task: Task, asked: Asked, number: int) -> None:
        """Give up the earlier jobs that job ``number`` amends: it holds their words, or corrects them."""
        others = [each for each in self._others(task) if each.number < number]
        newest = max(others, key=lambda each: each.number, default=None)
        for other in others:
            holds = asked.since <= other.asked.since + 0.1 and other.number in asked.given_up
            if holds or (other is newest and corrects(asked.text)):
                other.emit("cancelled", "", {"reason": f"replaced by {number}"})
                other.give_up()

    def _new_words(self, task: Task) -> str:
        """The request without the words that an earlier one, which has done something, was made of."""
        text = task.asked.text
        with self._lock:
            at_work = {other.number for other in self._open()}
            earlier = [done for done in self._done if done.job not in at_work]
        for done in earlier:
            if done.changes and done.since >= task.asked.since - 0.1 and done.job != task.number:
                words, old = text.split(), done.text.split()
                if plain_words(" ".join(words[: len(old)])) == plain_words(done.text) and len(words) > len(
                    old
                ):
                    text = " ".join(words[len(old) :])
        return text

    def _earlier(self, task: Task) -> list[Exchange]:
        """What was asked before; after a restart it is read off what was said."""
        with self._lock:
            known = [Exchange(done.text, done.call) for done in self._done if done.job != task.number]
        if known or not task.asked.lines:
            return known
        earlier: list[Exchange] = []
        for line in task.asked.lines:
            if line.speaker == "user" and line.text != task.asked.text:
                earlier.append(Exchange(line.text, understand(line.text, earlier, self._now())))
        return earlier[-KEPT_EXCHANGES:]

    def _facts(self) -> dict[str, str]:
        try:
            return self._store.facts()
        except StoreError:
            return {}

    def _tasks_open(self, task: Task) -> list[str]:
        """What is open, one sentence each."""
        tasks = [f"still answering: {other.asked.text}" for other in self._others(task)]
        try:
            alarms = self._store.alarms()
        except StoreError:
            return tasks
        zone = self._now().tzinfo
        for alarm in alarms[:10]:
            at = alarm.due.astimezone(zone)
            tasks.append(f"{alarm.kind} {alarm.label} at {at:%H:%M on %A %d %B}".replace("  ", " "))
        return tasks


def spoken_words(spoken: Spoken | JobError) -> str:
    """The recognised words, empty when they could not be known."""
    return "" if isinstance(spoken, JobError) else spoken.text


def plain_words(text: str) -> list[str]:
    """Lower-case words without punctuation."""
    return re.findall(r"[\w']+", text.lower())


def topic_of(text: str) -> str:
    """What a request is about, as it can follow "about", or nothing when that would sound odd."""
    rest = _ASKING.sub("", " ".join(text.split())).strip(" ?.!,")
    words = rest.split()
    return rest[:1].lower() + rest[1:] if 1 < len(words) <= TOPIC_WORDS else ""
