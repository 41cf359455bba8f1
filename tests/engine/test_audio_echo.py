"""WebRTC's processing, with a voice made of noise bursts in a room made of noise."""

import builtins

import numpy as np
import pytest

from engine.audio.echo import VoiceProcessor
from engine.config import INPUT_CHUNK, INPUT_HZ


def babble(seconds: float, seed: int) -> np.ndarray:
    """Coloured noise with the rhythm of syllables."""
    rng = np.random.default_rng(seed)
    n = round(seconds * INPUT_HZ)
    noise = np.convolve(rng.standard_normal(n), np.hanning(12) / 6, "same")
    rhythm = np.clip(np.sin(2 * np.pi * 4 * np.arange(n) / INPUT_HZ + rng.uniform(0, 6)), 0, 1)
    return np.asarray(0.1 * noise * rhythm, np.float32)


def in_a_room(sound: np.ndarray, delay_ms: int, gain: float) -> np.ndarray:
    rng = np.random.default_rng(9)
    tail = rng.standard_normal(2_400) * np.exp(-np.arange(2_400) / 400) * 0.2
    tail[0] = 1.0
    echo = np.convolve(sound, tail)[: len(sound)] * gain
    late = delay_ms * INPUT_HZ // 1000
    return np.concatenate([np.zeros(late), echo])[: len(sound)].astype(np.float32)


def process(near: np.ndarray, far: np.ndarray) -> np.ndarray:
    processor = VoiceProcessor()
    assert processor.available
    chunks = range(0, len(near) // INPUT_CHUNK * INPUT_CHUNK, INPUT_CHUNK)
    pieces = [processor.process(near[i : i + INPUT_CHUNK], far[i : i + INPUT_CHUNK]) for i in chunks]
    return np.concatenate(pieces)


def db(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(np.square(samples)) + 1e-12))


@pytest.mark.parametrize("delay_ms", [30, 120, 250])
def test_our_own_voice_is_taken_out_whatever_the_delay(delay_ms):
    far = babble(10.0, seed=1)
    microphone = in_a_room(far, delay_ms, 0.4)
    left, without = process(microphone, far), process(microphone, np.zeros_like(far))
    settled = slice(6 * INPUT_HZ, 10 * INPUT_HZ)
    assert db(without[settled]) - db(left[settled]) > 25


def test_the_user_is_heard_while_we_talk():
    far, user = babble(10.0, seed=1), babble(10.0, seed=2)
    user[: 6 * INPUT_HZ] = 0.0
    out = process(in_a_room(far, 60, 0.4) + user, far)
    talking = slice(7 * INPUT_HZ, 10 * INPUT_HZ)
    alone = slice(4 * INPUT_HZ, 6 * INPUT_HZ)
    assert db(out[talking]) > db(out[alone]) + 15


def test_a_quiet_voice_is_brought_up_and_never_clipped():
    user = babble(8.0, seed=3) * 0.2
    out = process(user, np.zeros_like(user))
    assert db(out[4 * INPUT_HZ :]) > db(user[4 * INPUT_HZ :]) + 6
    assert np.abs(out).max() <= 1.0


def test_silence_stays_silent():
    silence = np.zeros(INPUT_CHUNK * 5, np.float32)
    assert db(process(silence, silence)) < -90


def test_wrong_lengths_are_refused():
    with pytest.raises(ValueError, match="multiples of 160"):
        VoiceProcessor().process(np.zeros(100, np.float32), np.zeros(100, np.float32))
    with pytest.raises(ValueError, match="equal"):
        VoiceProcessor().process(np.zeros(160, np.float32), np.zeros(320, np.float32))


def test_without_the_library_sound_passes_and_it_is_known(monkeypatch):
    real = builtins.__import__

    def without(name: str, *args: object, **kwargs: object) -> object:
        if name == "pywebrtc_audio":
            raise ImportError(name)
        return real(name, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without)
    processor = VoiceProcessor()
    assert not processor.available
    near = babble(0.2, seed=4)
    assert processor.process(near, near) is near
