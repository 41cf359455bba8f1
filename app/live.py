"""What the window asks of the engine: open a session, list devices, read a recording.

The engine is imported when it is first needed, in the worker thread, so that
the window itself appears at once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from engine.background.settings import BackgroundSettings
from engine.config import EngineConfig, Temperament
from engine.errors import MicroturnError
from engine.event_bus import EventBus
from engine.paths import data_dir


class LiveSession(Protocol):
    """The part of ``engine.session.Session`` that the window uses."""

    source: Any
    sink: Any
    camera: Any
    progress: str
    out_dir: Path | None

    @property
    def state(self) -> str: ...

    @property
    def error(self) -> MicroturnError | None: ...

    @property
    def recording(self) -> bool: ...

    def start(self) -> None: ...

    def stop(self, timeout: float = 3.0) -> bool: ...

    def type_text(self, text: str) -> None: ...

    def mark(self, note: str, verdict: str = "", t: float | None = None) -> None: ...

    def cancel_job(self, job: int) -> None: ...

    def retry_job(self, job: int) -> None: ...

    def permit_job(self, job: int, allowed: bool) -> None: ...

    def share_files(self, paths: Sequence[Path]) -> None: ...

    def stop_speaking(self) -> None: ...

    def set_temperament(self, temperament: Temperament) -> None: ...

    def switch_camera(self, camera: str | None) -> None: ...


@dataclass(frozen=True)
class Choice:
    """How the next session is to run. A device of None is the system's default; a camera of None is none.

    ``input_device`` may be a sound file that stands in for the microphone, and ``camera`` a video.
    """

    input_device: str | None = None
    output_device: str | None = None
    camera: str | None = None
    record_in: Path | None = None
    """Folder that gets a new session folder; None records nothing."""
    config: EngineConfig = field(default_factory=EngineConfig)
    background: BackgroundSettings | None = None
    """How the background process is run; None is as the environment says."""
    aloud: bool = False
    """A sound file in the microphone's place is heard from the loudspeaker, too."""


@dataclass(frozen=True)
class Devices:
    """(what to pass on, name for people) of each device found now."""

    inputs: tuple[tuple[str, str], ...] = ()
    outputs: tuple[tuple[str, str], ...] = ()
    cameras: tuple[tuple[str, str], ...] = ()


OpenSession = Callable[[Choice, EventBus], LiveSession]
ListDevices = Callable[[bool], Devices]
"""Told whether PortAudio's own list may be rebuilt, which would break open streams."""


def sessions_dir() -> Path:
    """Where the window records sessions unless told otherwise."""
    return data_dir() / "sessions"


def open_session(choice: Choice, bus: EventBus) -> LiveSession:
    """A session on the chosen devices, ready to be started.

    Raises:
        MicroturnError: a device is not there, or something the session needs is missing.
    """
    from engine.session import open_live

    return open_live(
        choice.config,
        choice.input_device,
        choice.output_device,
        choice.camera,
        choice.record_in,
        bus,
        background=choice.background,
        aloud=choice.aloud,
    )


def list_devices(rebuild: bool) -> Devices:
    """What is plugged in now. A kind that cannot be listed is left empty.

    Raises:
        MicroturnError: PortAudio is missing or does not answer.
    """
    from engine.audio import devices as audio
    from engine.camera.devices import list_cameras

    found = audio.list_devices(refresh=rebuild)
    return Devices(
        inputs=tuple((d.id, d.name) for d in found if d.inputs and not d.is_monitor),
        outputs=tuple((d.id, d.name) for d in found if d.outputs),
        cameras=tuple((str(c.index), c.name) for c in list_cameras()),
    )


def preload() -> None:
    """Load the engine's code ahead of the first start; about two seconds."""
    import engine.engines.micro
    import engine.session  # noqa: F401
