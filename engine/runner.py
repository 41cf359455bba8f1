"""The engine thread's loop: one pass is one micro-turn.

Live sessions, real-pace and fast replays run this same code; they differ in
the source, the sink, the clock and the background they bring. docs/timing.md
has the timing of one pass.
"""

import time
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from engine.assembler import Gathered, MicroTurnAssembler, turn_start
from engine.clock import Clock
from engine.config import OUTPUT_CHUNK, LateRule
from engine.conversation import Conversation, UtteranceTracker
from engine.decisions import RELAY, drops
from engine.delegation import Delegation
from engine.errors import MicroturnError
from engine.events import Event, Fault, Mark, TextIn, Transcript
from engine.inbox import (
    CancelJob,
    Command,
    Inbox,
    PermitJob,
    RetryJob,
    SetTemperament,
    ShareFiles,
    StopSpeaking,
    UseCamera,
)
from engine.interfaces import AudioSink, AudioSource, Background, Camera, Heeding, InteractionEngine, Leaning
from engine.late import LateGuard, held_output
from engine.recorder.marks import SILENCED, temperament_note
from engine.speech import SpeechAction, SpeechController
from engine.turn_record import Timing, turn_record
from engine.types import Frame, MicroTurn, Samples, SelfState, StepOutput, TextEvent

MAX_FAILURES = 5
_KEPT_TEXTS = 20


@dataclass(frozen=True)
class Parts:
    """What a run is made of. All are started and stopped by the session, not by the runner."""

    source: AudioSource
    sink: AudioSink
    engine: InteractionEngine
    speech: SpeechController
    clock: Clock
    camera: Camera | None = None
    background: Background | None = None
    script: tuple[TextIn, ...] = ()


@dataclass
class RunStats:
    """Figures of one run, written by the engine thread; others may read."""

    turns: int = 0
    skipped: int = 0
    deadlines_missed: int = 0
    wall_s: float = 0.0
    compute_ms: "array[float]" = field(default_factory=lambda: array("d"))

    def add(self, timing: Timing) -> None:
        self.turns += 1
        self.skipped += timing.skipped
        self.deadlines_missed += timing.deadline_missed
        self.compute_ms.append(1000 * timing.compute_s)


class Runner:
    """Runs micro-turns from the source's first chunk to its last. One run per instance.

    ``emit`` publishes and records an event, ``record`` keeps a micro-turn's
    audio (3,200 samples in, 4,800 heard) and frame; neither may block.
    ``stopwatch`` measures compute time in seconds.
    """

    def __init__(
        self,
        parts: Parts,
        late: LateRule,
        inbox: Inbox,
        emit: Callable[[Event], None],
        record: Callable[[Samples, Samples, Frame | None], None],
        stopwatch: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._parts = parts
        self._inbox = inbox
        self._emit = emit
        self._record = record
        self._stopwatch = stopwatch
        self._assembler = MicroTurnAssembler(parts.camera, parts.script)
        self._conversation = Conversation()
        self._utterances = UtteranceTracker()
        self._delegation = Delegation(parts.background, parts.speech, self._conversation, emit)
        self._late = LateGuard(late)
        self._unseen_texts: tuple[TextEvent, ...] = ()
        self._ahead = 0  # samples given to the sink that are not due to be heard yet, in micro-turn time
        self._failures = 0
        self.stats = RunStats()

    def run(self) -> None:
        """Loop until the source ends or is stopped.

        Raises:
            MicroturnError: the model or the voice failed in ``MAX_FAILURES`` micro-turns in a row.
        """
        index = 0
        began = time.monotonic()
        try:
            while (chunk := self._parts.source.read()) is not None:
                # A background on a simulated clock may take real time here, which is nobody's compute time.
                self._delegation.wait_until(turn_start(index + 1))
                stopwatch, started = self._stopwatch(), self._parts.clock.now()
                self._ahead = max(0, self._ahead - OUTPUT_CHUNK)
                for command in self._inbox.take():
                    self._obey(command)
                gathered = self._assembler.gather(index, chunk)
                self._turn(self._with_all_texts(gathered), started, stopwatch)
                index += 1
        finally:
            self.stats.wall_s = time.monotonic() - began
            self._finish()

    def _with_all_texts(self, gathered: Gathered) -> Gathered:
        """Publish what was gathered; add the background's words, and texts the model has not seen."""
        for event in gathered.events:
            self._emit(event)
        for text in gathered.texts:
            self._conversation.typed(text.text)
        words = self._delegation.poll(gathered.index)
        return replace(gathered, texts=(*self._unseen_texts, *gathered.texts, *words))

    def _turn(self, gathered: Gathered, started: float, stopwatch: float) -> None:
        index, parts = gathered.index, self._parts
        end = turn_start(index + 1)
        self._conversation.hear(index, gathered.audio)
        unfinished = parts.speech.state().background_words > 0 or self._delegation.open_jobs > 0
        since = self._conversation.since(index, again=unfinished)
        self._delegation.hear(index, gathered.audio, max(started, end), since)
        heard = parts.sink.played(index)
        # Before anything that can fail: what came in is kept in any case.
        self._record(gathered.audio, heard, gathered.frame)
        state = replace(parts.speech.state(end), open_jobs=self._delegation.open_jobs)
        if state.last_decision != "backchannel" and heard.any():
            self._conversation.spoke(index)

        skipped, report = self._late.judge(started - end)
        if report:
            self._emit(Fault(started, report))
        self._unseen_texts = gathered.texts[-_KEPT_TEXTS:] if skipped else ()
        if skipped and (lost := len(gathered.texts) - _KEPT_TEXTS) > 0:
            self._emit(Fault(started, f"{lost} texts were not given to the model while it was skipped"))
        failures = self._failures
        out = held_output(state) if skipped else self._decide(gathered.micro_turn(state), end)
        spent = self._stopwatch() - stopwatch
        action = self._carry_out(out, end, self._hand_over(out, gathered, max(end, started) + spent))
        if self._failures == failures:
            self._failures = 0

        compute_s = self._stopwatch() - stopwatch
        parts.clock.advance_to(started + compute_s)
        now = parts.clock.now()
        busy = state.speaking or parts.sink.queued(now) > 0
        self._play(action, now)
        self._tell(self._utterances.heard(index, heard, busy))
        self._tell(self._utterances.made(now, action.text_out, action.unheard, action.flush))
        timing = Timing(started - end, compute_s, now - end, skipped)
        self.stats.add(timing)
        if out.delegate and action.say == RELAY:
            out = replace(out, say=RELAY)  # the answer was there, so nothing was bridged
        self._emit(turn_record(gathered, state, out, action, heard, timing))

    def _decide(self, turn: MicroTurn, t: float) -> StepOutput:
        """Ask the model; if it fails, listen."""
        try:
            return self._parts.engine.step(turn)
        except Exception as err:  # noqa: BLE001 - one bad step must not end a conversation
            self._count_failure("interaction model", err, t)
            return held_output(SelfState())

    def _hand_over(self, out: StepOutput, gathered: Gathered, t: float) -> str | None:
        """Drop and delegate as decided, before anything is said: the answer may be there already.

        Returns the words that were dropped, None when nothing was to be dropped.
        """
        dropping = drops(out.say) and out.decision != "listen"
        jobs = self._delegation.jobs if out.delegate else ()
        dropped = self._parts.speech.drop(aside=jobs) if dropping else None
        if dropping and not out.delegate:
            self._delegation.cancel_all(t, "dropped by the model")
        if out.delegate:
            given_up = jobs if dropping else ()
            request = self._conversation.request(gathered.index, again=dropping, given_up=given_up)
            engine = self._parts.engine
            heeded = engine.standing if isinstance(engine, Heeding) else ()
            self._delegation.submit(t, replace(request, standing=heeded), gathered.frame)
        return dropped

    def _carry_out(self, out: StepOutput, t: float, dropped: str | None) -> SpeechAction:
        try:
            return self._parts.speech.apply(out, self._ahead, dropped, t)
        except Exception as err:  # noqa: BLE001 - as above
            self._count_failure("voice", err, t)
            return SpeechAction(np.zeros(0, np.float32))

    def _count_failure(self, what: str, err: Exception, t: float) -> None:
        self._failures += 1
        reason = f"{type(err).__name__}: {err}".splitlines()[0]
        self._emit(Fault(t, f"the {what} failed: {reason}"))
        if self._failures >= MAX_FAILURES:
            raise MicroturnError(f"the {what} failed {MAX_FAILURES} times in a row: {reason}") from err

    def _play(self, action: SpeechAction, now: float) -> None:
        sink = self._parts.sink
        if action.flush:
            sink.flush(now)
            self._ahead = 0
        if len(action.samples):
            sink.write(action.samples, now)
            self._ahead += len(action.samples)
        for what in sink.take_faults():
            self._emit(Fault(now, what))

    def _obey(self, command: Command) -> None:
        if isinstance(command, Mark):
            self._emit(command)
        elif isinstance(command, TextIn):
            fault = self._assembler.add_text(TextEvent(command.t, command.text))
            if fault is not None:
                self._emit(fault)
        elif isinstance(command, StopSpeaking):
            self._stop_speaking()
        elif isinstance(command, CancelJob):
            self._delegation.cancel(command.job, self._parts.clock.now(), "stopped by the user")
        elif isinstance(command, RetryJob):
            self._delegation.retry(command.job, self._parts.clock.now())
        elif isinstance(command, PermitJob):
            self._delegation.permit(command.job, command.allowed, self._parts.clock.now())
        elif isinstance(command, ShareFiles):
            self._delegation.share(command.paths, self._parts.clock.now())
        elif isinstance(command, UseCamera):
            self._emit(self._assembler.use_camera(command.camera, self._parts.clock.now()))
        elif isinstance(command, SetTemperament):
            self._lean(command)

    def _lean(self, command: SetTemperament) -> None:
        """Take over a temperament, and leave a mark: the recording's header has the one it began with."""
        engine = self._parts.engine
        if isinstance(engine, Leaning):
            engine.lean(command.temperament.bias)
            self._emit(Mark(command.t, temperament_note(command.temperament.traits)))

    def _stop_speaking(self) -> None:
        now = self._parts.clock.now()
        action = self._parts.speech.stop(self._ahead)
        self._play(action, now)
        self._tell(self._utterances.made(now, action.text_out, action.unheard, action.flush))
        self._emit(Mark(now, SILENCED))

    def _tell(self, transcript: Transcript | None) -> None:
        if transcript is not None:
            self._conversation.add(transcript)
            self._emit(transcript)

    def _finish(self) -> None:
        """Keep the marks that came last, and close an utterance that the end of the session cut off."""
        for command in self._inbox.take():
            if isinstance(command, Mark):
                self._emit(command)
        if self._utterances.open:
            action = self._parts.speech.stop(self._ahead)
            self._utterances.made(self._parts.clock.now(), "", action.unheard, True)
            self._tell(self._utterances.close())
