"""Where a session can and cannot be written, and what happens when the disk gives out."""

import errno
import os
import subprocess
import threading
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import soundfile

from engine.errors import InputError
from engine.events import Fault
from engine.recorder import folder as folder_module
from engine.recorder.folder import SessionFile, hold, in_use, new_session_folder
from engine.recorder.reader import read_audio, read_session
from engine.recorder.writer import SessionWriter
from tests.engine.recorder_samples import HEADER, picture, turn, write_sample


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        SessionWriter(path, HEADER)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_folder_with_a_session_is_left_alone(tmp_path):
    write_sample(tmp_path / "s")
    before = (tmp_path / "s" / "timeline.jsonl").read_bytes()
    assert "already holds a session: choose another folder" in refusal(tmp_path / "s")
    assert (tmp_path / "s" / "timeline.jsonl").read_bytes() == before


def test_a_folder_with_other_things_is_left_alone(tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    assert "is not empty: choose a new or an empty folder" in refusal(tmp_path)
    assert [f.name for f in tmp_path.iterdir()] == ["letter.txt"]


def test_an_empty_folder_is_taken_and_closed_to_others(tmp_path):
    (tmp_path / "s").mkdir(mode=0o755)
    assert SessionWriter(tmp_path / "s", HEADER).close()
    if os.name != "nt":
        assert (tmp_path / "s").stat().st_mode & 0o777 == 0o700


def test_a_file_in_the_way_is_said(tmp_path):
    (tmp_path / "taken").write_text("")
    assert "there is a file of that name" in refusal(tmp_path / "taken")
    assert "part of the path is a file" in refusal(tmp_path / "taken" / "below")


def test_a_folder_that_may_not_be_written_is_said(tmp_path, monkeypatch):
    def denied(*_args, **_kwargs):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", denied)
    assert "permission denied" in refusal(tmp_path / "s")


def test_two_copies_cannot_write_one_folder(tmp_path, monkeypatch):
    first = SessionWriter(tmp_path / "s", HEADER)
    # The second copy looked at the folder just before the first had made its files.
    monkeypatch.setattr("engine.recorder.writer.prepare_folder", lambda folder: None)
    assert "being written by another copy" in refusal(tmp_path / "s")
    first.event(turn(0))
    assert first.close()
    assert len(read_session(tmp_path / "s").turns) == 1


def test_new_session_folders_never_collide(tmp_path):
    now = datetime(2026, 3, 1, 9, 5, 7, tzinfo=UTC)
    first = new_session_folder(tmp_path, now)
    assert first.name == "2026-03-01_09-05-07"
    first.mkdir()
    assert new_session_folder(tmp_path, now).name == "2026-03-01_09-05-07_2"


class SmallDisk:
    """Lets so many bytes through in all, then says that the disk is full; truncating gives room back."""

    def __init__(self, monkeypatch, size: int) -> None:
        self.size = size
        write_some, cut = SessionFile._write_some, SessionFile.cut

        def limited(file, view):
            growth = max(0, file.tell() + len(view) - os.fstat(file._raw.fileno()).st_size)
            if growth == 0:
                return write_some(file, view)
            if self.size <= 0:
                raise OSError(errno.ENOSPC, "No space left on device")
            written = write_some(file, view[: max(1, len(view) - growth + min(growth, self.size))])
            self.size -= growth
            return written

        def freeing(file, size):
            self.size = max(0, self.size) + os.fstat(file._raw.fileno()).st_size - size
            cut(file, size)

        monkeypatch.setattr(SessionFile, "_write_some", limited)
        monkeypatch.setattr(SessionFile, "cut", freeing)


def record(folder: Path, turns: int) -> SessionWriter:
    writer = SessionWriter(folder, HEADER, may_wait=True)
    noise = np.random.default_rng(0).standard_normal(4_800).astype(np.float32) * 0.1
    for i in range(turns):
        writer.event(turn(i))
        writer.turn(noise[:3_200], noise, picture(i % 40))
    return writer


def check_stopped(folder: Path, writer: SessionWriter) -> None:
    assert writer.close(10)
    assert not writer.recording
    faults = [f for f in writer.take_faults() if "recording stopped after" in f]
    assert len(faults) == 1
    assert "the disk is full" in faults[0]
    read = read_session(folder)
    assert [t.i for t in read.turns] == list(range(len(read.turns)))
    output, input_ = read_audio(folder / "output.wav")[0], read_audio(folder / "input.flac")[0]
    assert len(output) % 4_800 == 0
    for name, samples in (("output.wav", output), ("input.flac", input_)):
        noise = np.random.default_rng(0).standard_normal(4_800).astype(np.float32) * 0.1
        chunk = noise if name == "output.wav" else noise[:3_200]
        assert len(samples) == soundfile.info(folder / name).frames or len(samples) == 0
        assert np.abs(samples - np.resize(chunk, len(samples))).max(initial=0.0) < 1e-4
    seconds = float(faults[0].split("after ")[1].split(" s")[0])
    assert len(output) / 24_000 == pytest.approx(seconds)
    assert len(input_) / 16_000 == pytest.approx(seconds, abs=0.7)
    assert len(read.turns) * 0.2 == pytest.approx(seconds, abs=0.7)


@pytest.mark.parametrize("size", [1_000, 9_000, *range(40_000, 60_000, 1_700), 150_000, 200_123])
def test_a_full_disk_stops_the_recording_visibly_and_keeps_what_was_there(tmp_path, monkeypatch, size):
    SmallDisk(monkeypatch, size)
    check_stopped(tmp_path / "s", record(tmp_path / "s", 60))


def test_the_fault_itself_gets_onto_the_full_disk(tmp_path, monkeypatch):
    SmallDisk(monkeypatch, 150_000)
    assert record(tmp_path / "s", 60).close(10)
    faults = [e for e in read_session(tmp_path / "s").events if isinstance(e, Fault)]
    assert any("the disk is full" in f.what for f in faults)


@pytest.mark.parametrize("size", [0, 1, 100, 150, 170, 190])
def test_no_room_at_the_start_is_an_input_error_and_leaves_nothing(tmp_path, monkeypatch, size):
    SmallDisk(monkeypatch, size)
    assert "the disk is full" in refusal(tmp_path / "s")
    assert not list((tmp_path / "s").iterdir())


@pytest.fixture
def small_tmpfs(tmp_path):
    """A real file system of 256 KiB; only root may mount one."""
    mount = tmp_path / "disk"
    mount.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(mount)]
    try:
        mounted = subprocess.run(command, capture_output=True).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("mounting a file system is not permitted here")
    yield mount
    subprocess.run(["umount", str(mount)], check=True)


def test_a_real_full_disk(small_tmpfs):
    check_stopped(small_tmpfs / "s", record(small_tmpfs / "s", 60))
    assert any(isinstance(e, Fault) for e in read_session(small_tmpfs / "s").events)


def test_a_real_read_only_disk(small_tmpfs):
    subprocess.run(["mount", "-o", "remount,ro", str(small_tmpfs)], check=True)
    assert "the disk is read-only" in refusal(small_tmpfs / "s")


def test_a_failed_write_cuts_the_file_back_to_whole_writes(tmp_path, monkeypatch):
    SmallDisk(monkeypatch, 250)
    file = SessionFile(tmp_path / "f")
    assert file.write(b"a" * 100) == 100
    assert file.write(b"b" * 100) == 100
    assert file.write(b"c" * 100) == 0
    assert file.write(b"d") == 0
    with pytest.raises(OSError, match="No space"):
        file.check()
    file.close()
    assert (tmp_path / "f").read_bytes() == b"a" * 100 + b"b" * 100


def test_reasons_are_words():
    assert folder_module.reason(OSError(errno.ENOSPC, "x")) == "the disk is full"
    assert folder_module.reason(OSError(errno.EMFILE, "Too many open files")) == "too many open files"
    assert folder_module.reason(ValueError("odd")) == "odd"


def test_a_look_at_the_moment_of_its_making_does_not_take_a_session_s_hold(tmp_path, monkeypatch):
    looks: list[threading.Timer] = []

    def look(path, flags, mode=0o777):
        made = os_open(path, flags, mode)
        if flags & os.O_CREAT and not looks:  # another program looks, between making and holding
            other = os_open(path, os.O_RDONLY)
            assert hold(other)
            looks.append(threading.Timer(0.02, os.close, (other,)))
            looks[0].start()
        return made

    os_open = os.open
    monkeypatch.setattr(os, "open", look)
    file = SessionFile(tmp_path / "timeline.jsonl")
    monkeypatch.undo()
    looks[0].join()
    try:
        assert in_use(tmp_path)
    finally:
        file.close()
