"""What the user is saying now: shown while it changes, and told once."""

import time
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from app.conversation import Conversation
from app.conversation_view import ConversationView, spoken_text
from app.recorded import in_order
from app.theme import LIGHT
from engine.events import BackgroundEvent, Caption, Event, TextIn, Transcript
from engine.recorder.reader import RecordedSession
from tests.app.scenario import HEADER, turn

WORDS = "so how far away is the moon from here".split()


def said(talk: Conversation) -> list[tuple[str, str]]:
    return [(line.speaker, line.text) for line in talk.lines]


def captions(t0: float, words: list[str]) -> list[Caption]:
    return [
        Caption(t0 + 0.4 * k, t0 + 0.02 * (k % 3), " ".join(words[:k]), max(k - 2, 0))
        for k in range(1, len(words) + 1)
    ]


def test_a_caption_grows_and_its_transcript_takes_its_place():
    talk = Conversation()
    changes = talk.append(captions(5.0, WORDS))
    line = talk.lines[0]
    assert said(talk) == [("user", " ".join(WORDS))]
    assert line.live
    assert line.text[: line.sure] == "so how far away is the moon"
    assert not changes.reset
    talk.append([Transcript(5.05, 8.6, "user", "So, how far away is the moon from here?")])
    assert said(talk) == [("user", "So, how far away is the moon from here?")]
    assert (line.live, line.sure, line.t0) == (False, None, 5.05)


def test_a_caption_may_become_shorter_or_other_words():
    talk = Conversation()
    talk.append([Caption(5, 4.0, "I scream you", 0), Caption(5.4, 4.1, "ice cream", 1)])
    assert said(talk) == [("user", "ice cream")]


def test_the_request_adds_no_second_line_before_or_after_the_transcript():
    request = BackgroundEvent(1, 8.3, "partial", "so how far", {"role": "request"})
    for order in ((0, 1), (1, 0)):
        talk = Conversation()
        talk.append(captions(5.0, WORDS[:3]))
        later: list[Event] = [request, Transcript(5.0, 6.2, "user", "so how far")]
        for k in order:
            talk.append([later[k]])
        assert said(talk) == [("user", "so how far")]


def test_the_same_transcript_from_two_places_is_told_once():
    talk = Conversation()
    talk.append(captions(5.0, WORDS[:3]))
    talk.append([Transcript(5.0, 6.2, "user", "So how far?"), Transcript(4.8, 6.4, "user", "so how far")])
    assert said(talk) == [("user", "So how far?")]
    talk.append([*captions(9.0, WORDS[:3]), Transcript(9.0, 10.2, "user", "So how far?")])
    assert len(talk.lines) == 2


def test_a_late_caption_is_not_told_again():
    talk = Conversation()
    talk.append([Caption(6, 5, "so how", 1), Transcript(5, 6.2, "user", "so how far")])
    assert not talk.append([Caption(6.9, 5.1, "so how far", 3)]).appended
    assert len(talk.lines) == 1


def test_the_next_utterance_is_a_line_of_its_own_even_without_a_transcript():
    talk = Conversation()
    talk.append([Caption(5.5, 5, "first", 1), Caption(9.5, 9, "second", 0)])
    assert [(line.text, line.live) for line in talk.lines] == [("first", False), ("second", True)]
    talk.close()
    assert [(line.live, line.sure) for line in talk.lines] == [(False, None)] * 2


def test_both_may_speak_at_once():
    talk = Conversation()
    talk.append([turn(24, "speak", text_out="The moon is"), turn(28, "speak", text_out="far")])
    talk.append(
        [Caption(5.6, 5.2, "wait", 0), turn(29, "speak", text_out="away"), Caption(6, 5.2, "wait a", 1)]
    )
    assert said(talk) == [("assistant", "The moon is far away"), ("user", "wait a")]
    assert all(line.live and line.overlap_s > 0 for line in talk.lines)
    assert spoken_text(talk.lines[1]).endswith("wait [may change: a]")


def test_a_recording_shows_transcripts_and_only_captions_that_never_got_one():
    events: tuple[Event, ...] = (
        *captions(5.0, WORDS), Caption(9.4, 5.0, " ".join(WORDS), 9, True),
        Transcript(5.05, 8.0, "user", "So how far away is the moon from here?"),
        *captions(20.0, ["never", "finished"]),
    )  # fmt: skip
    stream = in_order(RecordedSession(HEADER, (), events, (), Path("nowhere")))
    assert [e.text for e in stream if isinstance(e, Caption)] == ["never finished"]
    talk = Conversation()
    talk.append(stream)
    talk.close()
    assert [text for _, text in said(talk)] == ["So how far away is the moon from here?", "never finished"]


@pytest.fixture
def view(qtbot) -> ConversationView:
    made = ConversationView(LIGHT)
    qtbot.addWidget(made)
    made.resize(640, 400)
    made.show()
    return made


def feed(view: ConversationView, *events) -> None:
    view.show_changes(view.lines.conversation.append(events))
    QApplication.processEvents()


def test_words_that_may_change_look_different_without_colour(view):
    feed(view, Caption(5, 4, "how far away", 2))
    line = view.lines.conversation.lines[0]
    (part,) = view.delegate.shape(line, 600).layout.formats()
    assert (part.start, part.length) == (8, 4)
    assert part.format.fontItalic()
    assert part.format.underlineStyle() != part.format.UnderlineStyle.NoUnderline
    feed(view, Transcript(4, 5, "user", "how far away"))
    assert view.delegate.shape(line, 600).layout.formats() == []


def test_the_view_stays_where_it_is_while_captions_come(view):
    feed(view, *(TextIn(float(k), f"line {k}") for k in range(60)))
    feed(view, turn(400, "speak", text_out="I am going on"))
    view.setCurrentIndex(view.lines.index(30))
    bar = view.verticalScrollBar()
    bar.setValue(700)
    for caption in captions(79.0, WORDS):  # before the assistant's words: not at the end of the list
        feed(view, caption)
        assert bar.value() == 700
    feed(view, Transcript(79.0, 82.6, "user", " ".join(WORDS)))
    assert bar.value() == 700
    assert view.currentIndex().row() == 30
    assert view.lines.rowCount() == 62
    view.scrollToBottom()
    feed(view, *captions(90.0, WORDS))
    assert view.at_end


def test_rows_are_the_lines_whatever_changed(view):
    for k in range(40):
        t = 100.0 - 7 * (k % 13)
        feed(view, Caption(t + 0.5, t, f"word {k}", 0), Transcript(t, t + 0.6, "user", f"word {k}"))
        shown = [view.lines.index(row).data(256) for row in range(view.lines.rowCount())]
        assert shown == view.lines.conversation.lines


def test_captions_cost_little_in_a_long_conversation(view):
    """A full view, 5 captions a second: at most a tenth of one core."""
    feed(view, *(TextIn(float(k), f"line {k}") for k in range(1_900)))
    view.scrollToBottom()
    begun = time.process_time()
    for k in range(50):
        feed(view, Caption(2_000 + 0.2 * k, 2_000, "word " * (k % 20 + 1), k % 20))
    assert time.process_time() - begun < 0.1 * 50 / 5
