"""From a device's frames to the session's 16 kHz timeline, sample for sample accounted for.

Micro-turn i is session time [0.2 i, 0.2 (i+1)), while a device counts its own
frames, starts late, runs fast or slow, and loses some. The intake puts what was
captured where it belongs: it drops what is older than the timeline has come,
fills what is missing with zeros, and follows drift by resampling a little
faster or slower.
"""

from typing import Protocol

import numpy as np

from engine.audio.frame_clock import FrameClock
from engine.audio.resample import LiveResampler
from engine.audio.rings import Frames
from engine.audio.samples import clean
from engine.config import INPUT_CHUNK, INPUT_HZ
from engine.types import Samples

FOLLOW_S = 30.0  # a time error is worked off over this long, too slowly to be heard
DEADBAND_S = 0.003  # within what blocks and polling hide
JUMP_S = 0.1  # a larger one means that frames were lost
SETTLE_S = 2.5  # the frame clock needs its window after a start


class Captured(Protocol):
    """The part of a capture ring that is used."""

    @property
    def captured(self) -> int: ...

    @property
    def position(self) -> int: ...

    def read(self) -> Frames: ...


class Intake:
    """Samples that are ready, with an account of all that were not used or not there."""

    def __init__(self) -> None:
        self._ring: Captured | None = None
        self._clock = FrameClock(INPUT_HZ)
        self._resampler: LiveResampler | None = None
        self._ready: list[tuple[Samples, bool]] = []  # pieces, and whether each is a gap
        self._end = 0  # timeline position after the ready pieces
        self._base = 0  # timeline position of the resampler's first sample
        self._resampled = 0  # samples it has given
        self._skip = 0  # device frames to drop before they are resampled
        self._since = 0.0
        self._normal: float | None = None  # seconds by which the start was off
        self._error_sum = self._corrected_at = 0.0
        self._aligned = False
        self.dropped = 0
        """Samples captured and not used: stale, or more than real time."""
        self.gaps = 0
        """Samples of silence put in where nothing was captured."""
        self.replaced = 0
        """Samples that were NaN, infinite or absurd, at the device's rate."""

    @property
    def ready(self) -> int:
        """Samples that ``take`` can give without making silence."""
        return sum(len(piece) for piece, _ in self._ready)

    def attach(self, ring: Captured, clock: FrameClock, now: float) -> None:
        """Continue the timeline from another stream, from session time ``now`` on."""
        self._ring, self._clock = ring, clock
        self._let_go()
        self._aligned = False
        self._since = now

    def detach(self) -> None:
        """The stream is gone. What it captured last stays ready."""
        self._ring = None

    def discard(self) -> None:
        """Nothing of what is ready may be used."""
        for piece, is_gap in self._ready:
            self.dropped += 0 if is_gap else len(piece)
            self.gaps -= len(piece) if is_gap else 0
            self._end -= len(piece)
        self._ready.clear()
        self._aligned = False

    def _let_go(self) -> None:
        """End the resampler; what it still holds is too little to matter, and is counted."""
        self.dropped += self.pending
        self._resampler = None

    @property
    def pending(self) -> int:
        """Samples inside the resampler."""
        return 0 if self._resampler is None else round(self._resampler.due) - self._resampled

    def pull(self, now: float) -> None:
        """Take over what was captured up to now."""
        if self._ring is None or not self._ring.captured:
            return
        self._clock.observe(now, self._ring.captured)
        if not self._aligned:
            self._align(now)
        frames = self._ring.read()
        skipped = frames[: self._skip]
        self._skip -= len(skipped)
        self.dropped += round(len(skipped) * INPUT_HZ / self._clock.rate)
        frames, bad = clean(frames[len(skipped) :])
        self.replaced += bad
        if not len(frames) or self._resampler is None:
            return
        samples = self._resampler.push(frames.mean(axis=1))
        self._resampled += len(samples)
        self._put(samples)
        self._correct(now)

    def _align(self, now: float) -> None:
        """Begin at the frame that belongs where the timeline has come to."""
        if self._ring is None:
            return
        wanted = self._clock.frame_at(self._end / INPUT_HZ)
        missing = (self._ring.position - wanted) / self._clock.rate
        self._skip = max(0, round(-missing * self._clock.rate))
        if missing > 0:
            self._put_gap(round(missing * INPUT_HZ))
        self._let_go()
        self._resampler = LiveResampler(self._clock.rate, INPUT_HZ)
        self._base, self._resampled = self._end, 0
        self._aligned = True
        self._normal = None
        self._since = now

    def _correct(self, now: float) -> None:
        """Compare where the input is on the session clock with where we put it.

        How far off the start was is kept: it is less than a block, and always
        late, which an echo canceller can live with better than with a change.
        """
        if self._ring is None or self._resampler is None or self._skip or now - self._since < SETTLE_S:
            return
        behind = self._clock.time_of(self._ring.position) - (self._base + self._resampler.due) / INPUT_HZ
        if self._normal is None:
            self._normal, self._error_sum, self._corrected_at = behind, 0.0, now
        error = behind - self._normal
        if max(abs(error), abs(behind)) > JUMP_S:
            self._aligned = False
            return
        error -= max(-DEADBAND_S, min(DEADBAND_S, error))
        self._error_sum += error * (now - self._corrected_at)
        self._corrected_at = now
        # Sound that belongs later than we put it comes from a device that runs slow.
        self._resampler.drift(-error / FOLLOW_S - self._error_sum / (2 * FOLLOW_S) ** 2)

    def _put(self, samples: Samples) -> None:
        if len(samples):
            self._ready.append((samples, False))
            self._end += len(samples)

    def _put_gap(self, count: int) -> None:
        self._ready.append((np.zeros(count, np.float32), True))
        self._end += count
        self.gaps += count

    def take(self) -> tuple[Samples, int]:
        """The next 3,200 samples, silence where none are ready, and how many of them were made up."""
        if (short := INPUT_CHUNK - self.ready) > 0:
            self._put_gap(short)
            self._aligned = False
        samples = np.empty(INPUT_CHUNK, np.float32)
        filled = gap = 0
        while filled < INPUT_CHUNK:
            piece, is_gap = self._ready.pop(0)
            use = min(len(piece), INPUT_CHUNK - filled)
            samples[filled : filled + use] = piece[:use]
            filled += use
            gap += use if is_gap else 0
            if use < len(piece):
                self._ready.insert(0, (piece[use:], is_gap))
        return np.clip(samples, -1.0, 1.0), gap
