"""The files of a session: whole, and as a killed or stopped writer leaves them."""

import json
import os
import random
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import soundfile

from engine.events import EVENT_TYPES, Mark, TurnRecord
from engine.recorder import writer as module
from engine.recorder.audio_files import FlacWriter, WavWriter
from engine.recorder.folder import SessionFile
from engine.recorder.reader import read_audio, read_session
from engine.recorder.writer import SessionWriter
from tests.engine.recorder_samples import (
    HEADER,
    TURNS,
    heard_audio,
    other_events,
    turn,
    user_audio,
    write_sample,
)

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    return write_sample(tmp_path_factory.mktemp("rec") / "session", video=True)


def test_round_trip_gives_back_every_event(session):
    read = read_session(session)
    assert read.header == HEADER
    assert read.turns == tuple(turn(i) for i in range(TURNS))
    assert sorted(map(repr, read.events)) == sorted(map(repr, other_events()))
    assert read.damaged == ()
    assert read.duration == pytest.approx(8.0)


def test_timeline_is_in_time_order_and_uses_the_contracts_names(session):
    lines = [json.loads(line) for line in (session / "timeline.jsonl").read_text("utf-8").splitlines()]
    assert lines[0] == {
        "kind": "session", "version": 1, "chunk_ms": 200, "engine": "micro", "model": "tiny-0123456789ab",
        "seed": 7, "started_at": "2026-03-01T10:00:00+00:00", "source": "test",
    }  # fmt: skip
    times = [line["t0"] if line["kind"] == "transcript" else line["t"] for line in lines[1:]]
    assert times == sorted(times)
    assert {line["kind"] for line in lines} == set(EVENT_TYPES)
    wanted = {"i", "t", "decision", "probs", "text_out", "user_level_db", "self_level_db", "compute_ms"}
    assert all(wanted <= set(line) for line in lines if line["kind"] == "turn")


def test_audio_files_hold_what_was_given(session):
    info = soundfile.info(session / "output.wav")
    assert (info.samplerate, info.channels, info.subtype) == (24_000, 1, "PCM_16")
    assert info.frames == TURNS * 4_800
    info = soundfile.info(session / "input.flac")
    assert (info.samplerate, info.channels, info.frames) == (16_000, 1, TURNS * 3_200)
    assert np.abs(read_audio(session / "output.wav")[0] - heard_audio()).max() < 1e-4
    assert np.abs(read_audio(session / "input.flac")[0] - user_audio()).max() < 1e-4
    silent = read_audio(session / "output.wav", 0, round(2.8 * 24_000))[0]
    assert not silent.any()


def test_video_shows_each_picture_at_its_time(session):
    capture = cv2.VideoCapture(str(session / "video.mp4"))
    times, grey = [], []
    while True:
        ok, image = capture.read()
        if not ok:
            break
        times.append(capture.get(cv2.CAP_PROP_POS_MSEC))
        grey.append(image.mean())
    capture.release()
    assert times == pytest.approx([0, *(200 * i + 100 for i in range(TURNS))], abs=1)
    assert grey[1:] == pytest.approx([6 * i for i in range(TURNS)], abs=8)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no file modes")
def test_only_the_owner_may_read(session):
    assert stat.S_IMODE(session.stat().st_mode) == 0o700
    assert {stat.S_IMODE(f.stat().st_mode) for f in session.iterdir()} == {0o600}
    assert sorted(f.name for f in session.iterdir()) == [
        "input.flac",
        "output.wav",
        "timeline.jsonl",
        "video.mp4",
    ]


@pytest.mark.parametrize("rate", [16_000, 24_000])
def test_audio_headers_are_right_after_every_write(tmp_path, rate):
    wav, flac = (
        WavWriter(SessionFile(tmp_path / "a.wav"), rate),
        FlacWriter(SessionFile(tmp_path / "a.flac"), rate),
    )
    block = np.random.default_rng(0).standard_normal(3_200).astype(np.float32) * 0.1
    for n in range(1, 9):
        wav.write(block)
        flac.write(block)
        assert soundfile.info(tmp_path / "a.wav").frames == 3_200 * n
        # One encoder frame is kept back; before the first the header says "unknown".
        if n > 1:
            frames = soundfile.info(tmp_path / "a.flac").frames
            assert 3_200 * n - 4_096 <= frames < 3_200 * n
            assert len(soundfile.read(tmp_path / "a.flac")[0]) == frames
    wav.close()
    flac.close()
    assert soundfile.info(tmp_path / "a.flac").frames == 8 * 3_200


def test_loud_and_broken_samples_become_valid_ones(tmp_path):
    wav = WavWriter(SessionFile(tmp_path / "a.wav"), 24_000)
    wav.write(np.array([np.nan, np.inf, -np.inf, 7.0, -1e38, 0.5], np.float32))
    wav.close()
    assert soundfile.read(tmp_path / "a.wav")[0] == pytest.approx([0, 1, -1, 1, -1, 0.5], abs=1e-4)


CHILD = """
import sys, time
from pathlib import Path
from tests.engine.recorder_samples import HEADER, picture, turn
from engine.recorder.writer import SessionWriter
import numpy as np
writer = SessionWriter(Path(sys.argv[1]), HEADER)
noise = np.random.default_rng(0).standard_normal(4_800).astype(np.float32) * 0.1
started = time.monotonic()
for i in range(100_000):
    writer.event(turn(i))
    writer.turn(noise[:3_200], noise, picture(i % 40) if i < 40 else None)
    print(i, flush=True)
    time.sleep(max(0.0, started + 0.05 * (i + 1) - time.monotonic()))  # four times real time
"""


def start_recording(folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", CHILD, str(folder)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True)


def kill_after(child: subprocess.Popen[str], turns: int, wait_s: float) -> int:
    """SIGKILL a recording process once it has given so many turns; how many it had given."""
    assert child.stdout is not None
    given = 0
    while given < turns:
        given = int(child.stdout.readline()) + 1
    time.sleep(wait_s)
    child.send_signal(signal.SIGKILL)
    rest = child.stdout.read().split()
    child.stdout.close()
    child.wait()
    return int(rest[-1]) + 1 if rest else given


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_a_killed_recorder_leaves_a_session_that_lacks_a_second_at_most(tmp_path, seed):
    chance = random.Random(seed)
    turns = [*sorted(chance.choices(range(1, 40), k=3)), 1]
    children = [start_recording(tmp_path / str(n)) for n in range(4)]
    try:
        for n in (3, 0, 1, 2):
            given = kill_after(children[n], turns[n], chance.random() * 0.05)
            check_killed(tmp_path / str(n), given)
    finally:
        for child in children:
            with child:  # closes its pipe and waits for it
                child.kill()


def check_killed(folder: Path, given: int) -> None:
    read = read_session(folder)
    assert given - 5 <= len(read.turns) <= given + 1
    assert [t.i for t in read.turns] == list(range(len(read.turns)))
    for name, rate in (("input.flac", 16_000), ("output.wav", 24_000)):
        begun = (folder / name).stat().st_size > 0  # a kill may come before the file's header
        seconds = len(read_audio(folder / name)[0]) / rate if begun else 0.0
        assert given * 0.2 - 1.0 <= seconds <= given * 0.2 + 0.2
    if given > 5:
        with av.open(str(folder / "video.mp4")) as video:
            times = [f.time for f in video.decode(video=0)]
        assert times[0] == 0
        assert times[-1] >= min(given, 40) * 0.2 - 1.0


def test_the_writer_thread_never_holds_up_the_caller_and_counts_what_it_drops(tmp_path, monkeypatch):
    gate = threading.Event()
    write = WavWriter.write
    monkeypatch.setattr(WavWriter, "write", lambda self, samples: gate.wait() and write(self, samples))
    monkeypatch.setattr(module, "MAX_TURNS", 10)
    monkeypatch.setattr(module, "MAX_EVENTS", 20)
    writer = module.SessionWriter(tmp_path / "s", HEADER)
    loud = np.full(4_800, 0.5, np.float32)
    worst = 0.0
    for i in range(50):
        before = time.perf_counter()
        writer.turn(loud[:3_200], loud)
        writer.event(turn(i))
        worst = max(worst, time.perf_counter() - before)
    gate.set()
    assert writer.close(10)
    lost = writer.dropped
    assert worst < 0.1
    assert lost["turns"] >= 30
    assert f"{lost['turns']} micro-turns of audio lost" in " ".join(writer.take_faults())
    output, _ = read_audio(tmp_path / "s" / "output.wav")
    heard = np.abs(output.reshape(-1, 4_800)).mean(axis=1) > 0.4
    # Everything stands where it belongs: lost turns are silent, the newest ones are there.
    assert len(heard) == 50
    assert heard.sum() == 50 - lost["turns"]
    assert heard[-10:].all()
    kept = [t.i for t in read_session(tmp_path / "s").turns]
    assert len(kept) == 50 - lost["events"]
    assert kept[-20:] == list(range(30, 50))


def test_may_wait_loses_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MAX_TURNS", 2)
    monkeypatch.setattr(module, "MAX_EVENTS", 2)
    folder = write_sample(tmp_path / "s")
    assert len(read_session(folder).turns) == TURNS


def test_a_silent_engine_does_not_keep_lines_off_the_disk(tmp_path):
    writer = SessionWriter(tmp_path / "s", HEADER)
    writer.event(Mark(3.0, "nothing follows"))
    deadline = time.monotonic() + 5
    while not read_session(tmp_path / "s").events and time.monotonic() < deadline:
        time.sleep(0.02)
    assert read_session(tmp_path / "s").events == (Mark(3.0, "nothing follows"),)
    assert writer.close()


def test_a_value_json_does_not_know_costs_one_line_and_is_told(tmp_path):
    writer = SessionWriter(tmp_path / "s", HEADER)
    writer.event(TurnRecord(0, 0.0, "listen", {"listen": float("nan")}))
    writer.event(TurnRecord(1, float("nan"), "listen", {}))
    writer.event(turn(2))
    assert writer.close()
    assert len([f for f in writer.take_faults() if "turn line could not be recorded" in f]) == 2
    assert [t.i for t in read_session(tmp_path / "s").turns] == [2]
