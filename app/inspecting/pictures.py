"""The camera's pictures of a recorded session, by time. Plain Python.

Reads block; each reader belongs to one thread.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from app.timeline.pictures import STALE_S
from engine.errors import InputError
from engine.recorder.folder import VIDEO
from engine.types import Image

_FORWARD_S = 3.0  # so far ahead it is quicker to decode on than to seek
_EPS_S = 0.002


@dataclass(frozen=True)
class Picture:
    """(height, width, 3) RGB, shown from session second ``t`` on."""

    t: float
    image: Image


def has_pictures(folder: Path) -> bool:
    """Whether a session has a video. One look at the disk."""
    return (folder / VIDEO).is_file()


class PictureReader:
    """The picture that was the newest at a time."""

    def __init__(self, folder: Path) -> None:
        """Open the video of a session. Raises InputError when it cannot be read."""
        import av

        file = folder / VIDEO
        try:
            self._container: Any = av.open(str(file))
            self._stream = self._container.streams.video[0]
        except (av.FFmpegError, OSError, ValueError, IndexError) as err:
            raise InputError(f"{VIDEO} cannot be read as a video") from err
        self._stream.codec_context.thread_count = 1
        self._errors = (av.FFmpegError, OSError, ValueError)
        self._frames: Iterator[Any] = iter(())
        self._shown: Any = None
        self._next: Any = None
        self._begin = True
        self._made: Picture | None = None

    def at(self, t: float) -> Picture | None:
        """The newest picture at session second ``t``.

        None before the first, where the camera had stopped, and where the file is damaged.
        """
        try:
            self._move_to(t + _EPS_S)
        except self._errors:
            self._begin = True
            return None
        if self._shown is None:
            return None
        time = float(self._shown.time)
        if t - time > STALE_S:
            return None
        if self._made is None or self._made.t != time:
            image = np.ascontiguousarray(self._shown.to_ndarray(format="rgb24"))
            self._made = Picture(time, image)
        return self._made

    def _move_to(self, t: float) -> None:
        shown = None if self._shown is None else self._shown.time
        ahead = t - (self._next.time if self._next is not None else shown or 0.0)
        if self._begin or (shown is not None and t < shown) or ahead > _FORWARD_S:
            if not self._begin or t > _FORWARD_S:
                self._container.seek(max(int(t / float(self._stream.time_base or 1)), 0), stream=self._stream)
            self._frames = self._container.decode(self._stream)
            self._begin, self._shown = False, None
            self._next = next(self._frames, None)
        while self._next is not None and self._next.time <= t:
            self._shown = self._next
            self._next = next(self._frames, None)

    def close(self) -> None:
        self._container.close()


class PictureFeed:
    """Reads pictures in a thread of its own, always the one wanted last. ``want`` and ``newest`` at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._condition = threading.Condition()
        self._wanted: float | None = None
        self._newest: Picture | None = None
        self._answered = self._closing = False
        self._thread = threading.Thread(target=self._run, name="playback-pictures", daemon=True)
        self._thread.start()

    def want(self, t: float) -> None:
        """Session second whose picture is to be read."""
        with self._condition:
            self._wanted = t
            self._condition.notify()

    @property
    def answered(self) -> bool:
        """``newest`` tells what there is; before that it is still being looked for."""
        with self._condition:
            return self._answered

    @property
    def newest(self) -> Picture | None:
        """What was read last; None where there is none."""
        with self._condition:
            return self._newest

    def close(self, timeout: float = 1.0) -> None:
        """End the thread."""
        with self._condition:
            self._closing = True
            self._condition.notify()
        self._thread.join(timeout)

    def _run(self) -> None:
        try:
            reader = PictureReader(self._folder)
        except InputError:
            return
        try:
            while (t := self._next_wish()) is not None:
                picture = reader.at(t)
                with self._condition:
                    self._newest, self._answered = picture, True
        finally:
            reader.close()

    def _next_wish(self) -> float | None:
        with self._condition:
            self._condition.wait_for(lambda: self._closing or self._wanted is not None)
            wanted, self._wanted = self._wanted, None
            return None if self._closing else wanted
