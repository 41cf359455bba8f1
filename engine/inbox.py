"""Commands of other threads to the engine thread: a bounded queue that never makes its writers wait."""

from collections import deque
from dataclasses import dataclass

from engine.config import Temperament
from engine.events import Mark, TextIn
from engine.interfaces import Camera

MAX_COMMANDS = 256


@dataclass(frozen=True)
class StopSpeaking:
    """The user's button: be silent at once."""

    t: float


@dataclass(frozen=True)
class CancelJob:
    """Give a background job up."""

    t: float
    job: int


@dataclass(frozen=True)
class RetryJob:
    """Ask again what an ended background job was asked."""

    t: float
    job: int


@dataclass(frozen=True)
class PermitJob:
    """The user's answer to the question of a background job."""

    t: float
    job: int
    allowed: bool


@dataclass(frozen=True)
class ShareFiles:
    """The files that the tools may read, newest last."""

    t: float
    paths: tuple[str, ...]


@dataclass(frozen=True)
class UseCamera:
    """Look through another camera from now on, which runs already; None is none."""

    t: float
    camera: Camera | None


@dataclass(frozen=True)
class SetTemperament:
    """Lean otherwise from now on."""

    t: float
    temperament: Temperament


Command = (
    TextIn | Mark | StopSpeaking | CancelJob | RetryJob | PermitJob | ShareFiles | UseCamera | SetTemperament
)


class Inbox:
    """``put`` from any thread, ``take`` from the engine thread. Full, it refuses the newest and counts it."""

    def __init__(self) -> None:
        self._commands: deque[Command] = deque()
        self.dropped = 0

    def put(self, command: Command) -> bool:
        """Queue a command; False when it had to be refused."""
        # Two threads that race here may exceed the bound by one each, which does no harm.
        if len(self._commands) >= MAX_COMMANDS:
            self.dropped += 1
            return False
        self._commands.append(command)
        return True

    def take(self) -> list[Command]:
        """Every command waiting, oldest first."""
        return [self._commands.popleft() for _ in range(len(self._commands))]
