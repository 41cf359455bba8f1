"""The assistant's voice in the user's channel is found; a user who talks over the assistant is not."""

from dataclasses import replace

import numpy as np
import pytest
import soundfile
import soxr

from engine.audio.echo import VoiceProcessor
from engine.inspect.echo_leak import SHORT_THRESHOLD, THRESHOLD, band_energies, best_match, echo_leaks
from engine.inspect.findings import findings
from engine.inspect.measures import measure
from engine.inspect.speech import levels, segments, user_threshold
from engine.paths import asset
from engine.recorder.reader import read_session
from tests.engine.inspect_samples import assistant_says, turn, write_session
from tests.engine.speech_samples import said, scene

SECONDS = 16.0
STORY = (
    "The lighthouse stood on a rock two miles from the shore, and for forty years one family kept its lamp. "
    "Every evening they climbed the stairs, cleaned the glass and wound the clockwork that turned the lens."
)
QUESTION = "wait a moment, could you tell me how far away that is from the town please"


@pytest.fixture(scope="module")
def story():
    """24 kHz: the assistant talks from second 2 on."""
    return assistant_says(SECONDS, (2.0, STORY))


def echo_of(heard, delay_s, gain_db, room=True):
    """16 kHz: what a microphone hears of it, ``delay_s`` later, in a room with 0.3 s of reverberation."""
    near = soxr.resample(heard, 24_000, 16_000)
    late = np.concatenate((np.zeros(round(delay_s * 16_000), np.float32), near))[: len(near)]
    if room:
        t = np.arange(4_800) / 16_000
        response = 0.15 * np.random.default_rng(2).standard_normal(4_800) * np.exp(-6.9 * t / 0.3)
        response[0] = 1.0
        late = np.convolve(late, response)[: len(near)]
    return (10 ** (gain_db / 20) * late).astype(np.float32)


def leaks(folder, user, heard):
    turns = [turn(i, "speak", generated_ms=200.0) for i in range(round(SECONDS * 5))]
    session = read_session(write_session(folder, user, heard, turns))
    return echo_leaks(session, measure(session))


def covered(found):
    return sum(f.t1 - f.t0 for f in found)


@pytest.mark.parametrize(("delay_s", "gain_db"), [(0.03, -6), (0.12, -15), (0.25, -25), (0.38, -20)])
def test_a_delayed_and_attenuated_copy_is_found(story, tmp_path, delay_s, gain_db):
    found = leaks(tmp_path / "s", echo_of(story, delay_s, gain_db), story)
    talked = np.flatnonzero(story)[[0, -1]] / 24_000
    assert covered(found) > 0.8 * (talked[1] - talked[0])
    assert all(f.kind == "echo leak" and talked[0] - 0.1 <= f.t0 < f.t1 <= talked[1] + 0.8 for f in found)
    assert f"own voice {delay_s:.2f} s later" in found[0].text or f"{delay_s + 0.01:.2f}" in found[0].text


@pytest.mark.parametrize("say", [QUESTION, STORY[60:160], "no no no, stop, that is not what I asked for"])
def test_a_user_who_talks_over_the_assistant_is_no_echo(story, tmp_path, say):
    """Even with the assistant's own voice."""
    user = scene(SECONDS, (3.0, say), (8.0, say))
    assert leaks(tmp_path / "s", user, story) == ()


def test_real_people_over_the_assistant_are_no_echo(story):
    """Each stretch of the demo's user, compared with the assistant at several places."""
    recorded, rate = soundfile.read(asset("demo/demo.flac"), dtype="float32")
    recorded = recorded if rate == 16_000 else soxr.resample(recorded, rate, 16_000)
    level = levels([recorded], 16_000)
    user = band_energies(recorded, 16_000)
    voice = band_energies(story, 24_000)[200:1_200]
    heights = []
    for t0, t1 in segments(level, user_threshold(level)):
        for start in range(round(100 * t0), round(100 * t1) - 100, 20):
            places = range(0, 860, 31)
            heights += [best_match(user[start : start + 100], voice[at : at + 140])[1] for at in places]
    assert len(heights) > 300
    assert max(heights) < THRESHOLD
    assert np.percentile(heights, 99) < 0.6


def test_the_thresholds_stand_between_echo_and_other_talkers(story):
    """Over 1 s an echo stays well above the threshold, at every place of the story."""
    voice = band_energies(story, 24_000)
    user = band_energies(echo_of(story, 0.2, -20) + 5e-4, 16_000)
    heights = [best_match(user[at : at + 100], voice[at - 40 : at + 100]) for at in range(260, 1_100, 50)]
    assert min(height for _, height in heights) > THRESHOLD + 0.03
    assert {lag for lag, _ in heights} <= {19, 20, 21, 22}
    assert SHORT_THRESHOLD > THRESHOLD


def test_the_user_after_an_echo_is_told_apart(story, tmp_path):
    """Only the stretch with the echo is reported when the user speaks elsewhere over the assistant."""
    echo = echo_of(story, 0.1, -15)
    echo[: 6 * 16_000] = 0
    user = echo + scene(SECONDS, (2.5, "what did you say about that just now"))
    found = leaks(tmp_path / "s", user, story)
    assert covered(found) > 3
    assert min(f.t0 for f in found) > 5.4


def test_a_barge_in_by_echo_is_told_as_what_it_is(story, tmp_path):
    turns = [turn(i, "speak", generated_ms=200.0) for i in range(round(SECONDS * 5))]
    user = echo_of(story, 0.15, -12)
    user[: 8 * 16_000] = 0
    user += scene(SECONDS, (3.0, "could you say that again"))
    found = findings(read_session(write_session(tmp_path / "s", user, story, turns)))
    first, *rest = found.barge_ins
    assert first.text.startswith("the user speaks while")
    assert any(barge_in.text.startswith("the assistant's own echo counts") for barge_in in rest)
    assert {f.kind for f in found.faults} == {"echo leak"}


def test_what_echo_cancellation_leaves_is_no_leak(story, tmp_path):
    """Through the real canceller, with the echo it is made for; what it lets through at first is found."""
    echo = echo_of(story, 0.05, -12, room=False) + scene(SECONDS)
    far = soxr.resample(story, 24_000, 16_000)
    processor = VoiceProcessor()
    cut = len(echo) // 3_200 * 3_200
    clean = np.concatenate(
        [processor.process(echo[k : k + 3_200], far[k : k + 3_200]) for k in range(0, cut, 3_200)]
    )
    found = leaks(tmp_path / "s", clean, story)
    assert all(f.t1 < 5 for f in found)


def test_a_quiet_echo_that_is_no_speech_to_the_engine_is_not_told(story, tmp_path):
    assert leaks(tmp_path / "s", echo_of(story, 0.1, -60), story) == ()


def test_without_audio_no_echo_is_looked_for(story, tmp_path):
    turns = [turn(i) for i in range(80)]
    session = read_session(write_session(tmp_path / "s", echo_of(story, 0.1, -10), story, turns))
    measured = measure(session)
    assert echo_leaks(session, measured)
    assert echo_leaks(session, replace(measured, precise=False)) == ()
    (session.path / "output.wav").unlink()
    assert echo_leaks(session, measured) == ()


def test_silence_matches_nothing():
    nothing = np.zeros((100, 18), np.float32)
    assert best_match(nothing, np.zeros((140, 18), np.float32))[1] == 0
    assert len(band_energies(said("hello")[:100], 16_000)) == 0
