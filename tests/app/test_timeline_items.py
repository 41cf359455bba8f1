"""What lies beside the turns: jobs, transcripts, instants, and merging them for far views."""

import numpy as np

from app.timeline.items import Instant, Instants, Items, Jobs, Utterances, kind_of, merged
from app.timeline.model import TimelineModel
from engine.events import BackgroundEvent, Caption, Fault, Mark, TextIn, Transcript, VisionEvent
from tests.app.scenario import session, turn


def ask(job: int, t: float, text: str = "why?") -> BackgroundEvent:
    return BackgroundEvent(job, t, "asked", text)


def test_a_job_goes_from_asking_to_its_end():
    jobs = Jobs()
    for event in (
        BackgroundEvent(1, 4.0, "partial", "how f", {"role": "request"}),
        BackgroundEvent(1, 4.5, "partial", "how far?", {"role": "request"}),
        BackgroundEvent(1, 6.0, "partial", "It is", {"role": "answer"}),
        BackgroundEvent(1, 7.0, "answer", "It is far."),
    ):
        jobs.add(event)
    job = jobs.items[1]
    assert (job.t0, job.first_answer_t, job.t1, job.outcome) == (4.0, 6.0, 7.0, "answer")
    assert job.request == "how far?"
    assert [e.t for e in job.near(4.4, 6.1)] == [4.5, 6.0]


def test_what_is_no_answer_does_not_count_as_one():
    jobs = Jobs()
    for k, role in enumerate(("question", "retry", "answer", "restart")):
        jobs.add(BackgroundEvent(1, 4.0 + k, "partial", "words", {"role": role}))
        assert jobs.items[1].first_answer_t == (6.0 if role == "answer" else None)
    assert [kind_of(event) for event in jobs.items[1].events] == ["question", "retry", "answer", "restart"]


def test_captions_are_left_out_and_words_of_transcripts_are_kept():
    items = Items()
    items.add(Caption(2.0, 1.0, "how f", 1))
    items.add(Transcript(1.0, 2.5, "user", "how far", "", (("how\u202e", 1.0, 1.4), ("far", 2.0, 2.4))))
    assert [u.words for u in items.user.items] == [(("how", 1.0, 1.4), ("far", 2.0, 2.4))]


def test_jobs_at_the_same_time_get_rows_of_their_own():
    jobs = Jobs()
    for job, t in ((1, 0.0), (2, 1.0), (3, 2.0), (4, 3.0)):
        jobs.add(ask(job, t))
    assert [jobs.items[k].row for k in (1, 2, 3)] == [0, 1, 2]
    jobs.add(BackgroundEvent(1, 4.0, "failed", "no server"))
    jobs.add(ask(5, 5.0))
    assert jobs.items[5].row == 0
    assert jobs.items[1].outcome == "failed"
    assert {job.id for job in jobs.between(4.5, 6)} == {2, 3, 4, 5}


def test_jobs_and_instants_are_bounded_and_drops_are_counted():
    jobs = Jobs(limit=10)
    for k in range(30):
        jobs.add(ask(k, float(k)))
    assert list(jobs.items) == list(range(20, 30))
    instants = Instants(limit=32)
    for k in range(100):
        instants.add(Instant(float(k), "mark", str(k)))
    assert len(instants.items) <= 32
    assert instants.items[-1].text == "99"
    assert instants.dropped == 100 - len(instants.items)


def test_instants_come_back_in_order_and_crowds_become_one_run():
    instants = Instants()
    for t in (5.0, 1.0, 1.1, 1.2, 9.0):
        instants.add(Instant(t, "fault", f"at {t}"))
    assert [i.t for i in instants.between(1.05, 9.0)] == [1.1, 1.2, 5.0]
    runs = instants.runs(0, 10, apart_s=0.5)
    assert [(instants.items[r.first].t, r.count) for r in runs] == [(1.0, 3), (5.0, 1), (9.0, 1)]
    assert len(instants.runs(0, 10, apart_s=20)) == 1


def test_a_long_utterance_is_found_from_its_middle():
    said = Utterances()
    said.add(Transcript(10, 40, "user", "a long story"))
    said.add(Transcript(12, 13, "user", "short"))
    assert [u.text for u in said.between(30, 31)] == ["a long story"]
    assert said.between(41, 50) == []


def test_a_longer_hearing_of_the_same_speech_replaces_the_shorter():
    said = Utterances()
    for t1, text in ((12, "so"), (14, "so then"), (13, "shorter, later")):
        said.add(Transcript(10, t1, "user", text))
    assert [u.text for u in said.items] == ["so then", "shorter, later"]
    origin, groups = said.groups(0, 20, 0.1)
    assert (origin, groups.t0.tolist(), groups.t1.tolist()) == (0, [10.0], [14.0])


def test_merging_groups_neighbours_and_contained_ones():
    t0, t1 = np.array([0, 1, 5, 5.5, 20.0]), np.array([3, 2, 6, 5.6, 21.0])
    near = merged(t0, t1, 0.1)
    assert list(zip(near.first, near.last, near.t0, near.t1, strict=True)) == [
        (0, 1, 0, 3),
        (2, 3, 5, 6),
        (4, 4, 20, 21),
    ]
    far = merged(t0, t1, 2.5)
    assert list(zip(far.first, far.last, far.t0, far.t1, strict=True)) == [(0, 3, 0, 6), (4, 4, 20, 21)]
    assert len(merged(t0[:0], t1[:0], 1).first) == 0


def test_items_sort_events_by_kind_and_make_their_text_safe():
    items = Items()
    for event in (
        Fault(1, "bad\u202e\nline"),
        Mark(2, "here"),
        TextIn(3, "typed"),
        VisionEvent(4, "started"),
    ):
        items.add(event)
    assert [(i.what, i.text) for i in items.instants.items] == [
        ("fault", "bad line"),
        ("mark", "here"),
        ("text_in", "typed"),
        ("vision", "started"),
    ]


def test_the_model_takes_a_whole_session_and_keeps_a_selection_in_range():
    model = TimelineModel()
    assert not model.append([])
    assert model.append(session(60))
    assert model.turns.count == 300
    assert model.end_s == 60
    assert model.header is not None
    model.select(10_000)
    assert model.selected == 299
    model.step(1)
    assert model.selected == 299
    model.select(-5)
    assert model.selected == 0
    model.select(None)
    model.step(-1)
    assert model.selected == 299
    model.step_change(-1)
    assert model.turns.decision(model.selected) != model.turns.decision(model.selected - 1)


def test_events_at_impossible_times_are_left_out():
    model = TimelineModel()
    model.append(
        [Fault(float("nan"), "a"), Mark(float("inf"), "b"), Mark(-1.0, "c"), Mark(2.0, "d"), turn(0)]
    )
    assert [i.text for i in model.items.instants.items] == ["d"]


def test_without_turns_a_session_ends_with_its_last_event():
    model = TimelineModel()
    model.append([Mark(12.5, "alone")])
    assert model.end_s == 12.5
    model.select(3)
    assert model.selected is None


def test_faults_and_notes_have_lanes_of_their_own():
    items = Items()
    for event in (Fault(1, "bad"), Mark(2, "late", "late"), Mark(3, "slow here", "late"), TextIn(4, "typed")):
        items.add(event)
    assert [i.text for i in items.faults.items] == ["bad"]
    assert [(i.text, i.verdict) for i in items.notes.items] == [
        ("late", "late"),
        ("late: slow here", "late"),
        ("typed", ""),
    ]
    assert len(items.instants.items) == 4


def test_rows_are_as_many_as_jobs_ran_at_once():
    jobs = Jobs()
    jobs.add(ask(1, 0.0))
    jobs.add(BackgroundEvent(1, 1.0, "answer", "x"))
    jobs.add(ask(2, 2.0))
    assert jobs.rows == 1
    jobs.add(ask(3, 3.0))
    assert jobs.rows == 2
