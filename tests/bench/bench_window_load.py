"""Whether the window slows the engine: its compute time on the same recording with and without the window.

Run: python tests/bench/bench_window_load.py [--rounds 2] [--seconds 30] [--input FILE] [--json FILE]
Each round runs the recording at real pace without the window and then with it, in one process, with no
background process. Needs no screen. Exit status 1 when the ratio of the median compute times is above 1.1.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
from PySide6.QtCore import QEventLoop
from PySide6.QtWidgets import QApplication

from app import theme
from app.engine_bridge import EngineBridge
from app.live import Choice, Devices
from app.main_window import MainWindow
from app.settings import Settings
from engine.audio.file_sink import FileSink
from engine.audio.file_source import FileSource
from engine.clock import MonotonicClock
from engine.config import CHUNK_S, EngineConfig
from engine.event_bus import EventBus
from engine.events import TurnRecord
from engine.paths import asset
from engine.session import Session

LIMIT = 1.1
SKIPPED_TURNS = 10  # the first ones still load things


def make_session(recording: str, bus: EventBus) -> Session:
    clock = MonotonicClock()
    return Session(
        EngineConfig(background=False),
        source=FileSource(recording, clock),
        sink=FileSink(),
        clock=clock,
        bus=bus,
    )


def compute_ms(events: list[object]) -> list[float]:
    return [e.compute_ms for e in events if isinstance(e, TurnRecord)][SKIPPED_TURNS:]


def without_window(recording: str, seconds: float) -> list[float]:
    bus = EventBus()
    subscription = bus.subscribe(100_000)
    session = make_session(recording, bus)
    session.start()
    events: list[object] = []
    while session.state == "starting" or (session.state == "running" and session.now() < seconds):
        session.join(0.05)
    session.stop()
    events += subscription.drain()
    subscription.close()
    return compute_ms(events)


def with_window(app: QApplication, recording: str, seconds: float) -> tuple[list[float], float]:
    """Compute times, and the share of one core that Qt's thread took."""
    bridge = EngineBridge(lambda _, bus: make_session(recording, bus), lambda _: Devices())
    window = MainWindow(bridge, Settings(theme="light"))
    events: list[object] = []
    bridge.events.connect(events.extend)
    window.show()
    bridge.start(Choice())
    begun, busy = 0.0, 0.0
    while bridge.active:
        app.processEvents(
            QEventLoop.ProcessEventsFlag.AllEvents | QEventLoop.ProcessEventsFlag.WaitForMoreEvents
        )
        session = bridge.session
        if bridge.state == "running" and session is not None:
            if not begun:
                begun, busy = time.monotonic(), time.thread_time()
            elif time.monotonic() - begun > seconds:
                bridge.stop()
    share = (time.thread_time() - busy) / (time.monotonic() - begun)
    window.close()
    window.deleteLater()
    return compute_ms(events), share


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--rounds", type=int, default=2)
    options.add_argument("--seconds", type=float, default=30.0)
    options.add_argument("--input", default=str(asset("demo/demo.flac")))
    options.add_argument("--json", type=Path)
    chosen = options.parse_args()
    app = QApplication.instance() or QApplication(["bench"])
    assert isinstance(app, QApplication)
    theme.load_fonts(app)
    alone: list[float] = []
    shown: list[float] = []
    shares = []
    for _ in range(chosen.rounds):
        alone += without_window(chosen.input, chosen.seconds)
        took, share = with_window(app, chosen.input, chosen.seconds)
        shown += took
        shares.append(share)
    ratio = float(np.median(shown) / np.median(alone))
    print(f"{'compute time of a micro-turn':30}{'turns':>8}{'median':>10}{'p99':>10}  ms")
    for name, took in (("without the window", alone), ("with the window", shown)):
        print(f"{name:30}{len(took):8}{np.median(took):10.2f}{np.percentile(took, 99):10.2f}")
    print(f"ratio of medians {ratio:.3f}, allowed {LIMIT}")
    print(f"the window's thread took {max(shares):.1%} of one core")
    if chosen.json:
        figures = {"alone_ms": float(np.median(alone)), "window_ms": float(np.median(shown)), "ratio": ratio}
        chosen.json.write_text(
            json.dumps({**figures, "window_core_share": max(shares), "chunk_s": CHUNK_S}, indent=1)
        )
    return int(ratio > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
