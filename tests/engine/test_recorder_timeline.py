"""The order of lines in the timeline while it is written, and after."""

import os
import time

from engine.events import Fault, Mark, Transcript
from engine.recorder.folder import SessionFile
from engine.recorder.reader import read_session
from engine.recorder.timeline_file import TimelineWriter
from tests.engine.recorder_samples import HEADER, turn


def notes(path):
    lines = path.read_text("utf-8").splitlines()[1:]
    return [line.split('"i": ')[1].split(",")[0] if '"turn"' in line else "e" for line in lines]


def test_an_event_of_an_interval_comes_after_its_turn_and_before_the_next(tmp_path):
    file = TimelineWriter(SessionFile(tmp_path / "t"), HEADER)
    for i in range(4):
        file.write(Mark(0.2 * i + 0.1, "inside"))
        file.write(Fault(0.2 * i, "at the start"))
        file.write(turn(i))
    assert notes(tmp_path / "t") == ["0", "e", "e", "1", "e", "e", "2", "e", "e", "3"]
    file.close()
    assert notes(tmp_path / "t") == ["0", "e", "e", "1", "e", "e", "2", "e", "e", "3", "e", "e"]


def test_late_lines_are_appended_while_writing_and_put_in_their_place_at_the_end(tmp_path):
    file = TimelineWriter(SessionFile(tmp_path / "t"), HEADER)
    for i in range(10):
        if i == 8:
            file.write(Transcript(0.5, 1.0, "user", "late"))
        file.write(turn(i))
    written = (tmp_path / "t").read_bytes()
    assert notes(tmp_path / "t") == ["0", "1", "2", "3", "4", "5", "6", "7", "e", "8", "9"]
    file.write(turn(10))
    assert (tmp_path / "t").read_bytes().startswith(written)  # nothing on the disk has moved
    file.close()
    assert notes(tmp_path / "t") == ["0", "1", "2", "e", "3", "4", "5", "6", "7", "8", "9", "10"]
    assert [p.name for p in tmp_path.iterdir()] == ["t"]
    if os.name != "nt":
        assert (tmp_path / "t").stat().st_mode & 0o777 == 0o600


def test_a_reader_sorts_what_a_killed_writer_left(tmp_path):
    file = TimelineWriter(SessionFile(tmp_path / "timeline.jsonl"), HEADER)
    for i in range(10):
        file.write(turn(i))
    file.write(Transcript(0.5, 1.0, "user", "late"))
    file.write(Mark(0.1, "later still"))
    file.release_all()
    read = read_session(tmp_path)
    assert [type(e) for e in read.events] == [Mark, Transcript]
    file.close()


def test_held_lines_are_bounded(tmp_path):
    file = TimelineWriter(SessionFile(tmp_path / "t"), HEADER)
    for i in range(6_000):
        file.write(Mark(1e6 - i, "from the future"))
    assert len(notes(tmp_path / "t")) >= 6_000 - 4_096
    file.close()
    assert len(notes(tmp_path / "t")) == 6_000


def test_text_with_line_ends_and_lone_surrogates_stays_one_line(tmp_path):
    file = TimelineWriter(SessionFile(tmp_path / "timeline.jsonl"), HEADER)
    file.write(Mark(0.0, "a\nb\u2028c\r\x85d"))
    file.write(Mark(1.0, "half a pair: \ud83d"))
    file.close()
    read = read_session(tmp_path)
    assert read.events[0] == Mark(0.0, "a\nb\u2028c\r\x85d")
    assert read.events[1] == Mark(1.0, "half a pair: ?")


def test_sorting_two_hours_at_the_end_is_quick(tmp_path):
    file = TimelineWriter(SessionFile(tmp_path / "t"), HEADER)
    for i in range(36_000):
        file.write(turn(i))
    file.write(Mark(0.05, "late"))
    start = time.process_time()
    file.close()
    assert time.process_time() - start < 2.0
    assert notes(tmp_path / "t")[1] == "e"
