"""The virtual environment: quick when whole, remade after a cut-off run, one run at a time.

Environments here are real ones, in a folder of the test's own; only what pip
would fetch is replaced, by an empty package folder.
"""

import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from environment import INCOMPLETE, INPUTS, LOCK, STAMP, Environment, SetUpError, why_pip_failed

PACKAGING = Path(__file__).resolve().parents[2] / "packaging"

PROJECT = """\
[project]
name = "example"
version = "1"
[build-system]
requires = []
[tool.setuptools]
packages = []
[tool.ruff]
line-length = 110
"""


class Offline(Environment):
    """Makes a real virtual environment, but "installs" a folder in place of what pip would fetch."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.made = 0
        self.filled: list[bool] = []

    def _call(self, command: Sequence[str], lock: int) -> subprocess.CompletedProcess[str]:
        self.made += "venv" in command
        return super()._call((*command, "--without-pip"), lock)

    def _fill(self, dev: bool, lock: int) -> None:
        self.filled.append(dev)
        (self.packages / "example-1.dist-info").mkdir(exist_ok=True)


@pytest.fixture
def root(tmp_path):
    (tmp_path / "packaging").mkdir()
    (tmp_path / "pyproject.toml").write_text(PROJECT, encoding="utf-8")
    for path in INPUTS:
        (tmp_path / path).write_text("", encoding="utf-8")
    return tmp_path


def ensured(root, dev=False):
    environment = Offline(root)
    environment.ensure(dev)
    assert not (environment.folder / INCOMPLETE).exists()
    assert subprocess.run([environment.python, "-c", ""], check=False).returncode == 0
    return environment


def test_a_second_run_does_nothing_and_is_quick(root):
    first = ensured(root)
    assert (first.made, first.filled) == (1, [False])
    start = time.monotonic()
    second = ensured(root)
    assert (second.made, second.filled) == (0, [])
    assert time.monotonic() - start < 2.0


def test_tests_need_more_than_a_run_but_not_the_other_way_round(root):
    ensured(root)
    assert ensured(root, dev=True).filled == [True]
    assert ensured(root, dev=False).filled == []


def test_changed_pins_are_installed_into_the_same_environment(root):
    ensured(root)
    (root / "packaging" / "constraints.txt").write_text("example==2\n", encoding="utf-8")
    again = ensured(root)
    assert (again.made, again.filled) == (0, [False])


def test_a_changed_lint_rule_installs_nothing(root):
    ensured(root)
    (root / "pyproject.toml").write_text(PROJECT.replace("110", "100"), encoding="utf-8")
    assert ensured(root).filled == []


def test_a_removed_package_is_installed_again(root):
    first = ensured(root)
    shutil.rmtree(first.packages / "example-1.dist-info")
    again = ensured(root)
    assert (again.made, again.filled) == (0, [False])


@pytest.mark.parametrize("damage", ["no python", "python that does not start", "no stamp", "stamp cut off"])
def test_damage_is_repaired(root, damage):
    first = ensured(root)
    if damage == "no python":
        first.python.unlink()
    elif damage == "python that does not start":
        first.python.unlink()
        first.python.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
        first.python.chmod(0o755)
    elif damage == "no stamp":
        (first.folder / STAMP).unlink()
    else:
        (first.folder / STAMP).write_text('{"key": "ab', encoding="utf-8")
    again = ensured(root)
    assert again.filled == [False]
    assert again.made == (1 if "python" in damage else 0)


def test_what_a_cut_off_run_left_is_cleared_away(root):
    first = ensured(root)
    (first.folder / INCOMPLETE).touch()
    half = first.packages / "half"
    half.mkdir()
    (first.folder / "link").symlink_to(root / "packaging", target_is_directory=True)
    again = ensured(root)
    assert (again.made, again.filled) == (1, [False])
    assert not half.exists()
    assert (root / "packaging" / "constraints.txt").exists()


def test_a_moved_project_is_set_up_anew(root, tmp_path_factory):
    ensured(root)
    moved = tmp_path_factory.mktemp("elsewhere") / "project"
    shutil.copytree(root, moved, symlinks=True)
    assert ensured(moved).filled == [False]


def test_a_file_in_the_way_is_named(root):
    (root / ".venv").write_text("", encoding="utf-8")
    with pytest.raises(SetUpError, match="is a file"):
        Environment(root).ensure(dev=False)


# A set-up whose installer leaves something half-written and then takes its time.
SLOW = """
import subprocess, sys, time
from pathlib import Path
sys.path.insert(0, {packaging!r})
from environment import Environment

class Slow(Environment):
    def _call(self, command, lock):
        return super()._call((*command, "--without-pip"), lock)

    def _fill(self, dev, lock):
        installer = "import pathlib, sys, time; pathlib.Path(sys.argv[1]).mkdir(); time.sleep({seconds})"
        half_written = str(self.packages / "half-written")
        super(Slow, self)._call([sys.executable, "-c", installer, half_written], lock)

Slow(Path({root!r})).ensure(dev=False)
"""


def start_slow(root, seconds):
    """A set-up in a process group of its own, whose installer is at work when this returns."""
    code = textwrap.dedent(SLOW).format(packaging=str(PACKAGING), root=str(root), seconds=seconds)
    process = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
    deadline = time.monotonic() + 60
    while not (Environment(root).packages / "half-written").exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return process


@pytest.mark.skipif(os.name == "nt", reason="process groups are POSIX")
def test_a_run_killed_half_way_is_made_good_by_the_next(root):
    process = start_slow(root, seconds=60)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert (root / ".venv" / INCOMPLETE).exists()
    again = ensured(root)
    assert (again.made, again.filled) == (1, [False])
    assert not (again.packages / "half-written").exists()


@pytest.mark.skipif(os.name == "nt", reason="a child cannot hold a lock of its parent's on Windows")
def test_an_installer_that_outlives_its_killed_parent_is_waited_for(root, capfd):
    process = start_slow(root, seconds=2)
    start = time.monotonic()
    process.kill()
    process.wait()
    assert ensured(root).filled == [False]
    assert time.monotonic() - start > 1.0
    assert "another set-up is at work" in capfd.readouterr().err


def test_two_runs_at_once_install_once(root, capfd):
    first = start_slow(root, seconds=1)
    second = ensured(root)
    assert first.wait() == 0
    assert second.filled == []
    assert "another set-up is at work" in capfd.readouterr().err
    assert (root / ".venv" / LOCK).exists()


def test_the_real_pip_without_a_network_says_so_in_one_line(root, monkeypatch):
    for variable in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    (root / "packaging" / "constraints.txt").write_text("setuptools==84.2.1\n", encoding="utf-8")
    environment = Environment(root)
    with pytest.raises(SetUpError, match=r"^the package index could not be reached; connect .*$"):
        environment.ensure(dev=False)
    # Nothing is half done, so the next run goes on rather than starting afresh.
    assert not (environment.folder / INCOMPLETE).exists()
    assert not (environment.folder / STAMP).exists()


@pytest.mark.parametrize(
    ("stderr", "expected"),
    [
        (
            "WARNING: Retrying ... NameResolutionError(...)\nERROR: No matching distribution",
            "could not be reached",
        ),
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
            "disk is full",
        ),
        ("ERROR: No matching distribution found for torch==2.13.0\n\nhint: look", "found for torch==2.13.0"),
        ("", "it gave no reason"),
    ],
)
def test_pip_s_failures_become_one_line(stderr, expected):
    line = why_pip_failed(stderr)
    assert expected in line
    assert "\n" not in line
