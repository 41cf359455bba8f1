"""The classical rival: counts repetitions by the period of what changes in the picture.

Small grey pictures of the last seconds are reduced to their principal components, whose autocorrelation gives
the period; the count grows by the time passed over the period while something moves. After Levy and Wolf 2015
("Live repetition counting") and the self-similarity of Dwibedi et al. 2020 ("Counting out time", RepNet),
without learning. It sees one picture after the other and never goes back.
"""

from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.types import Image

_SIZE = (40, 30)


@dataclass(frozen=True)
class CounterConfig:
    """Seconds, and shares of 1. Values chosen on validation scenes (``tests/bench/bench_repetitions.py``)."""

    window_s: float = 6.0
    periods_s: tuple[float, float] = (0.75, 4.4)
    components: int = 3
    periodic: float = 0.35  # autocorrelation from which the window counts as periodic
    first_peak: float = 0.5  # share of the highest peak that an earlier one needs
    moving: float = 0.25  # share of the usual change from which something moves
    explained: float = 0.3  # share of all variance that the components must hold: less is noise
    least: float = 0.3  # grey levels of change, on average, that are more than rounding


class PeriodCounter:
    """Counts repetitions in pictures that come ``fps`` times a second. One instance a scene; one thread."""

    def __init__(self, fps: float = 5.0, config: CounterConfig | None = None) -> None:
        self.fps = fps
        self.config = config or CounterConfig()
        self._rows: deque[NDArray[np.float32]] = deque(maxlen=round(self.config.window_s * fps))
        self._changes: deque[float] = deque(maxlen=self._rows.maxlen)
        self._exact = 0.0
        self._waiting = 0.0  # seconds of movement not yet known to be periodic
        self.period_s = 0.0

    @property
    def count(self) -> int:
        """Repetitions so far."""
        return int(self._exact + 0.5)

    def feed(self, image: Image) -> int:
        """Take the next picture (height, width, 3) and return the count."""
        grey = cv2.cvtColor(cv2.resize(image, _SIZE, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
        row = cv2.GaussianBlur(grey.astype(np.float32), (3, 3), 0).reshape(-1)
        row -= row.mean()  # light that changes everywhere alike is no movement
        change = float(np.abs(row - self._rows[-1]).mean()) if self._rows else 0.0
        self._rows.append(np.asarray(row, np.float32))
        self._changes.append(change)
        step = 1.0 / self.fps
        self.period_s = self._period()
        usual = float(np.percentile(np.array(self._changes), 80))
        recent = max(list(self._changes)[-max(1, round(0.4 * self.fps)) :])
        if recent < max(self.config.least, self.config.moving * usual):
            return self.count
        if not self.period_s:
            self._waiting = min(self._waiting + step, 2.0 * self.config.periods_s[1])
            return self.count
        # What was seen before the period was known belongs to it, as far as the evidence reaches back.
        self._exact += (step + min(self._waiting, 2.0 * self.period_s)) / self.period_s
        self._waiting = 0.0
        return self.count

    def _period(self) -> float:
        """The period of the window in seconds, 0 when there is none."""
        low = max(2, round(self.config.periods_s[0] * self.fps))
        if len(self._rows) < 3 * low:
            return 0.0
        x = np.stack(self._rows)
        x = x - x.mean(axis=0)
        values, vectors = np.linalg.eigh((x @ x.T).astype(np.float64))
        first = slice(len(values) - self.config.components, None)
        if values[first].sum() < self.config.explained * values.sum():
            return 0.0
        parts = vectors[:, first] * np.sqrt(np.maximum(values[first], 0.0))
        n = len(parts)
        high = min(round(self.config.periods_s[1] * self.fps), n * 2 // 3)
        if high <= low + 1:
            return 0.0
        energy = np.cumsum((parts * parts).sum(axis=1))
        r = np.ones(high + 2)
        for lag in range(1, min(high + 2, n - 2)):
            head, tail = energy[n - 1 - lag], energy[-1] - energy[lag - 1]
            r[lag] = float((parts[lag:] * parts[:-lag]).sum()) / max(float(np.sqrt(head * tail)), 1e-9)
        peaks = [k for k in range(low, high + 1) if r[k] >= r[k - 1] and r[k] > r[k + 1]]
        peaks = [k for k in peaks if r[k] - r[1 : k + 1].min() > 0.15]
        best = max((r[k] for k in peaks), default=0.0)
        if best < self.config.periodic:
            return 0.0
        k = next(k for k in peaks if r[k] >= self.config.first_peak * best)
        bend = r[k - 1] - 2 * r[k] + r[k + 1]
        shift = 0.5 * (r[k - 1] - r[k + 1]) / bend if bend else 0.0
        return float(k + shift) / self.fps
