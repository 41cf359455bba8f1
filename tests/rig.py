"""A runner between fakes, on a simulated clock."""

from engine.clock import SimulatedClock
from engine.config import LateRule
from engine.events import Event, Fault, TextIn, Transcript, TurnRecord
from engine.inbox import Inbox
from engine.runner import Parts, Runner
from engine.speech import SpeechController
from engine.types import Frame, Samples, SourceChunk
from tests.fakes import FakeBackground, FakeCamera, FakeEngine, FakeSink, FakeSource, ToneVoice


class Rig:
    """A runner between fakes, on a simulated clock."""

    def __init__(
        self,
        engine: FakeEngine | None = None,
        count: int = 10,
        late: LateRule | None = None,
        background: FakeBackground | None = None,
        camera: FakeCamera | None = None,
        chunks: tuple[SourceChunk, ...] = (),
        script: tuple[TextIn, ...] = (),
    ) -> None:
        self.clock = SimulatedClock()
        self.engine = engine or FakeEngine()
        self.source = FakeSource(self.clock, count, chunks)
        self.sink = FakeSink()
        self.voice = ToneVoice()
        self.background = background
        self.inbox = Inbox()
        self.events: list[Event] = []
        self.recorded: list[tuple[Samples, Samples, Frame | None]] = []
        parts = Parts(
            self.source, self.sink, self.engine, SpeechController(self.voice), self.clock,
            camera, background, script,
        )  # fmt: skip
        self.runner = Runner(
            parts,
            late or LateRule(),
            self.inbox,
            self.events.append,
            lambda samples, heard, frame: self.recorded.append((samples, heard, frame)),
            self.engine.stopwatch,
        )

    def run(self) -> "Rig":
        self.runner.run()
        return self

    @property
    def turns(self) -> list[TurnRecord]:
        return [event for event in self.events if isinstance(event, TurnRecord)]

    def of(self, kind: type) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]

    def faults(self) -> list[str]:
        return [event.what for event in self.events if isinstance(event, Fault)]


def transcripts(rig: Rig) -> list[tuple[str, str, str]]:
    return [(e.speaker, e.text, e.unheard) for e in rig.events if isinstance(e, Transcript)]
