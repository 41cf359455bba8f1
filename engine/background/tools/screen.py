"""The tool that takes a picture of the screen. It is private, so the user is asked each time."""

import os
import sys
from pathlib import Path

import cv2
import numpy as np
import platformdirs

from engine.background.tools.picture import PictureError, encoded
from engine.background.tools.tool import (
    Arguments,
    Permission,
    Tool,
    ToolContext,
    ToolError,
    ToolResult,
    schema,
)

MAX_SAME_SECOND = 20


def screenshot(_arguments: Arguments, context: ToolContext) -> ToolResult:
    """Save all screens as one PNG in the user's pictures folder.

    Raises:
        ToolError: there is no screen, the system does not let programs see it, or the disk is full.
    """
    image = _grab()
    done, png = cv2.imencode(".png", image)
    if not done:
        raise ToolError("I could not make a picture of the screen.")
    path = _save(png.tobytes(), f"Screenshot {context.now:%Y-%m-%d %H-%M-%S}")
    try:
        jpeg = encoded(image)
    except PictureError:
        jpeg = b""
    height, width = image.shape[:2]
    return ToolResult(
        f"I took a screenshot and saved it as {path.name}.",
        {"file": str(path), "width": width, "height": height},
        jpeg,
    )


def _grab() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """All screens together: blue, green, red."""
    if sys.platform.startswith("linux"):
        if os.environ.get("WAYLAND_DISPLAY") or os.environ.get("XDG_SESSION_TYPE") == "wayland":
            raise ToolError("I cannot take a screenshot, because a Wayland desktop does not let me see it.")
        if not os.environ.get("DISPLAY"):
            raise ToolError("I cannot take a screenshot, because I have no screen here.")
    from mss import MSS, ScreenShotError

    try:
        with MSS() as screens:
            shot = screens.grab(screens.monitors[0])
    except (ScreenShotError, OSError, IndexError, ValueError) as err:
        raise ToolError("I cannot take a screenshot, because the screen cannot be read.") from err
    pixels = np.frombuffer(shot.bgra, np.uint8).reshape(shot.height, shot.width, 4)
    return np.ascontiguousarray(pixels[:, :, :3])


def _save(png: bytes, name: str) -> Path:
    """Never over another file."""
    try:
        folder = Path(platformdirs.user_pictures_dir())
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(1, MAX_SAME_SECOND):
            path = folder / (f"{name}.png" if number == 1 else f"{name} {number}.png")
            try:
                with path.open("xb") as file:
                    file.write(png)
            except FileExistsError:
                continue
            return path
    except OSError as err:
        raise ToolError("I could not save the screenshot in your pictures folder.") from err
    raise ToolError("I have just saved many screenshots, so please wait a moment.")


SCREENSHOT = Tool(
    name="screenshot",
    description="Take a screenshot of the user's screen and save it in the pictures folder.",
    parameters=schema(),
    run=screenshot,
    permission=Permission.ASK_ALWAYS,
    changes=True,
    timeout_s=10.0,
)
