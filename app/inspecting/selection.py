"""Statistics of a stretch of the session: a tab of the details panel, kept up to date while it is seen."""

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication

from app.inspecting.statistics import statistics, table
from app.inspecting.statistics_view import StatisticsView
from app.shell import Shell
from app.timeline.details_panel import DetailsPanel

_REFRESH_MS = 700
_HEADINGS = {"range": "Selected range", "view": "What is in view", "session": "Whole session"}


class Selection(QObject):
    """A range that is selected is shown at once; without one, the whole session."""

    def __init__(self, shell: Shell, panel: DetailsPanel) -> None:
        super().__init__(shell.window_widget)
        self._shell, self._panel = shell, panel
        self._scope = "session"
        self._shown: tuple[object, ...] = ()
        self._came_by_itself = False
        self.view = StatisticsView(shell.theme)
        self.tab = panel.add_tab("Statistics", self.view)
        self._timer = QTimer(self)
        self._timer.setInterval(_REFRESH_MS)
        self._timer.timeout.connect(self.refresh)
        shell.commands.menu("&Inspect").addSeparator()
        shell.commands.add(
            "&Inspect", "St&atistics", "Ctrl+I", "Figures of the selected range, or of the session", self.open
        )
        self.view.scope_chosen.connect(self.choose)
        self.view.copy_asked.connect(self._copy)
        panel.tab_changed.connect(self._tab_changed)
        shell.timeline.range_changed.connect(self._range_changed)
        shell.timeline.selection_changed.connect(self._micro_turn_selected)
        shell.signals.document_changed.connect(self._document_changed)
        shell.signals.theme_changed.connect(lambda: self.view.set_theme(shell.theme))
        shell.signals.closing.connect(self._timer.stop)

    def open(self) -> None:
        """Show the figures."""
        self._shell.show_page("talk")
        self._panel.show()
        self._shell.commands.details.setChecked(True)
        self._came_by_itself = False
        self._panel.show_tab(self.tab)
        self.refresh()

    def choose(self, scope: str) -> None:
        """Which stretch to count: range, view or session."""
        self._scope = scope
        self.refresh()

    def refresh(self) -> None:
        """Bring the figures up to date, unless nothing has changed or nobody sees them."""
        if self._panel.tab != self.tab or not self._panel.isVisible():
            self._timer.stop()
            return
        self._timer.start()
        timeline, document = self._shell.timeline, self._shell.document
        selected = timeline.selected_range
        scope = "session" if self._scope == "range" and selected is None else self._scope
        model = timeline.model
        if scope == "range" and selected is not None:
            t0, t1 = selected
        elif scope == "view":
            t0, t1 = max(timeline.viewport.start_s, model.first_s), min(timeline.viewport.stop_s, model.end_s)
        else:
            t0, t1 = model.first_s, model.end_s
        instants = len(model.items.instants.items)
        key = (scope, t0, t1, selected is None, model.turns.end, instants, document.measured is not None)
        if key == self._shown:
            return
        self._shown = key
        self.view.show_scope(scope, selected is not None)
        found = statistics(model, document.measured, t0, max(t1, t0))
        self.view.show_rows(_HEADINGS[scope], table(found))

    def _copy(self) -> None:
        QApplication.clipboard().setText(self.view.text())
        self._shell.notify("The figures are on the clipboard.")

    def _range_changed(self) -> None:
        if self._shell.timeline.selected_range is None:
            self.refresh()
            return
        self._scope = "range"
        if self._panel.isVisible() and self._panel.tab != self.tab:
            self._panel.show_tab(self.tab)
            self._came_by_itself = True
        self.refresh()

    def _micro_turn_selected(self) -> None:
        """Whoever selects a micro-turn wants to see it, unless figures were asked for or a range grows."""
        timeline = self._shell.timeline
        alone = timeline.selected_range is None and timeline.model.selected is not None
        if alone and self._came_by_itself:
            self._panel.show_tab(0)

    def _tab_changed(self, number: int) -> None:
        self._came_by_itself = False
        if number == self.tab:
            self._shown = ()
            self.refresh()

    def _document_changed(self) -> None:
        self._shown = ()
        self._scope = "session"
        self.refresh()
