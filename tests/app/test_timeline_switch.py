"""The timeline shown or hidden, and what brings it back."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from app.document import Document
from app.inspecting.feature import Inspecting
from app.settings_store import SettingsStore
from engine.events import Transcript
from tests.app.fake_session import FakeEngine
from tests.app.scenario import session
from tests.app.window_rig import feature, open_window, start

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")
BOTH = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier


def hide(window, qtbot) -> None:
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    qtbot.keyClick(window, Qt.Key.Key_T, BOTH)
    QApplication.processEvents()
    assert not window.timeline_card.isVisible()


def test_the_conversation_has_the_whole_height_without_it_and_this_is_remembered(qtbot):
    with open_window(qtbot, FakeEngine()) as window:
        assert window.timeline_card.isVisible()
        before, sizes = window.card.height(), window._splitters[1].sizes()
        hide(window, qtbot)
        assert window.card.height() > 1.6 * before
        assert window.settings.show_timeline is False
        window.commands.timeline.trigger()
        QApplication.processEvents()
        assert window.timeline_card.isVisible()
        assert window._splitters[1].sizes() == sizes
        hide(window, qtbot)
        SettingsStore().save(window.settings)
    with open_window(qtbot, FakeEngine(), show_timeline=SettingsStore().load().show_timeline) as window:
        assert not window.timeline_card.isVisible()
        assert not window.commands.timeline.isChecked()


def test_a_line_of_the_conversation_leads_nowhere_while_it_is_hidden(qtbot):
    engine = FakeEngine()
    with open_window(qtbot, engine) as window:
        start(window, engine, qtbot).say(*session(3), Transcript(0.4, 0.6, "user", "hello"))
        qtbot.waitUntil(lambda: window.card.view.lines.rowCount() > 0)
        hide(window, qtbot)
        window.card.view.line_chosen.emit(0.4)
        assert not window.details.isVisible()
        window.commands.timeline.trigger()
        window.card.view.line_chosen.emit(0.4)
        assert window.details.isVisible()


def test_looking_for_something_and_selecting_bring_it_back(qtbot):
    engine = FakeEngine()
    with open_window(qtbot, engine) as window:
        start(window, engine, qtbot).say(*session(3))
        qtbot.waitUntil(lambda: window.timeline.model.turns.count > 10)
        hide(window, qtbot)
        feature(window, Inspecting).find.open()
        assert window.timeline_card.isVisible()
        hide(window, qtbot)
        window.timeline.select(4)
        assert window.timeline_card.isVisible()


def test_a_recorded_session_always_has_it(qtbot):
    with open_window(qtbot, FakeEngine(), show_timeline=False) as window:
        recorded = Document()
        recorded.live = False
        window.show_document(recorded)
        assert window.timeline_card.isVisible()
        assert not window.commands.timeline.isEnabled()
        window.commands.leave.trigger()
        assert not window.timeline_card.isVisible()
        assert window.commands.timeline.isEnabled()
        assert window.settings.show_timeline is False
