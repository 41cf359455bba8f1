"""Long silences in which the user had reason to wait."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

import numpy as np

from engine.config import CHUNK_S
from engine.decisions import RELAY
from engine.events import TextIn, TurnRecord
from engine.inspect.finding import Finding
from engine.inspect.latency import Reply
from engine.inspect.measures import Measures
from engine.recorder.reader import RecordedSession

LONG_S = 1.5
_SAME_S = 0.02


def long_gaps(session: RecordedSession, measured: Measures, replies: Sequence[Reply]) -> tuple[Finding, ...]:
    """Stretches of more than 1.5 s in which nobody is heard although the user waits.

    The user waits from the end of what he or she said until the reply that follows it, and, where something
    was handed to the background since, until words of its answer are relayed or its job is over. So a
    silence after a bridge ("Let me see.") counts, one after which nothing comes counts when the background
    had been asked, and a silence in which nobody owes anything does not. What was typed in a silence and
    handed over is waited for from then on.
    """
    asked = _Asked(session.turns)
    answers = {reply.t1: reply for reply in replies if reply.segments}
    starts = [start for start, _ in measured.user]
    typed = sorted(event.t for event in session.events if isinstance(event, TextIn))
    begun = sorted((*starts, *typed))
    onsets = {start for start, _ in measured.heard}
    found = []
    for t0, t1 in _silences(measured, session.duration):
        count = bisect_right(begun, t0)
        reply = answers.get(t1)
        if reply is not None and abs(reply.t0 - t0) < _SAME_S:
            found.append(Finding(t0, t1, "long gap", _before_reply(reply)))
        elif count and (until := asked.owed_until(begun[count - 1], t0, t1)) - t0 > LONG_S:
            came = until == t1 and t1 in onsets
            found.append(Finding(t0, until, "long gap", _while_asked(until - t0, came)))
        else:
            found += _after_typing(typed, asked, (t0, t1), t1 in onsets)
    return tuple(found)


def _after_typing(
    typed: Sequence[float], asked: "_Asked", silence: tuple[float, float], spoken_after: bool
) -> Iterator[Finding]:
    """The wait for what was typed in a silence in which nothing was owed before."""
    t0, t1 = silence
    for t in typed[bisect_right(typed, t0) : bisect_left(typed, t1)]:
        until = asked.owed_until(t - CHUNK_S, t, t1)
        if until - t > LONG_S:
            came = until == t1 and spoken_after
            yield Finding(t, until, "long gap", f"{_while_asked(until - t, came)}; it was asked in writing")
            return


def _silences(measured: Measures, duration: float) -> Iterator[tuple[float, float]]:
    """Stretches of more than ``LONG_S`` in which neither side is heard."""
    end = 0.0
    for start, stop in sorted((*measured.user, *measured.heard)):
        if start - end > LONG_S:
            yield end, start
        end = max(end, stop)
    if duration - end > LONG_S:
        yield end, duration


def _before_reply(reply: Reply) -> str:
    longest = max(reply.segments, key=lambda s: s.t1 - s.t0)
    return f"{reply.t1 - reply.t0:.1f} s of silence before the reply; most of it: {longest.name}"


def _while_asked(seconds: float, came: bool) -> str:
    end = "until its words came" if came else "and nothing came"
    return f"{seconds:.1f} s of silence while the background was at work, {end}"


class _Asked:
    """When work was handed to the background, when its words were relayed, and when none was open."""

    def __init__(self, turns: Sequence[TurnRecord]) -> None:
        self._asked = np.array([CHUNK_S * (t.i + 1) for t in turns if t.delegate])
        self._told = np.array(
            [CHUNK_S * (t.i + 1) for t in turns if t.say == RELAY and t.decision != "listen"]
        )
        self._ends = np.array([CHUNK_S * (t.i + 1) for t in turns])
        self._busy = np.array([t.open_jobs > 0 or t.background_words > 0 or t.delegate for t in turns], bool)

    def owed_until(self, since: float, t0: float, t1: float) -> float:
        """Until when in the silence ``t0`` to ``t1`` what the user said since ``since`` is unanswered."""
        asked = self._asked[(self._asked > since) & (self._asked <= t0 + LONG_S)]
        if not len(asked):
            return t0
        told = self._told[(self._told >= asked[0]) & (self._told <= t0)]
        if len(told):
            return t0
        begun = max(t0, float(asked[0]))
        idle = self._ends[(self._ends > begun) & (self._ends <= t1) & ~self._busy]
        return float(idle[0]) if len(idle) else t1
