"""The context package: what the background mind is given with a request."""

from dataclasses import dataclass, field

import numpy as np

from engine.types import Samples


@dataclass(frozen=True)
class Line:
    """Something said between the session seconds t0 and t1; lines may overlap in time.

    ``unheard``: the assistant's words that a barge-in cut off before anybody heard them.
    """

    speaker: str
    text: str
    t0: float = 0.0
    t1: float = 0.0
    unheard: str = ""


@dataclass(frozen=True)
class HandOver:
    """One request with its context.

    ``audio``: 16 kHz, from session second ``since`` on; speech, or any sound,
    lies between ``t0`` and ``t1``. ``text``: typed words. ``lines``: the last
    minutes of the conversation, oldest first. ``given_up``: open jobs whose
    answers the model threw away with this request; the background decides from
    the words which of them it really replaces. ``standing``: the tokens of standing instructions that the
    engine has learned to say.
    """

    t0: float = 0.0
    t1: float = 0.0
    since: float = 0.0
    audio: Samples = field(default_factory=lambda: np.zeros(0, np.float32))
    text: str = ""
    lines: tuple[Line, ...] = ()
    given_up: tuple[int, ...] = ()
    standing: tuple[str, ...] = ()
