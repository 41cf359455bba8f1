"""The conversation's lines from events: live words, final transcripts, cut-offs, overlaps, notes."""

from pathlib import Path

import pytest

from app.conversation import MAX_LINES, Conversation, Line, failure_text, joined, tool_note
from app.recorded import in_order
from engine.events import BackgroundEvent, Fault, Mark, SessionHeader, TextIn, Transcript, TurnRecord
from engine.recorder.marks import HELD, LET_GO
from engine.recorder.reader import RecordedSession
from tests.app.scenario import HEADER, session, turn


def texts(conversation: Conversation) -> list[tuple[str, str]]:
    return [(line.speaker, line.text) for line in conversation.lines]


def request(job: int, t: float, text: str, **detail) -> BackgroundEvent:
    return BackgroundEvent(job, t, "partial", text, {"role": "request", **detail})


def test_words_appear_as_they_are_said_and_the_transcript_settles_them():
    talk = Conversation()
    talk.append([turn(10, "speak", text_out="The")])
    changes = talk.append([turn(11, "speak", text_out="moon"), turn(12, "speak")])
    assert texts(talk) == [("assistant", "The moon")]
    assert talk.lines[0].live
    assert changes.updated == {0}
    assert not changes.appended
    talk.append([Transcript(2.21, 3.0, "assistant", "The moon")])
    line = talk.lines[0]
    assert (line.live, line.t0, line.t1, line.text) == (False, 2.21, 3.0, "The moon")


def test_what_was_cut_off_is_kept_apart():
    talk = Conversation()
    talk.append([turn(10, "speak", text_out="The moon is about"), turn(12, "yield")])
    talk.append([Transcript(2.2, 2.6, "assistant", "The moon", "is about")])
    assert texts(talk) == [("assistant", "The moon")]
    assert talk.lines[0].unheard == "is about"


def test_words_of_the_next_utterance_are_not_lost_when_a_transcript_comes_late():
    talk = Conversation()
    talk.append([turn(10, "speak", text_out="One moment."), turn(20, "speak", text_out="It is")])
    talk.append([Transcript(2.2, 3.1, "assistant", "One moment."), turn(21, "speak", text_out="far.")])
    assert texts(talk) == [("assistant", "One moment."), ("assistant", "It is far.")]
    assert [line.live for line in talk.lines] == [False, True]


def test_a_long_pause_begins_a_new_line_even_without_a_transcript():
    talk = Conversation()
    talk.append([turn(10, "backchannel", text_out="mm-hm"), turn(40, "backchannel", text_out="right")])
    assert texts(talk) == [("assistant", "mm-hm"), ("assistant", "right")]
    assert all(line.backchannel for line in talk.lines)
    assert [line.live for line in talk.lines] == [False, True]


def test_the_request_grows_while_it_is_recognised_and_gets_its_times():
    talk = Conversation()
    talk.append([request(1, 5.0, "how far")])
    talk.append([request(1, 6.0, "how far is the moon")])
    assert texts(talk) == [("user", "how far is the moon")]
    assert talk.lines[0].live
    talk.append([Transcript(3.2, 5.9, "user", "how far is the moon")])
    assert len(talk.lines) == 1
    line = talk.lines[0]
    assert (line.live, line.t0, line.t1) == (False, 3.2, 5.9)


def test_a_transcript_before_its_request_is_not_told_twice():
    talk = Conversation()
    talk.append([Transcript(3.2, 5.9, "user", "how far"), request(1, 6.1, "how far")])
    assert texts(talk) == [("user", "how far")]
    talk.append([request(1, 6.4, "how far is it")])
    assert texts(talk) == [("user", "how far is it")]


def test_a_longer_hearing_of_the_same_speech_takes_the_place_of_the_shorter():
    talk = Conversation()
    for job, t1, text in ((1, 22.0, "Let me tell you."), (2, 24.5, "Let me tell you what happened.")):
        talk.append([request(job, t1 + 0.5, text)])
        talk.append([Transcript(20.0, t1, "user", text)])
    talk.append([Transcript(26.0, 27.0, "user", "And then?")])
    assert texts(talk) == [("user", "Let me tell you what happened."), ("user", "And then?")]
    assert talk.append([request(1, 28.0, "Let me tell you.")]) is not None  # a late echo does no harm


def test_saying_the_same_again_is_a_line_of_its_own():
    talk = Conversation()
    talk.append([request(1, 5.0, "yes"), Transcript(4.0, 4.5, "user", "yes")])
    talk.append(
        [
            BackgroundEvent(1, 6.0, "answer", "ok"),
            request(2, 15.0, "yes"),
            Transcript(14.0, 14.5, "user", "yes"),
        ]
    )
    assert len(talk.lines) == 2


def test_lines_stand_in_order_of_time_whatever_order_they_came_in():
    talk = Conversation()
    talk.append([TextIn(9.0, "typed"), Mark(12.0, "look")])
    changes = talk.append(
        [Transcript(1.0, 2.0, "user", "first"), Transcript(10.0, 11.0, "assistant", "third")]
    )
    assert texts(talk) == [("user", "first"), ("typed", "typed"), ("assistant", "third"), ("note", "look")]
    assert changes.reset


def test_speaking_at_once_is_shown_on_both_lines():
    talk = Conversation()
    talk.append([Transcript(1.0, 4.0, "assistant", "The moon is"), Transcript(3.2, 6.0, "user", "wait")])
    assert [round(line.overlap_s, 2) for line in talk.lines] == [0.8, 0.8]
    talk.append([Transcript(5.5, 5.9, "assistant", "mm-hm"), TextIn(5.6, "typed while talking")])
    assert [round(line.overlap_s, 2) for line in talk.lines] == [0.8, 1.2, 0.4, 0.0]


def test_faults_repeat_in_one_line_and_failures_are_told():
    talk = Conversation()
    talk.append([Fault(1.0, "underrun"), Fault(2.0, "underrun"), Fault(3.0, "underrun")])
    talk.append(
        [
            BackgroundEvent(4, 5.0, "failed", "no server answers"),
            BackgroundEvent(5, 6.0, "tool_call", "clock"),
        ]
    )
    assert texts(talk) == [
        ("fault", "underrun"),
        ("fault", "No answer from the background: no server answers"),
        ("note", "Using clock"),
    ]
    assert talk.lines[0].repeated == 3


def test_text_is_made_safe():
    talk = Conversation()
    talk.append([TextIn(1.0, "<b>bold</b>\u202eevil\u0007"), Transcript(2, 3, "user", "a\u200bb")])
    assert texts(talk) == [("typed", "<b>bold</b>evil"), ("user", "ab")]


def test_lines_are_bounded_and_the_rest_is_counted():
    talk = Conversation()
    changes = talk.append([TextIn(float(k), f"line {k}") for k in range(MAX_LINES + 50)])
    assert changes.reset
    assert len(talk.lines) <= MAX_LINES
    assert talk.forgotten + len(talk.lines) == MAX_LINES + 50
    assert talk.lines[-1].text == f"line {MAX_LINES + 49}"
    talk.append([turn(30_000, "speak", text_out="still works")])
    assert talk.lines[-1].text == "still works"


def test_the_end_of_a_session_settles_what_was_open():
    talk = Conversation()
    talk.append([request(1, 5.0, "how far"), turn(30, "speak", text_out="It is")])
    changes = talk.close()
    assert changes.updated == {0, 1}
    assert not any(line.live for line in talk.lines)


def test_a_recorded_session_gives_the_same_lines_as_the_live_one():
    events = session(90)
    live, recorded = Conversation(), Conversation()
    for event in events:
        live.append([event])
    live.close()
    turns = tuple(e for e in events if isinstance(e, TurnRecord))
    others = tuple(e for e in events if not isinstance(e, TurnRecord | SessionHeader))
    recorded.append(in_order(RecordedSession(HEADER, turns, others, (), Path("nowhere"))))
    recorded.close()
    assert [(line.speaker, line.text, line.t0) for line in recorded.lines] == [
        (line.speaker, line.text, line.t0) for line in live.lines
    ]
    assert sum(line.speaker == "user" for line in live.lines) == 12
    assert sum(line.speaker == "assistant" for line in live.lines) >= 14


def test_lines_spoken_at_once_are_joined_through_what_stands_between():
    lines = [
        Line(0.0, 1.0, "user", "before"),
        Line(2.0, 5.0, "user", "long"),
        Line(3.0, 3.0, "note", "Using the clock"),
        Line(4.0, 6.0, "assistant", "at once"),
        Line(6.5, 7.0, "user", "after"),
    ]
    found = [joined(lines, row) for row in range(len(lines))]
    assert found == [(False, False), (False, True), (True, True), (True, False), (False, False)]
    touching = [Line(0.0, 1.0, "user", "a"), Line(0.95, 2.0, "assistant", "b")]
    assert joined(touching, 0) == (False, False), "too short to count"


@pytest.mark.parametrize(
    ("text", "detail", "told"),
    [
        ('time {"place": "tokyo"}', {"arguments": '{"place": "tokyo"}'}, "Using time: tokyo"),
        ("read_file {}", {"arguments": "{}"}, "Using read file"),
        ("note", {"arguments": '{"text": "butter", "change": true, "last": true}'}, "Using note: butter"),
        ('note {"text": "milk"}', {}, "Using note: milk"),
        ("elsewhere what ever", {}, "Using elsewhere: what ever"),
        ("screenshot {}", {"permission": "ask always"}, "Wants to use screenshot"),
    ],
)
def test_a_tool_is_told_in_words(text, detail, told):
    assert tool_note(BackgroundEvent(1, 2.0, "tool_call", text, detail)) == told


def test_a_failure_is_told_once_and_a_refusal_is_none():
    failed = BackgroundEvent(1, 2.0, "failed", "Too late.", {"advice": "time: Too late."})
    assert failure_text(failed) == "time: Too late."
    assert (
        failure_text(BackgroundEvent(1, 2.0, "failed", "Too late.", {"advice": "Wait."}))
        == "Too late. – Wait."
    )
    assert failure_text(BackgroundEvent(1, 2.0, "failed")) == "it failed"
    talk = Conversation()
    talk.append(
        [failed, BackgroundEvent(2, 3.0, "failed", "All right, I will leave that.", {"refused": True})]
    )
    assert texts(talk) == [("fault", "No answer from the background: time: Too late.")]
    talk.append([BackgroundEvent(3, 4.0, "failed", "No.", {"advice": "note: No.", "tool": "note"})])
    assert texts(talk)[-1] == ("fault", "note: No."), "the background has answered, the tool could not"


def test_an_alarm_is_also_seen():
    talk = Conversation()
    talk.append(
        [
            BackgroundEvent(1, 5.0, "answer", "It is far."),
            BackgroundEvent(2, 6.0, "answer", "Your 20 second timer is done.", {"alarm": 1}),
        ]
    )
    assert texts(talk) == [("note", "Your 20 second timer is done.")]


def test_a_mark_shows_its_verdict_and_the_talk_key_makes_no_lines():
    talk = Conversation()
    talk.append([Mark(1.0, HELD), Mark(2.0, LET_GO), Mark(3.0, "in my sentence", "wrong_interruption")])
    assert texts(talk) == [("note", "wrong interruption: in my sentence")]
