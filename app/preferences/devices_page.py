"""Devices: the same choices as in the menus."""

from PySide6.QtWidgets import QWidget

from app.device_menus import DeviceMenu
from app.preferences.forms import Check, Choices, Page, button, dim, labelled, row
from app.settings import Settings
from app.shell import Shell


class DevicesPage(Page):
    """Mirrors the device menus, which own the choice."""

    title = "Devices"
    names = ("hold_to_talk",)
    later = True
    at_once = "Hold to talk is taken over at once, the devices not."

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        form = self.section("Microphone, loudspeaker and camera")
        menus = shell.menus
        self.rows: list[tuple[Choices, DeviceMenu]] = []
        for label, menu in (
            ("&Microphone", menus.inputs),
            ("&Loudspeaker", menus.outputs),
            ("&Camera", menus.cameras),
        ):
            choices = Choices(label.replace("&", ""))
            labelled(form, label, choices)
            choices.picked.connect(menu.choose)
            self.rows.append((choices, menu))
        self.look = button("Look &again", "Look for devices again")
        form.addRow(row(self.look, QWidget(), stretch=1))
        form.addRow(
            dim(
                "Headphones are the safe choice. With loudspeakers the assistant’s own voice is taken out of "
                "the microphone’s sound."
            )
        )
        self.hold = Check("&Hold to talk: the microphone is on only while you hold F8 or the button")
        form.addRow(self.hold)
        self.finish()
        self.hold.clicked.connect(lambda on: self.change(hold_to_talk=on))
        self.look.clicked.connect(shell.bridge.refresh_devices)
        shell.bridge.devices_changed.connect(lambda _: self.show_settings(shell.settings))
        menus.changed.connect(lambda: self.show_settings(shell.settings))

    def show_settings(self, settings: Settings) -> None:
        for choices, menu in self.rows:
            known = [(str(action.data()), action.text().replace("&&", "&")) for action in menu.actions()]
            choices.show_options(known, menu.value)
        self.hold.setChecked(settings.hold_to_talk)

    def opened(self) -> None:
        self.shell.bridge.refresh_devices()

    def reset(self) -> None:
        super().reset()
        for _, menu in self.rows:
            menu.choose("")
