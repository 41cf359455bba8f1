"""Time flows between the micro-turns of a live session."""

import random
from itertools import pairwise

import pytest
from PySide6.QtGui import QImage

from app import theme as themes
from app.timeline.flow import MAX_AHEAD_S, Flow
from app.timeline.model import TimelineModel
from app.timeline.timeline_widget import TimelineWidget
from engine.config import CHUNK_S
from tests.app.scenario import session

TICK_S = 0.033


def shown(jitter_s: float, seconds: float = 20.0) -> list[float]:
    """Where the view ends at each tick, while micro-turns come with some delay."""
    dice = random.Random(4)
    flow = Flow()
    arrivals = [(n + 1) * CHUNK_S + dice.uniform(0, jitter_s) for n in range(round(seconds / CHUNK_S))]
    ends, t = [], 0.0
    while t < seconds:
        flow.step(TICK_S, CHUNK_S * sum(a <= t for a in arrivals))
        end = CHUNK_S * sum(a <= t for a in arrivals)
        ends.append(end + flow.ahead_s)
        t += TICK_S
    return ends


@pytest.mark.parametrize("jitter_s", [0.0, 0.06])
def test_steady_though_turns_come_in_steps(jitter_s: float):
    ends = shown(jitter_s)[100:]
    steps = [after - before for before, after in pairwise(ends)]
    assert min(steps) >= 0.0
    assert max(steps) < 2.2 * TICK_S  # without the flow: 0.2 s at once, and nothing for five ticks
    assert sum(steps) == pytest.approx(len(steps) * TICK_S, rel=0.02)


def test_stands_still_when_nothing_comes():
    flow = Flow()
    flow.step(TICK_S, 10.0)
    for _ in range(300):
        flow.step(TICK_S, 10.0)
    assert flow.ahead_s == pytest.approx(MAX_AHEAD_S)


def test_another_session_begins_at_its_end():
    flow = Flow()
    flow.step(TICK_S, 500.0)
    flow.reset(3.0)
    assert flow.ahead_s == 0.0
    flow.step(TICK_S, 3.0)
    assert 0.0 < flow.ahead_s < 2 * TICK_S


@pytest.fixture
def live(qtbot) -> TimelineWidget:
    timeline = TimelineWidget(themes.LIGHT)
    qtbot.addWidget(timeline)
    model = TimelineModel()
    model.append(session(30))
    timeline.resize(1000, 420)
    timeline.set_model(model, follow=True)
    timeline.show()
    return timeline


def lanes(timeline: TimelineWidget) -> QImage:
    frame = timeline.frame()
    return timeline.grab().toImage().copy(frame.gutter, 0, 600, frame.bottom)


def test_lanes_move_and_names_stay(live: TimelineWidget):
    before, whole = lanes(live), live.grab().toImage()
    for _ in range(5):
        live.flow(TICK_S)
    shift = live._shift
    assert shift > 3
    after = live.grab().toImage()
    frame = live.frame()
    moved = before.copy(shift, 0, 500, frame.bottom)
    assert lanes(live).copy(0, 0, 500, frame.bottom) == moved
    for x, y, wide, high in (
        (0, 0, frame.gutter, frame.height),
        (frame.gutter, frame.bottom, 800, frame.height - frame.bottom),
    ):
        assert after.copy(x, y, wide, high) == whole.copy(x, y, wide, high)


def test_click_selects_what_is_seen(live: TimelineWidget):
    t = live.model.end_s - 3.1
    x = live.scale().x(t)
    for _ in range(6):
        live.flow(TICK_S)
    live.click(x - live._shift)
    assert live.model.selected == int(t / CHUNK_S)


def test_paused_or_recorded_it_stands_still(live: TimelineWidget):
    live.set_follow(False)
    live.flow(0.1)
    assert live._shift == 0
    model = TimelineModel()
    model.append(session(30))
    live.set_model(model, follow=False)
    live.flow(0.1)
    assert live._shift == 0
