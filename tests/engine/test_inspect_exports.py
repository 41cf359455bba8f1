"""Every export, read back by something that is not the code that wrote it."""

import csv
import html
import io
import json
import os
import re
import shutil
import xml.etree.ElementTree as ET
from collections import defaultdict
from dataclasses import replace
from itertools import pairwise

import av
import cv2
import numpy as np
import pytest
import soundfile
import webvtt
from praatio import textgrid
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

from engine.errors import InputError, MicroturnError
from engine.events import BackgroundEvent, Fault, Mark, Transcript, to_json
from engine.inspect.export import FORMATS, export
from engine.inspect.labels import to_textgrid
from engine.inspect.tables import to_csv
from engine.inspect.tracks import tracks
from engine.recorder.marks import add_marks
from engine.recorder.reader import read_session
from tests.engine.recorder_samples import HEADER, TURNS, other_events, turn, write_sample

SECONDS = 8.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = write_sample(tmp_path_factory.mktemp("rec") / "a <session> & more")
    add_marks(made, [Mark(4.5, "twice", "did_not_yield")])
    return made


@pytest.fixture(scope="module")
def session(folder):
    return read_session(folder)


@pytest.fixture(scope="module")
def exported(session, tmp_path_factory):
    """The bytes of every format."""
    place = tmp_path_factory.mktemp("exports")
    for name in FORMATS:
        export(session, name, str(place / name))
    assert sorted(p.name for p in place.iterdir()) == sorted(FORMATS)
    return {name: (place / name).read_bytes() for name in FORMATS}


def text(exported, name):
    return exported[name].decode("utf-8")


def damaged_session(session):
    """The same session with what a foreign or broken timeline may hold."""
    odd = (
        Transcript(3.0, 4.0, "user", 'over\x00lapping\n"one"'),
        Transcript(3.5, 4.5, "user", "overlapping <two> --> & more"),
        Transcript(5.0, 4.0, "user", "backwards"),
        Transcript(7.9, 99.0, "assistant", "past the end"),
        Fault(2.0, "=1+1"),
        Fault(2.0, "same time"),
        Mark(-1.0, "before the start \u202e"),
        BackgroundEvent(9, 6.0, "asked", "never answered"),
    )
    events = tuple(sorted((*session.events, *odd), key=lambda e: getattr(e, "t", getattr(e, "t0", 0))))
    return replace(session, events=events)


# jsonl, csv


def test_jsonl_is_the_timeline_in_order(exported, folder):
    assert exported["jsonl"] == (folder / "timeline.jsonl").read_bytes()


def test_jsonl_of_a_cut_off_session_is_whole_again(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "copy")
    file = copy / "timeline.jsonl"
    file.write_bytes(file.read_bytes()[:-30])
    export(read_session(copy), "jsonl", str(tmp_path / "out"))
    lines = (tmp_path / "out").read_text("utf-8").splitlines()
    assert lines == file.read_text("utf-8").splitlines()[:-1]


def test_csv_has_a_row_for_each_turn(exported):
    rows = list(csv.DictReader(io.StringIO(text(exported, "csv"), newline="")))
    assert len(rows) == TURNS
    for i, row in enumerate(rows):
        wanted = turn(i)
        assert (int(row["i"]), float(row["t"]), row["decision"]) == (i, wanted.t, wanted.decision)
        assert float(row[f"p_{wanted.decision}"]) == 0.8
        assert float(row["compute_ms"]) == wanted.compute_ms
        assert row["deadline_missed"] == ("1" if i == 39 else "0")
        assert row["text_out"] == wanted.text_out
    assert rows[20]["marks"] == "late?"
    assert rows[22]["marks"] == "talked over me: twice"
    assert {i: row["findings"].split(":")[0] for i, row in enumerate(rows) if row["findings"]} == {
        15: "lost audio",
        27: "barge-in",
        39: "late step",
    }


def test_csv_keeps_text_from_becoming_a_formula(session):
    first = replace(session.turns[0], text_out='=HYPERLINK("http://x")', texts=("+1", "a,b\nc"))
    rows = list(csv.DictReader(io.StringIO(to_csv(replace(session, turns=(first,))), newline="")))
    assert rows[0]["text_out"] == '\'=HYPERLINK("http://x")'
    assert rows[0]["texts"] == "'+1\na,b\nc"


# chrome trace


def check_trace(trace):
    """The rules of the Trace Event Format that Perfetto insists on."""
    data = json.loads(trace, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    events = data["traceEvents"]
    open_async: dict[tuple[str, str], dict[str, str]] = {}
    slices = defaultdict(list)
    last = 0.0
    for event in events:
        assert event["pid"] == 1
        assert event["ph"] in {"M", "X", "C", "i", "b", "n", "e"}
        if event["ph"] == "M":
            continue
        assert isinstance(event["name"], str)
        assert event["ts"] >= last
        last = event["ts"]
        if event["ph"] == "X":
            assert event["dur"] >= 0
            slices[event["tid"]].append((event["ts"], event["ts"] + event["dur"]))
        elif event["ph"] == "C":
            assert all(isinstance(v, (int, float)) for v in event["args"].values())
        elif event["ph"] == "b":
            assert open_async.setdefault((event["cat"], event["id"]), event) is event
        elif event["ph"] in "ne":
            began = open_async[event["cat"], event["id"]]
            assert began["name"] == event["name"]
            if event["ph"] == "e":
                del open_async[event["cat"], event["id"]]
    assert not open_async
    for spans in slices.values():
        ordered = sorted(spans)
        assert all(a[1] <= b[0] + 0.2 for a, b in pairwise(ordered))
    named = {e["tid"] for e in events if e["ph"] == "M" and e["name"] == "thread_name"}
    assert set(slices) <= named
    return events


def test_chrome_trace(exported):
    events = check_trace(text(exported, "chrome-trace"))
    computing = [e for e in events if e["ph"] == "X" and e["name"].startswith("turn ")]
    assert len(computing) == TURNS
    assert computing[3]["ts"] == pytest.approx(0.8e6)  # a turn is computed when its interval is over
    assert computing[3]["dur"] == pytest.approx(13_000)
    assert computing[3]["args"]["probs"]["listen"] == 0.8
    assert sum(e["ph"] == "b" for e in events) == 2
    steps = [e["args"]["event"] for e in events if e["ph"] == "n" and e["id"] == "background-1"]
    assert steps == ["asked", "partial", "answer"]
    assert {e["name"] for e in events if e["ph"] == "i"} == {
        'typed: hello <there> & "you"',
        "camera: started",
        "fault: the microphone lost 320 samples",
        "mark: late?",
        "mark: talked over me: twice",
    }
    names = {e["tid"]: e["args"]["name"] for e in events if e["ph"] == "M" and e["name"] == "thread_name"}
    tracks_shown = {names[e["tid"]] for e in events if e["ph"] == "X"}
    assert {"user: words", "waiting for a reply", "findings", "assistant", "user"} <= tracks_shown
    waits = [e for e in events if e["ph"] == "X" and names[e["tid"]] == "waiting for a reply"]
    assert sum(e["dur"] for e in waits) == pytest.approx(0.5e6, abs=22_000)
    found = [e["name"].split(":")[0] for e in events if e["ph"] == "X" and names[e["tid"]] == "findings"]
    assert found == ["lost audio", "barge-in", "late step"]


def test_chrome_trace_of_an_odd_session(session, tmp_path):
    export(damaged_session(session), "chrome-trace", str(tmp_path / "t"))
    names = [e["name"] for e in check_trace((tmp_path / "t").read_text("utf-8"))]
    assert "overlapping <two> --> & more" in names


# audacity


def read_labels(data):
    """Audacity's manual, "Importing and exporting labels": start, end and text in a line, between tabs;
    seconds with a point. A line that begins with a backslash would be the frequencies of the label before."""
    labels = []
    assert data.endswith("\n")
    for line in data[:-1].split("\n"):
        found = re.fullmatch(r"(\d+\.\d+)\t(\d+\.\d+)\t([^\t\r\n]*)", line)
        assert found, line
        assert float(found[1]) <= float(found[2])
        labels.append((float(found[1]), float(found[2]), found[3]))
    return labels


def test_audacity_labels(exported):
    labels = read_labels(text(exported, "audacity"))
    assert labels == sorted(labels, key=lambda x: x[:2])
    for wanted in (
        (2.6, 5.6, "decision: speak"),
        (2.9, 5.8, "assistant: It is half past three."),
        (3.1, 3.1, "fault: the microphone lost 320 samples"),
        (1.6, 2.6, "background: #1 what time is it"),
        (0.4, 0.6, "word: what"),
        (4.0, 4.0, "mark: late?"),
        (4.5, 4.5, "mark: talked over me: twice"),
        (3.1, 3.1, "finding: lost audio: the microphone lost 320 samples"),
    ):
        assert wanted in labels
    waits = [(t0, t1) for t0, t1, label in labels if label.startswith("wait: ")]
    assert waits[0][0] == pytest.approx(2.4, abs=0.011)
    assert waits[-1][1] == pytest.approx(2.9, abs=0.011)
    assert all(a[1] == b[0] for a, b in pairwise(waits))


def test_audacity_labels_of_an_odd_session(session, tmp_path):
    export(damaged_session(session), "audacity", str(tmp_path / "labels"))
    labels = read_labels((tmp_path / "labels").read_text("utf-8"))
    assert (3.0, 4.0, 'user: over lapping "one"') in labels
    assert (0.0, 0.0, "mark: before the start") in labels


# TextGrid


def check_textgrid(file, duration):
    """Read by praatio, which raises where tiers overlap, go backwards or do not fit together."""
    grid = textgrid.openTextgrid(str(file), includeEmptyIntervals=True, reportingMode="error")
    assert (grid.minTimestamp, grid.maxTimestamp) == (0, pytest.approx(duration))
    assert grid.validate("error")
    for tier in grid.tiers:
        if isinstance(tier, textgrid.IntervalTier):
            # Praat wants each tier covered from its start to its end, without gaps and overlaps.
            assert tier.entries[0].start == 0
            assert tier.entries[-1].end == pytest.approx(duration)
            assert all(a.start < a.end for a in tier.entries)
            assert all(a.end == b.start for a, b in pairwise(tier.entries))
        else:
            assert all(a.time < b.time for a, b in pairwise(tier.entries))
    # Praat doubles quotation marks within a text, and praatio leaves them so.
    return {
        tier.name: [(*entry[:-1], entry[-1].replace('""', '"')) for entry in tier.entries]
        for tier in grid.tiers
    }


def test_textgrid(exported, tmp_path):
    (tmp_path / "t.TextGrid").write_bytes(exported["textgrid"])
    tiers = check_textgrid(tmp_path / "t.TextGrid", SECONDS)
    assert list(tiers) == [
        "decision", "user", "assistant", "background", "background 2", "word", "wait", "finding",
        "typed", "camera", "fault", "mark",
    ]  # fmt: skip
    said = [entry for entry in tiers["user"] if entry[2]]
    assert said == [(0.4, 2.4, "what time is it, and --> tell me a joke"), (5.4, 6.8, "stop, äöü 時")]
    assert [d for _, _, d in tiers["decision"]] == [
        "listen",
        "backchannel",
        "listen",
        "speak",
        "yield",
        "listen",
    ]
    assert tiers["typed"] == [(0.1, 'hello <there> & "you"')]
    assert tiers["mark"] == [(4.0, "late?"), (4.5, "talked over me: twice")]
    assert [entry for entry in tiers["word"] if entry[2]] == [(0.4, 0.6, "what")]
    waits = [entry for entry in tiers["wait"] if entry[2]]
    assert waits[0][2] == "waiting for the micro-turn's end" or waits[0][2] == "deciding to listen"
    assert (waits[0][0], waits[-1][1]) == pytest.approx((2.4, 2.9), abs=0.011)
    found = [label.split(":")[0] for _, _, label in tiers["finding"] if label]
    assert found == ["lost audio", "barge-in", "late step"]


def test_textgrid_of_an_odd_session(session, tmp_path):
    (tmp_path / "t.TextGrid").write_text(to_textgrid(damaged_session(session)), "utf-8")
    tiers = check_textgrid(tmp_path / "t.TextGrid", SECONDS)
    assert "user 2" in tiers
    assert (2.0, "=1+1; same time") in tiers["fault"]
    assert [e for e in tiers["background 3" if "background 3" in tiers else "background 2"] if e[2]]


# WebVTT


def read_captions(data):
    """(start, end, voice, text) of each cue, as webvtt-py reads it."""
    captions = webvtt.from_string(data)
    cues = []
    for cue in captions.captions:
        assert "-->" not in cue.raw_text
        assert re.fullmatch(r"<v \w+>[^<]*", cue.raw_text)
        cues.append((*map(_seconds, (cue.start, cue.end)), cue.voice, html.unescape(cue.text)))
    assert data.count("-->") == len(cues)
    assert all(a < b for a, b, _, _ in cues)
    assert cues == sorted(cues, key=lambda c: c[0])
    return cues


def _seconds(stamp):
    hours, minutes, seconds = stamp.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def test_webvtt(exported):
    assert read_captions(text(exported, "webvtt")) == [
        (0.4, 2.4, "User", "what time is it, and --> tell me a joke"),
        (2.9, 5.8, "Assistant", "It is half past three."),
        (5.4, 6.8, "User", "stop, äöü 時"),
    ]


def test_webvtt_of_an_odd_session(session, tmp_path):
    export(damaged_session(session), "webvtt", str(tmp_path / "v"))
    cues = read_captions((tmp_path / "v").read_text("utf-8"))
    assert (3.5, 4.5, "User", "overlapping <two> --> & more") in cues


# flac


def test_flac_has_the_user_left_and_the_assistant_right(exported, folder):
    data, rate = soundfile.read(io.BytesIO(exported["flac"]))
    assert (rate, data.shape) == (24_000, (round(SECONDS * 24_000), 2))
    output, _ = soundfile.read(folder / "output.wav")
    assert np.abs(data[:, 1] - output).max() < 1e-4
    # The user's 180 Hz survives resampling in time and level.
    piece = data[round(0.5 * 24_000) : round(2.3 * 24_000), 0]
    spectrum = np.abs(np.fft.rfft(piece * np.hanning(len(piece))))
    assert np.argmax(spectrum) * 24_000 / len(piece) == pytest.approx(180, abs=1)
    assert np.sqrt(np.mean(piece**2)) == pytest.approx(0.2 / np.sqrt(2), rel=0.05)
    onset = np.flatnonzero(np.abs(data[:, 0]) > 0.03)[0] / 24_000
    assert onset == pytest.approx(0.4, abs=0.003)


def test_flac_with_one_side_missing_or_cut(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "copy")
    (copy / "input.flac").write_bytes((copy / "input.flac").read_bytes()[:60_000])
    export(read_session(copy), "flac", str(tmp_path / "cut.flac"))
    data, _ = soundfile.read(tmp_path / "cut.flac")
    assert len(data) == round(SECONDS * 24_000)
    assert data[:24_000, 0].any()
    assert not data[-24_000:, 0].any()
    (copy / "input.flac").unlink()
    export(read_session(copy), "flac", str(tmp_path / "half.flac"))
    data, _ = soundfile.read(tmp_path / "half.flac")
    assert not data[:, 0].any()
    assert data[:, 1].any()
    (copy / "output.wav").unlink()
    with pytest.raises(InputError, match="has no audio"):
        export(read_session(copy), "flac", str(tmp_path / "none.flac"))
    assert not (tmp_path / "none.flac").exists()


def test_flac_is_read_by_another_decoder(exported, folder):
    """FFmpeg's, sample by sample the same as libsndfile's."""
    with av.open(io.BytesIO(exported["flac"]), "r") as file:
        [stream] = file.streams.audio
        assert (stream.codec_context.name, stream.rate, stream.channels) == ("flac", 24_000, 2)
        frames = [frame.to_ndarray() for frame in file.decode(stream)]
    decoded = np.concatenate(frames, axis=1).reshape(-1, 2)
    wanted, _ = soundfile.read(io.BytesIO(exported["flac"]), dtype="int16")
    assert np.array_equal(decoded, wanted)


# pictures


def test_png_is_a_picture_with_the_decisions_colours(exported):
    image = cv2.imdecode(np.frombuffer(exported["png"], np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    assert image.shape[1] == 2_400
    assert 500 < image.shape[0] < 1_200
    pixels = {tuple(int(c) for c in p) for p in image.reshape(-1, 3)[::7]}
    for colour in ("2b55cf", "1b7a55", "8a3cc4", "dfe4ec", "0f7c8a"):
        assert tuple(int(colour[k : k + 2], 16) for k in (4, 2, 0)) in pixels


def test_qt_reads_both_pictures_and_they_show_the_same(exported, session, tmp_path, qapp):
    export(damaged_session(session), "svg", str(tmp_path / "odd.svg"))
    assert QSvgRenderer(str(tmp_path / "odd.svg")).isValid()
    png = QImage.fromData(exported["png"])
    renderer = QSvgRenderer(exported["svg"])
    assert renderer.isValid()
    assert not png.isNull()
    assert png.size() == renderer.defaultSize() * 2
    drawn = QImage(png.size(), QImage.Format.Format_RGB32)
    drawn.fill(0xFFFF00FF)
    painter = QPainter(drawn)
    renderer.render(painter)
    painter.end()
    ours, theirs = (_pixels(image) for image in (png, drawn))
    assert np.abs(ours - theirs).mean() < 4
    assert ours.std() > 20


def _pixels(image):
    small = image.scaled(600, 300, mode=Qt.TransformationMode.SmoothTransformation)
    small = small.convertToFormat(QImage.Format.Format_RGB32)
    return np.frombuffer(small.constBits(), np.uint8).reshape(300, 600, 4)[..., :3].astype(float)


def rects(root, fill):
    return [e for e in root.iter("{http://www.w3.org/2000/svg}rect") if e.get("fill") == fill]


def test_svg_shows_every_micro_turn(exported, session):
    root = ET.fromstring(text(exported, "svg"))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    texts = ["".join(e.itertext()) for e in root.iter("{http://www.w3.org/2000/svg}text")]
    for wanted in (
        "+0.50 s",
        "stop 0.40 s",
        "It is half past three.",
        "fault: the microphone lost 320 samples",
    ):
        assert any(t.startswith(wanted[:9]) for t in texts), wanted
    counts = {"#2b55cf": 15, "#1b7a55": 1, "#8a3cc4": 1, "#dfe4ec": 23}
    for colour, count in counts.items():
        assert len(rects(root, colour)) == count + 1  # and one in the legend
    cells = sorted(float(e.get("x", "")) for e in rects(root, "#2b55cf"))[:15]
    assert np.diff(cells) == pytest.approx(np.full(14, cells[1] - cells[0]), abs=0.02)


def test_pictures_of_odd_and_of_long_sessions(session, tmp_path):
    export(damaged_session(session), "svg", str(tmp_path / "odd.svg"))
    ET.parse(tmp_path / "odd.svg")
    long = replace(session, turns=tuple(replace(turn(i % 40), i=i, t=i / 5) for i in range(20_000)))
    export(long, "svg", str(tmp_path / "long.svg"))
    size = (tmp_path / "long.svg").stat().st_size
    assert size < 2_000_000
    # Runs of pixels, not 20,000 cells; yet a yield every 8 s is still seen.
    root = ET.parse(tmp_path / "long.svg").getroot()
    assert 400 < len(rects(root, "#8a3cc4")) < 600
    assert len(list(root.iter())) < 20_000
    export(replace(session, turns=session.turns[:1], events=()), "png", str(tmp_path / "short.png"))
    assert cv2.imread(str(tmp_path / "short.png")) is not None


def test_picture_without_audio_uses_the_levels(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "copy")
    (copy / "input.flac").unlink()
    (copy / "output.wav").unlink()
    export(read_session(copy), "svg", str(tmp_path / "p.svg"))
    root = ET.parse(tmp_path / "p.svg").getroot()
    assert any(e.get("fill") == "#0f7c8a" for e in root.iter("{http://www.w3.org/2000/svg}polygon"))


# what can go wrong


def test_targets_that_make_no_sense(session, folder, tmp_path):
    for target, words in (
        (tmp_path, "is a folder"),
        (tmp_path / "no" / "where", "there is no folder"),
        (folder / "timeline.jsonl", "belongs to the session itself"),
        (folder / "." / "input.flac", "belongs to the session itself"),
    ):
        with pytest.raises(InputError, match=words):
            export(session, "jsonl", str(target))
    with pytest.raises(InputError, match="no export format 'mp3': use one of jsonl, csv"):
        export(session, "mp3", str(tmp_path / "x"))
    for name in ("flac", "png"):
        with pytest.raises(InputError, match="give a file name"):
            export(session, name, "-")
    assert len(read_session(folder).turns) == TURNS


def test_an_export_replaces_an_older_one_only_when_it_is_whole(session, tmp_path, monkeypatch):
    target = tmp_path / "out.csv"
    target.write_text("older")

    def full(self, data):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("pathlib.Path.write_bytes", full)
        with pytest.raises(MicroturnError, match=r"cannot write .* \(the disk is full\)") as caught:
            export(session, "csv", str(target))
    assert caught.value.exit_status == 1
    assert target.read_text() == "older"
    assert [p.name for p in tmp_path.iterdir()] == ["out.csv"]
    export(session, "csv", str(target))
    assert target.read_text("utf-8").startswith("i,t,decision")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no file modes")
def test_an_export_into_the_session_is_as_private_as_the_session(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "copy")
    export(read_session(copy), "csv", str(copy / "turns.csv"))
    assert (copy / "turns.csv").stat().st_mode & 0o777 == 0o600


def test_a_session_without_turns_has_nothing_to_export(tmp_path):
    (tmp_path / "timeline.jsonl").write_text(to_json(HEADER) + "\n")
    empty = read_session(tmp_path)
    for name in ("chrome-trace", "audacity", "textgrid", "webvtt", "svg", "png", "flac"):
        with pytest.raises(InputError, match=r"no micro-turn|no audio"):
            export(empty, name, str(tmp_path / "x"))
    export(empty, "jsonl", str(tmp_path / "x"))
    assert (tmp_path / "x").read_text() == to_json(HEADER) + "\n"


def test_spoken_words_stand_in_for_missing_transcripts(session):
    bare = replace(session, events=tuple(e for e in other_events() if not isinstance(e, Transcript)))
    said = tracks(bare).assistant
    assert [s.text for s in said] == ["mm-hm", "It is half past three"]
    assert said[1].t0 == pytest.approx(2.8)


@pytest.mark.parametrize("format_name", ["png", "svg"])
def test_a_picture_of_times_beyond_reason_is_drawn_at_once(tmp_path, format_name):
    folder = write_sample(tmp_path / "s")
    with (folder / "timeline.jsonl").open("a") as file:
        file.write(to_json(Mark(9e14, "far")) + "\n")
    export(read_session(folder), format_name, str(tmp_path / "out"))
    assert (tmp_path / "out").stat().st_size < 2_000_000
