"""The list of marks beside the conversation and its timeline."""

from collections.abc import Sequence
from html import escape
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableView,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.marking.ledger import Row
from app.theme import GAP, Theme, icon, px
from engine.recorder.marks import VERDICTS

Index = QModelIndex | QPersistentModelIndex
COLUMNS = ("Time", "Verdict and note")
_TIME_WIDTH = 72
EMPTY = "\n".join(
    (
        "No marks yet. Select a micro-turn and press 1 to 7 for a verdict, or Ctrl+K for a note.",
        "",
        *(f"{one.key}  {one.label}" for one in VERDICTS),
    )
)


class MarksModel(QAbstractTableModel):
    """A row a mark."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: list[Row] = []

    def show_rows(self, rows: Sequence[Row]) -> None:
        self.beginResetModel()
        self.rows = list(rows)
        self.endResetModel()

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(COLUMNS)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self.rows[index.row()]
        text = row.text if index.column() else row.time
        if role == Qt.ItemDataRole.DisplayRole:
            return text
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{COLUMNS[index.column()]}: {text or 'none'}"
        if role == Qt.ItemDataRole.ToolTipRole and text:
            return f"<p>{escape(text)}</p>"
        return None


class MarksTable(QTableView):
    """Keys: Return goes there, F2 changes the mark, Delete removes it."""

    go_asked = Signal(int)
    edit_asked = Signal(int)
    remove_asked = Signal(int)

    def __init__(self, model: MarksModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.marks = model
        self.setModel(model)
        self.setAccessibleName("Marks")
        self.setAccessibleDescription("Return goes to the mark, F2 changes it, Delete removes it.")
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setStretchLastSection(True)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.doubleClicked.connect(lambda _: self.ask(self.go_asked))

    def number(self) -> int | None:
        """Of the chosen mark."""
        at = self.currentIndex().row()
        return self.marks.rows[at].number if 0 <= at < len(self.marks.rows) else None

    def ask(self, signal: Any) -> None:
        """Emit one of the signals for the chosen mark, if there is one."""
        number = self.number()
        if number is not None:
            signal.emit(number)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        match event.key():
            case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                self.ask(self.go_asked)
            case Qt.Key.Key_F2:
                self.ask(self.edit_asked)
            case Qt.Key.Key_Delete:
                self.ask(self.remove_asked)
            case _:
                super().keyPressEvent(event)


class MarksPanel(QFrame):
    """The table with its heading and buttons; a line says what cannot be done, and why."""

    closed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "card")
        self.setAccessibleName("Marks")
        title = QLabel("Marks")
        title.setProperty("kind", "heading")
        self.close_button = QToolButton()
        self.close_button.setProperty("kind", "quiet")
        self.close_button.setAccessibleName("Close marks")
        self.close_button.setToolTip("Close marks")
        self.close_button.clicked.connect(self.closed)
        self.model = MarksModel(self)
        self.table = MarksTable(self.model)
        self.empty, self.note = _label(), _label()
        self.empty.setText(EMPTY)
        self.go = _button("Go", "Select this moment on the timeline (Return)")
        self.edit = _button("Change…", "Change the mark (F2)")
        self.remove = _button("Remove", "Remove the mark (Delete)")
        for button, signal in (
            (self.go, self.table.go_asked),
            (self.edit, self.table.edit_asked),
            (self.remove, self.table.remove_asked),
        ):
            button.clicked.connect(lambda _=False, signal=signal: self.table.ask(signal))
        top = QHBoxLayout()
        top.addWidget(title, 1)
        top.addWidget(self.close_button)
        bottom = QHBoxLayout()
        bottom.setSpacing(GAP)
        for button in (self.go, self.edit, self.remove):
            bottom.addWidget(button)
        bottom.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * GAP, GAP, GAP, GAP)
        layout.setSpacing(GAP)
        layout.addLayout(top)
        layout.addWidget(self.empty)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.note)
        layout.addLayout(bottom)
        layout.addStretch(0)
        self.set_theme(theme)
        self.show_rows([], "", can_change=False)

    def set_theme(self, theme: Theme) -> None:
        self.close_button.setIcon(icon("close", theme.dim, 16))
        self.table.setColumnWidth(0, px(_TIME_WIDTH))

    def show_rows(self, rows: Sequence[Row], note: str, can_change: bool) -> None:
        """``note``: what is to be known of them. The chosen mark stays chosen."""
        number = self.table.number()
        if list(rows) != self.model.rows:
            chosen = next((row.mark.t for row in self.model.rows if row.number == number), float("inf"))
            self.model.show_rows(rows)
            if rows:
                self.table.selectRow(min(range(len(rows)), key=lambda k: (abs(rows[k].mark.t - chosen), -k)))
        self.empty.setVisible(not rows)
        self.table.setVisible(bool(rows))
        self.note.setText(note)
        self.note.setVisible(bool(note))
        self.go.setEnabled(bool(rows))
        for button in (self.edit, self.remove):
            button.setEnabled(bool(rows) and can_change)


def _button(text: str, tip: str) -> QPushButton:
    made = QPushButton(text)
    made.setToolTip(tip)
    made.setAutoDefault(False)
    return made


def _label() -> QLabel:
    made = QLabel()
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setWordWrap(True)
    made.setProperty("kind", "dim")
    return made
