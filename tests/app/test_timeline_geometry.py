"""Time to pixels, ticks, and the visible window: arithmetic without pixels."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.timeline.frame import LEAST_LABEL, label_places
from app.timeline.time_scale import TimeScale, clock_label, ticks
from app.timeline.viewport import MARGIN, MIN_SPAN_S, Viewport


@given(st.floats(0, 40_000), st.floats(1, 40_000), st.integers(50, 4000), st.floats(0, 1))
def test_time_and_pixels_are_inverse(start, span, width, share):
    scale = TimeScale.of(start, span, width, left=100)
    t = start + share * span
    assert scale.t(scale.x(t)) == pytest.approx(t, abs=1e-6)
    # The origin is a whole pixel, so at most half of one is off.
    assert abs(scale.x(start) - 100) <= 0.5 + 1e-6


def test_a_turn_is_found_under_each_of_its_pixels():
    scale = TimeScale.of(0, 10, 1000, left=50)  # 20 px a turn
    assert [scale.turn(x) for x in (50, 69, 70, 50 + 999)] == [0, 0, 1, 49]


@pytest.mark.parametrize(
    ("t", "step", "label"),
    [
        (0, 1, "0:00"),
        (61, 1, "1:01"),
        (3600, 60, "1:00:00"),
        (7.2, 0.2, "0:07.2"),
        (59.96, 0.2, "1:00.0"),
        (-1, 1, "-0:01"),
        (12.346, 0.02, "0:12.35"),
        (3599.996, 0.05, "1:00:00.00"),
        (13.0, 0.05, "0:13.00"),
    ],
)
def test_clock_labels(t, step, label):
    assert clock_label(t, step) == label


@given(st.floats(0, 40_000), st.floats(0.2, 40_000), st.integers(100, 3000))
def test_ticks_are_inside_apart_and_few(start, span, width):
    scale = TimeScale.of(start, span, width)
    found = ticks(start, span, scale.px_per_s)
    assert all(start - 1e-6 <= tick.t <= start + span + 1e-6 for tick in found)
    labelled = [scale.x(tick.t) for tick in found if tick.label]
    assert all(b - a >= 79 for a, b in pairwise(labelled))
    assert len(found) <= width / 5 + 2


def test_ticks_fall_on_round_times():
    assert [t.label for t in ticks(0, 60, 20, 80) if t.label] == [f"0:{s:02d}" for s in range(0, 60, 5)] + [
        "1:00"
    ]
    assert [round(t.t, 1) for t in ticks(0, 1, 400, 80)] == [0, 0.2, 0.4, 0.6, 0.8, 1.0]


def at_hour(**fields) -> Viewport:
    view = Viewport(**fields)
    view.set_content(0, 3600)
    return view


def test_following_keeps_the_end_in_view_as_it_grows():
    view = Viewport(span_s=20)
    for end in (1, 30, 500.2):
        view.set_content(0, end)
        assert view.start_s <= end <= view.stop_s
    assert view.stop_s == pytest.approx(500.2 + 20 * MARGIN)


def test_panning_stops_following_and_the_view_stays_put_while_the_session_grows():
    view = at_hour(span_s=20)
    view.pan(-100)
    start = view.start_s
    view.set_content(0, 3700)
    assert not view.follow
    assert view.start_s == start
    view.set_follow(True)
    assert view.stop_s == pytest.approx(3700 + 20 * MARGIN)


def test_the_view_cannot_leave_the_session():
    view = at_hour(span_s=20)
    view.pan(-1e9)
    assert view.start_s == pytest.approx(-20 * MARGIN)
    view.pan(1e9)
    assert view.stop_s == pytest.approx(3600 + 20 * MARGIN)


@given(st.floats(0.1, 10), st.floats(0, 1))
def test_zooming_keeps_the_anchor_where_it_is(factor, share):
    view = at_hour(span_s=100, follow=False, start_s=1800)
    anchor = view.start_s + share * view.span_s
    view.zoom(factor, anchor)
    assert (anchor - view.start_s) / view.span_s == pytest.approx(share, abs=1e-6)


def test_zoom_reaches_single_turns_and_the_whole_hour():
    view = at_hour(span_s=100, follow=False, start_s=1800)
    for _ in range(40):
        view.zoom(1.5)
    assert view.span_s == MIN_SPAN_S == 0.2  # one micro-turn
    for _ in range(60):
        view.zoom(1 / 1.5)
    assert view.start_s <= 0
    assert view.stop_s >= 3600
    view.fit()
    assert 3600 <= view.span_s <= 3600 * 1.1


def test_zooming_while_following_keeps_the_live_edge():
    view = at_hour(span_s=100)
    view.zoom(4, anchor_s=3510)
    assert view.follow
    assert view.stop_s == pytest.approx(3600 + view.span_s * MARGIN)


def test_revealing_scrolls_only_when_needed():
    view = at_hour(span_s=20)
    start = view.start_s
    view.reveal(3599.8, 3600)
    assert (view.follow, view.start_s) == (True, start)
    view.reveal(100, 100.2)
    assert (view.follow, view.start_s < 100, view.stop_s > 100.2) == (False, True, True)
    view.centre(50)
    assert view.start_s == pytest.approx(40)


def test_a_stretch_is_shown_as_asked_within_the_session():
    view = at_hour(span_s=20)
    view.show(100, 160)
    assert (view.start_s, view.stop_s, view.follow) == (100, 160, False)
    view.show(3590, 3700)
    assert view.stop_s <= 3600 + MARGIN * view.span_s + 1e-6
    view.show(200, 200)
    assert view.span_s == MIN_SPAN_S


def test_forgotten_turns_leave_the_view():
    view = at_hour(span_s=20, follow=False, start_s=0)
    view.set_content(3276.8, 7000)
    assert view.start_s >= 3276.8 - 20 * MARGIN - 1e-6


@given(st.lists(st.floats(2, 60), min_size=0, max_size=13), st.floats(12, 40))
def test_names_of_lanes_never_overlap(heights, line):
    middles = [sum(heights[:k]) + h / 2 for k, h in enumerate(heights)]
    scale, places = label_places(middles, line, 0.0, sum(heights))
    assert LEAST_LABEL - 1e-6 <= scale <= 1
    assert all(b - a >= scale * line - 1e-6 for a, b in pairwise(places))


def test_names_stay_in_their_lanes_where_there_is_room():
    assert label_places([10, 40, 80], 16, 0, 100) == (1.0, [10, 40, 80])
    scale, places = label_places([10, 15, 20, 60], 16, 0, 100)
    assert scale < 1 and all(
        abs(a - b) <= 16 * scale / 2 for a, b in zip(places, [10, 15, 20, 60], strict=True)
    )
