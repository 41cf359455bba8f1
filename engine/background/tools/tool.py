"""What a tool is, and what it gets and gives.

A tool's output is data. It is said or shown, and given to a language model as
the result of a call; nothing in it is ever executed, raises a permission or
starts another tool.
"""

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.background.store import Store

MAX_RESULT_CHARS = 4_000

Arguments = Mapping[str, Any]


class Permission(enum.StrEnum):
    """Whether the user is asked before a tool runs; ``ASK_ONCE``: the answer holds for the session."""

    FREE = "free"
    ASK_ONCE = "ask once"
    ASK_ALWAYS = "ask always"


class ToolError(Exception):
    """A tool could not do it. Its text is one plain sentence that can be said aloud."""


@dataclass(frozen=True)
class ToolContext:
    """What a tool may know. Made anew for each call.

    ``now``: the session's time, with the user's time zone. ``files``: what the
    user picked, newest last. ``jpeg``: the camera's newest picture, or empty.
    ``cancelled``: asked now and then by tools that take long. ``standing``: tokens of the standing
    instructions that the session's engine can carry out.
    """

    now: datetime
    store: "Store"
    files: tuple[Path, ...] = ()
    jpeg: bytes = field(default=b"", repr=False)
    cancelled: Callable[[], bool] = lambda: False
    standing: tuple[str, ...] = ()


@dataclass(frozen=True)
class ToolResult:
    """``say``: one or two short spoken sentences with the whole answer, no markup.

    ``data``: the same as plain values, for the timeline and for language
    models. ``jpeg``: a picture for a language model that takes images. ``standing``: what the engine is
    to put into its register of standing instructions, or ``{"stop": kind}``.
    """

    say: str
    data: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    jpeg: bytes = field(default=b"", repr=False)
    standing: Mapping[str, str | int | float | bool] = field(default_factory=dict)


@dataclass(frozen=True)
class Tool:
    """``parameters``: a JSON schema of the arguments, as function calling wants it.

    ``changes``: it changes something, so it never runs ahead of the request.
    ``online``: it leaves this computer; off until the user switches it on.
    ``run`` may be called from any thread of the worker, raises ``ToolError`` and
    has ``timeout_s`` seconds.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]
    run: Callable[[Arguments, ToolContext], ToolResult]
    permission: Permission = Permission.FREE
    changes: bool = False
    online: bool = False
    timeout_s: float = 5.0


def schema(required: tuple[str, ...] = (), **properties: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON schema of an object with these properties and no others."""
    return {
        "type": "object",
        "properties": {name: dict(value) for name, value in properties.items()},
        "required": list(required),
        "additionalProperties": False,
    }
