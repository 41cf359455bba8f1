"""The supervising client, against worker processes that follow a script."""

import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
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
from engine.background.protocol import Hear, Ready
from engine.background.settings import BackgroundSettings, Supervision
from engine.events import BackgroundEvent, Caption
from engine.handover import HandOver, Line
from engine.types import Frame, Samples

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

# What the user "says" is the sound's first number: so many words, nine of them settled.
SAID = "What is two plus two and what is three".split()

def listen(message):
    count = int(message.audio and __import__("numpy").frombuffer(message.audio, "<f4")[0] * 100 + 0.5)
    if count:
        words = tuple((word, 0.1 * n, 0.1 * n + 0.1) for n, word in enumerate(SAID[:count]))
        send(HeardWords(0, count, words, 0, count == 9, False, message.t + 0.2))
    if count == 9:
        detail = {"role": "request", "since": message.since, "utterance": 0, "revision": count, "topic": "it"}
        send(JobEvent(-1, "partial", " ".join(SAID), 0.0, detail))
        send(JobEvent(-1, "partial", "Four.", 0.0, {"role": "answer"}))
        send(JobEvent(-1, "answer", "Four.", 0.0))
    send(Listened(message.index))

notes = []

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
    elif isinstance(message, Hear):
        notes.append(f"hear{message.index}")
        if "deaf" in starts:
            time.sleep(3600)
        listen(message)
    elif isinstance(message, Lines):
        notes.append("lines:" + "|".join(line.text for line in message.lines))
    elif isinstance(message, Share):
        notes.append("share:" + "|".join(message.paths))
    elif isinstance(message, Permit):
        notes.append(f"permit{message.job}:{message.allowed}")
        answer(message.job, ["Yes." if message.allowed else "No."])
    elif isinstance(message, Cancel):
        notes.append(f"cancel{message.job}")
    elif isinstance(message, Told):
        notes.append(f"told{message.alarm}")
    elif isinstance(message, Request):
        job, (what, *words) = message.job, (message.text or f"adopt {message.adopt}").split()
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
        elif what == "adopt":
            notes.append(f"adopt{words[0]}")
            send(JobEvent(job, "answer", "Four.", 0.0))
        elif what == "notes":
            answer(job, notes)
        elif what == "alarm":
            for _ in range(2):
                send(Due(int(words[0]), "Your timer is done."))
            answer(job, ["Set."])
        elif what == "ask":
            send(JobEvent(job, "partial", "May I?", 0.0, {"role": "question", "tool": "look"}))
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


def poll(client: BackgroundClient) -> list[BackgroundEvent]:
    return [event for event in client.poll(1e9) if isinstance(event, BackgroundEvent)]


def finish(client: BackgroundClient, *jobs: int, timeout: float = 15.0) -> list[BackgroundEvent]:
    """All events until the jobs have ended."""
    events: list[BackgroundEvent] = []
    deadline = time.monotonic() + timeout
    while not set(jobs) <= {e.id for e in events if e.event in ENDS}:
        assert time.monotonic() < deadline, events
        events += poll(client)
        time.sleep(0.005)
    return events


def ask(client: BackgroundClient, text: str, t: float = 1.0) -> int:
    return client.submit(t, HandOver(text=text), None)


def notes(client: BackgroundClient) -> list[str]:
    """What the worker has got besides requests."""
    return finish(client, ask(client, "notes"))[-1].text.split()


def sound(number: float) -> Samples:
    return np.full(3_200, number / 100, np.float32)


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
    events = finish(background, *jobs)
    assert [e.text for e in events if e.event == "answer"] == ["0", "1", "2", "3"]


def test_submit_and_poll_never_wait(client):
    background = client()
    audio = np.zeros(60 * 16_000, np.float32)
    assert background.wait_ready(10)
    worst = 0.0
    for _ in range(20):
        began = time.perf_counter()
        background.submit(1.0, HandOver(audio=audio, text="hang"), None)
        background.hear(0, audio[:3_200], 0.2, 0.0)
        background.know((Line("user", "Hello."),))
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
    events = finish(background, bad, good)
    failed = [e for e in events if e.event == "failed"]
    assert [e.id for e in failed] == [bad]
    assert "twice" in failed[0].detail["advice"]
    assert [e.text for e in events if e.event == "answer"] == ["Fine."]
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
    background = client(limits=replace(QUICK, job_s=0.5, overdue_s=0.5))
    other = ask(background, "slow Some other words that take their time.")
    events = finish(background, ask(background, "hang"), other)
    failed = [e for e in events if e.event == "failed"]
    assert len(failed) == 1
    assert "no end after 0.5 s" in failed[0].detail["advice"]
    assert [e.text for e in events if e.event == "answer"] == ["Some other words that take their time."]
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
    time.sleep(0.2)
    background.cancel(job, 2.5, "the user said so")
    events = finish(background, job)
    assert [(e.event, e.t) for e in events] == [("asked", 2.0), ("cancelled", 2.5)]
    assert events[-1].detail["reason"] == "the user said so"
    assert f"cancel{job}" in notes(background)
    again = background.retry(job, 4.0)
    assert again not in (None, job)
    assert background.retry(again, 4.5) is None
    background.cancel(again, 5.0)
    assert [(e.id, e.t) for e in poll(background)] == [(again, 4.0), (again, 5.0)]


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


def test_the_picture_goes_with_the_request(client):
    """Whether a language model gets to see it is for the worker to decide."""
    frame = Frame(np.full((1_480, 640, 3), 90, np.uint8), 0, 0.0)
    background = client()
    size, start = finish(background, background.submit(0.0, HandOver(text="picture"), frame))[-1].text.split()
    assert int(size) > 500
    assert start == "ffd8ff"
    assert finish(background, ask(background, "picture"))[-1].text == "0 none"


def test_several_are_answered_at_once(client):
    background = client()
    assert background.wait_ready(10)
    slow, quick = ask(background, "slow One two three four five."), ask(background, "say Quick.", t=1.1)
    events = finish(background, slow, quick)
    ends = [(e.id, e.text) for e in events if e.event == "answer"]
    assert ends == [(quick, "Quick."), (slow, "One two three four five.")]
    assert [e.t for e in events if e.event == "asked"] == [1.0, 1.1]


def test_what_the_user_says_comes_back_as_captions(client):
    background = client(simulated=True)
    assert background.wait_ready(10)
    captions: list[Caption] = []
    for index, count in enumerate((0, 1, 3, 3)):
        t = 0.2 * (index + 1)
        background.hear(index, sound(count), t, 0.0)
        background.wait_until(t + 0.2)
        events = background.poll(t + 0.2)
        captions += [event for event in events if isinstance(event, Caption)]
    assert [caption.text for caption in captions] == ["What", "What is two", "What is two"]
    assert all(0.2 * n <= caption.t <= 0.2 * (n + 1) for n, caption in enumerate(captions, 2))
    assert background.take_faults() == ()


def test_what_was_thought_ahead_is_there_at_the_hand_over(client):
    background = client(simulated=True)
    assert background.wait_ready(10)
    background.hear(0, sound(9), 0.2, 0.0)
    background.wait_until(60.0)
    background.poll(0.4)
    job = background.submit(0.4, HandOver(since=0.0), None)
    events = background.poll(0.4 + 1e-6)
    assert [(e.id, e.t, e.text) for e in events if isinstance(e, BackgroundEvent)] == [
        (job, 0.4, ""),
        (job, 0.4, "What is two plus two and what is three"),
        (job, 0.4, "Four."),
    ]
    ending = finish(background, job)
    assert [(e.event, e.text) for e in ending] == [("answer", "Four.")]
    assert "adopt-1" in notes(background)


def test_a_new_worker_hears_the_last_seconds_again_and_learns_what_is_known(client, starts):
    background = client()
    background.know((Line("user", "early"),))
    background.share(("/a",))
    background.hear(0, sound(0), 0.2, 0.0)
    assert background.wait_ready(10)
    assert notes(background) == ["lines:early", "share:/a", "hear0"]
    background.know((Line("user", "late"),))
    background.share(tuple(f"/{n}" for n in range(20)))
    background.hear(1, sound(0), 0.4, 0.0)
    shared = "share:" + "|".join(f"/{n}" for n in range(4, 20))
    assert notes(background)[3:] == ["lines:late", shared, "hear1"]
    psutil.Process(background.pid).kill()
    assert notes(background) == ["lines:late", shared, "hear0", "hear1"]
    assert starts.read_text() == ".."


def test_sound_for_which_there_is_no_room_is_counted(tmp_path):
    command = (sys.executable, "-c", SCRIPTED, str(tmp_path / "deaf"))
    background = BackgroundClient(BackgroundSettings(), command=command, limits=QUICK)
    background.start()
    try:
        assert background.wait_ready(10)
        began = time.monotonic()
        for index in range(400):
            background.hear(index, sound(0), 0.2 * (index + 1), 0.0)
        assert time.monotonic() - began < 0.5
        faults = background.take_faults()
        assert len(faults) == 1
        assert re.fullmatch(r"the background process missed \d\d\.\d s of sound", faults[0])
        assert background.take_faults() == ()
    finally:
        background.stop()


class Pipe:
    """Stands where the worker process stands, and keeps what is offered; ``full`` while there is no room."""

    def __init__(self) -> None:
        self.ready, self.full, self.room, self.ready_at = False, False, 50, 0.0
        self.heard: list[int] = []
        self.during: Callable[[], None] = lambda: None

    def send(self, message: object) -> None:
        pass

    def offer(self, message: object) -> bool:
        if isinstance(message, Hear) and not self.full:
            self.heard.append(message.index)
            during, self.during = self.during, lambda: None
            during()
        return not self.full


def test_sound_that_comes_while_the_last_seconds_are_heard_again_is_not_lost(monkeypatch):
    background, pipe = BackgroundClient(BackgroundSettings()), Pipe()
    monkeypatch.setattr(background, "_worker", pipe)
    for index in range(3):
        background.hear(index, sound(0), 0.2 * (index + 1), 0.0)
    live = threading.Thread(target=background.hear, args=(3, sound(0), 0.8, 0.0))

    def speak() -> None:
        live.start()
        live.join(0.1)

    pipe.during = speak
    background._ready(pipe, Ready("scripted"))  # type: ignore[arg-type]
    live.join(5)
    assert pipe.heard == [0, 1, 2, 3]


def test_sound_without_room_leaves_the_sound_before_it_being_listened_to(monkeypatch, tmp_path):
    settings = BackgroundSettings(store=str(tmp_path / "mind.sqlite"))
    background, pipe = BackgroundClient(settings, simulated=True), Pipe()
    monkeypatch.setattr(background, "_worker", pipe)
    pipe.ready = True
    background.hear(0, sound(0), 0.2, 0.0)
    pipe.full = True
    background.hear(1, sound(0), 0.4, 0.0)
    began = time.monotonic()
    background.wait_until(0.5)
    assert 0.2 < time.monotonic() - began < 1.0  # held by micro-turn 0, not by 1
    background._book.listened(0)
    began = time.monotonic()
    background.wait_until(9.0)
    assert time.monotonic() - began < 0.2
    assert "missed 0.2 s" in " ".join(background.take_faults())


def test_an_alarm_is_told_once_and_the_worker_learns_that_it_was(client):
    background = client()
    events = finish(background, ask(background, "alarm 7"))
    assert [e.text for e in events if "alarm" in e.detail] == ["", "Your timer is done."]
    assert notes(background)[-1] == "told7"
    assert not [e for e in poll(background) if "alarm" in e.detail]
    # The worker repeats what it was not told of, or what it was told of and has forgotten.
    events = finish(background, ask(background, "alarm 7"))
    assert not [e for e in events if "alarm" in e.detail]
    assert notes(background)[-1] == "told7"


@pytest.mark.parametrize(("allowed", "said"), [(True, "Yes."), (False, "No.")])
def test_a_question_is_answered(client, allowed, said):
    background = client()
    job = ask(background, "ask")
    deadline = time.monotonic() + 10
    events: list[BackgroundEvent] = []
    while not any(e.detail.get("role") == "question" for e in events):
        assert time.monotonic() < deadline
        events += poll(background)
        time.sleep(0.005)
    background.permit(job, allowed)
    assert finish(background, job)[-1].text == said


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
    background.submit(0.0, HandOver(audio=np.zeros(60 * 16_000, np.float32), text="say"), None)
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
