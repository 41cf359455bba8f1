"""What the window remembers between two runs. Never whether to record, and never a key. Plain Python.

``app/settings_store.py`` keeps it in a file.
"""

import math
from dataclasses import Field, dataclass, field, fields
from typing import Any

from engine.background.settings import MAX_INSTRUCTIONS
from engine.config import DEFAULT_VOICE, MAX_BIAS, MAX_SPEED, MIN_SPEED
from engine.engines.registry import ENGINES

MAX_TEXT = 500
MAX_PATH = 4_000
MAX_BYTES = 64 * 1024
MAX_ITEMS = 1_000
MAX_KEEP_DAYS = 3_650
YES_NO = ("", "yes", "no")
"""An empty one leaves it to the MICROTURN_ variables."""
ANSWERS = ("", "embedded", "server")
"""Where answers come from: as found (or as MICROTURN_BASE_URL says), the built-in model, ``server_url``."""


def number(default: float, low: float, high: float) -> Any:
    """A field that must lie between two numbers; whole where ``default`` is."""
    return field(default=default, metadata={"low": low, "high": high})


def choice(default: str, options: tuple[str, ...]) -> Any:
    """A field that must be one of some words."""
    return field(default=default, metadata={"options": options})


def text(limit: int, default: str = "") -> Any:
    """A field of text of at most ``limit`` characters; without this, ``MAX_TEXT`` is the limit."""
    return field(default=default, metadata={"limit": limit})


@dataclass(frozen=True)
class Settings:
    """Empty device names mean the system's default; an empty camera means none.

    ``last_camera`` is the one that "Camera on" goes back to; ``welcomed``: the
    first steps have been shown; ``hold_to_talk``: the microphone is on only
    while a key is held; ``text_scale``: 0.8 to 2, 1 as designed; ``show_timeline``: below
    the conversation of a running session.

    Conversation: ``engine`` decides about turns; ``interrupt``, ``backchannel`` and
    ``give_way`` are its ``Temperament``; ``voice`` and ``speed`` of speech; ``language``
    is Whisper's code, for a recogniser that knows several.

    Background, each empty where the MICROTURN_ variables decide: ``answers`` (one of
    ``ANSWERS``), ``server_url``, ``server_model``, ``reasoning_effort``, ``send_pictures``,
    ``think_ahead``, ``recogniser`` (a folder), ``instructions`` (how to behave).

    Recordings: ``recordings_folder`` is empty for the usual one; ``keep_days``: after so
    many days they are deleted, 0 for never.

    Presenting: ``present_recordings``: recordings of scenes take the microphone's place;
    ``present_aloud``: the room hears them;
    ``present_ask_delete``: a visitor's recording is deleted only after a yes.
    """

    theme: str = "system"
    input_device: str = ""
    output_device: str = ""
    camera: str = ""
    geometry: bytes = b""
    layout: bytes = b""
    columns: bytes = b""
    last_camera: str = ""
    welcomed: bool = False
    hold_to_talk: bool = False
    text_scale: float = number(1.0, 0.8, 2.0)
    show_timeline: bool = True
    engine: str = choice("micro", ENGINES)
    interrupt: float = number(0.0, -MAX_BIAS, MAX_BIAS)
    backchannel: float = number(0.0, -MAX_BIAS, MAX_BIAS)
    give_way: float = number(0.0, -MAX_BIAS, MAX_BIAS)
    voice: str = DEFAULT_VOICE
    speed: float = number(1.0, MIN_SPEED, MAX_SPEED)
    language: str = text(20)
    answers: str = choice("", ANSWERS)
    server_url: str = text(2_000)
    server_model: str = text(200)
    reasoning_effort: str = text(40)
    send_pictures: str = choice("", YES_NO)
    think_ahead: str = choice("", YES_NO)
    recogniser: str = text(MAX_PATH)
    instructions: str = text(MAX_INSTRUCTIONS)
    recordings_folder: str = text(MAX_PATH)
    keep_days: int = number(0, 0, MAX_KEEP_DAYS)
    hidden_lanes: str = ""
    playback_speed: float = number(1.0, 0.5, 2.0)
    playback_mixed: bool = False
    present_recordings: bool = True
    present_aloud: bool = True
    present_ask_delete: bool = True


DEFAULTS = Settings()
FIELDS: dict[str, Field[Any]] = {entry.name: entry for entry in fields(Settings)}


def wrong(name: str, value: object) -> str:
    """What is wrong with a value of a field, in plain words; empty when it can be used.

    Numbers must be finite; a whole number will do for one that is none.
    """
    entry = FIELDS[name]
    kind = type(entry.default)
    if kind is float and type(value) is int and abs(value) < 2**53:
        value = float(value)
    if type(value) is not kind:
        return f"is no {_KINDS[kind]}"
    if isinstance(value, (int, float)):
        low, high = (entry.metadata.get(end, default) for end, default in (("low", -1e15), ("high", 1e15)))
        return "" if math.isfinite(value) and low <= value <= high else f"is not from {low:g} to {high:g}"
    if isinstance(value, str):
        options = entry.metadata.get("options")
        if options and value not in options:
            return f"is none of {', '.join(option or 'nothing' for option in options)}"
        if "\0" in value or value.encode("utf-8", "replace") != value.encode("utf-8", "surrogatepass"):
            return "is no text"
        return "" if len(value) <= entry.metadata.get("limit", MAX_TEXT) else "is too long"
    if isinstance(value, bytes):
        return "" if len(value) <= MAX_BYTES else "is too long"
    if isinstance(value, tuple):
        whole = len(value) <= MAX_ITEMS and all(isinstance(v, str) and len(v) <= MAX_TEXT for v in value)
        return "" if whole else "is no list of short texts"
    return ""


_KINDS = {
    bool: "yes or no (true or false)",
    int: "whole number",
    float: "number",
    str: "text",
    bytes: "base64 text",
    tuple: "list of texts",
}
