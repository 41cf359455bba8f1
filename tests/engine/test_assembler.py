import numpy as np
import pytest

from engine.assembler import MAX_WAITING_TEXTS, Gathered, MicroTurnAssembler, clean_audio, turn_start
from engine.config import INPUT_CHUNK
from engine.events import Fault, TextIn, VisionEvent
from engine.types import SelfState, SourceChunk, TextEvent
from tests.fakes import FakeCamera

SILENCE = SourceChunk(np.zeros(INPUT_CHUNK, np.float32))


def faults(gathered: Gathered) -> list[str]:
    return [event.what for event in gathered.events if isinstance(event, Fault)]


def test_turns_start_at_the_decimals_that_the_files_show() -> None:
    assert [turn_start(i) for i in range(5)] == [0.0, 0.2, 0.4, 0.6, 0.8]
    assert turn_start(5 * 3600 * 8) == 8 * 3600.0


def test_audio_passes_unchanged_with_gap_and_faults_of_the_source() -> None:
    rng = np.random.default_rng(0)
    samples = rng.uniform(-1, 1, INPUT_CHUNK).astype(np.float32)
    gathered = MicroTurnAssembler().gather(7, SourceChunk(samples, 120, ("microphone lost",)))
    turn = gathered.micro_turn(SelfState(speaking=True))
    assert turn.index == 7
    np.testing.assert_array_equal(turn.audio, samples)
    assert turn.gap_samples == 120
    assert turn.self_state.speaking
    assert gathered.events == (Fault(1.4, "microphone lost"),)


def test_damaged_samples_become_silence_and_are_reported_once_a_burst() -> None:
    broken = np.zeros(INPUT_CHUNK, np.float32)
    broken[:4] = (np.nan, np.inf, -np.inf, 1.5e38)
    broken[4:6] = (0.5, -1.25)
    assembler = MicroTurnAssembler()
    chunks = [broken, broken, SILENCE.samples, broken]
    gathered = [assembler.gather(i, SourceChunk(c)) for i, c in enumerate(chunks)]
    assert gathered[0].audio[:6].tolist() == [0.0, 0.0, 0.0, 0.0, 0.5, -1.0]
    assert [len(faults(g)) for g in gathered] == [1, 0, 0, 1]
    assert "4 samples" in faults(gathered[0])[0]


def test_chunk_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="3200"):
        clean_audio(np.zeros(INPUT_CHUNK - 1, np.float32))


def test_texts_reach_the_turn_of_their_interval_in_time_order() -> None:
    early = [TextIn(0.05, "first"), TextIn(0.19, "second")]
    assembler = MicroTurnAssembler(script=[TextIn(0.4, "third"), *early])
    assert assembler.add_text(TextEvent(0.1, "words", "background")) is None
    first = assembler.gather(0, SILENCE)
    assert [(t.text, t.origin) for t in first.texts] == [
        ("first", "user"), ("words", "background"), ("second", "user"),
    ]  # fmt: skip
    assert [e for e in first.events if isinstance(e, TextIn)] == early
    assert assembler.gather(1, SILENCE).texts == ()
    assert [t.text for t in assembler.gather(2, SILENCE).texts] == ["third"]


def test_text_for_a_turn_that_is_over_reaches_the_next_one() -> None:
    assembler = MicroTurnAssembler()
    assembler.gather(0, SILENCE)
    assembler.add_text(TextEvent(0.15, "late"))
    assert [t.text for t in assembler.gather(1, SILENCE).texts] == ["late"]


def test_too_many_waiting_texts_are_refused_with_a_fault() -> None:
    assembler = MicroTurnAssembler()
    refused = [assembler.add_text(TextEvent(0.0, str(i))) for i in range(MAX_WAITING_TEXTS + 1)]
    assert refused[:-1] == [None] * MAX_WAITING_TEXTS
    assert isinstance(refused[-1], Fault)
    assert len(assembler.gather(0, SILENCE).texts) == MAX_WAITING_TEXTS


def test_frames_are_the_newest_of_their_turn_and_camera_news_is_told() -> None:
    camera = FakeCamera([(0.05, 0), (0.15, 1), (0.25, 2)])
    camera.events = ["started"]
    assembler = MicroTurnAssembler(camera)
    first, second, third = (assembler.gather(i, SILENCE) for i in range(3))
    assert [g.frame.number if g.frame else None for g in (first, second, third)] == [1, 2, None]
    assert first.events == (VisionEvent(0.2, "started"),)
    assert second.events == third.events == ()


def test_failing_camera_is_let_go_and_told_once() -> None:
    assembler = MicroTurnAssembler(FakeCamera([(0.05, 0)], fail_at=0.3))
    gathered = [assembler.gather(i, SILENCE) for i in range(4)]
    assert [g.frame is not None for g in gathered] == [True, False, False, False]
    assert [e for g in gathered for e in g.events] == [VisionEvent(0.4, "lost: unplugged")]
