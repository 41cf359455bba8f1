"""The figures and the differences of a comparison as tables."""

from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from app.comparing.pair import COLUMNS, cells
from app.text import one_line
from app.theme import Theme
from engine.inspect.compare import Difference, Row

Index = QModelIndex | QPersistentModelIndex
_Role = Qt.ItemDataRole


class Table(QAbstractTableModel):
    """Texts in rows and columns. ``bold``: cells to be drawn so, (row, column)."""

    def __init__(self, heads: tuple[str, ...], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.heads = heads
        self.lines: list[tuple[str, ...]] = []
        self.colour = ""
        self.marked: set[tuple[int, int]] = set()

    def show_lines(self, lines: list[tuple[str, ...]], marked: set[tuple[int, int]] | None = None) -> None:
        """Replace everything. ``marked``: cells that carry a sign and a colour."""
        self.beginResetModel()
        self.lines, self.marked = lines, marked or set()
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.lines)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.heads)

    def data(self, index: Index, role: int = _Role.DisplayRole) -> Any:
        at = (index.row(), index.column())
        if role in (_Role.DisplayRole, _Role.AccessibleTextRole):
            text = self.lines[at[0]][at[1]]
            return f"✓ {text}" if at in self.marked else text
        if role == _Role.ForegroundRole and at in self.marked and self.colour:
            return QColor(self.colour)
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = _Role.DisplayRole) -> Any:
        if role == _Role.DisplayRole and orientation == Qt.Orientation.Horizontal:
            return self.heads[section]
        return None


def figures(table: Table, rows: tuple[Row, ...]) -> None:
    """The better of two figures carries a check mark."""
    lines: list[tuple[str, ...]] = [
        (row.name, one_line(row.first, 60), one_line(row.second, 60)) for row in rows
    ]
    better = {(n, 1 + row.better) for n, row in enumerate(rows) if row.better is not None}
    table.show_lines(lines, better)


def differences(table: Table, found: tuple[Difference, ...]) -> None:
    """A line for each."""
    table.show_lines([cells(difference) for difference in found])


def difference_table() -> Table:
    return Table(COLUMNS)


def table_view(table: Table, name: str, theme: Theme) -> QTableView:
    """A read-only view whose rows are chosen as a whole; Tab leaves it."""
    view = QTableView()
    view.setModel(table)
    view.setAccessibleName(name)
    view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    view.setShowGrid(False)
    view.setAlternatingRowColors(True)
    view.setWordWrap(False)
    view.setTabKeyNavigation(False)
    view.verticalHeader().hide()
    view.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    view.horizontalHeader().setHighlightSections(False)
    view.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    table.colour = theme.ok
    return view
