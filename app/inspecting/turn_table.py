"""The timeline as a table: a tab of the details panel that lists the micro-turns in view."""

from html import escape
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QTableView, QVBoxLayout, QWidget

from app.inspecting.turn_list import COLUMNS, turn_row, visible_turns
from app.shell import Shell
from app.theme import px
from app.timeline.details_panel import DetailsPanel
from app.timeline.model import TimelineModel

Index = QModelIndex | QPersistentModelIndex
_REFRESH_MS = 400
_WIDTHS = (58, 84, 76, 122, 150, 110)


class TurnsModel(QAbstractTableModel):
    """A row a micro-turn; cells are made when they are looked at, so a session of hours costs nothing."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._model = TimelineModel()
        self.turns = range(0)

    def show_turns(self, model: TimelineModel, turns: range) -> None:
        self.beginResetModel()
        self._model, self.turns = model, turns
        self.endResetModel()

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.turns)

    def columnCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(COLUMNS)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        wanted = (
            Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole
        )  # fmt: skip
        if role not in wanted:
            return None
        row = turn_row(self._model, self.turns[index.row()])
        text, name = row.cells[index.column()], COLUMNS[index.column()]
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return row.spoken if index.column() == 0 else f"{name}: {text or 'none'}"
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"<p>{escape(text)}</p>" if text else None
        return text


class TurnsTable(QTableView):
    """Return selects the micro-turn on the timeline."""

    chosen = Signal(int)

    def __init__(self, model: TurnsModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows = model
        self.setModel(model)
        self.setAccessibleName("Micro-turns in view")
        self.setAccessibleDescription("Up and down go from one to the next; Return selects one.")
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.verticalHeader().hide()
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setStretchLastSection(True)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.doubleClicked.connect(lambda _: self._choose())

    def fit(self) -> None:
        """Rows and columns as the size of the text wants them."""
        self.verticalHeader().setDefaultSectionSize(px(24))
        for column, width in enumerate(_WIDTHS):
            self.setColumnWidth(column, px(width))

    @property
    def turn(self) -> int | None:
        """Number of the micro-turn of the current row."""
        at = self.currentIndex().row()
        return self.rows.turns[at] if 0 <= at < len(self.rows.turns) else None

    def show_turn(self, i: int | None) -> None:
        """Make its row the current one, if it is in the table."""
        if i is not None and i in self.rows.turns and i != self.turn:
            column = max(self.currentIndex().column(), 0)
            self.setCurrentIndex(self.rows.index(self.rows.turns.index(i), column))

    def _choose(self) -> None:
        if self.turn is not None:
            self.chosen.emit(self.turn)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._choose()
        else:
            super().keyPressEvent(event)


class TurnTable(QObject):
    """Follows what the timeline shows while the table is seen."""

    def __init__(self, shell: Shell, panel: DetailsPanel) -> None:
        super().__init__(shell.window_widget)
        self._shell, self._panel = shell, panel
        self._shown: tuple[TimelineModel, range] | None = None
        self._rows = TurnsModel(self)
        self.table = TurnsTable(self._rows)
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.table)
        self.tab = panel.add_tab("Table", page)
        self._timer = QTimer(self)
        self._timer.setInterval(_REFRESH_MS)
        self._timer.timeout.connect(self.refresh)
        shell.commands.add(
            "&Inspect", "Ta&ble of micro-turns", "Ctrl+Shift+I", "What is in view, as a table", self.open
        )
        self.table.chosen.connect(shell.timeline.select)
        panel.tab_changed.connect(lambda _: self.refresh())
        shell.timeline.selection_changed.connect(self._selection_changed)
        shell.signals.document_changed.connect(self.refresh)
        shell.signals.theme_changed.connect(self.table.fit)
        shell.signals.closing.connect(self._timer.stop)
        self.table.fit()

    def open(self) -> None:
        """Show the table and go to it."""
        self._shell.show_page("talk")
        self._panel.show()
        self._shell.commands.details.setChecked(True)
        self._panel.show_tab(self.tab)
        self.refresh()
        self.table.setFocus()

    def refresh(self) -> None:
        """Bring it up to date, unless nothing has changed or nobody sees it."""
        if self._panel.tab != self.tab or not self._panel.isVisible():
            self._timer.stop()
            return
        self._timer.start()
        timeline = self._shell.timeline
        shown = timeline.model, visible_turns(timeline.model, timeline.viewport)
        if shown == self._shown:
            return
        was = self.table.turn
        self._shown = shown
        self._rows.show_turns(*shown)
        self.table.show_turn(timeline.model.selected if was is None else was)
        if self.table.turn is None and shown[1]:
            self.table.setCurrentIndex(self._rows.index(0, 0))

    def _selection_changed(self) -> None:
        self.refresh()
        self.table.show_turn(self._shell.timeline.model.selected)
