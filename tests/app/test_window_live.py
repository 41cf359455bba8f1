"""The window on real PortAudio devices: opening, muting and closing them, as the sound server sees it."""

import subprocess
import sys
import threading
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
window.preload = lambda: None
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

        self.told: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.told.append(line.strip())

    def say(self, word: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()

    def wait(self, what: str, limit_s: float = 100) -> None:
        """Until it tells ``what``, in whatever order; each telling counts once."""
        deadline = time.monotonic() + limit_s
        while what not in self.told:
            assert time.monotonic() < deadline, f"never told {what!r}, but {self.told}"
            time.sleep(0.02)
        self.told.remove(what)

    def end(self) -> tuple[int, str]:
        """Close the window; its exit status and what it wrote to stderr."""
        if self.process.poll() is None:
            self.say("close")
        code = self.process.wait(30)
        self._reader.join(5)
        assert self.process.stderr is not None
        errors = self.process.stderr.read()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()
        return code, errors


def captures(server: pulse.PulseServer) -> int:
    """How many programs listen to the microphone."""
    return len(server.pactl("list", "short", "source-outputs").splitlines())


@pytest.mark.slow
@pytest.mark.timeout(300)
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
