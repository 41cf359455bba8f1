"""What the page of sessions says, and what it has done in the worker."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from app.sessions import texts, work
from engine.events import SessionHeader, to_json
from engine.recorder.catalogue import Entry, scan
from engine.recorder.folder import TIMELINE
from engine.recorder.marks import add_marks, made_mark

ENTRY = Entry(
    Path("/s/2026-03-01_10-00-00"),
    "ready",
    started_at="2026-03-01T10:00:00+00:00",
    duration_s=83.4,
    engine="micro",
    model="tiny",
    turns=417,
    faults=1,
    marks=(("", 1), ("late", 2)),
    bytes=3_400_000,
    first_words="what \u202etime is it",
)


def made(folder: Path, name: str, day: int = 1) -> Path:
    path = folder / name
    path.mkdir(parents=True)
    header = SessionHeader("micro", "m", 1, f"2026-03-{day:02}T10:00:00+00:00")
    (path / TIMELINE).write_text(to_json(header) + "\n")
    return path


def test_a_row_in_words():
    assert texts.name_text(ENTRY) == "2026-03-01_10-00-00"
    assert texts.name_text(replace(ENTRY, title="a\nb\u202e")) == "a b"
    assert texts.when_text(ENTRY) == ENTRY.when.astimezone().strftime("%Y-%m-%d %H:%M")
    assert texts.length_text(ENTRY) == "1:23"
    assert texts.marks_text(ENTRY) == "3: 2 late"
    assert texts.marks_text(replace(ENTRY, marks=())) == ""
    states = ("ready", "unread", "recording", "unreadable")
    said = [texts.state_text(replace(ENTRY, state=state)) for state in states]
    assert said == ["Whole", "reading…", "Recording now", "Cannot be read"]
    assert texts.state_text(replace(ENTRY, damaged=("x",))) == "Damaged"


def test_what_there_is_to_know():
    said = texts.about(replace(ENTRY, damaged=("input.flac is missing", "more")))
    assert "417 micro-turns · 1 fault · marks 3: 2 late" in said
    assert "“what time is it”" in said
    assert "Damaged: input.flac is missing; more" in said
    assert "cannot be deleted" in texts.about(replace(ENTRY, state="recording"))


def test_questions_and_answers():
    one = texts.delete_question([replace(ENTRY, title="The moon")])
    assert "“The moon”" in one and "3.4 MB" in one and "It has marks: 3: 2 late." in one
    two = texts.delete_question([ENTRY, replace(ENTRY, marks=())])
    assert "Delete 2 sessions" in two and "1 of them has marks" in two and "6.8 MB" in two
    assert "marks" not in texts.delete_question([replace(ENTRY, marks=())])
    assert texts.deleted_text(2, 1_000, ()) == "Deleted 2 sessions, 1 kB."
    assert texts.deleted_text(0, 0, ("a: why",)) == "Left: a: why"
    assert texts.deleted_text(1, 5, ("a", "b", "c")) == "Deleted 1 session, 5 bytes. Left: a; b (and 1 more)"
    assert texts.total_text([ENTRY], [ENTRY, ENTRY]) == "1 of 2 sessions · 6.8 MB"
    assert texts.expired_text(0, 4, 7) == ""
    assert texts.expired_text(1, 0, 1) == "1 recording older than 1 day was deleted."
    assert (
        texts.expired_text(3, 1, 30) == "3 recordings older than 30 days were deleted; 1 with marks was kept."
    )


def test_reading_goes_in_rounds(tmp_path):
    paths = [made(tmp_path / "s", f"{i}") for i in range(5)]
    first = work.read_some(paths, round_s=0.0)
    assert [e.path for e in first.read] == paths[:1] and list(first.left) == paths[1:]
    rest = work.read_some(first.left, round_s=60.0)
    assert len(rest.read) == 4 and rest.left == ()
    assert all(e.state == "ready" for e in scan(tmp_path / "s"))


def test_the_session_of_this_window_is_shown_as_recording(tmp_path):
    paths = [made(tmp_path / "s", name) for name in "ab"]
    shown = work.with_recording(scan(tmp_path / "s"), paths[1])
    assert [e.state for e in shown] == ["unread", "recording"]


def test_what_has_expired_goes_and_what_is_marked_stays(tmp_path):
    import os

    folder = tmp_path / "s"
    old, marked, new = made(folder, "old"), made(folder, "marked"), made(folder, "new", day=28)
    add_marks(marked, [made_mark(0, "", "good")])
    for path in (old, marked):
        os.utime(path / TIMELINE, (0, 0))
    now = datetime(2026, 3, 29, tzinfo=UTC)
    assert work.unread_and_old(folder, 7, now) == [marked, old]
    done, kept = work.delete_expired(folder, 7, now)
    assert (done.count, done.left, kept) == (1, (), 1)
    assert not old.exists() and marked.exists() and new.exists()
