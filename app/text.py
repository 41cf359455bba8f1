"""Make text from outside safe to show: plain, visible, bounded."""

import re

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
