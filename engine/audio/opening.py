"""Opening a microphone or loudspeaker, and connecting it by name where a sound server is in between.

Called in the device thread.
"""

import os
import sys
import time
from collections.abc import Callable
from contextlib import closing, nullcontext

from engine.audio.devices import BRIDGES, AudioDevice, Kind, default_device, find_device
from engine.audio.guard import Pin, SourceGuard
from engine.audio.pulse import PulseClient, PulseError, PulseStream
from engine.audio.streams import InputStream, OutputStream
from engine.errors import MicroturnError

_SETTLE_S = 0.1  # sound of another source that is still on its way after we were moved
_APPEAR_S = 1.0


def resolve(name: str | None, kind: Kind) -> tuple[AudioDevice, bool]:
    """The device meant by ``name`` (None: the default), and whether exactly this one was asked for.

    Raises:
        InputError: there is no such device.
        MicroturnError: there is no device at all, or no PortAudio.
    """
    if name is not None:
        return find_device(name, kind), True
    device = default_device(kind)
    asked = os.environ.get("PULSE_SOURCE" if kind == "input" else "PULSE_SINK", "")
    return device, bool(asked) and device.pulse == asked


def unverified(device: AudioDevice) -> str:
    """A notice where a sound server chooses the microphone and cannot be asked which; else empty."""
    if sys.platform == "linux" and not device.pulse and device.name in BRIDGES:
        return (
            "the sound server cannot be asked which microphone it uses:"
            " if that one goes away, another source may take its place unnoticed"
        )
    return ""


def open_input(device: AudioDevice, asked: bool) -> InputStream:
    """Open a microphone, and verify it where a sound server is in between. ``asked``: see `Pin`.

    Raises:
        MicroturnError: it cannot be opened or reached.
    """
    try:
        with closing(PulseClient()) if device.pulse else nullcontext() as client:
            before = _ours(client.captures) if client else set()
            stream = InputStream(device)
            try:
                stream.begin()
                if client is not None:
                    mine = _wait_for_stream(client.captures, before)
                    client.move_capture(mine.index, device.pulse)
                    stream.guard = SourceGuard(mine.index, Pin(device.pulse, asked))
                    time.sleep(_SETTLE_S)
                stream.record()
            except (MicroturnError, PulseError):
                stream.close()
                raise
    except PulseError as err:
        raise MicroturnError(f"{device.name} cannot be used: {err}") from err
    return stream


def open_output(device: AudioDevice, asked: bool = True) -> OutputStream:
    """Open a loudspeaker; one of a sound server is connected by its name.

    Raises:
        MicroturnError: it cannot be opened or reached.
    """
    del asked  # any loudspeaker may take over from another
    try:
        with closing(PulseClient()) if device.pulse else nullcontext() as client:
            before = _ours(client.playbacks) if client else set()
            stream = OutputStream(device)
            try:
                stream.begin()
                if client is not None:
                    mine = _wait_for_stream(client.playbacks, before)
                    client.move_playback(mine.index, device.pulse)
            except (MicroturnError, PulseError):
                stream.close()
                raise
    except PulseError as err:
        raise MicroturnError(f"{device.name} cannot be used: {err}") from err
    return stream


def _ours(streams: Callable[[int], list[PulseStream]]) -> set[int]:
    return {s.index for s in streams(os.getpid())}


def _wait_for_stream(streams: Callable[[int], list[PulseStream]], before: set[int]) -> PulseStream:
    """Our new stream on the sound server, once it is there."""
    deadline = time.monotonic() + _APPEAR_S
    while time.monotonic() < deadline:
        new = [s for s in streams(os.getpid()) if s.index not in before]
        if new:
            return new[-1]
        time.sleep(0.01)
    raise PulseError("the sound server does not show our stream")
