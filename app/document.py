"""One session as the window shows it: timeline, conversation, jobs and state together. Plain Python."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from app.conversation import Changes, Conversation
from app.jobs import JobList
from app.recorded import in_order
from app.status import StatusTracker
from app.text import one_line
from app.timeline.model import TimelineModel
from engine.events import Caption, Event, Mark
from engine.recorder.reader import RecordedSession

if TYPE_CHECKING:
    from app.inspecting.measured import Measured


class Document:
    """Fed with events by one thread."""

    def __init__(self) -> None:
        self.timeline = TimelineModel()
        self.conversation = Conversation()
        self.status = StatusTracker()
        self.jobs = JobList()
        self.title = "Conversation"
        self.note = ""
        """What is to be known about a recorded session."""
        self.live = True
        self.path: Path | None = None
        """Folder of a recorded session; its sound and pictures are read from there when they are wanted."""
        self.session: RecordedSession | None = None
        """The recorded session as it was read, only until it has been measured."""
        self.measured: Measured | None = None
        """What was measured of a recorded session; None before that."""

    def append(self, events: Sequence[Event]) -> Changes:
        """Take events as they come; returns what changed in the conversation."""
        self.timeline.append(events)
        self.status.append(events)
        self.jobs.append(events)
        return self.conversation.append(events)

    def replace_mark(self, old: Mark, new: Mark | None) -> Changes:
        """Show another mark instead of one, or none; returns what changed in the conversation."""
        self.timeline.items.replace_mark(old, new)
        return self.conversation.replace_note(old.t, old.note, None if new is None else new.note)

    def close(self) -> Changes:
        """The session has ended; returns what changed in the conversation."""
        self.jobs.close()
        return self.conversation.close()


def _local(stamp: str) -> str:
    """An ISO 8601 time as this computer's date and time; anything else as it is."""
    try:
        return datetime.fromisoformat(stamp).astimezone().strftime("%Y-%m-%d %H:%M")
    except (ValueError, OverflowError, OSError):
        return stamp


def recorded_document(session: RecordedSession) -> Document:
    """A whole recorded session. Takes about a second for an hour: not for the window's thread."""
    document = Document()
    document.conversation.captioned = any(isinstance(event, Caption) for event in session.events)
    document.append(in_order(session))
    document.close()
    header = session.header
    about = (f"Recorded with {header.engine}, {header.model}", _local(header.started_at), header.source)
    document.note = one_line(" · ".join(part for part in about if part), 400)
    if session.damaged:
        document.note += f"\nDamaged: {one_line('; '.join(session.damaged), 400)}"
    document.title = one_line(session.path.resolve().name, 80)
    document.live = False
    document.path = session.path.resolve()
    document.session = session
    return document
