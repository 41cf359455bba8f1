"""Settings, as a feature of the window."""

from app.preferences.dialog import PreferencesDialog
from app.privacy import privacy_text, sharing_text
from app.session_choice import background_from
from app.shell import Shell


class PreferencesFeature:
    """Makes the dialog when it is first asked for, and keeps what is said about privacy true. Qt's thread."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self.dialog: PreferencesDialog | None = None
        shell.commands.add(
            "&Session", "S&ettings…", "Ctrl+,", "Choose how it talks, answers, records and looks", self.show
        )
        shell.signals.settings_changed.connect(self._show_privacy)
        shell.bridge.session_changed.connect(lambda *_: self._show_privacy())
        shell.signals.closing.connect(self._close)

    def show(self, *_: object, page: str = "") -> None:
        """Open the dialog, or bring it forward, with a page by its title."""
        if self.dialog is None:
            self.dialog = PreferencesDialog(self._shell)
        self.dialog.show_page(page)

    def _show_privacy(self) -> None:
        """What a running session does counts until it ends."""
        if self._shell.bridge.active:
            return
        background = background_from(self._shell.settings)
        told = privacy_text(background.base_url, background.send_frames)
        self._shell.side.privacy.setText(told)
        self._shell.card.show_privacy(told, sharing_text(background.base_url))

    def _close(self) -> None:
        if self.dialog is not None:
            self.dialog.close_calls()
            self.dialog.close()
