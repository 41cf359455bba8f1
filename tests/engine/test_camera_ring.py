"""The frame ring: numbers, overtaking, and no torn frame under a racing writer."""

import sys
import threading

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.camera import FrameRing
from engine.types import Frame


def taken(frame: Frame | None) -> Frame:
    assert frame is not None
    return frame


def picture(value: int, height: int = 48, width: int = 64) -> np.ndarray:
    return np.full((height, width, 3), value % 256, np.uint8)


def test_empty():
    ring = FrameRing()
    assert ring.newest() is None and ring.read(0) is None and ring.newest_before(10.0) is None


def test_newest_is_a_copy_with_its_number_time_and_size():
    ring = FrameRing()
    ring.write(picture(1, 3, 5), 0.5)
    frame = taken(ring.newest())
    assert (frame.number, frame.t, frame.image.shape) == (0, 0.5, (3, 5, 3))
    ring.write(picture(2), 0.6)
    assert frame.image.max() == 1


def test_a_reader_can_tell_that_it_was_overtaken():
    ring = FrameRing(slots=4)
    for i in range(5):
        ring.write(picture(i), i / 10)
    assert ring.read(0) is None, "overwritten by frame 4"
    assert taken(ring.read(1)).image.max() == 1
    assert ring.read(5) is None, "yet to come"


def test_newest_before_a_moment():
    ring = FrameRing(slots=4)
    for i in range(6):
        ring.write(picture(i), i / 10)
    assert taken(ring.newest_before(0.45)).number == 4
    assert taken(ring.newest_before(0.4)).number == 3
    assert ring.newest_before(0.15) is None, "no longer held"


@given(st.integers(1, 12), st.integers(0, 40))
def test_exactly_the_last_frames_can_be_read(slots, written):
    ring = FrameRing(slots)
    for i in range(written):
        ring.write(picture(i, 2, 2), float(i))
    readable = [i for i in range(written + 3) if ring.read(i) is not None]
    assert readable == list(range(max(0, written - slots), written))


def test_no_frame_is_torn_while_the_writer_races():
    ring = FrameRing(slots=2)
    stop = threading.Event()

    def write() -> None:
        i = 0
        while not stop.is_set():
            ring.write(picture(i, 300, 320), float(i))
            i += 1

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    writer = threading.Thread(target=write)
    writer.start()
    try:
        seen = 0
        while seen < 300:
            frame = ring.newest()
            if frame is None:
                continue
            assert frame.image.min() == frame.image.max() == frame.number % 256
            assert frame.t == frame.number
            seen += 1
    finally:
        stop.set()
        writer.join()
        sys.setswitchinterval(interval)
