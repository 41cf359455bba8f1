"""Comparing and running again in the window."""

import time
from pathlib import Path

import psutil
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication

from app import theme as themes
from app.comparing.feature import CompareFeature
from app.comparing.options import RerunChoice, folder_for
from app.comparing.page import ComparePage
from app.comparing.pair import as_text, cells, of_kind, read_pair
from app.engine_bridge import EngineBridge
from app.main_window import MainWindow
from app.settings import Settings
from engine.inspect.compare import Difference
from tests.app.fake_session import FakeEngine
from tests.engine.recorder_samples import write_sample

WAIT_MS = 30_000


@pytest.fixture
def first(tmp_path: Path) -> Path:
    return write_sample(tmp_path / "first")


@pytest.fixture
def second(tmp_path: Path) -> Path:
    """The same, but one backchannel became listening."""
    folder = write_sample(tmp_path / "second")
    file = folder / "timeline.jsonl"
    file.write_text(file.read_text().replace('"decision": "backchannel"', '"decision": "listen"', 1))
    return folder


@pytest.fixture
def window(qtbot):
    engine = FakeEngine()
    made = MainWindow(EngineBridge(engine.open, engine.list_devices), Settings(theme="light", welcomed=True))
    qtbot.addWidget(made)
    made.show()
    yield made
    made.close()


@pytest.fixture
def feature(window) -> CompareFeature:
    return next(one for one in window._features if isinstance(one, CompareFeature))


def opened(window, qtbot, folder: Path) -> None:
    window.open_session(folder)
    qtbot.waitUntil(lambda: window.document.path == folder, timeout=WAIT_MS)


def test_pair_in_words(first: Path, second: Path):
    pair = read_pair(first, second)
    assert pair.headline == "97.5 % of 40 micro-turns decided alike, 1 difference"
    assert pair.note == ""
    assert cells(pair.found.differences[0])[:5] == (
        "0:01.2", "0.2 s", "backchannel", "listen", "backchannel in the first only",
    )  # fmt: skip
    assert of_kind(pair.found.differences, "backchannel in the first only") == pair.found.differences
    assert of_kind(pair.found.differences, "talks in the first only") == ()
    text = as_text(pair).splitlines()
    assert text[2] == "\tfirst\tsecond"
    assert text[-1].startswith("0:01.2\t0.2 s\tbackchannel")


def test_compare_shows_the_page(window, feature, qtbot, first: Path, second: Path):
    opened(window, qtbot, first)
    feature.compare(first, second)
    qtbot.waitUntil(lambda: window.shown_page() == "compare", timeout=WAIT_MS)
    page = feature.page
    assert page.table.rowCount() == 1
    assert page.names[0].text().startswith("First: first   micro")
    assert page.timelines[0].viewport is page.timelines[1].viewport
    page.view.selectRow(0)
    assert [timeline.model.selected for timeline in page.timelines] == [6, 6]
    page.buttons["copy"].click()
    assert "97.5 %" in QGuiApplication.clipboard().text()
    qtbot.keyClick(page, Qt.Key.Key_Escape)
    assert window.shown_page() == "talk"


def test_open_second_leaves_the_page(window, feature, qtbot, first: Path, second: Path):
    feature.compare(first, second)
    qtbot.waitUntil(lambda: window.shown_page() == "compare", timeout=WAIT_MS)
    feature.page.buttons["open_second"].click()
    qtbot.waitUntil(lambda: window.document.path == second, timeout=WAIT_MS)
    assert window.shown_page() == "talk"


def test_kinds_filter_the_table(qtbot, first: Path, second: Path):
    page = ComparePage(themes.DARK)
    qtbot.addWidget(page)
    pair = read_pair(first, second)
    page.show_pair(pair)
    assert [page.kinds.itemText(n) for n in range(page.kinds.count())] == [
        "All differences (1)",
        "backchannel in the first only (1)",
    ]
    page._shown = (Difference(0, 1, "speak", "listen", "talks in the first only", 0.5),)
    page.kinds.setCurrentIndex(1)
    assert page._shown == pair.found.differences


def test_what_cannot_be_compared_is_said(window, feature, qtbot, first: Path, tmp_path: Path):
    (tmp_path / "empty").mkdir()
    feature.compare(first, tmp_path / "empty")
    qtbot.waitUntil(lambda: "is no session" in window.card.notice.text(), timeout=WAIT_MS)
    assert window.shown_page() == "talk"


def test_without_a_session_it_says_what_to_do(window, feature):
    feature.ask_rerun()
    assert "Open a recorded session first" in window.card.notice.text()
    feature.choose()
    assert window.shown_page() == "compare" and feature.page.empty.isVisible()


def test_run_again_is_refused_while_talking(window, feature, qtbot, first: Path):
    opened(window, qtbot, first)
    window.start_session()
    qtbot.waitUntil(lambda: window.bridge.session is not None, timeout=WAIT_MS)
    feature.ask_rerun()
    assert "stop it first" in window.card.notice.text()
    assert not feature.running


@pytest.mark.slow
def test_run_again_ends_in_a_comparison(window, feature, qtbot, first: Path):
    opened(window, qtbot, first)
    feature.ask_rerun()
    feature._dialog.engine.setCurrentText("pipeline")
    assert not feature._dialog.biases["interrupt"].isEnabled()
    feature._dialog.accept()
    qtbot.waitUntil(lambda: feature.running, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: window.shown_page() == "compare", timeout=90_000)
    assert (first.parent / "first_pipeline" / "timeline.jsonl").is_file()
    assert not feature.running
    assert feature.page.figures.lines[0] == ("engine", "micro", "pipeline")


def test_cancelled_run_is_said(window, feature, qtbot, first: Path):
    feature.start(first, RerunChoice("pipeline"))
    qtbot.waitUntil(lambda: feature.running, timeout=WAIT_MS)
    feature._progress.canceled.emit()
    qtbot.waitUntil(lambda: not feature.running, timeout=WAIT_MS)
    assert window.card.notice.text().startswith("Cancelled.")


def test_window_that_closes_ends_the_run(window, feature, qtbot, first: Path):
    feature.start(first, RerunChoice("pipeline"))
    qtbot.waitUntil(lambda: feature.running, timeout=WAIT_MS)
    rerun = feature._rerun
    began = time.monotonic()
    window.close()
    assert time.monotonic() - began < 8
    assert not feature.running and rerun.poll()


def test_options_and_folder(tmp_path: Path):
    plain = RerunChoice()
    assert plain.options == () and plain.name == "micro"
    eager = RerunChoice("micro", 4, {"interrupt": 0.5, "backchannel": -1.0, "give_way": 0.0})
    assert eager.options == ("--temperament", "interrupt=+0.5,backchannel=-1")
    assert eager.name == "micro-seed4-interrupt+0.5-backchannel-1"
    assert RerunChoice("pipeline", 0, {"interrupt": 1.0}).options == ()
    session = tmp_path / "talk"
    assert folder_for(session, plain).name == "talk_micro"
    (tmp_path / "talk_micro").mkdir()
    assert folder_for(session, plain).name == "talk_micro_2"


def test_only_one_run_at_a_time_is_begun(window, feature, qtbot, first: Path):
    opened(window, qtbot, first)
    feature.start(first, RerunChoice("pipeline"))
    feature.ask_rerun()  # before the process is there
    assert feature._dialog is None
    feature.start(first, RerunChoice("pipeline", 1))
    qtbot.waitUntil(lambda: feature.running, timeout=WAIT_MS)
    window.close()
    assert not (first.parent / "first_pipeline-seed1").exists()


def test_a_window_that_closes_leaves_no_run_that_is_just_begun(window, feature, first: Path):
    feature.start(first, RerunChoice("pipeline"))
    window.close()
    assert not [one for one in psutil.Process().children(recursive=True) if "replay" in one.cmdline()]


def test_page_fits_a_small_screen_with_large_text(qtbot, first: Path, second: Path):
    page = ComparePage(themes.LIGHT)
    qtbot.addWidget(page)
    page.show_pair(read_pair(first, second))
    themes.set_text_scale(1.5)
    try:
        page.setStyleSheet(themes.style_sheet(themes.LIGHT))
        page.ensurePolished()
        assert page.minimumSizeHint().width() <= 900
    finally:
        themes.set_text_scale(1.0)
