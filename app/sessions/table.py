"""The table of sessions: rows from catalogue entries, sorted, filtered, and named by hand."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QItemSelection,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from app.sessions import texts
from app.text import one_line, size_text
from app.theme import Theme, px, q
from engine.recorder.catalogue import Entry, matches

Index = QModelIndex | QPersistentModelIndex
SORT = Qt.ItemDataRole.UserRole
PATH = Qt.ItemDataRole.UserRole + 1


@dataclass(frozen=True)
class Column:
    """``text`` is shown, ``order`` sorted by; ``width`` in pixels at the designed size of text."""

    title: str
    width: int
    text: Callable[[Entry], str]
    order: Callable[[Entry], str | float]
    number: bool = False


COLUMNS = (
    Column("Name", 176, texts.name_text, lambda e: texts.name_text(e).casefold()),
    Column("Began", 138, texts.when_text, lambda e: e.when.timestamp()),
    Column("Length", 62, texts.length_text, lambda e: e.duration_s, number=True),
    Column("Said first", 130, lambda e: one_line(e.first_words, 120), lambda e: e.first_words.casefold()),
    Column("Marks", 104, texts.marks_text, lambda e: e.mark_count),
    Column("Faults", 60, lambda e: str(e.faults or ""), lambda e: e.faults, number=True),
    Column("Size", 72, lambda e: size_text(e.bytes), lambda e: e.bytes, number=True),
    Column("Condition", 112, texts.state_text, texts.state_text),
    Column("Turns", 60, lambda e: f"{e.turns:,}" if e.turns else "", lambda e: e.turns, number=True),
    Column("Engine", 70, lambda e: one_line(e.engine, 60), lambda e: texts.model_text(e).casefold()),
)
NAME, BEGAN, SAID = 0, 1, 3
_ALIGNED = {
    False: Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter,
    True: Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter,
}


class SessionModel(QAbstractTableModel):
    """One row an entry, in the order they were given."""

    renamed = Signal(object, str)
    """Somebody gave the session at a path another title."""

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.entries: list[Entry] = []
        self._rows: dict[Path, int] = {}

    def show_entries(self, entries: Sequence[Entry]) -> None:
        """Replace everything."""
        self.beginResetModel()
        self.entries = list(entries)
        self._rows = {entry.path: row for row, entry in enumerate(self.entries)}
        self.endResetModel()

    def update_entries(self, entries: Sequence[Entry]) -> None:
        """Bring rows up to date; entries that are not shown are left out."""
        for entry in entries:
            row = self._rows.get(entry.path)
            if row is not None:
                self.entries[row] = entry
                self.dataChanged.emit(self.index(row, 0), self.index(row, len(COLUMNS) - 1))

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.entries)

    def columnCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(COLUMNS)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section].title
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.TextAlignmentRole:
            return _ALIGNED[COLUMNS[section].number]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        entry, column = self.entries[index.row()], COLUMNS[index.column()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return column.text(entry)
            case Qt.ItemDataRole.EditRole:
                return texts.name_text(entry)
            case Qt.ItemDataRole.ToolTipRole:
                return f"<p>{escape(column.text(entry))}</p>" if column.text(entry) else None
            case Qt.ItemDataRole.AccessibleTextRole:
                return f"{column.title}: {column.text(entry) or 'none'}"
            case Qt.ItemDataRole.TextAlignmentRole:
                return _ALIGNED[column.number]
            case Qt.ItemDataRole.ForegroundRole if column.title == "Condition":
                return q(self._colour(entry))
        if role == SORT:
            return column.order(entry)
        return entry.path if role == PATH else None

    def _colour(self, entry: Entry) -> str:
        if entry.state == "recording":
            return self.theme.danger
        return self.theme.warning if entry.damaged else self.theme.dim

    def flags(self, index: Index) -> Qt.ItemFlag:
        usual = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        named = index.column() == NAME and self.entries[index.row()].state != "recording"
        return usual | Qt.ItemFlag.ItemIsEditable if named else usual

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        entry = self.entries[index.row()]
        if role != Qt.ItemDataRole.EditRole or str(value) == texts.name_text(entry):
            return False
        self.renamed.emit(entry.path, str(value))
        return True


class SessionFilter(QSortFilterProxyModel):
    """The sessions that hold every word of ``query``."""

    def __init__(self, model: SessionModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.sessions = model
        self.query = ""
        self.setSourceModel(model)
        self.setSortRole(SORT)

    def set_query(self, query: str) -> None:
        self.beginFilterChange()
        self.query = query
        self.endFilterChange(QSortFilterProxyModel.Direction.Rows)

    def filterAcceptsRow(self, row: int, parent: Index) -> bool:
        return matches(self.sessions.entries[row], self.query)

    def shown(self) -> list[Entry]:
        """The entries as they are listed."""
        rows = (self.mapToSource(self.index(row, 0)).row() for row in range(self.rowCount()))
        return [self.sessions.entries[row] for row in rows]


class SessionTable(QTableView):
    """Keys: Return opens, Delete asks to delete, F2 gives a title."""

    open_asked = Signal()
    delete_asked = Signal()
    chosen = Signal()
    """Other rows are selected."""

    def __init__(self, model: SessionModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.sessions = model
        self.filter = SessionFilter(model, self)
        self.setModel(self.filter)
        self.setAccessibleName("Recorded sessions")
        self.setAccessibleDescription(
            "Return opens the session, Delete deletes it after a question, F2 gives it a title."
        )
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setSortingEnabled(True)
        self.sortByColumn(BEGAN, Qt.SortOrder.DescendingOrder)
        self.verticalHeader().hide()
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        self.doubleClicked.connect(lambda _: self.open_asked.emit())
        self.selectionModel().selectionChanged.connect(lambda *_: self.chosen.emit())
        self.set_theme(model.theme)

    def set_theme(self, theme: Theme) -> None:
        """Colours, and widths for the present size of text."""
        self.sessions.theme = theme
        for at, column in enumerate(COLUMNS):
            self.setColumnWidth(at, px(column.width))
        self.verticalHeader().setDefaultSectionSize(px(30))
        self._share_room()
        self.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._share_room()

    def _share_room(self) -> None:
        """The words get what the other columns leave; where that is too little, the table scrolls."""
        header, least = self.horizontalHeader(), px(COLUMNS[SAID].width)
        others = sum(header.sectionSize(at) for at in range(len(COLUMNS)) if at != SAID)
        fits = self.viewport().width() - others >= least
        mode = QHeaderView.ResizeMode.Stretch if fits else QHeaderView.ResizeMode.Interactive
        header.setSectionResizeMode(SAID, mode)
        if not fits:
            self.setColumnWidth(SAID, least)

    def selected(self) -> list[Entry]:
        """The entries of the selected rows, as they are listed."""
        indices = sorted(self.selectionModel().selectedRows(), key=lambda index: index.row())
        return [self.sessions.entries[self.filter.mapToSource(index).row()] for index in indices]

    def select(self, paths: Sequence[Path]) -> None:
        """Select the rows of these sessions and show the first of them."""
        wanted, chosen, last = set(paths), QItemSelection(), len(COLUMNS) - 1
        rows = [row for row, entry in enumerate(self.filter.shown()) if entry.path in wanted]
        for row in rows:
            chosen.select(self.filter.index(row, 0), self.filter.index(row, last))
        flag = self.selectionModel().SelectionFlag
        if rows:
            first = self.filter.index(rows[0], NAME)
            self.selectionModel().setCurrentIndex(first, flag.NoUpdate)
            self.scrollTo(first)
        self.selectionModel().select(chosen, flag.ClearAndSelect)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self.state() == QAbstractItemView.State.EditingState:
            super().keyPressEvent(event)
            return
        match event.key():
            case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                self.open_asked.emit()
            case Qt.Key.Key_Delete:
                self.delete_asked.emit()
            case Qt.Key.Key_F2 if self.currentIndex().isValid():
                index = self.filter.index(self.currentIndex().row(), NAME)
                if index.flags() & Qt.ItemFlag.ItemIsEditable:
                    self.setCurrentIndex(index)
                    self.edit(index)
            case _:
                super().keyPressEvent(event)
