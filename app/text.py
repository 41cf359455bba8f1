"""Make text from outside safe to show: plain, visible, bounded."""

import re

from engine.errors import MicroturnError

MAX_CHARS = 20_000
_HIDDEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]"
)
"""Zero-width, bidi controls, variation selectors and tag characters: they can hide or reorder words."""
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_LINE_ENDS = re.compile("\r\n?|[\u000b\u000c\u0085\u2028\u2029]")


def plain(text: str, limit: int = MAX_CHARS) -> str:
    """``text`` without control, hidden and reordering characters, at most ``limit`` characters.

    Line ends become ``\\n``; tabs a space; a lone surrogate the replacement character.
    """
    if len(text) <= limit and text.isascii() and text.isprintable():
        return text
    cut = _LINE_ENDS.sub("\n", text[: limit + 1]).replace("\t", " ")
    kept = _SURROGATE.sub("\ufffd", _CONTROL.sub("", _HIDDEN.sub("", cut)))
    return kept if len(text) <= limit else kept[: limit - 1] + "…"


def one_line(text: str, limit: int = 200) -> str:
    """``plain``, with every run of white space as one space."""
    return " ".join(plain(text, limit).split())


def error_line(error: Exception, limit: int = 400) -> str:
    """An error in one line: ours in its own words, any other with its kind."""
    line = one_line(str(error), limit)
    if isinstance(error, MicroturnError) and line:
        return line
    return f"{type(error).__name__}: {line}" if line else type(error).__name__


def sentence(line: str) -> str:
    """A line that may begin small and end without a stop, as a sentence."""
    return f"{line[:1].upper()}{line[1:]}{'' if line.endswith(('.', '?', '!')) else '.'}"


def size_text(size: int) -> str:
    """Bytes in decimal units, as file managers show them."""
    amount = float(max(size, 0))
    for unit in ("bytes", "kB", "MB"):
        if amount < 1_000:
            return f"{amount:.0f} {unit}" if unit != "MB" or amount >= 10 else f"{amount:.1f} {unit}"
        amount /= 1_000
    return f"{amount:.1f} GB"
