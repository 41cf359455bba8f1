"""Playback of the recorded session that is shown: commands, playhead, transport bar and camera picture."""

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QBoxLayout

from app.inspecting.pictures import PictureFeed
from app.inspecting.player import Player, Wish
from app.inspecting.transport import SPEEDS, TransportBar
from app.shell import Shell
from app.text import sentence
from app.timeline.time_scale import clock_label
from engine.config import CHUNK_S

_TICK_MS = 33
_LIVE = "Stop the live session first: its microphone would hear the recording."
_NOTHING = "Only a recorded session can be played: open one with Ctrl+O."


class Playback(QObject):
    """The playhead is where playing begins, or goes on; selecting a micro-turn moves it."""

    moved = Signal()
    """``position_s`` may be another one."""

    def __init__(self, shell: Shell, make_player: Callable[[], Player]) -> None:
        super().__init__(shell.window_widget)
        self._shell, self._make_player = shell, make_player
        self._player: Player | None = None
        self._feed: PictureFeed | None = None
        self._t = self._shown_t = 0.0
        self._playing = self._begun = False
        self._told = ""
        self.bar = TransportBar(shell.theme)
        card = shell.timeline.parentWidget()
        layout = card.layout() if card is not None else None
        assert isinstance(layout, QBoxLayout)
        layout.insertWidget(layout.indexOf(shell.timeline) + 1, self.bar)
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._tick)
        shell.commands.menu("&Inspect").addSeparator()
        self._command = shell.commands.add(
            "&Inspect",
            "&Play",
            "Ctrl+P",
            "Play the recording from the playhead, or pause",
            self.toggle,
        )
        self.bar.toggled.connect(self.toggle)
        self.bar.speed_chosen.connect(lambda speed: self._choose(playback_speed=speed))
        self.bar.sound_chosen.connect(lambda mixed: self._choose(playback_mixed=mixed))
        shell.timeline.play_asked.connect(self.toggle)
        shell.timeline.selection_changed.connect(self._selection_changed)
        shell.signals.document_changed.connect(self._document_changed)
        shell.signals.settings_changed.connect(self._show_choices)
        shell.signals.theme_changed.connect(lambda: self.bar.set_theme(shell.theme))
        shell.signals.closing.connect(self._close)
        shell.bridge.session_changed.connect(self._session_changed)
        shell.bridge.ticked.connect(self._show_picture)
        self._show_choices()
        self._show()

    @property
    def position_s(self) -> float:
        """Session second of the playhead."""
        return self._t

    @property
    def playing(self) -> bool:
        return self._playing

    def toggle(self) -> None:
        """Play from the playhead, or pause."""
        if self._playing:
            self.pause()
        elif self._shell.document.path is None:
            self._shell.notify(_NOTHING)
        elif self._shell.bridge.active:
            self._shell.notify(_LIVE)
        else:
            end_s = self._shell.document.timeline.end_s
            self._play(self._t if self._t < end_s - CHUNK_S / 2 else 0.0)

    def pause(self) -> None:
        """Fall silent; the playhead stays."""
        if self._player is not None and self._playing:
            self._player.stop()
            self._t = self._player.state.t
        self._stopped()

    def seek(self, t: float) -> None:
        """Move the playhead, and go on playing from there."""
        if self._shell.document.path is None:
            return
        self._t = min(max(t, 0.0), self._shell.document.timeline.end_s)
        if self._playing:
            self._play(self._t)
        else:
            self._want_picture()
            self._show()

    def _play(self, t: float) -> None:
        document, settings = self._shell.document, self._shell.settings
        if document.path is None:
            return
        if self._player is None:
            self._player = self._make_player()
        self._t, self._playing, self._told = t, True, ""
        self._player.play(
            Wish(
                folder=document.path,
                t=t,
                end_s=document.timeline.end_s,
                speed=settings.playback_speed if settings.playback_speed in SPEEDS else 1.0,
                mixed=settings.playback_mixed,
                device=self._shell.menus.outputs.value or None,
            )
        )
        self._begun = True
        self._timer.start()
        self._show()

    def _tick(self) -> None:
        assert self._player is not None
        state = self._player.state
        self._t = state.t
        if state.note and state.note != self._told:
            self._told = state.note
            self._shell.notify(sentence(state.note))
        if not state.active:
            self._stopped()
        self._want_picture()
        self._show_picture()
        self._show()

    def _stopped(self) -> None:
        self._playing = False
        self._timer.stop()
        self._show()

    def _show(self) -> None:
        recorded = self._shell.document.path is not None
        self.bar.setVisible(recorded)
        self._command.setText("&Pause" if self._playing else "&Play")
        if not recorded:
            self._shell.timeline.set_playhead(None)
            return
        self.bar.show_playing(self._playing)
        timeline = self._shell.timeline
        self.bar.show_position(self._t, self._shell.document.timeline.end_s)
        # Whoever looks elsewhere while it plays is left there.
        timeline.follow_playhead = self._playing and (self._begun or self._seen(self._shown_t))
        timeline.set_playhead(self._t)
        self._shown_t, self._begun = self._t, False
        self.moved.emit()

    def _seen(self, t: float) -> bool:
        viewport = self._shell.timeline.viewport
        return viewport.start_s <= t <= viewport.stop_s

    # pictures

    def _want_picture(self) -> None:
        path = self._shell.document.path
        if path is None or self._shell.bridge.active:
            return
        if self._feed is None:
            self._feed = PictureFeed(path)
        self._feed.want(self._t)

    def _show_picture(self) -> None:
        """After each round of the window too, which shows the live camera, or that there is none."""
        feed, camera = self._feed, self._shell.side.camera
        if feed is None or self._shell.bridge.active:
            return
        picture = feed.newest
        if picture is not None:
            camera.show_picture(picture.image, round(picture.t * 1000))
            camera.setAccessibleDescription(f"recorded picture of {clock_label(picture.t, 0.1)}")
        elif feed.answered:
            camera.show_note("No picture at this moment")

    def _drop_pictures(self) -> None:
        feed, self._feed = self._feed, None
        if feed is not None:
            if feed.answered and not self._shell.bridge.active:
                self._shell.side.camera.show_note("Camera off")
            feed.close(0.0)  # a picture may be half decoded, and nobody waits for it

    # what happens elsewhere

    def _choose(self, **changes: float | bool) -> None:
        self._shell.change_settings(**changes)
        if self._playing and self._player is not None:
            self._play(self._player.state.t)

    def _show_choices(self) -> None:
        settings = self._shell.settings
        speed = settings.playback_speed if settings.playback_speed in SPEEDS else 1.0
        self.bar.show_choices(speed, settings.playback_mixed)

    def _selection_changed(self) -> None:
        selected = self._shell.timeline.model.selected
        if selected is not None:
            self.seek(selected * CHUNK_S)

    def _session_changed(self, state: str, _: str) -> None:
        if state == "starting":
            self.pause()
            self._drop_pictures()

    def _document_changed(self) -> None:
        self.pause()
        self._drop_pictures()
        self._t = 0.0
        self._show()

    def _close(self) -> None:
        self._timer.stop()
        if self._feed is not None:
            self._feed.close()
            self._feed = None
        if self._player is not None:
            self._player.close()
