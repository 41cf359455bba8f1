"""The left side of the window: state, levels, camera, devices, and the buttons to talk and to be silent."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QGridLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.camera_preview import CameraPreview
from app.device_menus import DeviceMenu, DeviceMenus
from app.level_meter import LevelMeter
from app.status_view import StatusView
from app.theme import GAP, Theme, icon, text_scale
from app.watching.view import WatchingView

WIDTH = 296
_GROWTH = 0.3
"""Of the width with the size of text: words wrap, and the conversation needs the room."""


class DeviceButton(QToolButton):
    """Shows the chosen device, and opens its menu."""

    def __init__(self, icon_name: str, menu: DeviceMenu, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icon_name, self._menu = icon_name, menu
        self.setProperty("kind", "device")
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setIconSize(QSize(18, 18))
        self.setMenu(menu)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        menu.chosen.connect(self.refresh)
        menu.listed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        name, kind = self._menu.name(), self._menu.title().replace("&", "")
        room = max(self.width() - 48, 60)
        self.setText(" " + self.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, room))
        self.setToolTip(f"{kind}: {name}")
        self.setAccessibleName(f"{kind}: {name}")

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.refresh()

    def set_theme(self, theme: Theme) -> None:
        self.setIcon(icon(self._icon_name, theme.dim, 18))
        self.refresh()


class SidePanel(QFrame):
    """Holds widgets; the main window connects them."""

    def __init__(self, theme: Theme, menus: DeviceMenus, privacy: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "card")
        self.status = StatusView(theme)
        self.user_meter = LevelMeter(theme, "Microphone", theme.user_level)
        self.assistant_meter = LevelMeter(theme, "Assistant", theme.assistant_level)
        self.camera = CameraPreview(theme)
        self.watching = WatchingView(theme)
        self.devices = (
            DeviceButton("microphone", menus.inputs),
            DeviceButton("speaker", menus.outputs),
            DeviceButton("camera", menus.cameras),
        )
        self.start = QPushButton("Start")
        self.start.setProperty("kind", "primary")
        self.start.setMinimumHeight(40)
        self.start.setIconSize(QSize(18, 18))
        self.mute = _action_button()
        self.silence = _action_button()
        self._pair = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self.hold = _action_button()
        self.hold.hide()
        self.privacy = QLabel(privacy)
        self.privacy.setProperty("kind", "label")
        self.privacy.setWordWrap(True)
        self._lay_out()
        self.set_theme(theme)

    def _lay_out(self) -> None:
        meters = QGridLayout()
        meters.setHorizontalSpacing(GAP + 2)
        meters.setVerticalSpacing(GAP - 2)
        for row, (name, meter) in enumerate((("You", self.user_meter), ("Assistant", self.assistant_meter))):
            label = QLabel(name)
            label.setProperty("kind", "label")
            label.setBuddy(meter)
            meters.addWidget(label, row, 0)
            meters.addWidget(meter, row, 1)
        meters.setColumnStretch(1, 1)
        devices = QVBoxLayout()
        devices.setSpacing(2)
        for button in self.devices:
            devices.addWidget(button)
        self._pair.setSpacing(GAP)
        self._pair.addWidget(self.mute, 1)
        self._pair.addWidget(self.silence, 1)
        inner = QWidget()
        layout = QVBoxLayout(inner)
        layout.setContentsMargins(2 * GAP, 2 * GAP, 2 * GAP, 2 * GAP)
        layout.setSpacing(GAP + 4)
        layout.addWidget(self.status)
        layout.addSpacing(GAP // 2)
        layout.addWidget(self.start)
        layout.addLayout(self._pair)
        layout.addWidget(self.hold)
        layout.addSpacing(GAP // 2)
        layout.addLayout(meters)
        layout.addSpacing(GAP // 2)
        layout.addWidget(self.camera)
        layout.addWidget(self.watching)
        layout.addLayout(devices)
        layout.addStretch(1)
        layout.addWidget(self.privacy)
        # Large text needs more height than a small screen has.
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(inner)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(1, 1, 1, 1)
        whole.addWidget(area)

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        larger = text_scale() - 1
        self.setFixedWidth(round(WIDTH * (1 + _GROWTH * larger)))
        side_by_side = QBoxLayout.Direction.LeftToRight
        self._pair.setDirection(QBoxLayout.Direction.TopToBottom if larger > 0.05 else side_by_side)
        self.status.set_theme(theme)
        for meter, colour in (
            (self.user_meter, theme.user_level),
            (self.assistant_meter, theme.assistant_level),
        ):
            meter.theme, meter.colour = theme, colour
            meter.update()
        self.camera.theme = theme
        self.camera.update()
        self.watching.set_theme(theme)
        for button in self.devices:
            button.set_theme(theme)
        self.hold.setIcon(icon("microphone", theme.text, 18))

    def show_hold(self, on: bool, talking: bool) -> None:
        """The button of "Hold to talk": there while that is switched on; it says whether one is heard."""
        self.hold.setVisible(on)
        self.hold.setText("Let go to mute" if talking else "Hold to talk")
        self.hold.setAccessibleName("Hold to talk")
        self.hold.setAccessibleDescription("The microphone is on" if talking else "The microphone is off")
        self.hold.setToolTip("The microphone is on only while this button, or F8, is held")

    def show_running(self, running: bool) -> None:
        """The one button starts and stops."""
        self.start.setText("Stop" if running else "Start")
        self.start.setAccessibleName("Stop the session" if running else "Start the session")
        # Stopping must never look like the thing to press next.
        self.start.setProperty("kind", "" if running else "primary")
        self.start.style().unpolish(self.start)
        self.start.style().polish(self.start)
        colour = self.theme.text if running else self.theme.on_accent
        self.start.setIcon(icon("stop" if running else "start", colour, 18))


def _action_button() -> QToolButton:
    button = QToolButton()
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    button.setMinimumHeight(34)
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    return button


def show_action(button: QToolButton, action: QAction) -> None:
    """Let a button stand for an action."""
    button.setDefaultAction(action)
    button.setAccessibleName(action.text().replace("&", ""))
