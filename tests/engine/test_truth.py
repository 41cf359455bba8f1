import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from engine.errors import InputError
from engine.inspect.measures import Measures, TakeOver
from engine.truth import Said, compare, read_truth

SAID = (
    Said("question", "a", ((1.0, 2.0),)),
    Said("question", "b", ((9.0, 10.0), (11.0, 13.0))),
    Said("backchannel", "mm-hm", ((16.0, 16.4),)),
    Said("request", "c", ((20.0, 22.0),)),
    Said("barge_in", "d", ((24.0, 26.0),)),
)


def measured(onsets: list[float], heard: list[tuple[float, float]]) -> Measures:
    take_overs = tuple(TakeOver(t, None, "speak") for t in onsets)
    return cast(Measures, SimpleNamespace(take_overs=take_overs, heard=tuple(heard)))


def test_answers_pauses_and_stops_are_told_apart() -> None:
    compared = compare(measured([2.4, 10.5, 13.6, 22.3], [(2.4, 3), (22.3, 24.4)]), SAID)
    assert [said.text for said, _ in compared.answers] == ["a", "b", "c", "d"]
    assert [offset for _, offset in compared.answers[:3]] == pytest.approx([0.4, 0.6, 0.3])
    assert compared.answers[3][1] is None
    assert compared.taken_pauses == (10.5,)
    assert list(compared.stops) == [pytest.approx(0.4)]
    assert compared.median_answer_s == pytest.approx(0.4)


def test_nothing_said_is_no_answer_and_no_stop() -> None:
    compared = compare(measured([], []), SAID)
    assert compared.median_answer_s is None
    assert compared.taken_pauses == ()
    assert compared.stops == (None,)


def test_early_answer_counts_and_a_late_one_does_not() -> None:
    early, late = measured([1.7], []), measured([10.1], [])
    assert compare(early, SAID[:1]).answers[0][1] == pytest.approx(-0.3)
    assert compare(late, SAID[:1]).answers[0][1] is None


def test_truth_file_is_read_in_order(tmp_path: Path) -> None:
    path = tmp_path / "truth.json"
    items = [{"what": "question", "text": str(t), "spans": [[t, t + 1]], "end": t + 1} for t in (5, 2)]
    path.write_text(json.dumps(items))
    assert [(one.text, one.start, one.end) for one in read_truth(path)] == [("2", 2.0, 3.0), ("5", 5.0, 6.0)]


@pytest.mark.parametrize(
    "bad", ["", "{", "[1]", '[{"what": "x"}]', '[{"what": "x", "text": "", "spans": []}]', None]
)
def test_no_truth_file_is_a_one_line_error(tmp_path: Path, bad: Any) -> None:
    path = tmp_path / "truth.json"
    if bad is not None:
        path.write_text(bad)
    with pytest.raises(InputError) as caught:
        read_truth(path)
    assert "\n" not in str(caught.value)
