"""The microphone is on only while something is held."""

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtGui import QKeyEvent

from app.hold_to_talk import Held, HoldToTalk
from engine.recorder.marks import HELD, LET_GO
from tests.app.fake_session import FakeEngine
from tests.app.window_rig import feature, open_window, start

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")


def test_it_is_muted_but_for_what_is_held():
    told: list[bool] = []
    held = Held(told.append)
    held.press("key")
    assert not told, "nothing happens while the mode is off"
    held.set_on(True)
    held.press("key")
    held.press("key")
    held.press("button")
    held.let_go("key")
    assert told == [True, False]
    assert [held.talking] == [True]
    held.let_go("button")
    held.let_go("button")
    assert told == [True, False, True]
    held.press("key")
    held.press("button")
    held.let_all_go()
    assert told[-1] is True
    assert [held.talking] == [False]
    held.press("key")
    held.set_on(False)
    assert told[-1] is False


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def window(engine, qtbot):
    with open_window(qtbot, engine) as made:
        yield made


def key(window, kind: QEvent.Type, repeats: bool = False) -> None:
    event = QKeyEvent(kind, Qt.Key.Key_F8, Qt.KeyboardModifier.NoModifier, "", repeats)
    QCoreApplication.sendEvent(window.card.field, event)


def test_the_capture_follows_the_key_and_repeats_are_no_letting_go(window, engine, qtbot):
    hold = feature(window, HoldToTalk)
    source = start(window, engine, qtbot).source
    hold.mode.trigger()
    qtbot.waitUntil(lambda: source.calls == [True])
    assert window.settings.hold_to_talk
    assert window.side.hold.isVisible()
    assert window.live.status.status.detail == ""  # the fake cannot tell whether its device is open
    key(window, QEvent.Type.KeyPress)
    for _ in range(3):
        key(window, QEvent.Type.KeyRelease, repeats=True)
        key(window, QEvent.Type.KeyPress, repeats=True)
    qtbot.waitUntil(lambda: source.calls == [True, False])
    assert window.side.hold.text() == "Let go to mute"
    qtbot.wait(300)
    assert source.calls == [True, False]
    key(window, QEvent.Type.KeyRelease)
    assert source.calls == [True, False], "the end of the last word is still heard"
    qtbot.waitUntil(lambda: source.calls == [True, False, True])
    assert window.side.hold.text() == "Hold to talk"
    qtbot.waitUntil(lambda: window.side.status.title.text() == "Muted")
    assert engine.sessions[-1].marks == [LET_GO, HELD, LET_GO]


def test_the_focus_gone_is_let_go(window, engine, qtbot):
    hold = feature(window, HoldToTalk)
    source = start(window, engine, qtbot).source
    hold.mode.trigger()
    key(window, QEvent.Type.KeyPress)
    qtbot.waitUntil(lambda: source.calls == [True, False])
    hold._application_changed(Qt.ApplicationState.ApplicationInactive)
    qtbot.waitUntil(lambda: source.calls == [True, False, True])
    key(window, QEvent.Type.KeyRelease)
    qtbot.wait(300)
    assert source.calls == [True, False, True]


def test_the_button_does_it_too_by_mouse_and_by_space(window, engine, qtbot):
    hold = feature(window, HoldToTalk)
    source = start(window, engine, qtbot).source
    hold.mode.trigger()
    button = window.side.hold
    qtbot.mousePress(button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: source.calls == [True, False])
    qtbot.mouseRelease(button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: source.calls == [True, False, True])
    qtbot.keyPress(button, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: source.calls[-1] is False)
    qtbot.keyRelease(button, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: source.calls[-1] is True)


def test_unmuting_by_hand_ends_the_mode_and_says_so(window, qtbot):
    hold = feature(window, HoldToTalk)
    hold.mode.trigger()
    assert window.bridge.muted
    window.commands.mute.trigger()
    assert not window.bridge.muted
    assert not hold.mode.isChecked()
    assert not window.settings.hold_to_talk
    assert "stays on" in window.card.notice.text()
    assert not window.side.hold.isVisible()


def test_the_key_explains_itself_while_the_mode_is_off(window, qtbot):
    hold = feature(window, HoldToTalk)
    hold.hint.trigger()
    assert "Hold to talk is off" in window.card.notice.text()


def test_it_is_remembered(engine, qtbot):
    with open_window(qtbot, engine, hold_to_talk=True) as window:
        assert feature(window, HoldToTalk).mode.isChecked()
        assert window.bridge.muted
        live = start(window, engine, qtbot)
        qtbot.waitUntil(lambda: live.source.muted)
        live.source.device_open = False
        qtbot.waitUntil(lambda: window.side.status.detail.text() == "Microphone closed: hold F8 to talk")
