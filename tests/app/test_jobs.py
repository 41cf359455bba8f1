"""Events of background jobs folded into what the list shows."""

import pytest

from app.jobs import MAX_JOBS, MAX_STEPS, QUESTION_S, Job, JobList, JobState, duration, heading, spoken
from engine.events import BackgroundEvent, TurnRecord
from tests.app.scenario import session, turn


def event(job: int, t: float, what: str, text: str = "", **detail) -> BackgroundEvent:
    return BackgroundEvent(job, t, what, text, detail)


def asked(job: int, t: float, text: str = "") -> list[BackgroundEvent]:
    return [event(job, t, "asked"), event(job, t + 0.3, "partial", text, role="request", topic="it")]


def question(job: int, t: float) -> BackgroundEvent:
    return event(job, t, "partial", "May I take a screenshot?", role="question", tool="screenshot")


def folded(*events) -> JobList:
    jobs = JobList()
    jobs.append(events)
    return jobs


def one(jobs: JobList, number: int) -> Job:
    job = jobs.get(number)
    assert job is not None
    return job


def test_a_job_goes_from_asking_to_its_answer():
    jobs = folded(*asked(1, 5.0, "how far is the moon?"))
    assert (one(jobs, 1).state, one(jobs, 1).note) == (JobState.WORKING, "Thinking")
    arguments = '{"value":3}'
    jobs.append([event(1, 5.5, "tool_call", "convert 3", tool="convert", arguments=arguments)])
    assert one(jobs, 1).note == "Using convert"
    jobs.append([event(1, 5.7, "tool_result", "12 miles", tool="convert", ok=True, took_s=0.2)])
    jobs.append([event(1, 6.0, "partial", "It is", role="answer")])
    assert one(jobs, 1).note == "Answering, with convert"
    jobs.append([event(1, 7.5, "answer", "It is far.")])
    job = one(jobs, 1)
    assert (job.state, job.note, job.title) == (JobState.ANSWERED, "It is far.", "how far is the moon?")
    assert heading(job, 99.0) == "Answered · 2.5 s"
    assert job.details() == (
        "+0.5 s  Called convert 3",
        'with {"value":3}',
        "+0.7 s  Result: 12 miles (0.2 s)",
    )
    assert spoken(job) == "Answered: how far is the moon?. It is far."
    assert job.can_retry


@pytest.mark.parametrize(
    ("end", "state", "note"),
    [
        (event(1, 9, "failed", "No.", advice="ask less"), JobState.FAILED, "No. – ask less"),
        (event(1, 9, "cancelled", reason="replaced by 5"), JobState.CANCELLED, "Replaced by 5"),
        (event(1, 9, "cancelled"), JobState.CANCELLED, ""),
        (event(1, 9, "answer", reason="no words"), JobState.ANSWERED, "Nothing to say: no words"),
    ],
)  # fmt: skip
def test_each_end_has_its_words(end, state, note):
    job = one(folded(*asked(1, 5.0, "why?"), end), 1)
    assert (job.state, job.note, job.open) == (state, note, False)


def test_what_was_no_speech_is_no_job():
    nothing = event(2, 8.2, "answer", reason="nothing recognised")
    jobs = folded(*asked(1, 5.0, "why?"), event(2, 8.0, "asked"), nothing)
    assert [job.id for job in jobs.jobs] == [1]
    jobs.append([event(2, 9.0, "asked"), event(2, 9.1, "failed", "No.")])
    assert [job.id for job in jobs.jobs] == [2, 1], "a failure is told"


def test_an_alarm_is_no_request_and_is_not_tried_again():
    job = one(folded(event(2, 5.0, "asked", alarm=1), event(2, 5.0, "answer", "The eggs!", alarm=1)), 2)
    assert (job.state, job.title, job.can_retry) == (JobState.ALARM, "The eggs!", False)
    assert heading(job, 9.0) == "Alarm"


def test_a_question_waits_and_goes_when_it_is_answered_by_speech():
    jobs = folded(*asked(1, 5.0, "take a picture"), question(1, 6.0))
    assert one(jobs, 1).note == "May I take a screenshot?"
    jobs.append([*asked(2, 8.0, "yes"), event(2, 8.4, "answer", reason="yes", to=1)])
    assert jobs.questions == ()
    assert one(jobs, 1).state is JobState.WORKING
    assert one(jobs, 1).steps[-1].text == "You said yes"
    assert not one(jobs, 2).can_retry  # a mere yes


@pytest.mark.parametrize(
    "after",
    [
        event(1, 7, "tool_result", "saved", tool="screenshot"),
        event(1, 7, "failed", "All right, I will leave that."),
        event(1, 7, "cancelled"),
        event(1, 7, "partial", "", role="retry", why="lost"),
        event(1, 7, "partial", "Well", role="answer"),
        turn(round((6 + QUESTION_S) * 5) + 1),
    ],
)
def test_a_question_goes_with_whatever_follows_it(after):
    jobs = folded(*asked(1, 5.0, "take a picture"), question(1, 6.0))
    assert [job.id for job in jobs.questions] == [1]
    jobs.append([after])
    assert jobs.questions == ()


def test_the_windows_answer_counts_at_once_and_the_oldest_question_comes_first():
    jobs = folded(*asked(1, 5.0, "a"), *asked(2, 5.5, "b"), question(2, 6.0), question(1, 6.5))
    assert [job.id for job in jobs.questions] == [2, 1]
    jobs.answered(2, False)
    assert [job.id for job in jobs.questions] == [1]
    assert one(jobs, 2).steps[-1].text == "You did not allow it"


def test_a_restart_voids_the_words_and_a_retry_says_why():
    jobs = folded(*asked(1, 5.0, "why?"), event(1, 6, "partial", "It is the", role="answer"))
    jobs.append([event(1, 6.5, "partial", role="restart")])
    assert one(jobs, 1).answer == ""
    jobs.append([event(1, 7, "partial", role="retry", why="the process was killed")])
    assert one(jobs, 1).note == "Trying again"
    assert one(jobs, 1).details()[-1] == "+2.0 s  Tried again: the process was killed"


def test_time_goes_on_with_the_turns_while_a_job_is_open():
    jobs = folded(*asked(1, 5.0, "why?"))
    assert heading(one(jobs, 1), jobs.now) == "Working · 0 s"
    jobs.append([turn(41)])
    assert heading(one(jobs, 1), jobs.now) == "Working · 3 s"
    assert duration(75.2) == "1:15 min"
    jobs.close()
    assert heading(one(jobs, 1), 99.0) == "Not finished · 3.4 s"
    assert one(jobs, 1).note == "The session ended first"


def test_newest_first_bounded_and_open_jobs_stay_longest():
    jobs = folded(*asked(0, 0.0, "open all the time"))
    for k in range(1, 80):
        jobs.append([*asked(k, float(k), "x"), event(k, k + 0.5, "answer", "y")])
    ids = [job.id for job in jobs.jobs]
    assert len(ids) == MAX_JOBS
    assert ids[:2] == [79, 78]
    assert ids[-1] == 0
    jobs.append([event(0, 90 + k, "tool_call", "x", tool="x") for k in range(100)])
    assert len(one(jobs, 0).steps) == MAX_STEPS


def test_odd_events_do_no_harm_and_text_is_made_safe():
    jobs = folded(
        event(1, 1.0, "tool_call", "a\u202eb\n<b>", tool=5, arguments={"x": 1}, took_s="long"),
        event(1, float("nan"), "answer", "never"),
        event(2, 1.0, "partial", "words", role="request", topic=7),
        event(3, 1.0, "no such event"),
        event(4, 2.0, "answer", "late"),
        event(4, 3.0, "partial", "after its end", role="answer"),
        TurnRecord(0, float("inf"), "listen", {}),
    )
    assert one(jobs, 1).steps[0].text == "ab <b>"
    assert one(jobs, 2).topic == ""
    assert one(jobs, 4).answer == "late"
    assert jobs.now == 3.0


def test_a_whole_session_is_folded():
    jobs = JobList()
    jobs.append(session(300))
    assert {job.state for job in jobs.jobs} == {JobState.ANSWERED, JobState.FAILED}
