"""How the program starts: window or command, one window at a time, clean ends."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtNetwork import QLocalSocket
from PySide6.QtWidgets import QApplication

from app import window as window_module
from app.__main__ import is_for_window, main
from app.display import check_display
from app.options import parser
from app.settings_store import SettingsStore
from app.single_instance import MAX_MESSAGE, SingleInstance
from app.window import run
from engine import __version__
from engine.errors import InputError, MicroturnError
from engine.paths import project_root
from tests.app.fake_session import FakeEngine
from tests.app.test_main_window import recorded

# Qt's offscreen platform says this of every window.
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", r"does not support raise\(\)")


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture(autouse=True)
def no_preloading(monkeypatch) -> None:
    """These windows talk to no engine, so its code need not be loaded."""
    monkeypatch.setattr(window_module, "preload", lambda: None)


def shown_window():
    return next(w for w in QApplication.topLevelWidgets() if w.inherits("QMainWindow") and w.isVisible())


@pytest.mark.parametrize(
    ("arguments", "window"),
    [
        ([], True),
        (["--start"], True),
        (["--input", "x"], True),
        (["demo"], False),
        (["replay", "--help"], False),
    ],
)
def test_words_are_commands_and_options_are_the_windows(arguments, window):
    assert is_for_window(arguments) is window


def test_the_version_and_the_help_need_no_window(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"microturn {__version__}\n"
    assert main(["--help"]) == 0
    told = capsys.readouterr().out
    for word in ("replay", "demo", "inspect", "--input", "--record", "--open"):
        assert word in told
    assert "quit-after" not in told


def test_a_command_does_not_load_qt():
    code = "import sys, app.__main__ as m; m.main(['inspect', '/nowhere']); print('PySide6' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=project_root(), capture_output=True, text=True, timeout=60
    )
    assert done.stdout.strip() == "False"
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "bad", [["--no-such"], ["--quit-after", "soon"], ["--input"], ["--input", "x", "stray"]]
)
def test_wrong_options_are_one_line_and_status_two(bad, capsys):
    assert run(bad) == 2
    told = capsys.readouterr().err
    assert told.startswith("microturn: ")
    assert told.count("\n") == 1


def test_options_are_read():
    options = parser().parse_args(["--input", "mic", "--camera", "none", "--record", "there", "--start"])
    assert (options.input, options.camera, options.record, options.start) == (
        "mic",
        "none",
        Path("there"),
        True,
    )
    with pytest.raises(InputError):
        parser().parse_args(["--inp", "mic"])


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux can be without a display")
def test_without_a_display_it_says_what_to_do(monkeypatch):
    for name in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(MicroturnError, match=r"no display.*microturn demo"):
        check_display()
    monkeypatch.setenv("DISPLAY", ":4321")
    with pytest.raises(MicroturnError, match=r"':4321' cannot be opened|libxcb"):
        check_display()
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    check_display()


def test_the_window_opens_closes_and_remembers(engine, qapp):
    def choose():
        window = shown_window()
        window.menus.inputs.choose("mic-1")
        window.resize(1000, 700)
        window.close()

    QTimer.singleShot(200, choose)
    assert run([], engine.open, engine.list_devices) == 0
    kept = SettingsStore().load()
    assert kept.input_device == "mic-1"
    assert kept.geometry


def test_a_damaged_settings_file_is_said_once_in_the_window(engine, qapp):
    store = SettingsStore()
    store.folder.mkdir(parents=True)
    store.file.write_text("{")
    seen = []

    def look():
        window = shown_window()
        seen.append(window.card.notice.text())
        window.close()

    for _ in range(2):
        QTimer.singleShot(200, look)
        assert run([], engine.open, engine.list_devices) == 0
    assert "set aside as settings.broken-1.json" in seen[0]
    assert "set aside" not in seen[1]
    assert (store.folder / "settings.broken-1.json").read_text() == "{"


def test_options_choose_devices_and_start(engine, qapp, tmp_path):
    arguments = [
        "--start",
        "--input",
        "mic-1",
        "--camera",
        "0",
        "--record",
        str(tmp_path),
        "--quit-after",
        "0.4",
    ]
    assert run(arguments, engine.open, engine.list_devices) == 0
    choice = engine.sessions[0].choice
    assert (choice.input_device, choice.output_device, choice.camera) == ("mic-1", None, "0")
    assert choice.record_in is not None
    assert choice.record_in.parent == tmp_path
    assert engine.sessions[0].stops >= 1


def test_a_recorded_session_can_be_opened_from_the_start(engine, qapp, tmp_path):
    seen = []
    folder = recorded(tmp_path / "talk")

    def look():
        window = shown_window()
        if window.document.live:
            QTimer.singleShot(50, look)
            return
        seen.append((window.document.live, window.timeline.model.turns.count))
        window.close()

    QTimer.singleShot(100, look)
    assert run(["--open", str(folder)], engine.open, engine.list_devices) == 0
    assert seen == [(False, 150)]


def test_an_error_in_the_window_is_a_line_not_the_end(engine, qapp, monkeypatch, capsys):
    seen = []

    def look():
        window = shown_window()
        seen.append(window.card.notice.text())
        window.close()

    def fail():
        sys.excepthook(RuntimeError, RuntimeError("boom"), None)

    QTimer.singleShot(150, fail)
    QTimer.singleShot(300, look)
    assert run([], engine.open, engine.list_devices) == 0
    assert seen == ["The window had an error (RuntimeError: boom). The session goes on."]
    assert "Traceback" not in capsys.readouterr().err


def test_a_second_start_brings_the_first_window_forward(engine, qapp, tmp_path):
    folder = recorded(tmp_path / "talk")
    done: list[tuple[int, str]] = []
    titles: list[str] = []
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}

    def second():
        process = subprocess.run(
            [sys.executable, "-m", "app", "--open", str(folder)],
            cwd=project_root(), env=environment, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        done.append((process.returncode, process.stderr))

    thread = threading.Thread(target=second)

    def look():
        window = shown_window()
        if thread.is_alive() or window.document.live:
            QTimer.singleShot(100, look)
            return
        titles.append(window.card.title.text())
        window.close()

    QTimer.singleShot(100, thread.start)
    QTimer.singleShot(300, look)
    assert run([], engine.open, engine.list_devices) == 0
    thread.join()
    assert done == [(0, "microturn: the window that was open already has come forward\n")]
    assert titles == ["talk"]


def test_the_lock_of_a_dead_program_does_not_count(qapp, tmp_path):
    first = SingleInstance(tmp_path)
    assert first.claim()
    second = SingleInstance(tmp_path)
    assert not second.claim()
    first.release()
    code = (
        "import os, sys, pathlib; from PySide6.QtCore import QCoreApplication; app = QCoreApplication([])\n"
        "from app.single_instance import SingleInstance; one = SingleInstance(pathlib.Path(sys.argv[1]))\n"
        "print(one.claim(), flush=True); os.kill(os.getpid(), 9)"
    )
    killed = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=project_root(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert killed.stdout == "True\n"
    assert (tmp_path / "window.lock").exists()
    assert second.claim()
    second.release()


def test_a_folder_that_cannot_be_written_does_not_keep_the_window_shut(qapp, tmp_path):
    (tmp_path / "file").write_text("")
    one = SingleInstance(tmp_path / "file" / "below")
    assert one.claim()
    one.release()


def test_garbage_on_the_socket_is_refused(qapp, qtbot, tmp_path):
    one = SingleInstance(tmp_path)
    assert one.claim()
    told: list[str] = []
    one.asked.connect(told.append)
    for garbage in (b"\x00\xff\n", b"[1]\n", b'{"show": 3}\n', b"x" * (4 * MAX_MESSAGE)):
        client = QLocalSocket()
        client.connectToServer(one._name)
        assert client.waitForConnected(500)
        client.write(garbage)
        client.flush()
        qtbot.wait(50)
        client.abort()
    assert told == []
    one.release()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to send")
@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_closes_the_window_cleanly(which, tmp_path):
    code = (
        "import sys\n"
        "from PySide6.QtCore import QTimer\n"
        "from app import window\n"
        "from tests.app.fake_session import FakeEngine\n"
        "engine = FakeEngine()\n"
        "window.preload = lambda: print('ready', flush=True)\n"
        "sys.exit(window.run(['--start'], engine.open, engine.list_devices))\n"
    )
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "XDG_DATA_HOME": str(tmp_path)}
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=project_root(), env=environment,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(which)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "Traceback" not in told


def test_the_socket_pair_for_signals_is_given_back(engine, qapp):
    before = signal.getsignal(signal.SIGINT)
    assert run(["--quit-after", "0.1"], engine.open, engine.list_devices) == 0
    assert signal.getsignal(signal.SIGINT) is before
    assert signal.set_wakeup_fd(-1) == -1
