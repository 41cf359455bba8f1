"""``timeline.jsonl`` on its way to the disk: put in time order, without holding a line for long.

Events reach the recorder nearly in order: a turn is published when it has been
computed, so an event inside its interval comes before it. Lines are therefore
held until a turn of the same or a later time has come (0.2 s as a rule). What
comes later than that, such as a transcript dated back to where the speech
began, is appended where it arrives: lines on the disk never move while the
session runs. ``close`` then writes the lines once more in order, to a new file
that replaces the first in one step.
"""

import heapq
import math
from array import array

from engine.events import Event, TurnRecord, event_time, to_json
from engine.recorder.folder import SORTING, SessionFile

_HOLD_MAX = 4_096  # lines; far more than 0.2 s can bring


class TimelineWriter:
    def __init__(self, file: SessionFile, header: Event) -> None:
        """Write the first line into the new ``file``, which now belongs to this writer. Raises OSError."""
        self._path = file.path
        self._file = file
        self._held: list[tuple[float, int, int, str]] = []
        self._count = 0
        self._times, self._ranks, self._offsets = array("d"), array("b"), array("Q")
        self._in_order = True
        self._put(float("-inf"), 0, to_json(header))

    def write(self, event: Event) -> None:
        """Take one event; a turn lets go of everything up to its own time.

        Raises:
            OSError: the disk refuses; whole lines before are kept.
            ValueError, TypeError: the event has a value that JSON does not know.
        """
        time = float(event_time(event))
        if not math.isfinite(time):
            raise ValueError("its time is not a number")
        rank = 0 if isinstance(event, TurnRecord) else 1
        self._count += 1
        heapq.heappush(self._held, (time, rank, self._count, to_json(event)))
        if rank == 0:
            self._release(time)
        while len(self._held) > _HOLD_MAX:
            self._put_first()

    def release_all(self) -> None:
        """Write what is held, because nothing has come for a while. Raises OSError."""
        self._release(float("inf"))

    def _release(self, until: float) -> None:
        while self._held and self._held[0][:2] <= (until, 0):
            self._put_first()

    def _put_first(self) -> None:
        time, rank, _, line = heapq.heappop(self._held)
        self._put(time, rank, line)

    def _put(self, time: float, rank: int, line: str) -> None:
        if self._times and (time, rank) < (self._times[-1], self._ranks[-1]):
            self._in_order = False
        offset = self._file.tell()
        self._file.write(line.encode("utf-8", "replace") + b"\n")
        self._file.check()
        self._times.append(time)
        self._ranks.append(rank)
        self._offsets.append(offset)

    def recover(self) -> None:
        """After a failed write: allow further ones, in case room has been made."""
        self._file.error = None

    def close(self) -> None:
        """Write what is held, close, and put the file in order if it is not. Raises OSError."""
        try:
            if self._file.error is None:
                self.release_all()
        finally:
            self._file.close()
        if not self._in_order:
            self._sort()

    def _sort(self) -> None:
        order = sorted(range(len(self._times)), key=lambda n: (self._times[n], self._ranks[n], n))
        sorted_path = self._path.with_name(SORTING)
        try:
            target = SessionFile(sorted_path)
            try:
                with self._path.open("rb") as source:
                    for n in order:
                        source.seek(self._offsets[n])
                        target.write(source.readline())
            finally:
                target.close()
            target.check()
            sorted_path.replace(self._path)
        except OSError:
            sorted_path.unlink(missing_ok=True)  # a reader sorts for itself; the order is a courtesy
