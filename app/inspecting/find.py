"""Find: the bar, the search, and the hit that is selected."""

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QBoxLayout

from app.inspecting.find_bar import FindBar
from app.inspecting.query import EXAMPLES, parse
from app.inspecting.search import MAX_HITS, Hits, marked, search
from app.inspecting.turns import turn_at
from app.shell import Shell
from app.text import error_line, one_line, sentence
from engine.errors import InputError

_TYPING_MS = 200
_LIVE_MS = 1_000


class Find(QObject):
    """Looks through the session that is shown; a running one again about once a second."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell.window_widget)
        self._shell = shell
        self._hits = Hits()
        self._at: int | None = None
        self.bar = FindBar(shell.theme)
        card = shell.timeline.parentWidget()
        layout = card.layout() if card is not None else None
        assert isinstance(layout, QBoxLayout)
        layout.insertWidget(layout.indexOf(shell.timeline), self.bar)
        self._typing, self._growing = _timer(self, _TYPING_MS), _timer(self, _LIVE_MS)
        self._typing.timeout.connect(self.search)
        self._growing.timeout.connect(self.search)
        add = shell.commands.add
        add("&Inspect", "&Find…", "Ctrl+F", "Find words, decisions or faults on the timeline", self.open)
        add("&Inspect", "Find ne&xt", "F3", "Go to the next find", lambda: self.step(1))
        add("&Inspect", "Find pr&evious", "Shift+F3", "Go to the find before", lambda: self.step(-1))
        self.bar.changed.connect(self._typed)
        self.bar.stepped.connect(self.step)
        self.bar.closed.connect(self.close)
        self.bar.escaped.connect(self._silence)
        shell.signals.document_changed.connect(self._document_changed)
        shell.signals.events_taken.connect(self._grown)
        shell.signals.theme_changed.connect(lambda: self.bar.set_theme(shell.theme))
        shell.signals.closing.connect(self._stop)

    def _typed(self) -> None:
        self._typing.start()

    @property
    def hits(self) -> Hits:
        return self._hits

    def open(self) -> None:
        """Show the bar, with what was looked for last."""
        self._shell.show_page("talk")
        self._shell.commands.timeline.setChecked(True)
        self.bar.show()
        self.bar.field.setFocus()
        self.bar.field.selectAll()
        self.search()

    def close(self) -> None:
        """Take bar and highlights away; the timeline gets the focus."""
        had_focus = self.bar.isAncestorOf(self._shell.window_widget.focusWidget() or self.bar.field)
        self.bar.hide()
        self._stop()
        self._hits, self._at = Hits(), None
        self._shell.timeline.set_highlights([])
        if had_focus:
            self._shell.timeline.setFocus()

    def search(self) -> None:
        """Look for what the field says; the hit that was selected stays so while it is still found."""
        self._stop()
        was = self._hits.hits[self._at] if self._at is not None else None
        try:
            query = parse(self.bar.field.text())
        except InputError as err:
            self._show(Hits(), None, f"▲ {sentence(error_line(err))}")
            return
        if not (query.of_words or query.of_turns):
            self._show(Hits(), None, EXAMPLES)
            return
        found = search(self._shell.document.timeline, query)
        self._show(found, found.hits.index(was) if was in found.hits else None, "")

    def step(self, direction: int) -> None:
        """Select the next (1) or previous (-1) hit, and after the last one the first."""
        if self.bar.isHidden():
            self.open()
        if self._typing.isActive():
            self.search()
        hits = self._hits.hits
        if hits:
            self._at = self._next(direction)
            hit = hits[self._at]
            self._shell.timeline.select(hit.turn)
            self._show(self._hits, self._at, one_line(hit.label, 160))

    def _next(self, direction: int) -> int:
        hits, selected = self._hits.hits, self._shell.timeline.model.selected
        if self._at is not None and selected in (None, hits[self._at].turn):
            return (self._at + direction) % len(hits)
        from_turn = turn_at(self._shell.timeline.viewport.start_s) if selected is None else selected
        at = self._hits.near(from_turn if direction > 0 and self._at is None else from_turn + (direction > 0))
        assert at is not None
        if direction > 0:
            return at if hits[at].turn >= from_turn else 0
        return (at if hits[at].turn < from_turn else at - 1) % len(hits)

    def _show(self, found: Hits, at: int | None, message: str) -> None:
        self._hits, self._at = found, at
        total = f"{found.total:,}"
        if found.total > MAX_HITS:
            message = message or f"The first {MAX_HITS:,} are shown."
        if found.total:
            count = f"{total} found" if at is None else f"{at + 1:,} of {total}"
        else:
            count = "" if message else "Nothing found"
        self.bar.show_found(count, message, bool(found.hits))
        self._shell.timeline.set_highlights(marked(found.hits))

    def _silence(self) -> None:
        """Esc silences the assistant wherever it is pressed."""
        if self._shell.commands.silence.isEnabled():
            self._shell.commands.silence.trigger()

    def _document_changed(self) -> None:
        self._hits, self._at = Hits(), None
        self._shell.timeline.set_highlights([])
        if not self.bar.isHidden():
            self.search()

    def _grown(self) -> None:
        shown_live = self._shell.document is self._shell.live
        if shown_live and not self.bar.isHidden() and not self._growing.isActive():
            self._growing.start()

    def _stop(self) -> None:
        self._typing.stop()
        self._growing.stop()


def _timer(parent: QObject, ms: int) -> QTimer:
    made = QTimer(parent)
    made.setSingleShot(True)
    made.setInterval(ms)
    return made
