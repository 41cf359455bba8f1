"""``microturn inspect SESSION --export FORMAT FILE``."""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from engine.errors import InputError, MicroturnError
from engine.inspect.labels import to_audacity, to_textgrid, to_webvtt
from engine.inspect.picture import draw
from engine.inspect.png import to_png
from engine.inspect.sound import write_flac
from engine.inspect.svg import to_svg
from engine.inspect.tables import to_csv, to_jsonl
from engine.inspect.trace import to_chrome_trace
from engine.recorder.folder import INPUT, OUTPUT, TIMELINE, TITLE, VIDEO, reason
from engine.recorder.reader import RecordedSession


def _write_png(session: RecordedSession, target: Path) -> None:
    target.write_bytes(to_png(draw(session)))


TEXT_FORMATS: dict[str, Callable[[RecordedSession], str]] = {
    "jsonl": to_jsonl,
    "csv": to_csv,
    "chrome-trace": to_chrome_trace,
    "audacity": to_audacity,
    "textgrid": to_textgrid,
    "webvtt": to_webvtt,
    "svg": lambda session: to_svg(draw(session)),
}
FILE_FORMATS: dict[str, Callable[[RecordedSession, Path], None]] = {
    "flac": write_flac,
    "png": _write_png,
}
_OWN = (TIMELINE, INPUT, OUTPUT, VIDEO, TITLE)
FORMATS = ("jsonl", "csv", "chrome-trace", "audacity", "textgrid", "webvtt", "flac", "png", "svg")


def export(session: RecordedSession, format_name: str, target: str) -> None:
    """Write one format to the file ``target``, whole or not at all; ``-`` is stdout, for text only.

    Raises:
        InputError: unknown format, a target that makes no sense, or a session with nothing to export.
        MicroturnError: the file cannot be written.
    """
    if format_name not in FORMATS:
        raise InputError(f"there is no export format {format_name!r}: use one of {', '.join(FORMATS)}")
    to_text = TEXT_FORMATS.get(format_name)
    if target == "-":
        if to_text is None:
            raise InputError(f"{format_name} is not text: give a file name instead of -")
        sys.stdout.buffer.write(to_text(session).encode("utf-8"))
        sys.stdout.buffer.flush()
        return

    def make(made: Path) -> None:
        if to_text is not None:
            made.write_bytes(to_text(session).encode("utf-8"))
        else:
            FILE_FORMATS[format_name](session, made)

    write_whole(Path(target), make)


def write_whole(path: Path, make: Callable[[Path], object]) -> None:
    """Have ``make`` write a file, which then takes the place of ``path`` in one step.

    In a session's folder it is for its owner's eyes only, like everything else there.

    Raises:
        InputError: there is no such folder, or what is there is a folder or belongs to a session.
        MicroturnError: the file cannot be written; what was there before stays.
    """
    if path.is_dir():
        raise InputError(f"{path} is a folder: give a file name")
    if not path.parent.is_dir():
        raise InputError(f"there is no folder {path.parent}: make it first, or choose another place")
    whole = path.resolve()
    in_session = (whole.parent / TIMELINE).is_file()
    if in_session and whole.name in _OWN:
        raise InputError(f"{path} belongs to the session itself: choose another file")
    try:
        # In the same folder, so that replacing the old file is one step.
        with tempfile.TemporaryDirectory(prefix=".export-", dir=path.parent) as folder:
            made = Path(folder) / path.name
            make(made)
            if in_session:
                made.chmod(0o600)
            made.replace(path)
    except OSError as err:
        raise MicroturnError(f"cannot write {path} ({reason(err)}): choose another place") from err
