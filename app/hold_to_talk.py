"""Hold to talk: the microphone is on only while F8, or a button, is held down."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication

from app.shell import Shell

KEY = Qt.Key.Key_F8
KEY_NAME = "F8"
TAIL_MS = 200
"""The microphone stays on for one more micro-turn, so that the end of the last word is not lost."""
_HOW = f"Hold {KEY_NAME}, or the button, while you talk. Press Start first."


class Held:
    """Whether the microphone is to be open, from what is pressed and let go. Plain Python.

    ``mute`` is called with what changes; it really closes and opens the device.
    """

    def __init__(self, mute: Callable[[bool], object]) -> None:
        self._mute = mute
        self.on = False
        """Whether the mode is on."""
        self._by: set[str] = set()

    @property
    def talking(self) -> bool:
        """Something is held."""
        return bool(self._by)

    def set_on(self, on: bool) -> None:
        """Switch the mode; the microphone is closed with it, and open without it."""
        if on != self.on:
            self.on = on
            self._by.clear()
            self._mute(on)

    def press(self, what: str) -> None:
        """``key`` or ``button`` is held from now on; repeats change nothing."""
        if self.on and what not in self._by:
            first = not self._by
            self._by.add(what)
            if first:
                self._mute(False)

    def let_go(self, what: str) -> None:
        """It is held no longer."""
        if what in self._by:
            self._by.discard(what)
            if not self._by:
                self._mute(True)

    def let_all_go(self) -> None:
        """The window has lost the focus: nobody will tell us of a key that is let go."""
        for what in tuple(self._by):
            self.let_go(what)


class HoldToTalk(QObject):
    """Watches the key wherever the focus is in this program's windows. Qt's thread."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell.window_widget)
        self._shell = shell
        self._muting = False
        self.held = Held(self._mute)
        self._tail = QTimer(self)
        self._tail.setSingleShot(True)
        self._tail.setInterval(TAIL_MS)
        self._tail.timeout.connect(lambda: self._let_go("key"))
        add = shell.commands.add
        self.mode = add(
            "&Devices", "&Hold to talk", "", "The microphone is on only while you hold a key or the button",
            self._switched, checkable=True,
        )  # fmt: skip
        self.hint = add(
            "&Devices", "Talk &while this key is held", KEY_NAME, "Hold to talk, when that is switched on",
            self._explain,
        )  # fmt: skip
        self.hint.setAutoRepeat(False)
        button = shell.side.hold
        button.pressed.connect(lambda: self._press("button"))
        button.released.connect(lambda: self._let_go("button"))
        shell.bridge.muted_changed.connect(self._muted_changed)
        shell.signals.document_changed.connect(self._show)
        shell.signals.settings_changed.connect(self._settings_changed)
        shell.signals.closing.connect(self._close)
        app = QApplication.instance()
        assert app is not None
        app.installEventFilter(self)
        QApplication.instance().applicationStateChanged.connect(self._application_changed)  # type: ignore[union-attr]
        self.mode.setChecked(shell.settings.hold_to_talk)
        self.held.set_on(shell.settings.hold_to_talk)
        self._show()

    def _settings_changed(self) -> None:
        """Switched elsewhere, such as in the settings."""
        on = self._shell.settings.hold_to_talk
        if on != self.held.on:
            self.mode.setChecked(on)
            self.held.set_on(on)
            self._show()

    def _switched(self, on: bool) -> None:
        self.held.set_on(on)
        self._shell.change_settings(hold_to_talk=on)
        self._shell.notify(
            f"The microphone is on only while you hold {KEY_NAME} or the button “Hold to talk”."
            if on
            else "The microphone is on all the time."
        )
        self._show()

    def _explain(self) -> None:
        if self.held.on:
            self._shell.notify(_HOW)
        else:
            self._shell.notify("Hold to talk is off. Switch it on in the menu Devices, or in the settings.")

    def _mute(self, muted: bool) -> None:
        self._muting = True
        try:
            self._shell.bridge.set_muted(muted, held=True)
        finally:
            self._muting = False
        self._show()

    def _muted_changed(self, muted: bool) -> None:
        """Somebody else opened the microphone: then it stays open, and that is said."""
        if self.held.on and not muted and not self._muting:
            self.mode.setChecked(False)
            self.held.on = False
            self._shell.change_settings(hold_to_talk=False)
            self._shell.notify("Hold to talk is off: the microphone stays on.")
            self._show()

    def _press(self, what: str) -> None:
        if what == "key":
            self._tail.stop()
        self.held.press(what)
        self._show()

    def _let_go(self, what: str) -> None:
        self.held.let_go(what)
        self._show()

    def _show(self) -> None:
        self._shell.side.show_hold(self.held.on, self.held.talking)
        self._shell.live.status.set_hold_to_talk(KEY_NAME if self.held.on else "")

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The key is ours while the mode is on, wherever it is pressed; all else goes on."""
        kind = event.type()
        if not self.held.on:
            return False
        if kind in (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            return self._key(event) if isinstance(event, QKeyEvent) and event.key() == KEY else False
        return False

    def _key(self, event: QKeyEvent) -> bool:
        if event.type() is QEvent.Type.ShortcutOverride:
            event.accept()  # or it would become the shortcut that explains
        elif not event.isAutoRepeat():
            if event.type() is QEvent.Type.KeyPress:
                self._press("key")
            elif self.held.talking:
                self._tail.start()
        return True

    def _application_changed(self, state: Qt.ApplicationState) -> None:
        if state is not Qt.ApplicationState.ApplicationActive:
            self._tail.stop()
            self.held.let_all_go()
            self._show()

    def _close(self) -> None:
        self._tail.stop()
        app = QApplication.instance()
        if app is not None:
            app.removeEventFilter(self)
