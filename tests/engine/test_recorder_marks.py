"""Marks in a recorded session: where they go, and that nothing else changes."""

import os
import stat
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InputError, MicroturnError
from engine.events import Mark, to_json
from engine.recorder import marks
from engine.recorder.folder import SAVING, TIMELINE, SessionFile
from engine.recorder.marks import (
    SILENCED,
    VERDICTS,
    add_marks,
    by_hand,
    change_mark,
    made_mark,
    mark_text,
    own_words,
    read_marks,
    remove_mark,
)
from engine.recorder.reader import read_session
from tests.engine.recorder_samples import HEADER, turn, write_sample
from tests.engine.test_session import Rig


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_sample(tmp_path / "s")


def raw(folder: Path) -> bytes:
    return (folder / TIMELINE).read_bytes()


def bare(folder: Path, data: bytes) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / TIMELINE).write_bytes(data)
    return folder


def test_a_mark_goes_to_its_place_and_all_else_stays(folder):
    before = raw(folder)
    (saved,) = add_marks(folder, [made_mark(3.0, "", "late")])
    assert saved.line == b'{"kind": "mark", "t": 3.0, "note": "late", "verdict": "late"}'
    after = raw(folder)
    assert after.replace(saved.line + b"\n", b"", 1) == before
    lines = after.split(b"\n")
    at = lines.index(saved.line)
    assert b'"turn", "i": 15, "t": 3.0' in lines[at - 1]  # at equal times the turn comes first
    assert b'"t": 3.1' in lines[at + 1]
    assert [s.mark for s in read_marks(folder)] == [Mark(3.0, "late", "late"), Mark(4.0, "late?")]
    assert read_session(folder).damaged == ()
    assert stat.S_IMODE((folder / TIMELINE).stat().st_mode) == 0o600
    assert {f.name for f in folder.iterdir()} == {TIMELINE, "input.flac", "output.wav"}


def test_several_marks_are_put_in_order(folder):
    before = raw(folder)
    saved = add_marks(folder, [Mark(7.9, "c"), Mark(0.0, "a"), Mark(99.0, "d"), Mark(0.0, "b")])
    assert [s.mark.note for s in read_marks(folder)] == ["a", "b", "late?", "c", "d"]
    after = raw(folder)
    assert after.endswith(saved[-1].line + b"\n")
    for one in saved:
        after = after.replace(one.line + b"\n", b"", 1)
    assert after == before


def test_changing_and_removing_touch_that_line_only(folder):
    before = raw(folder)
    (saved,) = add_marks(folder, [made_mark(2.5, "hm", "other")])
    changed = change_mark(folder, saved, "no: Wörter 時", "good")
    assert changed.mark == Mark(2.5, "no: Wörter 時", "good")
    assert changed.mark in [s.mark for s in read_marks(folder)]
    remove_mark(folder, changed)
    assert raw(folder) == before
    with pytest.raises(InputError, match="no longer"):
        remove_mark(folder, changed)
    assert raw(folder) == before


def test_fields_of_a_later_version_survive_a_change(tmp_path):
    line = b'{"kind":"mark","t":0.30000,"note":"a","who":"B"}'
    folder = bare(tmp_path / "s", to_json(HEADER).encode() + b"\n" + line + b"\n")
    (old,) = read_marks(folder)
    change_mark(folder, old, "b", "late")
    assert b'"who": "B"' in raw(folder)
    assert read_marks(folder)[0].mark == Mark(0.3, "b", "late")


def test_only_a_whole_line_is_the_mark(tmp_path):
    """The same bytes inside another line, or at its end, are not it."""
    line = b'{"kind":"mark","t":0.3,"note":"a"}'
    inside = b'{"kind":"text_in","t":0.1,"text":"x"} ' + line
    folder = bare(tmp_path / "s", b"\n".join([to_json(HEADER).encode(), inside, line, b""]))
    remove_mark(folder, marks.SavedMark(Mark(0.3, "a"), line))
    assert raw(folder) == to_json(HEADER).encode() + b"\n" + inside + b"\n"


@pytest.mark.parametrize("t", [0.0, 0.5, 3.0, 50.0])
def test_a_line_that_is_cut_off_stays_the_last(folder, t):
    whole = raw(folder)
    cut = whole[:-40]
    assert not cut.endswith(b"\n")
    (folder / TIMELINE).write_bytes(cut)
    (saved,) = add_marks(folder, [made_mark(t, "x")])
    after = raw(folder)
    assert after.replace(saved.line + b"\n", b"", 1) == cut
    assert after.endswith(cut[cut.rindex(b"\n") :])
    assert saved.mark in read_session(folder).events


@pytest.mark.parametrize(
    "data",
    [
        to_json(HEADER).encode(),
        to_json(HEADER).encode() + b"\n",
        b"\r\n\n" + to_json(HEADER).encode() + b"\r\n",
        to_json(HEADER).encode() + b"\n{broken\n\xff\xfe\n[1]\n" + b"x" * 1_200_000 + b"\n",
        to_json(HEADER).encode() + b'\n{"kind":"turn"',
    ],
)
def test_damaged_and_tiny_files_take_marks(tmp_path, data):
    folder = bare(tmp_path / "s", data)
    saved = add_marks(folder, [made_mark(0.2, "a"), made_mark(1.0, "b")])
    assert [s.mark.note for s in read_marks(folder)] == ["a", "b"]
    rest = raw(folder)
    for one in saved:
        rest = rest.replace(one.line + b"\n", b"", 1)
    assert rest.strip(b"\n") == data.strip(b"\n")
    for one in saved:
        assert raw(folder).startswith(data[: len(to_json(HEADER))])
        remove_mark(folder, one)
    assert read_marks(folder) == []


@given(
    times=st.lists(st.floats(0, 10, allow_nan=False).map(lambda t: round(t, 1)), max_size=20),
    marked=st.floats(0, 11, allow_nan=False),
    cut=st.integers(0, 30),
)
def test_every_other_byte_stays_whatever_the_file(tmp_path_factory, times, marked, cut):
    """Unordered lines too, as a session that was cut off has them."""
    lines = [to_json(HEADER), *(to_json(Mark(t, f"n{t}")) for t in times)]
    data = ("\n".join(lines) + "\n").encode()
    data = data[: len(data) - min(cut, len(data) - len(lines[0]) - 1)]
    folder = bare(tmp_path_factory.mktemp("s"), data)
    (saved,) = add_marks(folder, [Mark(marked, "the new one")])
    assert raw(folder).replace(saved.line + b"\n", b"", 1) == data
    remove_mark(folder, saved)
    assert raw(folder) == data


def test_a_session_being_recorded_is_left_alone(tmp_path):
    folder = tmp_path / "s"
    folder.mkdir()
    file = SessionFile(folder / TIMELINE)
    file.write(to_json(HEADER).encode() + b"\n")
    with pytest.raises(InputError, match="being written just now"):
        add_marks(folder, [Mark(0.0, "x")])
    file.close()
    add_marks(folder, [Mark(0.0, "x")])


def test_what_is_no_session_is_left_alone(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        add_marks(tmp_path, [Mark(0.0, "x")])
    folder = bare(tmp_path / "s", b"my notes\n")
    with pytest.raises(InputError, match="is no session"):
        add_marks(folder, [Mark(0.0, "x")])
    assert raw(folder) == b"my notes\n"
    with pytest.raises(InputError):
        read_marks(tmp_path)


def test_a_link_is_not_written_through(folder, tmp_path):
    linked = tmp_path / "linked"
    linked.mkdir()
    (linked / TIMELINE).symlink_to(folder / TIMELINE)
    before = raw(folder)
    with pytest.raises(InputError):
        add_marks(linked, [Mark(0.0, "x")])
    assert raw(folder) == before
    assert (linked / TIMELINE).is_symlink()


def test_a_folder_that_cannot_be_written_says_so_and_nothing_changes(folder):
    before = raw(folder)
    (folder / SAVING).mkdir()
    (folder / SAVING / "in the way").touch()
    with pytest.raises(MicroturnError, match="cannot be saved") as caught:
        add_marks(folder, [Mark(0.0, "x")])
    assert not isinstance(caught.value, InputError)
    assert raw(folder) == before


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder(folder):
    folder.chmod(0o500)
    try:
        with pytest.raises(MicroturnError, match="permission denied"):
            add_marks(folder, [Mark(0.0, "x")])
    finally:
        folder.chmod(0o700)


def test_a_save_that_was_cut_off_is_no_hindrance(folder):
    (folder / SAVING).write_bytes(b"half a timel")
    add_marks(folder, [Mark(0.0, "x")])
    assert not (folder / SAVING).exists()
    assert Mark(0.0, "x") in read_session(folder).events


def test_a_full_disk_leaves_the_first_file(folder, monkeypatch):
    before = raw(folder)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(MicroturnError, match="the disk is full"):
        add_marks(folder, [Mark(0.0, "x")])
    assert raw(folder) == before
    assert not (folder / SAVING).exists()


def test_words_for_people_and_for_other_readers():
    assert [v.key for v in VERDICTS] == [1, 2, 3, 4, 5, 6, 7]
    assert len({v.name for v in VERDICTS}) == len(VERDICTS)
    quick = made_mark(1.23456, "", "did_not_yield")
    assert quick == Mark(1.2346, "talked over me", "did_not_yield")
    assert own_words(quick) == "" and mark_text(quick) == "talked over me"
    noted = made_mark(1, " it went\non ", "did_not_yield")
    assert mark_text(noted) == "talked over me: it went on"
    assert made_mark(-1, "") == Mark(0.0, "marked by hand")
    assert mark_text(Mark(0, "just a note")) == "just a note"
    assert mark_text(Mark(0, "x", "of_a_later_version")) == "of a later version: x"
    assert by_hand(quick) and not by_hand(Mark(0, SILENCED)) and by_hand(Mark(0, SILENCED, "late"))
    with pytest.raises(ValueError):
        add_marks(Path(), [Mark(float("nan"), "x")])


def test_an_old_line_without_a_verdict_is_read(tmp_path):
    folder = bare(tmp_path / "s", to_json(HEADER).encode() + b'\n{"kind":"mark","t":1,"note":"n"}\n')
    assert read_marks(folder)[0].mark == Mark(1, "n", "")
    assert Mark(1, "n", "") in read_session(folder).events


def test_two_hours_take_a_mark_quickly(tmp_path):
    """36,000 turns: less than a second even on a slow disk."""
    lines = [to_json(HEADER), *(to_json(turn(i)) for i in range(36_000))]
    folder = bare(tmp_path / "s", ("\n".join(lines) + "\n").encode())
    began = time.perf_counter()
    add_marks(folder, [made_mark(7_100.0, "near the end")])
    assert time.perf_counter() - began < 3.0
    began = time.perf_counter()
    assert len(read_marks(folder)) == 1
    assert time.perf_counter() - began < 1.0


def test_a_live_session_writes_verdict_and_time(tmp_path):
    rig = Rig(out_dir=tmp_path / "s")
    rig.session.mark("as it began", "good", -5.0)
    rig.session.mark("not before now", "late", 1e9)
    rig.run()
    assert [one.mark for one in read_marks(tmp_path / "s")] == [
        Mark(0.0, "as it began", "good"),
        Mark(0.0, "not before now", "late"),
    ]
    assert read_session(tmp_path / "s").damaged == ()
