"""Presenter mode as a feature of the window: menu, presenter window, scenes, reset."""

from collections.abc import Sequence

from PySide6.QtCore import QObject
from PySide6.QtGui import QKeySequence

from app.live import LiveSession
from app.presenting.captions import NOTHING, captions
from app.presenting.conductor import Conductor
from app.presenting.deck import Deck, Moment, stage
from app.presenting.figures import PRECISION_S, Figures, compute_text, offset_text
from app.presenting.ring import Ring, taken
from app.presenting.scenes_dialog import ScenesDialog
from app.presenting.window import PresenterWindow, beside, other_screen
from app.session_choice import background_from
from app.shell import Shell
from engine.events import Event

MENU = "&Present"
NEXT_KEYS, BACK_KEYS, BLANK_KEYS = ("PgDown",), ("PgUp",), (".", "B")
"""What slide clickers send."""
_PICTURE_TICKS = 3  # about ten pictures a second


class PresenterFeature(QObject):
    """Follows the live session through the shell's signals, while the presenter window is open."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell.window_widget)
        self.shell = shell
        self.deck = Deck()
        self.conductor = Conductor(shell, self.deck, self)
        self.conductor.stand_in = shell.settings.present_recordings
        self.conductor.aloud = shell.settings.present_aloud
        self.conductor.ask = shell.settings.present_ask_delete
        self.window: PresenterWindow | None = None
        self.dialog: ScenesDialog | None = None
        self._figures = Figures()
        self._ring = Ring()
        self._server, self._sends_pictures = "", False
        self._ticks = 0
        self._add_commands()
        signals = shell.signals
        signals.events_taken.connect(self._events_taken)
        signals.document_changed.connect(self._begin_anew)
        signals.refreshed.connect(self._refreshed)
        signals.theme_changed.connect(self._theme_changed)
        signals.settings_changed.connect(self._settings_changed)
        signals.closing.connect(self._closing)
        shell.commands.record.toggled.connect(lambda _: self.refresh())
        self.conductor.changed.connect(self.refresh)

    def _add_commands(self) -> None:
        add = self.shell.commands.add
        self._present = add(MENU, "&Presenter window", "F5", "Show the conversation to a room", self.present)
        self._second = add(
            MENU,
            "On the &other screen",
            "F6",
            "Presenter window on the other screen, the controls here",
            self.present_beside,
        )
        self._next = add(MENU, "&Next scene", "", "End this scene and go on", lambda: self.conductor.step(1))
        self._back = add(
            MENU, "Previo&us scene", "", "End this scene and go back", lambda: self.conductor.step(-1)
        )
        self._blank = add(
            MENU, "&Blank the screen", "", "Black, and back: nobody sees what goes on", self.blank
        )
        self._scenes = add(MENU, "&Scenes…", "", "Choose, write and share scenes", self.show_scenes)
        self._stand_in = add(
            MENU,
            "Play the scene’s &recording",
            "",
            "A recorded visitor speaks in place of the microphone",
            self._set_stand_in,
            checkable=True,
        )
        self._stand_in.setChecked(self.conductor.stand_in)
        self._aloud = add(
            MENU,
            "Play the visitor a&loud",
            "",
            "The room hears the recorded visitor from the loudspeaker",
            self._set_aloud,
            checkable=True,
        )
        self._aloud.setChecked(self.conductor.aloud)
        self._reset = add(
            MENU, "Reset for the next &visitor", "F9", "End, forget this visitor, start again", self.reset
        )
        self._ask = add(
            MENU,
            "&Ask before deleting a visitor’s recording",
            "",
            "A reset deletes a recording only after a yes",
            self._set_ask,
            checkable=True,
        )
        self._ask.setChecked(self.conductor.ask)

    # the window

    def present(self) -> None:
        """Full screen, on the screen of the main window."""
        window = self._opened()
        window.present(self.shell.window_widget.screen())
        self._bring_forward(window)

    def present_beside(self) -> None:
        """Full screen on the other screen; with one screen an ordinary window beside. The controls stay."""
        window, main = self._opened(), self.shell.window_widget
        other = other_screen(main)
        window.present(other)
        if other is None:
            window.setGeometry(beside(main.frameGeometry(), main.screen().availableGeometry()))
        self._bring_forward(window)

    @staticmethod
    def _bring_forward(window: PresenterWindow) -> None:
        window.raise_()
        window.activateWindow()
        window.setFocus()

    def _opened(self) -> PresenterWindow:
        if self.window is None:
            window = self.window = PresenterWindow(self.shell.theme)
            do = self.shell.commands
            window.addActions(
                [do.toggle, do.mute, do.mark, do.record, do.cancel, do.allow, do.deny,
                 self._present, self._second, self._reset]
            )  # fmt: skip
            window.stepped.connect(self.conductor.step)
            window.toggled.connect(self.conductor.toggle)
            window.stand_in_asked.connect(self._stand_in.trigger)
            window.closed.connect(self._left)
            self.deck.reload()
            for trouble in self.deck.troubles[:1]:
                self.shell.notify(trouble)
            self.conductor.presenting = True
            self._clicker_works(True)
            self._settings_changed()
            self._begin_anew()
        return self.window

    def _left(self) -> None:
        window, self.window = self.window, None
        self.conductor.presenting = False
        self._clicker_works(False)
        if window is not None:
            window.deleteLater()
            if self.shell.bridge.active:
                self.shell.notify("The scene goes on here, until it is stopped.")

    def _clicker_works(self, on: bool) -> None:
        """A clicker's buttons, when the main window has the keyboard, too; not in fields for text."""
        for action, keys in ((self._next, NEXT_KEYS), (self._back, BACK_KEYS), (self._blank, BLANK_KEYS)):
            action.setShortcuts([QKeySequence(key) for key in keys] if on else [])

    def blank(self) -> None:
        """Black the room's screen out, or bring it back."""
        if self.window is not None:
            self.window.set_blank(self.window.blank.isHidden())

    def _closing(self) -> None:
        if self.window is not None:
            self.window.close()
        if self.dialog is not None and not self.dialog.close():
            self.dialog.done(0)  # what was written there is not valid

    # what it shows

    def _begin_anew(self) -> None:
        """Another session, or none: figures, ring and picture are the session's own."""
        self._figures, self._ring = Figures(), Ring()
        if self.window is not None:
            self.window.show_camera(None)
        self.refresh()

    def _events_taken(self, events: Sequence[Event]) -> None:
        if self.conductor.resetting:
            return
        self._figures.append(events)
        jobs = self.shell.live.jobs.open
        work = (jobs[-1].question or jobs[-1].request or jobs[-1].topic) if jobs else ""
        self._ring = taken(self._ring, events, len(jobs), work)
        self.refresh()

    def _refreshed(self, _: float) -> None:
        if self.window is None:
            return
        self._show_stage()
        self._ticks += 1
        if self._ticks % _PICTURE_TICKS == 0 or self.conductor.resetting:
            session = self.shell.bridge.session
            hidden = session is None or self.conductor.resetting
            self.window.show_camera(None if hidden or session is None else session.camera)

    def _moment(self) -> Moment:
        bridge, status, conductor = self.shell.bridge, self.shell.live.status.status, self.conductor
        session = bridge.session
        return Moment(
            session=bridge.state,
            title=status.title,
            hears=_hears(session) if bridge.state == "running" else "",
            progress=status.detail if bridge.state == "starting" else "",
            error=status.detail if bridge.state == "failed" else "",
            muted=bridge.muted,
            recording=session is not None and session.recording,
            record=self.shell.commands.record.isChecked(),
            resetting=conductor.resetting,
            trouble=conductor.trouble,
            switching=conductor.switching,
            silent=captions(self.shell.live.conversation) == (NOTHING, NOTHING),
        )

    def _show_stage(self) -> None:
        if self.window is None:
            return
        moment = self._moment()
        shown = stage(self.deck, moment, self.conductor.stand_in, self._server, self._sends_pictures)
        self.window.show_stage(shown)
        gone = moment.resetting or moment.switching
        said = (NOTHING, NOTHING) if gone else captions(self.shell.live.conversation)
        self.window.show_words(*said, shown.notice)

    def refresh(self) -> None:
        """Bring the presenter window up to date; what has not changed is not painted anew."""
        if self.window is None:
            return
        self._show_stage()
        self.window.ring.show_ring(self._ring)
        self.window.lanes.show_model(self.shell.live.timeline)
        figures = self._figures
        self.window.figures.show_figures(
            (
                (offset_text(figures.offset_s), f"wait for the last reply, ±{PRECISION_S:.1f} s"),
                (compute_text(figures.last_ms, figures.median_ms), "to compute a micro-turn, median"),
            )
        )

    def _settings_changed(self) -> None:
        background = background_from(self.shell.settings)
        self._server, self._sends_pictures = background.base_url, background.send_frames

    def _theme_changed(self) -> None:
        if self.window is not None:
            self.window.set_theme(self.shell.theme)

    # commands

    def reset(self) -> None:
        """Everything of this visitor goes; the scene starts afresh."""
        self.conductor.reset()

    def show_scenes(self) -> None:
        """The list of scenes and their editor."""
        if self.dialog is None:
            self.dialog = ScenesDialog(self.shell, self.deck, self.shell.window_widget)
            self.dialog.chosen.connect(self._scene_chosen)
            self.dialog.finished.connect(self._dialog_closed)
        self.dialog.show()
        self.dialog.raise_()
        self.dialog.activateWindow()

    def _scene_chosen(self, file: object) -> None:
        if self.window is None:
            self.present_beside()
        self.conductor.choose(file)  # type: ignore[arg-type]

    def _dialog_closed(self) -> None:
        dialog, self.dialog = self.dialog, None
        if dialog is not None:
            dialog.deleteLater()
        self.refresh()

    def _set_stand_in(self, on: bool) -> None:
        self.conductor.stand_in, self.conductor.trouble = on, ""
        self.shell.change_settings(present_recordings=on)
        self._used_later()
        self.refresh()

    def _set_aloud(self, on: bool) -> None:
        self.conductor.aloud = on
        self.shell.change_settings(present_aloud=on)
        self._used_later()

    def _used_later(self) -> None:
        if self.shell.bridge.active:
            self.shell.notify("This is used from the next start on.")

    def _set_ask(self, on: bool) -> None:
        self.conductor.ask = on
        self.shell.change_settings(present_ask_delete=on)


def _hears(session: LiveSession | None) -> str:
    """As ``Moment.hears`` says: of the session itself, whatever is chosen for the next one."""
    if session is None:
        return ""
    opened: bool | None = getattr(session.source, "device_open", None)
    if opened is None:
        return "over" if getattr(session.source, "over", False) else "visitor"
    return "open" if opened else "closed"
