"""Whether a window can be opened at all. Qt itself would abort the whole program."""

import os
import sys
from ctypes import CDLL, c_char_p, c_int, c_void_p

from engine.errors import MicroturnError

WITHOUT = "Without a window: microturn demo, microturn replay, microturn --help."


def check_display() -> None:
    """Raises MicroturnError with what to do, where Qt could not open a window.

    Only Linux needs looking at, and only where Qt's platform is not chosen by hand.
    """
    if not sys.platform.startswith("linux") or os.environ.get("QT_QPA_PLATFORM"):
        return
    if os.environ.get("WAYLAND_DISPLAY"):
        return
    display = os.environ.get("DISPLAY", "")
    if not display:
        raise MicroturnError(f"there is no display to open a window on. {WITHOUT}")
    try:
        CDLL("libxcb-cursor.so.0")
        xcb = CDLL("libxcb.so.1")
    except OSError as err:
        raise MicroturnError(
            "a library that Qt needs is missing: sudo apt-get install libxcb-cursor0 (or your system's like)"
        ) from err
    xcb.xcb_connect.restype, xcb.xcb_connect.argtypes = c_void_p, (c_char_p, c_void_p)
    xcb.xcb_connection_has_error.restype, xcb.xcb_connection_has_error.argtypes = c_int, (c_void_p,)
    xcb.xcb_disconnect.restype, xcb.xcb_disconnect.argtypes = None, (c_void_p,)
    connection = xcb.xcb_connect(None, None)
    failed = xcb.xcb_connection_has_error(connection)
    xcb.xcb_disconnect(connection)
    if failed:
        raise MicroturnError(f"the display {display!r} cannot be opened. {WITHOUT}")
