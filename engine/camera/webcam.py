"""A webcam: its own thread reads frames into the ring; nobody waits for it."""

import sys
import threading
import zlib
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

import cv2
from numpy.typing import NDArray

from engine.camera.devices import list_cameras
from engine.camera.picture import from_camera
from engine.camera.ring import FrameRing
from engine.clock import Clock
from engine.errors import InputError
from engine.types import Frame

STALE_S = 1.0
RETRY_S = (0.5, 1.0, 2.0, 5.0)
JOIN_S = 1.0


class Capture(Protocol):
    """The part of ``cv2.VideoCapture`` that is used. All calls may block, ``read`` without limit."""

    def isOpened(self) -> bool: ...  # noqa: N802 - OpenCV's name

    def read(self) -> tuple[bool, NDArray[Any] | None]: ...

    def release(self) -> None: ...


def open_capture(index: int) -> Capture:
    """Open a webcam at a moderate size, with the platform's quicker backend."""
    cv2.utils.logging.setLogLevel(0)  # what it prints is an event here
    backend = cv2.CAP_DSHOW if sys.platform == "win32" else cv2.CAP_ANY
    capture = cv2.VideoCapture(index, backend)
    capture.set(cv2.CAP_PROP_FRAME_WIDTH, 640)
    capture.set(cv2.CAP_PROP_FRAME_HEIGHT, 480)
    return capture


def find_camera(camera: int | str) -> int:
    """OpenCV's index of a webcam given by index or by (part of) its name.

    Raises:
        InputError: no webcam, or more than one, has that name.
    """
    if isinstance(camera, int) or camera.isdigit():
        return int(camera)
    known = list_cameras()
    found = [c for c in known if camera.casefold() in c.name.casefold()]
    exact = [c for c in found if camera == c.name]
    if len(exact or found) != 1:
        names = ", ".join(f"{c.index}: {c.name}" for c in known) or "none"
        how_many = "more than one" if found else "no"
        raise InputError(f"{how_many} webcam is called {camera!r}; found: {names}")
    return (exact or found)[0].index


class WebCamera:
    """A `Camera` over OpenCV. Every fault is an event; none ends the session.

    A picture that stays the same to the bit for a second, or a read that has
    not come back for a second, is ``stalled`` and gives no frames; failed reads
    are ``lost`` and the device is opened again with growing pauses. OpenCV's
    calls cannot be interrupted, so the thread is a daemon: a hung camera does
    not keep the program from ending.

    Raises:
        InputError: no webcam of that name.
    """

    def __init__(
        self, camera: int | str, clock: Clock, opener: Callable[[int], Capture] = open_capture
    ) -> None:
        self._index = find_camera(camera)
        self.name = f"camera {camera}"
        self.ring = FrameRing()
        self._clock = clock
        self._opener = opener
        self._events: deque[str] = deque(maxlen=64)
        self._state = "starting"
        self._taken = 0
        self._beat = clock.now()  # when a new picture last came
        self._read_at = clock.now()  # when a read last came back
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="webcam", daemon=True)

    def start(self) -> None:
        """Begin to capture. Opening may take seconds; ``started`` says when pictures come."""
        self._beat = self._read_at = self._clock.now()
        self._thread.start()

    @property
    def live(self) -> bool:
        """Whether new pictures are coming now. Any thread."""
        return self._state == "started" and self._clock.now() - self._beat <= STALE_S

    def newest(self, t: float) -> Frame | None:
        """The newest frame before session time ``t``; None if none came since the last call."""
        frame = self.ring.newest_before(t)
        if frame is None or frame.number < self._taken:
            return None
        self._taken = frame.number + 1
        return frame

    def take_events(self) -> tuple[str, ...]:
        """``started``, ``stalled: ...`` or ``lost: ...`` since the last call. Notices a hanging read."""
        if self._state == "started" and self._clock.now() - self._read_at > STALE_S:
            self._change("stalled", "the camera has not answered for a second")
        events = []
        while self._events:
            events.append(self._events.popleft())
        return tuple(events)

    def stop(self) -> None:
        """Release the camera; waits a second at most."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(JOIN_S)

    def _change(self, state: str, why: str = "") -> None:
        if state != self._state:
            self._state = state
            self._events.append(f"{state}: {why}" if why else state)

    def _run(self) -> None:
        attempt = 0
        while not self._stopping.is_set():
            capture = self._opener(self._index)
            try:
                if not capture.isOpened():
                    self._change("lost", f"{self.name} could not be opened; is it plugged in and free?")
                elif self._capture(capture):
                    attempt = 0
            except cv2.error:
                self._change("lost", f"{self.name} failed inside OpenCV")
            finally:
                capture.release()
            self._stopping.wait(RETRY_S[min(attempt, len(RETRY_S) - 1)])
            attempt += 1

    def _capture(self, capture: Capture) -> bool:
        """Read until it fails or stops. Returns whether any picture came."""
        last, came = 0, False
        good_at = self._clock.now()
        while not self._stopping.is_set():
            ok, raw = capture.read()
            now = self._read_at = self._clock.now()
            try:
                image = from_camera(raw) if ok and raw is not None else None
            except ValueError:
                image = None
            if image is None:
                if now - good_at > STALE_S:
                    self._change("lost", f"{self.name} stopped giving pictures")
                    return came
                # A failing read may return at once, for ever.
                self._stopping.wait(0.02)
                continue
            good_at = now
            digest = zlib.crc32(image.data)
            if came and digest == last:
                if now - self._beat > STALE_S:
                    self._change("stalled", "the picture has not changed for a second")
                continue
            last, came = digest, True
            self.ring.write(image, now)
            self._beat = now
            self._change("started")
        return came
