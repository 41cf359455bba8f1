"""How the background process is run: what the user chose, and the limits that keep it harmless."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class BackgroundSettings:
    """Immutable; handed to the worker as its first message.

    With ``base_url`` an OpenAI-compatible server answers, else the embedded
    model. An empty ``model`` means the first one that the server lists.
    ``cache_dir`` and ``asr_dir`` default to the user's cache and the bundled
    recogniser. ``threads`` is the number of compute threads of the worker;
    ``niceness`` what is added to its nice value, so that the engine goes first.
    """

    base_url: str = ""
    model: str = ""
    api_key: str = field(default="", repr=False)
    threads: int = 1
    niceness: int = 5
    max_tokens: int = 80
    send_frames: bool = False
    remote_timeout_s: float = 30.0
    cache_dir: str = ""
    asr_dir: str = ""


@dataclass(frozen=True)
class Supervision:
    """Limits of the supervisor in seconds; see docs/background.md."""

    ping_s: float = 0.5
    silence_s: float = 3.0  # without a pong, once ready
    start_silence_s: float = 15.0  # loading libraries from a cold disk holds the interpreter
    load_s: float = 180.0  # from the start to ready, a first conversion included
    job_s: float = 60.0
    backoff_s: float = 0.25
    max_backoff_s: float = 10.0
    start_attempts: int = 3  # so many failed starts in a row, then open requests fail
    max_open: int = 4


def from_environment(environ: Mapping[str, str] | None = None) -> BackgroundSettings:
    """Defaults, with MICROTURN_BASE_URL, MICROTURN_MODEL and MICROTURN_API_KEY where they are set."""
    env = os.environ if environ is None else environ
    return BackgroundSettings(
        base_url=env.get("MICROTURN_BASE_URL", "").strip(),
        model=env.get("MICROTURN_MODEL", "").strip(),
        api_key=env.get("MICROTURN_API_KEY", "").strip(),
    )
