"""What the tools keep between sessions: alarms, notes, lists and facts, in one SQLite file.

A change is on disk when its method returns: the file is written with a log and
flushed at each commit, so a process killed at any moment loses nothing that
was answered. A damaged file is set aside under another name and a new one begun.
"""

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engine.background.tools.tool import ToolError

MAX_TEXT = 2_000  # characters of one note, label, item or value
MAX_ROWS = {"alarms": 2_000, "notes": 10_000, "items": 10_000, "facts": 2_000}
KINDS = ("timer", "alarm", "reminder")
_BUSY_S = 2.0
_KEPT_DEEDS = 500
_KEPT_ENDED = 500  # alarms that are over stay for a while, for whoever looks into the file

# Step n brings a file of version n to version n + 1. Steps are never changed, only added.
_STEPS = (
    """
    CREATE TABLE alarms (
        id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, label TEXT NOT NULL, created REAL NOT NULL,
        due REAL NOT NULL, duration REAL NOT NULL, state TEXT NOT NULL
            CHECK (state IN ('waiting', 'fired', 'told', 'cancelled')));
    CREATE INDEX alarms_by_state ON alarms (state, due);
    CREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT NOT NULL, created REAL NOT NULL);
    CREATE TABLE lists (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
    CREATE TABLE items (
        id INTEGER PRIMARY KEY AUTOINCREMENT, list INTEGER NOT NULL REFERENCES lists (id) ON DELETE CASCADE,
        text TEXT NOT NULL, UNIQUE (list, text));
    CREATE TABLE facts (key TEXT PRIMARY KEY, value TEXT NOT NULL);
    CREATE TABLE deeds (id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, result TEXT);
    """,
)
VERSION = len(_STEPS)
_TABLES = {
    "alarms": "id, kind, label, created, due, duration, state",
    "notes": "id, text, created",
    "lists": "id, name",
    "items": "id, list, text",
    "facts": "key, value",
    "deeds": "id, key, result",
}
_WORDS = {
    sqlite3.SQLITE_BUSY: "My notes are in use by another program, so I can't get at them now.",
    sqlite3.SQLITE_LOCKED: "My notes are in use by another program, so I can't get at them now.",
    sqlite3.SQLITE_FULL: "The disk is full, so I couldn't keep that.",
    sqlite3.SQLITE_READONLY: "I'm not allowed to write the file that I keep things in.",
    sqlite3.SQLITE_PERM: "I'm not allowed to open the file that I keep things in.",
    sqlite3.SQLITE_CANTOPEN: "I can't open the file that I keep things in.",
    sqlite3.SQLITE_CORRUPT: "The file that I keep things in is damaged.",
    sqlite3.SQLITE_NOTADB: "The file that I keep things in is damaged.",
}


class StoreError(ToolError):
    """What was asked could not be kept or read. Its text is one plain sentence that can be said aloud."""


class _DamagedError(Exception):
    """The file is no store, and waiting will not make it one."""


@dataclass(frozen=True)
class Alarm:
    """A timer, an alarm or a reminder. ``created`` and ``due`` are in UTC.

    ``state``: waiting, then fired (it is due and being said), told, or cancelled.
    ``duration_s``: seconds that a timer was set for, else 0.
    """

    id: int
    kind: str
    label: str
    created: datetime
    due: datetime
    duration_s: float
    state: str


@dataclass(frozen=True)
class Note:
    id: int
    text: str
    created: datetime


class Store:
    """The user's things. ``path`` None: in memory only. For any thread; one change at a time.

    Every method may raise StoreError. Times given must have a zone (else ValueError).

    Attributes:
        trouble: what happened to an earlier, damaged file; empty when all is well.
    """

    def __init__(self, path: Path | None) -> None:
        self.trouble = ""
        self._lock = threading.RLock()
        if path is None:
            self._db = _open(":memory:")
            return
        with _plain_words():
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise StoreError("I can't make the folder that I keep things in.") from error
            try:
                self._db = _open(str(path))
            except _DamagedError:
                aside = _set_aside(path)
                self.trouble = f"The file with notes and alarms was damaged. It is kept as {aside.name}."
                self._db = _open(str(path))

    def close(self) -> None:
        """Give the file back. The store cannot be used after it."""
        with self._lock:
            self._db.close()

    # Alarms

    def add_alarm(
        self, kind: str, label: str, due: datetime, now: datetime, duration_s: float = 0.0
    ) -> Alarm:
        """Keep a new one of KINDS, which waits until ``due``."""
        if kind not in KINDS:
            raise ValueError(f"no such kind: {kind}")
        row = (kind, _text(label), _stamp(now), _stamp(due), float(duration_s))
        with self._change() as db:
            _room(db, "alarms", "state = 'waiting'")
            db.execute(
                "DELETE FROM alarms WHERE state IN ('told', 'cancelled')"
                " AND id <= (SELECT max(id) FROM alarms) - ?",
                (_KEPT_ENDED,),
            )
            new = db.execute(
                "INSERT INTO alarms (kind, label, created, due, duration, state)"
                " VALUES (?, ?, ?, ?, ?, 'waiting')",
                row,
            ).lastrowid
            return _alarm(
                db.execute(f"SELECT {_TABLES['alarms']} FROM alarms WHERE id = ?", (new,)).fetchone()
            )

    def change_alarm(
        self,
        which: int,
        due: datetime | None = None,
        label: str | None = None,
        duration_s: float | None = None,
    ) -> Alarm | None:
        """Change what is given; it waits again. None: there is none that was not told or cancelled."""
        with self._change() as db:
            row = db.execute(
                "UPDATE alarms SET due = coalesce(?, due), label = coalesce(?, label),"
                " duration = coalesce(?, duration), state = 'waiting'"
                f" WHERE id = ? AND state IN ('waiting', 'fired') RETURNING {_TABLES['alarms']}",
                (
                    None if due is None else _stamp(due),
                    None if label is None else _text(label),
                    duration_s,
                    which,
                ),
            ).fetchall()
            return _alarm(row[0]) if row else None

    def alarms(self, *kinds: str) -> tuple[Alarm, ...]:
        """Those that wait or were not told yet, of these kinds (none given: of all), next one first."""
        rows = self._read(
            f"SELECT {_TABLES['alarms']} FROM alarms WHERE state IN ('waiting', 'fired') ORDER BY due, id"
        )
        return tuple(alarm for alarm in map(_alarm, rows) if not kinds or alarm.kind in kinds)

    def newest_alarm(self, *kinds: str) -> Alarm | None:
        """The one that was made last of those that ``alarms`` has."""
        return max(self.alarms(*kinds), key=lambda alarm: alarm.id, default=None)

    def cancel(self, *which: int) -> int:
        """How many were cancelled of those that were not told yet."""
        with self._change() as db:
            return sum(
                db.execute(
                    "UPDATE alarms SET state = 'cancelled' WHERE id = ? AND state IN ('waiting', 'fired')",
                    (n,),
                ).rowcount
                for n in which
            )

    def due(self, now: datetime) -> tuple[Alarm, ...]:
        """What has to be said at ``now``, oldest first: due by now, or fired and never told."""
        rows = self._read(
            f"SELECT {_TABLES['alarms']} FROM alarms"
            " WHERE (state = 'waiting' AND due <= ?) OR state = 'fired' ORDER BY due, id",
            (_stamp(now),),
        )
        return tuple(map(_alarm, rows))

    def next_due(self) -> datetime | None:
        """When the next waiting one is due, in UTC; it may lie in the past."""
        rows = self._read("SELECT min(due) FROM alarms WHERE state = 'waiting'")
        return None if rows[0][0] is None else datetime.fromtimestamp(rows[0][0], UTC)

    def fire(self, which: int) -> bool:
        """It is being said now. False: it was cancelled, told or fired before."""
        return self._move(which, "fired", "waiting")

    def told(self, which: int) -> bool:
        """It was said to its end and is over. False: it was over before."""
        return self._move(which, "told", "waiting", "fired")

    def _move(self, which: int, state: str, *before: str) -> bool:
        marks = ", ".join("?" * len(before))
        with self._change() as db:
            found = db.execute(
                f"UPDATE alarms SET state = ? WHERE id = ? AND state IN ({marks})", (state, which, *before)
            )
            return found.rowcount > 0

    # Notes

    def add_note(self, text: str, now: datetime) -> Note:
        with self._change() as db:
            _room(db, "notes")
            row = (_text(text), _stamp(now))
            new = db.execute("INSERT INTO notes (text, created) VALUES (?, ?)", row).lastrowid
            return _note(db.execute("SELECT id, text, created FROM notes WHERE id = ?", (new,)).fetchone())

    def change_note(self, which: int, text: str) -> bool:
        with self._change() as db:
            return db.execute("UPDATE notes SET text = ? WHERE id = ?", (_text(text), which)).rowcount > 0

    def notes(self) -> tuple[Note, ...]:
        """All of them, oldest first."""
        return tuple(map(_note, self._read("SELECT id, text, created FROM notes ORDER BY id")))

    def delete_notes(self, *which: int) -> int:
        """How many there were to delete."""
        with self._change() as db:
            return sum(db.execute("DELETE FROM notes WHERE id = ?", (n,)).rowcount for n in which)

    # Lists

    def lists(self) -> tuple[str, ...]:
        """Names, oldest list first."""
        return tuple(name for (name,) in self._read("SELECT name FROM lists ORDER BY id"))

    def items(self, name: str) -> tuple[str, ...]:
        """What is on the list, in the order in which it was added; empty when there is no such list."""
        rows = self._read(
            "SELECT text FROM items WHERE list = (SELECT id FROM lists WHERE name = ?) ORDER BY id",
            (_text(name),),
        )
        return tuple(text for (text,) in rows)

    def add_items(self, name: str, items: Sequence[str]) -> tuple[str, ...]:
        """Begin the list if need be; what is new on it, without what it had."""
        with self._change() as db:
            _room(db, "items")
            db.execute("INSERT INTO lists (name) VALUES (?) ON CONFLICT DO NOTHING", (_text(name),))
            return tuple(
                text
                for text in map(_text, items)
                if db.execute(
                    "INSERT INTO items (list, text) SELECT id, ? FROM lists WHERE name = ?"
                    " ON CONFLICT DO NOTHING",
                    (text, _text(name)),
                ).rowcount
            )

    def remove_items(self, name: str, items: Sequence[str]) -> int:
        """How many were on the list; they must be written as ``items`` has them."""
        with self._change() as db:
            return sum(
                db.execute(
                    "DELETE FROM items WHERE text = ? AND list = (SELECT id FROM lists WHERE name = ?)",
                    (text, _text(name)),
                ).rowcount
                for text in map(_text, items)
            )

    def swap_items(self, name: str, out: Sequence[str], put: Sequence[str]) -> None:
        """Take some off a list and put others on it, both or neither."""
        with self._change():
            self.remove_items(name, out)
            self.add_items(name, put)

    def delete_list(self, name: str) -> bool:
        """The list with all that is on it. False: there was none."""
        with self._change() as db:
            return db.execute("DELETE FROM lists WHERE name = ?", (_text(name),)).rowcount > 0

    # Facts

    def set_fact(self, key: str, value: str) -> None:
        with self._change() as db:
            _room(db, "facts")
            db.execute(
                "INSERT INTO facts (key, value) VALUES (?, ?)"
                " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                (_text(key), _text(value)),
            )

    def fact(self, key: str) -> str | None:
        rows = self._read("SELECT value FROM facts WHERE key = ?", (_text(key),))
        return str(rows[0][0]) if rows else None

    def facts(self) -> dict[str, str]:
        return dict(self._read("SELECT key, value FROM facts ORDER BY rowid"))

    def forget_fact(self, key: str) -> bool:
        with self._change() as db:
            return db.execute("DELETE FROM facts WHERE key = ?", (_text(key),)).rowcount > 0

    # Deeds: what is done once for a request, however often the request is tried

    def once(self, key: str, do: Callable[[], str]) -> str:
        """What ``do`` gives, which is called once for ``key`` for ever: later calls get the first result.

        The result is on disk together with all that ``do`` changes here, or neither is.
        """
        with self._change() as db:
            row = db.execute("SELECT result FROM deeds WHERE key = ?", (_text(key),)).fetchone()
            if row is not None and row[0] is not None:
                return str(row[0])
            result = do()
            db.execute(
                "INSERT INTO deeds (key, result) VALUES (?, ?)"
                " ON CONFLICT (key) DO UPDATE SET result = excluded.result",
                (_text(key), _text(result)),
            )
            db.execute("DELETE FROM deeds WHERE id <= (SELECT max(id) FROM deeds) - ?", (_KEPT_DEEDS,))
            return result

    def begin(self, key: str) -> bool:
        """Note that something outside of this file is about to be done for ``key``. False: it was before."""
        with self._change() as db:
            found = db.execute("INSERT INTO deeds (key) VALUES (?) ON CONFLICT DO NOTHING", (_text(key),))
            return found.rowcount > 0

    def _read(self, question: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with self._lock, _plain_words():
            return self._db.execute(question, values).fetchall()

    @contextlib.contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        """One transaction; a change within a change belongs to the outer one."""
        with self._lock, _plain_words():
            within = self._db.in_transaction
            if within:
                yield self._db
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                # A full disk may have rolled it back already.
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise


@contextlib.contextmanager
def _plain_words() -> Iterator[None]:
    """SQLite's errors as StoreError."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        raise StoreError(
            _WORDS.get(code, "I couldn't read or write the file that I keep things in.")
        ) from error


def _open(path: str) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA foreign_keys = ON")
        if db.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise _DamagedError
        _migrate(db)
        for table, columns in _TABLES.items():
            db.execute(f"SELECT {columns} FROM {table} LIMIT 1").fetchall()
    except sqlite3.DatabaseError as error:
        db.close()
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR):
            raise _DamagedError from error
        raise
    except BaseException:
        db.close()
        raise
    return db


def _migrate(db: sqlite3.Connection) -> None:
    """Bring the file to VERSION in one transaction, so that it is of one version at any moment."""
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version == VERSION:
        return
    if version > VERSION:
        raise StoreError("The file that I keep things in belongs to a newer version of this program.")
    db.execute("BEGIN IMMEDIATE")
    try:
        # Another copy of the program may have been quicker.
        version = db.execute("PRAGMA user_version").fetchone()[0]
        for step in _STEPS[version:]:
            for statement in step.split(";\n"):
                if statement.strip():
                    db.execute(statement)
        db.execute(f"PRAGMA user_version = {VERSION}")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _set_aside(path: Path) -> Path:
    """Rename the file and its log out of the way; nothing is deleted."""
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    try:
        # The log first: beside a new file it would be taken for that file's log.
        for end in ("-wal", "-shm", ""):
            part = path.with_name(path.name + end)
            if part.exists():
                part.replace(aside.with_name(aside.name + end))
    except OSError as error:
        raise StoreError("The file that I keep things in is damaged, and I can't move it away.") from error
    return aside


def _room(db: sqlite3.Connection, table: str, where: str = "1") -> None:
    if db.execute(f"SELECT count(*) FROM {table} WHERE {where}").fetchone()[0] >= MAX_ROWS[table]:
        raise StoreError(f"I have no room for more {table}; please delete some first.")


def _text(text: str) -> str:
    # Lone surrogates cannot be written as UTF-8.
    return text.encode("utf-8", "replace").decode()[:MAX_TEXT].replace("\0", "").strip()


def _stamp(moment: datetime) -> float:
    if moment.tzinfo is None:
        raise ValueError("a time without its zone")
    return moment.timestamp()


def _alarm(row: Sequence[Any]) -> Alarm:
    number, kind, label, created, due, duration, state = row
    return Alarm(number, kind, label, _moment(created), _moment(due), duration, state)


def _note(row: Sequence[Any]) -> Note:
    number, text, created = row
    return Note(number, text, _moment(created))


def _moment(stamp: float) -> datetime:
    return datetime.fromtimestamp(stamp, UTC)
