"""Commands that go to the next or previous barge-in, long gap, fault, unsure decision or mark."""

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QMenu

from app.inspecting.jumps import KINDS, Kind, neighbour, targets
from app.inspecting.turns import turn_at
from app.shell import Shell
from app.text import one_line
from app.timeline.time_scale import clock_label


class Jumps(QObject):
    """Ctrl+1 to Ctrl+5, with Shift backwards."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell.window_widget)
        self._shell = shell
        inspect = shell.commands.menu("&Inspect")
        inspect.addSeparator()
        for menu_title, word, keys, direction in (
            ("Go to &next", "next", "Ctrl", 1),
            ("Go to pre&vious", "previous", "Ctrl+Shift", -1),
        ):
            submenu = QMenu(menu_title, shell.window_widget)
            for number, kind in enumerate(KINDS, 1):
                action = shell.commands.add(
                    "&Inspect",
                    kind.title,
                    f"{keys}+{number}",
                    f"Go to the {word} {kind.name}",
                    lambda _=False, kind=kind, direction=direction: self.jump(kind, direction),
                )
                inspect.removeAction(action)
                submenu.addAction(action)
            inspect.addMenu(submenu)

    def jump(self, kind: Kind, direction: int) -> None:
        """Select the nearest one and say what it is; or say that there is none."""
        shell = self._shell
        shell.show_page("talk")
        document = shell.document
        found = document.measured.findings if document.measured is not None else None
        among = targets(kind.key, document.timeline, found)
        selected = document.timeline.selected
        target = neighbour(among, self._origin(direction) if selected is None else selected, direction)
        noun = kind.name
        if target is None:
            still = " yet: the recording is still being measured" if document.session is not None else ""
            where = "" if not among else " after this" if direction > 0 else " before this"
            shell.notify(f"There is no {noun}{where}{still or '.'}".rstrip(".") + ".")
            return
        shell.timeline.select(target.turn)
        place = f"{noun[0].upper()}{noun[1:]} {among.index(target) + 1} of {len(among)}"
        shell.notify(f"{place}, at {clock_label(target.t0, 0.1)}: {one_line(target.text, 200)}")

    def _origin(self, direction: int) -> int:
        """Without a selection, from the edge of what is seen."""
        viewport = self._shell.timeline.viewport
        return turn_at(viewport.start_s) - 1 if direction > 0 else turn_at(viewport.stop_s) + 1
