"""The size of all text, and high contrast from the menu."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt

from app import theme
from tests.app.fake_session import FakeEngine
from tests.app.window_rig import open_window

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")


@pytest.fixture(autouse=True)
def usual_size(qapp) -> Iterator[None]:
    yield
    theme.set_text_scale(1.0)
    theme.apply(qapp, theme.LIGHT)


def test_sizes_are_bounded_and_fonts_follow(qapp):
    small = theme.font(10).pointSizeF()
    assert theme.set_text_scale(1.5)
    assert theme.font(10).pointSizeF() == pytest.approx(1.5 * small)
    assert theme.px(20) == 30
    assert not theme.set_text_scale(1.5)
    theme.set_text_scale(9.0)
    assert theme.text_scale() == 2.0
    theme.set_text_scale(float("nan"))
    assert theme.text_scale() == 1.0


def test_steps_go_up_and_down_and_end(qapp):
    seen = []
    for _ in range(10):
        theme.set_text_scale(theme.next_text_scale(1))
        seen.append(theme.text_scale())
    assert seen[0] > 1
    assert seen == sorted(seen)
    assert seen[-1] == 2.0
    for _ in range(10):
        theme.set_text_scale(theme.next_text_scale(-1))
    assert theme.text_scale() == 0.8


def test_keys_change_it_and_it_is_remembered(qtbot):
    with open_window(qtbot, FakeEngine()) as window:
        window.activateWindow()
        qtbot.waitUntil(window.isActiveWindow)
        width, title = window.side.width(), window.side.status.title
        height = title.sizeHint().height()
        both = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
        for _ in range(3):
            qtbot.keyClick(window, Qt.Key.Key_Plus, both)
        assert window.settings.text_scale == pytest.approx(1.5)
        assert "150" in window.card.notice.text()
        assert window.side.width() > 1.1 * width
        assert title.sizeHint().height() > 1.3 * height
        qtbot.keyClick(window, Qt.Key.Key_Minus, both)
        assert window.settings.text_scale == pytest.approx(1.3)
    with open_window(qtbot, FakeEngine(), text_scale=2.0):
        assert theme.text_scale() == 2.0
    with open_window(qtbot, FakeEngine()):
        assert theme.text_scale() == 1.0


def test_high_contrast_is_in_the_menu_and_remembered(qtbot):
    with open_window(qtbot, FakeEngine()) as window:
        entry = next(a for a in window.commands.themes.actions() if a.data() == "contrast")
        entry.trigger()
        assert window.theme is theme.CONTRAST
        assert window.settings.theme == "contrast"
        assert entry.isChecked()
    with open_window(qtbot, FakeEngine(), theme="contrast") as window:
        assert window.theme is theme.CONTRAST
        entry = next(a for a in window.commands.themes.actions() if a.data() == "contrast")
        assert entry.isChecked()


def test_the_keys_that_are_named_are_on_every_keyboard(qtbot):
    """Where + needs Shift, Ctrl+Shift++ is taken for Ctrl++, which zooms the timeline."""
    with open_window(qtbot, FakeEngine()) as window:
        window.activateWindow()
        qtbot.waitUntil(window.isActiveWindow)
        both = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
        qtbot.keyClick(window, Qt.Key.Key_Up, both)
        assert window.settings.text_scale > 1
        qtbot.keyClick(window, Qt.Key.Key_Down, both)
        qtbot.keyClick(window, Qt.Key.Key_Down, both)
        assert window.settings.text_scale < 1
