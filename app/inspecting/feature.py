"""Everything that a tester does around the timeline, put together."""

import weakref
from typing import Any

from PySide6.QtCore import QObject

from app.document import Document
from app.inspecting.find import Find
from app.inspecting.jump_commands import Jumps
from app.inspecting.lanes import Lanes
from app.inspecting.measured import Measured, measured
from app.inspecting.micro_turn import MicroTurn
from app.inspecting.playback import Playback
from app.inspecting.player import Player
from app.inspecting.selection import Selection
from app.inspecting.turn_table import TurnTable
from app.shell import Shell
from app.timeline.details_panel import DetailsPanel
from engine.recorder.reader import RecordedSession


class Inspecting(QObject):
    """Find, jumps, statistics, a table, playback, lanes, and details; and the measuring that they share."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell.window_widget)
        self._shell = shell
        panel = shell.window_widget.findChild(DetailsPanel)
        assert isinstance(panel, DetailsPanel)
        self.panel = panel
        self.find = Find(shell)
        self.jumps = Jumps(shell)
        self.selection = Selection(shell, panel)
        self.table = TurnTable(shell, panel)
        self.playback = Playback(shell, Player)
        self.lanes = Lanes(shell)
        self.micro_turn = MicroTurn(shell, panel)
        shell.signals.document_changed.connect(self._document_changed)

    def _document_changed(self) -> None:
        document = self._shell.document
        self._show(document.measured)
        if document.session is None:
            return
        # The worker holds its last call until the next one: it must not hold the session with it.
        box: list[RecordedSession] = [document.session]
        shown = weakref.ref(document)

        def came(found: Any, error: Exception | None) -> None:
            self._measured(shown(), found, error)

        self._shell.bridge.run_call(lambda: measured(box.pop()), came)

    def _measured(self, document: Document | None, found: Any, error: Exception | None) -> None:
        if document is None:
            return
        document.session = None
        document.measured = found if isinstance(found, Measured) else None
        if document is not self._shell.document:
            return
        if error is not None:
            self._shell.notify(f"The recording could not be measured ({error}); the timeline is complete.")
        self._show(document.measured)
        self.selection.refresh()

    def _show(self, found: Measured | None) -> None:
        self._shell.timeline.set_findings(found.findings if found is not None else None)
