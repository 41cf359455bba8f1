"""How fast the timeline opens, paints and follows, and what memory it takes; prints a table.

Run: python -m tests.bench.bench_timeline [--hours 2] [--repaints 100] [--width 1300] [--json FILE]
It needs no screen. A recorded session of that length, with sound, is written to a temporary folder and
opened in a fresh process. Exit status 1 when a budget is missed: 2 s to open, 16 ms for the median repaint
and 33 ms for the slowest of a hundred, 300 MB.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import psutil
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from app import theme
from app.timeline.model import TimelineModel
from app.timeline.timeline_widget import TimelineWidget
from tests.app.scenario import session, turn
from tests.bench.long_session import write_long_session

OPEN_S, MEDIAN_MS, P99_MS, MEMORY_MB = 2.0, 16.0, 33.0, 300.0
HEIGHT = 480
_MEDIA_S = 60.0
_ZOOMS = (("1 hour", 3600.0), ("5 minutes", 300.0), ("15 s", 15.0), ("2 s", 2.0), ("0.2 s", 0.2))
Rows = dict[str, list[float]]


def timed(timeline: TimelineWidget, count: int, change: Callable[[int], object]) -> list[float]:
    """Milliseconds of each of ``count`` changes of the timeline with the full repaint that follows."""
    canvas = QImage(timeline.size(), QImage.Format.Format_RGB32)
    took = []
    for k in range(count + 3):
        begun = time.perf_counter()
        change(k)
        timeline.invalidate()
        timeline.render(canvas)
        if k >= 3:
            took.append(1000 * (time.perf_counter() - begun))
    return took


def _pan(timeline: TimelineWidget, seconds: float, _: int) -> None:
    timeline.pan(seconds)


def _zoom(timeline: TimelineWidget, k: int) -> None:
    if k % 28:
        timeline.zoom(1.5)
    else:
        timeline.fit()


def panning(timeline: TimelineWidget, count: int, middle: float) -> Rows:
    """Repaints at every zoom: the view moves by a twentieth each time."""
    rows: Rows = {"whole session": timed(timeline, count, lambda _: None)}
    for name, span in _ZOOMS:
        timeline.show_span(middle, middle + span)
        rows[f"{name}, panning"] = timed(timeline, count, partial(_pan, timeline, span / 20))
    timeline.fit()
    rows["zooming in"] = timed(timeline, count, partial(_zoom, timeline))
    return rows


def following(timeline: TimelineWidget, count: int) -> list[float]:
    """Milliseconds of taking one new micro-turn and repainting, at the live edge."""
    timeline.set_follow(True)

    def grow(_: int) -> None:
        record = turn(timeline.model.turns.end, "speak", text_out="word", compute_ms=30.0)
        timeline.model.append([record])
        timeline.refresh()

    return timed(timeline, count, grow)


def live(hours: float, count: int, width: int) -> Rows:
    """Following a session that has run for ``hours``."""
    model = TimelineModel()
    model.append(session(3600 * hours))
    timeline = TimelineWidget(theme.LIGHT)
    timeline.resize(width, HEIGHT)
    timeline.set_model(model, follow=True)
    rows = {}
    for name, span in (("15 s", 15.0), ("5 minutes", 300.0)):
        timeline.viewport.span_s = span
        rows[f"following live, {name}"] = following(timeline, count)
    timeline.deleteLater()
    return rows


def recorded(folder: Path, count: int, width: int) -> dict[str, Any]:
    """Open a recorded session as the window does; call it in a fresh process."""
    from app.document import recorded_document
    from engine.recorder.reader import read_session

    process = psutil.Process()
    timeline = TimelineWidget(theme.LIGHT)
    timeline.resize(width, HEIGHT)
    canvas = QImage(timeline.size(), QImage.Format.Format_RGB32)
    timeline.render(canvas)
    idle = process.memory_info().rss
    begun, cpu = time.perf_counter(), time.process_time()
    document = recorded_document(read_session(folder))
    read_s = time.perf_counter() - begun
    timeline.set_model(document.timeline, follow=False)
    timeline.set_folder(folder)
    timeline.render(canvas)
    open_s, open_cpu_s = time.perf_counter() - begun, time.process_time() - cpu
    app = QApplication.instance()
    assert app is not None
    timeline.show()
    until = time.perf_counter() + _MEDIA_S
    while timeline.reading and time.perf_counter() < until:
        app.processEvents()
        time.sleep(0.002)
    media_s = time.perf_counter() - begun - open_s
    from engine.inspect.findings import findings

    if document.session is not None:
        timeline.set_findings(findings(document.session))
    rows = panning(timeline, count, document.timeline.end_s / 2)
    timeline.show_span(0, 60)
    rows["playhead moves"] = _playing(timeline, count)
    memory = process.memory_info().rss - idle
    timeline.close_media()
    return {
        "turns": document.timeline.turns.count, "read_s": read_s, "open_s": open_s, "open_cpu_s": open_cpu_s,
        "media_s": media_s, "memory_mb": memory / 1e6, "views": rows,
    }  # fmt: skip


def _playing(timeline: TimelineWidget, count: int) -> list[float]:
    canvas = QImage(timeline.size(), QImage.Format.Format_RGB32)
    took = []
    for k in range(count):
        begun = time.perf_counter()
        timeline.set_playhead(5 + k * 0.033)
        timeline.render(canvas)
        took.append(1000 * (time.perf_counter() - begun))
    return took


def _in_fresh_process(hours: float, repaints: int, width: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = write_long_session(Path(folder) / "session", hours)
        call = [sys.executable, "-m", "tests.bench.bench_timeline", "--opened", str(path)]
        call += ["--repaints", str(repaints), "--width", str(width)]
        done = subprocess.run(
            call, capture_output=True, text=True, check=True, cwd=Path(__file__).resolve().parents[2]
        )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _missed(found: dict[str, Any], table: dict[str, dict[str, float]]) -> list[str]:
    missed = [f"{name}: too slow" for name, row in table.items()
              if row["median_ms"] > MEDIAN_MS or row["p99_ms"] > P99_MS]  # fmt: skip
    if found["open_s"] > OPEN_S:
        missed.append("opening: too slow")
    if found["memory_mb"] > MEMORY_MB:
        missed.append("too much memory")
    return missed


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--hours", type=float, default=2.0)
    options.add_argument("--repaints", type=int, default=100)
    options.add_argument("--width", type=int, default=1300)
    options.add_argument("--json", type=Path)
    options.add_argument("--opened", type=Path, help="open this session and print figures as JSON")
    chosen = options.parse_args()
    app = QApplication.instance() or QApplication(["bench"])
    assert isinstance(app, QApplication)
    theme.load_fonts(app)
    theme.apply(app, theme.LIGHT)
    if chosen.opened:
        print(json.dumps(recorded(chosen.opened, chosen.repaints, chosen.width)))
        return 0
    found = _in_fresh_process(chosen.hours, chosen.repaints, chosen.width)
    rows: Rows = {**found.pop("views"), **live(chosen.hours, chosen.repaints, chosen.width)}
    print(
        f"{found['turns']} micro-turns, {chosen.width}x{HEIGHT}. Opened in {found['open_s']:.2f} s "
        f"({found['open_cpu_s']:.2f} s of CPU), of which read {found['read_s']:.2f} s; waveforms complete "
        f"{found['media_s']:.1f} s later; {found['memory_mb']:.0f} MB above idle"
    )
    print(f"{'view':28}{'median':>10}{'p99':>10}{'max':>10}  ms")
    table = {}
    for name, took in rows.items():
        median, p99, most = float(np.median(took)), float(np.percentile(took, 99)), max(took)
        table[name] = {"median_ms": median, "p99_ms": p99, "max_ms": most}
        print(f"{name:28}{median:10.2f}{p99:10.2f}{most:10.2f}")
    if chosen.json:
        chosen.json.write_text(json.dumps({**found, "views": table}, indent=1))
    missed = _missed(found, table)
    print("\n".join(missed) or "every budget is kept")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
