"""The classical counter of repetitions."""

import numpy as np
import pytest

from engine.training.visual.counting import PeriodCounter


def bar(height: float) -> np.ndarray:
    """A picture of a bar, ``height`` from 0 to 1."""
    image = np.full((120, 160, 3), 90, np.uint8)
    image[100 - round(70 * height) : 110, 60:90] = 220
    return image


@pytest.mark.parametrize("period", [1.2, 2.0, 3.2])
def test_even_repetitions_are_counted(period):
    counter = PeriodCounter(10.0)
    for k in range(int(10 * 10 * period)):
        counter.feed(bar(0.5 - 0.5 * np.cos(2 * np.pi * k / (10 * period))))
    assert abs(counter.count - 10) <= 1
    assert counter.period_s == pytest.approx(period, rel=0.1)


def test_nothing_is_counted_where_nothing_moves_or_all_is_noise():
    rng = np.random.default_rng(0)
    still, noisy = PeriodCounter(), PeriodCounter()
    for _ in range(100):
        still.feed(bar(0.3))
        noisy.feed(rng.integers(0, 255, (120, 160, 3), dtype=np.uint8))
    assert still.count == 0
    assert noisy.count <= 1


def test_light_that_changes_evenly_is_no_repetition():
    counter = PeriodCounter()
    base = bar(0.4).astype(float)
    for k in range(150):
        counter.feed(np.clip(base + 30 * np.sin(2 * np.pi * k / 10), 0, 255).astype(np.uint8))
    assert counter.count == 0


def test_it_stops_counting_when_the_movement_stops():
    counter = PeriodCounter(10.0)
    for k in range(150):
        counter.feed(bar(0.5 - 0.5 * np.cos(2 * np.pi * k / 20)))
    before = counter.count
    for _ in range(100):
        counter.feed(bar(0.0))
    assert before >= 6
    assert counter.count - before <= 1
