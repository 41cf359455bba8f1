"""Devices that come and go while the window is open.

PortAudio's list is frozen and rebuilding it is dear, so only a cheap look is
taken every two seconds: the sound server's devices, ALSA's cards and the video
nodes. The list is read again when that differs. Systems without them are asked
when the window comes forward again, for then somebody may have plugged
something in; their cameras only when the menu opens, since a look switches
them on.
"""

import sys
from collections.abc import Callable, Hashable
from contextlib import suppress
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, QObject, QTimer

from app.device_menus import DeviceMenu
from app.live import Devices
from app.shell import Shell
from app.text import one_line

POLL_MS = 2_000


def what_is_there() -> Hashable:
    """Something that differs when a device has come or gone. Linux; takes about a millisecond."""
    from engine.audio.pulse import PulseClient, PulseError

    served: Hashable = ()
    with suppress(PulseError), PulseClient() as client:
        served = (client.defaults(), frozenset(d.name for d in (*client.sources(), *client.sinks())))
    return served, _names(Path("/sys/class/sound"), "card"), _names(Path("/sys/class/video4linux"), "video")


def _names(folder: Path, kind: str) -> frozenset[str]:
    try:
        return frozenset(node.name for node in folder.iterdir() if node.name.startswith(kind))
    except OSError:
        return frozenset()


class Presence:
    """Tells, once, that a chosen device has gone or is back. Plain Python."""

    def __init__(self, word: str) -> None:
        self._word = word
        self._value = ""
        self._name = ""
        self._gone = False

    def look(self, value: str, found: tuple[tuple[str, str], ...]) -> str:
        """``value`` is chosen, ``found`` is there. What to say; mostly nothing."""
        if value != self._value:
            self._value, self._name, self._gone = value, "", False
        if not value:
            return ""
        name = next((name for known, name in found if known == value), None)
        if name is not None:
            self._name = one_line(name, 60)
            if self._gone:
                self._gone = False
                return f"The {self._word} “{self._name}” is back."
        elif self._name and not self._gone:
            self._gone = True
            return f"The {self._word} “{self._name}” is gone. Plug it in again, or choose another one."
        return ""


class HotPlug(QObject):
    """Looks while the window can be seen. Qt's thread; the looking itself is the worker's."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell.window_widget)
        self._shell = shell
        self.look: Callable[[], Hashable] = what_is_there
        self._seen: Hashable = None
        self._waiting = False
        menus = shell.menus
        self._watched: tuple[tuple[DeviceMenu, Presence], ...] = (
            (menus.inputs, Presence("microphone")),
            (menus.outputs, Presence("loudspeaker")),
            (menus.cameras, Presence("camera")),
        )
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self.poll)
        shell.bridge.devices_changed.connect(self._listed)
        shell.menus.changed.connect(self._chosen)
        shell.signals.closing.connect(self._timer.stop)
        shell.window_widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the window's coming and going."""
        kind = event.type()
        if sys.platform == "linux":
            if kind is QEvent.Type.Show:
                self._timer.start()
            elif kind is QEvent.Type.Hide:
                self._timer.stop()
        elif kind is QEvent.Type.WindowActivate:
            self._ask_anew()
        return False

    def poll(self) -> None:
        """Look, unless the last look has not come back."""
        if self._waiting:
            return
        self._waiting = True

        def looked(seen: Hashable, error: Exception | None) -> None:
            self._waiting = False
            if error is None and seen != self._seen:
                self._seen = seen
                self._shell.bridge.refresh_devices()

        self._shell.bridge.run_call(self.look, looked)

    def _ask_anew(self) -> None:
        """Where nothing tells of changes. Not during a session, whose streams would stand in the way."""
        bridge = self._shell.bridge
        if self._waiting or bridge.active:
            return
        self._waiting = True

        def listed(devices: Any, error: Exception | None) -> None:
            self._waiting = False
            if error is None:
                inputs, outputs = devices
                bridge.devices_changed.emit(Devices(inputs, outputs, self._shell.menus.cameras.found))

        bridge.run_call(_sound_devices, listed)

    def _chosen(self) -> None:
        """Learn the name of what was chosen, while it is there."""
        for menu, presence in self._watched:
            presence.look(menu.value, menu.found)

    def _listed(self, devices: Devices) -> None:
        found = (devices.inputs, devices.outputs, devices.cameras)
        for (menu, presence), there in zip(self._watched, found, strict=True):
            if told := presence.look(menu.value, there):
                self._shell.notify(told)


def _sound_devices() -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]:
    """(value, name) of the microphones and of the loudspeakers. In the worker thread."""
    from engine.audio.devices import list_devices

    found = list_devices(refresh=True)
    return (
        tuple((d.id, d.name) for d in found if d.inputs and not d.is_monitor),
        tuple((d.id, d.name) for d in found if d.outputs),
    )
