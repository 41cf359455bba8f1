"""One open PortAudio stream each way, with rtmixer's C callback. Never a duplex stream.

Made and closed by the device thread; the engine thread uses the rings.
"""

from typing import Any

from engine.audio.devices import AudioDevice, Kind
from engine.audio.frame_clock import FrameClock
from engine.audio.guard import SourceGuard
from engine.audio.portaudio import calls, closed, load, opened
from engine.audio.rings import CaptureRing, PlaybackRing
from engine.errors import MicroturnError

_FALLBACK_HZ = (48_000.0, 44_100.0)


def _open(kind: Kind, device: AudioDevice, channels: int, latency_s: float) -> tuple[Any, float]:
    """A stream that is open and not yet started, and its rate.

    Raises:
        MicroturnError: PortAudio refused, at every rate worth trying.
    """
    sounddevice, rtmixer = load()
    make = rtmixer.Recorder if kind == "input" else rtmixer.Mixer
    reason = ""
    info = sounddevice.query_devices(device.index)
    latency = max(latency_s, info[f"default_low_{kind}_latency"])
    for rate in dict.fromkeys((device.default_rate, *_FALLBACK_HZ)):
        try:
            stream = make(device=device.index, channels=channels, samplerate=rate, latency=latency)
        except sounddevice.PortAudioError as err:
            reason = str(err)
        else:
            return stream, rate
    raise MicroturnError(f"{device.name} could not be opened ({reason}); is another program using it?")


class _Stream:
    """What both directions share."""

    def __init__(self, kind: Kind, device: AudioDevice, latency_s: float) -> None:
        # Two channels are averaged or fed alike; a device's further ones are left alone.
        self.channels = 1 if device.pulse and kind == "input" else min(2, device.channels(kind))
        self.device = device
        with calls():
            self._stream, self.rate = _open(kind, device, self.channels, latency_s)
            opened(self)
        self.latency_s = float(self._stream.latency)
        self.clock = FrameClock(self.rate)
        self.lost = False
        """Set by whoever notices that the device has gone; the device thread closes the stream then."""
        self._xruns = 0
        self._closed = False

    def begin(self) -> None:
        """Let the callback run."""
        sounddevice, _ = load()
        with calls():
            try:
                self._stream.start()
            except sounddevice.PortAudioError as err:
                raise MicroturnError(f"{self.device.name} could not be started ({err})") from err

    @property
    def finished(self) -> bool:
        """Whether PortAudio itself has given the stream up. False says nothing: see `Heartbeat`."""
        sounddevice, _ = load()
        try:
            return not self._stream.active
        except sounddevice.PortAudioError:
            return True

    def close(self) -> None:
        """Give the device back, once. May block in the driver."""
        self.lost = True
        with calls():
            if not self._closed:
                self._closed = True
                self._stream.close(ignore_errors=True)
                closed(self)

    def _new(self, count: int) -> int:
        new = count - self._xruns
        self._xruns = count
        return new


class InputStream(_Stream):
    """A microphone. Nothing is captured before ``record``, so the source can be verified first."""

    def __init__(self, device: AudioDevice, latency_s: float) -> None:
        super().__init__("input", device, latency_s)
        _, rtmixer = load()
        self.ring = CaptureRing(rtmixer, self.channels, self.rate)
        self.guard: SourceGuard | None = None
        """Says whether the source is still the one meant; None where no sound server can move us."""
        self._action: Any = None

    def close(self) -> None:
        """Give the microphone back. May block in the driver."""
        super().close()
        if self.guard is not None:
            self.guard.close()

    def record(self) -> None:
        """Start to fill the ring."""
        self._action = self._stream.record_ringbuffer(self.ring.ring)

    @property
    def frames(self) -> int:
        """Frames delivered so far."""
        return self.ring.captured

    def new_xruns(self) -> int:
        """Overruns that PortAudio has reported since the last call."""
        return 0 if self._action is None else self._new(int(self._action.stats.input_overflows))


class OutputStream(_Stream):
    """A loudspeaker, silent until a ring is written to. ``beside``: a second ring, mixed in by frames."""

    def __init__(self, device: AudioDevice, latency_s: float, beside: bool = False) -> None:
        super().__init__("output", device, latency_s)
        _, rtmixer = load()
        self.ring = PlaybackRing(rtmixer, self.channels, self.rate)
        self.beside = PlaybackRing(rtmixer, self.channels, self.rate) if beside else None
        # Both before ``begin``: the callback takes them up at once, and their frames are the same.
        self._action = self._stream.play_ringbuffer(self.ring.ring)
        if self.beside is not None:
            self._stream.play_ringbuffer(self.beside.ring)

    @property
    def frames(self) -> int:
        """Frames the device has taken so far."""
        return self.ring.consumed

    def new_xruns(self) -> int:
        """Underruns that PortAudio has reported since the last call."""
        return self._new(int(self._action.stats.output_underflows))
