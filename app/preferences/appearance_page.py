"""Appearance: theme, size of text, and what is shown."""

from app import theme as themes
from app.preferences.forms import Check, Choices, Page, dim, labelled
from app.settings import Settings
from app.shell import Shell


class AppearancePage(Page):
    """Mirrors the menu View; all takes effect at once."""

    title = "Appearance"
    names = ("theme", "text_scale", "show_timeline")

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        form = self.section("Appearance")
        self.theme = Choices("Theme")
        labelled(form, "&Theme", self.theme)
        self.text_size = Choices("Size of text")
        labelled(form, "&Size of text", self.text_size)
        form.addRow(dim("The high-contrast theme has white text on black and borders that can be seen."))
        self.timeline = Check("Show the time&line of decisions below the conversation")
        form.addRow(self.timeline)
        self.finish()
        self.timeline.clicked.connect(lambda on: self.change(show_timeline=on))
        self.theme.picked.connect(self._pick)
        self.text_size.picked.connect(lambda value: self.change(text_scale=float(value)))

    def show_settings(self, settings: Settings) -> None:
        named = [(str(a.data()), a.text().replace("&", "")) for a in self.shell.commands.themes.actions()]
        self.theme.show_options(named, settings.theme)
        sizes = [(f"{scale:g}", f"{scale:.0%}") for scale in themes.TEXT_SCALES]
        self.text_size.show_options(sizes, f"{settings.text_scale:g}")
        self.timeline.setChecked(settings.show_timeline)

    def reset(self) -> None:
        self._pick("system")
        self.change(text_scale=1.0, show_timeline=True)

    def _pick(self, theme: str) -> None:
        """By the menu's action, which applies it; then kept."""
        for action in self.shell.commands.themes.actions():
            if action.data() == theme:
                action.trigger()
        self.shell.change_settings(theme=theme)
