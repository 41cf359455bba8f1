"""The settings dialog, as a person uses it, with the real store, keyring and disk behind it."""

import json
import os
from dataclasses import replace
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QComboBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QSlider,
    QWidget,
)

from app.engine_bridge import EngineBridge
from app.features import FEATURES
from app.main_window import MainWindow
from app.preferences import wording
from app.preferences.dialog import PreferencesDialog
from app.preferences.feature import PreferencesFeature
from app.settings import Settings
from app.settings_store import SettingsStore
from engine.background.discovery import Found
from engine.background.settings import BackgroundSettings
from engine.config import Temperament
from engine.errors import MicroturnError
from tests.app.fake_session import FakeEngine
from tests.app.test_main_window import recorded, running, stopped
from tests.engine.test_voices import Server, server  # noqa: F401

# Qt's offscreen platform says this of every window.
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", r"does not support raise\(\)")


class Ring(KeyringBackend):
    """A keyring in memory."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


@pytest.fixture
def ring():
    before, made = keyring.get_keyring(), Ring()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


@pytest.fixture(autouse=True)
def no_servers(monkeypatch) -> list[Found]:
    """What is found on this computer."""
    found: list[Found] = []
    monkeypatch.setattr("engine.background.discovery.discover", lambda: tuple(found))
    for name in [name for name in os.environ if name.startswith("MICROTURN_")]:
        monkeypatch.delenv(name)
    return found


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def window(engine, qtbot, ring):
    store = SettingsStore()
    settings = replace(store.load(), theme="light", welcomed=True)
    made = MainWindow(EngineBridge(engine.open, engine.list_devices), settings, None, store.save)
    qtbot.addWidget(made)
    made.show()
    yield made
    made.close()


@pytest.fixture
def dialog(window, qtbot) -> PreferencesDialog:
    feature = next(each for each in window._features if isinstance(each, PreferencesFeature))
    feature.show()
    assert feature.dialog is not None
    settle(feature.dialog, qtbot)
    return feature.dialog


def settle(dialog: PreferencesDialog, qtbot) -> None:
    qtbot.waitUntil(lambda: not any(page.calls.busy for page in dialog.pages), timeout=20_000)


def page(dialog: PreferencesDialog, qtbot, title: str):
    dialog.show_page(title)
    settle(dialog, qtbot)
    return dialog.page


def pick(combo: QComboBox, value: str) -> None:
    combo.setCurrentIndex(combo.findData(value))
    combo.activated.emit(combo.currentIndex())


def typed(qtbot, field: QLineEdit, text: str) -> None:
    field.setFocus()
    field.clear()
    qtbot.keyClicks(field, text)
    qtbot.keyClick(field, Qt.Key.Key_Return)


def kept() -> Settings:
    return SettingsStore().load()


def test_it_is_a_feature_of_the_window():
    assert PreferencesFeature in FEATURES


def test_it_opens_by_its_shortcut_and_stays_beside_the_window(window, qtbot):
    action = next(a for a in window.commands.everything() if a.shortcut().toString() == "Ctrl+,")
    action.trigger()
    (dialog,) = window.findChildren(PreferencesDialog)
    assert dialog.isVisible() and not dialog.isModal()
    settle(dialog, qtbot)
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()
    action.trigger()
    assert window.findChildren(PreferencesDialog) == [dialog]
    settle(dialog, qtbot)


def test_everything_has_a_name_and_can_be_reached_by_keys(dialog, qtbot):
    for title in [each.title for each in dialog.pages]:
        shown = page(dialog, qtbot, title)
        controls = [
            control
            for kind in (QAbstractButton, QComboBox, QLineEdit, QPlainTextEdit, QSlider)
            for control in shown.findChildren(kind)
            if control.isVisibleTo(dialog) and not isinstance(control.parent(), QComboBox)
        ]
        assert controls, title
        for control in controls:
            name = control.accessibleName() or getattr(control, "text", lambda: "")()
            assert name, (title, control)
            assert control.focusPolicy() & Qt.FocusPolicy.TabFocus, (title, name)
        marked = [label for label in shown.findChildren(QLabel) if "&" in label.text().replace("&&", "")]
        assert all(label.buddy() is not None for label in marked), title
        letters = [
            each.text()[each.text().index("&") + 1].lower()
            for each in (*marked, *shown.findChildren(QAbstractButton))
            if "&" in each.text().replace("&&", "") and each.isVisibleTo(dialog)
        ]
        assert len(letters) == len(set(letters)), (title, letters)


def cut_off(shown: QWidget, dialog: QWidget) -> list[str]:
    """Texts of labels that are smaller than they need to be."""
    found = []
    for label in shown.findChildren(QLabel):
        if label.isVisibleTo(dialog) and label.text():
            need = label.heightForWidth(label.width()) if label.wordWrap() else label.sizeHint().height()
            if label.height() < need or not (label.wordWrap() or label.width() >= label.sizeHint().width()):
                found.append(label.text())
    return found


@pytest.mark.parametrize("theme", ["light", "dark", "contrast"])
@pytest.mark.parametrize("scale", [1.0, 1.5])
def test_no_text_is_cut_off(window, dialog, qtbot, theme, scale):
    shown = page(dialog, qtbot, "Appearance")
    pick(shown.theme, theme)
    pick(shown.text_size, f"{scale:g}")
    assert (window.theme.name, window.settings.text_scale) == (theme, scale)
    assert (kept().theme, kept().text_scale) == (theme, scale)
    for title in [each.title for each in dialog.pages]:
        shown = page(dialog, qtbot, title)
        qtbot.waitUntil(lambda shown=shown: cut_off(shown, dialog) == [], timeout=5_000)
    dialog.page.reset()
    settle(dialog, qtbot)
    themes_and_size = (window.settings.theme, window.settings.text_scale)
    assert themes_and_size == ("system", 1.0)


def test_the_timeline_is_hidden_and_shown_from_the_page_too(window, dialog, qtbot):
    shown = page(dialog, qtbot, "Appearance")
    shown.timeline.click()
    assert not kept().show_timeline
    assert not window.timeline_card.isVisible()
    window.commands.timeline.trigger()
    assert shown.timeline.isChecked()
    shown.timeline.click()
    dialog.reset.click()
    assert window.timeline_card.isVisible()


# conversation


def test_temperament_goes_from_the_slider_into_the_next_session(window, dialog, qtbot):
    shown = page(dialog, qtbot, "Conversation")
    slider = shown.sliders["interrupt"].slider
    assert slider.accessibleName() == "Interrupts you, less to more"
    slider.setFocus()
    for _ in range(5):
        qtbot.keyClick(slider, Qt.Key.Key_Right)
    assert shown.sliders["interrupt"].words.text() == "+0.5"
    shown.sliders["give_way"].slider.setValue(-30)
    assert window.choice().config.temperament == Temperament(interrupt=0.5, give_way=-3.0)
    assert (kept().interrupt, kept().give_way) == (0.5, -3.0)
    assert "no timer or threshold" in shown.note.text()
    pick(shown.engine, "pipeline")
    assert not slider.isEnabled()
    assert "no temperament" in shown.note.text()
    assert window.choice().config.temperament == Temperament()
    dialog.reset.click()
    assert slider.isEnabled()
    assert (window.settings.engine, window.settings.interrupt, slider.value()) == ("micro", 0.0, 0)


def test_what_is_changed_during_a_session_is_said_to_wait(window, dialog, engine, qtbot):
    page(dialog, qtbot, "Conversation")
    assert not dialog.later.isVisible()
    running(window, engine, qtbot)
    assert dialog.later.isVisible()
    assert "next start" in dialog.later.text()
    page(dialog, qtbot, "Appearance")
    assert not dialog.later.isVisible()
    stopped(window, qtbot)


def test_a_voice_is_fetched_only_when_asked_for(window, dialog, qtbot, server: Server):  # noqa: F811
    shown = page(dialog, qtbot, "Conversation")
    pick(shown.voice, "emma")
    assert "Not installed: Heart speaks" in shown.voice_note.text()
    assert not shown.listen.isEnabled()
    assert server.asked == []
    shown.install.click()
    qtbot.waitUntil(lambda: not shown.fetching.busy and not shown.calls.busy, timeout=20_000)
    assert server.asked == ["/voices/bf_emma.int8.onnx"]
    assert shown.told.text() == "Emma is installed."
    assert shown.listen.isEnabled()
    assert not shown.install.isVisible()
    assert window.choice().config.voice == "emma"


def test_a_failed_download_is_told_and_can_be_tried_again(dialog, qtbot, server: Server):  # noqa: F811
    shown = page(dialog, qtbot, "Conversation")
    pick(shown.voice, "emma")
    server.data = server.data[:-1] + b"?"
    shown.install.click()
    assert shown.install.text() == "&Cancel"
    qtbot.waitUntil(lambda: not shown.fetching.busy and not shown.calls.busy, timeout=20_000)
    assert "not the voice that was expected" in shown.told.text()
    assert shown.install.text() == "Ins&tall" and shown.install.isEnabled()


def test_listen_plays_the_voice_through_the_chosen_loudspeaker(window, dialog, engine, qtbot, monkeypatch):
    played = []
    monkeypatch.setattr("engine.audio.live.play", lambda *given: played.append(given))
    window.menus.outputs.choose("spk-1")
    shown = page(dialog, qtbot, "Conversation")
    shown.speed.slider.setValue(28)
    assert shown.speed.words.text() == "1.40 ×"
    shown.listen.click()
    settle(dialog, qtbot)
    ((samples, output),) = played
    assert output == "spk-1"
    assert 20_000 < len(samples) < 45_000
    running(window, engine, qtbot)
    assert not shown.listen.isEnabled()
    assert "Stop the session" in shown.listen.toolTip()
    stopped(window, qtbot)

    def refuse(*_: object) -> None:
        raise MicroturnError("there is no loudspeaker: plug one in")

    monkeypatch.setattr("engine.audio.live.play", refuse)
    shown.listen.click()
    settle(dialog, qtbot)
    assert shown.told.text() == "There is no loudspeaker: plug one in."
    assert shown.listen.isEnabled()


# background


def test_a_server_is_named_and_its_key_goes_to_the_keyring_alone(window, dialog, qtbot, ring):
    shown = page(dialog, qtbot, "Background")
    assert "built-in model" in shown.state.text()
    assert not shown.address.isEnabled() and not shown.key.isEnabled()
    pick(shown.answers, "server")
    assert "Type the address" in shown.state.text()
    typed(qtbot, shown.address, "example.org")
    assert "Give a web address" in shown.told.text()
    assert window.settings.server_url == ""
    typed(qtbot, shown.address, "https://example.org/v1")
    settle(dialog, qtbot)
    assert "server example.org" in shown.state.text()
    assert shown.key_note.text().startswith("No key is kept for example.org")
    shown.key.setText("sk-very-secret")
    shown.keep_key.click()
    settle(dialog, qtbot)
    assert ring.kept == {("microturn", "example.org"): "sk-very-secret"}
    assert shown.key.text() == ""
    assert shown.key_note.text().startswith("A key for example.org is kept")
    choice = window.choice()
    assert choice.background is not None
    assert (choice.background.base_url, choice.background.api_key) == ("https://example.org/v1", "")
    assert "sk-very-secret" not in SettingsStore().file.read_text("utf-8")
    assert "example.org" in window.side.privacy.text()
    assert "example.org" in window.card.welcome_more.text()
    assert "example.org" in window.card.files.rule.text()
    shown.forget_key.click()
    settle(dialog, qtbot)
    assert ring.kept == {}
    dialog.reset.click()
    settle(dialog, qtbot)
    assert window.choice().background == BackgroundSettings()
    assert "example.org" not in window.side.privacy.text()


def test_while_a_session_runs_the_window_says_where_its_words_really_go(window, dialog, engine, qtbot):
    window.change_settings(answers="server", server_url="https://example.org/v1")
    running(window, engine, qtbot)
    window.change_settings(answers="embedded")
    assert "example.org" in window.side.privacy.text()
    stopped(window, qtbot)
    assert "example.org" not in window.side.privacy.text()


def test_servers_on_this_computer_are_found_and_their_models_offered(window, dialog, qtbot, no_servers):
    no_servers.append(Found("Ollama", "http://127.0.0.1:11434/v1", ("llama", "mistral")))
    shown = page(dialog, qtbot, "Background")
    assert "Ollama at http://127.0.0.1:11434/v1" in shown.state.text()
    assert [shown.model.itemText(k) for k in range(shown.model.count())] == ["llama", "mistral"]
    shown.model.setCurrentIndex(1)
    shown.model.activated.emit(1)
    assert window.settings.server_model == "mistral"
    pick(shown.answers, "embedded")
    assert "built-in model" in shown.state.text()
    assert window.choice().background.discover is False


def test_how_it_should_behave_reaches_the_background(window, dialog, qtbot):
    shown = page(dialog, qtbot, "Background")
    shown.instructions.setFocus()
    shown.instructions.insertPlainText("Be brief.\nNo jokes.")
    shown.pictures.click()
    shown.ahead.click()
    dialog.close()
    background = window.choice().background
    assert background.instructions == "Be brief.\nNo jokes."
    assert (background.send_frames, background.think_ahead) == (True, False)
    assert kept().instructions == "Be brief.\nNo jokes."


def test_a_folder_without_a_recogniser_is_refused(window, dialog, qtbot, tmp_path):
    shown = page(dialog, qtbot, "Background")
    typed(qtbot, shown.recogniser, str(tmp_path))
    assert "no model.bin" in shown.told.text()
    assert window.settings.recogniser == ""
    (tmp_path / "model.bin").write_bytes(b"x")
    typed(qtbot, shown.recogniser, str(tmp_path))
    assert window.choice().background.asr_dir == str(tmp_path)


# tools and devices


def test_a_tool_is_switched_off_and_comes_back(dialog, qtbot):
    shown = page(dialog, qtbot, "Tools")
    assert shown.rows["screenshot"].currentText() == "As it comes: asks each time"
    pick(shown.rows["screenshot"], "off")
    settle(dialog, qtbot)
    file = SettingsStore().folder / "tools.json"
    assert json.loads(file.read_text("utf-8")) == {"off": ["screenshot"]}
    assert shown.rows["screenshot"].value == "off"
    dialog.reset.click()
    settle(dialog, qtbot)
    assert json.loads(file.read_text("utf-8")) == {}
    assert shown.rows["screenshot"].value == ""


def test_a_damaged_list_of_tools_is_told_and_left(dialog, qtbot):
    file = SettingsStore().folder / "tools.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("{")
    shown = page(dialog, qtbot, "Tools")
    assert "not valid JSON" in shown.told.text()
    pick(shown.rows["look"], "off")
    settle(dialog, qtbot)
    assert "not valid JSON" in shown.told.text()
    assert file.read_text() == "{"


def test_devices_are_those_of_the_menus(window, dialog, qtbot):
    shown = page(dialog, qtbot, "Devices")
    microphone = shown.rows[0][0]
    qtbot.waitUntil(lambda: microphone.findData("mic-1") > 0)
    pick(microphone, "mic-1")
    assert window.menus.inputs.value == "mic-1"
    assert window.choice().input_device == "mic-1"
    window.menus.inputs.choose("")
    assert microphone.currentText() == "System default"
    window.menus.cameras.choose("0")
    shown.hold.click()
    assert window.settings.hold_to_talk
    assert window.commands.mute.isChecked()
    dialog.reset.click()
    assert window.menus.cameras.value == ""
    assert not window.settings.hold_to_talk
    assert not window.commands.mute.isChecked()


# privacy


def test_recordings_are_counted_and_deleted_after_a_question(window, dialog, qtbot, tmp_path):
    folder = tmp_path / "sessions"
    folder.mkdir()
    for name in ("one", "two"):
        recorded(folder / name)
    (folder / "letter.txt").write_text("not a session")
    window.change_settings(recordings_folder=str(folder))
    shown = page(dialog, qtbot, "Privacy")
    assert shown.folder.text() == str(folder)
    assert shown.usage.text().startswith("2 recordings, ")
    shown.delete_all.click()
    settle(dialog, qtbot)
    assert "Delete all 2 recordings" in shown.question.text()
    assert str(folder) in shown.question.text()
    assert shown.question.defaultButton().text() == "Cancel"
    shown.question.defaultButton().click()
    settle(dialog, qtbot)
    assert len(list(folder.iterdir())) == 3
    shown.delete_all.click()
    settle(dialog, qtbot)
    next(each for each in shown.question.buttons() if "Delete" in each.text()).click()
    settle(dialog, qtbot)
    assert [path.name for path in folder.iterdir()] == ["letter.txt"]
    assert shown.told.text().startswith("Deleted 2 recordings")
    assert shown.usage.text() == "No recordings"
    assert not shown.delete_all.isEnabled()


def test_whether_to_record_is_never_remembered(window, dialog, qtbot):
    shown = page(dialog, qtbot, "Privacy")
    before = SettingsStore().file.read_bytes() if SettingsStore().file.exists() else b""
    shown.record.click()
    assert window.commands.record.isChecked()
    assert window.choice().record_in is not None
    window.commands.record.trigger()
    assert not shown.record.isChecked()
    shown.record.click()
    after = SettingsStore().file.read_bytes() if SettingsStore().file.exists() else b""
    assert before == after
    pick(shown.keep, "30")
    assert kept().keep_days == 30


def test_closing_the_window_ends_what_the_dialog_began(window, dialog, qtbot):
    page(dialog, qtbot, "Background")
    window.close()
    assert not dialog.isVisible()
    assert all(each.calls._closed for each in dialog.pages)


# words


@pytest.mark.parametrize(
    ("settings", "found", "told"),
    [
        (BackgroundSettings(base_url="http://example.org/v1"), [], "without encryption"),
        (BackgroundSettings(base_url="https://example.org/v1"), [], "go there."),
        (BackgroundSettings(base_url="http://localhost:1/v1"), [], "this computer"),
        (BackgroundSettings(base_url="nonsense"), [], "cannot be used"),
        (BackgroundSettings(), [("Ollama", "http://127.0.0.1:1/v1")], "Ollama"),
        (BackgroundSettings(discover=False), [("Ollama", "http://127.0.0.1:1/v1")], "built-in"),
    ],
)
def test_where_answers_come_from_is_said(settings, found, told):
    assert told in wording.answers_text(settings, found)


def test_numbers_are_said_as_people_say_them():
    assert [wording.bias_text(n) for n in (-30, 0, 7)] == ["-3.0", "as trained", "+0.7"]
    assert wording.delete_question(1, 5_000_000, Path("/r")).startswith("Delete the only recording (5.0 MB)")
    assert "Not deleted: a; b" in wording.deleted_text(1, 0, ["a", "b"])
    assert wording.keep_options(45)[3] == ("45", "for 45 days")
    for bad in ("http://", "ftp://x", "http://a:b:c/", "http://a b/", "x", "http://[1"):
        assert wording.address_problem(bad), bad


def test_widgets_belong_to_the_window(window, dialog):
    assert isinstance(dialog.parent(), QWidget)
    assert dialog.parent() is window


def test_the_temperament_is_taken_over_by_a_running_session_once_the_slider_rests(
    window, engine, dialog, qtbot
):
    shown = page(dialog, qtbot, "Conversation")
    live = running(window, engine, qtbot)
    assert "taken over at once" in dialog.later.text()
    shown.sliders["interrupt"].slider.setFocus()
    for _ in range(3):
        qtbot.keyClick(shown.sliders["interrupt"].slider, Qt.Key.Key_Right)
    qtbot.waitUntil(lambda: bool(live.temperaments))
    window.change_settings(speed=1.2)
    qtbot.wait(600)
    assert live.temperaments == [window.choice().config.temperament]
    assert live.temperaments[0].interrupt > 0
