"""What a simulated user asks the assistant to count, to watch for and to say at a time, and when that is due.

Instructions reach the model as they do at run time: the background's answer to a request says that it will be
done, and the register of standing instructions shows it. A scene's truth says when something is due.
"""

import math
from dataclasses import dataclass, replace

from engine.decisions import COUNT, CUE, STANDING_TOKENS, TIME
from engine.standing import ANY, COUNTED, CUE_WORDS, CUES, Instruction, Standing, plural
from engine.training.texts import Rng
from engine.training.trace import Target
from engine.training.visual.bank import Scene

SEEN_S = 0.07  # what has ended later than this before the micro-turn's end cannot have been seen
LATE_S = {COUNT: 1.2, CUE: 1.5, TIME: 2.0}  # when something that was missed no longer matters
EARLY_S = {COUNT: 0.5, CUE: 0.3, TIME: 0.6}  # said by so much before, it counts as said
WEIGHT, SOON_WEIGHT = 4.0, 0.3
_WORDS = 2  # words of an answer that may be left to say before something else is said

CONFIRMED = {
    COUNT: ("Okay, I'll count.", "Sure, counting your {what}.", "Ready when you are.", "I'll count them."),
    CUE: ("Okay, I'll tell you.", "Sure, I'll watch for that.", "I'll keep an eye on it."),
    TIME: ("Okay, I'll tell you when.", "Sure, I'll say so.", "I'll keep time."),
}
STOPPED = ("Okay, I'll stop.", "All right, no more of that.", "I've stopped.")
TIMES_S = (4, 5, 8, 10, 12, 15, 20, 25, 30, 40)


@dataclass
class Moment:
    """Something is due from session second ``t`` on. ``done``: it was said, or cannot be any more."""

    t: float
    done: bool = False


class Watching:
    """The wishes of one session's user, and what is due of them. ``scene``: what the camera sees, if any."""

    def __init__(
        self, rng: Rng, scene: Scene | None, standing: Standing, seconds: float, quiet: bool
    ) -> None:
        self.rng, self.scene, self.standing, self.seconds = rng, scene, standing, seconds
        self.asked: Instruction | None = None  # where it is not to be drawn
        self.moments: list[Moment] = []
        self.arms_at = float(rng.uniform(0.0, 2.0)) if quiet or rng.random() < 0.4 else math.inf
        self.stops_at = float(rng.uniform(0.3, 1.0)) * seconds if rng.random() < 0.2 else math.inf
        self.miss = float(rng.choice([0.03, 0.25, 0.6], p=[0.5, 0.3, 0.2]))
        self.eager = float(rng.choice([0.0, 0.004, 0.02], p=[0.5, 0.3, 0.2]))

    def draw(self) -> Instruction:
        """An instruction that makes sense before this scene, and at times one that does not."""
        rng, scene = self.rng, self.scene
        if self.asked is not None:
            return self.asked
        if scene is None or rng.random() < 0.2:
            return Instruction(
                TIME,
                words=str(rng.choice(("It's time.", "Time is up.", "Now."))),
                seconds=float(rng.choice(TIMES_S)),
                repeat=bool(rng.random() < 0.5),
            )
        kinds = [r.kind for r in scene.repetitions]
        if kinds and rng.random() < 0.85:
            what = kinds[0] if kinds[0] in COUNTED and rng.random() < 0.6 else ANY
            return Instruction(COUNT, what)
        seen = [e.label for e in scene.events if e.label in CUES]
        if not seen and rng.random() < 0.4:
            return Instruction(COUNT, str(rng.choice(COUNTED)))
        what = str(rng.choice(seen)) if seen and rng.random() < 0.8 else str(rng.choice(CUES))
        return Instruction(CUE, what, str(rng.choice(CUE_WORDS[what])))

    def confirmation(self, asked: Instruction) -> str:
        """What the background says to an instruction."""
        words = str(self.rng.choice(CONFIRMED[asked.token]))
        return words.format(what=plural(asked.what or ANY))

    def only(self, asked: Instruction, t: float) -> None:
        """Nothing but ``asked`` is wanted, from ``t`` to the end."""
        self.asked, self.arms_at, self.stops_at = asked, t, math.inf

    def arm(self, asked: Instruction, t: float) -> None:
        """Put ``asked`` in force at ``t`` and look up when it will be due."""
        self.standing.arm(asked, t)
        if asked.token == TIME:
            return
        self.moments = [Moment(at) for at in self._times(asked) if at > t]

    def _times(self, asked: Instruction) -> list[float]:
        scene = self.scene
        if scene is None:
            return []
        if asked.token == COUNT:
            wanted = [r.end for r in scene.repetitions if asked.what in (ANY, r.kind)]
        else:
            wanted = [e.start for e in scene.events if e.label == asked.what and e.visible >= 0.5]
        return [t for t in sorted(wanted) if not scene.bad[min(int(t / 0.2), len(scene.bad) - 1)]]

    def wish(self, t: float) -> tuple[str, bool]:
        """What the background says by ``t`` to users who say nothing, and whether it is heard."""
        if t >= self.arms_at:
            self.arms_at = math.inf
            asked = self.draw()
            self.arm(asked, t)
            return self.confirmation(asked), bool(self.rng.random() < 0.5)
        if t >= self.stops_at and self.standing.view(t).watches:
            self.stops_at = math.inf
            return self.disarm(), True
        return "", False

    def disarm(self) -> str:
        """Nothing stands any more; returns what is said to that."""
        self.standing.disarm()
        self.moments = []
        return str(self.rng.choice(STOPPED))

    def due(self, t: float) -> str:
        """The token that is to be said in the micro-turn that ends at ``t``, or ""."""
        view = self.standing.view(t)
        timed = view.of(TIME)
        if timed and timed.due <= t + SEEN_S:
            return TIME
        token = self._token()
        return token if token and any(self._open(m, t, token) for m in self.moments) else ""

    def _token(self) -> str:
        watches = [w for w in self.standing.view(0.0).watches if w.asked.token != TIME]
        return watches[-1].asked.token if watches else ""

    def _open(self, moment: Moment, t: float, token: str) -> bool:
        return not moment.done and moment.t + SEEN_S <= t < moment.t + LATE_S[token]

    def soon(self, t: float) -> bool:
        """Whether it would be hardly too early to say it now, or hardly to be seen yet."""
        timed = self.standing.view(t).of(TIME)
        if timed and t + SEEN_S < timed.due <= t + 0.25:
            return True
        return any(not m.done and t - SEEN_S < m.t <= t + 0.2 for m in self.moments)

    def blend(self, wanted: Target, t: float, speaks: bool, words_left: int) -> Target:
        """The oracle's decision at ``t`` with what is due. ``speaks``: the user holds the floor."""
        token = self.due(t)
        if not token:
            if wanted.decision == "listen" and self.standing.view(t).watches:
                return replace(wanted, weight=min(wanted.weight, SOON_WEIGHT if self.soon(t) else 1.0))
            return wanted
        if wanted.delegate or wanted.decision in ("yield", "interrupt") or words_left > _WORDS:
            return wanted
        if not speaks:
            return Target("speak", token, weight=WEIGHT)
        # A number is no more than a nod; what was asked for may cut in.
        return Target("backchannel" if token == COUNT else "interrupt", token, weight=WEIGHT)

    def mistaken(self, wanted: Target) -> Target:
        """With what was due missed at times, and at times said though nothing is due."""
        if wanted.say in STANDING_TOKENS:
            return Target("listen") if self.rng.random() < self.miss else wanted
        if wanted.decision == "listen" and self.rng.random() < self.eager and (token := self._token()):
            return Target("speak", token)
        return wanted

    def said(self, token: str, t: float) -> None:
        """Keep account of what was said at ``t``, rightly or not."""
        if token == TIME:
            return
        due = [m for m in self.moments if self._open(m, t, token)]
        early = [m for m in self.moments if not m.done and t < m.t + SEEN_S <= t + EARLY_S[token]]
        for moment in (due or early)[:1]:
            moment.done = True
