"""Compare and run again, as a feature of the window."""

import threading
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QFileDialog, QLabel, QProgressBar, QProgressDialog

from app.comparing.options import RerunChoice, folder_for
from app.comparing.page import ComparePage
from app.comparing.pair import Pair, read_pair
from app.comparing.rerun_dialog import RerunDialog
from app.shell import Shell
from app.text import error_line, one_line
from engine.errors import MicroturnError
from engine.rerun import Rerun, plan

_POLL_MS = 250


class CompareFeature:
    """Qt's thread only. At most one replay runs at a time; it ends with the window."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self.page = ComparePage(shell.theme)
        self._rerun: Rerun | None = None
        self._starting = self._closed = False
        self._begun: Rerun | None = None
        """What the worker has started and ``_rerun`` does not hold yet."""
        self._lock = threading.Lock()
        self._first: Path | None = None
        self._progress: QProgressDialog | None = None
        self._dialog: RerunDialog | None = None
        shell.add_page("compare", self.page)
        add = shell.commands.add
        add("&Inspect", "&Compare with…", "Ctrl+Shift+C",
            "Lay another session of the same recording over this one", self.choose)  # fmt: skip
        self.rerun_action = add(
            "&Inspect", "&Run again…", "Ctrl+Shift+R",
            "Run this session through another engine or temperament, and compare", self.ask_rerun,
        )  # fmt: skip
        self.page.left.connect(lambda: shell.show_page("talk"))
        self.page.choose_asked.connect(self.choose)
        self.page.rerun_asked.connect(self.ask_rerun)
        self.page.open_asked.connect(shell.open_session)
        shell.signals.document_changed.connect(self._document_changed)
        shell.signals.closing.connect(self.close)
        self._timer = QTimer(self.page)
        self._timer.setInterval(_POLL_MS)
        self._timer.timeout.connect(self.poll)
        self._document_changed()

    @property
    def running(self) -> bool:
        """A session is being run again."""
        return self._rerun is not None

    def _document_changed(self) -> None:
        self._first = self._shell.document.path or self._first

    def choose(self) -> None:
        """Ask for the session to compare with; the open one is the first."""
        if self._first is None:
            self.page.show_pair(None)
            self._shell.show_page("compare")
            self._shell.notify("Open a recorded session first; then choose the one to compare it with.")
            return
        folder = QFileDialog.getExistingDirectory(
            self._shell.window_widget, "Compare with which session?", str(self._first.parent)
        )
        if folder:
            self.compare(self._first, Path(folder))

    def compare(self, first: Path, second: Path) -> None:
        """Read both in the worker and show them."""
        self._shell.notify("Comparing…")

        def read(pair: Any, error: Exception | None) -> None:
            if error is not None:
                self._shell.notify(error_line(error))
                return
            self._show(pair)

        self._shell.bridge.run_call(lambda: read_pair(first, second), read)

    def _show(self, pair: Pair) -> None:
        self._shell.notify("")
        self.page.show_pair(pair)
        self._shell.show_page("compare")
        self.page.view.setFocus()

    def ask_rerun(self) -> None:
        """Ask through what the open session is to be run again."""
        if self.running or self._starting:
            self._shell.notify("A session is being run again already: wait for it, or cancel it.")
        elif self._first is None:
            self._shell.notify("Open a recorded session first: it is the one to be run again.")
        elif self._shell.bridge.active:
            self._shell.notify("A conversation is running: stop it first, it needs the computer for itself.")
        else:
            from engine.engines.registry import ENGINES

            self._dialog = RerunDialog(self._first.name, ENGINES, self._shell.window_widget)
            session, dialog = self._first, self._dialog
            dialog.accepted.connect(lambda: self.start(session, dialog.choice))
            dialog.finished.connect(dialog.deleteLater)
            dialog.open()

    def start(self, session: Path, choice: RerunChoice) -> None:
        """Run a session again; the comparison follows when it is done. Nothing while one is run."""
        from engine.recorder.reader import read_session

        if self.running or self._starting:
            return
        self._starting = True

        def call() -> Rerun:
            what = plan(read_session(session), choice.engine, choice.seed, choice.options)
            with self._lock:
                if self._closed:
                    raise MicroturnError("the window was closed meanwhile")
                self._begun = Rerun(what, folder_for(session, choice))
                return self._begun

        def started(rerun: Any, error: Exception | None) -> None:
            self._starting = False
            if error is not None:
                self._shell.notify(error_line(error))
                return
            self._rerun, self._begun, self._first = rerun, None, session
            # The parent in the constructor: a dialog without one would be a window of its own.
            self._progress = QProgressDialog("", "Cancel", 0, 1000, self._shell.window_widget)
            label = QLabel(f"Running {one_line(session.name, 80)} again through {choice.name}…")
            label.setTextFormat(Qt.TextFormat.PlainText)
            self._progress.setLabel(label)
            self._progress.setWindowTitle("Run again")
            if bar := self._progress.findChild(QProgressBar):
                bar.setTextVisible(False)  # the bar is too low for figures
            self._progress.setAutoClose(False)
            self._progress.setAutoReset(False)
            self._progress.setMinimumDuration(0)
            self._progress.canceled.connect(rerun.cancel)
            self._progress.show()
            self._timer.start()

        self._shell.bridge.run_call(call, started)

    def poll(self) -> None:
        """See how far it is."""
        rerun, first = self._rerun, self._first
        if rerun is None or first is None:
            self._timer.stop()
            return
        try:
            ended = rerun.poll()
        except MicroturnError as err:
            self._finish()
            self._shell.notify(error_line(err))
            return
        if self._progress is not None and not rerun.cancelled:
            self._progress.setValue(round(1000 * rerun.progress))
        if ended:
            cancelled, out = rerun.cancelled, rerun.out
            self._finish()
            if cancelled:
                self._shell.notify(f"Cancelled. What was made until then is in {out.name}.")
            else:
                self.compare(first, out)

    def _finish(self) -> None:
        self._timer.stop()
        if self._progress is not None:
            self._progress.close()
            self._progress.deleteLater()
            self._progress = None
        if self._rerun is not None:
            self._rerun.close()
            self._rerun = None

    def close(self) -> None:
        """The window closes: nothing runs on, not even what the worker is about to start."""
        with self._lock:
            self._closed = True
            self._rerun, self._begun = self._rerun or self._begun, None
        self._finish()
