"""The timeline's account of one micro-turn."""

from dataclasses import dataclass

from engine.assembler import Gathered, turn_start
from engine.config import CHUNK_S, OUTPUT_HZ
from engine.conversation import heard_ms
from engine.events import TurnRecord
from engine.speech import SpeechAction, level_db
from engine.types import Samples, SelfState, StepOutput


@dataclass(frozen=True)
class Timing:
    """Computing began ``lag_s`` and ended ``finish_s`` seconds after the end of the interval."""

    lag_s: float
    compute_s: float
    finish_s: float
    skipped: bool = False

    @property
    def deadline_missed(self) -> bool:
        """The next micro-turn was complete before this one had been answered."""
        return self.finish_s > CHUNK_S


def turn_record(
    gathered: Gathered,
    state: SelfState,
    out: StepOutput,
    action: SpeechAction,
    heard: Samples,
    timing: Timing,
) -> TurnRecord:
    """One turn's record. Levels are of what was audible: ``gathered.audio``, ``heard`` (4,800, 24 kHz)."""
    return TurnRecord(
        i=gathered.index,
        t=turn_start(gathered.index),
        decision=out.decision,
        probs=out.probs,
        text_out=action.text_out,
        user_level_db=level_db(gathered.audio),
        self_level_db=level_db(heard),
        compute_ms=1000 * timing.compute_s,
        deadline_missed=timing.deadline_missed,
        delegate=out.delegate,
        delegate_prob=out.delegate_prob,
        say=out.say,
        say_probs=out.say_probs,
        user_activity=out.user_activity,
        generated_ms=1000 * len(action.samples) / OUTPUT_HZ,
        heard_ms=heard_ms(heard),
        words_left=state.words_left,
        background_words=state.background_words,
        open_jobs=state.open_jobs,
        gap_samples=gathered.gap_samples,
        frame=None if gathered.frame is None else gathered.frame.number,
        texts=tuple(text.text for text in gathered.texts),
        lag_ms=1000 * timing.lag_s,
        skipped=timing.skipped,
    )
