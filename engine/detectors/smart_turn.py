"""smart-turn v3.2 (Daily, BSD 2-clause), from the ONNX file inside pipecat-ai: is this turn complete?

The network reads Whisper's log-mel of the last 8 s, the sound first brought to zero mean and unit variance.
"""

from pathlib import Path

import numpy as np

from engine.config import INPUT_HZ
from engine.detectors.onnx import open_session, packaged_file
from engine.frontend import HOP, N_FFT, Array, encoder_window, mel_weights
from engine.types import Samples

SEEN_S = 8
_SAMPLES = SEEN_S * INPUT_HZ


def smart_turn_file() -> Path:
    """Raises MicroturnError when pipecat-ai is not installed; its own dependencies are not needed."""
    inside = "audio/turn/smart_turn/data/smart-turn-v3.2-cpu.onnx"
    return packaged_file("pipecat", inside, "--no-deps pipecat-ai==1.14.0")


class SmartTurn:
    """Probability that a speaker who has just fallen silent is done. One thread at a time.

    Raises:
        MicroturnError: the model file is missing or damaged.
    """

    def __init__(self) -> None:
        self._session = open_session(smart_turn_file())

    def completeness(self, samples: Samples) -> float:
        """Probability in [0, 1] for audio (n,) at 16 kHz that ends now; the last 8 s count.

        It was trained on turns that end in about 0.2 s of silence.
        """
        recent = samples[-_SAMPLES:]
        features = turn_features(np.pad(recent, (_SAMPLES - len(recent), 0)).astype(np.float32))
        (out,) = self._session.run(None, {"input_features": features[None]})
        return float(out.reshape(-1)[0])


def turn_features(samples: Samples) -> Array:
    """The network's input (80, 800) for 8 s at 16 kHz.

    In double precision: the int8 network turns a difference in the sixth digit into one of several per cent.
    """
    normal = (samples - samples.mean()) / np.sqrt(samples.var() + 1e-7)
    centred = np.pad(normal.astype(np.float64), N_FFT // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(centred, N_FFT)[::HOP][:-1]
    power = np.abs(np.fft.rfft(frames * np.hanning(N_FFT + 1)[:-1], axis=1)) ** 2
    return encoder_window(np.log10(np.maximum(power @ mel_weights().T, 1e-10)))
