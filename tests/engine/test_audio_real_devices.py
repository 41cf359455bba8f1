"""PortAudio, ALSA and a sound server for real: see tests/pulse.py. Only the hardware is missing.

``mic.monitor`` is the virtual microphone here, and asked for by name
(PULSE_SOURCE, or as an argument); without that a monitor must be refused.
"""

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

from tests.pulse import MIC_SOURCE, RATE, PulseServer, why_not

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(why_not()), reason=f"no PulseAudio: {why_not()}")]

ROOT = Path(__file__).resolve().parents[2]
Turn = dict[str, Any]


class Child:
    """A process of audio_child, its reports, and what it may be told."""

    def __init__(self, server: PulseServer, *names: str) -> None:
        self.turns: list[Turn] = []
        self.other: Turn = {}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.engine.audio_child", *names],
            cwd=ROOT,
            env=server.env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            report = json.loads(line)
            if "i" in report:
                self.turns.append(report)
            else:
                self.other.update(report)

    def tell(self, command: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()

    def wait_for(self, condition: Callable[[], bool], what: str, limit_s: float = 15.0) -> None:
        deadline = time.monotonic() + limit_s
        while not condition():
            assert time.monotonic() < deadline, f"in vain: {what}; {self.other} {self.turns[-5:]}"
            assert self._process.poll() is None or condition(), f"ended before {what}: {self.other}"
            time.sleep(0.01)

    def wait_turns(self, count: int) -> list[Turn]:
        """The next ``count`` micro-turns."""
        begin = len(self.turns)
        self.wait_for(lambda: len(self.turns) >= begin + count, f"{count} more turns")
        return self.turns[begin : begin + count]

    def end(self, limit_s: float = 10.0) -> float:
        """Stop it; seconds until the process was gone."""
        began = time.monotonic()
        self.tell("stop")
        status = self._process.wait(limit_s)
        took = time.monotonic() - began
        assert status == 0, self.errors()
        return took

    def errors(self) -> str:
        assert self._process.stderr is not None
        return self._process.stderr.read()

    def faults(self, since: int = 0) -> list[str]:
        return [fault for turn in self.turns[since:] for fault in turn["faults"]]

    def reattached(self, what: str) -> bool:
        """Whether every loss of the microphone or loudspeaker was made good."""
        lost = sum(f"the {what} " in fault and "gone away" in fault for fault in self.faults())
        return lost == sum(f"the {what} is reattached" in fault for fault in self.faults())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(5)
        self._reader.join(5)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()


@pytest.fixture
def server() -> Iterator[PulseServer]:
    with PulseServer() as server:
        yield server


def tone(seconds: float, hz: float = 1_700.0) -> np.ndarray:
    return (0.2 * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE)).astype(np.float32)


def sounding(samples: np.ndarray) -> tuple[int, int]:
    loud = np.flatnonzero(np.abs(samples) > 1e-3)
    assert len(loud), "nothing came out"
    return int(loud[0]), int(loud[-1])


def hear_speak_and_fall_silent(server: PulseServer) -> tuple[Child, list[Turn], np.ndarray]:
    """The child's account, its micro-turns after the flush, and what the loudspeaker played."""
    with Child(server) as child, server.recording() as speaker:
        child.wait_turns(3)
        assert child.other["microphone"].endswith("(mic.monitor)") and "spk" in child.other["loudspeaker"]
        server.play(tone(2.0))
        child.wait_for(lambda: child.turns[-1]["mic"] > 0.19, "the microphone's tone")
        child.tell("say")
        child.wait_turns(6)
        child.tell("flush")
        child.wait_for(lambda: any(turn["dropped"] for turn in child.turns), "the flush")
        after = child.wait_turns(5)
        assert child.end() < 3
        time.sleep(0.3)
        return child, after, speaker.samples


def test_hear_speak_and_fall_silent_at_once(server):
    child, after, out = hear_speak_and_fall_silent(server)
    if child.faults():
        child, after, out = hear_speak_and_fall_silent(server)
    assert not [fault for fault in child.faults() if "microphone" in fault]
    assert not any(turn["heard"] for turn in after[1:])
    first, last = sounding(out)
    heard_s = sum(turn["heard"] for turn in child.turns) / 24_000
    assert heard_s > 0.5 and (last - first) / RATE > 0.5
    if child.faults():
        # A computer too busy to keep the driver fed plays no unbroken tone, and says so.
        assert any("loudspeaker" in fault or "too late" in fault for fault in child.faults())
        return
    assert all(turn["gap"] == 0 for turn in child.turns)
    assert np.median([turn["late"] for turn in child.turns]) < 0.06, "capture to engine, beyond the interval"
    assert (last - first) / RATE == pytest.approx(heard_s, abs=0.03), "heard is what came out"
    written = max(turn["written"] for turn in child.turns)
    dropped = sum(turn["dropped"] for turn in child.turns)
    assert (last - first) / RATE == pytest.approx((written - dropped) / 24_000, abs=0.03)
    played = out[first + RATE // 20 : last - RATE // 20]
    t = np.arange(len(played)) / RATE
    basis = np.stack([np.sin(2 * np.pi * 700 * t), np.cos(2 * np.pi * 700 * t)], axis=1)
    fitted = basis @ np.linalg.lstsq(basis, played, rcond=None)[0]
    assert np.abs(played - fitted).max() < 0.02, "one unbroken tone, neither holes nor clicks"
    ends = np.abs(out[last - RATE // 10 : last + 1])
    period = RATE // 700
    envelope = [ends[k : k + period].max() for k in range(0, len(ends) - period, period)]
    fade_s = sum(0.002 < level < 0.28 for level in envelope) / 700
    assert 0.005 < fade_s <= 0.04, f"the fade took {fade_s * 1000:.0f} ms"


def test_muting_really_closes_the_microphone(server):
    with Child(server) as child:
        child.wait_turns(3)
        assert server.pactl("list", "short", "source-outputs").strip()
        child.tell("mute")
        child.wait_for(lambda: not child.turns[-1]["open"], "the device is closed")
        server.play(tone(1.0))
        muted = child.wait_turns(6)
        assert not server.pactl("list", "short", "source-outputs").strip(), "the server sees no capture"
        assert all(turn["mic"] == 0 and turn["gap"] == 0 for turn in muted)
        child.tell("unmute")
        child.wait_for(lambda: child.turns[-1]["open"], "the device is open again")
        server.play(tone(4.0))
        child.wait_for(lambda: child.turns[-1]["mic"] > 0.19, "the tone")
        child.end()
        assert not [fault for fault in child.faults() if "microphone" in fault]


def test_an_unplugged_microphone_never_becomes_our_own_voice(server):
    with Child(server) as child, server.recording() as speaker:
        child.wait_turns(2)
        child.tell("say")
        child.wait_turns(4)
        began = len(child.turns)
        server.unplug_microphone()
        child.wait_turns(10)
        faults = [fault for fault in child.faults(began) if "loudspeaker" not in fault]
        assert len(faults) == 1 and "refused" in faults[0], faults
        assert all(turn["gap"] == 3_200 for turn in child.turns[-6:])
        assert np.median([turn["late"] for turn in child.turns[-6:]]) < 0.05, "silence keeps the clock's pace"
        server.plug_microphone_in()
        plugged = time.monotonic()
        server.play(tone(6.0))
        child.wait_for(lambda: child.turns[-1]["mic"] > 0.19, "the microphone is back")
        assert time.monotonic() - plugged < 4.0
        child.end()
        assert any("the microphone is reattached" in fault for fault in child.faults(began))
        assert max(turn["own"] for turn in child.turns) < 0.002, "our own tone came in"
        assert np.abs(speaker.samples).max() > 0.25, "while it was really playing"


def test_a_server_that_hangs_and_one_that_dies():
    with PulseServer() as server, Child(server) as child:
        child.wait_turns(5)
        stopped = len(child.turns)
        server.signal(signal.SIGSTOP)
        child.wait_for(lambda: bool(child.faults(stopped)), "the fault", limit_s=1.2)
        assert "has stopped or gone away" in child.faults(stopped)[0]
        silent = child.wait_turns(4)
        assert all(turn["gap"] == 3_200 and turn["late"] < 0.15 for turn in silent)
        server.signal(signal.SIGCONT)
        child.wait_for(lambda: child.turns[-1]["gap"] == 0, "sound comes again", limit_s=6)
        assert any("the microphone is reattached" in fault for fault in child.faults(stopped))
        child.wait_for(lambda: child.reattached("loudspeaker"), "the loudspeaker is back")

        killed = len(child.turns)
        server.signal(signal.SIGKILL)
        child.wait_turns(5)
        assert [fault for fault in child.faults(killed) if "microphone" in fault]
        server.start()
        child.wait_for(lambda: child.turns[-1]["gap"] == 0, "sound comes again", limit_s=6)
        server.play(tone(4.0))
        child.wait_for(lambda: child.turns[-1]["mic"] > 0.19, "the tone")
        child.wait_for(lambda: child.reattached("loudspeaker"), "the loudspeaker is back")
        assert [turn["i"] for turn in child.turns] == list(range(len(child.turns)))
        child.end()


def test_a_hanging_server_does_not_keep_the_program_from_ending():
    with PulseServer() as server, Child(server) as child:
        child.wait_turns(4)
        server.signal(signal.SIGSTOP)
        child.wait_for(lambda: child.turns[-1]["gap"] == 3_200, "silence")
        assert child.end() < 4.0
        assert child.other["stopped_s"] < 2.0
        assert child.errors() == "", "nor does it end in a crash or with complaints"
        server.signal(signal.SIGCONT)


def test_a_monitor_is_used_only_when_it_is_asked_for():
    with PulseServer(ask_for_mic=False) as server:
        with Child(server) as child:
            child.wait_for(lambda: "error" in child.other, "an error")
            assert "only offers what a loudspeaker plays" in child.other["error"]
            assert child.other["status"] == 1
        with Child(server, "no such thing") as child:
            child.wait_for(lambda: "error" in child.other, "an error")
            assert "mic.monitor" in child.other["error"] and child.other["status"] == 2
        with Child(server, MIC_SOURCE) as child:
            child.wait_turns(2)
            server.play(tone(4.0))
            child.wait_for(lambda: child.turns[-1]["mic"] > 0.19, "the tone")
            child.end()
