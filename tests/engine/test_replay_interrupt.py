"""Ctrl-C in a process of its own, as a person presses it."""

import signal
import subprocess
import sys
from pathlib import Path

from engine.recorder.reader import read_session

PROGRAM = """
import sys
from pathlib import Path
from engine.config import EngineConfig
from engine.errors import MicroturnError
from engine.replay import run_replay
from engine.startup import Factories
from engine.speech import SpeechController
from tests.fakes import FakeEngine, ToneVoice

quiet = EngineConfig(background=False)
factories = Factories(lambda config: FakeEngine(), lambda _: SpeechController(ToneVoice()))
progress = lambda done, whole: done > 0.5 and print("running", flush=True)
out = Path(sys.argv[1])
try:
    run_replay("silence:600", out, pace="real", config=quiet, progress=progress, factories=factories)
except MicroturnError as err:
    print(err, file=sys.stderr)
    sys.exit(err.exit_status)
"""


def test_ctrl_c_ends_a_replay_with_a_valid_session_and_one_line(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    child = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "out")],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "running\n"
        child.send_signal(signal.SIGINT)
        _, complaint = child.communicate(timeout=20)
    finally:
        child.kill()
        child.communicate()
    assert child.returncode == 1
    assert complaint.startswith("interrupted after ")
    assert complaint.count("\n") == 1
    session = read_session(tmp_path / "out")
    assert session.damaged == ()
    assert len(session.turns) >= 3
