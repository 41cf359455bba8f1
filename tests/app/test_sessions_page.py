"""The page of sessions in the whole window: found, opened, named, imported and deleted by keyboard."""

import os
import shutil
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QApplication, QFileDialog, QLineEdit, QPushButton

from app.engine_bridge import EngineBridge
from app.live import sessions_dir
from app.main_window import MainWindow
from app.sessions import texts
from app.sessions.feature import SessionsFeature
from app.sessions.table import COLUMNS, SAID, SessionModel, SessionTable
from app.settings import Settings
from app.theme import DARK, LIGHT
from engine.events import SessionHeader, to_json
from engine.recorder.catalogue import Entry
from engine.recorder.folder import TIMELINE
from engine.recorder.marks import add_marks, made_mark
from tests.app.fake_session import FakeEngine
from tests.app.scenario import session

# Qt's offscreen platform says this of every window.
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")


def recorded(folder: Path, name: str, day: int, seconds: float = 8) -> Path:
    """A session without sound, as a crash may leave it."""
    path = folder / name
    path.mkdir(parents=True)
    events = [SessionHeader("micro", "tiny", 1, f"2026-03-{day:02}T10:00:00+00:00"), *session(seconds)[1:]]
    (path / TIMELINE).write_text("\n".join(to_json(e) for e in events) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def folder(tmp_path) -> Path:
    folder = sessions_dir()
    for name, day in (("a", 1), ("b", 3), ("c", 2)):
        recorded(folder, name, day)
    return folder


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def make(engine, qtbot):
    made: list[MainWindow] = []

    def window(**settings: object) -> MainWindow:
        one = MainWindow(
            EngineBridge(engine.open, engine.list_devices),
            Settings(theme="light", welcomed=True, **settings),  # type: ignore[arg-type]
        )
        qtbot.addWidget(one)
        one.show()
        made.append(one)
        return one

    yield window
    for one in made:
        one.close()


@pytest.fixture
def window(make, folder):
    return make()


def feature(window: MainWindow) -> SessionsFeature:
    return next(one for one in window._features if isinstance(one, SessionsFeature))


def shown(window: MainWindow, qtbot, count: int) -> SessionsFeature:
    """The page with ``count`` sessions, all of them read."""
    found = feature(window)
    found.action.trigger()
    page = found.page
    qtbot.waitUntil(lambda: len(page.model.entries) == count and not found._waiting)
    return found


def names(found: SessionsFeature) -> list[str]:
    return [entry.name for entry in found.page.table.filter.shown()]


def test_the_newest_comes_first_and_columns_sort(window, qtbot):
    found = shown(window, qtbot, 3)
    assert window.shown_page() == "sessions"
    assert names(found) == ["b", "c", "a"]
    assert found.page.table.hasFocus()
    found.page.table.sortByColumn(0, Qt.SortOrder.AscendingOrder)
    assert names(found) == ["a", "b", "c"]
    assert "3 sessions" in found.page.total.text()
    assert "I have been wondering" in found.page.about.text()


def test_return_opens_and_escape_leads_back(window, qtbot):
    found = shown(window, qtbot, 3)
    qtbot.keyClick(found.page.table, Qt.Key.Key_Down)
    qtbot.keyClick(found.page.table, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.document.path is not None)
    assert window.document.path.name == "c"
    assert window.shown_page() == "talk"
    found.show()
    assert window.shown_page() == "sessions"
    for at in (found.page.table, found.page.search):
        found.show()
        at.setFocus()
        qtbot.keyClick(at, Qt.Key.Key_Escape)
        assert window.shown_page() == "talk"
    found.show()
    qtbot.mouseClick(found.page.back, Qt.MouseButton.LeftButton)
    assert window.shown_page() == "talk"


def test_escape_still_silences(window, engine, qtbot):
    window.start_session()
    qtbot.waitUntil(lambda: window.bridge.session is not None)
    engine.sessions[-1].run()
    qtbot.waitUntil(lambda: window.bridge.state == "running")
    found = shown(window, qtbot, 3)
    qtbot.keyClick(found.page.table, Qt.Key.Key_Escape)
    assert engine.sessions[-1].silenced == 1
    assert window.shown_page() == "talk"


def test_finding(window, folder, qtbot):
    add_marks(folder / "c", [made_mark(1, "odd cough", "other")])
    found = shown(window, qtbot, 3)
    qtbot.keyClicks(found.page.search, "COUGH odd")
    assert names(found) == ["c"]
    assert "1 of 3 sessions" in found.page.total.text()
    assert found.page.table.selected()[0].name == "c"
    qtbot.keyClicks(found.page.search, " nothing")
    assert names(found) == []
    assert found.page.empty.isVisible() and "No session has" in found.page.empty.text()
    assert not found.page.empty_import.isVisible() and not found.page.open.isEnabled()
    found.page.search.clear()
    assert len(names(found)) == 3
    qtbot.keyClick(found.page.search, Qt.Key.Key_Return)
    assert found.page.table.hasFocus()


def test_an_empty_folder_says_what_to_do(make, qtbot):
    found = shown(make(), qtbot, 0)
    assert found.page.empty.text() == texts.EMPTY
    qtbot.waitUntil(found.page.empty_import.hasFocus)
    assert not any(b.isEnabled() for b in (found.page.open, found.page.remove, found.page.reveal))


def test_deleting_after_a_question(window, folder, qtbot):
    found = shown(window, qtbot, 3)
    window.open_session(folder / "b")
    qtbot.waitUntil(lambda: window.document.path is not None)
    shown(window, qtbot, 3)
    found.page.table.select([folder / "b"])
    qtbot.keyClick(found.page.table, Qt.Key.Key_Delete)
    assert found.question is not None and "Delete “b”" in found.question.text()
    assert found.question.defaultButton().text() == "Keep"
    qtbot.keyClick(found.question, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: found.question is None)
    assert (folder / "b").exists()
    qtbot.keyClick(found.page.table, Qt.Key.Key_Delete)
    delete = next(b for b in found.question.findChildren(QPushButton) if b.text() == "Delete")
    qtbot.mouseClick(delete, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(found.page.model.entries) == 2)
    assert not (folder / "b").exists()
    assert window.document is window.live and window.shown_page() == "sessions"
    assert "Deleted 1 session" in found.page.message.text()
    assert names(found) == ["c", "a"]


def test_several_are_deleted_and_foreign_files_stay(window, folder, qtbot):
    (folder / "a" / "notes.txt").write_text("mine")
    found = shown(window, qtbot, 3)
    found.page.table.selectAll()
    assert not found.page.open.isEnabled() and found.page.remove.isEnabled()
    qtbot.mouseClick(found.page.remove, Qt.MouseButton.LeftButton)
    assert found.question is not None and "Delete 3 sessions" in found.question.text()
    found.question.close()
    found.delete([entry.path for entry in found.page.table.selected()])
    qtbot.waitUntil(lambda: not found.page.model.entries)
    assert [f.name for f in folder.rglob("*")] == ["a", "notes.txt"]
    assert "Deleted 3 sessions" in found.page.message.text() and "notes.txt" in found.page.message.text()


def test_a_title_by_f2(window, folder, qtbot):
    found = shown(window, qtbot, 3)
    qtbot.keyClick(found.page.table, Qt.Key.Key_F2)
    field = found.page.table.findChild(QLineEdit)
    assert field is not None and field.text() == "b"
    field.setText("The moon")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: names(found)[0] == "The moon")
    assert (folder / "b" / "title.txt").read_text() == "The moon\n"
    assert window.document is window.live  # Return in the field opens nothing
    qtbot.keyClick(found.page.table, Qt.Key.Key_F2)
    field = found.page.table.findChild(QLineEdit)
    assert field is not None
    field.setText("")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: names(found)[0] == "b")


def test_importing(window, folder, tmp_path, qtbot, monkeypatch):
    found = shown(window, qtbot, 3)
    source = recorded(tmp_path / "elsewhere", "b", 9)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(source))
    qtbot.mouseClick(found.page.bring, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(found.page.model.entries) == 4)
    assert [e.path.name for e in found.page.table.selected()] == ["b_2"]
    assert found.page.message.text() == "Imported as b_2."
    assert source.exists()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    qtbot.mouseClick(found.page.bring, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "is no session" in found.page.message.text())


def test_the_folder_is_shown(window, folder, qtbot, monkeypatch):
    asked = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: asked.append(url.toLocalFile()))
    found = shown(window, qtbot, 3)
    qtbot.mouseClick(found.page.reveal, Qt.MouseButton.LeftButton)
    assert asked == [str(folder / "b")]


def test_what_is_recorded_now_cannot_be_deleted(window, engine, folder, qtbot):
    window.commands.record.setChecked(True)
    window.start_session()
    qtbot.waitUntil(lambda: window.bridge.session is not None)
    path = engine.sessions[-1].out_dir
    recorded(path.parent, path.name, 30)
    found = shown(window, qtbot, 4)
    found.page.table.select([path])
    assert found.page.table.selected()[0].state == "recording"
    assert "being recorded" in found.page.about.text()
    assert not found.page.remove.isEnabled()
    qtbot.keyClick(found.page.table, Qt.Key.Key_Delete)
    assert found.question is None
    found.delete([path, folder / "a"])
    qtbot.waitUntil(lambda: not (folder / "a").exists())
    assert path.exists()


def test_one_that_cannot_be_read_says_why(window, folder, qtbot):
    (folder / "b" / TIMELINE).write_bytes(b"")
    os.utime(folder / "b" / TIMELINE, (4e9, 4e9))
    found = shown(window, qtbot, 3)
    assert found.page.table.selected()[0].state == "unreadable"
    qtbot.keyClick(found.page.table, Qt.Key.Key_Return)
    assert "empty session" in found.page.message.text()
    assert window.document is window.live


def test_one_that_vanished_says_so_on_the_page(window, folder, qtbot):
    found = shown(window, qtbot, 3)
    shutil.rmtree(folder / "b")
    qtbot.keyClick(found.page.table, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "there is no" in found.page.message.text())


def test_old_recordings_are_deleted_as_the_window_starts(make, folder, qtbot):
    add_marks(folder / "a", [made_mark(1, "", "late")])
    for name in ("a", "b"):
        os.utime(folder / name / TIMELINE, (1e9, 1e9))
    window = make(keep_days=30)
    qtbot.waitUntil(lambda: not (folder / "b").exists())
    qtbot.waitUntil(lambda: "1 recording older than 30 days was deleted" in window._notice)
    assert "1 with marks was kept" in window._notice
    assert (folder / "a").exists() and (folder / "c").exists()


def test_recordings_elsewhere_are_not_deleted_by_themselves(engine, folder, tmp_path, qtbot):
    elsewhere = recorded(tmp_path / "elsewhere", "x", 1)
    os.utime(elsewhere / TIMELINE, (1e9, 1e9))
    window = MainWindow(
        EngineBridge(engine.open, engine.list_devices), Settings(keep_days=1), record_in=elsewhere.parent
    )
    qtbot.addWidget(window)
    window.bridge.run_call(lambda: 1, lambda *_: done.append(1))
    done: list[int] = []
    qtbot.waitUntil(lambda: bool(done))
    assert elsewhere.exists() and (folder / "a").exists()
    window.close()


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_texts_fit_and_are_plain(qtbot, theme):
    model = SessionModel(theme)
    table = SessionTable(model)
    qtbot.addWidget(table)
    model.show_entries([Entry(Path("/s/x"), "ready", title="<b>bold</b>\u202e", damaged=("gone",), turns=5)])
    index = table.filter.index(0, 0)
    assert index.data() == "<b>bold</b>"
    assert "&lt;b&gt;" in index.data(Qt.ItemDataRole.ToolTipRole)
    condition = next(k for k, column in enumerate(COLUMNS) if column.title == "Condition")
    assert table.filter.index(0, condition).data(Qt.ItemDataRole.ForegroundRole).name() == theme.warning
    assert table.filter.index(0, condition).data(Qt.ItemDataRole.AccessibleTextRole) == "Condition: Damaged"
    QApplication.processEvents()


def test_the_first_words_keep_their_room_however_narrow_the_table(qtbot):
    table = SessionTable(SessionModel(LIGHT))
    qtbot.addWidget(table)
    table.show()
    for width, scrolls in ((700, True), (1600, False), (700, True)):
        table.resize(width, 400)
        QApplication.processEvents()
        assert table.columnWidth(SAID) >= COLUMNS[SAID].width
        assert (table.horizontalScrollBar().maximum() > 0) == scrolls
