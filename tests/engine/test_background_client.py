"""The supervising client, against worker processes that follow a script."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import psutil
import pytest

from engine.background import WORKER_FLAG, process, run_worker_if_asked
from engine.background.client import BackgroundClient
from engine.background.settings import BackgroundSettings, Supervision
from engine.events import BackgroundEvent
from engine.types import Frame

NONE = np.zeros(0, np.float32)
ENDS = ("answer", "failed", "cancelled")
QUICK = Supervision(ping_s=0.1, silence_s=1.5, start_silence_s=5.0, backoff_s=0.05)

# Does what the request's text says; ``starts`` holds one character for each worker started so far.
SCRIPTED = """
import os, signal, sys, threading, time
from engine.background.protocol import *

starts = sys.argv[1]
with open(starts, "a") as file:
    file.write(".")
first = os.path.getsize(starts) == 1
source, target = sys.stdin.buffer, sys.stdout.buffer
lock = threading.Lock()

def send(message):
    with lock:
        write_message(target, message)

def answer(job, words, pause=0.0):
    for word in words:
        time.sleep(pause)
        send(JobEvent(job, "partial", word, 0.0, {"role": "answer"}))
    send(JobEvent(job, "answer", " ".join(words), 0.0))

while (message := read_message(source)) is not None:
    if isinstance(message, Configure):
        if "never ready" in message.settings.model:
            print("no libraries", file=sys.stderr)
            sys.exit(7)
        send(Status("loading", 0.5))
        send(Ready("scripted"))
    elif isinstance(message, Ping):
        send(Pong(message.number))
    elif isinstance(message, Stop):
        if "stubborn" not in starts:
            sys.exit(0)
    elif isinstance(message, Request):
        job, (what, *words) = message.job, message.text.split()
        once = first or what.endswith("always")
        if what.startswith("die") and once:
            send(JobEvent(job, "partial", words[0], 0.0, {"role": "answer"}))
            os.kill(os.getpid(), signal.SIGKILL)
        elif what.startswith("freeze") and once:
            os.kill(os.getpid(), signal.SIGSTOP)
        elif what.startswith("garble") and once:
            target.write(b"\\x00 not a message\\n" * 3)
            target.flush()
        elif what == "hang":
            pass
        elif what == "slow":
            threading.Thread(target=answer, args=(job, words, 0.1), daemon=True).start()
        elif what == "picture":
            answer(job, [str(len(message.jpeg)), message.jpeg[:3].hex() or "none"])
        else:
            answer(job, words)
"""


@pytest.fixture
def starts(tmp_path: Path) -> Path:
    return tmp_path / "starts"


@pytest.fixture
def client(starts: Path) -> Iterator[Callable[..., BackgroundClient]]:
    """Starts a client with a scripted worker; stops it, and checks how long that takes."""
    clients = []

    def start(limits: Supervision = QUICK, simulated: bool = False, **settings) -> BackgroundClient:
        command = (sys.executable, "-c", SCRIPTED, str(starts))
        made = BackgroundClient(
            BackgroundSettings(**settings), simulated=simulated, command=command, limits=limits
        )
        clients.append(made)
        made.start()
        return made

    yield start
    for made in clients:
        began = time.monotonic()
        made.stop()
        assert time.monotonic() - began < 3.0
        assert made.status.state == "stopped"


def finish(client: BackgroundClient, job: int, timeout: float = 15.0) -> list[BackgroundEvent]:
    """All events until the job has ended."""
    events: list[BackgroundEvent] = []
    deadline = time.monotonic() + timeout
    while not any(e.id == job and e.event in ENDS for e in events):
        assert time.monotonic() < deadline, events
        events += client.poll(1e9)
        time.sleep(0.005)
    return events


def ask(client: BackgroundClient, text: str, t: float = 1.0) -> int:
    return client.submit(t, NONE, text, (), None)


def streamed(events: list[BackgroundEvent]) -> str:
    return " ".join(e.text for e in events if e.detail.get("role") == "answer")


def test_asked_streamed_answered(client):
    background = client()
    assert background.wait_ready(10)
    events = finish(background, ask(background, "say Four is the answer."))
    assert [e.event for e in events] == ["asked", *["partial"] * 4, "answer"]
    assert streamed(events) == events[-1].text == "Four is the answer."
    assert all(earlier.t <= later.t for earlier, later in pairwise(events))
    assert background.take_faults() == ()
    assert background.status.text == "scripted"


def test_a_request_before_the_worker_is_ready_is_answered(client):
    background = client()
    assert finish(background, ask(background, "say early"))[-1].text == "early"


def test_many_requests_are_answered_in_turn(client):
    background = client()
    jobs = [ask(background, f"say {n}") for n in range(4)]
    events = finish(background, jobs[-1])
    assert [e.text for e in events if e.event == "answer"] == ["0", "1", "2", "3"]


def test_submit_and_poll_never_wait(client):
    background = client()
    audio = np.zeros(60 * 16_000, np.float32)
    assert background.wait_ready(10)
    worst = 0.0
    for _ in range(20):
        began = time.perf_counter()
        background.submit(1.0, audio, "hang", (), None)
        background.poll(1e9)
        worst = max(worst, time.perf_counter() - began)
        time.sleep(0.01)
    assert worst < 0.1


def test_killed_in_the_middle_it_is_tried_again_and_answered(client, starts):
    background = client()
    events = finish(background, ask(background, "die One two three."))
    assert streamed(events) == events[-1].text == "One two three."
    assert events[-1].detail["attempt"] == 2
    assert [e.detail["why"] for e in events if e.detail.get("role") == "retry"] == [
        "the background process was lost: killed by signal 9"
    ]
    assert starts.read_text() == ".."
    assert "killed by signal 9" in background.take_faults()[0]


def test_a_request_that_kills_every_worker_fails_and_the_next_is_answered(client, starts):
    background = client()
    bad, good = ask(background, "die-always One two."), ask(background, "say Fine.")
    events = finish(background, good)
    failed = [e for e in events if e.event == "failed"]
    assert [e.id for e in failed] == [bad]
    assert "twice" in failed[0].detail["advice"]
    assert events[-1].text == "Fine."
    assert starts.read_text() == "..."


def test_a_stopped_worker_is_killed_and_its_request_answered_by_the_next(client, starts):
    background = client()
    assert background.wait_ready(10)
    frozen = background.pid
    assert frozen is not None
    events = finish(background, ask(background, "freeze Thawed."))
    assert events[-1].text == "Thawed."
    assert "silent" in background.take_faults()[0]
    assert not psutil.pid_exists(frozen)
    assert starts.read_text() == ".."


def test_an_idle_worker_that_dies_is_replaced(client, starts):
    background = client()
    assert background.wait_ready(10)
    psutil.Process(background.pid).kill()
    assert finish(background, ask(background, "say Back."))[-1].text == "Back."
    assert starts.read_text() == ".."


def test_a_worker_that_talks_nonsense_is_replaced(client, starts):
    background = client()
    assert finish(background, ask(background, "garble Clear."))[-1].text == "Clear."
    assert "broke off" in background.take_faults()[0]
    assert starts.read_text() == ".."


def test_a_request_without_end_fails(client):
    background = client(limits=replace(QUICK, job_s=1.0))
    events = finish(background, ask(background, "hang"))
    assert events[-1].event == "failed"
    assert "no end after 1 s" in events[-1].detail["advice"]
    assert finish(background, ask(background, "say Next."))[-1].text == "Next."


def test_a_worker_that_never_starts_fails_the_requests_and_says_why(client, starts):
    background = client(model="never ready")
    events = finish(background, ask(background, "say Hello."))
    assert events[-1].event == "failed"
    assert "no libraries" in events[-1].detail["advice"]
    assert not background.wait_ready(10)
    assert background.status.state == "broken"
    assert finish(background, ask(background, "say Again."))[-1].event == "failed"
    assert len(starts.read_text()) >= 3


def test_a_program_that_does_not_exist():
    background = BackgroundClient(BackgroundSettings(), command=("/nowhere/at-all",), limits=QUICK)
    background.start()
    try:
        assert finish(background, ask(background, "say Hello."))[-1].event == "failed"
        assert not background.wait_ready(5)
        assert "cannot be started" in background.status.text
    finally:
        background.stop()


def test_a_cancelled_job_ends_at_once(client):
    background = client()
    assert background.wait_ready(10)
    job = ask(background, "hang", t=2.0)
    background.cancel(job, 2.5)
    events = finish(background, job)
    assert [(e.event, e.t) for e in events] == [("asked", 2.0), ("cancelled", 2.5)]


def test_simulated_time_goes_no_faster_than_the_answer(client):
    background = client(simulated=True)
    assert background.wait_ready(10)
    job = ask(background, "slow One two three.", t=10.0)
    began = time.monotonic()
    arrived: list[tuple[float, str]] = []
    for turn in range(50, 500):
        t = 0.2 * (turn + 1)
        background.wait_until(t)
        for event in background.poll(t):
            assert t - 0.2 - 1e-6 <= event.t < t
            arrived.append((t, event.event))
        if arrived and arrived[-1][1] == "answer":
            break
    took = time.monotonic() - began
    assert [event for _, event in arrived] == ["asked", "partial", "partial", "partial", "answer"]
    assert took >= 0.3
    assert abs((arrived[-1][0] - 10.0) - took) < 0.25
    began = time.monotonic()
    background.wait_until(1e6)
    assert time.monotonic() - began < 0.1
    background.cancel(job, 99.0)
    assert background.poll(1e9) == ()


def test_pictures_are_sent_only_when_wanted(client, starts):
    frame = Frame(np.full((480, 640, 3), 90, np.uint8), 0, 0.0)
    background = client()
    events = finish(background, background.submit(0.0, NONE, "picture", (), frame))
    assert events[-1].text == "0 none"
    background = client(send_frames=True)
    size, start = finish(background, background.submit(0.0, NONE, "picture", (), frame))[-1].text.split()
    assert int(size) > 500
    assert start == "ffd8ff"


def test_a_worker_that_does_not_leave_is_killed(tmp_path):
    command = (sys.executable, "-c", SCRIPTED, str(tmp_path / "stubborn"))
    background = BackgroundClient(BackgroundSettings(), command=command)
    background.start()
    assert background.wait_ready(10)
    pid = background.pid
    began = time.monotonic()
    background.stop()
    assert time.monotonic() - began < 3.0
    assert pid is not None and not psutil.pid_exists(pid)


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGSTOP")
def test_a_stopped_worker_does_not_hold_up_the_end(client):
    background = client(limits=Supervision())
    assert background.wait_ready(10)
    pid = background.pid
    os.kill(pid, signal.SIGSTOP)
    background.submit(0.0, np.zeros(60 * 16_000, np.float32), "say", (), None)
    time.sleep(0.3)  # its pipe is full now
    began = time.monotonic()
    background.stop()
    assert time.monotonic() - began < 3.0
    assert not psutil.pid_exists(pid)


def test_stopping_what_was_never_started():
    background = BackgroundClient(BackgroundSettings(), command=("/nowhere",))
    background.stop()
    assert background.status.state == "stopped"
    assert not background.wait_ready(5)


def worker(stdin: int = subprocess.PIPE) -> subprocess.Popen[bytes]:
    """The real worker, before it is told to load anything."""
    environment = process.worker_environment(1)
    return subprocess.Popen(
        process.worker_command(), stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    )


def test_the_worker_leaves_when_its_pipe_ends():
    with worker() as child:
        assert child.stdin is not None
        child.stdin.close()
        assert child.wait(10) == 0


def test_the_worker_leaves_when_it_is_sent_nonsense():
    with worker() as child:
        _, errors = child.communicate(b"\x80\x04 a pickle?\n", timeout=10)
        assert child.returncode == 3
        assert b"broke off" in errors
        assert b"Traceback" not in errors


def killed_with(engine: "subprocess.Popen[bytes]") -> bool:
    """Kill an engine that has printed its worker's process id. Whether the worker went with it."""
    assert engine.stdout is not None
    child = psutil.Process(int(engine.stdout.readline()))
    time.sleep(0.5)
    assert child.is_running()
    engine.kill()
    engine.wait(5)
    return not psutil.wait_procs([child], timeout=5)[1]


def test_the_worker_dies_with_the_engine(tmp_path):
    script = textwrap.dedent("""
        import sys, time
        from engine.background.client import BackgroundClient
        from engine.background.settings import BackgroundSettings
        client = BackgroundClient(BackgroundSettings(cache_dir=sys.argv[1]))
        client.start()
        while client.pid is None:
            time.sleep(0.01)
        print(client.pid, flush=True)
        time.sleep(60)
    """)
    command = (sys.executable, "-c", script, str(tmp_path))
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=process.worker_environment(1)) as engine:
        assert killed_with(engine)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="PR_SET_PDEATHSIG is Linux's")
def test_the_worker_dies_with_the_engine_also_when_somebody_holds_the_pipe():
    script = textwrap.dedent("""
        import subprocess, sys, time
        from engine.background.process import worker_command
        child = subprocess.Popen(worker_command(), stdin=int(sys.argv[1]), stdout=subprocess.DEVNULL)
        print(child.pid, flush=True)
        time.sleep(60)
    """)
    reading, writing = os.pipe()
    command = (sys.executable, "-c", script, str(reading))
    try:
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, pass_fds=(reading,), env=process.worker_environment(1)
        ) as engine:
            assert killed_with(engine)
    finally:
        os.close(reading)
        os.close(writing)


def test_the_key_is_not_in_the_environment_nor_on_the_command_line(monkeypatch):
    monkeypatch.setenv("MICROTURN_API_KEY", "secret-7")
    background = BackgroundClient()
    assert "secret-7" not in str(process.worker_environment(1)) + " ".join(process.worker_command())
    assert "secret-7" not in repr(background.__dict__)


def test_the_frozen_application_becomes_the_worker(monkeypatch):
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    program, flag, parent = process.worker_command()
    assert (program, flag, parent) == (sys.executable, WORKER_FLAG, str(os.getpid()))
    code = (
        "import sys; from engine.background import run_worker_if_asked; "
        "run_worker_if_asked(sys.argv[1:]); print('went on')"
    )
    done = subprocess.run(
        (sys.executable, "-c", code, flag, parent),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=process.worker_environment(1),
        timeout=20,
    )
    assert (done.returncode, done.stdout) == (0, b"")


def test_other_arguments_are_no_worker():
    run_worker_if_asked([])
    run_worker_if_asked(["replay", WORKER_FLAG])
