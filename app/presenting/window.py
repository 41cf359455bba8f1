"""The presenter window: what the room sees. A top-level window, full screen or beside the main window."""

from typing import Any

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QGuiApplication,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QScreen,
)
from PySide6.QtWidgets import QWidget

from app.camera_preview import CameraPreview
from app.presenting.caption_panel import CaptionPanel
from app.presenting.captions import Words
from app.presenting.deck import Stage
from app.presenting.lanes import LanesPanel
from app.presenting.panel import Panel
from app.presenting.ring import RingPanel
from app.presenting.texts_panel import FiguresPanel, FooterPanel, HeaderPanel
from app.theme import Theme, q

KEYS = (
    ("Page Down, Right", "next scene; a clicker's button does it too"),
    ("Page Up, Left", "previous scene"),
    ("Return", "start the scene, or stop it"),
    (". or B", "blank the screen, and back"),
    ("R", "a recorded visitor speaks, or the microphone"),
    ("F11", "full screen, or a window"),
    ("Esc", "leave"),
)
_SHARES = (0.105, 0.61, 0.085, 0.16, 0.04)
"""Header, ring and captions, figures, lanes, footer: parts of the height."""
_RING_SHARE = 0.35


class Blank(QWidget):
    """Covers everything in black."""

    def paintEvent(self, _: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), Qt.GlobalColor.black)
        painter.end()


class PresenterWindow(QWidget):
    """Shows what it is given. Emits what the presenter's keys ask for."""

    stepped = Signal(int)
    toggled = Signal()
    stand_in_asked = Signal()
    closed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.setWindowTitle("Microturn – presenter window")
        self.setAccessibleName("Presenter window")
        # The program ends with its main window.
        self.setAttribute(Qt.WidgetAttribute.WA_QuitOnClose, False)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.header = HeaderPanel(theme, self)
        self.ring = RingPanel(theme, self)
        self.user = CaptionPanel(theme, "You", True, self)
        self.assistant = CaptionPanel(theme, "Microturn", False, self)
        self.figures = FiguresPanel(theme, self)
        self.lanes = LanesPanel(theme, self)
        self.footer = FooterPanel(theme, self)
        self.camera = CameraPreview(theme, self)
        self.camera.hide()
        self.blank = Blank(self)
        self.blank.hide()
        self.setMinimumSize(480, 300)
        self.resize(1280, 720)

    @property
    def panels(self) -> tuple[Panel, ...]:
        return (
            self.header, self.ring, self.user, self.assistant, self.figures, self.lanes, self.footer,
        )  # fmt: skip

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        for panel in self.panels:
            panel.set_theme(theme)
        self.camera.theme = theme
        self.camera.update()
        self.update()

    def show_stage(self, stage: Stage) -> None:
        self.header.show_stage(stage)
        self.footer.show_stage(stage)
        self.user.show_label("Recorded visitor" if stage.visitor else "You")

    def show_words(self, user: Words, assistant: Words, notice: str) -> None:
        """``notice`` stands where the assistant's words will be, while there are none."""
        self.user.show_words(user)
        self.assistant.show_words(assistant, notice)

    def show_camera(self, camera: Any) -> None:
        """What a session's camera sees, beside the words of the person; without one there is more room."""
        seen = camera is not None
        self.camera.show_newest(camera)
        if seen == self.camera.isHidden():
            self.camera.setVisible(seen)
            self._lay_out()

    def set_blank(self, on: bool) -> None:
        self.blank.setGeometry(self.rect())
        self.blank.setVisible(on)
        self.blank.raise_()

    def present(self, screen: QScreen | None) -> None:
        """Full screen on ``screen``; without one an ordinary window."""
        if screen is None:
            self.showNormal()
            return
        if self.isFullScreen():
            self.showNormal()
        self.setGeometry(screen.geometry())
        self.showFullScreen()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            super().keyPressEvent(event)  # Ctrl+R is to record, and no R
        elif key in (Qt.Key.Key_PageDown, Qt.Key.Key_Right):
            self.stepped.emit(1)
        elif key in (Qt.Key.Key_PageUp, Qt.Key.Key_Left):
            self.stepped.emit(-1)
        elif key in (Qt.Key.Key_Period, Qt.Key.Key_B):
            self.set_blank(self.blank.isHidden())
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.toggled.emit()
        elif key == Qt.Key.Key_R:
            self.stand_in_asked.emit()
        elif key == Qt.Key.Key_F11:
            self.showNormal() if self.isFullScreen() else self.showFullScreen()
        elif key == Qt.Key.Key_Escape:
            self.close()
        else:
            super().keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        self.set_blank(False)
        super().closeEvent(event)
        self.closed.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_out()

    def _lay_out(self) -> None:
        width, height = self.width(), self.height()
        unit = min(height, round(width * 9 / 16))
        for panel in self.panels:
            panel.set_unit(unit)
        tops = [round(height * sum(_SHARES[:k])) for k in range(len(_SHARES) + 1)]
        for k, panel in ((0, self.header), (2, self.figures), (3, self.lanes), (4, self.footer)):
            panel.setGeometry(0, tops[k], width, tops[k + 1] - tops[k])
        ring = round(width * _RING_SHARE)
        pad = self.header.px(60)
        top, high = tops[1], tops[2] - tops[1]
        self.ring.setGeometry(0, top, ring, high)
        half, room = high // 2, width - ring - pad
        picture = 0 if self.camera.isHidden() else round((half - pad) * 4 / 3)
        self.user.setGeometry(ring, top, room - picture - (pad if picture else 0), half)
        self.camera.setGeometry(ring + room - picture, top + pad // 2, max(picture, 1), half - pad)
        self.assistant.setGeometry(ring, top + half, room, high - half)
        self.blank.setGeometry(self.rect())

    def paintEvent(self, _: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), q(self.theme.window))
        painter.end()


def other_screen(main: QWidget) -> QScreen | None:
    """A screen that ``main`` is not on; None when there is only one."""
    return next((screen for screen in QGuiApplication.screens() if screen is not main.screen()), None)


def beside(main: QRect, room: QRect) -> QRect:
    """Where an ordinary window of 16:9 goes on the same screen: at its right, over the less of ``main``."""
    width = max(round(room.width() * 0.5), 480)
    height = max(round(width * 9 / 16), 300)
    left = room.right() + 1 - width if main.center().x() <= room.center().x() else room.left()
    return QRect(left, room.top() + (room.height() - height) // 2, width, height)
