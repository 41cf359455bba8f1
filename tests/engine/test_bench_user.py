"""The simulated user: what reaches the microphone, to the sample, and when the session ends."""

import numpy as np
import pytest

from engine.bench.user import ECHO_DELAY_S, CaseSource, HeardSink, convolve
from engine.clock import SimulatedClock
from engine.config import INPUT_CHUNK, INPUT_HZ, OUTPUT_CHUNK, OUTPUT_HZ
from engine.types import Samples
from tests.engine.bench_fakes import Said, case, cue, response, room


class Session:
    """A source with the little of a runner that it needs. ``said`` is played and told as records."""

    def __init__(self, made_for, said=(), open_jobs=lambda: 0):
        self.clock, self.sink = SimulatedClock(), HeardSink()
        self.source = CaseSource(made_for, self.sink, self.clock, open_jobs)
        self.said = list(said)

    def run(self):
        """The microphone's whole sound."""
        chunks: list[Samples] = []
        while (chunk := self.source.read()) is not None:
            index = len(chunks)
            assert len(chunk.samples) == INPUT_CHUNK
            assert self.clock.now() == pytest.approx(0.2 * (index + 1))
            chunks.append(chunk.samples)
            self.sink.played(index)
            for one in self.said:
                for turn in one.turns():
                    if turn.i == index:
                        t = turn.t + 0.2 + turn.lag_ms / 1000
                        self.sink.write(np.full(OUTPUT_HZ // 4, 0.1, np.float32), t)
                        self.source.told(turn)
        return np.concatenate(chunks)


def first_sound(samples, after=0):
    return after + int(np.flatnonzero(np.abs(samples[after:]) > 1e-6)[0])


def test_a_cue_begins_at_its_sample():
    at = 20_011
    microphone = Session(case("turn_taking", cue(delay_s=at / INPUT_HZ))).run()
    assert first_sound(microphone) == at


def test_cues_go_through_the_room_and_are_scaled():
    made_for = case(
        "aside",
        cue(delay_s=0.5),
        cue(delay_s=2.0, channel="turned"),
        cue(delay_s=3.5, channel="far"),
        room=room(near=response(0.5, 0.25), turned=response(0.0, 0.1), far=response(0.0, 0.0, 0.1)),
        speech_gain=2.0,
        noise=np.full(30 * INPUT_HZ, 1e-3, np.float32),
    )
    microphone = Session(made_for).run()
    dry = made_for.cues[0].audio
    for start, taps in ((0.5, [1.0, 0.5]), (2.0, [0.0, 0.2]), (3.5, [0.0, 0.0, 0.2])):
        at = round(start * INPUT_HZ)
        wanted = np.clip(np.convolve(dry, taps)[: len(dry)] + 1e-3, -1, 1)
        np.testing.assert_allclose(microphone[at : at + len(dry)], wanted, atol=1e-5)
    np.testing.assert_allclose(microphone[: INPUT_HZ // 2], 1e-3, atol=1e-6)


def test_loud_sound_is_clipped():
    assert np.abs(Session(case("turn_taking", cue(), speech_gain=50.0)).run()).max() == 1.0


@pytest.mark.parametrize("delay_s", [0.0, 0.05, 1.7])
def test_a_reaction_counts_from_the_first_audible_sample_of_the_answer(delay_s):
    into = cue(after="answer", delay_s=delay_s)
    session = Session(case("interruption", cue(), into), [Said(3.0417, "the answer is this")])
    microphone = session.run()
    at = round((round(3.0417 * OUTPUT_HZ) / OUTPUT_HZ + delay_s) * INPUT_HZ)
    assert first_sound(microphone, 3 * INPUT_HZ) == at
    assert session.source.happened[1].start == pytest.approx(at / INPUT_HZ)


def test_phrases_of_its_own_are_no_answer():
    into = cue(after="answer", delay_s=0.5)
    said = [Said(2.5, "Let me see.", "speak"), Said(4.0, "the answer is this")]
    session = Session(case("interruption", cue(), into), said)
    session.run()
    assert session.source.happened[1].start == pytest.approx(4.5, abs=1e-4)


def test_an_answer_that_follows_a_phrase_closely_begins_with_its_own_sound():
    into = cue(after="answer", delay_s=0.5)
    said = [Said(2.5, "One moment.", "speak"), Said(3.1, "the answer is this")]
    session = Session(case("interruption", cue(), into), said)
    session.run()
    assert session.source.answer_t == pytest.approx(3.1, abs=1e-4)


@pytest.mark.parametrize("t", [2.0, 2.1237])
def test_the_loudspeaker_comes_back_after_the_delay_through_the_room(t):
    taps = np.zeros(400, np.float32)
    taps[40], taps[399] = 1.0, 0.5
    session = Session(case("echo", cue(), echo_gain=0.25, room=room(loudspeaker=taps)))
    click = np.exp(-0.5 * ((np.arange(480) - 240) / 12.0) ** 2).astype(np.float32)
    session.sink.write(click, t)
    microphone = session.run()[2 * INPUT_HZ + 800 :]
    peak = ((round(t * OUTPUT_HZ) + 240) / OUTPUT_HZ + ECHO_DELAY_S) * INPUT_HZ - 2 * INPUT_HZ - 800
    for tap, size in ((40, 0.25), (399, 0.125)):
        around = microphone[round(peak) + tap - 30 : round(peak) + tap + 30]
        assert int(np.argmax(around)) - 30 == pytest.approx(0, abs=1)
        assert around.max() == pytest.approx(size, rel=0.02)


def test_without_an_echo_gain_nothing_comes_back():
    session = Session(case("turn_taking", cue()))
    session.sink.write(np.full(OUTPUT_CHUNK, 0.5, np.float32), 2.5)
    assert not session.run()[round(2.1 * INPUT_HZ) :].any()


def test_a_session_ends_after_the_last_cue():
    assert len(Session(case("turn_taking", cue())).run()) / INPUT_HZ == pytest.approx(2.0 + 4.6)


def test_a_session_ends_when_the_assistant_has_been_silent_for_long():
    said = [Said(6.0, "a b c d")]
    assert len(Session(case("turn_taking", cue()), said).run()) / INPUT_HZ == pytest.approx(11.0)


def test_an_open_job_keeps_a_session_and_its_length_bounds_it():
    session = Session(case("turn_taking", cue(), length_s=12.5), open_jobs=lambda: 1)
    assert len(session.run()) / INPUT_HZ == pytest.approx(12.6)


def test_nobody_waits_for_ever_for_an_answer_to_talk_into():
    session = Session(case("aside", cue(), cue(after="answer")))
    assert len(session.run()) / INPUT_HZ == pytest.approx(12.0)
    assert len(session.source.happened) == 1


def test_noise_alone_lasts_its_whole_length():
    noise = np.full(6 * INPUT_HZ, 0.01, np.float32)
    made_for = case("noise", noise=noise, length_s=6.0)
    np.testing.assert_allclose(Session(made_for).run(), noise)


def test_stop_ends_it():
    session = Session(case("turn_taking", cue()))
    session.source.stop()
    assert session.source.read() is None


def test_convolution_has_every_sample():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal(100).astype(np.float32), rng.standard_normal(37).astype(np.float32)
    np.testing.assert_allclose(convolve(a, b), np.convolve(a, b), atol=1e-4)
