"""Deleting recordings: all of a session, nothing of anybody else's, what is too old, not what is marked."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.errors import InputError
from engine.events import Mark, SessionHeader, Transcript, to_json
from engine.recorder import index
from engine.recorder.catalogue import list_sessions
from engine.recorder.folder import TIMELINE, SessionFile
from engine.recorder.marks import MUTED, SILENCED, UNMUTED, add_marks, made_mark
from engine.recorder.retention import (
    Deleted,
    delete_all,
    delete_session,
    expired,
    kept_for_marks,
    usage,
)
from tests.engine.recorder_samples import HEADER, write_sample

NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sessions").mkdir()
    return tmp_path / "sessions"


def made(folder: Path, name: str, day: int, *events: Mark) -> Path:
    """A session of 2026-06-``day``, last written then."""
    path = folder / name
    path.mkdir()
    began = datetime(2026, 6, day, 10, tzinfo=UTC)
    header = SessionHeader("micro", "m", 1, began.isoformat())
    lines = [to_json(header), *map(to_json, events)]
    (path / TIMELINE).write_text("\n".join(lines) + "\n", encoding="utf-8")
    os.utime(path / TIMELINE, (began.timestamp(), began.timestamp()))
    return path


def test_what_is_too_old(folder):
    old, new = made(folder, "old", 1), made(folder, "new", 29)
    assert expired(folder, 7, NOW) == [old]
    assert expired(folder, 40, NOW) == []
    assert expired(folder, 1, NOW) == [new, old]
    assert expired(folder, 0, NOW) == expired(folder, -3, NOW) == []
    assert expired(folder / "missing", 7, NOW) == []


def test_marks_by_hand_keep_a_session_and_marks_of_the_program_do_not(folder):
    marked = made(folder, "marked", 1, made_mark(1, "", "good"))
    noted = made(folder, "noted", 1, Mark(1.0, "keep this"))
    plain = made(folder, "plain", 1, Mark(1.0, MUTED), Mark(2.0, UNMUTED), Mark(3.0, SILENCED))
    assert expired(folder, 7, NOW) == [plain]
    assert kept_for_marks(folder, 7, NOW) == [marked, noted]


def test_age_counts_from_the_last_change(folder):
    """What was imported or restored yesterday is not deleted for having been recorded long ago."""
    path = made(folder, "imported", 1)
    yesterday = datetime(2026, 6, 29, tzinfo=UTC).timestamp()
    os.utime(path / TIMELINE, (yesterday, yesterday))
    assert expired(folder, 7, NOW) == []


def test_a_damaged_session_expires_too(folder):
    path = made(folder, "damaged", 1)
    (path / TIMELINE).write_bytes(b"")
    os.utime(path / TIMELINE, (0, 0))
    assert expired(folder, 7, NOW) == [path]


def test_deleting_takes_every_file_and_the_folder(folder):
    path = write_sample(folder / "s", video=True)
    add_marks(path, [made_mark(1, "x")])
    (path / "timeline.png").write_bytes(b"picture")
    size = sum(f.stat().st_size for f in path.iterdir())
    assert usage(folder) == (1, size)
    assert delete_session(path) == Deleted(1, size, ())
    assert not path.exists()
    assert usage(folder) == (0, 0) == usage(folder / "missing")


def test_words_are_forgotten_with_the_session(folder):
    path = write_sample(folder / "s")
    with (path / TIMELINE).open("ab") as file:
        file.write(to_json(Transcript(7.0, 7.5, "user", "xylophone")).encode() + b"\n")
    list_sessions(folder)
    assert b"xylophone" in index.index_file().read_bytes()
    delete_session(path)
    assert b"xylophone" not in index.index_file().read_bytes()


def test_foreign_files_stay_and_are_told(folder):
    path = write_sample(folder / "s")
    (path / "notes.txt").write_text("mine")
    (path / "more").mkdir()
    gone = delete_session(path)
    assert gone.count == 1
    assert gone.left == ("s: more, notes.txt not made by Microturn, left in its folder",)
    assert {f.name for f in path.iterdir()} == {"notes.txt", "more"}
    assert usage(folder) == (0, 0)


def test_links_are_never_followed(folder, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "precious.flac").write_bytes(b"sound")
    path = made(folder, "s", 1)
    (path / "input.flac").symlink_to(other / "precious.flac")
    (folder / "linked").symlink_to(write_sample(tmp_path / "real"))
    with pytest.raises(InputError, match="no session"):
        delete_session(folder / "linked")
    size = (path / TIMELINE).stat().st_size
    assert delete_all(folder) == Deleted(1, size, ())
    assert (other / "precious.flac").read_bytes() == b"sound"
    assert (tmp_path / "real" / TIMELINE).exists()
    assert not path.exists()


def test_what_is_no_session_is_not_deleted(folder):
    (folder / "diary").mkdir()
    (folder / "diary" / TIMELINE).write_text("my timeline\n")
    (folder / "diary" / "notes.txt").write_text("mine")
    (folder / "films").mkdir()
    (folder / "films" / "video.mp4").write_bytes(b"film")
    done = delete_all(folder)
    assert done.count == 0 and "no session" in done.left[0]
    for wrong in ("diary", "missing", "empty"):
        with pytest.raises(InputError, match="no session"):
            delete_session(folder / wrong)
    assert (folder / "diary" / TIMELINE).exists()
    assert (folder / "films" / "video.mp4").exists()


def test_a_broken_session_can_be_deleted(folder):
    path = made(folder, "s", 1)
    (path / TIMELINE).write_bytes(b"\xff\xff\n")
    (path / "output.wav").write_bytes(b"")
    assert delete_session(path).count == 1
    assert not path.exists()


def test_what_is_being_recorded_is_never_deleted(folder):
    (folder / "now").mkdir()
    file = SessionFile(folder / "now" / TIMELINE)
    file.write(to_json(HEADER).encode() + b"\n")
    os.utime(folder / "now" / TIMELINE, (0, 0))
    made(folder, "old", 1)
    with pytest.raises(InputError, match="being recorded"):
        delete_session(folder / "now")
    assert expired(folder, 7, NOW) == [folder / "old"]
    done = delete_all(folder)
    assert done.count == 1
    assert done.left == ("now is being recorded just now: stop the session first",)
    file.close()
    assert delete_all(folder).count == 1


def test_a_file_that_cannot_be_deleted_is_told_and_the_session_stays_one(folder):
    path = made(folder, "s", 1)
    (path / "output.wav").mkdir()  # a folder of that name
    done = delete_session(path)
    assert done.count == 0
    assert "output.wav could not be deleted" in done.left[0]


def test_marks_keep_a_session_that_cannot_be_read(folder):
    """A newer version has written it: its marks are marks all the same."""
    marked = made(folder, "newer-marked", 1, made_mark(1, "", "good"))
    plain = made(folder, "newer", 1)
    for path in (marked, plain):
        file = path / TIMELINE
        file.write_text(file.read_text().replace('"version": 1', '"version": 99'))
        os.utime(file, (datetime(2026, 6, 1, tzinfo=UTC).timestamp(),) * 2)
    assert {entry.state for entry in list_sessions(folder)} == {"unreadable"}
    assert expired(folder, 7, NOW) == [plain]
    assert kept_for_marks(folder, 7, NOW) == [marked]


def test_what_the_disk_does_not_give_is_not_judged(folder, monkeypatch):
    path = made(folder, "broken", 1, made_mark(1, "", "good"))
    (path / TIMELINE).write_text("no session\n")
    os.utime(path / TIMELINE, (datetime(2026, 6, 1, tzinfo=UTC).timestamp(),) * 2)
    assert expired(folder, 7, NOW) == [path]

    def refuse(_: Path) -> None:
        raise InputError("cannot read it: the disk reports an error")

    monkeypatch.setattr("engine.recorder.retention.read_marks", refuse)
    assert expired(folder, 7, NOW) == []
