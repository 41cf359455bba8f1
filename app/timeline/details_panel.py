"""Why the selected micro-turn decided as it did: one panel, filled from an Explanation."""

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.theme import GAP, Theme, font, icon, q
from app.timeline.explain import Explanation, Section
from app.timeline.tracks import LETTERS
from engine.decisions import DECISION_INDEX, DECISIONS

_ROW_PX = 23
_NAME_PX = 104
_VALUE_PX = 46


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
        return QSize(240, _ROW_PX * len(DECISIONS))

    def paintEvent(self, _: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        t, room = self.theme, self.width() - _NAME_PX - _VALUE_PX
        middle = Qt.AlignmentFlag.AlignVCenter
        for row, (name, p) in enumerate(self._probs):
            y, chosen, code = row * _ROW_PX, name == self._chosen, DECISION_INDEX[name]
            badge = QRectF(0, y + 3, 17, 17)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(q(t.decisions[code]))
            painter.drawRoundedRect(badge, 4, 4)
            painter.setPen(q(t.on_decisions[code]))
            painter.setFont(font(8, QFont.Weight.DemiBold))
            painter.drawText(badge, Qt.AlignmentFlag.AlignCenter, LETTERS[code])
            painter.setPen(q(t.text if chosen else t.dim))
            painter.setFont(font(9, QFont.Weight.DemiBold if chosen else QFont.Weight.Normal))
            painter.drawText(QRectF(24, y, _NAME_PX - 24, _ROW_PX), middle, name)
            painter.setFont(font(9, QFont.Weight.DemiBold if chosen else QFont.Weight.Normal, tabular=True))
            value = QRectF(self.width() - _VALUE_PX, y, _VALUE_PX, _ROW_PX)
            painter.drawText(value, middle | Qt.AlignmentFlag.AlignRight, f"{p:.1%}")
            painter.setPen(Qt.PenStyle.NoPen)
            bar = QRectF(_NAME_PX, y + 8, max(room, 1), 7)
            painter.setBrush(q(t.raised))
            painter.drawRoundedRect(bar, 3.5, 3.5)
            if p > 0:
                painter.setBrush(q(t.decisions[code]))
                painter.drawRoundedRect(
                    QRectF(bar.x(), bar.y(), max(bar.width() * min(p, 1), 4), 7), 3.5, 3.5
                )
        painter.end()


class DetailsPanel(QFrame):
    """Shows one Explanation, or how to get one."""

    closed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "card")
        self.setAccessibleName("Details of the selected micro-turn")
        self.setMinimumWidth(300)
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
        top = QHBoxLayout()
        top.addWidget(self._headline, 1)
        top.addWidget(self._close)
        self._sections = QVBoxLayout()
        self._sections.setSpacing(GAP // 2)
        inner = QWidget()
        body = QVBoxLayout(inner)
        body.setContentsMargins(0, 0, GAP, 0)
        body.setSpacing(GAP)
        body.addWidget(self._verdict)
        body.addWidget(self.bars)
        body.addLayout(self._sections)
        body.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidget(inner)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * GAP, GAP + 4, GAP, GAP)
        layout.setSpacing(GAP // 2)
        layout.addLayout(top)
        layout.addWidget(self._when)
        layout.addSpacing(GAP // 2)
        layout.addWidget(scroll, 1)
        self.set_theme(theme)
        self.show_explanation(None)

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.bars.theme = theme
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
            name.setFixedWidth(_NAME_PX + 3 * GAP)
            name.setWordWrap(True)
            value.setText(("▲ " if entry.alert else "") + entry.value)
            value.setWordWrap(True)
            if entry.alert:
                value.setStyleSheet(f"color: {self.theme.danger};")
            grid.addWidget(name, row, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(value, row, 1)
        return box


def _label(kind: str) -> QLabel:
    """Plain text that can be selected with the mouse."""
    made = QLabel()
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    if kind:
        made.setProperty("kind", kind)
    return made
