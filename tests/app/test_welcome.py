"""The first steps, with a device check whose devices are those of the test."""

import threading
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt

from app.main_window import MainWindow
from app.welcome.feature import Welcome
from app.welcome.steps import ORDER, TEXTS, TITLES, Mood, Step, failed, step_after, tell_echo, tell_microphone
from engine.audio.device_check import Heard, MicrophoneVerdict
from engine.audio.echo_check import EchoReport, EchoVerdict
from engine.camera.ring import FrameRing
from engine.errors import InputError
from tests.app.fake_session import FakeEngine
from tests.app.window_rig import feature, open_window, start

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")


def test_every_step_has_words():
    assert set(TITLES) == set(Step)
    assert set(TEXTS) | {Step.HELLO} == set(Step)
    assert [step_after(step, 1) for step in ORDER] == [*ORDER[1:], ORDER[-1]]
    assert step_after(Step.HELLO, -1) is Step.HELLO


@pytest.mark.parametrize("verdict", MicrophoneVerdict)
def test_every_verdict_on_a_microphone_is_told(verdict):
    for platform in ("linux", "darwin", "win32"):
        told = tell_microphone(verdict, platform)
        assert told.text
        good = {MicrophoneVerdict.WORKS: Mood.GOOD, MicrophoneVerdict.WAITING: Mood.WAITING}
        assert told.mood is good.get(verdict, Mood.PROBLEM)
    assert "Privacy" in tell_microphone(MicrophoneVerdict.ZEROS, "darwin").text


@pytest.mark.parametrize("verdict", EchoVerdict)
@pytest.mark.parametrize("cancels", [True, False])
def test_every_verdict_on_the_echo_is_told(verdict, cancels):
    told = tell_echo(EchoReport(verdict, 48.0, -12.0, -54.0, -70.0), cancels)
    good = verdict in (EchoVerdict.NONE, EchoVerdict.CANCELLED)
    assert told.mood is (Mood.GOOD if good else Mood.PROBLEM)
    if verdict is EchoVerdict.CANCELLED:
        assert told.text == (
            "Echo is cancelled, by 42 dB. It comes back after 48 ms, 12 dB softer than it was played."
        )
    if verdict is EchoVerdict.REMAINS:
        assert told.text.startswith("Echo remains: use headphones, or turn the loudspeaker down.")
        assert ("not available" in told.text) is not cancels


def test_an_error_is_one_plain_line():
    assert failed("no microphone\nwas \u202efound").text == "No microphone was found"


class FakeCheck:
    """What a DeviceCheck tells, set by the test."""

    def __init__(self, names: tuple[str | None, str | None], step: Step) -> None:
        self.names, self.step = names, step
        self.state, self.error, self.heard, self.progress = "opening", "", Heard(), 0.0
        self.echo: EchoReport | None = None
        self.cancels = True
        self.started = self.stopped = False
        self.joined_in = ""

    def start(self) -> None:
        self.started = True

    def stop(self) -> None:
        self.stopped = True

    def join(self, timeout: float) -> bool:
        self.joined_in = threading.current_thread().name
        return True


class FakeCamera:
    def __init__(self, name: str) -> None:
        if name == "none":
            raise InputError("no webcam is called 'none'")
        self.ring = FrameRing()
        self.live = True
        self.stopped = False
        self.ring.write(np.full((30, 40, 3), 90, np.uint8), 0.0)

    def stop(self) -> None:
        self.stopped = True


class Rig:
    """A window at its first start."""

    def __init__(self, window: MainWindow, qtbot: Any) -> None:
        self.window, self.qtbot = window, qtbot
        self.welcome = feature(window, Welcome)
        self.page = self.welcome.page
        self.checks: list[FakeCheck] = []
        self.cameras: list[FakeCamera] = []
        self.welcome.make_check = self.make
        self.welcome.open_camera = self.open

    def make(self, input_name: str | None, output_name: str | None, step: Step) -> FakeCheck:
        assert threading.current_thread().name == "window-worker"
        self.checks.append(FakeCheck((input_name, output_name), step))
        return self.checks[-1]

    def open(self, name: str) -> FakeCamera:
        self.cameras.append(FakeCamera(name))
        return self.cameras[-1]

    def go(self, step: Step) -> None:
        self.page.show_step(step)

    def running(self, step: Step) -> FakeCheck:
        self.qtbot.waitUntil(lambda: bool(self.checks) and self.checks[-1].started)
        assert self.checks[-1].step is step
        self.checks[-1].state = "running"
        return self.checks[-1]

    def told(self) -> str:
        return self.page.verdicts[self.page.step].text.text()


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def rig(engine, qtbot):
    with open_window(qtbot, engine, welcomed=False) as window:
        yield Rig(window, qtbot)


def test_the_first_start_says_what_this_is(rig):
    assert rig.window.shown_page() == "welcome"
    assert rig.page.isVisible()
    texts = " ".join(label.text() for label in rig.page.findChildren(type(rig.page.title)))
    for wanted in ("AI", "synthetic", "can be wrong", "stay on this computer", "Nothing is recorded"):
        assert wanted in texts
    assert rig.checks == []


def test_a_window_that_was_welcomed_shows_the_conversation(engine, qtbot):
    with open_window(qtbot, engine) as window:
        assert window.shown_page() == "talk"


def test_the_microphone_is_heard_and_given_back(rig, qtbot):
    rig.go(Step.MICROPHONE)
    check = rig.running(Step.MICROPHONE)
    qtbot.waitUntil(lambda: rig.told() == "Listening… say something.")
    check.heard = Heard(3.0, -20.0, -18.0, -60.0, only_zeros=False)
    qtbot.waitUntil(lambda: rig.told() == "It works: you can be heard.")
    assert rig.page.meter._ballistics.shown_db > -30
    check.heard = Heard(3.0, -120.0, -120.0, -120.0, only_zeros=True)
    qtbot.waitUntil(lambda: "only zeros" in rig.told())
    rig.window.menus.inputs.choose("mic-1")
    qtbot.waitUntil(lambda: len(rig.checks) == 2 and rig.checks[1].started)
    assert check.stopped
    assert rig.checks[1].names == ("mic-1", None)
    rig.go(Step.LOUDSPEAKER)
    qtbot.waitUntil(lambda: rig.checks[1].stopped)
    qtbot.waitUntil(lambda: rig.checks[1].joined_in == "window-worker")
    assert not rig.welcome._timer.isActive()


def test_what_cannot_be_opened_says_why(rig, qtbot):
    rig.go(Step.MICROPHONE)
    check = rig.running(Step.MICROPHONE)
    check.error, check.state = "no microphone was found; plug one in", "ended"
    qtbot.waitUntil(lambda: rig.told() == "No microphone was found; plug one in")
    assert not rig.welcome._timer.isActive()


def test_the_tone_is_played_and_asked_about(rig, qtbot):
    rig.go(Step.LOUDSPEAKER)
    assert rig.checks == [], "no sound comes unasked"
    assert rig.page.play.hasFocus() or rig.page.focusWidget() is rig.page.play
    qtbot.keyClick(rig.page.play, Qt.Key.Key_Return)
    check = rig.running(Step.LOUDSPEAKER)
    qtbot.waitUntil(lambda: rig.told() == "Playing…")
    check.state = "ended"
    qtbot.waitUntil(rig.page.yes.isVisible)
    assert rig.told() == "Did you hear it?"
    rig.page.no.click()
    assert "Turn the volume up" in rig.told()
    rig.page.play.click()
    qtbot.waitUntil(lambda: len(rig.checks) == 2 and rig.checks[1].started)
    rig.checks[1].state = "ended"
    qtbot.waitUntil(rig.page.yes.isVisible)
    rig.page.yes.click()
    assert rig.told() == "The loudspeaker works."


def test_the_echo_is_told(rig, qtbot):
    rig.go(Step.ECHO)
    rig.page.measure.click()
    check = rig.running(Step.ECHO)
    check.progress = 0.5
    qtbot.waitUntil(lambda: rig.page.progress.value() == 50)
    check.echo = EchoReport(EchoVerdict.CANCELLED, 47.6, -0.1, -68.9, -120.0)
    check.state = "ended"
    qtbot.waitUntil(lambda: rig.told().startswith("Echo is cancelled, by 69 dB."))
    assert "as loud as it was played" in rig.told()
    assert not rig.page.progress.isVisible()
    assert rig.page.next.hasFocus() or rig.page.focusWidget() is rig.page.next, "Return goes on"


def test_an_echo_that_remains_is_measured_again_with_return(rig, qtbot):
    rig.go(Step.ECHO)
    rig.page.measure.click()
    check = rig.running(Step.ECHO)
    check.echo = EchoReport(EchoVerdict.NOISY, 0.0, 0.0, 0.0, 0.0)
    check.state = "ended"
    qtbot.waitUntil(lambda: rig.told().startswith("The room was too loud"))
    assert rig.page.focusWidget() is rig.page.measure


def test_what_the_window_has_to_say_is_seen_beside_the_steps(rig):
    rig.window.notify("The settings file was damaged.")
    assert rig.window.card.notice.isVisible()


def test_that_it_is_an_ai_is_said_once(rig):
    assert not rig.page.privacy.text().startswith("You are talking with an AI")
    assert rig.window.side.privacy.text().startswith("You are talking with an AI")


def test_the_camera_is_shown_and_given_back(rig, qtbot):
    rig.go(Step.CAMERA)
    assert rig.page.camera.note == "No camera is chosen. You can talk without one."
    rig.window.menus.cameras.choose("0")
    qtbot.waitUntil(lambda: rig.page.camera.note == "")
    rig.go(Step.READY)
    qtbot.waitUntil(lambda: rig.cameras[0].stopped)
    rig.page.show_step(Step.CAMERA)
    rig.window.menus.cameras.choose("none")
    qtbot.waitUntil(lambda: rig.page.camera.note == "No webcam is called 'none'")


def test_it_ends_in_a_conversation_by_keyboard_alone(rig, engine, qtbot):
    for _ in ORDER:
        rig.page.next.setFocus()
        qtbot.keyClick(rig.page, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bool(engine.sessions))
    assert rig.window.shown_page() == "talk"
    assert rig.window.settings.welcomed
    opened = [check for check in rig.checks if check.started]
    assert all(check.stopped and check.joined_in for check in opened), "free before the session began"
    engine.sessions[-1].run()
    qtbot.waitUntil(lambda: rig.window.bridge.state == "running")
    assert rig.window.focusWidget() is rig.window.card.field
    assert rig.window.card.welcome_title.text() == "Talk, or type below"


def test_all_can_be_skipped(rig, engine, qtbot):
    rig.page.skip.click()
    assert rig.window.shown_page() == "talk"
    assert rig.window.settings.welcomed
    assert engine.sessions == []


def test_starting_elsewhere_leaves_the_steps(rig, engine, qtbot):
    rig.go(Step.MICROPHONE)
    check = rig.running(Step.MICROPHONE)
    start(rig.window, engine, qtbot)
    assert check.stopped
    assert check.joined_in
    assert rig.window.shown_page() == "talk"
    assert rig.window.settings.welcomed
    rig.welcome.open()
    assert rig.window.shown_page() == "talk"
    assert "Stop the session first" in rig.window.card.notice.text()


def test_the_devices_can_be_checked_later(engine, qtbot):
    with open_window(qtbot, engine) as window:
        rig = Rig(window, qtbot)
        rig.welcome.open()
        assert window.shown_page() == "welcome"
        assert rig.page.step is Step.MICROPHONE
        check = rig.running(Step.MICROPHONE)
        window.close()
        assert check.stopped


def test_a_check_that_comes_too_late_is_never_started(rig, qtbot):
    hold = threading.Event()
    make = rig.make

    def slow(input_name: str | None, output_name: str | None, step: Step) -> FakeCheck:
        hold.wait(5)
        check: FakeCheck = make(input_name, output_name, step)
        return check

    rig.welcome.make_check = slow
    rig.go(Step.MICROPHONE)
    rig.go(Step.LOUDSPEAKER)
    hold.set()
    qtbot.waitUntil(lambda: len(rig.checks) == 1)
    qtbot.wait(100)
    assert not rig.checks[0].started
