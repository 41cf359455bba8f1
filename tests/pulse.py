"""A private PulseAudio with a virtual loudspeaker and a virtual microphone.

For tests that need real devices: PortAudio, ALSA's plugin, and a sound server
are the true ones; only the hardware is missing. The code under test runs in a
child process with `PulseServer.env`, since sound libraries read it once.

    with PulseServer() as server:
        server.play(samples, 48_000)        # into the microphone
        with server.recording() as heard:   # what the loudspeaker plays
            subprocess.run([...], env=server.env)
        heard.samples

Only processes that were started here are ever signalled.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

RATE = 48_000
MIC, MIC_SOURCE, SPEAKER, SPEAKER_MONITOR = "mic", "mic.monitor", "spk", "spk.monitor"
# Null sinks sleep for two seconds after an underrun, and below 40 ms a busy computer has some.
LATENCY_MS = "40"
_TOOLS = ("pulseaudio", "pactl", "pacat", "parec")

_ASOUNDRC = """
pcm.!default { type pulse }
ctl.!default { type pulse }
pcm.pulse { type pulse }
"""


def why_not() -> str:
    """Why no PulseAudio can be started here; empty where it can."""
    missing = [tool for tool in _TOOLS if shutil.which(tool) is None]
    return f"not installed: {', '.join(missing)} (packages pulseaudio, pulseaudio-utils)" if missing else ""


class Recording:
    """What a source gives, kept by a ``parec`` of our own. ``samples`` are mono float32 at 48 kHz."""

    def __init__(self, server: "PulseServer", source: str) -> None:
        self._file = server.folder / f"recording-{time.monotonic_ns()}.raw"
        command = ["parec", f"--device={source}", "--format=float32le", "--channels=1", f"--rate={RATE}"]
        self._out = self._file.open("wb")
        self._process = subprocess.Popen(
            [*command, "--latency-msec=10"], stdout=self._out, stderr=subprocess.DEVNULL, env=server.env
        )
        server.wait_for(lambda: self._file.stat().st_size > 0, "parec records")

    @property
    def samples(self) -> np.ndarray:
        data = self._file.read_bytes()
        return np.frombuffer(data[: len(data) // 4 * 4], np.float32)

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
        self._process.wait(5)
        self._out.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class PulseServer:
    """A server in a folder of its own: null sinks ``spk`` and ``mic``, default source ``mic.monitor``.

    ``env`` asks for ``mic.monitor`` by name (PULSE_SOURCE), so that it is the
    requested source and not a monitor that came by accident. Caches stay those
    of the user; settings and data are private.
    """

    def __init__(self, ask_for_mic: bool = True) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="pulse-"))
        home = self.folder / "home"
        (home / ".config" / "pulse").mkdir(parents=True)
        (home / ".config" / "pulse" / "client.conf").write_text("autospawn = no\n")
        (home / ".asoundrc").write_text(_ASOUNDRC)
        cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
        kept = {k: v for k, v in os.environ.items() if not k.startswith("PULSE_")}
        self.env = {
            **kept,
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(self.folder),
            "XDG_CACHE_HOME": cache,
            "XDG_CONFIG_HOME": str(home / ".config"),
            "XDG_DATA_HOME": str(home / ".local"),
            "PULSE_LATENCY_MSEC": LATENCY_MS,
        }
        if ask_for_mic:
            self.env["PULSE_SOURCE"] = MIC_SOURCE
        self._processes: list[subprocess.Popen[bytes]] = []
        self._server: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """The server's process, for signals."""
        assert self._server is not None
        return self._server.pid

    def start(self) -> None:
        """Start the server; also again, after it was killed."""
        command = ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--log-target=stderr"]
        sinks = [f"module-null-sink sink_name={name} rate={RATE}" for name in (SPEAKER, MIC)]
        with (self.folder / "server.log").open("ab") as log:
            self._server = subprocess.Popen(
                [*command, *(f"--load={m}" for m in ("module-native-protocol-unix", *sinks))],
                stdout=log,
                stderr=log,
                env=self.env,
            )
        self.wait_for(lambda: self._pactl("info").returncode == 0, "the server answers")
        self.pactl("set-default-sink", SPEAKER)
        self.pactl("set-default-source", MIC_SOURCE)

    def signal(self, number: signal.Signals) -> None:
        """Send the server a signal: SIGSTOP, SIGCONT, SIGKILL."""
        assert self._server is not None
        self._server.send_signal(number)
        if number is signal.SIGKILL:
            self._server.wait(5)

    def _pactl(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["pactl", *arguments], env=self.env, capture_output=True, text=True, timeout=20)

    def pactl(self, *arguments: str) -> str:
        """Run ``pactl`` on this server and return what it prints."""
        done = self._pactl(*arguments)
        assert done.returncode == 0, f"pactl {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def unplug_microphone(self) -> None:
        """The virtual microphone goes away."""
        for line in self.pactl("list", "short", "modules").splitlines():
            number, name, *arguments = line.split("\t")
            if name == "module-null-sink" and f"sink_name={MIC}" in arguments[0].split():
                self.pactl("unload-module", number)

    def plug_microphone_in(self) -> None:
        """It comes back."""
        self.pactl("load-module", "module-null-sink", f"sink_name={MIC}", f"rate={RATE}")

    def play(self, samples: np.ndarray, rate: int = RATE, sink: str = MIC) -> subprocess.Popen[bytes]:
        """Play mono samples into the virtual microphone (or another sink); returns at once."""
        path = self.folder / f"play-{time.monotonic_ns()}.raw"
        path.write_bytes(np.asarray(samples, np.float32).tobytes())
        command = ["pacat", "--playback", f"--device={sink}", "--format=float32le", "--channels=1"]
        with path.open("rb") as data:
            process = subprocess.Popen(
                [*command, f"--rate={rate}", "--latency-msec=20"],
                stdin=data,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=self.env,
            )
        self._processes.append(process)
        return process

    def recording(self, source: str = SPEAKER_MONITOR) -> Recording:
        """Record what the loudspeaker plays (or another source)."""
        return Recording(self, source)

    def wait_for(self, condition: Callable[[], bool], what: str, limit_s: float = 20.0) -> None:
        deadline = time.monotonic() + limit_s
        while not condition():
            assert time.monotonic() < deadline, f"waited {limit_s:.0f} s in vain until {what}"
            time.sleep(0.02)

    def close(self) -> None:
        """End everything started here, and remove the folder."""
        for process in self._processes:
            if process.poll() is None:
                process.terminate()
            process.wait(5)
        if self._server is not None and self._server.poll() is None:
            self._server.send_signal(signal.SIGCONT)
            self._server.terminate()
            try:
                self._server.wait(5)
            except subprocess.TimeoutExpired:
                self._server.kill()
                self._server.wait(5)
        shutil.rmtree(self.folder, ignore_errors=True)
