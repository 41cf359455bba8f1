"""The timeline as a person uses it: mouse, keys, and what is drawn."""

from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QWidget

from app.theme import DARK, LIGHT, argb
from app.timeline.model import TimelineModel
from app.timeline.timeline_widget import GUTTER, OVERVIEW, TimelineWidget
from app.timeline.tracks import SHAPES, decision_pixels
from engine.decisions import DECISIONS
from engine.events import BackgroundEvent, Fault, Transcript
from engine.inspect.findings import Finding, Findings
from engine.inspect.latency import Reply, Segment
from tests.app.scenario import session, turn

WIDTH, HEIGHT = GUTTER + 1000, 400


@pytest.fixture
def timeline(qtbot) -> TimelineWidget:
    made = TimelineWidget(LIGHT)
    qtbot.addWidget(made)
    made.resize(WIDTH, HEIGHT)
    model = TimelineModel()
    model.append(session(120))
    made.set_model(model, follow=True)
    made.show()
    return made


def at(timeline: TimelineWidget, t: float, lane: str = "decision") -> QPoint:
    """A point in a lane at session time ``t``."""
    top, height = next((y, h) for one, y, h in timeline.layout_lanes() if one.name == lane)
    return QPoint(round(timeline.scale().x(t)), round(top + height / 2))


def mouse(target: QWidget, kind: QEvent.Type, where: QPoint) -> None:
    held = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseButtonRelease else Qt.MouseButton.LeftButton
    point = QPointF(where)
    QApplication.sendEvent(
        target,
        QMouseEvent(
            kind,
            point,
            target.mapToGlobal(point),
            Qt.MouseButton.LeftButton,
            held,
            Qt.KeyboardModifier.NoModifier,
        ),
    )


def wheel(target: QWidget, where: QPoint, dy: int, mods=Qt.KeyboardModifier.NoModifier) -> None:
    point = QPointF(where)
    QApplication.sendEvent(
        target,
        QWheelEvent(
            point,
            target.mapToGlobal(point),
            QPoint(),
            QPoint(0, dy),
            Qt.MouseButton.NoButton,
            mods,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        ),
    )


def test_a_click_selects_the_turn_under_it(timeline, qtbot):
    with qtbot.waitSignal(timeline.selection_changed):
        qtbot.mouseClick(timeline, Qt.MouseButton.LeftButton, pos=at(timeline, 115.1))
    assert timeline.model.selected == 575
    qtbot.mouseClick(timeline, Qt.MouseButton.LeftButton, pos=QPoint(WIDTH - 2, 100))
    assert timeline.model.selected is None


def test_dragging_pans_pauses_following_and_selects_nothing(timeline, qtbot):
    told: list[bool] = []
    timeline.follow_changed.connect(told.append)
    start, grabbed = at(timeline, 113.0), timeline.scale().t(at(timeline, 113.0).x())
    mouse(timeline, QEvent.Type.MouseButtonPress, start)
    for step in (20, 120, 300):
        mouse(timeline, QEvent.Type.MouseMove, start + QPoint(step, 0))
    assert timeline.scale().t(start.x() + 300) == pytest.approx(grabbed, abs=0.05)
    mouse(timeline, QEvent.Type.MouseButtonRelease, start + QPoint(300, 0))
    assert timeline.model.selected is None
    assert told == [False]
    before = timeline.viewport.start_s
    timeline.model.append([turn(i) for i in range(600, 700)])
    timeline.refresh()
    assert timeline.viewport.start_s == before


def test_the_wheel_zooms_about_the_cursor_and_shift_pans(timeline):
    timeline.set_follow(False)
    timeline.viewport.centre(60)
    where = QPoint(GUTTER + 250, 120)
    anchor, span = timeline.scale().t(where.x()), timeline.viewport.span_s
    wheel(timeline, where, 240)
    assert timeline.viewport.span_s == pytest.approx(span / 2.25)
    assert timeline.scale().t(where.x()) == pytest.approx(anchor, abs=0.01)
    start = timeline.viewport.start_s
    wheel(timeline, where, 120, Qt.KeyboardModifier.ShiftModifier)
    assert timeline.viewport.start_s < start
    assert timeline.viewport.span_s == pytest.approx(span / 2.25)


def test_keys_step_jump_pan_zoom_and_follow(timeline, qtbot):
    press = lambda key, mods=Qt.KeyboardModifier.NoModifier: qtbot.keyClick(timeline, key, mods)  # noqa: E731
    press(Qt.Key.Key_Left)
    assert timeline.model.selected == 599
    press(Qt.Key.Key_Left)
    press(Qt.Key.Key_Left)
    press(Qt.Key.Key_Right)
    assert timeline.model.selected == 598
    press(Qt.Key.Key_Left, Qt.KeyboardModifier.ControlModifier)
    changed = timeline.model.selected
    assert timeline.model.turns.decision(changed) != timeline.model.turns.decision(changed - 1)
    press(Qt.Key.Key_Home)
    assert timeline.model.selected == 0
    assert timeline.viewport.start_s <= 0
    press(Qt.Key.Key_End)
    assert timeline.model.selected == 599
    start = timeline.viewport.start_s
    press(Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    assert timeline.viewport.start_s < start
    span = timeline.viewport.span_s
    press(Qt.Key.Key_Plus)
    assert timeline.viewport.span_s == pytest.approx(span / 1.5)
    press(Qt.Key.Key_Minus)
    press(Qt.Key.Key_0)
    assert timeline.viewport.start_s <= 0 < 120 <= timeline.viewport.stop_s
    press(Qt.Key.Key_Space)
    assert timeline.viewport.follow
    press(Qt.Key.Key_Space)
    assert not timeline.viewport.follow


def test_a_selection_by_key_is_brought_into_view_and_told_to_screen_readers(timeline, qtbot):
    timeline.select(10)
    assert timeline.viewport.start_s <= 2.0 <= timeline.viewport.stop_s
    assert timeline.accessibleDescription().startswith("0:02.0  listen")
    assert timeline.accessibleName() == "Timeline"


def overview(timeline: TimelineWidget, t: float) -> QPoint:
    """A point of the minimap."""
    return QPoint(round(timeline.overview_scale().x(t)), HEIGHT - OVERVIEW // 2)


def drag(timeline: TimelineWidget, start: QPoint, stop: QPoint) -> None:
    mouse(timeline, QEvent.Type.MouseButtonPress, start)
    mouse(timeline, QEvent.Type.MouseMove, stop)
    mouse(timeline, QEvent.Type.MouseButtonRelease, stop)


def test_the_minimaps_frame_can_be_dragged_and_resized(timeline):
    timeline.show_span(30, 60)
    drag(timeline, overview(timeline, 45), overview(timeline, 55))
    assert (timeline.viewport.start_s, timeline.viewport.stop_s) == pytest.approx((40, 70), abs=0.3)
    drag(timeline, overview(timeline, 70), overview(timeline, 90))
    assert (timeline.viewport.start_s, timeline.viewport.stop_s) == pytest.approx((40, 90), abs=0.3)
    drag(timeline, overview(timeline, 40), overview(timeline, 20))
    assert (timeline.viewport.start_s, timeline.viewport.stop_s) == pytest.approx((20, 90), abs=0.3)
    drag(timeline, overview(timeline, 20), overview(timeline, 110))
    assert timeline.viewport.span_s == pytest.approx(0.2)


def test_the_overview_moves_the_view(timeline):
    where = overview(timeline, 30)
    mouse(timeline, QEvent.Type.MouseButtonPress, where)
    mouse(timeline, QEvent.Type.MouseButtonRelease, where)
    middle = timeline.viewport.start_s + timeline.viewport.span_s / 2
    assert middle == pytest.approx(30, abs=0.5)
    assert timeline.model.selected is None


def test_hovering_tells_what_is_under_the_cursor(timeline):
    model = timeline.model
    model.append(
        [
            Fault(110.0, "a fault"),
            Transcript(111, 113, "user", "you said"),
            Transcript(114, 116, "assistant", "it said", "and more"),
            BackgroundEvent(90, 112, "asked", "a question"),
            BackgroundEvent(90, 113, "answer", "an answer"),
        ]
    )
    timeline.refresh()
    assert "listen" in timeline.hover(at(timeline, 110.1))
    assert "%" in timeline.hover(at(timeline, 110.1, "probs"))
    assert timeline.hover(at(timeline, 110.0, "faults")) == "fault: a fault"
    assert timeline.hover(at(timeline, 112.0, "user_words")) == "you said"
    assert timeline.hover(at(timeline, 115.0, "assistant_words")) == "it said\ncut off, not heard: and more"
    assert timeline.hover(at(timeline, 112.5, "jobs")).splitlines() == [
        "Job 90: answer, 1.0 s",
        "a question",
        "an answer",
    ]
    assert timeline.hover(QPoint(5, 100)) == ""


def test_following_keeps_the_newest_turn_on_the_screen(timeline):
    timeline.model.append([turn(i) for i in range(600, 900)])
    timeline.refresh()
    assert GUTTER < timeline.scale().x(180.0) < WIDTH


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
@pytest.mark.parametrize("span", [0.2, 1, 6, 14, 60, 130])
def test_every_lane_draws_something_at_every_zoom(timeline, theme, span):
    timeline.set_theme(theme)
    timeline.viewport.span_s = span
    timeline.viewport.centre(97.3)  # speech, a transcript and a job are near
    timeline.select(490)
    image = timeline.grab().toImage()
    ground = argb(theme.surface)
    for lane, top, height in timeline.layout_lanes():
        if lane.name in ("faults", "marks"):
            continue
        pixels = {
            image.pixel(x, y)
            for y in range(int(top) + 1, int(top + height) - 1, 2)
            for x in range(GUTTER + 3, WIDTH - 3, 3)
        }
        assert len(pixels - {ground}) >= 1, lane.name


def press(qtbot, timeline: TimelineWidget, key: Qt.Key, *mods: Qt.KeyboardModifier) -> None:
    held = Qt.KeyboardModifier.NoModifier
    for one in mods:
        held |= one
    qtbot.keyClick(timeline, key, held)


SHIFT, CTRL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier


def test_a_range_grows_from_the_selected_turn_by_key(timeline, qtbot):
    timeline.select(300)
    with qtbot.waitSignal(timeline.range_changed):
        press(qtbot, timeline, Qt.Key.Key_Right, CTRL, SHIFT)
    press(qtbot, timeline, Qt.Key.Key_Right, CTRL, SHIFT)
    assert timeline.selected_range == pytest.approx((60.0, 60.6))
    assert timeline.model.selected == 302
    for _ in range(4):
        press(qtbot, timeline, Qt.Key.Key_Left, CTRL, SHIFT)
    assert timeline.selected_range == pytest.approx((59.6, 60.2))
    press(qtbot, timeline, Qt.Key.Key_Right)
    assert timeline.selected_range is None


def test_a_range_is_dragged_with_alt_and_stays_in_the_session(timeline):
    told: list[tuple[float, float] | None] = []
    timeline.range_changed.connect(lambda: told.append(timeline.selected_range))
    start, stop = at(timeline, 110.0), QPoint(WIDTH - 1, 100)
    for kind, where in (
        (QEvent.Type.MouseButtonPress, start),
        (QEvent.Type.MouseMove, start + QPoint(1, 0)),
        (QEvent.Type.MouseMove, stop),
        (QEvent.Type.MouseButtonRelease, stop),
    ):
        point = QPointF(where)
        held = Qt.MouseButton.LeftButton
        QApplication.sendEvent(
            timeline,
            QMouseEvent(
                kind, point, timeline.mapToGlobal(point), held, held, Qt.KeyboardModifier.AltModifier
            ),
        )
    assert timeline.selected_range == pytest.approx((110, 120), abs=0.05)
    assert timeline.viewport.follow  # it did not pan
    assert timeline.model.selected is None
    assert told[-1] == timeline.selected_range
    timeline.set_range((50.0, 50.0))
    assert timeline.selected_range is None


def test_digits_judge_and_space_plays_what_is_recorded(timeline, qtbot):
    verdicts: list[int] = []
    played: list[bool] = []
    timeline.verdict_asked.connect(verdicts.append)
    timeline.play_asked.connect(lambda: played.append(True))
    for key in (Qt.Key.Key_1, Qt.Key.Key_7, Qt.Key.Key_8, Qt.Key.Key_Space):
        press(qtbot, timeline, key)
    assert (verdicts, played, timeline.viewport.follow) == ([1, 7], [], False)
    timeline.set_model(timeline.model, follow=False)
    press(qtbot, timeline, Qt.Key.Key_Space)
    assert played == [True]
    assert not timeline.viewport.follow


def test_hidden_lanes_give_their_room_to_the_others(timeline):
    def heights() -> dict[str, float]:
        return {lane.name: height for lane, _, height in timeline.layout_lanes()}

    before = heights()
    names = [name for name, title in timeline.lanes() if title]
    assert len(names) == len(timeline.lanes()) == 14
    assert "camera" not in before  # a live session has no pictures of its own here
    timeline.set_hidden(["probs", "jobs", "compute", "no such lane"])
    after = heights()
    assert set(before) - set(after) == {"probs", "jobs", "compute"}
    assert after["user"] > before["user"]
    timeline.set_hidden(names)
    assert timeline.layout_lanes() == []
    assert not timeline.grab().isNull()


@pytest.mark.parametrize("height", [250, 300, 400, 800])
def test_lanes_neither_overlap_nor_leave_the_widget(timeline, height):
    timeline.resize(WIDTH, height)
    placed = timeline.layout_lanes()
    for (_, top, tall), (_, below, _) in pairwise(placed):
        assert top + tall <= below
    assert placed[-1][1] + placed[-1][2] <= height - OVERVIEW


def test_the_playhead_moves_without_painting_anything_anew(timeline, monkeypatch):
    timeline.set_follow(False)
    timeline.show_span(50, 70)
    still = timeline.grab().toImage()
    painted: list[bool] = []
    monkeypatch.setattr(timeline, "_paint_all", lambda: painted.append(True))
    timeline.set_playhead(60.0)
    x = round(timeline.scale().x(60.0))
    image = timeline.grab().toImage()
    assert image.pixel(x, 200) != still.pixel(x, 200)
    assert not painted
    timeline.set_playhead(None)
    assert timeline.grab().toImage().pixel(x, 200) == still.pixel(x, 200)
    assert not painted


def test_the_view_goes_on_with_the_playhead_unless_told_not_to(timeline):
    timeline.set_follow(False)
    timeline.show_span(50, 60)
    timeline.set_playhead(59.5)
    assert timeline.viewport.start_s == pytest.approx(58.7)
    timeline.follow_playhead = False
    timeline.set_playhead(10.0)
    assert timeline.viewport.start_s == pytest.approx(58.7)
    timeline.set_playhead(float("nan"))
    assert not timeline.grab().isNull()


def test_highlights_are_drawn_and_told(timeline):
    timeline.show_span(50, 60)
    before = timeline.grab().toImage()
    timeline.set_highlights([(54.0, 55.0, "found: moon"), (54.5, 54.5, "differs")])
    after = timeline.grab().toImage()
    x = round(timeline.scale().x(54.3))
    assert before.pixel(x, 22) != after.pixel(x, 22)
    assert timeline.hover(QPoint(round(timeline.scale().x(54.5)), 5)) == "found: moon; differs"


REPLY = Reply(50.0, 51.5, 257, "speak", (
    Segment("waiting for the micro-turn's end", 50.0, 50.2), Segment("computing", 50.2, 51.5),
))  # fmt: skip


def found(**fields) -> Findings:
    empty = {"replies": (), "barge_ins": (), "long_gaps": (), "faults": (), "take_overs": ()}
    return Findings(**{**empty, **fields})


def test_findings_fill_the_lanes_of_latency_and_faults(timeline):
    timeline.show_span(45, 60)
    assert "latency" not in [lane.name for lane, _, _ in timeline.layout_lanes()]
    faults = (Finding(55.0, 56.0, "echo leak", "the assistant’s own voice in your channel"),)
    barge_ins = (Finding(57, 57, "barge-in", ""),)
    timeline.set_findings(found(replies=(REPLY,), faults=faults, barge_ins=barge_ins))
    image = timeline.grab().toImage()
    ground = argb(LIGHT.surface)
    for lane, t in (("latency", 50.1), ("latency", 51.0), ("faults", 55.05)):
        point = at(timeline, t, lane)
        assert any(image.pixel(point.x() + dx, point.y() + 2) != ground for dx in range(-4, 5)), (lane, t)
    told = timeline.hover(at(timeline, 50.8, "latency")).splitlines()
    assert told[0] == "1.50 s from your last sound to the assistant’s first"
    assert told[1].startswith("200 ms waiting for the micro-turn's end: from the user's last sound")
    assert told[2].startswith("1300 ms computing: ")
    assert timeline.hover(at(timeline, 55.5, "faults")) == (
        "echo leak: the assistant’s own voice in your channel"
    )
    timeline.set_findings(None)
    assert "lost audio" not in timeline.hover(at(timeline, 55.5, "faults"))


def test_the_projection_of_the_selected_turn_is_a_fan_into_the_future(timeline):
    timeline.show_span(48, 56)
    plain_image = timeline.grab().toImage()
    timeline.select(250)
    fan = timeline.grab().toImage()
    inside, beside = at(timeline, 51.0, "projection"), at(timeline, 53.0, "projection")
    strip = range(round(at(timeline, 50.3, "projection").x()), inside.x())
    assert any(fan.pixel(x, inside.y()) != plain_image.pixel(x, inside.y()) for x in strip)
    assert fan.pixel(beside) == plain_image.pixel(beside)
    assert "expects you to speak" in timeline.hover(at(timeline, 50.1, "projection"))


def drawn(timeline: TimelineWidget, lane: str, event: BackgroundEvent | Transcript) -> bytes:
    """The pixels of a lane with one event in it."""
    model = TimelineModel()
    model.append([turn(i) for i in range(50)])
    model.append([BackgroundEvent(1, 1.0, "asked"), event])
    timeline.set_model(model, follow=False)
    timeline.viewport.span_s = 8
    timeline.viewport.centre(5)
    top, height = next((y, h) for one, y, h in timeline.layout_lanes() if one.name == lane)
    strip = timeline.grab().toImage().copy(GUTTER, round(top), 990, round(height)).convertToFormat(
        QImage.Format.Format_Grayscale8
    )  # fmt: skip
    return bytes(strip.constBits())


def test_what_a_job_does_has_marks_that_differ_without_colour(timeline):
    kinds: list[tuple[str, dict[str, object]]] = [
        ("tool_call", {}), ("tool_result", {"ok": True}), ("tool_result", {"ok": False}),
        ("partial", {"role": "question"}), ("partial", {"role": "restart"}), ("partial", {"role": "request"}),
    ]  # fmt: skip
    shown = {drawn(timeline, "jobs", BackgroundEvent(1, 4.0, kind, "", detail)) for kind, detail in kinds}
    assert len(shown) == len(kinds)


def test_words_of_the_user_stand_at_their_times(timeline):
    said = [
        Transcript(2, 8, "user", "how far", "", (("how", 2.0, 2.4), ("far", t, t + 0.4))) for t in (3.0, 6.0)
    ]
    assert drawn(timeline, "user_words", said[0]) != drawn(timeline, "user_words", said[1])


def test_decisions_can_be_told_apart_without_colour():
    """Each decision fills its own rows, so their profiles differ even when every colour is one grey."""
    model = TimelineModel()
    model.append([turn(i, name) for i, name in enumerate(DECISIONS)])
    columns = model.turns.columns(0, 5, len(DECISIONS))
    assert columns is not None
    filled = decision_pixels(columns, 40, LIGHT) != argb(LIGHT.surface)
    profiles = {tuple(filled[:, k]) for k in range(len(DECISIONS))}
    # Speaking and interrupting fill the whole height; the interruption carries a cap of its own.
    assert len(profiles) == len(DECISIONS) - 1
    cap = decision_pixels(columns, 40, LIGHT)[:5, 3]
    assert (cap == argb(LIGHT.text)).all()
    assert len(set(SHAPES[:5])) == 4


def test_a_rare_decision_stays_visible_from_afar():
    model = TimelineModel()
    model.append([turn(i, "yield" if i == 5000 else "listen") for i in range(18_000)])
    columns = model.turns.columns(0, 1000 / 3600, 1000)
    assert columns is not None
    pixels = decision_pixels(columns, 34, LIGHT)
    marked = np.flatnonzero((pixels == argb(LIGHT.decisions[4])).any(axis=0))
    assert len(marked) == 1
    assert abs(int(marked[0]) - 5000 / 18) <= 1


def test_an_empty_timeline_draws_and_ignores_keys(qtbot):
    empty = TimelineWidget(DARK)
    qtbot.addWidget(empty)
    empty.resize(600, 300)
    assert not empty.grab().isNull()
    for key in (Qt.Key.Key_Left, Qt.Key.Key_End, Qt.Key.Key_0, Qt.Key.Key_Plus):
        qtbot.keyClick(empty, key)
    qtbot.keyClick(empty, Qt.Key.Key_Left, Qt.KeyboardModifier.ControlModifier)
    assert empty.model.selected is None
    assert empty.hover(QPoint(300, 100)) == ""
