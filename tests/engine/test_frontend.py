"""Audio front ends: streaming equals offline, causal, and the mel scale is the encoder's own."""

import numpy as np
import pytest

from engine.config import INPUT_CHUNK, INPUT_HZ, OUTPUT_CHUNK, OUTPUT_HZ
from engine.frontend import (
    DMEL_DIM,
    FEATURE_DIMS,
    DmelFrontEnd,
    WhisperEncoder,
    WhisperFrontEnd,
    make_front_end,
    mel_filters,
    played_features,
    whole_features,
)
from engine.types import Samples


def tones(seconds: float, seed: int = 0) -> Samples:
    rng = np.random.default_rng(seed)
    t = np.arange(int(seconds * INPUT_HZ)) / INPUT_HZ
    sound = 0.1 * np.sin(2 * np.pi * 220 * t * (1 + 0.1 * np.sin(3 * t))) + 0.01 * rng.standard_normal(len(t))
    return sound.astype(np.float32)


def stream(front_end: DmelFrontEnd | WhisperFrontEnd, samples: Samples) -> np.ndarray:
    return np.stack(
        [front_end.push(samples[i : i + INPUT_CHUNK]) for i in range(0, len(samples), INPUT_CHUNK)]
    )


@pytest.fixture(scope="module")
def encoder() -> WhisperEncoder:
    return WhisperEncoder()


def test_mel_filters_are_whispers() -> None:
    from faster_whisper.feature_extractor import FeatureExtractor

    np.testing.assert_allclose(mel_filters(), FeatureExtractor(feature_size=80).mel_filters, atol=1e-6)


def test_streaming_equals_offline(encoder: WhisperEncoder) -> None:
    samples = tones(4.0)
    streamed = stream(WhisperFrontEnd(encoder), samples)
    whole = whole_features(samples, encoder, batch=1)
    assert streamed.shape == (20, FEATURE_DIMS["whisper"])
    np.testing.assert_allclose(streamed[:, :DMEL_DIM], whole[:, :DMEL_DIM], atol=1e-5)
    # The encoder rounds to int8: the last bit of its input may move an output by a step.
    assert np.abs(streamed - whole).max() < 0.2
    assert np.abs(streamed - whole).mean() < 0.02 * np.abs(whole).mean()
    batched = whole_features(samples, encoder, batch=4)
    assert np.abs(batched - whole).max() < 0.2


def test_the_past_does_not_change(encoder: WhisperEncoder) -> None:
    samples = tones(3.0)
    changed = samples.copy()
    changed[2 * INPUT_HZ :] = 0.3
    a, b = stream(WhisperFrontEnd(encoder), samples), stream(WhisperFrontEnd(encoder), changed)
    np.testing.assert_array_equal(a[:10], b[:10])
    assert np.abs(a[10] - b[10]).max() > 0.1


def test_reset_forgets(encoder: WhisperEncoder) -> None:
    front_end = WhisperFrontEnd(encoder)
    first = stream(front_end, tones(1.0))
    front_end.reset()
    np.testing.assert_array_equal(first, stream(front_end, tones(1.0)))


def test_level_is_absolute_in_dmel() -> None:
    loud, quiet = stream(DmelFrontEnd(), tones(1.0)), stream(DmelFrontEnd(), tones(1.0) * 0.1)
    difference = (loud - quiet)[1:]
    assert 0.4 < np.median(difference) < 0.6, "20 dB are two decades of power: half of the scale's unit"


@pytest.mark.parametrize("name", ["dmel", "whisper"])
def test_extremes_stay_finite(name: str) -> None:
    front_end = make_front_end(name)
    assert front_end.dim == FEATURE_DIMS[name]
    for chunk in (
        np.zeros(INPUT_CHUNK),
        np.ones(INPUT_CHUNK),
        -np.ones(INPUT_CHUNK),
        np.full(INPUT_CHUNK, 1e-20),
    ):
        assert np.isfinite(front_end.push(chunk.astype(np.float32))).all()


def test_played_sound_has_the_features_of_the_same_sound_heard() -> None:
    import soxr

    heard = tones(1.0)
    # Nothing above 7 kHz, where the resampler's filter begins.
    heard = soxr.resample(soxr.resample(heard, INPUT_HZ, 12_000), 12_000, INPUT_HZ).astype(np.float32)
    played = soxr.resample(heard, INPUT_HZ, OUTPUT_HZ, quality="VHQ").astype(np.float32)
    expected = stream(DmelFrontEnd(), heard).reshape(5, 4, 40)
    for k in range(1, 5):
        got = played_features(played[k * OUTPUT_CHUNK - 360 : (k + 1) * OUTPUT_CHUNK]).reshape(4, 40)
        np.testing.assert_allclose(got[:, :36], expected[k][:, :36], atol=0.05)


def test_silence_played_is_silence_heard() -> None:
    silence = DmelFrontEnd().push(np.zeros(INPUT_CHUNK, np.float32))
    np.testing.assert_allclose(played_features(np.zeros(0, np.float32)), silence)
    np.testing.assert_allclose(played_features(np.zeros(360 + OUTPUT_CHUNK, np.float32)), silence)
