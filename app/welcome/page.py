"""The first steps as a page of the window. Widgets only; ``feature.py`` opens devices and connects them."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent, QShowEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.camera_preview import CameraPreview
from app.device_menus import DeviceMenus
from app.job_row import StateMark
from app.jobs import JobState
from app.level_meter import LevelMeter
from app.side_panel import DeviceButton
from app.theme import GAP, Theme, px
from app.welcome.steps import (
    HELLO,
    HELLO_NEXT,
    HELLO_RECORD,
    TEXTS,
    TITLES,
    Mood,
    Step,
    Told,
    place_of,
    step_after,
)

_MOODS = {Mood.WAITING: JobState.WORKING, Mood.GOOD: JobState.ANSWERED, Mood.PROBLEM: JobState.FAILED}
_WIDTH = 600


class Verdict(QWidget):
    """A result: a shape, and words."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.mark = StateMark(theme)
        self.text = _label("")
        self.text.setAccessibleName("Result")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GAP)
        layout.addWidget(self.mark, 0, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self.text, 1)
        self.show_told(Told())

    def show_told(self, told: Told) -> None:
        self.mark.state = _MOODS[told.mood]
        self.mark.setVisible(bool(told.text))
        self.mark.update()
        if self.text.text() != told.text:
            self.text.setText(told.text)


class WelcomePage(QFrame):
    """Emits what a person wants; ``step`` is what is shown."""

    step_changed = Signal()
    """Another step is shown, or the page came into view, or left it: see ``active``."""
    play_asked = Signal()
    heard = Signal(bool)
    """Whether the tone was heard."""
    measure_asked = Signal()
    finished = Signal(bool)
    """The last step is done, or all were skipped; whether to start talking."""

    def __init__(self, theme: Theme, menus: DeviceMenus, privacy: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "card")
        self.setAccessibleName("First steps")
        self.theme = theme
        self.step = Step.HELLO
        self.active = False
        """Whether the page can be seen; devices are open only then."""
        self.privacy = _label("body", privacy)
        """Where words go; this may change with the settings."""
        self.place = _label("label")
        self.title = _label("title")
        self.meter = LevelMeter(theme, "Microphone", theme.user_level)
        self.meter.setMinimumHeight(16)
        self.verdicts = {step: Verdict(theme) for step in (Step.MICROPHONE, Step.LOUDSPEAKER, Step.ECHO)}
        self.devices = {
            Step.MICROPHONE: DeviceButton("microphone", menus.inputs),
            Step.LOUDSPEAKER: DeviceButton("speaker", menus.outputs),
            Step.CAMERA: DeviceButton("camera", menus.cameras),
        }
        self.play = _button("&Play the tone")
        self.yes, self.no = _button("&Yes, I heard it"), _button("N&o")
        self.measure = _button("&Measure the echo")
        self.progress = QProgressBar()
        self.progress.setRange(0, 100)
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName("Progress of the measurement")
        self.camera = CameraPreview(theme)
        self.back, self.skip, self.next = _button("&Back"), _button("S&kip all"), _button("&Next")
        self.next.setProperty("kind", "primary")
        self._stack = QStackedWidget()
        for step in Step:
            self._stack.addWidget(self._page(step))
        self._lay_out()
        self._connect()
        self.set_theme(theme)
        self.show_step(Step.HELLO)

    def _lay_out(self) -> None:
        inner = QWidget()
        self._column = QWidget()
        column = QVBoxLayout(self._column)
        column.setSpacing(GAP + 4)
        column.addWidget(self.place)
        column.addWidget(self.title)
        column.addWidget(self._stack)
        column.addStretch(1)
        middle = QHBoxLayout(inner)
        middle.addStretch(1)
        middle.addWidget(self._column, 100)
        middle.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(inner)
        buttons = QHBoxLayout()
        buttons.setSpacing(GAP)
        buttons.addWidget(self.skip)
        buttons.addStretch(1)
        buttons.addWidget(self.back)
        buttons.addWidget(self.next)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3 * GAP, 3 * GAP, 3 * GAP, 2 * GAP)
        layout.addWidget(area, 1)
        layout.addLayout(buttons)

    def _page(self, step: Step) -> QWidget:
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GAP + 4)
        if step is Step.HELLO:
            for label in (_label("body", HELLO), self.privacy, _label("body", HELLO_RECORD),
                          _label("body", HELLO_NEXT)):  # fmt: skip
                layout.addWidget(label)
        else:
            layout.addWidget(_label("body", TEXTS[step]))
        if step in self.devices:
            layout.addWidget(self.devices[step])
        match step:
            case Step.MICROPHONE:
                layout.addWidget(self.meter)
            case Step.LOUDSPEAKER:
                layout.addLayout(_row(self.play, self.yes, self.no))
            case Step.ECHO:
                layout.addLayout(_row(self.measure))
                layout.addWidget(self.progress)
            case Step.CAMERA:
                layout.addWidget(self.camera)
        if step in self.verdicts:
            layout.addWidget(self.verdicts[step])
        layout.addStretch(1)
        return page

    def _connect(self) -> None:
        self.back.clicked.connect(lambda: self.show_step(step_after(self.step, -1)))
        self.next.clicked.connect(self._go_on)
        self.skip.clicked.connect(lambda: self.finished.emit(False))
        self.play.clicked.connect(self.play_asked)
        self.yes.clicked.connect(lambda: self.heard.emit(True))
        self.no.clicked.connect(lambda: self.heard.emit(False))
        self.measure.clicked.connect(self.measure_asked)

    def _go_on(self) -> None:
        if self.step is Step.READY:
            self.finished.emit(True)
        else:
            self.show_step(step_after(self.step, 1))

    def show_step(self, step: Step) -> None:
        """Show one step, with nothing measured yet."""
        self.step = step
        self.place.setText(place_of(step))
        self.title.setText(TITLES[step])
        self._stack.setCurrentIndex(list(Step).index(step))
        for verdict in self.verdicts.values():
            verdict.show_told(Told())
        for widget in (self.yes, self.no, self.progress):
            widget.hide()
        self.back.setVisible(step is not Step.HELLO)
        self.next.setText("&Start talking" if step is Step.READY else "&Next")
        main = {Step.LOUDSPEAKER: self.play, Step.ECHO: self.measure}.get(step, self.next)
        if self.active:
            main.setFocus(Qt.FocusReason.OtherFocusReason)
        self.step_changed.emit()

    def tell(self, told: Told) -> None:
        """Show what was found in the present step."""
        if self.step in self.verdicts:
            self.verdicts[self.step].show_told(told)

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.meter.theme, self.meter.colour = theme, theme.user_level
        self.camera.theme = theme
        for verdict in self.verdicts.values():
            verdict.mark.theme = theme
        for button in self.devices.values():
            button.set_theme(theme)
        self._column.setMaximumWidth(px(_WIDTH))
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Return presses the button that has the focus, or goes on."""
        if event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            super().keyPressEvent(event)
            return
        at = self.focusWidget()
        (at if isinstance(at, QPushButton) and at.isVisible() else self.next).click()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.active = True
        self.next.setFocus(Qt.FocusReason.OtherFocusReason)
        self.step_changed.emit()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.active = False
        self.step_changed.emit()


def _label(kind: str, text: str = "") -> QLabel:
    label = QLabel(text)
    label.setProperty("kind", kind)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    return label


def _button(text: str) -> QPushButton:
    button = QPushButton(text)
    button.setAccessibleName(text.replace("&", ""))
    button.setMinimumHeight(36)
    return button


def _row(*buttons: QWidget) -> QHBoxLayout:
    layout = QHBoxLayout()
    layout.setSpacing(GAP)
    for button in buttons:
        layout.addWidget(button)
    layout.addStretch(1)
    return layout
