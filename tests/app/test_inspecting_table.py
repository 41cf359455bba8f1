"""The micro-turns in view as a table: what it says, and that it follows the timeline and leads it."""

import pytest
from PySide6.QtCore import Qt

from app.inspecting.feature import Inspecting
from app.inspecting.turn_list import COLUMNS, turn_row, visible_turns
from app.timeline.model import TimelineModel
from app.timeline.viewport import Viewport
from engine.events import TurnRecord, to_json
from engine.recorder.folder import TIMELINE
from tests.app.fake_session import FakeEngine
from tests.app.scenario import session
from tests.app.window_rig import feature, open_window

# Qt's offscreen platform says this of every window.
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")

PROBS = {"listen": 0.2, "speak": 0.55, "backchannel": 0.1, "interrupt": 0.05, "yield": 0.1}


def model(*turns: TurnRecord) -> TimelineModel:
    made = TimelineModel()
    made.append(turns)
    return made


def test_a_row_tells_what_the_details_tell():
    turn = TurnRecord(147, 29.4, "speak", PROBS, text_out="Oh, okay.", compute_ms=12.34, delegate=True)
    row = turn_row(model(turn), 147)
    assert dict(zip(COLUMNS, row.cells, strict=True)) == {
        "Time": "0:29.4",
        "Decision": "speak",
        "Probability": "55.0%",
        "Runner-up": "listen 20.0%",
        "Words": "Oh, okay. → background",
        "Compute": "12.3 ms",
    }
    assert row.spoken == (
        "0:29.4, speak 55.0%, next listen 20.0%, said “Oh, okay.”, handed to the background, compute 12.3 ms"
    )


def test_what_was_not_recorded_or_judged_says_so():
    late = TurnRecord(3, 0.6, "listen", PROBS, skipped=True, deadline_missed=True, compute_ms=1.0)
    made = model(TurnRecord(0, 0.0, "listen", PROBS), late)
    assert turn_row(made, 1).cells[:2] == ("0:00.2", "not recorded")
    assert turn_row(made, 3).cells == ("0:00.6", "listen (skipped)", "", "", "", "1.0 ms – late")


@pytest.mark.parametrize(
    ("start", "span", "expected"),
    [(-1.0, 60.0, range(5)), (0.2, 0.2, range(1, 2)), (0.3, 0.2, range(1, 3)), (5.0, 1.0, range(25, 25))],
)
def test_turns_in_view(start, span, expected):
    made = model(*(TurnRecord(i, 0.2 * i, "listen", PROBS) for i in range(5)))
    assert visible_turns(made, Viewport(start_s=start, span_s=span)) == expected


def test_the_table_follows_the_timeline_and_leads_it(qtbot, tmp_path):
    folder = tmp_path / "s"
    folder.mkdir()
    (folder / TIMELINE).write_text("".join(to_json(event) + "\n" for event in session(60)), encoding="utf-8")
    with open_window(qtbot, FakeEngine()) as window:
        window.open_session(folder)
        qtbot.waitUntil(lambda: window.document.path == folder.resolve())
        made = feature(window, Inspecting).table
        made.open()
        table = made.table
        assert table.isVisible() and len(table.rows.turns) == 300
        window.timeline.show_span(20.0, 24.0)
        made.refresh()
        assert table.rows.turns == range(100, 120)
        qtbot.keyClick(table, Qt.Key.Key_Down)
        qtbot.keyClick(table, Qt.Key.Key_Down)
        turn = table.turn
        assert turn is not None
        qtbot.keyClick(table, Qt.Key.Key_Return)
        assert window.timeline.model.selected == turn
        assert table.isVisible()  # whoever reads the table stays in it
        window.timeline.select(110)
        assert table.turn == 110
        window.timeline.select(250)
        assert 250 in table.rows.turns and table.turn == 250
        first = table.rows.index(0, 0)
        assert ", next " in table.rows.data(first, Qt.ItemDataRole.AccessibleTextRole)
