"""Says below the camera's picture what is being watched for, and takes it back."""

from time import monotonic

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from app.inspecting.playback import Playback
from app.shell import Shell
from app.watching.texts import lines
from engine.inspect.watching import WatchLog

REQUEST = "stop watching"
"""What is typed for the user: ``engine.background.understanding`` takes it for all that stands."""
_AGAIN_S = 5.0
"""So long a request that was typed is waited for before it can be typed again."""


class Watching(QObject):
    """Of the running session; of a recorded one that is shown instead, at the playhead, as the picture is."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell.window_widget)
        self._shell = shell
        self._asked_at = float("-inf")
        self.action = shell.commands.add(
            "&Session",
            "Stop &watching",
            "Ctrl+Shift+W",
            "Ask the assistant to stop counting, watching, and saying things at a time",
            self._stop,
        )
        side = shell.side
        side.watching.use(self.action)
        QWidget.setTabOrder(side.silence, side.watching.stop)
        QWidget.setTabOrder(side.watching.stop, side.devices[0])
        playback = shell.window_widget.findChild(Playback)
        assert isinstance(playback, Playback)
        self._playback = playback
        playback.moved.connect(self._show)
        shell.signals.events_taken.connect(lambda _: self._show())
        shell.signals.document_changed.connect(self._show)
        shell.signals.refreshed.connect(lambda _: self._show())
        shell.signals.theme_changed.connect(lambda: side.watching.set_theme(shell.theme))
        shell.bridge.session_changed.connect(self._session_changed)
        self._show()

    @property
    def _stands(self) -> bool:
        """Something stands in the running session."""
        log = self._shell.live.timeline.items.watches
        return self._shell.bridge.state == "running" and bool(log.at(float("inf")))

    def _stop(self) -> None:
        if self._stands:
            self._asked_at = monotonic()
            self._shell.bridge.type_text(REQUEST)
            self._show()

    def _session_changed(self, state: str, _: str) -> None:
        if state == "starting":
            self._asked_at = float("-inf")
        self._show()

    def _moment(self) -> tuple[WatchLog, float] | None:
        """What is shown: a log, and the session second; None where nothing is."""
        shell = self._shell
        if shell.bridge.active:
            return shell.live.timeline.items.watches, float("inf")
        if shell.document.path is not None:
            return shell.document.timeline.items.watches, self._playback.position_s
        return None

    def _show(self) -> None:
        stands = self._stands
        if not stands:
            self._asked_at = float("-inf")
        enabled = stands and monotonic() - self._asked_at >= _AGAIN_S
        self.action.setEnabled(enabled)
        moment = self._moment()
        shown = () if moment is None else lines(*moment)
        self._shell.side.watching.show_lines(shown, self._shell.bridge.active, enabled)
