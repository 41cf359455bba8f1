"""The figures that an audience is shown, from live events. Plain Python; one owner thread.

The wait for a reply runs from the user's last word to the first sound of the
assistant, as it is heard (the floor-transfer offset; negative when both spoke).
The user's last word ends where the recogniser says so; until it has, where the
level of the microphone fell. Either way the wait is known to a micro-turn,
+-0.2 s; ``microturn inspect`` measures a recording to 10 ms.
"""

from bisect import insort
from collections import deque
from collections.abc import Iterable
from math import isfinite
from statistics import median

from engine.config import CHUNK_MS, CHUNK_S
from engine.events import Event, Transcript, TurnRecord

ANSWER_S = 10.0
"""Later than so long after the user's last word it is no reply to it."""
PRECISION_S = CHUNK_S
_KEPT_TURNS = 300
_FLOOR_TURNS = 100
_ABOVE_FLOOR_DB = 12.0
_LOWEST_DB, _HIGHEST_DB = -60.0, -30.0
_PAUSE_TURNS = 2
"""Silence of so many micro-turns ends what the assistant was saying."""
_LOOK_BACK = 5
"""Micro-turns; speech is heard at most so much later than it was decided."""
_SAME_S = 0.6
"""The recogniser's end of a word and the fall of the level are the same end when this near."""


class Figures:
    """Fed with the events of one session."""

    def __init__(self) -> None:
        self.last_ms: float | None = None
        """Compute time of the newest micro-turn."""
        self.late = 0
        """Micro-turns that missed their deadline, in all."""
        self._compute: deque[float] = deque(maxlen=_KEPT_TURNS)
        self._levels: deque[float] = deque(maxlen=_FLOOR_TURNS)
        self._sorted: list[float] = []
        self._decisions: deque[tuple[int, str]] = deque(maxlen=2 * _LOOK_BACK)
        self._loud: deque[tuple[float, float]] = deque(maxlen=50)
        self._said: deque[tuple[float, float]] = deque(maxlen=50)
        self._silent_turns = _PAUSE_TURNS
        self._before = float("-inf")
        self._onset: float | None = None

    def append(self, events: Iterable[Event]) -> None:
        """Take events as they come."""
        for event in events:
            if isinstance(event, TurnRecord):
                self._turn(event)
            elif isinstance(event, Transcript) and event.speaker == "user":
                self._said.extend((t0, t1) for _, t0, t1 in event.words)
                if not event.words:
                    self._said.append((event.t0, event.t1))

    @property
    def median_ms(self) -> float | None:
        """Median compute time of the last minute."""
        return median(self._compute) if self._compute else None

    @property
    def offset_s(self) -> float | None:
        """How long the last reply was waited for; None before the first one, or when nobody had spoken."""
        if self._onset is None:
            return None
        ended = self._ended_before(self._onset)
        if ended is None or self._onset - ended > ANSWER_S:
            return None
        return self._onset - ended

    def _turn(self, turn: TurnRecord) -> None:
        if not turn.skipped and isfinite(turn.compute_ms):
            self.last_ms = turn.compute_ms
            self._compute.append(turn.compute_ms)
        self.late += turn.deadline_missed
        self._decisions.append((turn.i, turn.decision))
        self._hear_user(turn)
        if turn.heard_ms > 0:
            if self._silent_turns >= _PAUSE_TURNS:
                self._begin(turn)
            self._silent_turns = 0
        else:
            self._silent_turns += 1

    def _hear_user(self, turn: TurnRecord) -> None:
        level = turn.user_level_db
        if not isfinite(level):
            return
        if len(self._levels) == self._levels.maxlen:
            self._sorted.remove(self._levels[0])
        self._levels.append(level)
        insort(self._sorted, level)
        floor = self._sorted[len(self._sorted) // 10]
        if level > min(max(floor + _ABOVE_FLOOR_DB, _LOWEST_DB), _HIGHEST_DB):
            start, last = self._loud[-1] if self._loud else (turn.t, float("-inf"))
            if turn.t - last < CHUNK_S / 2:
                self._loud[-1] = start, turn.t + CHUNK_S
            else:
                self._loud.append((turn.t, turn.t + CHUNK_S))

    def _begin(self, turn: TurnRecord) -> None:
        """The assistant begins to be heard: a reply, unless it nods or goes on with what it was saying."""
        onset = turn.t + max(CHUNK_MS - turn.heard_ms, 0.0) / 1000
        if self._decided(turn.i) == "backchannel":
            return
        spoke = any(start > self._before for start, _ in (*self._loud, *self._said) if start < onset)
        if spoke:
            self._onset = onset
        self._before = onset

    def _decided(self, heard_in: int) -> str:
        """The decision that made what begins to be heard in a micro-turn."""
        for i, decision in reversed(self._decisions):
            if heard_in - _LOOK_BACK <= i < heard_in and decision in ("speak", "interrupt", "backchannel"):
                return decision
        return "speak"

    def _ended_before(self, onset: float) -> float | None:
        """When the user's last word before ``onset`` was over; later than it, when both spoke at once."""
        loud = [end for start, end in self._loud if start < onset]
        said = [end for start, end in self._said if start < onset]
        if not said or (loud and loud[-1] - said[-1] > _SAME_S):
            return loud[-1] if loud else None
        return said[-1]


def offset_text(seconds: float | None) -> str:
    """The wait for the last reply, for the audience."""
    if seconds is None:
        return "–"
    return f"{seconds:+.1f} s" if seconds < 0 else f"{seconds:.1f} s"


def compute_text(last_ms: float | None, median_ms: float | None) -> str:
    """Compute time of a micro-turn against its 200 ms."""
    if last_ms is None or median_ms is None:
        return "–"
    return f"{median_ms:.0f} ms of {CHUNK_MS} ms, last {last_ms:.0f} ms"
