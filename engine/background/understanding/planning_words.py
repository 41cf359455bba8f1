"""Words around a request that mean nothing for it, for all of planning."""

import re

_POLITE = re.compile(
    r"^(?:(?:can|could|would|will) (?:you|ya) |please |kindly |go ahead and |just |yo,? |ok,? "
    r"|okay,? |oh,? (?=and\b)"
    r"|don't forget to (?=remind))+"
)
_ABOUT = re.compile(
    r"\b(for|in|at) (?:like|about|around|roughly|approximately|maybe|exactly"
    r"|just) (?=\d|an?\b|half\b)"
)
_IS = re.compile(r"\b(time|much|long|many|there)'s\b")
_PAUSED = re.compile(r"\b(for|to|me|at|in|on|is|a|an|by), ")
_MORE = re.compile(r"\b(\d{1,4}|a few|an?) more (seconds?|minutes?|hours?|mins?|secs?)\b")


def request(text: str) -> str:
    """A normal text in the form that is parsed: no politeness, no comma where somebody hesitated."""
    text = _IS.sub(r"\1 is", _POLITE.sub("", text))
    text = _ABOUT.sub(r"\1 ", text)
    return _MORE.sub(r"\1 \2 more", _PAUSED.sub(r"\1 ", text))
