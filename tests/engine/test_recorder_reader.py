"""Reading sessions that are cut off, damaged, foreign, or from another version."""

import json
import shutil
import time
from dataclasses import fields, replace

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import InputError
from engine.events import EVENT_TYPES, SessionHeader, to_json
from engine.recorder.columns import UNKNOWN, turn_columns
from engine.recorder.lines import MAX_LINE, parse_event
from engine.recorder.reader import audio_seconds, audio_stretches, read_audio, read_session
from tests.engine.recorder_samples import HEADER, TURNS, other_events, turn, write_sample


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    return write_sample(tmp_path_factory.mktemp("rec") / "session")


@pytest.fixture
def copy(session, tmp_path):
    return shutil.copytree(session, tmp_path / "copy")


def refusal(path) -> str:
    with pytest.raises(InputError) as caught:
        read_session(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_every_prefix_of_a_timeline_is_a_session_up_to_its_last_whole_line(tmp_path):
    lines = [to_json(HEADER), *(to_json(turn(i)) for i in range(3)), *map(to_json, other_events()[-2:])]
    whole = "".join(line + "\n" for line in lines).encode()
    (tmp_path / "s").mkdir()
    file = tmp_path / "s" / "timeline.jsonl"
    ends = np.cumsum([len(line.encode()) + 1 for line in lines])
    for size in range(len(whole) + 1):
        file.write_bytes(whole[:size])
        complete = int((ends - 1 <= size).sum())  # a line counts without its line feed, too
        if complete == 0:
            with pytest.raises(InputError):
                read_session(tmp_path / "s")
            continue
        read = read_session(tmp_path / "s")
        assert 1 + len(read.turns) + len(read.events) == complete
        cut = size not in ends and size not in ends - 1
        assert ("the last line of the timeline is cut off" in read.damaged) == cut


def test_a_session_from_the_future_is_refused(copy):
    file = copy / "timeline.jsonl"
    file.write_text(file.read_text("utf-8").replace('"version": 1', '"version": 2', 1), "utf-8")
    assert "newer Microturn (format 2, this one reads up to 1): update Microturn" in refusal(copy)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty session"),
        ("\n\n", "empty session"),
        ("hello\n", "not a session header"),
        ('{"kind":"turn","i":0,"t":0.0,"decision":"listen","probs":{}}\n', "not a session header"),
        ('{"kind":"session","version":"1"}\n', "not a session header"),
        (to_json(HEADER).replace("200", "100") + "\n", "impossible values"),
        ("\x00\xff" * 100, "not a session header"),
    ],
)
def test_what_is_no_session_is_refused(tmp_path, text, words):
    (tmp_path / "timeline.jsonl").write_bytes(text.encode("latin-1"))
    assert words in refusal(tmp_path)


def test_paths_that_lead_nowhere(tmp_path):
    assert "there is no" in refusal(tmp_path / "nothing")
    assert "it has no timeline.jsonl" in refusal(tmp_path)
    (tmp_path / "timeline.jsonl").mkdir()
    assert "it has no timeline.jsonl" in refusal(tmp_path)


def test_the_timeline_itself_may_be_named(session):
    assert read_session(session / "timeline.jsonl").path == session


@pytest.mark.parametrize("name", ["input.flac", "output.wav"])
def test_missing_and_broken_audio_is_told_and_the_rest_is_read(copy, name):
    (copy / name).unlink()
    assert read_session(copy).damaged == (f"{name} is missing",)
    (copy / name).write_bytes(b"no audio at all")
    read = read_session(copy)
    assert read.damaged == (f"{name} cannot be read as audio",)
    assert len(read.turns) == TURNS


@pytest.mark.parametrize("name", ["input.flac", "output.wav"])
def test_audio_cut_off_anywhere_gives_what_is_there(copy, name):
    whole = (copy / name).read_bytes()
    samples, rate = read_audio(copy / name)
    for size in (100, 1_000, len(whole) // 3, len(whole) // 2 + 1, len(whole) - 1):
        (copy / name).write_bytes(whole[:size])
        part, part_rate = read_audio(copy / name)
        assert part_rate == rate
        assert np.array_equal(part, samples[: len(part)])
        if name == "output.wav":
            assert len(part) == (size - 44) // 2
    assert len(read_audio(copy / name)[0]) > len(samples) - 8_192  # a byte is missing, a frame or two is lost


def test_stretches_of_audio_also_of_a_file_that_is_cut_off(copy):
    file, stretches = copy / "input.flac", [(70_000, 90_000), (0, 5_000), (80_000, 99_000_000)]
    expected = [read_audio(file, *stretch)[0] for stretch in stretches]
    assert all(map(np.array_equal, audio_stretches(file, stretches), expected))
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    rest = [read_audio(file, *stretch)[0] for stretch in stretches]
    assert len(rest[2]) < len(expected[2])
    assert all(map(np.array_equal, audio_stretches(file, stretches), rest))


def test_parts_of_audio(session):
    samples, _ = read_audio(session / "input.flac")
    part, rate = read_audio(session / "input.flac", 70_000, 90_000)
    assert rate == 16_000
    assert np.array_equal(part, samples[70_000:90_000])
    assert len(read_audio(session / "input.flac", 10**9)[0]) == 0
    assert audio_seconds(session / "input.flac") == 8.0


def test_broken_lines_in_the_middle_are_counted_and_left_out(copy):
    file = copy / "timeline.jsonl"
    lines = file.read_bytes().split(b"\n")
    lines[5] = lines[5][:20]
    lines[9] = b"\xff\xfe garbage"
    lines.insert(12, b"[1, 2]")
    file.write_bytes(b"\n".join(lines))
    damaged = read_session(copy).damaged
    assert damaged[0] == "3 broken lines in the timeline were left out (first: line 6)"


def test_unknown_kinds_and_fields_are_skipped(copy):
    file = copy / "timeline.jsonl"
    lines = file.read_text("utf-8").splitlines()
    lines.insert(1, '{"kind":"dream","t":0.0,"of":"sheep"}')
    lines[2] = lines[2][:-1] + ', "mood": {"deep": [1, 2, 3]}}'
    file.write_text("\n".join(lines) + "\n", "utf-8")
    assert read_session(copy) == read_session(copy)
    read = read_session(copy)
    assert (len(read.turns), len(read.events), read.damaged) == (TURNS, len(other_events()), ())


def test_double_and_missing_turns(copy):
    file = copy / "timeline.jsonl"
    lines = file.read_text("utf-8").splitlines()
    turns = [n for n, line in enumerate(lines) if '"kind": "turn"' in line]
    lines.append(lines[turns[3]])
    del lines[turns[10]]
    file.write_text("\n".join(lines) + "\n", "utf-8")
    read = read_session(copy)
    assert [t.i for t in read.turns] == [i for i in range(TURNS) if i != 10]
    assert read.damaged == ("1 micro-turns are missing in the timeline",)


def test_a_line_without_end_is_bounded(copy):
    with (copy / "timeline.jsonl").open("ab") as file:
        file.write(b'{"kind":"mark","t":1.0,"note":"' + b"x" * (3 * MAX_LINE))
    read = read_session(copy)
    assert len(read.turns) == TURNS
    assert read.damaged


def test_two_hours_are_read_in_two_seconds(tmp_path):
    n = 36_000
    with (tmp_path / "timeline.jsonl").open("w", encoding="utf-8") as file:
        file.write(to_json(HEADER) + "\n")
        line = to_json(turn(20))
        file.writelines(line.replace('"i": 20, "t": 4.0', f'"i": {i}, "t": {i / 5}') + "\n" for i in range(n))
    # CPU time: the machine may be busy with other things.
    start = time.process_time()
    columns = turn_columns(read_session(tmp_path).turns)
    assert time.process_time() - start < 2.0
    assert np.array_equal(columns.i, np.arange(n))
    assert columns.t[-1] == 7_199.8


def test_columns(session):
    columns = turn_columns(read_session(session).turns)
    assert columns.probs.shape == (TURNS, 5)
    assert columns.probs.argmax(axis=1).tolist() == columns.decision.tolist()
    assert columns.decision[[0, 6, 13, 28]].tolist() == [0, 2, 1, 4]
    assert columns.compute_ms.tolist() == [10.0 + i for i in range(TURNS)]
    assert columns.deadline_missed.nonzero()[0].tolist() == [39]
    assert columns.delegate.nonzero()[0].tolist() == [8]
    assert turn_columns(()).probs.shape == (0, 5)
    stranger = replace(turn(0), decision="sing")
    assert turn_columns([stranger]).decision[0] == UNKNOWN


@pytest.mark.parametrize(
    "line",
    [
        "", "null", "3", '"turn"', "[]", "{", '{"kind":"turn"}', '{"kind":"mark","t":"1","note":"x"}',
        '{"kind":"mark","t":NaN,"note":"x"}', '{"kind":"mark","t":Infinity,"note":"x"}',
        '{"kind":"mark","t":1e999,"note":"x"}', '{"kind":"mark","t":true,"note":"x"}',
        '{"kind":"mark","t":1' + "0" * 400 + ',"note":"x"}', '{"kind":"mark","t":1,"note":["x"]}',
        '{"kind":"mark","t":1' + "0" * 5_000 + ',"note":"x"}', "[" * 100_000, '{"kind":' * 50_000,
        '{"kind":"turn","i":-1,"t":0,"decision":"listen","probs":{}}',
        '{"kind":"turn","i":1.5,"t":0,"decision":"listen","probs":{}}',
        '{"kind":"turn","i":0,"t":0,"decision":"listen","probs":{"listen":"much"}}',
        '{"kind":"turn","i":0,"t":0,"decision":"listen","probs":[1]}',
        '{"kind":"turn","i":0,"t":0,"decision":null,"probs":{}}',
    ],
)  # fmt: skip
def test_lines_that_are_no_events(line):
    with pytest.raises(ValueError):
        parse_event(line)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
FIELDS = sorted({f for kind in EVENT_TYPES.values() for f in (x.name for x in fields(kind))})
OBJECTS = st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=4), JSON, max_size=10).flatmap(
    lambda d: st.sampled_from([*EVENT_TYPES, "dream"]).map(lambda kind: {**d, "kind": kind})
)


@settings(max_examples=300, deadline=None)
@given(OBJECTS.map(json.dumps) | JSON.map(json.dumps) | st.text())
def test_any_line_is_an_event_or_a_value_error(line):
    try:
        event = parse_event(line)
    except ValueError:
        return
    if event is not None:
        # What was accepted can be written again, and comes back the same.
        assert parse_event(to_json(event)) is not None


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 400), st.binary(min_size=1, max_size=3))
def test_bit_rot_in_a_turn_never_raises_anything_else(position, noise):
    line = bytearray(to_json(turn(14)).encode())
    position %= len(line)
    line[position : position + len(noise)] = noise
    try:
        parse_event(line.decode("utf-8"))
    except ValueError:
        return


def test_the_header_round_trips():
    assert parse_event(to_json(HEADER)) == HEADER
    assert isinstance(parse_event(to_json(HEADER)), SessionHeader)


def test_an_impossible_sample_rate_is_told(copy):
    soundfile.write(copy / "input.flac", np.zeros(100, np.float32), 1)
    with pytest.raises(InputError, match="impossible sample rate, 1 Hz"):
        read_audio(copy / "input.flac")
    assert "impossible sample rate" in " ".join(read_session(copy).damaged)
