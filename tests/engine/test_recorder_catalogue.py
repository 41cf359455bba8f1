"""Lists of recorded sessions: what is known of each, how it is found again, that nothing stale is shown."""

import os
import shutil
import stat
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.errors import InputError
from engine.events import Caption, Mark, SessionHeader, Transcript, to_json
from engine.recorder import index
from engine.recorder.catalogue import (
    Entry,
    list_sessions,
    matches,
    read_entries,
    read_title,
    scan,
    session_paths,
    set_title,
)
from engine.recorder.folder import TIMELINE, SessionFile
from engine.recorder.importing import import_session
from engine.recorder.marks import SILENCED, add_marks, made_mark
from engine.recorder.reader import read_session
from tests.engine.recorder_samples import HEADER, turn, write_sample


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sessions").mkdir()
    return tmp_path / "sessions"


def made(folder: Path, name: str, *events: object, turns: int = 5, day: int = 1) -> Path:
    path = folder / name
    path.mkdir()
    header = SessionHeader("micro", "tiny", 1, f"2026-03-{day:02}T10:00:00+00:00")
    lines = [to_json(e) for e in (header, *(turn(i) for i in range(turns)), *events)]  # type: ignore[arg-type]
    (path / TIMELINE).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_everything_that_a_list_shows(folder):
    path = write_sample(folder / "first")
    add_marks(path, [made_mark(1, "", "late"), made_mark(2, "far too", "late"), Mark(3, SILENCED)])
    (entry,) = list_sessions(folder)
    assert (entry.state, entry.name, entry.engine, entry.model) == (
        "ready", "first", "micro", "tiny-0123456789ab")  # fmt: skip
    assert entry.started_at == HEADER.started_at
    assert (entry.duration_s, entry.turns, entry.faults) == (8.0, 40, 1)
    assert entry.marks == (("", 1), ("late", 2)) and entry.mark_count == 3
    assert entry.bytes == sum(f.stat().st_size for f in path.iterdir())
    assert entry.first_words.startswith("hello <there>")
    assert entry.damaged == ()
    for found in ("FIRST", "half past", "Shall I go", "äöü", "<there>", "far too", "micro"):
        assert matches(entry, found), found
    assert matches(entry, "joke first") and matches(entry, "  ")
    assert not matches(entry, "joke second")


def test_the_second_list_is_read_from_what_is_kept(folder, monkeypatch):
    write_sample(folder / "a")
    made(folder, "b")
    first = list_sessions(folder)
    monkeypatch.setattr("engine.recorder.catalogue.read_session", None)
    assert list_sessions(folder) == first


def test_what_has_changed_is_read_again(folder):
    path = made(folder, "a")
    made(folder, "b")
    assert [e.mark_count for e in list_sessions(folder)] == [0, 0]
    add_marks(path, [made_mark(0.1, "look")])
    assert [e.state for e in scan(folder)] == ["unread", "ready"]
    assert [e.mark_count for e in list_sessions(folder)] == [1, 0]
    set_title(path, "  The one\nabout the moon ")
    assert [e.name for e in list_sessions(folder)] == ["The one about the moon", "b"]
    assert matches(list_sessions(folder)[0], "moon")
    assert stat.S_IMODE((path / "title.txt").stat().st_mode) == 0o600
    set_title(path, "")
    assert [e.name for e in list_sessions(folder)] == ["a", "b"]
    assert not (path / "title.txt").exists()


def test_words_of_a_session_that_is_gone_are_gone(folder):
    path = made(folder, "a", Transcript(0.1, 0.5, "user", "xylophone"))
    made(folder, "b")
    list_sessions(folder)
    assert b"xylophone" in index.index_file().read_bytes()
    assert stat.S_IMODE(index.index_file().stat().st_mode) == 0o600
    shutil.rmtree(path)
    assert [e.path.name for e in list_sessions(folder)] == ["b"]
    assert b"xylophone" not in index.index_file().read_bytes()


@pytest.mark.parametrize("content", [b"no database at all" * 100, b""])
def test_a_broken_index_is_made_anew(folder, content):
    made(folder, "a")
    index.index_file().parent.mkdir(parents=True)
    index.index_file().write_bytes(content)
    assert len(list_sessions(folder)) == 1
    assert [e.state for e in scan(folder)] == ["ready"]


def test_without_a_place_for_the_index_it_works_too(folder, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    made(folder, "a")
    assert [e.turns for e in list_sessions(folder)] == [5]
    assert [e.state for e in scan(folder)] == ["unread"]


def test_damaged_sessions_are_listed_with_what_is_wrong(folder):
    cut = made(folder, "cut")
    data = (cut / TIMELINE).read_bytes()
    (cut / TIMELINE).write_bytes(data[:-20])
    (made(folder, "empty") / TIMELINE).write_bytes(b"")
    (made(folder, "newer") / TIMELINE).write_text(to_json(HEADER).replace('"version": 1', '"version": 9'))
    (made(folder, "noise") / TIMELINE).write_bytes(b"\xff\x00\n")
    found = {e.path.name: e for e in list_sessions(folder)}
    assert found["cut"].state == "ready" and found["cut"].turns == 4
    assert "the last line of the timeline is cut off" in found["cut"].damaged
    assert "input.flac is missing" in found["cut"].damaged
    for name, why in (("empty", "empty session"), ("newer", "update Microturn"), ("noise", "no session")):
        assert found[name].state == "unreadable"
        assert why in found[name].damaged[0]
        assert found[name].when.tzinfo is UTC


def test_the_last_words_of_a_killed_session_are_found(folder):
    made(folder, "a", Transcript(0.1, 0.4, "user", "hello"), Caption(0.9, 0.6, "my last words"))
    (entry,) = list_sessions(folder)
    assert matches(entry, "last words") and entry.first_words == "hello"
    assert matches(entry, "mm-hm") is False  # turn 6 is not in it


def test_words_of_the_assistant_without_a_transcript(folder):
    made(folder, "a", turns=20)
    assert matches(list_sessions(folder)[0], "half past three")


def test_what_is_being_recorded_is_shown_as_such(folder):
    path = folder / "now"
    path.mkdir()
    file = SessionFile(path / TIMELINE)
    file.write(to_json(HEADER).encode() + b"\n" + to_json(turn(0)).encode() + b"\n")
    (entry,) = list_sessions(folder)
    assert (entry.state, entry.engine, entry.started_at) == ("recording", "micro", HEADER.started_at)
    file.close()
    (entry,) = list_sessions(folder)
    assert (entry.state, entry.turns) == ("ready", 1)


def test_other_things_in_the_folder_are_no_sessions(folder, tmp_path):
    real = made(tmp_path, "elsewhere")
    (folder / "link").symlink_to(real)
    (folder / "linked timeline").mkdir()
    (folder / "linked timeline" / TIMELINE).symlink_to(real / TIMELINE)
    (folder / "notes.txt").touch()
    (folder / "pictures").mkdir()
    (folder / "odd" / TIMELINE).mkdir(parents=True)
    assert session_paths(folder) == [] == list_sessions(folder)
    assert list_sessions(folder / "missing") == []
    with pytest.raises(InputError, match="cannot read"):
        list_sessions(folder / "notes.txt")


def test_the_newest_comes_first(folder):
    for name, day in (("b", 2), ("c", 3), ("a", 1)):
        made(folder, name, day=day)
    (folder / "c" / TIMELINE).write_bytes(b"")
    os.utime(folder / "c" / TIMELINE, (0, 0))
    found = sorted(list_sessions(folder), key=lambda e: e.when, reverse=True)
    assert [e.path.name for e in found] == ["b", "a", "c"]


def test_a_session_deleted_meanwhile_is_left_out(folder):
    path = made(folder, "a")
    shutil.rmtree(path)
    assert read_entries([path]) == []
    with pytest.raises(InputError):
        set_title(path, "x")
    assert read_title(path) == ""


def test_a_thousand_sessions_are_listed_in_a_second(folder):
    first = made(folder, "s0000", Transcript(0.2, 0.8, "user", "word " * 200), turns=10)
    for i in range(1, 1_000):
        shutil.copytree(first, folder / f"s{i:04}")
    assert len(list_sessions(folder)) == 1_000
    began = time.perf_counter()
    found = list_sessions(folder)
    assert time.perf_counter() - began < 1.0
    assert len(found) == 1_000 and found[999].turns == 10


def test_importing_copies_the_session_and_nothing_else(folder, tmp_path):
    source = write_sample(tmp_path / "elsewhere" / "one", video=True)
    (source / "private.txt").write_text("not part of it")
    (source / "title.txt").symlink_to(source / "private.txt")
    source.chmod(0o755)
    for file in source.iterdir():
        file.chmod(0o644)
    copy = import_session(source, folder)
    assert copy == folder / "one"
    assert {f.name for f in copy.iterdir()} == {TIMELINE, "input.flac", "output.wav", "video.mp4"}
    for file in copy.iterdir():
        assert file.read_bytes() == (source / file.name).read_bytes()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(copy.stat().st_mode) == 0o700
    assert read_session(copy).damaged == ()
    assert import_session(source / TIMELINE, folder) == folder / "one_2"
    with pytest.raises(InputError, match="already"):
        import_session(copy, folder)


def test_importing_refuses_what_is_no_session(folder, tmp_path):
    (tmp_path / "no").mkdir()
    for wrong, why in (("no", "no session"), ("missing", "there is no")):
        with pytest.raises(InputError, match=why):
            import_session(tmp_path / wrong, folder)
    assert list(folder.iterdir()) == []


def test_an_import_that_fails_leaves_nothing(folder, tmp_path, monkeypatch):
    source = write_sample(tmp_path / "one")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfileobj", full)
    with pytest.raises(Exception, match="the disk is full"):
        import_session(source, folder)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("stamp", ["0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00", "9999-12-31T23:59:59"])
@pytest.mark.parametrize("zone", ["America/New_York", "Pacific/Auckland"])
def test_a_beginning_beyond_this_computer_s_time_can_be_shown(folder, monkeypatch, stamp, zone):
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        entry = Entry(folder / "s", started_at=stamp, changed_at=1.0)
        assert entry.when.astimezone().strftime("%Y")
        assert entry.when < datetime.max.replace(tzinfo=UTC)
    finally:
        monkeypatch.undo()
        time.tzset()
