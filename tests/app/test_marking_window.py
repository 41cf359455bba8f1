"""Marks in the whole window: live ones go to the engine, later ones into the file, all are seen at once."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialogButtonBox

from app.document import recorded_document
from app.engine_bridge import EngineBridge
from app.main_window import MainWindow
from app.marking.feature import NOWHERE, RUNNING, UNRECORDED, MarkingFeature
from app.settings import Settings
from engine.events import Mark, to_json
from engine.recorder.folder import SAVING, TIMELINE
from engine.recorder.marks import MUTED, add_marks, made_mark, read_marks
from engine.recorder.reader import read_session
from tests.app.fake_session import FakeEngine, FakeSession
from tests.app.scenario import session

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


@pytest.fixture
def marking(window) -> MarkingFeature:
    return next(one for one in window._features if isinstance(one, MarkingFeature))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Thirty seconds without a mark."""
    path = tmp_path / "s"
    path.mkdir()
    lines = [to_json(event) for event in session(30) if not isinstance(event, Mark)]
    (path / TIMELINE).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def opened(window: MainWindow, folder: Path, qtbot) -> None:
    window.open_session(folder)
    qtbot.waitUntil(lambda: window.document.path == folder.resolve())


def running(window: MainWindow, engine: FakeEngine, qtbot) -> FakeSession:
    window.start_session()
    qtbot.waitUntil(lambda: window.bridge.session is not None)
    live = engine.sessions[-1]
    live.run()
    qtbot.waitUntil(lambda: window.bridge.state == "running")
    return live


def in_file(folder: Path) -> list[Mark]:
    return [one.mark for one in read_marks(folder)]


def on_timeline(window: MainWindow) -> list[float]:
    return [one.t for one in window.document.timeline.items.instants.items if one.what == "mark"]


def test_a_digit_on_the_timeline_saves_a_verdict(window, marking, folder, qtbot):
    opened(window, folder, qtbot)
    before = (folder / TIMELINE).read_bytes()
    window.timeline.select(62)
    window.timeline.setFocus()
    qtbot.keyClick(window.timeline, Qt.Key.Key_3)
    assert on_timeline(window) == [12.4]  # before it is saved
    assert window._notice == "Marked 0:12.4: late."
    qtbot.waitUntil(lambda: in_file(folder) == [Mark(12.4, "late", "late")])
    qtbot.waitUntil(lambda: not marking.ledger.unsaved())
    line = (to_json(Mark(12.4, "late", "late")) + "\n").encode()
    assert (folder / TIMELINE).read_bytes().replace(line, b"") == before
    assert [(row.time, row.text) for row in marking.panel.model.rows] == [("0:12.4", "late")]


def test_quick_keys_are_all_saved(window, marking, folder, qtbot):
    add_marks(folder, [made_mark(1, "was there")])
    opened(window, folder, qtbot)
    window.timeline.setFocus()
    for i in range(1, 7):
        window.timeline.select(10 * i)
        qtbot.keyClick(window.timeline, f"{i}")
    qtbot.waitUntil(lambda: len(in_file(folder)) == 7)
    qtbot.waitUntil(lambda: not marking.ledger.unsaved())
    assert [row.verdict for row in marking.ledger.rows] == [
        "", "wrong interruption", "missed turn end", "late", "false backchannel", "talked over me", "good"
    ]  # fmt: skip


def test_other_asks_for_words(window, marking, folder, qtbot):
    opened(window, folder, qtbot)
    window.timeline.select(5)
    window.timeline.setFocus()
    qtbot.keyClick(window.timeline, Qt.Key.Key_7)
    line = marking.line
    assert line is not None and line.windowTitle() == "Mark at 0:01.0"
    qtbot.keyClicks(line.note, "a dog barked")
    qtbot.keyClick(line.note, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: in_file(folder) == [Mark(1.0, "a dog barked", "other")])
    assert marking.line is None


def test_ctrl_k_in_a_recorded_session(window, marking, folder, qtbot):
    opened(window, folder, qtbot)
    assert window.commands.mark.isEnabled()
    window.timeline.select(20)
    window.commands.mark.trigger()
    assert marking.line.verdict.currentData() == ""
    marking.line.verdict.setCurrentIndex(6)
    qtbot.keyClicks(marking.line.note, "fine")
    marking.line.findChild(QDialogButtonBox).button(QDialogButtonBox.StandardButton.Save).click()
    qtbot.waitUntil(lambda: in_file(folder) == [Mark(4.0, "fine", "good")])
    window.commands.mark.trigger()
    qtbot.keyClick(marking.line, Qt.Key.Key_Escape)
    assert marking.line is None and len(in_file(folder)) == 1


def test_live_marks_go_to_the_engine(window, marking, engine, qtbot):
    assert not window.commands.mark.isEnabled()
    live = running(window, engine, qtbot)
    live.say(*session(10))
    qtbot.waitUntil(lambda: window.timeline.model.turns.count == 50)
    window.timeline.setFocus()
    qtbot.keyClick(window.timeline, Qt.Key.Key_6)
    assert (live.marks, live.verdicts) == (["good"], [("good", None)])
    assert window._notice == "Marked 0:10.0: good."
    window.timeline.select(10)
    qtbot.keyClick(window.timeline, Qt.Key.Key_5)
    assert live.verdicts[-1] == ("did_not_yield", 2.0)
    live.say(Mark(2.0, "talked over me", "did_not_yield"), Mark(3.0, MUTED))
    qtbot.waitUntil(lambda: len(marking.ledger.rows) == 1)
    assert not marking.panel.edit.isEnabled()
    marking.edit(marking.ledger.rows[0].number)
    assert marking.line is None and window._notice == RUNNING


def test_the_moment_is_that_at_which_ctrl_k_was_pressed(window, marking, engine, qtbot):
    live = running(window, engine, qtbot)
    live.say(*session(10))
    qtbot.waitUntil(lambda: window.timeline.model.turns.count == 50)
    window.commands.mark.trigger()
    live.say(*[event for event in session(20) if getattr(event, "t", 0) >= 10])
    qtbot.waitUntil(lambda: window.timeline.model.turns.count == 100)
    qtbot.keyClicks(marking.line.note, "here")
    qtbot.keyClick(marking.line.note, Qt.Key.Key_Return)
    assert (live.marks, live.verdicts) == (["here"], [("", 10.0)])


def test_marks_of_a_session_that_was_not_recorded_stay_in_memory(window, marking, engine, folder, qtbot):
    live = running(window, engine, qtbot)
    live.say(*session(10), Mark(1.0, "one", "late"))
    qtbot.waitUntil(lambda: len(marking.ledger.rows) == 1)
    window.bridge.stop()
    qtbot.waitUntil(lambda: window.bridge.state == "stopped")
    window.timeline.select(20)
    window.timeline.setFocus()
    qtbot.keyClick(window.timeline, Qt.Key.Key_1)
    assert live.marks == []
    assert [row.mark.t for row in marking.ledger.rows] == [1.0, 4.0]
    assert marking.panel.note.text() == UNRECORDED
    opened(window, folder, qtbot)
    qtbot.waitUntil(lambda: marking.ledger.rows == [])
    window.commands.leave.trigger()
    assert [row.mark.t for row in marking.ledger.rows] == [1.0, 4.0]


def test_a_recorded_live_session_is_marked_in_its_file_afterwards(window, marking, engine, folder, qtbot):
    live = running(window, engine, qtbot)
    live.out_dir = folder
    window.bridge.session_changed.emit("running", "")  # as the state of a session that records
    live.say(*session(10))
    qtbot.waitUntil(lambda: window.timeline.model.turns.count == 50)
    window.bridge.stop()
    qtbot.waitUntil(lambda: window.bridge.state == "stopped")
    window.timeline.select(20)
    window.timeline.setFocus()
    qtbot.keyClick(window.timeline, Qt.Key.Key_1)
    qtbot.waitUntil(lambda: in_file(folder) == [Mark(4.0, "wrong interruption", "wrong_interruption")])


def test_changing_and_removing_leave_everything_in_its_place(window, marking, folder, qtbot):
    add_marks(folder, [made_mark(4, "", "late"), made_mark(8, "two")])
    opened(window, folder, qtbot)
    qtbot.waitUntil(lambda: len(marking.ledger.rows) == 2)
    marking.action.trigger()
    table = marking.panel.table
    assert table.isVisible()
    table.selectRow(0)
    qtbot.keyClick(table, Qt.Key.Key_Return)
    assert window.timeline.model.selected == 20
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    table.setFocus()
    window.timeline.zoom(4)
    view = (window.timeline.viewport.start_s, window.timeline.viewport.span_s)
    document = window.document
    qtbot.keyClick(table, Qt.Key.Key_F2)
    assert marking.line.note.text() == "" and marking.line.verdict.currentData() == "late"
    qtbot.keyClicks(marking.line.note, "by a second")
    qtbot.keyClick(marking.line.note, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: [row.note for row in marking.ledger.rows] == ["by a second", "two"])
    assert in_file(folder) == [Mark(4.0, "by a second", "late"), Mark(8.0, "two")]
    assert "late: by a second" in [one.text for one in window.document.timeline.items.notes.items]
    assert "by a second" in [line.text for line in window.document.conversation.lines]
    assert "late" not in [line.text for line in window.document.conversation.lines]
    assert window.timeline.model.selected == 20
    assert marking.where() == 4.0
    assert (window.timeline.viewport.start_s, window.timeline.viewport.span_s) == pytest.approx(view)
    assert table.currentIndex().row() == 0
    assert window.focusWidget() is table  # so that Delete goes on from there
    qtbot.keyClick(table, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: [row.note for row in marking.ledger.rows] == ["two"])
    assert on_timeline(window) == [8.0]
    assert in_file(folder) == [Mark(8.0, "two")]
    assert window.document is document


def test_a_folder_that_cannot_be_written_keeps_marks_in_memory(window, marking, folder, qtbot):
    (folder / SAVING).mkdir()
    (folder / SAVING / "in the way").touch()
    opened(window, folder, qtbot)
    window.timeline.select(20)
    window.timeline.setFocus()
    qtbot.keyClick(window.timeline, Qt.Key.Key_1)
    qtbot.waitUntil(lambda: "cannot be saved" in window._notice)
    assert on_timeline(window) == [4.0] and in_file(folder) == []
    assert "1 not saved" in marking.panel.note.text()
    row = marking.ledger.rows[0]
    marking.edit(row.number)
    qtbot.keyClicks(marking.line.note, "changed")
    qtbot.keyClick(marking.line.note, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: marking.ledger.rows[0].note == "changed")
    assert on_timeline(window) == [4.0]
    qtbot.waitUntil(lambda: "cannot be saved" in window._notice)
    (folder / SAVING / "in the way").unlink()
    (folder / SAVING).rmdir()
    window.timeline.select(30)
    window.activateWindow()
    window.timeline.setFocus()
    qtbot.waitUntil(window.timeline.hasFocus)
    qtbot.keyClick(window.timeline, Qt.Key.Key_6)
    qtbot.waitUntil(lambda: [m.note for m in in_file(folder)] == ["changed", "good"])


def test_what_changed_on_the_disk_meanwhile_is_told(window, marking, folder, qtbot):
    (saved,) = add_marks(folder, [made_mark(4, "one")])
    opened(window, folder, qtbot)
    qtbot.waitUntil(lambda: len(marking.ledger.rows) == 1)
    text = (folder / TIMELINE).read_bytes().replace(saved.line + b"\n", b"")
    (folder / TIMELINE).write_bytes(text)
    marking.remove(marking.ledger.rows[0].number)
    qtbot.waitUntil(lambda: "no longer" in window._notice)
    assert (folder / TIMELINE).read_bytes() == text


def test_without_a_place_it_says_what_to_do(window, marking, engine, qtbot):
    live = running(window, engine, qtbot)
    live.say(*session(4))
    qtbot.waitUntil(lambda: window.timeline.model.turns.count == 20)
    window.bridge.stop()
    qtbot.waitUntil(lambda: window.bridge.state == "stopped")
    marking.give_key(2)
    assert window._notice == NOWHERE
    marking.give_key(9)
    assert live.marks == []


def test_the_panel_closes_and_its_command_follows(window, marking, qtbot):
    marking.action.trigger()
    assert marking.action.isChecked() and marking.panel.isVisible()
    assert "press 1 to 7" in marking.panel.empty.text()
    qtbot.mouseClick(marking.panel.close_button, Qt.MouseButton.LeftButton)
    assert not marking.action.isChecked() and not marking.panel.isVisible()


def test_a_mark_given_while_another_session_s_is_saved_is_saved_too(window, marking, folder, qtbot, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / TIMELINE).write_bytes((folder / TIMELINE).read_bytes())
    opened(window, folder, qtbot)
    marking.give(1.0, "", "late")  # on its way to the file
    window.show_document(recorded_document(read_session(other)))
    marking.give(2.0, "", "good")
    qtbot.waitUntil(lambda: in_file(folder) == [Mark(1.0, "late", "late")])
    qtbot.waitUntil(lambda: in_file(other) == [Mark(2.0, "good", "good")])
    qtbot.waitUntil(lambda: not marking.ledger.unsaved())
