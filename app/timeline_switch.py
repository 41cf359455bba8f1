"""The timeline shown or not: whoever only wants to talk has the window for the conversation."""

from app.shell import Shell


class TimelineSwitch:
    """Follows the command in the menu View, which the setting follows. A recorded session always has its
    timeline, and whatever selects a micro-turn brings it back. Qt's thread."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        card = shell.timeline.parentWidget()
        assert card is not None
        self._card = card
        self._action = shell.commands.timeline
        self._action.setChecked(shell.settings.show_timeline)
        self._action.toggled.connect(self._switched)
        shell.signals.settings_changed.connect(self._settings_changed)
        shell.signals.document_changed.connect(self._show)
        shell.timeline.selection_changed.connect(self._selected)
        self._show()

    def _switched(self, on: bool) -> None:
        if on != self._shell.settings.show_timeline:
            self._shell.change_settings(show_timeline=on)
        self._show()

    def _settings_changed(self) -> None:
        self._action.setChecked(self._shell.settings.show_timeline)

    def _selected(self) -> None:
        if self._shell.document.timeline.selected is not None:
            self._action.setChecked(True)

    def _show(self) -> None:
        live = self._shell.document is self._shell.live
        self._action.setEnabled(live)
        self._card.setVisible(self._action.isChecked() or not live)
