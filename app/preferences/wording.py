"""What the settings dialog says, and how its controls stand for values. Plain Python."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

from app.privacy import elsewhere
from app.text import one_line, size_text
from engine.background.settings import BackgroundSettings
from engine.config import DEFAULT_VOICE

STEPS_A_NAT = 10
"""A slider of temperament moves by a tenth of a nat."""
SPEED_STEP = 0.05
NEXT_START = "Used from the next start on: stop and start the session."
TEMPERAMENT = (
    "Where you lean it, it decides so more or less readily. That is added to the model’s own scores; "
    "no timer or threshold is involved."
)
NO_TEMPERAMENT = "This engine follows rules: it has no temperament."
RECORDING = (
    "Whether to record is asked for each time, with “Record sessions” (Ctrl+R), and is never remembered: "
    "a new window records nothing."
)
TRAITS = (
    ("interrupt", "&Interrupts you"),
    ("backchannel", "&Nods (“mm-hm”)"),
    ("give_way", "&Gives way to you"),
)
ENGINES: Mapping[str, str] = MappingProxyType(
    {
        "micro": "Interaction model (learned)",
        "pipeline": "Turn-based: waits for a pause",
        "pipeline-smart-turn": "Turn-based: judges whether you have finished",
        "pipeline-words": "Turn-based: waits for a pause, stops at words",
        "pipeline-smart-turn-words": "Turn-based: judges the end, stops at words",
    }
)
LEVELS: Mapping[str, str] = MappingProxyType(
    {
        "": "As it comes",
        "free": "Runs when needed",
        "ask once": "Asks once a session",
        "ask always": "Asks each time",
        "off": "Off",
    }
)
AUTOMATIC = "A server on this computer, else the built-in model"
ANSWERS = (("embedded", "The built-in model"), ("server", "The server at this address"))
EFFORTS = (("", "as the server likes"), *((each, each) for each in ("none", "low", "medium", "high")))
KEEP_DAYS = (0, 7, 30, 90, 365)
NO_KEYRING = "This computer has no keyring that keeps keys: set MICROTURN_API_KEY instead."


def bias_text(steps: int) -> str:
    """A slider's place in words: ``as trained``, or nats with their sign."""
    return f"{steps / STEPS_A_NAT:+.1f}" if steps else "as trained"


def voice_text(name: str, accent: str = "", gender: str = "") -> str:
    """``Emma, British, female``."""
    return ", ".join(filter(None, (one_line(name, 40).capitalize(), accent, gender)))


def voice_note(installed: bool, size_mb: float) -> str:
    """What has to be known of a voice that is not there yet."""
    if installed:
        return ""
    return (
        f"Not installed: {DEFAULT_VOICE.capitalize()} speaks until it is. Installing fetches "
        f"{size_mb:.0f} MB from the internet, once."
    )


def address_problem(url: str) -> str:
    """What is wrong with the address of a server; empty when it can be one."""
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "This is no web address."
    if parts.scheme not in ("http", "https") or not host or any(c.isspace() for c in url.strip()):
        return "Give a web address such as http://localhost:11434/v1"
    return ""


def answers_text(settings: BackgroundSettings, found: Sequence[tuple[str, str]]) -> str:
    """Where answers come from; ``found``: (name, address) of the servers that run on this computer."""
    if settings.base_url:
        if problem := address_problem(settings.base_url):
            return f"The server cannot be used. {problem}"
        host = elsewhere(settings.base_url)
        if not host:
            return f"Answers come from this computer: the server at {one_line(settings.base_url)}"
        plain = " without encryption" if settings.base_url.startswith("http:") else ""
        return f"Answers come from the server {host}. The words of your questions go there{plain}."
    if settings.discover and found:
        name, address = found[0]
        return f"Answers come from this computer: {one_line(name, 40)} at {one_line(address)}"
    return "Answers come from this computer: the small built-in model, which is often wrong."


def count_text(count: int) -> str:
    """``1 recording``, ``12 recordings``."""
    return f"{count} recording{'' if count == 1 else 's'}"


def usage_text(count: int, size: int) -> str:
    """How much room recordings take."""
    return f"{count_text(count)}, {size_text(size)}" if count else "No recordings"


def delete_question(count: int, size: int, folder: Path) -> str:
    """What is asked before everything is deleted."""
    what = "the only recording" if count == 1 else f"all {count} recordings"
    return f"Delete {what} ({size_text(size)}) in {one_line(str(folder), 400)}? This cannot be undone."


def deleted_text(count: int, size: int, left: Sequence[str]) -> str:
    """What became of it."""
    done = f"Deleted {count_text(count)}, {size_text(size)}."
    return f"{done} Not deleted: {'; '.join(one_line(why) for why in left[:3])}" if left else done


def keep_options(days: int) -> list[tuple[str, str]]:
    """How long recordings may be kept, with what is chosen already."""
    return [
        (str(each), f"for {each} day{'' if each == 1 else 's'}" if each else "for ever")
        for each in sorted({*KEEP_DAYS, days})
    ]


def tool_text(description: str) -> str:
    """The first sentence of what a language model is told of a tool."""
    return one_line(description, 300).split(". ")[0].rstrip(".")


def level_text(level: str, own: str) -> str:
    """A level for people; the one a tool comes with says which that is."""
    return f"{LEVELS[level]}: {LEVELS.get(own, own).lower()}" if not level else LEVELS[level]
