"""What the pages of the dialog are made of."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QPointF, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QFocusEvent, QPainter, QPaintEvent, QPalette, QPen, QWheelEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QSlider,
    QStyle,
    QStyleOptionButton,
    QVBoxLayout,
    QWidget,
)

from app.preferences.calls import Calls
from app.settings import DEFAULTS, Settings
from app.shell import Shell
from app.theme import GAP, font


class Page(QScrollArea):
    """One page of the dialog. ``names``: the fields that are put back by ``reset``."""

    title = ""
    names: tuple[str, ...] = ()
    later = False
    """What is changed here is used from the next start of a session on, but for ``at_once``."""
    at_once = ""
    """What a running session takes over, for people."""

    def __init__(self, shell: Shell) -> None:
        super().__init__()
        self.shell = shell
        self.calls = Calls(self)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        body = QWidget()
        self.column = QVBoxLayout(body)
        self.column.setContentsMargins(GAP, 0, 2 * GAP, GAP)
        self.column.setSpacing(GAP)
        self.told = dim("", "note")
        self.told.setAccessibleName("Message")
        self.told.hide()
        self.setWidget(body)

    def show_settings(self, settings: Settings) -> None:
        """Bring the controls in line with the settings."""
        raise NotImplementedError

    def opened(self) -> None:
        """The page is shown: look at what may have changed meanwhile."""

    def commit(self) -> None:
        """Keep what is being typed; the dialog closes."""

    def reset(self) -> None:
        """Everything on this page as it was at first."""
        self.change(**{name: getattr(DEFAULTS, name) for name in self.names})

    def close_calls(self) -> None:
        """The window closes."""
        self.calls.close()

    def change(self, **changes: object) -> None:
        """Keep changed fields, unless they are as they were."""
        settings = self.shell.settings
        if any(getattr(settings, name) != value for name, value in changes.items()):
            self.shell.change_settings(**changes)

    def tell(self, text: str) -> None:
        """One line at the foot of the page; nothing for an empty text."""
        self.told.setText(text)
        self.told.setVisible(bool(text))

    def finish(self) -> None:
        """After the last row."""
        self.column.addWidget(self.told)
        self.column.addStretch(1)

    def section(self, heading: str, note: str = "") -> QFormLayout:
        """A heading with rows below it."""
        title = QLabel(heading)
        title.setProperty("kind", "heading")
        if self.column.count():
            self.column.addSpacing(GAP)
        self.column.addWidget(title)
        if note:
            self.column.addWidget(dim(note))
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        form.setHorizontalSpacing(2 * GAP)
        form.setVerticalSpacing(GAP)
        self.column.addLayout(form)
        return form


class Combo(QComboBox):
    """A list with a mark that it opens, in the theme's colours. The wheel scrolls the page instead."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(16)

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        x, y = self.width() - 15.0, self.height() / 2
        _stroke(self, QPalette.ColorRole.Text, ((x - 4, y - 2), (x, y + 2), (x + 4, y - 2)))


class Check(QCheckBox):
    """A box with a tick in the theme's colours."""

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.isChecked():
            option = QStyleOptionButton()
            self.initStyleOption(option)
            box = self.style().subElementRect(QStyle.SubElement.SE_CheckBoxIndicator, option, self)
            x, y, unit = float(box.x()), float(box.y()), box.width() / 16
            tick = [(x + unit * dx, y + unit * dy) for dx, dy in ((4, 8), (7, 11), (12, 5))]
            _stroke(self, QPalette.ColorRole.HighlightedText, tick)


def _stroke(widget: QWidget, role: QPalette.ColorRole, points: Sequence[tuple[float, float]]) -> None:
    pen = QPen(widget.palette().color(role), 1.8)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter = QPainter(widget)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(pen)
    painter.drawPolyline([QPointF(x, y) for x, y in points])
    painter.end()


class Choices(Combo):
    """A list of (value, text). Emits ``picked`` when a person chose."""

    picked = Signal(str)

    def __init__(self, name: str, options: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(name)
        self.show_options(options, "")
        self.activated.connect(lambda _: self.picked.emit(self.value))

    @property
    def value(self) -> str:
        return str(self.currentData() or "")

    def show_options(self, options: Sequence[tuple[str, str]], value: str) -> None:
        """List these, with ``value`` chosen; one that is not among them is added."""
        if value not in [each for each, _ in options]:
            options = [*options, (value, value)] if value else options
        shown = [(self.itemData(k), self.itemText(k)) for k in range(self.count())]
        with QSignalBlocker(self):
            if shown != list(options):
                self.clear()
                for each, words in options:
                    self.addItem(words, each)
            self.setCurrentIndex(max(0, self.findData(value)))


class Slider(QWidget):
    """A slider with its ends and its value in words. ``moved`` tells where a person has left it."""

    moved = Signal(int)

    def __init__(self, name: str, low: int, high: int, ends: tuple[str, str] = ("", "")) -> None:
        super().__init__()
        self.slider = _Still(Qt.Orientation.Horizontal)
        self.slider.setRange(low, high)
        self.slider.setPageStep(max(1, (high - low) // 10))
        self.slider.setTracking(False)
        self.slider.setAccessibleName(f"{name}, {ends[0]} to {ends[1]}" if ends[0] else name)
        self.setFocusProxy(self.slider)
        self.words = QLabel()
        self.words.setMinimumWidth(self.words.fontMetrics().horizontalAdvance("as trained "))
        self._text: Callable[[int], str] = str
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GAP)
        low_end, high_end = dim(ends[0]), dim(ends[1])
        for label in (low_end, high_end):
            label.setWordWrap(False)
        layout.addWidget(low_end)
        layout.addWidget(self.slider, 1)
        layout.addWidget(high_end)
        layout.addWidget(self.words)
        self.slider.sliderMoved.connect(self._say)
        self.slider.valueChanged.connect(self._changed)

    def show_value(self, value: int) -> None:
        """Where it stands."""
        with QSignalBlocker(self.slider):
            self.slider.setValue(value)
        self._say(value)

    def say_with(self, text: Callable[[int], str]) -> None:
        """``text``: from a value to the words beside the slider."""
        self._text = text

    def _changed(self, value: int) -> None:
        self._say(value)
        self.moved.emit(value)

    def _say(self, value: int) -> None:
        text = self._text(value)
        self.words.setText(text)
        self.slider.setAccessibleDescription(text)


class _Still(QSlider):
    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


class Writing(QPlainTextEdit):
    """Several lines of text; ``left`` tells when the focus goes. Tab goes on to the next control."""

    left = Signal()

    def __init__(self, name: str, limit: int) -> None:
        super().__init__()
        self._limit = limit
        self.setAccessibleName(name)
        self.setTabChangesFocus(True)
        self.setFont(font())

    @property
    def text(self) -> str:
        return self.toPlainText().strip()[: self._limit]

    def show_text(self, value: str) -> None:
        """Put a setting here, unless a person is typing."""
        if not self.document().isModified() and self.text != value:
            self.setPlainText(value)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.left.emit()


def show_text(field: QLineEdit, value: str) -> None:
    """Put a setting into its field, unless a person is typing there."""
    if not field.isModified() and field.text() != value:
        field.setText(value)


def dim(text: str, kind: str = "dim") -> QLabel:
    """A line of explanation that wraps."""
    label = QLabel(text)
    label.setProperty("kind", kind)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    return label


def button(text: str, name: str = "") -> QPushButton:
    """Return in a field must press no button."""
    made = QPushButton(text)
    made.setAutoDefault(False)
    made.setAccessibleName(name or text.replace("&", ""))
    return made


def row(*parts: QWidget, stretch: int = 0) -> QHBoxLayout:
    """Controls beside each other; the one with number ``stretch`` takes the room."""
    layout = QHBoxLayout()
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(GAP)
    for number, part in enumerate(parts):
        layout.addWidget(part, int(number == stretch))
    return layout


def labelled(form: QFormLayout, text: str, field: QWidget, layout: QLayout | None = None) -> QLabel:
    """A row whose label is the buddy of ``field``, which may stand in ``layout`` with others."""
    label = QLabel(text)
    label.setBuddy(field.focusProxy() or field)
    if not isinstance(field, QPlainTextEdit):
        # As tall as its row, so that it stands level with the control.
        label.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
    if layout is None:
        form.addRow(label, field)
    else:
        form.addRow(label, layout)
    return label
