"""Copies a session folder from elsewhere to where the sessions are."""

import contextlib
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from engine.errors import InputError, MicroturnError
from engine.recorder.folder import (
    INPUT,
    OUTPUT,
    PATIENCE_S,
    PICTURE,
    TIMELINE,
    TITLE,
    VIDEO,
    hold,
    in_use,
    reason,
)
from engine.recorder.reader import read_session

_COPIED = (INPUT, OUTPUT, VIDEO, PICTURE, TITLE)


def import_session(source: Path, folder: Path) -> Path:
    """Copy the session ``source`` (its folder, or its timeline) into ``folder``; returns the new folder.

    Only the files of a session are copied, links are not. The copy can be
    entered and read by its owner only, and nothing is overwritten: where the name
    is taken, the copy gets another one. Not for a window's thread.

    Raises:
        InputError: it is no session that can be read, it is being recorded, or it is in ``folder`` already.
        MicroturnError: the copy cannot be written; what was copied is removed again.
    """
    source = (source.parent if source.name == TIMELINE else source).resolve()
    session = read_session(source)
    if source.parent == folder.resolve():
        raise InputError(f"{source.name} is among the sessions already")
    if in_use(source):
        raise InputError(f"{source} is being recorded just now: import it when it has ended")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        target = _new_folder(folder, session.path.name or "session")
    except OSError as err:
        raise MicroturnError(f"cannot write into {folder}: {reason(err)}") from err
    made: list[Path] = []
    try:
        # The timeline first, and held: until the end the copy is a session that is being written.
        with _copied(source / TIMELINE, target / TIMELINE, made):
            for name in _COPIED:
                if _is_file(source / name):
                    with _copied(source / name, target / name, made):
                        pass
    except OSError as err:
        for file in made:
            file.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            target.rmdir()
        raise MicroturnError(f"{source.name} cannot be copied ({reason(err)}): nothing was imported") from err
    return target


def _new_folder(folder: Path, name: str) -> Path:
    names = (name if n == 1 else f"{name}_{n}" for n in range(1, 10_000))
    for one in names:
        with contextlib.suppress(FileExistsError):
            (folder / one).mkdir(mode=0o700)
            return folder / one
    raise FileExistsError(name)


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


@contextlib.contextmanager
def _copied(source: Path, target: Path, made: list[Path]) -> Iterator[None]:
    """Copy a file; it stays held meanwhile. Raises OSError."""
    binary = getattr(os, "O_BINARY", 0)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | binary, 0o600)
    made.append(target)
    with os.fdopen(descriptor, "wb") as new, source.open("rb") as old:
        hold(descriptor, PATIENCE_S)
        shutil.copyfileobj(old, new, 1 << 20)
        new.flush()
        yield
