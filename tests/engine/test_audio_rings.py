"""The rings shared with the C callback: nothing is lost, doubled or misplaced."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.audio.playout import fade_ramp
from engine.audio.portaudio import load
from engine.audio.rings import CaptureRing, PlaybackRing

RATE = 100.0  # a ring of 1,024 frames


def capture_ring(channels: int = 1) -> CaptureRing:
    return CaptureRing(load()[1], channels, RATE)


def playback_ring(channels: int = 1) -> PlaybackRing:
    return PlaybackRing(load()[1], channels, RATE)


def take(ring: PlaybackRing, count: int) -> np.ndarray:
    return np.frombuffer(ring.ring.read(count), np.float32)


@given(st.lists(st.tuples(st.integers(0, 400), st.booleans()), max_size=40))
def test_capture_in_equals_out_plus_what_did_not_fit(script):
    ring = capture_ring()
    sent, refused, got = 0, 0, []
    for count, read in script:
        block = np.arange(sent + refused, sent + refused + count, dtype=np.float32)
        written = ring.ring.write(block.tobytes())
        sent, refused = sent + written, refused + count - written
        assert ring.captured == sent
        if read:
            got.append(ring.read()[:, 0])
            assert ring.position == sent
    got.append(ring.read()[:, 0])
    out = np.concatenate(got)
    assert len(out) == sent
    assert np.all(np.diff(out) > 0), "in order, nothing twice"


def test_capture_keeps_channels_apart():
    ring = capture_ring(2)
    ring.ring.write(np.array([[1, 2], [3, 4]], np.float32).tobytes())
    assert ring.read().tolist() == [[1, 2], [3, 4]]


def test_playback_is_silence_until_written_and_counts_what_was_taken():
    ring = playback_ring()
    assert not take(ring, 300).any()
    assert ring.consumed == 300
    ring.refill()
    assert ring.consumed == 300 and ring.horizon == 1024 + 300


def test_what_is_written_is_played_once_at_its_frame():
    ring = playback_ring()
    assert ring.write(50, np.ones(10, np.float32)) == 10
    out = take(ring, 1024)
    assert np.flatnonzero(out).tolist() == list(range(50, 60))
    ring.refill()
    assert not take(ring, 1024).any(), "what was played has become silence again"


def test_writing_beyond_the_horizon_is_refused_and_counted():
    ring = playback_ring()
    assert ring.write(1000, np.ones(100, np.float32)) == 24
    assert ring.write(2000, np.ones(100, np.float32)) == 0


def test_fade_and_silence_across_the_end_of_the_memory():
    ring = playback_ring()
    take(ring, 1000)
    ring.refill()
    ring.write(1000, np.ones(200, np.float32))
    ring.fade(1010, fade_ramp(20))
    out = take(ring, 300)
    assert np.all(out[:10] == 1.0)
    assert np.all(np.diff(out[9:30]) <= 0) and out[29] == 0.0
    assert not out[30:].any()


def test_stereo_gets_the_same_on_both_sides():
    ring = playback_ring(2)
    ring.write(0, np.array([0.25, 0.5], np.float32))
    assert take(ring, 3).tolist() == [0.25, 0.25, 0.5, 0.5, 0.0, 0.0]


steps = st.lists(
    st.tuples(st.sampled_from(["write", "take", "fade"]), st.integers(0, 300), st.integers(0, 200)),
    max_size=60,
)


@given(steps)
def test_playback_against_a_plain_array(script):
    ring = playback_ring()
    model = np.zeros(100_000, np.float32)
    out = []
    for what, offset, count in script:
        frame = ring.consumed + offset
        if what == "write":
            samples = np.full(count, 0.5, np.float32)
            fitted = ring.write(frame, samples)
            assert fitted == max(0, min(count, ring.horizon - frame))
            model[frame : frame + fitted] = 0.5
        elif what == "fade":
            ramp = fade_ramp(16)
            if frame + len(ramp) <= ring.horizon:
                ring.fade(frame, ramp)
                model[frame : frame + 16] *= ramp
                model[frame + 16 :] = 0.0
        else:
            out.append(take(ring, count))
            ring.refill()
    played = np.concatenate(out) if out else np.zeros(0, np.float32)
    assert np.array_equal(played, model[: len(played)])
