"""Takes the pictures in this folder: every main view, in the light and the dark theme, at two sizes of text.

Run: python docs/screenshots/make.py [--input FILE] [--folder DIR] [--live]
The engine, its model, the background process and the voice are the real ones; only the microphone is a
recording. Takes about four minutes, on a computer that does nothing else: the answers come late otherwise,
and the pictures show it. Needs no screen.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QWidget

from app import theme
from app.comparing.feature import CompareFeature
from app.engine_bridge import EngineBridge
from app.live import Choice, Devices
from app.main_window import MainWindow
from app.preferences.feature import PreferencesFeature
from app.presenting.feature import PresenterFeature
from app.settings import Settings
from app.status import Activity
from engine.audio.file_sink import FileSink
from engine.audio.file_source import FileSource
from engine.background.client import BackgroundClient
from engine.clock import MonotonicClock
from engine.decisions import DECISION_INDEX
from engine.event_bus import EventBus
from engine.paths import asset
from engine.rerun import Rerun, plan
from engine.session import Session

SIZE = (1360, 900)
LINES = 7
"""The live pictures are taken while the assistant talks, once the conversation has so many lines."""
LOOKS = [(name, scale) for name in ("light", "dark") for scale in (1.0, 1.5)]


def file_name(view: str, name: str, scale: float) -> str:
    return f"{view}-{name}{'' if scale == 1.0 else '-large'}.webp"


class Camera:
    """Takes pictures of one window."""

    def __init__(self, app: QApplication, window: MainWindow, folder: Path) -> None:
        self.app, self.window, self.folder = app, window, folder

    def wait(self, seconds: float, until: Callable[[], bool] = lambda: False) -> None:
        """Let the window work, for so long at most."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not until():
            self.window.bridge.tick()
            self.app.processEvents()
            time.sleep(0.01)

    def look(self, name: str, scale: float) -> None:
        """Change theme and size of text."""
        actions = self.window.commands.themes.actions()
        next(action for action in actions if action.data() == name).trigger()
        self.window.change_settings(text_scale=scale)
        self.wait(0.25)
        self.window.resize(*SIZE)  # larger text may have made it grow
        self.wait(0.25)

    def take(self, view: str, of: Callable[[], QWidget] | None = None, settle_s: float = 0.0) -> None:
        """One picture for each look; ``of`` makes what is shown, by default the window."""
        for name, scale in LOOKS:
            self.look(name, scale)
            widget = of() if of is not None else self.window
            self.wait(settle_s)
            image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
            path = self.folder / file_name(view, name, scale)
            if not image.save(str(path), quality=100):  # 100 is without loss
                raise SystemExit(f"cannot write {path}")
            sys.stdout.write(f"{path.name}: {path.stat().st_size // 1000} kB\n")
        self.look(*LOOKS[0])


def live_views(camera: Camera, recordings: Path) -> Path:
    """The conversation and the presenter's window while the assistant talks; the recorded session."""
    window = camera.window
    folder = recordings / "2026-11-23_10-00-00"
    window.start_session(Choice(record_in=folder))
    camera.wait(30, lambda: window.bridge.state == "running")
    window.timeline.setFocus()

    def talking() -> bool:
        status = window.live.status.status
        talks = status.activity is Activity.TALKING and status.self_level_db > -60
        return talks and len(window.live.conversation.lines) >= LINES

    camera.wait(90, talking)
    camera.take("talk")
    presenter = feature(window, PresenterFeature)
    presenter.present()
    presenter.window.showNormal()
    presenter.window.resize(1280, 720)
    camera.wait(30, talking)
    camera.take("present", lambda: presenter.window, settle_s=0.3)
    presenter.window.close()
    camera.wait(120, lambda: not window.bridge.active)
    return folder


def feature(window: MainWindow, kind: type[Any]) -> Any:
    return next(one for one in window._features if isinstance(one, kind))  # noqa: SLF001


def recorded_views(camera: Camera, session: Path, recordings: Path) -> None:
    """A session inspected, all sessions, two compared."""
    window = camera.window
    window.open_session(session)
    camera.wait(30, lambda: window.document.path == session.resolve())
    camera.wait(8, lambda: not window.timeline.reading)
    turns = window.document.timeline.turns
    yields = [i for i in range(turns.end) if turns.decision(i) == DECISION_INDEX["yield"]]
    at = yields[0] if yields else turns.end - 50
    window.timeline.show_span(at * 0.2 - 8, at * 0.2 + 8)
    window.timeline.select(at)
    camera.wait(2)
    camera.take("inspect", settle_s=0.5)
    again = recordings / f"{session.name}_pipeline"
    from engine.recorder.reader import read_session

    rerun = Rerun(plan(read_session(session), "pipeline"), again)
    camera.wait(200, rerun.poll)
    rerun.close()
    feature(window, CompareFeature).compare(session, again)
    camera.wait(20, lambda: window.shown_page() == "compare")
    camera.take("compare", settle_s=0.3)
    next(a for a in window.commands.everything() if a.text().replace("&", "") == "Sessions").trigger()
    camera.wait(5)
    camera.take("sessions", settle_s=0.5)
    window.show_page("talk")


def dialogs(camera: Camera) -> None:
    """Settings and first steps."""
    window = camera.window
    preferences = feature(window, PreferencesFeature)
    preferences.show()
    camera.wait(1)

    def dialog() -> QWidget:
        shown: QWidget = preferences.dialog
        shown.resize(theme.px(760), theme.px(600))
        return shown

    camera.take("settings", dialog, settle_s=0.2)
    preferences.dialog.close()
    next(a for a in window.commands.everything() if a.text().startswith("Check my")).trigger()
    camera.wait(0.5)
    camera.take("welcome", settle_s=0.2)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--input", default=str(asset("demo/demo.flac")))
    options.add_argument("--folder", type=Path, default=Path(__file__).parent)
    options.add_argument("--live", action="store_true", help="the pictures of a running session only")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="microturn-pictures-") as home:
        for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
            if name != "XDG_CACHE_HOME":
                os.environ[name] = str(Path(home) / name.lower())
        take_all(chosen.input, chosen.folder, Path(home) / "sessions", chosen.live)
    return 0


def take_all(recording: str, folder: Path, recordings: Path, only_live: bool) -> None:
    app = QApplication(["screenshots"])
    theme.load_fonts(app)

    def open_session(choice: Choice, bus: EventBus) -> Session:
        clock = MonotonicClock()
        return Session(
            choice.config,
            source=FileSource(recording, clock),
            sink=FileSink(),
            clock=clock,
            bus=bus,
            background=BackgroundClient(simulated=False),
            out_dir=choice.record_in,
            source_name="demo.flac",
        )

    bridge = EngineBridge(open_session, lambda _: Devices())
    window = MainWindow(bridge, Settings(theme="light", welcomed=True), recordings)
    window.resize(*SIZE)
    window.show()
    camera = Camera(app, window, folder)
    session = live_views(camera, recordings)
    if not only_live:
        recorded_views(camera, session, recordings)
        dialogs(camera)
    window.close()
    window.deleteLater()


if __name__ == "__main__":
    sys.exit(main())
