"""Trying the devices: what is said of a microphone, the flow of a check, and once with real devices."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.audio.device_check import DeviceCheck, Heard, MicrophoneVerdict, judge_microphone, take_in
from engine.audio.echo import VoiceProcessor
from engine.audio.echo_check import EchoVerdict, echo_signal, hearing_tone
from engine.audio.host import Line
from engine.audio.live_sink import LiveSink
from engine.audio.live_source import LiveSource
from engine.clock import Clock
from engine.config import INPUT_CHUNK
from engine.errors import MicroturnError
from tests.engine.audio_fakes import DeviceClock, FakeHost, FakeInput, FakeOutput
from tests.pulse import SPEAKER_MONITOR, PulseServer, why_not

ROOT = Path(__file__).resolve().parents[2]


def heard(*levels: float, scale: float = 1.0) -> Heard:
    """Blocks of noise with these amplitudes."""
    rng = np.random.default_rng(2)
    found = Heard()
    for level in levels:
        block = np.clip(rng.standard_normal(INPUT_CHUNK) * level * scale, -1, 1).astype(np.float32)
        found = take_in(found, block)
    return found


def test_a_voice_above_the_room_is_a_microphone_that_works():
    assert judge_microphone(heard(*[0.001] * 5)) is MicrophoneVerdict.WAITING
    assert judge_microphone(heard(*[0.001] * 10, 0.05)) is MicrophoneVerdict.WORKS


def test_only_zeros_is_told_apart_from_quiet():
    assert judge_microphone(heard(*[0.0] * 10)) is MicrophoneVerdict.ZEROS
    assert judge_microphone(heard(*[0.0] * 9, 1e-5)) is MicrophoneVerdict.WAITING
    assert judge_microphone(heard(*[0.001] * 60)) is MicrophoneVerdict.QUIET


def test_cut_off_tops_are_told():
    assert judge_microphone(heard(*[0.01] * 8, 1.5, 1.5)) is MicrophoneVerdict.CLIPPED
    assert judge_microphone(heard(*[0.01] * 8, 0.2, 0.2)) is MicrophoneVerdict.WORKS


def test_a_device_that_gives_nothing_is_no_mute_switch():
    found = Heard()
    for _ in range(10):
        found = take_in(found, np.zeros(INPUT_CHUNK, np.float32), gap_s=0.2)
    assert judge_microphone(found) is MicrophoneVerdict.NOTHING


class Room:
    """A loudspeaker and a microphone in simulated time; the microphone hears the loudspeaker."""

    def __init__(self, delay_s: float = 0.08, gain: float = 0.3, noise: float = 3e-4) -> None:
        self.clock = DeviceClock()
        self.output = FakeOutput()
        self.delay_s, self.gain, self.noise = delay_s, gain, noise
        self.rng = np.random.default_rng(1)
        self.input = FakeInput(self.sound)
        self.source: LiveSource | None = None
        self.hosts: list[FakeHost] = []
        self.refuse: MicroturnError | None = None

    def sound(self, t: np.ndarray) -> np.ndarray:
        played = self.output.played if self.output._played else np.zeros(0, np.float32)
        at = np.round((t - self.delay_s) * self.output.rate).astype(int)
        inside = (at >= 0) & (at < len(played))
        echo = np.zeros(len(t))
        echo[inside] = played[at[inside]]
        return echo * self.gain + self.rng.standard_normal(len(t)) * self.noise

    def open(
        self, input_name: str | None, output_name: str | None, clock: Clock, processor: VoiceProcessor
    ) -> tuple[LiveSource, LiveSink]:
        if self.refuse is not None:
            raise self.refuse
        capture: Line[Any] = Line("input", lambda: None, lambda *_: None)  # type: ignore[arg-type,return-value]
        playback: Line[Any] = Line("output", lambda: None, lambda *_: None)  # type: ignore[arg-type,return-value]
        host = FakeHost()
        self.hosts.append(host)
        playback.current, capture.current = self.output, self.input
        sink = LiveSink(playback, host, clock)  # type: ignore[arg-type]
        self.source = LiveSource(capture, host, clock, sink.reference, processor)  # type: ignore[arg-type]
        self.clock.devices = [self.output, self.input]
        return self.source, sink

    def check(self, **more: Any) -> DeviceCheck:
        made = DeviceCheck(None, None, open_audio=self.open, clock=self.clock, **more)
        made.start()
        assert made.join(30.0)
        assert made.state == "ended"
        return made


def test_the_echo_of_a_room_is_measured_through_the_engines_own_ends():
    room = Room()
    found = room.check(microphone=True, sound=echo_signal())
    assert found.error == ""
    assert found.echo is not None
    # The far end is placed where the device took it; blocks and the resampler add at most 30 ms.
    assert 75 < found.echo.delay_ms < 120
    assert found.echo.echo_db == pytest.approx(20 * np.log10(0.3), abs=2.5)
    assert found.echo.verdict is EchoVerdict.CANCELLED
    assert found.echo.cancelled_db > 20
    assert found.progress == 1.0
    assert room.hosts[0].stopped == 1


def test_without_a_way_back_there_is_no_echo():
    found = Room(gain=0.0).check(microphone=True, sound=echo_signal())
    assert found.echo is not None
    assert found.echo.verdict is EchoVerdict.NONE


def test_a_tone_alone_is_played_whole_and_no_microphone_is_opened():
    room = Room()
    tone = hearing_tone()
    room.check(microphone=False, sound=tone)
    assert room.source is not None
    loud = np.flatnonzero(np.abs(room.output.played) > 1e-3)
    assert (loud[-1] - loud[0]) / room.output.rate == pytest.approx(len(tone) / 24_000, abs=0.1)
    assert np.abs(room.output.played).max() < 0.3


def test_a_microphone_is_listened_to_until_it_is_stopped():
    room = Room(gain=0.0, noise=0.02)
    check = DeviceCheck(None, None, microphone=True, open_audio=room.open, clock=room.clock)
    check.start()
    check.stop()
    assert check.join(10.0)
    found = room.check(microphone=True)
    assert found.heard.seconds == pytest.approx(60, abs=0.5), "it ends by itself"
    # Of white noise at 48 kHz a third lies in the band that is kept.
    assert found.heard.level_db == pytest.approx(-34 - 4.8, abs=1)
    assert found.echo is None


def test_what_cannot_be_opened_is_one_line():
    room = Room()
    room.refuse = MicroturnError("no microphone was found; plug one in")
    assert room.check(microphone=True).error == "no microphone was found; plug one in"


def test_a_check_waits_for_the_one_before():
    room = Room(gain=0.0)
    first = DeviceCheck(None, None, microphone=True, open_audio=room.open, clock=room.clock)
    second = DeviceCheck(None, None, microphone=True, open_audio=room.open, clock=room.clock)
    first.start()
    second.start(after=first)
    first.stop()
    second.stop()
    assert second.join(10.0)
    assert first.state == "ended"


needs_pulse = pytest.mark.skipif(bool(why_not()), reason=f"no PulseAudio: {why_not()}")


def child(server: PulseServer, *arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.engine.device_check_child", *arguments],
        cwd=ROOT, env=server.env, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.slow
@needs_pulse
def test_real_devices_whose_loudspeaker_leads_into_the_microphone():
    """PortAudio, ALSA and PulseAudio are real; the "room" is the loudspeaker's monitor, at full level."""
    with PulseServer() as server:
        found = child(server, "echo", SPEAKER_MONITOR)
        assert found["error"] == ""
        echo = found["echo"]
        assert echo["echo_db"] == pytest.approx(0, abs=3), echo
        assert 10 < echo["delay_ms"] < 500, echo
        assert echo["verdict"] in ("CANCELLED", "REMAINS"), echo
        assert found["took_s"] < 20
        assert child(server, "tone")["error"] == ""
        server.play(np.zeros(48_000, np.float32))
        silent = child(server, "microphone")
        assert silent["microphone"] == "ZEROS", silent
        rng = np.random.default_rng(0)
        server.play((rng.standard_normal(48_000 * 8) * 0.05).astype(np.float32))
        assert child(server, "microphone")["heard"]["loudest_db"] == pytest.approx(-26 - 4.8, abs=3)
