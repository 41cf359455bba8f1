import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from engine.config import EngineConfig
from engine.errors import InputError, MicroturnError
from engine.events import Event, TurnRecord
from engine.recorder.reader import read_session
from engine.replay import SessionSummary, run_replay
from engine.speech import SpeechController
from engine.startup import Factories
from engine.types import MicroTurn, StepOutput
from tests.fakes import FakeEngine, ToneVoice, output

QUIET = EngineConfig(background=False)


def fakes(engine: FakeEngine) -> Factories:
    return Factories(lambda config: engine, lambda _: SpeechController(ToneVoice()))


def talker() -> FakeEngine:
    return FakeEngine({3: output("speak", "One moment."), 4: output("speak"), 5: output("speak")}, cost=0.0)


def replay(
    spec: str | Path, out: Path, fake: FakeEngine | None = None, config: EngineConfig = QUIET, **more: Any
) -> SessionSummary:
    return run_replay(str(spec), out, config=config, factories=fakes(fake or talker()), **more)


def timeline(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "timeline.jsonl").read_text().splitlines()]


def test_session_is_as_long_as_the_input_rounded_up(tmp_path: Path) -> None:
    sound = tmp_path / "in.wav"
    soundfile.write(sound, 0.1 * np.ones(round(2.05 * 44_100)), 44_100)
    out = tmp_path / "out"
    summary = replay(sound, out)
    assert [summary.turns, summary.duration_s] == pytest.approx([11, 2.2])
    assert summary.decisions == {"listen": 8, "speak": 3}
    assert summary.faults == ()
    with soundfile.SoundFile(out / "output.wav") as output_wav:
        assert (output_wav.samplerate, output_wav.channels, output_wav.frames) == (24_000, 1, 11 * 4_800)
    with soundfile.SoundFile(out / "input.flac") as input_flac:
        assert (input_flac.samplerate, input_flac.frames) == (16_000, 11 * 3_200)
    assert read_session(out).damaged == ()


def test_speech_is_in_the_output_when_it_was_heard_and_silence_is_digital(tmp_path: Path) -> None:
    replay("silence:3", tmp_path / "out", FakeEngine({3: output("speak", "right")}))
    samples, _ = soundfile.read(tmp_path / "out" / "output.wav")
    audible = np.nonzero(samples)[0]
    # Micro-turn 3 ends at 0.8 s; computing it takes next to nothing here.
    assert 0.8 <= audible[0] / 24_000 < 0.9
    assert audible[-1] - audible[0] == pytest.approx(6_000, abs=2)
    (said,) = [line for line in timeline(tmp_path / "out") if line["kind"] == "transcript"]
    assert said["text"] == "right"
    assert said["t0"] == pytest.approx(audible[0] / 24_000, abs=1e-3)


def test_timeline_is_in_time_order_and_complete(tmp_path: Path) -> None:
    texts = tmp_path / "texts.jsonl"
    texts.write_text('{"t": 0.7, "text": "hello"}\n{"t": 99, "text": "never"}\n')
    engine = talker()
    replay("silence:4", tmp_path / "out", engine, EngineConfig(seed=5, background=False), text=texts)
    lines = timeline(tmp_path / "out")
    assert lines[0]["kind"] == "session"
    assert (lines[0]["version"], lines[0]["chunk_ms"], lines[0]["seed"]) == (1, 200, 5)
    assert lines[0]["source"] == "silence:4"
    times = [line["t0"] if "t0" in line else line["t"] for line in lines[1:]]
    assert times == sorted(times)
    turns = [line for line in lines if line["kind"] == "turn"]
    assert [turn["i"] for turn in turns] == list(range(20))
    assert turns[3]["texts"] == ["hello"]
    assert [line["text"] for line in lines if line["kind"] == "text_in"] == ["hello"]
    assert engine.seed == 5


def test_same_replay_twice_decides_the_same(tmp_path: Path) -> None:
    def decisions(out: Path) -> list[tuple[object, ...]]:
        replay("silence:4", out)
        return [(t.decision, t.probs, t.text_out, t.words_left) for t in read_session(out).turns]

    assert decisions(tmp_path / "a") == decisions(tmp_path / "b")


def test_fast_replay_never_skips_the_model_but_counts_what_was_late(tmp_path: Path) -> None:
    class Slow(FakeEngine):
        def step(self, turn: MicroTurn) -> StepOutput:
            busy_until = time.perf_counter() + 0.25 * (turn.index == 2)
            while time.perf_counter() < busy_until:
                pass
            return super().step(turn)

    engine = Slow()
    summary = replay("silence:3", tmp_path / "out", engine)
    assert summary.skipped == 0
    assert len(engine.seen) == 15
    assert summary.deadlines_missed >= 1
    assert summary.compute_max_ms > 200
    assert read_session(tmp_path / "out").turns[2].deadline_missed


def test_real_pace_takes_as_long_as_the_recording(tmp_path: Path) -> None:
    summary = replay("silence:0.6", tmp_path / "out", pace="real")
    assert summary.turns == 3
    assert 0.6 <= summary.wall_s < 3.0


def test_events_and_progress_reach_the_caller(tmp_path: Path) -> None:
    events: list[Event] = []
    progress: list[float | None] = []
    replay(
        "silence:1", tmp_path / "out", on_event=events.append, progress=lambda *done: progress.extend(done)
    )
    assert [e.i for e in events if isinstance(e, TurnRecord)] == [0, 1, 2, 3, 4]
    assert progress[-2:] == [pytest.approx(1.0), 1.0]


def test_interrupted_replay_keeps_a_valid_session(tmp_path: Path) -> None:
    def interrupt(event: Event) -> None:
        if isinstance(event, TurnRecord) and event.i == 5:
            raise KeyboardInterrupt

    out = tmp_path / "out"
    with pytest.raises(MicroturnError, match=r"interrupted after 1\.2 s") as caught:
        replay("silence:86400", out, on_event=interrupt)
    assert caught.value.exit_status == 1
    session = read_session(out)
    assert session.damaged == ()
    assert len(session.turns) >= 6


def test_failing_engine_is_an_error_and_the_session_is_kept(tmp_path: Path) -> None:
    engine = FakeEngine(failures=frozenset(range(4, 100)))
    with pytest.raises(MicroturnError, match="failed 5 times in a row"):
        replay("silence:5", tmp_path / "out", engine)
    assert len(read_session(tmp_path / "out").turns) == 8


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"config": EngineConfig("nano")}, "unknown engine 'nano'"),
        ({"pace": "slow"}, "unknown pace 'slow'"),
        ({"spec": "missing.wav"}, "does not exist"),
        ({"spec": "silence:-1"}, "no length of silence"),
        ({"text": Path("missing.jsonl")}, "cannot read"),
        ({"video": Path("missing.mp4")}, "does not exist"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_made(
    tmp_path: Path, change: dict[str, Any], complaint: str
) -> None:
    arguments: dict[str, Any] = {"spec": "silence:1", "out": tmp_path / "out"} | change
    with pytest.raises(InputError, match=complaint):
        replay(**arguments)
    assert not (tmp_path / "out").exists()


def test_folder_in_use_is_refused_before_the_model_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "file").touch()

    def never(config: EngineConfig) -> FakeEngine:
        raise AssertionError("the model was loaded")

    with pytest.raises(InputError, match="not empty"):
        run_replay("silence:1", tmp_path / "out", config=QUIET, factories=Factories(engine=never))


def test_damaged_recording_is_replayed_up_to_the_damage_with_a_fault(tmp_path: Path) -> None:
    sound = tmp_path / "in.wav"
    soundfile.write(sound, 0.1 * np.ones(48_000), 16_000)
    sound.write_bytes(sound.read_bytes()[:50_000])
    summary = replay(sound, tmp_path / "out")
    assert summary.turns == 8
    assert len(summary.faults) == 1
    assert "cut off" in summary.faults[0]
