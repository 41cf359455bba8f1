"""Opening a microphone or loudspeaker, and connecting it by name where a sound server is in between.

Called in the device thread.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext

from engine.audio.devices import BRIDGES, AudioDevice, Kind, default_device, find_device
from engine.audio.guard import Pin, SourceGuard
from engine.audio.pulse import PulseClient, PulseDevice, PulseError, PulseRefusedError, PulseStream
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


def unverified(stream: InputStream) -> str:
    """A notice where a sound server may choose the microphone and cannot be asked which; else empty."""
    device = stream.device
    if sys.platform == "linux" and stream.guard is None and (device.pulse or device.name in BRIDGES):
        return (
            "the sound server cannot be asked which microphone it uses:"
            " if that one goes away, another source may take its place unnoticed"
        )
    return ""


def open_input(device: AudioDevice, asked: bool, latency_s: float) -> InputStream:
    """Open a microphone, and verify it where a sound server is in between. ``asked``: see `Pin`.

    Raises:
        MicroturnError: it cannot be opened or reached.
    """
    with _connected(device) as client:
        way = None if client is None else _Way(client.captures, client.sources, client.move_capture, device)
        stream = InputStream(device, latency_s)
        try:
            stream.begin()
            if way is not None and way.connect(asked) is not None:
                time.sleep(_SETTLE_S)
                if (mine := way.connect(asked)) is not None:
                    stream.guard = SourceGuard(mine, Pin(device.pulse, asked))
            stream.record()
        except (MicroturnError, PulseError):
            stream.close()
            raise
    return stream


def open_output(device: AudioDevice, asked: bool, latency_s: float, beside: bool = False) -> OutputStream:
    """Open a loudspeaker; one of a sound server is connected by its name. ``beside``: with a second ring.

    Raises:
        MicroturnError: it cannot be opened or reached.
    """
    with _connected(device) as client:
        way = None if client is None else _Way(client.playbacks, client.sinks, client.move_playback, device)
        stream = OutputStream(device, latency_s, beside)
        try:
            stream.begin()
            if way is not None:
                way.connect(asked)
        except (MicroturnError, PulseError):
            stream.close()
            raise
    return stream


@contextmanager
def _connected(device: AudioDevice) -> Iterator[PulseClient | None]:
    """A connection to the sound server, None for a device without one. Its errors become MicroturnErrors."""
    try:
        with closing(PulseClient()) if device.pulse else nullcontext() as client:
            yield client
    except PulseError as err:
        raise MicroturnError(f"{device.name} cannot be used: {err}") from err


class _Way:
    """From a new stream of ours to one device of the sound server."""

    def __init__(
        self,
        streams: Callable[[int], list[PulseStream]],
        devices: Callable[[], list[PulseDevice]],
        move: Callable[[int, str], None],
        device: AudioDevice,
    ) -> None:
        self._streams, self._devices, self._move = streams, devices, move
        self._name = device.pulse
        self._before = {s.index for s in streams(os.getpid())}

    def connect(self, asked: bool) -> int | None:
        """Our stream's index on the server, once it is connected to the device.

        ALSA's plugin may replace the stream while it starts, so a refusal is no
        last word. None when no stream comes: PortAudio's default goes past the
        server here, which will do unless one of its devices was asked for.
        """
        deadline = time.monotonic() + _APPEAR_S
        refusal = PulseError("PortAudio does not reach the sound server")
        seen = False
        while time.monotonic() < deadline:
            new = [s for s in self._streams(os.getpid()) if s.index not in self._before]
            wanted = next((d.index for d in self._devices() if d.name == self._name), None)
            for stream in new[-1:]:
                seen = True
                if stream.device == wanted:
                    return stream.index
                try:
                    self._move(stream.index, self._name)
                except PulseRefusedError as err:
                    refusal = err
            time.sleep(0.01)
        if seen or asked:
            raise refusal
        return None
