"""The background's jobs, newest first, with what can be done about them."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.job_row import JobRow
from app.jobs import JobList
from app.theme import GAP, Theme, icon, px

EMPTY = "Nothing yet. What you ask for that takes longer is worked on here, while you go on talking."


class JobsView(QFrame):
    """Shows a JobList; emits what the person wants done."""

    stop_asked = Signal(int)
    retry_asked = Signal(int)
    closed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "card")
        self.setAccessibleName("Background jobs")
        self.theme = theme
        self.rows: dict[int, JobRow] = {}
        self._order: list[int] = []
        self._current = 0
        self.title = QLabel("Background jobs")
        self.title.setProperty("kind", "heading")
        self.close_button = QToolButton()
        self.close_button.setProperty("kind", "quiet")
        self.close_button.setAccessibleName("Close background jobs")
        self.close_button.setToolTip("Close background jobs")
        self.close_button.clicked.connect(self.closed)
        self.empty = QLabel(EMPTY)
        self.empty.setProperty("kind", "dim")
        self.empty.setWordWrap(True)
        self._lay_out()
        self.set_theme(theme)

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self.title, 1)
        top.addWidget(self.close_button)
        self._inner = QWidget()
        self._list = QVBoxLayout(self._inner)
        self._list.setContentsMargins(0, 0, GAP // 2, 0)
        self._list.setSpacing(GAP)
        self._list.addWidget(self.empty)
        self._list.addStretch(1)
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.setWidget(self._inner)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * GAP, GAP, GAP, GAP)
        layout.setSpacing(GAP)
        layout.addLayout(top)
        layout.addWidget(self._area, 1)

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.setMinimumWidth(px(220))
        self.close_button.setIcon(icon("close", theme.dim, 16))
        for row in self.rows.values():
            row.set_theme(theme)

    def show_jobs(self, jobs: JobList, can_act: bool) -> None:
        """Bring the list up to date. ``can_act``: the session runs: they can be stopped and tried again."""
        shown = jobs.jobs
        order = [job.id for job in shown]
        if order != self._order:
            self._arrange(order, jobs)
        for job in shown:
            self.rows[job.id].show_job(job, jobs.now, can_act)

    def _arrange(self, order: list[int], jobs: JobList) -> None:
        """Rows that stay keep their widgets, and so the focus and what is folded out."""
        for number in set(self.rows) - set(order):
            row = self.rows.pop(number)
            self._list.removeWidget(row)
            row.hide()
            row.deleteLater()
        before: QWidget = self.close_button
        for place, number in enumerate(order):
            row = self.rows.get(number) or self._new_row(number, jobs)
            if self._list.indexOf(row) != place + 1:
                self._list.removeWidget(row)
                self._list.insertWidget(place + 1, row)
            for widget in (row, row.details, row.retry, row.stop):
                QWidget.setTabOrder(before, widget)
                before = widget
        self._order = order
        self.empty.setVisible(not order)
        if self._current not in self.rows or not self._has_focus():
            self._make_current(order[0] if order else 0)

    def _has_focus(self) -> bool:
        """Somebody is at a row or one of its buttons."""
        at = QApplication.focusWidget()
        return at is not None and any(row is at or row.isAncestorOf(at) for row in self.rows.values())

    def _new_row(self, number: int, jobs: JobList) -> JobRow:
        job = jobs.get(number)
        assert job is not None
        row = self.rows[number] = JobRow(job, self.theme)
        row.stop_asked.connect(self.stop_asked)
        row.retry_asked.connect(self.retry_asked)
        row.moved.connect(self._moved)
        row.focused.connect(lambda: self._make_current(number))
        return row

    def _make_current(self, number: int) -> None:
        for which in (self._current, number):
            if which in self.rows:
                self.rows[which].set_current(which == number)
        self._current = number

    def _moved(self, by: int) -> None:
        """The focus goes up or down by a row, and stops at the ends."""
        if self._current in self._order:
            at = min(max(self._order.index(self._current) + by, 0), len(self._order) - 1)
            row = self.rows[self._order[at]]
            row.setFocus(Qt.FocusReason.OtherFocusReason)
            self._area.ensureWidgetVisible(row)
