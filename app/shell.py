"""What a feature of the window may use: the seam between the main window and everything that is added to it.

A feature is a class that takes a Shell, makes its widgets, adds its actions
and pages, and connects itself to the signals. ``app/features.py`` makes them
all; the main window knows none of them by name.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QMainWindow, QWidget

from app.actions import Actions
from app.conversation_card import ConversationCard
from app.device_menus import DeviceMenus
from app.document import Document
from app.engine_bridge import EngineBridge
from app.live import Choice
from app.settings import Settings
from app.side_panel import SidePanel
from app.theme import Theme
from app.timeline.timeline_widget import TimelineWidget


class ShellSignals(QObject):
    """What a feature may follow. Emitted in Qt's thread."""

    document_changed = Signal()
    """Another session is shown: ``shell.document``."""
    events_taken = Signal(list)
    """Events of the live session, after ``shell.live`` has taken them."""
    settings_changed = Signal()
    sessions_changed = Signal()
    """Recorded sessions have come or gone, other than by recording."""
    theme_changed = Signal()
    refreshed = Signal(float)
    """About 30 times a second while a session is active: seconds since the last time."""
    closing = Signal()
    """The window closes: stop timers, close other windows."""


class Shell(Protocol):
    """The main window as its features see it. Everything belongs to Qt's thread."""

    signals: ShellSignals
    bridge: EngineBridge
    commands: Actions
    menus: DeviceMenus
    side: SidePanel
    card: ConversationCard
    timeline: TimelineWidget
    live: Document
    document: Document
    """What is shown: ``live``, or a recorded session."""
    theme: Theme
    adapt_choice: Callable[[Choice], Choice]
    """The last word on how a session runs, wherever it is started. Raises MicroturnError: none starts."""

    @property
    def window_widget(self) -> QMainWindow:
        """Parent of dialogs."""

    @property
    def settings(self) -> Settings:
        """What is remembered between two runs."""

    def change_settings(self, **changes: Any) -> None:
        """Replace fields of the settings, save them, and tell ``settings_changed``."""

    def choice(self) -> Choice:
        """How the next session is to run, as chosen in the window and adapted. Raises MicroturnError."""

    def start_session(self, choice: Choice | None = None) -> None:
        """Start a session, as chosen in the window when no choice is given; nothing while one is active."""

    def toggle_session(self) -> None:
        """Start, or stop what runs."""

    def sessions_folder(self) -> Path:
        """Where sessions are recorded."""

    def open_session(self, path: Path) -> None:
        """Read and show a recorded session."""

    def show_document(self, document: Document) -> None:
        """Show the live conversation or a recorded session."""

    def notify(self, text: str, forever: bool = False) -> None:
        """Say one line above the conversation."""

    def add_page(self, name: str, page: QWidget) -> None:
        """A page beside the conversation, shown by ``show_page``. Its ``set_theme`` follows the theme."""

    def show_page(self, name: str) -> None:
        """``talk`` is the conversation with its timeline."""

    def shown_page(self) -> str:
        """Name of the page that is shown."""
