"""The strip of shared files."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QSignalSpy

from app.privacy import sharing_text
from app.shared_files import SharedFiles, with_added
from app.theme import DARK, LIGHT
from engine.background.protocol import MAX_FILES

# Qt's offscreen platform says this of every window.
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")

FILES = tuple(Path(f"/tmp/folder/letter {k}.txt") for k in range(6))


@pytest.fixture
def strip(qtbot) -> SharedFiles:
    made = SharedFiles(LIGHT, sharing_text(""))
    qtbot.addWidget(made)
    made.show_files(())
    return made


def test_each_file_is_there_once_the_newest_last_and_the_oldest_go():
    assert with_added(FILES[:2], [FILES[0], FILES[2], FILES[2]]) == (FILES[1], FILES[0], FILES[2])
    many = [Path(str(k)) for k in range(MAX_FILES + 5)]
    assert with_added((), many) == tuple(many[5:])


def test_nothing_shared_shows_nothing(strip):
    assert strip.isHidden()
    strip.show_files(FILES[:1])
    assert not strip.isHidden()
    assert strip.rule.text() == "Shared: only these files can be read, and they stay here."


def test_a_button_takes_its_file_back(strip, qtbot):
    strip.show_files(FILES[:2])
    assert [b.text() for b in strip.buttons] == ["letter 1.txt", "letter 0.txt"]
    assert strip.buttons[0].accessibleName() == "Stop sharing letter 1.txt"
    changed = QSignalSpy(strip.changed)
    qtbot.mouseClick(strip.buttons[0], Qt.MouseButton.LeftButton)
    assert changed.at(0) == [FILES[:1]]


def test_older_ones_are_in_a_menu(strip):
    strip.show_files(FILES)
    menu = strip._rest[0].menu()
    assert [action.text() for action in menu.actions()] == [f"Stop sharing letter {k}.txt" for k in (2, 1, 0)]
    changed = QSignalSpy(strip.changed)
    menu.actions()[2].trigger()
    assert changed.at(0) == [FILES[1:]]
    strip.set_theme(DARK)
    strip.show_files(())
    assert strip.isHidden()


def test_hostile_names_stay_text(strip):
    strip.show_files([Path("/tmp/<b>x\u202e&" + "y" * 300)])
    text = strip.buttons[0].text()
    assert "\u202e" not in text
    assert "&&" in text
    assert len(text) < 40


def test_with_a_server_it_says_where_the_words_go():
    assert sharing_text("https://api.example.com/v1").endswith(
        "what is read from them goes to api.example.com."
    )
