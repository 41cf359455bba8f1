"""What the page of sessions says. Plain Python; text from files is made safe to show here."""

from collections.abc import Sequence

from app.text import one_line, size_text
from app.timeline.time_scale import clock_label
from engine.recorder.catalogue import Entry
from engine.recorder.marks import verdict_label

EMPTY = (
    "No session has been recorded yet.\n\n"
    "Switch on “Record sessions” in the menu Session and start a conversation, "
    "or import the folder of a session from elsewhere."
)
FORGET = "Nothing can bring them back."
_STATES = {
    "unread": "reading…",
    "recording": "Recording now",
    "unreadable": "Cannot be read",
    "ready": "Whole",
}


def name_text(entry: Entry) -> str:
    return one_line(entry.name, 120)


def when_text(entry: Entry) -> str:
    """In this computer's time."""
    return entry.when.astimezone().strftime("%Y-%m-%d %H:%M")


def length_text(entry: Entry) -> str:
    return clock_label(entry.duration_s) if entry.state == "ready" else ""


def marks_text(entry: Entry) -> str:
    """How many, and of what kind: ``3: 2 late, 1 good``."""
    kinds = [f"{count} {one_line(verdict_label(name), 40)}" for name, count in entry.marks if name]
    return ": ".join(part for part in (str(entry.mark_count or ""), ", ".join(kinds)) if part)


def state_text(entry: Entry) -> str:
    """One or two words for the list."""
    if entry.state == "ready" and entry.damaged:
        return "Damaged"
    return _STATES.get(entry.state, entry.state)


def model_text(entry: Entry) -> str:
    return one_line(", ".join(part for part in (entry.engine, entry.model) if part), 120)


def about(entry: Entry) -> str:
    """A few lines below the list: what there is to know of one session."""
    lines = [one_line(str(entry.path), 300)]
    facts = [part for part in (model_text(entry), _counted(entry.turns, "micro-turn"),
             _counted(entry.faults, "fault"), _marks(entry)) if part]  # fmt: skip
    if entry.state == "ready":
        lines.append(" · ".join(facts))
    if entry.first_words:
        lines.append(f"“{one_line(entry.first_words, 200)}”")
    if entry.state == "recording":
        lines.append("It is being recorded now, so it cannot be deleted.")
    if entry.damaged:
        lines.append(f"{state_text(entry)}: {one_line('; '.join(entry.damaged), 400)}")
    return "\n".join(lines)


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _marks(entry: Entry) -> str:
    return f"marks {marks_text(entry)}" if entry.mark_count else ""


def total_text(shown: Sequence[Entry], known: Sequence[Entry]) -> str:
    """How many are listed, and how large all are."""
    count = _counted(len(known), "session")
    if len(shown) != len(known):
        count = f"{len(shown):,} of {count}"
    return f"{count} · {size_text(sum(entry.bytes for entry in known))}"


def delete_question(entries: Sequence[Entry]) -> str:
    """What is about to be lost."""
    size = size_text(sum(entry.bytes for entry in entries))
    if len(entries) == 1:
        first = f"Delete “{name_text(entries[0])}” with its sound, pictures and timeline ({size})?"
    else:
        first = f"Delete {len(entries):,} sessions with their sound, pictures and timelines ({size})?"
    marked = sum(bool(entry.mark_count) for entry in entries)
    if not marked:
        return f"{first}\n{FORGET}"
    if len(entries) == 1:
        return f"{first}\nIt has marks: {marks_text(entries[0])}.\n{FORGET}"
    return f"{first}\n{marked:,} of them {'has' if marked == 1 else 'have'} marks.\n{FORGET}"


def deleted_text(count: int, size: int, left: Sequence[str]) -> str:
    """One line on what was deleted, and on what was not."""
    more = f" (and {len(left) - 2} more)" if len(left) > 2 else ""
    said = [f"Deleted {_counted(count, 'session')}, {size_text(size)}."] if count or not left else []
    return " ".join([*said, *([f"Left: {one_line('; '.join(left[:2]), 400)}{more}"] if left else [])])


def expired_text(count: int, kept: int, days: int) -> str:
    """What the window did as it started; empty when it did nothing."""
    if not count:
        return ""
    were = {True: "was", False: "were"}
    one = f"{_counted(count, 'recording')} older than {_counted(days, 'day')} {were[count == 1]} deleted"
    return f"{one}; {kept:,} with marks {were[kept == 1]} kept." if kept else f"{one}."
