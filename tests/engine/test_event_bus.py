import threading

from engine.event_bus import EventBus
from engine.events import Mark


def mark(i: int) -> Mark:
    return Mark(t=float(i), note=str(i))


def test_events_arrive_in_order_at_every_subscriber() -> None:
    bus = EventBus()
    first, second = bus.subscribe(), bus.subscribe()
    for i in range(5):
        bus.publish(mark(i))
    assert first.drain() == [mark(i) for i in range(5)]
    assert first.drain() == []
    bus.publish(mark(5))
    assert second.drain() == [mark(i) for i in range(6)]
    assert first.dropped == second.dropped == 0


def test_subscriber_sees_only_what_comes_after_it() -> None:
    bus = EventBus()
    bus.publish(mark(0))
    late = bus.subscribe()
    bus.publish(mark(1))
    assert late.drain() == [mark(1)]


def test_full_queue_drops_the_oldest_and_counts() -> None:
    bus = EventBus()
    slow, quick = bus.subscribe(maxlen=3), bus.subscribe(maxlen=100)
    for i in range(10):
        bus.publish(mark(i))
    assert slow.drain() == [mark(i) for i in (7, 8, 9)]
    assert slow.dropped == 7
    bus.publish(mark(10))
    assert slow.drain() == [mark(10)]
    assert slow.dropped == 7
    assert len(quick.drain()) == 11
    assert quick.dropped == 0


def test_closed_subscription_takes_no_more() -> None:
    bus = EventBus()
    closed, open_ = bus.subscribe(), bus.subscribe()
    bus.publish(mark(0))
    closed.close()
    closed.close()
    bus.publish(mark(1))
    assert closed.drain() == [mark(0)]
    assert open_.drain() == [mark(0), mark(1)]


def test_several_publishers_and_a_reader_lose_and_miscount_nothing() -> None:
    bus = EventBus()
    subscription = bus.subscribe(maxlen=64)

    def publish_many() -> None:
        for i in range(2_000):
            bus.publish(mark(i))

    publishers = [threading.Thread(target=publish_many) for _ in range(4)]
    for thread in publishers:
        thread.start()
    read = 0
    while any(thread.is_alive() for thread in publishers):
        read += len(subscription.drain())
    for thread in publishers:
        thread.join()
    read += len(subscription.drain())
    assert read + subscription.dropped == 8_000
