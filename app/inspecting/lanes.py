"""Which lanes of the timeline are shown: a submenu, remembered from run to run."""

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu

from app.shell import Shell


def hidden_lanes(remembered: str) -> frozenset[str]:
    """Names of lanes from the settings' ``hidden_lanes``."""
    return frozenset(name for name in remembered.split(",") if name)


class Lanes(QObject):
    """A lane a checkable entry. The last one that is shown cannot be hidden."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell.window_widget)
        self._shell = shell
        self.menu = QMenu("&Lanes", shell.window_widget)
        self.actions: dict[str, QAction] = {}
        for name, label in shell.timeline.lanes():
            action = self.menu.addAction(label.replace("&", "&&"))
            action.setCheckable(True)
            action.triggered.connect(self._changed)
            self.actions[name] = action
        self.menu.addSeparator()
        self.menu.addAction("Show &all").triggered.connect(self._show_all)
        shell.commands.menu("&Inspect").addMenu(self.menu)
        self._apply(hidden_lanes(shell.settings.hidden_lanes))

    @property
    def hidden(self) -> frozenset[str]:
        return frozenset(name for name, action in self.actions.items() if not action.isChecked())

    def _show_all(self) -> None:
        self._apply(frozenset())
        self._remember()

    def _changed(self) -> None:
        self._apply(self.hidden)
        self._remember()

    def _apply(self, hidden: frozenset[str]) -> None:
        known = hidden & self.actions.keys()
        if len(known) == len(self.actions):
            known = frozenset()
        shown = [name for name in self.actions if name not in known]
        for name, action in self.actions.items():
            action.setChecked(name in shown)
            action.setEnabled(shown != [name])
        self._shell.timeline.set_hidden(known)

    def _remember(self) -> None:
        self._shell.change_settings(hidden_lanes=",".join(sorted(self.hidden)))
