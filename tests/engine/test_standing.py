"""Standing instructions: the register, what the model is shown of it, and the words that come of it."""

import math

import numpy as np
import pytest

from engine.decisions import COUNT, CUE, STANDING_TOKENS, TIME
from engine.speech import SpeechController
from engine.standing import (
    COUNTED,
    CUES,
    STANDING_DIM,
    Instruction,
    Standing,
    from_detail,
    standing_vector,
)
from engine.types import StepOutput
from tests.fakes import ToneVoice

SQUATS = Instruction(COUNT, "squat")
WAVE = Instruction(CUE, "wave", "You're waving.")
EVERY_TEN = Instruction(TIME, "", "Ten seconds.", 10.0, repeat=True)


def test_numbers_go_on_until_something_else_is_counted() -> None:
    standing = Standing()
    standing.arm(SQUATS, 3.0)
    assert [standing.said(COUNT, t) for t in (5.0, 7.0, 9.0)] == ["1.", "2.", "3."]
    standing.arm(Instruction(COUNT, "lunge"), 10.0)
    assert standing.said(COUNT, 12.0) == "1."


def test_nothing_is_said_of_what_does_not_stand() -> None:
    standing = Standing()
    assert [standing.said(token, 1.0) for token in STANDING_TOKENS] == ["", "", ""]
    standing.arm(WAVE, 1.0)
    assert standing.said(CUE, 2.0) == "You're waving."
    assert [w.asked for w in standing.disarm(CUE)] == [WAVE]
    assert standing.said(CUE, 3.0) == ""


def test_of_each_kind_one_stands_and_all_go_at_once() -> None:
    standing = Standing()
    for asked in (SQUATS, WAVE, EVERY_TEN, Instruction(COUNT, "lunge")):
        standing.arm(asked, 0.0)
    view = standing.view(1.0)
    assert {w.asked.token for w in view.watches} == set(STANDING_TOKENS)
    counted = view.of(COUNT)
    assert counted is not None and counted.asked.what == "lunge"
    assert len(standing.disarm()) == 3
    assert standing.view(2.0).watches == ()


def test_a_time_comes_once_or_again_and_again() -> None:
    standing = Standing()
    standing.arm(EVERY_TEN, 2.0)
    assert standing.view(2.0).watches[0].due == 12.0
    standing.said(TIME, 12.1)
    assert standing.view(12.2).watches[0].due == 22.0, "it does not drift with what is said late"
    standing.arm(Instruction(TIME, "", "Now.", 5.0), 20.0)
    standing.said(TIME, 25.0)
    assert standing.view(26.0).watches[0].due == math.inf


@pytest.mark.parametrize("what", COUNTED)
def test_the_model_is_shown_what_is_counted(what: str) -> None:
    standing = Standing()
    standing.arm(Instruction(COUNT, what), 1.0)
    shown = standing_vector(standing.view(2.0))
    assert shown.shape == (STANDING_DIM,)
    assert shown[0] == 1.0 and shown[1] == 0.0
    assert shown[2 : 2 + len(COUNTED)].argmax() == COUNTED.index(what)
    standing.said(COUNT, 4.0)
    assert standing_vector(standing.view(4.2))[1] > 0.5, "a number was said just now"


@pytest.mark.parametrize("what", CUES)
def test_the_model_is_shown_what_is_watched_for(what: str) -> None:
    standing = Standing()
    standing.arm(Instruction(CUE, what, "There."), 1.0)
    shown = standing_vector(standing.view(2.0))
    assert shown[11] == 1.0 and not shown[:11].any()
    assert shown[13 : 13 + len(CUES)].argmax() == CUES.index(what)


def test_the_model_is_shown_how_long_it_is_until_a_time() -> None:
    standing = Standing()
    standing.arm(EVERY_TEN, 0.0)
    before, near, after = (standing_vector(standing.view(t))[23:28] for t in (2.0, 9.8, 10.3))
    assert (before > near).all() and (near > 0).all() and (after < 0).all()
    assert not standing_vector(Standing().view(5.0)).any()


def test_the_words_of_a_token_are_spoken_and_counted() -> None:
    speech = SpeechController(ToneVoice())
    speech.standing.arm(SQUATS, 0.0)
    out = StepOutput("speak", {}, say=COUNT)
    first = speech.apply(out, 0, t=1.0)
    assert len(first.samples) and first.text_out == "1." and first.say == COUNT
    state = speech.state(1.2)
    assert state.last_say == COUNT
    counted = state.standing.of(COUNT)
    assert counted is not None and counted.said == 1
    speech.standing.disarm()
    speech.stop()
    nothing = speech.apply(out, 0, t=2.0)
    assert not len(nothing.samples), "nothing stands, so there are no words"


def plain(text: str) -> str:
    return " ".join(text.split())


def test_an_instruction_from_another_process() -> None:
    detail: dict[str, object] = {"token": "cue", "what": "wave", "words": "You're\nwaving."}
    assert from_detail(detail, plain) == WAVE
    timed: dict[str, object] = {"token": "time", "seconds": 10, "repeat": True, "words": "Ten seconds."}
    assert from_detail(timed, plain) == EVERY_TEN


@pytest.mark.parametrize(
    "detail",
    [
        {},
        {"token": "relay"},
        {"token": "count", "what": "money"},
        {"token": "cue", "what": "burglar", "words": "Help."},
        {"token": "cue", "what": "wave"},
        {"token": "time", "seconds": 0.1, "words": "Now."},
        {"token": "time", "seconds": float("nan"), "words": "Now."},
        {"token": "time", "seconds": "soon", "words": "Now."},
        {"token": "time", "seconds": 1e9, "words": "Now."},
    ],
)
def test_what_is_no_instruction_is_refused(detail: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        from_detail(detail, plain)


def test_vectors_are_finite_however_long_ago_it_was() -> None:
    standing = Standing()
    for asked in (SQUATS, WAVE, EVERY_TEN):
        standing.arm(asked, 0.0)
    assert np.isfinite(standing_vector(standing.view(1e6))).all()
    assert np.abs(standing_vector(standing.view(1e6))).max() <= 3.0
