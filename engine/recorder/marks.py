"""Marks with verdicts in a recorded session: read, added, changed and removed in ``timeline.jsonl``.

A save writes a new file beside the first, puts it on the disk and replaces the
first in one step. Only the lines of marks change: every other byte stays, also
in a damaged file, and a last line that is cut off stays the last.
"""

import contextlib
import json
import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.errors import InputError, MicroturnError
from engine.events import Mark, SessionHeader, event_time, to_json
from engine.recorder.folder import PATIENCE_S, SAVING, TIMELINE, hold, reason
from engine.recorder.lines import MAX_LINE, parse_event

MAX_NOTE = 4_000  # characters
_TURN_TIME = re.compile(rb'\{"kind": ?"turn", ?"i": ?\d+, ?"t": ?(\d+(?:\.\d+)?),')


@dataclass(frozen=True)
class Verdict:
    """``key``: the digit that gives it. ``name``: as it stands in the file. ``label``: for people."""

    key: int
    name: str
    label: str


VERDICTS = (
    Verdict(1, "wrong_interruption", "wrong interruption"),
    Verdict(2, "missed_turn_end", "missed turn end"),
    Verdict(3, "late", "late"),
    Verdict(4, "false_backchannel", "false backchannel"),
    Verdict(5, "did_not_yield", "talked over me"),
    Verdict(6, "good", "good"),
    Verdict(7, "other", "other"),
)
_LABELS = {verdict.name: verdict.label for verdict in VERDICTS}

MUTED, UNMUTED, SILENCED = (
    "microphone muted",
    "microphone on again",
    "the user's button stopped the speech",
)
HELD, LET_GO = "talk key held", "talk key let go"
"""Notes of the marks that the program puts itself."""


@dataclass(frozen=True)
class SavedMark:
    """A mark and its line in the file, without the line's end."""

    mark: Mark
    line: bytes


def temperament_note(traits: Mapping[str, float]) -> str:
    """The mark of a temperament that was changed on the way; ``traits`` in nats, without those that are 0."""
    said = ", ".join(f"{name.replace('_', ' ')} {value:+.1f}" for name, value in traits.items())
    return f"temperament: {said or 'as it was trained'}"


def verdict_label(name: str) -> str:
    """A verdict for people; one that this version does not know as it is."""
    return _LABELS.get(name, name.replace("_", " "))


def made_mark(t: float, note: str, verdict: str = "") -> Mark:
    """A mark as it is saved: its note in one line, or else the verdict's words, for other readers."""
    text = " ".join(note.split())[:MAX_NOTE]
    return Mark(round(max(t, 0.0), 4), text or verdict_label(verdict) or "marked by hand", verdict)


def own_words(mark: Mark) -> str:
    """What somebody wrote beside the verdict."""
    return "" if mark.verdict and mark.note == verdict_label(mark.verdict) else mark.note


def mark_text(mark: Mark) -> str:
    """Verdict and note in one line."""
    return ": ".join(part for part in (verdict_label(mark.verdict), own_words(mark)) if part)


def by_hand(mark: Mark) -> bool:
    """Whether a person put it there, and not the program."""
    return bool(mark.verdict) or mark.note not in (MUTED, UNMUTED, SILENCED)


def read_marks(folder: Path) -> list[SavedMark]:
    """The marks of a session, in time order.

    Raises:
        InputError: there is no timeline, or it cannot be read.
    """
    file = folder / TIMELINE
    try:
        data = file.read_bytes()
    except OSError as err:
        raise InputError(f"cannot read {file}: {reason(err)}") from err
    found = []
    for line in data.split(b"\n"):
        mark = _mark(line) if b'"mark"' in line else None
        if mark is not None:
            found.append(SavedMark(mark, line))
    return sorted(found, key=lambda saved: saved.mark.t)


def add_marks(folder: Path, marks: Sequence[Mark]) -> list[SavedMark]:
    """Put marks into a session that is not being recorded, each at its place in time.

    Takes a moment for a long session: not for a window's thread.

    Raises:
        InputError: it is no session, or it is being recorded.
        MicroturnError: the folder cannot be written; nothing is changed.
        ValueError: a time is not a number.
    """
    if any(not math.isfinite(mark.t) for mark in marks):
        raise ValueError("a mark's time is not a number")
    saved = [SavedMark(mark, _line(mark)) for mark in sorted(marks, key=lambda mark: mark.t)]
    with _timeline(folder) as data:
        cuts = []
        for one in saved:
            at, before = _place(data, one.mark.t)
            cuts.append((at, at, before + one.line + b"\n"))
        _write(folder, data, cuts)
    return saved


def change_mark(folder: Path, old: SavedMark, note: str, verdict: str) -> SavedMark:
    """Give a mark another note and verdict; its time and what else its line holds stay.

    Raises:
        InputError: the mark is no longer there, or the session is being recorded.
        MicroturnError: the folder cannot be written; nothing is changed.
    """
    mark = made_mark(old.mark.t, note, verdict)
    fields = json.loads(old.line) | {"note": mark.note, "verdict": mark.verdict}
    new = json.dumps(fields, ensure_ascii=False).encode("utf-8", "replace")
    with _timeline(folder) as data:
        start = _find(data, old.line, folder)
        _write(folder, data, [(start, start + len(old.line), new)])
    return SavedMark(Mark(old.mark.t, mark.note, mark.verdict), new)


def remove_mark(folder: Path, old: SavedMark) -> None:
    """Take a mark out, with its line.

    Raises:
        InputError: the mark is no longer there, or the session is being recorded.
        MicroturnError: the folder cannot be written; nothing is changed.
    """
    with _timeline(folder) as data:
        start = _find(data, old.line, folder)
        stop = start + len(old.line)
        stop += data[stop : stop + 1] == b"\n"
        _write(folder, data, [(start, stop, b"")])


def _mark(line: bytes) -> Mark | None:
    if len(line) > MAX_LINE:
        return None
    with contextlib.suppress(ValueError):
        event = parse_event(line.decode("utf-8"))
        return event if isinstance(event, Mark) else None
    return None


def _line(mark: Mark) -> bytes:
    return to_json(mark).encode("utf-8", "replace")


def _time(line: bytes) -> float | None:
    """When a line happened; None for one that is broken or unknown."""
    if turn := _TURN_TIME.match(line):
        return float(turn[1])
    if len(line) > MAX_LINE:
        return None
    with contextlib.suppress(ValueError):
        event = parse_event(line.decode("utf-8"))
        return None if event is None or isinstance(event, SessionHeader) else event_time(event)
    return None


def _place(data: bytes, t: float) -> tuple[int, bytes]:
    """Where a line of second ``t`` belongs: its offset, and what must come before it."""
    at = 0
    while at < len(data) and data[at : at + 1] in b"\r\n\t ":
        at += 1
    at = data.find(b"\n", at) + 1
    if not at:
        return len(data), b"\n"  # nothing but a header without an end
    end = data.rfind(b"\n") + 1
    while at < end:
        stop = data.index(b"\n", at) + 1
        time = _time(data[at : stop - 1])
        if time is not None and time > t:
            return at, b""
        at = stop
    return end, b""


def _find(data: bytes, line: bytes, folder: Path) -> int:
    """Offset of a whole line. Raises InputError when there is none like it."""
    at = data.find(line)
    while at >= 0:
        stop = at + len(line)
        if at and data[at - 1 : at] == b"\n" and data[stop : stop + 1] in (b"\n", b""):
            return at
        at = data.find(line, at + 1)
    raise InputError(f"the mark is no longer in {folder}: open the session again")


@contextlib.contextmanager
def _timeline(folder: Path) -> Iterator[bytes]:
    """The bytes of the timeline, which nobody else changes meanwhile."""
    file = folder / TIMELINE
    try:
        # A link would be replaced by a file of the same content somewhere else.
        descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0))
    except OSError as err:
        raise InputError(f"cannot read {file}: {reason(err)}") from err
    with os.fdopen(descriptor, "rb") as stream:
        if not hold(descriptor, PATIENCE_S) or not _is_same(descriptor, file):
            raise InputError(f"{folder} is being written just now: mark it when its recording has ended")
        data = stream.read()
        if _first_kind(data) != SessionHeader.kind:
            raise InputError(f"{folder} is no session: the first line of {TIMELINE} is not a session header")
        yield data


def _is_same(descriptor: int, file: Path) -> bool:
    """Whether the file was not replaced between being opened and being held."""
    try:
        return os.path.samestat(os.fstat(descriptor), file.lstat())
    except OSError:
        return False


def _first_kind(data: bytes) -> str:
    with contextlib.suppress(ValueError):
        event = parse_event(data.lstrip().split(b"\n", 1)[0].decode("utf-8"))
        return event.kind if event is not None else ""
    return ""


def _write(folder: Path, data: bytes, cuts: Sequence[tuple[int, int, bytes]]) -> None:
    """Replace the spans (start, stop) of ``cuts``, in order, by other bytes, and the file by the result."""
    new = folder / SAVING
    try:
        new.unlink(missing_ok=True)  # of a save that was cut off; who holds the timeline is alone here
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                view, at = memoryview(data), 0
                for start, stop, instead in cuts:
                    stream.write(view[at:start])
                    stream.write(instead)
                    at = stop
                stream.write(view[at:])
                stream.flush()
                os.fsync(stream.fileno())
            new.replace(folder / TIMELINE)
        except OSError:
            new.unlink(missing_ok=True)
            raise
    except OSError as err:
        raise MicroturnError(
            f"the mark cannot be saved in {folder} ({reason(err)}): make it writable, or import a copy"
        ) from err
    _flush_folder(folder)


def _flush_folder(folder: Path) -> None:
    """Put the new name on the disk too, where a folder can be opened for that."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
