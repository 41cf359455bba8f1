"""The files that the assistant may read: their names, each with a button to take it back."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from app.text import one_line
from app.theme import GAP, Theme, icon
from engine.background.protocol import MAX_FILES

_NAME_CHARS = 26
_SHOWN = 3
_NARROW_PX = 40


def with_added(known: Sequence[Path], added: Iterable[Path]) -> tuple[Path, ...]:
    """Newest last, each once; of too many the oldest go."""
    fresh = list(dict.fromkeys(added))
    return tuple([path for path in known if path not in fresh] + fresh)[-MAX_FILES:]


class SharedFiles(QWidget):
    """A strip above the text field. Emits the files that remain when one is taken back."""

    changed = Signal(tuple)

    def __init__(self, theme: Theme, rule: str, parent: QWidget | None = None) -> None:
        """``rule``: what is said about who can read them."""
        super().__init__(parent)
        self.setAccessibleName("Shared files")
        self.theme = theme
        self.paths: tuple[Path, ...] = ()
        self.buttons: list[QToolButton] = []
        self._rest: list[QToolButton] = []
        self.rule = QLabel(rule)
        self.rule.setProperty("kind", "label")
        self.rule.setWordWrap(True)
        self._chips = QHBoxLayout()
        self._chips.setSpacing(GAP // 2)
        self._chips.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GAP // 2)
        layout.addWidget(self.rule)
        layout.addLayout(self._chips)
        self.hide()

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        for button in self.buttons:
            button.setIcon(icon("close", theme.dim, 14))

    def show_files(self, paths: Sequence[Path]) -> None:
        """The newest as buttons, older ones in a menu; nothing at all without files."""
        self.paths = tuple(paths)
        for button in (*self.buttons, *self._rest):
            self._chips.removeWidget(button)
            button.hide()
            button.deleteLater()
        newest = self.paths[::-1]
        self.buttons = [self._button(path) for path in newest[:_SHOWN]]
        self._rest = [self._more(newest[_SHOWN:])] if newest[_SHOWN:] else []
        for place, button in enumerate((*self.buttons, *self._rest)):
            self._chips.insertWidget(place, button)
        self.setVisible(bool(self.paths))

    def _more(self, paths: Sequence[Path]) -> QToolButton:
        made = self._small(f"{len(paths)} more")
        made.setAccessibleName(f"{len(paths)} more shared files")
        made.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(made)
        for path in paths:
            action = menu.addAction(f"Stop sharing {_short(path)}")
            action.triggered.connect(lambda _=False, path=path: self._take_back(path))
        made.setMenu(menu)
        return made

    def _take_back(self, path: Path) -> None:
        self.changed.emit(tuple(p for p in self.paths if p != path))

    def _small(self, text: str) -> QToolButton:
        made = QToolButton()
        made.setText(text)
        made.setProperty("kind", "small")
        made.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        made.setMinimumWidth(_NARROW_PX)  # a long name must not widen the window
        made.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        return made

    def _button(self, path: Path) -> QToolButton:
        made = self._small(_short(path))
        made.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        made.setIcon(icon("close", self.theme.dim, 14))
        made.setIconSize(QSize(12, 12))
        made.setAccessibleName(f"Stop sharing {one_line(path.name)}")
        made.setToolTip(f"Stop sharing {one_line(str(path), 300)}")
        made.clicked.connect(lambda: self._take_back(path))
        return made


def _short(path: Path) -> str:
    """A file's name for a button, with its end, which says what it is."""
    name = one_line(path.name)
    short = name if len(name) <= _NAME_CHARS else f"{name[: _NAME_CHARS - 10]}…{name[-9:]}"
    return short.replace("&", "&&")
