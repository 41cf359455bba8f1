"""The voices that the assistant can speak with: hibari's, one bundled, the others fetched when asked for.

Nothing here goes online but ``install``, and that only runs when a person
asked for it. A voice is one file of 8 MB, checked by its SHA-256.
"""

import hashlib
import http.client
import os
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from engine.config import DEFAULT_VOICE, EngineConfig
from engine.errors import InputError, MicroturnError
from engine.types import Samples

TIMEOUT_S = 20.0
SAMPLE_TEXT = "Hello. This is how I sound when we talk."
_BLOCK = 64 * 1024

Progress = Callable[[float], bool]
"""Told how much is done, 0 to 1; False gives the download up."""


@dataclass(frozen=True)
class VoiceInfo:
    """``size_mb``: of its file, which is fetched once unless ``installed``."""

    name: str
    accent: str
    gender: str
    installed: bool
    size_mb: float


def list_voices() -> tuple[VoiceInfo, ...]:
    """Every voice, the bundled one first."""
    return tuple(
        VoiceInfo(
            name,
            str(entry["accent"]),
            str(entry["gender"]),
            bool(entry.get("bundled")) or _cached(entry).is_file(),
            entry["bytes"] / 1e6,
        )
        for name, entry in _registry().items()
    )


def check_voice(name: str) -> None:
    """Raises InputError when there is no such voice, naming those that exist."""
    if name not in _registry():
        raise InputError(f"unknown voice {name!r}: choose one of {', '.join(_registry())}")


def is_installed(name: str) -> bool:
    """Whether a voice of that name exists and can be used now."""
    return any(voice.installed for voice in list_voices() if voice.name == name)


def model_file(name: str) -> Path:
    """The file of an installed voice.

    Raises:
        InputError: there is no such voice.
        MicroturnError: it is not installed.
    """
    check_voice(name)
    if not is_installed(name):
        raise MicroturnError(f"the voice {name} is not installed: install it in the window's settings")
    from hibari.voices import voice_path

    return Path(voice_path(name, download_missing=False))


def with_installed(config: EngineConfig) -> tuple[EngineConfig, str]:
    """``config`` with the bundled voice where the chosen one cannot be used, and then why."""
    if is_installed(config.voice):
        return config, ""
    known = config.voice in _registry()
    why = "is not installed (Settings, Conversation, Install)" if known else "is not known"
    name = config.voice[:40]
    return replace(config, voice=DEFAULT_VOICE), f"the voice {name} {why}: {DEFAULT_VOICE} speaks instead"


def install(name: str, progress: Progress = lambda _: True) -> bool:
    """Fetch a voice once, check it, and put it in its place in one step; False when ``progress`` gave it up.

    Raises:
        InputError: there is no such voice.
        MicroturnError: no connection, not the file that was expected, or the disk refuses.
    """
    check_voice(name)
    if is_installed(name):
        return True
    from hibari import voices

    entry = voices.VOICES[name]
    target = _cached(entry)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=target.parent, prefix=f"{target.name}.", suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                if not _fetch(f"{voices.BASE_URL}{entry['file']}", file, entry, progress):
                    return False
            Path(part).replace(target)
        finally:
            Path(part).unlink(missing_ok=True)
    except (urllib.error.URLError, http.client.HTTPException) as err:
        if isinstance(err, urllib.error.HTTPError):
            err.close()
        raise MicroturnError(
            f"the voice {name} cannot be fetched ({_reason(err)}): check the connection and try again"
        ) from err
    except OSError as err:
        raise MicroturnError(
            f"the voice {name} cannot be fetched or kept in {target.parent} ({_reason(err)}): try again"
        ) from err
    return True


def sample(voice: str, speed: float) -> Samples:
    """A sentence as the voice says it: 24 kHz mono.

    Raises:
        MicroturnError: the voice is not installed.
    """
    from engine.voice import Voice

    return Voice(voice, speed).synthesise(SAMPLE_TEXT).samples


def _fetch(url: str, file: BinaryIO, entry: dict[str, Any], progress: Progress) -> bool:
    digest, done, size = hashlib.sha256(), 0, int(entry["bytes"])
    with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:
        while done <= size and (block := answer.read(_BLOCK)):
            file.write(block)
            digest.update(block)
            done += len(block)
            if not progress(min(done / size, 1.0)):
                return False
    if done < size:
        raise MicroturnError("the connection broke off before the whole voice was here: try again")
    if digest.hexdigest() != entry["sha256"]:
        raise MicroturnError("what was fetched is not the voice that was expected; it was thrown away")
    return True


def _reason(err: Exception) -> str:
    inner = getattr(err, "reason", None) or getattr(err, "strerror", None) or err
    return " ".join(str(inner).split())[:120] or type(err).__name__


def _registry() -> dict[str, dict[str, Any]]:
    from hibari.voices import VOICES

    registry: dict[str, dict[str, Any]] = VOICES
    return registry


def _cached(entry: dict[str, Any]) -> Path:
    from hibari.voices import cache_dir

    return Path(cache_dir()) / str(entry["file"])
