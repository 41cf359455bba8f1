"""The learned engine in a replay: small random weights decide as any others do."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from engine import checkpoint
from engine.config import INPUT_CHUNK, EngineConfig
from engine.decisions import DECISIONS, SAY_TOKENS
from engine.encode import STATE_DIM, TEXT_BUCKETS, TEXT_SLOTS
from engine.engines.micro import MicroEngine
from engine.frontend import DMEL_DIM, FEATURE_DIMS
from engine.model.config import ModelConfig
from engine.model.interaction import InteractionModel
from engine.recorder.reader import RecordedSession, read_session
from engine.replay import run_replay
from engine.speech import SpeechController
from engine.startup import Factories
from engine.types import MicroTurn, SelfState, StepOutput
from tests.fakes import ToneVoice

CONFIG = ModelConfig(
    front_end="dmel", audio_dim=FEATURE_DIMS["dmel"], dmel_dim=DMEL_DIM, decisions=len(DECISIONS),
    say_tokens=len(SAY_TOKENS), dim=32, layers=2, heads=2, window=16, state_dim=STATE_DIM,
    text_buckets=TEXT_BUCKETS, text_slots=TEXT_SLOTS,
)  # fmt: skip


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(7)
    path = tmp_path_factory.mktemp("model") / "small.safetensors"
    checkpoint.save(InteractionModel(CONFIG), path)
    return path


class Unsteady(MicroEngine):
    """Computes now and then for longer, as a busy computer does."""

    def step(self, turn: MicroTurn) -> StepOutput:
        for _ in range(50 * (turn.index % 3)):
            np.linalg.svd(np.ones((40, 40)))
        return super().step(turn)


def run(
    weights: Path, folder: Path, seed: int = 0, engine: type[MicroEngine] = MicroEngine
) -> RecordedSession:
    folder.mkdir()
    rng = np.random.default_rng(1)
    loud = np.repeat(rng.random(60) > 0.5, 3_200)
    soundfile.write(folder / "in.wav", 0.2 * rng.standard_normal(len(loud)) * loud, 16_000)
    (folder / "text.jsonl").write_text('{"t": 4.1, "text": "hello there"}\n')
    factories = Factories(
        lambda config: engine(seed=config.seed, path=weights), lambda _: SpeechController(ToneVoice())
    )
    run_replay(
        str(folder / "in.wav"),
        folder / "session",
        text=folder / "text.jsonl",
        config=EngineConfig(seed=seed, background=False),
        factories=factories,
    )
    return read_session(folder / "session")


def decided(session: RecordedSession) -> list[tuple[object, ...]]:
    return [(t.i, t.decision, t.probs, t.say, t.delegate, t.text_out, t.words_left) for t in session.turns]


def test_decisions_are_the_recordings_the_weights_and_the_seeds_alone(weights: Path, tmp_path: Path) -> None:
    first = run(weights, tmp_path / "first")
    again = run(weights, tmp_path / "again", engine=Unsteady)
    other = run(weights, tmp_path / "other", seed=1)
    assert first.header.model.startswith("small-")
    assert len(first.turns) == 60
    assert len({t.decision for t in first.turns}) > 1
    assert decided(first) == decided(again)
    assert decided(first) != decided(other)
    for turn in first.turns:
        assert sum(turn.probs.values()) == pytest.approx(1.0, abs=1e-3)


def test_a_bias_may_change_between_two_steps(weights: Path) -> None:
    engine = MicroEngine(path=weights)
    quiet = MicroTurn(0, np.zeros(INPUT_CHUNK, np.float32), SelfState())
    engine.lean({"backchannel": 30.0})
    assert engine.step(quiet).decision == "backchannel"
    engine.lean({"yield": 30.0})
    assert engine.step(quiet).decision == "yield"
    engine.lean({})
    assert engine.step(quiet).probs["yield"] < 0.99
