"""Settings, as a feature of the window."""

from PySide6.QtCore import QTimer

from app.preferences.dialog import PreferencesDialog
from app.privacy import privacy_text, sharing_text
from app.session_choice import background_from, config_from
from app.shell import Shell

SETTLE_MS = 400
"""A slider that is being drawn makes one change, not one for every step."""


class PreferencesFeature:
    """Makes the dialog when it is first asked for, and keeps what is said about privacy true. Qt's thread."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self.dialog: PreferencesDialog | None = None
        shell.commands.add(
            "&Session", "S&ettings…", "Ctrl+,", "Choose how it talks, answers, records and looks", self.show
        )
        self._temperament = config_from(shell.settings).temperament
        self._settling = QTimer(shell.window_widget)
        self._settling.setSingleShot(True)
        self._settling.setInterval(SETTLE_MS)
        self._settling.timeout.connect(self._lean)
        shell.signals.settings_changed.connect(self._show_privacy)
        shell.signals.settings_changed.connect(self._settling.start)
        shell.bridge.session_changed.connect(lambda *_: self._show_privacy())
        shell.signals.closing.connect(self._close)

    def show(self, *_: object, page: str = "") -> None:
        """Open the dialog, or bring it forward, with a page by its title."""
        if self.dialog is None:
            self.dialog = PreferencesDialog(self._shell)
        self.dialog.show_page(page)

    def _show_privacy(self) -> None:
        """What a session does counts until it ends: a scene may have a server of its own."""
        running = self._shell.bridge.choice
        chosen = running.background if running is not None else None
        background = chosen or background_from(self._shell.settings)
        told = privacy_text(background.base_url, background.send_frames)
        self._shell.side.privacy.setText(told)
        self._shell.card.show_privacy(told, sharing_text(background.base_url))

    def _lean(self) -> None:
        """A changed temperament holds at once, also in a running session."""
        temperament = config_from(self._shell.settings).temperament
        if temperament != self._temperament:
            self._temperament = temperament
            self._shell.bridge.set_temperament(temperament)

    def _close(self) -> None:
        if self.dialog is not None:
            self.dialog.close_calls()
            self.dialog.close()
