"""The conversation on the screen."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication

from app import theme
from app.conversation import Conversation
from app.conversation_view import ConversationView, meta_text, spoken_text
from app.theme import DARK, LIGHT
from engine.events import Fault, TextIn, Transcript
from tests.app.scenario import session, turn


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


def heights(view: ConversationView) -> list[int]:
    return [view.visualRect(view.lines.index(row)).height() for row in range(view.lines.rowCount())]


def test_rows_follow_the_conversation_however_it_changes(view):
    feed(view, turn(10, "speak", text_out="The"))
    feed(view, turn(11, "speak", text_out="moon"))
    feed(view, Transcript(0.5, 1.9, "user", "how far"))
    feed(view, Fault(3, "underrun"), TextIn(4, "typed"))
    assert view.lines.rowCount() == 4
    shown = [view.lines.index(row).data() for row in range(4)]
    assert [text.split(":")[-1].strip() for text in shown] == ["how far", "The moon", "underrun", "typed"]


def test_long_text_wraps_and_grows_its_row(view):
    feed(view, TextIn(1, "short"))
    low = heights(view)[0]
    feed(view, Transcript(2, 3, "user", "word " * 200))
    tall = heights(view)[1]
    assert tall > 5 * low
    feed(view, Transcript(4, 5, "user", "x" * 800))  # no spaces to wrap at
    assert heights(view)[2] > 2 * low
    assert view.horizontalScrollBar().maximum() == 0
    view.resize(1200, 400)
    QApplication.processEvents()
    assert heights(view)[1] < tall


def test_a_growing_line_grows_its_row(view):
    feed(view, turn(10, "speak", text_out="one"))
    first = heights(view)[0]
    for k in range(60):
        feed(view, turn(11 + k, "speak", text_out="and another few words"))
    assert len(heights(view)) == 1
    assert heights(view)[0] > 3 * first


def test_it_stays_at_the_end_until_somebody_scrolls_up(view):
    feed(view, *(e for e in session(300) if e.kind != "turn"))
    assert view.at_end
    assert view._to_end.isHidden()
    view.verticalScrollBar().setValue(100)
    feed(view, TextIn(400, "new"))
    assert view.verticalScrollBar().value() == 100
    assert not view._to_end.isHidden()
    view._to_end.click()
    assert view.at_end
    feed(view, TextIn(401, "newer"))
    assert view.at_end


@pytest.fixture
def usual_text_size(qapp) -> Iterator[None]:
    yield
    theme.set_text_scale(1.0)
    theme.apply(qapp, LIGHT)


def show_text_size(view: ConversationView, scale: float) -> None:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    theme.set_text_scale(scale)
    theme.apply(app, LIGHT)
    view.set_theme(LIGHT)
    QApplication.processEvents()


@pytest.mark.usefixtures("usual_text_size")
def test_it_stays_at_the_end_when_text_becomes_larger_or_smaller(view):
    scales = (1.5, 1.0, 2.0, 0.8)
    feed(view, *(e for e in session(300) if e.kind != "turn"))
    tall = heights(view)[0]
    for scale in scales:
        show_text_size(view, scale)
        assert view.at_end
        assert view._to_end.isHidden()
        assert (heights(view)[0] > tall) == (scale > 1)
    view.verticalScrollBar().setValue(100)  # and who has scrolled up is not brought to the end
    for scale in scales:
        show_text_size(view, scale)
        assert not view.at_end
        assert not view._to_end.isHidden()


def test_it_stays_at_the_end_when_the_window_gets_another_size(view):
    feed(view, *(e for e in session(300) if e.kind != "turn"))
    for width, height in ((300, 400), (900, 700), (640, 150), (640, 400)):
        view.resize(width, height)
        QApplication.processEvents()
        assert view.at_end
        assert view._to_end.isHidden()


def test_a_line_leads_to_its_moment(view, qtbot):
    feed(view, Transcript(2.4, 3, "user", "hello"))
    with qtbot.waitSignal(view.line_chosen) as caught:
        middle = view.visualRect(view.lines.index(0)).center()
        qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(middle))
    assert caught.args == [2.4]


def test_lines_can_be_copied(view, qtbot):
    feed(view, Transcript(2, 3, "user", "hello"), Transcript(4, 5, "assistant", "good", "bye"))
    view.selectAll()
    qtbot.keyClick(view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QApplication.clipboard().text() == (
        "You  ·  0:02.0 – 0:03.0: hello\n"
        "Microturn  ·  0:04.0 – 0:05.0  ·  cut off: good [cut off, not heard: bye]"
    )


def test_what_was_unusual_is_said_in_words():
    talk = Conversation()
    talk.append(
        [Transcript(1, 4, "assistant", "The moon", "is"), Transcript(3, 5, "user", "wait"), TextIn(9, "t")]
    )
    assert meta_text(talk.lines[0]) == "Microturn  ·  0:01.0 – 0:04.0  ·  both at once for 1.0 s  ·  cut off"
    assert meta_text(talk.lines[2]) == "You typed  ·  0:09.0"
    assert spoken_text(talk.lines[0]).endswith("The moon [cut off, not heard: is]")


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_every_kind_of_line_is_painted(view, theme):
    view.set_theme(theme)
    feed(
        view,
        Transcript(1, 4, "assistant", "The moon", "is far"),
        Transcript(3, 5, "user", "wait"),
        TextIn(6, "typed"),
        Fault(7, "underrun"),
        turn(40, "backchannel", text_out="mm-hm"),
    )
    image = view.grab().toImage()
    for row in range(view.lines.rowCount()):
        rect = view.visualRect(view.lines.index(row))
        colours = {
            image.pixel(x, y)
            for x in range(rect.left(), rect.right(), 3)
            for y in range(rect.top(), rect.bottom(), 2)
        }
        assert len(colours) >= 3, row
