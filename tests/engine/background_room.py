"""A desk with everything around it: all is real but the model, the tools and what is understood."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from engine.background.answer import Mind, Models
from engine.background.desk import Desk
from engine.background.ears import Spoken
from engine.background.failure import JobError
from engine.background.permission import Permissions, Rules
from engine.background.prompt import Cancelled, Prompt, ToolUse
from engine.background.protocol import ENDS, JobEvent, Request, encode
from engine.background.store import Store
from engine.background.tools.tool import Tool, ToolError, ToolResult
from engine.background.understanding import understand as understanding
from engine.background.understanding.call import Call
from engine.decisions import STANDING_TOKENS

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
WAIT_S = 5.0


class FakeModel:
    """Says what ``answers`` holds for the last words of a request; a callable makes pieces itself."""

    name = "fake model"
    max_sentences = 3
    takes_images = True

    def __init__(self) -> None:
        self.answers: dict[
            str, list[str | ToolUse] | Callable[[Prompt, Cancelled], Iterator[str | ToolUse]]
        ] = {}
        self.prompts: list[Prompt] = []
        self.at_once = self.most_at_once = 0

    def warm_up(self) -> None:
        pass

    def stream(self, prompt: Prompt, cancelled: Cancelled) -> Iterator[str | ToolUse]:
        self.prompts.append(prompt)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            answer = self.answers.get(prompt.text, [f"You said {prompt.text}"])
            yield from answer(prompt, cancelled) if callable(answer) else answer
        finally:
            self.at_once -= 1


class FakeDomain:
    """ "Run X" calls the tool X; "make it Y" and "no, Y" call the last tool with Y."""

    def __init__(self, tools: tuple[Tool, ...]) -> None:
        self.tools = tools

    def parse(self, text: str, now: datetime) -> Call | None:
        first, _, rest = text.partition(" ")
        name, _, what = rest.partition(" ")
        known = any(tool.name == name for tool in self.tools)
        return Call(name, {"what": what} if what else {}) if first == "run" and known else None

    def follow(self, text: str, last: Call, now: datetime) -> Call | None:
        for mark in ("no, ", "make it ", "and "):
            if text.startswith(mark):
                return Call(last.tool, {"what": text.removeprefix(mark)})
        return None


class Room:
    """A desk with everything around it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **desk) -> None:
        self.model = FakeModel()
        self.tools: dict[str, Tool] = {}
        self.ran: list[tuple[str, dict[str, object]]] = []
        self.sent: list[JobEvent] = []
        self.store = Store(None)
        self.may_go = threading.Event()  # tools and answers that wait go on
        self._news = threading.Condition()
        self._utterance = 0
        self.add("note", changes=True)
        self.add("look_up")
        monkeypatch.setattr(understanding, "domains", lambda: (FakeDomain(tuple(self.tools.values())),))
        self.permissions = Permissions(Rules())
        self.models = Models(self.model, lambda: None)
        self.mind = Mind(
            self.models, lambda: dict(self.tools), self.permissions, self.store, lambda: (NOW, ()), True
        )
        self.desk = self.new_desk(**desk)

    def new_desk(self, **more) -> Desk:
        def changes(name: str) -> bool:
            return name in self.tools and self.tools[name].changes

        return Desk(self.mind, self.store, self._send, lambda: NOW, changes, **more)

    def add(self, name: str, do: Callable[..., ToolResult] | None = None, **how) -> None:
        def run(arguments, context) -> ToolResult:
            self.ran.append((name, dict(arguments)))
            return ToolResult(f"{name} is done.") if do is None else do(arguments, context)

        self.tools[name] = Tool(name, f"Does {name}.", {"type": "object"}, run, **how)

    def wait(self, arguments, context) -> ToolResult:
        """What a tool does that is slow, and listens to being cancelled."""
        while not self.may_go.wait(0.01):
            if context.cancelled():
                raise ToolError("cancelled")
        return ToolResult("It took a while.")

    def _send(self, event: JobEvent) -> None:
        encode(event)
        with self._news:
            self.sent.append(event)
            self._news.notify_all()

    def close(self) -> None:
        """End everything that waits."""
        self.may_go.set()
        self.desk._drop_guess()
        for job in [event.job for event in self.sent if event.job > 0]:
            self.desk.cancel(job)

    # What happens to the desk

    def hears(self, text: str, *, settled: bool = True, since: float = 0.0) -> None:
        self._utterance += 1
        self.desk.heard(Spoken(text, 0, self._utterance), since, settled)

    def asks(self, job: int, text: str = "", *, spoken: str | JobError = "", **more) -> None:
        given = {"key": f"key-{job}", "t": float(job), "since": float(job), "standing": STANDING_TOKENS}
        request = Request(job, **{**given, "text": text, **more})
        said = spoken if isinstance(spoken, JobError) else Spoken(spoken, 0, self._utterance)
        self.desk.request(request, time.monotonic(), said)

    # What the engine sees

    def of(self, job: int) -> list[JobEvent]:
        with self._news:
            return [event for event in self.sent if event.job == job]

    def until(self, check: Callable[[], object], what: str = "") -> None:
        with self._news:
            assert self._news.wait_for(check, WAIT_S), (what, self.sent)

    def end(self, job: int) -> JobEvent:
        """The job's last event, once it has come; nothing comes after it."""
        self.until(lambda: any(e.job == job and e.event in ENDS for e in self.sent), f"the end of {job}")
        events = self.of(job)
        assert [e for e in events if e.event in ENDS] == events[-1:]
        return events[-1]

    def comes(self, job: int, event: str, role: str = "") -> JobEvent:
        def found() -> list[JobEvent]:
            return [
                e
                for e in self.sent
                if (e.job, e.event) == (job, event) and role in ("", e.detail.get("role"))
            ]

        self.until(found, f"{event} {role} of {job}")
        return found()[-1]

    def said(self, job: int) -> str:
        return " ".join(e.text for e in self.of(job) if e.detail.get("role") == "answer")

    @property
    def guess(self) -> int:
        """The newest guess."""
        return min((event.job for event in self.sent), default=0)


def quiet() -> None:
    """Long enough for a thread to do what it must not do."""
    time.sleep(0.12)
