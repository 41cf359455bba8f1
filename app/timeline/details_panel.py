"""Why the selected micro-turn decided as it did: a panel filled from an Explanation; and other tabs."""

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QSizePolicy,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.theme import GAP, Theme, font, icon, px, q
from app.timeline.explain import Explanation, Section
from app.timeline.tracks import LETTERS
from engine.decisions import DECISION_INDEX, DECISIONS

_ROW_PX = 23
_NAME_PX = 104
_VALUE_PX = 46
_MOST_PX = 400


class ProbabilityBars(QWidget):
    """A bar for each decision, greatest first; the one taken is filled and carries its letter."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self._probs: tuple[tuple[str, float], ...] = ()
        self._chosen = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Decision probabilities")

    def show_probs(self, probs: tuple[tuple[str, float], ...], chosen: str) -> None:
        self._probs, self._chosen = probs, chosen
        self.setAccessibleDescription(", ".join(f"{name} {p:.0%}" for name, p in probs))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(240, px(_ROW_PX) * len(DECISIONS))

    def paintEvent(self, _: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        t, high, name_px, value_px, side = self.theme, px(_ROW_PX), px(_NAME_PX), px(_VALUE_PX), px(17)
        room = self.width() - name_px - value_px
        middle = Qt.AlignmentFlag.AlignVCenter
        for row, (name, p) in enumerate(self._probs):
            y, chosen, code = row * high, name == self._chosen, DECISION_INDEX[name]
            badge = QRectF(0, y + (high - side) / 2, side, side)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(q(t.decisions[code]))
            painter.drawRoundedRect(badge, 4, 4)
            painter.setPen(q(t.on_decisions[code]))
            painter.setFont(font(8, QFont.Weight.DemiBold))
            painter.drawText(badge, Qt.AlignmentFlag.AlignCenter, LETTERS[code])
            painter.setPen(q(t.text if chosen else t.dim))
            painter.setFont(font(9, QFont.Weight.DemiBold if chosen else QFont.Weight.Normal))
            painter.drawText(QRectF(side + 7, y, name_px - side - 7, high), middle, name)
            painter.setFont(font(9, QFont.Weight.DemiBold if chosen else QFont.Weight.Normal, tabular=True))
            value = QRectF(self.width() - value_px, y, value_px, high)
            painter.drawText(value, middle | Qt.AlignmentFlag.AlignRight, f"{p:.1%}")
            painter.setPen(Qt.PenStyle.NoPen)
            bar = QRectF(name_px, y + high / 2 - 3.5, max(room, 1), 7)
            painter.setBrush(q(t.raised))
            painter.drawRoundedRect(bar, 3.5, 3.5)
            if p > 0:
                painter.setBrush(q(t.decisions[code]))
                painter.drawRoundedRect(
                    QRectF(bar.x(), bar.y(), max(bar.width() * min(p, 1), 4), 7), 3.5, 3.5
                )
        painter.end()


class DetailsPanel(QFrame):
    """Shows one Explanation, or how to get one. Tab 0; others may be added."""

    closed = Signal()
    tab_changed = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "card")
        self.setAccessibleName("Details of the selected micro-turn")
        self._headline = _label("heading")
        self._when = _label("dim")
        self._verdict = _label("")
        self._verdict.setWordWrap(True)
        self.bars = ProbabilityBars(theme)
        self._close = QToolButton()
        self._close.setProperty("kind", "quiet")
        self._close.setAccessibleName("Close details")
        self._close.setToolTip("Close details")
        self._close.clicked.connect(self.closed)
        self._tabs = QButtonGroup(self)
        self._tabs.idToggled.connect(self._tab_chosen)
        self._pages = QStackedWidget()
        self._tab_row = QHBoxLayout()
        self._tab_row.setSpacing(GAP // 2)
        self._tab_row.addStretch(1)
        self._tab_row.addWidget(self._close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * GAP, GAP, GAP, GAP)
        layout.setSpacing(GAP // 2)
        layout.addLayout(self._tab_row)
        layout.addSpacing(GAP // 2)
        layout.addWidget(self._pages, 1)
        self.add_tab("Micro-turn", self._explanation())
        self.show_tab(0)
        self.set_theme(theme)
        self.show_explanation(None)

    def _explanation(self) -> QWidget:
        self._sections = QVBoxLayout()
        self._sections.setSpacing(GAP // 2)
        inner = QWidget()
        self._body = QVBoxLayout(inner)
        self._body.setContentsMargins(0, 0, GAP, 0)
        self._body.setSpacing(GAP)
        self._body.addWidget(self._verdict)
        self._body.addWidget(self.bars)
        self._body.addLayout(self._sections)
        self._body.addStretch(1)
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GAP // 2)
        layout.addWidget(self._headline)
        layout.addWidget(self._when)
        layout.addSpacing(GAP // 2)
        layout.addWidget(scrolled(inner), 1)
        return page

    def add_tab(self, name: str, page: QWidget) -> int:
        """Another page of the panel, shown by a button; returns its number."""
        number = self._pages.addWidget(page)
        button = QToolButton()
        button.setText(name)
        button.setCheckable(True)
        button.setProperty("kind", "quiet")
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._tabs.addButton(button, number)
        self._tab_row.insertWidget(number, button)
        return number

    def add_below_probabilities(self, widget: QWidget) -> None:
        """Something of the micro-turn that is more than text."""
        self._body.insertWidget(self._body.indexOf(self.bars) + 1, widget)

    @property
    def tab(self) -> int:
        """Number of the page that is shown; 0 is the micro-turn."""
        return self._pages.currentIndex()

    def show_tab(self, number: int) -> None:
        self._tabs.button(number).setChecked(True)

    def _tab_chosen(self, number: int, chosen: bool) -> None:
        if chosen:
            self._pages.setCurrentIndex(number)
            self.tab_changed.emit(number)

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        # Twice as wide for text twice as large would leave nothing for the conversation.
        self.setMinimumWidth(min(px(300), _MOST_PX))
        self.bars.theme = theme
        self.bars.updateGeometry()
        self.bars.update()
        self._close.setIcon(icon("close", theme.dim, 16))

    def show_explanation(self, explanation: Explanation | None) -> None:
        """Fill the panel; None explains how to select a micro-turn."""
        while item := self._sections.takeAt(0):
            if widget := item.widget():
                widget.hide()
                widget.deleteLater()
        self.bars.setVisible(explanation is not None)
        if explanation is None:
            self._headline.setText("Why this decision?")
            self._when.setText("")
            self._verdict.setText(
                "Select a micro-turn on the timeline to see what was decided in it, and on what."
            )
            return
        self._headline.setText(explanation.headline)
        self._when.setText(explanation.when)
        self._verdict.setText(explanation.verdict)
        self.bars.show_probs(explanation.probs, explanation.decision)
        for section in explanation.sections:
            self._sections.addWidget(self._section(section))

    def _section(self, section: Section) -> QWidget:
        box = QWidget()
        grid = QGridLayout(box)
        grid.setContentsMargins(0, GAP, 0, 0)
        grid.setVerticalSpacing(3)
        grid.setHorizontalSpacing(GAP)
        grid.setColumnStretch(1, 1)
        title = _label("label")
        title.setText(section.title)
        grid.addWidget(title, 0, 0, 1, 2)
        for row, entry in enumerate(section.rows, 1):
            name, value = _label("dim"), _label("")
            name.setText(entry.label)
            name.setFixedWidth(px(_NAME_PX) + 3 * GAP)
            name.setWordWrap(True)
            value.setText(("▲ " if entry.alert else "") + entry.value)
            value.setWordWrap(True)
            if entry.alert:
                value.setStyleSheet(f"color: {self.theme.danger};")
            grid.addWidget(name, row, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(value, row, 1)
        return box


def scrolled(inner: QWidget) -> QScrollArea:
    """``inner`` at the width there is, with a bar only for its height."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setWidget(inner)
    area.setAccessibleName(inner.accessibleName() or "Details, scrolled by arrows")
    return area


def _label(kind: str) -> QLabel:
    """Plain text that can be selected with the mouse."""
    made = QLabel()
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    if kind:
        made.setProperty("kind", kind)
    return made
