"""The measuring of echo, with delayed, softened and noisy copies of the signal."""

import numpy as np
import pytest
import soxr

from engine.audio.echo import VoiceProcessor
from engine.audio.echo_check import (
    QUIET_S,
    SIGNAL_DB,
    SIGNAL_S,
    EchoVerdict,
    echo_signal,
    find_delay,
    hearing_tone,
    measure_echo,
)
from engine.audio.samples import level_db
from engine.config import INPUT_CHUNK, INPUT_HZ, OUTPUT_HZ


def far_end() -> np.ndarray:
    signal = soxr.resample(echo_signal(), OUTPUT_HZ, INPUT_HZ)
    quiet = np.zeros(round(QUIET_S * INPUT_HZ))
    track = np.concatenate([quiet, signal, np.zeros(INPUT_CHUNK * 3)])
    return track[: len(track) // INPUT_CHUNK * INPUT_CHUNK].astype(np.float32)


def room(
    far: np.ndarray, delay_ms: int, gain_db: float, noise_db: float = -70.0, seed: int = 3
) -> np.ndarray:
    """A late and softer copy with a short reverberation, in noise."""
    rng = np.random.default_rng(seed)
    tail = rng.standard_normal(1_600) * np.exp(-np.arange(1_600) / 300) * 0.05
    tail[0] = 1.0
    echo = np.convolve(far, tail)[: len(far)] * 10 ** (gain_db / 20)
    late = np.concatenate([np.zeros(delay_ms * INPUT_HZ // 1000), echo])[: len(far)]
    noise = rng.standard_normal(len(far)) * 10 ** (noise_db / 20)
    return np.clip(late + noise, -1, 1).astype(np.float32)


def cancelled(near: np.ndarray, far: np.ndarray) -> np.ndarray:
    processor = VoiceProcessor()
    steps = range(0, len(far), INPUT_CHUNK)
    return np.concatenate(
        [processor.process(near[k : k + INPUT_CHUNK], far[k : k + INPUT_CHUNK]) for k in steps]
    )


def test_the_signal_is_quiet_smooth_and_always_the_same():
    signal = echo_signal()
    assert len(signal) == SIGNAL_S * OUTPUT_HZ
    assert level_db(signal) == pytest.approx(SIGNAL_DB, abs=0.1)
    assert np.abs(signal).max() < 0.5
    assert np.abs(signal[:24]).max() < 1e-3
    assert np.array_equal(signal, echo_signal())


def test_the_tone_fades_in_and_out():
    tone = hearing_tone()
    assert len(tone) == 0.8 * OUTPUT_HZ
    assert np.abs(tone[[0, -1]]).max() < 1e-3
    assert 0.1 < np.abs(tone).max() <= 0.25


@pytest.mark.parametrize("delay_ms", [0, 30, 120, 250, 450])
@pytest.mark.parametrize("gain_db", [0.0, -20.0, -40.0])
def test_delay_and_level_are_found(delay_ms, gain_db):
    far = far_end()
    near = room(far, delay_ms, gain_db)
    found = measure_echo(far, near, near)
    assert found.delay_ms == pytest.approx(delay_ms, abs=0.2)
    assert found.echo_db == pytest.approx(gain_db, abs=1.5)
    assert found.noise_db == pytest.approx(-70, abs=1)


def test_noise_as_loud_as_the_echo_does_not_hide_it():
    far = far_end()
    near = room(far, 90, -20.0, noise_db=SIGNAL_DB - 20)
    found = measure_echo(far, near, near)
    assert found.delay_ms == pytest.approx(90, abs=0.5)
    assert found.echo_db == pytest.approx(-20, abs=2)


@pytest.mark.parametrize("seed", range(6))
def test_noise_alone_is_no_echo(seed):
    far = far_end()
    near = room(far, 0, -200.0, noise_db=-62.0, seed=seed)
    assert measure_echo(far, near, near).verdict is EchoVerdict.NONE
    loud = room(far, 0, -200.0, noise_db=-25.0, seed=seed)
    assert measure_echo(far, loud, loud).verdict is EchoVerdict.NOISY
    assert find_delay(far, near)[1] < 7


def test_an_echo_that_nothing_cancels_remains():
    far = far_end()
    near = room(far, 60, -12.0)
    found = measure_echo(far, near, near)
    assert found.verdict is EchoVerdict.REMAINS
    assert found.cancelled_db < 1
    faint = room(far, 60, -60.0, noise_db=-95)
    assert measure_echo(far, faint, faint).verdict is EchoVerdict.NONE


@pytest.mark.parametrize("delay_ms", [30, 120, 250])
def test_our_canceller_is_seen_to_work(delay_ms):
    far = far_end()
    near = room(far, delay_ms, -8.0)
    found = measure_echo(far, near, cancelled(near, far))
    assert found.verdict is EchoVerdict.CANCELLED
    assert found.cancelled_db > 25
    assert found.delay_ms == pytest.approx(delay_ms, abs=0.2), "measured before cancellation"


def test_what_is_left_is_measured():
    far = far_end()
    near = room(far, 60, -6.0, noise_db=-80)
    left = room(far, 60, -16.0, noise_db=-80)
    found = measure_echo(far, near, left)
    assert found.cancelled_db == pytest.approx(10, abs=1.5)
    assert found.verdict is EchoVerdict.REMAINS
    assert not found.at_least


def test_somebody_who_speaks_meanwhile_is_not_taken_for_an_echo_that_remains():
    far = far_end()
    rng = np.random.default_rng(8)
    voice = np.convolve(rng.standard_normal(len(far)), np.hanning(12) / 6, "same") * 0.3
    voice[: round((QUIET_S + 1) * INPUT_HZ)] = 0.0
    near = room(far, 60, -20.0) + voice.astype(np.float32)
    assert measure_echo(far, near, near).verdict is EchoVerdict.NOISY


def test_silence_at_either_end_is_told():
    far = far_end()
    silence = np.zeros_like(far)
    assert measure_echo(far, silence, silence).verdict is EchoVerdict.SILENT
    assert measure_echo(silence, room(far, 30, -6.0), silence).verdict is EchoVerdict.UNPLAYED
    with pytest.raises(ValueError, match="tracks of"):
        measure_echo(far, far[1:], far)
