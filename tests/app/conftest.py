"""What every test of the window gets: the typeface, own settings folders, and nothing of Qt left behind."""

import gc
import os
from collections.abc import Iterator

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest
import shiboken6
from PySide6.QtCore import QCoreApplication, QEvent, QTimer
from PySide6.QtWidgets import QApplication

from app import theme


@pytest.fixture(scope="session", autouse=True)
def looks(qapp: QApplication) -> None:
    """The window's typeface, so that sizes are those of the real window."""
    theme.load_fonts(qapp)
    gc.collect()
    gc.freeze()  # the look for leaks after each test need not go through all libraries again


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch) -> None:
    """Settings and recordings of a test stay in its folder."""
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))


def running_timers() -> list[QTimer]:
    found = [one for one in gc.get_objects() if type(one) is QTimer]
    return [timer for timer in found if shiboken6.isValid(timer) and timer.isActive()]


@pytest.fixture(autouse=True)
def no_widgets_left(qapp: QApplication, looks: None) -> Iterator[None]:
    """Fails a test that leaves a top-level widget or a running timer behind."""
    before = {id(widget) for widget in QApplication.topLevelWidgets()}
    yield
    gc.collect()  # here, since Qt's objects must not die in whatever thread collects next
    for _ in range(3):
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        qapp.processEvents()
    widgets = [w for w in QApplication.topLevelWidgets() if id(w) not in before and w.parent() is None]
    assert not widgets, f"widgets left behind: {widgets}"
    assert not running_timers(), "a timer was left running"
