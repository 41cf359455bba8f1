"""What is measured of a recorded session once, in the worker thread, and kept. Plain Python."""

from dataclasses import dataclass

from engine.inspect.findings import Findings, findings, findings_of
from engine.inspect.measures import BargeIn, measure
from engine.inspect.speech import Segments
from engine.recorder.reader import RecordedSession


@dataclass(frozen=True)
class Measured:
    """``user``, ``heard``: when each side was audible. ``precise``: from the audio, to 10 ms, else from the
    turns, to 0.2 s. ``barge_ins``: with the time until the assistant was silent."""

    findings: Findings
    user: Segments = ()
    heard: Segments = ()
    barge_ins: tuple[BargeIn, ...] = ()
    precise: bool = False


def measured(session: RecordedSession) -> Measured:
    """Measure a session. Reads its audio, 3 s for 2 hours: not for the window's thread."""
    if not session.turns:
        return Measured(findings(session))
    found = measure(session)
    return Measured(findings_of(session, found), found.user, found.heard, found.barge_ins, found.precise)
