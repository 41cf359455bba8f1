"""The simulated user: what they say and do, and how they react to the assistant.

Pauses inside turns and gaps between turns are wider than people's, so that none is strange to the model.
How people do it: Heldner and Edlund 2010, "Pauses, gaps and overlaps in conversations" (gaps mostly
-0.2 to 0.7 s, median about 0.2 s; pauses inside turns mostly 0.2 to 1 s with a long tail); Levinson and
Torreira 2015, "Timing in turn-taking"; backchannels every 5 to 10 s: Ward and Tsukahara 2000, "Prosodic
features which cue back-channel responses".
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from engine.config import INPUT_HZ
from engine.training.acoustics import turned_away
from engine.training.clips import Clip, NaturalPauses, Piece
from engine.training.texts import Rng, fill
from engine.training.trace import Utterance
from engine.types import Samples, TextEvent

NOD_EVERY_S = 5.5
INTERRUPTED_S = 2.0
ASKING = ("request", "barge_in", "aside")  # kinds with words that recognition would make a request of
LEAST_HEARD_S = 0.4
REMEMBERED_S = 20.0
LULL_S = (2.5, 12.0)  # nobody says anything after an answer
LONG_LULL_S = (12.0, 45.0)
LONG_LULL = 0.4  # share of lulls that are long
LATE_START, LATE_START_S = 0.15, (3.0, 40.0)  # share of sessions in which at first nobody says anything
PATIENCE_S = (6.0, 9.0)  # who is not answered by then does not expect it any more
_TYPED = (
    "what is {n} times {n}?",
    "tell me about {topic}",
    "capital of {country}",
    "remind me to call {person} {time}",
)
SCENES = {
    "ask": 0.36,
    "state": 0.18,
    "monologue": 0.05,
    "quiet": 0.06,
    "aside": 0.08,
    "television": 0.07,
    "typed": 0.04,
    "reminder": 0.05,
    "unclear": 0.04,
    "change_of_mind": 0.07,
}
BRISK_SCENES = {
    "ask": 0.48,
    "state": 0.27,
    "monologue": 0.03,
    "quiet": 0.03,
    "aside": 0.11,
    "television": 0.04,
    "change_of_mind": 0.04,
}
REACTIONS = {"backchannel": 0.8, "barge_in": 0.45, "aside": 0.4, "television": 0.2, "stop": 0.12}


class User:
    """Places sound on the ``near`` and ``far`` channels (16 kHz) and keeps account of it.

    ``clips``: by kind, what this user can say; ``others``: clips of anybody. One instance a session.
    ``brisk``: one turn follows another.
    """

    def __init__(
        self,
        rng: Rng,
        clips: dict[str, list[Clip]],
        others: Sequence[Clip],
        length: int,
        brisk: bool = False,
    ) -> None:
        self.rng = rng
        self.gap = (0.2, 1.0) if brisk else (0.6, 2.5)
        self.lull_chance = 0.12 if brisk else 0.35
        self.lull = 0.0
        self.clips = clips
        self.others = others
        self.near, self.far = np.zeros(length, np.float32), np.zeros(length, np.float32)
        self.utterances: list[Utterance] = []
        self.typed: list[TextEvent] = []
        self.typing: Sequence[str] = [
            clip.text for kind in ("request", "barge_in") for clip in clips.get(kind, ())
        ]
        self.next_scene_t = float(rng.uniform(*(LATE_START_S if rng.random() < LATE_START else (0.2, 2.5))))
        self.patience = float(rng.uniform(*PATIENCE_S))
        self.reminder_t: float | None = None
        self.reactions: list[str] = []
        self.spoken_turns = 0
        self.held: list[Samples] = []
        self.held_t = 0.0
        self.noise_until = 0.0
        self.changes_mind_at: float | None = None
        self.scenes = dict(BRISK_SCENES if brisk else SCENES)
        self.reaction_chances = dict(REACTIONS)

    # -- sound ------------------------------------------------------------------------------

    def mix(self, channel: Samples, samples: Piece, t: float) -> None:
        at = int(t * INPUT_HZ)
        room = channel[at : at + len(samples)]
        room += samples[: len(room)]

    def pause(self) -> float:
        """Seconds between the pieces of one turn."""
        kind = self.rng.random()
        if kind < 0.72:
            return float(self.rng.uniform(0.3, 1.6))
        return float(self.rng.uniform(1.6, 2.6) if kind < 0.78 else self.rng.uniform(0.02, 0.25))

    def place(
        self,
        pieces: Sequence[Piece],
        start: float,
        kind: str,
        expects: bool,
        gain: float = 1.0,
        natural: Sequence[NaturalPauses] = (),
    ) -> Utterance:
        """Say ``pieces`` from ``start`` on, with pauses between them; ``natural``: those inside them."""
        u = Utterance(kind, start, start, expects=expects)
        t = start
        for k, piece in enumerate(pieces):
            if k:
                after = t + self.pause()
                u.gaps.append((t, after))
                t = after
            u.pieces.append((t, np.asarray(gain * piece, np.float32)))
            self.mix(self.near, u.pieces[-1][1], t)
            u.natural += [(t + a, t + b, p) for a, b, p in (natural[k] if natural else ())]
            t += len(piece) / INPUT_HZ
        u.end = t
        self.utterances.append(u)
        return u

    def pick(self, *kinds: str) -> Clip | None:
        for kind in kinds:
            if self.clips.get(kind):
                return self.clips[kind][int(self.rng.integers(len(self.clips[kind])))]
        return None

    def say(self, clip: Clip, start: float, kind: str = "request") -> Utterance:
        gain = 1.1 if kind == "barge_in" else 1.0
        u = self.place(clip.pieces, start, kind, expects=True, gain=gain, natural=clip.natural)
        u.question, u.text = clip.kind in ("request", "barge_in"), clip.text
        return u

    def cut(self, t: float, fade: int = 800) -> None:
        """Fall silent at ``t``; what would have followed is not said."""
        for u in self.utterances:
            if u.start < t < u.end:
                at, end = int(t * INPUT_HZ), int(u.end * INPUT_HZ) + 1
                fade = max(0, min(fade, end - at, len(self.near) - at))
                self.near[at : at + fade] *= np.linspace(1, 0, fade, dtype=np.float32)
                self.near[at + fade : end] = 0.0
                u.gaps = [(a, min(b, t)) for a, b in u.gaps if a < t]
                u.natural = [pause for pause in u.natural if pause[1] < t]
                u.end, u.expects = t, False

    # -- scenes -----------------------------------------------------------------------------

    def begin_scene(self, t: float) -> None:
        chances = np.array(list(self.scenes.values()))
        scene = str(self.rng.choice(list(self.scenes), p=chances / chances.sum()))
        getattr(self, f"_{scene}")(t + float(self.rng.uniform(0.05, 0.6)))

    def _ask(self, start: float) -> None:
        clip = self.pick("request", "statement")
        if clip:
            self.next_scene_t = self.say(clip, start).end + 1.0

    def _state(self, start: float) -> None:
        clip = self.pick("statement", "request")
        if clip:
            self.next_scene_t = self.say(clip, start).end + 1.0

    def _monologue(self, start: float) -> None:
        """A story: an opener, sentences with nods wanted between them, then one that wants an answer."""
        middle = [self.pick("statement") for _ in range(int(self.rng.integers(1, 5)))]
        clips = [c for c in (self.pick("opener"), *middle, self.pick("request", "statement")) if c]
        if len(clips) < 3:
            return self._ask(start)
        parts: list[Utterance] = []
        t = start
        for clip in clips:
            parts.append(self.place(clip.pieces, t, "request", expects=False, natural=clip.natural))
            t = parts[-1].end + float(self.rng.uniform(0.3, 1.1))
        whole = Utterance("request", start, parts[-1].end, question=clips[-1].kind == "request")
        whole.gaps = sorted(
            [g for p in parts for g in p.gaps] + [(a.end, b.start) for a, b in pairwise(parts)]
        )
        whole.between = [(a.end, b.start) for a, b in pairwise(parts)]
        nodded = start
        for a, b in whole.between:
            if a - nodded > NOD_EVERY_S and b - a > 0.4:
                whole.nods.append((a, b))
                nodded = a
        whole.pieces = [piece for p in parts for piece in p.pieces]
        whole.natural = [pause for p in parts for pause in p.natural]
        whole.text = " ".join(c.text for c in clips)
        self.utterances = [u for u in self.utterances if not any(u is p for p in parts)]
        self.utterances.append(whole)
        self.next_scene_t = whole.end + 1.0
        return None

    def _quiet(self, start: float) -> None:
        self.next_scene_t = start + float(self.rng.uniform(1.5, 6))

    def _aside(self, start: float) -> None:
        u = self.turn_to_somebody(start)
        if u:
            self.next_scene_t = u.end + float(self.rng.uniform(0.8, 3))

    def turn_to_somebody(self, start: float) -> Utterance | None:
        """Talk to another person, the head turned away or not; they may answer from across the room."""
        same_direction = self.rng.random() < 0.35
        by_direction_alone = not same_direction and self.rng.random() < 0.4
        clip = self.pick("statement", "aside") if by_direction_alone else self.pick("aside")
        if not clip:
            return None
        said = np.concatenate(clip.pieces).astype(np.float32)
        if not same_direction:
            self.mix(self.far, said * float(self.rng.uniform(0.5, 1.5)), start)
            said = turned_away(said, self.rng)
        u = self.place([said], start, "aside", expects=False)
        u.doubtful, u.text = same_direction, clip.text
        if self.rng.random() < 0.4:
            self.talkers(u.end + float(self.rng.uniform(0.2, 0.8)), float(self.rng.uniform(0.5, 2.5)))
        return u

    def _television(self, start: float) -> None:
        seconds = float(self.rng.uniform(3, 9))
        self.talkers(start, seconds)
        self.next_scene_t = start + (seconds + 0.5 if self.rng.random() < 0.5 else 0.6)

    def talkers(self, start: float, seconds: float) -> None:
        """Other people or a television, far from the microphone."""
        t = start
        while t < start + seconds and self.others:
            clip = self.others[int(self.rng.integers(len(self.others)))]
            for piece in clip.pieces:
                self.mix(self.far, piece, t)
                t += len(piece) / INPUT_HZ + float(self.rng.uniform(0.05, 0.5))

    def _typed(self, start: float) -> None:
        if self.typing and self.rng.random() < 0.7:
            text = self.typing[int(self.rng.integers(len(self.typing)))]
        else:
            text = fill(str(self.rng.choice(_TYPED)), self.rng)
        self.typed.append(TextEvent(start, text))
        self.next_scene_t = start + 1.5

    def _reminder(self, start: float) -> None:
        self.reminder_t = start
        self.next_scene_t = start + 3.0
        clip = self.pick("statement", "request")
        if clip and self.rng.random() < 0.75:
            self.reminder_t = start + float(self.rng.uniform(0.3, 2.5))
            self.next_scene_t = self.say(clip, start).end + 1.0

    def _unclear(self, start: float) -> None:
        """Something is said that nobody could understand: mumbled, and drowned in noise."""
        clip = self.pick("request", "statement")
        if not clip:
            return
        piece = np.concatenate(clip.pieces).astype(np.float32)
        muffled = turned_away(piece, self.rng, cutoff_hz=350.0)
        noise = self.rng.standard_normal(len(piece)).astype(np.float32)
        noise = np.convolve(noise, np.ones(4, np.float32) / 4, mode="same").astype(np.float32)
        drowned = muffled + float(self.rng.uniform(0.04, 0.12)) * noise
        u = self.place([drowned], start, "request", expects=True)
        u.unclear, u.text = True, clip.text
        u.pieces = [(start, p.astype(np.float32)) for p in clip.pieces]
        self.next_scene_t = u.end + 3.0

    def _change_of_mind(self, start: float) -> None:
        """A request, and a correction while it is being worked on."""
        clip = self.pick("request", "statement")
        if clip:
            u = self.say(clip, start)
            self.changes_mind_at = u.end + float(self.rng.uniform(0.5, 2.5))
            self.next_scene_t = u.end + 1.0

    # -- reactions --------------------------------------------------------------------------

    def turn(self, t: float, speaking: bool, jobs: bool) -> None:
        """The user's doing in the interval that begins at ``t``; ``speaking``: the assistant holds forth."""
        self._give_up(t)
        busy = any(u.start - 0.3 <= t < u.end + 0.4 for u in self.utterances)
        if self.held and t > self.held_t + 2.5 and not speaking:
            self.go_on(t)
        elif self.changes_mind_at is not None and t >= self.changes_mind_at and not busy:
            self.changes_mind_at = None
            self.react("barge_in", t)
        if speaking:
            self._while_spoken_to(t, busy)
            return
        self.spoken_turns = 0
        waiting = jobs or self.held or any(u.expects and not u.answered for u in self.utterances)
        if waiting and not busy and jobs and self.rng.random() < 0.012:
            self.react("barge_in" if self.rng.random() < 0.7 else "aside", t)
        elif t >= self.next_scene_t and not busy and not waiting:
            self.begin_scene(t)

    def _give_up(self, t: float) -> None:
        for u in self.utterances:
            if u.expects and not u.answered and t > u.end + self.patience:
                u.answered = True
                self.next_scene_t = max(self.next_scene_t, t + float(self.rng.uniform(*self.gap)))

    def _while_spoken_to(self, t: float, busy: bool) -> None:
        self.spoken_turns += 1
        if self.spoken_turns == 1:
            self.reactions = [how for how, p in self.reaction_chances.items() if self.rng.random() < p]
            self.rng.shuffle(self.reactions)
            # Without them every longer silence would be a turn end that was missed.
            lull = self.rng.random() < self.lull_chance
            span = LONG_LULL_S if self.rng.random() < LONG_LULL else LULL_S
            self.lull = float(self.rng.uniform(*span)) if lull else 0.0
        elif self.reactions and not busy and self.spoken_turns > 3 and self.rng.random() < 0.25:
            self.react(self.reactions.pop(), t)
        self.next_scene_t = max(self.next_scene_t, t + self.lull + float(self.rng.uniform(*self.gap)))

    def react(self, how: str, t: float) -> None:
        start = t + float(self.rng.uniform(0.0, 0.2))
        if how == "television":
            seconds = float(self.rng.uniform(1.5, 5))
            self.talkers(start, seconds)
            self.noise_until = start + seconds
        elif how == "aside":
            self.turn_to_somebody(start)
        elif how == "backchannel":
            clip = self.pick("backchannel")
            if clip:
                gain = float(self.rng.uniform(0.5, 1.0))
                self.place(clip.pieces, start, "backchannel", expects=False, gain=gain).text = clip.text
        elif how == "stop":
            clip = self.pick("stop")
            if clip:
                self.say(clip, start, "stop")
        else:
            kinds = ["barge_in", "request", "statement"]
            self.rng.shuffle(kinds)
            clip = self.pick(*kinds)
            if clip:
                self.say(clip, start, "barge_in")

    def back_off(self, t: float) -> None:
        """The assistant took the floor in a pause at ``t``: the user starts again, and lets go."""
        for u in self.utterances:
            if u.addressed and not u.unclear and u.start < t < u.end and not u.speaking(t):
                rest = [(at, piece) for at, piece in u.pieces if at > t]
                if rest and rest[0][0] - t < 1.2:
                    self.held = [piece for _, piece in rest]
                    self.held_t = rest[0][0] + float(self.rng.uniform(0.25, 0.5))
                    self.cut(min(self.held_t, u.end - 0.01))
                    self.held_t = u.end
                return

    def go_on(self, t: float) -> None:
        """Say what was held back."""
        u = self.place(self.held, t + float(self.rng.uniform(0.2, 0.7)), "request", expects=True)
        u.question = True
        self.held = []

    def repeat(self, t: float) -> None:
        """Asked to repeat: say the unclear request again, clearly."""
        for u in self.utterances:
            if u.unclear and not u.answered and u.end <= t:
                u.answered = True
                start = t + float(self.rng.uniform(1.7, 2.8))
                self.place([piece for _, piece in u.pieces], start, "request", expects=True).question = True

    # -- what there is to know --------------------------------------------------------------

    def current(self, t: float, after: float = 0.0) -> Utterance | None:
        """The utterance that is going on at ``t``, or ended less than ``after`` ago; nods are none."""
        for u in self.utterances:
            if u.kind != "backchannel" and u.start <= t < u.end + after:
                return u
        return None

    def has_asked(self, t: float) -> bool:
        """Whether there is anything to recognise in what was said by ``t`` and not handed over yet."""
        return any(
            u.start + LEAST_HEARD_S < t < u.end + REMEMBERED_S
            and u.kind in ASKING
            and not (u.answered or u.unclear)
            for u in self.utterances
        )

    def pending(self, t: float, after: float) -> Utterance | None:
        """The newest turn that ended ``after`` seconds before ``t`` or earlier and waits for an answer."""
        open_ = [u for u in self.utterances if u.expects and not u.answered and u.end + after <= t]
        return open_[-1] if open_ else None

    def silence(self, t: float) -> float:
        """Seconds of the user's silence at ``t``: 0 while they speak, infinite before they do."""
        began = [u for u in self.utterances if u.start <= t and u.kind != "backchannel"]
        if not began:
            return float("inf")
        u = began[-1]
        breaks = [*u.gaps, *((a, b) for a, b, _ in u.natural), (u.end, float("inf"))]
        return max((t - a for a, b in breaks if a <= t < b), default=0.0)

    def overlapping(self, t: float) -> bool:
        """Whether something can be heard at ``t`` that might be mistaken for a barge-in."""
        return t < self.noise_until or any(
            u.start <= t < u.end + 0.3 for u in self.utterances if not u.addressed
        )

    def interrupted(self, t: float) -> bool:
        """Whether a turn that waits for an answer ended so lately that to go on speaking would ignore it."""
        u = self.pending(t, 0.0)
        return u is not None and t - u.end < INTERRUPTED_S
