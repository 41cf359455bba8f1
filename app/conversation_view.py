"""The conversation on the screen: bubbles with times, what was cut off, and who spoke at once."""

from bisect import bisect_right
from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QPointF,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import (
    QFont,
    QFontMetricsF,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPen,
    QResizeEvent,
    QTextCharFormat,
    QTextLayout,
    QTextOption,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QListView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolButton,
    QWidget,
)

from app.conversation import Changes, Conversation, Line, joined
from app.theme import GAP, Theme, font, icon, mix, px, q
from app.timeline.time_scale import clock_label

Index = QModelIndex | QPersistentModelIndex

MAX_BUBBLE_PX = 620
_PAD_X, _PAD_Y = 15, 10
_META_PX = 19
_SPACE_PX = 11
_GUTTER_PX = 18
"""Left of all bubbles, for the bracket of lines that were spoken at once."""
_TEXT_PT, _SMALL_PT, _META_PT = 12, 10, 8.5
LINE_ROLE = Qt.ItemDataRole.UserRole
JOINED_ROLE = LINE_ROLE + 1


def meta_text(line: Line) -> str:
    """Who, when, and what was unusual about it."""
    who = {"user": "You", "typed": "You typed", "assistant": "Microturn"}.get(line.speaker, "")
    parts = [
        who,
        clock_label(line.t0, 0.2) + (f" – {clock_label(line.t1, 0.2)}" if line.t1 - line.t0 > 0.05 else ""),
    ]
    if line.live:
        parts.append("now")
    if line.overlap_s:
        parts.append(f"both at once for {line.overlap_s:.1f} s")
    if line.unheard:
        parts.append("cut off")
    return "  ·  ".join(part for part in parts if part)


def spoken_text(line: Line) -> str:
    """The line for a screen reader and the clipboard."""
    text = line.text + (f" [cut off, not heard: {line.unheard}]" if line.unheard else "")
    if line.sure is not None and line.sure < len(text):
        text = f"{text[: line.sure]} [may change: {text[line.sure :].strip()}]".strip()
    return f"{meta_text(line)}: {text}" + (f" (×{line.repeated})" if line.repeated > 1 else "")


class ConversationModel(QAbstractListModel):
    """Qt's view of a Conversation."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.conversation = Conversation()
        self._rows: list[Line] = []

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not 0 <= index.row() < len(self._rows):
            return None
        line = self._rows[index.row()]
        if role == LINE_ROLE:
            return line
        if role == JOINED_ROLE:
            return joined(self._rows, index.row()) if line.voice or line.speaker == "note" else (False, False)
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return spoken_text(line)
        return None

    def replace(self, conversation: Conversation) -> None:
        self.beginResetModel()
        self.conversation = conversation
        self._rows = list(conversation.lines)
        self.endResetModel()

    def show_changes(self, changes: Changes) -> None:
        """Tell views of changes that the conversation has made already."""
        if changes.reset:
            self._follow()
            if self._rows:
                self.dataChanged.emit(self.index(0), self.index(len(self._rows) - 1))
            return
        if changes.appended:
            count = len(self._rows)
            self.beginInsertRows(QModelIndex(), count, count + changes.appended - 1)
            self._rows = list(self.conversation.lines)
            self.endInsertRows()
        for row in changes.updated:
            self.dataChanged.emit(self.index(row), self.index(row))

    def _follow(self) -> None:
        """Replace only what differs, so that selection and place in the list survive."""
        old, new = self._rows, self.conversation.lines
        same = next(
            (k for k, (a, b) in enumerate(zip(old, new, strict=False)) if a is not b), min(len(old), len(new))
        )
        most = min(len(old), len(new)) - same
        tail = next((k for k in range(most) if old[-1 - k] is not new[-1 - k]), most)
        if (end := len(old) - tail) > same:
            self.beginRemoveRows(QModelIndex(), same, end - 1)
            self._rows = old[:same] + old[end:]
            self.endRemoveRows()
        if (end := len(new) - tail) > same:
            self.beginInsertRows(QModelIndex(), same, end - 1)
            self._rows = list(new)
            self.endInsertRows()


@dataclass(frozen=True)
class Shape:
    """A laid-out line: the text's layout and the sizes around it."""

    layout: QTextLayout
    text_width: float
    text_height: float
    height: int


class LineDelegate(QStyledItemDelegate):
    """Paints lines. Yours to the right, the assistant's to the left, notes across."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self._shapes: WeakKeyDictionary[Line, tuple[tuple[int, int], Shape]] = WeakKeyDictionary()

    def forget(self) -> None:
        """Layouts depend on the theme's colours."""
        self._shapes.clear()

    def known_height(self, line: Line) -> int:
        """Height at which the line was last laid out; 0 when it never was."""
        kept = self._shapes.get(line)
        return kept[1].height if kept is not None else 0

    def shape(self, line: Line, width: int) -> Shape:
        """Layout of a line for a view of ``width`` pixels, kept until the line changes."""
        key = line.version, width
        kept = self._shapes.get(line)
        if kept is not None and kept[0] == key:
            return kept[1]
        shape = self._lay_out(line, width)
        self._shapes[line] = key, shape
        return shape

    def _lay_out(self, line: Line, width: int) -> Shape:
        note = line.speaker in ("note", "fault")
        small = note or line.backchannel
        text = line.text + (f" ×{line.repeated}" if line.repeated > 1 else "")
        whole = f"{text} {line.unheard}" if line.unheard else text
        layout = QTextLayout(whole, font(_SMALL_PT if small else _TEXT_PT))
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        layout.setTextOption(option)
        unusual = QTextCharFormat()
        unusual.setForeground(q(self.theme.dim))
        part = QTextLayout.FormatRange()
        if line.unheard:
            unusual.setFontStrikeOut(True)
            part.start, part.length, part.format = len(text) + 1, len(line.unheard), unusual
            layout.setFormats([part])
        elif line.sure is not None and line.sure < len(text):
            # Slanted and dotted below: not by its colour alone.
            unusual.setFontItalic(True)
            unusual.setUnderlineStyle(QTextCharFormat.UnderlineStyle.DotLine)
            unusual.setUnderlineColor(q(self.theme.dim))
            start = line.sure + (1 if text[line.sure : line.sure + 1] == " " else 0)
            part.start, part.length, part.format = start, len(text) - start, unusual
            layout.setFormats([part])
        room = min(px(MAX_BUBBLE_PX), (width - _GUTTER_PX) * (0.9 if note else 0.76)) - 2 * _PAD_X
        layout.beginLayout()
        y = widest = 0.0
        while (row := layout.createLine()).isValid():
            row.setLineWidth(max(room, 60))
            row.setPosition(QPointF(0, y))
            y += row.height() * 1.16
            widest = max(widest, row.naturalTextWidth())
        layout.endLayout()
        pad = 5 if note or line.backchannel else _PAD_Y
        around = 2 * pad + _SPACE_PX + (0 if note else px(_META_PX))
        return Shape(layout, widest, y, round(y + around))

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        line = index.data(LINE_ROLE)
        view = option.widget
        width = view.viewport().width() if isinstance(view, QListView) else option.rect.width()
        return QSize(width, self.shape(line, width).height if isinstance(line, Line) else 0)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        line = index.data(LINE_ROLE)
        if not isinstance(line, Line):
            return
        rect: QRect = option.rect
        shape = self.shape(line, rect.width())
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if option.state & QApplication.style().StateFlag.State_HasFocus:
            painter.setPen(QPen(q(self.theme.accent), 1.2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(rect).adjusted(1, 1, -1, -2), 8, 8)
        above, below = index.data(JOINED_ROLE) or (False, False)
        if above or below:
            self._paint_bracket(painter, QRectF(rect), line, above, below)
        room = QRectF(rect).adjusted(_GUTTER_PX, 0, 0, 0)
        if line.speaker in ("note", "fault"):
            self._paint_note(painter, room, line, shape)
        else:
            self._paint_bubble(painter, room, line, shape)
        painter.restore()

    def _paint_bracket(self, painter: QPainter, rect: QRectF, line: Line, above: bool, below: bool) -> None:
        """Lines that were spoken at once are held together; a tick points at each of them."""
        painter.setPen(QPen(q(self.theme.decisions[3]), 2.5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        x, tip = rect.left() + 6, rect.left() + _GUTTER_PX - 4
        middle = rect.top() + px(_META_PX) / 2
        top = rect.top() if above else middle
        bottom = rect.bottom() if below else rect.bottom() - _SPACE_PX - 6
        painter.drawLine(QPointF(x, top), QPointF(x, bottom))
        if line.overlap_s:
            painter.drawLine(QPointF(x, middle), QPointF(tip, middle))
        if not below:
            painter.drawLine(QPointF(x, bottom), QPointF(tip, bottom))

    def _paint_note(self, painter: QPainter, rect: QRectF, line: Line, shape: Shape) -> None:
        t = self.theme
        left = rect.left() + (rect.width() - shape.text_width) / 2
        box = QRectF(
            left - _PAD_X - 8, rect.top() + 2, shape.text_width + 2 * _PAD_X + 8, shape.text_height + 8
        )
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(q(mix(t.surface, t.warning, 0.14) if line.speaker == "fault" else t.raised))
        painter.drawRoundedRect(box, 8, 8)
        mark = QPointF(box.left() + 13, box.center().y())
        painter.setBrush(q(t.warning if line.speaker == "fault" else t.dim))
        if line.speaker == "fault":
            painter.drawPolygon([mark + QPointF(0, -5), mark + QPointF(5.5, 4.5), mark + QPointF(-5.5, 4.5)])
        else:
            painter.drawEllipse(mark, 2.5, 2.5)
        painter.setPen(q(t.text))
        shape.layout.draw(painter, QPointF(left + 4, rect.top() + 6))

    def _paint_bubble(self, painter: QPainter, rect: QRectF, line: Line, shape: Shape) -> None:
        t, mine = self.theme, line.speaker in ("user", "typed")
        pad = 5 if line.backchannel else _PAD_Y
        width = shape.text_width + 2 * _PAD_X
        left = rect.right() - width - 6 if mine else rect.left() + 6
        meta_px = px(_META_PX)
        box = QRectF(left, rect.top() + meta_px, width, shape.text_height + 2 * pad)
        painter.setPen(
            QPen(q(t.accent), 1.2, Qt.PenStyle.DashLine) if line.speaker == "typed" else Qt.PenStyle.NoPen
        )
        painter.setBrush(q(t.user if mine else t.raised))
        painter.drawRoundedRect(box, 11, 11)
        if line.overlap_s:
            # Both voices carry the same bar, on the sides that face each other; the bracket joins them.
            x = box.left() - 7 if mine else box.right() + 3
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(q(t.decisions[3]))
            painter.drawRoundedRect(QRectF(x, box.top() + 3, 4, box.height() - 6), 2, 2)
        painter.setPen(q(t.text))
        shape.layout.draw(painter, QPointF(box.left() + _PAD_X, box.top() + pad))
        meta_font = font(_META_PT, QFont.Weight.Medium, tabular=True)
        painter.setFont(meta_font)
        painter.setPen(q(t.dim))
        meta = QFontMetricsF(meta_font).elidedText(
            meta_text(line), Qt.TextElideMode.ElideRight, rect.width() - 24
        )
        where = QRectF(rect.left() + 10, rect.top(), rect.width() - 20, meta_px - 3)
        side = Qt.AlignmentFlag.AlignRight if mine else Qt.AlignmentFlag.AlignLeft
        painter.drawText(where, side | Qt.AlignmentFlag.AlignVCenter, meta)


class ConversationView(QListView):
    """Shows a conversation and keeps to its end while it is there."""

    line_chosen = Signal(float)
    """A line was activated; the session second at which it begins."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.lines = ConversationModel(self)
        self.delegate = LineDelegate(theme, self)
        self.setModel(self.lines)
        self.setItemDelegate(self.delegate)
        self.setAccessibleName("Conversation")
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setUniformItemSizes(False)
        self._to_end = QToolButton(self)
        self._to_end.setText("Newest")
        self._to_end.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._to_end.setAccessibleName("Go to the newest line")
        self._to_end.clicked.connect(self.scrollToBottom)
        self._to_end.hide()
        self._follows = True
        self.verticalScrollBar().valueChanged.connect(self._scrolled)
        self.verticalScrollBar().rangeChanged.connect(self._keep_to_end)
        self.activated.connect(self._chosen)
        self.clicked.connect(self._chosen)
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        self.delegate.theme = theme
        self.delegate.forget()
        self._to_end.setIcon(icon("down", theme.text, 16))
        self.scheduleDelayedItemsLayout()  # the size of text may be another one
        self.viewport().update()

    def replace(self, conversation: Conversation) -> None:
        """Show another conversation, from its end."""
        self.delegate.forget()
        self.lines.replace(conversation)
        self.scrollToBottom()

    def show_changes(self, changes: Changes) -> None:
        """Bring lines up to date; the view stays at the end if it was there."""
        at_end, value = self.at_end, self.verticalScrollBar().value()
        if not changes.reset:
            quiet = {row for row in changes.updated if self._is_quiet(row)}
            changes = replace(changes, updated=changes.updated - quiet)
            for row in quiet:
                self.update(self.lines.index(row))
        self.lines.show_changes(changes)
        if changes.updated or changes.reset:
            self.scheduleDelayedItemsLayout()
        if at_end:
            self.scrollToBottom()
        elif changes.reset:
            self.verticalScrollBar().setValue(value)

    def _is_quiet(self, row: int) -> bool:
        """A line that still grows and keeps its height is only painted anew: telling Qt of it would lay out
        every line, and have a screen reader told of each word."""
        if row >= self.lines.rowCount():
            return False
        line = self.lines.conversation.lines[row]
        before = self.delegate.known_height(line)
        return line.live and self.delegate.shape(line, self.viewport().width()).height == before

    def reveal(self, t: float) -> None:
        """Scroll to the line that belongs to session second ``t``, and make it the current one."""
        lines = self.lines.conversation.lines
        row = bisect_right(lines, t, key=lambda line: line.t0) - 1
        if row >= 0:
            self.setCurrentIndex(self.lines.index(row))

    @property
    def at_end(self) -> bool:
        bar = self.verticalScrollBar()
        return bar.value() >= bar.maximum() - 4

    def selected_text(self) -> str:
        """What goes to the clipboard."""
        rows = sorted(index.row() for index in self.selectedIndexes())
        return "\n".join(spoken_text(self.lines.conversation.lines[row]) for row in rows)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            QApplication.clipboard().setText(self.selected_text())
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.scheduleDelayedItemsLayout()
        self._place_button()

    def _scrolled(self) -> None:
        self._follows = self.at_end
        self._place_button()

    def _keep_to_end(self) -> None:
        """Lines became taller or shorter, by new words, another width or another size of text."""
        if self._follows:
            self.verticalScrollBar().setValue(self.verticalScrollBar().maximum())
        self._place_button()

    def _place_button(self) -> None:
        self._to_end.setVisible(not self.at_end)
        self._to_end.adjustSize()
        right, bottom = self.viewport().width() - GAP, self.height() - GAP
        self._to_end.move(right - self._to_end.width(), bottom - self._to_end.height())

    def _chosen(self, index: QModelIndex) -> None:
        line = index.data(LINE_ROLE)
        if isinstance(line, Line):
            self.line_chosen.emit(line.t0)
