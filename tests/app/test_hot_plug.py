"""Devices that come and go."""

import sys

import pytest

from app.hot_plug import HotPlug, Presence, what_is_there
from app.live import Devices
from tests.app.fake_session import FakeEngine
from tests.app.window_rig import feature, open_window, start

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")


def test_a_device_that_goes_is_told_once_and_once_that_it_is_back():
    presence = Presence("microphone")
    there = (("a", "Headset"), ("b", "Desk"))
    assert presence.look("a", there) == ""
    gone = presence.look("a", there[1:])
    assert gone.startswith("The microphone “Headset” is gone.")
    assert presence.look("a", there[1:]) == ""
    assert presence.look("a", there) == "The microphone “Headset” is back."
    assert presence.look("a", there) == ""


def test_nothing_is_told_of_the_default_nor_of_what_was_never_there():
    presence = Presence("camera")
    assert presence.look("", ()) == ""
    assert presence.look("gone for long", ()) == ""
    assert presence.look("", (("a", "A"),)) == ""
    assert presence.look("a", (("a", "A"),)) == ""
    assert presence.look("b", (("b", "B"),)) == "", "another one was chosen"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the window's coming forward is the sign")
def test_the_cheap_look_says_the_same_of_the_same():
    assert what_is_there() == what_is_there()


def test_a_new_device_is_listed_without_being_asked(qtbot):
    engine = FakeEngine()
    with open_window(qtbot, engine) as window:
        plug = feature(window, HotPlug)
        seen = [1]
        plug.look = lambda: seen[0]
        plug.poll()
        qtbot.waitUntil(lambda: window.menus.inputs.found == (("mic-1", "Desk microphone"),))
        looks = len(engine.rebuilds)
        plug.poll()
        qtbot.waitUntil(lambda: not plug._waiting)
        assert len(engine.rebuilds) == looks, "nothing is listed anew while nothing changes"
        window.menus.inputs.choose("mic-1")
        engine.devices = Devices((("mic-2", "Headset"),), (), ())
        seen[0] = 2
        plug.poll()
        qtbot.waitUntil(lambda: window.menus.inputs.found == (("mic-2", "Headset"),))
        assert "“Desk microphone” is gone" in window.card.notice.text()
        assert "not found" in window.side.devices[0].accessibleName()
        assert engine.rebuilds[-1] is True


def test_open_streams_are_left_alone(qtbot):
    engine = FakeEngine()
    with open_window(qtbot, engine) as window:
        plug = feature(window, HotPlug)
        start(window, engine, qtbot)
        plug.look = lambda: "something new"
        plug.poll()
        qtbot.waitUntil(lambda: bool(engine.rebuilds))
        assert not any(engine.rebuilds)
        engine.rebuilds.clear()
        plug._ask_anew()
        qtbot.wait(50)
        assert not engine.rebuilds


def test_it_looks_only_while_the_window_is_there(qtbot):
    with open_window(qtbot, FakeEngine()) as window:
        plug = feature(window, HotPlug)
        assert plug._timer.isActive() == (sys.platform == "linux")
        window.hide()
        assert not plug._timer.isActive()
