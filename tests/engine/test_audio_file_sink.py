"""The loudspeaker in virtual time: positions, fades, underruns, conservation."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.audio.file_sink import FileSink
from engine.audio.playout import FADE_SAMPLES
from engine.config import OUTPUT_CHUNK, OUTPUT_HZ


def ones(n: int, level: float = 0.5) -> np.ndarray:
    return np.full(n, level, np.float32)


def play(sink: FileSink, turns: int) -> np.ndarray:
    return np.concatenate([sink.played(i) for i in range(turns)])


def test_samples_begin_at_the_time_of_the_write_to_the_sample():
    sink = FileSink()
    sink.write(ones(100), 0.25)
    out = play(sink, 3)
    assert np.flatnonzero(out)[[0, -1]].tolist() == [6000, 6099]


def test_a_write_while_something_plays_follows_it_without_a_gap():
    sink = FileSink()
    sink.write(ones(4800), 0.05)
    sink.write(ones(2400, 0.25), 0.10)
    assert sink.queued(0.10) == 4800 - 1200 + 2400
    out = play(sink, 2)
    assert np.all(out[1200:6000] == 0.5) and np.all(out[6000:8400] == 0.25) and not out[8400:].any()
    assert sink.take_faults() == ()


def test_flush_fades_within_40_ms_and_drops_the_rest():
    sink = FileSink()
    sink.write(ones(9600), 0.0)
    dropped = sink.flush(0.1)
    assert dropped == 9600 - 2400 - FADE_SAMPLES
    assert sink.queued(0.1) == FADE_SAMPLES
    out = play(sink, 2)
    assert np.all(out[:2400] == 0.5)
    assert not out[2400 + OUTPUT_HZ * 40 // 1000 :].any()
    steps = np.diff(out[2300:3400])
    assert steps.max() <= 0.0 and steps.min() > -0.005, "a fade goes down smoothly, without a click"


def test_speech_after_a_flush_starts_at_once_and_is_no_underrun():
    sink = FileSink()
    sink.write(ones(9600), 0.0)
    sink.flush(0.1)
    sink.write(ones(100, 0.25), 0.15)
    out = play(sink, 1)
    assert np.all(out[3600:3700] == 0.25)
    assert sink.take_faults() == ()


def test_flush_of_silence_drops_nothing():
    sink = FileSink()
    assert sink.flush(0.3) == 0
    sink.write(ones(240), 0.4)
    assert sink.flush(0.9) == 0
    assert play(sink, 5).any()


def test_a_hole_in_the_middle_of_speech_is_an_underrun_and_an_end_of_speech_is_not():
    sink = FileSink()
    sink.write(ones(4800), 0.0)
    sink.write(ones(4800), 0.25)  # 50 ms late
    assert len(sink.take_faults()) == 1
    assert sink.take_faults() == ()
    ended = ones(4800)
    ended[-480:] = 0.0
    sink.write(ended, 0.45)
    sink.write(ones(4800), 0.70)  # speech had ended; the next begins 50 ms later
    sink.write(ones(4800), 2.0)  # a pause is no underrun
    assert sink.take_faults() == ()


def test_what_was_played_cannot_be_changed_any_more():
    sink = FileSink()
    first = sink.played(0)
    sink.write(ones(100), 0.1)
    assert not first.any()
    assert np.flatnonzero(sink.played(1))[0] == 0


actions = st.lists(
    st.tuples(
        st.sampled_from(["write", "flush", "played"]),
        st.floats(0.0, 0.3),
        st.integers(0, 9000),
    ),
    max_size=40,
)


@given(actions)
def test_every_sample_is_heard_dropped_or_queued(script):
    sink = FileSink()
    now, turn, written, dropped, heard = 0.0, 0, 0, 0, 0
    for what, dt, n in script:
        if what == "played" or now + dt >= 0.2 * (turn + 1):
            now = 0.2 * (turn + 1)
            heard += int(np.count_nonzero(sink.played(turn)))
            turn += 1
        now = min(now + dt, 0.2 * (turn + 1) - 1e-6)
        if what == "write":
            sink.write(ones(n), now)
            written += n
        elif what == "flush":
            dropped += sink.flush(now)
    while sink.queued(0.2 * turn):
        heard += int(np.count_nonzero(sink.played(turn)))
        turn += 1
    # The last sample of a full fade is exactly zero, so each flush may hide one.
    flushes = sum(what == "flush" for what, _, _ in script)
    assert written - dropped - flushes <= heard <= written - dropped


def test_a_chunk_is_4800_samples_of_float32():
    chunk = FileSink().played(0)
    assert chunk.shape == (OUTPUT_CHUNK,) and chunk.dtype == np.float32
