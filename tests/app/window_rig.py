"""The whole window on a fake engine, for tests of what is added to it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from PySide6.QtCore import Qt

from app.engine_bridge import EngineBridge
from app.main_window import MainWindow
from app.settings import Settings
from tests.app.fake_session import FakeEngine, FakeSession

F = TypeVar("F")


@contextmanager
def open_window(qtbot: Any, engine: FakeEngine, **settings: Any) -> Iterator[MainWindow]:
    """A window that has been welcomed, unless told otherwise; closed at the end."""
    chosen = Settings(**{"theme": "light", "welcomed": True, **settings})
    window = MainWindow(EngineBridge(engine.open, engine.list_devices), chosen)
    qtbot.addWidget(window)
    window.show()
    try:
        yield window
    finally:
        window.close()


def feature(window: MainWindow, kind: type[F]) -> F:
    """The window's feature of a class."""
    return next(one for one in window._features if isinstance(one, kind))


def start(window: MainWindow, engine: FakeEngine, qtbot: Any) -> FakeSession:
    """A session that runs."""
    qtbot.mouseClick(window.side.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.bridge.session is not None)
    live = engine.sessions[-1]
    live.run()
    qtbot.waitUntil(lambda: window.bridge.state == "running")
    return live
