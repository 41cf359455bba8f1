"""What is worth looking at in a recorded session: replies, barge-ins, long gaps and faults."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine.inspect.echo_leak import echo_leaks
from engine.inspect.faults import faults
from engine.inspect.finding import Finding
from engine.inspect.gaps import long_gaps
from engine.inspect.latency import Reply, replies
from engine.inspect.measures import BargeIn, Measures, TakeOver, measure
from engine.recorder.reader import RecordedSession

__all__ = ["Finding", "Findings", "findings", "findings_of"]

_ECHO_BEGINS_S = 0.1  # echo is measured in steps that may begin a little after the sound


@dataclass(frozen=True)
class Findings:
    """Everything found in one session, each in time order."""

    replies: tuple[Reply, ...]
    barge_ins: tuple[Finding, ...]
    long_gaps: tuple[Finding, ...]
    faults: tuple[Finding, ...]
    take_overs: tuple[TakeOver, ...]


def findings(session: RecordedSession) -> Findings:
    """Look a session through. Reads its audio, 3 s for 2 hours: call it from a worker thread.

    Where audio is missing, the turns' levels stand in, in steps of 0.2 s, and no echo is looked for.
    """
    if not session.turns:
        return Findings((), (), (), faults(session), ())
    return findings_of(session, measure(session))


def findings_of(session: RecordedSession, measured: Measures) -> Findings:
    """As ``findings``, of a session that has been measured already and has at least one micro-turn."""
    answered = replies(session, measured)
    leaks = echo_leaks(session, measured)
    return Findings(
        replies=answered,
        barge_ins=tuple(_barge_ins(measured, leaks)),
        long_gaps=long_gaps(session, measured, answered),
        faults=tuple(sorted((*faults(session), *leaks), key=lambda f: (f.t0, f.t1))),
        take_overs=measured.take_overs,
    )


def _barge_ins(measured: Measures, leaks: Sequence[Finding]) -> Iterable[Finding]:
    said_until = dict(measured.user)
    starts = [leak.t0 for leak in leaks]
    for barge_in in measured.barge_ins:
        # Where the assistant talked on, it is over when the user gives up.
        end = said_until[barge_in.t] if barge_in.stop_s is None else barge_in.t + barge_in.stop_s
        before = bisect_right(starts, barge_in.t + _ECHO_BEGINS_S)
        echo = before > 0 and leaks[before - 1].t1 > barge_in.t
        yield Finding(barge_in.t, end, "barge-in", _told(barge_in, echo))


def _told(barge_in: BargeIn, echo: bool) -> str:
    who = "the assistant's own echo counts as the user" if echo else "the user speaks"
    end = "it talks on" if barge_in.stop_s is None else f"it is silent after {barge_in.stop_s:.2f} s"
    return f"{who} while the assistant is heard; {end}"
