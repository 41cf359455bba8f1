"""What PulseAudio, or PipeWire in its place, does with our streams.

PortAudio reaches such a server through an ALSA plugin that hides the devices
behind one name, and the server moves a stream to another device when its own
goes away, even from a microphone to the monitor of our loudspeaker. So the
server itself is asked which microphone feeds us, and told which one we mean.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from engine.audio import pulse_abi as abi

CONNECT_S = 1.0


class PulseError(Exception):
    """There is no such server, or it does not answer in time."""


class PulseRefusedError(PulseError):
    """The server answers and says no; the connection is still good."""


@dataclass(frozen=True)
class PulseDevice:
    """A source or a sink. ``is_monitor``: a source that gives what a sink plays."""

    index: int
    name: str
    description: str
    rate: int
    channels: int
    is_monitor: bool


@dataclass(frozen=True)
class PulseStream:
    """A stream of a client and the index of the source or sink it is connected to."""

    index: int
    device: int
    pid: int


def _text(value: bytes | None) -> str:
    return (value or b"").decode("utf-8", errors="replace")


class PulseClient:
    """A connection of its own, driven by the calling thread: every call is bounded by a timeout.

    Not thread-safe; each thread makes its own. After a PulseError the
    connection is of no more use.

    Raises:
        PulseError: libpulse is not installed, or no server answers within a second.
    """

    def __init__(self, timeout_s: float = 0.5) -> None:
        lib = abi.load() if sys.platform == "linux" else None
        if lib is None:
            raise PulseError("libpulse is not installed")
        self._lib = lib
        self._timeout_s = timeout_s
        self._loop = lib.pa_mainloop_new()
        self._context = lib.pa_context_new(lib.pa_mainloop_get_api(self._loop), b"microturn")
        try:
            if lib.pa_context_connect(self._context, None, abi.NO_AUTOSPAWN, None) < 0:
                raise PulseError("there is no PulseAudio or PipeWire server")
            self._run(lambda: self._state() == abi.CONTEXT_READY, CONNECT_S)
        except PulseError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Leave the server. The object must not be used afterwards."""
        if self._loop:
            self._lib.pa_context_disconnect(self._context)
            self._lib.pa_context_unref(self._context)
            self._lib.pa_mainloop_free(self._loop)
            self._loop = self._context = None

    def _state(self) -> int:
        return int(self._lib.pa_context_get_state(self._context))

    def _run(self, done: Callable[[], bool], timeout_s: float) -> None:
        """Turn the main loop until ``done``."""
        deadline = time.monotonic() + timeout_s
        while not done():
            if self._state() in {abi.CONTEXT_FAILED, abi.CONTEXT_TERMINATED}:
                raise PulseError("the sound server has ended or refused the connection")
            left = deadline - time.monotonic()
            if left <= 0:
                raise PulseError("the sound server does not answer")
            if (
                self._lib.pa_mainloop_prepare(self._loop, max(1, int(left * 1e6))) < 0
                or self._lib.pa_mainloop_poll(self._loop) < 0
                or self._lib.pa_mainloop_dispatch(self._loop) < 0
            ):
                raise PulseError("the connection to the sound server broke")

    def _finish(self, operation: int | None, done: Callable[[], bool]) -> None:
        if not operation:
            raise PulseError("the sound server refused a request")
        try:
            self._run(done, self._timeout_s)
        except PulseError:
            # The callback's memory goes away with this call.
            self._lib.pa_operation_cancel(operation)
            raise
        finally:
            self._lib.pa_operation_unref(operation)

    def _collect(self, request: Any, callback_type: Any, read: Callable[[Any], Any]) -> list[Any]:
        """Run a listing request; ``read`` makes a value of each structure."""
        found: list[Any] = []
        ended: list[int] = []

        def take(_context: int, info: Any, eol: int, _data: int) -> None:
            if eol:
                ended.append(eol)
            else:
                found.append(read(info.contents))

        callback = callback_type(take)
        self._finish(request(self._context, callback, None), lambda: bool(ended))
        return found

    def defaults(self) -> tuple[str, str]:
        """Names of the default source and the default sink; empty where there is none."""
        names: list[tuple[str, str]] = []

        def take(_context: int, info: Any, _data: int) -> None:
            found = info.contents
            names.append((_text(found.default_source_name), _text(found.default_sink_name)))

        callback = abi.ServerCallback(take)
        request = self._lib.pa_context_get_server_info(self._context, callback, None)
        self._finish(request, lambda: bool(names))
        return names[0]

    def sources(self) -> list[PulseDevice]:
        """Microphones and monitors."""
        return self._devices(self._lib.pa_context_get_source_info_list, source=True)

    def sinks(self) -> list[PulseDevice]:
        """Loudspeakers."""
        return self._devices(self._lib.pa_context_get_sink_info_list, source=False)

    def _devices(self, request: Any, source: bool) -> list[PulseDevice]:
        def read(info: Any) -> PulseDevice:
            is_monitor = source and info.monitor != abi.INVALID_INDEX
            rate, channels = info.sample_spec.rate, info.sample_spec.channels
            return PulseDevice(
                info.index, _text(info.name), _text(info.description), rate, channels, is_monitor
            )

        return self._collect(request, abi.DeviceCallback, read)

    def captures(self, pid: int) -> list[PulseStream]:
        """The recording streams of process ``pid``."""
        request = self._lib.pa_context_get_source_output_info_list
        return [s for s in self._collect(request, abi.SourceOutputCallback, self._stream) if s.pid == pid]

    def playbacks(self, pid: int) -> list[PulseStream]:
        """The playing streams of process ``pid``."""
        request = self._lib.pa_context_get_sink_input_info_list
        return [s for s in self._collect(request, abi.SinkInputCallback, self._stream) if s.pid == pid]

    def _stream(self, info: Any) -> PulseStream:
        pid = _text(self._lib.pa_proplist_gets(info.proplist, b"application.process.id"))
        return PulseStream(info.index, info.device, int(pid) if pid.isdigit() else -1)

    def move_capture(self, stream: int, source: str) -> None:
        """Connect a recording stream to the source of that name."""
        self._move(self._lib.pa_context_move_source_output_by_name, stream, source)

    def move_playback(self, stream: int, sink: str) -> None:
        """Connect a playing stream to the sink of that name."""
        self._move(self._lib.pa_context_move_sink_input_by_name, stream, sink)

    def _move(self, request: Any, stream: int, device: str) -> None:
        answers: list[int] = []

        def take(_context: int, success: int, _data: int) -> None:
            answers.append(success)

        callback = abi.SuccessCallback(take)
        operation = request(self._context, stream, device.encode(), callback, None)
        self._finish(operation, lambda: bool(answers))
        if not answers[0]:
            raise PulseRefusedError(f"the sound server cannot connect us to {device}")
