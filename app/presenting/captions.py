"""What both speakers said last, for very large type. Plain Python."""

from dataclasses import dataclass

from app.conversation import Conversation, Line

MAX_CHARS = 400
"""The newest words of a caption; no room shows more."""
MAX_UNHEARD = 90
"""Of what was cut off, so many characters: the words that were heard matter more."""
_LOOK_BACK = 40


@dataclass(frozen=True)
class Words:
    """A caption: ``text``, then ``unheard`` words that were cut off. ``sure``: so many characters of ``text``
    are confirmed. ``live``: it still grows."""

    text: str = ""
    unheard: str = ""
    sure: int = 0
    live: bool = False


NOTHING = Words()


def captions(conversation: Conversation) -> tuple[Words, Words]:
    """The last words of (user, assistant); a reply that is older than the user's last words stays."""
    user = assistant = NOTHING
    for line in reversed(conversation.lines[-_LOOK_BACK:]):
        if user is NOTHING and line.speaker in ("user", "typed"):
            user = _words(line)
        elif assistant is NOTHING and line.speaker == "assistant":
            assistant = _words(line)
        if user is not NOTHING and assistant is not NOTHING:
            break
    return user, assistant


def _words(line: Line) -> Words:
    dropped = max(len(line.text) - MAX_CHARS, 0)
    if dropped:  # from the next whole word on
        dropped = line.text.find(" ", dropped) + 1 or dropped
    text = line.text[dropped:]
    sure = len(text) if line.sure is None else max(line.sure - dropped, 0)
    unheard = line.unheard
    if len(unheard) > MAX_UNHEARD:
        unheard = f"{unheard[:MAX_UNHEARD].rsplit(' ', 1)[0]} …"
    return Words(text, unheard, sure, line.live)
