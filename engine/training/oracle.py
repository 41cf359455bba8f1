"""The good listener who knows the script: what to decide in each micro-turn, and which mistakes to make.

The oracle's decision is the target. What the simulated assistant does is the oracle's decision with
mistakes mixed in, or, on-policy, the model's own decision (DAgger, Ross et al. 2011, arXiv 1011.0686).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from engine.config import CHUNK_S
from engine.decisions import (
    ACKNOWLEDGEMENTS,
    BACKCHANNELS,
    BRIDGES,
    CORRECTIONS,
    DECISION_INDEX,
    HOLDS,
    INTERRUPTIONS,
    NONE,
    RELAY,
    REPEATS,
    RESUMES,
    SAY_INDEX,
    YIELDS,
)
from engine.training.texts import Rng
from engine.training.trace import Target, Utterance
from engine.training.user import User
from engine.types import SelfState

TAKE_AFTER_S = 0.10  # silence the oracle wants to have heard after the end of a turn
YIELD_AFTER_S = 0.25
YIELD_UNSURE_S = 0.08
GO_AHEAD_AFTER_S = 0.35
HOLD_AFTER_TURNS = 15
IDLE_AFTER_TURNS = 8
LISTEN = Target("listen")
# Most micro-turns are easy, and together would drown in the loss those in which a turn ends or pauses. Pauses
# are fewer micro-turns than unanswered ends, and to take one is worse than to wait.
TAKE_WEIGHT, HOLD_WEIGHT = 2.0, 12.0
EVEN_PAUSE = 2.0  # what a pause weighs in the first stages
HOLD_BACK = Target("listen", weight=HOLD_WEIGHT)
IDLE = Target("listen", weight=6.0)  # nothing is owed, for seconds: rarer here than in life
BETWEEN_SENTENCES = Target("listen", weight=3.0)  # they sound like ends of turns
URGENCY, MOST_URGENT = 1.0, 3.0  # how the weight of an unanswered end grows with each second, and how far
LONG_MISS = 0.45  # share of turn ends that are missed for seconds
MISSES = (0.12, 0.88)  # chance in each micro-turn that an end goes on being missed: for moments, for seconds
PATIENCE_TURNS = 45  # 9 s
FORGOTTEN_S = 4.0  # silence after which it no longer matters what it followed


@dataclass
class Floor:
    """What the oracle must know about the assistant's side besides ``SelfState``."""

    mode: str = "listen"
    typed: bool = False
    reminder: bool = False
    resuming: bool = False


def target(user: User, floor: Floor, t: float, state: SelfState, rng: Rng) -> Target:
    """What a good listener would decide, having heard everything up to ``t``."""
    if state.speaking:
        return _while_speaking(user, floor, t, state)
    u = user.current(t, TAKE_AFTER_S)
    if u is not None and t < u.end:
        return _while_listening(u, floor, t, state, rng)
    if u is not None and (u.expects and not u.answered):
        return Target("listen", weight=0.0)  # the last word is hardly over
    if user.held:
        ready = t >= user.held_t + GO_AHEAD_AFTER_S
        return Target("speak", _any(YIELDS, rng)) if ready else LISTEN
    return _when_free(user, floor, t, state, rng)


def _any(phrases: tuple[str, ...], rng: Rng) -> str:
    return phrases[int(rng.integers(len(phrases)))]


def _while_speaking(user: User, floor: Floor, t: float, state: SelfState) -> Target:
    u = user.current(t)
    if floor.mode == "backchannel":
        return Target("backchannel")
    weight = 1.0
    if u is not None and u.speaking(t) and floor.mode != "interrupt":
        since = t - u.onset(t)
        if u.addressed and since >= YIELD_AFTER_S:
            return Target("yield")
        if u.addressed:
            weight = 1.0 if since < YIELD_UNSURE_S else 0.0
        elif u.doubtful and since < 1.0:
            weight = 0.3
    elif u is None and floor.mode == "speak" and user.interrupted(t):
        return Target("yield")
    ready = state.background_words > 0 and state.words_left <= 2
    return Target("speak", RELAY if ready else NONE, weight=weight)


def _while_listening(u: Utterance, floor: Floor, t: float, state: SelfState, rng: Rng) -> Target:
    if floor.reminder and state.background_words and u.speaking(t) and t - u.start > 0.5:
        return Target("interrupt", RELAY if rng.random() < 0.7 else INTERRUPTIONS[0])
    for a, b in u.nods:
        if a + 0.1 <= t < min(b, a + 0.5):
            return Target("backchannel", _any(BACKCHANNELS, rng))
    in_pause = not u.speaking(t) or any(a <= t < b for a, b, _ in u.natural)
    if in_pause and any(a <= t < b for a, b in u.between):
        return BETWEEN_SENTENCES
    return HOLD_BACK if in_pause and u.addressed else LISTEN


def _when_free(user: User, floor: Floor, t: float, state: SelfState, rng: Rng) -> Target:
    u = user.pending(t, TAKE_AFTER_S)
    unfinished = state.background_words > 0 or state.open_jobs > 0
    if u is not None and u.unclear:
        return Target("speak", _any(REPEATS, rng))
    if u is not None and u.kind == "stop":
        return Target("speak", _any(CORRECTIONS if unfinished else ACKNOWLEDGEMENTS, rng))
    if u is not None or floor.typed:
        if unfinished:
            return Target("speak", _any(CORRECTIONS, rng), delegate=True)
        question = floor.typed or (u is not None and u.question)
        return Target("speak", _any(BRIDGES if question else ACKNOWLEDGEMENTS, rng), delegate=True)
    if state.background_words:
        return Target("speak", _any(RESUMES, rng) if floor.resuming and rng.random() < 0.3 else RELAY)
    waited = min(state.turns_since_speech, state.turns_since_delegate)
    if state.open_jobs and waited >= HOLD_AFTER_TURNS:
        return Target("speak", _any(HOLDS, rng))
    return IDLE if state.turns_since_speech >= IDLE_AFTER_TURNS else LISTEN


def even(weight: Tensor, decision: Tensor, complete: Tensor) -> Tensor:
    """Weights with hardly any emphasis on hard moments, of the same shape, for the first stages of training.

    ``decision``: the target's index; ``complete``: whether what was said so far is a whole turn, from 0 to
    1, or -1 where nothing pauses or ends.
    """
    listen = decision == DECISION_INDEX["listen"]
    pause = listen & (complete >= 0) & (complete < 1)
    plain = torch.minimum(weight, torch.where(listen, 1.0, TAKE_WEIGHT).to(weight.dtype))
    return torch.where(pause, weight * (EVEN_PAUSE / HOLD_WEIGHT), plain)


def give_up(decision: Tensor, say: Tensor, delegate: Tensor, weight: Tensor) -> None:
    """Where a turn has gone unanswered for longer than people are patient, nothing is owed: in place.

    All (sessions, micro-turns). Otherwise half a minute of silence could only be a missed request.
    """
    owed = delegate.bool().long()
    passed = torch.cumsum(owed, dim=1)
    before = torch.cummax(passed * (1 - owed), dim=1).values  # the count when the run began
    late = (passed - before) * owed > PATIENCE_TURNS
    decision[late] = DECISION_INDEX["listen"]
    say[late] = SAY_INDEX[NONE]
    delegate[late] = 0
    weight[late] = IDLE.weight


def urgency(silence_s: float) -> float:
    """Weight of taking the floor ``silence_s`` after the end of a turn: the longer people wait the more."""
    waited = max(0.0, min(silence_s, FORGOTTEN_S) - TAKE_AFTER_S) // CHUNK_S * CHUNK_S
    return TAKE_WEIGHT * min(MOST_URGENT, 1.0 + URGENCY * waited)


def survival(silence_s: float) -> float:
    """How often the floor is still free ``silence_s`` after the end of a turn, while mistakes are mixed in.

    Pauses outlast silence more often than ends of turns do, because those are answered: a model trained
    on both alike would take silence that goes on for a pause. Weighting what is no end of a turn by this
    undoes it, so that the decision depends on what was heard (inverse propensity weighting: Horvitz and
    Thompson 1952, "A generalization of sampling without replacement from a finite universe").
    """
    tries = (silence_s - TAKE_AFTER_S) // CHUNK_S
    if tries <= 0 or silence_s > FORGOTTEN_S:
        return 1.0
    return float((1 - LONG_MISS) * MISSES[0] ** tries + LONG_MISS * MISSES[1] ** tries)


class Fallible:
    """Mixes mistakes into the oracle's decisions: of some kinds many in one session, few in another."""

    def __init__(self, rng: Rng) -> None:
        self.rng = rng
        self.eager = float(rng.choice([0.01, 0.05, 0.2], p=[0.4, 0.4, 0.2]))
        self.jumpy = float(rng.choice([0.01, 0.08, 0.25], p=[0.4, 0.4, 0.2]))
        self.stubborn = float(rng.choice([0.15, 0.7], p=[0.8, 0.2]))
        self.draw_miss()

    def draw_miss(self) -> None:
        """Chance that the next turn end is missed, each micro-turn: small, or so large that it takes seconds.

        So the model learns that the floor stays free, however long the silence has lasted.
        """
        self.miss = MISSES[self.rng.random() < LONG_MISS]

    def act(self, wanted: Target, user: User, state: SelfState, t: float) -> Target:
        """The decision to carry out."""
        chance = float(self.rng.random())
        if wanted.decision == "speak":
            return self._speaking(wanted, user, t, chance) if state.speaking else self._taking(wanted, chance)
        if wanted.decision == "yield":
            return Target("speak") if chance < self.stubborn else wanted
        if wanted.decision in ("backchannel", "interrupt"):
            return LISTEN if not state.speaking and chance < 0.2 else wanted
        return self._listening(wanted, user, t, chance)

    def _taking(self, wanted: Target, chance: float) -> Target:
        return LISTEN if chance < (self.miss if wanted.delegate else 0.15) else wanted

    def _speaking(self, wanted: Target, user: User, t: float, chance: float) -> Target:
        if chance < (self.jumpy if user.overlapping(t) else 0.003):
            return Target("yield")
        if chance > 0.995:
            return LISTEN
        if wanted.say == RELAY and chance > 0.9:
            return Target("speak")
        return wanted

    def _listening(self, wanted: Target, user: User, t: float, chance: float) -> Target:
        u = user.current(t)
        if u is None:
            return Target("speak", _any(BRIDGES, self.rng)) if chance < 0.001 else wanted
        if u.addressed and not u.speaking(t) and chance < self.eager:
            return Target("speak", _any(BRIDGES, self.rng), delegate=True)
        if u.addressed and u.speaking(t) and chance < 0.003:
            return Target("speak", _any(BRIDGES, self.rng), delegate=True)
        if chance > 0.997:
            return Target("backchannel", _any(BACKCHANNELS, self.rng))
        return wanted
