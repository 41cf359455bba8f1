"""Which webcams this computer has."""

import sys
from dataclasses import dataclass
from pathlib import Path

_PROBED = 5  # OpenCV cannot list cameras, so on macOS and Windows the first indices are tried


@dataclass(frozen=True)
class CameraDevice:
    """A webcam: OpenCV's index, and a name for people."""

    index: int
    name: str


def list_cameras() -> list[CameraDevice]:
    """The webcams found now. On Linux a look at /sys; elsewhere each index is opened, which takes a while."""
    return _v4l_cameras(Path("/sys/class/video4linux")) if sys.platform == "linux" else _probe()


def _v4l_cameras(folder: Path) -> list[CameraDevice]:
    found = []
    for node in folder.glob("video*"):
        number = node.name.removeprefix("video")
        try:
            # A camera's further nodes carry metadata, not pictures.
            is_picture = (node / "index").read_text().strip() == "0"
            name = (node / "name").read_text(errors="replace").strip()
        except OSError:
            continue
        if is_picture and number.isdigit():
            found.append(CameraDevice(int(number), name or f"Camera {number}"))
    return sorted(found, key=lambda camera: camera.index)


def _probe() -> list[CameraDevice]:
    import cv2

    found = []
    for index in range(_PROBED):
        capture = cv2.VideoCapture(index)
        if capture.isOpened():
            found.append(CameraDevice(index, f"Camera {index}"))
        capture.release()
    return found
