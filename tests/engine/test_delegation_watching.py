"""Standing instructions on their way from the background into the register, live and replayed."""

import json
from pathlib import Path

import pytest

from engine.decisions import COUNT, CUE, STANDING_TOKENS, TIME
from engine.events import BackgroundEvent, Fault, VisionEvent
from engine.recorder.reader import read_session
from engine.replay import run_replay
from engine.standing import ELAPSED, Instruction, StandingView
from engine.startup import Factories
from engine.types import MicroTurn, StepOutput
from tests.engine.test_camera_video_file import make_video
from tests.engine.test_delegation import Scene
from tests.fakes import FakeEngine, output

SQUATS = {"token": COUNT, "what": "squat", "words": "", "seconds": 0.0, "repeat": False}
WAVE = {"token": CUE, "what": "wave", "words": "You're waving.", "seconds": 0.0, "repeat": False}
CLOCK = {"token": TIME, "what": ELAPSED, "words": "10 seconds.", "seconds": 10.0, "repeat": True}
ONCE = {"token": TIME, "what": "", "words": "Go.", "seconds": 5, "repeat": False}


@pytest.fixture
def scene() -> Scene:
    return Scene()


def arrives(scene: Scene, job: int, t: float, standing: object) -> None:
    """A result of the tool that brings an instruction."""
    scene.comes(job, t, "tool_result", "Okay.", tool="watch", ok=True, standing=json.dumps(standing))


def asks(scene: Scene, t: float, standing: object) -> int:
    job = scene.asks(t)
    arrives(scene, job, t + 0.3, standing)
    return job


def view(scene: Scene, t: float = 100.0) -> StandingView:
    return scene.speech.standing.view(t)


def seen(scene: Scene) -> list[tuple[float, str]]:
    return [(event.t, event.event) for event in scene.emitted if isinstance(event, VisionEvent)]


def faults(scene: Scene) -> list[str]:
    return [event.what for event in scene.emitted if isinstance(event, Fault)]


@pytest.mark.parametrize(
    ("standing", "told"),
    [
        (SQUATS, "counts squats"),
        ({**SQUATS, "what": "any"}, "counts repetitions"),
        ({**SQUATS, "what": "high knees"}, "counts high knees"),
        (WAVE, "watches for a wave"),
        ({**WAVE, "what": "enter"}, "watches for somebody to come in"),
        (CLOCK, "says the time every 10 s"),
        ({**CLOCK, "what": "", "words": "Breathe."}, 'says "Breathe." every 10 s'),
        (ONCE, 'says "Go." after 5 s'),
    ],
)
def test_an_instruction_stands_and_is_told_in_plain_words(scene, standing, told):
    asks(scene, 1.0, standing)
    (watch,) = view(scene).watches
    assert watch.asked == Instruction(**{**standing, "seconds": float(standing["seconds"])})
    assert seen(scene) == [(1.3, told)]
    assert faults(scene) == []


def test_it_is_told_after_the_result_that_brings_it(scene):
    asks(scene, 1.0, SQUATS)
    kinds = [type(event) for event in scene.emitted]
    assert kinds.index(VisionEvent) == kinds.index(BackgroundEvent, 1) + 1


def test_a_time_counts_from_the_end_of_the_request(scene):
    asks(scene, 3.0, CLOCK)  # its last word ended at 2.8
    (watch,) = view(scene).watches
    assert [watch.since, watch.due] == pytest.approx([2.8, 12.8])


def test_the_time_of_a_request_that_was_tried_again_counts_from_there(scene):
    job = scene.asks(1.0)
    scene.comes(job, 1.2, "failed", "Sorry.")
    scene.delegation.retry(job, 4.0)
    arrives(scene, job + 1, 4.4, CLOCK)
    assert view(scene).watches[0].since == 4.0


def test_what_is_watched_for_counts_from_when_it_is_known(scene):
    asks(scene, 3.0, SQUATS)
    assert view(scene).watches[0].since == pytest.approx(3.3)


def test_the_words_come_from_there_and_the_time_goes_on(scene):
    asks(scene, 1.0, CLOCK)
    said = [scene.speech.standing.said(TIME, 11.0 + 10 * k) for k in range(7)]
    assert said[:3] == ["10 seconds.", "20 seconds.", "30 seconds."]
    assert said[5:] == ["1 minute.", "1 minute and 10 seconds."]


def test_words_are_cleaned_like_all_that_is_said(scene):
    asks(scene, 1.0, {**ONCE, "words": "**Go**\n<b>"})
    assert view(scene).watches[0].asked.words == "Go b"


def test_a_newer_one_of_its_kind_takes_its_place(scene):
    asks(scene, 1.0, SQUATS)
    asks(scene, 2.0, {**SQUATS, "what": "lunge"})
    asks(scene, 3.0, WAVE)
    assert [watch.asked.what for watch in view(scene).watches] == ["lunge", "wave"]


def test_one_is_taken_back_and_then_all(scene):
    for t, standing in ((1.0, SQUATS), (2.0, WAVE), (3.0, CLOCK)):
        asks(scene, t, standing)
    asks(scene, 4.0, {"stop": COUNT})
    assert {watch.asked.token for watch in view(scene).watches} == {CUE, TIME}
    asks(scene, 5.0, {"stop": ""})
    assert view(scene).watches == ()
    assert [what for _, what in seen(scene)][3:] == [
        "no longer counts squats",
        "nothing is watched for any more",
    ]


@pytest.mark.parametrize("token", ["", *STANDING_TOKENS])
def test_taking_back_what_does_not_stand_says_nothing(scene, token):
    asks(scene, 1.0, {"stop": token})
    assert seen(scene) == [] and faults(scene) == []


@pytest.mark.parametrize(
    "standing",
    [
        *({}, [], None, 7, "count", {"token": "dance"}, {**SQUATS, "what": "money"}),
        *({**WAVE, "what": "smile"}, {**WAVE, "words": ""}, {**WAVE, "words": "**"}, {"stop": "dance"}),
        *({**CLOCK, "seconds": value} for value in (0, -1, 1e9, float("nan"))),
        *({**CLOCK, "seconds": value} for value in ("soon", "", "nan")),
        *({**CLOCK, "seconds": None}, {**CLOCK, "seconds": []}),
        {**CLOCK, "what": "squat"},
        {**CLOCK, "words": ""},
    ],
)
def test_what_makes_no_sense_is_a_fault_and_changes_nothing(scene, standing):
    asks(scene, 1.0, SQUATS)
    asks(scene, 2.0, standing)
    assert len(faults(scene)) == 1 and "was not understood" in faults(scene)[0]
    assert [watch.asked.what for watch in view(scene).watches] == ["squat"]
    assert scene.answers(2, 2.6, "Okay.")


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "\x00", "NaN"])
def test_nor_does_what_is_no_json(scene, text):
    scene.comes(scene.asks(1.0), 1.3, "tool_result", "Okay.", tool="watch", standing=text)
    assert len(faults(scene)) == 1 and view(scene).watches == ()


def test_what_a_cancelled_job_still_had_on_the_way_does_not_stand(scene):
    job = scene.asks(1.0)
    scene.delegation.cancel(job, 1.1)
    arrives(scene, job, 1.3, SQUATS)
    assert view(scene).watches == () and seen(scene) == []


def test_results_of_other_tools_put_nothing_there(scene):
    scene.comes(scene.asks(1.0), 1.3, "tool_result", json.dumps(SQUATS), tool="server__watch", ok=True)
    assert view(scene).watches == () and faults(scene) == []


class SaysTime(FakeEngine):
    """Hands over what is typed, and says the time when it is due; else it says answers and listens."""

    standing = STANDING_TOKENS

    def __init__(self) -> None:
        super().__init__()
        self.views: list[StandingView] = []

    def step(self, turn: MicroTurn) -> StepOutput:
        state = turn.self_state
        self.views.append(state.standing)
        if any(text.origin == "user" for text in turn.texts):
            return output("listen", delegate=True)
        timed = state.standing.of(TIME)
        if timed is not None and timed.due <= state.standing.t:
            return output("speak", TIME)
        if state.background_words:
            return output("speak", "relay")
        return output("speak" if state.speaking else "listen")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_typed_instructions_stand_in_a_replay_with_the_true_background(tmp_path: Path) -> None:
    script = tmp_path / "typed.jsonl"
    typed = [(1.0, "Say switch every three seconds."), (6.0, "Count my squats."), (9.0, "Stop saying 3.")]
    script.write_text("".join(json.dumps({"t": t, "text": text}) + "\n" for t, text in typed))
    engine = SaysTime()
    out = tmp_path / "session"
    summary = run_replay("silence:12", out, text=script, factories=Factories(engine=lambda config: engine))
    assert summary.faults == ()
    session = read_session(out)
    told = [event.event for event in session.events if isinstance(event, VisionEvent)]
    assert told == ['says "Switch." every 3 s', "nothing is watched for any more"]
    times = [0.2 * (turn.i + 1) for turn in session.turns if turn.say == TIME]
    # Typed in the micro-turn that ends at 1.2 s, handed over with the next.
    assert times[:2] == pytest.approx([4.4, 7.4], abs=0.21)
    assert len(times) == 2
    said = [event.text for event in session.events if isinstance(event, BackgroundEvent)]
    assert "The camera is off, so I can't see that. Switch it on and ask me again." in said
    assert engine.views[-1].watches == ()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_with_a_picture_what_was_asked_for_is_counted_in_a_replay(tmp_path: Path) -> None:
    script = tmp_path / "typed.jsonl"
    script.write_text('{"t": 0.5, "text": "Count my squats."}\n{"t": 6.0, "text": "Stop it."}\n')
    out, video = tmp_path / "session", make_video(tmp_path / "seen.mp4", frames=225)
    summary = run_replay(
        "silence:9", out, text=script, video=video, factories=Factories(engine=lambda config: SaysTime())
    )
    assert summary.faults == ()
    events = read_session(out).events
    told = [event.event for event in events if isinstance(event, VisionEvent)]
    mine = ("counts squats", "nothing is watched for any more")
    assert [what for what in told if what in mine] == [*mine]
    said = [event.text for event in events if isinstance(event, BackgroundEvent) and event.event == "answer"]
    assert said == ["Sure, counting your squats.", "Okay, I'll stop counting."]
