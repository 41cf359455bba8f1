"""The camera's pictures as a fragmented MP4 that can be played up to its last fragment."""

import contextlib
from fractions import Fraction

import av
import av.error
import cv2
import numpy as np
from av.video.stream import VideoStream

from engine.recorder.folder import SessionFile
from engine.types import Frame

_TICKS = 1_000  # time stamps are milliseconds of the session
_KEYFRAME_EVERY = 10  # pictures; about 2 s at one picture a micro-turn
_CODECS = (
    ("libx264", {"preset": "ultrafast", "tune": "zerolatency", "crf": "26"}),
    ("mpeg4", {"qscale": "5"}),
)


class VideoWriter:
    """Writes frames at their own times; all are scaled to the size of the first one.

    Until the first picture came the video is black.
    """

    def __init__(self, file: SessionFile, first: Frame) -> None:
        """Begin the new ``file``, which now belongs to this writer. Raises OSError."""
        self._file = file
        self._last = -1
        # One fragment a picture: whatever is cut off, every picture before it can be read.
        flags = {"movflags": "frag_every_frame+empty_moov+default_base_moof"}
        self._container = av.open(self._file, "w", format="mp4", options=flags)
        name, options = next(((n, o) for n, o in _CODECS if n in av.codecs_available), ("", {}))
        if not name:
            raise OSError("no video encoder is available")
        height, width = (max(2, side // 2 * 2) for side in first.image.shape[:2])
        stream = self._container.add_stream(name, rate=Fraction(5), options=options)
        assert isinstance(stream, VideoStream)
        self._stream = stream
        self._stream.width, self._stream.height = width, height
        self._stream.pix_fmt = "yuv420p"
        self._stream.time_base = self._stream.codec_context.time_base = Fraction(1, _TICKS)
        self._stream.codec_context.gop_size = _KEYFRAME_EVERY
        self._stream.codec_context.thread_count = 1
        # Players begin at the first picture: a black one at 0 keeps the video and the audio together.
        if round(first.t * _TICKS) > 0:
            self.write(Frame(np.zeros_like(first.image), number=-1, t=0.0))

    def write(self, frame: Frame) -> None:
        """Append one picture. A picture not newer than the last one is skipped. Raises OSError."""
        pts = round(frame.t * _TICKS)
        if pts <= self._last:
            return
        self._last = pts
        size = (self._stream.width, self._stream.height)
        image = frame.image
        if image.shape[1::-1] != size:
            image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
        picture.pts, picture.time_base = pts, Fraction(1, _TICKS)
        self._mux(picture)

    def _mux(self, picture: av.VideoFrame | None) -> None:
        try:
            for packet in self._stream.encode(picture):
                self._container.mux(packet)
        except av.error.FFmpegError as err:
            self._file.check()
            raise OSError(f"the video encoder failed: {err.strerror or err}") from err
        self._file.check()

    def close(self) -> None:
        """Write what the encoder still holds, and the index. Raises OSError."""
        # The file's own error, below, says what stopped it; every fragment before stays readable.
        with contextlib.suppress(av.error.FFmpegError, OSError):
            if self._file.error is None:
                self._mux(None)
        with contextlib.suppress(av.error.FFmpegError, OSError):
            self._container.close()
        error = self._file.error
        self._file.close()
        if error is not None:
            raise error
