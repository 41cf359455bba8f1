"""PortAudio and the C callbacks of rtmixer, loaded when they are first needed.

PortAudio's calls are made under one lock: its device list must not be rebuilt
while somebody reads it or opens a stream.
"""

import atexit
import ctypes
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from engine.errors import MicroturnError

_LOCK = threading.RLock()
_LOCK_S = 2.0
_open_streams: list[object] = []

HOW_TO_INSTALL = (
    "PortAudio is not installed, so no microphone or loudspeaker can be used;"
    " on Debian or Ubuntu: sudo apt install libportaudio2, on Fedora: sudo dnf install portaudio"
)


@contextmanager
def calls() -> Iterator[None]:
    """Hold PortAudio.

    Raises:
        MicroturnError: another thread has been inside PortAudio for two seconds: a driver hangs.
    """
    if not _LOCK.acquire(timeout=_LOCK_S):
        raise MicroturnError("the sound system does not answer; restart it, or the computer")
    try:
        yield
    finally:
        _LOCK.release()


def load() -> tuple[Any, Any]:
    """The modules sounddevice and rtmixer; the first call takes about 0.1 s.

    Raises:
        MicroturnError: PortAudio is missing.
    """
    with calls():
        try:
            import rtmixer
            import sounddevice
        except OSError as err:
            raise MicroturnError(HOW_TO_INSTALL) from err
        _hush_alsa()
        return sounddevice, rtmixer


def opened(stream: object) -> None:
    """Count a stream in. Call it while holding PortAudio."""
    _open_streams.append(stream)


def closed(stream: object) -> None:
    """Count it out again, once."""
    _open_streams.remove(stream)


def rebuild_device_list() -> bool:
    """Make PortAudio look for devices again. Not while a stream is open, which it would kill: then False.

    Raises:
        MicroturnError: PortAudio is missing or does not answer.
    """
    sounddevice, _ = load()
    with calls():
        if _open_streams:
            return False
        sounddevice._terminate()  # noqa: SLF001 - the library has no public way
        sounddevice._initialize()  # noqa: SLF001
        return True


def leave_portaudio_open() -> None:
    """Let the program end although a driver hangs inside PortAudio.

    Its clean-up at exit would wait for the driver for ever. Without it the
    callbacks go on until the process is gone, so the library and what they
    write to must outlive the interpreter's own clean-up.
    """
    # No lock here: the thread that hangs holds it.
    sounddevice = sys.modules.get("sounddevice")
    if sounddevice is None:
        return
    atexit.unregister(sounddevice._exit_handler)  # noqa: SLF001 - the library has no public way
    for needed in (sounddevice._lib, *_open_streams):  # noqa: SLF001
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(needed))


def _hush_alsa() -> None:
    """Keep ALSA from printing to stderr what the session reports as a fault.

    Its error handler must be a C function with any number of arguments; one of
    the C library that takes none and does nothing serves.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            nothing = ctypes.cast(ctypes.CDLL(None).getppid, ctypes.c_void_p)
            ctypes.CDLL("libasound.so.2").snd_lib_error_set_handler(nothing)
