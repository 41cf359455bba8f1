"""What is known of the sessions on the disk, kept so that they need not be read again.

One SQLite file in the user's cache folder, readable by its owner only. It holds
words that were said: whoever deletes a session forgets it here too, and what is
forgotten is overwritten. It may be deleted at any time, and where it cannot be
used everything works without it, slower.
"""

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from engine.paths import cache_dir

_VERSION = 1
_WAIT_S = 2.0


def index_file() -> Path:
    return cache_dir() / "sessions.sqlite"


def load(folder: Path) -> dict[str, tuple[str, str]]:
    """What is kept of the sessions in ``folder``: name → (state of its files, JSON)."""
    with contextlib.suppress(sqlite3.Error, OSError), _open() as db:
        rows = db.execute("SELECT name, state, data FROM session WHERE folder = ?", (str(folder),))
        return {name: (state, data) for name, state, data in rows}
    return {}


def store(folder: Path, found: Mapping[str, tuple[str, str]]) -> None:
    """Keep or replace: name → (state of its files, JSON)."""
    rows = [(str(folder), name, state, data) for name, (state, data) in found.items()]
    with contextlib.suppress(sqlite3.Error, OSError), _open() as db:
        db.executemany("INSERT OR REPLACE INTO session VALUES (?, ?, ?, ?)", rows)


def forget(folder: Path, names: Sequence[str]) -> None:
    """Drop what is kept of these sessions."""
    if not names or not index_file().is_file():
        return
    with contextlib.suppress(sqlite3.Error, OSError), _open() as db:
        db.executemany(
            "DELETE FROM session WHERE folder = ? AND name = ?", [(str(folder), name) for name in names]
        )


@contextlib.contextmanager
def _open() -> Iterator[sqlite3.Connection]:
    """A connection for one transaction. A file that is none of this version is replaced."""
    file = index_file()
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    db = _connected(file)
    try:
        with db:
            yield db
    finally:
        db.close()


def _connected(file: Path) -> sqlite3.Connection:
    for attempt in (1, 2):
        # Made here, since SQLite would make it readable for others.
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
        db = sqlite3.connect(file, timeout=_WAIT_S)
        try:
            db.execute("PRAGMA journal_mode = MEMORY")
            db.execute("PRAGMA secure_delete = ON")
            (version,) = db.execute("PRAGMA user_version").fetchone()
            if version in (0, _VERSION):
                db.execute(
                    "CREATE TABLE IF NOT EXISTS session "
                    "(folder TEXT, name TEXT, state TEXT, data TEXT, PRIMARY KEY (folder, name))"
                )
                db.execute(f"PRAGMA user_version = {_VERSION}")
                return db
            db.close()
        except sqlite3.OperationalError:
            db.close()
            raise  # another program holds it
        except sqlite3.DatabaseError:
            db.close()
            if attempt == 2:
                raise
        file.unlink(missing_ok=True)
    raise sqlite3.DatabaseError("the index cannot be made")
