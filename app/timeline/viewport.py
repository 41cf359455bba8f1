"""The visible window of a timeline: pan, zoom, follow live. Pure; times in seconds."""

from dataclasses import dataclass

MIN_SPAN_S = 0.2
"""One micro-turn."""
MARGIN = 0.04
"""Part of the window kept free after the newest turn while following."""


@dataclass
class Viewport:
    """``start_s .. start_s + span_s`` is visible; the session's content is ``first_s .. end_s``."""

    start_s: float = 0.0
    span_s: float = 14.0
    first_s: float = 0.0
    end_s: float = 0.0
    follow: bool = True

    @property
    def stop_s(self) -> float:
        return self.start_s + self.span_s

    @property
    def max_span_s(self) -> float:
        return max((self.end_s - self.first_s) * (1 + 2 * MARGIN), 60.0)

    def set_content(self, first_s: float, end_s: float) -> None:
        """The session has grown, or lost its oldest part."""
        self.first_s, self.end_s = first_s, end_s
        self._settle()

    def set_follow(self, follow: bool) -> None:
        self.follow = follow
        self._settle()

    def pan(self, seconds: float) -> None:
        """Move the window; stops following. What cannot move (at an end) stays."""
        self.follow = False
        self.start_s += seconds
        self._settle()

    def zoom(self, factor: float, anchor_s: float | None = None) -> None:
        """Show ``1 / factor`` of the time. ``anchor_s`` stays where it is on the screen;
        while following, the live edge does."""
        span = min(max(self.span_s / factor, MIN_SPAN_S), self.max_span_s)
        anchor = self.start_s + self.span_s / 2 if anchor_s is None else anchor_s
        self.start_s = anchor - (anchor - self.start_s) * span / self.span_s
        self.span_s = span
        self._settle()

    def fit(self) -> None:
        """The whole session."""
        self.span_s = max((self.end_s - self.first_s) * (1 + 2 * MARGIN), MIN_SPAN_S)
        self.start_s = self.first_s - MARGIN * self.span_s
        self._settle()

    def show(self, t0: float, t1: float) -> None:
        """Exactly ``t0 .. t1``, as far as it can be shown; stops following."""
        self.follow = False
        self.start_s, self.span_s = t0, max(t1 - t0, MIN_SPAN_S)
        self._settle()

    def centre(self, t: float) -> None:
        self.follow = False
        self.start_s = t - self.span_s / 2
        self._settle()

    def reveal(self, t0: float, t1: float) -> None:
        """Scroll as little as needed to show ``t0 .. t1``; stops following only when it must scroll."""
        if self.start_s <= t0 and t1 <= self.stop_s:
            return
        self.follow = False
        edge = self.span_s * MARGIN
        self.start_s = t0 - edge if t0 < self.start_s else t1 + edge - self.span_s
        self._settle()

    def _settle(self) -> None:
        self.span_s = min(max(self.span_s, MIN_SPAN_S), self.max_span_s)
        edge = self.span_s * MARGIN
        earliest, latest = self.first_s - edge, max(self.end_s + edge - self.span_s, self.first_s - edge)
        self.start_s = latest if self.follow else min(max(self.start_s, earliest), latest)
