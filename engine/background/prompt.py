"""What a language model is asked, and what it may ask for in turn."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from engine.background.tools.tool import Tool

Cancelled = Callable[[], bool]


@dataclass(frozen=True)
class ToolUse:
    """A call that a language model asks for. ``arguments``: JSON as the model wrote it, or what it wrote."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True)
class Prompt:
    """One request with all that a language model may know.

    ``context``: earlier (speaker, text) pairs, oldest first; ``jpeg``: what the
    camera saw, or empty; ``tools``: what the model may call; ``memory``: what is
    known about the user and the past; ``exchanges``: the calls made for this
    request so far, each with its result.
    """

    text: str
    context: tuple[tuple[str, str], ...] = ()
    jpeg: bytes = field(default=b"", repr=False)
    tools: tuple[Tool, ...] = ()
    memory: str = ""
    exchanges: tuple[tuple[ToolUse, str], ...] = ()


class LanguageModel(Protocol):
    """``name`` is for people; an answer is cut after ``max_sentences``."""

    name: str
    max_sentences: int

    def warm_up(self) -> None: ...

    def stream(self, prompt: Prompt, cancelled: Cancelled) -> Iterator[str | ToolUse]:
        """Pieces of the answer as they come, then the calls it asks for; ends early once ``cancelled()``.

        Raises:
            JobError: there is no answer, and why.
        """
