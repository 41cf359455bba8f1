"""The one place where engine events become Qt signals.

A timer drains the event bus about 30 times a second and looks at the session's
state; slow calls run in a worker thread. Everything here belongs to Qt's thread.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from app.document import Document, recorded_document
from app.live import Choice, Devices, ListDevices, LiveSession, OpenSession
from app.text import error_line
from app.worker import Worker
from engine.config import Temperament
from engine.errors import MicroturnError
from engine.event_bus import EventBus, Subscription
from engine.events import Event
from engine.recorder.marks import HELD, LET_GO, MUTED, UNMUTED

TICK_MS = 33
STOP_S = 3.0


class EngineBridge(QObject):
    """Runs at most one live session for the window."""

    events = Signal(list)
    """Events of the live session, in order."""
    session_changed = Signal(str, str)
    """State (off, starting, running, stopping, stopped, failed) and a line of detail."""
    recording_changed = Signal(bool)
    """Whether the recorder has its files open."""
    muted_changed = Signal(bool)
    microphone_changed = Signal(object)
    """Whether the capture device is really open; None where that cannot be told."""
    dropped = Signal(int)
    """Events that came too fast for the window, in all."""
    devices_changed = Signal(object)
    recorded_opened = Signal(object)
    """A Document."""
    trouble = Signal(str)
    """One line for the person."""
    ticked = Signal()
    """After each round of the timer, for what moves."""

    def __init__(
        self, open_session: OpenSession, list_devices: ListDevices, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._open_session, self._list_devices = open_session, list_devices
        self._worker = Worker()
        # Apart: whoever mutes must not wait until a recording has been read.
        self._reader = Worker("window-reader")
        self._session: LiveSession | None = None
        self._choice: Choice | None = None
        self._subscription: Subscription | None = None
        self._told: tuple[str, str] = ("off", "")
        self._recording = self._muted = self._opening = self._stopping = self._closed = False
        self._dropped = 0
        self._microphone: bool | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self.tick)

    @property
    def session(self) -> LiveSession | None:
        """The live session, while there is one."""
        return self._session

    @property
    def choice(self) -> Choice | None:
        """How the session that is opening, running or ending is run."""
        return self._choice

    @property
    def state(self) -> str:
        return self._told[0]

    @property
    def muted(self) -> bool:
        return self._muted

    @property
    def active(self) -> bool:
        """A session is opening, running or ending."""
        return self._session is not None or self._opening

    def start(self, choice: Choice) -> None:
        """Open a session and begin; nothing happens while one is active."""
        if self.active:
            return
        self._opening, self._choice = True, choice
        self._tell("starting", "opening")
        bus = EventBus()
        subscription = bus.subscribe()

        def opened(session: Any, error: Exception | None) -> None:
            self._opening = False
            if error is not None:
                subscription.close()
                self._stopping, self._choice = False, None
                self._tell("failed", error_line(error))
                return
            self._session, self._subscription = session, subscription
            self._dropped = 0
            if self._stopping:
                self._end(session)
            elif self._muted:
                self.set_muted(True)

        def call() -> LiveSession:
            session = self._open_session(choice, bus)
            session.start()
            return session

        self._submit(call, opened)

    def stop(self) -> None:
        """End the session; the state becomes ``stopped`` when it has ended."""
        if not self.active or self._stopping:
            return
        self._stopping = True
        self._tell("stopping", "")
        if self._session is not None:
            self._end(self._session)

    def _end(self, session: LiveSession) -> None:
        self._submit(lambda: session.stop(STOP_S), self._ended)

    def _ended(self, in_time: Any, error: Exception | None) -> None:
        if error is not None:  # it is not known to have ended: whoever asked may ask again
            self._stopping = False
            self.trouble.emit(error_line(error))
            return
        if not in_time:
            self.trouble.emit("The session is slow to end; it was left behind.")
        self._drain()
        self._let_go()

    def _let_go(self) -> None:
        session, self._session, self._choice = self._session, None, None
        if self._subscription is not None:
            self._subscription.close()
            self._subscription = None
        self._opening = self._stopping = False
        self._set_recording(False)
        self._set_microphone(None)
        error = session.error if session is not None else None
        self._tell("failed" if error else "stopped", error_line(error) if error else "")

    def set_muted(self, muted: bool, held: bool = False) -> None:
        """Close or reopen the microphone; remembered for the next session. ``held``: by hold-to-talk."""
        if muted != self._muted:
            self._muted = muted
            self.muted_changed.emit(muted)
        if self._session is not None:
            source = self._session.source
            done, undone = (LET_GO, HELD) if held else (MUTED, UNMUTED)
            self._session.mark(done if muted else undone)
            self._submit(lambda: source.set_muted(muted), self._only_errors)

    def set_temperament(self, temperament: Temperament) -> None:
        """Lean otherwise in the running session."""
        if self._session is not None:
            self._session.set_temperament(temperament)

    def switch_camera(self, camera: str | None) -> None:
        """Another camera, or none, in the running session."""
        if (session := self._session) is not None:
            self.use_device(lambda: session.switch_camera(camera))

    def stop_speaking(self) -> None:
        if self._session is not None:
            self._session.stop_speaking()

    def type_text(self, text: str) -> None:
        if self._session is not None:
            self._session.type_text(text)

    def mark(self, note: str, verdict: str = "", t: float | None = None) -> None:
        """Put a note into the live session, at second ``t``; None is now."""
        if self._session is not None:
            self._session.mark(note, verdict, t)

    def cancel_job(self, job: int) -> None:
        if self._session is not None:
            self._session.cancel_job(job)

    def retry_job(self, job: int) -> None:
        """Ask again what a job was asked that has ended."""
        if self._session is not None:
            self._session.retry_job(job)

    def permit_job(self, job: int, allowed: bool) -> None:
        """Answer the question that a job has asked."""
        if self._session is not None:
            self._session.permit_job(job, allowed)

    def share_files(self, paths: Sequence[Path]) -> None:
        """These files may be read from now on, and no others."""
        if self._session is not None:
            self._session.share_files(tuple(paths))

    def refresh_devices(self) -> None:
        """Look for devices now; ``devices_changed`` tells what was found."""

        def listed(devices: Any, error: Exception | None) -> None:
            if error is not None:
                self.trouble.emit(f"Devices cannot be listed: {error_line(error)}")
            self.devices_changed.emit(devices or Devices())

        rebuild = not self.active
        self._submit(lambda: self._list_devices(rebuild), listed)

    def open_recorded(self, path: Path) -> None:
        """Read a session folder; ``recorded_opened`` or ``trouble`` follows."""
        from engine.recorder.reader import read_session

        def call() -> Document:
            return recorded_document(read_session(path))

        def opened(document: Any, error: Exception | None) -> None:
            if error is None:
                self.recorded_opened.emit(document)
            else:
                self.trouble.emit(error_line(error))

        self._submit(call, opened, self._reader)

    def run_call(self, call: Callable[[], Any], then: Callable[[Any, Exception | None], None]) -> None:
        """Run something slow beside the window; ``then`` gets its result or its error, in Qt's thread."""
        self._submit(call, then, self._reader)

    def use_device(
        self, call: Callable[[], Any], then: Callable[[Any, Exception | None], None] | None = None
    ) -> None:
        """Open or close a device, in the order asked for; a session that is started later waits for it."""
        self._submit(call, then or self._only_errors)

    def run_in_background(self, call: Callable[[], Any]) -> None:
        """Something whose result nobody waits for, such as loading the engine's code ahead of time."""
        self._submit(call, self._only_errors, self._reader)

    def tick(self) -> None:
        """One round: results of slow calls, events, state."""
        self._worker.poll()
        self._reader.poll()
        self._drain()
        session = self._session
        if session is not None:
            self._set_recording(session.recording)
            self._set_microphone(getattr(session.source, "device_open", None))
            if not self._stopping:
                if session.state in ("stopped", "failed"):
                    self._drain()
                    self._let_go()
                else:
                    self._tell(session.state, session.progress if session.state == "starting" else "")
        self.ticked.emit()
        if not self.active and not self._worker.busy and not self._reader.busy:
            self._timer.stop()

    def close(self) -> None:
        """End everything, within ``STOP_S`` seconds: what hangs is left to die with the program."""
        self._closed = True
        self._timer.stop()
        deadline = time.monotonic() + STOP_S
        if self._session is not None:
            self._session.stop(0.0)
        self._worker.close(STOP_S)
        self._reader.close(max(deadline - time.monotonic(), 0.0))
        self._worker.poll()  # a session that was being opened meanwhile
        if self._session is not None:
            self._session.stop(max(deadline - time.monotonic(), 0.0))
            self._let_go()

    def _drain(self) -> None:
        if self._subscription is None:
            return
        events: list[Event] = self._subscription.drain()
        if events:
            self.events.emit(events)
        if self._subscription.dropped > self._dropped:
            self._dropped = self._subscription.dropped
            self.dropped.emit(self._dropped)

    def _submit(
        self,
        call: Callable[[], Any],
        then: Callable[[Any, Exception | None], None],
        worker: Worker | None = None,
    ) -> None:
        if self._closed:
            return
        try:
            (worker or self._worker).submit(call, then)
        except MicroturnError as err:
            then(None, err)
            return
        self._timer.start()

    def _only_errors(self, _: Any, error: Exception | None) -> None:
        if error is not None:
            self.trouble.emit(error_line(error))

    def _set_recording(self, recording: bool) -> None:
        if recording != self._recording:
            self._recording = recording
            self.recording_changed.emit(recording)

    def _set_microphone(self, opened: bool | None) -> None:
        if opened is not self._microphone:
            self._microphone = opened
            self.microphone_changed.emit(opened)

    def _tell(self, state: str, detail: str) -> None:
        if (state, detail) != self._told:
            self._told = state, detail
            self.session_changed.emit(state, detail)
