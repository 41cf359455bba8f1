"""The page of recorded sessions: a field to find, a table, what there is to know of a row, and buttons."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.sessions import texts
from app.sessions.table import SessionModel, SessionTable
from app.theme import GAP, Theme, px
from engine.recorder.catalogue import Entry


class SessionsPage(QFrame):
    """Shows entries; emits what the person wants done with them."""

    left = Signal()
    """Back to the conversation: the button, or Escape."""
    open_asked = Signal(object)
    delete_asked = Signal(list)
    import_asked = Signal()
    folder_asked = Signal(object)
    """A session's folder is to be shown; None: the folder of them all."""
    renamed = Signal(object, str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "card")
        self.setAccessibleName("Recorded sessions")
        self.back = _button("Back to the conversation", self.left.emit, "Back to the conversation (Esc)")
        self.search = QLineEdit()
        self.search.setPlaceholderText("Find in titles, words and notes")
        self.search.setAccessibleName("Find sessions")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._filtered)
        self.search.returnPressed.connect(self.focus_table)
        self.model = SessionModel(theme, self)
        self.model.renamed.connect(self.renamed)
        self.table = SessionTable(self.model)
        self.table.open_asked.connect(self._open)
        self.table.delete_asked.connect(self._delete)
        self.table.chosen.connect(self._chosen)
        self.message = _label("notice")
        self.about = _label("dim")
        self.about.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.total = _label("dim")
        self.total.setWordWrap(False)
        self.empty = _label("dim")
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty_import = _button("Import…", self.import_asked.emit, "Copy a session from elsewhere")
        self.open = _button("Open", self._open, "Show this session (Return)", "primary")
        self.bring = _button("Import…", self.import_asked.emit, "Copy a session from elsewhere")
        self.remove = _button("Delete…", self._delete, "Delete the selected sessions (Delete)")
        self.reveal = _button("Show in folder", self._reveal, "Show the session’s folder in the file manager")
        self.buttons = (self.open, self.bring, self.remove, self.reveal)
        self._lay_out()
        self.set_theme(theme)
        self.show_message("")
        self.show_entries([])

    def _lay_out(self) -> None:
        title = QLabel("Sessions")
        title.setProperty("kind", "title")
        top = QHBoxLayout()
        top.setSpacing(2 * GAP)
        top.addWidget(title)
        top.addWidget(self.search, 1)
        top.addStretch(1)
        top.addWidget(self.back)
        nothing = QWidget()
        middle = QVBoxLayout(nothing)
        middle.setSpacing(2 * GAP)
        middle.addStretch(1)
        middle.addWidget(self.empty)
        middle.addWidget(self.empty_import, 0, Qt.AlignmentFlag.AlignHCenter)
        middle.addStretch(2)
        self.stack = QStackedWidget()
        self.stack.addWidget(self.table)
        self.stack.addWidget(nothing)
        bottom = QHBoxLayout()
        bottom.setSpacing(GAP)
        for button in self.buttons:
            bottom.addWidget(button)
        bottom.addStretch(1)
        bottom.addWidget(self.total)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * GAP, 2 * GAP, 2 * GAP, 2 * GAP)
        layout.setSpacing(GAP + 4)
        layout.addLayout(top)
        layout.addWidget(self.message)
        layout.addWidget(self.stack, 1)
        layout.addWidget(self.about)
        layout.addLayout(bottom)

    def set_theme(self, theme: Theme) -> None:
        self.table.set_theme(theme)
        self.search.setMaximumWidth(px(340))

    # what is shown

    def show_entries(self, entries: Sequence[Entry]) -> None:
        """List these sessions; what was selected stays so."""
        selected = [entry.path for entry in self.table.selected()]
        self.model.show_entries(entries)
        self.table.select(selected)
        if entries and not self.table.selected():
            self.table.selectRow(0)
        self._filtered()

    def update_entries(self, entries: Sequence[Entry]) -> None:
        """What was being read has been read."""
        self.model.update_entries(entries)
        self._chosen()

    def show_message(self, text: str) -> None:
        """One line above the table; nothing takes it away."""
        self.message.setText(text)
        self.message.setVisible(bool(text))

    def focus_table(self) -> None:
        """To the list, or to what can be done where there is none."""
        (self.table if self.stack.currentIndex() == 0 else self.empty_import).setFocus()

    def _filtered(self) -> None:
        query = self.search.text()
        if query != self.table.filter.query:
            self.table.filter.set_query(query)
            if self.table.filter.rowCount() and not self.table.selected():
                self.table.selectRow(0)
        found, known = self.table.filter.rowCount(), len(self.model.entries)
        self.stack.setCurrentIndex(0 if found else 1)
        self.empty_import.setVisible(not known)
        self.empty.setText(texts.EMPTY if not known else "No session has all of these words.")
        self._chosen()

    def _chosen(self) -> None:
        chosen = self.table.selected()
        self.about.setText(texts.about(chosen[0]) if len(chosen) == 1 else "")
        self.about.setVisible(len(chosen) == 1)
        self.open.setEnabled(len(chosen) == 1)
        self.reveal.setEnabled(len(chosen) == 1)
        self.remove.setEnabled(any(entry.state != "recording" for entry in chosen))
        self.search.setEnabled(bool(self.model.entries))
        self.total.setText(texts.total_text(self.table.filter.shown(), self.model.entries))

    # what is wanted

    def _open(self) -> None:
        chosen = self.table.selected()
        if len(chosen) == 1:
            self.open_asked.emit(chosen[0])

    def _delete(self) -> None:
        chosen = [entry for entry in self.table.selected() if entry.state != "recording"]
        if chosen:
            self.delete_asked.emit(chosen)

    def _reveal(self) -> None:
        chosen = self.table.selected()
        if len(chosen) == 1:
            self.folder_asked.emit(chosen[0].path)

    def event(self, event: QEvent) -> bool:
        """Escape is the window's key for silence; here it leads back as well."""
        override = isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride
        if override and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)


def _button(text: str, call: Callable[[], object], tip: str, kind: str = "") -> QPushButton:
    made = QPushButton(text)
    made.setToolTip(tip)
    made.setAutoDefault(False)
    if kind:
        made.setProperty("kind", kind)
    made.clicked.connect(lambda _=False: call())
    return made


def _label(kind: str) -> QLabel:
    made = QLabel()
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setWordWrap(True)
    made.setProperty("kind", kind)
    return made
