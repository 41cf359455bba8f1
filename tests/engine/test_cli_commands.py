"""The commands, run as the program runs them."""

import io
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import soundfile

from engine import __version__, cli
from engine.audio.devices import AudioDevice
from engine.camera.devices import CameraDevice
from engine.commands import inspect as inspect_command
from engine.commands.progress import ProgressBar
from engine.commands.train import find_config, shipped
from engine.errors import MicroturnError
from engine.events import TextIn
from engine.inspect.export import FORMATS
from engine.recorder.reader import read_session
from engine.replay import run_replay
from engine.speech import SpeechController
from engine.startup import Factories
from tests.engine.recorder_samples import write_sample
from tests.fakes import FakeEngine, ToneVoice, output

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_sample(tmp_path_factory.mktemp("rec") / "session")


def run(capsys, *argv: object) -> tuple[int, str, str]:
    status = cli.main([str(a) for a in argv])
    out, err = capsys.readouterr()
    return status, out, err


@pytest.mark.parametrize(
    "command", ["", "replay", "demo", "bench", "inspect", "devices", "doctor", "key", "simulate", "train"]
)
def test_help_everywhere(capsys, command):
    status, out, err = run(capsys, *command.split(), "--help")
    assert (status, err) == (0, "")
    assert out.startswith(f"usage: microturn {command}".rstrip())


def test_help_names_every_command_format_and_config(capsys):
    _, out, _ = run(capsys, "--help")
    for name in ("replay", "demo", "bench", "inspect", "devices", "doctor", "key", "simulate", "train"):
        assert f"    {name} " in out
    _, out, _ = run(capsys, "inspect", "--help")
    assert all(f"  {name} " in out for name in FORMATS)
    assert tuple(inspect_command.FORMATS) == FORMATS
    _, out, _ = run(capsys, "train", "--help")
    assert shipped()
    assert all(f"  {name} " in out for name in shipped())


def test_version(capsys):
    assert run(capsys, "--version") == (0, f"microturn {__version__}\n", "")


def test_help_loads_nothing_heavy():
    code = (
        "import sys; from engine.cli import main; main(['--help']); "
        "print(sorted({'torch', 'numpy', 'cv2', 'soundfile', 'PySide6', 'ctranslate2'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]"


# inspect


def test_inspect_prints_the_summary(capsys, folder):
    status, out, err = run(capsys, "inspect", folder)
    assert (status, err) == (0, "")
    assert out.startswith(f"Session {folder}\n")
    assert "Turn-taking   1 take-over" in out


def test_inspect_exports_to_stdout(capsys, folder):
    status, out, _ = run(capsys, "inspect", folder, "--export", "jsonl", "-")
    assert status == 0
    assert out.encode() == (folder / "timeline.jsonl").read_bytes()


def test_inspect_exports_to_a_file(capsys, folder, tmp_path):
    assert run(capsys, "inspect", folder, "--export", "chrome-trace", tmp_path / "t.json") == (0, "", "")
    assert json.loads((tmp_path / "t.json").read_text("utf-8"))["traceEvents"]


# replay


@pytest.fixture
def fake_replay(monkeypatch):
    """The real replay with an engine that says "right" once, and no background process."""
    factories = Factories(
        lambda config: FakeEngine({3: output("speak", "right")}), lambda _: SpeechController(ToneVoice())
    )

    def quiet(*arguments, config, **more):
        return run_replay(*arguments, config=replace(config, background=False), factories=factories, **more)

    monkeypatch.setattr("engine.replay.run_replay", quiet)


def test_replay_writes_a_session_and_prints_it_in_figures(capsys, fake_replay, tmp_path):
    script = tmp_path / "typed.jsonl"
    script.write_text('{"t": 0.5, "text": "hello"}\n')
    status, out, err = run(
        capsys, "replay", "silence:3", "--out", tmp_path / "s", "--text", script, "--seed", 9
    )
    assert (status, err) == (0, "")
    assert "decisions: listen 14, speak 1" in out
    assert out.splitlines()[-1] == f"session: {tmp_path / 's'}"
    session = read_session(tmp_path / "s")
    assert (session.header.seed, len(session.turns), session.damaged) == (9, 15, ())
    assert [e.text for e in session.events if isinstance(e, TextIn)] == ["hello"]
    assert soundfile.info(tmp_path / "s" / "output.wav").frames == 15 * 4_800


def test_replay_says_in_the_header_how_it_was_made(capsys, fake_replay, tmp_path):
    lean = ["--temperament", "interrupt=+0.5, give-way=-1", "--speed", "1.2"]
    assert run(capsys, "replay", "silence:1", "--out", tmp_path / "s", *lean)[0] == 0
    header = read_session(tmp_path / "s").header
    assert header.options == {"temperament": {"interrupt": 0.5, "give_way": -1.0}, "speed": 1.2}
    assert run(capsys, "replay", "silence:1", "--out", tmp_path / "plain")[0] == 0
    first = (tmp_path / "plain" / "timeline.jsonl").read_text("utf-8").splitlines()[0]
    assert "options" not in first
    assert read_session(tmp_path / "plain").header.options == {}


def test_replay_with_a_voice_that_is_not_installed_says_so(capsys, fake_replay, tmp_path, monkeypatch):
    monkeypatch.setenv("HIBARI_HOME", str(tmp_path / "voices"))
    status, out, _ = run(capsys, "replay", "silence:1", "--out", tmp_path / "s", "--voice", "emma")
    assert status == 0
    assert "fault: the voice emma is not installed" in out
    assert read_session(tmp_path / "s").header.options == {}


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["/no/sound.wav"], "/no/sound.wav"),
        (["silence:0"], "silence"),
        (["silence:1", "--video", "/no/video.mp4"], "/no/video.mp4"),
        (["silence:1", "--text", "/no/words.jsonl"], "/no/words.jsonl"),
        (["silence:1", "--engine", "psychic"], "psychic"),
        (["silence:1", "--engine", "pipeline", "--temperament", "interrupt=1"], "has no temperament"),
        (["silence:1", "--temperament", "patience=1"], "'patience=1' is no temperament"),
        (["silence:1", "--temperament", "interrupt=4"], "from -3 to 3"),
        (["silence:1", "--temperament", "interrupt=nan"], "from -3 to 3"),
        (["silence:1", "--temperament", "interrupt"], "needs a number"),
        (["silence:1", "--voice", "nobody"], "unknown voice 'nobody'"),
        (["silence:1", "--speed", "2"], "from 0.7 to 1.4"),
    ],
)
def test_replay_of_what_is_not_there(capsys, fake_replay, tmp_path, argv, words):
    status, out, err = run(capsys, "replay", *argv, "--out", tmp_path / "s")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert words in err
    assert not (tmp_path / "s").exists() or not list((tmp_path / "s").iterdir())


def test_replay_into_a_session_refuses(capsys, fake_replay, folder):
    status, _, err = run(capsys, "replay", "silence:1", "--out", folder)
    assert status == 2
    assert "already holds a session: choose another folder" in err


# demo


def test_demo_hands_its_folder_on_and_prints_the_lines(capsys, monkeypatch, tmp_path):
    def play(write, out, *, progress):
        write(f"into {out}")
        progress(1.0, 2.0)

    monkeypatch.setattr("engine.demo.run_demo", play)
    assert run(capsys, "demo", "--out", tmp_path) == (0, f"into {tmp_path}\n", "")
    assert run(capsys, "demo") == (0, "into None\n", "")


# devices


def speaker(**fields) -> AudioDevice:
    plain = {"host_api": "ALSA", "inputs": 0, "outputs": 2, "default_rate": 48_000.0}
    return AudioDevice(**{"is_default_input": False, "is_default_output": False, **plain, **fields})


def test_devices_lists_what_there_is(capsys, monkeypatch):
    found = [
        speaker(name="Headset", inputs=1, is_default_input=True, is_default_output=True, id="usb-1"),
        speaker(name="Monitor of Speakers", inputs=2, outputs=0, is_monitor=True),
    ]
    monkeypatch.setattr("engine.audio.devices.list_devices", lambda: found)
    monkeypatch.setattr("engine.camera.devices.list_cameras", lambda: [CameraDevice(0, "Webcam")])
    status, out, err = run(capsys, "devices")
    assert (status, err) == (0, "")
    assert out.splitlines() == [
        "Microphones",
        "  * Headset [usb-1] (ALSA, 1 channels, 48000 Hz)",
        "    Monitor of Speakers (ALSA, 2 channels, 48000 Hz, plays back what a loudspeaker plays)",
        "Loudspeakers",
        "  * Headset [usb-1] (ALSA, 2 channels, 48000 Hz)",
        "Cameras",
        "    Webcam (0)",
    ]


def test_devices_without_sound_still_lists_cameras(capsys, monkeypatch):
    def broken():
        raise MicroturnError("PortAudio is not installed: apt install it")

    monkeypatch.setattr("engine.audio.devices.list_devices", broken)
    monkeypatch.setattr("engine.camera.devices.list_cameras", list)
    assert run(capsys, "devices") == (
        1,
        "Cameras: none found\n",
        "microturn: PortAudio is not installed: apt install it\n",
    )


# train


def test_train_hands_its_arguments_on(capsys, monkeypatch, tmp_path):
    called = []
    monkeypatch.setattr("engine.training.run.run_training", lambda *args: called.append(args))
    name = next(iter(shipped()))
    assert run(capsys, "train", name)[0] == 0
    places = ("--out", tmp_path, "--data", tmp_path / "d", "--shards", tmp_path / "s")
    assert run(capsys, "train", shipped()[name], *places, "--resume")[0] == 0
    assert called == [
        (shipped()[name], None, None, False, None),
        (shipped()[name], tmp_path, tmp_path / "d", True, tmp_path / "s"),
    ]


def test_a_file_goes_before_a_shipped_config_of_the_same_name(monkeypatch, tmp_path):
    name = next(iter(shipped()))
    monkeypatch.chdir(tmp_path)
    assert find_config(name) == shipped()[name]
    (tmp_path / name).write_text("")
    assert find_config(name) == Path(name)


# the progress bar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_goes_to_a_terminal_only(monkeypatch):
    monkeypatch.setattr("sys.stderr", io.StringIO())
    with ProgressBar("working") as bar:
        bar(1.0, 4.0)
        assert isinstance(sys.stderr, io.StringIO)
        assert sys.stderr.getvalue() == ""
    monkeypatch.setattr("sys.stderr", Terminal())
    with ProgressBar("working") as bar:
        bar(1.0, 4.0)
        bar(1.1, 4.0)  # too soon after the last
        assert isinstance(sys.stderr, Terminal)
        assert sys.stderr.getvalue() == "\r\x1b[Kworking [########----------------------] 1.0 of 4.0 s"
        bar.hide()
        bar(2.0, None)
        assert sys.stderr.getvalue().endswith("\r\x1b[Kworking 2.0 s")
    assert sys.stderr.getvalue().endswith("\r\x1b[K")


# simulate


def test_simulate_writes_a_session_that_inspect_reads(capsys, tmp_path):
    status, printed, _ = run(capsys, "simulate", "ask", "--out", tmp_path / "scene", "--seconds", "10")
    assert (status, "the oracle wants" in printed) == (0, True)
    assert (tmp_path / "scene" / "scene.wav").stat().st_size > 10 * 24_000 * 2
    status, printed, _ = run(capsys, "inspect", tmp_path / "scene")
    assert (status, "engine simulator" in printed) == (0, True)


def test_simulate_refuses_what_it_does_not_know(capsys, tmp_path):
    status, _, error = run(capsys, "simulate", "dance", "--out", tmp_path / "scene")
    assert (status, "choose one of mixed, ask" in error) == (2, True)
    assert not (tmp_path / "scene").exists()
    assert run(capsys, "simulate", "ask", "--out", tmp_path / "scene", "--seconds", "0")[0] == 2
