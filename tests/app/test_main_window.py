"""The whole window with a fake engine at its end."""

import time
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QAction, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit, QWidget

from app.engine_bridge import EngineBridge
from app.main_window import MainWindow
from app.settings import Settings
from engine.errors import InputError
from engine.events import BackgroundEvent, Fault, TurnRecord, to_json
from tests.app.fake_session import FakeEngine, FakeSession
from tests.app.scenario import session, turn

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


def running(window: MainWindow, engine: FakeEngine, qtbot) -> FakeSession:
    qtbot.mouseClick(window.side.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.bridge.session is not None)
    live = engine.sessions[-1]
    live.run()
    qtbot.waitUntil(lambda: window.bridge.state == "running")
    return live


def stopped(window: MainWindow, qtbot) -> None:
    qtbot.mouseClick(window.side.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.bridge.state == "stopped")


def recorded(folder: Path, seconds: float = 30) -> Path:
    """A session folder without sound, as a crash may leave it."""
    folder.mkdir()
    lines = [to_json(event) for event in session(seconds)]
    (folder / "timeline.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def test_nothing_runs_before_it_is_asked_for(window, engine):
    assert engine.sessions == []
    assert window.side.status.title.text() == "Ready"
    assert window.card.light.text() == "○  Not recording"
    assert not window.card.field.isEnabled()
    assert window.card.stack.currentIndex() == 0
    assert "You are talking with an AI" in window.side.privacy.text()
    assert "stay on this computer" in window.side.privacy.text()


def test_a_conversation_is_seen_as_it_happens(window, engine, qtbot):
    live = running(window, engine, qtbot)
    assert window.side.status.title.text() == "Listening"
    assert window.side.start.text() == "Stop"
    live.say(*session(20))
    qtbot.waitUntil(lambda: window.timeline.model.turns.count == 100)
    texts = [line.text for line in window.card.view.lines.conversation.lines]
    assert "how far away is the moon?" in texts
    assert "Let me see." in texts
    assert window.card.stack.currentIndex() == 1
    live.say(turn(100, "speak"))
    qtbot.waitUntil(lambda: window.side.status.title.text() == "Talking")
    live.say(turn(101, "yield"))
    qtbot.waitUntil(lambda: window.side.status.title.text() == "Your turn")
    assert window.timeline.viewport.follow
    stopped(window, qtbot)
    assert window.side.status.title.text() == "Stopped"
    assert window.side.start.text() == "Start"


def test_a_second_session_begins_afresh(window, engine, qtbot):
    running(window, engine, qtbot).say(*session(10))
    qtbot.waitUntil(lambda: window.timeline.model.turns.count == 50)
    stopped(window, qtbot)
    assert window.timeline.model.turns.count == 50  # still there to look at
    running(window, engine, qtbot)
    assert window.timeline.model.turns.count == 0
    assert window.card.view.lines.rowCount() == 0


def test_typing_goes_to_the_session(window, engine, qtbot):
    live = running(window, engine, qtbot)
    window.card.field.setFocus()
    qtbot.keyClicks(window.card.field, "  hello there ")
    qtbot.keyClick(window.card.field, Qt.Key.Key_Return)
    assert live.typed == ["hello there"]
    assert window.card.field.text() == ""
    qtbot.mouseClick(window.card.send, Qt.MouseButton.LeftButton)
    assert live.typed == ["hello there"]


def test_mute_by_shortcut_and_button(window, engine, qtbot):
    live = running(window, engine, qtbot)
    window.activateWindow()
    qtbot.keyClick(window, Qt.Key.Key_M, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: live.source.muted)
    qtbot.waitUntil(lambda: window.side.status.title.text() == "Muted")
    assert "Muted" in window.windowTitle()
    assert window.side.mute.text() == "Unmute"
    qtbot.mouseClick(window.side.mute, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not live.source.muted)
    assert window.side.mute.text() == "Mute"


def test_escape_silences_even_while_typing(window, engine, qtbot):
    live = running(window, engine, qtbot)
    window.card.field.setFocus()
    qtbot.keyClick(window.card.field, Qt.Key.Key_Escape)
    assert live.silenced == 1
    window.timeline.setFocus()
    qtbot.keyClick(window.timeline, Qt.Key.Key_Escape)
    assert live.silenced == 2


def test_background_work_can_be_given_up(window, engine, qtbot):
    live = running(window, engine, qtbot)
    assert not window.commands.cancel.isEnabled()
    live.say(
        BackgroundEvent(3, 0.1, "asked"), BackgroundEvent(4, 0.2, "asked"), BackgroundEvent(3, 0.3, "answer")
    )
    qtbot.waitUntil(window.commands.cancel.isEnabled)
    window.commands.cancel.trigger()
    assert live.cancelled == [4]
    live.say(BackgroundEvent(4, 0.4, "cancelled"))
    qtbot.waitUntil(lambda: not window.commands.cancel.isEnabled())


def test_space_belongs_to_text_where_there_is_text(window, engine, qtbot):
    running(window, engine, qtbot)
    window.card.field.setFocus()
    qtbot.keyClicks(window.card.field, "a b")
    assert window.card.field.text() == "a b"
    assert window.timeline.viewport.follow


def test_recording_is_asked_for_and_its_light_follows_the_recorder(window, engine, qtbot, tmp_path):
    running(window, engine, qtbot)
    assert engine.sessions[0].choice.record_in is None
    window.commands.record.trigger()
    assert "next session" in window.card.notice.text()
    stopped(window, qtbot)
    live = running(window, engine, qtbot)
    assert live.choice.record_in is not None
    assert live.choice.record_in.parent.name == "sessions"
    qtbot.waitUntil(lambda: window.card.light.on)
    assert window.card.light.text() == "●  Recording"
    assert window.windowTitle().startswith("●  Recording")
    live.recording = False
    live.say(Fault(1.0, "recording stopped: the disk is full"))
    qtbot.waitUntil(lambda: not window.card.light.on)
    qtbot.waitUntil(lambda: "disk is full" in window.card.notice.text())
    assert "Recording" not in window.windowTitle()


def test_a_folder_to_record_in_may_be_given(engine, qtbot, tmp_path):
    window = MainWindow(EngineBridge(engine.open, engine.list_devices), Settings(), tmp_path)
    qtbot.addWidget(window)
    first = window.choice().record_in
    assert first is not None
    assert first.parent == tmp_path
    first.mkdir()
    second = window.choice().record_in
    assert second != first
    window.close()


def test_what_fails_is_told_and_can_be_tried_again(window, engine, qtbot):
    engine.refuse = InputError("no microphone is called 'x'; there are: Desk microphone")
    qtbot.mouseClick(window.side.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.bridge.state == "failed")
    assert window.side.status.title.text() == "Not running"
    assert "no microphone is called" in window.card.notice.text()
    assert window.side.start.text() == "Start"
    engine.refuse = None
    running(window, engine, qtbot)
    assert window.card.notice.isHidden()


def test_devices_are_chosen_from_menus_that_look_anew(window, engine, qtbot):
    with qtbot.waitSignal(window.bridge.devices_changed):
        window.menus.inputs.aboutToShow.emit()
    for menu, text in ((window.menus.inputs, "Desk microphone"), (window.menus.cameras, "Webcam")):
        next(action for action in menu.actions() if action.text() == text).trigger()
    live = running(window, engine, qtbot)
    choice = live.choice
    assert (choice.input_device, choice.output_device, choice.camera) == ("mic-1", None, "0")
    kept = window.settings
    assert (kept.input_device, kept.camera) == ("mic-1", "0")
    window.menus.outputs.choose("spk-1")
    assert "next start" in window.card.notice.text()


def test_selecting_a_turn_opens_the_details(window, engine, qtbot):
    running(window, engine, qtbot).say(*session(20))
    qtbot.waitUntil(lambda: window.timeline.model.turns.count == 100)
    assert window.details.isHidden()
    window.timeline.setFocus()
    qtbot.keyClick(window.timeline, Qt.Key.Key_Left)
    assert window.details.isVisible()
    assert window.commands.details.isChecked()
    window.details.closed.emit()
    assert window.details.isHidden()
    assert window.timeline.model.selected is None


def test_a_line_of_the_conversation_leads_to_its_turn(window, engine, qtbot):
    running(window, engine, qtbot).say(*session(20))
    qtbot.waitUntil(lambda: window.timeline.model.turns.count == 100)
    window.card.view.line_chosen.emit(4.9)
    assert window.timeline.model.selected == 24
    window.timeline.select(38)
    current = window.card.view.currentIndex().data()
    assert "Let me see." in current


def test_a_recorded_session_opens_by_drop_and_the_live_one_comes_back(window, engine, qtbot, tmp_path):
    live = running(window, engine, qtbot)
    live.say(*session(10))
    qtbot.waitUntil(lambda: window.timeline.model.turns.count == 50)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(recorded(tmp_path / "demo talk")))])
    copy, button = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    nothing = Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(window, QDragEnterEvent(QPoint(9, 9), copy, data, button, nothing))
    QApplication.sendEvent(window, QDropEvent(QPointF(9, 9), copy, data, button, nothing))
    qtbot.waitUntil(lambda: not window.document.live)
    assert window.timeline.model.turns.count == 150
    assert window.card.title.text() == "demo talk"
    assert "input.flac is missing" in window.card.note.text()
    assert window.card.note.isVisible()
    assert not window.timeline.viewport.follow
    assert not window.card.field.isEnabled()
    live.say(turn(50), turn(51))
    qtbot.waitUntil(lambda: window.live.timeline.turns.count == 52)
    assert window.timeline.model.turns.count == 150
    window.commands.leave.trigger()
    assert window.document is window.live
    assert window.timeline.model.turns.count == 52
    assert not window.card.note.isVisible()
    assert window.card.field.isEnabled()
    assert window.timeline.viewport.follow


def test_what_is_no_session_is_told(window, qtbot, tmp_path):
    window.bridge.open_recorded(tmp_path)
    qtbot.waitUntil(lambda: "is no session" in window.card.notice.text())
    assert window.document is window.live


def test_the_theme_changes_at_once_and_is_remembered(window):
    dark = next(action for action in window.commands.themes.actions() if action.data() == "dark")
    dark.trigger()
    assert window.theme.name == "dark"
    assert window.timeline.theme.name == "dark"
    assert window.settings.theme == "dark"


def test_everything_has_a_name_and_can_be_reached_by_tab(window, engine, qtbot):
    running(window, engine, qtbot)
    window.details.show()
    QApplication.processEvents()
    unnamed = [
        widget
        for widget in window.findChildren(QAbstractButton)
        if widget.isVisible() and not (widget.accessibleName() or widget.text())
    ]
    assert unnamed == []
    assert window.card.field.accessibleName()
    reached, widget = set(), window.side.start
    for _ in range(200):
        reached.add(widget)
        following = widget.nextInFocusChain()
        widget = following if isinstance(following, QWidget) else widget
    wanted = [
        window.side.start,
        window.side.mute,
        window.side.silence,
        *window.side.devices,
        window.card.field,
        window.card.send,
        window.card.view,
        *window.timeline_card.buttons,
        window.timeline,
    ]
    for one in wanted:
        assert one in reached
        assert one.focusPolicy() & Qt.FocusPolicy.TabFocus, one.accessibleName()


def test_no_two_shortcuts_collide(window):
    actions = window.findChildren(QAction)
    used = [action.shortcut().toString() for action in actions if not action.shortcut().isEmpty()]
    assert len(used) == len(set(used))
    assert {"Ctrl+M", "Esc", "Ctrl+O"} <= set(used)


def test_dialogs_open_and_close(window, qtbot):
    window.commands.shortcuts.trigger()
    window.commands.about.trigger()
    shown = [w for w in QApplication.topLevelWidgets() if w.isVisible() and w is not window]
    assert {w.windowTitle() for w in shown} == {"Keyboard shortcuts", "About Microturn"}
    for dialog in shown:
        dialog.close()


def test_closing_ends_the_session(window, engine, qtbot):
    live = running(window, engine, qtbot)
    window.close()
    assert live.stops >= 1
    assert not window.bridge.active


def test_hostile_text_stays_text(window, engine, qtbot):
    live = running(window, engine, qtbot)
    bad = "<b>x</b><img src='http://evil/x'>\u202e" + "y" * 100_000
    live.say(Fault(0.1, bad), turn(0, "speak", text_out=bad))
    qtbot.waitUntil(lambda: window.card.view.lines.rowCount() == 2)
    qtbot.waitUntil(lambda: not window.card.notice.isHidden())
    assert window.card.notice.textFormat() == Qt.TextFormat.PlainText
    assert "\u202e" not in window.card.notice.text()
    assert len(window.card.notice.text()) < 500
    window.timeline.select(0)
    assert not window.grab().isNull()


def test_live_drawing_leaves_the_processor_to_the_engine(window, engine, qtbot):
    """A minute of session with all its ticks and repaints takes at most 15 % of a minute of one core."""
    live = running(window, engine, qtbot)
    window.bridge._timer.stop()  # its rounds are made here, without waiting
    turns = [e for e in session(60) if isinstance(e, TurnRecord)]
    busy = time.process_time()
    for event in turns:
        live.say(event)
        for _ in range(6):  # 30 rounds a second
            window.bridge.tick()
            QApplication.processEvents()
    busy = time.process_time() - busy
    assert window.timeline.model.turns.count == len(turns) == 300
    assert busy < 0.15 * 60


def test_the_field_is_a_plain_line(window):
    assert isinstance(window.card.field, QLineEdit)
    assert window.card.field.maxLength() <= 4_000


def test_quit_is_the_last_entry_of_its_menu(window):
    assert window.commands.menu("&Session").actions()[-1] is window.commands.quit
