"""Settings: what may stand in the file, what comes back, and what becomes of files that cannot be used."""

import dataclasses
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QByteArray, QSettings

from app.session_choice import background_from, choice_from, config_from, recordings_folder
from app.settings import DEFAULTS, FIELDS, Settings, wrong
from app.settings_store import SettingsStore
from engine.config import EngineConfig, Temperament
from engine.engines.registry import ENGINES

KEPT = Settings(
    theme="dark", input_device="mic é ✓", geometry=b"\x00\xffgeometry", interrupt=-1.5, speed=1.2,
    welcomed=True, keep_days=30, instructions="Be brief.\nNo jokes.", answers="server",
    server_url="https://example.org/v1", engine="pipeline",
)  # fmt: skip


def written(folder: Path, content: Any) -> SettingsStore:
    folder.mkdir(parents=True, exist_ok=True)
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    (folder / "settings.json").write_bytes(raw)
    return SettingsStore(folder)


def test_settings_come_back(tmp_path):
    store = SettingsStore(tmp_path / "new")
    assert store.load() == Settings() == DEFAULTS
    assert store.save(KEPT) == ""
    assert store.notices == ()
    assert SettingsStore(tmp_path / "new").load() == KEPT
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == ["settings.json"]
    entries = json.loads(store.file.read_text("utf-8"))
    assert entries["version"] == 1
    assert "camera" not in entries  # defaults are not written, so that better ones can come
    if os.name == "posix":
        assert store.file.stat().st_mode & 0o077 == 0


def test_every_field_has_a_default_that_may_be_kept():
    for name in FIELDS:
        assert wrong(name, getattr(DEFAULTS, name)) == "", name
    for engine in ENGINES:
        assert wrong("engine", engine) == ""


def test_no_key_and_no_wish_to_record_is_ever_a_setting():
    assert not [name for name in FIELDS if "key" in name or name.startswith("record_")]
    assert not any(name == "record" for name in FIELDS)


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("speed", 2, "is not from 0.7 to 1.4"),
        ("speed", float("nan"), "is not from"),
        ("speed", "fast", "is no number"),
        ("speed", True, "is no number"),
        ("speed", 10**400, "is no number"),
        ("interrupt", -3.01, "is not from -3 to 3"),
        ("keep_days", 1.5, "is no whole number"),
        ("keep_days", True, "is no whole number"),
        ("keep_days", -1, "is not from 0"),
        ("welcomed", 1, "is no yes or no"),
        ("engine", "psychic", "is none of micro"),
        ("answers", "cloud", "is none of nothing, embedded, server"),
        ("theme", "x" * 501, "is too long"),
        ("theme", "\ud800", "is no text"),
        ("camera", "a\0b", "is no text"),
        ("geometry", "not base64!", "is no base64 text"),
        ("geometry", 3, "is no base64 text"),
        ("theme", None, "is no text"),
        ("theme", ["dark"], "is no text"),
    ],
)
def test_a_wrong_value_is_told_and_the_others_are_used(tmp_path, name, value, why):
    store = written(tmp_path, {"version": 1, "last_camera": "0", name: value})
    loaded = store.load()
    assert loaded == Settings(last_camera="0")
    (notice,) = store.notices
    assert f"“{name}” {why}" in notice
    assert "\n" not in notice


def test_what_a_later_minor_version_added_is_written_back(tmp_path):
    later = {"from_tomorrow": {"a": [1, None]}, "more": "ü"}
    store = written(tmp_path, {"version": 1, "theme": "dark", **later})
    assert store.load() == Settings(theme="dark")
    assert store.save(Settings(theme="light")) == ""
    assert json.loads(store.file.read_text("utf-8")) == {"version": 1, "theme": "light", **later}


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe\x00", b"[1]", b"null", b"{}", b'{"version": "1"}', b'{"version": 0}',
     b"[" * 99_999, b'{"version": true}', b'{"version": 1, "theme": "' + b"x" * 5_000_000 + b'"}'],
)  # fmt: skip
def test_a_broken_file_is_set_aside_and_said_once(tmp_path, content):
    store = written(tmp_path, content)
    (tmp_path / "settings.broken-1.json").write_bytes(b"an earlier one")
    assert store.load() == Settings()
    (notice,) = store.notices
    assert "settings.broken-2.json" in notice
    assert (tmp_path / "settings.broken-2.json").read_bytes() == content
    assert not store.file.exists()
    assert store.save(KEPT) == ""
    again = SettingsStore(tmp_path)
    assert (again.load(), again.notices) == (KEPT, ())


def test_a_newer_file_is_used_as_far_as_understood_and_left_alone(tmp_path):
    content = json.dumps({"version": 2, "theme": "dark", "speed": 9}).encode()
    store = written(tmp_path, content)
    assert store.load() == Settings(theme="dark")
    assert "newer Microturn" in store.notices[0]
    assert store.save(KEPT) == ""
    assert store.file.read_bytes() == content


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="needs permissions that bind")
def test_a_file_that_cannot_be_read_is_not_overwritten(tmp_path):
    store = written(tmp_path, {"version": 1, "theme": "dark"})
    store.file.chmod(0)
    assert store.load() == Settings()
    assert "cannot be read" in store.notices[0]
    assert store.save(KEPT) == ""
    store.file.chmod(0o600)
    assert SettingsStore(tmp_path).load() == Settings(theme="dark")


def test_a_folder_in_place_of_the_file_is_no_crash(tmp_path):
    (tmp_path / "settings.json").mkdir()
    store = SettingsStore(tmp_path)
    assert store.load() == Settings()
    assert store.notices
    assert store.save(KEPT) == ""


def test_a_disk_that_refuses_is_told_once_and_leaves_the_old_file(tmp_path, monkeypatch):
    store = SettingsStore(tmp_path)
    store.load()
    assert store.save(KEPT) == ""

    def full(handle: int, *_: Any, **__: Any) -> None:
        os.close(handle)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("app.settings_store.os.fdopen", full)
    assert "No space left on device" in store.save(Settings(theme="light"))
    assert store.save(Settings(theme="contrast")) == ""
    assert SettingsStore(tmp_path).load() == KEPT
    assert [p.name for p in tmp_path.iterdir()] == ["settings.json"]
    monkeypatch.undo()
    assert store.save(Settings(theme="light")) == ""
    assert SettingsStore(tmp_path).load().theme == "light"


def test_a_process_that_dies_while_writing_leaves_the_old_file(tmp_path, monkeypatch):
    store = SettingsStore(tmp_path)
    store.save(KEPT)

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        store.save(Settings())
    assert SettingsStore(tmp_path).load() == KEPT


def test_the_old_file_is_read_when_there_is_no_new_one(tmp_path):
    old = QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat)
    for name, value in {"theme": "dark", "input_device": "mic é"}.items():
        old.setValue(name, value)
    old.setValue("geometry", QByteArray(b"\x00\xffgeometry"))
    old.sync()
    store = SettingsStore(tmp_path)
    loaded = store.load()
    assert loaded == Settings(theme="dark", input_device="mic é", geometry=b"\x00\xffgeometry")
    assert store.notices == ()
    assert store.save(dataclasses.replace(loaded, theme="light")) == ""
    assert SettingsStore(tmp_path).load().theme == "light"  # from now on the new file counts
    (tmp_path / "settings.json").unlink()
    (tmp_path / "window.ini").write_bytes(b"\xff\xfe\x00[General\ntheme=\x80\x81\ngeometry=@ByteArray(")
    assert isinstance(SettingsStore(tmp_path).load(), Settings)


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*FIELDS, "version", "other"]), _values))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_whatever_stands_in_the_file_gives_settings_that_can_be_kept(tmp_path, entries):
    for left in tmp_path.glob("settings*"):
        left.unlink()
    store = written(tmp_path, {"version": 1, **entries})
    loaded = store.load()
    for name in FIELDS:
        assert wrong(name, getattr(loaded, name)) == ""
    store.save(loaded)
    config_from(loaded)
    background_from(loaded, {})
    assert SettingsStore(tmp_path).load() == loaded


# from settings to a session


def test_choices_of_the_window_become_a_session(tmp_path):
    choice = choice_from(Settings(input_device="mic", interrupt=0.5, give_way=-1.0, voice="emma"), tmp_path)
    assert (choice.input_device, choice.output_device, choice.camera) == ("mic", None, None)
    assert choice.record_in == tmp_path
    assert choice.config == EngineConfig(temperament=Temperament(0.5, 0.0, -1.0), voice="emma")
    assert choice.config.temperament.bias == {"interrupt": 0.5, "yield": -1.0}
    assert choice_from(Settings()).config == EngineConfig()


def test_an_engine_of_rules_gets_no_temperament():
    assert config_from(Settings(engine="pipeline", interrupt=2.0)).temperament == Temperament()


def test_the_environment_counts_until_something_is_chosen():
    env = {
        "MICROTURN_BASE_URL": "https://a.example/v1", "MICROTURN_MODEL": "m", "MICROTURN_API_KEY": "k",
        "MICROTURN_SEND_PICTURES": "1", "MICROTURN_THINK_AHEAD": "0",
    }  # fmt: skip
    base = background_from(Settings(), env)
    assert (base.base_url, base.model, base.api_key) == ("https://a.example/v1", "m", "k")
    assert (base.send_frames, base.think_ahead, base.language) == (True, False, "en")
    chosen = Settings(
        send_pictures="no", think_ahead="yes", language="de", instructions="Be brief.",
        reasoning_effort="low", recogniser="/models/x", server_model="n",
    )  # fmt: skip
    made = background_from(chosen, env)
    assert (made.send_frames, made.think_ahead, made.language, made.model) == (False, True, "de", "n")
    assert (made.instructions, made.reasoning_effort, made.asr_dir) == ("Be brief.", "low", "/models/x")
    assert made.api_key == "k"


def test_the_key_of_the_environment_goes_to_its_own_server_only():
    env = {"MICROTURN_BASE_URL": "https://a.example/v1", "MICROTURN_API_KEY": "k", "MICROTURN_MODEL": "m"}
    other = background_from(Settings(answers="server", server_url="https://b.example/v1"), env)
    assert (other.base_url, other.api_key, other.model) == ("https://b.example/v1", "", "")
    alone = background_from(Settings(answers="embedded", server_model="x"), env)
    assert (alone.base_url, alone.api_key, alone.model, alone.discover) == ("", "", "", False)
    same = background_from(Settings(answers="server", server_url="https://a.example/v1"), env)
    assert same.api_key == "k"
    unnamed = background_from(Settings(answers="server"), env)
    assert unnamed.base_url == "https://a.example/v1"


def test_where_recordings_are(tmp_path):
    assert recordings_folder(Settings(recordings_folder=str(tmp_path))) == tmp_path
    assert recordings_folder(Settings()).name == "sessions"
