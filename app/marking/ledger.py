"""The marks of the session that is shown, saved and not yet saved. Plain Python."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from app.text import one_line
from app.timeline.time_scale import clock_label
from engine.events import Mark
from engine.recorder.marks import SavedMark, by_hand, mark_text, own_words, verdict_label


@dataclass(frozen=True)
class Row:
    """A mark in the list. ``saved`` is None as long as it stands in no file."""

    number: int
    mark: Mark
    saved: SavedMark | None = None

    @property
    def time(self) -> str:
        return time_text(self.mark.t)

    @property
    def verdict(self) -> str:
        return one_line(verdict_label(self.mark.verdict), 40)

    @property
    def note(self) -> str:
        return one_line(own_words(self.mark), 400)

    @property
    def text(self) -> str:
        """Verdict and note."""
        return one_line(mark_text(self.mark), 460)


class Ledger:
    """Rows in time order. A row keeps its number until the ledger is emptied."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._next = 0

    def clear(self) -> None:
        self.rows = []

    def load(self, saved: Iterable[SavedMark]) -> None:
        """What the file holds, with what is not saved yet."""
        waiting = self.unsaved()
        self.rows = []
        for one in saved:
            if by_hand(one.mark):
                self._put(one.mark, one)
        for row in waiting:
            self._put(row.mark, None)

    def add(self, mark: Mark) -> Row:
        """A mark that is in no file yet."""
        return self._put(mark, None)

    def _put(self, mark: Mark, saved: SavedMark | None) -> Row:
        row = Row(self._next, mark, saved)
        self._next += 1
        self.rows.append(row)
        self.rows.sort(key=lambda row: row.mark.t)
        return row

    def get(self, number: int) -> Row | None:
        return next((row for row in self.rows if row.number == number), None)

    def remove(self, number: int) -> None:
        self.rows = [row for row in self.rows if row.number != number]

    def change(self, number: int, mark: Mark, saved: SavedMark | None) -> None:
        """Give a row another mark of the same time."""
        self.rows = [replace(r, mark=mark, saved=saved) if r.number == number else r for r in self.rows]

    def unsaved(self) -> list[Row]:
        return [row for row in self.rows if row.saved is None]

    def were_saved(self, numbers: Sequence[int], saved: Sequence[SavedMark]) -> None:
        """These rows stand in the file now: (number, line), in the same order."""
        lines = dict(zip(numbers, saved, strict=True))
        self.rows = [replace(row, saved=lines.get(row.number, row.saved)) for row in self.rows]


def time_text(t: float) -> str:
    """``0:12.4``."""
    return clock_label(t, 0.1)


def marked_text(mark: Mark) -> str:
    """``Marked 0:12.4: late.``"""
    return f"Marked {time_text(mark.t)}: {one_line(mark_text(mark), 120)}."


def place(playhead: float | None, selected: float | None, live: bool, end: float) -> float | None:
    """Where a mark goes: the playhead, else the selected micro-turn, else the end of a live session."""
    for t in (playhead, selected):
        if t is not None:
            return max(t, 0.0)
    return end if live else None
