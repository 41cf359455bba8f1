"""The assistant's own voice in the user's channel, although echo was cancelled.

Where the user's channel counts as speech while the assistant is heard, its band energies are compared with
those of the assistant's voice up to 0.4 s before: 18 bands from 150 to 7,000 Hz every 10 ms, in amplitudes
compressed to the power of 0.3, the mean of each band taken off, and the normalised cross-correlation over
bands and time taken at every lag. An echo follows the voice in all bands at once; another talker does not.
"""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from engine.config import INPUT_HZ, OUTPUT_HZ
from engine.errors import InputError
from engine.inspect.finding import Finding, merged
from engine.inspect.measures import Measures
from engine.inspect.speech import HOP_S, Segments
from engine.recorder.folder import INPUT, OUTPUT
from engine.recorder.reader import RecordedSession, audio_rate, audio_stretches
from engine.types import Samples

THRESHOLD, SHORT_THRESHOLD = 0.7, 0.8
"""Of the correlation, -1 to 1, over 1 s and over 0.6 s. One of 12,000 stretches in which another talker
spoke over the assistant reached them; an echo 10 to 30 dB down in a room does in 99 % of whole seconds,
and in 60 % of stretches of 0.6 s."""

LONGEST_LAG_S = 0.4
_WINDOW_S, _STEP_S = 1.0, 0.5
_SHORTEST_S = 0.6  # of the user's channel being loud while the assistant is heard
_LAGS = round(LONGEST_LAG_S / HOP_S)
_FRAMES, _FEWEST = round(_WINDOW_S / HOP_S), round(_SHORTEST_S / HOP_S) - 2
_BAND_HZ = 50  # of one bin of a spectrum over 20 ms, at any rate
_EDGES = (
    *(150, 250, 350, 450, 570, 700, 840, 1_000, 1_170, 1_370),
    *(1_600, 1_850, 2_150, 2_500, 2_900, 3_400, 4_000, 4_800, 5_800, 7_000),
)
_BINS = np.array(_EDGES) // _BAND_HZ
_COMPRESSION = 0.15  # of energies


def echo_leaks(session: RecordedSession, measured: Measures) -> tuple[Finding, ...]:
    """Stretches in which the user's channel holds the assistant's voice. Without both audio files: none.

    Whether an echo lies under the level that counts as the user's speech is not looked at, nor stretches of
    less than 0.6 s. Where user and echo are equally loud at once, the user hides the echo.
    """
    if not measured.precise or not _comparable(session):
        return ()
    spans = [(max(_LAGS, round(t0 / HOP_S)), round(t1 / HOP_S)) for t0, t1 in _suspects(measured)]
    user = _energies(session, INPUT, INPUT_HZ, spans)
    heard = _energies(session, OUTPUT, OUTPUT_HZ, [(first - _LAGS, last) for first, last in spans])
    stretches = zip(spans, user, heard, strict=True)
    found = (leak for (first, _), ours, theirs in stretches for leak in _leaks(first, ours, theirs))
    return tuple(merged(found, _STEP_S))


def _comparable(session: RecordedSession) -> bool:
    try:
        rates = audio_rate(session.path / INPUT), audio_rate(session.path / OUTPUT)
    except InputError:
        return False
    return rates == (INPUT_HZ, OUTPUT_HZ)


def _suspects(measured: Measures) -> Segments:
    """When the user's channel is loud while the assistant is heard, or was a moment ago."""
    found: list[tuple[float, float]] = []
    k = 0
    for start, end in measured.user:
        while k < len(measured.heard) and measured.heard[k][1] + LONGEST_LAG_S <= start:
            k += 1
        for heard_start, heard_end in measured.heard[k:]:
            if heard_start >= end:
                break
            both = max(start, heard_start), min(end, heard_end + LONGEST_LAG_S)
            if found and both[0] - found[-1][1] < _STEP_S:
                found[-1] = found[-1][0], max(found[-1][1], both[1])
            else:
                found.append(both)
    return tuple((t0, t1) for t0, t1 in found if t1 - t0 >= _SHORTEST_S)


def _leaks(first: int, user: NDArray[np.float32], heard: NDArray[np.float32]) -> Iterator[Finding]:
    """The windows of 1 s at most that hold an echo, in a stretch that begins with step ``first``.

    ``user`` (n, bands); ``heard`` begins 40 steps before it.
    """
    count = min(len(user), len(heard) - _LAGS)
    frames = min(_FRAMES, count)
    if frames < _FEWEST:
        return
    for start in sorted({*range(0, count - frames + 1, round(_STEP_S / HOP_S)), count - frames}):
        lag, height = best_match(user[start : start + frames], heard[start : start + frames + _LAGS])
        if height >= np.interp(frames, (_FEWEST, _FRAMES), (SHORT_THRESHOLD, THRESHOLD)):
            begin = (first + start) * HOP_S
            yield Finding(begin, begin + frames * HOP_S, "echo leak", _told(lag))


def _told(lag: int) -> str:
    return f"the microphone hears the assistant's own voice {lag * HOP_S:.2f} s later: use headphones"


def best_match(user: NDArray[np.float32], heard: NDArray[np.float32]) -> tuple[int, float]:
    """The lag, in steps of 10 ms, at which ``user`` (n, bands) follows ``heard`` best, and the correlation.

    ``heard`` (n + 40, bands) begins 40 steps before ``user``.
    """
    a = user - user.mean(axis=0)
    shifted = sliding_window_view(heard, len(user), axis=0)  # (lags, bands, n), the longest lag first
    products = np.einsum("lbn,nb->l", shifted, a)  # the mean of a band drops out: ``a`` has none
    power = _sums(np.square(heard).sum(axis=1), len(user)) - np.square(_sums(heard, len(user))).sum(
        axis=1
    ) / len(user)
    heights = products / np.sqrt(np.maximum(power * np.square(a).sum(), 1e-20))
    best = int(heights.argmax())
    return len(shifted) - 1 - best, float(heights[best])


def _sums(values: NDArray[np.float32], length: int) -> NDArray[np.float64]:
    """Sum of each ``length`` neighbouring rows."""
    total = np.cumsum(values, axis=0, dtype=np.float64)
    return total[length - 1 :] - np.concatenate((np.zeros_like(total[:1]), total[:-length]))


def _energies(
    session: RecordedSession, name: str, rate: int, spans: Iterable[tuple[int, int]]
) -> Iterator[NDArray[np.float32]]:
    """Compressed band energies (n, 18) of each stretch of 10 ms steps, as far as there is audio."""
    hop = rate // 100
    stretches = ((first * hop, (last + 1) * hop) for first, last in spans)
    return (band_energies(s, rate) for s in audio_stretches(session.path / name, stretches))


def band_energies(samples: Samples, rate: int) -> NDArray[np.float32]:
    """(n, 18) for mono samples at ``rate`` Hz: 20 ms every 10 ms, each band's energy to the power of 0.15."""
    length, hop = rate // _BAND_HZ, rate // 100
    if len(samples) < length:
        return np.zeros((0, len(_BINS) - 1), np.float32)
    frames = sliding_window_view(samples, length)[::hop] * np.hanning(length).astype(np.float32)
    spectrum = np.square(np.abs(np.fft.rfft(frames, axis=1))) / length**2
    bands = np.add.reduceat(spectrum, _BINS, axis=1)[:, :-1]
    return np.power(bands, _COMPRESSION).astype(np.float32)
