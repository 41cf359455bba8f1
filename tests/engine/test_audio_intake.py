"""From device frames to the session's timeline: place, drift, stalls, accounts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.audio.frame_clock import FrameClock
from engine.audio.heartbeat import FIRST_FRAMES_S, STALL_S, Heartbeat
from engine.audio.intake import Intake
from engine.audio.resample import LiveResampler, SpeechResampler
from engine.audio.samples import clean, level_db
from engine.config import INPUT_CHUNK, INPUT_HZ
from tests.engine.audio_fakes import DeviceClock, FakeInput


def chirp(t: np.ndarray) -> np.ndarray:
    """A sound that tells the moment it was made: 100 Hz rising by 10 Hz a second."""
    wave: np.ndarray = 0.5 * np.sin(2 * np.pi * (100 * t + 5 * t**2))
    return wave


def run(intake: Intake, clock: DeviceClock, seconds: float) -> tuple[np.ndarray, int]:
    """Read chunks at the pace of the clock, a quarter second late at most."""
    chunks: list[np.ndarray] = []
    gaps = 0
    for _ in range(round(seconds / 0.2)):
        end = (len(chunks) + 1) * 0.2
        while intake.ready < INPUT_CHUNK and clock.now() < end + 0.25:
            clock.wait_until(clock.now() + 0.02)
            intake.pull(clock.now())
        samples, gap = intake.take()
        chunks.append(samples)
        gaps += gap
    return np.concatenate(chunks), gaps


def error_ms(samples: np.ndarray, at: float) -> float:
    """How much later than on the session clock the sound around second ``at`` sits."""
    begin = round(at * INPUT_HZ)
    piece = samples[begin : begin + INPUT_HZ // 2]
    shifts = np.arange(-0.02, 0.02, 0.0001)
    t = begin / INPUT_HZ + np.arange(len(piece)) / INPUT_HZ
    match = [np.dot(piece, chirp(t - shift)) for shift in shifts]
    return 1000 * float(shifts[int(np.argmax(match))])


@pytest.mark.parametrize("rate", [8_000.0, 16_000.0, 44_100.0, 96_000.0])
def test_sound_is_where_the_clock_says_at_any_rate(rate):
    clock = DeviceClock()
    microphone = FakeInput(chirp, rate)
    clock.devices.append(microphone)
    intake = Intake()
    intake.attach(microphone.ring, microphone.clock, 0.0)
    samples, gaps = run(intake, clock, 6.0)
    assert gaps < 0.05 * INPUT_HZ, "only the very first moments may be missing"
    assert abs(error_ms(samples, 1.0)) < 15 and abs(error_ms(samples, 5.0)) < 15


@pytest.mark.parametrize("drift", [-300e-6, 300e-6])
def test_drift_is_followed(drift):
    rate = 16_000.0
    clock = DeviceClock()
    microphone = FakeInput(chirp, rate, drift)
    clock.devices.append(microphone)
    intake = Intake()
    intake.attach(microphone.ring, microphone.clock, 0.0)
    samples, gaps = run(intake, clock, 120.0)
    assert gaps < 0.05 * INPUT_HZ and intake.dropped < 0.05 * INPUT_HZ
    start = error_ms(samples, 3.0)
    # Blocks of 10 ms, looked at every 20 ms, hide that much; 300 ppm alone would be 36 ms off by then.
    assert abs(error_ms(samples, 60.0) - start) < 16
    assert abs(error_ms(samples, 118.0) - start) < 16


def test_a_device_that_starts_late_leaves_a_gap_of_exactly_that_length():
    clock = DeviceClock()
    microphone = FakeInput(chirp, began=0.5)
    clock.devices.append(microphone)
    intake = Intake()
    intake.attach(microphone.ring, microphone.clock, 0.0)
    samples, gaps = run(intake, clock, 4.0)
    assert gaps == pytest.approx(0.5 * INPUT_HZ, abs=0.02 * INPUT_HZ)
    assert abs(error_ms(samples, 2.0)) < 15


def test_what_was_captured_before_the_session_is_dropped():
    clock = DeviceClock()
    microphone = FakeInput(chirp, began=-1.0)
    microphone.tick(0.0)
    clock.devices.append(microphone)
    intake = Intake()
    intake.attach(microphone.ring, microphone.clock, 0.0)
    samples, gaps = run(intake, clock, 3.0)
    assert gaps < 0.03 * INPUT_HZ
    assert intake.dropped == pytest.approx(INPUT_HZ, abs=0.02 * INPUT_HZ)
    assert abs(error_ms(samples, 1.0)) < 15


def test_lost_frames_become_a_gap_and_what_follows_is_in_its_place():
    clock = DeviceClock()
    microphone = FakeInput(chirp)
    clock.devices.append(microphone)

    def run_on() -> None:
        microphone.running = True

    def stop() -> None:
        microphone.running = False

    clock.at += [(5.0, stop), (5.2, run_on)]
    intake = Intake()
    intake.attach(microphone.ring, microphone.clock, 0.0)
    samples, gaps = run(intake, clock, 12.0)
    assert gaps == pytest.approx(0.2 * INPUT_HZ, abs=0.03 * INPUT_HZ)
    assert abs(error_ms(samples, 9.0)) < 20


def test_a_second_stream_continues_the_timeline():
    clock = DeviceClock()
    first, second = FakeInput(chirp), FakeInput(chirp, rate=44_100.0, began=2.0)
    clock.devices += [first, second]
    intake = Intake()
    intake.attach(first.ring, first.clock, 0.0)
    before, _ = run(intake, clock, 2.0)
    intake.detach()
    intake.attach(second.ring, second.clock, clock.now())
    after = []
    while clock.now() < 5.0:
        clock.wait_until(clock.now() + 0.02)
        intake.pull(clock.now())
        if intake.ready >= INPUT_CHUNK:
            after.append(intake.take()[0])
    samples = np.concatenate([before, *after])
    assert abs(error_ms(samples, 1.0)) < 15 and abs(error_ms(samples, 4.0)) < 15


def test_numbers_that_are_none_are_replaced_and_counted():
    clock = DeviceClock()

    def broken(t: np.ndarray) -> np.ndarray:
        out = chirp(t)
        out[::7] = np.nan
        out[1::7] = 1.5e38
        return out

    microphone = FakeInput(broken)
    clock.devices.append(microphone)
    intake = Intake()
    intake.attach(microphone.ring, microphone.clock, 0.0)
    samples, _ = run(intake, clock, 1.0)
    assert np.isfinite(samples).all() and np.abs(samples).max() <= 1.0
    assert intake.replaced == pytest.approx(48_000 * 2 / 7, rel=0.05)


faults = st.lists(st.tuples(st.floats(0.0, 3.0), st.floats(0.0, 0.6)), max_size=4)


@settings(max_examples=15, deadline=None)
@given(faults, st.floats(-0.5, 1.0), st.floats(-0.002, 0.002), st.sampled_from([16_000.0, 48_000.0]))
def test_every_sample_is_out_dropped_or_pending(stalls, began, drift, rate):
    clock = DeviceClock()
    microphone = FakeInput(chirp, rate, drift, began)
    clock.devices.append(microphone)
    for at, length in stalls:
        clock.at.append((at, lambda: setattr(microphone, "running", False)))
        clock.at.append((at + length, lambda: setattr(microphone, "running", True)))
    intake = Intake()
    intake.attach(microphone.ring, microphone.clock, 0.0)
    samples, gaps = run(intake, clock, 4.0)
    assert len(samples) == 20 * INPUT_CHUNK
    waiting = (microphone.ring.captured - microphone.ring.position) * INPUT_HZ / rate
    captured = microphone.delivered * INPUT_HZ / rate
    used = len(samples) - gaps + intake.ready + intake.pending + waiting
    # A ready gap is no captured sample; ratios that follow drift change counts by up to 0.5 %.
    assert used + intake.dropped == pytest.approx(captured + (intake.gaps - gaps), abs=0.006 * captured + 4)


@pytest.mark.parametrize("drift", [-300e-6, 300e-6])
def test_frame_clock_follows_blocks_and_drift(drift):
    clock, rng = FrameClock(48_000.0), np.random.default_rng(0)
    errors = []
    for now in np.cumsum(rng.uniform(0.002, 0.02, 1_500)):
        clock.observe(now, int(now * 48_000 * (1 + drift)) // 480 * 480)
        if now > 2.0:
            errors.append(clock.time_of(now * 48_000 * (1 + drift)) - now)
    assert np.abs(errors).max() < 0.002, "though the device hands over 10 ms at a time"
    assert clock.frame_at(clock.time_of(1234.0)) == pytest.approx(1234.0)


def test_frame_clock_follows_a_stop_within_half_a_second():
    clock = FrameClock(1000.0)
    for now in np.arange(0.0, 3.0, 0.02):
        clock.observe(now, int(1000 * now))
    for now in np.arange(3.5, 4.0, 0.02):
        clock.observe(now, int(1000 * (now - 0.5)))
    assert clock.time_of(3400) == pytest.approx(3.9, abs=0.01)


def test_heartbeat():
    heart = Heartbeat(0.0)
    assert not heart.stalled(0.1, 960), "the buffer that fills at the start"
    assert not heart.stalled(0.1 + FIRST_FRAMES_S - 0.01, 960)
    assert heart.stalled(0.1 + FIRST_FRAMES_S + 0.01, 960), "it never began to run"
    heart = Heartbeat(0.0)
    for i in range(50):
        assert not heart.stalled(i * 0.02, i * 960)
    assert heart.beating
    assert not heart.stalled(0.98 + STALL_S - 0.01, 49 * 960)
    assert heart.stalled(0.98 + STALL_S + 0.01, 49 * 960)


@pytest.mark.parametrize(("rate_in", "rate_out"), [(48_000, 16_000), (24_000, 48_000), (24_000, 44_100)])
def test_live_resampler_is_clean_and_quick(rate_in, rate_out):
    resampler = LiveResampler(rate_in, rate_out)
    t = np.arange(rate_in * 2) / rate_in
    wave = (0.5 * np.sin(2 * np.pi * 1000 * t)).astype(np.float32)
    block, out, lag = rate_in // 100, [], 0.0
    for i in range(200):
        out.append(resampler.push(wave[i * block : (i + 1) * block]))
        lag = max(lag, (resampler.due - sum(map(len, out))) / rate_out)
    out.append(resampler.push(np.zeros(0, np.float32), last=True))
    samples = np.concatenate(out)
    assert lag < 0.015
    assert len(samples) == pytest.approx(2 * rate_out, abs=2)
    expected = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(len(samples)) / rate_out)
    inner = slice(rate_out // 4, -rate_out // 4)
    assert np.abs(samples[inner] - expected[inner]).max() < 0.5 * 2 * np.pi * 1000 * 120e-6, "within 0.12 ms"


def test_clean_and_level():
    block = np.array([0.1, np.nan, -np.inf, 99.0, 101.0], np.float32)
    cleaned, count = clean(block)
    assert count == 3 and cleaned.tolist() == [np.float32(0.1), 0.0, 0.0, 99.0, 0.0]
    same, none = clean(block[:1])
    assert none == 0 and same.base is block
    assert level_db(np.zeros(10, np.float32)) == -120.0 == level_db(np.zeros(0, np.float32))
    assert level_db(np.full(100, 0.1, np.float32)) == pytest.approx(-20.0, abs=0.01)


@pytest.mark.parametrize("rate", [24_000.0, 44_100.0, 48_000.0])
def test_speech_may_end_after_any_block_without_losing_its_end(rate):
    t = np.arange(9_600) / 24_000
    speech = (0.5 * np.sin(2 * np.pi * 500 * t)).astype(np.float32)
    resampler = SpeechResampler(rate)
    first, tail = resampler.push(speech[:4_800])
    second, end = resampler.push(speech[4_800:])
    assert len(first) + len(tail) == pytest.approx(0.2 * rate, abs=1)
    assert len(first) + len(second) + len(end) == pytest.approx(0.4 * rate, abs=1)
    whole = np.concatenate((first, second, end))
    expected = 0.5 * np.sin(2 * np.pi * 500 * np.arange(len(whole)) / rate)
    inner = slice(round(0.01 * rate), -round(0.001 * rate))
    assert np.abs(whole - expected)[inner].max() < 0.03
    overlap = max(0, min(len(tail), len(second)) - round(0.001 * rate))
    assert overlap > 0 or rate == 24_000
    # The tail says what the next block will.
    assert not overlap or np.abs(tail[:overlap] - second[:overlap]).max() < 0.03
