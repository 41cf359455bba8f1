import numpy as np
import pytest

from engine.config import INPUT_CHUNK, OUTPUT_CHUNK, OUTPUT_HZ
from engine.conversation import (
    BARGE_IN_TURNS,
    CONTEXT_LINES,
    Conversation,
    UtteranceTracker,
    heard_ms,
    sound_bounds,
    without_overlap,
)
from engine.events import Transcript
from engine.handover import Line
from engine.types import Samples

SILENT = np.zeros(OUTPUT_CHUNK, np.float32)


def sound(begin_ms: int = 0, end_ms: int = 200) -> Samples:
    samples = SILENT.copy()
    samples[begin_ms * 24 : end_ms * 24] = 0.1
    return samples


def chunk(i: int) -> Samples:
    return np.full(INPUT_CHUNK, i / 1000, np.float32)


def assert_is(transcript: Transcript | None, t0: float, t1: float, text: str, unheard: str = "") -> None:
    assert transcript is not None
    assert (transcript.speaker, transcript.text, transcript.unheard) == ("assistant", text, unheard)
    assert [transcript.t0, transcript.t1] == pytest.approx([t0, t1])


def test_request_reaches_back_to_the_one_before() -> None:
    conversation = Conversation()
    for i in range(30):
        conversation.hear(i, chunk(i))
        if i == 9:
            assert len(conversation.request(9).audio) == 10 * INPUT_CHUNK
    request = conversation.request(29)
    assert request.t0 == 2.0
    assert len(request.audio) == 20 * INPUT_CHUNK
    np.testing.assert_array_equal(request.audio[:INPUT_CHUNK], chunk(10))
    np.testing.assert_array_equal(request.audio[-INPUT_CHUNK:], chunk(29))


def test_request_is_at_most_twenty_seconds() -> None:
    conversation = Conversation()
    for i in range(400):
        conversation.hear(i, chunk(i))
    request = conversation.request(399)
    assert len(request.audio) == 20 * 16_000
    assert request.t0 == 60.0


@pytest.mark.parametrize(("later", "first"), [(40, 0), (41, 10)])
def test_request_replaced_soon_holds_the_one_before(later: int, first: int) -> None:
    conversation = Conversation()
    for i in range(10 + later):
        conversation.hear(i, chunk(i))
        if i == 9:
            conversation.request(9)
    request = conversation.request(9 + later, again=True)
    np.testing.assert_array_equal(request.audio[:INPUT_CHUNK], chunk(first))
    assert len(request.audio) == (10 + later - first) * INPUT_CHUNK


def test_what_was_said_into_an_answer_is_no_part_of_the_next_request() -> None:
    conversation = Conversation()
    for i in range(60):
        conversation.hear(i, chunk(i))
        if i == 9:
            conversation.request(9)
        if 12 <= i <= 40:
            conversation.spoke(i)
    request = conversation.request(59)
    np.testing.assert_array_equal(request.audio[:INPUT_CHUNK], chunk(40 - BARGE_IN_TURNS))
    assert len(request.audio) == (59 - 40 + BARGE_IN_TURNS + 1) * INPUT_CHUNK


def test_request_says_between_when_there_is_speech() -> None:
    rng = np.random.default_rng(0)
    audio = (0.001 * rng.standard_normal(30 * INPUT_CHUNK)).astype(np.float32)
    audio[round(1.3 * 16_000) : round(4.5 * 16_000)] *= 80.0
    audio[:INPUT_CHUNK] = 0.0  # a noise suppressor leaves digital silence and noise side by side
    audio[round(2.0 * 16_000) : round(3.0 * 16_000)] /= 80.0  # a pause
    conversation = Conversation()
    for i in range(20):
        conversation.hear(i, np.zeros(INPUT_CHUNK, np.float32))
    conversation.request(19)
    for i in range(30):
        conversation.hear(20 + i, audio[i * INPUT_CHUNK : (i + 1) * INPUT_CHUNK])
    request = conversation.request(49)
    assert request.t0 == pytest.approx(4.0 + 1.3, abs=0.03)
    assert request.t1 == pytest.approx(4.0 + 4.5, abs=0.03)


@pytest.mark.parametrize("level", [0.0, 0.05])
def test_request_without_contrast_is_all_speech(level: float) -> None:
    audio = level * np.random.default_rng(0).standard_normal(16_000).astype(np.float32)
    assert sound_bounds(audio) == (0.0, 1.0)
    assert sound_bounds(audio[:10])[0] == 0.0


def test_request_carries_typed_text_once_and_the_last_lines() -> None:
    conversation = Conversation()
    conversation.typed("hello")
    conversation.typed("there")
    for i in range(CONTEXT_LINES + 5):
        conversation.add(Transcript(i, i, "user", f"line {i}"))
    conversation.add(Transcript(1, 1, "assistant", "", unheard="nothing"))
    request = conversation.request(0)
    assert request.text == "hello\nthere"
    assert [line.text for line in request.lines[:-1]] == [f"line {i}" for i in range(6, CONTEXT_LINES + 5)]
    assert request.lines[-1] == Line("assistant", "", 1, 1, "nothing")
    assert len(request.audio) == 0
    assert conversation.request(1).text == ""


@pytest.mark.parametrize(
    ("begun", "after", "left"),
    [
        (["a", "b", "c"], ["b", "c", "d"], ["a"]),
        (["a", "b"], ["c"], ["a", "b"]),
        (["a"], ["a", "b"], []),
        (["the", "the"], ["the", "x"], ["the"]),
        ([], ["a"], []),
    ],
)
def test_without_overlap(begun: list[str], after: list[str], left: list[str]) -> None:
    assert without_overlap(begun, after, 4) == left


def test_utterance_lasts_from_first_to_last_audible_sample() -> None:
    tracker = UtteranceTracker()
    assert tracker.heard(4, SILENT, busy=False) is None
    assert tracker.made(1.03, "one two", "", False) is None
    assert tracker.heard(5, sound(30, 200), busy=True) is None
    tracker.made(1.23, "three", "", False)
    assert tracker.heard(6, sound(0, 150), busy=True) is None
    utterance = tracker.heard(7, SILENT, busy=False)
    assert_is(utterance, 1.03, 1.35, "one two three")
    assert not tracker.open
    assert tracker.heard(8, SILENT, busy=False) is None


def test_utterance_stays_open_while_its_sound_is_on_the_way() -> None:
    tracker = UtteranceTracker()
    tracker.made(0.25, "hm", "", False)
    assert tracker.heard(1, SILENT, busy=True) is None
    assert tracker.heard(2, sound(), busy=False) is None
    done = tracker.heard(3, SILENT, busy=False)
    assert_is(done, 0.4, 0.6, "hm")


def test_words_cut_off_are_told_apart_from_words_heard() -> None:
    tracker = UtteranceTracker()
    tracker.made(0.2, "we open at", "", False)
    tracker.heard(1, sound(), busy=True)
    tracker.made(0.43, "", "at nine every day", True)  # "at" had begun, but nobody heard it
    tracker.heard(2, sound(0, 50), busy=False)
    assert_is(tracker.heard(3, SILENT, busy=False), 0.2, 0.45, "we open", "at nine every day")


def test_word_repeated_after_a_pause_counts_once() -> None:
    tracker = UtteranceTracker()
    tracker.made(0.2, "well that depends", "", False)
    tracker.heard(1, sound(), busy=True)
    tracker.made(0.4, "", "", True)
    tracker.heard(2, sound(0, 20), busy=True)
    tracker.made(0.6, "depends on", "", False)
    tracker.heard(3, sound(), busy=True)
    tracker.made(0.8, "on it", "", False)  # no pause before this one: a word said twice stays
    tracker.heard(4, sound(), busy=True)
    assert_is(tracker.heard(5, SILENT, busy=False), 0.2, 1.0, "well that depends on on it")


def test_long_pause_ends_the_utterance_though_words_are_left() -> None:
    tracker = UtteranceTracker()
    tracker.made(0.2, "first", "", False)
    tracker.heard(1, sound(), busy=True)
    tracker.made(0.4, "", "", True)
    ended = [tracker.heard(i, SILENT, busy=True) for i in range(2, 8)]
    assert [e.text for e in ended if e] == ["first"]
    assert ended.index(next(e for e in ended if e)) == 4


def test_speech_right_after_a_cut_is_another_utterance() -> None:
    tracker = UtteranceTracker()
    tracker.made(0.2, "so the", "", False)
    tracker.heard(1, sound(), busy=True)
    tracker.made(0.4, "", "answer is", True)
    cut = tracker.made(0.6, "go ahead", "", False)
    assert_is(cut, 0.2, 0.4, "so the", "answer is")
    tracker.heard(3, sound(), busy=False)
    assert_is(tracker.heard(4, SILENT, busy=False), 0.6, 0.8, "go ahead")


def test_speech_into_a_lost_loudspeaker_was_not_heard() -> None:
    tracker = UtteranceTracker()
    tracker.made(0.2, "anybody there", "", False)
    assert_is(tracker.heard(1, SILENT, busy=False), 0.2, 0.2, "", "anybody there")


def test_heard_ms_counts_audible_blocks() -> None:
    assert heard_ms(SILENT) == 0.0
    assert heard_ms(sound()) == 200.0
    assert heard_ms(sound(50, 100)) == 50.0
    blip = SILENT.copy()
    blip[OUTPUT_HZ // 10] = -0.5
    assert heard_ms(blip) == 10.0
