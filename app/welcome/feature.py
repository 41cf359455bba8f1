"""First steps and "Check my devices…": opens devices step by step, and gives each back when it is left."""

import sys
from typing import Any

from PySide6.QtCore import Qt, QTimer

from app.privacy import where_words_go
from app.shell import Shell
from app.welcome.page import WelcomePage
from app.welcome.steps import (
    FILE_AS_CAMERA,
    NO_CAMERA,
    TONE_HEARD,
    TONE_UNHEARD,
    Mood,
    Step,
    Told,
    failed,
    step_after,
    tell_echo,
    tell_microphone,
)

PAGE = "welcome"
_POLL_MS = 60


def make_check(input_name: str | None, output_name: str | None, step: Step) -> Any:
    """The DeviceCheck of a step. In the worker thread: the engine's code is loaded here."""
    from engine.audio.device_check import DeviceCheck
    from engine.audio.echo_check import echo_signal, hearing_tone

    sound = {Step.LOUDSPEAKER: hearing_tone, Step.ECHO: echo_signal}.get(step, lambda: None)()
    return DeviceCheck(input_name, output_name, microphone=step is not Step.LOUDSPEAKER, sound=sound)


def open_camera(name: str) -> Any:
    """A running webcam. In the worker thread.

    Raises:
        InputError: there is none of that name.
    """
    from engine.camera.webcam import WebCamera
    from engine.clock import MonotonicClock

    camera = WebCamera(name, MonotonicClock())
    camera.start()
    return camera


class Welcome:
    """Qt's thread. At most one check and one camera are open, and none while the page is hidden."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self.make_check, self.open_camera = make_check, open_camera
        self.page = WelcomePage(shell.theme, shell.menus, where_words_go(shell.side.privacy.text()))
        self._check: Any = None
        self._camera: Any = None
        self._began = False
        """The last step has started a session: the keys go to it when it runs."""
        self._number = 0
        """Of the step's devices; what was asked for by an earlier step is given back at once."""
        self._timer = QTimer(self.page)
        self._timer.setInterval(_POLL_MS)
        self._timer.timeout.connect(self.poll)
        shell.add_page(PAGE, self.page)
        shell.commands.add(
            "&Devices", "Check my &devices…", "Ctrl+Shift+D",
            "Try microphone, loudspeaker, echo and camera", self.open,
        )  # fmt: skip
        self.page.step_changed.connect(self._begin)
        self.page.play_asked.connect(self._try)
        self.page.measure_asked.connect(self._try)
        self.page.heard.connect(self._heard)
        self.page.finished.connect(self._finish)
        shell.menus.changed.connect(self._begin)
        shell.bridge.session_changed.connect(self._session_changed)
        shell.signals.closing.connect(self._release)
        if not shell.settings.welcomed:
            shell.show_page(PAGE)

    def open(self) -> None:
        """Show the steps from the first device on."""
        if self._shell.bridge.active:
            self._shell.notify("Stop the session first; then the devices can be checked.")
            return
        shown = self._shell.shown_page() == PAGE
        self.page.show_step(step_after(Step.HELLO, 1))
        if not shown:
            self._shell.show_page(PAGE)

    def _session_changed(self, state: str, _: str) -> None:
        if state == "starting" and not self._shell.settings.welcomed:
            self._shell.change_settings(welcomed=True)
        elif state == "running" and self._began:
            self._began = False
            self._shell.card.field.setFocus(Qt.FocusReason.OtherFocusReason)

    def _finish(self, start: bool) -> None:
        self._release()
        if not self._shell.settings.welcomed:
            self._shell.change_settings(welcomed=True)
        self._shell.show_page("talk")
        self._began = start
        if start:
            self._shell.start_session()

    def _begin(self) -> None:
        """The step has changed, or its device: open what it shows by itself."""
        self._release()
        self.page.privacy.setText(where_words_go(self._shell.side.privacy.text()))
        if not self.page.active or self._shell.bridge.active:
            return
        if self.page.step is Step.MICROPHONE:
            self._try()
        elif self.page.step is Step.CAMERA:
            self._look()

    def _try(self) -> None:
        """Open the sound devices of this step."""
        self._release()
        number, page, menus = self._number, self.page, self._shell.menus
        names = menus.inputs.value or None, menus.outputs.value or None
        page.tell(Told(Mood.WAITING, "Opening…"))
        for widget in (page.yes, page.no):
            widget.hide()
        page.progress.setValue(0)
        page.progress.setVisible(page.step is Step.ECHO)

        def made(check: Any, error: Exception | None) -> None:
            if error is not None:
                page.tell(failed(str(error)))
            elif number == self._number:
                self._check = check
                check.start()
                self._timer.start()

        step = page.step
        self._shell.bridge.use_device(lambda: self.make_check(*names, step), made)

    def _look(self) -> None:
        """Open the camera."""
        name, number, preview = self._shell.menus.cameras.value, self._number, self.page.camera
        if not name or "." in name:
            preview.show_note(FILE_AS_CAMERA if name else NO_CAMERA)
            return
        preview.show_note("Opening the camera…")

        def opened(camera: Any, error: Exception | None) -> None:
            if error is not None:
                if number == self._number:
                    preview.show_note(failed(str(error)).text)
            elif number == self._number:
                self._camera = camera
                self._timer.start()
            else:
                self._shell.bridge.use_device(camera.stop)

        self._shell.bridge.use_device(lambda: self.open_camera(name), opened)

    def _release(self) -> None:
        """Give back what is open. The worker waits for it, so a session that starts next finds it free."""
        self._number += 1
        self._timer.stop()
        check, self._check = self._check, None
        camera, self._camera = self._camera, None
        if check is not None:
            check.stop()
            self._shell.bridge.use_device(lambda: check.join(5.0))
        if camera is not None:
            self._shell.bridge.use_device(camera.stop)
            self.page.camera.show_note("Camera off")
        self.page.meter.show_level(-120.0, 10.0)

    def poll(self) -> None:
        """Show what the devices give now."""
        if self._camera is not None:
            self.page.camera.show_newest(self._camera)
        check = self._check
        if check is None:
            return
        ended = check.state == "ended"  # before looking at the rest, which is whole by then
        if check.error:
            self._done(failed(check.error))
        elif self.page.step is Step.MICROPHONE:
            self._show_microphone(check, ended)
        elif ended and self.page.step is Step.ECHO and check.echo is not None:
            told = tell_echo(check.echo, check.cancels)
            self._done(told)
            if told.mood is Mood.GOOD:  # Return goes on, instead of measuring again
                self.page.next.setFocus()
        elif ended and self.page.step is Step.LOUDSPEAKER:
            self._done(Told(Mood.WAITING, "Did you hear it?"))
            self.page.yes.show()
            self.page.no.show()
            self.page.yes.setFocus()
        elif ended:
            self._done(Told(Mood.PROBLEM, "The check was cut off. Please try again."))
        elif check.state == "running":
            self.page.progress.setValue(round(100 * check.progress))
            text = "Playing…" if self.page.step is Step.LOUDSPEAKER else "Measuring… please be quiet."
            self.page.tell(Told(Mood.WAITING, text))

    def _show_microphone(self, check: Any, ended: bool) -> None:
        from engine.audio.device_check import judge_microphone

        self.page.meter.show_level(check.heard.level_db, _POLL_MS / 1000)
        if check.state != "opening":
            self.page.tell(tell_microphone(judge_microphone(check.heard), sys.platform))
        if ended:  # a minute has passed: nobody is here
            self._release()

    def _done(self, told: Told) -> None:
        """The check has ended by itself."""
        self._release()
        self.page.progress.hide()
        self.page.tell(told)

    def _heard(self, yes: bool) -> None:
        self.page.yes.hide()
        self.page.no.hide()
        if yes:
            self.page.tell(Told(Mood.GOOD, TONE_HEARD))
            self.page.next.setFocus()
        else:
            self.page.tell(Told(Mood.PROBLEM, TONE_UNHEARD))
            self.page.play.setFocus()
