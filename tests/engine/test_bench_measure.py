"""Figures of outcomes made by hand, whose answers are known."""

import numpy as np
import pytest

from engine.bench.cases import OVERLAPS
from engine.bench.figures import MEASURES, OVERALL, Measure, figure
from engine.bench.measure import measure
from engine.bench.said import in_order, stretches, words
from tests.engine.bench_fakes import ANSWER, WORD_S, Said, case, cue, outcome

TURN = cue((0.0, 2.0))  # played from 1.0: its end is at 3.0


def values(figures, name):
    return [pytest.approx(value) for value, _ in figures.get(name, [])]


def taken_at(*said, task="turn_taking", turn=TURN):
    return measure(outcome(case(task, turn), [(turn, 1.0)], said))


# turn-taking


@pytest.mark.parametrize(("t", "taken"), [(2.9, 1), (3.4, 1), (6.0, 1), (6.02, 0)])
def test_a_turn_is_taken_within_three_seconds_of_its_end(t, taken):
    figures = taken_at(Said(t, ANSWER))
    assert values(figures, "taken") == [taken]
    assert values(figures, "cut_in") == [0]
    assert values(figures, "offset") == ([t - 3.0] if taken else [])


def test_a_take_before_the_end_cuts_in_and_takes_nothing():
    figures = taken_at(Said(2.8, ANSWER))
    assert (values(figures, "cut_in"), values(figures, "taken")) == ([1], [0])
    assert "offset" not in figures


def test_who_never_speaks_takes_no_turn():
    figures = taken_at()
    assert (values(figures, "cut_in"), values(figures, "taken")) == ([0], [0])


def test_nods_take_nothing_unless_they_go_on_for_long():
    assert values(taken_at(Said(2.0, "I see", "backchannel")), "cut_in") == [0]
    assert values(taken_at(Said(2.0, "I see", "backchannel"), Said(3.5, ANSWER)), "offset") == [0.5]
    assert values(taken_at(Said(1.5, "yes I do see that", "backchannel")), "cut_in") == [1]


def test_the_answers_first_word_is_not_the_phrase_before_it():
    figures = taken_at(Said(3.2, "Let me see.", "speak"), Said(4.6, ANSWER))
    assert values(figures, "offset") == [0.2]
    assert values(figures, "answer_offset") == [pytest.approx(1.6, abs=1e-3)]


def test_each_turn_of_a_session_counts():
    second = cue((0.5, 1.0))
    made = outcome(
        case("turn_taking", TURN, second), [(TURN, 1.0), (second, 8.0)], [Said(3.3, "a b c"), Said(9.1, "d")]
    )
    assert values(measure(made), "offset") == [0.3, 0.1]


# pauses: speech 1.0-2.0, 2.8-3.8, 4.8-5.8

PAUSED = cue((0.0, 1.0), (1.8, 2.8), (3.8, 4.8))


@pytest.mark.parametrize(
    ("t", "pauses", "cut_in", "too_soon", "taken"),
    [
        (2.4, [1], 0, 1, []),  # in the first pause: the second is not counted
        (2.95, [1], 0, 1, []),  # decided in it, heard 0.15 s after it
        (3.2, [0], 1, 1, []),  # while they speak
        (4.2, [0, 1], 0, 1, []),
        (6.0, [0, 0], 0, 0, [1]),
        (1.5, [], 1, 1, []),
    ],
)
def test_pauses_before_the_first_take_count(t, pauses, cut_in, too_soon, taken):
    figures = taken_at(Said(t, ANSWER), task="pauses", turn=PAUSED)
    assert values(figures, "pause_taken") == pauses
    assert values(figures, "cut_in") == [cut_in]
    assert values(figures, "too_soon") == [too_soon]
    assert values(figures, "taken") == taken


def test_silences_too_short_to_notice_are_no_pauses():
    figures = taken_at(task="correction", turn=cue((0.0, 1.0), (1.15, 2.0)))
    assert "pause_taken" not in figures
    assert values(figures, "taken") == [0]


# overlaps: an answer from 3.0 on, somebody talks from 5.0 to 6.0

LONG = " ".join(f"word{k}" for k in range(20))
NEW = "now something else entirely"


def overlap(task, said, asked=(2.0,), alone=None, into=None):
    into = into or cue(after="answer", delay_s=2.0, wants_answer=task == "interruption")
    made_for = case(task, TURN, into, answers=(LONG, NEW))
    twin = outcome(made_for, [(TURN, 0.5)], [Said(3.0, LONG)] if alone is None else alone, [2.0])
    return measure(outcome(made_for, [(TURN, 0.5), (into, 5.0)], said, asked), twin)


@pytest.mark.parametrize("task", ["backchannel", "aside", "background_speech"])
def test_going_on_resumes(task):
    figures = overlap(task, [Said(3.0, LONG)])
    assert values(figures, "success") == values(figures, "went_on") == [1]
    assert values(figures, "stopped_resumed") == [0]
    assert "pause_made" not in figures


def test_stopping_and_resuming_where_it_left_off_resumes():
    said = [Said(3.0, " ".join(LONG.split()[:9])), Said(6.5, " ".join(LONG.split()[8:]))]
    figures = overlap("backchannel", said)
    assert values(figures, "success") == values(figures, "stopped_resumed") == [1]
    assert values(figures, "went_on") == [0]
    assert values(figures, "pause_made") == [pytest.approx(6.5 - 3.0 - 9 * WORD_S, abs=0.02)]


def test_stopping_for_good_does_not_resume():
    assert values(overlap("aside", [Said(3.0, " ".join(LONG.split()[:9]))]), "success") == [0]


def test_resuming_with_a_part_left_out_does_not_resume():
    said = [Said(3.0, " ".join(LONG.split()[:9])), Said(6.5, " ".join(LONG.split()[13:]))]
    assert values(overlap("aside", said), "success") == [0]


def test_a_request_handed_over_for_the_overlap_does_not_resume():
    assert values(overlap("aside", [Said(3.0, LONG)], asked=(2.0, 6.2)), "success") == [0]


def test_where_the_twin_had_no_more_to_say_nothing_resumes():
    assert values(overlap("backchannel", [Said(3.0, LONG)], alone=[]), "success") == [0]
    assert values(overlap("backchannel", [Said(3.0, LONG)], alone=[Said(3.0, "a b c")]), "success") == [0]


@pytest.mark.parametrize("task", OVERLAPS)
def test_without_an_answer_to_talk_into_an_overlap_has_failed(task):
    made_for = case(task, TURN, cue(after="answer"))
    silent = outcome(made_for, [(TURN, 0.5)])
    assert measure(silent, silent) == {"success": [(0, 1)]}


def test_an_overlap_needs_its_twin():
    with pytest.raises(ValueError, match="twin"):
        measure(outcome(case("aside", TURN), []))


def test_stopping_and_answering_the_new_request_responds():
    figures = overlap("interruption", [Said(3.0, " ".join(LONG.split()[:9])), Said(6.4, NEW)], (2.0, 6.2))
    assert values(figures, "success") == values(figures, "stopped") == [1]
    assert values(figures, "stop") == [pytest.approx(0.25, abs=0.011)]
    assert values(figures, "response") == [0.4]


def test_not_stopping_does_not_respond():
    figures = overlap("interruption", [Said(3.0, LONG)], (2.0, 6.2))
    assert values(figures, "success") == values(figures, "stopped") == [0]
    assert "stop" not in figures
    assert "response" not in figures


@pytest.mark.parametrize(
    ("then", "asked"),
    [
        ([], (2.0, 6.2)),  # nothing is said
        ([Said(6.4, NEW)], (2.0,)),  # nothing new was asked
        ([Said(10.2, NEW)], (2.0, 6.2)),  # too late
        ([Said(5.7, NEW)], (2.0, 5.5)),  # while the user still speaks
        ([Said(6.4, " ".join(LONG.split()[9:]))], (2.0, 6.2)),  # it goes on with the old answer
    ],
)
def test_what_does_not_respond(then, asked):
    figures = overlap("interruption", [Said(3.0, " ".join(LONG.split()[:9])), *then], asked)
    assert values(figures, "success") == [0]
    assert values(figures, "stopped") == [1]


def test_words_of_the_old_answer_may_stand_in_the_new_one():
    made_for = case("interruption", TURN, answers=(LONG, LONG))
    into = cue(after="answer", delay_s=2.0)
    twin = outcome(made_for, [(TURN, 0.5)], [Said(3.0, LONG)], [2.0])
    said = [Said(3.0, " ".join(LONG.split()[:9])), Said(6.4, LONG)]
    made = outcome(made_for, [(TURN, 0.5), (into, 5.0)], said, (2.0, 6.2))
    assert values(measure(made, twin), "success") == [1]


def test_who_is_silent_when_the_interruption_begins_has_nothing_to_stop():
    figures = overlap("interruption", [Said(3.0, "word0 word1"), Said(6.4, NEW)], (2.0, 6.2))
    assert values(figures, "success") == [1]
    assert "stopped" not in figures


# monologue: speech 1.0-3.0, 3.6-5.6, 6.4-8.4, clause ends at 3.0, 4.6 and 8.4

STORY = cue((0.0, 2.0), (2.6, 4.6), (5.4, 7.4), clauses=(2.0, 3.6, 7.4))


def test_nods_are_counted_by_the_minute_and_by_place():
    nods = [Said(t, "right", "backchannel") for t in (1.5, 3.1, 4.9, 6.0)]
    figures = taken_at(*nods, Said(8.8, ANSWER), task="monologue", turn=STORY)
    (rate,) = figures["nods"]
    assert rate == pytest.approx((4 / (6.0 / 60), 0.1))
    # In the middle of a clause; after a clause; 0.3 s after one; in a pause that begins inside a clause.
    assert values(figures, "nod_placed") == [0, 1, 1, 0]
    assert values(figures, "cut_in") == [0]
    assert values(figures, "taken") == [1]
    assert values(figures, "offset") == [0.4]


def test_a_take_over_inside_a_monologue():
    figures = taken_at(Said(5.0, "well"), Said(6.5, "so"), task="monologue", turn=STORY)
    assert figures["takes"] == [pytest.approx((20.0, 0.1))]
    assert values(figures, "cut_in") == [1]
    assert "taken" not in figures


def test_a_story_that_does_not_end_in_a_question_need_not_be_taken():
    story = cue((0.0, 2.0), (2.6, 4.6), clauses=(2.0, 4.6), wants_answer=False)
    figures = taken_at(Said(3.1, "right", "backchannel"), task="monologue", turn=story)
    assert values(figures, "nod_placed") == [1]
    assert "taken" not in figures


# noise and echo


def test_everything_said_into_noise_counts():
    said = [Said(4.0, "a b c d"), Said(9.0, "right", "backchannel")]
    figures = measure(outcome(case("noise"), [], said, length=30.0))
    assert figures["false_speech"] == [pytest.approx((2.5, 0.5))]
    assert figures["takes"] == [pytest.approx((2.0, 0.5))]


def echo(said, asked=(3.1,)):
    return measure(outcome(case("echo", TURN), [(TURN, 1.0)], said, asked, length=30.0))


def test_an_answer_said_to_its_end_is_no_false_speech():
    figures = echo([Said(3.5, "One moment.", "speak"), Said(4.5, ANSWER)])
    assert figures["false_speech"] == [pytest.approx((0.0, 0.5))]
    assert values(figures, "false_stop") == [0]


def test_speech_after_the_answer_is_false():
    figures = echo([Said(3.5, ANSWER), Said(8.0, ANSWER)], asked=(3.1, 7.5))
    assert figures["false_speech"] == [pytest.approx((6.0, 0.5))]
    assert values(figures, "false_stop") == [0]


@pytest.mark.parametrize(
    "said",
    [
        [Said(3.5, " ".join(ANSWER.split()[:5]))],
        [Said(3.5, " ".join(ANSWER.split()[:5])), Said(6.0, " ".join(ANSWER.split()[5:]))],
    ],
)
def test_an_answer_broken_off_or_interrupted_is_a_false_stop(said):
    assert values(echo(said), "false_stop") == [1]


# what was said


def test_a_nod_before_an_answer_is_a_stretch_of_its_own():
    made = outcome(case("noise"), [], [Said(2.0, "right", "backchannel"), Said(2.25, "one two")])
    found = stretches(made.heard, made.turns)
    assert [s.nod for s in found] == [True, False]
    edges = [edge for s in found for edge in (s.start, s.end)]
    assert edges == pytest.approx([2.0, 2.25, 2.25, 2.75], abs=0.011)


def test_a_phrase_inside_an_answer_is_its_own():
    made = outcome(case("noise"), [], [Said(2.0, "one two"), Said(3.0, "So,", "speak"), Said(3.4, "three")])
    assert [w.text for w in words(made.turns) if w.own] == ["So,"]


@pytest.mark.parametrize(
    ("wanted", "said", "share"),
    [
        ("a b c d", "a b c d", 1.0),
        ("a b c d", "x a y b b c z d", 1.0),
        ("a b c d", "d c b a", 0.25),
        ("a b c d", "a b", 0.5),
        ("a b", "", 0.0),
        ("", "a b", 0.0),
    ],
)
def test_words_said_in_order(wanted, said, share):
    assert in_order(wanted.split(), said.split()) == share


# figures


def known(measure_, cases):
    found = figure(measure_, cases)
    assert found is not None
    return found


RATE = Measure("noise", "takes", "", "", "")


def noise(*pairs):
    return {"noise": [{"takes": [pair]} for pair in pairs]}


def test_rates_weigh_by_their_minutes():
    found = known(RATE, noise((6.0, 0.5), (0.0, 1.0)))
    assert (found.value, found.cases, found.observations) == (pytest.approx(2.0), 2, 2)
    assert (found.low, found.high) == (0.0, 6.0)


def test_percentiles_are_of_all_observations():
    cases = {"noise": [{"takes": [(float(k), 1.0) for k in range(11)]}, {"takes": [(100.0, 1.0)]}, {}]}
    found = known(Measure("noise", "takes", "", "", "", "median"), cases)
    assert (found.value, found.cases, found.observations) == (5.5, 2, 12)


def test_intervals_are_the_same_each_time_and_shrink_with_cases():
    rng = np.random.default_rng(0)
    few, many = ([(float(rng.random() < 0.3), 1.0) for _ in range(n)] for n in (20, 500))
    wide, narrow = known(RATE, noise(*few)), known(RATE, noise(*many))
    assert wide == known(RATE, noise(*few))
    assert wide.low < wide.value < wide.high
    assert narrow.high - narrow.low == pytest.approx(2 * 1.96 * (0.3 * 0.7 / 500) ** 0.5, rel=0.15)
    assert narrow.high - narrow.low < wide.high - wide.low


def test_without_observations_there_is_no_figure():
    assert figure(RATE, {}) is None
    assert figure(RATE, {"noise": [{}]}) is None


def test_the_overlaps_count_alike_however_many_cases_they_have():
    (row,) = [m for m in MEASURES if m.group == OVERALL]
    cases = {task: [{"success": [(1.0, 1.0)]}] for task in OVERLAPS}
    cases["interruption"] = [{"success": [(0.0, 1.0)]}] * 5
    assert known(row, cases).value == 75.0
    del cases["aside"]
    assert figure(row, cases) is None


def test_rows_have_names_of_their_own():
    assert len({m.name for m in MEASURES}) == len(MEASURES)
