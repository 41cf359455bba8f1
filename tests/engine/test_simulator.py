"""The simulated user, the oracle, and sessions made of both."""

from pathlib import Path

import numpy as np
import pytest
import torch

from engine.config import CHUNK_S, INPUT_CHUNK, INPUT_HZ
from engine.decisions import CORRECTIONS, DECISIONS, HOLDS, NONE, RELAY, REPEATS, YIELDS
from engine.errors import InputError
from engine.events import from_json
from engine.frontend import WhisperEncoder, whole_features
from engine.model.interaction import InteractionModel
from engine.training import onpolicy, oracle, scene_files
from engine.training.acoustics import Microphone, draw_room
from engine.training.clips import Clip
from engine.training.config import ModelSection, model_config
from engine.training.dataset import ARRAYS, DataConfig, Pools, session_arrays
from engine.training.scene_files import direct
from engine.training.simulator import SessionSimulator
from engine.training.texts import make_repair
from engine.training.trace import (
    Trace,
    TurnTrace,
    activity_targets,
    complete_targets,
    turn_end_targets,
)
from engine.training.user import REACTIONS, SCENES
from engine.types import Samples, StepOutput
from engine.voice import Voice

LISTENING = StepOutput("listen", {})
ANSWERS = ("The answer is four, I believe.", "It was a long day at the office, so I went home and slept.")
KINDS = {
    "request": 2,
    "statement": 2,
    "barge_in": 1,
    "backchannel": 1,
    "aside": 1,
    "opener": 1,
    "stop": 1,
}


def buzz(seconds: float, pitch: float) -> Samples:
    t = np.arange(int(seconds * INPUT_HZ)) / INPUT_HZ
    return (0.1 * np.sign(np.sin(2 * np.pi * pitch * t))).astype(np.float32)


def clips() -> list[Clip]:
    return [
        Clip(
            kind, f"{kind} words", "buzz", tuple(buzz(1.2 if k else 0.7, 100 + 20 * k) for k in range(count))
        )
        for kind, count in KINDS.items()
    ]


@pytest.fixture(scope="module")
def voice() -> Voice:
    return Voice()


def session(seed: int, voice: Voice, scene: str = "mixed", turns: int = 300) -> SessionSimulator:
    made = SessionSimulator(np.random.default_rng(seed), clips(), clips(), voice, ANSWERS, turns)
    direct(made, scene)
    return made


def flawless(made: SessionSimulator) -> Trace:
    """The oracle itself decides."""
    while made.index < made.turns:
        wanted = made.observe()[2]
        made.act(StepOutput(wanted.decision, {}, say=wanted.say, delegate=wanted.delegate))
    return made.trace()


def starts(trace: Trace) -> list[tuple[float, TurnTrace]]:
    return [
        ((i + 1) * CHUNK_S, turn)
        for i, turn in enumerate(trace.turns)
        if turn.target.decision == "speak" and not turn.state.speaking
    ]


def test_a_seed_gives_the_same_session(voice: Voice) -> None:
    a, b = session(4, voice).run(), session(4, voice).run()
    assert a.turns == b.turns
    np.testing.assert_array_equal(a.near, b.near)
    np.testing.assert_array_equal(a.echo, b.echo)
    assert session(5, voice).run().turns != a.turns


def test_targets_agree_with_the_script(voice: Voice) -> None:
    seen: set[str] = set()
    taken = 0
    for seed in range(30):
        trace = session(seed, voice).run()
        floor = [u for u in trace.utterances if u.kind != "backchannel"]
        for i, turn in enumerate(trace.turns):
            t = (i + 1) * CHUNK_S
            seen.add(turn.target.decision)
            speaking = [u for u in floor if u.speaking(t) and u.speaking(t - 0.19) and u.start < t - 0.2]
            if turn.target.decision == "speak" and not turn.state.speaking:
                taken += turn.target.delegate
                assert not speaking, f"seed {seed}: takes the floor at {t:.1f} s while the user speaks"
            if turn.target.decision == "yield":
                assert turn.state.speaking
                assert any(u.addressed and u.start < t for u in floor)
            if turn.target.decision == "backchannel" and not turn.state.speaking:
                assert any(u.start < t < u.end for u in floor), "backchannels belong inside a turn"
    assert taken > 60
    assert seen == set(DECISIONS)


def test_every_request_is_answered_unless_time_runs_out(voice: Voice) -> None:
    for seed in range(8):
        trace = session(seed, voice).run()
        for u in trace.utterances:
            if u.expects and u.end < 300 * CHUNK_S - 15:
                assert u.answered, f"seed {seed}: {u.kind} at {u.start:.1f} s"


def test_the_oracle_takes_the_floor_at_once_and_never_in_a_pause(voice: Voice) -> None:
    offsets = []
    for seed in range(8):
        trace = flawless(session(seed, voice, "ask"))
        for t, turn in starts(trace):
            if turn.target.delegate:
                ended = max(u.end for u in trace.utterances if u.end <= t)
                offsets.append(t - ended)
    assert len(offsets) > 20
    assert 0.1 <= min(offsets) and max(offsets) < 0.31


def test_silence_in_pauses_weighs_what_silence_after_a_turn_is_frequent(voice: Voice) -> None:
    missed = {0: 0, 1: 0, 3: 0}
    ends = 0
    in_pauses: dict[int, set[float]] = {}
    for seed in range(40):
        trace = session(seed, voice, "ask").run()
        for u in trace.utterances:
            eligible = int((u.end + oracle.TAKE_AFTER_S) / CHUNK_S)
            if u.start > 1 and eligible + 4 < len(trace.turns):
                wanted = [t.target for t in trace.turns[eligible : eligible + 4]]
                silent = [t.state.speaking for t in trace.turns[eligible : eligible + 4]]
                if wanted[0].delegate and not silent[0]:
                    ends += 1
                    for tries in missed:
                        missed[tries] += wanted[tries].delegate and not any(silent[: tries + 1])
            for a, b in u.gaps:
                for i in range(int(a / CHUNK_S), min(int(b / CHUNK_S), len(trace.turns))):
                    turn, silence = trace.turns[i], (i + 1) * CHUNK_S - a
                    if turn.target.decision == "listen" and turn.state.turns_since_speech > 10:
                        tries = int((silence - oracle.TAKE_AFTER_S) // CHUNK_S)
                        in_pauses.setdefault(tries, set()).add(turn.target.weight)
    assert ends > 60
    for tries, count in missed.items():
        expected = oracle.survival(oracle.TAKE_AFTER_S + (tries + 0.5) * CHUNK_S)
        assert abs(count / ends - expected) < 0.15, f"after {tries} chances: {count / ends} and {expected}"
        assert list(in_pauses[tries]) == [pytest.approx(oracle.HOLD_WEIGHT * expected)]


@pytest.mark.parametrize("scene", ["backchannel", "aside", "television"])
def test_what_is_not_meant_for_the_assistant_does_not_stop_it(voice: Voice, scene: str) -> None:
    overlaps = 0
    for seed in range(6):
        made = session(seed, voice)
        made.user.scenes, made.user.reaction_chances = {"ask": 1.0}, {scene: 1.0}
        trace = flawless(made)
        assert all(turn.target.decision != "yield" for turn in trace.turns)
        overlaps += sum(
            u.kind in ("backchannel", "aside")
            and trace.turns[min(299, int(u.start / CHUNK_S) + 1)].state.speaking
            for u in trace.utterances
        )
    assert overlaps > 4 or scene == "television"


def test_a_barge_in_stops_the_answer_and_is_answered_instead(voice: Voice) -> None:
    stops, corrected = [], 0
    for seed in range(6):
        trace = flawless(session(seed, voice, "barge_in"))
        for i, turn in enumerate(trace.turns):
            if turn.target.decision == "yield":
                t = (i + 1) * CHUNK_S
                stops.append(t - max(u.start for u in trace.utterances if u.start < t))
        corrected += sum(turn.target.say in CORRECTIONS and turn.target.delegate for _, turn in starts(trace))
    assert len(stops) > 8
    assert max(stops) < 0.46, "the first micro-turn that has heard 0.25 s of it"
    assert corrected > 6


def test_a_false_interruption_is_resumed_from_the_word_cut_off(voice: Voice) -> None:
    made = session(1, voice, "quiet")
    made.speech.offer(1, "one two three four five six seven, eight nine ten eleven twelve.")
    made.speech.finish(1)
    said = []
    for k in range(60):
        wanted = made.observe()[2]
        out = StepOutput("yield" if k == 12 else wanted.decision, {}, say=wanted.say if k != 12 else NONE)
        before = made.speech.state().background_words
        made.act(out)
        said.append((out.decision, out.say, before))
    after = said[13]
    assert after[0] == "speak", "resumes at once"
    assert made.speech.state().background_words == 0, "everything is said in the end"
    assert any(say == RELAY for _, say, _ in said[13:])


def test_unclear_speech_is_asked_for_again_and_said_again(voice: Voice) -> None:
    trace = flawless(session(2, voice, "unclear"))
    asked = [t for t, turn in starts(trace) if turn.target.say in REPEATS]
    assert len(asked) >= 2
    for t in asked[:-1]:
        again = [u for u in trace.utterances if t < u.start < t + 3.5 and not u.unclear]
        assert again and again[0].answered


def test_who_was_talked_over_is_told_to_go_ahead(voice: Voice) -> None:
    invited = 0
    for seed in range(25):
        trace = session(seed, voice, "ask").run()
        for t, turn in starts(trace):
            if turn.target.say in YIELDS and turn.acted.say in YIELDS:
                invited += 1
                assert any(t < u.start < t + 2.0 for u in trace.utterances) or t > 55
    assert invited >= 3


def test_long_work_is_bridged(voice: Voice) -> None:
    held = [
        turn for s in range(12) for _, turn in starts(flawless(session(s, voice))) if turn.target.say in HOLDS
    ]
    assert held
    assert all(turn.state.open_jobs and turn.state.turns_since_speech >= 15 for turn in held)


def test_silence_handed_over_comes_to_nothing_and_is_not_bridged(voice: Voice) -> None:
    for seed in range(4):
        made = session(seed, voice, "quiet", turns=120)
        for k in range(120):
            wanted = made.observe()[2]
            assert made.speech.state().background_words == 0
            if 0 < k - 20 < 90 and not made.speech.state().speaking:
                assert wanted.decision == "listen", "nothing was asked for: nothing is awaited"
            made.act(StepOutput("speak", {}, say=HOLDS[0], delegate=True) if k == 20 else LISTENING)
        assert made.jobs == []


def test_users_may_be_silent_for_long_after_an_answer(voice: Voice) -> None:
    longest = 0.0
    for seed in range(12):
        trace = flawless(session(seed, voice))
        ends = [0.0, *(u.end for u in trace.utterances)]
        starts_ = [*(u.start for u in trace.utterances), 60.0]
        longest = max([longest, *(b - a for a, b in zip(ends, starts_, strict=True))])
    assert longest > 20


def test_stories_get_nods_between_sentences_and_no_take_over(voice: Voice) -> None:
    nods, minutes = 0, 0.0
    for seed in range(8):
        trace = flawless(session(seed, voice, "monologue"))
        stories = [u for u in trace.utterances if u.between]
        minutes += sum(u.end - u.start for u in stories) / 60
        for i, turn in enumerate(trace.turns):
            t = (i + 1) * CHUNK_S
            inside = [u for u in stories if u.start < t < u.end]
            if turn.target.decision == "backchannel" and not turn.state.speaking:
                nods += 1
                assert any(a < t < b for u in inside for a, b in u.between)
            assert not (inside and turn.target.decision == "speak" and not turn.state.speaking)
    assert 2 <= nods / minutes <= 10


def test_nobody_there_means_nothing_is_said(voice: Voice) -> None:
    made = SessionSimulator(np.random.default_rng(3), clips(), clips(), voice, ANSWERS, 200, empty=True)
    trace = flawless(made)
    assert {turn.target.decision for turn in trace.turns} == {"listen"}
    assert not trace.near.any()


def test_auxiliary_targets(voice: Voice) -> None:
    trace = session(2, voice, "ask").run()
    activity = activity_targets(trace.utterances, 300)
    first = min(trace.utterances, key=lambda u: u.start)
    turn = int(first.start / CHUNK_S)
    assert activity[turn, 0] == 1 or activity[turn + 1, 0] == 1
    assert activity[: max(0, turn - 10)].sum() == 0
    ends, whole = turn_end_targets(trace.utterances, 300), complete_targets(trace.utterances, 300)
    u = next(u for u in trace.utterances if u.addressed and u.gaps and u.expects and u.end < 50)
    inside = [i for i in range(300) if u.start < (i + 1) * CHUNK_S < u.end]
    assert list(ends[inside]) == sorted(ends[inside], reverse=True), "the end comes nearer"
    assert ends[inside[-1]] == 1
    assert ends[int(u.end / CHUNK_S) + 1] == 0 or any(v.start < u.end + 0.5 < v.end for v in trace.utterances)
    pause = [i for i in inside if any(a < (i + 1) * CHUNK_S <= b for a, b in u.gaps)]
    assert pause and set(whole[pause]) == {0.0}
    assert whole[int(u.end / CHUNK_S) + 1] == 1.0


def test_the_microphone_gives_the_same_in_pieces(voice: Voice) -> None:
    trace = session(1, voice, turns=40).run()
    for seed in range(6):
        room = draw_room(np.random.default_rng(seed))
        whole, pieces = (Microphone(room, np.random.default_rng(9), len(trace.near)) for _ in range(2))
        sound = whole.whole(trace.near, trace.far, trace.echo)
        assert np.isfinite(sound).all() and np.abs(sound).max() <= 1.0
        for i in range(40):
            a, b = i * INPUT_CHUNK, (i + 1) * INPUT_CHUNK
            first = max(0, a - pieces.reach)
            heard = pieces.piece(a, b, trace.near[first:b], trace.far[first:b], trace.echo[first:b])
            np.testing.assert_allclose(heard, sound[a:b], atol=0.01 if room.codec else 1e-5)


def test_the_loudspeaker_in_pieces_is_what_the_session_keeps(voice: Voice) -> None:
    made = session(1, voice, turns=80)
    pieces = []
    while made.index < made.turns:
        made.observe()
        first = made.index * INPUT_CHUNK
        begin_at = max(0, first - 8000)
        pieces.append(made.echo_of(begin_at, first + INPUT_CHUNK)[-INPUT_CHUNK:])
        made.act(made.mistaken())
    whole = made.trace().echo
    assert np.abs(whole).max() > 0.05
    np.testing.assert_allclose(np.concatenate(pieces)[: len(whole)], whole, atol=0.02)


def test_session_arrays_hold_one_row_a_micro_turn(voice: Voice) -> None:
    trace = session(1, voice, turns=50).run()
    rng = np.random.default_rng(0)
    sound = Microphone(draw_room(rng), rng, len(trace.near)).whole(trace.near, trace.far, trace.echo)
    arrays = session_arrays(trace, whole_features(sound, WhisperEncoder(), batch=4), human=True)
    assert set(arrays) == set(ARRAYS)
    assert {len(a) for name, a in arrays.items() if name not in ("human", "scene")} == {50}
    assert arrays["human"] == 1
    previous = [DECISIONS[k] for k in arrays["decision_in"]][1:]
    assert previous == [t.acted.decision for t in trace.turns][:-1]


def test_on_policy_sessions_follow_the_model_and_are_labelled_by_the_oracle(
    voice: Voice, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    section = ModelSection(dim=32, layers=1, heads=2, window=32)
    model = InteractionModel(model_config(section)).eval()
    with torch.no_grad():
        model.decision.weight.zero_()
        model.decision.bias.copy_(torch.tensor([0.0, 3.0, 0.0, 0.0, 0.0]))  # always speaks
    by_voice: dict[str, list[Clip]] = {"buzz": clips()}
    config = DataConfig(sessions_per_shard=2, turns=40, workers=1, human_share=0.0)

    class OneVoice(onpolicy.Tools):
        def __init__(self) -> None:
            self.voices, self.encoder, self.dialogue = [Voice(), Voice()], WhisperEncoder(), ANSWERS

    paths = [onpolicy.policy_path(tmp_path, 1, k) for k in (0, 1)]
    for path in paths:
        onpolicy.make_policy_shard(path, [1, 2], model, Pools(by_voice, [], clips()), config, OneVoice())
    shards = [np.load(path) for path in paths]
    assert set(shards[0].files) == set(ARRAYS)
    spoken = shards[0]["decision_in"][:, 1:] == DECISIONS.index("speak")
    assert spoken.all(), "what was carried out is the model's decision"
    assert (shards[0]["decision"] == DECISIONS.index("listen")).any(), "what is wanted is the oracle's"
    for name in ARRAYS:
        np.testing.assert_array_equal(shards[0][name], shards[1][name])


def test_repairs_keep_what_is_right() -> None:
    rng = np.random.default_rng(1)
    for _ in range(60):
        line = make_repair(rng)
        assert len(line.parts) == 2
        assert "{" not in line.text
        assert line.text == " ".join(line.parts)


@pytest.mark.parametrize("scene", ["mixed", "monologue", "barge_in"])
def test_scenes_are_written_as_sessions(tmp_path: Path, scene: str) -> None:
    out = tmp_path / "scene"
    scene_files.make_scene(scene, out, seed=1, seconds=12)
    import soundfile as sf

    stereo, rate = sf.read(out / "scene.wav")
    assert (stereo.shape, rate) == ((12 * 24_000, 2), 24_000)
    assert stereo[:, 0].any()
    lines = (out / "timeline.jsonl").read_text().splitlines()
    events = [from_json(line) for line in lines]
    assert sum(line.startswith('{"kind": "turn"') for line in lines) == 60
    assert None not in events


def test_scene_names() -> None:
    assert {*SCENES, *REACTIONS} < set(scene_files.NAMES)
    with pytest.raises(InputError, match="choose one of mixed, ask"):
        scene_files.make_scene("dance", Path("nowhere"), 0, 10)
    with pytest.raises(InputError, match="--seconds"):
        scene_files.make_scene("ask", Path("nowhere"), 0, 0)
