"""Joins the timeline to the window: a recorded session's folder, a live one's pictures, flowing time."""

from PySide6.QtCore import QObject

from app.shell import Shell
from app.timeline.live_pictures import LivePictures


class TimelineMedia(QObject):
    """Tells the timeline where the shown session lies, keeps the live camera's newest pictures in memory,
    and stops all reading when the window closes."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell.window_widget)
        self._shell = shell
        self._pictures, self._seen = LivePictures(), 0
        shell.bridge.session_changed.connect(self._session_changed)
        shell.signals.document_changed.connect(self._document_changed)
        shell.signals.closing.connect(shell.timeline.close_media)
        shell.signals.refreshed.connect(self._refreshed)

    def _session_changed(self, state: str, _: str) -> None:
        if state == "starting":
            self._pictures, self._seen = LivePictures(), 0
            self._show_pictures()

    def _document_changed(self) -> None:
        self._shell.timeline.set_folder(self._shell.document.path)
        self._show_pictures()

    def _show_pictures(self) -> None:
        if self._shell.document is self._shell.live:
            self._shell.timeline.show_live_pictures(self._pictures)

    def _refreshed(self, seconds: float) -> None:
        if self._shell.bridge.state != "running":
            return
        self._keep_picture()
        if self._shell.document is self._shell.live:
            self._shell.timeline.flow(seconds)

    def _keep_picture(self) -> None:
        """Small, in memory only, and none that was taken before the camera was switched off."""
        session = self._shell.bridge.session
        camera = None if session is None or self._shell.side.camera.off else session.camera
        if camera is None or self._shell.live.timeline.end_s < self._pictures.next_s:
            return
        count, first = camera.ring.count, self._pictures.shape is None
        if count != self._seen and (frame := camera.ring.newest()) is not None:
            self._seen = count
            self._pictures.add(frame.t, frame.image)
            if first:
                self._show_pictures()
