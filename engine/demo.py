"""``microturn demo``: replays the bundled conversation and tells what happens in it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import shorten

from engine.config import CHUNK_S, EngineConfig
from engine.errors import MicroturnError
from engine.events import BackgroundEvent, Event, Fault, TextIn, Transcript, TurnRecord
from engine.inspect.export import export
from engine.inspect.measures import measure
from engine.inspect.summary import summary
from engine.paths import asset, data_dir
from engine.recorder.folder import new_session_folder
from engine.recorder.reader import read_session
from engine.replay import Progress, run_replay
from engine.startup import Factories
from engine.truth import Comparison, compare, read_truth

RECORDING = "demo/demo.flac"
TEXTS = "demo/demo.jsonl"
TRUTH = "demo/demo.json"
PICTURE = "timeline.png"

Write = Callable[[str], None]
"""Takes one line without its end."""


@dataclass
class Narrator:
    """Tells a session as it happens: a line for each run of equal decisions, others for what lay between."""

    write: Write
    _decision: str = ""
    _began: float = 0.0
    _words: list[str] = field(default_factory=list)
    _user: list[str] = field(default_factory=list)
    _asides: list[str] = field(default_factory=list)

    def add(self, event: Event) -> None:
        """Take the next event; lines are written when a run of decisions ends."""
        if isinstance(event, TurnRecord):
            self._turn(event)
        elif isinstance(event, Transcript):
            # Recognised only once it is over: it belongs before the answer that has begun since.
            if event.speaker == "user":
                self._user.append(f"{event.t0:7.1f} s    user: {event.text}")
        elif aside := _aside(event):
            self._asides.append(aside)

    def _turn(self, turn: TurnRecord) -> None:
        if turn.decision != self._decision:
            self.close()
            self._decision, self._began = turn.decision, turn.t + CHUNK_S
        if turn.text_out:
            self._words.append(turn.text_out)
        if turn.delegate:
            self._asides.append(f"{turn.t + CHUNK_S:7.1f} s    hands the request to the background")

    def close(self) -> None:
        """Write what has not been written yet."""
        for line in self._user:
            self.write(line)
        if self._decision:
            self.write(f"{self._began:7.1f} s  {self._decision:<11} {' '.join(self._words)}".rstrip())
        for aside in self._asides:
            self.write(aside)
        self._decision, self._words, self._user, self._asides = "", [], [], []


def _aside(event: Event) -> str:
    if isinstance(event, BackgroundEvent) and event.event in {"answer", "failed", "cancelled"}:
        return f"{event.t:7.1f} s    background, request {event.id}: {event.event}"
    if isinstance(event, TextIn):
        return f"{event.t:7.1f} s    typed: {event.text}"
    return f"{event.t:7.1f} s    fault: {event.what}" if isinstance(event, Fault) else ""


def run_demo(
    write: Write,
    out: Path | None = None,
    *,
    background: bool = True,
    progress: Progress | None = None,
    factories: Factories | None = None,
) -> Path:
    """Replay the demo, tell it line by line, and leave the session and a picture of its timeline in a folder.

    ``out``: a new or empty folder; by default one in the user's data folder. Returns it.

    Raises:
        InputError: the folder cannot be used.
        MicroturnError: the demo is not installed, or the run failed.
    """
    recording, texts = asset(RECORDING), asset(TEXTS)
    if not recording.is_file():
        raise MicroturnError(f"the demo recording {recording} is missing: install Microturn again")
    folder = out or new_session_folder(data_dir() / "demo")
    narrator = Narrator(write)
    result = run_replay(
        str(recording),
        folder,
        text=texts if texts.is_file() else None,
        config=EngineConfig(background=background),
        progress=progress,
        on_event=narrator.add,
        factories=factories,
    )
    narrator.close()
    session = read_session(folder)
    export(session, "png", str(folder / PICTURE))
    write("")
    write(summary(session))
    write("")
    for line in _verdict(compare(measure(session), read_truth(asset(TRUTH)))):
        write(line)
    write(f"Ran {result.speed:.1f} times as fast as it lasts; session and {PICTURE} are in {folder}")
    return folder


def _verdict(compared: Comparison) -> list[str]:
    """The figures that count, against what is known about the recording."""
    lines = ["Against what was really said:"]
    for said, offset in compared.answers:
        found = "no answer" if offset is None else f"answered {offset:+.2f} s after its end"
        lines.append(f"{said.start:7.1f} s  {found:<32} {shorten(said.text, 60)}")
    median = compared.median_answer_s
    lines.append(
        "  first sound after the end: " + ("never" if median is None else f"{median:.2f} s (median)")
    )
    lines.append(f"  took the floor inside a turn: {len(compared.taken_pauses)} times")
    stops = ("not speaking then" if s is None else f"silent {s:.2f} s later" for s in compared.stops)
    return [*lines, *(f"  barge-in: {stop}" for stop in stops)]
