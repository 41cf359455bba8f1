"""A replay with the true voice and the true background process; only the decisions are given."""

from pathlib import Path

import pytest
import soundfile

from engine.events import BackgroundEvent, Transcript
from engine.paths import asset
from engine.recorder.reader import read_audio, read_session
from engine.replay import run_replay
from engine.startup import Factories
from engine.types import MicroTurn, StepOutput
from tests.fakes import FakeEngine, output

ASKS_IN = 14  # the demo's first question ends at 2.61 s, in micro-turn 13


class Relays(FakeEngine):
    """Hands the question over, and says the answer as it comes."""

    def step(self, turn: MicroTurn) -> StepOutput:
        if turn.index == ASKS_IN:
            return output("speak", "Let me see.", delegate=True)
        if turn.self_state.background_words:
            return output("speak", "relay")
        return output("speak" if turn.self_state.speaking else "listen")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_spoken_question_gets_a_spoken_answer_when_it_was_ready(tmp_path: Path) -> None:
    samples, rate = soundfile.read(asset("demo/demo.flac"), stop=9 * 16_000)
    soundfile.write(tmp_path / "question.flac", samples, rate)
    out = tmp_path / "session"
    summary = run_replay(
        str(tmp_path / "question.flac"), out, factories=Factories(engine=lambda config: Relays())
    )
    assert summary.turns == 45
    assert summary.faults == ()

    session = read_session(out)
    events = [event for event in session.events if isinstance(event, BackgroundEvent)]
    assert (events[0].event, events[-1].event) == ("asked", "answer")
    assert events[0].t >= 0.2 * (ASKS_IN + 1)
    assert all(event.t >= events[0].t for event in events[1:])
    said = {speaker: [t for t in session.events if isinstance(t, Transcript) and t.speaker == speaker]
            for speaker in ("user", "assistant")}  # fmt: skip
    (question,) = said["user"]
    assert "capital of france" in question.text.lower()
    assert [question.t0, question.t1] == pytest.approx([1.0, 2.6], abs=0.15)

    answer = events[-1].text
    assert answer
    spoken = " ".join(transcript.text for transcript in said["assistant"])
    # What was found while the question was asked is there at once, and then nothing has to be bridged.
    assert spoken in (f"Let me see. {answer}", answer)
    # No word of the answer is heard before the process had produced it.
    first_words = next(event.t for event in events if event.detail.get("role") == "answer")
    relayed = next(turn for turn in session.turns if turn.say == "relay")
    assert 0.2 * (relayed.i + 1) + relayed.compute_ms / 1000 >= first_words - 1e-3
    heard, _ = read_audio(out / "output.wav")
    assert abs(heard[: round(0.2 * (ASKS_IN + 1) * 24_000)]).max() == 0.0
    assert abs(heard).max() > 0.1
