"""Small pictures of a recorded session's video: which are wanted, and how they are read. Knows no Qt."""

from bisect import bisect_right
from collections import OrderedDict
from dataclasses import dataclass
from math import floor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.config import CHUNK_S
from engine.errors import InputError

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame

MAX_PICTURES = 240
HEIGHT_PX = 72
"""Pictures are kept at this height, for lanes of any height and screens of any density."""
STALE_S = 2.0
"""A picture older than this is none: the camera had stopped."""
_AHEAD = 12
"""A picture that is at most so many pictures ahead is reached by decoding on, without a seek."""

Picture = NDArray[np.uint32]
"""(rows, columns) of 0xffRRGGBB."""


@dataclass(frozen=True)
class Tile:
    """A picture of session second ``t`` is shown from there on."""

    t: float
    t1: float


def tiles(t0: float, t1: float, px_per_s: float, tile_px: float) -> list[Tile]:
    """Tiles that cover ``t0 .. t1``, each at least ``tile_px`` wide.

    Their times are multiples of 1, 2, 3, 4, 6, 8, 12... micro-turns: every
    pan shows the same pictures, and neighbouring zooms many of them.
    """
    turns = 1
    while turns * CHUNK_S * px_per_s < tile_px:
        turns = turns * 3 // 2 if turns & (turns - 1) == 0 and turns > 1 else max(turns * 4 // 3, 2)
    step = turns * CHUNK_S
    first = max(floor(t0 / step + 1e-9), 0)
    count = max(floor(t1 / step) - first + 1, 0)
    return [Tile(round(k * step, 3), round((k + 1) * step, 3)) for k in range(first, first + count)]


class Pictures:
    """The pictures shown last; None where the video has none."""

    def __init__(self, limit: int = MAX_PICTURES) -> None:
        self._limit = limit
        self._kept: OrderedDict[float, Picture | None] = OrderedDict()

    def put(self, t: float, picture: Picture | None) -> None:
        self._kept[t] = picture
        while len(self._kept) > self._limit:
            self._kept.popitem(last=False)

    def get(self, t: float) -> Picture | None:
        if t in self._kept:
            self._kept.move_to_end(t)
        return self._kept.get(t)

    def known(self, t: float) -> bool:
        """It has been read, and may be None."""
        return t in self._kept

    def missing(self, wanted: list[Tile]) -> list[float]:
        return [tile.t for tile in wanted[: self._limit] if tile.t not in self._kept]


class VideoFile:
    """Finds pictures by time. Methods belong to one thread, which they keep waiting.

    The recorder writes a fragment for each picture and no index, so the first
    thing is to go through the file once, without decoding: 0.2 s for an hour.

    Raises:
        InputError: there is no video, or it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        import av  # takes a while to load: not before a session with pictures is looked at
        import av.error

        self._errors = (av.error.FFmpegError, OSError, ValueError, IndexError, TypeError)
        try:
            self._container: InputContainer = av.open(str(path))
            self._stream = self._container.streams.video[0]
            self._stream.codec_context.thread_count = 1
            base = float(self._stream.time_base or 1)
            demuxed = self._container.demux(self._stream)
            packets = [(p.pts * base, p.is_keyframe) for p in demuxed if p.pts is not None]
        except self._errors as err:
            raise InputError(f"{path.name} cannot be read as a video") from err
        self._times = sorted(t for t, _ in packets)
        self._keys = sorted(t for t, key in packets if key) or [0.0]
        self._base = base
        self._at = -1
        self._last: VideoFrame | None = None
        self._number = -1
        if not self._times:
            raise InputError(f"{path.name} holds no pictures")
        width, height = self._stream.codec_context.width, self._stream.codec_context.height
        self.size = max(round(width * HEIGHT_PX / max(height, 1)), 1), HEIGHT_PX
        """Width and height of the pictures."""

    def picture(self, t: float) -> Picture | None:
        """The newest picture at second ``t``; None before the first one, and where the camera had stopped."""
        number = bisect_right(self._times, t + 1e-6) - 1
        if number < 0 or t - self._times[number] > STALE_S:
            return None
        try:
            frame = self._frame(number)
            if frame is None:
                return None
            rgb = frame.to_ndarray(width=self.size[0], height=self.size[1], format="rgb24").astype(np.uint32)
        except self._errors:
            self._number, self._last = -1, None
            return None
        made = 0xFF000000 | rgb[:, :, 0] << 16 | rgb[:, :, 1] << 8 | rgb[:, :, 2]
        return np.ascontiguousarray(made, np.uint32)

    def _frame(self, number: int) -> "VideoFrame | None":
        if number == self._number:
            return self._last
        target = self._times[number]
        if not 0 <= number - self._number <= _AHEAD or self._last is None:
            key = self._keys[max(bisect_right(self._keys, target + 1e-6) - 1, 0)]
            self._container.seek(round(key / self._base), stream=self._stream, backward=True)
        for frame in self._container.decode(self._stream):
            self._last = frame
            if frame.time >= target - 1e-6:
                break
        self._number = number
        return self._last
