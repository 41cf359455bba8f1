"""The camera on and off by one command."""

import threading

import pytest

from app.camera_switch import CameraSwitch
from engine.camera.ring import FrameRing
from tests.app.fake_session import FakeEngine
from tests.app.window_rig import feature, open_window, start

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")


class FakeCamera:
    def __init__(self) -> None:
        self.ring = FrameRing()
        self.live = True
        self.stopped_in: list[str] = []

    def stop(self) -> None:
        self.stopped_in.append(threading.current_thread().name)
        self.live = False


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


def test_off_and_on_again_while_a_session_runs(engine, qtbot):
    with open_window(qtbot, engine, camera="0") as window:
        switch = feature(window, CameraSwitch)
        live = start(window, engine, qtbot)
        live.camera = FakeCamera()  # type: ignore[assignment]
        assert switch.action.text() == "Camera &off"
        switch.action.trigger()
        qtbot.waitUntil(lambda: live.cameras == [(None, "window-worker")])
        assert window.choice().camera is None
        assert window.settings.last_camera == "0"
        assert window.side.camera.note == "Camera off"
        switch.action.trigger()
        qtbot.waitUntil(lambda: live.cameras[1:] == [("0", "window-worker")])
        assert window.choice().camera == "0"
        assert not window.side.camera.off
        window.bridge.stop()
        qtbot.waitUntil(lambda: window.bridge.state == "stopped")
        assert start(window, engine, qtbot).choice.camera == "0"


def test_on_takes_what_there_is(engine, qtbot):
    with open_window(qtbot, engine) as window:
        switch = feature(window, CameraSwitch)
        switch.action.trigger()
        assert "No camera was found" in window.card.notice.text()
        window.bridge.refresh_devices()
        qtbot.waitUntil(lambda: bool(window.menus.cameras.found))
        switch.action.trigger()
        assert window.menus.cameras.name() == "Webcam"
        assert switch.action.text() == "Camera &off"
