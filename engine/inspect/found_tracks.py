"""What was found in a session as tracks: where the waits went, and what is worth looking at."""

from dataclasses import dataclass

from engine.inspect.findings import Finding, Findings
from engine.inspect.latency import Reply
from engine.inspect.tracks import Span


@dataclass(frozen=True)
class FoundTracks:
    """``waits``: one span for each cause of each wait for a reply, without overlaps. ``findings``: barge-ins,
    long gaps and faults, each with its kind before its text; they may overlap, and last no time at all."""

    waits: tuple[Span, ...]
    findings: tuple[Span, ...]


def found_tracks(found: Findings) -> FoundTracks:
    """The tracks, in time order."""
    waits = [Span(s.t0, s.t1, s.name) for reply in found.replies for s in reply.segments]
    everything = (*found.barge_ins, *found.long_gaps, *found.faults)
    return FoundTracks(
        waits=tuple(sorted(waits, key=lambda s: s.t0)),
        findings=tuple(sorted(map(_span, everything), key=lambda s: (s.t0, s.t1))),
    )


def _span(finding: Finding) -> Span:
    return Span(finding.t0, finding.t1, f"{finding.kind}: {finding.text}")


def mostly(reply: Reply) -> str:
    """The cause that took more than half of a reply's wait; empty where there is none."""
    longest = max(reply.segments, key=lambda s: s.t1 - s.t0, default=None)
    if longest is None or longest.t1 - longest.t0 <= (reply.t1 - reply.t0) / 2:
        return ""
    return longest.name
