"""Whether the window slows the engine, how often it draws, and what that costs.

Run: python tests/bench/bench_window_load.py [--seconds 60] [--block 4] [--rounds 3] [--input FILE]
[--json FILE]
Two sessions run a recording at real pace, without a background process. In every other block of seconds the
window takes events and draws as always; in those between, Qt's thread sleeps; the second session changes them
round. So both meet the same sound, and whatever else the computer does. Needs no screen.
The 99th percentile of a few hundred turns is the third or so from the top: the median of the rounds is taken.
Exit status 1 when the engine's p99 is slowed by more than 1.1, when the timeline is drawn less than 30 times
a second, or when the window's thread takes more than 15 % of one core.
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
from PySide6.QtCore import QEvent, QEventLoop, QObject
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
LIMIT, FRAMES_PER_S, CORE_SHARE = 1.1, 30.0, 0.15
SKIPPED_TURNS = 10  # the first ones still load things


class PaintCount(QObject):
    """Counts how often a widget is painted."""

    count = 0

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        self.count += event.type() == QEvent.Type.Paint
        return False


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
) -> tuple[Times, Times, float, float]:
    """Compute times in ms without and with the window drawing, its share of one core, frames a second."""
    bridge = EngineBridge(lambda _, bus: make_session(recording, bus), lambda _: Devices())
    window = MainWindow(bridge, Settings(theme="light", welcomed=True))
    events: list[object] = []
    bridge.events.connect(events.extend)
    window.show()
    paints = PaintCount()
    window.timeline.installEventFilter(paints)
    bridge.start(Choice())
    while bridge.state != "running":
        app.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
    session = bridge.session
    assert isinstance(session, Session)
    drawn: list[tuple[float, float]] = []
    busy_s, frames = 0.0, 0
    draw = draw_first
    while session.now() < seconds and session.state == "running":
        if not draw:
            time.sleep(block_s)
            draw = True
            continue
        draw = False
        begun, busy, until = session.now(), time.thread_time(), session.now() + block_s
        before = paints.count
        while session.now() < until:
            app.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
        drawn.append((begun, session.now()))
        busy_s += time.thread_time() - busy
        frames += paints.count - before
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
    lasted = sum(t1 - t0 for t0, t1 in drawn)
    return alone, shown, busy_s / lasted, frames / lasted


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--seconds", type=float, default=56.0)
    options.add_argument("--block", type=float, default=4.0)
    options.add_argument("--input", default=str(asset("demo/demo.flac")))
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--json", type=Path)
    chosen = options.parse_args()
    app = QApplication.instance() or QApplication(["bench"])
    assert isinstance(app, QApplication)
    theme.load_fonts(app)
    rounds = [one_round(app, chosen) for _ in range(chosen.rounds)]
    names = ("median_ratio", "p99_ratio", "core_share", "frames_per_s")
    found = {name: float(np.median([figures[name] for figures in rounds])) for name in names}
    print(f"ratio of medians {found['median_ratio']:.3f}, of p99 {found['p99_ratio']:.3f}, allowed {LIMIT}")
    print(f"the timeline was drawn {found['frames_per_s']:.1f} times a second, wanted {FRAMES_PER_S:.0f}")
    print(f"the window's thread took {found['core_share']:.1%} of one core, allowed {CORE_SHARE:.0%}")
    if chosen.json:
        chosen.json.write_text(json.dumps({**found, "rounds": rounds}, indent=1))
    slow = found["p99_ratio"] > LIMIT or found["core_share"] > CORE_SHARE
    return int(slow or found["frames_per_s"] < FRAMES_PER_S)


def one_round(app: QApplication, chosen: argparse.Namespace) -> dict[str, float]:
    """Both sessions once; prints their compute times."""
    alone: Times = []
    shown: Times = []
    shares, frames = [], []
    for draw_first in (False, True):
        still, drawing, core, rate = measure(app, chosen.input, chosen.seconds, chosen.block, draw_first)
        alone += still
        shown += drawing
        shares.append(core)
        frames.append(rate)
    print(f"{'compute time of a micro-turn':30}{'turns':>8}{'median':>10}{'p99':>10}  ms")
    for name, took in (("window standing still", alone), ("window drawing", shown)):
        print(f"{name:30}{len(took):8}{np.median(took):10.2f}{np.percentile(took, 99):10.2f}")
    still_p50, still_p99 = np.percentile(alone, [50, 99])
    drawn_p50, drawn_p99 = np.percentile(shown, [50, 99])
    return {
        "median_ratio": float(drawn_p50 / still_p50),
        "p99_ratio": float(drawn_p99 / still_p99),
        "core_share": max(shares),
        "frames_per_s": min(frames),
    }


if __name__ == "__main__":
    sys.exit(main())
