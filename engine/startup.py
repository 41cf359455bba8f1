"""Making, starting and stopping the parts of a session, in order and whatever fails on the way."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from engine.config import EngineConfig
from engine.engines.registry import make_engine
from engine.interfaces import AudioSink, AudioSource, Background, Camera, InteractionEngine
from engine.speech import SpeechController

Part = AudioSource | AudioSink | Camera | Background
OptionalPart = TypeVar("OptionalPart", Camera, Background)


def make_speech(config: EngineConfig) -> SpeechController:
    """The chosen voice with its controller; loading takes about half a second.

    Raises:
        MicroturnError: the voice is not installed; ``engine.voices.with_installed`` replaces such a one.
    """
    from engine.voice import Voice

    return SpeechController(Voice(config.voice, config.speed))


@dataclass(frozen=True)
class Factories:
    """Makes the parts that take seconds to load; called in the engine thread."""

    engine: Callable[[EngineConfig], InteractionEngine] = make_engine
    speech: Callable[[EngineConfig], SpeechController] = make_speech


class Startup:
    """Starts parts one by one and stops them in reverse. Engine thread only.

    Nothing more is started once ``stopping`` is set. ``say`` is told what is
    being started. ``troubles``: what the session has to do without.
    """

    def __init__(self, stopping: threading.Event, say: Callable[[str], None]) -> None:
        self.troubles: list[str] = []
        self._stopping = stopping
        self._say = say
        self._started: list[Part] = []

    def start(self, progress: str, part: Part) -> None:
        """Start what a session cannot do without; what it raises goes to the caller."""
        if self._stopping.is_set():
            return
        self._say(progress)
        self._started.append(part)
        part.start()

    def start_optional(self, progress: str, part: OptionalPart | None) -> OptionalPart | None:
        """Start what a session can do without; None when it fails."""
        if part is None:
            return None
        try:
            self.start(progress, part)
        except Exception as err:  # noqa: BLE001 - neither a camera nor a background is needed to talk
            self.troubles.append(f"{progress} failed: {err or type(err).__name__}")
            return None
        return part

    def stop_all(self) -> list[str]:
        """Stop every part that was started, last first; what went wrong, in plain words."""
        troubles = []
        for part in reversed(self._started):
            try:
                part.stop()
            except Exception as err:  # noqa: BLE001 - the other parts must be released too
                troubles.append(f"{type(part).__name__} did not stop cleanly: {err or type(err).__name__}")
        self._started.clear()
        return troubles
