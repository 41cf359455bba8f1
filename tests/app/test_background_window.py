"""Background work in the whole window: jobs, questions, shared files, and captions."""

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QSignalSpy
from PySide6.QtWidgets import QAbstractButton, QApplication, QFileDialog

from app.engine_bridge import EngineBridge
from app.main_window import MainWindow
from app.settings import Settings
from engine.events import Caption, Event, Transcript, to_json
from tests.app.fake_session import FakeEngine
from tests.app.scenario import HEADER, turn
from tests.app.test_jobs import asked, event, question
from tests.app.test_main_window import running, stopped

# Qt's offscreen platform says this of every window.
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def window(engine, qtbot):
    made = MainWindow(EngineBridge(engine.open, engine.list_devices), Settings(theme="light", welcomed=True))
    qtbot.addWidget(made)
    made.show()
    yield made
    made.close()


def click(qtbot, button) -> None:
    qtbot.waitUntil(lambda: button.isVisible() and button.isEnabled())
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def drop(window: MainWindow, *paths: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    nothing = Qt.KeyboardModifier.NoModifier
    copy, button = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    QApplication.sendEvent(window, QDragEnterEvent(QPoint(9, 9), copy, data, button, nothing))
    QApplication.sendEvent(window, QDropEvent(QPointF(9, 9), copy, data, button, nothing))


def test_jobs_are_stopped_and_tried_again_from_the_list(window, engine, qtbot):
    live = running(window, engine, qtbot)
    live.say(*asked(1, 1.0, "why?"), event(1, 2.0, "failed", "No."), *asked(2, 3.0, "and now?"))
    qtbot.waitUntil(lambda: set(window.jobs.rows) == {1, 2})
    click(qtbot, window.jobs.rows[2].stop)
    click(qtbot, window.jobs.rows[1].retry)
    assert (live.cancelled, live.retried) == ([2], [1])
    stopped(window, qtbot)
    assert window.jobs.rows[2].heading.text().startswith("Not finished")
    assert not window.jobs.rows[1].retry.isVisible()


def test_the_list_can_be_closed_and_comes_back(window):
    assert window.jobs.isVisible()
    window.jobs.close_button.click()
    assert window.jobs.isHidden()
    window.commands.jobs.trigger()
    assert window.jobs.isVisible()


def test_a_question_is_answered_by_button(window, engine, qtbot):
    live = running(window, engine, qtbot)
    assert window.question.isHidden()
    live.say(*asked(3, 1.0, "take a picture"), question(3, 2.0))
    qtbot.waitUntil(window.question.isVisible)
    assert window.question.text.text() == "May I take a screenshot?"
    assert "take a picture" in window.question.about.text()
    assert window.question.accessibleName() == "A question: May I take a screenshot?"
    assert window.question.allow.accessibleName() == "Allow: May I take a screenshot?"
    assert window.question.deny.focusPolicy() & Qt.FocusPolicy.TabFocus
    click(qtbot, window.question.deny)
    assert live.permitted == [(3, False)]
    assert window.question.isHidden()
    assert not window.commands.allow.isEnabled()


def test_a_question_is_answered_by_shortcut_even_while_typing(window, engine, qtbot):
    live = running(window, engine, qtbot)
    live.say(*asked(3, 1.0, "take a picture"), question(3, 2.0))
    qtbot.waitUntil(window.commands.allow.isEnabled)
    window.activateWindow()
    window.card.field.setFocus()
    both = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    qtbot.keyClick(window.card.field, Qt.Key.Key_Y, both)
    assert live.permitted == [(3, True)]


def test_a_question_takes_no_focus_and_no_click_meant_for_something_else(window, engine, qtbot):
    live = running(window, engine, qtbot)
    window.activateWindow()
    window.card.field.setFocus()
    window.bridge._timer.stop()  # its rounds are made here
    live.say(*asked(3, 1.0, "take a picture"), question(3, 2.0))
    window.bridge.tick()
    assert window.question.isVisible()
    assert QApplication.focusWidget() is window.card.field
    window.question.allow.click()
    window.commands.allow.trigger()
    assert live.permitted == []
    window.bridge._timer.start()
    click(qtbot, window.question.allow)
    assert live.permitted == [(3, True)]


def test_a_question_goes_when_it_was_answered_by_speech_or_the_job_ended(window, engine, qtbot):
    live = running(window, engine, qtbot)
    for job, follows in ((3, event(4, 5.0, "answer", reason="no", to=3)), (5, event(5, 9.0, "cancelled"))):
        live.say(*asked(job, 1.0 + job, "x"), question(job, 2.0 + job))
        qtbot.waitUntil(window.question.isVisible)
        live.say(follows)
        qtbot.waitUntil(window.question.isHidden)
    live.say(*asked(6, 10.0, "x"), question(6, 11.0))
    qtbot.waitUntil(window.question.isVisible)
    stopped(window, qtbot)
    assert window.question.isHidden()


def test_the_second_question_follows_the_first(window, engine, qtbot):
    live = running(window, engine, qtbot)
    live.say(*asked(1, 1.0, "a"), *asked(2, 1.5, "b"), question(1, 2.0), question(2, 2.5))
    qtbot.waitUntil(window.question.isVisible)
    assert "1 more" in window.question.about.text()
    click(qtbot, window.question.allow)
    qtbot.waitUntil(lambda: window.question.job is not None and window.question.job.id == 2)
    click(qtbot, window.question.deny)
    assert live.permitted == [(1, True), (2, False)]


def test_files_are_shared_by_dialog_and_taken_back(window, engine, qtbot, tmp_path, monkeypatch):
    live = running(window, engine, qtbot)
    file = tmp_path / "letter.txt"
    file.write_text("Dear")
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: ([str(file)], ""))
    click(qtbot, window.card.share)
    assert live.shared == [(file,)]
    assert window.card.files.isVisible()
    assert "only these files can be read" in window.card.files.rule.text()
    click(qtbot, window.card.files.buttons[0])
    assert live.shared[-1] == ()
    assert window.card.files.isHidden()


def test_files_are_shared_by_drop_before_the_start_too_and_folders_are_refused(
    window, engine, qtbot, tmp_path
):
    files = [tmp_path / "a.txt", tmp_path / "b.txt"]
    for file in files:
        file.write_text("x")
    drop(window, *files, tmp_path)
    assert "no folders" in window.card.notice.text()
    assert [button.text() for button in window.card.files.buttons] == ["b.txt", "a.txt"]
    live = running(window, engine, qtbot)
    assert live.shared == [tuple(files)]
    drop(window, tmp_path / "missing.txt")
    assert len(live.shared) == 1


def test_captions_are_seen_and_become_the_transcript(window, engine, qtbot):
    live = running(window, engine, qtbot)
    view = window.card.view
    live.say(Caption(5.4, 5.0, "how far", 1))
    qtbot.waitUntil(lambda: view.lines.rowCount() == 1)
    assert window.card.stack.currentIndex() == 1
    assert "may change" in view.lines.index(0).data()
    live.say(Caption(5.8, 5.0, "how far is it", 3), Transcript(5.0, 6.0, "user", "How far is it?"))
    qtbot.waitUntil(lambda: view.lines.index(0).data().endswith(": How far is it?"))
    assert view.lines.rowCount() == 1
    assert window.timeline.model.items.user.items[0].text == "How far is it?"


def test_a_recorded_session_shows_its_jobs_without_buttons(window, qtbot, tmp_path):
    folder = tmp_path / "talk"
    folder.mkdir()
    events: list[Event] = [
        HEADER, turn(0), *asked(1, 1.0, ""), event(1, 2.0, "answer", "Because."), *asked(2, 6.4, "how far"),
        Caption(5.4, 5.0, "how far", 1), Transcript(5.0, 6.0, "user", "How far?", "", (("How", 5.0, 5.3),)),
    ]  # fmt: skip
    (folder / "timeline.jsonl").write_text("\n".join(to_json(e) for e in events) + "\n", encoding="utf-8")
    drop(window, folder)
    qtbot.waitUntil(lambda: not window.document.live)
    assert set(window.jobs.rows) == {1, 2}
    QApplication.processEvents()
    assert not any(row.stop.isVisible() or row.retry.isVisible() for row in window.jobs.rows.values())
    assert window.jobs.rows[2].heading.text().startswith("Not finished")
    assert [line.text for line in window.document.conversation.lines] == ["How far?"]
    window.commands.leave.trigger()
    assert window.jobs.rows == {}


def test_an_open_job_is_stopped_from_the_timeline(window, engine, qtbot):
    live = running(window, engine, qtbot)
    live.say(*(turn(k) for k in range(60)), *asked(1, 3.0, "why?"), event(1, 5.0, "answer", "So."))
    live.say(*asked(2, 4.0, "& how?"))
    qtbot.waitUntil(lambda: set(window.jobs.rows) == {1, 2})
    window.timeline.select(22)
    qtbot.keyClick(window.timeline, Qt.Key.Key_Delete)
    assert live.cancelled == [2]
    menu = window.timeline.job_menu(4.4)
    assert menu is not None
    assert [action.text() for action in menu.actions()] == ["Stop: && how?", "Try again: why?"]
    for action in menu.actions():
        action.trigger()
    assert (live.cancelled, live.retried) == ([2, 2], [1])
    menu.deleteLater()
    assert window.timeline.job_menu(1.0) is None
    stopped(window, qtbot)
    assert window.timeline.job_menu(4.4) is None


def test_the_bridge_passes_on_and_does_nothing_without_a_session(engine, qtbot, tmp_path):
    bridge = EngineBridge(engine.open, engine.list_devices)
    trouble = QSignalSpy(bridge.trouble)
    bridge.retry_job(1)
    bridge.permit_job(1, True)
    bridge.share_files([tmp_path])
    assert trouble.count() == 0
    bridge.close()


def test_every_new_button_has_a_name(window, engine, qtbot, tmp_path):
    live = running(window, engine, qtbot)
    (tmp_path / "a.txt").write_text("x")
    drop(window, tmp_path / "a.txt")
    live.say(*asked(1, 1.0, "why?"), *asked(3, 1.0, "take a picture"), question(3, 2.0))
    qtbot.waitUntil(lambda: window.question.isVisible() and window.jobs.rows[3].stop.isVisible())
    parts = (window.question, window.jobs, window.card.files)
    buttons = [
        button for part in parts for button in part.findChildren(QAbstractButton) if button.isVisible()
    ]
    assert len(buttons) >= 6
    assert all(button.accessibleName() for button in buttons)
    assert window.jobs.rows[1].mapTo(window, QPoint(0, 0)).x() > 0
