"""The window on real PortAudio devices: opening, muting and closing them, as the sound server sees it."""

import subprocess
import sys
import time

import pytest

from engine.paths import project_root
from tests import pulse

DRIVER = """
import sys, threading
from PySide6.QtCore import QTimer
from app import window

class Driven(window.MainWindow):
    def showEvent(self, event):
        super().showEvent(event)
        tell = lambda *what: print(*what, flush=True)
        self.bridge.session_changed.connect(lambda state, detail: tell("state", state, detail))
        self.bridge.microphone_changed.connect(lambda opened: tell("microphone", opened))
        self.bridge.recording_changed.connect(lambda on: tell("recording", on))
        marks = lambda events: [tell("heard", e.note) for e in events if e.kind == "mark"]
        self.bridge.events.connect(marks)
        self.words = []
        read = lambda: [self.words.append(line) for line in iter(sys.stdin.readline, "")]
        threading.Thread(target=read, daemon=True).start()
        self.poll = QTimer(self)
        self.poll.timeout.connect(self.obey)
        self.poll.start(20)
    def obey(self):
        do = self.commands
        calls = {"mute": do.mute.trigger, "stop": do.toggle.trigger, "close": self.close}
        while self.words:
            calls[self.words.pop(0).strip()]()

window.MainWindow = Driven
sys.exit(window.run(["--start", "--record", sys.argv[1]]))
"""


class Driven:
    """The window's process: commands in, what it tells out."""

    def __init__(self, server: pulse.PulseServer, folder: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", DRIVER, folder], cwd=project_root(), text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**server.env, "QT_QPA_PLATFORM": "offscreen"},
        )  # fmt: skip

    def say(self, word: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()

    def wait(self, what: str) -> None:
        assert self.process.stdout is not None
        told = []
        while line := self.process.stdout.readline():
            told.append(line.strip())
            if told[-1] == what:
                return
        pytest.fail(f"never told {what!r}, but {told}")

    def end(self) -> tuple[int, str]:
        if self.process.poll() is None:
            self.say("close")
        _, errors = self.process.communicate(timeout=20)
        return self.process.returncode, errors


def captures(server: pulse.PulseServer) -> int:
    """How many programs listen to the microphone."""
    return len(server.pactl("list", "short", "source-outputs").splitlines())


@pytest.mark.slow
@pytest.mark.skipif(bool(pulse.why_not()), reason=pulse.why_not())
def test_mute_really_closes_the_microphone(tmp_path):
    with pulse.PulseServer() as server:
        window = Driven(server, str(tmp_path))
        try:
            window.wait("recording True")
            window.wait("state running")
            server.wait_for(lambda: captures(server) == 1, "the microphone is open")
            window.say("mute")
            window.wait("microphone False")
            window.wait("heard microphone muted")
            server.wait_for(lambda: captures(server) == 0, "the microphone is closed")
            window.say("mute")
            window.wait("microphone True")
            window.wait("heard microphone on again")
            server.wait_for(lambda: captures(server) == 1, "the microphone is open again")
            begun = time.monotonic()
            window.say("stop")
            window.wait("state stopped")
            assert time.monotonic() - begun < 3
            assert captures(server) == 0
        finally:
            code, errors = window.end()
    assert code == 0
    assert "Traceback" not in errors
    lines = next(tmp_path.glob("*/timeline.jsonl")).read_text(encoding="utf-8")
    assert "microphone muted" in lines
    assert "microphone on again" in lines
