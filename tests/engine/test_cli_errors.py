"""What goes wrong on the command line is one line, with the right exit status."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine import cli
from engine.errors import InputError, MicroturnError
from tests.engine.recorder_samples import write_sample

ROOT = Path(__file__).resolve().parents[2]
MODULE = [sys.executable, "-m", "engine.cli"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return str(write_sample(tmp_path_factory.mktemp("rec") / "session"))


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(cli, "cache_dir", lambda: tmp_path / "cache")
    return tmp_path / "cache"


def run(capsys, *argv: object) -> tuple[int, str, str]:
    status = cli.main([str(a) for a in argv])
    out, err = capsys.readouterr()
    return status, out, err


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ([], "required: COMMAND; see microturn --help"),
        (["sing"], "invalid choice: 'sing'"),
        (["bench", "--only", "juggling"], "unknown task 'juggling': choose from"),
        (["replay"], "required: INPUT, --out; see microturn replay --help"),
        (["replay", "silence:1"], "required: --out"),
        (["replay", "silence:1", "--out", "x", "--pace", "slow"], "invalid choice: 'slow'"),
        (["replay", "silence:1", "--out", "x", "--seed", "-1"], "argument --seed: "),
        (["replay", "silence:1", "--out", "x", "--seed=-1"], "'-1' is no whole number from 0 to"),
        (["replay", "silence:1", "--out", "x", "--seed", "4294967296"], "is no whole number from 0 to"),
        (["replay", "silence:1", "--out", "x", "--seed", "1.5"], "'1.5' is no whole number"),
        (["replay", "silence:1", "--out", "x", "--loud"], "unrecognized arguments: --loud"),
        (["inspect"], "required: SESSION"),
        (["inspect", "/no/where"], "there is no /no/where: give the folder of a recorded session"),
        (["inspect", "{folder}", "--export", "csv"], "expected 2 arguments"),
        (["inspect", "{folder}", "--export", "mp3", "-"], "no export format 'mp3': use one of jsonl, csv"),
        (["inspect", "{folder}", "--export", "png", "-"], "png is not text: give a file name instead of -"),
        (["inspect", "{folder}", "--export", "csv", "/no/where/x"], "there is no folder /no/where"),
        (["train"], "required: CONFIG"),
        (["train", "huge"], "there is no config 'huge': give a TOML file, or one of"),
        (["devices", "all"], "unrecognized arguments: all"),
    ],
)
def test_wrong_arguments_are_one_line_and_status_2(capsys, folder, argv, words):
    status, out, err = run(capsys, *(a.format(folder=folder) for a in argv))
    assert (status, out) == (2, "")
    assert err.startswith("microturn: ")
    assert err.count("\n") == 1
    assert words in err


def test_a_session_from_the_future(capsys, folder, tmp_path):
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    file = copy / "timeline.jsonl"
    file.write_text(file.read_text("utf-8").replace('"version": 1', '"version": 2', 1), "utf-8")
    status, out, err = run(capsys, "inspect", copy)
    assert (status, out) == (2, "")
    assert "update Microturn" in err


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (InputError("no such thing:\n  try another"), 2, "microturn: no such thing: try another\n"),
        (MicroturnError("the disk is full"), 1, "microturn: the disk is full\n"),
        (KeyboardInterrupt(), 1, "microturn: interrupted\n"),
    ],
)
def test_errors_become_their_exit_status(capsys, monkeypatch, error, status, line):
    monkeypatch.setattr("engine.recorder.reader.read_session", lambda path: (_ for _ in ()).throw(error))
    assert run(capsys, "inspect", "x") == (status, "", line)


def fail(path):
    raise ZeroDivisionError("a secret bug")


def test_an_unforeseen_error_is_one_line_and_leaves_a_log(capsys, monkeypatch, own_cache):
    monkeypatch.delenv("MICROTURN_DEBUG", raising=False)
    monkeypatch.setattr("engine.recorder.reader.read_session", fail)
    status, out, err = run(capsys, "inspect", "x")
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert "ZeroDivisionError: a secret bug" in err
    [log] = (own_cache / "log").iterdir()
    assert str(log) in err
    assert "Traceback" in log.read_text("utf-8")
    assert "in fail" in log.read_text("utf-8")


def test_without_a_place_for_the_log_it_says_how_to_see_more(capsys, monkeypatch, own_cache):
    monkeypatch.delenv("MICROTURN_DEBUG", raising=False)
    monkeypatch.setattr("engine.recorder.reader.read_session", fail)
    own_cache.write_text("in the way")
    status, _, err = run(capsys, "inspect", "x")
    assert status == 1
    assert err.count("\n") == 1
    assert "run it again with MICROTURN_DEBUG=1" in err


def test_debugging_shows_the_traceback(capsys, monkeypatch):
    monkeypatch.setenv("MICROTURN_DEBUG", "1")
    monkeypatch.setattr("engine.recorder.reader.read_session", fail)
    with pytest.raises(ZeroDivisionError):
        run(capsys, "inspect", "x")


def test_a_reader_that_has_enough_is_no_error(folder):
    for command in ((folder,), (folder, "--export", "jsonl", "-")):
        child = subprocess.Popen(
            [*MODULE, "inspect", *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
        )
        assert child.stdout is not None
        child.stdout.close()
        _, err = child.communicate(timeout=60)
        assert err == b""
        assert child.returncode == 1


@pytest.mark.skipif(os.name == "nt", reason="SIGINT to one process")
def test_ctrl_c_is_one_line():
    code = (
        "import sys, engine.recorder.reader as r, time\n"
        "r.read_session = lambda path: (print('ready', flush=True), time.sleep(60))\n"
        "from engine.cli import main\n"
        "sys.exit(main(['inspect', 'x']))"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=60)
    assert (child.returncode, err) == (1, "microturn: interrupted\n")


def test_letters_a_terminal_lacks_do_not_stop_it(folder):
    done = subprocess.run(
        [*MODULE, "inspect", folder],
        capture_output=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode("ascii").startswith("Session ")
