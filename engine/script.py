"""Texts to be typed at given times: JSON lines ``{"t": seconds, "text": "..."}``."""

import json
import math
from pathlib import Path

from engine.assembler import MAX_TYPED_CHARS
from engine.errors import InputError
from engine.events import TextIn

MAX_LINES = 100_000
_FORM = '{"t": 1.5, "text": "hello"}'


def read_script(path: Path) -> tuple[TextIn, ...]:
    """The texts of a file, in time order. Empty lines are skipped.

    Raises:
        InputError: the file cannot be read, or a line is wrong; the text names the line.
    """
    texts: list[TextIn] = []
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if number > MAX_LINES:
                    raise InputError(f"{path} has more than {MAX_LINES} lines: split it")
                if line.strip():
                    texts.append(_parse(line, f"{path}, line {number}"))
    except OSError as err:
        raise InputError(
            f"cannot read {path} ({(err.strerror or str(err)).lower()}): check its name"
        ) from err
    except UnicodeDecodeError as err:
        raise InputError(f"{path} is no text file in UTF-8: write it as JSON lines like {_FORM}") from err
    return tuple(sorted(texts, key=lambda text: text.t))


def _parse(line: str, where: str) -> TextIn:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError) as err:
        raise InputError(f"{where} is not JSON: write it like {_FORM}") from err
    if not isinstance(data, dict) or not {"t", "text"} <= data.keys():
        raise InputError(f'{where} has no "t" and "text": write it like {_FORM}')
    t, text = data["t"], data["text"]
    if isinstance(t, bool) or not isinstance(t, int | float) or not math.isfinite(t) or t < 0:
        raise InputError(f'{where}: "t" must be a number of seconds, 0 or more')
    if not isinstance(text, str) or not text.strip() or len(text) > MAX_TYPED_CHARS:
        raise InputError(f'{where}: "text" must be 1 to {MAX_TYPED_CHARS} characters in quotes')
    return TextIn(float(t), text.strip())
