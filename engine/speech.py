"""Carries out what the model decided: nothing here decides about turns.

The controller keeps the words of background answers until the model relays
them, feeds the voice, and describes the assistant's own state for the next
micro-turn. The simulator that makes training data runs the same code, so the
model meets at run time the states it was trained on.
"""

import re
from collections import deque
from dataclasses import dataclass

import numpy as np

from engine.config import OUTPUT_CHUNK, OUTPUT_HZ
from engine.decisions import CONTROL_TOKENS, FILLERS, NONE, PHRASES, RELAY, STANDING_TOKENS, drops
from engine.standing import Standing
from engine.types import Samples, SelfState, StepOutput
from engine.voice import Voice, clean_text

SOUND_HISTORY = 360  # samples: the overlap of log-mel frames, 25 ms long every 10 ms
CUSHION = OUTPUT_HZ // 10  # 100 ms kept queued ahead, so that compute jitter makes no gap
BACKCHANNEL_GAIN = 0.7
MAX_WAITING_WORDS = 2_000
_CLAUSE = re.compile(r"[.,;:?!]$")
_CLAUSE_WORDS, _LONGEST_CLAUSE = 6, 14


@dataclass(frozen=True)
class SpeechAction:
    """What one decision does to the loudspeaker.

    ``samples``: 24 kHz, to be queued (may be empty); ``flush``: fade out and
    forget the queue first; ``text_out``: words that begin in ``samples``;
    ``unheard``: words cut off or thrown away; ``say``: the say token that was carried out.
    """

    samples: Samples
    flush: bool = False
    text_out: str = ""
    unheard: str = ""
    level_db: float = -120.0
    say: str = NONE


def level_db(samples: Samples) -> float:
    """RMS level in dB relative to full scale; -120 for silence."""
    if not len(samples):
        return -120.0
    power = float(np.mean(np.square(samples, dtype=np.float64)))
    return max(-120.0, 10.0 * float(np.log10(power + 1e-12)))


class WaitingWords:
    """Words of background answers that have not been relayed, answer by answer.

    The oldest answer that can be said comes first; once begun, no other is said
    before its end. Answers that were *set aside* wait for a word on whether they
    still matter.
    """

    def __init__(self) -> None:
        self._words: dict[int, deque[str]] = {}
        self._aside: dict[int, deque[str]] = {}
        self._open: set[int] = set()
        self._gone: deque[int] = deque(maxlen=64)
        self._current: int | None = None

    def offer(self, job: int, text: str) -> None:
        self._open.add(job)
        queues = self._aside if job in self._aside else self._words
        queue = queues.setdefault(job, deque(maxlen=MAX_WAITING_WORDS))
        queue.extend(clean_text(text).split())

    def finish(self, job: int) -> None:
        self._open.discard(job)
        self._tidy()

    def discard(self, job: int) -> None:
        """Its words are not to be said, nor those that are being said once they are cut off."""
        self._forget(job)
        self._gone.append(job)

    def begin_again(self, job: int) -> None:
        """Another answer comes in place of the words that wait."""
        self._forget(job)

    def _forget(self, job: int) -> None:
        self._open.discard(job)
        self._words.pop(job, None)
        self._aside.pop(job, None)
        self._tidy()

    def clear(self) -> str:
        rest = " ".join(word for queue in self._words.values() for word in queue)
        self._words.clear()
        self._open.clear()
        self._tidy()
        return rest

    def set_aside(self, jobs: tuple[int, ...]) -> None:
        """Keep these answers back, with what still comes of them."""
        for job in jobs:
            words = self._words.pop(job, deque(maxlen=MAX_WAITING_WORDS))
            self._aside.setdefault(job, deque(maxlen=MAX_WAITING_WORDS)).extend(words)
        self._tidy()

    def restore(self, job: int) -> None:
        """An answer that was set aside matters still."""
        if job in self._aside:
            self._words.setdefault(job, deque(maxlen=MAX_WAITING_WORDS)).extend(self._aside.pop(job))

    def _tidy(self) -> None:
        for job in [job for job, queue in self._words.items() if not queue and job not in self._open]:
            del self._words[job]
        if self._current not in self._words and self._current not in self._open:
            self._current = None

    def _clause_length(self, job: int) -> int:
        """Words up to the first clause end; an unfinished clause counts once it is long enough to be said."""
        count = 0
        for word in self._words.get(job, ()):
            count += 1
            if count == _LONGEST_CLAUSE or (_CLAUSE.search(word) and count > 1):
                return count
        return count if job not in self._open or count >= _CLAUSE_WORDS else 0

    def _next(self) -> tuple[int, int]:
        """The answer to go on with, and how many of its words can be said now."""
        jobs = [*self._words] if self._current is None else [self._current]
        for job in jobs:
            if length := self._clause_length(job):
                return job, length
        return 0, 0

    def take_clause(self) -> tuple[int, str]:
        """The next clause and the answer it belongs to; empty when none can be said."""
        job, length = self._next()
        if not length:
            return 0, ""
        words = [self._words[job].popleft() for _ in range(length)]
        self._current = job
        self._tidy()
        return job, " ".join(words)

    def put_back(self, words: list[tuple[int, str]]) -> None:
        """Words that were taken and cut off come first again."""
        kept = [(job, word) for job, word in words if job not in self._gone]
        for job, word in reversed(kept):
            self._words.setdefault(job, deque(maxlen=MAX_WAITING_WORDS)).appendleft(word)
        if kept:
            self._words = {**{job: self._words[job] for job, _ in kept}, **self._words}
            self._current = kept[0][0]

    @property
    def sayable(self) -> int:
        """Words that wait, if some of them could be relayed now."""
        return sum(map(len, self._words.values())) if self._next()[1] else 0


class SpeechController:
    """Executes decisions on a voice. One per session, used by the engine thread only.

    After ``yield`` the words of an answer that were cut off wait to be relayed again,
    unless the decision drops them: so a false interruption costs no word.
    """

    def __init__(self, voice: Voice) -> None:
        self.standing = Standing()
        self._voice = voice
        self._waiting = WaitingWords()
        self._turns_since_speech = 1_000
        self._turns_since_delegate = 1_000
        self._level_db = -120.0
        self._last_decision = "listen"
        self._last_say = NONE
        self._to_play: Samples = np.zeros(0, np.float32)
        self._sound: Samples = np.zeros(SOUND_HISTORY + OUTPUT_CHUNK, np.float32)

    def warm_up(self) -> None:
        """Synthesise every phrase the model can say by itself."""
        self._voice.warm_up(PHRASES)

    def offer(self, job: int, text: str) -> None:
        """New words of a background answer."""
        self._waiting.offer(job, text)

    def finish(self, job: int) -> None:
        """That answer is complete."""
        self._waiting.finish(job)

    def discard(self, job: int) -> None:
        """That answer was cancelled: its waiting words are not to be said."""
        self._waiting.discard(job)

    def begin_again(self, job: int) -> None:
        """That answer is replaced by another: its waiting words are not to be said."""
        self._waiting.begin_again(job)

    def drop(self, aside: tuple[int, ...] = ()) -> str:
        """Throw the waiting words away and return them; those of ``aside`` are kept back (``restore``)."""
        self._waiting.set_aside(aside)
        return self._waiting.clear()

    def restore(self, job: int) -> None:
        """Words that were kept back are to be said after all."""
        self._waiting.restore(job)

    def state(self, t: float = 0.0) -> SelfState:
        """The assistant's own state as the next micro-turn begins, which ends at session second ``t``.

        ``open_jobs`` is the caller's to set.
        """
        return SelfState(
            speaking=self._voice.samples_left > 0,
            level_db=self._level_db,
            words_left=self._voice.words_left,
            seconds_left=self._voice.samples_left / OUTPUT_HZ,
            background_words=self._waiting.sayable,
            turns_since_speech=self._turns_since_speech,
            turns_since_delegate=self._turns_since_delegate,
            last_decision=self._last_decision,
            last_say=self._last_say,
            sound=self._sound,
            standing=self.standing.view(t),
        )

    def apply(self, out: StepOutput, queued: int, dropped: str | None = None, t: float = 0.0) -> SpeechAction:
        """Carry out one decision at session second ``t``; ``queued``: samples (24 kHz) still to be played.

        ``dropped``: what ``drop`` gave, where the caller has called it for this decision. A phrase that
        bridges the wait for an answer is not said when the answer is there already.
        """
        self._turns_since_delegate = 0 if out.delegate else min(1_000, self._turns_since_delegate + 1)
        say = RELAY if out.delegate and out.say in FILLERS and self._waiting.sayable else out.say
        self._last_decision, self._last_say = out.decision, say
        dropping = drops(out.say) and out.decision != "listen"
        if dropped is None:
            dropped = self.drop() if dropping else ""
        if out.decision == "yield":
            if not dropping:
                cut_off = self._voice.unfinished(queued)
                self._waiting.put_back([(w.job, w.text) for w in cut_off if w.job is not None])
            unheard = " ".join(filter(None, (self._voice.stop(queued), dropped)))
            return self._done(SpeechAction(np.zeros(0, np.float32), flush=True, unheard=unheard))
        if out.decision == "listen":
            return self._done(self._pause(queued))
        if say == RELAY:
            job, clause = self._waiting.take_clause()
            self._voice.say(clause, job=job)
        elif say in STANDING_TOKENS:
            self._voice.say(self.standing.said(say, t))
        elif say not in CONTROL_TOKENS:
            self._voice.say(say, BACKCHANNEL_GAIN if out.decision == "backchannel" else 1.0)
        samples, words = self._voice.render(max(0, OUTPUT_CHUNK + CUSHION - queued))
        return self._done(
            SpeechAction(samples, text_out=words, unheard=dropped, level_db=level_db(samples), say=say)
        )

    def stop(self, queued: int = 0) -> SpeechAction:
        """The user's stop button: silence at once, nothing kept."""
        rest = " ".join(filter(None, (self._voice.stop(queued), self._waiting.clear())))
        self._to_play = np.zeros(0, np.float32)
        return SpeechAction(np.zeros(0, np.float32), flush=True, unheard=rest)

    def _play(self, action: SpeechAction) -> None:
        """Keep account of what the loudspeaker plays in the micro-turn that begins."""
        waiting = action.samples if action.flush else np.concatenate([self._to_play, action.samples])
        played = waiting[:OUTPUT_CHUNK]
        silence = np.zeros(OUTPUT_CHUNK - len(played), np.float32)
        self._sound = np.concatenate([self._sound[-SOUND_HISTORY:], played, silence])
        self._to_play = waiting[OUTPUT_CHUNK:]

    def _pause(self, queued: int) -> SpeechAction:
        """Silence with words left: stop now, and go on from the word cut off when told to speak again."""
        if not self._voice.samples_left:
            return SpeechAction(np.zeros(0, np.float32))
        self._voice.rewind(queued)
        return SpeechAction(np.zeros(0, np.float32), flush=True)

    def _done(self, action: SpeechAction) -> SpeechAction:
        self._level_db = action.level_db
        self._play(action)
        heard = len(action.samples) > 0
        self._turns_since_speech = 0 if heard else min(1_000, self._turns_since_speech + 1)
        return action
