"""What the details panel and the tooltips say, from events alone."""

import pytest

from app.timeline.explain import explain, hover_text, job_event_text, margin, verdict
from app.timeline.model import TimelineModel
from engine.events import BackgroundEvent, Fault, Transcript, TurnRecord
from tests.app.scenario import turn


def one(record: TurnRecord, *others) -> TimelineModel:
    model = TimelineModel()
    model.append([turn(i) for i in range(record.i)])
    model.append([record, *others])
    model.select(record.i)
    return model


def rows(model: TimelineModel) -> dict[str, str]:
    explanation = explain(model)
    assert explanation is not None
    return {row.label: row.value for section in explanation.sections for row in section.rows}


PROBS = {"listen": 0.2, "speak": 0.55, "backchannel": 0.05, "interrupt": 0.05, "yield": 0.15}


def test_all_that_was_recorded_is_told():
    record = TurnRecord(
        10,
        2.0,
        "speak",
        PROBS,
        text_out="The moon",
        user_level_db=-41.2,
        self_level_db=-20.0,
        compute_ms=31.5,
        delegate=True,
        delegate_prob=0.81,
        say="relay",
        say_probs={"relay": 0.7, "none": 0.2},
        generated_ms=300,
        heard_ms=180,
        words_left=6,
        background_words=3,
        open_jobs=2,
        gap_samples=160,
        frame=12,
        user_activity=(0.1, 0.2, 0.3, 0.4),
        texts=("typed this",),
        lag_ms=12,
    )
    model = one(record, Transcript(1.5, 2.6, "user", "how far is it"))
    explanation = explain(model)
    assert explanation is not None
    assert explanation.when == "Micro-turn 10 · 0:02.0 – 0:02.2"
    assert explanation.headline == "Spoke"
    assert explanation.probs[0] == ("speak", 0.55)
    assert len(explanation.probs) == 5
    told = rows(model)
    assert told["Microphone"] == "-41 dB"
    assert told["Lost audio"] == "10 ms were missing"
    assert told["You were saying"] == "how far is it"
    assert told["Text that arrived"] == "typed this"
    assert told["Expects you to speak"].splitlines()[1] == "0.2–0.6 s: 20%"
    assert told["Camera"] == "picture 12"
    assert told["Words left to say"] == "6"
    assert told["Open jobs"] == "2"
    assert told["Words said"] == "The moon"
    assert told["Say token"] == "pass on the answer’s next words (70%)"
    assert told["Next say token"] == "nothing of its own (20%)"
    assert told["Work for the background"] == "handed over (81%)"
    assert told["Speech made / heard"] == "300 ms / 180 ms"
    assert told["Compute"] == "31.5 ms of 200"
    assert told["Lag at start"] == "12 ms"


def test_the_verdict_names_the_runner_up_and_the_margin():
    turn_ = one(TurnRecord(0, 0, "speak", PROBS)).selected_turn
    assert turn_ is not None
    name, by = margin(turn_)
    assert name == "listen"
    assert abs(by - 0.35) < 1e-3
    assert verdict(turn_) == "speak 55.0%, next listen 20.0%: a moderate margin of 35.0 points."
    against = one(TurnRecord(0, 0, "listen", PROBS)).selected_turn
    assert against is not None
    assert verdict(against) == "listen 20.0%, although speak was 35.0 points more probable."


def test_skipped_and_unrecorded_turns_say_so():
    skipped = one(TurnRecord(0, 0, "listen", PROBS, skipped=True)).selected_turn
    bare = one(TurnRecord(0, 0, "listen", {})).selected_turn
    assert skipped is not None
    assert bare is not None
    assert "skipped" in verdict(skipped)
    assert verdict(bare) == "No probabilities were recorded."


def test_a_missed_deadline_and_faults_near_it_are_alerts():
    model = one(
        turn(10, compute_ms=260.0, deadline_missed=True), Fault(2.4, "too slow"), Fault(9.0, "far away")
    )
    explanation = explain(model)
    assert explanation is not None
    alerts = [(r.label, r.value) for s in explanation.sections for r in s.rows if r.alert]
    assert alerts == [("Compute", "260.0 ms of 200 – deadline missed"), ("+0.4 s fault", "too slow")]


def test_background_events_near_it_are_listed_in_order():
    events = [BackgroundEvent(3, 1.5 + 0.2 * k, "partial", f"word {k}", {"role": "answer"}) for k in range(5)]
    model = one(
        turn(10), BackgroundEvent(3, 0.2, "asked", "q"), *events, BackgroundEvent(3, 4.0, "answer", "a")
    )
    explanation = explain(model)
    assert explanation is not None
    near = explanation.sections[-1]
    assert near.title == "Within a second of it"
    assert [row.value for row in near.rows] == [f"so far: word {k}" for k in range(5)]
    assert near.rows[0].label == "-0.5 s job 3"


@pytest.mark.parametrize(
    ("event", "text", "detail", "words"),
    [
        ("asked", "", {"alarm": 1}, "rang by itself"),
        ("partial", "how far?", {"role": "request"}, "understood: how far?"),
        ("partial", "It is", {"role": "answer"}, "so far: It is"),
        ("partial", "May I?", {"role": "question"}, "asked you: May I?"),
        ("partial", "", {"role": "retry", "why": "it was lost"}, "tried again: it was lost"),
        ("partial", "", {"role": "restart"}, "began its answer anew"),
        ("tool_call", "time", {"arguments": "{'a': 1}"}, "called a tool: time {'a': 1}"),
        ("tool_call", "shot", {"waits": True}, "will call a tool: shot"),
        ("tool_result", "noon", {"ok": True, "took_s": 0.1}, "tool answered: noon (0.1 s)"),
        ("tool_result", "no", {"ok": False}, "tool failed: no"),
        ("failed", "No.", {"advice": "ask less"}, "failed: No. – ask less"),
        ("cancelled", "", {"reason": "replaced by 5"}, "cancelled: replaced by 5"),
    ],
)
def test_each_thing_a_job_does_has_its_words(event, text, detail, words):
    assert job_event_text(BackgroundEvent(1, 2.0, event, text, detail)) == words


def test_a_failed_job_is_an_alert_in_the_details():
    explanation = explain(one(turn(10), BackgroundEvent(3, 2.1, "failed", "No.")))
    assert explanation is not None
    assert [row.alert for row in explanation.sections[-1].rows] == [True]


def test_nothing_is_explained_without_a_turn():
    model = TimelineModel()
    assert explain(model) is None
    model.append([turn(0), turn(4)])
    model.select(2)  # never arrived
    assert explain(model) is None
    assert hover_text(model, 2) == ""


def test_the_tooltip_ranks_every_probability():
    text = hover_text(one(TurnRecord(0, 0, "speak", PROBS, delegate=True, text_out="Hello")), 0)
    assert text.splitlines()[0] == "0:00.0  speak  → background"
    assert [line.split()[-1] for line in text.splitlines()[1:6]][:3] == ["speak", "listen", "yield"]
    assert "said “Hello”" in text


def test_the_runners_up_and_how_far_they_were():
    record = TurnRecord(0, 0.0, "speak", {**PROBS, "backchannel": 0.004})
    assert runners_up_of(record) == "listen 20% (-35), yield 15% (-40), interrupt 5% (-50)"
    surprising = TurnRecord(0, 0.0, "yield", PROBS)
    assert runners_up_of(surprising).startswith("speak 55% (+40), listen 20% (+5)")
    assert "Runners-up" not in rows(one(TurnRecord(0, 0.0, "speak", {})))


def runners_up_of(record: TurnRecord) -> str:
    return rows(one(record))["Runners-up"]
