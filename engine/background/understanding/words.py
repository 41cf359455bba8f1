"""Requests about words: "define serendipity", "how do you spell necessary", "another word for happy"."""

import re
from datetime import datetime

from engine.background.tools.dictionary import DEFINE, base_form
from engine.background.tools.tool import Tool
from engine.background.understanding.call import Call
from engine.background.understanding.normal import correction

MAX_CHARS = 120

_LEAD = re.compile(
    r"^(?:and|now|then|but|also|next|so|or|what about|how about)(?:,? (?:then|now|what about|how about))*,? "
)
_WORD = (
    r"(?:the word |the term |a word like )?['\"]?(?P<word>[^\W\d_][^\W\d_'-]*(?:['-][^\W\d_]+)*"
    r"(?: [^\W\d_][^\W\d_'-]*)?)['\"]?"
)
_ASKED: tuple[tuple[str, bool, str], ...] = (
    # What is asked, whether the word must be in the dictionary, how it is asked.
    (
        "meaning",
        False,
        rf"(?:define|definition of|(?:what is )?(?:the |a )?(?:dictionary )?definition (?:of|for)) {_WORD}",
    ),
    ("meaning", True, rf"what (?:does|do|did|is) {_WORD} mean(?:s|ing)?"),
    ("meaning", True, rf"what (?:does|do) {_WORD} stand for"),
    ("meaning", True, rf"(?:what is )?(?:the )?meaning of {_WORD}"),
    ("meaning", True, rf"what is meant by {_WORD}"),
    ("meaning", True, rf"what is the word {_WORD}"),
    (
        "synonym",
        True,
        (
            rf"(?:what is |what are |give me |find |find me |name )?(?:a |an |the |some |any |another )?"
            rf"(?:synonyms?|(?:other|another|different|similar) words?|(?:other|another) term)(?: (?:of|for"
            rf"|to))? {_WORD}"
        ),
    ),
    (
        "synonym",
        True,
        (
            rf"(?:what is |what are )?(?:a |some )?words? (?:that means?(?: the same as)?|similar to"
            rf"|like) {_WORD}"
        ),
    ),
    ("synonym", True, rf"how else (?:can|could) i say {_WORD}"),
    (
        "spelling",
        False,
        (
            rf"(?:how (?:do|would|does|can|should) (?:you|i|we|one) spell|how to spell|(?:what is )?"
            rf"(?:the )?(?:correct )?spelling (?:of|for)|spell(?: out)?) {_WORD}"
        ),
    ),
    ("spelling", False, rf"how is {_WORD} (?:spelled|spelt|written)"),
)
_COMPILED = tuple((what, known, re.compile(pattern)) for what, known, pattern in _ASKED)
# Not words that anybody wants explained, but what the rest of a sentence is made of.
_NO_WORDS = {
    "then", "now", "again", "also", "why", "how", "when", "where", "yes", "no", "okay", "thanks", "so", "but",
    "it", "that", "this", "he", "she", "you", "they", "we", "i", "me", "him", "her", "them", "us", "to",
    "the", "a", "an", "my", "your", "what", "which", "who", "there", "one", "everything", "something",
    "anything", "nothing",
}  # fmt: skip
_LIFE = {"life", "live", "christmas", "everything", "love", "music"}  # "the meaning of life"

_ABOUT_IT = (
    (
        "spelling",
        (
            r"(?:(?:how (?:do|would|can) (?:you|i) |how to )?spell) (?:it|that|this|that word)|"
            r"how is (?:it|that|this|that word) (?:spelled|spelt|written)|(?:the |its )?spelling"
        ),
    ),
    (
        "meaning",
        (
            r"what (?:does|is) (?:it|that|that word|this) (?:mean|meaning)|(?:what is )?(?:the |its )"
            r"(?:meaning|definition)(?: of (?:it|that|that word))?|define (?:it|that)"
        ),
    ),
    (
        "synonym",
        (
            r"(?:what is |give me |are there )?(?:a |another |an |the |any |some )?(?:synonyms?|(?:other"
            r"|another) words?)(?: (?:of|for) (?:it|that|that word))?"
        ),
    ),
)
_ABOUT_COMPILED = tuple((what, re.compile(pattern)) for what, pattern in _ABOUT_IT)


def _asked(core: str) -> Call | None:
    for what, known, pattern in _COMPILED:
        found = pattern.fullmatch(core)
        if not found:
            continue
        word = found["word"]
        if what == "spelling" and word.endswith((" spelled", " spelt", " written")):
            continue
        marked = "the word" in core or "the term" in core
        if not marked and (
            word.split()[0] in _NO_WORDS or (what == "meaning" and "meaning of" in core and word in _LIFE)
        ):
            continue
        if what != "spelling" and " " in word and not base_form(word):
            continue
        if known and not base_form(word) and not marked:
            continue
        return Call("define", {"word": word, "what": what})
    return None


class Words:
    """Requests for ``define``."""

    tools: tuple[Tool, ...] = (DEFINE,)

    def parse(self, text: str, now: datetime) -> Call | None:  # noqa: ARG002
        return None if len(text) > MAX_CHARS else _asked(_LEAD.sub("", text).strip(" ,?."))

    def follow(self, text: str, last: Call, now: datetime) -> Call | None:  # noqa: ARG002
        if last.tool != "define" or len(text) > MAX_CHARS:
            return None
        rest = correction(text)
        words = rest if rest is not None else text
        core = _LEAD.sub("", words).strip(" ,?.'\"")
        corrects = rest is not None
        whole = _asked(core) if corrects else None
        if whole:
            return Call("define", whole.arguments, corrects=True)
        for what, pattern in _ABOUT_COMPILED:
            if pattern.fullmatch(core):
                return Call(
                    "define", {"word": last.arguments.get("word", ""), "what": what}, corrects=corrects
                )
        word = re.sub(r"^(?:the word|with|for|of|i said|i meant) ", "", core)
        what = str(last.arguments.get("what", "meaning"))
        marked = corrects or bool(_LEAD.match(words))
        if not marked or " " in word or word in _NO_WORDS or not base_form(word):
            return None
        return Call("define", {"word": word, "what": what}, corrects=corrects)


WORDS = Words()
