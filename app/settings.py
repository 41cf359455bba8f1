"""What the window remembers between two runs: geometry, theme, devices. Never whether to record."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray, QSettings

from engine.paths import config_dir


@dataclass(frozen=True)
class Settings:
    """Empty device names mean the system's default; an empty camera means none."""

    theme: str = "system"
    input_device: str = ""
    output_device: str = ""
    camera: str = ""
    geometry: bytes = b""
    layout: bytes = b""
    columns: bytes = b""


def settings_file() -> Path:
    return config_dir() / "window.ini"


def load(file: Path) -> Settings:
    """Read settings. What is missing or unreadable keeps its default."""
    store = QSettings(str(file), QSettings.Format.IniFormat)
    found: dict[str, Any] = {}
    for entry in fields(Settings):
        value = store.value(entry.name)
        if isinstance(entry.default, bytes):
            if isinstance(value, QByteArray):
                found[entry.name] = bytes(value.data())
        elif isinstance(value, str):
            found[entry.name] = value[:500]
    return Settings(**found)


def save(settings: Settings, file: Path) -> None:
    """Write settings. Where that fails, the next run starts from defaults."""
    store = QSettings(str(file), QSettings.Format.IniFormat)
    for entry in fields(Settings):
        value = getattr(settings, entry.name)
        store.setValue(entry.name, QByteArray(value) if isinstance(value, bytes) else value)
    store.sync()
