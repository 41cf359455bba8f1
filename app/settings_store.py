"""The settings as one JSON file: read without trust, written whole. Plain Python but for the file before it.

``settings.json`` in the folder of settings: ``{"version": 1, "theme": "dark", ...}``,
one entry for each field of ``Settings`` that is not at its default; bytes as
base64. Entries that this version does not know are kept. Everything here belongs
to one thread.
"""

import base64
import binascii
import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from app.settings import DEFAULTS, FIELDS, Settings, wrong
from app.text import one_line
from engine.paths import config_dir

VERSION = 1
NAME = "settings.json"
OLD_NAME = "window.ini"
MAX_FILE_BYTES = 4 * 1024 * 1024
_MAX_BROKEN = 1_000


class SettingsStore:
    """Reads the file once, then keeps it up to date.

    Attributes:
        notices: what the person has to know after ``load``, a sentence each.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """``folder``: of the file; None is the platform's place for settings."""
        self.folder = folder or config_dir()
        self.file = self.folder / NAME
        self.notices: tuple[str, ...] = ()
        self._unknown: dict[str, Any] = {}
        self._locked = False
        self._written = ""
        self._told_full = False

    def load(self) -> Settings:
        """The settings as they lie on the disk. What is missing or wrong has its default, and is told."""
        notices: list[str] = []
        entries = self._entries(notices)
        if entries is None:
            found = _checked(_old(self.folder / OLD_NAME), [])
        else:
            self._unknown = {name: entries[name] for name in entries if name not in (*FIELDS, "version")}
            found = _checked(_decoded(entries), notices)
        self.notices = tuple(notices)
        return Settings(**found)

    def save(self, settings: Settings) -> str:
        """Write the settings. Empty, or why they cannot be written, which is said once."""
        if self._locked:
            return ""
        content = self._content(settings)
        if content == self._written:
            return ""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            handle, part = tempfile.mkstemp(dir=self.folder, prefix=f"{NAME}.", suffix=".part")
            try:
                with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                    file.write(content)
                Path(part).replace(self.file)
            finally:
                Path(part).unlink(missing_ok=True)
        except OSError as err:
            told, self._told_full = self._told_full, True
            return "" if told else f"Settings cannot be saved in {self.folder} ({err.strerror or err})."
        self._written, self._told_full = content, False
        return ""

    def _content(self, settings: Settings) -> str:
        changed = {
            name: _encoded(value)
            for name in FIELDS
            if (value := getattr(settings, name)) != getattr(DEFAULTS, name)
        }
        whole = {"version": VERSION, **changed, **self._unknown}
        return json.dumps(whole, indent=1) + "\n"

    def _entries(self, notices: list[str]) -> dict[str, Any] | None:
        """What the file says; None when there is none, empty when it cannot be used, which is told."""
        try:
            with self.file.open("rb") as stream:
                raw = stream.read(MAX_FILE_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError as err:
            self._locked = True
            notices.append(
                f"The settings cannot be read ({err.strerror or err}); they are at their defaults, and "
                f"changes are not kept. Check {self.file}"
            )
            return {}
        try:
            entries = json.loads(raw.decode("utf-8-sig")) if len(raw) <= MAX_FILE_BYTES else None
        except (ValueError, RecursionError):
            entries = None
        version = entries.get("version") if isinstance(entries, dict) else None
        if not isinstance(entries, dict) or type(version) is not int or version < 1:
            self._set_aside(notices)
            return {}
        if version > VERSION:
            self._locked = True
            notices.append(
                "The settings are from a newer Microturn: what is understood is used, the file is left as it "
                "is, and changes are not kept."
            )
        return entries

    def _set_aside(self, notices: list[str]) -> None:
        names = (self.folder / f"settings.broken-{n}.json" for n in range(1, _MAX_BROKEN))
        free = next((name for name in names if not name.exists()), None)
        try:
            if free is None:
                raise FileExistsError(0, "there are too many of its kind")
            self.file.rename(free)
        except OSError as err:
            self._locked = True
            notices.append(
                f"The settings file is damaged and cannot be set aside ({err.strerror or err}): defaults are "
                f"used, and changes are not kept. Remove {self.file}"
            )
            return
        notices.append(
            f"The settings file was damaged: it was set aside as {free.name}, and defaults are used."
        )


def _checked(entries: Mapping[str, object], notices: list[str]) -> dict[str, Any]:
    """The entries that can be used; the others are told."""
    found: dict[str, Any] = {}
    for name, value in entries.items():
        if why := wrong(name, value):
            notices.append(f"The setting “{name}” {one_line(why)}, so it is at its default.")
        else:
            kind: Any = type(FIELDS[name].default)
            found[name] = kind(value)
    return found


def _decoded(entries: Mapping[str, Any]) -> dict[str, object]:
    """JSON's values as those of the fields; what cannot be one is left as it is, to be told."""
    found: dict[str, object] = {}
    for name, entry in FIELDS.items():
        if name not in entries:
            continue
        value = entries[name]
        if isinstance(entry.default, bytes) and isinstance(value, str):
            with suppress(ValueError, binascii.Error):
                value = base64.b64decode(value, validate=True)
        elif isinstance(entry.default, tuple) and isinstance(value, list):
            value = tuple(value)
        found[name] = value
    return found


def _encoded(value: object) -> object:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return list(value) if isinstance(value, tuple) else value


def _old(file: Path) -> dict[str, object]:
    """What the window kept before there was ``settings.json``; the file stays where it is."""
    if not file.is_file():
        return {}
    from PySide6.QtCore import QByteArray, QSettings

    store = QSettings(str(file), QSettings.Format.IniFormat)
    found: dict[str, object] = {}
    for name, entry in FIELDS.items():
        value = store.value(name)
        if isinstance(entry.default, bytes) and isinstance(value, QByteArray):
            found[name] = bytes(value.data())
        elif isinstance(entry.default, str) and isinstance(value, str):
            found[name] = value
    return found
