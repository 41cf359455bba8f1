"""The lines above and below: scene and what to try, figures, that it is an AI, microphone and recording."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from app.presenting.deck import Stage
from app.presenting.panel import Panel, type_of
from app.theme import Theme, q

_MIDDLE = Qt.AlignmentFlag.AlignVCenter
_SMALLEST = 0.7
"""So much smaller a line may be made to fit."""


def _fitted(painter: QPainter, box: QRectF, text: str, flag: Qt.AlignmentFlag = _MIDDLE) -> None:
    """One line: smaller where it would not fit, and cut with an ellipsis where that is not enough."""
    wide = QFontMetricsF(painter.font()).horizontalAdvance(text)
    if wide > box.width() > 0:
        fitting = painter.font()
        fitting.setPixelSize(max(round(fitting.pixelSize() * max(box.width() / wide, _SMALLEST)), 6))
        painter.setFont(fitting)
    shown = QFontMetricsF(painter.font()).elidedText(text, Qt.TextElideMode.ElideRight, box.width())
    painter.drawText(box, flag | _MIDDLE, shown)


class HeaderPanel(Panel):
    """Name of the scene and what the audience is to try; at the right what goes on."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(theme, "Scene", parent)
        self.stage: Stage | None = None

    def show_stage(self, stage: Stage) -> None:
        if stage != self.stage:
            self.stage = stage
            place = f", {stage.place}" if stage.place else ""
            self.setAccessibleDescription(f"{stage.scene}{place}. {stage.to_try} {stage.state}.")
            self.update()

    def paintEvent(self, _: QPaintEvent) -> None:
        painter, stage = self.painter(), self.stage
        if stage is not None:
            pad, wide = self.px(60), self.width()
            upper = QRectF(pad, self.height() * 0.06, wide - 2 * pad, self.height() * 0.5)
            lower = QRectF(pad, upper.bottom(), upper.width(), self.height() * 0.42)
            painter.setFont(type_of(self.px(22), QFont.Weight.DemiBold))
            painter.setPen(q(self.theme.text))
            _fitted(painter, upper.adjusted(0, 0, -wide * 0.32, 0), stage.scene)
            _fitted(painter, upper.adjusted(wide * 0.68, 0, 0, 0), stage.state, Qt.AlignmentFlag.AlignRight)
            painter.setFont(type_of(self.px(32)))
            _fitted(painter, lower.adjusted(0, 0, -wide * 0.12, 0), stage.to_try)
            painter.setPen(q(self.theme.dim))
            _fitted(painter, lower.adjusted(wide * 0.84, 0, 0, 0), stage.place, Qt.AlignmentFlag.AlignRight)
        painter.end()


class FiguresPanel(Panel):
    """Two figures, each with what it is."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(theme, "Figures", parent)
        self.figures: tuple[tuple[str, str], ...] = ()

    def show_figures(self, figures: tuple[tuple[str, str], ...]) -> None:
        """(value, what it is) of each."""
        if figures != self.figures:
            self.figures = figures
            self.setAccessibleDescription("; ".join(f"{what}: {value}" for value, what in figures))
            self.update()

    def paintEvent(self, _: QPaintEvent) -> None:
        painter, pad = self.painter(), self.px(60)
        share = (self.width() - 2 * pad) / max(len(self.figures), 1)
        for k, (value, what) in enumerate(self.figures):
            box = QRectF(pad + k * share, 0, share - pad, self.height())
            painter.setFont(type_of(self.px(23), QFont.Weight.DemiBold, tabular=True))
            painter.setPen(q(self.theme.text))
            upper = QRectF(box.left(), box.top(), box.width(), box.height() * 0.62)
            _fitted(painter, upper, value)
            painter.setFont(type_of(self.px(44)))
            painter.setPen(q(self.theme.dim))
            _fitted(painter, QRectF(box.left(), upper.bottom(), box.width(), box.height() * 0.36), what)
        painter.end()


class FooterPanel(Panel):
    """That it is an AI; whether it hears and whether it is recorded, each with a shape and words."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(theme, "About this session", parent)
        self.stage: Stage | None = None

    def show_stage(self, stage: Stage) -> None:
        if stage != self.stage:
            self.stage = stage
            self.setAccessibleDescription(f"{stage.about} {stage.input}. {stage.recorded}.")
            self.update()

    def paintEvent(self, _: QPaintEvent) -> None:
        painter, stage, t = self.painter(), self.stage, self.theme
        if stage is not None:
            pad = self.px(60)
            painter.setFont(type_of(self.px(40), QFont.Weight.Medium))
            metrics, right = QFontMetricsF(painter.font()), float(self.width() - pad)
            middle, r = self.height() / 2, self.px(110)
            states = (
                (stage.recorded, stage.recording, t.danger),
                (stage.input, stage.unheard, t.warning),
            )
            for words, strong, colour in states:
                width = metrics.horizontalAdvance(words)
                painter.setPen(q(colour if strong else t.dim))
                painter.drawText(QRectF(right - width, 0, width + 2, self.height()), _MIDDLE, words)
                right -= width + 2.5 * r
                painter.setBrush(q(colour) if strong else Qt.BrushStyle.NoBrush)
                painter.drawEllipse(QPointF(right, middle), r, r)
                right -= r + 2 * pad
            painter.setPen(q(t.text))
            _fitted(painter, QRectF(pad, 0, max(right - pad, 0), self.height()), stage.about)
        painter.end()
