"""A recorded session as the stream of events it was."""

from engine.events import Event, Transcript, event_time
from engine.recorder.reader import RecordedSession


def in_order(session: RecordedSession) -> list[Event]:
    """Header and all events as they were published: a transcript when its utterance ended."""

    def published(event: Event) -> float:
        return event.t1 if isinstance(event, Transcript) else event_time(event)

    return [session.header, *sorted((*session.turns, *session.events), key=published)]
