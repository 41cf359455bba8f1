import numpy as np
import pytest

from engine.turn_taking import Span, answer_offsets, speech_spans, stop_latency, talked_over, turn_ends

HZ = 16_000


def recording(*spans: tuple[float, float], length_s: float = 6.0, noise: float = 1e-4) -> np.ndarray:
    samples = np.random.default_rng(0).normal(0, noise, round(length_s * HZ)).astype(np.float32)
    for t0, t1 in spans:
        piece = slice(round(t0 * HZ), round(t1 * HZ))
        samples[piece] += 0.2 * np.sin(np.arange(piece.stop - piece.start) * 0.2).astype(np.float32)
    return samples


def flat(spans: list[Span]) -> list[float]:
    return [t for span in spans for t in (span.t0, span.t1)]


@pytest.mark.parametrize("noise", [0.0, 1e-4, 3e-3])
def test_speech_is_found_to_a_hundredth(noise: float) -> None:
    spans = speech_spans(recording((1.0, 2.0), (3.5, 4.25), noise=noise), HZ)
    assert flat(spans) == pytest.approx([1.0, 2.0, 3.5, 4.25], abs=0.011)


def test_short_gaps_are_closed_and_clicks_left_out() -> None:
    spans = speech_spans(recording((1.0, 2.0), (2.2, 3.0), (4.0, 4.02)), HZ)
    assert flat(spans) == pytest.approx([1.0, 3.0], abs=0.011)


def test_silence_and_nothing_have_no_speech() -> None:
    assert speech_spans(np.zeros(HZ, np.float32), HZ) == []
    assert speech_spans(np.zeros(10, np.float32), HZ) == []


def test_answers_are_counted_from_the_end_of_the_turn_until_the_user_goes_on() -> None:
    user = [Span(0, 2), Span(3, 5), Span(9, 10), Span(20, 21)]
    assistant = [Span(2.4, 2.9), Span(4.8, 6), Span(12, 13)]
    offsets = answer_offsets([2, 5, 10, 21], user, assistant)
    assert offsets[:3] == pytest.approx([0.4, -0.2, 2.0])
    assert offsets[3] is None
    assert answer_offsets([2.0], [Span(0, 2), Span(2.3, 3)], assistant) == [None]


def test_stop_latency_counts_until_the_assistant_is_silent() -> None:
    assistant = [Span(1, 3)]
    assert stop_latency(2.6, assistant) == pytest.approx(0.4)
    assert stop_latency(3.5, assistant) is None
    assert talked_over([Span(0.5, 0.9), Span(1.1, 2), Span(2.6, 4)], assistant) == [2.6]


def test_turn_ends_need_a_long_silence() -> None:
    assert turn_ends([Span(0, 1), Span(1.5, 3), Span(4.2, 5)]) == [3, 5]
