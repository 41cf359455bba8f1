"""A video file as a camera: the frame for a moment depends on the moment alone."""

import queue
import threading
from collections import deque
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.stream import Disposition
from av.video.frame import VideoFrame

from engine.camera.picture import fit
from engine.camera.ring import FrameRing
from engine.clock import Clock, SimulatedClock
from engine.errors import InputError
from engine.types import Frame, Image

AHEAD = 8  # decoded frames waiting; at most 1/4 s of an ordinary video
ROUNDING_S = 1e-6
PATIENCE_S = 0.05  # longest wait for the decoder when the clock is a real one


@dataclass(frozen=True)
class _Decoded:
    """``t`` is seconds from the start of the file; ``frame`` None ends the video, too early if ``why``."""

    t: float
    number: int
    frame: VideoFrame | None
    why: str = ""


def _picture(frame: VideoFrame) -> Image:
    width, height = fit(frame.width, frame.height)
    image = frame.to_ndarray(width=width, height=height, format="rgb24")
    # Phones store which way is up beside the pixels, in degrees counter-clockwise.
    turns = round(frame.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(image, turns), dtype=np.uint8)


class VideoFileCamera:
    """A `Camera` whose pictures come from a file, at the file's own times.

    ``newest(t)`` gives the last frame whose presentation time is before t,
    counted from the start of the file. A thread decodes a few frames ahead. On
    a simulated clock ``newest`` waits for the decoder, so a replay always gets
    the same frames; on a real clock it waits 50 ms at most.

    Raises:
        InputError: missing, unreadable, or no video.
    """

    def __init__(self, path: str | Path, clock: Clock) -> None:
        self.name = Path(path).name
        self.ring = FrameRing()
        self._patience = None if isinstance(clock, SimulatedClock) else PATIENCE_S
        self._frames = _decode(Path(path))
        self._next: _Decoded | None = next(self._frames)
        if self._next.frame is None:
            raise InputError(f"{path} holds no picture that can be decoded; give another video")
        self._ahead: queue.Queue[_Decoded] = queue.Queue(AHEAD)
        self._events: deque[str] = deque(maxlen=64)
        self._stopping = threading.Event()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="video-file", daemon=True)

    def start(self) -> None:
        """Begin to decode."""
        self._events.append("started")
        self._thread.start()

    def _run(self) -> None:
        for decoded in self._frames:
            while not self._stopping.is_set():
                try:
                    self._ahead.put(decoded, timeout=0.1)
                    break
                except queue.Full:
                    continue
            if self._stopping.is_set():
                break
        self._frames.close()

    @property
    def live(self) -> bool:
        """Whether there are pictures still to come. Any thread."""
        return not self._ended

    def newest(self, t: float) -> Frame | None:
        """The last frame before session time ``t``; None if none came since the last call."""
        chosen: _Decoded | None = None
        while not self._ended:
            if self._next is None:
                try:
                    self._next = self._ahead.get(timeout=self._patience)
                except queue.Empty:
                    break
            if self._next.frame is None:
                self._ended = True
                self._events.append(f"lost: {self._next.why}" if self._next.why else "ended")
            elif self._next.t >= t - ROUNDING_S:
                break
            else:
                chosen = self._next
                self._next = None
        if chosen is None or chosen.frame is None:
            return None
        image = _picture(chosen.frame)
        self.ring.write(image, chosen.t)
        return Frame(image, chosen.number, chosen.t)

    def take_events(self) -> tuple[str, ...]:
        """``started``, ``ended``, or ``lost: ...`` since the last call."""
        events = tuple(self._events)
        self._events.clear()
        return events

    def stop(self) -> None:
        """Stop decoding and close the file."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(2.0)
        else:
            self._frames.close()


def _decode(path: Path) -> Generator[_Decoded, None, None]:
    """Every frame in order, then one that ends the video. Opens the file at the first ``next``."""
    try:
        container = av.open(str(path))
    except FileNotFoundError as err:
        raise InputError(f"{path} does not exist; check the file's name") from err
    except IsADirectoryError as err:
        raise InputError(f"{path} is a folder; give a video file") from err
    except PermissionError as err:
        raise InputError(f"{path} cannot be read; check its permissions") from err
    except (av.FFmpegError, OSError, ValueError) as err:
        raise InputError(f"{path} is no video that can be read; convert it to MP4, for example") from err
    with container:
        pictures = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
        if not pictures:
            raise InputError(f"{path} has no video in it; give a video file")
        stream = pictures[0]
        # The interaction model needs the processor's cores more.
        stream.codec_context.thread_count = 1
        start = (container.start_time or 0) / av.time_base
        rate = float(stream.average_rate or 25)
        number, t, why = 0, 0.0, ""
        try:
            for frame in container.decode(stream):
                t = frame.time - start if frame.pts is not None else number / rate
                yield _Decoded(t, number, frame)
                number += 1
        except (av.FFmpegError, OSError, ValueError):
            why = f"the video is damaged or cut off at {t:.2f} s"
        expected = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else 0.0
        if not why and number and expected - t > 1.0 + 2.0 / rate:
            why = f"the video is damaged or cut off at {t:.2f} s"
        yield _Decoded(t, number, None, why)
