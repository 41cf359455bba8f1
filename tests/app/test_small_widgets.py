"""Meter, camera preview, state and device menus."""

import numpy as np
import pytest

from app.camera_preview import CameraPreview, newest_picture, to_qimage
from app.device_menus import DeviceMenu
from app.level_meter import FALL_DB_PER_S, FLOOR_DB, Ballistics, LevelMeter
from app.privacy import privacy_text
from app.status import Activity, Status
from app.status_view import StatusView, colour_of
from app.theme import CONTRAST, DARK, LIGHT, mix, q
from engine.camera.ring import FrameRing


def test_a_level_rises_at_once_and_falls_slowly():
    meter = Ballistics()
    assert meter.step(-20.0, 0.03)
    assert meter.shown_db == -20
    assert meter.step(-60.0, 0.1)
    assert meter.shown_db == pytest.approx(-20 - FALL_DB_PER_S * 0.1)
    meter.step(-120.0, 100)
    assert meter.shown_db == FLOOR_DB
    assert not meter.step(-120.0, 1)
    assert meter.step(40.0, 0.1)
    assert meter.unit == 1
    meter.step(float("nan"), 100)
    assert meter.unit == 0


def test_the_meter_lights_more_for_a_louder_level(qtbot):
    def lit(db: float) -> int:
        meter = LevelMeter(LIGHT, "Microphone", LIGHT.user_level)
        qtbot.addWidget(meter)
        meter.resize(220, 10)
        meter.show_level(db, 0.1)
        image = meter.grab().toImage()
        return sum(image.pixelColor(x, 5) == q(LIGHT.user_level) for x in range(220))

    assert lit(-66) == 0
    assert 0 < lit(-40) < lit(-10)


def test_the_camera_preview_tells_why_there_is_no_picture():
    class Camera:
        def __init__(self) -> None:
            self.ring = FrameRing()
            self.live = True

    camera = Camera()
    assert newest_picture(None, -1) == "Camera off"
    assert newest_picture(camera, -1) == "Waiting for the camera"
    camera.ring.write(np.full((30, 40, 3), 9, np.uint8), 0.1)
    found = newest_picture(camera, -1)
    assert isinstance(found, tuple)
    assert found[1] == 0
    assert newest_picture(camera, 0) is None
    camera.live = False
    assert newest_picture(camera, 0) == "The camera gives no pictures"


def test_a_picture_is_shown_in_its_colours_and_taken_away_again(qtbot):
    preview = CameraPreview(DARK)
    qtbot.addWidget(preview)
    preview.resize(200, 150)
    picture = np.zeros((120, 160, 3), np.uint8)
    picture[:, :80], picture[:, 80:] = (255, 0, 0), (0, 0, 255)
    assert to_qimage(picture).pixelColor(0, 0).red() == 255
    preview.show_picture(picture, 4)
    image = preview.grab().toImage()
    assert image.pixelColor(40, 75).red() > 200
    assert image.pixelColor(160, 75).blue() > 200
    assert preview.note == ""
    preview.show_note("gone")
    assert preview.note == "gone"
    assert preview.grab().toImage().pixelColor(40, 75).red() < 100


@pytest.mark.parametrize("theme", [LIGHT, DARK, CONTRAST], ids=lambda theme: theme.name)
def test_each_activity_has_a_shape_of_its_own(qtbot, theme):
    """The orb's pictures differ pairwise in where they are filled, not only in colour."""
    shapes = {}
    for activity in Activity:
        view = StatusView(theme)
        qtbot.addWidget(view)
        view.orb.resize(view.orb.sizeHint())
        view.show_status(Status(activity, self_level_db=-20.0, user_level_db=-30.0), 0.1)
        image = view.orb.grab().toImage()
        soft = mix(theme.surface, colour_of(activity, theme), 0.14)
        shapes[activity] = {
            (x, y) for x in range(10, 66) for y in range(10, 66) if image.pixelColor(x, y) != q(soft)
        }
    # Muted and a lost microphone share the crossed-out microphone, with words of their own.
    same = {Activity.MUTED, Activity.DEAF}
    for one in Activity:
        for other in Activity:
            if one is not other and {one, other} != same:
                assert len(shapes[one] ^ shapes[other]) > 40, (one, other)


def test_the_state_is_in_words_too(qtbot):
    view = StatusView(LIGHT)
    qtbot.addWidget(view)
    view.show_status(Status(Activity.LISTENING, detail="Microphone on"), 0)
    assert (view.title.text(), view.detail.text()) == ("Listening", "Microphone on")
    view.show_status(Status(Activity.TALKING, open_jobs=2), 0)
    assert view.detail.text() == ""
    assert view.work.text.text() == "Working on 2 requests in the background"
    assert view.orb.accessibleDescription() == "Talking. Working on 2 requests in the background"


def test_a_fault_shows_on_the_orb_and_in_words(qtbot):
    view = StatusView(LIGHT)
    qtbot.addWidget(view)
    view.show_status(Status(Activity.LISTENING), 0)
    before = view.orb.grab().toImage()
    view.show_status(Status(Activity.LISTENING, fault="the microphone is gone"), 0)
    after = view.orb.grab().toImage()
    changed = [(x, y) for x in range(76) for y in range(76) if before.pixel(x, y) != after.pixel(x, y)]
    assert len(changed) > 60
    assert min(x for x, _ in changed) > 40
    assert "the microphone is gone" in view.orb.accessibleDescription()


def test_a_device_menu_keeps_the_choice_when_the_device_goes(qtbot):
    menu = DeviceMenu("&Microphone", "System default")
    qtbot.addWidget(menu)
    told: list[str] = []
    menu.chosen.connect(told.append)
    menu.show_found([("a", "Desk & chair"), ("b", "Headset")])
    assert [action.text() for action in menu.actions()] == ["System default", "Desk && chair", "Headset"]
    menu.actions()[2].trigger()
    assert (menu.value, menu.name(), told) == ("b", "Headset", ["b"])
    menu.show_found([("a", "Desk & chair")])
    assert [action.text() for action in menu.actions()][-1] == "Headset (not found)"
    assert [action.isChecked() for action in menu.actions()] == [False, False, True]
    menu.choose("")
    assert (menu.name(), told) == ("System default", ["b", ""])
    menu.choose(__file__)
    assert menu.name() == "test_small_widgets.py", "a file in a device's place is not missing"


@pytest.mark.parametrize(
    ("server", "told"),
    [
        ("", "Your voice and camera pictures stay on this computer."),
        ("http://localhost:11434/v1", "Your voice and camera pictures stay on this computer."),
        ("http://127.0.0.1:8080", "Your voice and camera pictures stay on this computer."),
        ("https://api.example.com/v1", "the words of your questions go to api.example.com."),
    ],
)
def test_the_privacy_line_says_where_words_go(server, told):
    assert privacy_text(server).startswith("You are talking with an AI.")
    assert privacy_text(server).endswith(told)
    assert "a picture" in privacy_text("https://api.example.com", sends_pictures=True)
