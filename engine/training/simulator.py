"""Conversations with known truth: a user who reacts, an oracle who knows, and the real speech controller.

A session is simulated micro-turn by micro-turn. The assistant side is ``engine.speech.SpeechController``
with the real voice, so the model's own-state inputs are those of run time. Whoever decides for the
assistant, the oracle's decision is the target.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import soxr

from engine.config import CHUNK_S, INPUT_CHUNK, INPUT_HZ, OUTPUT_CHUNK, OUTPUT_HZ
from engine.decisions import NONE, REPEATS, STANDING_TOKENS, YIELDS, drops
from engine.speech import SpeechController
from engine.training import oracle
from engine.training.clips import Clip
from engine.training.oracle import Fallible, Floor
from engine.training.texts import Rng, answer_text, reminder_text
from engine.training.trace import Job, Target, Trace, TurnTrace
from engine.training.user import User
from engine.training.visual.bank import Scene
from engine.training.watching import Watching
from engine.types import Samples, SelfState, StepOutput, TextEvent
from engine.voice import Voice

COMPUTE_S = 0.03
_ECHO_TAIL = OUTPUT_HZ
_LOOK_AHEAD = 480  # for the resampler's filter: 20 ms, less than it takes until a decision is heard
AT_ONCE = 0.35  # share of answers that the background has ready when a request is handed over
BACK_OFF = 0.35
WISH = 0.4  # share of requests that ask for something to be watched for, where that is trained
NO_ANSWER = 0.06  # share of requests of which the background makes nothing
BRISK = 0.5  # share of sessions of short answers, which hold twice as many turns of the user


class SessionSimulator:
    """One session of ``turns`` micro-turns: ``observe`` and ``act`` alternate, or ``run`` does both.

    ``empty``: nobody is there; whatever sound there is comes from the room. ``scene``: what the camera sees;
    with it, or with ``wishes``, the assistant is asked to count, to watch for something or to say something
    at a time. ``typing``: what a user types who says nothing; that of others is what they could say.
    """

    def __init__(
        self,
        rng: Rng,
        user: list[Clip],
        others: list[Clip],
        voice: Voice,
        dialogue: tuple[str, ...],
        turns: int,
        empty: bool = False,
        scene: Scene | None = None,
        wishes: bool = False,
        typing: Sequence[str] = (),
    ):
        self.rng = rng
        self.turns = turns
        self.empty = empty
        clips: dict[str, list[Clip]] = {}
        for clip in user:
            clips.setdefault(clip.kind, []).append(clip)
        self.brisk = bool(rng.random() < BRISK)
        self.user = User(rng, clips, others, turns * INPUT_CHUNK, self.brisk)
        if empty and typing:
            self.user.scenes, self.user.typing = {"typed": 0.8, "quiet": 0.2}, typing
        elif empty:
            self.user.next_scene_t = float("inf")
        self.floor = Floor()
        self.fallible = Fallible(rng)
        self.dialogue = dialogue
        voice.stop()
        self.speech = SpeechController(voice)
        standing, seconds = self.speech.standing, turns * CHUNK_S
        self.watching = Watching(rng, scene, standing, seconds, empty) if wishes or scene else None
        self.echo24 = np.zeros(turns * OUTPUT_CHUNK + _ECHO_TAIL, np.float32)
        self.jobs: list[Job] = []
        self.early: list[TextEvent] = []  # answers that were there when they were asked for
        self.job_count = 0
        self.queued = 0
        self.index = 0
        self.seen: tuple[SelfState, tuple[TextEvent, ...], Target] | None = None
        self.traces: list[TurnTrace] = []

    def observe(self) -> tuple[SelfState, tuple[TextEvent, ...], Target]:
        """What the model gets in the next micro-turn besides sound, and the oracle's decision."""
        t0, t1 = self.index * CHUNK_S, (self.index + 1) * CHUNK_S
        holding = self.speech.state().speaking and self.floor.mode != "backchannel"
        self.user.turn(t0, holding, bool(self.jobs))
        texts = [e for e in self.user.typed if t0 <= e.t < t1]
        self.floor.typed |= bool(texts)
        texts += [*self.early, *self._deliver(t1)]
        self.early.clear()
        state = replace(self.speech.state(t1), open_jobs=len(self.jobs))
        self.floor.reminder &= state.background_words > 0
        wanted = oracle.target(self.user, self.floor, t1, state, self.rng)
        if self.watching:
            u = self.user.current(t1, oracle.TAKE_AFTER_S)
            speaks = u is not None and u.addressed
            wanted = self.watching.blend(wanted, t1, speaks, state.words_left)
        if wanted.delegate:
            wanted = replace(wanted, weight=oracle.urgency(self.user.silence(t1)))
        self.seen = (state, tuple(texts), wanted)
        return self.seen

    def mistaken(self) -> StepOutput:
        """The oracle's decision of this micro-turn with mistakes mixed in."""
        assert self.seen is not None
        state, _, wanted = self.seen
        if self.watching:
            wanted = self.watching.mistaken(wanted)
        acted = self.fallible.act(wanted, self.user, state, (self.index + 1) * CHUNK_S)
        return StepOutput(acted.decision, {}, say=acted.say, delegate=acted.delegate)

    def act(self, out: StepOutput) -> None:
        """Carry ``out`` out and go on to the next micro-turn."""
        assert self.seen is not None
        state, texts, wanted = self.seen
        self._carry_out(out, state, (self.index + 1) * CHUNK_S)
        self.traces.append(TurnTrace(state, texts, wanted, out))
        self.index += 1

    def run(self) -> Trace:
        """Simulate the whole session, the oracle deciding with mistakes."""
        while self.index < self.turns:
            state, texts, wanted = self.observe()
            silence = self.user.silence((self.index + 1) * CHUNK_S)
            if wanted.decision == "listen" and state.turns_since_speech * CHUNK_S > silence:
                wanted = replace(wanted, weight=wanted.weight * oracle.survival(silence))
                self.seen = (state, texts, wanted)
            self.act(self.mistaken())
        return self.trace()

    def trace(self) -> Trace:
        """The finished session."""
        echo = soxr.resample(self.echo24, OUTPUT_HZ, INPUT_HZ, quality="MQ").astype(np.float32)
        return Trace(
            tuple(self.traces),
            self.user.near,
            self.user.far,
            echo[: self.turns * INPUT_CHUNK],
            tuple(self.user.utterances),
        )

    def echo_of(self, first: int, last: int) -> Samples:
        """What the loudspeaker plays from sample ``first`` to ``last`` of 16 kHz; ``last`` is not to come."""
        a, b = first * OUTPUT_HZ // INPUT_HZ, last * OUTPUT_HZ // INPUT_HZ
        piece = soxr.resample(self.echo24[a : b + _LOOK_AHEAD], OUTPUT_HZ, INPUT_HZ, quality="MQ")
        out: Samples = piece[: last - first].astype(np.float32)
        return out

    # -- the background -------------------------------------------------------------------

    def _open_job(self, t: float) -> None:
        self.job_count += 1
        asked = self.floor.typed or self.user.has_asked(t)
        if not asked or self.rng.random() < NO_ANSWER:
            # As the background ends it: nothing was said or nothing that could be made out, or it was "stop".
            took = 0.0 if self.rng.random() < 0.6 else float(self.rng.exponential(0.8))
            self.jobs.append(Job(self.job_count, [], [], until=t + took))
            return
        if self.watching and self.rng.random() < WISH:
            wish = self.watching.draw()
            words = self.watching.confirmation(wish).split()
            at = t + float(np.clip(self.rng.lognormal(-0.5, 0.6), 0.25, 4.0))
            self.jobs.append(Job(self.job_count, words, [at] * len(words), arms=wish))
            return
        words = answer_text(self.rng, self.dialogue).split()
        if self.brisk:
            words = words[: int(self.rng.integers(2, 9))]
        if self.rng.random() < AT_ONCE:
            self.speech.offer(self.job_count, " ".join(words))
            self.speech.finish(self.job_count)
            self.early.append(TextEvent(t, " ".join(words), "background"))
            return
        slow = self.rng.random() < (0.03 if self.brisk else 0.15)
        delay = float(
            np.clip(self.rng.lognormal(1.5 if slow else -0.5 if self.brisk else 0.0, 0.6), 0.25, 9.0)
        )
        pace = float(self.rng.uniform(0.03, 0.2))
        self.jobs.append(Job(self.job_count, words, [t + delay + k * pace for k in range(len(words))]))

    def _remind(self, t: float) -> list[TextEvent]:
        """A reminder falls due: its words arrive at once, unasked, and are urgent."""
        if self.user.reminder_t is None or self.user.reminder_t > t:
            return []
        self.user.reminder_t = None
        self.job_count += 1
        text = reminder_text(self.rng)
        self.speech.offer(self.job_count, text)
        self.speech.finish(self.job_count)
        self.floor.reminder = True
        return [TextEvent(t, text, "background")]

    def _wish(self, t: float) -> list[TextEvent]:
        """What a user who says nothing has asked for in another way."""
        words, heard = self.watching.wish(t) if self.watching else ("", False)
        if not words:
            return []
        self.job_count += 1
        if heard:
            self.speech.offer(self.job_count, words)
            self.speech.finish(self.job_count)
        return [TextEvent(t, words, "background")]

    def _deliver(self, t: float) -> list[TextEvent]:
        """Words that have arrived by ``t`` go to the speech controller."""
        events = [*self._remind(t), *self._wish(t)]
        for job in self.jobs:
            due = zip(job.words[job.given :], job.times[job.given :], strict=True)
            fresh = [w for w, at in due if at <= t]
            if fresh and job.arms and self.watching:
                self.watching.arm(job.arms, t)
                job.arms = None
            if fresh:
                job.given += len(fresh)
                self.speech.offer(job.number, " ".join(fresh))
                events.append(TextEvent(t, " ".join(fresh), "background"))
            if job.given == len(job.words) and t >= job.until:
                self.speech.finish(job.number)
        self.jobs = [j for j in self.jobs if j.given < len(j.words) or t < j.until]
        return events

    # -- the assistant ----------------------------------------------------------------------

    def _carry_out(self, out: StepOutput, before: SelfState, t: float) -> None:
        """Run the decision through the real speech controller and let its consequences follow."""
        dropped = None
        if drops(out.say) and out.decision != "listen":
            self.jobs.clear()
            dropped = self.speech.drop()
        if out.delegate:
            self._open_job(t)
        action = self.speech.apply(out, self.queued, dropped, t)
        if self.watching and action.say in STANDING_TOKENS:
            self.watching.said(action.say, t)
        at = int((t + COMPUTE_S) * OUTPUT_HZ)
        if action.flush:
            self.echo24[at + OUTPUT_HZ // 25 :] = 0.0
            self.queued = 0
        start = at + self.queued
        room = self.echo24[start : start + len(action.samples)]
        room += action.samples[: len(room)]
        self.queued = max(0, self.queued + len(action.samples) - OUTPUT_CHUNK)
        self._follow(out, before, t, heard=len(action.samples) > 0)
        if out.delegate:
            self._hand_over(t)

    def _follow(self, out: StepOutput, before: SelfState, t: float, heard: bool) -> None:
        """What the decision means for the floor, and how the user takes it."""
        floor, user = self.floor, self.user
        if out.decision in ("speak", "interrupt", "backchannel") and (out.say != NONE or not before.speaking):
            floor.mode = "interrupt" if floor.mode == "interrupt" and before.speaking else out.decision
        if out.decision == "yield":
            floor.resuming = True
        elif heard and out.decision == "speak":
            floor.resuming = False
        if out.decision == "backchannel":
            for u in user.utterances:
                u.nods = [n for n in u.nods if not n[0] <= t < n[1]]
        started = heard and not before.speaking
        if started and out.decision == "interrupt":
            user.cut(t + float(self.rng.uniform(0.2, 0.6)))
        if started and out.decision == "speak" and self.rng.random() < BACK_OFF:
            user.back_off(t)
        if started and out.say in YIELDS and user.held:
            user.go_on(t + 0.6)
        if started and out.say in REPEATS:
            user.repeat(t)
        if heard and not out.delegate and out.decision == "speak":
            for u in user.utterances:
                u.answered |= u.kind == "stop" and u.end <= t

    def _hand_over(self, t: float) -> None:
        self.fallible.draw_miss()
        for u in self.user.utterances:
            u.answered |= u.start < t and u.end <= t
        self.floor.typed = False
