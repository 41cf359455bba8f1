"""The recorded sessions of a folder: what each is, found quickly, and searched.

``scan`` answers from what is kept in the user's cache (``engine.recorder.index``)
and says which sessions have yet to be read; ``read_entries`` reads those. A
session is read again when the size or the time of one of its files changed. No
function here is for a window's thread.
"""

import contextlib
import dataclasses
import json
import os
import stat
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engine.errors import InputError, MicroturnError
from engine.events import Caption, Fault, Mark, SessionHeader, TextIn, Transcript
from engine.recorder import index
from engine.recorder.folder import SESSION_FILES, TIMELINE, TITLE, TITLING, in_use, reason
from engine.recorder.lines import MAX_LINE, parse_event
from engine.recorder.marks import by_hand, verdict_label
from engine.recorder.reader import RecordedSession, read_session

MAX_TITLE = 120  # characters
_FIRST_WORDS = 200


@dataclass(frozen=True)
class Entry:
    """One session as a list shows it. Text comes from files and is not made safe for showing."""

    path: Path
    state: str = "unread"
    """``unread``, ``ready``, ``recording`` (being written now), or ``unreadable`` (``damaged`` says why)."""
    title: str = ""
    """What somebody called it; empty without."""
    started_at: str = ""
    """ISO 8601, as in the header."""
    changed_at: float = 0.0
    """When its timeline was last written, seconds since 1970."""
    duration_s: float = 0.0
    engine: str = ""
    model: str = ""
    turns: int = 0
    faults: int = 0
    marks: tuple[tuple[str, int], ...] = ()
    """(verdict, how many) of the marks that somebody put, by verdict; an empty name is a mark without one."""
    bytes: int = 0
    """Size of its files on the disk."""
    first_words: str = ""
    """What the user said or typed first."""
    text: str = ""
    """Everything that can be searched, case-folded: words heard and said, notes and verdicts of marks."""
    damaged: tuple[str, ...] = ()
    """What is missing or broken, in plain words."""

    @property
    def name(self) -> str:
        """The title, or the folder's name."""
        return self.title or self.path.name

    @property
    def mark_count(self) -> int:
        """Marks that somebody put."""
        return sum(count for _, count in self.marks)

    @property
    def when(self) -> datetime:
        """When it began; where that cannot be read, when it was last written."""
        with contextlib.suppress(ValueError, OverflowError, OSError):
            began = datetime.fromisoformat(self.started_at)
            began = began if began.tzinfo is not None else began.replace(tzinfo=UTC)
            began.astimezone()  # this computer's time must know it, too
            return began
        return datetime.fromtimestamp(self.changed_at, UTC)


def is_session(path: Path) -> bool:
    """Whether a folder, no link, holds a timeline that begins with a session's header or is empty."""
    return _timeline_stat(path) is not None and (
        not (path / TIMELINE).stat().st_size or _header(path) is not None
    )


def session_paths(folder: Path) -> list[Path]:
    """Folders in ``folder`` that hold a timeline, by name; those that are links are left out.

    Raises:
        InputError: the folder cannot be read. One that does not exist holds nothing.
    """
    try:
        with os.scandir(folder) as found:
            names = sorted(one.name for one in found if one.is_dir(follow_symlinks=False))
    except FileNotFoundError:
        return []
    except OSError as err:
        raise InputError(f"cannot read {folder}: {reason(err)}") from err
    return [folder / name for name in names if _timeline_stat(folder / name) is not None]


def scan(folder: Path) -> list[Entry]:
    """Every session in ``folder``, by name, as far as it is known without reading it.

    Raises:
        InputError: the folder cannot be read.
    """
    folder = folder.absolute()
    kept = index.load(folder)
    entries = []
    for path in session_paths(folder):
        state, size, changed = _files(path)
        known = kept.pop(path.name, None)
        if in_use(path):
            entries.append(_headed(path, "recording", size, changed))
        elif known is not None and known[0] == state and (entry := _from_json(path, known[1])) is not None:
            entries.append(entry)
        else:
            entries.append(_headed(path, "unread", size, changed))
    index.forget(folder, list(kept))
    return entries


def read_entries(paths: Iterable[Path]) -> list[Entry]:
    """Read sessions and keep what was found for the next ``scan``; those that are gone are left out."""
    entries: list[Entry] = []
    found: dict[Path, dict[str, tuple[str, str]]] = {}
    for path in (one.absolute() for one in paths):
        if _timeline_stat(path) is None:
            continue
        state, size, changed = _files(path)
        if in_use(path):
            entries.append(_headed(path, "recording", size, changed))
            continue
        entry = replace(_read(path), bytes=size, changed_at=changed)
        entries.append(entry)
        found.setdefault(path.parent, {})[path.name] = (state, _to_json(entry))
    for folder, rows in found.items():
        index.store(folder, rows)
    return entries


def list_sessions(folder: Path) -> list[Entry]:
    """Every session in ``folder``, read where it is not known yet, by name.

    Raises:
        InputError: the folder cannot be read.
    """
    entries = {entry.path: entry for entry in scan(folder)}
    unread = [entry.path for entry in entries.values() if entry.state == "unread"]
    for entry in read_entries(unread):
        entries[entry.path] = entry
    return [entry for entry in entries.values() if entry.state != "unread"]


def matches(entry: Entry, query: str) -> bool:
    """Whether every word of ``query`` is found in the title, the date, the words, or the notes of marks."""
    words = query.casefold().split()
    if not words:
        return True
    about = f"{entry.title} {entry.path.name} {entry.engine} {entry.model}".casefold()
    return all(word in about or word in entry.text for word in words)


def read_title(path: Path) -> str:
    """What somebody called the session; empty without."""
    try:
        with (path / TITLE).open("rb") as stream:
            return " ".join(stream.read(4 * MAX_TITLE).decode("utf-8", "replace").split())[:MAX_TITLE]
    except OSError:
        return ""


def set_title(path: Path, title: str) -> None:
    """Call a session something; nothing takes the title away. The folder keeps its name.

    Raises:
        InputError: it is no session.
        MicroturnError: the folder cannot be written.
    """
    if _timeline_stat(path) is None:
        raise InputError(f"{path} is no session: it has no {TIMELINE}")
    text = " ".join(title.split())[:MAX_TITLE]
    file, new = path / TITLE, path / TITLING
    try:
        new.unlink(missing_ok=True)
        if not text or text == path.name:
            file.unlink(missing_ok=True)
            return
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(text.encode("utf-8", "replace") + b"\n")
        new.replace(file)
    except OSError as err:
        raise MicroturnError(f"the title cannot be saved in {path}: {reason(err)}") from err


def _timeline_stat(path: Path) -> os.stat_result | None:
    """Of a session's timeline, which must be a file and no link in a folder that is no link."""
    try:
        if not stat.S_ISDIR(path.lstat().st_mode):
            return None
        found = (path / TIMELINE).lstat()
    except OSError:
        return None
    return found if stat.S_ISREG(found.st_mode) else None


def _files(path: Path) -> tuple[str, int, float]:
    """What tells whether a session has changed, the size of its files, and when its timeline was written."""
    state, size, changed = [], 0, 0.0
    for name in SESSION_FILES:
        try:
            found = (path / name).lstat()
        except OSError:
            continue
        if stat.S_ISREG(found.st_mode):
            state.append(f"{name} {found.st_size} {found.st_mtime_ns}")
            size += found.st_size
            changed = found.st_mtime if name == TIMELINE else changed
    return "\n".join(state), size, changed


def _header(path: Path) -> SessionHeader | None:
    try:
        with (path / TIMELINE).open("rb") as stream:
            event = parse_event(stream.readline(MAX_LINE).decode("utf-8"))
    except (OSError, ValueError):
        return None
    return event if isinstance(event, SessionHeader) else None


def _headed(path: Path, state: str, size: int, changed: float) -> Entry:
    """What the first line alone tells."""
    header = _header(path)
    known = Entry(path, state, read_title(path), bytes=size, changed_at=changed)
    if header is None:
        return known
    return replace(known, started_at=header.started_at, engine=header.engine, model=header.model)


def _read(path: Path) -> Entry:
    try:
        session = read_session(path)
    except (MicroturnError, OSError, ValueError) as err:
        return Entry(path, "unreadable", read_title(path), damaged=(str(err),))
    marks = [event for event in session.events if isinstance(event, Mark) and by_hand(event)]
    words = _words(session)
    notes = [f"{mark.note} {verdict_label(mark.verdict)}" for mark in marks]
    return Entry(
        path,
        "ready",
        title=read_title(path),
        started_at=session.header.started_at,
        duration_s=session.duration,
        engine=session.header.engine,
        model=session.header.model,
        turns=len(session.turns),
        faults=sum(isinstance(event, Fault) for event in session.events),
        marks=tuple(sorted(Counter(mark.verdict for mark in marks).items())),
        first_words=next((text for speaker, text in words if speaker == "user"), "")[:_FIRST_WORDS],
        text="\n".join([*(text for _, text in words), *notes]).casefold(),
        damaged=session.damaged,
    )


def _words(session: RecordedSession) -> list[tuple[str, str]]:
    """(speaker, words) of everything that was said and typed, in order."""
    found: list[tuple[str, str]] = []
    last_caption: Caption | None = None
    heard_until = 0.0
    for event in session.events:
        if isinstance(event, Transcript):
            found.append((event.speaker, " ".join((event.text, event.unheard)).strip()))
            if event.speaker == "user":
                heard_until = max(heard_until, event.t1)
        elif isinstance(event, TextIn):
            found.append(("user", event.text))
        elif isinstance(event, Caption):
            last_caption = event
    if last_caption is not None and last_caption.t0 > heard_until:
        found.append(("user", last_caption.text))  # no transcript came any more
    if not any(speaker == "assistant" for speaker, _ in found):
        found.append(("assistant", " ".join(turn.text_out for turn in session.turns if turn.text_out)))
    return [(speaker, text) for speaker, text in found if text]


def _to_json(entry: Entry) -> str:
    fields = {f.name: getattr(entry, f.name) for f in dataclasses.fields(entry) if f.name != "path"}
    # As ASCII: half of a surrogate pair, which a line may hold, cannot be stored.
    return json.dumps(fields)


def _from_json(path: Path, data: str) -> Entry | None:
    with contextlib.suppress(ValueError, TypeError, AttributeError):
        fields: dict[str, Any] = json.loads(data)
        fields["damaged"] = tuple(fields["damaged"])
        fields["marks"] = tuple((str(name), int(count)) for name, count in fields["marks"])
        return Entry(path, **fields)
    return None
