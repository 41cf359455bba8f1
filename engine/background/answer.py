"""How a request is answered: by a tool that knows exactly, else by the language model with its calls."""

import contextlib
import json
import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from engine.background.failure import JobError
from engine.background.memory import Memory
from engine.background.permission import Consent, Permissions, question_for
from engine.background.prompt import Cancelled, LanguageModel, Prompt, ToolUse
from engine.background.protocol import MAX_TEXT, clip_text
from engine.background.spoken import SpokenWords
from engine.background.store import Store, StoreError
from engine.background.task import Detail, Task
from engine.background.tools.tool import (
    MAX_RESULT_CHARS,
    Permission,
    Tool,
    ToolContext,
    ToolError,
    ToolResult,
)
from engine.background.tools.watch import WATCH
from engine.background.understanding.call import Call

MAX_WORDS = 120
ROUNDS = 4
CALLS = 6
TIMELINE_CHARS = 600
REFUSED = "All right, I will leave that."
OUTSIDE = ("screenshot",)  # what it does lies outside of the store
UNANSWERED = "I had no answer, so I left that."

Look = Callable[[], tuple[datetime, tuple[Path, ...]]]
"""Session time, and the files that the user picked."""


class Models:
    """The language model for several threads: one copy is used by one thread at a time.

    ``make`` gives another copy, or None where there can be only one.
    """

    def __init__(self, model: LanguageModel, make: Callable[[], LanguageModel | None]) -> None:
        self.first = model
        self._make = make
        self._free: queue.SimpleQueue[LanguageModel] = queue.SimpleQueue()
        self._free.put(model)

    @contextlib.contextmanager
    def use(self, cancelled: Cancelled) -> Iterator[LanguageModel | None]:
        """A copy for this thread; None when ``cancelled`` before one was free."""
        model = self._take(cancelled)
        try:
            yield model
        finally:
            if model is not None:
                self._free.put(model)

    def _take(self, cancelled: Cancelled) -> LanguageModel | None:
        with contextlib.suppress(queue.Empty):
            return self._free.get_nowait()
        another = self._make()
        while another is None:
            if cancelled():
                return None
            with contextlib.suppress(queue.Empty):
                another = self._free.get(timeout=0.02)
        return another


class Mind:
    """Answers tasks, each in the thread that calls. ``models`` may be a JobError: then what needs one fails.

    ``tools``: all there are at this moment, by name. ``show_pictures``: the
    camera's picture may be sent to the language model.
    """

    def __init__(
        self,
        models: Models | JobError,
        tools: Callable[[], dict[str, Tool]],
        permissions: Permissions,
        store: Store,
        look: Look,
        show_pictures: bool = False,
    ) -> None:
        self._models = models
        self._tools = tools
        self._permissions = permissions
        self._store = store
        self._look = look
        self._show_pictures = show_pictures

    @property
    def model_name(self) -> str:
        return "none" if isinstance(self._models, JobError) else self._models.first.name

    def answer(self, task: Task, call: Call | None, memory: Memory) -> None:
        """Answer one task; the last event is an answer, failed or cancelled.

        ``call``: what the request was understood as, if it was.
        """
        try:
            if call is None:
                self._by_model(task, memory)
            else:
                self._by_tool(task, call, memory)
        except JobError as failure:
            task.emit("failed", failure.say, {"advice": failure.advice})

    # -- tools -----------------------------------------------------------------------------------

    def _by_tool(self, task: Task, call: Call, memory: Memory) -> None:
        tool = self._tools().get(call.tool)
        if tool is None:
            raise JobError("I have no tool for that.", f"the tool {call.tool!r} is switched off or missing")
        began = time.monotonic()
        try:
            result = self._run(task, tool, dict(call.arguments), tainted=False)
        except ToolError as failure:
            detail: Detail = {"tool": tool.name}
            if str(failure) in (REFUSED, UNANSWERED):
                detail["refused"] = True
            else:
                detail["advice"] = f"{tool.name}: {failure}"
            task.emit("failed", str(failure), detail)
            return
        if result is None:
            _gone(task)
        elif result.jpeg and self._takes_images():
            self._by_model(task, memory, jpeg=result.jpeg)
        else:
            task.emit("partial", result.say, {"role": "answer"})
            task.emit(
                "answer", result.say, {"tool": tool.name, "answer_s": round(time.monotonic() - began, 3)}
            )

    def _takes_images(self) -> bool:
        if isinstance(self._models, JobError) or not self._show_pictures:
            return False
        return getattr(self._models.first, "takes_images", False) is not False

    def _run(self, task: Task, tool: Tool, arguments: dict[str, Any], *, tainted: bool) -> ToolResult | None:
        """Run one tool with the user's leave, and tell; None when the task was given up.

        ``tainted``: what asks for it may come from a file or another tool, so what changes anything
        needs the user's word each time.

        Raises:
            ToolError: it could not, was not allowed to, or took too long.
        """
        level = self._permissions.level(tool)
        needs_leave = tainted and (tool.changes or tool.online)
        words = clip_text(f"{tool.name} {_plain(arguments)}", TIMELINE_CHARS)
        detail: Detail = {"tool": tool.name, "arguments": _plain(arguments), "permission": str(level)}
        if task.meant:
            detail["meant"] = clip_text(task.meant, TIMELINE_CHARS)
        if task.is_guess and (tool.changes or needs_leave or level is not Permission.FREE):
            # It is ready, and done as soon as it is really asked for.
            task.emit("tool_call", words, {**detail, "waits": True})
            if not task.commit():
                return None
        else:
            task.emit("tool_call", words, detail)
        consent = self._consent(task, tool, question_for(tool, arguments), needs_leave)
        if task.cancelled():
            return None
        if consent is not Consent.GIVEN:
            raise ToolError(UNANSWERED if consent is Consent.UNANSWERED else REFUSED)
        now, files = self._look()
        context = ToolContext(now, self._store, files, task.asked.jpeg, task.cancelled, task.asked.standing)
        began = time.monotonic()
        try:
            result = self._once(task, tool, arguments, context)
        except ToolError as failure:
            task.emit("tool_result", str(failure), {"tool": tool.name, "ok": False, **_took(began)})
            raise
        if result is not None:
            said = clip_text(result.say, TIMELINE_CHARS)
            detail = {"tool": tool.name, "ok": True, **_took(began)}
            if result.standing:
                detail["standing"] = json.dumps(dict(result.standing), ensure_ascii=False)
            task.emit("tool_result", said, detail)
        return result

    def _consent(self, task: Task, tool: Tool, question: str, needs_leave: bool) -> Consent:
        def ask(text: str) -> bool | None:
            return task.ask(text, tool.name)

        if not needs_leave:
            return self._permissions.ask(tool, question, ask)
        answer = ask(question)
        return Consent.UNANSWERED if answer is None else Consent.GIVEN if answer else Consent.DENIED

    def _once(
        self, task: Task, tool: Tool, arguments: dict[str, Any], context: ToolContext
    ) -> ToolResult | None:
        """Run a tool in a thread of its own, so that one that hangs holds nobody. What changes something is
        done once for a job, however often the job is tried; an instruction has to reach the engine each time.
        """
        once = tool.changes and tool.name != WATCH.name and bool(task.asked.key)
        key = f"{task.asked.key}/{tool.name}/{_plain(arguments)}" if once else ""
        outcome: queue.SimpleQueue[ToolResult | Exception] = queue.SimpleQueue()

        def work() -> None:
            try:
                outcome.put(
                    self._done_once(key, tool, arguments, context) if key else tool.run(arguments, context)
                )
            except Exception as err:  # noqa: BLE001 - whatever a tool raises becomes a sentence
                outcome.put(err)

        threading.Thread(target=work, name=f"tool {tool.name}", daemon=True).start()
        deadline = time.monotonic() + tool.timeout_s
        while True:
            with contextlib.suppress(queue.Empty):
                done = outcome.get(timeout=0.05)
                break
            if task.cancelled():
                return None
            if time.monotonic() > deadline:
                raise ToolError("That took too long, so I stopped waiting for it.")
        if isinstance(done, Exception) and task.cancelled():
            return None
        if isinstance(done, ToolError):
            raise done
        if isinstance(done, StoreError):
            raise ToolError(str(done)) from done
        if isinstance(done, Exception):
            raise ToolError("Something went wrong with that.") from done
        return done

    def _done_once(self, key: str, tool: Tool, arguments: dict[str, Any], context: ToolContext) -> ToolResult:
        """Run a tool that changes something, unless an attempt before this one has."""
        if tool.name in OUTSIDE or "__" in tool.name:
            if not self._store.begin(key):
                raise ToolError("I was interrupted while doing that, so I do not know whether it was done.")
            return tool.run(arguments, context)
        results: list[ToolResult] = []

        def run() -> str:
            results.append(tool.run(arguments, context))
            return results[0].say

        said = self._store.once(key, run)
        return results[0] if results else ToolResult(said)

    # -- the language model ----------------------------------------------------------------------

    def _by_model(self, task: Task, memory: Memory, jpeg: bytes = b"") -> None:
        if isinstance(self._models, JobError):
            raise self._models
        tools = self._tools()
        with self._models.use(task.cancelled) as model:
            if model is None:
                _gone(task)
                return
            prompt = Prompt(
                task.asked.text,
                memory.recent,
                jpeg or (task.asked.jpeg if self._show_pictures else b""),
                tuple(tools.values()),
                memory.summary,
            )
            Telling(task, model).tell(prompt, lambda use, tainted: self._called(task, tools, use, tainted))

    def _called(
        self, task: Task, tools: dict[str, Tool], use: ToolUse, tainted: bool
    ) -> tuple[str, bool] | None:
        """The result of a call that the model asks for as text, and whether it comes from outside.

        None when the task was given up.
        """
        tool = tools.get(use.name)
        if tool is None:
            return f"error: there is no tool {use.name[:64]!r}", False
        try:
            arguments = json.loads(use.arguments or "{}")
        except (ValueError, RecursionError):
            return "error: the arguments are no JSON", False
        if not isinstance(arguments, dict):
            return "error: the arguments are no JSON object", False
        try:
            result = self._run(task, tool, arguments, tainted=tainted)
        except ToolError as failure:
            return f"error: {failure}", False
        if result is None:
            return None
        data = _plain(dict(result.data)) if result.data else ""
        return f"{result.say}\n{data}".strip()[:MAX_RESULT_CHARS], tool.name not in _OWN_WORDS


_OWN_WORDS = frozenset("about calculate convert country define time date timer timers alarm watch".split())
"""Tools whose results hold nobody else's words."""


class Telling:
    """Streams one answer in whole words, and lets the model call tools in between."""

    def __init__(self, task: Task, model: LanguageModel) -> None:
        self._task = task
        self._model = model
        self._began = time.monotonic()
        self._said: list[str] = []
        self._detail: Detail = {}
        self._pieces = 0

    def tell(self, prompt: Prompt, run: Callable[[ToolUse, bool], tuple[str, bool] | None]) -> None:
        """Emit the answer. ``run`` carries a call out.

        Raises:
            JobError: there is no answer.
        """
        task, calls, tainted = self._task, 0, False
        for _ in range(ROUNDS):
            uses = self._round(prompt)
            if not uses or task.cancelled():
                break
            for use in uses[: CALLS - calls]:
                calls += 1
                outcome = run(use, tainted)
                if outcome is None:
                    _gone(task)
                    return
                tainted |= outcome[1]
                prompt = replace(prompt, exchanges=(*prompt.exchanges, (use, outcome[0])))
            if calls >= CALLS:
                prompt = replace(prompt, tools=())
        if task.cancelled():
            _gone(task)
        elif not self._said:
            raise JobError("I have no answer to that.", f"{self._model.name} answered with nothing")
        else:
            self._detail.update(pieces=self._pieces, model=self._model.name, **_took(self._began, "answer_s"))
            task.emit("answer", clip_text(" ".join(self._said), MAX_TEXT), self._detail)

    def _round(self, prompt: Prompt) -> list[ToolUse]:
        """One request to the model: its words are told, its calls returned."""
        task, spoken, uses = self._task, SpokenWords(), list[ToolUse]()
        for piece in self._model.stream(prompt, task.cancelled):
            self._pieces += 1
            if isinstance(piece, ToolUse):
                uses.append(piece)
                continue
            self._say(spoken.feed(piece))
            if spoken.sentences >= self._model.max_sentences or len(self._said) >= MAX_WORDS:
                return []
        if not task.cancelled():
            self._say(spoken.finish())
        return uses

    def _say(self, words: list[str]) -> None:
        if not words:
            return
        if not self._said:
            self._detail.update(_took(self._began, "first_word_s"))
        self._said += words
        self._task.emit("partial", " ".join(words), {"role": "answer"})


def _gone(task: Task) -> None:
    """The task was given up, or its time is over."""
    if task.late:
        task.emit(
            "failed", "That took too long.", {"advice": f"no answer within {task.asked.deadline_s:g} s"}
        )
    else:
        task.emit("cancelled", "")


def _took(began: float, name: str = "took_s") -> Detail:
    return {name: round(time.monotonic() - began, 3)}


def _plain(arguments: dict[str, Any]) -> str:
    return clip_text(json.dumps(arguments, ensure_ascii=False, default=str), TIMELINE_CHARS)
