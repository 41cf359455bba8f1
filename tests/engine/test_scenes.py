"""Scenes on the disk: what is read, what is refused and how, and what goes in and out."""

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import soundfile

from engine import scenes
from engine.config import INPUT_HZ, Temperament
from engine.errors import InputError
from engine.scenes import Scene

WHOLE = {
    "version": 1,
    "name": "Whole",
    "try": "Say hello.",
    "instructions": "Be brief.",
    "server": "http://localhost:11434/v1",
    "model": "small",
    "recording": "visitor.ogg",
    "video": "",
    "temperament": {"interrupt": 0.5, "backchannel": -1, "give_way": 0},
}


def written(folder: Path, data: object, name: str = "one.json") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
    return file


def there(path: Path | None) -> Path:
    assert path is not None
    return path


def test_a_whole_scene_is_read(tmp_path):
    scene = scenes.load(written(tmp_path, WHOLE))
    assert scene == Scene(
        "Whole",
        "Say hello.",
        "Be brief.",
        "http://localhost:11434/v1",
        "small",
        tmp_path / "visitor.ogg",
        None,
        Temperament(0.5, -1.0, 0.0),
        tmp_path / "one.json",
    )
    assert not scene.bundled
    assert scene.missing() == "the recording visitor.ogg of the scene “Whole” is not there: choose another"
    (tmp_path / "visitor.ogg").write_bytes(b"x")
    assert scene.missing() == ""


def test_a_name_is_enough(tmp_path):
    scene = scenes.load(written(tmp_path, {"name": " Plain "}))
    assert scene == Scene("Plain", file=tmp_path / "one.json")
    assert scene.temperament is None


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ("{", "is not JSON"),
        ("[" * 50_000, "is not JSON"),
        ([], "is no scene"),
        ({}, "has no name"),
        ({"name": 3}, '"name" must be a text'),
        ({"name": "x" * 61}, "longer than 60"),
        ({"name": "x", "version": 2}, "version 2"),
        ({"name": "x", "server": "ftp://somewhere"}, "must be an address"),
        ({"name": "x", "server": "http://[broken"}, "must be an address"),
        ({"name": "x", "recording": 1}, '"recording" must be a text'),
        ({"name": "x", "recording": "a\0b"}, "no file name"),
        ({"name": "x", "temperament": 1}, "must be an object"),
        ({"name": "x", "temperament": {"interrupt": True}}, "must be a number"),
        ({"name": "x", "temperament": {"interrupt": 4}}, "from -3 to 3"),
        ({"name": "x", "instructions": "x" * 2_001}, "longer than 2000"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(tmp_path, data, why):
    with pytest.raises(InputError, match=why) as caught:
        scenes.load(written(tmp_path, data))
    assert "\n" not in str(caught.value)
    assert "one.json" in str(caught.value)


def test_what_cannot_be_read_is_told(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        scenes.load(tmp_path / "none.json")
    (tmp_path / "one.json").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="UTF-8"):
        scenes.load(tmp_path / "one.json")
    (tmp_path / "one.json").write_bytes(b" " * (scenes.MAX_FILE_BYTES + 1))
    with pytest.raises(InputError, match="too large"):
        scenes.load(tmp_path / "one.json")


def test_a_broken_file_is_left_out_and_told(tmp_path):
    written(tmp_path / "a", {"name": "B"}, "b.json")
    written(tmp_path / "a", {"name": "A"}, "a.json")
    written(tmp_path / "a", "{", "broken.json")
    written(tmp_path / "b", {"name": "Own"})
    found, troubles = scenes.all_scenes((tmp_path / "a", tmp_path / "b", tmp_path / "none"))
    assert [scene.name for scene in found] == ["A", "B", "Own"]
    assert len(troubles) == 1
    assert "broken.json" in troubles[0]


def test_saving_and_loading_gives_the_same(tmp_path):
    scene = replace(scenes.load(written(tmp_path, WHOLE)), file=None)
    saved = scenes.save(scene, tmp_path)
    assert saved.file == tmp_path / "whole.json"
    assert scenes.load(there(saved.file)) == saved
    again = scenes.save(replace(saved, to_try="Something else."), tmp_path)
    assert again.file == saved.file
    assert scenes.load(there(saved.file)).to_try == "Something else."
    other = scenes.save(replace(saved, file=None), tmp_path)
    assert other.file == tmp_path / "whole-2.json"
    assert not list(tmp_path.glob("*.part"))


def test_nothing_invalid_is_saved(tmp_path):
    for bad in (Scene(" "), Scene("x", server="nowhere"), Scene("x" * 70)):
        with pytest.raises(InputError):
            scenes.save(bad, tmp_path)
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="cannot be written"):
        scenes.save(Scene("x"), tmp_path / "file")


def test_sound_elsewhere_is_named_in_full(tmp_path):
    scene = Scene("x", recording=tmp_path / "sounds" / "a.ogg")
    saved = scenes.save(scene, tmp_path / "scenes")
    assert scenes.load(there(saved.file)).recording == tmp_path / "sounds" / "a.ogg"


def test_duplicates_and_deletes(tmp_path):
    saved = scenes.save(Scene("One"), tmp_path)
    copy = scenes.duplicate(saved, tmp_path)
    assert copy.name == "One (copy)"
    assert copy.file != saved.file
    scenes.delete(saved)
    assert [scene.name for scene in scenes.all_scenes((tmp_path,))[0]] == ["One (copy)"]
    scenes.delete(saved)  # already gone


def test_bundled_scenes_are_not_touched(tmp_path):
    bundled = scenes.all_scenes()[0][0]
    assert bundled.bundled
    with pytest.raises(InputError, match="duplicate it"):
        scenes.delete(bundled)
    own = scenes.save(bundled, tmp_path)
    assert there(own.file).parent == tmp_path
    assert own.recording == bundled.recording


@pytest.fixture
def with_media(tmp_path) -> Scene:
    folder = tmp_path / "from"
    folder.mkdir()
    (folder / "a b.ogg").write_bytes(b"sound")
    (folder / "v.mp4").write_bytes(b"video")
    scene = Scene("With media", recording=folder / "a b.ogg", video=folder / "v.mp4")
    return scenes.save(scene, folder)


def test_an_exported_scene_can_be_imported(with_media, tmp_path):
    scenes.export(with_media, tmp_path / "out.zip")
    got = scenes.import_scene(tmp_path / "out.zip", tmp_path / "to")
    assert got.name == "With media"
    assert there(got.recording).read_bytes() == b"sound"
    assert there(got.video).read_bytes() == b"video"
    assert {path.parent for path in (there(got.file), there(got.recording), there(got.video))} == {
        tmp_path / "to"
    }
    again = scenes.import_scene(tmp_path / "out.zip", tmp_path / "to")
    assert again.recording != got.recording


def test_a_plain_file_can_be_imported(with_media, tmp_path):
    got = scenes.import_scene(there(with_media.file), tmp_path / "to")
    assert there(got.recording).parent == tmp_path / "to"
    assert there(got.recording).read_bytes() == b"sound"


def test_an_export_needs_its_sound(with_media, tmp_path):
    there(with_media.recording).unlink()
    with pytest.raises(InputError, match="not there"):
        scenes.export(with_media, tmp_path / "out.zip")
    assert not (tmp_path / "out.zip").exists()


def packed(file: Path, members: dict[str, str]) -> Path:
    with zipfile.ZipFile(file, "w") as made:
        for name, text in members.items():
            made.writestr(name, text)
    return file


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"scene.json": "{"},
        {"scene.json": json.dumps({"name": "x", "recording": "lost.ogg"})},
        {"other.json": json.dumps({"name": "x"})},
    ],
)
def test_what_is_no_export_is_refused_and_leaves_nothing(tmp_path, members):
    with pytest.raises(InputError):
        scenes.import_scene(packed(tmp_path / "in.zip", members), tmp_path / "to")
    assert not (tmp_path / "to").exists()


def test_no_zip_at_all_is_refused(tmp_path):
    (tmp_path / "in.zip").write_bytes(b"nothing")
    with pytest.raises(InputError, match="no exported scene"):
        scenes.import_scene(tmp_path / "in.zip", tmp_path / "to")
    with pytest.raises(InputError, match="cannot be read"):
        scenes.import_scene(tmp_path / "none.zip", tmp_path / "to")


def test_an_import_stays_in_its_folder(tmp_path):
    """Names in a ZIP file decide about nothing but where to read."""
    evil = "../../evil.ogg"
    data = json.dumps({"name": "x", "recording": evil})
    got = scenes.import_scene(
        packed(tmp_path / "in.zip", {"scene.json": data, evil: "sound"}), tmp_path / "deep" / "to"
    )
    assert there(got.recording).parent == tmp_path / "deep" / "to"
    assert not list(tmp_path.glob("evil*"))


def test_a_huge_import_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(scenes, "MAX_MEDIA_BYTES", 3)
    data = json.dumps({"name": "x", "recording": "a.ogg"})
    with pytest.raises(InputError, match="MiB"):
        scenes.import_scene(
            packed(tmp_path / "in.zip", {"scene.json": data, "a.ogg": "sound"}), tmp_path / "to"
        )


def test_the_bundled_scenes_are_whole():
    found, troubles = scenes.all_scenes((scenes.bundled_dir(),))
    assert not troubles
    assert len(found) >= 6
    assert all(scene.bundled and scene.to_try for scene in found)
    assert not any(scene.missing() or scene.server for scene in found)
    with_sound = [scene for scene in found if scene.recording is not None]
    assert len(with_sound) >= 5
    for scene in with_sound:
        about = soundfile.info(there(scene.recording))
        assert about.channels == 1
        assert about.samplerate == INPUT_HZ
        assert 10 < about.duration < 60
    assert any(scene.video is not None for scene in found)
    assert sum(file.stat().st_size for file in scenes.bundled_dir().iterdir()) < 3_000_000


def test_a_number_beyond_all_bounds_is_told(tmp_path):
    text = '{"name": "x", "temperament": {"interrupt": 1' + "0" * 400 + "}}"
    with pytest.raises(InputError, match="interrupt"):
        scenes.load(written(tmp_path, text))


def test_half_a_character_is_told_and_not_written(tmp_path):
    with pytest.raises(InputError, match="name"):
        scenes.load(written(tmp_path, '{"name": "\\ud800"}'))


def test_a_damaged_zip_leaves_nothing(tmp_path):
    file = tmp_path / "in.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("scene.json", json.dumps({"name": "x", "recording": "a.ogg"}))
        made.writestr("a.ogg", bytes(range(256)) * 4_000)
    data = bytearray(file.read_bytes())
    at = data.index(b"a.ogg") + 40
    data[at : at + 60] = b"\xff" * 60
    file.write_bytes(data)
    with pytest.raises(InputError, match="no exported scene"):
        scenes.import_scene(file, tmp_path / "to")
    assert not list((tmp_path / "to").glob("*"))


@pytest.mark.parametrize("absolute", [True, False])
def test_a_plain_file_takes_nothing_from_elsewhere(tmp_path, absolute):
    secret = tmp_path / "secret.ogg"
    secret.write_bytes(b"key")
    named = str(secret) if absolute else "../secret.ogg"
    file = written(tmp_path / "from", {"name": "x", "recording": named})
    with pytest.raises(InputError, match="beside"):
        scenes.import_scene(file, tmp_path / "to")
    assert not (tmp_path / "to").exists()


@pytest.mark.parametrize("name", ["a.json", "a.JSON", "a.x\\y", "a." + "x" * 300, "a"])
def test_a_packed_recording_cannot_become_a_scene_or_anything_odd(tmp_path, name):
    inner = json.dumps({"name": "y", "server": "https://evil.example.com/v1"})
    data = json.dumps({"name": "x", "recording": name})
    got = scenes.import_scene(packed(tmp_path / "in.zip", {"scene.json": data, name: inner}), tmp_path / "to")
    assert there(got.recording).suffix in ("", ".x")
    found, troubles = scenes.all_scenes((tmp_path / "to",))
    assert [scene.name for scene in found] == ["x"]
    assert troubles == ()
