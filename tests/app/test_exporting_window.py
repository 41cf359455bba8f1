"""Export from the window: the dialog, the files it writes, and the visible timeline as a picture."""

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import webvtt
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QLabel

from app.document import recorded_document
from app.exporting.dialog import EXISTS, VISIBLE, WHOLE
from app.exporting.feature import ExportFeature
from app.exporting.formats import NOT_RECORDED, RECORDING
from app.exporting.picture import SCALE, paint_image, png_bytes, svg_bytes
from app.theme import DARK, LIGHT
from app.timeline.timeline_widget import TimelineWidget
from engine.inspect.findings import findings
from engine.recorder.reader import read_session
from tests.app.fake_session import FakeEngine
from tests.app.window_rig import feature, open_window, start
from tests.engine.recorder_samples import write_sample

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", "This plugin does not support")
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def folder(tmp_path):
    return write_sample(tmp_path / "a <session>")


@pytest.fixture
def window(qtbot):
    with open_window(qtbot, FakeEngine()) as made:
        yield made


@pytest.fixture
def export(window):
    return feature(window, ExportFeature)


def opened(window, folder, qtbot):
    window.open_session(folder)
    qtbot.waitUntil(lambda: window.document.path is not None)


def timeline_of(folder, theme, qtbot):
    session = read_session(folder)
    widget = TimelineWidget(theme)
    qtbot.addWidget(widget)
    widget.resize(900, 420)
    widget.set_model(recorded_document(session).timeline, False)
    widget.set_findings(findings(session))
    return widget


def colours(image):
    """The colours of a BGR picture and how often each is there."""
    return np.unique(image.reshape(-1, 3), axis=0, return_counts=True)


def said(window):
    return " ".join(label.text() for label in window.findChildren(QLabel) if label.isVisibleTo(window))


def choose(dialog, name):
    dialog.formats.setCurrentIndex(dialog.formats.findData(name))


def extents(dialog):
    return [dialog.extent.itemData(n) for n in range(dialog.extent.count())]


def image_of(data):
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return image


# the visible timeline as a picture


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_the_png_shows_the_timeline_at_twice_its_size(folder, theme, qtbot):
    widget = timeline_of(folder, theme, qtbot)
    image = image_of(png_bytes(paint_image(widget)))
    assert image.shape == (round(420 * SCALE), round(900 * SCALE), 3)
    shown = {tuple(c) for c in colours(image)[0].tolist()}
    for colour in (theme.surface, theme.decisions[1], theme.decisions[4], theme.user_level, theme.text):
        assert tuple(int(colour[k : k + 2], 16) for k in (5, 3, 1)) in shown, colour
    # Not the screen's picture blown up: a quarter of it has details of its own.
    half = cv2.resize(cv2.resize(image, (900, 420), interpolation=cv2.INTER_AREA), (1800, 840))
    assert np.abs(image.astype(int) - half).mean() > 0.3


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_the_svg_holds_the_words_as_text_and_paints_the_same(folder, theme, qtbot):
    widget = timeline_of(folder, theme, qtbot)
    data = svg_bytes(widget, "a <session> & more")
    root = ET.fromstring(data)
    assert root.tag == f"{SVG}svg"
    assert root.get("viewBox") == "0 0 900 420"
    assert root.findtext(f"{SVG}title") == "a <session> & more"
    texts = [("".join(e.itertext())).strip() for e in root.iter(f"{SVG}text")]
    for words in ("You", "Decision", "Assistant", "half past three", "0:02"):
        assert any(words in text for text in texts), words
    renderer = QSvgRenderer(data)
    assert renderer.isValid()
    image = QImage(900, 420, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.magenta)
    painter = QPainter(image)
    renderer.render(painter)
    painter.end()
    wanted = paint_image(widget).scaled(900, 420, mode=Qt.TransformationMode.SmoothTransformation)
    ours, theirs = _array(wanted), _array(image)
    assert np.abs(ours - theirs).mean() < 6
    names = np.abs(ours[:, :100] - theirs[:, :100]).mean()  # what is beyond the lanes' edge stays there
    assert names < 12


def _array(image):
    whole = image.convertToFormat(QImage.Format.Format_RGB888)
    data = np.frombuffer(whole.constBits(), np.uint8).reshape(whole.height(), whole.bytesPerLine())
    return data[:, : whole.width() * 3].astype(int)


def test_only_what_is_visible_is_in_the_picture(folder, qtbot):
    widget = timeline_of(folder, LIGHT, qtbot)
    widget.show_span(0.0, 2.4)
    texts = ["".join(e.itertext()) for e in ET.fromstring(svg_bytes(widget, "")).iter(f"{SVG}text")]
    assert not any("half past three" in text for text in texts)


def test_an_empty_timeline_can_be_painted(qtbot):
    widget = TimelineWidget(LIGHT)
    qtbot.addWidget(widget)
    assert QSvgRenderer(svg_bytes(widget, "")).isValid()
    assert png_bytes(paint_image(widget)).startswith(b"\x89PNG")


# in the window


def test_a_recorded_session_is_exported_whole(window, export, folder, tmp_path, qtbot):
    opened(window, folder, qtbot)
    export.action.trigger()
    dialog = export.dialog
    assert extents(dialog) == [WHOLE, VISIBLE]
    assert not dialog.of_visible
    assert dialog.message.text() == ""
    choose(dialog, "webvtt")
    assert extents(dialog) == [WHOLE]
    assert Path(dialog.file.text()).name == "a -session.vtt"
    dialog.file.setText(str(tmp_path / "captions"))
    dialog.export.click()
    qtbot.waitUntil(lambda: export.dialog is None)
    captions = webvtt.read(str(tmp_path / "captions.vtt"))
    assert [c.voice for c in captions.captions] == ["User", "Assistant", "User"]
    assert "Exported to" in said(window)
    # The next one begins where this one was.
    export.action.trigger()
    assert export.dialog.format.name == "webvtt"
    assert Path(export.dialog.file.text()).parent == tmp_path
    export.dialog.reject()


@pytest.mark.parametrize("name", ["png", "svg"])
def test_the_visible_timeline_of_a_recorded_session(window, export, folder, tmp_path, qtbot, name):
    opened(window, folder, qtbot)
    export.open()
    choose(export.dialog, name)
    export.dialog.extent.setCurrentIndex(1)
    assert Path(export.dialog.file.text()).name == f"a -session-visible.{name}"
    export.dialog.set_file(str(tmp_path / f"seen.{name}"))
    export.dialog.export.click()
    qtbot.waitUntil(lambda: export.dialog is None)
    data = (tmp_path / f"seen.{name}").read_bytes()
    width = window.timeline.width()
    if name == "png":
        assert image_of(data).shape[1] == 2 * width
    else:
        assert ET.fromstring(data).get("viewBox", "").split()[2] == str(width)


def test_the_whole_session_as_a_picture_is_not_the_visible_one(window, export, folder, tmp_path, qtbot):
    opened(window, folder, qtbot)
    export.open()
    choose(export.dialog, "svg")
    export.dialog.set_file(str(tmp_path / "whole.svg"))
    export.dialog.export.click()
    qtbot.waitUntil(lambda: export.dialog is None)
    assert ET.parse(tmp_path / "whole.svg").getroot().get("width") == "1200"


def test_a_running_session_must_end_before_all_of_it_can_be_exported(qtbot, tmp_path):
    engine = FakeEngine()
    with open_window(qtbot, engine) as window:
        export: Any = feature(window, ExportFeature)
        window.commands.record.setChecked(True)
        start(window, engine, qtbot)
        export.open()
        dialog = export.dialog
        assert extents(dialog) == [VISIBLE]
        assert dialog.message.text() == RECORDING
        choose(dialog, "csv")
        assert not dialog.export.isEnabled()
        assert dialog.message.text() == RECORDING
        choose(dialog, "png")
        dialog.set_file(str(tmp_path / "live.png"))
        dialog.export.click()
        qtbot.waitUntil(lambda: export.dialog is None)
        assert cv2.imread(str(tmp_path / "live.png")) is not None
        window.bridge.stop()
        qtbot.waitUntil(lambda: not window.bridge.active)
        assert export.offer().folder is not None  # what was recorded can now be exported


def test_without_a_recording_only_pictures_are_offered(window, export):
    export.open()
    assert export.dialog.message.text() == NOT_RECORDED
    assert extents(export.dialog) == [VISIBLE]
    export.dialog.reject()
    assert export.dialog is None


def test_an_existing_file_is_replaced_only_when_asked_again(window, export, folder, tmp_path, qtbot):
    opened(window, folder, qtbot)
    target = tmp_path / "there.csv"
    target.write_text("older")
    export.open()
    dialog = export.dialog
    choose(dialog, "csv")
    dialog.file.setText(str(target))
    dialog.export.click()
    assert (dialog.message.text(), dialog.export.text()) == (EXISTS, "&Replace")
    assert target.read_text() == "older"
    dialog.export.click()
    qtbot.waitUntil(lambda: export.dialog is None)
    assert target.read_text("utf-8").startswith("i,t,decision")


def test_what_goes_wrong_is_told_in_the_dialog(window, export, folder, tmp_path, qtbot):
    opened(window, folder, qtbot)
    export.open()
    dialog = export.dialog
    choose(dialog, "csv")
    dialog.file.setText("")
    dialog.export.click()
    assert dialog.message.text() == "Name the file first."
    dialog.file.setText(str(tmp_path / "no" / "where.csv"))
    dialog.export.click()
    qtbot.waitUntil(lambda: "There is no folder" in dialog.message.text())
    assert dialog.export.isEnabled()
    for name in ("timeline.jsonl", "title.txt"):
        dialog.set_file(str(folder / name))
        dialog.export.click()
        qtbot.waitUntil(lambda: "belongs to the session itself" in dialog.message.text())
    assert len(read_session(folder).turns) == 40
    dialog.reject()


def test_another_document_closes_the_dialog(window, export, folder, qtbot):
    export.open()
    opened(window, folder, qtbot)
    assert export.dialog is None


def test_everything_in_the_dialog_has_a_name_and_is_reached_by_keys(window, export, folder, qtbot):
    opened(window, folder, qtbot)
    export.open()
    dialog = export.dialog
    for widget in (dialog.formats, dialog.extent, dialog.file):
        assert widget.accessibleName()
    assert dialog.focusWidget() is dialog.formats
    reached = set()
    for _ in range(12):
        reached.add(dialog.focusWidget())
        dialog.focusNextChild()
    assert {dialog.formats, dialog.extent, dialog.file, dialog.browse, dialog.export} <= reached
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert export.dialog is None


def test_a_name_that_no_disk_takes_is_told(window, export, folder, tmp_path, qtbot):
    opened(window, folder, qtbot)
    export.open()
    export.dialog.file.setText(str(tmp_path / ("x" * 300)))
    export.dialog.export.click()
    qtbot.waitUntil(lambda: "name too long" in export.dialog.message.text())
