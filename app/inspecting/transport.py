"""The bar under the timeline of a recorded session: play, position, speed, and which ear hears whom."""

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMenu, QToolButton, QWidget

from app.theme import GAP, Theme, font, icon
from app.timeline.time_scale import clock_label

SPEEDS = (0.5, 1.0, 1.5, 2.0)
SOUNDS = (
    (False, "Stereo", "&Stereo: you left, the assistant right"),
    (True, "Mixed", "&Mixed: both in both ears"),
)


def position_text(t: float, end_s: float) -> str:
    """Where it is, and how long the session is: ``0:12.4 / 3:20.0``."""
    return f"{clock_label(max(t, 0.0), 0.1)} / {clock_label(end_s, 0.1)}"


def speed_text(speed: float) -> str:
    return f"{speed:g}×"


class TransportBar(QFrame):
    """Shows what it is told; tells what is wanted."""

    toggled = Signal()
    speed_chosen = Signal(float)
    sound_chosen = Signal(bool)
    """Whether both sides are to be mixed."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.setAccessibleName("Playback")
        self._playing = False
        self.play = QToolButton()
        self.play.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.play.setIconSize(QSize(16, 16))
        self.play.clicked.connect(self.toggled)
        self.position = QLabel()
        self.position.setTextFormat(Qt.TextFormat.PlainText)
        self.speed, self._speeds = _menu_button("Speed")
        for speed in SPEEDS:
            action = self._speeds.addAction(speed_text(speed))
            action.setCheckable(True)
            action.setData(speed)
        self._speeds.triggered.connect(lambda action: self.speed_chosen.emit(action.data()))
        self.sound, self._sounds = _menu_button("Sound")
        for mixed, _, text in SOUNDS:
            action = self._sounds.addAction(text)
            action.setCheckable(True)
            action.setData(mixed)
        self._sounds.triggered.connect(lambda action: self.sound_chosen.emit(action.data()))
        for button in (self.play, self.speed, self.sound):
            button.setProperty("kind", "quiet")
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(2 * GAP - 6, 0, GAP, 0)
        layout.setSpacing(GAP)
        layout.addWidget(self.play)
        layout.addWidget(self.position)
        layout.addStretch(1)
        layout.addWidget(self.speed)
        layout.addWidget(self.sound)
        self.set_theme(theme)
        self.show_playing(False)
        self.show_position(0.0, 0.0)
        self.hide()

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.position.setFont(font(10, tabular=True))
        self._show_icon()

    def show_playing(self, playing: bool) -> None:
        """The button says what a press does."""
        self._playing = playing
        self.play.setText("Pause" if playing else "Play")
        self.play.setToolTip("Pause (Ctrl+P)" if playing else "Play from the playhead (Ctrl+P)")
        self.play.setAccessibleName("Pause the recording" if playing else "Play the recording")
        self._show_icon()

    def _show_icon(self) -> None:
        self.play.setIcon(icon("pause" if self._playing else "start", self.theme.text, 16))

    def show_position(self, t: float, end_s: float) -> None:
        text = position_text(t, end_s)
        if text != self.position.text():
            self.position.setText(text)
            self.position.setAccessibleName(f"Position {text.replace('/', 'of')}")

    def show_choices(self, speed: float, mixed: bool) -> None:
        """What is chosen in the two menus."""
        for menu, value in ((self._speeds, speed), (self._sounds, mixed)):
            for action in menu.actions():
                action.setChecked(action.data() == value)
        self.speed.setText(speed_text(speed))
        self.speed.setAccessibleName(f"Speed: {speed_text(speed)}")
        name = next(short for value, short, _ in SOUNDS if value == mixed)
        self.sound.setText(name)
        self.sound.setAccessibleName(f"Sound: {name}")


def _menu_button(title: str) -> tuple[QToolButton, QMenu]:
    """A button that opens a menu of which one entry is chosen."""
    button = QToolButton()
    button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
    button.setToolTip(title)
    menu = QMenu(button)
    button.setMenu(menu)
    return button, menu
