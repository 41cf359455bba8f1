"""The seams of a session: who gives micro-turns their input and takes their output.

Live devices, files, and the fakes of the tests implement these; the runner
knows nothing else. All methods are called from the engine thread unless said
otherwise, and none but ``AudioSource.read`` may block.
"""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from engine.events import BackgroundEvent, Caption, Transcript
from engine.handover import HandOver, Line
from engine.types import Frame, MicroTurn, Samples, SourceChunk, StepOutput


class AudioSource(Protocol):
    """Microphone or file: 16 kHz mono in chunks of 200 ms."""

    def start(self) -> None: ...

    def read(self) -> SourceChunk | None:
        """The next 3,200 samples; blocks until they exist. None at the end of a file, or after ``stop``.

        A lost device is not the end: silence keeps coming at the pace of the
        clock, ``gap_samples`` counts what is missing, ``faults`` says why, once.
        """

    def stop(self) -> None:
        """Release the device. May be called from any thread, more than once."""


class AudioSink(Protocol):
    """Loudspeaker or file: 24 kHz mono. Plays what is queued, then digital silence.

    ``t`` is the session time of the call, in seconds; a file uses it as the
    time at which the samples reach the device.
    """

    def start(self) -> None: ...

    def write(self, samples: Samples, t: float) -> None: ...

    def queued(self, t: float) -> int:
        """Samples written and not yet played at time ``t``."""

    def flush(self, t: float) -> int:
        """Fade out within 40 ms and forget the rest. Returns the samples that will never be heard."""

    def played(self, index: int) -> Samples:
        """The 4,800 samples audible during ``[0.2*index, 0.2*(index+1))``. Called once an index, in order."""

    def take_faults(self) -> tuple[str, ...]:
        """Underruns and device trouble since the last call, in plain words."""

    def stop(self) -> None: ...


class Camera(Protocol):
    """Webcam or video file. Frames are captured elsewhere; reading never waits."""

    def start(self) -> None: ...

    def newest(self, t: float) -> Frame | None:
        """The newest frame captured before session time ``t``; None if none came since the last call."""

    def take_events(self) -> tuple[str, ...]:
        """What changed since the last call, in plain words: ``started``, ``stalled``, ``lost: ...``."""

    def stop(self) -> None: ...


class Background(Protocol):
    """The background process as the engine thread sees it."""

    def start(self) -> None: ...

    def wait_ready(self, timeout: float) -> bool:
        """Wait until it can answer; False after ``timeout`` seconds, or at once when it does not start."""

    def hear(self, index: int, samples: Samples, t: float, since: float) -> None:
        """The sound of micro-turn ``index``, given at session time ``t``; never waits.

        ``since``: the session second from which on words would belong to a
        request that was handed over now.
        """

    def know(self, lines: tuple[Line, ...]) -> None:
        """What was said lately, whenever it has changed; never waits."""

    def submit(self, t: float, package: HandOver, frame: Frame | None) -> int:
        """Hand work over at session time ``t`` and return its id; never waits.

        What was found ahead of the request can be polled at once.
        """

    def poll(self, t: float) -> tuple[BackgroundEvent | Caption | Transcript, ...]:
        """What has happened by session time ``t``, in order.

        ``partial`` carries answer words (``detail['role'] == 'answer'``), what was recognised
        (``request``), a question to the user (``question``), a new attempt (``retry``) or that the words so
        far are void (``restart``). Captions and transcripts are the user's words.
        """

    def wait_until(self, t: float) -> None:
        """On a simulated clock: return once every event that belongs before ``t`` can be polled.
        Live: return at once."""

    def cancel(self, job: int, t: float, reason: str = "") -> None: ...

    def retry(self, job: int, t: float) -> int | None:
        """Ask again what an ended job was asked; the new job's id, None when it is not known any more."""

    def permit(self, job: int, allowed: bool) -> None:
        """The user's answer to a job's question."""

    def share(self, paths: tuple[str, ...]) -> None:
        """The files that the tools may read, newest last."""

    def take_faults(self) -> tuple[str, ...]:
        """What went wrong with the process since the last call, in plain words."""

    def stop(self) -> None: ...


class InteractionEngine(Protocol):
    """Decides. One instance serves one session; streaming state is its own."""

    name: str
    model: str
    """Names the weights: file stem and the first 12 hex digits of their SHA-256."""

    def warm_up(self) -> None:
        """Do all slow first-time work; called before the first micro-turn."""

    def reset(self, seed: int) -> None: ...

    def step(self, turn: MicroTurn) -> StepOutput: ...


@runtime_checkable
class Heeding(Protocol):
    """An engine that carries out standing instructions."""

    standing: tuple[str, ...]
    """The say tokens of ``engine.standing`` that it has learned to say."""


@runtime_checkable
class Leaning(Protocol):
    """An engine with a temperament, which may change while it runs."""

    def lean(self, bias: Mapping[str, float]) -> None:
        """From the next step on add these nats to the logits of decisions; 0 where none is given."""
