"""How much of what the loudspeaker plays comes back at the microphone, before and after echo cancellation.

A signal is played that sounds like wind and has the rhythm of speech. Three
tracks of it are compared, all mono at 16 kHz and on the same timeline: ``far``,
what the loudspeaker took; ``near``, what the microphone gave; ``out``, what is
left of ``near`` after echo cancellation. The delay is where the generalised
cross-correlation of far and near peaks (Knapp and Carter 1976, PHAT); the echo
is that part of ``near`` that a short filter makes out of ``far``. Plain
functions of arrays: no device is opened here.
"""

from dataclasses import dataclass
from enum import Enum, auto

import numpy as np

from engine.audio.samples import FLOOR_DB, level_db
from engine.config import INPUT_HZ, OUTPUT_HZ
from engine.types import Samples

SIGNAL_S = 4.0
SIGNAL_DB = -24.0
"""Level of the signal, in dB of full scale."""
QUIET_S = 0.8
"""So long the room is listened to before the signal."""
MAX_DELAY_S = 0.6
_TAIL_S = 0.15
_SETTLED = 0.55  # the canceller may use this share of the signal to find the echo
_LATEST_S = 0.25  # sound is still coming back for so long after the signal
_PEAK = 7.0  # times the correlation's RMS that only an echo reaches
_FAINT_DB = -55.0  # an echo this far below what was played disturbs nobody
_LEFT_DB = -50.0  # what is left below this level is too quiet to be taken for speech
_ENOUGH_DB = 20.0
_SYLLABLES_HZ = 4.0


class EchoVerdict(Enum):
    """What a person is told."""

    SILENT = auto()
    """The microphone gave nothing but zeros."""
    UNPLAYED = auto()
    """The loudspeaker took nothing."""
    NONE = auto()
    """No echo: headphones, or a loudspeaker that cannot be heard."""
    CANCELLED = auto()
    REMAINS = auto()
    NOISY = auto()
    """The room was too loud to tell, or somebody spoke."""


@dataclass(frozen=True)
class EchoReport:
    """``delay_ms``: from the loudspeaker's taking a sample to its return; 0 without an echo.

    ``echo_db`` and ``left_db`` are levels before and after echo cancellation,
    relative to what was played, in dB (0: as loud as it was played; -120:
    nothing). ``at_least``: what is left is no louder than the room, so
    that cancellation takes out at least ``cancelled_db``.
    """

    verdict: EchoVerdict
    delay_ms: float = 0.0
    echo_db: float = FLOOR_DB
    left_db: float = FLOOR_DB
    noise_db: float = FLOOR_DB
    """Level of the room before the signal, in dB of full scale."""
    at_least: bool = False

    @property
    def cancelled_db(self) -> float:
        """By how much echo cancellation lowers the echo, in dB."""
        return max(self.echo_db - self.left_db, 0.0) if self.echo_db > FLOOR_DB else 0.0


def echo_signal(seconds: float = SIGNAL_S) -> Samples:
    """The signal to play: 24 kHz mono at ``SIGNAL_DB``, faded at both ends; always the same."""
    count = round(seconds * OUTPUT_HZ)
    spectrum = np.fft.rfft(np.random.default_rng(5).standard_normal(count))
    hz = np.fft.rfftfreq(count, 1 / OUTPUT_HZ)
    # As loud in each octave, without what small loudspeakers cannot play and ears find sharp.
    shape = np.where((hz > 150) & (hz < 6_000), 1 / np.sqrt(np.maximum(hz, 150)), 0.0)
    noise = np.fft.irfft(spectrum * shape, count)
    t = np.arange(count) / OUTPUT_HZ
    noise *= 0.55 + 0.45 * np.sin(2 * np.pi * _SYLLABLES_HZ * t)
    noise *= _fades(count, 0.15)
    return np.asarray(noise * 10 ** (SIGNAL_DB / 20) / np.sqrt(np.mean(noise**2)), np.float32)


def hearing_tone(seconds: float = 0.8) -> Samples:
    """A soft chord at 24 kHz, about -20 dB of full scale: "did you hear it?"."""
    count = round(seconds * OUTPUT_HZ)
    t = np.arange(count) / OUTPUT_HZ
    chord = sum(np.sin(2 * np.pi * hz * t) / (k + 1) for k, hz in enumerate((440.0, 554.37, 659.26)))
    tone = chord * np.exp(-2.2 * t) * _fades(count, 0.04)
    return np.asarray(0.25 * tone / np.abs(tone).max(), np.float32)


def _fades(count: int, seconds: float) -> np.ndarray:
    edge = min(round(seconds * OUTPUT_HZ), count // 2)
    ramp = 0.5 - 0.5 * np.cos(np.pi * np.arange(edge) / edge)
    shape = np.ones(count)
    shape[:edge], shape[count - edge :] = ramp, ramp[::-1]
    return shape


def measure_echo(far: Samples, near: Samples, out: Samples) -> EchoReport:
    """Compare the three tracks (see above), which begin with ``QUIET_S`` or so before the signal.

    Raises:
        ValueError: the tracks differ in length.
    """
    if not len(far) == len(near) == len(out):
        raise ValueError(f"tracks of {len(far)}, {len(near)} and {len(out)} samples")
    sounding = np.flatnonzero(np.abs(far) > 1e-4)
    if not len(sounding):
        return EchoReport(EchoVerdict.UNPLAYED)
    if not np.any(near):
        return EchoReport(EchoVerdict.SILENT)
    first, last = int(sounding[0]), int(sounding[-1]) + 1
    played_db = level_db(far[first:last])
    noise_db = level_db(_before(near, first))
    delay, peak = find_delay(far[first:], near[first:])
    if peak < _PEAK:
        heard_db = level_db(near[first : last + round(_LATEST_S * INPUT_HZ)])
        # A louder room, or one that would have hidden an echo that matters, proves nothing.
        hidden = max(noise_db, heard_db) > played_db + _FAINT_DB + 20
        verdict = EchoVerdict.NOISY if hidden else EchoVerdict.NONE
        return EchoReport(verdict, noise_db=noise_db)
    echo, rest = _split(far[first:last], near[first:last], delay)
    settled = slice(first + delay + round((last - first) * _SETTLED), last + delay)
    floor, left = level_db(_before(out, first)), level_db(out[settled])
    at_least = left < floor + 1.0
    if at_least:
        left = min(floor, left)
    else:  # what stands above the room
        left = 10 * float(np.log10(10 ** (left / 10) - 10 ** (floor / 10)))
    left = min(max(left, FLOOR_DB), echo)
    return EchoReport(
        _judge(echo - played_db, echo, left, rest, at_least),
        1000 * delay / INPUT_HZ,
        echo - played_db,
        left - played_db,
        noise_db,
        at_least,
    )


def _judge(returned_db: float, echo: float, left: float, rest: float, at_least: bool) -> EchoVerdict:
    """``returned_db``: the echo relative to what was played; the others in dB of full scale.

    ``rest`` is what else the microphone heard meanwhile.
    """
    if returned_db < _FAINT_DB:
        return EchoVerdict.NONE
    if left <= _LEFT_DB or echo - left >= _ENOUGH_DB:
        return EchoVerdict.CANCELLED
    return EchoVerdict.NOISY if at_least or rest > echo else EchoVerdict.REMAINS


def find_delay(far: Samples, near: Samples) -> tuple[int, float]:
    """By how many samples ``near`` follows ``far`` (0 to ``MAX_DELAY_S``), and how far that stands out.

    The second is the correlation's peak over its RMS at the delays looked at.
    """
    size = 1 << int(np.ceil(np.log2(len(far) + len(near))))
    cross = np.fft.rfft(near, size) * np.conj(np.fft.rfft(far, size))
    loudness = np.abs(cross)
    # Frequencies that were not played carry noise alone.
    cross[loudness < 1e-3 * loudness.max()] = 0.0
    correlation = np.fft.irfft(cross / np.maximum(loudness, 1e-20), size)
    looked_at = np.abs(correlation[: min(round(MAX_DELAY_S * INPUT_HZ), len(near))])
    at = int(looked_at.argmax())
    rms = float(np.sqrt(np.mean(np.square(looked_at))))
    return at, float(looked_at[at]) / rms if rms else 0.0


def _before(track: Samples, first: int) -> Samples:
    """The room before the signal, without the first 0.1 s, in which devices click."""
    begin = min(INPUT_HZ // 10, first // 2)
    return track[begin : max(first, begin + 1)]


def _split(far: Samples, near: Samples, delay: int) -> tuple[float, float]:
    """Levels in dB of full scale of what a filter around ``delay`` makes out of ``far``, and of the rest."""
    before = min(delay, round(0.005 * INPUT_HZ))
    size = 1 << int(np.ceil(np.log2(len(far) + len(near))))
    x, y = np.fft.rfft(far, size), np.fft.rfft(near, size)
    power = np.abs(x) ** 2
    response = np.fft.irfft(y * np.conj(x) / (power + 1e-3 * power.mean()), size)
    begin, end = delay - before, delay + round(_TAIL_S * INPUT_HZ)
    taps = np.zeros(size)
    taps[begin:end] = response[begin:end]
    echo = np.fft.irfft(np.fft.rfft(taps) * x, size)[: len(near)]
    # Noise alone gives a filter too, with whose sound ``near`` hardly agrees.
    norm = float(echo @ echo)
    share = min(max(float(near @ echo) / norm, 0.0), 1.0) if norm else 0.0
    found: Samples = np.asarray(echo * share, np.float32)
    return level_db(found), level_db(near - found)
