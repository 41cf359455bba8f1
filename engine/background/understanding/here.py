"""Requests about what is at hand: the file that was picked, the screen, what the camera sees."""

import re
from datetime import datetime

from engine.background.tools.camera import LOOK
from engine.background.tools.files import READ_FILE
from engine.background.tools.screen import SCREENSHOT
from engine.background.understanding.call import Call

_FILE = re.compile(
    r"^(?:read|open|summari[sz]e|(?:look )?at|what(?:'s| is| does| are)(?: it)?(?: say)?(?: in)?|how long is"
    r"|how many words)\b.*\b(?:the|that|my|this) (?:\w+ )?(?:file|document)"
    r"(?: (?:(?:that |which )?i (?:just )?\w+|says?|about|have|has|aloud|out loud|(?:to|for) me|again"
    r"|here))*$"
)
_SCREENSHOT = re.compile(
    r"^(?:take|make|grab|get|capture|save)\b.*"
    r"(?:\bscreen ?shot\b(?! of (?!(?:the|my|this|that) (?:\w+ )?(?:screen|window|desktop|display|page)))"
    r"|\bpicture of (?:the|my) screen\b|\bthe screen$)"
)
_LOOK = re.compile(
    r"^(?:what|who|how many \w+|which \w+)\b.*\b(?:do|can) you see"
    r"(?: (?:here|there|now|right now"
    r"|(?:in|on|behind|around|through|with) (?:front of )?(?:the|my|your|me|you)\b.*))?$"
    r"|^what am i (?:holding|wearing|showing|doing)\b"
    r"|^(?:(?:can|do) you )?see (?:me|this|that|what (?:i'm|i am) \w+)(?: (?:here|now))?$"
    r"|^(?:(?:look )?at|describe) (?:(?:this|me)(?: (?:here|now|thing|object|for me))?|what you see\b.*)$"
    r"|^what(?:'s| is) (?:this|that|in my hand|behind me|in front of you)$"
    r"|^how do i look$|^what colou?r is (?:my|this)\b"
)


class Here:
    """Implements ``engine.background.understanding.call.Domain``."""

    tools = (READ_FILE, SCREENSHOT, LOOK)

    def parse(self, text: str, now: datetime) -> Call | None:
        """As the protocol says; ``now`` plays no part."""
        del now
        if _FILE.search(text):
            return Call(READ_FILE.name)
        if _SCREENSHOT.search(text):
            return Call(SCREENSHOT.name)
        return Call(LOOK.name, {"question": text}) if _LOOK.search(text) else None

    def follow(self, text: str, last: Call, now: datetime) -> Call | None:
        """ "Read it again" and its kind."""
        del now
        again = re.match(
            r"^(?:(?:read|do|take|look)\b.* )?(?:again|another(?: \w+)?|once more)(?: (?:to|for) me)?$", text
        )
        return last if again else None
