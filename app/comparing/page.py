"""The page that shows two sessions on one time axis, their figures, and every difference."""

from PySide6.QtCore import QEvent, QModelIndex, QObject, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QSizePolicy,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from app.comparing.pair import Pair, as_text, of_kind
from app.comparing.tables import Table, difference_table, differences, figures, table_view
from app.theme import GAP, Theme
from app.timeline.timeline_widget import TimelineWidget
from engine.config import CHUNK_S
from engine.inspect.compare import Difference

EMPTY = (
    "Choose two sessions of the same recording: open one, then “Compare with…” in the menu Inspect.\n"
    "Or run the open session again through another engine, model or temperament: “Run again…”."
)
ALL = "All differences"
HIDDEN = ("projection", "camera", "compute", "marks")
"""Tracks that would take room from those that are compared."""
_NARROWEST_PX = 76


class ComparePage(QFrame):
    """Holds widgets and a Pair; the feature connects it."""

    left = Signal()
    choose_asked = Signal()
    rerun_asked = Signal()
    open_asked = Signal(object)
    """The folder of a session, to be shown alone."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "card")
        self.theme = theme
        self.pair: Pair | None = None
        self._shown: tuple[Difference, ...] = ()
        self._seen = (0.0, 0.0)
        self.title = _label("Compare", "heading")
        self.note = _label("", "note")
        self.empty = _label(EMPTY, "dim")
        self.headline = _label("", "heading")
        self.names = (_label("", ""), _label("", ""))
        self.timelines = (TimelineWidget(theme), TimelineWidget(theme))
        self.kinds = QComboBox()
        self.kinds.setAccessibleName("Kind of difference")
        self.figures, self.table = Table(("", "First", "Second")), difference_table()
        self.figure_view = table_view(self.figures, "Figures of both sessions", theme)
        self.view = table_view(self.table, "Differences", theme)
        self.buttons = {
            "rerun": _button("Run again…"),
            "choose": _button("Compare with…"),
            "open_first": _button("Open first"),
            "open_second": _button("Open second"),
            "copy": _button("Copy as text"),
            "back": _button("Back"),
        }
        self.buttons["rerun"].clicked.connect(self.rerun_asked)
        self.buttons["choose"].clicked.connect(self.choose_asked)
        self.buttons["back"].clicked.connect(self.left)
        self.buttons["copy"].clicked.connect(self._copy)
        for name in ("open_first", "open_second"):
            self.buttons[name].clicked.connect(lambda _=False, name=name: self._open(name))
        self._lay_out()
        self._connect()
        self.show_pair(None)

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self.title)
        top.addWidget(self.headline, 1)
        top.addWidget(self.buttons["back"])
        commands = QHBoxLayout()
        for key in ("rerun", "choose", "open_first", "open_second", "copy"):
            commands.addWidget(self.buttons[key])
        commands.addStretch(1)
        upper = QWidget()
        tracks = QVBoxLayout(upper)
        tracks.setContentsMargins(0, 0, 0, 0)
        tracks.setSpacing(GAP // 2)
        for name, timeline, order in zip(self.names, self.timelines, ("First", "Second"), strict=True):
            timeline.setAccessibleName(f"{order} timeline")
            timeline.set_hidden(HIDDEN)
            # Long names must not widen the window.
            name.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
            tracks.addWidget(name)
            tracks.addWidget(timeline, 1)
        lower = QWidget()
        tables = QHBoxLayout(lower)
        tables.setContentsMargins(0, 0, 0, 0)
        tables.setSpacing(GAP)
        right = QVBoxLayout()
        right.addWidget(self.kinds)
        right.addWidget(self.view, 1)
        tables.addWidget(self.figure_view, 4)
        tables.addLayout(right, 5)
        self.split = QSplitter(Qt.Orientation.Vertical)
        self.split.addWidget(upper)
        self.split.addWidget(lower)
        self.split.setStretchFactor(0, 3)
        self.split.setStretchFactor(1, 2)
        self.split.setChildrenCollapsible(False)
        self.split.setSizes([560, 240])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * GAP, GAP + 4, 2 * GAP, GAP + 4)
        layout.setSpacing(GAP)
        layout.addLayout(top)
        layout.addLayout(commands)
        layout.addWidget(self.note)
        layout.addWidget(self.empty, 1)
        layout.addWidget(self.split, 1)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)

    def _connect(self) -> None:
        self.kinds.currentIndexChanged.connect(self._filter)
        self.view.selectionModel().currentRowChanged.connect(self._chosen)
        for timeline in self.timelines:
            timeline.installEventFilter(self)
            timeline.selection_changed.connect(self._select_both)

    def show_pair(self, pair: Pair | None) -> None:
        """Show a comparison, or the empty page."""
        self.pair = pair
        self.note.setText(pair.note if pair else "")
        self.note.setVisible(bool(pair and pair.note))
        self.headline.setText(pair.headline if pair else "")
        self.empty.setVisible(pair is None)
        self.split.setVisible(pair is not None)
        for name in ("open_first", "open_second", "copy"):
            self.buttons[name].setVisible(pair is not None)
        if pair is None:
            return
        for order, label, timeline, document in zip(
            ("First", "Second"), self.names, self.timelines, (pair.first, pair.second), strict=True
        ):
            header = document.timeline.header
            about = f"{header.engine}, {header.model}" if header else ""
            label.setText(f"{order}: {document.title}   {about}")
            timeline.set_model(document.timeline, follow=False)
        # One window of time for both: what moves one moves the other.
        self.timelines[1].viewport = self.timelines[0].viewport
        figures(self.figures, pair.found.rows)
        resize = self.figure_view.horizontalHeader()
        resize.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        resize.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        with QSignalBlocker(self.kinds):
            self.kinds.clear()
            self.kinds.addItem(f"{ALL} ({len(pair.found.differences)})", "")
            for kind, count in pair.found.counts.items():
                self.kinds.addItem(f"{kind} ({count})", kind)
        self._filter()

    def _filter(self) -> None:
        if self.pair is None:
            return
        self._shown = of_kind(self.pair.found.differences, str(self.kinds.currentData() or ""))
        differences(self.table, self._shown)
        header = self.view.horizontalHeader()
        for column in range(self.table.columnCount()):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(4, QHeaderView.ResizeMode.Stretch)
        header.setMinimumSectionSize(_NARROWEST_PX)
        marks = [(d.t0, d.t1, d.kind) for d in self._shown]
        for timeline in self.timelines:
            timeline.set_highlights(marks)

    def _chosen(self, current: QModelIndex) -> None:
        if current.isValid() and current.row() < len(self._shown):
            self.timelines[0].select(round(self._shown[current.row()].t0 / CHUNK_S))

    def _select_both(self) -> None:
        sender, other = self.timelines
        if self.sender() is other:
            sender, other = other, sender
        if other.model.selected != sender.model.selected:
            other.model.select(sender.model.selected)
            other.update()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            viewport = self.timelines[0].viewport
            if (viewport.start_s, viewport.span_s) != self._seen:
                self._seen = (viewport.start_s, viewport.span_s)
                for timeline in self.timelines:
                    if timeline is not watched:
                        timeline.update()
        return super().eventFilter(watched, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)

    def _open(self, name: str) -> None:
        if self.pair is not None:
            document = self.pair.first if name == "open_first" else self.pair.second
            self.open_asked.emit(document.path)

    def _copy(self) -> None:
        if self.pair is not None:
            QGuiApplication.clipboard().setText(as_text(self.pair))

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        for table in (self.figures, self.table):
            table.colour = theme.ok
        for timeline in self.timelines:
            timeline.set_theme(theme)


def _label(text: str, kind: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("kind", kind)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(kind in ("note", "dim", "heading"))
    return label


def _button(text: str) -> QPushButton:
    button = QPushButton(text)
    button.setAccessibleName(text)
    return button
