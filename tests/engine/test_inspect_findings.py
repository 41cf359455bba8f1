"""What is found in a recorded session: barge-ins, long gaps, faults; whole, damaged and made up."""

import re
import shutil
import time
from dataclasses import replace

import numpy as np
import pytest

from engine.events import Fault, TextIn
from engine.inspect.faults import faults, kind_of
from engine.inspect.finding import FAULT_KINDS, Finding, merged
from engine.inspect.findings import findings
from engine.paths import project_root
from engine.recorder.reader import read_session
from tests.bench.long_session import write_long_session
from tests.engine.inspect_samples import tone, turn, write_session
from tests.engine.recorder_samples import write_sample

SECONDS = 20.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_sample(tmp_path_factory.mktemp("rec") / "session")


def made(folder, user, heard, turns=(), events=()):
    records = {t.i: t for t in turns}
    return read_session(
        write_session(
            folder,
            tone(*user, seconds=SECONDS, rate=16_000),
            tone(*heard, seconds=SECONDS, rate=24_000),
            [records.get(i, turn(i)) for i in range(round(SECONDS * 5))],
            events,
        )
    )


def near(t):
    return pytest.approx(t, abs=0.02)


def test_the_sample_session(folder):
    found = findings(read_session(folder))
    [reply] = found.replies
    assert (reply.t0, reply.t1, reply.turn) == (near(2.4), near(2.9), 13)
    [barge_in] = found.barge_ins
    assert (barge_in.t0, barge_in.t1, barge_in.kind) == (near(5.4), near(5.8), "barge-in")
    assert barge_in.text.endswith("it is silent after 0.40 s")
    assert found.long_gaps == ()
    assert [(f.kind, f.t0) for f in found.faults] == [("lost audio", 3.1), ("late step", near(7.8))]
    assert found.take_overs[0].t == reply.t1


def test_a_barge_in_that_is_talked_through_lasts_as_long_as_the_user_speaks(tmp_path):
    speaking = [turn(i, "speak", generated_ms=200.0) for i in range(10, 40)]
    found = findings(made(tmp_path / "s", [(0.4, 1.6), (4.0, 5.0)], [(2.2, 8.0)], speaking))
    [barge_in] = found.barge_ins
    assert (barge_in.t0, barge_in.t1) == (near(4.0), near(5.0))
    assert "talks on" in barge_in.text


# long gaps


def test_a_late_reply_is_a_long_gap_and_says_what_it_waited_for(tmp_path):
    turns = [turn(i, open_jobs=1) for i in range(11, 20)]
    turns += [turn(10, delegate=True), turn(20, "speak", say="relay", generated_ms=200.0, background_words=3)]
    [gap] = findings(made(tmp_path / "s", [(0.4, 2.1)], [(4.25, 6.0)], turns)).long_gaps
    assert (gap.t0, gap.t1) == (near(2.1), near(4.25))
    assert gap.text == "2.1 s of silence before the reply; most of it: waiting for the background"


def test_a_quick_reply_is_none(tmp_path):
    turns = [turn(i, "speak", generated_ms=200.0) for i in range(14, 22)]
    assert findings(made(tmp_path / "s", [(0.4, 2.1)], [(3.4, 5.0)], turns)).long_gaps == ()


def test_silence_after_a_bridge_counts_until_the_answer(tmp_path):
    turns = [turn(10, "speak", say="One moment.", delegate=True, generated_ms=300.0)]
    turns += [turn(i, open_jobs=1) for i in range(11, 40)]
    turns += [turn(40, "speak", say="relay", open_jobs=1, background_words=6, generated_ms=300.0)]
    found = findings(made(tmp_path / "s", [(0.4, 2.1)], [(2.25, 3.0), (8.25, 10.0)], turns))
    [gap] = found.long_gaps
    assert (gap.t0, gap.t1) == (near(3.0), near(8.25))
    assert gap.text == "5.2 s of silence while the background was at work, until its words came"


def test_an_answer_that_never_comes_is_a_long_gap_to_the_end(tmp_path):
    turns = [turn(10, delegate=True), *(turn(i, open_jobs=1) for i in range(11, 100))]
    [gap] = findings(made(tmp_path / "s", [(0.4, 2.1)], [], turns)).long_gaps
    assert (gap.t0, gap.t1) == (near(2.1), near(SECONDS))
    assert gap.text.endswith("and nothing came")


def test_a_job_that_is_given_up_is_waited_for_no_longer(tmp_path):
    turns = [turn(10, delegate=True), *(turn(i, open_jobs=1) for i in range(11, 30))]
    [gap] = findings(made(tmp_path / "s", [(0.4, 2.1)], [], turns)).long_gaps
    assert gap.t1 == near(6.2)


def test_silence_in_which_nothing_is_owed_is_no_gap(tmp_path):
    """Nobody asked anything; and after an answer was said, nobody waits although the job is open."""
    assert findings(made(tmp_path / "a", [(0.4, 2.1), (9.0, 10.0)], [])).long_gaps == ()
    turns = [turn(10, "speak", say="One moment.", delegate=True, generated_ms=300.0)]
    turns += [turn(12, "speak", say="relay", open_jobs=1, background_words=6, generated_ms=300.0)]
    turns += [turn(i, open_jobs=1) for i in range(13, 60)]
    assert findings(made(tmp_path / "b", [(0.4, 2.1)], [(2.25, 5.0)], turns)).long_gaps == ()


def test_what_was_typed_in_a_silence_is_waited_for_from_then_on(tmp_path):
    """After a typed request nobody was heard until its answer; what was typed into a quick one is no gap."""
    turns = [turn(50, delegate=True), *(turn(i, open_jobs=1) for i in range(51, 70))]
    turns += [turn(70, "speak", say="relay", open_jobs=1, background_words=6, generated_ms=300.0)]
    typed = [TextIn(10.0, "what is 2 + 2?")]
    [gap] = findings(made(tmp_path / "a", [(0.4, 2.1)], [(14.25, 16.0)], turns, typed)).long_gaps
    assert (gap.t0, gap.t1) == (10.0, near(14.25))
    assert gap.text.endswith("until its words came; it was asked in writing")
    quick = [turn(50, delegate=True), *(turn(i, open_jobs=1) for i in range(51, 55))]
    quick += [turn(55, "speak", say="relay", background_words=6, generated_ms=300.0)]
    found = findings(made(tmp_path / "b", [(0.4, 2.1)], [(11.25, 12.0)], quick, typed))
    assert found.long_gaps == ()
    assert [one.offset for one in found.take_overs] == [None]  # it answers no speech
    [first] = findings(made(tmp_path / "c", [], [(14.25, 16.0)], turns, typed)).long_gaps
    assert (first.t0, first.t1) == (10.0, near(14.25))


# faults


def told(*whats, turns=(), session):
    events = tuple(Fault(t, what) for t, what in whats)
    records = {t.i: t for t in turns}
    kept = tuple(records.get(t.i, replace(t, deadline_missed=False)) for t in session.turns)
    return [(f.t0, f.t1, f.kind) for f in faults(replace(session, events=events, turns=kept))]


def test_faults_of_the_timeline_and_of_its_turns(folder):
    session = read_session(folder)
    turns = [
        turn(5, gap_samples=800),
        turn(6, gap_samples=800),
        turn(10, compute_ms=250.0, deadline_missed=True),
        *(turn(i, skipped=True, deadline_missed=True) for i in (20, 21, 22)),
    ]
    found = faults(replace(session, events=(Fault(3.0, "something odd"),), turns=tuple(turns)))
    assert [(f.t0, f.t1, f.kind, f.text) for f in found] == [
        (1.0, near(1.4), "lost audio", "100 ms of the microphone's sound were lost"),
        (2.0, near(2.2), "late step", "the step came 250 ms after its interval; 200 ms are allowed"),
        (3.0, 3.0, "other", "something odd"),
        (4.0, near(4.6), "overrun", "the model was not asked for 3 micro-turns"),
    ]


def test_one_trouble_told_twice_is_one_finding(folder):
    session = read_session(folder)
    whats = [(4.2, "the computer is 1.2 s behind: the model is skipped until it has caught up")]
    found = told(*whats, turns=[turn(i, skipped=True) for i in range(20, 26)], session=session)
    assert found == [(4.0, near(5.2), "overrun")]
    assert told((1.0, "a b"), (1.1, "a b"), (3.0, "a b"), session=session) == [
        (1.0, 1.1, "other"),
        (3.0, 3.0, "other"),
    ]


def test_merging_keeps_kinds_apart_and_every_text_once():
    some = [
        Finding(1.0, 2.0, "device", "a"),
        Finding(1.5, 1.6, "late step", "b"),
        Finding(2.1, 2.2, "device", "c"),
        Finding(2.2, 2.3, "device", "a"),
        Finding(9.0, 9.0, "device", "a"),
    ]
    assert sorted(merged(some), key=lambda f: f.t0) == [
        Finding(1.0, 2.3, "device", "a; c"),
        Finding(1.5, 1.6, "late step", "b"),
        Finding(9.0, 9.0, "device", "a"),
    ]


KNOWN = {
    "recording stopped after 3.0 s: the disk is full; what was recorded until then is kept": "recording",
    "recording fell behind: 3 micro-turns of audio lost, silence is in their place": "recording",
    "the disk is too slow: the end of the recording may be missing": "recording",
    "the video is no longer recorded (the disk is full)": "recording",
    "the background process is gone: EOFError": "background",
    "the background process was lost and is started again: it ended": "background",
    "the background process is not ready: answers come late or not at all": "background",
    "the model asked for background work, but no background process is running": "background",
    "starting the background process failed: OSError": "background",
    "BackgroundClient did not stop cleanly: OSError": "background",
    'server "files" in mcp.json: it ended': "background",
    "the computer is 1.2 s behind: the model is skipped until it has caught up": "overrun",
    "7 texts were not given to the model while it was skipped": "overrun",
    "too many texts wait for the model; dropped: 'x'": "overrun",
    "too many commands at once: Mark refused": "overrun",
    "the loudspeaker's driver ran dry (3 underruns)": "underrun",
    "the loudspeaker ran dry in the middle of speech": "underrun",
    "speech came 12 ms too late for the device": "underrun",
    "the playback ring is full: 40 ms of speech are lost": "underrun",
    "the microphone's driver lost sound (2 overruns)": "lost audio",
    "the microphone lost 320 samples": "lost audio",
    "damaged audio: 5 samples of this micro-turn were no usable numbers": "lost audio",
    "the microphone gave 5 samples that are no numbers: replaced by silence": "lost audio",
    "5 samples were not numbers and were replaced by silence": "lost audio",
    "the file is damaged or cut off at 2.00 s": "lost audio",
    "the microphone USB Audio has stopped or gone away": "device",
    "the loudspeaker is reattached: Speakers": "device",
    "the loudspeaker cannot be opened (busy)": "device",
    "the sound server now listens to a instead of b": "device",
    "the computer slept for 30 s": "device",
    "opening the camera failed: it is in use": "device",
    "1.2 s of speech had no loudspeaker to go to": "device",
    "echo cancellation is not available on this computer: use headphones": "device",
    "the interaction model failed: ValueError: x": "other",
    "the voice failed: ValueError: x": "other",
    "typed text cut after 4000 characters": "other",
    "a standing instruction was not understood: 'x' cannot be watched for": "background",
}


@pytest.mark.parametrize(("what", "kind"), KNOWN.items())
def test_what_the_engine_says_has_a_kind(what, kind):
    assert kind_of(what) == kind
    assert kind in FAULT_KINDS


def test_no_fault_of_the_engine_is_unknown_here():
    """Every text that the engine makes a fault of is in the table above, up to its variable parts."""
    known = [re.sub(r"[\d.]+", "0", what) for what in KNOWN]
    call = r"(?:Fault\([^\"\n]*?|[fF]aults?\.append\(|notices\.append\()"
    pattern = re.compile(call + r'\s*(f?)"((?:[^"\\]|\\.)*)"')
    for file in sorted((project_root() / "engine").rglob("*.py")):
        for formatted, text in pattern.findall(file.read_text("utf-8")):
            fixed = max(re.split(r"\{[^}]*\}", text) if formatted else [text], key=len)
            fixed = re.sub(r"[\d.]+", "0", fixed).strip(" (:")
            assert any(fixed in what for what in known), f"{file.name}: {text}"


# damaged sessions, length, time


def test_without_audio_the_turns_stand_in(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "copy")
    for name in ("input.flac", "output.wav"):
        (copy / name).unlink()
    found = findings(read_session(copy))
    assert len(found.replies) == 1
    assert len(found.barge_ins) == 1
    assert [f.kind for f in found.faults] == ["lost audio", "late step"]
    (copy / "output.wav").write_bytes(b"no sound")
    (copy / "input.flac").write_bytes((folder / "input.flac").read_bytes()[:30_000])
    cut = findings(read_session(copy))
    assert [f.kind for f in cut.faults] == ["lost audio", "late step"]


def test_an_empty_session_has_only_its_faults(folder):
    session = replace(read_session(folder), turns=())
    found = findings(session)
    assert (found.replies, found.barge_ins, found.long_gaps, found.take_overs) == ((), (), (), ())
    assert [f.kind for f in found.faults] == ["lost audio"]


def test_missing_and_odd_turns(folder):
    session = read_session(folder)
    odd = tuple(
        replace(t, decision="dance" if t.i % 3 else t.decision, lag_ms=-5.0 if t.i % 2 else 1e6)
        for t in session.turns
        if t.i % 7
    )
    found = findings(replace(session, turns=odd))
    for reply in found.replies:
        assert np.isclose(sum(s.t1 - s.t0 for s in reply.segments), max(0.0, reply.t1 - reply.t0))


@pytest.mark.slow
def test_two_hours_are_looked_through_in_seconds(tmp_path):
    session = read_session(write_long_session(tmp_path / "long", 2.0))
    began = time.perf_counter()
    found = findings(session)
    # 3 s on an idle machine; the tests may run on a busy one.
    assert time.perf_counter() - began < 12
    assert len(found.replies) > 500
