"""One speaker's last words in very large type; the newest are always in view."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QPaintEvent, QResizeEvent, QTextCharFormat, QTextLayout, QTextOption
from PySide6.QtWidgets import QWidget

from app.presenting.captions import NOTHING, Words
from app.presenting.panel import Panel, type_of
from app.theme import Theme, q

PART = 14
"""Type is the window's height divided by this."""
_LEADING = 1.14
_LABEL_PART = 34


class CaptionPanel(Panel):
    """``label`` names the speaker; ``left`` is the side of bar and label: told apart without colour."""

    def __init__(self, theme: Theme, label: str, left: bool, parent: QWidget) -> None:
        super().__init__(theme, f"{label}: caption", parent)
        self.label, self.left = label, left
        self.words = NOTHING
        self.hint = ""
        self._layout: QTextLayout | None = None

    def show_label(self, label: str) -> None:
        """Who speaks."""
        if label != self.label:
            self.label = label
            self.setAccessibleName(f"{label}: caption")
            self.update()

    def show_words(self, words: Words, hint: str = "") -> None:
        """``hint`` takes the place of words that there are none of."""
        if (words, hint) == (self.words, self.hint):
            return
        if not words.live:
            cut = f" (cut off: {words.unheard})" if words.unheard else ""
            self.setAccessibleDescription(f"{words.text}{cut}" or hint)
        self.words, self.hint, self._layout = words, hint, None
        self.update()

    def set_theme(self, theme: Theme) -> None:
        self._layout = None
        super().set_theme(theme)

    def set_unit(self, unit: int) -> None:
        self._layout = None
        super().set_unit(unit)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._layout = None
        super().resizeEvent(event)

    @property
    def row_px(self) -> float:
        return self.px(PART) * _LEADING

    @property
    def rows_shown(self) -> int:
        """Lines that there is room for."""
        return max(int((self._box().height() - self.px(_LABEL_PART) * 1.3) / self.row_px), 1)

    @property
    def first_row(self) -> int:
        """The newest words are in view; of words that were cut off, the place where they were."""
        layout = self._laid_out()
        first = max(layout.lineCount() - self.rows_shown, 0)
        if self.words.unheard and self.words.text:
            first = min(first, layout.lineForTextPosition(len(self.words.text) - 1).lineNumber())
        return first

    def _box(self) -> QRectF:
        return QRectF(self.rect()).adjusted(0, self.px(120), 0, -self.px(120))

    def _laid_out(self) -> QTextLayout:
        if self._layout is not None:
            return self._layout
        words = self.words
        text = words.text if words.text or words.unheard else self.hint
        whole = f"{text} {words.unheard}".strip() if words.unheard else text
        layout = QTextLayout(whole, type_of(self.px(PART), QFont.Weight.Medium))
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        layout.setTextOption(option)
        layout.setFormats(self._formats(text, whole))
        layout.beginLayout()
        y = 0.0
        while (row := layout.createLine()).isValid():
            row.setLineWidth(max(self.width() - 4.0 * self.px(60), 40.0))
            row.setPosition(QPointF(0, y))
            y += self.row_px
        layout.endLayout()
        self._layout = layout
        return layout

    def _formats(self, text: str, whole: str) -> list[QTextLayout.FormatRange]:
        """What was never heard is struck through; what may still change is slanted and dotted below."""
        unusual, part = QTextCharFormat(), QTextLayout.FormatRange()
        unusual.setForeground(q(self.theme.dim))
        if self.words.unheard:
            unusual.setFontStrikeOut(True)
            part.start, part.length = len(whole) - len(self.words.unheard), len(self.words.unheard)
        elif self.words.text and self.words.sure < len(text):
            unusual.setFontItalic(True)
            unusual.setUnderlineStyle(QTextCharFormat.UnderlineStyle.DotLine)
            unusual.setUnderlineColor(q(self.theme.dim))
            part.start, part.length = self.words.sure, len(text) - self.words.sure
        elif not self.words.text:
            part.start, part.length = 0, len(whole)
        else:
            return []
        part.format = unusual
        return [part]

    def paintEvent(self, _: QPaintEvent) -> None:
        painter, t = self.painter(), self.theme
        box, pad = self._box(), self.px(60)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(q(t.user if self.left else t.raised))
        painter.drawRoundedRect(box, pad / 1.5, pad / 1.5)
        bar = QRectF(box.left() if self.left else box.right() - pad / 2, box.top(), pad / 2, box.height())
        painter.setBrush(q(t.user_level if self.left else t.assistant_level))
        painter.drawRoundedRect(bar, pad / 4, pad / 4)
        label_px = self.px(_LABEL_PART)
        inner = box.adjusted(1.6 * pad, label_px * 0.25, -1.6 * pad, 0)
        painter.setFont(type_of(label_px, QFont.Weight.DemiBold))
        painter.setPen(q(t.dim))
        side = Qt.AlignmentFlag.AlignLeft if self.left else Qt.AlignmentFlag.AlignRight
        painter.drawText(QRectF(inner.left(), inner.top(), inner.width(), label_px * 1.25), side, self.label)
        layout, first = self._laid_out(), self.first_row
        top = inner.top() + label_px * 1.15
        painter.setPen(q(t.text))
        for row in range(first, min(first + self.rows_shown, layout.lineCount())):
            layout.lineAt(row).draw(painter, QPointF(inner.left(), top - first * self.row_px))
        painter.end()
