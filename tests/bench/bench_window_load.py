"""Whether the window slows the engine: its compute time with the window drawing and with it standing still.

Run: python tests/bench/bench_window_load.py [--seconds 60] [--block 4] [--input FILE] [--json FILE]
Two sessions run a recording at real pace, without a background process. In every other block of seconds the
window takes events and draws as always; in those between, Qt's thread sleeps; the second session changes them
round. So both meet the same sound, and whatever else the computer does. Needs no screen.
Exit status 1 when the ratio of the medians is above 1.1.
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

Times = list[float]
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


def measure(
    app: QApplication, recording: str, seconds: float, block_s: float, draw_first: bool
) -> tuple[Times, Times, float]:
    """Compute times in milliseconds without and with the window drawing, and its share of one core."""
    bridge = EngineBridge(lambda _, bus: make_session(recording, bus), lambda _: Devices())
    window = MainWindow(bridge, Settings(theme="light"))
    events: list[object] = []
    bridge.events.connect(events.extend)
    window.show()
    bridge.start(Choice())
    while bridge.state != "running":
        app.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
    session = bridge.session
    assert isinstance(session, Session)
    drawn: list[tuple[float, float]] = []
    busy_s = 0.0
    draw = draw_first
    while session.now() < seconds and session.state == "running":
        if not draw:
            time.sleep(block_s)
            draw = True
            continue
        draw = False
        begun, busy, until = session.now(), time.thread_time(), session.now() + block_s
        while session.now() < until:
            app.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
        drawn.append((begun, session.now()))
        busy_s += time.thread_time() - busy
    while bridge.active:
        bridge.stop()
        app.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
    window.close()
    window.deleteLater()
    alone: Times = []
    shown: Times = []
    for event in events:
        if isinstance(event, TurnRecord) and event.i >= SKIPPED_TURNS:
            done = event.t + CHUNK_S  # when it was computed
            (shown if any(t0 <= done < t1 for t0, t1 in drawn) else alone).append(event.compute_ms)
    return alone, shown, busy_s / sum(t1 - t0 for t0, t1 in drawn)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--seconds", type=float, default=56.0)
    options.add_argument("--block", type=float, default=4.0)
    options.add_argument("--input", default=str(asset("demo/demo.flac")))
    options.add_argument("--json", type=Path)
    chosen = options.parse_args()
    app = QApplication.instance() or QApplication(["bench"])
    assert isinstance(app, QApplication)
    theme.load_fonts(app)
    alone: Times = []
    shown: Times = []
    share = 0.0
    for draw_first in (False, True):
        still, drawing, core = measure(app, chosen.input, chosen.seconds, chosen.block, draw_first)
        alone += still
        shown += drawing
        share = max(share, core)
    ratio = float(np.median(shown) / np.median(alone))
    print(f"{'compute time of a micro-turn':30}{'turns':>8}{'median':>10}{'p99':>10}  ms")
    for name, took in (("window standing still", alone), ("window drawing", shown)):
        print(f"{name:30}{len(took):8}{np.median(took):10.2f}{np.percentile(took, 99):10.2f}")
    print(f"ratio of medians {ratio:.3f}, allowed {LIMIT}")
    print(f"the window's thread took {share:.1%} of one core")
    if chosen.json:
        figures = {"alone_ms": float(np.median(alone)), "window_ms": float(np.median(shown)), "ratio": ratio}
        chosen.json.write_text(json.dumps({**figures, "window_core_share": share}, indent=1))
    return int(ratio > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
