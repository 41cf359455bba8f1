import time

import pytest

from engine.clock import MonotonicClock, SimulatedClock


def test_simulated_clock_moves_only_when_told() -> None:
    clock = SimulatedClock()
    assert clock.now() == 0.0
    clock.wait_until(0.2)
    assert clock.now() == 0.2
    clock.advance_to(0.1)
    assert clock.now() == 0.2
    clock.advance_to(3600.05)
    assert clock.now() == 3600.05
    clock.wait_until(1.0)
    assert clock.now() == 3600.05


def test_simulated_clock_restarts_at_zero() -> None:
    clock = SimulatedClock()
    clock.wait_until(5.0)
    clock.start()
    assert clock.now() == 0.0


@pytest.fixture
def fake_monotonic(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A monotonic time that sleeping moves on, ending every sleep early as real ones may."""
    now = [1000.0]

    def sleep(seconds: float) -> None:
        assert seconds > 0
        now[0] += seconds * 0.75 if seconds > 1e-3 else seconds + 1e-6

    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "sleep", sleep)
    return now


def test_monotonic_clock_waits_the_whole_time_even_when_sleeps_end_early(fake_monotonic: list[float]) -> None:
    clock = MonotonicClock()
    fake_monotonic[0] += 3.0
    clock.start()
    assert clock.now() == 0.0
    clock.wait_until(0.2)
    assert 0.2 <= clock.now() < 0.202


def test_monotonic_clock_does_not_wait_for_the_past_nor_jump_ahead(fake_monotonic: list[float]) -> None:
    clock = MonotonicClock()
    fake_monotonic[0] += 1.0
    clock.wait_until(0.5)
    clock.advance_to(9.0)
    assert clock.now() == pytest.approx(1.0)


def test_wall_clock_jumps_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = MonotonicClock()
    before = clock.now()
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert 0.0 <= clock.now() - before < 5.0
