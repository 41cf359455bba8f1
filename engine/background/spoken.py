"""From a language model's stream of text to words that can be said aloud.

Markdown, special tokens, hidden reasoning, invisible characters and pictures
are dropped; what is left comes out in whole words, each as early as it is whole.
"""

import re
import unicodedata

_SPECIAL = re.compile(r"<\|[^|<>\s]{1,40}\|>")
_THOUGHT = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE)
_LINK_START = re.compile(r"!?\[(?=\w)")
_LINK_END = re.compile(r"\]\([^)]*\)?")
_MARKUP = re.compile(r"\*\*|__|~~|`|(?<!\w)[*_~#|\\]+|[*_~|\\]+(?=\W*\Z)")
_LIST_NUMBER = re.compile(r"\A\d{1,2}[.)]\Z")
_SENTENCE_END = re.compile(r"[.!?…][\"'”’)]*\Z")
_NO_END = re.compile(r"\A(?:mr|mrs|ms|dr|st|vs|e\.g|i\.e|prof|no|[a-z])\.\Z", re.IGNORECASE)
_WORTH_SAYING = "+=&%$€£/<>"
_INVISIBLE = ("Cc", "Cf", "Cs", "Co", "Cn", "So")


def strip_invisible(text: str) -> str:
    """``text`` without pictures, zero-width and control characters; white space stays."""
    return "".join(
        c
        for c in text
        if c.isspace() or not (unicodedata.category(c) in _INVISIBLE or "\ufe00" <= c <= "\ufe0f")
    )


def plain_text(text: str) -> str:
    """A whole text on one line as it may be shown or said."""
    words = SpokenWords()
    return " ".join((*words.feed(text), *words.finish()))


class SpokenWords:
    """Cuts a stream of text into words to say.

    Attributes:
        sentences: how many sentences have ended so far.
    """

    def __init__(self) -> None:
        self._pending = ""
        self._line_start = True
        self.sentences = 0

    def feed(self, text: str) -> list[str]:
        """Take the next piece of the stream; the words that are whole now."""
        self._pending = _SPECIAL.sub(" ", self._pending + text)
        begin = self._pending.lower().find("<think")
        usable = self._pending if begin < 0 else self._pending[:begin]
        cut = max((usable.rfind(c) for c in " \n\t\r\u00a0"), default=-1) + 1
        head, tail = usable[:cut], self._pending[cut:]
        if begin >= 0:
            tail = _THOUGHT.sub(self._thought, tail)
        self._pending = tail
        return self._words(head)

    def finish(self) -> list[str]:
        """The stream has ended; the last words."""
        last, self._pending = _THOUGHT.sub(" ", self._pending), ""
        return self._words(last)

    @staticmethod
    def _thought(match: re.Match[str]) -> str:
        # A thought that goes on is kept until its end has come; what follows it is kept too.
        return " " if match[0].lower().rstrip().endswith(">") and "</think" in match[0].lower() else match[0]

    def _words(self, text: str) -> list[str]:
        words = []
        for line in re.split(r"(\n)", text):
            if line == "\n":
                self._line_start = True
                continue
            for raw in line.split():
                word = self._clean(raw)
                if word:
                    words.append(word)
                self._line_start = False
        return words

    def _clean(self, raw: str) -> str:
        if self._line_start and (_LIST_NUMBER.match(raw) or raw == ">"):
            return ""
        word = _MARKUP.sub("", _LINK_END.sub("", _LINK_START.sub("", strip_invisible(raw))))
        if not any(c.isalnum() or c in _WORTH_SAYING for c in word):
            return ""
        if _SENTENCE_END.search(word) and not _NO_END.match(word):
            self.sentences += 1
        return word
