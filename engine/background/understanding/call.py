"""A call of a tool as it was understood from words, and what a domain of requests offers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from engine.background.tools.tool import Tool


@dataclass(frozen=True)
class Call:
    """``corrects``: it takes the place of what the call before it did ("no, Thursday")."""

    tool: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    corrects: bool = False


class Domain(Protocol):
    """Requests of one kind: their tools, and how they are understood.

    Texts are as ``engine.background.understanding.normal.normal`` makes them.
    ``now`` has the user's time zone. Both methods are pure, take less than 20 ms
    and give None rather than a guess.
    """

    @property
    def tools(self) -> tuple[Tool, ...]: ...

    def parse(self, text: str, now: datetime) -> Call | None:
        """A request that can be understood by itself."""

    def follow(self, text: str, last: Call, now: datetime) -> Call | None:
        """A request that goes on from ``last``, a call of one of this domain's tools: "and in Paris?",
        "times two", "make it ten minutes", "no, Thursday", "what about Germany", "cancel it"."""
