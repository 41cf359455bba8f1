"""Rooms, noise and microphones: what happens to sound between a mouth and the model."""

from dataclasses import dataclass

import numpy as np

from engine.config import INPUT_HZ
from engine.training.texts import Rng
from engine.types import Samples


def room_response(rng: Rng, reverberation_s: float, direct: float) -> Samples:
    """A synthetic room impulse response: a direct pulse and an exponentially decaying diffuse tail."""
    length = max(1, int(reverberation_s * INPUT_HZ))
    decay = np.exp(-6.9 * np.arange(length) / length)
    tail = rng.standard_normal(length) * decay
    tail[: int(0.003 * INPUT_HZ)] = 0.0
    tail /= np.sqrt(np.sum(tail**2)) + 1e-9
    response = tail * (1 - direct)
    response[0] += direct
    return response.astype(np.float32)


def convolve(samples: Samples, response: Samples) -> Samples:
    """FFT convolution, cut to the input's length."""
    size = 1 << (len(samples) + len(response)).bit_length()
    out = np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(response, size), size)
    return out[: len(samples)].astype(np.float32)


def coloured_noise(rng: Rng, length: int, exponent: float) -> Samples:
    """Noise with a power spectrum of 1/f**exponent, RMS one."""
    spectrum = np.fft.rfft(rng.standard_normal(length))
    hz = np.fft.rfftfreq(length, 1 / INPUT_HZ)
    spectrum /= np.maximum(hz, 20.0) ** (exponent / 2)
    out = np.fft.irfft(spectrum, length)
    return (out / (np.std(out) + 1e-9)).astype(np.float32)


def hum(rng: Rng, length: int) -> Samples:
    """Mains or fan hum: a few harmonics."""
    t = np.arange(length) / INPUT_HZ
    base = float(rng.choice([50.0, 60.0, 110.0, 180.0]))
    parts = [rng.random() / k * np.sin(2 * np.pi * base * k * t + rng.random() * 6.28) for k in range(1, 7)]
    out: Samples = np.sum(parts, axis=0).astype(np.float32)
    return out / (np.std(out) + np.float32(1e-9))


def knocks(rng: Rng, length: int, per_second: float) -> Samples:
    """Typing, clicks, dishes: short decaying bursts at random times."""
    out = np.zeros(length, np.float32)
    for start in rng.integers(0, length, size=int(per_second * length / INPUT_HZ)):
        size = int(rng.uniform(0.004, 0.08) * INPUT_HZ)
        burst = rng.standard_normal(size) * np.exp(-np.linspace(0, 6, size))
        if rng.random() < 0.5:
            burst = np.convolve(burst, np.hanning(int(rng.integers(3, 40))), mode="same")
        burst /= np.abs(burst).max() + 1e-9
        piece = out[start : start + size]
        piece += (burst[: len(piece)] * rng.uniform(0.2, 1.0)).astype(np.float32)
    return out


def music(rng: Rng, length: int) -> Samples:
    """Chords with a beat: enough like music that its energy and pitch move."""
    out = np.zeros(length, np.float32)
    beat = int(rng.uniform(0.25, 0.7) * INPUT_HZ)
    root = float(rng.uniform(110, 330))
    for start in range(0, length, beat):
        size = min(int(beat * rng.uniform(0.8, 1.9)), length - start)
        t = np.arange(size) / INPUT_HZ
        envelope = np.exp(-t * rng.uniform(1, 5)) * np.minimum(1, t * 60)
        for step in rng.choice([0, 3, 4, 5, 7, 9, 12, 16], size=3, replace=False):
            pitch = root * 2 ** (step / 12)
            tone = sum(np.sin(2 * np.pi * pitch * k * t) / k**1.5 for k in range(1, 5))
            out[start : start + size] += (envelope * tone).astype(np.float32)
    return (out / (np.std(out) + 1e-9)).astype(np.float32)


def noise_bed(rng: Rng, length: int) -> Samples:
    """Background noise of one session, RMS about one, of a kind drawn at random."""
    kind = rng.choice(
        ["white", "pink", "brown", "hum", "typing", "music", "mixed"], p=[0.1, 0.2, 0.2, 0.1, 0.15, 0.1, 0.15]
    )
    if kind == "hum":
        return hum(rng, length)
    if kind == "typing":
        return 8 * knocks(rng, length, rng.uniform(0.5, 6)) + 0.1 * coloured_noise(rng, length, 1.0)
    if kind == "music":
        return music(rng, length)
    if kind == "mixed":
        return 0.7 * coloured_noise(rng, length, 1.5) + 4 * knocks(rng, length, 1.0) + 0.3 * hum(rng, length)
    return coloured_noise(rng, length, {"white": 0.0, "pink": 1.0, "brown": 2.0}[str(kind)])


def turned_away(samples: Samples, rng: Rng, cutoff_hz: float = 0.0) -> Samples:
    """Direct sound of a talker who faces elsewhere: weaker and duller. One-pole low-pass by FFT."""
    corner = cutoff_hz or float(rng.uniform(1200, 3000))
    spectrum = np.fft.rfft(samples)
    hz = np.fft.rfftfreq(len(samples), 1 / INPUT_HZ)
    dull = np.fft.irfft(spectrum / np.sqrt(1 + (hz / corner) ** 2), len(samples))
    return (float(rng.uniform(0.25, 0.6)) * dull).astype(np.float32)


@dataclass(frozen=True)
class Room:
    """One session's acoustics. Levels are linear RMS factors.

    ``echo_response``: from the loudspeaker, which may stand beside the microphone or across the room.
    ``drive``: gain before the converter clips at 1.0; ``codec``: the sound went through 8-bit mu-law.
    """

    response: Samples
    far_response: Samples
    echo_response: Samples
    speech_gain: float
    noise_gain: float
    echo_gain: float
    echo_delay: int
    far_gain: float
    bandwidth_hz: float
    drive: float
    codec: bool


def draw_room(rng: Rng, empty: bool = False) -> Room:
    """Echo is that which cancellation left over, or all of it: cancellation may be off.

    ``empty``: nobody is there, so that any noise may be as loud as speech.
    """
    speech = 10 ** (rng.uniform(-18, 6) / 20)
    snr_db = rng.uniform(-8, 30) if empty else rng.uniform(5, 45)
    echo_db = rng.choice([-200.0, rng.uniform(-55, -22), rng.uniform(-22, 2)], p=[0.35, 0.3, 0.35])
    return Room(
        response=room_response(rng, rng.uniform(0.02, 0.45), rng.uniform(0.6, 1.0)),
        far_response=room_response(rng, rng.uniform(0.3, 0.9), rng.uniform(0.05, 0.4)),
        echo_response=room_response(rng, rng.uniform(0.05, 0.6), rng.uniform(0.15, 1.0)),
        speech_gain=speech,
        noise_gain=0.08 * speech * 10 ** (-snr_db / 20) if rng.random() < 0.9 else 0.0,
        echo_gain=speech * 10 ** (echo_db / 20) if echo_db > -100 else 0.0,
        echo_delay=int(rng.uniform(0.02, 0.25) * INPUT_HZ),
        far_gain=speech * 10 ** (rng.uniform(-24, -8) / 20),
        bandwidth_hz=float(rng.choice([8000, 8000, 8000, 7000, 5500, 4000])),
        drive=float(10 ** (rng.uniform(6, 18) / 20)) if rng.random() < 0.06 else 1.0,
        codec=bool(rng.random() < 0.06),
    )


def low_pass(cutoff_hz: float) -> Samples:
    """Impulse response of a steep low-pass, 65 taps; a unit pulse from 8 kHz on."""
    if cutoff_hz >= INPUT_HZ / 2:
        return np.ones(1, np.float32)
    n = np.arange(65) - 32
    taps = 2 * cutoff_hz / INPUT_HZ * np.sinc(2 * cutoff_hz / INPUT_HZ * n) * np.hamming(65)
    out: Samples = taps.astype(np.float32)
    return out


def mu_law(samples: Samples) -> Samples:
    """Through 8-bit mu-law and back (ITU-T G.711's curve, continuous form)."""
    packed = np.sign(samples) * np.log1p(255 * np.abs(samples)) / np.log(256)
    packed = np.round(packed * 127) / 127
    out: Samples = (np.sign(packed) * np.expm1(np.abs(packed) * np.log(256)) / 255).astype(np.float32)
    return out


class Microphone:
    """What one session's microphone gives, at once or chunk by chunk: the same samples to rounding.

    The three channels are 16 kHz and of one length: ``near``, the user, clean; ``far``, other people and
    television; ``echo``, what the assistant said.
    """

    def __init__(self, room: Room, rng: Rng, length: int) -> None:
        self.room = room
        band = low_pass(room.bandwidth_hz)
        far = np.convolve(room.far_response, band)
        echo = np.convolve(room.echo_response, band)
        delayed = np.concatenate([np.zeros(room.echo_delay, np.float32), echo])
        self._filters = [
            (np.convolve(room.response, band) * room.speech_gain).astype(np.float32),
            (far * room.far_gain).astype(np.float32),
            (delayed * room.echo_gain).astype(np.float32),
        ]
        self._noise = np.zeros(length, np.float32)
        if room.noise_gain:
            swell = np.interp(np.arange(length), np.linspace(0, length, 12), rng.uniform(0.3, 1.3, 12))
            bed = convolve(noise_bed(rng, length), band)
            self._noise = (room.noise_gain * swell * bed).astype(np.float32)

    @property
    def reach(self) -> int:
        """Samples of the past that still sound."""
        return max(len(f) for f in self._filters)

    def whole(self, near: Samples, far: Samples, echo: Samples) -> Samples:
        """The whole session."""
        out = self._noise.copy()
        for channel, response in zip((near, far, echo), self._filters, strict=True):
            if response.any():
                out += convolve(channel, response)
        return self._convert(out)

    def piece(self, first: int, last: int, near: Samples, far: Samples, echo: Samples) -> Samples:
        """From sample ``first`` to ``last``; the channels hold ``reach`` samples more, before ``first``."""
        out = self._noise[first:last].copy()
        for channel, response in zip((near, far, echo), self._filters, strict=True):
            if response.any() and channel.any():
                out += convolve(channel, response)[-(last - first) :]
        return self._convert(out)

    def _convert(self, out: Samples) -> Samples:
        loud = np.clip(self.room.drive * out, -1.0, 1.0) / self.room.drive
        heard: Samples = np.clip(loud, -1.0, 1.0).astype(np.float32)
        return mu_law(heard) if self.room.codec else heard
