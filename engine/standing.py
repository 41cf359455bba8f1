"""Standing instructions: what the assistant was asked to count, to watch for, and to say at a time.

One of each kind is in force at most; a newer one takes its place. The register keeps what was asked
and what was said of it. It decides nothing: the model is shown it as part of its own state, micro-turn
by micro-turn, and says ``count``, ``cue`` or ``time`` when it sees fit; the words come from here, as
those of an answer come with ``relay``.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.background.tools.saying import sentence, span
from engine.decisions import COUNT, CUE, TIME

ANY = "any"
COUNTED = (
    ANY, "squat", "push-up", "jumping jack", "lunge", "arm raise", "sit-up", "biceps curl", "high knees",
)  # fmt: skip
CUES = ("enter", "leave", "wave", "raise hand", "thumbs up", "slouch", "nod", "shake head")
CUE_WORDS = {
    "enter": ("Somebody is here.", "Welcome back."),
    "leave": ("They have left.", "Nobody is there any more."),
    "wave": ("You're waving.", "I see you wave."),
    "raise hand": ("Your hand is up.",),
    "thumbs up": ("Thumbs up.",),
    "slouch": ("Sit up straight.", "You're slouching."),
    "nod": ("You nodded.",),
    "shake head": ("You shook your head.",),
}  # fmt: skip
"""What is said of a cue where the user gave no words."""
ELAPSED = "elapsed"
_SIGNS = {
    "enter": "somebody to come in",
    "leave": "somebody to leave",
    "wave": "a wave",
    "raise hand": "a raised hand",
    "thumbs up": "a thumbs up",
    "slouch": "slouching",
    "nod": "a nod",
    "shake head": "a shake of the head",
}
LONGEST_S = 24 * 3600.0
_SOON_S = 3.0


@dataclass(frozen=True)
class Instruction:
    """Something that was asked for. ``token``: what is said of it, COUNT, CUE or TIME.

    ``what``: one of ``COUNTED`` or ``CUES``; of a TIME ``ELAPSED`` where it says how long it has been,
    else empty. ``words``: what CUE and TIME say. ``seconds``: from
    the instruction to the time, and from each to the next where it is to be said ``repeat``\\ edly.
    """

    token: str
    what: str = ""
    words: str = ""
    seconds: float = 0.0
    repeat: bool = False


@dataclass(frozen=True)
class Watch:
    """One instruction in force. ``since``, ``last``: session seconds; ``said``: how often."""

    asked: Instruction
    since: float
    said: int = 0
    last: float = 0.0

    @property
    def due(self) -> float:
        """Session second at which a TIME is to be said next; infinite where none is."""
        if self.asked.token != TIME or (self.said and not self.asked.repeat):
            return math.inf
        return self.since + self.asked.seconds * (self.said + 1)


@dataclass(frozen=True)
class StandingView:
    """The register as the model is shown it: ``t`` is the end of the micro-turn, in session seconds."""

    t: float = 0.0
    watches: tuple[Watch, ...] = ()

    def of(self, token: str) -> Watch | None:
        return next((watch for watch in self.watches if watch.asked.token == token), None)


NOTHING = StandingView()
STANDING_DIM = 32


def standing_vector(view: StandingView) -> NDArray[np.float32]:
    """The register as (32,) numbers of order one; zeros when nothing stands."""
    out = np.zeros(STANDING_DIM, np.float32)
    count, cue, timed = (view.of(token) for token in (COUNT, CUE, TIME))
    if count:
        out[0], out[1] = 1.0, math.exp(-(view.t - count.last) / 1.0)
        out[2 + COUNTED.index(count.asked.what)] = 1.0
    if cue:
        out[11], out[12] = 1.0, math.exp(-(view.t - cue.last) / 2.0)
        out[13 + CUES.index(cue.asked.what)] = 1.0
    if timed and timed.due < math.inf:
        left = timed.due - view.t
        scales = (0.3, 1.0, _SOON_S, 10.0, 60.0)
        out[21:28] = 1.0, float(timed.asked.repeat), *(math.tanh(left / scale) for scale in scales)
        out[28] = math.log1p(timed.asked.seconds) / 5.0
    return out


class Standing:
    """The register of one session. Engine thread only."""

    def __init__(self) -> None:
        self._watches: dict[str, Watch] = {}

    def arm(self, asked: Instruction, t: float) -> None:
        """Put ``asked`` in force from session second ``t`` on, in place of an older one of its kind."""
        self._watches[asked.token] = Watch(asked, t, last=-math.inf)

    def disarm(self, token: str = "") -> tuple[Watch, ...]:
        """Take the instruction of a kind out of force, or all of them; returns what stood."""
        gone = [self._watches.pop(each) for each in (token,) if each in self._watches]
        if not token:
            gone = [*self._watches.values()]
            self._watches.clear()
        return tuple(gone)

    def view(self, t: float) -> StandingView:
        return StandingView(t, tuple(self._watches.values()))

    def said(self, token: str, t: float) -> str:
        """The words of ``token`` said at ``t``, which are kept account of; "" when nothing stands for it."""
        watch = self._watches.get(token)
        if watch is None:
            return ""
        self._watches[token] = watch = replace(watch, said=watch.said + 1, last=t)
        if token == TIME and watch.asked.what == ELAPSED:
            return sentence(span(watch.asked.seconds * watch.said))
        return f"{watch.said}." if token == COUNT else watch.asked.words


def plural(exercise: str) -> str:
    """More than one of ``COUNTED``."""
    return "repetitions" if exercise == ANY else exercise if exercise.endswith("s") else f"{exercise}s"


def described(asked: Instruction) -> str:
    """What the assistant does from now on, for the timeline: "counts squats"."""
    if asked.token == COUNT:
        return f"counts {plural(asked.what)}"
    if asked.token == CUE:
        return f"watches for {_SIGNS[asked.what]}"
    what = "the time" if asked.what == ELAPSED else f'"{asked.words}"'
    return f"says {what} {'every' if asked.repeat else 'after'} {asked.seconds:g} s"


def from_detail(detail: dict[str, object], clean: Callable[[str], str]) -> Instruction:
    """An instruction as the background process sends it.

    Raises:
        ValueError: it is none.
    """
    token, what = str(detail.get("token", "")), str(detail.get("what", ""))
    seconds, words = float(str(detail.get("seconds", 0.0))), clean(str(detail.get("words", "")))
    if token not in (COUNT, CUE, TIME):
        raise ValueError(f"there is no standing instruction {token!r}")
    if (token == COUNT and what not in COUNTED) or (token == CUE and what not in CUES):
        raise ValueError(f"{what!r} cannot be watched for")
    if token == TIME and what not in ("", ELAPSED):
        raise ValueError(f"{what!r} cannot be said at a time")
    if token == TIME and not 1.0 <= seconds <= LONGEST_S:
        raise ValueError("a time has to be between a second and a day away")
    if token != COUNT and not words:
        raise ValueError("there is nothing to say")
    return Instruction(token, what, words, seconds, bool(detail.get("repeat", False)))
