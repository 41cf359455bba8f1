"""What the benchmark is made of: cases, and what came of them."""

from dataclasses import dataclass

from engine.bench.rooms import Room
from engine.events import BackgroundEvent, Transcript, TurnRecord
from engine.types import Samples

TASKS = (
    "turn_taking",
    "pauses",
    "correction",
    "interruption",
    "backchannel",
    "aside",
    "background_speech",
    "monologue",
    "noise",
    "echo",
)
OVERLAPS = ("interruption", "backchannel", "aside", "background_speech")


@dataclass(frozen=True)
class Cue:
    """Something the user's side does.

    ``audio``: dry speech at 16 kHz, pauses included; ``spans``: where in it somebody speaks, in seconds
    from its start; ``clauses``: ends of clauses and sentences inside it, likewise. ``channel``: ``near``
    (to the microphone), ``turned`` (the same person, head turned away), ``far`` (another person or a
    television across the room). ``after`` is the moment ``delay_s`` counts from: ``start`` of the session,
    or the first sound of the assistant's first ``answer``. ``wants_answer``: a turn whose end is to be taken.
    """

    role: str
    text: str
    audio: Samples
    spans: tuple[tuple[float, float], ...]
    channel: str = "near"
    after: str = "start"
    delay_s: float = 1.0
    wants_answer: bool = True
    clauses: tuple[float, ...] = ()


@dataclass(frozen=True)
class Case:
    """One scripted session. ``answers``: what the background answers to each request, in order.

    ``noise``: room sound at 16 kHz as long as the session, at its final level, or None; ``echo_gain``:
    linear gain from the loudspeaker to the microphone; ``speech_gain`` scales all cues, as the
    microphone's sensitivity does. ``voices`` is
    ``synthetic`` or ``human``. ``length_s`` bounds the session.
    """

    task: str
    name: str
    voices: str
    speaker: str
    cues: tuple[Cue, ...]
    room: Room
    length_s: float
    answers: tuple[str, ...] = ()
    noise: Samples | None = None
    echo_gain: float = 0.0
    speech_gain: float = 1.0
    seed: int = 0


@dataclass(frozen=True)
class Happened:
    """A cue as it was played: session seconds."""

    cue: Cue
    start: float

    @property
    def end(self) -> float:
        return self.start + self.cue.spans[-1][1]


@dataclass(frozen=True)
class Outcome:
    """What one engine did in one case. ``heard``: the loudspeaker, 24 kHz, sample 0 at session second 0."""

    case: Case
    engine: str
    happened: tuple[Happened, ...]
    turns: tuple[TurnRecord, ...]
    transcripts: tuple[Transcript, ...]
    background: tuple[BackgroundEvent, ...]
    heard: Samples
    faults: tuple[str, ...] = ()
