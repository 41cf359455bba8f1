"""What the presenter window costs: milliseconds of a repaint, and its share of a core; prints a table.

Run: python tests/bench/bench_presenter.py [--width 1920] [--height 1080] [--repaints 60] [--json FILE]
It needs no screen. "live" feeds events as they come in a conversation and asks for a refresh 30 times
a second, as the window does; only what has changed is painted. Exit status 1 when that takes more than
15 % of one core.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from app import theme
from app.document import Document
from app.presenting.captions import captions
from app.presenting.deck import Stage
from app.presenting.figures import Figures, compute_text, offset_text
from app.presenting.ring import Ring, taken
from app.presenting.window import PresenterWindow
from engine.events import TurnRecord
from tests.app.scenario import session

LIMIT_SHARE = 0.15
HZ = 30
STAGE = Stage(
    scene="Interrupt it",
    place="2 of 6",
    to_try="Ask what a word means, and break in.",
    state="Talking",
    input="Microphone on",
    visitor=False,
    unheard=False,
    recording=False,
    recorded="Not recording",
    about="You are talking with an AI.",
)


def shown(window: PresenterWindow, document: Document, figures: Figures, ring: Ring) -> None:
    """What PresenterFeature does with each refresh."""
    window.show_stage(STAGE)
    window.show_words(*captions(document.conversation), "")
    window.ring.show_ring(ring)
    window.lanes.show_model(document.timeline)
    window.figures.show_figures(
        (
            (offset_text(figures.offset_s), "wait for the last reply"),
            (compute_text(figures.last_ms, figures.median_ms), "to compute a micro-turn, median"),
        )
    )


def repaints(paint: Callable[[], object], count: int) -> list[float]:
    """Milliseconds of each repaint."""
    took = []
    for k in range(count + 3):
        begun = time.perf_counter()
        paint()
        if k >= 3:
            took.append(1000 * (time.perf_counter() - begun))
    return took


def live(window: PresenterWindow, app: QApplication, seconds: float) -> tuple[list[float], float]:
    """Milliseconds of CPU of each of the 30 refreshes a second, and the share of one core."""
    document, figures, ring = Document(), Figures(), Ring()
    waiting, took, begun = session(seconds), [], time.process_time()
    for tick in range(round(seconds * HZ)):
        before = time.process_time()
        due = []
        while waiting and (not isinstance(waiting[0], TurnRecord) or waiting[0].t + 0.2 <= tick / HZ):
            due.append(waiting.pop(0))
        if due:
            document.append(due)
            figures.append(due)
            jobs = document.jobs.open
            ring = taken(ring, due, len(jobs), jobs[-1].request if jobs else "")
        shown(window, document, figures, ring)
        app.processEvents()
        took.append(1000 * (time.process_time() - before))
    return took, (time.process_time() - begun) / seconds


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--width", type=int, default=1920)
    options.add_argument("--height", type=int, default=1080)
    options.add_argument("--repaints", type=int, default=60)
    options.add_argument("--json", type=Path)
    chosen = options.parse_args()
    app = QApplication.instance() or QApplication(["bench"])
    assert isinstance(app, QApplication)
    theme.load_fonts(app)
    theme.apply(app, theme.LIGHT)
    window = PresenterWindow(theme.LIGHT)
    window.resize(chosen.width, chosen.height)
    window.show()
    document, figures = Document(), Figures()
    events = session(60.0)
    document.append(events)
    figures.append(events)
    shown(window, document, figures, taken(Ring(), events, 1, "how far away is the moon?"))
    app.processEvents()
    canvas = QImage(window.size(), QImage.Format.Format_RGB32)
    rows = {"whole window": repaints(lambda: window.render(canvas), chosen.repaints)}
    for name, panel in (("ring", window.ring), ("captions", window.user), ("lanes", window.lanes),
                        ("figures", window.figures)):  # fmt: skip
        rows[name] = repaints(lambda panel=panel: panel.render(canvas), chosen.repaints)  # type: ignore[misc]
    took, share = live(window, app, 30.0)
    rows[f"live, a refresh ({HZ} a second)"] = took
    print(f"{chosen.width}x{chosen.height}")
    print(f"{'what':32}{'median':>10}{'p99':>10}{'max':>10}  ms")
    table = {}
    for name, values in rows.items():
        median, p99 = float(np.median(values)), float(np.percentile(values, 99))
        table[name] = {"median_ms": median, "p99_ms": p99, "max_ms": max(values)}
        print(f"{name:32}{median:10.2f}{p99:10.2f}{max(values):10.2f}")
    print(f"share of one core while live: {100 * share:.1f} %")
    if chosen.json:
        chosen.json.write_text(json.dumps({"share": share, "paints": table}, indent=1))
    window.close()
    window.deleteLater()
    return int(share > LIMIT_SHARE)


if __name__ == "__main__":
    sys.exit(main())
