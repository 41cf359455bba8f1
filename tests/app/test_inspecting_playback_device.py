"""Playback over PortAudio, ALSA and a true sound server: see tests/pulse.py. Only the hardware is missing."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest
import soundfile

from tests.pulse import RATE, SPEAKER_MONITOR, PulseServer, why_not

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(why_not()), reason=f"no PulseAudio: {why_not()}")]

ROOT = Path(__file__).resolve().parents[2]
SECONDS, STEP_S = 6.0, 1.0
YOU, ASSISTANT = (400.0, 700.0, 1_000.0, 1_300.0, 1_600.0, 1_900.0), 2_500.0
"""The user's tone changes each second, so that what is heard tells the time."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    t = np.arange(round(SECONDS * 16_000)) / 16_000
    hz = np.array(YOU)[np.minimum((t / STEP_S).astype(int), len(YOU) - 1)]
    soundfile.write(tmp_path / "input.flac", 0.3 * np.sin(2 * np.pi * hz * t), 16_000, "PCM_16")
    t = np.arange(round(SECONDS * 24_000)) / 24_000
    soundfile.write(tmp_path / "output.wav", 0.3 * np.sin(2 * np.pi * ASSISTANT * t), 24_000, "PCM_16")
    return tmp_path


class Speaker:
    """What the null sink was given: (n, 2) float32 at 48 kHz."""

    def __init__(self, server: PulseServer) -> None:
        self._file = server.folder / f"stereo-{time.monotonic_ns()}.raw"
        self._out = self._file.open("wb")
        self._process = subprocess.Popen(
            ["parec", f"--device={SPEAKER_MONITOR}", "--format=float32le", "--channels=2", f"--rate={RATE}",
             "--latency-msec=10"],
            stdout=self._out, stderr=subprocess.DEVNULL, env=server.env,
        )  # fmt: skip
        server.wait_for(lambda: self._file.stat().st_size > 0, "parec records")

    @property
    def samples(self) -> np.ndarray:
        data = self._file.read_bytes()
        return np.frombuffer(data[: len(data) // 8 * 8], np.float32).reshape(-1, 2)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(5)
        self._out.close()


class Child:
    """A process that plays, and its states."""

    def __init__(self, server: PulseServer, folder: Path) -> None:
        self.states: list[dict[str, Any]] = [{"phase": "idle", "t": 0.0, "note": ""}]
        self.closed: dict[str, Any] = {}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.app.playback_child", str(folder), str(SECONDS)],
            cwd=ROOT, env=server.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            report = json.loads(line)
            if "closed" in report:
                self.closed = report
            else:
                self.states.append(report)

    @property
    def now(self) -> dict[str, Any]:
        return self.states[-1]

    def tell(self, command: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()

    def wait_for(self, condition: Callable[[], bool], what: str, limit_s: float = 20.0) -> None:
        deadline = time.monotonic() + limit_s
        while not condition():
            assert time.monotonic() < deadline, f"in vain: {what}; {self.states[-3:]}"
            time.sleep(0.01)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self.tell("end")
            try:
                self._process.wait(8)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(5)
        self._reader.join(5)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()


@pytest.fixture
def server() -> Iterator[PulseServer]:
    with PulseServer() as server:
        yield server


def amplitude(samples: np.ndarray, hz: float) -> float:
    turn = np.exp(-2j * np.pi * hz * np.arange(len(samples)) / RATE)
    return float(2 * np.abs(np.mean(samples * turn)))


def steps_in(samples: np.ndarray) -> list[int]:
    """Which second of the user's side is heard in every 50 ms; -1 where it is silent."""
    size = RATE // 20
    found = []
    for k in range(len(samples) // size):
        block = samples[k * size : (k + 1) * size, 0]
        levels = [amplitude(block, hz) for hz in YOU]
        found.append(int(np.argmax(levels)) if max(levels) > 0.1 else -1)
    return found


def test_both_sides_arrive_and_the_position_is_what_is_heard(server, folder):
    with Speaker(server) as speaker, Child(server, folder) as child:
        child.tell("play 1.5")
        child.wait_for(lambda: child.now["t"] > 2.6, "a second of playing")
        heard, told = speaker.samples, child.now["t"]
        recent = heard[-RATE // 5 :]
        assert amplitude(recent[:, 1], ASSISTANT) > 0.2
        assert amplitude(recent[:, 0], ASSISTANT) < 0.02
        steps = [one for one in steps_in(heard) if one >= 0]
        assert steps[0] == 1
        assert steps == sorted(steps), "in order, without a hole"
        # At this moment the sink has just been given what the position says, to a few buffers.
        seconds_heard = (len([one for one in steps_in(heard) if one >= 0])) / 20
        assert told == pytest.approx(1.5 + seconds_heard, abs=0.25)
        child.tell("play 4.1")
        child.wait_for(lambda: child.now["t"] > 4.6, "it went there")
        assert steps_in(speaker.samples)[-4:].count(4) >= 3
        child.wait_for(lambda: child.now["phase"] == "ended", "the end")
        assert child.now["t"] == SECONDS
        time.sleep(0.5)
        assert not speaker.samples[-RATE // 5 :].any(), "silence after the end"
        child.tell("play 2.0 2.0")
        child.wait_for(
            lambda: child.now["phase"] == "playing" and 4.0 < child.now["t"] < 5.8, "twice as fast"
        )
        recent = speaker.samples[-RATE // 10 :]
        assert amplitude(recent[:, 1], 2 * ASSISTANT) > 0.15
        child.tell("stop")
        child.wait_for(lambda: child.now["phase"] == "idle", "it pauses")
        time.sleep(0.4)
        assert not speaker.samples[-RATE // 10 :].any()
        assert server.pactl("list", "short", "sink-inputs").strip(), "kept for a moment"
        server.wait_for(
            lambda: not server.pactl("list", "short", "sink-inputs").strip(), "the loudspeaker is given back"
        )
    assert child.closed == {"closed": 2}, "the main thread, and the one that reads commands"


def test_a_server_that_hangs_and_none_at_all(folder):
    with PulseServer() as server, Child(server, folder) as child:
        child.tell("play 0.0")
        child.wait_for(lambda: child.now["t"] > 0.5, "it plays")
        server.signal(signal.SIGSTOP)
        child.wait_for(lambda: child.now["phase"] == "opening", "it notices", limit_s=4)
        assert "loudspeaker has gone" in child.now["note"]
        stood = child.now["t"]
        time.sleep(0.5)
        assert child.now["t"] == stood
        server.signal(signal.SIGCONT)
        child.wait_for(lambda: child.now["phase"] in ("playing", "failed"), "it goes on", limit_s=15)
        server.signal(signal.SIGKILL)
        child.wait_for(lambda: child.now["phase"] == "failed", "it gives up", limit_s=20)
        assert child.now["note"]
        began = time.monotonic()
    assert time.monotonic() - began < 8
