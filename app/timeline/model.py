"""Everything a timeline shows of one session. Plain Python; one owner thread."""

from collections.abc import Iterable
from math import isfinite

from app.timeline.columns import Turn, TurnColumns
from app.timeline.items import Items
from engine.config import CHUNK_S
from engine.events import Event, SessionHeader, TurnRecord, event_time


class TimelineModel:
    """Turns, items, the header and the selected micro-turn of one session."""

    def __init__(self) -> None:
        self.header: SessionHeader | None = None
        self.turns = TurnColumns()
        self.items = Items()
        self.selected: int | None = None
        self.latest_s = 0.0
        """Latest time of any event; the content's end where turns are missing."""

    def append(self, events: Iterable[Event]) -> bool:
        """Take events as they come. Returns whether anything changed."""
        turns: list[TurnRecord] = []
        changed = False
        for event in events:
            changed = True
            if isinstance(event, TurnRecord):
                turns.append(event)
                self.items.watches.add_turn(event)
            elif isinstance(event, SessionHeader):
                self.header = event
            elif isfinite(t := event_time(event)) and t >= 0:
                self.items.add(event)
                self.latest_s = max(self.latest_s, t)
        if turns:
            self.turns.extend(turns)
        if self.selected is not None and self.selected < self.turns.base:
            self.selected = None
        return changed

    @property
    def first_s(self) -> float:
        return self.turns.base * CHUNK_S

    @property
    def end_s(self) -> float:
        """End of the last turn; of the last event in a session without turns."""
        return self.turns.end_s if self.turns.count else self.latest_s

    def select(self, i: int | None) -> None:
        """Select micro-turn ``i``, moved into the session's range; None selects nothing."""
        if i is None or not self.turns.count:
            self.selected = None
        else:
            self.selected = min(max(i, self.turns.base), self.turns.end - 1)

    def step(self, by: int) -> None:
        """Move the selection; without one, the newest turn is selected."""
        last = self.turns.end - 1
        self.select(last if self.selected is None else self.selected + by)

    def step_change(self, direction: int) -> None:
        """Select the next (1) or previous (-1) turn at which the decision changed."""
        if self.turns.count:
            origin = self.turns.end - 1 if self.selected is None else self.selected
            self.select(self.turns.next_change(origin, direction))

    @property
    def selected_turn(self) -> Turn | None:
        return None if self.selected is None else self.turns.turn(self.selected)
