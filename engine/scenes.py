"""Scenes for demonstrations: what a session runs with and what the audience is told, one JSON file each.

Bundled ones lie in ``assets/scenes``, the presenter's own in the user's
settings folder. A file names sound and video relative to itself::

    {"version": 1, "name": "Interrupt it", "try": "Interrupt it in the middle of a sentence.",
     "instructions": "", "server": "", "model": "", "recording": "barge-in.ogg", "video": "",
     "temperament": {"interrupt": 0.5, "backchannel": 0, "give_way": 0}}

Only ``name`` is needed; what is empty or missing is as the window has it. Files
are read and written in the caller's thread; they are small, but for imports and
exports, which copy sound and video.
"""

import json
import re
import shutil
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields, replace
from itertools import count
from pathlib import Path, PurePath, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from engine.background.settings import MAX_INSTRUCTIONS
from engine.config import Temperament
from engine.errors import InputError
from engine.paths import asset, config_dir
from engine.recorder.folder import reason

VERSION = 1
MAX_FILE_BYTES = 100_000
MAX_NAME, MAX_TRY = 60, 300
MAX_MEDIA_BYTES = 500 * 1024 * 1024
"""Sound and video of an imported scene, together."""
PACKED = ".zip"
_INSIDE = "scene.json"
_BEYOND = 1e9  # of every trait's range
_NO_NAME = re.compile(r"[^a-z0-9]+")
_SUFFIX = re.compile(r"\.[a-z0-9]{1,8}")


@dataclass(frozen=True)
class Scene:
    """One scene. Empty texts leave things as the window has them.

    ``to_try``: what the audience is told to try (``try`` in the file). ``instructions``: for the language
    model in the background. ``server``: base URL of an OpenAI-compatible server, and ``model`` its model.
    ``recording``: sound that can stand in for the microphone, ``video`` for the camera. ``temperament`` as in
    ``engine.config``. ``file``: where it is stored, None for one that was not saved.
    """

    name: str
    to_try: str = ""
    instructions: str = ""
    server: str = ""
    model: str = ""
    recording: Path | None = None
    video: Path | None = None
    temperament: Temperament | None = None
    file: Path | None = None

    @property
    def bundled(self) -> bool:
        """It came with the program: it can be duplicated, but neither changed nor deleted."""
        return self.file is not None and self.file.parent == bundled_dir()

    @property
    def media(self) -> dict[str, Path]:
        """Sound and video by what they are, those that there are."""
        named = {"recording": self.recording, "video": self.video}
        return {what: path for what, path in named.items() if path is not None}

    def missing(self) -> str:
        """One line about sound or video that is not there (any more); empty when all is well."""
        for what, path in self.media.items():
            if not path.is_file():
                return f"the {what} {path.name} of the scene “{self.name}” is not there: choose another"
        return ""


def bundled_dir() -> Path:
    """The scenes that come with the program."""
    return asset("scenes")


def own_dir() -> Path:
    """The presenter's own scenes."""
    return config_dir() / "scenes"


def all_scenes(folders: tuple[Path, ...] | None = None) -> tuple[tuple[Scene, ...], tuple[str, ...]]:
    """Every scene in order of the files' names, bundled ones first, and a line for each broken file."""
    scenes: list[Scene] = []
    troubles: list[str] = []
    for folder in (bundled_dir(), own_dir()) if folders is None else folders:
        for file in sorted(folder.glob("*.json")):
            try:
                scenes.append(load(file))
            except InputError as err:
                troubles.append(str(err))
    return tuple(scenes), tuple(troubles)


def load(file: Path) -> Scene:
    """Raises InputError, with one line, when the file cannot be read or is no scene."""
    try:
        if file.stat().st_size > MAX_FILE_BYTES:
            raise InputError(f"{file.name} is too large for a scene: choose another file")
        text = file.read_text(encoding="utf-8")
    except OSError as err:
        raise InputError(f"{file.name} cannot be read ({reason(err)}): check its permissions") from err
    except UnicodeDecodeError as err:
        raise InputError(f"{file.name} is no text in UTF-8: write it as JSON") from err
    return replace(parse(text, file.name, file.parent), file=file)


def parse(text: str, where: str, folder: Path) -> Scene:
    """The scene that ``text`` holds; its sound and video are relative to ``folder``.

    Raises:
        InputError: it is no scene; the line names ``where`` and what to do.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as err:
        raise InputError(f"{where} is not JSON: mend or delete it") from err
    if not isinstance(data, dict):
        raise InputError(f'{where} is no scene: it needs an object with a "name"')
    version = data.get("version", VERSION)
    if version != VERSION:
        raise InputError(f"{where} has version {str(version)[:20]}, not {VERSION}: update Microturn")
    scene = Scene(
        name=_text(data, "name", MAX_NAME, where),
        to_try=_text(data, "try", MAX_TRY, where),
        instructions=_text(data, "instructions", MAX_INSTRUCTIONS, where),
        server=_text(data, "server", 500, where),
        model=_text(data, "model", 200, where),
        recording=_path(data, "recording", where, folder),
        video=_path(data, "video", where, folder),
        temperament=_temperament(data, where),
    )
    return checked(scene, where)


def checked(scene: Scene, where: str = "the scene") -> Scene:
    """The scene itself.

    Raises:
        InputError: it has no name, or what is no server's address; one line.
    """
    if not scene.name.strip():
        raise InputError(f"{where} has no name: give it one")
    if scene.server:
        try:
            parts = urlsplit(scene.server)
            good = parts.scheme in ("http", "https") and bool(parts.hostname)
        except ValueError:
            good = False
        if not good:
            raise InputError(f"{where}: the server must be an address such as http://localhost:11434/v1")
    return scene


def _text(data: Mapping[str, Any], key: str, limit: int, where: str) -> str:
    value = data.get(key, "")
    if not isinstance(value, str):
        raise InputError(f'{where}: "{key}" must be a text in quotes')
    if value.encode("utf-8", "replace") != value.encode("utf-8", "surrogatepass"):
        raise InputError(f'{where}: "{key}" holds half a character: write it anew')
    if len(value) > limit:
        raise InputError(f'{where}: "{key}" is longer than {limit} characters: shorten it')
    return value.strip()


def _path(data: Mapping[str, Any], key: str, where: str, folder: Path) -> Path | None:
    value = _text(data, key, 1_000, where)
    if "\0" in value:
        raise InputError(f'{where}: "{key}" is no file name')
    return folder / value if value else None


def _temperament(data: Mapping[str, Any], where: str) -> Temperament | None:
    value = data.get("temperament")
    if value is None:
        return None
    if not isinstance(value, dict):
        raise InputError(f'{where}: "temperament" must be an object of numbers')
    found: dict[str, float] = {}
    for entry in fields(Temperament):
        number = value.get(entry.name, 0.0)
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise InputError(f'{where}: "{entry.name}" must be a number')
        found[entry.name] = float(min(max(number, -_BEYOND), _BEYOND))  # a whole one may be too large for one
    try:
        return Temperament(**found)
    except InputError as err:
        raise InputError(f"{where}: {err}") from err


def to_json(scene: Scene, folder: Path) -> str:
    """The text of the scene's file in ``folder``; what lies there or below is named relative to it."""

    def named(path: Path | None) -> str:
        if path is None:
            return ""
        with suppress(ValueError):
            return path.relative_to(folder).as_posix()
        return str(path.absolute())

    data = {
        "version": VERSION,
        "name": scene.name,
        "try": scene.to_try,
        "instructions": scene.instructions,
        "server": scene.server,
        "model": scene.model,
        "recording": named(scene.recording),
        "video": named(scene.video),
        "temperament": None if scene.temperament is None else asdict(scene.temperament),
    }
    return json.dumps(data, ensure_ascii=False, indent=1) + "\n"


def save(scene: Scene, folder: Path | None = None) -> Scene:
    """Store a scene in its own file, or in a new one of ``folder``; the presenter's folder when not given.

    Returns it with its file. A bundled scene is stored as the presenter's own.

    Raises:
        InputError: it is not valid, or cannot be written.
    """
    folder = folder or own_dir()
    checked(scene)
    kept = scene.file is not None and not scene.bundled and scene.file.parent == folder
    file = scene.file if kept and scene.file is not None else _free(folder, scene.name, ".json")
    text = to_json(scene, folder)
    parse(text, "the scene", folder)
    _write(file, text)
    return replace(scene, file=file)


def _write(file: Path, text: str) -> None:
    """Whole or not at all."""
    beside = file.with_suffix(".part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(text, encoding="utf-8")
        beside.replace(file)
    except OSError as err:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise InputError(f"{file} cannot be written ({reason(err)}): free space or check the folder") from err


def _free(folder: Path, name: str, suffix: str) -> Path:
    """A path in ``folder`` that is not taken, after ``name``."""
    stem = file_stem(name)
    tries = (folder / f"{stem}{'' if n == 1 else f'-{n}'}{suffix}" for n in count(1))
    return next(path for path in tries if not path.exists())


def file_stem(name: str) -> str:
    """What a scene's file is called, without its end."""
    return _NO_NAME.sub("-", name.lower()).strip("-")[:40] or "scene"


def duplicate(scene: Scene, folder: Path | None = None) -> Scene:
    """A copy of the presenter's own, stored. Sound and video stay where they are. Raises InputError."""
    name = f"{scene.name[: MAX_NAME - 7]} (copy)"
    return save(replace(scene, name=name, file=None), folder)


def delete(scene: Scene) -> None:
    """Delete a scene's file; sound and video stay.

    Raises:
        InputError: it is bundled, or cannot be deleted.
    """
    if scene.bundled:
        raise InputError(f"“{scene.name}” came with Microturn and cannot be deleted: duplicate it instead")
    if scene.file is not None:
        try:
            scene.file.unlink(missing_ok=True)
        except OSError as err:
            raise InputError(
                f"{scene.file} cannot be deleted ({reason(err)}): check its permissions"
            ) from err


def export(scene: Scene, to: Path) -> None:
    """Write a scene with its sound and video as one ZIP file. Raises InputError."""
    if why := scene.missing():
        raise InputError(why)
    names = {what: Path(f"{what}{path.suffix}") for what, path in scene.media.items()}
    beside = to.with_name(f"{to.name}.part")
    try:
        with zipfile.ZipFile(beside, "w", zipfile.ZIP_STORED) as packed:
            packed.writestr(_INSIDE, to_json(_with_media(scene, names), Path()))
            for what, path in scene.media.items():
                packed.write(path, str(names[what]))
        beside.replace(to)
    except OSError as err:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise InputError(f"{to} cannot be written ({reason(err)}): choose another place") from err


def _with_media(scene: Scene, media: Mapping[str, Path]) -> Scene:
    """A scene of no file, with other sound and video."""
    return replace(scene, file=None, recording=media.get("recording"), video=media.get("video"))


def import_scene(file: Path, folder: Path | None = None) -> Scene:
    """Take over an exported scene, or a plain ``.json`` whose sound and video lie beside it; stored in
    ``folder``, the presenter's own when not given.

    Raises:
        InputError: it is no scene, its sound or video is not in it, or there is no room.
    """
    folder = folder or own_dir()
    if file.suffix.lower() != PACKED:
        scene = load(file)
        beside = file.parent.resolve()
        for what, path in scene.media.items():
            if not path.resolve().is_relative_to(beside):
                raise InputError(f"the {what} of {file.name} does not lie beside it: put it there")
        if why := scene.missing():
            raise InputError(why)
        with _whole() as made:
            _copy(scene, folder, made)
            return save(_with_media(scene, made), folder)
    try:
        with zipfile.ZipFile(file) as packed, _whole() as made:
            return _unpacked(packed, file.name, folder, made)
    except (zipfile.BadZipFile, zlib.error, KeyError, RuntimeError, NotImplementedError, EOFError) as err:
        raise InputError(f"{file.name} is no exported scene: choose a scene's ZIP or JSON file") from err
    except OSError as err:
        raise InputError(
            f"{file.name} cannot be read ({reason(err)}): check its name and permissions"
        ) from err


def _suffix(path: PurePath) -> str:
    """The end of a file's name, where it is an ordinary one and none of a scene's."""
    suffix = path.suffix.lower()
    return suffix if _SUFFIX.fullmatch(suffix) and suffix != ".json" else ""


@contextmanager
def _whole() -> Iterator[dict[str, Path]]:
    """For copies of sound and video; they are deleted again when the scene cannot be taken over."""
    made: dict[str, Path] = {}
    try:
        yield made
    except BaseException:
        for path in made.values():
            with suppress(OSError):
                path.unlink(missing_ok=True)
        raise


def _copy(scene: Scene, folder: Path, made: dict[str, Path]) -> None:
    """Copy a scene's sound and video, and note the copies in ``made``."""
    for what, path in scene.media.items():
        made[what] = _free(folder, f"{scene.name} {what}", _suffix(path))
        try:
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, made[what])
        except OSError as err:
            raise InputError(f"{path.name} cannot be copied ({reason(err)}): free space") from err


def _unpacked(packed: zipfile.ZipFile, where: str, folder: Path, made: dict[str, Path]) -> Scene:
    """Only what the scene itself names is taken out, under names of our own, noted in ``made``."""
    if packed.getinfo(_INSIDE).file_size > MAX_FILE_BYTES:
        raise InputError(f"{where} is too large for a scene: choose another file")
    try:
        text = packed.read(_INSIDE).decode("utf-8")
    except UnicodeDecodeError as err:
        raise InputError(f"{where} is no exported scene: choose another file") from err
    scene = parse(text, where, Path())
    named = {what: PurePosixPath(path.as_posix()) for what, path in scene.media.items()}
    if sum(packed.getinfo(str(name)).file_size for name in named.values()) > MAX_MEDIA_BYTES:
        raise InputError(f"{where} holds more than {MAX_MEDIA_BYTES >> 20} MiB: make its recordings shorter")
    folder.mkdir(parents=True, exist_ok=True)
    for what, name in named.items():
        made[what] = _free(folder, f"{scene.name} {what}", _suffix(name))
        with packed.open(str(name)) as source, made[what].open("wb") as target:
            shutil.copyfileobj(source, target)
    return save(_with_media(scene, made), folder)
