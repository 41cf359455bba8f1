"""What a loudspeaker plays beside speech, in simulated time: in time with the session, and in no account."""

import numpy as np
import pytest

from engine.audio.live_sink import FADE_S
from engine.audio.portaudio import load
from engine.audio.rings import PlaybackRing
from engine.config import CHUNK_S, INPUT_CHUNK, INPUT_HZ, OUTPUT_CHUNK
from engine.types import Samples
from tests.engine.test_audio_live_sink import Rig, tone

AHEAD = 2
CLICKS = (1.0, 3.2, 7.4)
"""Seconds at which 10 ms of a tone begin."""


def visitor(seconds: float) -> Samples:
    t = np.arange(round(seconds * INPUT_HZ)) / INPUT_HZ
    sounding = np.any([(t >= begin) & (t < begin + 0.01) for begin in CLICKS], axis=0)
    return np.where(sounding, 0.5 * np.sin(2 * np.pi * 1_000 * t), 0.0).astype(np.float32)


def rigged(rate: float = 48_000.0, drift: float = 0.0) -> Rig:
    rig = Rig(rate, drift)
    rig.speaker.beside = PlaybackRing(load()[1], 1, rate)
    return rig


def play(rig: Rig, sound: Samples, first: int = 0) -> None:
    """As the file source tells it: two micro-turns before they are to be heard."""
    blocks = sound[: len(sound) // INPUT_CHUNK * INPUT_CHUNK].reshape(-1, INPUT_CHUNK)
    for k in range(first, len(blocks)):
        if k == first:
            for ahead in range(first, min(first + AHEAD, len(blocks))):
                rig.sink.play_beside(blocks[ahead], ahead * CHUNK_S)
        if k + AHEAD < len(blocks):
            rig.sink.play_beside(blocks[k + AHEAD], (k + AHEAD) * CHUNK_S)
        rig.turn()


def begins(rig: Rig) -> list[float]:
    """When the device began to play something, in session seconds."""
    loud = np.flatnonzero(np.abs(rig.speaker.played) > 0.05)
    starts = loud[np.flatnonzero(np.diff(loud, prepend=-(10**9)) > 0.1 * rig.speaker.rate)]
    return list(starts / (rig.speaker.rate * (1 + rig.speaker.drift)))


@pytest.mark.parametrize("rate", [24_000.0, 44_100.0, 48_000.0])
@pytest.mark.parametrize("drift", [0.0, 0.002, -0.002])
def test_it_is_heard_when_the_session_hears_it(rate, drift):
    rig = rigged(rate, drift)
    play(rig, visitor(9.0))
    assert begins(rig) == pytest.approx(CLICKS, abs=0.015)
    assert rig.faults == []


def test_it_is_early_by_what_the_device_takes():
    rig = rigged()
    rig.speaker.latency_s = 0.12
    play(rig, visitor(9.0))
    assert begins(rig) == pytest.approx([begin - 0.12 for begin in CLICKS], abs=0.015)


def test_it_is_neither_heard_speech_nor_the_canceller_s_reference():
    rig = rigged()
    play(rig, visitor(9.0))
    assert np.abs(rig.speaker.played).max() > 0.4
    assert not np.concatenate(rig.heard).any()
    assert not np.concatenate(rig.far).any()
    assert rig.sink.level_db < -100


def test_giving_way_cuts_speech_and_leaves_it():
    rig = rigged()
    sound = 0.1 * np.ones(12 * INPUT_CHUNK, np.float32)
    for k in range(3):
        rig.sink.play_beside(sound[k * INPUT_CHUNK : (k + 1) * INPUT_CHUNK], k * CHUNK_S)
    rig.turn(tone(OUTPUT_CHUNK * 4))
    for k in range(3, 12):
        rig.sink.play_beside(sound[k * INPUT_CHUNK : (k + 1) * INPUT_CHUNK], k * CHUNK_S)
        rig.turn(flush=k == 3)
    played, rate = rig.speaker.played, rig.speaker.rate
    after = played[round(1.0 * rate) : round(1.9 * rate)]
    assert after == pytest.approx(0.1, abs=0.01)


def test_what_comes_too_late_is_left_out_and_the_rest_is_in_time():
    rig = rigged()
    for _ in range(12):
        rig.turn()
    late = visitor(9.0)[5 * INPUT_CHUNK : 6 * INPUT_CHUNK]
    assert late.any()  # the first click, which is over by now
    rig.sink.play_beside(late, 5 * CHUNK_S)
    play(rig, visitor(9.0), first=12)
    assert begins(rig) == pytest.approx(CLICKS[1:], abs=0.015)


def test_stop_fades_it_out():
    rig = rigged()
    loud = 0.5 * np.ones(INPUT_CHUNK, np.float32)
    for k in range(4):
        rig.sink.play_beside(loud, k * CHUNK_S)
    rig.turn()
    rig.sink.stop()
    rig.clock.wait_until(rig.clock.now() + 0.5)
    end = np.flatnonzero(np.abs(rig.speaker.played) > 1e-3)[-1] / rig.speaker.rate
    assert end < 0.23 + 0.02 + FADE_S + 0.01
    assert np.abs(np.diff(rig.speaker.played[round(0.1 * rig.speaker.rate) :])).max() < 0.01


def test_a_loudspeaker_that_was_not_opened_for_it_stays_silent():
    rig = Rig()
    play(rig, visitor(2.0))
    assert not rig.speaker.played.any()
    rig.line.current = None
    rig.sink.play_beside(visitor(0.2), 2.0)
