"""A recorded session as the stream of events it was."""

from bisect import bisect_left
from collections.abc import Sequence

from engine.events import Caption, Event, Transcript, event_time
from engine.recorder.reader import RecordedSession

NEW_UTTERANCE_S = 1.0
"""A caption that begins so much later than the one before belongs to another utterance."""


def in_order(session: RecordedSession) -> list[Event]:
    """Header and all events as they were published: a transcript when its utterance ended.

    Captions are for the moment: only the last one of words that no transcript holds is left.
    """

    def published(event: Event) -> float:
        return event.t1 if isinstance(event, Transcript) else event_time(event)

    events = _without_captions(session.events)
    return [session.header, *sorted((*session.turns, *events), key=published)]


def _without_captions(events: Sequence[Event]) -> list[Event]:
    """Everything but captions, and the last caption of each utterance that has no transcript."""
    others: list[Event] = [event for event in events if not isinstance(event, Caption)]
    said = sorted((e.t0, e.t1) for e in others if isinstance(e, Transcript) and e.speaker == "user")
    last: list[Caption] = []
    for caption in sorted((e for e in events if isinstance(e, Caption)), key=lambda e: e.t):
        if last and abs(caption.t0 - last[-1].t0) < NEW_UTTERANCE_S:
            last[-1] = caption
        else:
            last.append(caption)
    return [*others, *(caption for caption in last if not _is_told(caption, said))]


def _is_told(caption: Caption, said: list[tuple[float, float]]) -> bool:
    """Whether a transcript begins where the caption does, or covers its beginning."""
    at = bisect_left(said, (caption.t0 + NEW_UTTERANCE_S, 0.0))
    near = said[max(at - 4, 0) : at]
    return any(t0 - NEW_UTTERANCE_S < caption.t0 < max(t1, t0 + NEW_UTTERANCE_S) for t0, t1 in near)
