"""The live microphone's faults on a simulated clock: silence at the clock's pace, counted and named once."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from engine.audio.echo import VoiceProcessor
from engine.audio.guard import Pin, Verdict
from engine.audio.host import Line
from engine.audio.live_source import LiveSource
from engine.config import INPUT_CHUNK, INPUT_HZ
from engine.types import Samples, SourceChunk
from tests.engine.audio_fakes import DeviceClock, FakeHost, FakeInput


class PlainProcessor(VoiceProcessor):
    """No processing, so that samples can be compared; keeps the references it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.references: list[float] = []

    def process(self, near: Samples, far: Samples) -> Samples:
        self.references.append(float(far[0]))
        return near


class Rig:
    def __init__(self, sound: Callable[[np.ndarray], np.ndarray] | None = None) -> None:
        self.clock = DeviceClock()
        self.line: Line[Any] = Line("input", lambda: pytest.fail("nobody opens here"), lambda *_: None)
        self.sound = sound or (lambda t: 0.3 * np.sin(2 * np.pi * 400 * t))
        self.processor = PlainProcessor()
        self.host = FakeHost()
        self.source = LiveSource(
            self.line,
            self.host,  # type: ignore[arg-type]
            self.clock,
            lambda index: np.full(INPUT_CHUNK, index, np.float32),
            self.processor,
        )
        self.microphone = self.plug(began=-1.0)

    def plug(self, began: float | None = None) -> FakeInput:
        microphone = FakeInput(self.sound, began=self.clock.now() if began is None else began)
        microphone.tick(self.clock.now())
        self.clock.devices.append(microphone)
        self.line.current = microphone
        return microphone

    def read(self, count: int) -> list[SourceChunk]:
        chunks = []
        for _ in range(count):
            chunk = self.source.read()
            assert chunk is not None and chunk.samples.shape == (INPUT_CHUNK,)
            chunks.append(chunk)
        return chunks


def loud(chunk: SourceChunk) -> bool:
    return bool(np.abs(chunk.samples).max() > 0.2)


def test_chunks_come_when_they_were_captured():
    rig = Rig()
    for i in range(10):
        chunk = rig.read(1)[0]
        assert 0.2 * (i + 1) <= rig.clock.now() < 0.2 * (i + 1) + 0.05
        assert chunk.gap_samples == 0 and chunk.faults == ()
        assert i == 0 or loud(chunk)
    assert rig.source.level_db == pytest.approx(-13.5, abs=0.3)
    assert rig.processor.references == list(range(10)), "echo reference of the same micro-turn"


def test_a_stalled_device_is_noticed_in_half_a_second_and_silence_goes_on_at_the_clocks_pace():
    rig = Rig()
    rig.read(5)
    rig.microphone.running = False
    chunks, times = [], []
    for _ in range(10):
        chunks += rig.read(1)
        times.append(rig.clock.now())
    faults = [fault for chunk in chunks for fault in chunk.faults]
    assert faults == ["the microphone Desk has stopped or gone away"]
    assert chunks[0].faults, "with the first silent chunk"
    assert times[0] <= 1.0 + 0.5 + 0.05
    assert [c.gap_samples for c in chunks[1:]] == [INPUT_CHUNK] * 9
    assert not any(c.samples.any() for c in chunks[1:])
    assert times[3:] == pytest.approx([0.2 * (6 + i) + 0.02 for i in range(3, 10)], abs=0.02)
    assert rig.microphone.lost, "the device thread is told to close it"


def test_a_reattached_device_continues_in_its_place():
    rig = Rig()
    rig.read(5)
    rig.microphone.running = False
    rig.read(5)
    rig.line.current = None
    rig.read(2)
    rig.plug()
    chunks = rig.read(4)
    assert loud(chunks[-1]) and chunks[-1].gap_samples == 0
    t = 0.2 * 15 + np.arange(INPUT_CHUNK) / INPUT_HZ
    expected = rig.sound(t)
    lags = [np.dot(chunks[-1].samples, rig.sound(t - k / INPUT_HZ)) for k in range(-20, 21)]
    assert np.max(lags) > 0.95 * np.dot(expected, expected)


def test_sound_that_comes_late_but_whole_is_no_fault():
    rig = Rig()
    rig.read(5)
    held: list[np.ndarray] = []
    write = rig.microphone.ring.ring.write

    def hold(data: bytes) -> int:
        held.append(np.frombuffer(data, np.float32))
        return len(held[-1])

    def release() -> None:
        rig.microphone.ring.ring.write = write
        write(np.concatenate(held).tobytes())

    rig.microphone.ring.ring.write = hold
    rig.clock.at.append((1.35, release))
    chunks = rig.read(5)
    assert all(c.gap_samples == 0 and c.faults == () and loud(c) for c in chunks)


def test_muting_closes_the_device_and_unmuting_opens_it():
    rig = Rig()
    rig.read(3)
    rig.source.set_muted(True)
    assert (rig.source.muted, rig.source.device_open, rig.line.wanted) == (True, False, False)
    chunks = rig.read(3)
    assert all(not c.samples.any() and c.gap_samples == 0 and c.faults == () for c in chunks)
    assert rig.clock.now() == pytest.approx(1.2, abs=0.05)
    rig.source.set_muted(False)
    assert rig.line.wanted
    rig.plug()
    assert loud(rig.read(3)[-1])
    assert rig.source.device_open


def test_a_microphone_that_gives_garbage():
    rig = Rig(lambda t: np.where(np.arange(len(t)) % 2 == 0, np.nan, 1.5e38))
    chunks = rig.read(4)
    assert all(np.isfinite(c.samples).all() and np.abs(c.samples).max() <= 1.0 for c in chunks)
    assert any("no numbers" in fault for c in chunks for fault in c.faults)


def test_overruns_reported_by_the_driver_are_counted():
    rig = Rig()
    rig.read(2)
    rig.microphone.xruns = 3
    assert "3 overruns" in rig.read(1)[0].faults[0]


def test_a_driver_that_keeps_losing_sound_is_opened_with_more_latency():
    rig = Rig()
    rig.read(5)
    faults: list[str] = []
    for _ in range(6):
        rig.microphone.xruns = 2
        faults += rig.read(1)[0].faults
    assert rig.microphone.lost and rig.line.latency_s == pytest.approx(0.06)
    assert any("its latency is now 60 ms" in fault for fault in faults)


class ScriptedGuard:
    """Answers in order, then SAME."""

    def __init__(self, *verdicts: Verdict) -> None:
        self.pin = Pin("mic", asked=True)
        self._verdicts = list(verdicts)

    def check(self) -> Verdict:
        verdict = self._verdicts.pop(0) if self._verdicts else Verdict.SAME
        if verdict is Verdict.MOVED:
            self.pin = Pin("other", asked=True)
        return verdict


@pytest.mark.parametrize("verdict", [Verdict.REFUSED, Verdict.UNKNOWN])
def test_sound_of_an_unverified_source_is_never_given_out(verdict):
    rig = Rig()
    rig.microphone.guard = ScriptedGuard(Verdict.SAME, verdict)  # type: ignore[assignment]
    good, refused, after = rig.read(3)
    assert good.samples.any()
    assert not refused.samples.any() and refused.gap_samples == INPUT_CHUNK and len(refused.faults) == 1
    assert not after.samples.any(), "nor what had come in meanwhile"
    assert rig.microphone.lost


def test_a_stream_moved_to_another_real_microphone_goes_on_with_a_notice():
    rig = Rig()
    rig.microphone.guard = ScriptedGuard(Verdict.SAME, Verdict.MOVED)  # type: ignore[assignment]
    _, moved, after = rig.read(3)
    assert loud(moved) and loud(after)
    assert moved.faults == ("the sound server now listens to other instead of mic",)


def test_stop_ends_reading_from_any_state():
    rig = Rig()
    rig.read(1)
    rig.source.stop()
    assert rig.source.read() is None and rig.line.current is None
    rig.source.set_muted(False)
    assert not rig.line.wanted, "a stopped source opens nothing"
