"""Everything that the window can do beside the conversation and its timeline, made in order."""

from collections.abc import Callable
from typing import Any

from app.shell import Shell

FEATURES: tuple[Callable[[Shell], Any], ...] = ()
"""Each is called once with the finished window; the order is that of the entries in the menus."""


def add_features(shell: Shell) -> list[Any]:
    """Make every feature; whoever gets the list keeps them alive."""
    return [make(shell) for make in FEATURES]
