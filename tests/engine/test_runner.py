import math
from collections.abc import Mapping

import numpy as np
import pytest

from engine.config import INPUT_CHUNK, LateRule, Temperament
from engine.errors import MicroturnError
from engine.events import BackgroundEvent, Event, Mark, TextIn, Transcript, VisionEvent
from engine.inbox import (
    CancelJob,
    Command,
    PermitJob,
    RetryJob,
    SetTemperament,
    ShareFiles,
    StopSpeaking,
    UseCamera,
)
from engine.runner import MAX_FAILURES
from engine.types import MicroTurn, SourceChunk, StepOutput
from tests.fakes import FakeBackground, FakeCamera, FakeEngine, FakeStopwatch, output
from tests.rig import Rig, transcripts

REQUEST = {"role": "request"}
ANSWER = {"role": "answer"}


def test_every_chunk_is_one_turn_in_order() -> None:
    rig = Rig(count=10).run()
    assert [turn.i for turn in rig.turns] == list(range(10))
    assert [turn.t for turn in rig.turns] == pytest.approx([0.2 * i for i in range(10)])
    assert {turn.decision for turn in rig.turns} == {"listen"}
    assert [seen.index for seen in rig.engine.seen] == list(range(10))
    for i, (samples, heard, frame) in enumerate(rig.recorded):
        assert samples[0] == np.float32(i / 1000)
        assert heard.shape == (4_800,)
        assert frame is None
    assert rig.clock.now() == pytest.approx(2.0)
    assert rig.faults() == []


def test_output_is_heard_after_the_interval_plus_the_compute_time() -> None:
    rig = Rig(FakeEngine({2: output("speak", "right")}, cost=0.05)).run()
    assert rig.sink.writes[0][0] == pytest.approx(0.65)
    audible = np.nonzero(rig.sink.track)[0]
    assert audible[0] == round(0.65 * 24_000)
    assert [turn.heard_ms for turn in rig.turns[:5]] == [0, 0, 0, 150, 100]
    assert rig.turns[2].text_out == "right"
    assert rig.turns[2].generated_ms == 250
    assert rig.turns[3].self_level_db > -30 > rig.turns[2].self_level_db
    (said,) = rig.of(Transcript)
    assert isinstance(said, Transcript)
    assert said.text == "right"
    assert [said.t0, said.t1] == pytest.approx([0.65, 0.9])


def test_speech_longer_than_a_turn_has_no_gap_when_compute_time_varies() -> None:
    outputs = {
        i: output("speak", "Sorry, could you say that again?" if i == 1 else "none") for i in range(1, 12)
    }
    costs = {i: 0.03 + 0.02 * (i % 4) for i in range(12)}
    rig = Rig(FakeEngine(outputs, costs), count=12).run()
    audible = np.nonzero(rig.sink.track)[0]
    assert len(audible) == 6 * 6000
    assert audible[-1] - audible[0] == len(audible) - 1
    assert transcripts(rig) == [("assistant", "Sorry, could you say that again?", "")]


def test_what_the_model_sees_does_not_depend_on_compute_time() -> None:
    outputs = {i: output("speak", "One moment." if i == 1 else "none") for i in range(1, 8)}
    quick = Rig(FakeEngine(outputs, cost=0.001)).run()
    slow = Rig(FakeEngine(outputs, costs={i: 0.19 * (i % 2) for i in range(10)})).run()
    assert [t.self_state for t in quick.engine.seen] == [t.self_state for t in slow.engine.seen]
    assert quick.sink.writes != slow.sink.writes


def test_yield_flushes_the_loudspeaker_and_tells_heard_from_unheard() -> None:
    outputs = {
        i: output("speak", "Sorry, could you say that again?" if i == 1 else "none") for i in range(1, 5)
    }
    outputs[5] = output("yield")
    rig = Rig(FakeEngine(outputs, cost=0.04), count=12).run()
    assert rig.sink.flushes == [pytest.approx(1.24)]
    assert len(rig.sink.track) == round(1.24 * 24_000)
    ((speaker, text, unheard),) = transcripts(rig)
    assert speaker == "assistant"
    assert (text + " " + unheard).split() == "Sorry, could you say that again?".split()
    assert text == "Sorry, could you say"
    assert all(turn.heard_ms == 0 for turn in rig.turns[7:])


@pytest.mark.parametrize(
    ("cost", "missed", "lag_ms"),
    [(0.05, False, 0.0), (0.19, False, 0.0), (0.21, True, 90.0), (0.4, True, 1800.0)],
)
def test_deadlines_and_lag_by_step_cost(cost: float, missed: bool, lag_ms: float) -> None:
    rig = Rig(FakeEngine(cost=cost), late=LateRule(math.inf)).run()
    assert [turn.deadline_missed for turn in rig.turns] == [missed] * 10
    assert [turn.compute_ms for turn in rig.turns] == pytest.approx([1000 * cost] * 10)
    assert rig.turns[-1].lag_ms == pytest.approx(lag_ms, abs=1e-6)
    assert len(rig.engine.seen) == 10
    assert rig.runner.stats.deadlines_missed == 10 * missed


def test_one_slow_step_delays_the_next_turns_and_nothing_is_lost() -> None:
    rig = Rig(FakeEngine(cost=0.05, costs={3: 0.7})).run()
    assert [turn.deadline_missed for turn in rig.turns] == [i in (3, 4, 5, 6) for i in range(10)]
    assert [round(turn.lag_ms) for turn in rig.turns] == [0, 0, 0, 0, 500, 350, 200, 50, 0, 0]
    assert [turn.skipped for turn in rig.turns] == [False] * 10
    assert rig.faults() == []


def test_burst_of_slow_steps_skips_the_model_until_the_lag_is_gone() -> None:
    engine = FakeEngine(cost=0.01, costs={2: 1.0, 3: 1.0})
    rig = Rig(engine, count=20, script=(TextIn(1.7, "during"),)).run()
    skipped = [turn.i for turn in rig.turns if turn.skipped]
    # Turn 4 starts 1.6 s late, and 12 is the first that starts less than 0.2 s late.
    assert skipped == list(range(4, 12))
    assert [seen.index for seen in engine.seen] == [0, 1, 2, 3, *range(12, 20)]
    assert rig.faults() == ["the computer is 1.6 s behind: the model is skipped until it has caught up"]
    assert rig.runner.stats.skipped == 8
    assert len(rig.recorded) == 20
    assert [samples[0] for samples, _, _ in rig.recorded] == [np.float32(i / 1000) for i in range(20)]
    seen = {turn.index: [text.text for text in turn.texts] for turn in engine.seen}
    assert seen[12] == ["during"]


def test_every_burst_is_reported_once() -> None:
    rig = Rig(FakeEngine(cost=0.01, costs={1: 1.5, 20: 1.5}), count=40).run()
    assert len(rig.faults()) == 2
    assert rig.turns[-1].lag_ms == pytest.approx(0.0, abs=1e-6)


def test_speech_goes_on_while_the_model_is_skipped() -> None:
    outputs = {
        i: output("speak", "Sorry, could you say that again?" if i == 1 else "none") for i in range(20)
    }
    rig = Rig(FakeEngine(outputs, cost=0.01, costs={2: 1.3}), count=20).run()
    held = [turn for turn in rig.turns if turn.skipped]
    assert held
    assert {turn.decision for turn in held if turn.words_left} == {"speak"}
    assert all(turn.probs[turn.decision] == 1.0 and sum(turn.probs.values()) == 1.0 for turn in held)
    assert transcripts(rig) == [("assistant", "Sorry, could you say that again?", "")]


def test_endless_overload_keeps_the_lag_bounded() -> None:
    rig = Rig(FakeEngine(cost=1.0), count=200).run()
    assert max(turn.lag_ms for turn in rig.turns) < 2000
    assert [turn.i for turn in rig.turns] == list(range(200))


def test_one_failing_step_is_a_fault_and_the_session_listens_on() -> None:
    rig = Rig(FakeEngine({4: output("speak", "right")}, failures=frozenset({3}))).run()
    assert rig.faults() == ["the interaction model failed: RuntimeError: weights melted"]
    assert [turn.decision for turn in rig.turns] == ["listen"] * 4 + ["speak"] + ["listen"] * 5


def test_steps_failing_five_times_in_a_row_end_the_session_with_everything_recorded() -> None:
    engine = FakeEngine(failures=frozenset({0, 1, 2, 3, *range(5, 20)}))
    rig = Rig(engine, count=20)
    with pytest.raises(
        MicroturnError, match="interaction model failed 5 times in a row: RuntimeError: weights"
    ):
        rig.run()
    assert [seen.index for seen in engine.seen] == list(range(10))
    assert len(rig.recorded) == 10
    assert len(rig.faults()) == 4 + MAX_FAILURES


def test_failing_voice_is_a_fault_and_ends_the_session_when_it_stays() -> None:
    rig = Rig(FakeEngine({i: output("speak", "right") for i in range(20)}), count=20)
    rig.voice.failing = True
    with pytest.raises(MicroturnError, match="the voice failed 5 times in a row: OSError: voice lost"):
        rig.run()
    assert len(rig.recorded) == MAX_FAILURES


def test_typed_text_reaches_the_model_and_the_timeline_in_its_turn() -> None:
    rig = Rig(script=(TextIn(0.7, "hello"),))
    rig.source.on_read = lambda i: i == 5 and rig.inbox.put(TextIn(1.05, "again"))  # type: ignore[assignment]
    rig.run()
    assert {turn.index: turn.texts[0].text for turn in rig.engine.seen if turn.texts} == {
        3: "hello",
        5: "again",
    }
    assert rig.of(TextIn) == [TextIn(0.7, "hello"), TextIn(1.05, "again")]
    assert rig.turns[3].texts == ("hello",)


def test_marks_and_source_and_sink_faults_reach_the_timeline() -> None:
    chunks = (
        SourceChunk(np.zeros(INPUT_CHUNK, np.float32), 1600, ("microphone lost",)),
        SourceChunk(np.zeros(INPUT_CHUNK, np.float32)),
    )
    rig = Rig(chunks=chunks)
    rig.inbox.put(Mark(0.1, "strange"))
    rig.sink.faults = ["underrun"]
    rig.run()
    assert rig.of(Mark) == [Mark(0.1, "strange")]
    assert rig.faults() == ["microphone lost", "underrun"]
    assert [turn.gap_samples for turn in rig.turns] == [1600, 0]


def test_a_mark_set_during_the_last_micro_turn_is_kept() -> None:
    rig = Rig(count=3)
    decide = rig.engine.step

    def step(turn: MicroTurn) -> StepOutput:
        if turn.index == 2:
            rig.inbox.put(Mark(0.5, "late but kept"))
        return decide(turn)

    vars(rig.engine)["step"] = step
    assert [m.note for m in rig.run().of(Mark) if isinstance(m, Mark)] == ["late but kept"]


def test_stop_button_silences_at_once_and_leaves_a_mark_not_a_fault() -> None:
    rig = Rig(FakeEngine({1: output("speak", "Sorry, could you say that again?"), 2: output("speak")}))
    rig.source.on_read = lambda i: i == 3 and rig.inbox.put(StopSpeaking(0.65))  # type: ignore[assignment]
    rig.run()
    assert len(rig.sink.track) == round(0.8 * 24_000)
    assert rig.faults() == []
    assert len(rig.of(Mark)) == 1
    assert transcripts(rig) == [("assistant", "Sorry, could", "you say that again?")]


def test_frames_reach_the_model_and_the_recorder() -> None:
    rig = Rig(camera=FakeCamera([(0.3, 0), (0.35, 1)], fail_at=1.0), count=6).run()
    assert [turn.frame for turn in rig.turns] == [None, 1, None, None, None, None]
    assert [frame.number for _, _, frame in rig.recorded if frame] == [1]
    assert rig.of(VisionEvent) == [VisionEvent(1.0, "lost: unplugged")]


def test_delegated_request_is_recognised_answered_and_relayed() -> None:
    background = FakeBackground([
        (0.3, "partial", "when do you open", REQUEST),
        (0.5, "partial", "We open ", ANSWER),
        (0.7, "partial", "at nine.", ANSWER),
        (0.75, "answer", "We open at nine.", {}),
    ])  # fmt: skip
    outputs = {5: output("speak", "Hmm.", delegate=True)} | {
        i: output("speak", "relay") for i in range(9, 20)
    }
    rig = Rig(
        FakeEngine(outputs, cost=0.05), count=20, background=background, script=(TextIn(0.1, "please"),)
    ).run()
    ((t, package, frame),) = background.asked
    assert t == pytest.approx(1.25)
    assert len(package.audio) == 6 * INPUT_CHUNK
    assert package.audio[-1] == np.float32(5 / 1000)
    assert (package.text, package.lines, package.given_up, frame) == ("please", (), (), None)
    assert rig.turns[5].delegate
    assert [turn.open_jobs for turn in rig.turns[4:12]] == [0, 0, 1, 1, 1, 1, 0, 0]
    assert [e.event for e in rig.events if isinstance(e, BackgroundEvent)] == [
        "asked", "partial", "partial", "partial", "answer",
    ]  # fmt: skip
    user = next(e for e in rig.events if isinstance(e, Transcript) and e.speaker == "user")
    assert user.text == "when do you open"
    assert [user.t0, user.t1] == pytest.approx([0.2, 1.2])  # the first chunk of the fake source is silent
    words = {turn.index: [x.text for x in turn.texts if x.origin == "background"] for turn in rig.engine.seen}
    assert {i: w for i, w in words.items() if w} == {8: ["We open "], 9: ["at nine."]}
    assert [text for speaker, text, _ in transcripts(rig) if speaker == "assistant"] == [
        "Hmm.",
        "We open at nine.",
    ]
    assert background.waited == pytest.approx([0.2 * (i + 1) for i in range(20)])


def test_next_request_carries_the_conversation_and_only_new_audio() -> None:
    background = FakeBackground([(0.1, "partial", "hello", REQUEST), (0.3, "answer", "Hi.", {})])
    outputs = {3: output(delegate=True), 5: output("speak", "relay"), 9: output(delegate=True)}
    rig = Rig(FakeEngine(outputs), count=12, background=background).run()
    assert [len(package.audio) for _, package, _ in background.asked] == [4 * INPUT_CHUNK, 6 * INPUT_CHUNK]
    lines = background.asked[1][1].lines
    assert [(line.speaker, line.text) for line in lines] == [("user", "hello"), ("assistant", "Hi.")]
    assert background.known[:2] == lines
    assert rig.faults() == []


def test_failed_job_is_said_aloud_and_cancelled_job_is_not() -> None:
    relay = {i: output("speak", "relay") for i in range(4, 10)}
    background = FakeBackground([(0.3, "failed", "I could not find out.", {})])
    rig = Rig(FakeEngine({1: output(delegate=True)} | relay), background=background, count=14).run()
    assert transcripts(rig) == [("assistant", "I could not find out.", "")]
    assert rig.turns[-1].open_jobs == 0

    background = FakeBackground([(0.1, "partial", "Well, it is", ANSWER), (3.0, "answer", "Well, it is", {})])
    rig = Rig(FakeEngine({1: output(delegate=True)} | relay), background=background, count=14)
    rig.source.on_read = lambda i: i == 3 and rig.inbox.put(CancelJob(0.7, 0))  # type: ignore[assignment]
    rig.run()
    assert background.cancelled == [0]
    assert transcripts(rig) == []
    assert rig.turns[-1].open_jobs == 0


def test_dropped_answer_cancels_its_job_and_a_request_that_goes_on_is_whole() -> None:
    background = FakeBackground([(0.3, "partial", "At nine.", ANSWER), (9.0, "answer", "", {})])
    outputs = {4: output("speak", "Hmm.", delegate=True), 9: output("speak", "drop", delegate=True)}
    rig = Rig(FakeEngine(outputs), count=14, background=background).run()
    assert background.cancelled == [0]
    packages = [package for _, package, _ in background.asked]
    assert [len(package.audio) for package in packages] == [5 * INPUT_CHUNK, 10 * INPUT_CHUNK]
    assert [package.given_up for package in packages] == [(), (0,)]
    assert rig.turns[-1].open_jobs == 1
    assert "cancelled" in [e.event for e in rig.events if isinstance(e, BackgroundEvent) and e.id == 0]
    assert [text for _, text, _ in transcripts(rig)] == ["Hmm."]


def test_a_request_about_something_else_leaves_the_answer_that_was_dropped_with_it() -> None:
    background = FakeBackground([(1.0, "partial", "At nine.", ANSWER), (1.1, "answer", "At nine.", {})])
    background.replaces = False
    outputs = {4: output("speak", "Hmm.", delegate=True), 8: output("speak", "drop", delegate=True)}
    relay = {i: output("speak", "relay") for i in range(12, 40)}
    rig = Rig(FakeEngine(outputs | relay), count=40, background=background).run()
    assert background.cancelled == []
    said = " ".join(text for speaker, text, _ in transcripts(rig) if speaker == "assistant")
    assert said == "Hmm. About what you asked before: At nine. At nine."


def test_answer_that_is_there_at_the_hand_over_is_said_without_a_bridge() -> None:
    answer = [(0.0, "partial", "It is nine.", ANSWER), (0.0, "answer", "It is nine.", {})]
    outputs = {4: output("speak", "Hmm.", delegate=True)} | {i: output("speak") for i in range(5, 15)}
    rig = Rig(FakeEngine(outputs), count=20, background=FakeBackground(answer)).run()
    assert rig.turns[4].text_out == "It is"
    assert [text for _, text, _ in transcripts(rig)] == ["It is nine."]


def test_background_hears_every_micro_turn_and_from_when_on_words_would_count() -> None:
    background = FakeBackground([(0.1, "partial", "hello", REQUEST), (0.3, "answer", "Hi.", {})])
    outputs = {3: output(delegate=True), 5: output("speak", "relay")}
    Rig(FakeEngine(outputs), background=background).run()
    assert [index for index, _, _ in background.heard] == list(range(10))
    assert [since for _, _, since in background.heard] == pytest.approx([0.0] * 6 + [0.8, 0.8, 0.8, 0.8])


def test_user_can_retry_a_job_answer_its_question_and_share_files() -> None:
    background = FakeBackground([(0.1, "failed", "No.", {})])
    rig = Rig(FakeEngine({1: output(delegate=True)}), background=background)
    commands: dict[int, Command] = {
        4: RetryJob(0.9, 0),
        5: PermitJob(1.1, 1, True),
        6: ShareFiles(1.3, ("a.txt",)),
    }
    rig.source.on_read = lambda i: rig.inbox.put(commands[i]) if i in commands else None  # type: ignore[assignment]
    rig.run()
    assert (background.retried, background.permitted, background.shared) == ([0], [(1, True)], ("a.txt",))
    assert len(background.asked) == 2


def test_words_that_were_on_the_way_when_a_job_was_cancelled_are_not_said() -> None:
    class Slow(FakeBackground):
        def cancel(self, job: int, t: float, reason: str = "") -> None:
            """Takes no notice: the answer was already sent."""

    background = Slow([(0.7, "partial", "Too late.", ANSWER), (0.8, "answer", "Too late.", {})])
    relay = {i: output("speak", "relay") for i in range(4, 10)}
    rig = Rig(FakeEngine({1: output(delegate=True)} | relay), background=background, count=14)
    rig.source.on_read = lambda i: i == 3 and rig.inbox.put(CancelJob(0.7, 0))  # type: ignore[assignment]
    rig.run()
    assert [e.event for e in rig.events if isinstance(e, BackgroundEvent)] == ["asked", "partial", "answer"]
    assert transcripts(rig) == []
    assert rig.turns[-1].open_jobs == 0


def test_trouble_of_the_background_process_reaches_the_timeline_once() -> None:
    rig = Rig(background=FakeBackground(faults=["the process was lost"])).run()
    assert rig.faults() == ["the process was lost"]


@pytest.mark.parametrize("where", ["submit", "poll", "wait_until", "hear"])
def test_broken_background_is_one_fault_and_the_session_goes_on(where: str) -> None:
    rig = Rig(FakeEngine({1: output(delegate=True)}), background=FakeBackground(fail_on=where)).run()
    assert len(rig.turns) == 10
    faults = rig.faults()
    assert faults[0] == "the background process is gone: pipe broken"
    assert len(faults) == (1 if where == "submit" else 2)


def test_delegating_without_a_background_is_told_once() -> None:
    rig = Rig(FakeEngine({1: output(delegate=True), 4: output(delegate=True)})).run()
    assert rig.faults() == ["the model asked for background work, but no background process is running"]


def test_speech_cut_off_by_the_end_of_the_session_is_in_the_transcript() -> None:
    outputs = {
        i: output("speak", "Sorry, could you say that again?" if i == 1 else "none") for i in range(1, 5)
    }
    rig = Rig(FakeEngine(outputs), count=4).run()
    ((_, text, unheard),) = transcripts(rig)
    assert text.startswith("Sorry, could")
    assert (text + " " + unheard).split() == "Sorry, could you say that again?".split()
    assert unheard


def test_same_run_twice_is_the_same_timeline() -> None:
    def once() -> list[Event]:
        background = FakeBackground([(0.4, "partial", "It is noon.", ANSWER), (0.5, "answer", "", {})])
        outputs = {2: output("speak", "Hmm.", delegate=True)} | {
            i: output("speak", "relay") for i in range(5, 9)
        }
        return (
            Rig(FakeEngine(outputs, cost=0.03, stopwatch=FakeStopwatch()), background=background).run().events
        )

    assert once() == once()


class LeaningEngine(FakeEngine):
    """Keeps what it is told to lean towards."""

    def lean(self, bias: Mapping[str, float]) -> None:
        self.leaned = (len(self.seen), dict(bias))


def test_a_temperament_holds_from_the_next_micro_turn_on_and_is_marked() -> None:
    engine = LeaningEngine()
    rig = Rig(engine)
    changed = SetTemperament(0.7, Temperament(interrupt=0.5, give_way=-1))
    rig.source.on_read = lambda i: i == 3 and rig.inbox.put(changed)  # type: ignore[assignment]
    rig.run()
    assert engine.leaned == (3, {"interrupt": 0.5, "yield": -1})
    assert rig.of(Mark) == [Mark(0.7, "temperament: interrupt +0.5, give way -1.0")]


def test_an_engine_of_rules_has_no_temperament_to_change() -> None:
    rig = Rig()
    rig.inbox.put(SetTemperament(0.0, Temperament(interrupt=0.5)))
    assert rig.run().of(Mark) == []


def test_a_camera_is_put_away_and_another_taken_without_a_fault() -> None:
    first, other = FakeCamera([(0.1, 0), (0.3, 1), (0.5, 2)]), FakeCamera([(1.1, 7)])
    rig = Rig(camera=first)
    commands = {2: UseCamera(0.4, None), 5: UseCamera(1.0, other)}
    rig.source.on_read = lambda i: rig.inbox.put(commands[i]) if i in commands else None  # type: ignore[assignment]
    rig.run()
    shown = {turn.i: turn.frame for turn in rig.turns if turn.frame is not None}
    assert shown == {0: 0, 1: 1, 5: 7}
    told = [event.event for event in rig.of(VisionEvent) if isinstance(event, VisionEvent)]
    assert told == ["off", "another camera"]
    assert rig.faults() == []
