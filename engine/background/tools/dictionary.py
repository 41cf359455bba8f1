"""What words mean, their synonyms and their spelling, from WordNet in ``assets/dictionary``."""

import json
import lzma
import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from engine.background.tools.tool import Arguments, Tool, ToolContext, ToolError, ToolResult, schema
from engine.paths import asset

WHAT = ("meaning", "synonym", "spelling")

_FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME}]
_PARTS = {"n": "noun", "v": "verb", "a": "adjective", "r": "adverb"}
_WORD = re.compile(r"[a-z][a-z'.-]*(?: [a-z][a-z'.-]*)?")
# How an inflected form may end, and its base form.
_ENDINGS = (
    ("ies", "y"),
    ("ves", "f"),
    ("es", ""),
    ("es", "e"),
    ("s", ""),
    ("ied", "y"),
    ("ed", "e"),
    ("ed", ""),
    ("ing", "e"),
    ("ing", ""),
    ("est", ""),
    ("er", ""),
)
_DOUBLED = re.compile(r"([bdglmnprt])\1$")


@dataclass(frozen=True)
class Sense:
    """``part``: noun, verb, adjective or adverb; ``gloss``: the definition; ``synonyms``: other words."""

    part: str
    gloss: str
    synonyms: tuple[str, ...]


@cache
def _index() -> tuple[Sequence[str], Sequence[tuple[int, int]], int]:
    """First word, begin and length of every block, and where the blocks begin in the file."""
    with asset("dictionary/words.blocks").open("rb") as file:
        size = int.from_bytes(file.read(4), "little")
        entries = json.loads(file.read(size))
    return [e[0] for e in entries], [(e[1], e[2]) for e in entries], 4 + size


@lru_cache(maxsize=8)
def _block(number: int) -> str:
    _, spans, begin = _index()
    at, length = spans[number]
    with asset("dictionary/words.blocks").open("rb") as file:
        file.seek(begin + at)
        return lzma.decompress(file.read(length), lzma.FORMAT_RAW, filters=_FILTERS).decode()


@lru_cache(maxsize=256)
def senses(word: str) -> tuple[Sense, ...]:
    """The one or two most frequent senses of a word in its base form; empty for an unknown word."""
    if not _WORD.fullmatch(word) or len(word) > 60:
        return ()
    number = bisect_right(_index()[0], word) - 1
    if number < 0:
        return ()
    block = _block(number)
    begin = 0 if block.startswith(f"{word}\t") else block.find(f"\n{word}\t") + 1
    if begin == 0 and not block.startswith(f"{word}\t"):
        return ()
    line = block[begin:].partition("\n")[0]
    cells = line.split("\t")[1:]
    return tuple(
        Sense(_PARTS[part], gloss, tuple(s for s in others.split(",") if s))
        for part, gloss, others in zip(cells[::3], cells[1::3], cells[2::3], strict=True)
    )


def base_form(word: str) -> str | None:
    """The form of a word that the dictionary has: itself, or what it is inflected from; None: unknown."""
    if senses(word):
        return word
    for ending, instead in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 2:
            stem = word.removesuffix(ending) + instead
            for form in (stem, _DOUBLED.sub(r"\1", stem)):
                if senses(form):
                    return form
    return None


def _meaning(word: str) -> ToolResult:
    base = base_form(word)
    if base is None:
        raise ToolError(f"I don't have {word} in my dictionary.")
    found = senses(base)
    say = f"{_first(base)}, {found[0].part}: {found[0].gloss}."
    if len(found) > 1:
        part = "" if found[1].part == found[0].part else f"{_article(found[1].part)}, "
        say += f" Or {'as ' + part if part else ''}{found[1].gloss}."
    return ToolResult(say, {"word": base, "meaning": found[0].gloss})


def _article(part: str) -> str:
    return f"an {part}" if part.startswith("a") else f"a {part}"


def _synonym(word: str) -> ToolResult:
    base = base_form(word)
    if base is None:
        raise ToolError(f"I don't have {word} in my dictionary.")
    names = list(dict.fromkeys(other for sense in senses(base) for other in sense.synonyms))[:4]
    if not names:
        raise ToolError(f"I know no synonym of {base}.")
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
    return ToolResult(f"Other words for {base}: {listed}.", {"word": base, "synonyms": ", ".join(names)})


def _spelling(word: str) -> ToolResult:
    names = {"-": "hyphen", "'": "apostrophe", " ": "space", ".": "full stop"}
    letters = ", ".join(names.get(c, c.upper()) for c in word)
    return ToolResult(f"{_first(word)} is spelled {letters}.", {"word": word, "spelling": letters})


def _first(text: str) -> str:
    return text[:1].upper() + text[1:]


def _run(arguments: Arguments, _context: ToolContext) -> ToolResult:
    word = " ".join(str(arguments.get("word", ""))[:80].lower().split())
    if not re.fullmatch(r"[^\W\d_][^\W\d_'. -]*(?:[ '.-][^\W\d_'. -]*)*", word) or len(word) > 60:
        raise ToolError("I need one word for that.")
    what = str(arguments.get("what", "meaning"))
    if what not in WHAT:
        raise ToolError("I can tell a word's meaning, its synonyms and its spelling.")
    return {"meaning": _meaning, "synonym": _synonym, "spelling": _spelling}[what](word)


DEFINE = Tool(
    name="define",
    description="What an English word means, a synonym of it, or how it is spelled.",
    parameters=schema(
        ("word",),
        word={"type": "string", "maxLength": 60},
        what={"type": "string", "enum": list(WHAT)},
    ),
    run=_run,
)
