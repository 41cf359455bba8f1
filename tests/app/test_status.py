"""The state that the window shows, from events."""

import pytest

from app.status import (
    BACKCHANNEL_TURNS,
    FAULT_TURNS,
    FOLLOWED_S,
    TITLES,
    YIELDED_TURNS,
    Activity,
    StatusTracker,
)
from engine.events import BackgroundEvent, Caption, Fault, Transcript
from tests.app.scenario import turn


def running() -> StatusTracker:
    tracker = StatusTracker()
    tracker.set_session("running")
    return tracker


def shown(tracker: StatusTracker) -> Activity:
    return tracker.status.activity


@pytest.mark.parametrize(
    ("state", "activity"),
    [
        ("off", Activity.OFF),
        ("starting", Activity.STARTING),
        ("running", Activity.LISTENING),
        ("stopping", Activity.STOPPED),
        ("stopped", Activity.STOPPED),
        ("failed", Activity.FAILED),
    ],
)
def test_the_session_decides_first(state, activity):
    tracker = StatusTracker()
    tracker.set_session(state, "why\nnot")
    assert shown(tracker) is activity
    assert tracker.status.detail == "why not"
    assert tracker.status.title == TITLES[activity]


def test_every_activity_has_a_title_of_its_own():
    assert len(set(TITLES.values())) == len(Activity)


@pytest.mark.parametrize(
    ("decision", "activity"),
    [
        ("listen", Activity.LISTENING),
        ("speak", Activity.TALKING),
        ("backchannel", Activity.BACKCHANNEL),
        ("interrupt", Activity.INTERRUPTING),
        ("yield", Activity.YIELDED),
    ],
)
def test_a_decision_shows_at_once(decision, activity):
    tracker = running()
    tracker.append([turn(0, decision)])
    assert shown(tracker) is activity


def test_a_yield_and_a_backchannel_stay_for_a_moment():
    tracker = running()
    tracker.append([turn(0, "yield")])
    seen = []
    for i in range(1, YIELDED_TURNS + 2):
        tracker.append([turn(i)])
        seen.append(tracker.status.activity)
    assert seen == [Activity.YIELDED] * (YIELDED_TURNS - 1) + [Activity.LISTENING] * 2
    tracker.append([turn(20, "backchannel"), turn(21)])
    assert shown(tracker) is Activity.BACKCHANNEL
    tracker.append([turn(20 + BACKCHANNEL_TURNS)])
    assert shown(tracker) is Activity.LISTENING
    tracker.append([turn(30, "yield"), turn(31, "speak")])
    assert shown(tracker) is Activity.TALKING


def test_speech_that_can_still_be_heard_is_talking():
    tracker = running()
    tracker.append([turn(0, heard_ms=120.0)])
    assert shown(tracker) is Activity.TALKING


def test_muted_shows_while_nothing_is_said():
    tracker = running()
    tracker.set_muted(True)
    assert shown(tracker) is Activity.MUTED
    tracker.append([turn(0)])
    assert shown(tracker) is Activity.MUTED
    tracker.append([turn(1, "speak")])
    assert shown(tracker) is Activity.TALKING
    tracker.set_muted(False)
    tracker.append([turn(2)])
    assert shown(tracker) is Activity.LISTENING


def test_background_work_stands_beside_the_activity():
    tracker = running()
    tracker.append([turn(0), BackgroundEvent(1, 0.1, "asked"), BackgroundEvent(2, 0.2, "asked")])
    assert shown(tracker) is Activity.LISTENING
    assert tracker.status.open_jobs == 2
    tracker.append([BackgroundEvent(1, 3, "answer", "x"), BackgroundEvent(2, 4, "failed")])
    assert not tracker.status.working
    tracker.append([BackgroundEvent(3, 5, "asked")])
    tracker.set_session("stopped")
    assert not tracker.status.working


def test_a_fault_is_shown_and_fades():
    tracker = running()
    tracker.append([turn(5), Fault(1.0, "the microphone is gone")])
    assert tracker.status.fault == "the microphone is gone"
    tracker.append([turn(5 + FAULT_TURNS)])
    assert tracker.status.fault
    tracker.append([turn(6 + FAULT_TURNS)])
    assert not tracker.status.fault


def test_levels_are_those_of_the_last_turn_and_end_with_the_session():
    tracker = running()
    tracker.append([turn(0, user_level_db=-20.0, self_level_db=-30.0)])
    assert (tracker.status.user_level_db, tracker.status.self_level_db) == (-20, -30)
    tracker.set_session("stopped")
    assert tracker.status.user_level_db == -120


def test_a_microphone_that_is_not_open_is_not_listening():
    tracker = running()
    tracker.set_microphone(True)
    assert shown(tracker) is Activity.LISTENING
    assert tracker.status.detail == "Microphone on"
    tracker.set_microphone(False)
    assert shown(tracker) is Activity.DEAF
    tracker.set_muted(True)
    assert shown(tracker) is Activity.MUTED
    assert tracker.status.detail == "Microphone closed"
    tracker.set_microphone(True)  # muting has not reached the device yet
    assert tracker.status.detail == "Microphone is still open"
    tracker.set_session("stopped")
    assert tracker.status.detail == ""


def test_words_that_are_followed_show_until_they_are_settled():
    tracker = running()
    tracker.append([turn(0), Caption(0.2, 0.0, "what is", 1)])
    assert shown(tracker) is Activity.FOLLOWING
    tracker.append([turn(1), Caption(0.4, 0.0, "what is the time", 3, settled=True)])
    assert shown(tracker) is Activity.LISTENING
    tracker.append([turn(2), Caption(0.6, 0.5, "and", 0)])
    assert shown(tracker) is Activity.FOLLOWING
    tracker.append([Transcript(0.0, 0.6, "assistant", "hm")])
    assert shown(tracker) is Activity.FOLLOWING
    tracker.append([Transcript(0.5, 0.7, "user", "and in Paris")])
    assert shown(tracker) is Activity.LISTENING


def test_what_is_followed_gives_way_to_talking_and_muting_and_fades():
    tracker = running()
    tracker.append([turn(0), Caption(0.2, 0.0, "what is", 1), turn(1, "speak")])
    assert shown(tracker) is Activity.TALKING
    tracker.append([turn(2)])
    assert shown(tracker) is Activity.FOLLOWING
    tracker.set_muted(True)
    assert shown(tracker) is Activity.MUTED
    tracker.set_muted(False)
    tracker.append([turn(2 + round(FOLLOWED_S / 0.2))])
    assert shown(tracker) is Activity.LISTENING


def test_a_key_to_hold_is_named_while_the_microphone_is_closed():
    tracker = running()
    tracker.set_hold_to_talk("F8")
    tracker.set_muted(True)
    tracker.set_microphone(False)
    assert tracker.status.detail == "Microphone closed: hold F8 to talk"
    tracker.set_hold_to_talk("")
    assert tracker.status.detail == "Microphone closed"
