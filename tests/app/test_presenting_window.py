"""Presenter mode in the whole window, with a fake engine at its end."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QAbstractItemModel, QAbstractListModel, QModelIndex, QRect, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QWidget,
)

from app.engine_bridge import EngineBridge
from app.main_window import MainWindow
from app.marking.feature import MarkingFeature
from app.presenting.captions import Words
from app.presenting.deck import Stage
from app.presenting.feature import PresenterFeature
from app.presenting.window import PresenterWindow, beside
from app.presenting.wipe import is_of
from app.sessions.page import SessionsPage
from app.settings import Settings
from engine import scenes
from engine.background.settings import BackgroundSettings
from engine.camera.ring import FrameRing
from engine.events import BackgroundEvent, Caption, Mark, TextIn, Transcript
from engine.scenes import Scene
from tests.app.fake_session import FakeEngine, FakeSession
from tests.app.scenario import turn

# Qt's offscreen platform says this of every window.
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", r"does not support raise")

VISITOR = ("zanzibar", "pumpernickel", "xylophone", "quetzal", "okapi", "marzipan")
"""Words that nothing but the visitor says."""


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def window(engine, qtbot):
    for name in ("First", "Second"):
        scenes.save(Scene(name, to_try=f"Try the {name.lower()}.", instructions=f"Be the {name}."))
    made = MainWindow(EngineBridge(engine.open, engine.list_devices), Settings(theme="light", welcomed=True))
    qtbot.addWidget(made)
    made.show()
    yield made
    made.close()


@pytest.fixture
def feature(window) -> PresenterFeature:
    found = window.findChild(PresenterFeature)
    assert isinstance(found, PresenterFeature)
    found.deck.reload()
    found.deck.choose(scenes.own_dir() / "first.json")
    return found


def shown(feature: PresenterFeature) -> PresenterWindow:
    """The presenter window, as F6 opens it."""
    feature.present_beside()
    assert feature.window is not None
    return feature.window


def running(window: MainWindow, engine: FakeEngine, qtbot, count: int = 1) -> FakeSession:
    qtbot.waitUntil(lambda: len(engine.sessions) == count and window.bridge.session is not None)
    live = engine.sessions[-1]
    live.run()
    qtbot.waitUntil(lambda: window.bridge.state == "running")
    return live


class FakeCamera:
    """One picture."""

    live = True

    def __init__(self) -> None:
        self.ring = FrameRing()
        self.ring.write(np.zeros((12, 16, 3), np.uint8), 0.0)


def stage(presenter: PresenterWindow) -> Stage:
    """What header and footer say."""
    assert presenter.header.stage is not None
    assert presenter.header.stage == presenter.footer.stage
    return presenter.header.stage


def background(live: FakeSession) -> BackgroundSettings:
    """How the background of a session was to run."""
    assert live.choice.background is not None
    return live.choice.background


def press(presenter: PresenterWindow, qtbot, key: Qt.Key) -> None:
    qtbot.keyClick(presenter, key)


def test_f5_shows_the_scene_and_escape_leaves(window, feature, qtbot):
    window.activateWindow()
    qtbot.keyClick(window, Qt.Key.Key_F5)
    presenter = feature.window
    assert presenter is not None
    assert presenter.isFullScreen()
    assert stage(presenter).scene == "First"
    assert stage(presenter).to_try == "Try the first."
    assert "You are talking with an AI" in stage(presenter).about
    assert presenter.assistant.hint == "Press Return to start."
    press(presenter, qtbot, Qt.Key.Key_Escape)
    assert feature.window is None
    assert window.isVisible()


def test_f11_and_the_other_screen(window, feature, qtbot):
    presenter = shown(feature)
    assert len(QGuiApplication.screens()) == 1
    assert not presenter.isFullScreen()
    press(presenter, qtbot, Qt.Key.Key_F11)
    assert presenter.isFullScreen()
    press(presenter, qtbot, Qt.Key.Key_F11)
    assert not presenter.isFullScreen()


def test_an_ordinary_window_lies_beside_within_the_screen():
    room = QRect(0, 0, 1920, 1080)
    for main in (QRect(0, 0, 1000, 800), QRect(900, 100, 1000, 800)):
        placed = beside(main, room)
        assert room.contains(placed)
        assert abs(placed.width() / placed.height() - 16 / 9) < 0.01
    assert beside(QRect(0, 0, 1000, 800), room).right() == room.right()


def test_a_scene_runs_with_what_it_says_and_forgets_notes(window, feature, engine, qtbot):
    presenter = shown(feature)
    press(presenter, qtbot, Qt.Key.Key_Return)
    live = running(window, engine, qtbot)
    assert background(live).instructions == "Be the First."
    assert background(live).store == ":memory:"
    assert live.choice.record_in is None


def test_start_in_the_main_window_runs_the_scene_while_presenting(window, feature, engine, qtbot):
    qtbot.mouseClick(window.side.start, Qt.MouseButton.LeftButton)
    assert background(running(window, engine, qtbot)).store != ":memory:"
    qtbot.mouseClick(window.side.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.bridge.state == "stopped")
    shown(feature)
    qtbot.mouseClick(window.side.start, Qt.MouseButton.LeftButton)
    assert background(running(window, engine, qtbot, 2)).store == ":memory:"


def test_the_clicker_ends_a_scene_and_starts_the_next(window, feature, engine, qtbot):
    presenter = shown(feature)
    press(presenter, qtbot, Qt.Key.Key_Return)
    first = running(window, engine, qtbot)
    press(presenter, qtbot, Qt.Key.Key_PageDown)
    assert stage(presenter).scene == "Second"
    assert presenter.assistant.hint == "Starting…"
    second = running(window, engine, qtbot, 2)
    assert first.stops == 1
    assert background(second).instructions == "Be the Second."
    press(presenter, qtbot, Qt.Key.Key_PageUp)
    third = running(window, engine, qtbot, 3)
    assert background(third).instructions == "Be the First."


def test_everybody_is_told_of_the_end_before_the_next_start(window, feature, engine, qtbot):
    presenter = shown(feature)
    press(presenter, qtbot, Qt.Key.Key_Return)
    running(window, engine, qtbot)
    told: list[str] = []
    window.bridge.session_changed.connect(lambda state, _: told.append(state))
    press(presenter, qtbot, Qt.Key.Key_PageDown)
    running(window, engine, qtbot, 2)
    assert list(dict.fromkeys(told)) == ["stopping", "stopped", "starting", "running"]


def test_without_a_session_the_clicker_only_chooses(window, feature, engine, qtbot):
    presenter = shown(feature)
    press(presenter, qtbot, Qt.Key.Key_Right)
    assert stage(presenter).scene == "Second"
    press(presenter, qtbot, Qt.Key.Key_Left)
    assert stage(presenter).scene == "First"
    assert engine.sessions == []


@pytest.mark.parametrize("key", [Qt.Key.Key_Period, Qt.Key.Key_B])
def test_the_screen_can_be_blanked(window, feature, qtbot, key):
    presenter = shown(feature)
    press(presenter, qtbot, key)
    assert presenter.blank.isVisible()
    assert presenter.grab().toImage().pixelColor(300, 200).lightness() == 0
    press(presenter, qtbot, key)
    assert not presenter.blank.isVisible()


def test_it_follows_the_conversation(window, feature, engine, qtbot):
    presenter = shown(feature)
    press(presenter, qtbot, Qt.Key.Key_Return)
    live = running(window, engine, qtbot)
    live.source.device_open = True
    qtbot.waitUntil(lambda: presenter.assistant.hint == "Talk to me.")
    live.say(
        Caption(0.5, 0.2, "how far is the", 2),
        turn(3, "speak", text_out="The moon is", heard_ms=200.0, compute_ms=30.0),
        BackgroundEvent(1, 0.6, "asked", "how far is the moon"),
    )
    qtbot.waitUntil(lambda: presenter.user.words.text == "how far is the")
    assert presenter.user.words.sure == len("how far")
    assert presenter.assistant.words.text == "The moon is"
    assert presenter.ring.ring.name == "speak"
    assert presenter.ring.ring.work == "how far is the moon"
    assert presenter.figures.figures[1][0] == "30 ms of 200 ms, last 30 ms"
    live.say(Transcript(0.8, 1.4, "assistant", "The moon is", "very far away"), turn(4, "yield"))
    qtbot.waitUntil(lambda: presenter.ring.ring.name == "yield")
    assert presenter.assistant.words.unheard == "very far away"


def test_words_that_were_cut_off_stay_beside_those_that_were_heard(window, feature, qtbot):
    presenter = shown(feature)
    presenter.resize(1280, 720)
    panel = presenter.assistant
    assert panel.rows_shown == 3
    heard = " ".join(["heard"] * 30)
    panel.show_words(Words(heard, "", len(heard)))
    rows = panel._laid_out().lineCount()
    assert panel.first_row == rows - 3 > 0  # the newest are in view
    panel.show_words(Words(heard, " ".join(["unheard"] * 30), len(heard)))
    layout = panel._laid_out()
    assert panel.first_row == layout.lineForTextPosition(len(heard) - 1).lineNumber()
    assert layout.formats()[0].format.fontStrikeOut()
    assert layout.formats()[0].start == len(heard) + 1


def test_the_camera_takes_its_room_only_while_there_is_one(window, feature, qtbot):
    presenter = shown(feature)
    presenter.resize(1280, 720)
    whole = presenter.user.width()
    presenter.show_camera(FakeCamera())
    assert presenter.camera.isVisible()
    assert presenter.user.geometry().right() < presenter.camera.x()
    assert presenter.user.width() < whole
    presenter.show_camera(None)
    assert presenter.camera.isHidden()
    assert presenter.camera._image is None
    assert presenter.user.width() == whole


def test_mute_and_recording_are_told(window, feature, engine, qtbot):
    presenter = shown(feature)
    window.commands.record.setChecked(True)
    press(presenter, qtbot, Qt.Key.Key_Return)
    running(window, engine, qtbot).source.device_open = True
    qtbot.waitUntil(lambda: stage(presenter).recording)
    presenter.activateWindow()
    qtbot.keyClick(presenter, Qt.Key.Key_M, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: stage(presenter).unheard)
    assert stage(presenter).input == "Microphone muted"


def test_a_recorded_visitor_can_be_switched_off(window, feature, engine, qtbot, tmp_path):
    sound = tmp_path / "visitor.ogg"
    sound.write_bytes(b"sound")
    scenes.save(Scene("Third", recording=sound))
    presenter = shown(feature)
    feature.conductor.choose(scenes.own_dir() / "third.json")
    assert stage(presenter).input == "A recorded visitor will speak"
    assert presenter.user.label == "Recorded visitor"
    press(presenter, qtbot, Qt.Key.Key_R)
    assert presenter.user.label == "You"
    assert stage(presenter).input == "Microphone off"
    assert window.settings.present_recordings is False
    press(presenter, qtbot, Qt.Key.Key_Return)
    assert running(window, engine, qtbot).choice.input_device is None


def test_a_missing_recording_is_told_and_nothing_starts(window, feature, engine, qtbot, tmp_path):
    scenes.save(Scene("Third", recording=tmp_path / "lost.ogg"))
    presenter = shown(feature)
    feature.conductor.choose(scenes.own_dir() / "third.json")
    press(presenter, qtbot, Qt.Key.Key_Return)
    assert "lost.ogg" in window.card.notice.text()
    assert "lost.ogg" in presenter.assistant.hint  # the main window may be covered
    assert engine.sessions == []
    press(presenter, qtbot, Qt.Key.Key_PageUp)
    assert presenter.assistant.hint == "Press Return to start."


def talked(live: FakeSession, window: MainWindow, qtbot) -> None:
    """A visitor that leaves words wherever words can be."""
    live.say(
        turn(0, "listen"),
        TextIn(0.1, "typed about a quetzal"),
        Transcript(0.2, 0.9, "user", "tell me about zanzibar"),
        BackgroundEvent(1, 1.0, "asked", "tell me about zanzibar"),
        BackgroundEvent(1, 1.1, "partial", "May I look for marzipan?", {"role": "question"}),
        turn(6, "speak", text_out="pumpernickel is", heard_ms=200.0, texts=("xylophone",)),
        Caption(1.6, 1.4, "and an okapi", 1),
    )
    qtbot.waitUntil(lambda: window.live.timeline.turns.count == 7)
    qtbot.waitUntil(lambda: "okapi" in " ".join(line.text for line in window.live.conversation.lines))


def texts_of(widget: QWidget) -> list[str]:
    """Everything that a widget shows or tells a screen reader."""
    found = [widget.windowTitle(), widget.toolTip(), widget.accessibleName(), widget.accessibleDescription()]
    if isinstance(widget, QLabel | QAbstractButton | QLineEdit):
        found.append(widget.text())
    if isinstance(widget, QLineEdit):
        found.append(widget.placeholderText())
    if isinstance(widget, QPlainTextEdit):
        found.append(widget.toPlainText())
    if isinstance(widget, QAbstractItemView) and isinstance(model := widget.model(), QAbstractItemModel):
        columns = 1 if isinstance(model, QAbstractListModel) else model.columnCount(QModelIndex())
        found += [
            str(model.data(model.index(row, column)))
            for row in range(model.rowCount())
            for column in range(columns)
        ]
    return found


def remains(window: MainWindow, presenter: PresenterWindow) -> list[str]:
    """Places at which one of the visitor's words can still be found."""
    QApplication.sendPostedEvents(None, 52)  # QEvent.DeferredDelete
    found = []
    for top in QApplication.topLevelWidgets():
        for widget in (top, *top.findChildren(QWidget)):
            shown = " ".join(texts_of(widget)).lower()
            found += [f"{type(widget).__name__}: {word}" for word in VISITOR if word in shown]
    documents = {"live": window.live, "shown": window.document}
    for name, document in documents.items():
        held = repr(
            (
                [(line.text, line.unheard) for line in document.conversation.lines],
                document.jobs.jobs,
                document.timeline.items.user.items,
                document.timeline.items.assistant.items,
                document.timeline.items.instants.items,
                document.timeline.items.jobs.items,
                [document.timeline.turns.turn(i) for i in range(document.timeline.turns.end)],
                document.status.status,
            )
        ).lower()
        found += [f"{name} document: {word}" for word in VISITOR if word in held]
    panels = repr((presenter.user.words, presenter.assistant.words, presenter.ring.ring)).lower()
    found += [f"presenter: {word}" for word in VISITOR if word in panels]
    return found


def test_a_reset_leaves_nothing_of_the_visitor(window, feature, engine, qtbot, tmp_path):
    presenter = shown(feature)
    press(presenter, qtbot, Qt.Key.Key_Return)
    live = running(window, engine, qtbot)
    talked(live, window, qtbot)
    shared = tmp_path / "okapi.txt"
    shared.write_text("x")
    window.card.files.changed.emit((shared,))
    window.card.field.setText("half a xylophone")
    window.timeline.select(6)
    QGuiApplication.clipboard().setText("zanzibar")
    before = remains(window, presenter)
    places = ("QLineEdit", "QToolButton", "QuestionBar", "ConversationView", "RingPanel", "TimelineWidget",
              "presenter", "live document")  # fmt: skip
    silent = [place for place in places if not any(place in one for one in before)]
    assert not silent, f"the visitor's words are looked for where they never were: {silent}"
    assert len(before) > 10

    presenter.activateWindow()
    press(presenter, qtbot, Qt.Key.Key_F9)
    assert remains(window, presenter) == []  # at once, not only when the session has ended
    live.say(Transcript(2.0, 2.4, "user", "late zanzibar"))
    fresh = running(window, engine, qtbot, 2)
    assert live.stops == 1
    assert remains(window, presenter) == []
    assert background(fresh).instructions == "Be the First."
    assert fresh.shared == []
    assert "zanzibar" not in QGuiApplication.clipboard().text()
    assert window.card.field.text() == ""
    assert not window.card.field.isUndoAvailable()
    image = presenter.grab().toImage()
    assert not image.isNull()


def test_the_reset_hides_what_comes_while_the_session_ends(window, feature, engine, qtbot):
    presenter = shown(feature)
    press(presenter, qtbot, Qt.Key.Key_Return)
    live = running(window, engine, qtbot)
    feature.reset()
    assert stage(presenter).state == "Resetting"
    live.say(Transcript(2.0, 2.4, "user", "late zanzibar"), turn(9, "speak", text_out="okapi"))
    running(window, engine, qtbot, 2)
    assert remains(window, presenter) == []


def recording(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "timeline.jsonl").write_text(json.dumps({"kind": "session", "version": 1}) + "\n")
    (folder / "input.flac").write_bytes(b"zanzibar")
    return folder


def recorded_session(window, feature, engine, qtbot) -> tuple[PresenterWindow, Path]:
    presenter = shown(feature)
    window.commands.record.setChecked(True)
    press(presenter, qtbot, Qt.Key.Key_Return)
    folder = running(window, engine, qtbot).choice.record_in
    assert folder is not None
    recording(folder)
    recording(folder.parent / "of-the-owner")
    return presenter, folder


def test_a_visitor_s_recording_goes_after_a_yes(window, feature, engine, qtbot):
    _, folder = recorded_session(window, feature, engine, qtbot)
    feature.reset()
    running(window, engine, qtbot, 2)
    box = feature.conductor.question
    assert box is not None
    assert folder.exists()
    delete = next(button for button in box.buttons() if button.text() == "Delete")
    delete.click()
    qtbot.waitUntil(lambda: not folder.exists())
    assert (folder.parent / "of-the-owner" / "input.flac").exists()
    assert feature.conductor.question is None


def test_without_a_yes_the_recording_stays(window, feature, engine, qtbot):
    _, folder = recorded_session(window, feature, engine, qtbot)
    feature.reset()
    running(window, engine, qtbot, 2)
    box = feature.conductor.question
    assert box is not None
    box.reject()
    assert (folder / "input.flac").exists()


def test_the_question_can_be_switched_off(window, feature, engine, qtbot):
    _, folder = recorded_session(window, feature, engine, qtbot)
    feature._ask.trigger()
    assert window.settings.present_ask_delete is False
    feature.reset()
    running(window, engine, qtbot, 2)
    assert feature.conductor.question is None
    qtbot.waitUntil(lambda: not folder.exists())
    assert (folder.parent / "of-the-owner" / "timeline.jsonl").exists()


def test_what_was_recorded_without_presenting_is_never_deleted(window, feature, engine, qtbot):
    window.commands.record.setChecked(True)
    qtbot.mouseClick(window.side.start, Qt.MouseButton.LeftButton)
    wanted = running(window, engine, qtbot).choice.record_in
    assert wanted is not None
    folder = recording(wanted)
    feature._ask.trigger()
    feature.reset()
    running(window, engine, qtbot, 2)
    assert (folder / "input.flac").exists()


def test_the_editor_saves_duplicates_and_deletes(window, feature, qtbot):
    feature.show_scenes()
    dialog = feature.dialog
    assert dialog is not None
    dialog.buttons["&New"].click()
    dialog.name.setText("Mine")
    dialog.server.setText("not an address")
    dialog.buttons["&Save"].click()
    assert "address" in dialog.told.text()
    dialog.server.setText("http://localhost:11434/v1")
    dialog.traits["interrupt"].setCurrentIndex(4)
    dialog.buttons["&Save"].click()
    saved = scenes.load(scenes.own_dir() / "mine.json")
    assert saved.server == "http://localhost:11434/v1"
    assert saved.temperament is not None
    assert saved.temperament.interrupt == pytest.approx(1.0)
    assert dialog.scene.name == "Mine"
    dialog.buttons["D&uplicate"].click()
    assert dialog.scene.name == "Mine (copy)"
    dialog.buttons["&Delete"].click()
    assert [scene.name for scene in feature.deck.scenes if scene.name.startswith("Mine")] == ["Mine"]
    dialog.close()
    assert feature.dialog is None


def test_bundled_scenes_cannot_be_changed(window, feature, qtbot):
    feature.show_scenes()
    dialog = feature.dialog
    bundled = next((k for k, scene in enumerate(feature.deck.scenes) if scene.bundled), None)
    assert bundled is not None
    dialog.list.setCurrentRow(bundled)
    assert dialog.name.isReadOnly()
    assert not dialog.buttons["&Save"].isEnabled()
    assert not dialog.buttons["&Delete"].isEnabled()
    dialog.close()


def test_a_scene_is_put_on_from_the_list(window, feature, engine, qtbot):
    feature.show_scenes()
    names = [scene.name for scene in feature.deck.scenes]
    feature.dialog.list.setCurrentRow(names.index("Second"))
    feature.dialog.buttons["&Put on"].click()
    assert feature.window is not None
    assert stage(feature.window).scene == "Second"
    feature.dialog.close()


def test_the_theme_is_followed(window, feature, qtbot):
    presenter = shown(feature)
    window._set_theme_preference("dark")
    assert presenter.theme.name == "dark"
    assert all(panel.theme.name == "dark" for panel in presenter.panels)
    assert presenter.grab().toImage().pixelColor(2, 2).lightness() < 40


def test_closing_the_main_window_closes_it(window, feature):
    shown(feature)
    feature.show_scenes()
    window.close()
    assert feature.window is None
    assert feature.dialog is None


def test_scenes_keep_settings_of_the_window_apart(window, feature, engine, qtbot):
    """What a scene asks for is no setting: it is gone when presenting ends."""
    presenter = shown(feature)
    press(presenter, qtbot, Qt.Key.Key_Escape)
    assert window.choice() == replace(window.choice())
    qtbot.mouseClick(window.side.start, Qt.MouseButton.LeftButton)
    assert background(running(window, engine, qtbot)).instructions == ""


def test_start_and_stop_do_not_break_off_a_reset(window, feature, engine, qtbot):
    presenter, folder = recorded_session(window, feature, engine, qtbot)
    feature._ask.trigger()
    feature.reset()
    press(presenter, qtbot, Qt.Key.Key_Return)
    window.side.start.click()
    running(window, engine, qtbot, 2)
    assert not feature.conductor.resetting
    qtbot.waitUntil(lambda: not folder.exists())


def test_both_windows_say_where_the_words_of_a_scene_go(window, feature, engine, qtbot):
    scenes.save(Scene("Elsewhere", server="https://ai.example.com/v1"))
    window.change_settings(send_pictures="yes")
    presenter = shown(feature)
    feature.deck.reload()
    feature.conductor.choose(scenes.own_dir() / "elsewhere.json")
    told = "the words of your questions and a picture go to ai.example.com."
    assert told in stage(presenter).about
    press(presenter, qtbot, Qt.Key.Key_Return)
    running(window, engine, qtbot)
    assert told in window.side.privacy.text()
    assert told in window.card.welcome_more.text()
    window.bridge.stop()
    qtbot.waitUntil(lambda: not window.bridge.active)
    assert "stay on this computer" in window.side.privacy.text()


@pytest.mark.parametrize("start", ["tray", "key", "welcome"])
def test_however_it_is_started_the_scene_runs(window, feature, engine, qtbot, start):
    shown(feature)
    if start == "key":
        window.activateWindow()
        qtbot.keyClick(window, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    else:
        {"tray": window.commands.toggle.trigger, "welcome": window.start_session}[start]()
    assert background(running(window, engine, qtbot)).instructions == "Be the First."


def test_a_recorded_visitor_is_heard_unless_switched_off(window, feature, engine, qtbot, tmp_path):
    sound = tmp_path / "visitor.ogg"
    sound.write_bytes(b"sound")
    scenes.save(Scene("Third", recording=sound))
    presenter = shown(feature)
    feature.conductor.choose(scenes.own_dir() / "third.json")
    press(presenter, qtbot, Qt.Key.Key_Return)
    assert running(window, engine, qtbot).choice.aloud
    feature._aloud.trigger()
    assert window.settings.present_aloud is False
    press(presenter, qtbot, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not window.bridge.active)
    press(presenter, qtbot, Qt.Key.Key_Return)
    again = running(window, engine, qtbot, 2)
    assert again.choice.input_device == str(sound)
    assert not again.choice.aloud


def test_what_runs_is_told_and_what_was_chosen_for_the_next_start(window, feature, engine, qtbot, tmp_path):
    sound = tmp_path / "visitor.ogg"
    sound.write_bytes(b"sound")
    scenes.save(Scene("Third", recording=sound))
    presenter = shown(feature)
    feature.conductor.choose(scenes.own_dir() / "third.json")
    press(presenter, qtbot, Qt.Key.Key_Return)
    live = running(window, engine, qtbot)
    qtbot.waitUntil(lambda: stage(presenter).input == "A recorded visitor speaks")
    assert presenter.assistant.hint == "A recorded visitor talks to it."
    press(presenter, qtbot, Qt.Key.Key_R)
    assert stage(presenter).input == "A recorded visitor speaks; next start: the microphone"
    assert presenter.user.label == "Recorded visitor"
    live.source.over = True
    qtbot.waitUntil(lambda: stage(presenter).input.startswith("The recorded visitor has finished"))


def test_nobody_is_asked_to_talk_to_a_microphone_that_is_not_there(window, feature, engine, qtbot):
    presenter = shown(feature)
    press(presenter, qtbot, Qt.Key.Key_Return)
    running(window, engine, qtbot).source.device_open = False
    qtbot.waitUntil(lambda: stage(presenter).input == "No microphone")
    assert stage(presenter).unheard
    assert presenter.assistant.hint == "No microphone: plug one in."


def test_a_clicker_works_while_the_main_window_has_the_keyboard(window, feature, engine, qtbot):
    presenter = shown(feature)
    window.activateWindow()
    window.side.start.setFocus()
    for key, scene in ((Qt.Key.Key_PageDown, "Second"), (Qt.Key.Key_PageUp, "First")):
        qtbot.keyClick(window.side.start, key)
        assert stage(presenter).scene == scene
    for key, black in ((Qt.Key.Key_B, True), (Qt.Key.Key_Period, False)):
        qtbot.keyClick(window.side.start, key)
        assert presenter.blank.isVisible() is black
    press(presenter, qtbot, Qt.Key.Key_Return)
    running(window, engine, qtbot)
    qtbot.waitUntil(window.card.field.isVisible)
    window.activateWindow()
    window.card.field.setFocus()
    qtbot.keyClicks(window.card.field, "b.")
    assert window.card.field.text() == "b."
    presenter.close()
    assert feature._next.shortcut().isEmpty()


def test_a_yes_to_a_recording_is_one_visitor_s(window, feature, engine, qtbot):
    presenter = shown(feature)
    press(presenter, qtbot, Qt.Key.Key_Return)
    running(window, engine, qtbot)
    presenter.activateWindow()
    qtbot.keyClick(presenter, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    assert window.commands.record.isChecked()
    assert window.settings.present_recordings  # Ctrl+R is not R
    assert stage(presenter).recorded == "Not recorded; next start: recorded"
    press(presenter, qtbot, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not window.bridge.active)
    press(presenter, qtbot, Qt.Key.Key_Return)
    assert running(window, engine, qtbot, 2).choice.record_in is not None
    qtbot.waitUntil(lambda: stage(presenter).recorded == "Recording")
    feature.reset()
    assert running(window, engine, qtbot, 3).choice.record_in is None
    assert stage(presenter).recorded == "Not recorded"


def test_the_list_of_sessions_notices_a_deleted_recording(window, feature, engine, qtbot):
    _, folder = recorded_session(window, feature, engine, qtbot)
    page = sessions_page(window)
    feature.reset()
    running(window, engine, qtbot, 2)
    window.show_page("sessions")
    window.signals.sessions_changed.emit()
    qtbot.waitUntil(lambda: folder.name in listed(page))
    box = feature.conductor.question
    assert box is not None
    next(button for button in box.buttons() if button.text() == "Delete").click()
    qtbot.waitUntil(lambda: folder.name not in listed(page))
    assert not folder.exists()
    assert "of-the-owner" in listed(page)


def sessions_page(window: MainWindow) -> SessionsPage:
    found = window.findChild(SessionsPage)
    assert isinstance(found, SessionsPage)
    return found


def listed(page: SessionsPage) -> list[str]:
    return [entry.path.name for entry in page.model.entries]


def test_what_was_written_is_kept_when_another_scene_is_looked_at(window, feature, qtbot):
    feature.show_scenes()
    dialog = feature.dialog
    names = [scene.name for scene in feature.deck.scenes]
    dialog.list.setCurrentRow(names.index("First"))
    dialog.to_try.setText("Something else.")
    dialog.list.setCurrentRow(names.index("Second"))
    assert dialog.name.text() == "Second"
    assert scenes.load(scenes.own_dir() / "first.json").to_try == "Something else."
    dialog.server.setText("no address")
    dialog.list.setCurrentRow(names.index("First"))
    assert (dialog.name.text(), dialog.server.text()) == ("Second", "no address")
    assert "address" in dialog.told.text()
    assert dialog.list.currentRow() == names.index("Second")
    dialog.close()
    assert feature.dialog is not None
    assert "Close again" in dialog.told.text()
    dialog.close()
    assert feature.dialog is None
    assert scenes.load(scenes.own_dir() / "second.json").server == ""


def test_a_scene_is_put_on_as_it_was_written(window, feature, engine, qtbot):
    feature.show_scenes()
    dialog = feature.dialog
    dialog.list.setCurrentRow([scene.name for scene in feature.deck.scenes].index("First"))
    dialog.instructions.setPlainText("Be new.")
    dialog.buttons["&Put on"].click()
    press(feature.window, qtbot, Qt.Key.Key_Return)
    assert background(running(window, engine, qtbot)).instructions == "Be new."
    dialog.close()


def test_every_letter_of_the_editor_is_given_once(window, feature):
    feature.show_scenes()
    texts = [button.text() for button in feature.dialog.buttons.values()]
    texts += [label.text() for label in feature.dialog.findChildren(QLabel) if label.buddy() is not None]
    letters = [text[text.index("&") + 1].lower() for text in texts if "&" in text]
    assert len(letters) == len(set(letters)) == 13
    feature.dialog.close()


def test_after_a_reset_without_a_new_start_the_visitor_s_marks_are_gone(window, feature, engine, qtbot):
    qtbot.mouseClick(window.side.start, Qt.MouseButton.LeftButton)
    live = running(window, engine, qtbot)
    live.say(Mark(0.2, "okapi", "good"))
    marking = next(one for one in window._features if isinstance(one, MarkingFeature))
    qtbot.waitUntil(lambda: [row.note for row in marking.ledger.rows] == ["okapi"])
    window.bridge.stop()
    qtbot.waitUntil(lambda: not window.bridge.active)
    feature.reset()
    assert not window.bridge.active
    assert marking.ledger.rows == []


@pytest.mark.parametrize(
    ("copied", "of_it"),
    [("hello there", True), ("well, hello there you", True), ("my own address", False), ("", False)],
)
def test_what_was_copied_of_the_conversation_is_known(copied, of_it):
    assert is_of(copied, ["", "hello there"]) == of_it
