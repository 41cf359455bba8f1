"""The live microphone and loudspeaker of a session.

docs/audio.md explains the threads, the rings, and how time is kept.
"""

import time

from engine.audio.devices import find_device
from engine.audio.echo import VoiceProcessor
from engine.audio.host import AudioHost, Line
from engine.audio.live_sink import LiveSink
from engine.audio.live_source import LiveSource
from engine.audio.opening import open_input, open_output, resolve
from engine.audio.portaudio import load
from engine.audio.streams import InputStream, OutputStream
from engine.clock import Clock, MonotonicClock

FIRST_FRAMES_S = 3.0


def open_live_audio(
    input_name: str | None = None, output_name: str | None = None, clock: Clock | None = None
) -> tuple[LiveSource, LiveSink]:
    """A microphone and a loudspeaker that share an echo canceller.

    Nothing is opened before ``start``: the sink's opens the loudspeaker and
    then the microphone, and returns when both run, so that ``clock`` may be
    started afterwards without losing the first words; the source's finds its
    device open. ``sink.stop`` ends the device thread of both.

    Args:
        input_name, output_name: a device's id, name, or part of its name; None: the default.
        clock: the session's clock; None makes one that starts now.

    Raises:
        InputError: no device has that name.
        MicroturnError: PortAudio is missing.
    """
    load()
    if input_name is not None:
        find_device(input_name, "input")
    if output_name is not None:
        find_device(output_name, "output")
    capture: Line[InputStream] = Line("input", lambda: resolve(input_name, "input"), open_input)
    playback: Line[OutputStream] = Line("output", lambda: resolve(output_name, "output"), open_output)
    host = AudioHost((playback, capture))
    session_clock = clock or MonotonicClock()
    sink = LiveSink(playback, host, session_clock)
    source = LiveSource(capture, host, session_clock, sink.reference, VoiceProcessor())

    def open_microphone() -> None:
        if not source.muted:
            source.start()
        deadline = time.monotonic() + FIRST_FRAMES_S
        lines = [line for line in (playback, capture) if line.wanted]
        while time.monotonic() < deadline:
            if all(line.current is not None and line.current.frames > 0 for line in lines):
                return
            time.sleep(0.01)

    sink.on_open = open_microphone
    return source, sink
