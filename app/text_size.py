"""The size of all text, and the theme of high contrast, in the menu View."""

from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QMenu

from app import theme as themes
from app.shell import Shell
from app.timeline_card import Legend

_LEGEND_UP_TO = 1.5


class TextSize:
    """Qt's thread."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        menu = shell.commands.menu("&View").addMenu("Te&xt size")
        for text, shortcut, also, tip, call in (
            ("&Larger text", "Ctrl+Shift+Up", "Ctrl+Shift++", "Make all text larger", self._larger),
            ("&Smaller text", "Ctrl+Shift+Down", "Ctrl+Shift+-", "Make all text smaller", self._smaller),
            ("&Normal size", "Ctrl+Shift+0", "", "Text as large as designed", lambda: self._set(1.0)),
        ):
            action = shell.commands.add("&View", text, shortcut, tip, call)
            if also:  # where + needs Shift, the system takes it for Ctrl++, which is the timeline's
                action.setShortcuts([QKeySequence(shortcut), QKeySequence(also)])
            shell.commands.menu("&View").removeAction(action)
            menu.addAction(action)
        self._add_contrast()
        shell.signals.settings_changed.connect(self._apply)
        self._apply()

    def _add_contrast(self) -> None:
        """A further entry of the menu of themes."""
        shell = self._shell
        first = shell.commands.themes.actions()[0]
        action = shell.commands.themes.addAction("High &contrast")
        action.setCheckable(True)
        action.setData(themes.CONTRAST.name)
        for menu in shell.commands.menu("&View").actions():
            entries = menu.menu()
            if isinstance(entries, QMenu) and first in entries.actions():
                entries.addAction(action)
                entries.setTitle("The&me")  # T is the text field's
        for one in shell.commands.themes.actions():
            one.setToolTip(f"Colours: {one.text().replace('&', '')}")
            one.setStatusTip(one.toolTip())
        action.setChecked(shell.settings.theme == themes.CONTRAST.name)

    def _larger(self) -> None:
        self._step(1)

    def _smaller(self) -> None:
        self._step(-1)

    def _step(self, by: int) -> None:
        self._set(themes.next_text_scale(by))

    def _set(self, scale: float) -> None:
        self._shell.change_settings(text_scale=scale)
        self._shell.notify(f"Text size {themes.text_scale():.0%}.")

    def _apply(self) -> None:
        if themes.set_text_scale(self._shell.settings.text_scale):
            chosen = self._shell.commands.themes.checkedAction()
            if chosen is not None:
                chosen.trigger()  # the theme once more: every widget asks for its sizes anew
            # Very large text leaves no room for the legend; the letters are in the details as well.
            for legend in self._shell.window_widget.findChildren(Legend):
                legend.setVisible(themes.text_scale() <= _LEGEND_UP_TO)
                legend.updateGeometry()
