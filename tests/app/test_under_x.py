"""The window on a real X server, as a person would see it; keeps the picture in artifacts/."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest
from PySide6.QtGui import QImage

from app.theme import LIGHT, q
from engine.paths import project_root
from tests.app.test_main_window import recorded

XVFB = shutil.which("Xvfb")
PICTURE = project_root() / "artifacts" / "window-xvfb.png"

DRIVER = """
import sys
from PySide6.QtCore import QTimer
from PySide6.QtGui import QGuiApplication
from app import window
from tests.app.fake_session import FakeEngine

def look():
    app = QGuiApplication.instance()
    shown = [w for w in app.topLevelWindows() if w.isVisible()]
    QGuiApplication.primaryScreen().grabWindow(0).save(sys.argv[2])
    print(QGuiApplication.platformName(), len(shown), flush=True)

class Shown(window.MainWindow):
    def showEvent(self, event):
        super().showEvent(event)
        self.setGeometry(0, 0, 1320, 880)
        QTimer.singleShot(300, self.wait)
    def wait(self):
        if self.document.live:
            QTimer.singleShot(50, self.wait)
        else:
            QTimer.singleShot(500, look)  # painted by then
            QTimer.singleShot(800, self.close)

engine = FakeEngine()
window.preload = lambda: None
window.MainWindow = Shown
arguments = ["--open", sys.argv[1], "--quit-after", "60"]
sys.exit(window.run(arguments, engine.open, engine.list_devices))
"""


@pytest.fixture
def display() -> Iterator[str]:
    """An X server of our own, on whatever number is free."""
    if XVFB is None:
        pytest.skip("Xvfb is not installed (apt-get install xvfb)")
    reader, writer = os.pipe()
    server = subprocess.Popen(
        [XVFB, "-displayfd", str(writer), "-screen", "0", "1320x880x24", "-nolisten", "tcp"],
        pass_fds=[writer], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(writer)
    with os.fdopen(reader) as number:
        name = f":{number.readline().strip()}"
    yield name
    server.terminate()
    server.wait(10)


def test_the_window_under_x(display, tmp_path):
    session = recorded(tmp_path / "A talk about the moon", 60)
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.unlink(missing_ok=True)
    environment = {k: v for k, v in os.environ.items() if k not in ("QT_QPA_PLATFORM", "WAYLAND_DISPLAY")}
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, str(session), str(PICTURE)], cwd=project_root(), capture_output=True,
        env={**environment, "DISPLAY": display, "XDG_DATA_HOME": str(tmp_path)}, text=True, timeout=90,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == "xcb 1\n"
    assert "Traceback" not in done.stderr
    picture = QImage(str(PICTURE))
    assert (picture.width(), picture.height()) == (1320, 880)
    sampled = [picture.pixelColor(x, y) for x in range(0, 1320, 3) for y in range(0, 880, 3)]
    # Lanes of the timeline, the bubbles of the conversation and the button to start are on the screen.
    for colour in (LIGHT.decisions[1], LIGHT.user_level, LIGHT.user, LIGHT.accent, LIGHT.surface):
        assert sampled.count(q(colour)) > 50, colour
