"""How long a full repaint of the timeline takes, and what a live minute costs; prints a table.

Run: python tests/bench/bench_timeline.py [--hours 1] [--repaints 60] [--width 1300] [--json FILE]
It needs no screen. Exit status 1 when the median repaint of the whole session takes more than 16 ms.
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
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from app import theme
from app.timeline.model import TimelineModel
from app.timeline.timeline_widget import TimelineWidget
from tests.app.scenario import session, turn

LIMIT_MS = 16.0
HEIGHT = 400


def repaints(timeline: TimelineWidget, count: int, step: float = 0.0) -> list[float]:
    """Milliseconds of each of ``count`` full repaints; ``step``: pan by that part of the view in between."""
    canvas = QImage(timeline.size(), QImage.Format.Format_RGB32)
    took = []
    for k in range(count + 3):
        if step:
            timeline.viewport.pan(timeline.viewport.span_s * step)
        begun = time.perf_counter()
        timeline.render(canvas)
        if k >= 3:
            took.append(1000 * (time.perf_counter() - begun))
    return took


def following(timeline: TimelineWidget, count: int) -> list[float]:
    """Milliseconds of taking one new micro-turn and repainting, at the live edge."""
    canvas = QImage(timeline.size(), QImage.Format.Format_RGB32)
    took = []
    timeline.set_follow(True)
    for _ in range(count):
        record = turn(timeline.model.turns.end, "speak", text_out="word", compute_ms=30.0)
        begun = time.perf_counter()
        timeline.model.append([record])
        timeline.refresh()
        timeline.render(canvas)
        took.append(1000 * (time.perf_counter() - begun))
    return took


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--hours", type=float, default=1.0)
    options.add_argument("--repaints", type=int, default=60)
    options.add_argument("--width", type=int, default=1300)
    options.add_argument("--json", type=Path)
    chosen = options.parse_args()
    app = QApplication.instance() or QApplication(["bench"])
    assert isinstance(app, QApplication)
    theme.load_fonts(app)
    theme.apply(app, theme.LIGHT)
    model = TimelineModel()
    events = session(3600 * chosen.hours)
    begun = time.perf_counter()
    model.append(events)
    loading_ms = 1000 * (time.perf_counter() - begun)
    timeline = TimelineWidget(theme.LIGHT)
    timeline.resize(chosen.width, HEIGHT)
    timeline.set_model(model, follow=False)
    rows: dict[str, list[float]] = {"whole session": repaints(timeline, chosen.repaints)}
    for name, span in (("5 minutes, panning", 300.0), ("15 s, panning", 15.0), ("2 s, panning", 2.0)):
        timeline.viewport.span_s = span
        timeline.viewport.centre(600)
        rows[name] = repaints(timeline, chosen.repaints, 0.05)
    timeline.viewport.span_s = 15.0
    rows["following live, 15 s"] = following(timeline, chosen.repaints)
    timeline.viewport.span_s = 300.0
    rows["following live, 5 min"] = following(timeline, chosen.repaints)
    print(
        f"{model.turns.count} micro-turns in {chosen.width}x{HEIGHT}; loading them took {loading_ms:.0f} ms"
    )
    print(f"{'view':24}{'median':>10}{'p99':>10}{'max':>10}  ms")
    table = {}
    for name, took in rows.items():
        median, p99, most = float(np.median(took)), float(np.percentile(took, 99)), max(took)
        table[name] = {"median_ms": median, "p99_ms": p99, "max_ms": most}
        print(f"{name:24}{median:10.2f}{p99:10.2f}{most:10.2f}")
    if chosen.json:
        chosen.json.write_text(json.dumps({"turns": model.turns.count, "views": table}, indent=1))
    timeline.deleteLater()
    return int(table["whole session"]["median_ms"] > LIMIT_MS)


if __name__ == "__main__":
    sys.exit(main())
