"""The whole window for those who use no mouse, hear it read, or need large text or strong contrast."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QFontMetrics
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QApplication,
    QLabel,
    QMenu,
    QScrollArea,
    QScrollBar,
    QToolButton,
    QWidget,
)

from app import theme
from app.main_window import MainWindow
from app.status import Activity, Status
from app.timeline.timeline_widget import TimelineWidget
from engine.events import BackgroundEvent, Caption
from tests.app.fake_session import FakeEngine
from tests.app.scenario import session, turn
from tests.app.window_rig import open_window, start

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")


@pytest.fixture(autouse=True)
def usual_size(qapp) -> Iterator[None]:
    yield
    theme.set_text_scale(1.0)
    theme.apply(qapp, theme.LIGHT)


def pages(window: MainWindow) -> list[str]:
    return list(window._pages)


def busy(window: MainWindow, engine: FakeEngine, qtbot) -> None:
    """In the middle of a conversation, with work in the background, everything open."""
    live = start(window, engine, qtbot)
    live.say(*session(20))
    live.say(turn(100), BackgroundEvent(7, 20.1, "asked", "how far is the moon?"))
    live.say(turn(101), Caption(20.3, 20.0, "and how far is", 2))
    qtbot.waitUntil(lambda: window.timeline.model.turns.count == 102)
    window.details.show()
    QApplication.processEvents()


def menus_of(menu: QMenu) -> Iterator[QAction]:
    for action in menu.actions():
        inner = action.menu()
        if isinstance(inner, QMenu):
            yield from menus_of(inner)
        elif not action.isSeparator():
            yield action


def in_menus(window: MainWindow) -> list[QAction]:
    found: list[QAction] = []
    for top in window.menuBar().actions():
        menu = top.menu()
        if isinstance(menu, QMenu):
            found += menus_of(menu)
    return found


def test_every_command_is_in_a_menu_with_words(qtbot):
    with open_window(qtbot, FakeEngine()) as window:
        listed = in_menus(window)
        for action in window.commands.everything():
            assert action.text().strip(), action
            assert action.toolTip().strip(), action.text()
            assert action.statusTip().strip(), action.text()
            assert action in listed, f"{action.text()} is in no menu"
        for action in listed:
            assert action.text().strip()


def test_no_shortcut_is_given_twice(qtbot):
    with open_window(qtbot, FakeEngine()) as window:
        keys = [key for action in window.findChildren(QAction) for key in action.shortcuts()]
        used = [key.toString() for key in keys if not key.isEmpty()]
        assert len(used) == len(set(used)), sorted(used)


def test_no_letter_is_given_twice_in_a_menu(qtbot):
    with open_window(qtbot, FakeEngine()) as window:
        for top in window.menuBar().actions():
            entries = top.menu()
            assert isinstance(entries, QMenu)
            letters = [mnemonic(a.text()) for a in entries.actions() if a.isVisible()]
            given = [letter for letter in letters if letter]
            assert len(given) == len(set(given)), f"{top.text()}: {[a.text() for a in entries.actions()]}"


def mnemonic(text: str) -> str:
    at = text.replace("&&", "").find("&")
    return text.replace("&&", "")[at + 1].lower() if at >= 0 else ""


def name_of(widget: QWidget) -> str:
    """What a screen reader says of it."""
    if widget.accessibleName():
        return widget.accessibleName()
    return widget.text() if isinstance(widget, (QAbstractButton, QLabel)) else ""


def focusable(window: QWidget) -> list[QWidget]:
    """What takes the focus by Tab and can be seen; a proxied field stands for its proxy."""
    return [
        widget
        for widget in window.findChildren(QWidget)
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        and widget.isVisible()
        and widget.isEnabled()
        and widget.focusProxy() is None
    ]


def by_arrows(widget: QWidget) -> bool:
    """One of several of which one is chosen: Tab goes to that one, arrows to the others."""
    if not isinstance(widget, QAbstractButton) or widget.isChecked():
        return False
    group = widget.group()
    return widget.autoExclusive() or bool(group and group.exclusive())


@pytest.mark.parametrize("talking", [False, True])
def test_everything_that_takes_the_focus_has_a_name_and_is_reached_by_tab(qtbot, talking):
    engine = FakeEngine()
    with open_window(qtbot, engine, hold_to_talk=True) as window:
        if talking:
            busy(window, engine, qtbot)
        for page in ["talk"] if talking else pages(window):
            window.show_page(page)
            QApplication.processEvents()
            wanted = focusable(window)
            unnamed = [f"{type(w).__name__} in {type(w.parent()).__name__}" for w in wanted if not name_of(w)]
            assert not unnamed, (page, unnamed)
            reached: set[QWidget] = set()
            at: QWidget | None = window
            for _ in range(3_000):
                at = at.nextInFocusChain() if at is not None else None
                if at is None or at is window:
                    break
                reached.add(at)
            missing = [name_of(w) for w in wanted if w not in reached]
            assert not missing, (page, missing)


def test_tab_really_goes_round(qtbot):
    """Focus moves by Tab alone through all of the conversation, and comes back."""
    engine = FakeEngine()
    with open_window(qtbot, engine) as window:
        busy(window, engine, qtbot)
        window.activateWindow()
        qtbot.waitUntil(window.isActiveWindow)
        window.side.start.setFocus()
        wanted = {w for w in focusable(window) if not isinstance(w, QScrollBar) and not by_arrows(w)}
        seen: set[QWidget] = set()
        for _ in range(3 * len(wanted)):
            at = QApplication.focusWidget()
            assert at is not None
            seen.add(at)
            qtbot.keyClick(at, Qt.Key.Key_Tab)
        missing = [f"{type(w).__name__} {name_of(w)!r}" for w in wanted - seen]
        assert not missing


def short_of(label: QWidget) -> str:
    """How much a label or button is too small for its text; empty when all can be read."""
    if isinstance(label, QLabel):
        if not label.text() or label.pixmap().width():
            return ""
        inner = label.contentsRect()
        if label.wordWrap():
            needed = label.heightForWidth(label.width())
            words = max(QFontMetrics(label.font()).horizontalAdvance(word) for word in label.text().split())
            if words > label.width():
                return f"a word needs {words} of {label.width()} px"
            return f"needs {needed} of {label.height()} px height" if needed > label.height() + 1 else ""
        hint = label.sizeHint()
        if hint.width() > label.width() + 1 or hint.height() > label.height() + 1:
            return f"needs {hint.width()}x{hint.height()} of {inner.width()}x{inner.height()}"
        return ""
    assert isinstance(label, QAbstractButton)
    if not label.text() or label.property("kind") == "device":  # those elide names of devices on purpose
        return ""
    if isinstance(label, QToolButton) and label.toolButtonStyle() is Qt.ToolButtonStyle.ToolButtonIconOnly:
        return ""
    hint = label.sizeHint()
    if hint.width() > label.width() + 1 or hint.height() > label.height() + 1:
        return f"needs {hint.width()}x{hint.height()} of {label.width()}x{label.height()}"
    return ""


def settle() -> None:
    """Let every layout come to rest."""
    for _ in range(5):
        QApplication.processEvents()


def cut_off(window: QWidget) -> list[str]:
    shown = [w for kind in (QLabel, QAbstractButton) for w in window.findChildren(kind) if w.isVisible()]
    found = []
    for widget in shown:
        text = name_of(widget)[:40]
        if why := short_of(widget):
            found.append(f"{type(widget).__name__} {text!r} {why}")
        if beyond(widget, window):
            found.append(f"{type(widget).__name__} {text!r} is partly outside")
    return found


def beyond(widget: QWidget, window: QWidget) -> bool:
    """Whether a part lies outside what holds it, and no scroll bar leads there."""
    parent = widget.parentWidget()
    while parent is not None:
        area = parent.parentWidget()
        if isinstance(area, QAbstractScrollArea) and area.viewport() is parent:
            return False
        if parent is window:
            break
        parent = area
    corner = widget.mapTo(window, widget.rect().bottomRight())
    return not window.rect().contains(corner)


@pytest.mark.parametrize("scale", [1.0, 1.5, 2.0])
@pytest.mark.parametrize("talking", [False, True])
def test_nothing_is_cut_off(qtbot, scale, talking):
    engine = FakeEngine()
    with open_window(qtbot, engine, text_scale=scale) as window:
        settle()
        window.resize(1280, 800)
        if talking:
            busy(window, engine, qtbot)
        # A small screen has not room for everything at once in large text.
        window.commands.jobs.setChecked(scale == 1.0)
        window.details.setVisible(window.details.isVisible() and scale < 2.0)
        for page in ["talk"] if talking else pages(window):
            window.show_page(page)
            settle()
            assert window.height() <= 800
            assert window.width() <= 1280 or scale > 1.5, f"{page} is {window.width()} px wide"
            assert not cut_off(window), (page, scale)


@pytest.mark.parametrize("scale", [0.8, 1.0, 1.5, 2.0])
def test_every_state_has_room_for_its_word(qtbot, scale):
    with open_window(qtbot, FakeEngine(), text_scale=scale) as window:
        title = window.side.status.title
        for activity in Activity:
            window.side.status.show_status(Status(activity, detail="Microphone closed: hold F8 to talk"), 0.0)
            settle()
            assert short_of(title) == "", activity
            assert short_of(window.side.status.detail) == "", activity


@pytest.mark.parametrize("scale", [0.8, 1.0, 1.15, 1.3, 1.5, 2.0])
def test_the_side_panel_is_wide_enough_for_all_its_words(qtbot, scale):
    with open_window(qtbot, FakeEngine(), text_scale=scale, hold_to_talk=True) as window:
        assert window.bridge.muted
        (area,) = (a for a in window.side.findChildren(QScrollArea) if a.isVisible())
        QApplication.processEvents()
        assert window.side.hold.isVisible()
        inside = area.widget()
        assert inside is not None
        assert inside.minimumSizeHint().width() <= area.viewport().width()


@pytest.mark.parametrize("scale", [1.0, 1.5, 2.0])
def test_the_jobs_have_room_for_their_words_beside_the_details(qtbot, scale):
    engine = FakeEngine()
    with open_window(qtbot, engine, text_scale=scale) as window:
        busy(window, engine, qtbot)
        window._splitters[0].setSizes([2000, 400, 1])
        QApplication.processEvents()
        (area,) = window.jobs.findChildren(QScrollArea)
        inner = area.widget()
        assert inner is not None
        assert inner.minimumSizeHint().width() <= area.viewport().width()
        assert short_of(window.jobs.title) == ""


def test_the_timeline_says_what_it_shows(qtbot):
    engine = FakeEngine()
    with open_window(qtbot, engine) as window:
        busy(window, engine, qtbot)
        assert all(w.accessibleName() for w in window.findChildren(TimelineWidget))


@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_the_list_of_shortcuts_fits_the_screen(qtbot, scale):
    with open_window(qtbot, FakeEngine(), text_scale=scale) as window:
        window.commands.shortcuts.trigger()
        dialog = next(w for w in QApplication.topLevelWidgets() if w.windowTitle() == "Keyboard shortcuts")
        QApplication.processEvents()
        assert dialog.height() <= window.screen().availableSize().height()
        assert not cut_off(dialog)
        dialog.close()
