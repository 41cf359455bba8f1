"""Time to pixels and back, and where a ruler's ticks go. Pure arithmetic."""

from dataclasses import dataclass
from math import ceil, floor

_MINOR = {
    0.02: 0.01, 0.05: 0.01, 0.1: 0.02,
    0.2: 0.2, 1.0: 0.2, 2.0: 1.0, 5.0: 1.0, 10.0: 2.0, 30.0: 10.0, 60.0: 10.0, 120.0: 60.0, 300.0: 60.0,
    600.0: 60.0, 1800.0: 300.0, 3600.0: 600.0, 7200.0: 1800.0, 21600.0: 3600.0, 86400.0: 21600.0,
}  # fmt: skip
"""Seconds between labels, and between the ticks among them."""


@dataclass(frozen=True)
class Tick:
    t: float
    label: str
    """Empty for a minor tick."""


@dataclass(frozen=True)
class TimeScale:
    """``first_px`` is the whole pixel, counted from the session's start, at the left edge ``left``.

    Whole pixels keep the reduction of turns to columns the same while the view
    scrolls; otherwise cells shimmer.
    """

    first_px: int
    px_per_s: float
    left: int = 0

    @classmethod
    def of(cls, start_s: float, span_s: float, width: int, left: int = 0) -> "TimeScale":
        """The scale at which ``span_s`` seconds from ``start_s`` fill ``width`` pixels."""
        px_per_s = max(width, 1) / span_s
        return cls(round(start_s * px_per_s), px_per_s, left)

    def x(self, t: float) -> float:
        return t * self.px_per_s - self.first_px + self.left

    def t(self, x: float) -> float:
        return (x - self.left + self.first_px) / self.px_per_s

    def turn(self, x: float, chunk_s: float = 0.2) -> int:
        """Index of the micro-turn under pixel ``x``."""
        return floor(self.t(x) / chunk_s + 1e-9)


def clock_label(t: float, step: float = 1.0) -> str:
    """``m:ss``, ``h:mm:ss`` from an hour on; tenths or hundredths when the step is below 1 or 0.1 s."""
    digits = 0 if step >= 1 else 1 if step >= 0.1 else 2
    unit = 10**digits
    whole = round(abs(t) * unit) if digits else floor(abs(t) + 1e-6)
    minutes, parts = divmod(whole, 60 * unit)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{parts // unit:02d}" + (f".{parts % unit:0{digits}d}" if digits else "")
    sign = "-" if t < 0 and whole else ""
    return f"{sign}{hours}:{minutes:02d}:{seconds}" if hours else f"{sign}{minutes}:{seconds}"


def ticks(start_s: float, span_s: float, px_per_s: float, min_label_px: float = 80) -> list[Tick]:
    """Ticks from ``start_s`` on, labels at least ``min_label_px`` apart; none before 0."""
    major = next((s for s in _MINOR if s * px_per_s >= min_label_px), max(_MINOR))
    minor = _MINOR[major] if _MINOR[major] * px_per_s >= 5 else major
    per_major = round(major / minor)
    first = max(ceil(start_s / minor - 1e-9), 0)
    last = floor((start_s + span_s) / minor + 1e-9)
    return [
        Tick(k * minor, "" if k % per_major else clock_label(k * minor, major))
        for k in range(first, last + 1)
    ]
