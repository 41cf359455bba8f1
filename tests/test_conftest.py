"""The leak check itself: it sees what is left, and waits for what is about to end."""

import subprocess
import sys
import threading

from tests.conftest import left_behind, running

SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]


def test_a_thread_left_behind_is_seen_until_it_ends():
    before = running()
    release = threading.Event()
    thread = threading.Thread(target=release.wait, name="forgotten")
    thread.start()
    try:
        assert list(left_behind(before, grace_s=0.0).values()) == ["thread forgotten"]
    finally:
        release.set()
        thread.join()
    assert not left_behind(before)


def test_a_child_process_left_behind_is_seen_until_it_ends():
    before = running()
    child = subprocess.Popen(SLEEPER)
    try:
        left = left_behind(before, grace_s=0.0)
        assert list(left) == [("process", child.pid)]
        assert "time.sleep(60)" in left["process", child.pid]
    finally:
        child.kill()
        child.wait()
    assert not left_behind(before)


def test_what_ends_within_the_grace_time_is_no_leak():
    before = running()
    thread = threading.Timer(0.1, lambda: None)
    thread.start()
    assert not left_behind(before, grace_s=2.0)
