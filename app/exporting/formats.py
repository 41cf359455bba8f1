"""What can be exported, and into which file. Plain Python; any thread."""

import re
from dataclasses import dataclass
from pathlib import Path

from app.text import error_line, one_line, sentence
from engine.errors import InputError


@dataclass(frozen=True)
class Format:
    """``name``: as ``microturn inspect --export`` has it; ``picture``: also of what the timeline shows."""

    name: str
    label: str
    suffix: str
    picture: bool = False


FORMATS = (
    Format("png", "PNG: a picture of the timeline", ".png", True),
    Format("svg", "SVG: a picture that stays sharp", ".svg", True),
    Format("jsonl", "JSON lines: the timeline as recorded", ".jsonl"),
    Format("csv", "CSV: a table, one row a micro-turn", ".csv"),
    Format("chrome-trace", "Chrome trace: for Perfetto", ".json"),
    Format("audacity", "Audacity: a label track", ".txt"),
    Format("textgrid", "TextGrid: tiers for Praat", ".TextGrid"),
    Format("webvtt", "WebVTT: captions of both sides", ".vtt"),
    Format("flac", "FLAC: both voices in stereo", ".flac"),
)
BY_NAME = {one.name: one for one in FORMATS}

RECORDING = "This session is still being recorded: stop it first to export all of it."
NOT_RECORDED = "This conversation is not recorded: only a picture of what is visible can be exported."
_UNSAFE = re.compile(r'[<>:"/\\|?*\x00-\x1f]+')


@dataclass(frozen=True)
class Offer:
    """What can be exported now. ``folder``: the whole recorded session, None where there is none;
    ``why_not``: why, in plain words."""

    title: str
    folder: Path | None
    why_not: str = ""


def offer(title: str, shown: Path | None, running: bool, recorded: Path | None) -> Offer:
    """``shown``: folder of the recorded session that is shown, None for the live conversation;
    ``running``: that one runs; ``recorded``: where it is, or was, recorded."""
    if shown is not None:
        return Offer(title, shown)
    if running and recorded is not None:
        return Offer(title, None, RECORDING)
    if running or recorded is None:
        return Offer(title, None, NOT_RECORDED)
    return Offer(recorded.name, recorded)


def file_name(title: str, chosen: Format, visible: bool) -> str:
    """A name that every system takes."""
    base = _UNSAFE.sub("-", one_line(title, 80)).strip(" .-") or "session"
    return f"{base}{'-visible' if visible else ''}{chosen.suffix}"


def with_suffix(path: Path, chosen: Format) -> Path:
    """``path`` for another format: the suffix of a known format is replaced, any other stays."""
    known = {one.suffix.lower() for one in FORMATS}
    return path.with_suffix(chosen.suffix) if path.suffix.lower() in known else path


def target(text: str, chosen: Format) -> Path:
    """The file meant by what was typed: with a suffix, and in the home folder where no folder is named.

    Raises:
        InputError: it names no file.
    """
    typed = text.strip()
    if not typed or "\0" in typed or typed.endswith(("/", "\\")):
        raise InputError("Name the file first.")
    try:
        path = Path(typed).expanduser()
    except RuntimeError as err:
        raise InputError("There is no such home folder: choose another place.") from err
    if not path.is_absolute():
        path = Path.home() / path
    return path if path.suffix else path.with_name(path.name + chosen.suffix)


def write_session(folder: Path, name: str, path: Path) -> Path:
    """Export a whole recorded session; takes seconds for a long one.

    Raises:
        InputError, MicroturnError: as ``read_session`` and ``export`` say.
    """
    from engine.inspect.export import export
    from engine.recorder.reader import read_session

    export(read_session(folder), name, str(path))
    return path


def done_text(path: Path) -> str:
    """What is said when a file has been written."""
    return f"Exported to {one_line(str(path), 300)}"


def error_text(error: Exception) -> str:
    """A sentence for the person."""
    return sentence(error_line(error))
