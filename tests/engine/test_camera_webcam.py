"""A webcam's faults, played by scripted devices on a simulated clock."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import cv2
import numpy as np
import pytest

from engine.camera import WebCamera, list_cameras
from engine.camera.devices import CameraDevice, _v4l_cameras
from engine.camera.webcam import find_camera
from engine.clock import SimulatedClock
from engine.errors import InputError
from engine.types import Frame

Reply = tuple[bool, np.ndarray | None]


class ScriptedDevice:
    """Each read asks ``script``, which may move the clock, wait for the test, or fail."""

    def __init__(self, script: Callable[[int], Reply], opened: bool = True) -> None:
        self.script, self.opened = script, opened
        self.reads = 0
        self.released = False

    def isOpened(self) -> bool:  # noqa: N802
        return self.opened

    def read(self) -> Reply:
        self.reads += 1
        return self.script(self.reads - 1)

    def release(self) -> None:
        self.released = True


def noise(seed: int, shape: tuple[int, ...] = (120, 160, 3)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def taken(frame: Frame | None) -> Frame:
    assert frame is not None
    return frame


def wait_for(condition: Callable[[], bool], limit_s: float = 5.0) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, "what was waited for never happened"
        time.sleep(0.002)


def collect(camera: WebCamera, wanted: str) -> list[str]:
    events: list[str] = []

    def there() -> bool:
        events.extend(camera.take_events())
        return any(e.startswith(wanted) for e in events)

    wait_for(there)
    return events


@contextmanager
def running(camera: WebCamera, before_stop: Callable[[], None] = lambda: None) -> Iterator[WebCamera]:
    camera.start()
    try:
        yield camera
    finally:
        before_stop()
        camera.stop()


def test_frames_come_small_and_rgb_and_each_once():
    clock = SimulatedClock()

    def script(i: int) -> Reply:
        clock.advance_to((i + 1) / 30)
        time.sleep(0.001)
        return True, noise(i, (480, 640, 3))

    device = ScriptedDevice(script)
    with running(WebCamera(0, clock, lambda index: device)) as camera:
        wait_for(lambda: camera.ring.count > 10)
        frame = taken(camera.newest(clock.now()))
        assert frame.image.shape == (240, 320, 3) and frame.t < clock.now()
        assert camera.live
        assert camera.newest(frame.t) is None, "nothing newer before that moment"
        assert camera.take_events() == ("started",)
    assert device.released


def test_a_camera_that_cannot_be_opened_is_lost_and_tried_again():
    clock = SimulatedClock()
    tries = []

    def opener(index: int) -> ScriptedDevice:
        tries.append(index)
        return ScriptedDevice(lambda i: (False, None), opened=False)

    with running(WebCamera(3, clock, opener)) as camera:
        events = collect(camera, "lost")
        assert "could not be opened" in events[-1]
        wait_for(lambda: len(tries) >= 2)
        assert camera.newest(100.0) is None and not camera.live
    assert set(tries) == {3}


def test_failing_reads_are_lost_and_the_camera_comes_back():
    clock = SimulatedClock()

    def failing(i: int) -> Reply:
        clock.advance_to(clock.now() + 0.3)
        return (True, noise(i)) if i < 2 else (False, None)

    def good(i: int) -> Reply:
        clock.advance_to(clock.now() + 0.03)
        time.sleep(0.001)
        return True, noise(100 + i)

    devices = [ScriptedDevice(failing), ScriptedDevice(good)]
    handed = iter(devices)
    with running(WebCamera(0, clock, lambda index: next(handed))) as camera:
        events = collect(camera, "lost") + collect(camera, "started")
        assert [e.split(":")[0] for e in events] == ["started", "lost", "started"]
    assert all(d.released for d in devices)


def test_an_error_inside_opencv_is_lost_too():
    clock = SimulatedClock()

    def script(i: int) -> Reply:
        if i:
            raise cv2.error("cannot decode")
        return True, noise(i)

    with running(WebCamera(0, clock, lambda index: ScriptedDevice(script))) as camera:
        assert collect(camera, "lost")[-1].startswith("lost: camera 0 failed")


def test_a_frozen_picture_is_stalled_and_gives_no_frames_until_it_moves():
    clock = SimulatedClock()
    moving = threading.Event()

    def script(i: int) -> Reply:
        clock.advance_to(clock.now() + 0.1)
        time.sleep(0.001)
        return True, noise(i if moving.is_set() else 0)

    with running(WebCamera(0, clock, lambda index: ScriptedDevice(script))) as camera:
        assert "not changed" in collect(camera, "stalled")[-1]
        assert camera.ring.count == 1 and not camera.live
        moving.set()
        assert collect(camera, "started") == ["started"]
        wait_for(lambda: camera.ring.count > 1)


def test_a_hanging_read_is_noticed_by_its_age_and_does_not_hold_up_the_end():
    clock = SimulatedClock()
    release = threading.Event()

    def script(i: int) -> Reply:
        if i:
            release.wait(10)
        return True, noise(i)

    camera = WebCamera(0, clock, lambda index: ScriptedDevice(script))
    camera.start()
    wait_for(lambda: camera.ring.count == 1)
    assert camera.take_events() == ("started",)
    clock.advance_to(clock.now() + 1.5)
    assert not camera.live
    assert camera.take_events() == ("stalled: the camera has not answered for a second",)
    assert camera.take_events() == ()
    began = time.monotonic()
    camera.stop()
    assert time.monotonic() - began < 2.0
    assert camera._thread.daemon, "a thread stuck in the driver must not keep the program alive"
    release.set()
    camera._thread.join(5)


def test_greyscale_bgra_and_odd_sizes_and_what_is_no_picture():
    clock = SimulatedClock()
    shapes: list[tuple[int, ...]] = [(121, 333), (64, 48, 4), (0, 0, 3), (33, 21, 3), (5, 5, 2)]

    def script(i: int) -> Reply:
        clock.advance_to(clock.now() + 0.03)
        time.sleep(0.001)
        return True, noise(i, shapes[i % len(shapes)])

    with running(WebCamera(0, clock, lambda index: ScriptedDevice(script))) as camera:
        wait_for(lambda: camera.ring.count >= 3)
        sizes = {taken(camera.ring.read(n)).image.shape for n in range(3)}
        assert sizes == {(116, 320, 3), (64, 48, 3), (33, 21, 3)}


def test_stop_before_start():
    WebCamera(0, SimulatedClock()).stop()


def test_a_camera_by_name(monkeypatch):
    known = [CameraDevice(0, "Front"), CameraDevice(2, "Front wide"), CameraDevice(4, "Desk")]
    monkeypatch.setattr("engine.camera.webcam.list_cameras", lambda: known)
    assert find_camera("desk") == 4
    assert find_camera("Front") == 0
    assert find_camera("7") == find_camera(7) == 7
    with pytest.raises(InputError, match=r"more than one .*0: Front"):
        find_camera("fro")
    with pytest.raises(InputError, match="no webcam is called 'x'"):
        find_camera("x")


def test_linux_cameras_are_listed_by_their_picture_nodes(tmp_path):
    nodes = (("video0", "0", "Front\n"), ("video1", "1", "Front\n"), ("video10", "0", "Desk\n"))
    for node, index, name in nodes:
        (tmp_path / node).mkdir()
        (tmp_path / node / "index").write_text(index)
        (tmp_path / node / "name").write_text(name)
    (tmp_path / "video7").mkdir()
    assert _v4l_cameras(tmp_path) == [CameraDevice(0, "Front"), CameraDevice(10, "Desk")]
    assert _v4l_cameras(tmp_path / "none") == []


def test_listing_works_on_this_computer():
    assert all(isinstance(c, CameraDevice) for c in list_cameras())


def test_a_missing_webcam_of_this_computer_is_an_event_and_not_an_error():
    """OpenCV itself, on an index that does not exist."""
    with running(WebCamera(63, SimulatedClock())) as camera:
        assert "could not be opened" in collect(camera, "lost")[-1]
