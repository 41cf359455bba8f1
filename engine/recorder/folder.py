"""The session folder: where it may be made, who may read it, what its files are called, who writes it now."""

import contextlib
import errno
import os
import sys
import time
from datetime import datetime
from pathlib import Path

from engine.errors import InputError

if sys.platform != "win32":
    import fcntl

PATIENCE_S = 0.2
"""Longer than anybody looks whether a session is in use."""
_LOOK_S = 0.005
TIMELINE = "timeline.jsonl"
INPUT = "input.flac"
OUTPUT = "output.wav"
VIDEO = "video.mp4"
TITLE = "title.txt"
PICTURE = "timeline.png"
SORTING = f".{TIMELINE}.sorting"
SAVING = f".{TIMELINE}.saving"
TITLING = f".{TITLE}.new"
SESSION_FILES = (VIDEO, INPUT, OUTPUT, PICTURE, TITLE, TITLING, SORTING, SAVING, TIMELINE)
"""Every file that Microturn makes in a session folder; the one that makes it a session comes last."""


def prepare_folder(folder: Path) -> None:
    """Make ``folder`` ready for a new session: it must be absent or empty. Only its owner may enter it.

    Raises:
        InputError: it cannot be made or written, or there is something in it already.
    """
    if (folder / TIMELINE).exists():
        raise InputError(f"{folder} already holds a session: choose another folder, or delete that one first")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise InputError(f"{folder} is not empty: choose a new or an empty folder for the session")
    except OSError as err:
        raise InputError(f"cannot use {folder} ({reason(err)}): choose another folder") from err
    # Somebody else's empty folder, or a file system without modes: the files' own modes remain.
    with contextlib.suppress(OSError):
        folder.chmod(0o700)


def new_session_folder(base: Path, now: datetime | None = None) -> Path:
    """A path under ``base`` that does not exist yet, named after the local time. Nothing is created."""
    stamp = (now or datetime.now().astimezone()).strftime("%Y-%m-%d_%H-%M-%S")
    names = (stamp if n == 1 else f"{stamp}_{n}" for n in range(1, 1_000))
    return next(base / name for name in names if not (base / name).exists())


def reason(err: Exception) -> str:
    """Why the system refused, in words a person knows."""
    if not isinstance(err, OSError):
        return str(err)
    words = {
        errno.ENOSPC: "the disk is full",
        errno.EDQUOT: "the disk quota is used up",
        errno.EROFS: "the disk is read-only",
        errno.EACCES: "permission denied",
        errno.EPERM: "permission denied",
        errno.EEXIST: "there is a file of that name",
        errno.ENOTDIR: "part of the path is a file",
        errno.EIO: "the disk reports an error",
    }
    return words.get(err.errno or 0, (err.strerror or str(err)).lower())


def hold(descriptor: int, patience_s: float = 0.0) -> bool:
    """Keep an open file for oneself until it is closed; False when another program or thread holds it.

    The lock is advisory and goes with the process, so a crash leaves none behind. ``patience_s``: how
    long to wait for those who only look (``in_use``), which holds the file for a moment.
    """
    if sys.platform == "win32":
        return True  # there, a file that is open cannot be removed or replaced anyway
    end = time.monotonic() + patience_s
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                return False
            time.sleep(_LOOK_S)
        except OSError:
            return True  # a file system without locks
        else:
            return True


def in_use(folder: Path) -> bool:
    """Whether the session's timeline is being written at this moment, by whatever program."""
    try:
        descriptor = os.open(folder / TIMELINE, os.O_RDONLY)
    except OSError:
        return False
    try:
        return not hold(descriptor)
    finally:
        os.close(descriptor)


class SessionFile:
    """One file of a session, unbuffered, for its owner's eyes only, and held (``in_use``) until it is closed.

    Libraries write through it from C callbacks, where an exception would be
    lost: the first failure is therefore kept in ``error``, the file is cut back
    to the end of the last whole write, and from then on nothing is written.
    """

    def __init__(self, path: Path) -> None:
        """Create ``path``. Raises OSError; FileExistsError if it is there already."""
        self.path = path
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        self._raw = os.fdopen(os.open(path, flags, 0o600), "r+b", buffering=0)
        hold(self._raw.fileno(), PATIENCE_S)
        self.error: OSError | None = None

    def write(self, data: bytes) -> int:
        """Write all of ``data``, or nothing and remember why. Returns the bytes written."""
        if self.error is not None:
            return 0
        start = self._raw.tell()
        end = self._raw.seek(0, os.SEEK_END)
        self._raw.seek(start)
        view = memoryview(data)
        try:
            while view:
                view = view[self._write_some(view) :]
        except OSError as err:
            self.error = err
            self._raw.truncate(end)
            self._raw.seek(start)
            return 0
        return len(data)

    def _write_some(self, view: memoryview) -> int:
        return self._raw.write(view) or 0

    def patch(self, offset: int, data: bytes) -> None:
        """Overwrite a few bytes further up, and come back."""
        here = self._raw.tell()
        self._raw.seek(offset)
        self.write(data)
        self._raw.seek(here)

    def cut(self, size: int) -> None:
        """Forget everything behind ``size`` bytes."""
        self._raw.truncate(size)
        self._raw.seek(size)

    def check(self) -> None:
        """Raise the OSError that stopped this file, if any."""
        if self.error is not None:
            raise self.error

    def read(self, size: int = -1) -> bytes:
        return self._raw.read(size) or b""

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._raw.seek(offset, whence)

    def tell(self) -> int:
        return self._raw.tell()

    def flush(self) -> None:
        """Nothing is buffered here."""

    def close(self) -> None:
        self._raw.close()
