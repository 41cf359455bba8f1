"""What every test gets: no network for model hubs, no screen, and nothing left running behind it."""

import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator

import psutil
import pytest

# Before any test imports Qt or a model hub's client.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
# Neither the language servers nor the notes and alarms of whoever runs the tests.
os.environ["MICROTURN_DISCOVER"] = "0"
_OWN_DATA = tempfile.TemporaryDirectory(prefix="microturn-tests-")
os.environ["XDG_DATA_HOME"] = _OWN_DATA.name

GRACE_S = 2.0

# Started once by libraries, and ended with the process.
LASTING_THREADS = ("tqdm_monitor",)
LASTING_CHILDREN = ("multiprocessing.resource_tracker", "multiprocessing.forkserver")

Running = dict[tuple[str, int], str]


def running() -> Running:
    """Live threads and child processes (with their own children), each with a name for people."""
    found: Running = {}
    for thread in threading.enumerate():
        if thread.is_alive() and thread.name not in LASTING_THREADS:
            found["thread", thread.ident or 0] = f"thread {thread.name}"
    for child in psutil.Process().children(recursive=True):
        try:
            command = " ".join(child.cmdline()) or child.name()
            zombie = child.status() == psutil.STATUS_ZOMBIE
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        if not zombie and not any(name in command for name in LASTING_CHILDREN):
            found["process", child.pid] = f"process {child.pid}: {command[:200]}"
    return found


def left_behind(before: Running, now: Callable[[], Running] = running, grace_s: float = GRACE_S) -> Running:
    """What runs now and did not before, after up to ``grace_s`` seconds to end by itself."""
    deadline = time.monotonic() + grace_s
    while extra := {key: name for key, name in now().items() if key not in before}:
        if time.monotonic() > deadline:
            return extra
        time.sleep(0.02)
    return {}


def fail_if_left(before: Running) -> None:
    """Fail, and end the processes left behind, so that one leak does not spoil the tests after it."""
    extra = left_behind(before)
    for kind, pid in extra:
        if kind == "process" and psutil.pid_exists(pid):
            psutil.Process(pid).kill()
    if extra:
        pytest.fail("left running: " + "; ".join(extra.values()))


@pytest.fixture(scope="session", autouse=True)
def no_leaks_at_the_end() -> Iterator[None]:
    """For what fixtures wider than one test have started."""
    before = running()
    yield
    fail_if_left(before)


@pytest.fixture(autouse=True)
def no_leaks(no_leaks_at_the_end: None) -> Iterator[None]:
    """Fails a test that leaves a thread or a child process behind."""
    before = running()
    yield
    fail_if_left(before)
