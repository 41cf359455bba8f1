"""A recorded session once more through another engine: ``microturn replay`` as a process of its own.

A process, since a second engine in the window's would slow its painting and
could not be given up in the middle.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from engine.config import OUTPUT_HZ
from engine.errors import InputError, MicroturnError
from engine.events import TextIn
from engine.paths import project_root
from engine.recorder.folder import INPUT, OUTPUT, VIDEO
from engine.recorder.reader import RecordedSession, audio_seconds

STOP_S = 2.0
_BYTES_PER_S = 2 * OUTPUT_HZ
_KEPT_ERROR = 4_000


@dataclass(frozen=True)
class RerunPlan:
    """What is fed to which engine. ``options``: further arguments of ``microturn replay``."""

    input: Path
    video: Path | None
    texts: tuple[TextIn, ...]
    seconds: float
    engine: str = "micro"
    seed: int = 0
    options: tuple[str, ...] = field(default_factory=tuple)


def plan(
    session: RecordedSession, engine: str = "micro", seed: int = 0, options: tuple[str, ...] = ()
) -> RerunPlan:
    """How to run a session again: its microphone, its camera and what was typed.

    Raises:
        InputError: the session has no recorded input.
    """
    sound = session.path / INPUT
    seconds = audio_seconds(sound) if sound.is_file() else 0.0
    if seconds <= 0:
        raise InputError(f"{session.path.name} has no {INPUT}, so there is nothing to run again")
    video = session.path / VIDEO
    texts = tuple(event for event in session.events if isinstance(event, TextIn))
    return RerunPlan(
        sound, video if video.is_file() and video.stat().st_size else None, texts, seconds, engine, seed,
        options,
    )  # fmt: skip


def program() -> tuple[str, ...]:
    """This program as a command: the frozen application, or the interpreter."""
    if getattr(sys, "frozen", False):
        return (sys.executable,)
    return (sys.executable, "-P", "-m", "app")


class Rerun:
    """A replay that runs. ``progress``, ``poll`` and ``cancel`` return at once; one thread uses it."""

    def __init__(self, what: RerunPlan, out: Path, command: tuple[str, ...] | None = None) -> None:
        """Start it, writing the session into the new folder ``out``.

        Raises:
            MicroturnError: the process cannot be started.
        """
        self.plan, self.out = what, out
        self.cancelled = False
        self._scratch = tempfile.TemporaryDirectory(prefix="microturn-rerun-")
        script = Path(self._scratch.name) / "typed.jsonl"
        script.write_text(
            "".join(json.dumps({"t": text.t, "text": text.text}) + "\n" for text in what.texts),
            encoding="utf-8",
        )
        self._errors = (Path(self._scratch.name) / "errors.txt").open("w+b")
        arguments = [
            *(command or program()), "replay", str(what.input), "--out", str(out),
            "--engine", what.engine, "--seed", str(what.seed), *what.options,
        ]  # fmt: skip
        if what.texts:
            arguments += ["--text", str(script)]
        if what.video is not None:
            arguments += ["--video", str(what.video)]
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(filter(None, [str(project_root()), os.environ.get("PYTHONPATH")])),
            "PYTHONUTF8": "1",
        }
        try:
            self._process = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
                env=environment,
                start_new_session=os.name == "posix",
            )
        except OSError as err:
            self.close()
            raise MicroturnError(f"the replay cannot be started ({err}): see microturn doctor") from err

    @property
    def progress(self) -> float:
        """0 to 1, by how much of the assistant's voice has been written."""
        try:
            size = (self.out / OUTPUT).stat().st_size
        except OSError:
            return 0.0
        return min(size / _BYTES_PER_S / self.plan.seconds, 1.0)

    def poll(self) -> bool:
        """Whether it has ended.

        Raises:
            MicroturnError: it has failed; the text says why. After ``cancel`` nothing is raised.
        """
        status = self._process.poll()
        if status is None:
            return False
        if status and not self.cancelled:
            raise MicroturnError(self._why(status))
        return True

    def _why(self, status: int) -> str:
        self._errors.seek(0)
        lines = self._errors.read()[-_KEPT_ERROR:].decode("utf-8", "replace").strip().splitlines()
        said = lines[-1].removeprefix("microturn: ") if lines else f"it ended with status {status}"
        return f"running the session again failed: {said}"

    def cancel(self) -> None:
        """Ask it to end; what was made so far stays a valid session."""
        self.cancelled = True
        with contextlib.suppress(OSError):
            if os.name == "posix":
                self._process.send_signal(signal.SIGINT)
            else:
                self._process.terminate()

    def close(self) -> None:
        """Wait for its end, by force after ``STOP_S`` seconds, and let go of everything."""
        process = getattr(self, "_process", None)
        if process is not None and process.poll() is None:
            self.cancel()
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._errors.close()
        self._scratch.cleanup()
