"""Pictures of others made into small JPEGs. Their size is read before anything is decoded."""

import struct

import cv2
import numpy as np
from numpy.typing import NDArray

MAX_PIXELS = 40_000_000
MAX_SIDE = 1_280
QUALITY = 80
_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8"


class PictureError(Exception):
    """No picture, a broken one, or one that is too large."""


def as_jpeg(data: bytes) -> bytes:
    """A PNG or JPEG as a JPEG of at most 1280 pixels a side, some 0.3 MB.

    Raises:
        PictureError: neither, broken, or more than 40 million pixels.
    """
    width, height = _size(data)
    if not 0 < width * height <= MAX_PIXELS:
        raise PictureError("a picture of that size is not opened")
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as err:
        raise PictureError("the picture is broken") from err
    if image is None:
        raise PictureError("the picture is broken")
    return encoded(np.asarray(image, np.uint8))


def encoded(image: NDArray[np.uint8]) -> bytes:
    """Blue, green, red as a JPEG of at most 1280 pixels a side."""
    height, width = image.shape[:2]
    scale = MAX_SIDE / max(height, width)
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not done:
        raise PictureError("the picture cannot be encoded")
    return bytes(data.tobytes())


def _size(data: bytes) -> tuple[int, int]:
    if data.startswith(_PNG) and data[12:16] == b"IHDR" and len(data) > 24:
        width, height = struct.unpack(">II", data[16:24])
        return width, height
    if data.startswith(_JPEG):
        return _jpeg_size(data)
    raise PictureError("this is neither a PNG nor a JPEG")


def _jpeg_size(data: bytes) -> tuple[int, int]:
    """From the first start-of-frame marker."""
    at = 2
    while at + 9 < len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        at += 1 if marker == 0xFF else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    raise PictureError("the picture is broken")
