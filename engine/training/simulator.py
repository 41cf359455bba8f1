"""Conversations with known truth: a user who reacts, an oracle who knows, and the real speech controller.

A session is simulated micro-turn by micro-turn. The user side follows scenes
and reacts to what the assistant does; the assistant side is
``engine.speech.SpeechController`` with the real voice, driven by the oracle's
decisions with mistakes mixed in, so that the model also learns what to do after
one. The oracle's decision, not the mistaken one, is the target.

Pauses inside turns are drawn evenly between 0.35 and 1.6 s, and most gaps are
answered within a few tenths of a second. How people really do it: Heldner and
Edlund 2010, "Pauses, gaps and overlaps in conversations"; Levinson and Torreira
2015, "Timing in turn-taking".
"""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import soxr

from engine.config import CHUNK_S, INPUT_CHUNK, INPUT_HZ, OUTPUT_CHUNK, OUTPUT_HZ
from engine.decisions import BACKCHANNELS, BRIDGES, DROP, NONE, RELAY
from engine.speech import SpeechController
from engine.training.clips import Clip
from engine.training.texts import Rng, answer_text, fill, reminder_text
from engine.training.trace import Job, Target, Trace, TurnTrace, Utterance
from engine.types import Samples, SelfState, StepOutput, TextEvent
from engine.voice import Voice

TAKE_AFTER_S = 0.10  # silence the oracle wants to have heard after the end of a turn
YIELD_AFTER_S = 0.40
YIELD_UNSURE_S = 0.20
ACKNOWLEDGEMENTS = ("Hmm.", "Got it.", "I see", "right", "okay")
COMPUTE_S = 0.03
_TYPED = (
    "what is {n} times {n}?",
    "tell me about {topic}",
    "capital of {country}",
    "remind me to call {person} {time}",
)


class SessionSimulator:
    """Simulates one session of ``turns`` micro-turns."""

    def __init__(
        self,
        rng: Rng,
        user: list[Clip],
        others: list[Clip],
        voice: Voice,
        dialogue: tuple[str, ...],
        turns: int,
    ):
        self.rng = rng
        self.turns = turns
        self.user: dict[str, list[Clip]] = {}
        for clip in user:
            self.user.setdefault(clip.kind, []).append(clip)
        self.others = others
        self.dialogue = dialogue
        self.speech = SpeechController(voice)
        length = turns * INPUT_CHUNK
        self.near, self.far = np.zeros(length, np.float32), np.zeros(length, np.float32)
        self.echo24 = np.zeros(turns * OUTPUT_CHUNK + OUTPUT_HZ, np.float32)
        self.utterances: list[Utterance] = []
        self.jobs: list[Job] = []
        self.job_count = 0
        self.queued = 0
        self.typed: list[TextEvent] = []
        self.typed_pending = False
        self.bridge_due = False
        self.next_scene_t = float(rng.uniform(0.2, 2.5))
        self.reactions: list[str] = []
        self.spoken_turns = 0
        self.mode = "listen"
        self.remind_at: float | None = None
        self.miss = self.draw_miss()
        self.reminder_waiting = False

    # -- the user -------------------------------------------------------------------------

    def place(self, clip: Clip, start: float, kind: str, expects: bool, gain: float = 1.0) -> Utterance:
        """Put a clip on the user's channel, with pauses between its pieces."""
        t = start
        gaps: list[tuple[float, float]] = []
        for k, piece in enumerate(clip.pieces):
            if k:
                pause = (
                    self.rng.uniform(0.35, 1.6) if self.rng.random() < 0.75 else self.rng.uniform(0.02, 0.2)
                )
                gaps.append((t, t + pause))
                t += pause
            self._mix(self.near, piece * gain, t)
            t += len(piece) / INPUT_HZ
        utterance = Utterance(
            kind, start, t, gaps, expects=expects, question=clip.kind in ("request", "barge_in")
        )
        self.utterances.append(utterance)
        return utterance

    def _mix(self, channel: Samples, samples: Samples, t: float) -> None:
        at = int(t * INPUT_HZ)
        room = channel[at : at + len(samples)]
        room += samples[: len(room)]

    def pick(self, *kinds: str) -> Clip | None:
        for kind in kinds:
            if self.user.get(kind):
                return self.user[kind][int(self.rng.integers(len(self.user[kind])))]
        return None

    def monologue(self, start: float) -> float:
        """Several statements with nods wanted between them, then one that wants an answer."""
        t = start
        clips = [
            c
            for c in (
                self.pick("opener", "statement"),
                *(self.pick("statement") for _ in range(int(self.rng.integers(1, 4)))),
            )
            if c
        ]
        parts: list[Utterance] = []
        for clip in clips:
            parts.append(self.place(clip, t, "request", expects=False))
            t = parts[-1].end + float(self.rng.uniform(0.45, 0.95))
        last = self.pick("request", "statement")
        if last:
            parts.append(self.place(last, t, "request", expects=True))
        whole = Utterance("request", start, parts[-1].end, question=parts[-1].question)
        for a, b in pairwise(parts):
            whole.gaps.append((a.end, b.start))
            if self.rng.random() < 0.65:
                whole.nods.append((a.end, b.start))
        whole.gaps += [g for p in parts for g in p.gaps]
        self.utterances = [u for u in self.utterances if not any(u is p for p in parts)]
        self.utterances.append(whole)
        return whole.end

    def television(self, start: float, seconds: float) -> None:
        t = start
        while t < start + seconds and self.others:
            clip = self.others[int(self.rng.integers(len(self.others)))]
            for piece in clip.pieces:
                self._mix(self.far, piece, t)
                t += len(piece) / INPUT_HZ + self.rng.uniform(0.05, 0.5)

    def begin_scene(self, t: float) -> None:
        scene = str(
            self.rng.choice(
                ["ask", "state", "monologue", "quiet", "aside", "television", "typed", "reminder"],
                p=[0.37, 0.22, 0.10, 0.06, 0.07, 0.07, 0.05, 0.06],
            )
        )
        start = t + float(self.rng.uniform(0.05, 0.6))
        if scene in ("ask", "state"):
            clip = self.pick("request", "statement") if scene == "ask" else self.pick("statement", "request")
            if clip:
                self.next_scene_t = self.place(clip, start, "request", expects=True).end + 1.0
        elif scene == "monologue" and self.user.get("statement"):
            self.next_scene_t = self.monologue(start) + 1.0
        elif scene == "aside":
            clip = self.pick("aside", "statement")
            if clip and clip.kind == "aside":
                self._mix(self.far, np.concatenate(clip.pieces) * 1.5, start)
                self.next_scene_t = (
                    start + sum(len(p) for p in clip.pieces) / INPUT_HZ + self.rng.uniform(0.8, 3)
                )
        elif scene == "television":
            seconds = float(self.rng.uniform(3, 9))
            self.television(start, seconds)
            self.next_scene_t = start + (seconds + 0.5 if self.rng.random() < 0.5 else 0.6)
        elif scene == "typed":
            self.typed.append(TextEvent(start, fill(str(self.rng.choice(_TYPED)), self.rng)))
            self.next_scene_t = start + 1.5
        elif scene == "reminder":
            self.remind_at = start
            self.next_scene_t = start + 3.0
            clip = self.pick("statement", "request")
            if clip and self.rng.random() < 0.75:
                self.remind_at = start + float(self.rng.uniform(0.3, 2.5))
                self.next_scene_t = self.place(clip, start, "request", expects=True).end + 1.0
        else:
            self.next_scene_t = start + float(self.rng.uniform(1.5, 6))

    def user_turn(self, t: float, speaking: bool) -> None:
        """The user's doing in the interval that begins at ``t``."""
        busy = any(u.start - 0.3 <= t < u.end + 0.4 for u in self.utterances)
        if speaking:
            self.spoken_turns += 1
            if self.spoken_turns == 1:
                chances = {"backchannel": 0.4, "barge_in": 0.35, "television": 0.1}
                self.reactions = [how for how, p in chances.items() if self.rng.random() < p]
            elif self.reactions and not busy and self.spoken_turns > 4 and self.rng.random() < 0.18:
                self.react(self.reactions.pop(0), t)
            self.next_scene_t = max(self.next_scene_t, t + float(self.rng.uniform(0.6, 2.5)))
            return
        self.spoken_turns = 0
        waiting = bool(self.jobs) or any(u.expects and not u.answered for u in self.utterances)
        if waiting and not busy and self.jobs and self.rng.random() < 0.01:
            self.react("barge_in", t)
        elif t >= self.next_scene_t and not busy and not waiting:
            self.begin_scene(t)

    def react(self, how: str, t: float) -> None:
        start = t + float(self.rng.uniform(0.0, 0.2))
        if how == "television":
            self.television(start, float(self.rng.uniform(2, 5)))
            return
        clip = self.pick(how) if how == "backchannel" else self.pick("barge_in", "request", "statement")
        if clip:
            self.place(clip, start, how, expects=how == "barge_in", gain=0.8 if how == "backchannel" else 1.1)

    # -- the background -------------------------------------------------------------------

    def open_job(self, words: list[str], t: float, delay: float) -> None:
        self.job_count += 1
        pace = float(self.rng.uniform(0.03, 0.2))
        self.jobs.append(Job(self.job_count, words, [t + delay + k * pace for k in range(len(words))]))

    def remind(self, t: float) -> list[TextEvent]:
        """A reminder falls due: its words arrive at once, unasked, and are urgent."""
        if self.remind_at is None or self.remind_at > t:
            return []
        self.remind_at = None
        self.job_count += 1
        text = reminder_text(self.rng)
        self.speech.offer(self.job_count, text)
        self.speech.finish(self.job_count)
        self.reminder_waiting = True
        return [TextEvent(t, text, "background")]

    def deliver(self, t: float) -> list[TextEvent]:
        """Words that have arrived by ``t`` go to the speech controller."""
        events = self.remind(t)
        for job in self.jobs:
            fresh = [
                w for w, at in zip(job.words[job.given :], job.times[job.given :], strict=True) if at <= t
            ]
            if fresh:
                job.given += len(fresh)
                self.speech.offer(job.number, " ".join(fresh))
                events.append(TextEvent(t, " ".join(fresh), "background"))
            if job.given == len(job.words):
                self.speech.finish(job.number)
        self.jobs = [j for j in self.jobs if j.given < len(j.words)]
        return events

    # -- the oracle -----------------------------------------------------------------------

    def current(self, t: float) -> Utterance | None:
        """The utterance whose floor it is at ``t``; backchannels have none."""
        for u in self.utterances:
            if u.kind != "backchannel" and u.start <= t < u.end + TAKE_AFTER_S:
                return u
        return None

    def onset(self, u: Utterance, t: float) -> float:
        """When the stretch of speech that is going on at ``t`` began."""
        return max([u.start, *(b for _, b in u.gaps if b <= t)])

    def target(self, t: float, state: SelfState) -> Target:
        """What a good listener would decide, having heard everything up to ``t``."""
        u = self.current(t)
        nodding = self.mode == "backchannel" and state.speaking
        if nodding:
            return Target("backchannel")
        if state.speaking:
            if u is not None and u.speaking(t) and self.mode != "interrupt":
                since = t - self.onset(u, t)
                if since >= YIELD_AFTER_S:
                    return Target("yield", DROP if u.kind == "barge_in" else NONE)
                return Target("speak", weight=1.0 if since < YIELD_UNSURE_S else 0.0)
            ready = state.background_words > 0 and state.words_left <= 2
            return Target("speak", RELAY if ready else NONE)
        pending = [v for v in self.utterances if v.expects and not v.answered and v.end + TAKE_AFTER_S <= t]
        urgent = state.background_words > 0 and self.reminder_waiting
        if u is not None and t < u.end:
            if urgent and u.speaking(t) and t - u.start > 0.5:
                return Target("interrupt", RELAY)
            for a, b in u.nods:
                if a + 0.1 <= t < min(b, a + 0.5):
                    return Target("backchannel", str(self.rng.choice(BACKCHANNELS)))
            return Target("listen")
        if u is not None and u.expects and not u.answered:
            return Target("listen", weight=0.0)  # the last word is hardly over
        if self.bridge_due:
            return Target("speak", str(self.rng.choice(BRIDGES)))
        if pending or self.typed_pending:
            if state.background_words or self.jobs:
                return Target("speak", DROP, delegate=True)
            question = self.typed_pending or pending[-1].question
            return Target(
                "speak", str(self.rng.choice(BRIDGES if question else ACKNOWLEDGEMENTS)), delegate=True
            )
        if state.background_words:
            return Target("speak", RELAY)
        return Target("listen")

    def draw_miss(self) -> float:
        """Chance that the next turn end is missed, each micro-turn: mostly small, at times seconds long.

        So the model learns that the floor stays free, however long the silence has lasted.
        """
        return 0.85 if self.rng.random() < 0.25 else 0.15

    # -- mistakes -------------------------------------------------------------------------

    def act(self, target: Target, state: SelfState, t: float) -> Target:
        """The oracle's decision with mistakes mixed in."""
        chance = float(self.rng.random())
        u = self.current(t)
        if target.decision == "speak" and not state.speaking:
            return Target("listen") if chance < (self.miss if target.delegate else 0.2) else target
        if target.decision == "speak" and state.speaking:
            if chance < 0.004:
                return Target("yield")
            if chance < 0.010:
                return Target("listen")
            if target.say == RELAY and chance < 0.1:
                return Target("speak")
        if target.decision in ("yield", "backchannel", "interrupt") and not state.speaking and chance < 0.25:
            return Target("listen")
        if target.decision == "yield" and chance < 0.3:
            return Target("speak")
        if (
            target.decision == "listen"
            and u is not None
            and t < u.end
            and not u.speaking(t)
            and chance < 0.05
        ):
            return Target("speak", str(self.rng.choice(BRIDGES)), delegate=True)
        if target.decision == "listen" and u is None and chance < 0.002:
            return Target("speak", str(self.rng.choice(BRIDGES)))
        return target

    def run(self) -> Trace:
        """Simulate the session."""
        traces: list[TurnTrace] = []
        for i in range(self.turns):
            t0, t1 = i * CHUNK_S, (i + 1) * CHUNK_S
            before = self.speech.state()
            self.user_turn(t0, before.speaking and self.mode != "backchannel")
            texts = [e for e in self.typed if t0 <= e.t < t1]
            self.typed_pending |= bool(texts)
            texts += self.deliver(t1)
            state = replace(self.speech.state(), open_jobs=len(self.jobs))
            self.reminder_waiting &= state.background_words > 0
            target = self.target(t1, state)
            if (
                target.weight
                and target.decision == "speak"
                and not state.speaking
                and i
                and not self.bridge_due
            ):
                target = replace(target, weight=1.5)
            acted = self.act(target, state, t1)
            out = StepOutput(acted.decision, {}, say=acted.say, delegate=acted.delegate)
            self.carry_out(out, t1)
            traces.append(TurnTrace(state, tuple(texts), target, out))
        echo = soxr.resample(self.echo24, OUTPUT_HZ, INPUT_HZ, quality="MQ").astype(np.float32)
        echo = echo[: self.turns * INPUT_CHUNK]
        return Trace(tuple(traces), self.near, self.far, echo, tuple(self.utterances))

    def carry_out(self, out: StepOutput, t: float) -> None:
        """Run the decision through the real speech controller and let its consequences follow."""
        if out.say == DROP and out.decision != "listen":
            self.jobs.clear()
        was_speaking = self.speech.state().speaking
        action = self.speech.apply(out, self.queued)
        at = int((t + COMPUTE_S) * OUTPUT_HZ)
        if action.flush:
            self.echo24[at + OUTPUT_HZ // 25 :] = 0.0
            self.queued = 0
        start = at + self.queued
        room = self.echo24[start : start + len(action.samples)]
        room += action.samples[: len(room)]
        self.queued = max(0, self.queued + len(action.samples) - OUTPUT_CHUNK)
        if out.decision in ("speak", "interrupt", "backchannel") and out.say != NONE:
            self.mode = "interrupt" if self.mode == "interrupt" and was_speaking else out.decision
        if out.decision == "backchannel":
            for u in self.utterances:
                u.nods = [n for n in u.nods if not n[0] <= t < n[1]]
        if out.decision == "interrupt":
            self.cut_user(t + float(self.rng.uniform(0.2, 0.6)))
        if out.decision == "speak":
            self.bridge_due = False
        if out.delegate:
            self.miss = self.draw_miss()
            heard = [u for u in self.utterances if u.start < t]
            for u in heard:
                u.answered |= u.end <= t
            self.typed_pending = False
            self.bridge_due = out.say == DROP
            delay = float(np.clip(self.rng.lognormal(0.1, 0.6), 0.4, 5.0))
            self.open_job(answer_text(self.rng, self.dialogue).split(), t, delay)

    def cut_user(self, t: float) -> None:
        """The user falls silent at ``t``, having been interrupted."""
        for u in self.utterances:
            if u.start < t < u.end:
                at, end = int(t * INPUT_HZ), int(u.end * INPUT_HZ) + 1
                fade = min(800, end - at, len(self.near) - at)
                if fade > 0:
                    self.near[at : at + fade] *= np.linspace(1, 0, fade, dtype=np.float32)
                self.near[at + max(fade, 0) : end] = 0.0
                u.end, u.expects = t, False
