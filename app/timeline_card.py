"""The timeline with its heading, its legend and its buttons."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from app.actions import Actions
from app.side_panel import show_action
from app.theme import GAP, Theme, font, q
from app.timeline.timeline_widget import TimelineWidget
from app.timeline.tracks import LETTERS
from engine.decisions import DECISIONS


class Legend(QWidget):
    """Letter, colour and name of each decision."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Legend")
        pairs = zip(LETTERS, DECISIONS, strict=False)
        self.setAccessibleDescription(", ".join(f"{letter}: {name}" for letter, name in pairs))

    def _widths(self) -> list[float]:
        metrics = QFontMetricsF(font(8.5))
        return [metrics.horizontalAdvance(name) + 34 for name in DECISIONS]

    def sizeHint(self) -> QSize:
        return QSize(round(sum(self._widths())), 20)

    def paintEvent(self, _: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        x, t = 0.0, self.theme
        for code, (name, width) in enumerate(zip(DECISIONS, self._widths(), strict=True)):
            badge = QRectF(x, 3, 14, 14)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(q(t.decisions[code]))
            painter.drawRoundedRect(badge, 3.5, 3.5)
            painter.setPen(q(t.on_decisions[code]))
            painter.setFont(font(7, QFont.Weight.DemiBold))
            painter.drawText(badge, Qt.AlignmentFlag.AlignCenter, LETTERS[code])
            painter.setPen(q(t.dim))
            painter.setFont(font(8.5))
            painter.drawText(QRectF(x + 19, 0, width, 20), Qt.AlignmentFlag.AlignVCenter, name)
            x += width
        painter.end()


class TimelineCard(QFrame):
    """Heading row above the timeline."""

    def __init__(self, theme: Theme, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "card")
        title = QLabel("Timeline")
        title.setProperty("kind", "heading")
        self.legend = Legend(theme)
        self.timeline = TimelineWidget(theme)
        top = QHBoxLayout()
        top.setSpacing(2)
        top.setContentsMargins(2 * GAP - 2, 0, GAP, 0)
        top.addWidget(title)
        top.addSpacing(GAP)
        top.addWidget(self.legend)
        top.addStretch(1)
        self.buttons: list[QToolButton] = []
        for action in (
            actions.mark,
            actions.follow,
            actions.zoom_out,
            actions.zoom_in,
            actions.fit,
            actions.details,
        ):
            button = QToolButton()
            button.setProperty("kind", "quiet")
            button.setIconSize(QSize(18, 18))
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            show_action(button, action)
            button.setToolButtonStyle(
                Qt.ToolButtonStyle.ToolButtonTextBesideIcon
                if action is actions.follow
                else Qt.ToolButtonStyle.ToolButtonIconOnly
            )
            top.addWidget(button)
            self.buttons.append(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2, GAP, 2, 4)
        layout.setSpacing(GAP // 2)
        layout.addLayout(top)
        layout.addWidget(self.timeline, 1)

    def set_theme(self, theme: Theme) -> None:
        self.timeline.set_theme(theme)
        self.legend.theme = theme
        self.legend.update()
