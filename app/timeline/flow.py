"""How far the view of a live session has moved on since its newest micro-turn. Pure; seconds.

Micro-turns come five times a second, and a little unevenly; the eye wants time
to flow. A second-order loop follows them: time runs by itself, and is drawn
gently towards what has come.
"""

MAX_AHEAD_S = 0.3
"""Further than this the view does not run ahead of what is known."""
_PULL = 0.08  # part of the error that is made up in one step
_LEAD_S = 0.06  # a micro-turn that comes early must not overtake it
_LOST_S = 0.6  # further off, it begins anew


class Flow:
    """``step`` about thirty times a second; ``ahead_s`` says how far to move on."""

    def __init__(self) -> None:
        self._end_s = 0.0
        self._age_s = 0.0
        self._shown_s = 0.0

    def reset(self, end_s: float) -> None:
        """Another session, or following begins: stand at its end."""
        self._end_s = self._shown_s = end_s
        self._age_s = 0.0

    def step(self, seconds: float, end_s: float) -> None:
        """So much time has gone by, and the session is known up to ``end_s``."""
        self._age_s = 0.0 if end_s != self._end_s else self._age_s + seconds
        self._end_s = end_s
        # Nothing comes any more: time stands still rather than run into the unknown.
        meant = end_s + min(_LEAD_S + self._age_s, MAX_AHEAD_S)
        self._shown_s += seconds
        error = meant - self._shown_s
        self._shown_s += error if abs(error) > _LOST_S else _PULL * error

    @property
    def ahead_s(self) -> float:
        """0 to ``MAX_AHEAD_S``."""
        return min(max(self._shown_s - self._end_s, 0.0), MAX_AHEAD_S)
