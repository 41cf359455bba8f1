"""What is measured in a session, on signals whose truth is known, and the summary that tells it."""

import re
import shutil
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import soundfile

from engine.errors import InputError
from engine.events import Mark
from engine.inspect.measures import measure
from engine.inspect.speech import levels, segments, user_threshold
from engine.inspect.summary import clock, marks, summary
from engine.inspect.tracks import Span, jobs, lanes
from engine.recorder.marks import add_marks
from engine.recorder.reader import read_session
from tests.engine.recorder_samples import other_events, write_sample


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_sample(tmp_path_factory.mktemp("rec") / "session")


def close(found, wanted, within=0.011):
    assert np.asarray(found) == pytest.approx(np.asarray(wanted), abs=within)


def test_levels_do_not_depend_on_the_blocks():
    x = np.random.default_rng(0).standard_normal(16_000).astype(np.float32) * 0.1
    whole = levels([x], 16_000)
    assert len(whole) == 100
    assert whole == pytest.approx(np.full(100, -20.0), abs=2)
    pieces = levels([x[:7], x[7:5_000], x[5_000:5_001], x[5_001:]], 16_000)
    assert np.array_equal(whole, pieces)
    assert len(levels([], 16_000)) == 0


def test_segments_bridge_short_pauses_and_drop_clicks():
    level = np.full(300, -80.0, np.float32)
    level[50:100] = level[110:150] = level[200:203] = level[250:300] = -20.0
    assert segments(level, -40.0) == ((0.5, 1.5), (2.5, 3.0))
    assert segments(np.zeros(0, np.float32), -40.0) == ()


def test_the_threshold_follows_the_room():
    quiet = np.concatenate((np.full(500, -75.0), np.full(500, -25.0))).astype(np.float32)
    noisy = np.concatenate((np.full(500, -50.0), np.full(500, -20.0))).astype(np.float32)
    assert user_threshold(quiet) == -60.0
    assert user_threshold(noisy) == -38.0
    assert user_threshold(np.full(10, -120.0, np.float32)) == -60.0


def test_noise_behind_a_gate_is_no_speech():
    gated = np.concatenate((np.full(500, -95.0), np.full(300, -59.0), np.full(200, -10.0))).astype(np.float32)
    assert user_threshold(gated) == -50.0
    whispered = np.where(gated > -20, np.float32(-45), gated)
    assert user_threshold(whispered) == -60.0


def test_a_session_is_measured_as_it_was_made(folder):
    found = measure(read_session(folder))
    assert found.precise
    close(found.user, [(0.4, 2.4), (5.4, 6.8)])
    close(found.heard, [(2.9, 5.8)])
    assert found.both_s == pytest.approx(0.4, abs=0.02)
    [take_over] = found.take_overs
    assert (take_over.t, take_over.offset) == pytest.approx((2.9, 0.5), abs=0.02)
    assert take_over.decision == "speak"
    [barge_in] = found.barge_ins
    assert barge_in.t == pytest.approx(5.4, abs=0.011)
    assert barge_in.stop_s == pytest.approx(0.4, abs=0.02)
    assert [text for _, text in found.backchannels] == ["mm-hm"]


def test_without_audio_the_turns_give_the_same_to_200_ms(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "copy")
    (copy / "input.flac").unlink()
    (copy / "output.wav").unlink()
    found = measure(read_session(copy))
    assert not found.precise
    close(found.user, [(0.4, 2.4), (5.4, 6.8)], 0.2)
    assert found.take_overs[0].offset == pytest.approx(0.5, abs=0.2)
    assert "in steps of 0.2 s" in summary(read_session(copy))


def test_talking_through_is_no_stop(folder):
    session = read_session(folder)
    stubborn = tuple(replace(t, decision="speak") if t.decision == "yield" else t for t in session.turns)
    [barge_in] = measure(replace(session, turns=stubborn)).barge_ins
    assert barge_in.stop_s is None
    assert "talked through" in summary(replace(session, turns=stubborn))


def test_a_backchannel_is_no_take_over(folder):
    session = read_session(folder)
    nodding = tuple(replace(t, decision="backchannel") if t.decision == "speak" else t for t in session.turns)
    found = measure(replace(session, turns=nodding))
    assert found.take_overs == ()
    assert found.barge_ins == ()


def test_speech_nobody_asked_for_is_unprompted(tmp_path, folder):
    copy = shutil.copytree(folder, tmp_path / "copy")
    soundfile.write(copy / "input.flac", np.zeros(128_000, np.float32), 16_000, format="FLAC")
    [take_over] = measure(read_session(copy)).take_overs
    assert take_over.offset is None
    assert "unprompted" in summary(read_session(copy))


def test_jobs(folder):
    first, second = jobs(other_events())
    assert (first.id, first.asked, first.request, first.outcome) == (1, 1.6, "what time is it", "answer")
    assert (first.first_words, first.ended) == (2.6, 2.6)
    assert (second.outcome, second.ended, second.first_words) == ("cancelled", 4.4, None)
    [open_job] = jobs(other_events()[3:4])
    assert (open_job.outcome, open_job.ended) == ("open", None)


def test_lanes_never_overlap():
    rng = np.random.default_rng(0)
    spans = [Span(a, a + d, "") for a, d in zip(rng.uniform(0, 50, 200), rng.uniform(0, 3, 200), strict=True)]
    spread = lanes(spans)
    assert sum(map(len, spread)) == 200
    for lane in spread:
        assert all(a.t1 <= b.t0 for a, b in pairwise(lane))
    deepest = max(sum(s.t0 <= t < s.t1 for s in spans) for t in (s.t0 for s in spans))
    assert len(spread) == deepest


def test_summary(folder):
    lines = summary(read_session(folder)).splitlines()
    assert lines[:3] == [
        f"Session {folder}",
        "  2026-03-01T10:00:00+00:00, engine micro, model tiny-0123456789ab, seed 7, source test",
        "  0:08.00 long, 40 micro-turns",
    ]
    rows = {line[:13].strip(): line[14:] for line in lines if line and not line.startswith(" ")}
    assert (
        rows["Decisions"].startswith("listen 23 (57 %), speak 15 (38 %)") or "listen 23" in rows["Decisions"]
    )
    assert rows["Talking"] == "user 3.4 s, assistant 2.9 s, both at once 0.4 s"
    assert rows["Turn-taking"].startswith("1 take-over; from the user's last word to the first sound: +0.5")
    assert rows["Barge-ins"] == "1, gave way to 1; silent after 0.40 s (median), 0.40 s (max)"
    assert rows["Compute"] == "median 29.5 ms, p99 48.6 ms, max 49.0 ms of 200 ms; 1 missed deadlines"
    assert rows["Background"] == "2 jobs: 1 answered, 1 cancelled"
    assert rows["Waiting"] == "the silence before 1 reply, cause by cause (median, longest):"
    waited = [line.split(" ms ") for line in lines if re.match(r" +\d+ ms +\d+ ms  ", line)]
    assert sum(float(row[0]) for row in waited) == pytest.approx(500, abs=22)
    assert all(row[0].strip() == row[1].strip() for row in waited)
    assert rows["Long gaps"] == "none"
    assert rows["Faults"] == "2: 1 lost audio, 1 late step"
    assert "    0:03.10  the microphone lost 320 samples" in lines


def test_summary_tells_damage_and_shortens_long_lists(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "copy")
    (copy / "output.wav").unlink()
    session = read_session(copy)
    many = tuple(replace(session.turns[6], i=i, t=i / 5) for i in range(50))
    told = summary(replace(session, turns=many))
    assert "  damaged: output.wav is missing" in told.splitlines()
    assert "    and 38 more" in told.splitlines()


def test_a_session_without_turns_says_so(tmp_path, folder):
    session = replace(read_session(folder), turns=())
    with pytest.raises(InputError, match="holds no micro-turn"):
        summary(session)


def test_marks_are_listed_with_their_verdicts(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "copy")
    add_marks(copy, [Mark(1.0, "", "good"), Mark(2.0, "cut\u2028me off", "wrong_interruption")])
    assert marks(read_session(copy)).splitlines() == [
        "0:01.00  good",
        "0:02.00  wrong interruption: cut me off",
        "0:04.00  late?",
    ]
    assert marks(replace(read_session(copy), events=())) == "This session has no marks."


def test_clock():
    assert [clock(t) for t in (0, 9.999, 61.5, 3_599.999, 3_725.25, -1)] == [
        "0:00.00", "0:10.00", "1:01.50", "1:00:00.00", "1:02:05.25", "0:00.00",
    ]  # fmt: skip
