"""Runs the live microphone and loudspeaker in a process of its own, for tests with real devices.

``python -m tests.engine.audio_child [INPUT [OUTPUT]]`` prints one JSON object a
micro-turn. Lines on stdin: ``say`` begins a 700 Hz tone, ``flush`` ends it,
``mute``, ``unmute``, ``stop``. Echo is not cancelled here: what a test looks
for is what really came in.
"""

import json
import queue
import sys
import threading
import time

import numpy as np

from engine.audio import live
from engine.audio.echo import VoiceProcessor
from engine.clock import MonotonicClock
from engine.config import INPUT_HZ, OUTPUT_CHUNK, OUTPUT_HZ
from engine.errors import MicroturnError
from engine.types import Samples

OWN_HZ, MIC_HZ = 700.0, 1_700.0


class PlainProcessor(VoiceProcessor):
    def process(self, near: Samples, far: Samples) -> Samples:
        return near


def amplitude(samples: Samples, hz: float) -> float:
    turn = np.exp(-2j * np.pi * hz * np.arange(len(samples)) / INPUT_HZ)
    return round(float(2 * np.abs(np.mean(samples * turn))), 4)


def tone(begin: int, count: int) -> Samples:
    t = (begin + np.arange(count)) / OUTPUT_HZ
    return (0.3 * np.sin(2 * np.pi * OWN_HZ * t)).astype(np.float32)


def report(**fields: object) -> None:
    print(json.dumps(fields), flush=True)


def run(input_name: str | None, output_name: str | None) -> None:
    vars(live)["VoiceProcessor"] = PlainProcessor
    clock = MonotonicClock()
    began = time.monotonic()
    source, sink = live.open_live_audio(input_name, output_name, clock)
    commands: queue.SimpleQueue[str] = queue.SimpleQueue()

    def listen() -> None:
        for line in sys.stdin:
            commands.put(line.strip())

    threading.Thread(target=listen, daemon=True).start()
    try:
        sink.start()
        clock.start()
        source.start()
        report(opened_s=time.monotonic() - began, microphone=source.name, loudspeaker=sink.name)
        said, saying, i = 0, False, 0
        while (chunk := source.read()) is not None:
            late = clock.now() - 0.2 * (i + 1)
            heard = sink.played(i)
            dropped = 0
            while not commands.empty():
                command = commands.get()
                if command == "stop":
                    source.stop()
                elif command in {"mute", "unmute"}:
                    source.set_muted(command == "mute")
                elif command == "flush":
                    dropped, saying, said = sink.flush(clock.now()), False, 0
                else:
                    saying = True
            if saying:
                # The first piece is longer, so that there is always some to play.
                count = OUTPUT_CHUNK if said else OUTPUT_CHUNK * 3 // 2
                sink.write(tone(said, count), clock.now())
                said += count
            report(
                i=i,
                late=round(late, 4),
                gap=chunk.gap_samples,
                mic=amplitude(chunk.samples, MIC_HZ),
                own=amplitude(chunk.samples, OWN_HZ),
                faults=[*chunk.faults, *sink.take_faults()],
                heard=int(np.count_nonzero(heard)),
                dropped=dropped,
                written=said,
                open=source.device_open,
            )
            i += 1
    finally:
        began = time.monotonic()
        source.stop()
        sink.stop()
        report(stopped_s=time.monotonic() - began)


if __name__ == "__main__":
    try:
        run(*(name or None for name in [*sys.argv[1:], "", ""][:2]))
    except MicroturnError as err:
        report(error=str(err), status=err.exit_status)
