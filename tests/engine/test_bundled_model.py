"""What the bundled weights must do whatever else they learn: answer what is typed, say no word to nobody."""

import json
from pathlib import Path

import pytest

from engine import checkpoint
from engine.config import EngineConfig
from engine.decisions import TIME
from engine.engines.micro import MODEL_FILE
from engine.paths import asset
from engine.recorder.reader import read_session
from engine.replay import run_replay


@pytest.mark.parametrize(
    ("text", "at"), [("How far is the moon?", 4.0), ("add oat milk to my list", 9.3), ("Is it raining?", 2.1)]
)
def test_a_typed_request_is_handed_over_at_once_and_nothing_else_is_said(
    text: str, at: float, tmp_path: Path
) -> None:
    script = tmp_path / "typed.jsonl"
    script.write_text(json.dumps({"t": at, "text": text}) + "\n")
    run_replay("silence:14", tmp_path / "out", text=script, config=EngineConfig(background=False))
    turns = read_session(tmp_path / "out").turns
    over = [turn.t for turn in turns if turn.delegate and turn.decision != "listen"]
    assert len(over) == 1 and at - 0.3 < over[0] < at + 0.8
    assert all(turn.decision == "listen" for turn in turns if turn.t < at - 0.3)


def test_the_weights_say_what_they_have_learned() -> None:
    assert checkpoint.standing(asset(f"model/{MODEL_FILE}")) == (TIME,)
