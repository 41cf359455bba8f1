"""What a language model is asked."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

Cancelled = Callable[[], bool]


@dataclass(frozen=True)
class Prompt:
    """``context``: earlier (speaker, text) pairs, oldest first; ``jpeg``: what the camera saw, or empty."""

    text: str
    context: tuple[tuple[str, str], ...] = ()
    jpeg: bytes = field(default=b"", repr=False)


class LanguageModel(Protocol):
    """``name`` is for people; an answer is cut after ``max_sentences``."""

    name: str
    max_sentences: int

    def warm_up(self) -> None: ...

    def stream(self, prompt: Prompt, cancelled: Cancelled) -> Iterator[str]:
        """Pieces of the answer as they come; ends early once ``cancelled()``.

        Raises:
            JobError: there is no answer, and why.
        """
