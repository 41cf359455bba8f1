"""Cases of noise bursts in a room without walls, engines that follow a plan, and outcomes made by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from engine.bench.cases import Case, Cue, Happened, Outcome
from engine.bench.rooms import Room
from engine.config import CHUNK_S, INPUT_HZ, OUTPUT_HZ
from engine.events import BackgroundEvent, Transcript, TurnRecord
from engine.types import MicroTurn, Samples, StepOutput
from tests.fakes import output

WORD_S = 0.25  # ToneVoice says four words a second
ANSWER = "one two three four five six seven eight nine ten eleven twelve"


def response(*taps: float) -> Samples:
    return np.array(taps, np.float32)


def room(**responses: Samples) -> Room:
    walls = dict.fromkeys(("near", "turned", "far", "loudspeaker"), response(1.0))
    return Room("free field", **{**walls, **responses})


def cue(*spans: tuple[float, float], **fields: object) -> Cue:
    """Loud noise in the spans."""
    spans = spans or ((0.0, 1.0),)
    rng = np.random.default_rng(1)
    audio = np.zeros(round(spans[-1][1] * INPUT_HZ), np.float32)
    for a, b in spans:
        piece = audio[round(a * INPUT_HZ) : round(b * INPUT_HZ)]
        piece += 0.2 * rng.standard_normal(len(piece)).astype(np.float32)
    return Cue("user", str(fields.pop("text", "say a number")), audio, spans, **fields)  # type: ignore[arg-type]


def case(task: str, *cues: Cue, **fields: object) -> Case:
    given: dict[str, object] = {"length_s": 30.0, "room": room(), "answers": (ANSWER,), **fields}
    return Case(task, f"{task} 1", "synthetic", "nobody", cues, **given)  # type: ignore[arg-type]


def overlap_cases() -> list[Case]:
    """One of each overlap task: the user talks for a second into the third second of an answer."""
    answer = " ".join(f"word{k}" for k in range(24))
    made = []
    for task in ("interruption", "backchannel", "aside", "background_speech"):
        into = cue(after="answer", delay_s=2.0, wants_answer=task == "interruption")
        made.append(case(task, cue(), into, answers=(answer, "quite another answer")))
    return made


@dataclass
class Planned:
    """Does at the micro-turns of ``plan`` what stands there; else relays what there is, or keeps quiet."""

    plan: Mapping[int, StepOutput] = field(default_factory=dict)
    name: str = "planned"
    model: str = "plan"
    seeds: list[int] = field(default_factory=list)

    def warm_up(self) -> None:
        pass

    def reset(self, seed: int) -> None:
        self.seeds.append(seed)

    def step(self, turn: MicroTurn) -> StepOutput:
        if turn.index in self.plan:
            return self.plan[turn.index]
        own = turn.self_state
        if own.background_words and own.seconds_left < 0.4:
            return output("speak", "relay")
        return output("speak" if own.speaking else "listen")


@dataclass(frozen=True)
class Said:
    """Words said from ``t`` on, a quarter of a second each; ``how``: relay, a decision, or a phrase."""

    t: float
    words: str
    how: str = "relay"

    def turns(self) -> list[TurnRecord]:
        made = []
        for k, word in enumerate(self.words.split()):
            t = self.t + k * WORD_S
            i = int(t / CHUNK_S + 1e-9) - 1
            made.append(
                TurnRecord(
                    i=i,
                    t=i * CHUNK_S,
                    decision="backchannel" if self.how == "backchannel" else "speak",
                    probs={},
                    say=self._say() if k == 0 else "none",
                    text_out=word,
                    generated_ms=1000 * WORD_S,
                    lag_ms=1000 * (t - (i + 1) * CHUNK_S),
                )
            )
        return made

    def _say(self) -> str:
        return "relay" if self.how == "relay" else self.words

    @property
    def end(self) -> float:
        return self.t + WORD_S * len(self.words.split())


def outcome(
    made_for: Case,
    happened: Sequence[tuple[Cue, float]],
    said: Sequence[Said] = (),
    asked: Sequence[float] = (),
    length: float = 20.0,
    answer: str = ANSWER,
) -> Outcome:
    """What would be left of a session in which this was heard and done."""
    heard = np.zeros(round(length * OUTPUT_HZ), np.float32)
    for one in said:
        heard[round(one.t * OUTPUT_HZ) : round(one.end * OUTPUT_HZ)] = 0.1
    events = [BackgroundEvent(k, t, "asked") for k, t in enumerate(asked)]
    events += [BackgroundEvent(k, t + 1, "answer", answer) for k, t in enumerate(asked)]
    return Outcome(
        case=made_for,
        engine="by hand",
        happened=tuple(Happened(one, start) for one, start in happened),
        turns=tuple(turn for one in said for turn in one.turns()),
        transcripts=tuple(Transcript(one.t, one.end, "assistant", one.words) for one in said),
        background=tuple(sorted(events, key=lambda event: event.t)),
        heard=heard,
    )
