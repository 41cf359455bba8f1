"""The set-up script's own decisions: fit Pythons, system libraries, what is started, what is pinned."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import distributions
from pathlib import Path

import bootstrap
import pytest
import system_libraries as system
from environment import SetUpError
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "packaging" / "bootstrap.py"


def test_old_pythons_can_read_the_script():
    ast.parse(SCRIPT.read_text(encoding="utf-8"), feature_version=(3, 7))


@pytest.mark.parametrize(
    ("version", "system_name", "machine", "says"),
    [
        ((3, 10, 13), "Linux", "x86_64", "needs Python 3.11 or newer, and this is 3.10.13"),
        ((3, 13, 0), "Darwin", "x86_64", "Intel Macs"),
        ((3, 11, 0), "Linux", "aarch64", None),
        ((3, 14, 1), "Darwin", "arm64", None),
        ((3, 12, 0), "Windows", "AMD64", None),
    ],
)
def test_a_python_that_cannot_run_it_is_told_so(version, system_name, machine, says):
    line = bootstrap.unfit(version, system_name, machine)
    if says is None:
        assert line is None
    else:
        assert line is not None and says in line
        assert "\n" not in line


@pytest.mark.parametrize("arguments", [[], ["dance"]])
def test_without_a_known_command_it_says_how_it_is_used(arguments):
    done = subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True)
    assert done.returncode == 2
    assert "bootstrap.py run" in done.stderr
    assert done.stdout == ""


def test_help_is_no_mistake():
    done = subprocess.run([sys.executable, SCRIPT, "--help"], capture_output=True, text=True)
    assert done.returncode == 0
    assert "bootstrap.py test" in done.stdout


@pytest.fixture
def started(monkeypatch):
    """What ``run`` would become, with nothing set up: the last call's command."""
    commands: list[list[str]] = []

    def note(command: list[str]) -> int:
        commands.append(command)
        return 0

    monkeypatch.setattr("environment.Environment.ensure", lambda self, dev: None)
    monkeypatch.setattr("system_libraries.missing", lambda purposes: [])
    monkeypatch.setattr(os, "execv", lambda path, command: note(command))
    monkeypatch.setattr(bootstrap, "wait_for", note)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    return commands


@pytest.mark.parametrize(
    ("display", "arguments", "passed_on"),
    [
        ("", [], ["demo"]),
        (":0", [], []),
        ("", ["replay", "a b.wav", "--out", "x"], ["replay", "a b.wav", "--out", "x"]),
        (":0", ["doctor"], ["doctor"]),
    ],
)
def test_run_opens_the_window_or_plays_the_demo(started, monkeypatch, display, arguments, passed_on):
    monkeypatch.setenv("DISPLAY", display)
    bootstrap.run(arguments)
    assert Path(started[0][0]).stem == "microturn"
    assert started[0][1:] == passed_on


def test_test_runs_every_check_and_fails_if_one_does(started, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert bootstrap.test([]) == 0
    tools = [Path(command[0]).stem for command in started]
    assert tools == ["ruff", "ruff", "mypy", "lint-imports", "pytest"]
    monkeypatch.setattr(bootstrap, "wait_for", lambda command: int("mypy" in command[0]))
    assert bootstrap.test([]) == 1


def test_test_with_arguments_runs_pytest_alone_with_them(started, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    bootstrap.test(["-k", "echo"])
    assert [command[1:] for command in started] == [["-k", "echo"]]


def need(name, purpose, present):
    return system.Need(name, purpose, f"apt-{name}", f"dnf-{name}", f"pacman-{name}", lambda _: present)


def test_only_what_is_missing_for_the_purpose_is_asked_for(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    needs = (need("a", "sound", False), need("b", "sound", True), need("c", "the window", False))
    monkeypatch.setattr(system, "NEEDS", needs)
    assert [n.name for n in system.missing({"sound"})] == ["a"]
    monkeypatch.setattr(sys, "platform", "win32")
    assert system.missing({"sound", "the window"}) == []


@pytest.mark.skipif(os.name == "nt", reason="no such package managers on Windows")
@pytest.mark.parametrize(
    ("manager", "user", "line"),
    [
        ("apt-get", 1000, "sudo apt-get install -y --no-install-recommends apt-a"),
        ("apt-get", 0, "apt-get install -y --no-install-recommends apt-a"),
        ("dnf", 1000, "sudo dnf install dnf-a"),
        ("pacman", 1000, "sudo pacman -S --needed pacman-a"),
        ("", 1000, "your package manager, to install: a"),
    ],
)
def test_the_line_to_type_is_exact(monkeypatch, manager, user, line):
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(system, "runs", lambda program: program == manager)
    assert system.install_line([need("a", "sound", False), need("a", "sound", False)]) == line


@pytest.fixture
def without_rights(monkeypatch):
    monkeypatch.setattr(system, "may_install", lambda: False)
    monkeypatch.setattr(system, "install_line", lambda needs: "sudo get " + " ".join(n.name for n in needs))


def test_something_vital_missing_stops_with_the_line_to_type(monkeypatch, without_rights):
    monkeypatch.setattr(system, "missing", lambda purposes: [need("libX", "the window", False)])
    with pytest.raises(SetUpError, match="the window needs; type: sudo get libX"):
        bootstrap.meet_needs({"the window"}, vital={"the window"})


def test_something_else_missing_is_said_and_set_up_goes_on(monkeypatch, without_rights, capsys):
    monkeypatch.setattr(system, "missing", lambda purposes: [need("libP", "sound", False)])
    bootstrap.meet_needs({"sound"}, vital={"the window"})
    assert "type: sudo get libP" in capsys.readouterr().err


def test_a_failing_apt_get_is_repaired_and_asked_once_more(monkeypatch):
    monkeypatch.setattr(Path, "glob", lambda self, pattern: iter([self / "main_Packages"]))
    calls = []

    def call(command, **_options):
        calls.append([word for word in command if not word.startswith("-")])
        return 1 if len(calls) == 1 else 0

    monkeypatch.setattr(subprocess, "call", call)
    assert system.install([need("a", "sound", False)])
    assert [c[0] for c in calls] == ["apt-get", "dpkg", "apt-get", "apt-get", "apt-get"]
    assert "update" in calls[3]
    assert calls[0] == calls[4]


def test_package_lists_that_were_never_fetched_are_fetched_first(monkeypatch):
    monkeypatch.setattr(Path, "glob", lambda self, pattern: iter([]))
    calls = []

    def call(command, **_options):
        calls.append(command)
        return 0

    monkeypatch.setattr(subprocess, "call", call)
    assert system.install([need("a", "sound", False)])
    assert [command[0] for command in calls] == ["dpkg", "apt-get", "apt-get", "apt-get"]
    assert "update" in calls[-2]
    assert "apt-a" in calls[-1]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="shared objects are asked of ld.so")
def test_a_library_is_asked_of_the_dynamic_linker():
    assert system.loads("libc.so.6")
    assert not system.loads("libmicroturn-no-such-library.so.1")


def pins() -> dict[NormalizedName, str]:
    lines = (ROOT / "packaging" / "constraints.txt").read_text(encoding="utf-8").splitlines()
    found = [re.split("==", line) for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in found}


def declared() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project_section = project["project"]
    texts = project_section["dependencies"] + project_section["optional-dependencies"]["dev"]
    return [Requirement(text) for text in texts + project["build-system"]["requires"]]


def test_each_declared_dependency_is_pinned_the_same_in_both_places():
    for requirement in declared():
        assert str(requirement.specifier) == f"=={pins()[canonicalize_name(requirement.name)]}", requirement


SYSTEMS = [
    {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "platform_machine": "x86_64"},
    {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix", "platform_machine": "arm64"},
    {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt", "platform_machine": "AMD64"},
]


def test_everything_that_they_ask_for_is_pinned_too_on_every_system():
    installed = {canonicalize_name(d.metadata["Name"]): d for d in distributions()}
    seen: set[tuple[str, frozenset[str]]] = set()
    queue = [(requirement, frozenset({""})) for requirement in declared()]
    unpinned = set()
    while queue:
        requirement, extras = queue.pop()
        applies = [
            system_
            for system_ in SYSTEMS
            if requirement.marker is None
            or any(requirement.marker.evaluate({**system_, "extra": extra}) for extra in extras)
        ]
        name = canonicalize_name(requirement.name)
        wanted = (name, frozenset(requirement.extras))
        if not applies or wanted in seen:
            continue
        seen.add(wanted)
        if name not in pins():
            unpinned.add(name)
        if name in installed:
            inner = (Requirement(text) for text in installed[name].requires or ())
            queue += [(other, frozenset({"", *requirement.extras})) for other in inner]
    assert not unpinned
    assert len(seen) > 60


def test_what_is_installed_here_is_what_is_pinned():
    installed = {canonicalize_name(d.metadata["Name"]): d.version.split("+")[0] for d in distributions()}
    wrong = {n: (installed[n], v) for n, v in pins().items() if installed.get(n, v) != v}
    assert not wrong
