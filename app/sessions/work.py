"""What the page of sessions has done in the worker thread. Plain Python."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from engine.recorder.catalogue import Entry, read_entries, scan
from engine.recorder.retention import Deleted, delete_sessions, expired, kept_for_marks

ROUND_S = 0.3
"""The worker reads about so long at a time, so that others who wait for it wait little."""


@dataclass(frozen=True)
class Round:
    """``read``: entries that are known now; ``left``: paths that are still to be read."""

    read: tuple[Entry, ...]
    left: tuple[Path, ...]


def read_some(paths: Sequence[Path], round_s: float = ROUND_S) -> Round:
    """Read the first of ``paths``, and more while there is time."""
    end = time.monotonic() + round_s
    read: list[Entry] = []
    at = 0
    while at < len(paths) and (not at or time.monotonic() < end):
        read += read_entries(paths[at : at + 1])
        at += 1
    return Round(tuple(read), tuple(paths[at:]))


def with_recording(entries: Sequence[Entry], recording: Path | None) -> list[Entry]:
    """The session that this window records is shown as such, also where files cannot be held."""
    return [replace(entry, state="recording") if entry.path == recording else entry for entry in entries]


def unread_and_old(folder: Path, keep_days: int, now: datetime) -> list[Path]:
    """What has to be read before it is known what has expired."""
    before = (now - timedelta(days=keep_days)).timestamp()
    return [entry.path for entry in scan(folder) if entry.state == "unread" and entry.changed_at < before]


def delete_expired(folder: Path, keep_days: int, now: datetime) -> tuple[Deleted, int]:
    """Delete what has expired; also says how many were kept for their marks."""
    return delete_sessions(expired(folder, keep_days, now)), len(kept_for_marks(folder, keep_days, now))
