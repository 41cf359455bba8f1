"""The live microphone and loudspeaker of a session.

docs/audio.md explains the threads, the rings, and how time is kept.
"""

import time
from functools import partial

from engine.audio.devices import find_device
from engine.audio.echo import VoiceProcessor
from engine.audio.host import AudioHost, Line
from engine.audio.live_sink import LiveSink
from engine.audio.live_source import LiveSource
from engine.audio.opening import open_input, open_output, resolve
from engine.audio.portaudio import load
from engine.audio.streams import InputStream, OutputStream
from engine.clock import Clock, MonotonicClock
from engine.config import OUTPUT_CHUNK, OUTPUT_HZ
from engine.types import Samples

FIRST_FRAMES_S = 3.0
PLAY_GRACE_S = 2.0
PLAY_TAIL_S = 0.1  # what the device has taken is on its way


def open_live_audio(
    input_name: str | None = None,
    output_name: str | None = None,
    clock: Clock | None = None,
    processor: VoiceProcessor | None = None,
) -> tuple[LiveSource, LiveSink]:
    """A microphone and a loudspeaker that share an echo canceller.

    Nothing is opened before ``start``: the sink's opens the loudspeaker and
    then the microphone, and returns when both run, so that ``clock`` may be
    started afterwards without losing the first words; the source's finds its
    device open. ``sink.stop`` ends the device thread of both.

    Args:
        input_name, output_name: a device's id, name, or part of its name; None: the default.
        clock: the session's clock; None makes one that starts now.
        processor: what cleans the microphone's signal; None makes the usual one.

    Raises:
        InputError: no device has that name.
        MicroturnError: PortAudio is missing.
    """
    load()
    if input_name is not None:
        find_device(input_name, "input")
    playback = _playback(output_name)
    capture: Line[InputStream] = Line("input", lambda: resolve(input_name, "input"), open_input)
    host = AudioHost((playback, capture))
    session_clock = clock or MonotonicClock()
    sink = LiveSink(playback, host, session_clock)
    source = LiveSource(capture, host, session_clock, sink.reference, processor or VoiceProcessor())

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


def open_loudspeaker(
    output_name: str | None = None, clock: Clock | None = None, beside: bool = False
) -> LiveSink:
    """A loudspeaker alone, for a session whose input is a file, or to play something.

    As ``open_live_audio`` otherwise. ``beside``: the sink's ``play_beside`` is to be used.
    """
    load()
    playback = _playback(output_name, beside)
    return LiveSink(playback, AudioHost((playback,)), clock or MonotonicClock())


def play(samples: Samples, output_name: str | None = None) -> None:
    """Play 24 kHz mono samples to their end; blocks so long, and no longer than 2 s more.

    Raises:
        InputError: no device has that name.
        MicroturnError: PortAudio is missing, or the loudspeaker cannot be opened.
    """
    clock = MonotonicClock()
    sink = open_loudspeaker(output_name, clock)
    try:
        sink.start()
        clock.start()
        deadline = len(samples) / OUTPUT_HZ + PLAY_GRACE_S
        for begin in range(0, len(samples), OUTPUT_CHUNK):
            while sink.queued(clock.now()) > 2 * OUTPUT_CHUNK and clock.now() < deadline:
                time.sleep(0.02)
            sink.write(samples[begin : begin + OUTPUT_CHUNK], clock.now())
        while sink.queued(clock.now()) and clock.now() < deadline:
            time.sleep(0.02)
        time.sleep(PLAY_TAIL_S)
    finally:
        sink.stop()


def _playback(name: str | None, beside: bool = False) -> Line[OutputStream]:
    if name is not None:
        find_device(name, "output")
    return Line("output", lambda: resolve(name, "output"), partial(open_output, beside=beside))
