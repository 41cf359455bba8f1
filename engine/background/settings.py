"""How the background process is run: what the user chose, and the limits that keep it harmless."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

MAX_INSTRUCTIONS = 2_000


@dataclass(frozen=True)
class BackgroundSettings:
    """Immutable; handed to the worker as its first message.

    With ``base_url`` an OpenAI-compatible server answers, else the embedded
    model. An empty ``model`` means the first one that the server lists.
    ``discover``: without ``base_url``, a server on this computer is looked for.
    ``reasoning_effort`` is sent to the server when it is set.
    ``cache_dir`` and ``asr_dir`` default to the user's cache and the bundled
    recogniser. ``threads`` is the number of compute threads of the worker;
    ``niceness`` what is added to its nice value, so that the engine goes first.
    ``language`` is a hint for a recogniser that knows several. ``think_ahead``:
    work begins before a request is handed over. ``store``: file of alarms, notes
    and lists, the user's own when empty, ":memory:" for none; ``config_dir``: where
    tool settings lie. ``wall_start``: seconds since 1970 at session second 0, for
    sessions whose clock is not the computer's (``simulated``: it follows the
    session's sound); ``zone``: IANA name of the time zone, the computer's when empty.
    ``instructions``: how the language model is to behave, in the user's words, at most
    ``MAX_INSTRUCTIONS`` characters.
    """

    base_url: str = ""
    model: str = ""
    api_key: str = field(default="", repr=False)
    threads: int = 1
    niceness: int = 10
    max_tokens: int = 80
    send_frames: bool = False
    remote_timeout_s: float = 30.0
    cache_dir: str = ""
    asr_dir: str = ""
    language: str = "en"
    think_ahead: bool = True
    store: str = ""
    config_dir: str = ""
    wall_start: float = 0.0
    simulated: bool = False
    zone: str = ""
    reasoning_effort: str = ""
    discover: bool = True
    instructions: str = ""


@dataclass(frozen=True)
class Supervision:
    """Limits of the supervisor in seconds; see docs/background.md."""

    ping_s: float = 0.5
    silence_s: float = 3.0  # without a pong, once ready
    start_silence_s: float = 15.0  # loading libraries from a cold disk holds the interpreter
    load_s: float = 180.0  # from the start to ready, a first conversion included
    job_s: float = 60.0  # a request's deadline when it brings none
    overdue_s: float = 3.0  # after its deadline, before the worker that ignores it is replaced
    backoff_s: float = 0.25
    max_backoff_s: float = 10.0
    start_attempts: int = 3  # so many failed starts in a row, then open requests fail
    max_open: int = 6


def from_environment(environ: Mapping[str, str] | None = None) -> BackgroundSettings:
    """Defaults, with the MICROTURN_ variables of docs/background.md where they are set."""
    env = os.environ if environ is None else environ

    def text(name: str) -> str:
        return env.get(f"MICROTURN_{name}", "").strip()

    def flag(name: str, default: bool) -> bool:
        value = text(name).lower()
        return value not in ("0", "no", "off", "false") if value else default

    return BackgroundSettings(
        base_url=text("BASE_URL"),
        model=text("MODEL"),
        api_key=text("API_KEY"),
        reasoning_effort=text("REASONING_EFFORT")[:40],
        discover=flag("DISCOVER", default=True),
        send_frames=flag("SEND_PICTURES", default=False),
        think_ahead=flag("THINK_AHEAD", default=True),
        asr_dir=text("RECOGNISER"),
        language=text("LANGUAGE")[:20] or "en",
        instructions=text("INSTRUCTIONS")[:MAX_INSTRUCTIONS],
    )
