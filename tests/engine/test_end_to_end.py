"""A spoken question into the virtual microphone is answered on the virtual loudspeaker.

Everything is the real thing but the hardware: PulseAudio's null sinks, PortAudio,
echo cancellation, the shipped interaction model, the background process, the voice.
"""

import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soxr

from engine.frontend import whisper_model_dir
from engine.recorder.reader import read_session
from engine.training.clips import level, trim16, warp
from tests import pulse

QUESTION = "What is the capital of France?"


class Child:
    """The session's process and the events it has told so far."""

    def __init__(self, server: pulse.PulseServer, folder: Path) -> None:
        self.events: list[dict[str, Any]] = []
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.engine.live_child", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=server.env,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.events.append(json.loads(line))

    def wait(self, what: str, found: Callable[[dict[str, Any]], bool], limit_s: float) -> dict[str, Any]:
        deadline = time.monotonic() + limit_s
        while time.monotonic() < deadline:
            if hits := [e for e in list(self.events) if found(e)]:
                return hits[0]
            assert self._process.poll() is None, f"the session ended before {what}"
            time.sleep(0.05)
        raise AssertionError(f"waited {limit_s:.0f} s in vain for {what}; last: {self.events[-3:]}")

    def stop(self) -> int:
        assert self._process.stdin is not None
        self._process.stdin.close()
        code = self._process.wait(15)
        self._reader.join(5)
        assert self._process.stdout is not None
        self._process.stdout.close()
        return code


def question() -> np.ndarray:
    """A human-like voice that is not the assistant's, at 48 kHz."""
    from hibari import Hibari

    sound = soxr.resample(np.asarray(Hibari()(QUESTION, speed=1.1, seed=1), np.float32), 24_000, 16_000)
    voice = level(trim16(warp(sound.astype(np.float32), 0.85)), 0.08)
    return np.asarray(soxr.resample(voice, 16_000, pulse.RATE), np.float32)


def words(text: str) -> set[str]:
    return set(re.findall(r"[a-z']+", text.lower()))


def transcribe(samples: np.ndarray) -> str:
    from faster_whisper import WhisperModel

    model = WhisperModel(str(whisper_model_dir()), device="cpu", compute_type="int8", cpu_threads=1)
    heard = soxr.resample(samples, pulse.RATE, 16_000)
    segments, _ = model.transcribe(heard, language="en", vad_filter=True)
    return " ".join(s.text for s in segments)


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.skipif(bool(pulse.why_not()), reason=pulse.why_not() or "PulseAudio can be had")
def test_a_spoken_question_gets_a_spoken_answer(tmp_path: Path) -> None:
    folder = tmp_path / "session"
    with pulse.PulseServer() as server, server.recording() as loudspeaker:
        child = Child(server, folder)
        try:
            child.wait("listening", lambda e: e.get("state") == "running", 90)
            child.wait("the first micro-turns", lambda e: e.get("kind") == "turn" and e["i"] >= 5, 20)
            # The embedded model may still be loading, or converting for the first time.
            child_ready = time.monotonic()
            player = server.play(question())
            player.wait(30)
            child.wait("the question", lambda e: e.get("kind") == "transcript" and e["speaker"] == "user", 90)
            job = child.wait(
                "the answer", lambda e: e.get("kind") == "background" and e["event"] == "answer", 90
            )
            answer = words(job["text"])
            child.wait(
                "the answer to be spoken",
                lambda e: (
                    e.get("kind") == "transcript"
                    and e["speaker"] == "assistant"
                    and len(words(e["text"]) & answer) >= len(answer) / 2
                ),
                60,
            )
            assert time.monotonic() - child_ready < 120
        finally:
            code = child.stop()
        heard = loudspeaker.samples
    assert code == 0
    asked = next(e["text"] for e in child.events if e.get("kind") == "transcript" and e["speaker"] == "user")
    assert {"capital", "france"} <= words(asked)
    spoken = " ".join(
        e["text"] for e in child.events if e.get("kind") == "transcript" and e["speaker"] == "assistant"
    )
    recognised = words(transcribe(heard))
    assert len(words(spoken) & recognised) >= 0.5 * len(words(spoken)), f"said {spoken!r}, heard {recognised}"
    session = read_session(folder)
    assert session.damaged == ()
    assert any(t.delegate for t in session.turns)
    assert sum(t.heard_ms for t in session.turns) > 500
