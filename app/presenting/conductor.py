"""Starts, changes and resets the sessions of a presentation. Everything here belongs to Qt's thread."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QMessageBox

from app.live import Choice
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
        self.aloud = True
        """The room hears them."""
        self.ask = True
        """A visitor's recording is deleted only after a yes."""
        self.resetting = False
        self.trouble = ""
        """Why the scene could not be started: the main window may be covered."""
        self.recorded: list[Path] = []
        """Recordings made of this visitor, by sessions that were started while presenting."""
        self.question: QMessageBox | None = None
        self._after: Callable[[], None] | None = None
        self._presented = False
        self._timeline_about = shell.timeline.accessibleDescription()
        # Not with session_changed: others would be told of the new start before the end that it waited for.
        shell.bridge.ticked.connect(self._ticked)
        shell.bridge.session_changed.connect(self._session_changed)
        shell.adapt_choice = self.adapt

    @property
    def switching(self) -> bool:
        """Another session waits for the end of this one."""
        return self._after is not None

    def adapt(self, choice: Choice) -> Choice:
        """As the scene asks, while one is presented. Raises MicroturnError: its sound or video is missing."""
        if not self.presenting:
            return choice
        try:
            return choice_for(self.deck.scene, choice, self.stand_in, self.aloud)
        except MicroturnError as err:
            self.trouble = str(err)
            self.changed.emit()
            raise

    def toggle(self) -> None:
        """Start, or stop what runs; a reset goes on to its end."""
        if self.resetting:
            return
        self._after = None
        self.shell.toggle_session()
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
        self.trouble = ""
        if self.presenting and self.shell.bridge.active and not self.resetting:
            self._end_then(self.shell.start_session)
        self.changed.emit()

    def reset(self) -> None:
        """For the next visitor: end the session, forget everything of this one, start the scene afresh."""
        if self.resetting:
            return
        self.resetting = True
        again = self.presenting or self.shell.bridge.active
        # A visitor's yes to a recording is not the next one's.
        self.shell.commands.record.setChecked(False)
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

    def _session_changed(self, state: str, _: str) -> None:
        if state == "starting" and self.shell.bridge.session is None:
            self._presented, self.trouble = self.presenting, ""

    def _ticked(self) -> None:
        session = self.shell.bridge.session
        folder = session.out_dir if session is not None and self._presented else None
        if folder is not None and folder not in self.recorded:
            self.recorded.append(folder)
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
            self.shell.start_session()

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
            self.shell.signals.sessions_changed.emit()

        self.shell.bridge.run_call(lambda: delete_recordings(folders), deleted)
