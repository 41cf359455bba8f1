"""What a server's answer says: from the bytes of a chat response to words and calls of tools.

Takes the event stream of the OpenAI protocol as the servers in use really send
it, and the single JSON object of those that do not stream. Hidden reasoning is
passed over.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from engine.background.prompt import ToolUse

MAX_BYTES = 4 * 1024 * 1024  # of a response; a long answer with hidden reasoning has 1 MB
MAX_LINE = 1024 * 1024  # of one event
MAX_CHARS = 20_000  # of what is said; an answer is cut long before
MAX_CALLS = 16
MAX_CALL_CHARS = 64 * 1024
_CALL = "<tool_call>"
_HIDDEN = {"<think>": "</think>", "<thinking>": "</thinking>", _CALL: "</tool_call>"}


class NonsenseError(Exception):
    """This is not the protocol."""


class EndlessError(Exception):
    """There is more than anybody could want."""


class ServerFaultError(Exception):
    """The server reports an error inside its answer. ``body``: what it says."""

    def __init__(self, body: Any) -> None:
        super().__init__("an error in the stream")
        self.body = body


class HiddenParts:
    """Takes reasoning and calls of tools out of streamed text, however the pieces are cut.

    Attributes:
        calls: the texts of the calls taken out so far.
    """

    def __init__(self) -> None:
        self.calls: list[str] = []
        self._held = ""
        self._inside = ""
        self._call = ""

    def feed(self, text: str) -> str:
        """Take the next piece; the text that is certainly to be said."""
        self._held += text
        said = []
        while True:
            lower = self._held.lower()
            if self._inside:
                end = _HIDDEN[self._inside]
                at = lower.find(end)
                self._keep(self._held[: at if at >= 0 else max(0, len(self._held) - len(end) + 1)])
                if at < 0:
                    self._held = self._held[max(0, len(self._held) - len(end) + 1) :]
                    break
                self._leave()
                self._held = self._held[at + len(end) :]
                continue
            at, tag = min(((lower.find(t), t) for t in _HIDDEN if t in lower), default=(-1, ""))
            if at < 0:
                keep = _open_tail(lower)
                said.append(self._held[: len(self._held) - keep])
                self._held = self._held[len(self._held) - keep :]
                break
            said.append(self._held[:at])
            self._held = self._held[at + len(tag) :]
            self._inside = tag
        return "".join(said)

    def finish(self) -> str:
        """The text has ended; what was held back of it."""
        last, self._held = self._held, ""
        if self._inside:
            self._keep(last)
            self._leave()
            return ""
        return last

    def _keep(self, text: str) -> None:
        if self._inside == _CALL and len(self._call) < MAX_CALL_CHARS:
            self._call += text

    def _leave(self) -> None:
        if self._inside == _CALL and len(self.calls) < MAX_CALLS:
            self.calls.append(self._call)
        self._inside = self._call = ""


def _open_tail(text: str) -> int:
    """How many characters at the end may be the beginning of a tag."""
    start = text.rfind("<")
    tail = text[start:] if start >= 0 else ""
    return len(tail) if tail and any(tag.startswith(tail) for tag in _HIDDEN) else 0


@dataclass
class _Call:
    place: int | None
    id: str
    name: str
    arguments: str


class ToolCalls:
    """Puts calls of tools together from their streamed pieces.

    Pieces belong together by their index. Some servers send none, or always 0,
    and no ids; then a new id, or a name after whole arguments, begins a new call.
    """

    def __init__(self) -> None:
        self._calls: list[_Call] = []

    def __bool__(self) -> bool:
        return bool(self._calls)

    def take(self, piece: Any) -> None:
        """One element of ``tool_calls``.

        Raises:
            NonsenseError: it is none.
        """
        if not isinstance(piece, dict):
            raise NonsenseError
        function = piece.get("function") or {}
        if not isinstance(function, dict):
            raise NonsenseError
        arguments = function.get("arguments")
        if isinstance(arguments, (dict, list)):
            arguments = json.dumps(arguments)
        place = piece.get("index")
        new = _Call(
            place if type(place) is int else None,
            _text(piece.get("id")),
            _text(function.get("name")),
            _text(arguments),
        )
        call = self._same(new)
        if call is None:
            if len(self._calls) < MAX_CALLS:
                self._calls.append(new)
            return
        call.id = call.id or new.id
        call.name = call.name or new.name
        if len(call.arguments) < MAX_CALL_CHARS:
            call.arguments += new.arguments

    def _same(self, new: _Call) -> _Call | None:
        """The call that ``new`` goes on with, None when it begins one."""
        if new.place is None:
            open_calls = [c for c in self._calls if new.id and c.id == new.id] or self._calls
        else:
            open_calls = [c for c in self._calls if c.place == new.place]
        if not open_calls:
            return None
        last = open_calls[-1]
        if new.id and last.id:
            return last if new.id == last.id else None
        if new.name and last.name and (new.name != last.name or _is_whole(last.arguments)):
            return None
        return last

    def whole(self) -> list[tuple[str, str, str]]:
        """(id, name, arguments) of the calls that have a name; ids may be empty."""
        return [(c.id, c.name, c.arguments) for c in self._calls if c.name]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _is_whole(arguments: str) -> bool:
    try:
        return isinstance(json.loads(arguments), dict)
    except (ValueError, RecursionError):
        return False


class Answer:
    """Reads one response. ``calls_before``: calls made earlier in this request, so that ids differ.

    Attributes:
        finish: why the server says it ended, empty when it has not.
        over: nothing more is to come, or wanted.
    """

    def __init__(self, calls_before: int = 0) -> None:
        self.finish = ""
        self.over = False
        self._before = calls_before
        self._pending = b""
        self._single: bool | None = None
        self._bytes = 0
        self._events = 0
        self._chars = 0
        self._hidden = HiddenParts()
        self._calls = ToolCalls()

    def feed(self, data: bytes) -> list[str]:
        """Take the next bytes; the pieces of text in them.

        Raises:
            NonsenseError, EndlessError, ServerFaultError: there is no more sense to be had.
        """
        self._bytes += len(data)
        if self._bytes > MAX_BYTES:
            raise EndlessError
        self._pending += data
        if self._single is None:
            self._pending = self._pending.removeprefix(b"\xef\xbb\xbf").lstrip()
            if not self._pending:
                return []
            self._single = self._pending.startswith(b"{")
        if self._single:
            if len(self._pending) > MAX_LINE:
                raise EndlessError
            return []
        *lines, self._pending = self._pending.split(b"\n")
        if max(map(len, (*lines, self._pending))) > MAX_LINE:
            raise EndlessError
        said = []
        for line in lines:
            text = self._line(line)
            if text:
                said.append(text)
            if self.over:
                break
        return said

    def end(self) -> list[str | ToolUse]:
        """The response has ended; the last text, and the calls it asks for.

        Raises:
            NonsenseError, ServerFaultError: as ``feed``.
        """
        said: list[str | ToolUse] = []
        last = self._object(self._pending) if self._single else self._line(self._pending)
        self._pending = b""
        if self._single:
            self.over = True
        said += [text for text in (last, self._hidden.finish()) if text]
        if not self._events:
            raise NonsenseError
        calls = [*self._calls.whole(), *_written_calls(self._hidden.calls)][:MAX_CALLS]
        for number, (identity, name, arguments) in enumerate(calls, self._before + 1):
            # Nine letters and digits, which is what the pickiest server takes.
            said.append(ToolUse(identity or f"call{number:05d}", name, arguments.strip() or "{}"))
        return said

    def _line(self, line: bytes) -> str:
        field, _, value = line.strip(b"\r").partition(b":")
        value = value.strip()
        if field == b"error":
            raise ServerFaultError(_json(value))
        if field != b"data" or not value:
            return ""
        if value.startswith(b"[DONE]"):
            self.over = True
            self._events += 1
            return ""
        return self._object(value)

    def _object(self, data: bytes) -> str:
        chunk = _json(data)
        if not isinstance(chunk, dict):
            raise NonsenseError
        if chunk.get("error"):
            raise ServerFaultError(chunk)
        choices = chunk.get("choices")
        if choices is not None and not isinstance(choices, list):
            raise NonsenseError
        self._events += choices is not None
        return "".join(self._choice(choice) for choice in (choices or ())[:1])

    def _choice(self, choice: Any) -> str:
        if not isinstance(choice, dict):
            raise NonsenseError
        delta = choice.get("delta") or choice.get("message") or {}
        calls = delta.get("tool_calls") or () if isinstance(delta, dict) else None
        if not isinstance(delta, dict) or not isinstance(calls, Iterable):
            raise NonsenseError
        for piece in calls:
            self._calls.take(piece)
        self.finish = _text(choice.get("finish_reason")) or self.finish
        said = self._hidden.feed(_content(delta.get("content")) + _text(delta.get("refusal")))
        self._chars += len(said)
        if self._chars > MAX_CHARS:
            self.over = True
        return said


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as err:
        raise NonsenseError from err


def _content(content: Any) -> str:
    """Text, or the texts among the parts of a content."""
    if content is None or isinstance(content, str):
        return content or ""
    if not isinstance(content, list):
        raise NonsenseError
    return "".join(_text(p.get("text")) for p in content if isinstance(p, dict) and p.get("type") == "text")


def _written_calls(texts: list[str]) -> list[tuple[str, str, str]]:
    """Calls that a model wrote into its text, where its server did not take them out."""
    found = []
    for text in texts:
        try:
            call = json.loads(text)
        except (ValueError, RecursionError):
            continue
        if isinstance(call, dict) and isinstance(call.get("name"), str):
            arguments = call.get("arguments", call.get("parameters"))
            written = arguments if isinstance(arguments, str) else json.dumps(arguments or {})
            found.append(("", call["name"], written))
    return found
