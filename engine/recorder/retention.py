"""How long recordings are kept, and how they are deleted: only the files that a session is known to have.

Nothing here follows a link or deletes what Microturn did not make. No function
is for a window's thread.
"""

import stat
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from engine.errors import InputError
from engine.recorder import index
from engine.recorder.catalogue import Entry, is_session, read_entries, scan, session_paths
from engine.recorder.folder import SESSION_FILES, in_use, reason
from engine.recorder.marks import by_hand, read_marks


@dataclass(frozen=True)
class Deleted:
    """``count`` sessions and ``bytes`` of files are gone. ``left``: what is still there, and why."""

    count: int = 0
    bytes: int = 0
    left: tuple[str, ...] = ()


def usage(folder: Path) -> tuple[int, int]:
    """(number of sessions in ``folder``, bytes of their files), without reading them.

    Raises:
        InputError: the folder cannot be read.
    """
    paths = session_paths(folder)
    return len(paths), sum(_size(path / name) for path in paths for name in SESSION_FILES)


def expired(folder: Path, keep_days: int, now: datetime) -> list[Path]:
    """Sessions older than ``keep_days`` days at ``now`` (with a time zone); none when ``keep_days`` is 0.

    The age counts from when a session was recorded, imported or last changed,
    whichever was last. Sessions with marks that somebody put are kept, and so is
    what is being recorded.

    Raises:
        InputError: the folder cannot be read.
    """
    return [entry.path for entry in _old(folder, keep_days, now) if not _is_marked(entry)]


def kept_for_marks(folder: Path, keep_days: int, now: datetime) -> list[Path]:
    """Sessions that would have expired, but have marks.

    Raises:
        InputError: the folder cannot be read.
    """
    return [entry.path for entry in _old(folder, keep_days, now) if _is_marked(entry)]


def _is_marked(entry: Entry) -> bool:
    """Whether somebody put marks there; so it is taken to be where that cannot be seen."""
    if entry.state != "unreadable":
        return bool(entry.mark_count)
    try:
        return any(by_hand(saved.mark) for saved in read_marks(entry.path))
    except InputError:
        return True


def _old(folder: Path, keep_days: int, now: datetime) -> list[Entry]:
    if keep_days <= 0:
        return []
    before = now - timedelta(days=keep_days)
    old = [
        entry
        for entry in scan(folder)
        if entry.state != "recording" and datetime.fromtimestamp(entry.changed_at, now.tzinfo) < before
    ]
    unread = [entry.path for entry in old if entry.state == "unread"]
    known = [*(entry for entry in old if entry.state != "unread"), *read_entries(unread)]
    return sorted(
        (entry for entry in known if entry.state != "recording" and entry.when < before),
        key=lambda entry: entry.path,
    )


def delete_session(path: Path) -> Deleted:
    """Delete the files of a session, and its folder when nothing else is in it.

    What cannot be deleted, and what Microturn did not make, is left and told.

    Raises:
        InputError: it is no session, or it is being recorded.
    """
    path = path.absolute()
    if path.is_symlink() or not (is_session(path) or _holds_nothing_else(path)):
        raise InputError(f"{path} is no session, so nothing was deleted")
    if in_use(path):
        raise InputError(f"{path.name} is being recorded just now: stop the session first")
    left, freed = [], 0
    for name in SESSION_FILES:
        file = path / name
        size = _size(file)
        try:
            file.unlink()
            freed += size
        except FileNotFoundError:
            continue
        except OSError as err:
            left.append(f"{path.name}: {name} could not be deleted ({reason(err)})")
    gone = not left
    others = _names(path) if gone else []
    if gone and not others:
        try:
            path.rmdir()
        except OSError as err:
            left.append(f"{path.name}: the empty folder could not be deleted ({reason(err)})")
    elif others:
        more = f" and {len(others) - 3} more" if len(others) > 3 else ""
        left.append(f"{path.name}: {', '.join(others[:3])}{more} not made by Microturn, left in its folder")
    index.forget(path.parent, [path.name])
    return Deleted(int(gone), freed, tuple(left))


def delete_sessions(paths: Iterable[Path]) -> Deleted:
    """Delete several; one that cannot be deleted is left and told, and the others go."""
    total = Deleted()
    for path in paths:
        try:
            one = delete_session(path)
        except InputError as err:
            one = Deleted(left=(str(err),))
        total = Deleted(total.count + one.count, total.bytes + one.bytes, total.left + one.left)
    return total


def delete_all(folder: Path) -> Deleted:
    """Delete every session in ``folder`` that is not being recorded; nothing else in it.

    Raises:
        InputError: the folder cannot be read.
    """
    return delete_sessions(session_paths(folder))


def _size(file: Path) -> int:
    try:
        found = file.lstat()
    except OSError:
        return 0
    return found.st_size if stat.S_ISREG(found.st_mode) else 0


def _names(path: Path) -> list[str]:
    try:
        return sorted(one.name for one in path.iterdir())
    except OSError:
        return []


def _holds_nothing_else(path: Path) -> bool:
    """A folder of session files alone, whose timeline cannot be read as one."""
    names = _names(path)
    return bool(names) and set(names) <= set(SESSION_FILES) and not path.is_symlink()
