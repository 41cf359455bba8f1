"""Streaming recognition: its logic with a transcriber that follows a script, and the real model on speech."""

from itertools import pairwise

import numpy as np
import pytest

from engine.background.activity import safe
from engine.background.recognise import HZ, bundled_model, words_of
from engine.background.streaming import STEP, Heard, Listener, Listening
from engine.background.transcribe import Hypothesis, Piece, Transcriber
from engine.types import Samples
from tests.engine.speech_samples import end_of, said, scene

QUESTION = "What is the capital of France?"
EAGER = Listening(guard_s=0.0)


class Script:
    """Gives hypotheses in turn, the last one again and again; words end evenly over the window."""

    def __init__(self, *texts: str) -> None:
        self.texts = list(texts)
        self.windows: list[float] = []
        self.given: list[list[str]] = []

    def transcribe(self, window, given=(), before=(), pad_s=0.0, beam=1) -> Hypothesis:
        self.windows.append(len(window) / HZ)
        self.given.append([piece.text for piece in given])
        words = (self.texts.pop(0) if len(self.texts) > 1 else self.texts[0]).split()
        step = len(window) / HZ / max(1, len(words))
        fresh = [Piece(w, (k,), k * step, (k + 1) * step, 0.9) for k, w in enumerate(words)]
        return Hypothesis((*given, *fresh[len(given) :]))


class Counting:
    """Writes one word for each second of the window, numbered by the session's seconds."""

    def __init__(self) -> None:
        self.said = 0
        self.longest = 0.0

    def transcribe(self, window, given=(), before=(), pad_s=0.0, beam=1) -> Hypothesis:
        seconds = len(window) / HZ
        self.longest = max(self.longest, seconds)
        first = given[-1].t1 if given else 0.0
        number = int(given[-1].text) if given else self.said
        fresh = []
        while first + 1 <= seconds:
            number += 1
            fresh.append(Piece(str(number), (number,), first, first + 1, 0.9))
            first += 1
        if given:
            self.said = max(self.said, int(given[-1].text))
        return Hypothesis((*given, *fresh))


def follow(listener: Listener, samples: Samples, t: float = 0.0) -> list[Heard]:
    parts = range(0, len(samples) // STEP * STEP, STEP)
    told = [listener.hear(t + k / HZ, samples[k : k + STEP]) for k in parts]
    return [heard for heard in told if heard is not None]


def once(seconds: float = 5.0) -> Samples:
    return scene(seconds, (1.0, QUESTION))


@pytest.fixture(scope="module")
def transcriber() -> Transcriber:
    return Transcriber(bundled_model(), threads=1)


def test_words_of_two_hypotheses_are_certain_and_the_last_word_is_not():
    told = follow(Listener(Script("what is", "what is the", "what is a capital"), EAGER), once())
    spoken = [heard for heard in told if not heard.settled]
    assert [heard.text for heard in spoken[:3]] == ["what is", "what is the", "what is a capital"]
    assert [heard.stable for heard in spoken[:3]] == [0, 2, 2]
    assert [heard.revision for heard in spoken[:3]] == [0, 1, 2]


def test_certain_words_are_given_to_the_decoder_and_never_change():
    script = Script("what is the", "what is the capital", "why was the capital of")
    told = follow(Listener(script, EAGER), once())
    assert script.given[:3] == [[], [], ["what", "is", "the"]]
    assert told[-1].text == "what is the capital of"


def test_words_near_the_end_of_the_window_are_not_certain_yet():
    told = follow(Listener(Script("what is the capital"), Listening(guard_s=9.0)), once())
    assert all(heard.stable == 0 for heard in told if not heard.closed)
    assert told[-1].closed and told[-1].stable == 4


class Doubting(Script):
    """A script whose hypotheses with several beams have alternatives."""

    def transcribe(self, window, given=(), before=(), pad_s=0.0, beam=1) -> Hypothesis:
        found = super().transcribe(window, given, before, pad_s, beam)
        others = (f"{beam} beams", "less probable") if beam > 1 else ()
        return Hypothesis(found.pieces, False, others, echo="echo" in self.texts[0])


def test_what_settles_has_alternatives_and_what_grows_has_none():
    told = follow(Listener(Doubting("what is it")), once())
    assert {heard.others for heard in told if heard.settled} == {("5 beams", "less probable")}
    assert {heard.others for heard in told if not heard.settled} == {()}
    assert all(heard.again is None for heard in told if not heard.settled)


def test_it_can_be_listened_to_once_more_as_if_no_word_were_certain():
    script = Doubting("what is it", "what is it", "what is it", "what was it")
    told = follow(Listener(script, EAGER), once())
    assert told[-1].again is not None
    heard = len(script.given)
    assert told[-1].again() == ("what was it", "10 beams", "less probable")
    assert script.given[heard:] == [[]]
    assert told[-1].again() == told[-1].again()
    assert len(script.given) == heard + 1


def test_an_echo_of_the_hint_is_not_what_was_heard_the_second_time():
    told = follow(Listener(Doubting("echo")), once())
    assert told[-1].again is not None
    assert told[-1].again() == ("10 beams", "less probable")


def test_an_utterance_settles_in_a_pause_and_is_closed_after_a_longer_one():
    told = follow(Listener(Script("what is")), once())
    settled = next(heard for heard in told if heard.settled)
    assert end_of(1.0, QUESTION) <= settled.until < end_of(1.0, QUESTION) + 0.45
    assert not settled.closed and settled.stable < 2
    assert told[-1].closed and told[-1].settled and told[-1].stable == 2
    assert 0.9 < told[-1].until - end_of(1.0, QUESTION) < 1.4
    assert sum(heard.closed for heard in told) == 1


def test_who_goes_on_after_a_short_pause_unsettles_the_same_utterance():
    gap = scene(6.0, (1.0, QUESTION), (end_of(1.0, QUESTION) + 0.5, "Tell me now."))
    told = follow(Listener(Script("one two three")), gap)
    assert {heard.utterance for heard in told} == {0}
    marks = [heard.settled for heard in told]
    first = marks.index(True)
    assert False in marks[first:] and marks[-1]


def test_audio_that_was_decoded_is_not_decoded_again():
    script = Script("one two")
    listener = Listener(script)
    follow(listener, once(8.0))
    spoken = len(script.windows)
    listener.finish(8.0)
    listener.close()
    assert len(script.windows) == spoken
    assert spoken <= len(said(QUESTION)) / HZ / 0.4 + 2


def test_the_next_speech_is_a_new_utterance():
    told = follow(Listener(Script("one two")), scene(8.0, (1.0, "Hello there."), (5.0, QUESTION)))
    assert [heard.utterance for heard in told if heard.closed] == [0, 1]
    assert min(word.t0 for word in told[-1].words) >= 4.9


def test_finish_decodes_the_rest_and_close_begins_anew():
    script = Script("one two three")
    listener = Listener(script, Listening(every_s=60.0))
    assert follow(listener, once()[: round(2.0 * HZ)]) == []
    heard = listener.finish(2.0)
    assert heard is not None and heard.settled and not heard.closed
    assert heard.text == "one two three" and heard.stable == 3 and heard.until == pytest.approx(2.0)
    assert listener.finish(2.0) == heard
    closed = listener.close()
    assert closed is not None and closed.closed and closed.text == heard.text
    assert listener.close() is None and listener.finish(2.0) is None
    told = follow(listener, once()[round(2.0 * HZ) :], 2.0)
    assert {later.utterance for later in told} == {1}
    assert told[-1].words[0].t0 >= 2.0


def test_where_nothing_is_recognised_nothing_is_told():
    listener = Listener(Script(""))
    assert follow(listener, once()) == []
    assert listener.finish(5.0) is None and listener.close() is None


def test_a_computer_that_is_behind_leaves_out_what_is_not_final():
    script = Script("one two")
    listener = Listener(script)
    samples = once()
    for k in range(0, len(samples), STEP):
        listener.hear(k / HZ, samples[k : k + STEP], behind=True)
    assert 1 <= len(script.windows) <= 3


def test_a_minute_without_a_pause_keeps_the_window_short_and_every_word():
    speech = np.tile(np.concatenate([said(QUESTION)[: round(1.3 * HZ)]]), 60)[: 60 * HZ]
    counting = Counting()
    told = follow(Listener(counting, Listening(close_s=3.0)), np.concatenate([speech, np.zeros(4 * HZ)]))
    assert counting.longest < 16.0
    assert told[-1].closed
    assert len(told) > 20
    for before, after in pairwise(told):
        assert [w.text for w in after.words[: before.stable]] == [
            w.text for w in before.words[: before.stable]
        ]
    times = [t for word in told[-1].words for t in (word.t0, word.t1)]
    assert times == sorted(times)


def test_an_utterance_without_end_is_closed():
    speech = np.tile(said(QUESTION), 8)
    told = follow(Listener(Script("one two three"), Listening(longest_s=5.0)), speech)
    assert [heard.utterance for heard in told if heard.closed][:2] == [0, 1]


def test_a_short_gap_is_silence_and_a_long_one_or_a_jump_back_ends_the_utterance():
    samples = once()[: round(2.0 * HZ)]
    listener = Listener(Script("one two"))
    told = follow(listener, samples)
    assert listener.hear(2.4, np.zeros(STEP, np.float32)) is None or not told[-1].closed
    ended = listener.hear(60.0, np.zeros(STEP, np.float32))
    assert ended is not None and ended.closed and ended.until < 4.0
    assert follow(listener, samples, 10.0)[0].words[0].t0 >= 10.0
    back = listener.hear(3.0, np.zeros(STEP, np.float32))
    assert back is not None and back.closed and back.utterance == 1


def test_odd_samples_become_safe_ones():
    odd = np.array([[np.nan, np.inf], [-np.inf, 7.0]])
    assert safe(odd).tolist() == [0.0, 0.0, 0.0, 1.0]


def test_a_question_is_heard_as_it_is_said(transcriber):
    told = follow(Listener(transcriber), once())
    assert words_of(told[-1].text) == words_of(QUESTION)
    assert told[-1].text.endswith("?")
    settled = next(heard for heard in told if heard.settled)
    assert words_of(settled.text) == words_of(QUESTION)
    assert len({heard.revision for heard in told}) >= 2
    words = told[-1].words
    times = [t for word in words for t in (word.t0, word.t1)]
    assert times == sorted(times)
    assert abs(words[0].t0 - 1.0) < 0.2 and abs(words[-1].t1 - end_of(1.0, QUESTION)) < 0.25
    assert all(0.2 < word.prob <= 1.0 for word in words)


def test_given_words_are_kept_with_their_times(transcriber):
    window = once(3.0)[round(0.8 * HZ) :]
    free = transcriber.transcribe(window)
    held = transcriber.transcribe(window, free.pieces[:3])
    assert held.pieces[:3] == free.pieces[:3]
    assert [p.text for p in held.pieces] == [p.text for p in free.pieces]
    assert transcriber.transcribe(np.zeros(0, np.float32)) == Hypothesis()


def odd_sounds() -> dict[str, Samples]:
    rng = np.random.default_rng(2)
    time = np.arange(4 * HZ) / HZ
    chord = np.sin(2 * np.pi * np.outer((262, 330, 392), time)).sum(axis=0)
    made = {
        "silence": np.zeros(4 * HZ),
        "noise": rng.normal(0, 0.2, 4 * HZ),
        "hum": 0.9 * np.sin(2 * np.pi * 50 * time),
        "tune": 0.2 * chord * (np.sin(2 * np.pi * 2 * time) > 0),
        "full scale": np.sign(np.sin(2 * np.pi * 200 * time)),
        "not a number": np.full(4 * HZ, np.nan),
        "huge": 1e30 * rng.normal(0, 1, 4 * HZ),
    }
    return {name: samples.astype(np.float32) for name, samples in made.items()}


@pytest.mark.parametrize("name", list(odd_sounds()))
def test_where_nobody_speaks_nothing_is_heard(transcriber, name):
    assert follow(Listener(transcriber), odd_sounds()[name]) == []


def test_nothing_raises_for_odd_pieces(transcriber):
    listener = Listener(transcriber)
    for k, piece in enumerate((np.zeros(0), np.ones(1), np.zeros((2, 5)), np.full(7, np.inf), once())):
        listener.hear(float(k) - 3.0, piece.astype(np.float32))
    listener.hear(float("nan"), np.zeros(10, np.float32))
    clipped = np.clip(40 * once(), -1, 1)
    told = follow(Listener(transcriber), clipped)
    assert "capital" in told[-1].text


def test_several_beams_give_alternatives_without_echoes_and_loops(transcriber):
    window = said(QUESTION)
    found = transcriber.transcribe(window, pad_s=6.0, beam=5)
    text = " ".join(piece.text for piece in found.pieces)
    assert text.startswith("What is the capital of France")
    assert found.others and not found.echo
    plain = [words_of(each) for each in (text, *found.others)]
    assert all(plain) and len({tuple(each) for each in plain}) == len(plain)
    assert transcriber.transcribe(window, pad_s=6.0).others == ()


def test_a_line_of_the_hint_is_marked(transcriber):
    found = transcriber.transcribe(said("Set a timer for ten minutes."), pad_s=6.0, beam=5)
    assert found.echo
