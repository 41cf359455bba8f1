"""The figures of a stretch of the session as a table, with the stretch to choose and a button to copy."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.inspecting.statistics import Row, as_text
from app.theme import GAP, Theme
from app.timeline.details_panel import scrolled

SCOPES = (
    ("range", "Range", "the range selected on the timeline"),
    ("view", "In view", "what the timeline shows now"),
    ("session", "Session", "the whole session"),
)
_NO_RANGE = "Drag with Alt on the timeline, or press Ctrl+Shift+Left or Right, to select a range."


class StatisticsView(QWidget):
    """Shows rows that are given; tells which stretch is wanted."""

    scope_chosen = Signal(str)
    copy_asked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.setAccessibleName("Statistics")
        self.rows: tuple[Row, ...] = ()
        self.heading = QLabel()
        self.heading.setProperty("kind", "heading")
        self.heading.setWordWrap(True)
        self._group = QButtonGroup(self)
        scopes = QHBoxLayout()
        scopes.setSpacing(GAP // 2)
        self.buttons: dict[str, QToolButton] = {}
        for name, text, tip in SCOPES:
            button = QToolButton()
            button.setText(text)
            button.setToolTip(f"Figures of {tip}")
            button.setAccessibleName(f"Figures of {tip}")
            button.setCheckable(True)
            button.setProperty("kind", "small")
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            button.clicked.connect(lambda _=False, name=name: self.scope_chosen.emit(name))
            self._group.addButton(button)
            self.buttons[name] = button
            scopes.addWidget(button)
        scopes.addStretch(1)
        self.copy = QPushButton("Copy as text")
        self.copy.setAccessibleName("Copy the figures as text")
        self.copy.setAutoDefault(False)
        self.copy.clicked.connect(self.copy_asked)
        self._table = QWidget()
        self._grid = QGridLayout(self._table)
        self._grid.setContentsMargins(0, 0, GAP, 0)
        self._grid.setHorizontalSpacing(GAP)
        self._grid.setVerticalSpacing(5)
        self._grid.setColumnStretch(1, 1)
        inner = QWidget()
        body = QVBoxLayout(inner)
        body.setContentsMargins(0, 0, 0, 0)
        body.addWidget(self._table)
        body.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GAP)
        layout.addWidget(self.heading)
        layout.addLayout(scopes)
        layout.addWidget(scrolled(inner), 1)
        layout.addWidget(self.copy, 0, Qt.AlignmentFlag.AlignLeft)
        self._labels: list[tuple[QLabel, QLabel]] = []

    def show_scope(self, scope: str, has_range: bool) -> None:
        """Mark the stretch whose figures are shown."""
        self.buttons[scope].setChecked(True)
        self.buttons["range"].setEnabled(has_range)
        self.buttons["range"].setToolTip("Figures of the selected range" if has_range else _NO_RANGE)

    def show_rows(self, heading: str, rows: tuple[Row, ...]) -> None:
        """Fill the table; labels are kept, so that a selection in one survives where its text does."""
        self.heading.setText(heading)
        self.rows = rows
        while len(self._labels) < len(rows):
            self._add_row()
        for k, (name, value) in enumerate(self._labels):
            shown = k < len(rows)
            name.setVisible(shown)
            value.setVisible(shown)
            if shown:
                row = rows[k]
                name.setText(row.name)
                value.setText(("▲ " if row.alert else "") + row.value)
                value.setStyleSheet(f"color: {self.theme.danger};" if row.alert else "")

    def _add_row(self) -> None:
        name, value = QLabel(), QLabel()
        name.setProperty("kind", "dim")
        for label in (name, value):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            label.setWordWrap(True)
        at = len(self._labels)
        self._grid.addWidget(name, at, 0, Qt.AlignmentFlag.AlignTop)
        self._grid.addWidget(value, at, 1, Qt.AlignmentFlag.AlignTop)
        self._grid.setColumnMinimumWidth(0, 120)
        self._labels.append((name, value))

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.show_rows(self.heading.text(), self.rows)

    def text(self) -> str:
        """What is shown, for the clipboard."""
        return as_text(self.heading.text(), self.rows)
