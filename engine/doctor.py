"""Checks whether this computer has what Microturn needs, and says how to get what is missing."""

import ctypes
import importlib.util
import os
import platform
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path
from typing import Literal

from engine.config import CHUNK_MS
from engine.errors import MicroturnError
from engine.paths import asset, cache_dir, data_dir, project_root

State = Literal["ok", "warn", "missing"]
OLDEST_PYTHON = (3, 11)
DISK_NEEDED_MB, DISK_COMFORTABLE_MB = 200, 2_000
COMPUTE_GOOD_MS = 100.0
_STEPS = 15


@dataclass(frozen=True)
class Check:
    """``missing`` is something needed, ``warn`` something one can do without. ``fix``: what to type or do."""

    name: str
    state: State
    text: str
    fix: str = ""


@dataclass(frozen=True)
class Package:
    """``module`` is imported, ``name`` installed. ``without``: what is lost without it; empty: everything."""

    module: str
    name: str
    without: str = ""


PACKAGES = (
    Package("numpy", "numpy"),
    Package("torch", "torch"),
    Package("safetensors", "safetensors"),
    Package("soundfile", "soundfile"),
    Package("soxr", "soxr"),
    Package("sounddevice", "sounddevice"),
    Package("rtmixer", "rtmixer"),
    Package("pa_ringbuffer", "pa-ringbuffer"),
    Package("platformdirs", "platformdirs"),
    Package("hibari", "hibari-tts"),
    Package("ctranslate2", "ctranslate2"),
    Package("cv2", "opencv-python-headless"),
    Package("av", "av"),
    Package("faster_whisper", "faster-whisper", "speech is not recognised"),
    Package("openai", "openai", "no language model server can be used"),
    Package("PySide6", "PySide6-Essentials", "there is no window, only commands"),
)

# What Qt needs of an X11 system and does not bring: library, Debian package.
X11_LIBRARIES = (
    ("libEGL.so.1", "libegl1"),
    ("libxkbcommon.so.0", "libxkbcommon0"),
    ("libxkbcommon-x11.so.0", "libxkbcommon-x11-0"),
    ("libfontconfig.so.1", "libfontconfig1"),
    ("libdbus-1.so.3", "libdbus-1-3"),
    ("libxcb-cursor.so.0", "libxcb-cursor0"),
    ("libxcb-icccm.so.4", "libxcb-icccm4"),
    ("libxcb-image.so.0", "libxcb-image0"),
    ("libxcb-keysyms.so.1", "libxcb-keysyms1"),
    ("libxcb-render-util.so.0", "libxcb-render-util0"),
)


def examine() -> Iterator[Check]:
    """Every check, made when it is asked for. One that fails in a way nobody foresaw is a warning."""
    for make in (
        python, packages, portaudio, microphone, loudspeaker, echo_cancellation, camera, display, model,
        background, speed, folders,
    ):  # fmt: skip
        try:
            yield from make()
        except Exception as err:  # noqa: BLE001 - the other checks are still worth making
            yield Check(make.__name__.replace("_", " "), "warn", f"could not be checked ({err})")


def python() -> Iterator[Check]:
    version = platform.python_version()
    if sys.version_info[:2] < OLDEST_PYTHON:
        yield Check("Python", "missing", f"{version} is too old", "install Python 3.11 or newer")
    else:
        yield Check("Python", "ok", f"{version} on {platform.system()} {platform.machine()}")


def packages() -> Iterator[Check]:
    """Whether each package is installed; nothing is imported."""
    absent = [p for p in PACKAGES if not installed(p.module)]
    vital = [p.name for p in absent if not p.without]
    if vital:
        yield Check("packages", "missing", f"not installed: {', '.join(vital)}", install_command(vital))
    for package in absent:
        if package.without:
            text = f"{package.name} is not installed: {package.without}"
            yield Check("packages", "warn", text, install_command([package.name]))
    if not absent:
        yield Check("packages", "ok", f"all {len(PACKAGES)} are installed")


def installed(module: str) -> bool:
    """Whether a top-level module can be found."""
    return importlib.util.find_spec(module) is not None


def install_command(names: list[str]) -> str:
    """The line that installs packages, in the versions that this version of Microturn was made with."""
    if (project_root() / "packaging" / "bootstrap.py").is_file():
        return f"cd {project_root()} && python3 packaging/bootstrap.py run"
    try:
        pinned = [line.split(";")[0].strip() for line in requires("microturn") or ()]
    except PackageNotFoundError:
        pinned = []
    versions = {line.split("==")[0]: line for line in pinned}
    return f"{sys.executable} -m pip install " + " ".join(versions.get(name, name) for name in names)


def portaudio() -> Iterator[Check]:
    from engine.audio.portaudio import load

    try:
        sounddevice, _ = load()
    except MicroturnError as err:
        what, _, how = str(err).partition(";")
        yield Check("PortAudio", "missing", what, how.strip())
        return
    yield Check("PortAudio", "ok", str(sounddevice.get_portaudio_version()[1]))


def microphone() -> Iterator[Check]:
    yield _device("input", "microphone")


def loudspeaker() -> Iterator[Check]:
    yield _device("output", "loudspeaker")


def _device(kind: Literal["input", "output"], name: str) -> Check:
    from engine.audio.devices import default_device

    try:
        device = default_device(kind)
    except MicroturnError as err:
        what, _, how = str(err).partition(";")
        return Check(name, "missing", what, how.strip() or "plug one in; the demo and replays work without")
    return Check(name, "ok", f"{device.name} ({device.host_api}, {device.default_rate:.0f} Hz)")


def echo_cancellation() -> Iterator[Check]:
    if installed("pywebrtc_audio"):
        yield Check("echo cancellation", "ok", "by WebRTC's audio processing")
    else:
        text = "not available: over loudspeakers the assistant hears itself"
        yield Check("echo cancellation", "warn", text, "use headphones")


def camera() -> Iterator[Check]:
    from engine.camera.devices import list_cameras

    found = list_cameras()
    if found:
        yield Check("camera", "ok", ", ".join(c.name for c in found))
    else:
        yield Check("camera", "warn", "none found; Microturn works without", "plug one in to be seen")


def display() -> Iterator[Check]:
    if not installed("PySide6"):
        return
    if not sys.platform.startswith("linux"):
        yield Check("display", "ok", platform.system())
        return
    chosen = os.environ.get("QT_QPA_PLATFORM")
    if chosen:
        yield Check("display", "ok", f"Qt's platform is set by hand to {chosen}")
        return
    if os.environ.get("WAYLAND_DISPLAY"):
        yield Check("display", "ok", f"Wayland, {os.environ['WAYLAND_DISPLAY']}")
        return
    if not os.environ.get("DISPLAY"):
        text = "there is none, so the window cannot open; commands work"
        yield Check("display", "missing", text, "log in to a desktop, or run microturn demo")
        return
    absent = [package for library, package in X11_LIBRARIES if not loads(library)]
    if absent:
        text = "Qt lacks libraries of the X11 system, so the window cannot open"
        yield Check("display", "missing", text, f"sudo apt-get install {' '.join(absent)} (Debian's names)")
    else:
        yield Check("display", "ok", f"X11, {os.environ['DISPLAY']}")


def loads(library: str) -> bool:
    """Whether the dynamic linker finds a library."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def model() -> Iterator[Check]:
    """Whether the interaction model's weights are there."""
    file = model_file()
    if file.is_file():
        yield Check("model", "ok", f"{file.name}, {file.stat().st_size / 1e6:.0f} MB")
    else:
        fix = "install Microturn again, or train one: microturn train --help"
        yield Check("model", "missing", f"{asset('model')} has no {file.name}", fix)


def model_file() -> Path:
    """Where the shipped weights lie."""
    return asset("model/interaction.safetensors")


def background() -> Iterator[Check]:
    """Speech recognition and the language model; without them the assistant reacts, but knows nothing."""
    from engine.background import check

    for name, well, text in check():
        what, _, fix = text.partition(": ") if not well else (text, "", "")
        yield Check(name, "ok" if well else "warn", what, fix)


def speed() -> Iterator[Check]:
    """Times a few steps of the interaction model, on silence."""
    if not model_file().is_file() or not installed("torch"):
        return
    import time

    import numpy as np

    from engine.config import INPUT_CHUNK
    from engine.engines.micro import MicroEngine
    from engine.types import MicroTurn, SelfState

    engine = MicroEngine()
    engine.warm_up()
    noise = np.random.default_rng(0).standard_normal(INPUT_CHUNK).astype(np.float32) * 0.01
    taken = []
    for i in range(_STEPS):
        start = time.perf_counter()
        engine.step(MicroTurn(i, noise, SelfState()))
        taken.append(1_000 * (time.perf_counter() - start))
    median = statistics.median(taken)
    text = f"a micro-turn takes {median:.0f} ms of its {CHUNK_MS} ms on this computer"
    if median <= COMPUTE_GOOD_MS:
        yield Check("speed", "ok", text)
    elif median <= CHUNK_MS:
        yield Check("speed", "warn", text, "close other programs, or plug in the charger")
    else:
        yield Check("speed", "missing", f"{text}: too slow to talk", "use a faster computer; replays work")


def folders() -> Iterator[Check]:
    for name, folder in (("recordings", data_dir()), ("cache", cache_dir())):
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                free_mb = shutil.disk_usage(folder).free / 1e6
        except OSError as err:
            text = f"{folder} cannot be written ({err.strerror or err})"
            yield Check(name, "missing", text, "make room, or correct the folder's permissions")
            continue
        text = f"{folder}, {free_mb / 1_000:.1f} GB free"
        if free_mb < DISK_NEEDED_MB:
            yield Check(name, "missing", text, f"make room: {DISK_NEEDED_MB} MB are needed")
        elif free_mb < DISK_COMFORTABLE_MB:
            yield Check(name, "warn", text, "make room: an hour of session takes about 250 MB")
        else:
            yield Check(name, "ok", text)
