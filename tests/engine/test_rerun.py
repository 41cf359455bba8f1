"""A recorded session through another engine, in a process of its own."""

import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from engine.errors import InputError, MicroturnError
from engine.events import TextIn
from engine.recorder.reader import read_session
from engine.rerun import Rerun, plan
from tests.engine.recorder_samples import write_sample

WAIT_S = 60.0


def ended(rerun: Rerun) -> None:
    until = time.monotonic() + WAIT_S
    while not rerun.poll():
        assert time.monotonic() < until, "the replay did not end"
        time.sleep(0.05)


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    return write_sample(tmp_path / "session")


def test_plan_holds_what_was_put_in(recorded: Path):
    session = read_session(recorded)
    what = plan(session, "pipeline", 3, ("--pace", "fast"))
    assert what.input == recorded / "input.flac"
    assert what.seconds == pytest.approx(8.0)
    assert what.texts == tuple(e for e in session.events if isinstance(e, TextIn))
    assert (what.engine, what.seed, what.options) == ("pipeline", 3, ("--pace", "fast"))


def test_session_without_input_cannot_be_run_again(recorded: Path):
    (recorded / "input.flac").unlink()
    with pytest.raises(InputError, match="nothing to run again"):
        plan(read_session(recorded))


@pytest.mark.slow
def test_run_again_through_the_pipeline(recorded: Path, tmp_path: Path):
    session = read_session(recorded)
    rerun = Rerun(plan(session, "pipeline", 5), tmp_path / "again")
    try:
        ended(rerun)
        assert rerun.progress == pytest.approx(1.0)
    finally:
        rerun.close()
    again = read_session(tmp_path / "again")
    assert (again.header.engine, again.header.seed) == ("pipeline", 5)
    assert len(again.turns) == len(session.turns)
    assert [e.text for e in again.events if isinstance(e, TextIn)] == [
        e.text for e in session.events if isinstance(e, TextIn)
    ]


def test_what_went_wrong_is_told(recorded: Path, tmp_path: Path):
    rerun = Rerun(plan(read_session(recorded), "no-such-engine"), tmp_path / "again")
    try:
        with pytest.raises(MicroturnError, match="unknown engine 'no-such-engine'"):
            ended(rerun)
    finally:
        rerun.close()


def test_cancelled_means_ended_without_an_error(recorded: Path, tmp_path: Path):
    sleeper = tmp_path / "sleeper.py"
    sleeper.write_text("import sys, time\ntime.sleep(60)\n")
    rerun = Rerun(plan(read_session(recorded)), tmp_path / "again", (sys.executable, str(sleeper)))
    try:
        assert not rerun.poll()
        assert rerun.progress == 0.0
        rerun.cancel()
        ended(rerun)
    finally:
        rerun.close()


def test_closing_ends_what_will_not_end(recorded: Path, tmp_path: Path):
    deaf = tmp_path / "deaf.py"
    started = tmp_path / "started"
    deaf.write_text(
        "import signal, sys, time, pathlib\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        f"pathlib.Path({str(started)!r}).touch()\ntime.sleep(60)\n"
    )
    rerun = Rerun(plan(read_session(recorded)), tmp_path / "again", (sys.executable, str(deaf)))
    until = time.monotonic() + WAIT_S
    while not started.exists() and time.monotonic() < until:
        time.sleep(0.02)
    rerun.close()
    assert rerun.poll()


def test_program_that_is_not_there(recorded: Path, tmp_path: Path):
    what = replace(plan(read_session(recorded)), texts=())
    with pytest.raises(MicroturnError, match="cannot be started"):
        Rerun(what, tmp_path / "again", (str(tmp_path / "nothing"),))
