"""The tray's icon: its state, its shapes, its menu."""

import itertools

import pytest
from PySide6.QtCore import QSize

from app.status import Activity
from app.tray import Tray, TrayState, tray_icon, tray_state
from tests.app.fake_session import FakeEngine
from tests.app.window_rig import feature, open_window, start

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", r"raise\(\)", "systemTrayWindowChanged")


def test_the_state_is_that_of_the_devices_not_of_an_intention():
    def microphone(activity: Activity, muted: bool = False, running: bool = True) -> str:
        return tray_state(activity, "", muted, running, False, False).microphone

    assert microphone(Activity.OFF, running=False) == "off"
    assert microphone(Activity.OFF, muted=True, running=False) == "off"
    assert microphone(Activity.LISTENING) == "on"
    assert microphone(Activity.TALKING, muted=True) == "muted"
    assert microphone(Activity.DEAF) == "missing"
    assert not tray_state(Activity.OFF, "", False, False, True, False).camera


def test_all_of_it_is_in_words():
    state = TrayState("muted", camera=True, recording=True, title="Talking")
    assert state.tooltip == "Microturn: Talking\n● Recording · Microphone muted · Camera on"
    assert TrayState().tooltip == "Microturn: Ready\nMicrophone off · Camera off"


def shape(state: TrayState, size: int) -> set[tuple[int, int]]:
    """Where the icon is light: its shapes without their colours."""
    image = tray_icon(state).pixmap(QSize(size, size)).toImage()
    places = itertools.product(range(image.width()), range(image.height()))
    return {(x, y) for x, y in places if image.pixelColor(x, y).lightness() > 150}


@pytest.mark.parametrize("size", [16, 32])
def test_each_state_has_a_shape_of_its_own(qapp, size):
    states = [
        TrayState(microphone, camera, recording)
        for microphone in ("off", "on", "muted", "missing")
        for camera in (False, True)
        for recording in (False, True)
    ]
    shapes = [shape(state, size) for state in states]
    for (one, first), (other, second) in itertools.combinations(zip(states, shapes, strict=True), 2):
        assert len(first ^ second) >= 6, (one, other)


def test_the_menu_has_the_windows_own_commands(qtbot):
    engine = FakeEngine()
    with open_window(qtbot, engine) as window:
        tray = feature(window, Tray)
        texts = [action.text().replace("&", "") for action in tray.menu.actions() if action.text()]
        assert texts == ["Show window", "Start", "Mute", "Stop speaking", "Quit"]
        window.hide()
        tray.menu.actions()[0].trigger()
        assert window.isVisible()
        start(window, engine, qtbot)
        assert tray.menu.actions()[2].text() == "S&top"
        window.commands.mute.trigger()
        qtbot.waitUntil(lambda: tray.state.microphone == "muted")


def test_it_follows_the_session_where_there_is_a_tray(qtbot):
    engine = FakeEngine()
    with open_window(qtbot, engine) as window:
        tray = Tray(window, available=lambda: True)
        assert tray.icon is not None
        assert "Ready" in tray.icon.toolTip()
        window.commands.record.trigger()
        start(window, engine, qtbot)
        qtbot.waitUntil(lambda: "● Recording" in tray.icon.toolTip())
        assert window.windowTitle().startswith("●  Recording")
        assert window.side.status.recording.isVisible()
        assert window.side.status.recording.text.text() == "Recording"
        tray.icon.activated.emit(tray.icon.ActivationReason.Trigger)
        window.close()
        assert not tray.icon.isVisible()


def test_without_a_tray_nothing_breaks(qtbot):
    with open_window(qtbot, FakeEngine()) as window:
        tray = Tray(window, available=lambda: False)
        assert tray.icon is None
        tray.refresh()
        tray.show_window()
