"""Which system libraries and programs are missing, and how this computer would get them.

On Windows and macOS the pinned wheels bring all that is needed. On Linux they
leave PortAudio and the X11 side of Qt to the system. Only apt-get is run from
here, and only as root; for other package managers the line to type is printed.
"""

import ctypes
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

VENV, SOUND, WINDOW, X11, TESTS = "a virtual environment", "sound", "the window", "X11", "the tests"


@dataclass(frozen=True)
class Need:
    """``name`` is a library's soname, a program, or what ``present`` looks for; packages per manager."""

    name: str
    purpose: str
    apt: str
    dnf: str
    pacman: str
    present: Callable[[str], bool]


def loads(soname: str) -> bool:
    """Whether the dynamic linker finds the library: the question Qt and PortAudio's users will ask."""
    try:
        ctypes.CDLL(soname)
    except OSError:
        return False
    return True


def runs(program: str) -> bool:
    return shutil.which(program) is not None


def has_module(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def matches(pattern: str) -> bool:
    return any(Path("/").glob(pattern.removeprefix("/")))


def _library(soname: str, purpose: str, apt: str, dnf: str, pacman: str) -> Need:
    return Need(soname, purpose, apt, dnf, pacman, loads)


def _program(name: str, apt: str, dnf: str, pacman: str) -> Need:
    return Need(name, TESTS, apt, dnf, pacman, runs)


PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"

# The libraries are what Qt's own shared objects name as needed and its wheel does not hold.
NEEDS = (
    Need("ensurepip", VENV, f"{PYTHON}-venv", "python3-libs", "python", has_module),
    _library("libportaudio.so.2", SOUND, "libportaudio2", "portaudio", "portaudio"),
    _library("libEGL.so.1", WINDOW, "libegl1", "libglvnd-egl", "libglvnd"),
    _library("libGL.so.1", WINDOW, "libgl1", "libglvnd-glx", "libglvnd"),
    _library("libX11.so.6", WINDOW, "libx11-6", "libX11", "libx11"),
    _library("libxkbcommon.so.0", WINDOW, "libxkbcommon0", "libxkbcommon", "libxkbcommon"),
    _library("libfontconfig.so.1", WINDOW, "libfontconfig1", "fontconfig", "fontconfig"),
    _library("libdbus-1.so.3", WINDOW, "libdbus-1-3", "dbus-libs", "dbus"),
    _library("libglib-2.0.so.0", WINDOW, "libglib2.0-0", "glib2", "glib2"),
    Need(
        "/usr/share/fonts/**/*.[to]t[fc]",
        WINDOW,
        "fonts-dejavu-core",
        "dejavu-sans-fonts",
        "ttf-dejavu",
        matches,
    ),
    _library("libX11-xcb.so.1", X11, "libx11-xcb1", "libX11-xcb", "libx11"),
    _library("libxkbcommon-x11.so.0", X11, "libxkbcommon-x11-0", "libxkbcommon-x11", "libxkbcommon-x11"),
    _library("libxcb-cursor.so.0", X11, "libxcb-cursor0", "xcb-util-cursor", "xcb-util-cursor"),
    _library("libxcb-icccm.so.4", X11, "libxcb-icccm4", "xcb-util-wm", "xcb-util-wm"),
    _library("libxcb-image.so.0", X11, "libxcb-image0", "xcb-util-image", "xcb-util-image"),
    _library("libxcb-keysyms.so.1", X11, "libxcb-keysyms1", "xcb-util-keysyms", "xcb-util-keysyms"),
    _library(
        "libxcb-render-util.so.0", X11, "libxcb-render-util0", "xcb-util-renderutil", "xcb-util-renderutil"
    ),
    _library("libxcb-util.so.1", X11, "libxcb-util1", "xcb-util", "xcb-util"),
    _library("libxcb-randr.so.0", X11, "libxcb-randr0", "libxcb", "libxcb"),
    _library("libxcb-render.so.0", X11, "libxcb-render0", "libxcb", "libxcb"),
    _library("libxcb-shape.so.0", X11, "libxcb-shape0", "libxcb", "libxcb"),
    _library("libxcb-shm.so.0", X11, "libxcb-shm0", "libxcb", "libxcb"),
    _library("libxcb-sync.so.1", X11, "libxcb-sync1", "libxcb", "libxcb"),
    _library("libxcb-xfixes.so.0", X11, "libxcb-xfixes0", "libxcb", "libxcb"),
    _library("libxcb-xkb.so.1", X11, "libxcb-xkb1", "libxcb", "libxcb"),
    _program("pulseaudio", "pulseaudio", "pulseaudio", "pulseaudio"),
    _program("pactl", "pulseaudio-utils", "pulseaudio-utils", "libpulse"),
    _program("Xvfb", "xvfb", "xorg-x11-server-Xvfb", "xorg-server-xvfb"),
    _program("espeak-ng", "espeak-ng", "espeak-ng", "espeak-ng"),
    Need(
        "/usr/lib*/**/alsa-lib/libasound_module_pcm_pulse.so",
        TESTS,
        "libasound2-plugins",
        "alsa-plugins-pulseaudio",
        "alsa-plugins",
        matches,
    ),
)


def missing(purposes: Iterable[str]) -> list[Need]:
    """The needs for these purposes that this computer does not meet; none outside Linux."""
    if not sys.platform.startswith("linux"):
        return []
    wanted = set(purposes)
    return [need for need in NEEDS if need.purpose in wanted and not need.present(need.name)]


def install_line(needs: Iterable[Need]) -> str:
    """The command that gets them, for the package manager found here; else their names."""
    needs = list(needs)

    def packages(manager: str) -> str:
        return " ".join(dict.fromkeys(getattr(need, manager) for need in needs))

    sudo = "" if os.geteuid() == 0 else "sudo "
    if runs("apt-get"):
        return f"{sudo}apt-get install -y --no-install-recommends {packages('apt')}"
    if runs("dnf"):
        return f"{sudo}dnf install {packages('dnf')}"
    if runs("pacman"):
        return f"{sudo}pacman -S --needed {packages('pacman')}"
    return "your package manager, to install: " + ", ".join(dict.fromkeys(need.name for need in needs))


def may_install() -> bool:
    """Whether packages can be installed from here without asking anybody."""
    return sys.platform.startswith("linux") and os.geteuid() == 0 and runs("apt-get")


def install(needs: Iterable[Need]) -> bool:
    """Install with apt-get, as root. Repairs an interrupted installation first when need be."""
    packages = list(dict.fromkeys(need.apt for need in needs))
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    apt = ["apt-get", "-y", "-qq", "-o", "DPkg::Lock::Timeout=300"]

    def call(*command: str) -> bool:
        # Hundreds of lines of progress; what goes wrong is on the standard error.
        quiet = subprocess.DEVNULL
        return subprocess.call(command, env=env, stdin=quiet, stdout=quiet) == 0

    def install_packages() -> bool:
        return call(*apt, "install", "--no-install-recommends", *packages)

    never_updated = not any(Path("/var/lib/apt/lists").glob("*_Packages*"))
    if not never_updated and install_packages():
        return True
    # The package lists may be missing or old, or an earlier installation was cut off half-way.
    call("dpkg", "--configure", "-a")
    call(*apt, "--fix-broken", "install")
    call(*apt, "update")
    return install_packages()
