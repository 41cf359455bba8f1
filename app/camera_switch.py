"""Camera on and off as one command, at once also while a session runs."""

from app.shell import Shell

NONE_FOUND = "No camera was found. Plug one in, and look in the menu Devices."


class CameraSwitch:
    """Qt's thread. The camera chosen last is the one that comes back."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self.action = shell.commands.add(
            "&Devices", "Camera &on", "Ctrl+Shift+M", "Switch the camera on or off", self.toggle
        )
        shell.menus.changed.connect(self._show)
        shell.bridge.session_changed.connect(self._session_changed)
        shell.bridge.devices_changed.connect(lambda _: self._show())
        self._show()

    @property
    def on(self) -> bool:
        """A camera is chosen for the next session, or in use in this one."""
        return bool(self._shell.menus.cameras.value)

    def toggle(self) -> None:
        """Off if it is on, and on if it is off."""
        if self.on:
            self._switch_off()
        else:
            self._switch_on()
        self._show()

    def _switch_off(self) -> None:
        shell = self._shell
        shell.change_settings(last_camera=shell.menus.cameras.value)
        shell.menus.cameras.choose("")
        if shell.bridge.session is not None:
            shell.side.camera.off = True
            shell.side.camera.show_newest(None)
            shell.bridge.switch_camera(None)
        shell.notify("Camera off.")

    def _switch_on(self) -> None:
        shell = self._shell
        known = [value for value, _ in shell.menus.cameras.found]
        wanted = shell.settings.last_camera
        if wanted not in known:
            wanted = known[0] if known else wanted
        if not wanted:
            shell.bridge.refresh_devices()
            shell.notify(NONE_FOUND)
            return
        shell.menus.cameras.choose(wanted)
        shell.side.camera.off = False
        shell.bridge.switch_camera(wanted)
        when = "" if shell.bridge.active else ", when you start"
        shell.notify(f"Camera on{when}: {shell.menus.cameras.name()}.")

    def _session_changed(self, state: str, _: str) -> None:
        if state == "starting":
            self._shell.side.camera.off = False

    def _show(self) -> None:
        self.action.setText("Camera &off" if self.on else "Camera &on")
