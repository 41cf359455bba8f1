"""A stretch of a recorded session that is worth looking at."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

FAULT_KINDS = (
    "late step",
    "overrun",
    "underrun",
    "echo leak",
    "lost audio",
    "device",
    "recording",
    "background",
    "other",
)


@dataclass(frozen=True)
class Finding:
    """``t0``, ``t1``: session seconds, equal for a moment. ``kind``: one of ``FAULT_KINDS``, ``barge-in`` or
    ``long gap``. ``text``: plain words, one line."""

    t0: float
    t1: float
    kind: str
    text: str


def merged(found: Iterable[Finding], within_s: float = 0.25) -> Iterator[Finding]:
    """Findings of one kind that overlap or lie ``within_s`` of each other as one; each text is told once."""
    open_ones: dict[str, Finding] = {}
    for finding in sorted(found, key=lambda f: (f.t0, f.t1)):
        last = open_ones.get(finding.kind)
        if last is None or finding.t0 - last.t1 > within_s:
            if last is not None:
                yield last
            open_ones[finding.kind] = finding
            continue
        text = last.text if finding.text in last.text.split("; ") else f"{last.text}; {finding.text}"
        open_ones[finding.kind] = Finding(last.t0, max(last.t1, finding.t1), last.kind, text)
    yield from open_ones.values()
