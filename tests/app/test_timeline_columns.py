"""Turns as columns: reduction to pixels against a plain loop, bounds, and odd input."""

import math

import numpy as np
import pytest

from app.timeline import columns as c
from app.timeline.columns import ABSENT, OTHER, TRIM, TurnColumns
from engine.decisions import DECISIONS
from engine.events import TurnRecord
from tests.app.scenario import session, turn


def turns_of(seconds: float, seed: int = 1):
    return [e for e in session(seconds, seed) if e.kind == "turn"]


def filled(records, parts: int = 1) -> TurnColumns:
    made = TurnColumns()
    for part in np.array_split(np.arange(len(records)), parts):
        made.extend([records[i] for i in part])
    return made


def by_hand(records, first_px: int, px_per_s: float, width: int):
    """Majority, all bits and greatest level of each pixel, by a loop over turns."""
    per_px = 1 / (px_per_s * 0.2)
    for x in range(width):
        a = math.floor((first_px + x) * per_px + 1e-6)
        b = max(math.floor((first_px + x + 1) * per_px + 1e-6), a + 1)
        yield records[max(a, 0) : max(b, 0)]


@pytest.mark.parametrize(
    ("first_px", "px_per_s", "width"), [(0, 40, 300), (-50, 5, 900), (100, 2.5, 400), (37, 5, 77)]
)
def test_columns_agree_with_a_loop_where_buckets_are_whole(first_px, px_per_s, width):
    records = turns_of(120)
    got = filled(records).columns(first_px, px_per_s, width)
    assert got is not None
    for x, here in enumerate(by_hand(records, first_px, px_per_s, width)):
        assert got.present[x] == bool(here), x
        if not here:
            continue
        names = [r.decision for r in here]
        top = max(names.count(name) for name in DECISIONS)
        assert names.count(DECISIONS[got.majority[x]]) == top
        assert {DECISIONS[k] for k in range(5) if got.bits[x] & (1 << k)} == set(names)
        assert got.peak[x, c.COMPUTE_MS] == pytest.approx(max(r.compute_ms for r in here), rel=1e-5)
        assert got.mean[x, c.USER_DB] == pytest.approx(np.mean([r.user_level_db for r in here]), rel=1e-4)
        assert got.probs[x, 0] == pytest.approx(np.mean([r.probs["listen"] for r in here]), abs=1e-4)


@pytest.mark.parametrize("width", [1, 7, 333, 1200])
def test_far_views_lose_no_extreme_and_stay_within_a_pixel(width):
    records = turns_of(900)
    made = filled(records, parts=13)
    got = made.columns(0, width / 900, width)
    assert got is not None
    assert got.peak[:, c.COMPUTE_MS].max() == pytest.approx(max(r.compute_ms for r in records), rel=1e-5)
    assert bool((got.bits & c.MISSED).any())
    for x in range(width):
        low, high = int(x * 4500 / width), math.ceil((x + 1) * 4500 / width)
        slack = math.ceil(4500 / width)
        wide = records[max(low - slack, 0) : high + slack]
        assert got.peak[x, c.USER_DB] <= max(r.user_level_db for r in wide) + 1e-3
        assert got.peak[x, c.USER_DB] >= min(r.user_level_db for r in wide) - 1e-3


def test_the_pieces_in_which_turns_come_do_not_matter():
    records = turns_of(300)
    whole, pieces = filled(records), filled(records, parts=len(records))
    for scale in (0.05, 0.7, 4, 60):
        one, other = whole.columns(-5, scale, 500), pieces.columns(-5, scale, 500)
        assert one is not None
        assert other is not None
        assert (one.majority == other.majority).all()
        assert (one.bits == other.bits).all()
        assert (one.peak == other.peak).all()
        assert np.allclose(one.mean, other.mean, atol=1e-3)


def test_a_turn_comes_back_as_it_was():
    record = turns_of(10)[37]
    made = filled(turns_of(10))
    back = made.turn(37)
    assert back is not None
    assert back.decision == record.decision
    assert back.probs == pytest.approx(dict(record.probs), abs=1e-4)
    assert back.text_out == record.text_out
    assert back.user_activity == pytest.approx(record.user_activity, abs=1e-4)
    assert back.frame == record.frame
    assert back.compute_ms == pytest.approx(record.compute_ms, abs=1e-3)
    assert back.say[0][0] == record.say
    assert back.t == pytest.approx(7.4)


def test_missing_turns_are_absent_not_invented():
    made = TurnColumns()
    made.extend([turn(0), turn(1), turn(5, "speak")])
    assert made.count == 6
    assert [made.decision(i) for i in range(6)] == [0, 0, ABSENT, ABSENT, ABSENT, 1]
    assert made.turn(3) is None
    got = made.columns(0, 5, 8)
    assert got is not None
    assert got.present.tolist() == [True, True, False, False, False, True, False, False]


def test_turns_out_of_order_or_far_ahead_are_ignored_and_counted():
    made = TurnColumns()
    made.extend([turn(0), turn(1), turn(1, "speak"), turn(0), turn(2), turn(10**9), turn(-4)])
    assert made.count == 3
    assert made.ignored == 4
    assert made.decision(1) == 0


def test_odd_values_do_no_harm():
    made = TurnColumns()
    odd = turn(0, user_level_db=float("nan"), compute_ms=float("inf"), user_activity=(0.1, 0.2), frame=10**15)
    made.extend([odd, TurnRecord(1, 0.2, "hum", {"hum": 1.0})])
    first, second = made.turn(0), made.turn(1)
    assert first is not None
    assert second is not None
    assert first.user_level_db == -120
    assert first.compute_ms == 0
    assert first.user_activity == pytest.approx((0.1, 0.2), abs=1e-3)
    assert made.decision(1) == OTHER
    assert second.decision == "other"
    assert not any(second.probs.values())


def test_memory_is_bounded_and_the_newest_stay():
    made = TurnColumns(max_turns=2 * TRIM)
    for start in range(0, 5 * TRIM, 4096):
        made.extend([turn(i, "speak" if i % 1000 == 999 else "listen") for i in range(start, start + 4096)])
    assert made.end == 5 * TRIM
    assert made.count <= 2 * TRIM
    assert len(made._rows) <= 2 * TRIM
    assert made.base % TRIM == 0
    assert not made.has(0)
    for i in (made.base, made.end - 1, made.base + 12345):
        assert made.decision(i) == (1 if i % 1000 == 999 else 0)
    got = made.columns(made.base // 1000, 0.005, 40)  # a pixel is a thousand turns
    assert got is not None
    spoke = (got.bits[got.present] & 2) > 0
    assert (spoke[1:-1] | spoke[:-2] | spoke[2:]).all()
    assert (got.majority[got.present] == 0).all()


def test_words_and_changes():
    made = TurnColumns()
    made.extend(
        [
            turn(i, "speak" if 3 <= i < 6 else "listen", text_out="hi\u202e" if i == 3 else "")
            for i in range(9)
        ]
    )
    assert made.words(0, 8) == [(3, "hi")]
    assert made.next_change(0, 1) == 3
    assert made.next_change(3, 1) == 6
    assert made.next_change(6, 1) == 8
    assert made.next_change(5, -1) == 3
    assert made.next_change(3, -1) == 0


def test_an_empty_session_has_no_columns():
    assert TurnColumns().columns(0, 10, 100) is None
    assert TurnColumns().turn(0) is None
    with pytest.raises(ValueError, match="multiple"):
        TurnColumns(max_turns=1000)
