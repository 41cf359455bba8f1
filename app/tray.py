"""The icon in the system's tray: microphone, camera and recording at a glance, and the commands needed most.

Where there is no tray nothing is shown, and nothing else changes.
"""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QMenu, QSystemTrayIcon

from app.shell import Shell
from app.status import Activity
from app.theme import LIGHT, q

SIZES = (16, 22, 24, 32, 48, 64)


@dataclass(frozen=True)
class TrayState:
    """What the icon shows. ``microphone``: ``off`` (no session), ``on``, ``muted`` or ``missing``."""

    microphone: str = "off"
    camera: bool = False
    recording: bool = False
    title: str = "Ready"

    @property
    def tooltip(self) -> str:
        """All of it in words."""
        microphone = {"off": "off", "on": "on", "muted": "muted", "missing": "not found"}[self.microphone]
        parts = [f"Microphone {microphone}", f"Camera {'on' if self.camera else 'off'}"]
        if self.recording:
            parts.insert(0, "● Recording")
        return f"Microturn: {self.title}\n{' · '.join(parts)}"


def tray_state(
    activity: Activity, title: str, muted: bool, running: bool, camera_on: bool, recording: bool
) -> TrayState:
    """The icon's state from the window's."""
    if not running:
        microphone = "off"
    elif muted:
        microphone = "muted"
    else:
        microphone = "missing" if activity is Activity.DEAF else "on"
    return TrayState(microphone, running and camera_on, recording, title)


def tray_icon(state: TrayState) -> QIcon:
    """Shapes on a ground of their own, since trays are light or dark.

    A capsule: the microphone; struck out: muted; with a question mark's dot
    instead of a stand: missing; an outline: off. A lens at the lower left: the
    camera is on. A red disc in a white ring at the upper right: recording.
    """
    made = QIcon()
    for size in SIZES:
        pixmap = QPixmap(size, size)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.scale(size / 64, size / 64)
        _draw(painter, state)
        painter.end()
        made.addPixmap(pixmap)
    return made


def _draw(painter: QPainter, state: TrayState) -> None:
    white, ground = QColor("#ffffff"), q("#3f4754" if state.microphone == "off" else LIGHT.accent)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ground)
    painter.drawRoundedRect(QRectF(0, 0, 64, 64), 14, 14)
    pen = QPen(white, 5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap)
    painter.setPen(pen)
    painter.setBrush(white if state.microphone in ("on", "muted") else Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(QRectF(25, 10, 14, 26), 7, 7)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if state.microphone == "missing":
        painter.drawPoint(QPointF(32, 50))
    else:
        painter.drawArc(QRectF(17, 18, 30, 28), 180 * 16, 180 * 16)
        painter.drawLine(QPointF(32, 46), QPointF(32, 54))
    if state.microphone == "muted":
        painter.setPen(QPen(ground, 13, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawLine(QPointF(12, 10), QPointF(52, 54))
        painter.setPen(pen)
        painter.drawLine(QPointF(12, 10), QPointF(52, 54))
    if state.camera:
        painter.setPen(QPen(ground, 3))
        painter.setBrush(white)
        painter.drawRoundedRect(QRectF(2, 41, 22, 20), 5, 5)
        painter.setBrush(ground)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.drawEllipse(QPointF(13, 51), 5.5, 5.5)
    if state.recording:
        painter.setPen(QPen(white, 4))
        painter.setBrush(q("#d11f1f"))
        painter.drawEllipse(QPointF(50, 14), 11, 11)


class Tray:
    """Keeps the icon up to date, and the light for recording in the side panel. Qt's thread."""

    def __init__(
        self, shell: Shell, available: Callable[[], bool] = QSystemTrayIcon.isSystemTrayAvailable
    ) -> None:
        self._shell = shell
        self._recording = False
        self._shown: TrayState | None = None
        self.icon: QSystemTrayIcon | None = None
        self.menu = QMenu("Microturn", shell.window_widget)
        self._fill()
        bridge = shell.bridge
        bridge.recording_changed.connect(self._recording_changed)
        bridge.muted_changed.connect(lambda _: self.refresh())
        bridge.session_changed.connect(lambda *_: self.refresh())
        shell.signals.refreshed.connect(lambda _: self.refresh())
        shell.menus.changed.connect(self.refresh)
        shell.signals.closing.connect(self._close)
        if available():
            self.icon = QSystemTrayIcon(shell.window_widget)
            self.icon.setContextMenu(self.menu)
            self.icon.activated.connect(self._activated)
        self.refresh()
        if self.icon is not None:
            self.icon.show()

    def _fill(self) -> None:
        commands = self._shell.commands
        show = self.menu.addAction("Show &window")
        show.setToolTip("Bring the window forward")
        show.setStatusTip("Bring the window forward")
        show.triggered.connect(self.show_window)
        self.menu.addSeparator()
        self.menu.addActions([commands.toggle, commands.mute, commands.silence])
        self.menu.addSeparator()
        self.menu.addAction(commands.quit)

    @property
    def state(self) -> TrayState:
        """What there is to show now."""
        shell = self._shell
        session = shell.bridge.session
        camera = session.camera if session is not None else None
        status = shell.live.status.status
        return tray_state(
            status.activity,
            status.title,
            shell.bridge.muted,
            shell.bridge.state == "running",
            camera is not None and not shell.side.camera.off,
            self._recording,
        )

    def refresh(self) -> None:
        """Show it, if it is another than before."""
        state = self.state
        if state != self._shown and self.icon is not None:
            if self._shown is None or (state.microphone, state.camera, state.recording) != (
                self._shown.microphone, self._shown.camera, self._shown.recording,
            ):  # fmt: skip
                self.icon.setIcon(tray_icon(state))
            self.icon.setToolTip(state.tooltip)
        self._shown = state

    def _recording_changed(self, on: bool) -> None:
        self._recording = on
        self._shell.side.status.show_recording(on)
        self.refresh()

    def _activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason is QSystemTrayIcon.ActivationReason.Trigger:
            self.show_window()

    def show_window(self) -> None:
        """Bring the window forward, also one that is minimised."""
        window = self._shell.window_widget
        window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized)
        window.show()
        window.raise_()
        window.activateWindow()

    def _close(self) -> None:
        if self.icon is not None:
            self.icon.hide()
