"""Inspecting in the real window: a recorded session on the disk, keys, and what is seen."""

import gc
import threading
import time
import weakref
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import soundfile
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel

from app.engine_bridge import EngineBridge
from app.inspecting.feature import Inspecting
from app.inspecting.find_bar import FindBar
from app.inspecting.lanes import hidden_lanes
from app.inspecting.measured import measured
from app.inspecting.pictures import PictureReader
from app.inspecting.player import PlayState, Wish
from app.inspecting.transport import position_text
from app.main_window import MainWindow
from app.settings import Settings
from app.theme import DARK
from engine.errors import InputError
from engine.events import Fault, Mark, TurnRecord, to_json
from engine.recorder.folder import VIDEO, SessionFile
from engine.recorder.video_file import VideoWriter
from engine.types import Frame
from tests.app.fake_session import FakeEngine, FakeSession
from tests.app.scenario import session, turn

# Qt's offscreen platform says this of every window.
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", "This plugin does not support")

SECONDS = 60.0
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def write_session(folder: Path, seconds: float = SECONDS, pictures: bool = False) -> Path:
    """The made-up conversation, with a tone that says when either side talks."""
    folder.mkdir(parents=True)
    events = [*session(seconds), Mark(20.0, "good yield"), Mark(40.0, "late"), Fault(33.0, "lost 50 ms")]
    (folder / "timeline.jsonl").write_text("".join(to_json(e) + "\n" for e in events), encoding="utf-8")
    for name, rate in (("input.flac", 16_000), ("output.wav", 24_000)):
        t = np.arange(round(seconds * rate)) / rate
        gain = np.zeros(len(t))
        for e in events:
            if isinstance(e, TurnRecord) and (e.heard_ms > 0 if rate == 24_000 else e.user_level_db > -45):
                gain[round(e.t * rate) : round((e.t + 0.2) * rate)] = 0.3
        if name == "input.flac":
            gain[10 * rate : 11 * rate] = 0.3  # a barge-in that nobody has typed in
        soundfile.write(folder / name, gain * np.sin(2 * np.pi * 440 * t), rate, "PCM_16")
    if pictures:
        writer = None
        for k in range(1, round(seconds / 0.2)):
            frame = Frame(np.full((90, 160, 3), 40 + k % 200, np.uint8), number=k, t=k * 0.2)
            writer = writer or VideoWriter(SessionFile(folder / VIDEO), frame)
            writer.write(frame)
        assert writer is not None
        writer.close()
    return folder


class FakePlayer:
    """Plays in no time at all: what it is asked is kept, and the test says how far it is."""

    made: ClassVar[list["FakePlayer"]] = []

    def __init__(self) -> None:
        self.wishes: list[Wish] = []
        self.state = PlayState()
        self.stopped = self.closed = 0
        FakePlayer.made.append(self)

    def play(self, wish: Wish) -> None:
        self.wishes.append(wish)
        self.state = PlayState("playing", wish.t)

    def stop(self) -> None:
        self.stopped += 1
        self.state = PlayState("idle", self.state.t)

    def close(self, timeout: float = 2.0) -> None:
        self.closed += 1


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def saved() -> list[Settings]:
    return []


@pytest.fixture
def window(qtbot, engine, saved, monkeypatch) -> MainWindow:
    FakePlayer.made = []
    monkeypatch.setattr("app.inspecting.feature.Player", FakePlayer)
    made = MainWindow(
        EngineBridge(engine.open, engine.list_devices),
        Settings(theme="light", welcomed=True),
        save_settings=saved.append,
    )
    qtbot.addWidget(made, before_close_func=lambda w: w.close())
    made.show()
    return made


@pytest.fixture
def part(window) -> Inspecting:
    return next(one for one in window._features if isinstance(one, Inspecting))


@pytest.fixture
def recorded(window, qtbot, tmp_path) -> Path:
    folder = write_session(tmp_path / "talk", pictures=True)
    window.open_session(folder)
    qtbot.waitUntil(lambda: not window.document.live)
    qtbot.waitUntil(lambda: window.document.measured is not None)
    return folder


def running(window: MainWindow, engine: FakeEngine, qtbot) -> FakeSession:
    window.toggle_session()
    qtbot.waitUntil(lambda: len(engine.sessions) > 0)
    live = engine.sessions[-1]
    live.run()
    qtbot.waitUntil(lambda: window.bridge.state == "running")
    return live


def shortcut(window: MainWindow, text: str):
    return next(one for one in window.commands.everything() if one.shortcut().toString() == text)


# measuring


def test_a_recording_is_measured_once_and_its_turns_are_let_go(window, part, recorded, qtbot):
    document = window.document
    assert document.session is None
    assert document.measured.findings.take_overs
    assert document.measured.precise
    assert window.timeline._found.known
    window.commands.leave.trigger()
    assert not window.timeline._found.known
    window.show_document(document)
    assert window.timeline._found.known, "it is not measured again"


def test_nothing_keeps_the_turns_of_a_measured_recording(window, qtbot, tmp_path, monkeypatch):
    seen = []

    def watched(session):
        seen.append(weakref.ref(session))
        return measured(session)

    monkeypatch.setattr("app.inspecting.feature.measured", watched)
    window.open_session(write_session(tmp_path / "one", 20.0))
    qtbot.waitUntil(lambda: window.document.measured is not None)
    gc.collect()
    assert seen[0]() is None


def test_what_was_measured_of_another_session_is_not_shown(window, qtbot, tmp_path, monkeypatch):
    hold = threading.Event()

    def slow(session):
        hold.wait(10)
        return measured(session)

    monkeypatch.setattr("app.inspecting.feature.measured", slow)
    window.open_session(write_session(tmp_path / "one", 20.0))
    qtbot.waitUntil(lambda: not window.document.live)
    first = window.document
    window.commands.leave.trigger()
    hold.set()
    qtbot.waitUntil(lambda: first.measured is not None)
    assert not window.timeline._found.known


def test_a_recording_that_cannot_be_measured_is_told(window, qtbot, tmp_path, monkeypatch):
    def broken(session):
        raise InputError("output.wav cannot be read")

    monkeypatch.setattr("app.inspecting.feature.measured", broken)
    window.open_session(write_session(tmp_path / "one", 20.0))
    qtbot.waitUntil(lambda: "could not be measured" in window.card.notice.text())
    assert window.document.session is None


# find


def test_find_by_keyboard_alone(window, part, recorded, qtbot):
    bar: FindBar = part.find.bar
    assert bar.isHidden()
    shortcut(window, "Ctrl+F").trigger()
    assert bar.isVisible()
    qtbot.keyClicks(bar.field, "moon")
    qtbot.waitUntil(lambda: "found" in bar.count.text())
    total = part.find.hits.total
    assert total >= 4
    assert len(window.timeline._highlights) == total
    assert window.timeline.model.selected is None, "typing selects nothing"
    qtbot.keyClick(bar.field, Qt.Key.Key_Return)
    assert bar.count.text() == f"1 of {total}"
    first = part.find.hits.hits[0]
    assert window.timeline.model.selected == first.turn
    assert bar.message.text() == first.label
    shortcut(window, "F3").trigger()
    assert bar.count.text() == f"2 of {total}"
    shortcut(window, "Shift+F3").trigger()
    qtbot.keyClick(bar.field, Qt.Key.Key_Return, SHIFT)
    assert bar.count.text() == f"{total} of {total}", "around"
    qtbot.keyClick(bar.field, Qt.Key.Key_Escape)
    assert bar.isHidden()
    assert window.timeline._highlights == []


def test_finding_goes_on_from_what_was_selected_by_hand(window, part, recorded, qtbot):
    part.find.open()
    part.find.bar.field.setText("mark:")
    part.find.search()
    turns = [hit.turn for hit in part.find.hits.hits]
    assert turns == [100, 200, 225]
    window.timeline.select(150)
    part.find.step(1)
    assert window.timeline.model.selected == 200
    window.timeline.select(250)
    part.find.step(1)
    assert window.timeline.model.selected == 100
    window.timeline.select(150)
    part.find.step(-1)
    assert window.timeline.model.selected == 100
    window.timeline.select(50)
    part.find.step(-1)
    assert window.timeline.model.selected == 225


def test_a_bad_query_gets_a_line(window, part, recorded, qtbot):
    part.find.open()
    for text, told in (("decision:jump", "No decision is called “jump”"), ("p<", "needs a number")):
        part.find.bar.field.setText(text)
        part.find.search()
        assert told in part.find.bar.message.text()
        assert part.find.bar.message.text().startswith("▲ ")
        assert not part.find.bar.next.isEnabled()
    part.find.bar.field.setText("nowhere to be found")
    part.find.search()
    assert part.find.bar.count.text() == "Nothing found"
    part.find.step(1)
    part.find.bar.field.setText("")
    part.find.search()
    assert "decision:yield" in part.find.bar.message.text()


def test_find_follows_a_running_session_and_esc_still_silences(window, part, engine, qtbot, monkeypatch):
    live = running(window, engine, qtbot)
    monkeypatch.setattr("app.inspecting.find._LIVE_MS", 50)
    part.find._growing.setInterval(50)
    part.find.open()
    part.find.bar.field.setText("mark:")
    part.find.search()
    assert part.find.hits.total == 0
    live.say(*(turn(i) for i in range(10)), Mark(1.0, "here"))
    qtbot.waitUntil(lambda: part.find.hits.total == 1)
    part.find.bar.field.setFocus()
    qtbot.keyClick(part.find.bar.field, Qt.Key.Key_Escape)
    assert part.find.bar.isHidden()
    assert live.silenced == 1


def test_another_document_is_searched_anew(window, part, recorded, qtbot):
    part.find.open()
    part.find.bar.field.setText("moon")
    part.find.search()
    part.find.step(1)
    window.commands.leave.trigger()
    assert part.find.hits.total == 0
    assert window.timeline._highlights == []


# jumps


def test_jumps_by_their_keys(window, part, recorded, qtbot):
    found = window.document.measured.findings
    shortcut(window, "Ctrl+1").trigger()
    assert window.timeline.model.selected == int(found.barge_ins[0].t0 / 0.2 + 1e-6)
    assert window.card.notice.text().startswith(f"Barge-in 1 of {len(found.barge_ins)}, at 0:")
    shortcut(window, "Ctrl+5").trigger()
    assert window.timeline.model.selected in (100, 200)
    window.timeline.select(210)
    shortcut(window, "Ctrl+Shift+5").trigger()
    assert window.timeline.model.selected == 200
    shortcut(window, "Ctrl+Shift+5").trigger()
    shortcut(window, "Ctrl+Shift+5").trigger()
    assert window.card.notice.text() == "There is no mark before this."
    assert window.timeline.model.selected == 100


def test_jumps_in_a_live_session(window, part, engine, qtbot):
    live = running(window, engine, qtbot)
    live.say(*(turn(i) for i in range(20)), turn(20, "yield"), turn(21), Fault(1.0, "the disk is full"))
    qtbot.waitUntil(lambda: window.timeline.model.turns.count == 22)
    shortcut(window, "Ctrl+1").trigger()
    assert window.timeline.model.selected == 20
    shortcut(window, "Ctrl+Shift+3").trigger()
    assert window.timeline.model.selected == 5
    assert "the disk is full" in window.card.notice.text()
    shortcut(window, "Ctrl+2").trigger()
    assert window.card.notice.text() == "There is no long gap."


# lanes


def test_lanes_are_hidden_and_remembered(window, part, saved, qtbot, engine):
    compute = part.lanes.actions["compute"]
    assert compute.isChecked()
    compute.trigger()
    assert window.timeline._hidden == {"compute"}
    assert hidden_lanes(saved[-1].hidden_lanes) == {"compute"}
    for name, action in part.lanes.actions.items():
        if name != "decision" and action.isChecked():
            action.trigger()
    assert not part.lanes.actions["decision"].isEnabled(), "one lane stays"
    remembered = saved[-1]
    again = MainWindow(EngineBridge(engine.open, engine.list_devices), remembered)
    qtbot.addWidget(again)
    assert "decision" not in again.timeline._hidden
    assert "compute" in again.timeline._hidden
    again.close()
    part.lanes.menu.actions()[-1].trigger()
    assert window.timeline._hidden == frozenset()
    assert saved[-1].hidden_lanes == ""


# statistics


def values(part: Inspecting) -> dict[str, str]:
    return {row.name: row.value for row in part.selection.view.rows}


def test_figures_of_session_view_and_range(window, part, recorded, qtbot):
    shortcut(window, "Ctrl+I").trigger()
    assert window.details.isVisible()
    assert part.selection.view.heading.text() == "Whole session"
    assert values(part)["Duration"] == "60.0 s, 300 micro-turns"
    assert not part.selection.view.buttons["range"].isEnabled()
    window.timeline.set_range((10.0, 12.0))
    assert part.selection.view.heading.text() == "Selected range"
    assert values(part)["Duration"] == "2.0 s, 10 micro-turns"
    window.timeline.show_span(20.0, 30.0)
    qtbot.mouseClick(part.selection.view.buttons["view"], Qt.MouseButton.LeftButton)
    assert values(part)["Time"].startswith("0:20.0")
    window.timeline.pan(5.0)
    qtbot.waitUntil(lambda: values(part)["Time"].startswith("0:25.0"))
    qtbot.mouseClick(part.selection.view.copy, Qt.MouseButton.LeftButton)
    assert QApplication.clipboard().text().startswith("What is in view\nTime\t0:25.0")
    shown = [label.text() for label in part.selection.view.findChildren(QLabel) if label.isVisible()]
    assert "Missed deadlines" in shown


def test_a_range_brings_its_figures_and_a_micro_turn_its_reasons(window, part, recorded, qtbot):
    window.timeline.select(30)
    assert window.details.tab == 0
    window.timeline.set_range((10.0, 12.0))
    assert window.details.tab == part.selection.tab
    window.timeline.set_range(None)
    window.timeline.select(40)
    assert window.details.tab == 0
    both = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    qtbot.keyClick(window.timeline, Qt.Key.Key_Right, both)
    assert window.timeline.selected_range == pytest.approx((8.0, 8.4))
    assert window.details.tab == part.selection.tab, "a range that grows by keys brings them too"
    qtbot.keyClick(window.timeline, Qt.Key.Key_Right)
    assert window.details.tab == 0
    part.selection.open()
    window.timeline.select(41)
    assert window.details.tab == part.selection.tab, "it was asked for"


def test_figures_of_a_running_session_grow(window, part, engine, qtbot):
    live = running(window, engine, qtbot)
    part.selection.open()
    live.say(*(turn(i) for i in range(50)))
    qtbot.waitUntil(lambda: values(part).get("Duration") == "10.0 s, 50 micro-turns")
    assert values(part)["Take-overs"] == "measured when the recording is opened"


# details


def test_sound_and_picture_of_a_micro_turn(window, part, recorded, qtbot):
    view = part.micro_turn.view
    window.timeline.select(36)
    qtbot.waitUntil(lambda: view.media is not None and view.media.turn == 36)
    assert view.isVisible()
    assert view.accessibleDescription() == "You, silent. Assistant, peak -10 dB. Picture of 0:07.2"
    assert abs(int(view.media.picture.image.mean()) - (40 + 36)) <= 3
    for _ in range(30):
        window.timeline.setFocus()
        qtbot.keyClick(window.timeline, Qt.Key.Key_Right)
    qtbot.waitUntil(lambda: view.media.turn == 66)
    window.commands.leave.trigger()
    assert view.isHidden()


def test_a_session_without_files_has_no_sound_to_show(window, part, qtbot, tmp_path):
    folder = write_session(tmp_path / "bare", 20.0)
    for name in ("input.flac", "output.wav"):
        (folder / name).unlink()
    window.open_session(folder)
    qtbot.waitUntil(lambda: not window.document.live)
    window.timeline.select(36)
    qtbot.waitUntil(lambda: part.micro_turn.view.media is not None)
    assert part.micro_turn.view.isHidden()


# playback


def test_playing_from_the_playhead_by_keyboard(window, part, recorded, qtbot):
    playback = part.playback
    assert playback.bar.isVisible()
    window.timeline.select(50)
    assert window.timeline._playhead == pytest.approx(10.0)
    window.timeline.setFocus()
    qtbot.keyClick(window.timeline, Qt.Key.Key_Space)
    (player,) = FakePlayer.made
    assert player.wishes[-1] == Wish(recorded, 10.0, SECONDS)
    assert playback.bar.play.text() == "Pause"
    player.state = PlayState("playing", 12.34)
    qtbot.waitUntil(lambda: playback.bar.position.text() == "0:12.3 / 1:00.0")
    assert window.timeline._playhead == pytest.approx(12.34)
    assert window.timeline.model.selected == 50, "the selection stays"
    qtbot.waitUntil(lambda: window.side.camera.accessibleDescription() == "recorded picture of 0:12.2")
    window.bridge.tick()
    assert window.side.camera.note == "", "the window's own rounds do not take it away"
    window.timeline.select(100)
    assert player.wishes[-1].t == pytest.approx(20.0), "seeking while it plays"
    shortcut(window, "Ctrl+P").trigger()
    assert player.stopped == 1
    assert not playback.playing
    assert playback.bar.play.text() == "Play"
    window.close()
    assert player.closed == 1


def test_speed_and_sound_are_chosen_and_remembered(window, part, recorded, saved, qtbot):
    part.playback.bar.speed_chosen.emit(1.5)
    part.playback.bar.sound_chosen.emit(True)
    assert (saved[-1].playback_speed, saved[-1].playback_mixed) == (1.5, True)
    assert (part.playback.bar.speed.text(), part.playback.bar.sound.text()) == ("1.5×", "Mixed")
    window.menus.outputs.choose("spk-1")
    part.playback.toggle()
    (player,) = FakePlayer.made
    assert (player.wishes[-1].speed, player.wishes[-1].mixed, player.wishes[-1].device) == (
        1.5,
        True,
        "spk-1",
    )
    player.state = PlayState("playing", 30.0)
    part.playback.bar.speed_chosen.emit(2.0)
    assert (player.wishes[-1].speed, player.wishes[-1].t) == (2.0, 30.0)


def test_the_end_and_from_the_beginning_again(window, part, recorded, qtbot):
    part.playback.toggle()
    (player,) = FakePlayer.made
    player.state = PlayState("ended", SECONDS)
    qtbot.waitUntil(lambda: not part.playback.playing)
    assert part.playback.bar.position.text() == "1:00.0 / 1:00.0"
    part.playback.toggle()
    assert player.wishes[-1].t == 0.0


def test_without_a_loudspeaker_the_playhead_still_moves(window, part, recorded, qtbot):
    part.playback.toggle()
    (player,) = FakePlayer.made
    player.state = PlayState("failed", 0.0, "no loudspeaker was found; plug one in")
    qtbot.waitUntil(lambda: not part.playback.playing)
    assert window.card.notice.text() == "No loudspeaker was found; plug one in."
    window.timeline.select(70)
    assert part.playback.position_s == pytest.approx(14.0)
    assert window.timeline._playhead == pytest.approx(14.0)


def test_a_live_session_is_not_disturbed(window, part, engine, recorded, qtbot):
    part.playback.toggle()
    (player,) = FakePlayer.made
    document = window.document
    running(window, engine, qtbot)
    assert player.stopped == 1
    assert part.playback.bar.isHidden()
    assert window.timeline._playhead is None
    part.playback.toggle()
    assert "Only a recorded session" in window.card.notice.text()
    window.show_document(document)
    part.playback.toggle()
    assert window.card.notice.text().startswith("Stop the live session first")
    assert len(player.wishes) == 1


def test_whoever_looks_elsewhere_is_left_there(window, part, recorded, qtbot):
    window.timeline.show_span(0.0, 10.0)
    part.playback.toggle()
    (player,) = FakePlayer.made
    player.state = PlayState("playing", 9.9)
    qtbot.waitUntil(lambda: window.timeline.viewport.start_s > 5.0)
    window.timeline.show_span(30.0, 40.0)
    player.state = PlayState("playing", 12.0)
    qtbot.waitUntil(lambda: part.playback.position_s == 12.0)
    assert window.timeline.viewport.start_s == pytest.approx(30.0)


def test_positions_in_words():
    assert position_text(12.44, 200.0) == "0:12.4 / 3:20.0"
    assert position_text(3_661.0, 7_200.0) == "1:01:01.0 / 2:00:00.0"


# all of it


def test_everything_is_reached_and_named(window, part, recorded, qtbot):
    part.find.open()
    part.selection.open()
    widgets = [
        part.find.bar.field, part.find.bar.previous, part.find.bar.next, part.find.bar.close_button,
        part.playback.bar.play, part.playback.bar.speed, part.playback.bar.sound,
        *part.selection.view.buttons.values(), part.selection.view.copy,
    ]  # fmt: skip
    for one in widgets:
        assert one.accessibleName()
        assert one.focusPolicy() & Qt.FocusPolicy.TabFocus
        assert one.isVisible()


def test_the_theme_reaches_everything(window, part, recorded, qtbot):
    dark = next(action for action in window.commands.themes.actions() if action.data() == "dark")
    dark.trigger()
    for one in (part.selection.view, part.micro_turn.view, part.playback.bar):
        assert one.theme is DARK


def test_the_window_never_waits_for_an_hour_long_recording(window, part, qtbot, tmp_path):
    folder = tmp_path / "hour"
    folder.mkdir()
    with (folder / "timeline.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(to_json(e) + "\n" for e in session(3600))
    window.open_session(folder)
    qtbot.waitUntil(lambda: not window.document.live, timeout=20_000)
    qtbot.waitUntil(lambda: window.document.measured is not None, timeout=20_000)
    part.find.open()
    took = []
    for query in ("moon", "decision:backchannel", "p<0.6", "compute>100"):
        began = time.perf_counter()
        part.find.bar.field.setText(query)
        part.find.search()
        took.append(time.perf_counter() - began)
        assert part.find.hits.total > 0, (query, part.find.bar.message.text())
    part.selection.open()
    part.selection._shown = ()
    began = time.perf_counter()
    part.selection.refresh()
    took.append(time.perf_counter() - began)
    assert max(took) < 0.25, took


def test_nobody_waits_for_a_picture_that_is_still_being_read(window, qtbot, tmp_path, monkeypatch):
    reading, go_on = threading.Event(), threading.Event()

    def at(self: PictureReader, t: float) -> None:
        reading.set()
        go_on.wait(5)

    monkeypatch.setattr(PictureReader, "at", at)
    window.open_session(write_session(tmp_path / "slow", 4.0, pictures=True))
    qtbot.waitUntil(lambda: window.document.path is not None)
    window.timeline.select(5)
    qtbot.waitUntil(reading.is_set)
    began = time.perf_counter()
    window.show_document(window.live)
    took = time.perf_counter() - began
    go_on.set()
    assert took < 0.5
