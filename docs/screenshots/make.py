"""Takes the pictures in this folder: the window while it listens to the demo recording, in both themes.

Run: python docs/screenshots/make.py [--input FILE] [--folder DIR]
The engine, its model, the background process and the voice are the real ones; only the microphone is a
recording. Takes about a minute and a half. Needs no screen.
"""

import argparse
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from PySide6.QtCore import QEventLoop
from PySide6.QtWidgets import QApplication

from app import theme
from app.engine_bridge import EngineBridge
from app.live import Choice, Devices
from app.main_window import MainWindow
from app.settings import Settings
from app.status import Activity
from engine.audio.file_sink import FileSink
from engine.audio.file_source import FileSource
from engine.background.client import BackgroundClient
from engine.clock import MonotonicClock
from engine.decisions import DECISION_INDEX
from engine.event_bus import EventBus
from engine.paths import asset
from engine.session import Session

SIZE = (1320, 880)
LINES = 9
"""The light picture is taken while the assistant talks, once the conversation has so many lines."""


def run(app: QApplication, recording: str, folder: Path) -> None:
    def open_session(choice: Choice, bus: EventBus) -> Session:
        clock = MonotonicClock()
        source = FileSource(recording, clock)
        background = BackgroundClient(simulated=False)
        sink = FileSink()
        return Session(choice.config, source=source, sink=sink, clock=clock, bus=bus, background=background)

    bridge = EngineBridge(open_session, lambda _: Devices())
    window = MainWindow(bridge, Settings(theme="light", welcomed=True))
    window.resize(*SIZE)
    window.show()
    window.timeline.setFocus()
    bridge.start(Choice())
    taken = False
    while bridge.active:
        app.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
        status = window.live.status.status
        talks = status.activity is Activity.TALKING and status.self_level_db > -60
        if talks and not taken and len(window.live.conversation.lines) >= LINES:
            taken = window.grab().save(str(folder / "light.png"))
    turns = window.live.timeline.turns
    changes = [i for i in range(turns.end) if turns.decision(i) == DECISION_INDEX["yield"]]
    dark(app, window, changes[0] if changes else turns.end - 50, folder)
    window.close()
    window.deleteLater()


def dark(app: QApplication, window: MainWindow, i: int, folder: Path) -> None:
    """The same session afterwards, with one micro-turn explained."""
    next(action for action in window.commands.themes.actions() if action.data() == "dark").trigger()
    window.timeline.viewport.centre(i * 0.2)
    window.timeline.select(i)
    until = time.monotonic() + 0.5
    while time.monotonic() < until:
        app.processEvents()
    window.grab().save(str(folder / "dark.png"))


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--input", default=str(asset("demo/demo.flac")))
    options.add_argument("--folder", type=Path, default=Path(__file__).parent)
    chosen = options.parse_args()
    app = QApplication(["screenshots"])
    theme.load_fonts(app)
    run(app, chosen.input, chosen.folder)
    for name in ("light.png", "dark.png"):
        sys.stdout.write(f"{chosen.folder / name}: {(chosen.folder / name).stat().st_size // 1000} kB\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
