"""Where the program finds its assets and keeps its files."""

import hashlib
import sys
from pathlib import Path

import platformdirs


def project_root() -> Path:
    """Folder that holds ``assets/``: the checkout, or the unpacked bundle when frozen."""
    frozen = getattr(sys, "_MEIPASS", None)
    return Path(frozen) if frozen else Path(__file__).resolve().parent.parent


def asset(name: str) -> Path:
    """Path of a file under ``assets/``."""
    return project_root() / "assets" / name


def cache_dir() -> Path:
    """Per-user cache (converted models). May be deleted at any time."""
    return Path(platformdirs.user_cache_dir("microturn", appauthor=False))


def data_dir() -> Path:
    """Per-user data (recorded sessions)."""
    return Path(platformdirs.user_data_dir("microturn", appauthor=False))


def config_dir() -> Path:
    """Per-user settings."""
    return Path(platformdirs.user_config_dir("microturn", appauthor=False))


def fingerprint(path: Path) -> str:
    """File stem and the first 12 hex digits of the file's SHA-256."""
    return f"{path.stem}-{hashlib.sha256(path.read_bytes()).hexdigest()[:12]}"
