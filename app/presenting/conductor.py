"""Starts, changes and resets the sessions of a presentation. Everything here belongs to Qt's thread."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QMessageBox

from app.presenting.choice import choice_for
from app.presenting.deck import Deck
from app.presenting.wipe import delete_recordings, wipe
from app.shell import Shell
from engine.errors import MicroturnError


class Conductor(QObject):
    """One session at a time. ``changed``: another scene, or the way to one has begun or ended."""

    changed = Signal()

    def __init__(self, shell: Shell, deck: Deck, parent: QObject) -> None:
        super().__init__(parent)
        self.shell, self.deck = shell, deck
        self.presenting = False
        """The presenter window is open: sessions run as the scene asks."""
        self.stand_in = True
        """Recordings of scenes take the microphone's place."""
        self.ask = True
        """A visitor's recording is deleted only after a yes."""
        self.resetting = False
        self.recorded: list[Path] = []
        """Recordings made of this visitor while presenting."""
        self.question: QMessageBox | None = None
        self._after: Callable[[], None] | None = None
        self._timeline_about = shell.timeline.accessibleDescription()
        # Not with session_changed: others would be told of the new start before the end that it waited for.
        shell.bridge.ticked.connect(self._ticked)

    @property
    def switching(self) -> bool:
        """Another session waits for the end of this one."""
        return self._after is not None

    def start(self) -> None:
        """Begin the scene, or, when nothing is presented, a session as the window has it."""
        bridge = self.shell.bridge
        if bridge.active:
            return
        choice = self.shell.choice()
        if self.presenting:
            try:
                choice = choice_for(self.deck.scene, choice, self.stand_in)
            except MicroturnError as err:
                self.shell.notify(str(err), forever=True)
                return
            if choice.record_in is not None:
                self.recorded.append(choice.record_in)
        self.shell.start_session(choice)

    def toggle(self) -> None:
        """Start, or stop what runs."""
        self._after = None
        if self.shell.bridge.active:
            self.shell.bridge.stop()
        else:
            self.start()
        self.changed.emit()

    def step(self, by: int) -> None:
        """Next or previous scene; a running session ends, and the new scene starts."""
        if self.deck.step(by):
            self._changed_scene()

    def choose(self, file: Path | None) -> None:
        """Put on a scene by its file; a running session ends, and that scene starts."""
        if self.deck.choose(file):
            self._changed_scene()

    def _changed_scene(self) -> None:
        if self.presenting and self.shell.bridge.active and not self.resetting:
            self._end_then(self.start)
        self.changed.emit()

    def reset(self) -> None:
        """For the next visitor: end the session, forget everything of this one, start the scene afresh."""
        if self.resetting:
            return
        self.resetting = True
        again = self.presenting or self.shell.bridge.active
        wipe(self.shell, self._timeline_about)
        self.changed.emit()
        self._end_then(lambda: self._forget(again))

    def _end_then(self, call: Callable[[], None]) -> None:
        """Once no session is active any more."""
        self._after = call
        if self.shell.bridge.active:
            self.shell.bridge.stop()
        else:
            self._go_on()

    def _ticked(self) -> None:
        if self._after is not None and not self.shell.bridge.active:
            self._go_on()

    def _go_on(self) -> None:
        after, self._after = self._after, None
        if after is not None:
            after()
            self.changed.emit()

    def _forget(self, again: bool) -> None:
        """The session has ended: what came while it was ending goes as well."""
        wipe(self.shell, self._timeline_about)
        folders, self.recorded = [path for path in self.recorded if path.exists()], []
        self.resetting = False
        if folders and self.ask:
            self._ask(folders)
        elif folders:
            self._delete(folders)
        if again:
            self.start()

    def _ask(self, folders: list[Path]) -> None:
        """Not modal: the next visitor need not wait for it. Without an answer the recording is kept."""
        box = QMessageBox(self.shell.window_widget)
        box.setWindowTitle("Recording of the last visitor")
        what = "the recording" if len(folders) == 1 else f"{len(folders)} recordings"
        box.setText(f"Delete {what} of the last visitor?")
        box.setInformativeText("\n".join(folder.name for folder in folders))
        delete = box.addButton("Delete", QMessageBox.ButtonRole.DestructiveRole)
        keep = box.addButton("Keep", QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(keep)
        box.setEscapeButton(keep)
        box.setModal(False)

        def closed(_: int) -> None:
            if box.clickedButton() is delete:
                self._delete(folders)
            self.question = None
            box.deleteLater()

        box.finished.connect(closed)
        self.question = box
        box.show()

    def _delete(self, folders: list[Path]) -> None:
        def deleted(left: Any, error: Exception | None) -> None:
            if error is not None or left:
                why = str(error) if error is not None else left[0]
                self.shell.notify(f"The visitor's recording is not all gone: {why}", forever=True)
            else:
                self.shell.notify("The visitor's recording was deleted.")

        self.shell.bridge.run_call(lambda: delete_recordings(folders), deleted)
