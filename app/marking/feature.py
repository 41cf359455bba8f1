"""Marks as a feature of the window: keys on the timeline, Ctrl+K, and the list."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDockWidget, QVBoxLayout, QWidget

from app.inspecting.playback import Playback
from app.marking.ledger import Ledger, Row, marked_text, place, time_text
from app.marking.line import MarkLine
from app.marking.panel import MarksPanel
from app.shell import Shell
from app.text import error_line
from app.theme import GAP, px
from engine.config import CHUNK_S
from engine.events import Event, Mark
from engine.recorder.marks import (
    VERDICTS,
    SavedMark,
    add_marks,
    by_hand,
    change_mark,
    made_mark,
    own_words,
    read_marks,
    remove_mark,
)

NOWHERE = "Select a micro-turn on the timeline first, then mark it."
RUNNING = "Marks can be changed when the session has ended."
UNRECORDED = "This session was not recorded: its marks go when the next one begins."
UNSAVED = "{count} not saved: they stay until another session is shown."


class MarkingFeature:
    """Qt's thread only. Files are read and written in the worker, one call after the other."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self.ledger = Ledger()
        self.panel = MarksPanel(shell.theme)
        self.line: MarkLine | None = None
        self._live = shell.live
        self._live_folder: Path | None = None
        self._live_marks: list[Mark] = []
        self._saving = self._stale = self._closed = False
        self._dock = _dock(shell, self.panel)
        mark = shell.commands.mark
        mark.triggered.disconnect()
        mark.triggered.connect(lambda _=False: self.ask())
        self.action = shell.commands.add(
            "&Inspect", "&Marks", "Ctrl+Shift+K", "List the marks of this session", self._toggle,
            checkable=True,
        )  # fmt: skip
        shell.timeline.verdict_asked.connect(self.give_key)
        self._jobs_made_room = False
        self.panel.closed.connect(lambda: self._toggle(False))
        self.panel.table.go_asked.connect(self.go)
        self.panel.table.edit_asked.connect(self.edit)
        self.panel.table.remove_asked.connect(self.remove)
        shell.signals.document_changed.connect(self._document_changed)
        shell.signals.events_taken.connect(self._events_taken)
        shell.signals.theme_changed.connect(lambda: self.panel.set_theme(shell.theme))
        shell.signals.closing.connect(self._close)
        shell.bridge.session_changed.connect(self._session_changed)
        self._document_changed()

    # where marks go

    @property
    def live_runs(self) -> bool:
        """The session that is shown is going on."""
        return self._shell.document is self._shell.live and self._shell.bridge.state == "running"

    @property
    def folder(self) -> Path | None:
        """Where the shown session's marks are saved; None for one that runs or is not recorded."""
        if self._shell.document.path is not None:
            return self._shell.document.path
        return None if self._shell.bridge.active else self._live_folder

    def where(self) -> float | None:
        """Session second at which a mark would go now."""
        timeline = self._shell.document.timeline
        selected = None if timeline.selected is None else timeline.selected * CHUNK_S
        playback = self._playback
        playhead = None if playback is None or self._shell.document.path is None else playback.position_s
        return place(playhead, selected, self.live_runs, timeline.end_s)

    @property
    def _playback(self) -> Playback | None:
        found = self._shell.window_widget.findChild(Playback)
        return found if isinstance(found, Playback) else None

    # giving marks

    def give_key(self, key: int) -> None:
        """The verdict of a digit; ``other`` asks for words."""
        verdict = next((one.name for one in VERDICTS if one.key == key), None)
        if verdict == "other":
            self.ask(verdict)
        elif verdict is not None:
            self._at_place(lambda t: self.give(t, "", verdict))

    def ask(self, verdict: str = "") -> None:
        """Open the small window for a mark at this moment."""
        self._at_place(lambda t: self._open_line(t, verdict, "", lambda v, note: self.give(t, note, v)))

    def _at_place(self, call: Callable[[float], None]) -> None:
        t = self.where()
        if t is None:
            self._shell.notify(NOWHERE)
        else:
            call(t)

    def give(self, t: float, note: str, verdict: str) -> None:
        """Put a mark; a live session writes it itself."""
        mark = made_mark(t, note, verdict)
        if self.live_runs:
            # With no micro-turn selected, the engine knows best what moment this is.
            now = self._shell.document.timeline.end_s <= t
            self._shell.bridge.mark(mark.note, mark.verdict, None if now else mark.t)
        else:
            self.ledger.add(mark)
            if self._shell.document is self._shell.live:
                self._live_marks.append(mark)
            self._show_at_once(mark)
            self._save()
        self._shell.notify(marked_text(mark))
        self._show()

    def _show_at_once(self, mark: Mark) -> None:
        changes = self._shell.document.append([mark])
        self._shell.card.view.show_changes(changes)
        self._shell.timeline.refresh()

    def _save(self) -> None:
        """Save what is not saved; what comes meanwhile is saved after that."""
        folder, rows = self.folder, self.ledger.unsaved()
        if folder is None or self._saving or not rows:
            return
        self._saving = True
        numbers = [row.number for row in rows]
        marks = [row.mark for row in rows]

        def saved(lines: Any, error: Exception | None) -> None:
            self._saving = False
            if self._closed:
                return
            if error is not None:
                self._shell.notify(error_line(error))
            elif self.folder == folder:
                self.ledger.were_saved(numbers, lines)
            if error is None or self.folder != folder:
                self._save()
            if self._stale:
                self._read()
            self._show()

        self._shell.bridge.run_call(lambda: add_marks(folder, marks), saved)

    def _open_line(
        self,
        t: float,
        verdict: str,
        note: str,
        saved: Callable[[str, str], None],
        back: QWidget | None = None,
    ) -> None:
        """``back`` gets the focus afterwards; the timeline when none is given."""
        if self.line is not None:
            self.line.close()
        line = MarkLine(t, verdict, note, self._shell.window_widget)
        line.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        line.saved.connect(saved)
        line.finished.connect(lambda _: self._line_closed(back or self._shell.timeline))
        self.line = line
        line.show()

    def _line_closed(self, back: QWidget) -> None:
        self.line = None
        back.setFocus()

    # the list

    def go(self, number: int) -> None:
        """Show the moment of a mark."""
        row = self.ledger.get(number)
        if row is not None:
            self._shell.show_page("talk")
            self._shell.timeline.select(int(row.mark.t / CHUNK_S + 1e-6))

    def edit(self, number: int) -> None:
        """Ask for another verdict or other words."""
        row = self._changeable(number)
        if row is not None:
            mark = row.mark
            self._open_line(
                mark.t, mark.verdict, own_words(mark), lambda v, n: self._change(row, v, n), self.panel.table
            )

    def _change(self, row: Row, verdict: str, note: str) -> None:
        mark = made_mark(row.mark.t, note, verdict)
        old = row.saved
        if old is None:
            self._replaced(row, mark, None)
        else:
            self._rewrite(
                lambda folder: change_mark(folder, old, mark.note, mark.verdict),
                lambda saved: self._replaced(row, saved.mark, saved),
            )

    def remove(self, number: int) -> None:
        """Take a mark away."""
        row = self._changeable(number)
        if row is None:
            return
        old = row.saved
        if old is None:
            self._removed(row)
        else:
            self._rewrite(lambda folder: remove_mark(folder, old), lambda _: self._removed(row))

    def _replaced(self, row: Row, mark: Mark, saved: SavedMark | None) -> None:
        self.ledger.change(row.number, mark, saved)
        self._show_instead(row.mark, mark)
        self._shell.notify(f"The mark at {time_text(mark.t)} was changed.")
        self._save()

    def _removed(self, row: Row) -> None:
        self.ledger.remove(row.number)
        self._show_instead(row.mark, None)
        self._shell.notify(f"The mark at {time_text(row.mark.t)} was removed.")

    def _show_instead(self, old: Mark, new: Mark | None) -> None:
        """Everywhere at once: neither the place nor the playback is lost."""
        changes = self._shell.document.replace_mark(old, new)
        self._shell.card.view.show_changes(changes)
        self._shell.timeline.refresh()
        self._show()

    def _changeable(self, number: int) -> Row | None:
        if self.folder is None:
            self._shell.notify(RUNNING if self._shell.bridge.active else UNRECORDED)
            return None
        return None if self._saving else self.ledger.get(number)

    def _rewrite(self, call: Callable[[Path], Any], then: Callable[[Any], None]) -> None:
        """Change the file, and what is shown when that is done; nothing else meanwhile."""
        folder, document = self.folder, self._shell.document
        if folder is None:
            return
        self._saving = True

        def done(result: Any, error: Exception | None) -> None:
            self._saving = False
            if self._closed:
                return
            if error is not None:
                self._shell.notify(error_line(error))
            elif self._shell.document is document:
                then(result)
            self._save()  # what was marked meanwhile
            self._show()

        self._shell.bridge.run_call(lambda: call(folder), done)

    # what happens meanwhile

    def _document_changed(self) -> None:
        if self.line is not None:
            self.line.close()
        self.ledger.clear()
        if self._live is not self._shell.live:  # another session, or a visitor's that is forgotten
            self._live, self._live_folder = self._shell.live, None
            self._live_marks.clear()
        self._read()
        self._allow()
        self._show()

    def _read(self) -> None:
        """The marks of a recorded session, from its file; those of a live one come as they fall."""
        document, folder = self._shell.document, self.folder
        self._stale = False
        if folder is None:
            if document is self._shell.live:
                self.ledger.clear()
                for mark in self._live_marks:
                    self.ledger.add(mark)
            return

        def read(found: list[SavedMark] | None, _: Exception | None) -> None:
            if found is None or self._closed or self._shell.document is not document:
                return
            self._stale = self._saving  # it may have been read before what is being saved
            if not self._stale:
                self.ledger.load(found)
                self._show()

        self._shell.bridge.run_call(lambda: read_marks(folder), read)

    def _events_taken(self, events: Sequence[Event]) -> None:
        marks = [event for event in events if isinstance(event, Mark) and by_hand(event)]
        self._live_marks += marks
        if marks and self._shell.document is self._shell.live:
            for mark in marks:
                self.ledger.add(mark)
            self._show()

    def _session_changed(self, state: str, _: str) -> None:
        session = self._shell.bridge.session
        if state == "starting":
            self._live_folder = None
            self._live_marks.clear()
        elif state == "running" and session is not None:
            self._live_folder = session.out_dir
        elif state in ("stopped", "failed") and self._shell.document is self._shell.live and self.folder:
            self.ledger.clear()  # the file has them
            self._read()
        self._allow()
        self._show()

    def _allow(self) -> None:
        """Marking is possible wherever there is something to mark."""
        turns = self._shell.document.timeline.turns.count
        self._shell.commands.mark.setEnabled(self.live_runs or turns > 0)

    def _show(self) -> None:
        waiting = len(self.ledger.unsaved())
        note = ""
        if self.live_runs:
            note = RUNNING if waiting else ""
        elif self.folder is None:
            note = UNRECORDED if waiting else ""
        elif waiting and not self._saving:
            note = UNSAVED.format(count=waiting)
        self.panel.show_rows(self.ledger.rows, note, can_change=self.folder is not None)

    def _toggle(self, on: bool) -> None:
        """The list of background jobs makes room for it."""
        jobs = self._shell.commands.jobs
        self._jobs_made_room, room = on and jobs.isChecked(), self._jobs_made_room
        if on or room:
            jobs.setChecked(not on)
        self.action.setChecked(on)
        self._dock.setVisible(on)
        if on:
            self._shell.show_page("talk")
            self._shell.window_widget.resizeDocks([self._dock], [px(320)], Qt.Orientation.Horizontal)
            self.panel.table.setFocus()

    def _close(self) -> None:
        self._closed = True
        if self.line is not None:
            self.line.close()


def _dock(shell: Shell, panel: MarksPanel) -> QDockWidget:
    """On the right of the window; hidden until it is asked for."""
    dock = QDockWidget("Marks", shell.window_widget)
    dock.setObjectName("marks")
    dock.setFeatures(QDockWidget.DockWidgetFeature.NoDockWidgetFeatures)
    dock.setTitleBarWidget(QWidget())
    body = QWidget()
    layout = QVBoxLayout(body)
    layout.setContentsMargins(0, 2, GAP, GAP)
    layout.addWidget(panel)
    dock.setWidget(body)
    shell.window_widget.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock)
    dock.hide()
    return dock
