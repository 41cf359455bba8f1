"""Menus of microphones, loudspeakers and cameras; each looks for devices anew when it opens."""

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from app.live import Devices
from app.text import one_line

DEFAULT_NAME = "System default"
NO_CAMERA_NAME = "No camera"


class DeviceMenu(QMenu):
    """One kind of device as a list of choices. The chosen one stays listed when it is unplugged."""

    chosen = Signal(str)
    """What to pass on; empty for the first entry."""
    listed = Signal()
    """The entries have changed."""

    def __init__(self, title: str, first: str, parent: QWidget | None = None) -> None:
        super().__init__(title, parent)
        self._first = first
        self._found: tuple[tuple[str, str], ...] = ()
        self._names: dict[str, str] = {}
        self._looked = False
        self._value = ""
        self._group = QActionGroup(self)
        self._fill()

    @property
    def value(self) -> str:
        return self._value

    @property
    def found(self) -> tuple[tuple[str, str], ...]:
        """(value, name) of each device there was when somebody last looked."""
        return self._found

    def name(self) -> str:
        """The choice for people."""
        if not self._value:
            return self._first
        if self._value not in self._names and Path(self._value).is_file():
            return Path(self._value).name
        name = self._names.get(self._value, self._value)
        missing = self._looked and all(value != self._value for value, _ in self._found)
        return f"{name} (not found)" if missing else name

    def choose(self, value: str) -> None:
        """Choose without asking; tells ``chosen`` when it is another than before."""
        changed = value != self._value
        self._value = value
        self._fill()
        if changed:
            self.chosen.emit(value)

    def show_found(self, found: Sequence[tuple[str, str]]) -> None:
        """(value, name) of each device there is now."""
        if tuple(found) != self._found or not self._looked:
            self._found, self._looked = tuple(found), True
            self._names.update(self._found)
            self._fill()
            self.listed.emit()

    def _fill(self) -> None:
        for action in self._group.actions():
            self._group.removeAction(action)
        self.clear()
        known = [("", self._first), *self._found]
        if self._value not in [value for value, _ in known]:
            known.append((self._value, self.name()))
        for value, name in known:
            action = self.addAction(one_line(name, 80).replace("&", "&&"))
            action.setCheckable(True)
            action.setChecked(value == self._value)
            action.setData(value)
            action.setToolTip(f"{self.title().replace('&', '')}: {one_line(name, 80)}")
            action.setStatusTip(action.toolTip())
            self._group.addAction(action)
            action.triggered.connect(self._picked)

    def _picked(self) -> None:
        action = self._group.checkedAction()
        if action is not None:
            self.choose(str(action.data()))


class DeviceMenus(QObject):
    """The three menus together."""

    changed = Signal()

    def __init__(self, refresh: Callable[[], None], parent: QWidget) -> None:
        super().__init__(parent)
        self.inputs = DeviceMenu("&Microphone", DEFAULT_NAME, parent)
        self.outputs = DeviceMenu("&Loudspeaker", DEFAULT_NAME, parent)
        self.cameras = DeviceMenu("&Camera", NO_CAMERA_NAME, parent)
        for menu in (self.inputs, self.outputs, self.cameras):
            menu.aboutToShow.connect(refresh)
            menu.chosen.connect(self.changed)

    def show_devices(self, devices: Devices) -> None:
        self.inputs.show_found(devices.inputs)
        self.outputs.show_found(devices.outputs)
        self.cameras.show_found(devices.cameras)
