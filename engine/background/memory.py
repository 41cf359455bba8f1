"""What the language model is told of the past, within a budget of words.

The last exchanges go in word by word. What falls out is summarised, a line an
exchange, the oldest first to go. What the user told about themselves and the
tasks that are open stay in whatever happens.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.handover import Line

RECENT_WORDS = 250
SUMMARY_WORDS = 150
SUMMARY_LINE_WORDS = 14
FACT_WORDS = 120
CUT_OFF = "[cut off here; the user did not hear: {}]"


@dataclass(frozen=True)
class Memory:
    """``recent``: (speaker, text) pairs, oldest first; ``summary``: the rest in plain words."""

    recent: tuple[tuple[str, str], ...]
    summary: str


def remember(
    lines: Sequence[Line],
    facts: Mapping[str, str],
    tasks: Sequence[str],
    recent_words: int = RECENT_WORDS,
    summary_words: int = SUMMARY_WORDS,
) -> Memory:
    """The memory for one request.

    ``lines``: what was said, oldest first; ``facts``: about the user, by name;
    ``tasks``: open reminders, timers and jobs, one sentence each.
    """
    kept: list[Line] = []
    left = recent_words
    for line in reversed(lines):
        left -= len(spoken(line).split())
        if left < 0 and kept:
            break
        kept.append(line)
    old = lines[: len(lines) - len(kept)]
    parts = []
    if facts:
        known = "; ".join(f"{name}: {value}" for name, value in facts.items())
        parts.append("About the user: " + _first_words(known, FACT_WORDS) + ".")
    if tasks:
        parts.append("Open tasks: " + _first_words("; ".join(tasks), FACT_WORDS) + ".")
    earlier = summary_of(old, summary_words)
    if earlier:
        parts.append("Earlier in this conversation: " + earlier)
    return Memory(tuple((line.speaker, spoken(line)) for line in reversed(kept)), "\n".join(parts))


def spoken(line: Line) -> str:
    """The line as a language model gets it: what a barge-in cut off is marked as unheard."""
    if not line.unheard:
        return line.text
    return f"{line.text} {CUT_OFF.format(_first_words(line.unheard, 30))}".strip()


def summary_of(lines: Sequence[Line], words: int) -> str:
    """One short clause for each user line and what was answered; the oldest fall out beyond ``words``."""
    clauses: list[str] = []
    asked = ""
    for line in lines:
        text = _first_words(line.text, SUMMARY_LINE_WORDS).rstrip(".?! ")
        if not text:
            continue
        if line.speaker == "user":
            if asked:
                clauses.append(f'the user said "{asked}"')
            asked = text
        elif asked:
            clauses.append(f'the user said "{asked}" and was told "{text}"')
            asked = ""
    if asked:
        clauses.append(f'the user said "{asked}"')
    kept: list[str] = []
    for clause in reversed(clauses):
        words -= len(clause.split())
        if words < 0:
            break
        kept.append(clause)
    return "; ".join(reversed(kept)) + "." if kept else ""


def _first_words(text: str, most: int) -> str:
    words = text.split()
    return " ".join(words) if len(words) <= most else " ".join(words[:most]) + " …"
