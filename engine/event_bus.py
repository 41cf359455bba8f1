"""Bounded fan-out of events: publishers never wait, slow readers lose the oldest and see how many."""

import itertools
import threading
from collections import deque

from engine.events import Event


class Subscription:
    """One reader's queue. Only its owner calls ``drain``; it may be closed from any thread."""

    def __init__(self, bus: "EventBus", maxlen: int) -> None:
        self._bus = bus
        self._queue: deque[tuple[int, Event]] = deque(maxlen=maxlen)
        self._numbers = itertools.count()
        self._drained = 0
        self._offered = 0

    def put(self, event: Event) -> None:
        """Append one event, pushing out the oldest when full. Lock-free, from any thread."""
        # next() and append are each atomic, so numbering survives several publishers.
        self._queue.append((next(self._numbers), event))

    def drain(self) -> list[Event]:
        """Every event waiting now, oldest first."""
        events: list[Event] = []
        # The length is taken once: a fast publisher cannot keep the reader here for ever.
        for _ in range(len(self._queue)):
            try:
                number, event = self._queue.popleft()
            except IndexError:
                break
            self._offered = max(self._offered, number + 1)
            self._drained += 1
            events.append(event)
        return events

    @property
    def dropped(self) -> int:
        """Events pushed out unread, as far as the last ``drain`` can tell."""
        return self._offered - self._drained

    def close(self) -> None:
        """Take no more events. Safe to repeat."""
        self._bus.unsubscribe(self)


class EventBus:
    """Hands every published event to every open subscription, in order of publication."""

    def __init__(self) -> None:
        self._subscriptions: tuple[Subscription, ...] = ()
        self._changing = threading.Lock()

    def publish(self, event: Event) -> None:
        """Give an event to all subscribers. Takes no lock and never waits; from any thread."""
        for subscription in self._subscriptions:
            subscription.put(event)

    def subscribe(self, maxlen: int = 4096) -> Subscription:
        """Open a queue of at most ``maxlen`` events, beginning with the next one published."""
        subscription = Subscription(self, maxlen)
        with self._changing:
            self._subscriptions = (*self._subscriptions, subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Forget a subscription; what it still holds can be drained."""
        with self._changing:
            self._subscriptions = tuple(s for s in self._subscriptions if s is not subscription)
