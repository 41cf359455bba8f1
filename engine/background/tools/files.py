"""The tool that reads a file which the user picked, and no other."""

import os
import re
import stat
from pathlib import Path

from engine.background.spoken import plain_text, strip_invisible
from engine.background.tools.mcp_result import shortened
from engine.background.tools.tool import (
    MAX_RESULT_CHARS,
    Arguments,
    Tool,
    ToolContext,
    ToolError,
    ToolResult,
    schema,
)

MAX_BYTES = 1024 * 1024
MAX_BEGINNING = 160
_KINDS = (
    (b"%PDF-", "a PDF"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"PK\x03\x04", "a packed or office document"),
    (b"\xd0\xcf\x11\xe0", "an office document"),
)
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_BINARY = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")


def read_file(arguments: Arguments, context: ToolContext) -> ToolResult:
    """Read the picked file of that name, or the newest.

    Raises:
        ToolError: none is picked, none has that name, it is no text, or it cannot be read.
    """
    path = _picked(str(arguments.get("name") or ""), context.files)
    name = _shown(path)
    raw, size = _bytes(path, name)
    text = _text(raw, name, whole=size <= MAX_BYTES)
    words = len(text.split())
    data: dict[str, str | int | float | bool] = {
        "file": name,
        "words": words,
        "size": size,
        "content": text[:MAX_RESULT_CHARS],
        "whole": len(text) <= MAX_RESULT_CHARS and size <= MAX_BYTES,
    }
    if not words:
        return ToolResult(f"{name} is empty.", data)
    count = "more than " if size > MAX_BYTES else ""
    beginning = shortened(plain_text(text[: 4 * MAX_BEGINNING]), MAX_BEGINNING)
    said = f"{name} has {count}{words} {'word' if words == 1 else 'words'}."
    if beginning:
        said += f" It {'says' if words < 20 else 'begins'}: {beginning}"
    return ToolResult(said, data)


def _picked(asked: str, files: tuple[Path, ...]) -> Path:
    """By name as it is written or spoken; names with folders match nothing."""
    if not files:
        raise ToolError("You have not picked a file for me yet.")
    if not asked.strip():
        return files[-1]
    wanted = _plain(re.sub(r"\s+(?:dot|point)\s+", ".", asked))
    newest_first = files[::-1]
    for path in newest_first:
        if _plain(path.name) == wanted:
            return path
    for path in newest_first:
        if wanted in (_plain(path.stem), _plain(path.stem) + "file", "the" + _plain(path.stem) + "file"):
            return path
    names = ", ".join(dict.fromkeys(_shown(path) for path in newest_first[:3]))
    raise ToolError(f"You have not picked a file of that name. I may read {names}.")


def _plain(name: str) -> str:
    return "".join(c for c in name.casefold() if c.isalnum() or c in "./\\")


def _shown(path: Path) -> str:
    return strip_invisible(path.name).strip()[:60] or "the file"


def _bytes(path: Path, name: str) -> tuple[bytes, int]:
    """Its beginning and its size. It is judged after it is open, so nothing can be put in its place."""
    flags = os.O_RDONLY
    for flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY", "O_NOCTTY"):
        flags |= getattr(os, flag, 0)
    if path.is_symlink():
        raise ToolError(f"{name} only points to another file, so I do not read it.")
    try:
        descriptor = os.open(path, flags)
    except FileNotFoundError as err:
        raise ToolError(f"{name} is no longer there.") from err
    except (PermissionError, IsADirectoryError) as err:
        raise ToolError(
            f"{name} is a folder, so I do not read it."
            if path.is_dir()
            else f"I am not allowed to read {name}."
        ) from err
    except (OSError, ValueError) as err:
        raise ToolError(f"I cannot open {name}.") from err
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        folder = stat.S_ISDIR(status.st_mode)
        raise ToolError(f"{name} is {'a folder' if folder else 'not a plain file'}, so I do not read it.")
    with os.fdopen(descriptor, "rb") as file:
        try:
            return file.read(MAX_BYTES), status.st_size
        except OSError as err:
            raise ToolError(f"I cannot read {name}.") from err


def _text(raw: bytes, name: str, whole: bool) -> str:
    for start, kind in _KINDS:
        if raw.startswith(start):
            raise ToolError(f"{name} is {kind}, and I can only read plain text.")
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            return _checked(raw.decode(encoding, errors="replace"), name)
    try:
        # A cut at the size limit may go through a character.
        return _checked(raw.decode("utf-8", errors="strict" if whole else "ignore"), name)
    except UnicodeDecodeError:
        return _checked(raw.decode("latin-1"), name)


def _checked(text: str, name: str) -> str:
    if len(_BINARY.findall(text[:10_000])) > len(text[:10_000]) // 100:
        raise ToolError(f"{name} is not a text, so I cannot read it.")
    return strip_invisible(_BINARY.sub("", text.replace("\r\n", "\n")))


READ_FILE = Tool(
    name="read_file",
    description="Read a text file that the user picked for this conversation.",
    parameters=schema(name={"type": "string", "description": "The file's name. Empty: the newest."}),
    run=read_file,
)
