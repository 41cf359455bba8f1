import json
from pathlib import Path

import pytest

from engine.demo import PICTURE, Narrator, run_demo
from engine.errors import InputError
from engine.events import BackgroundEvent, Fault, Transcript, TurnRecord
from engine.paths import asset
from engine.recorder.reader import read_session
from engine.speech import SpeechController
from engine.startup import Factories
from tests.fakes import FakeEngine, ToneVoice, output


def factories() -> Factories:
    """Answers the demo's first question a second after its end, and yields soon after."""
    outputs = {
        17: output("speak", "Let me see.", delegate=True),
        18: output("speak"),
        19: output("speak"),
        20: output("yield"),
    }
    return Factories(lambda config: FakeEngine(outputs), lambda _: SpeechController(ToneVoice()))


def turn(i: int, decision: str, text_out: str = "", delegate: bool = False) -> TurnRecord:
    return TurnRecord(i=i, t=0.2 * i, decision=decision, probs={}, text_out=text_out, delegate=delegate)


def test_narrator_writes_a_line_for_each_run_of_decisions() -> None:
    lines: list[str] = []
    narrator = Narrator(lines.append)
    for event in (
        turn(0, "listen"),
        turn(1, "listen"),
        Transcript(0.1, 0.5, "user", "what time is it"),
        turn(2, "speak", "Let me", delegate=True),
        turn(3, "speak", "see."),
        BackgroundEvent(0, 0.9, "asked"),
        BackgroundEvent(0, 1.0, "answer", "Noon."),
        turn(4, "yield"),
        Fault(1.1, "underrun"),
        Transcript(0.6, 0.9, "assistant", "Let me see."),
    ):
        narrator.add(event)
    narrator.close()
    narrator.close()
    assert lines == [
        "    0.1 s    user: what time is it",
        "    0.2 s  listen",
        "    0.6 s  speak       Let me see.",
        "    0.6 s    hands the request to the background",
        "    1.0 s    background, request 0: answer",
        "    1.0 s  yield",
        "    1.1 s    fault: underrun",
    ]


def test_demo_leaves_a_session_a_picture_and_the_figures(tmp_path: Path) -> None:
    lines: list[str] = []
    out = run_demo(lines.append, tmp_path / "demo", background=False, factories=factories())
    assert out == tmp_path / "demo"
    assert len(read_session(out).turns) == 300
    assert (out / PICTURE).read_bytes().startswith(b"\x89PNG")
    text = "\n".join(lines)
    assert "    3.6 s  speak       Let me see." in lines
    # The question ends at 2.61 s; what was decided in micro-turn 17 is heard from 3.6 s on.
    (first,) = [line for line in lines if "What is the capital of France?" in line]
    assert first.split()[:4] == ["1.0", "s", "answered", "+0.99"]
    expecting = [
        said for said in json.loads(asset("demo/demo.json").read_text()) if said["what"] != "backchannel"
    ]
    assert text.count("no answer") == len(expecting) - 1
    assert "barge-in: not speaking then" in text
    assert "Compute" in text
    assert str(out) in lines[-1]


def test_demo_goes_to_the_users_data_folder_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.demo.data_dir", lambda: tmp_path)
    out = run_demo(lambda line: None, background=False, factories=factories())
    assert out.parent == tmp_path / "demo"
    assert (out / PICTURE).is_file()


def test_demo_into_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="not empty"):
        run_demo(lambda line: None, tmp_path, background=False, factories=factories())
