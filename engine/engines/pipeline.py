"""The ``pipeline`` engine: a turn-based cascade by rules, the rival that the learned model is compared with.

It listens until the turn is over, hands it over, is silent until the answer comes, says it, and throws the
rest away when it counts as interrupted. Detectors work on windows of 32 ms; like every engine it can act only
when a micro-turn is over, which delays it by 0.1 s on average. docs/pipeline.md has the rules.
"""

import numpy as np

from engine.config import CHUNK_MS, INPUT_CHUNK, INPUT_HZ
from engine.decisions import DECISIONS, DROP, NONE, RELAY
from engine.detectors.silero import WINDOW, SileroVad, silero_file
from engine.detectors.smart_turn import SmartTurn, smart_turn_file
from engine.detectors.words import WordCounter, recogniser_file
from engine.engines.endpointing import Endpointer
from engine.engines.pipeline_rules import PipelineRules
from engine.paths import fingerprint
from engine.types import MicroTurn, Samples, SelfState, StepOutput

KEPT_S = 15
BEFORE_SPEECH_S = 0.5  # detectors get this much of what was there before the first word
WORDS_LEFT = 2
_UNDECIDED = 0.49


class PipelineEngine:
    """Decides by ``rules``. Engine thread only; nothing is drawn, so the seed changes nothing.

    Raises:
        MicroturnError: a detector that the rules need is not installed.
    """

    def __init__(self, name: str, rules: PipelineRules, threads: int = 1) -> None:
        self.name = name
        self.rules = rules
        self._vad = SileroVad()
        self._smart_turn = SmartTurn() if rules.smart_turn else None
        self._words = WordCounter(threads) if rules.barge_in == "words" else None
        files = [silero_file()]
        files += [smart_turn_file()] if rules.smart_turn else []
        files += [recogniser_file()] if rules.barge_in == "words" else []
        self.model = "+".join(fingerprint(path) for path in files)
        self.reset(0)

    def reset(self, seed: int) -> None:
        """Forget everything heard."""
        del seed
        self._vad.reset()
        self._ends = Endpointer(self.rules)
        self._audio: Samples = np.zeros(0, np.float32)
        self._first = 0  # the stream's sample with which ``_audio`` begins
        self._waiting = False  # a request was handed over, and its answer was neither finished nor dropped
        self._begun = False  # ... and some of it was said
        self._continues = False  # the open turn goes on with a request that was not answered yet
        self._typed = False
        self._found = 0  # words in the open turn, when last looked
        self._looked = 0  # ... which was after that many windows

    def warm_up(self) -> None:
        """First use of everything."""
        silence = np.zeros(INPUT_CHUNK, np.float32)
        self._vad.push(silence)
        if self._smart_turn is not None:
            self._smart_turn.completeness(silence)
        if self._words is not None:
            self._words.warm_up()
        self.reset(0)

    def step(self, turn: MicroTurn) -> StepOutput:
        self._hear(turn.audio)
        own = turn.self_state
        self._typed |= any(text.origin == "user" for text in turn.texts)
        busy = own.speaking or own.background_words > 0 or own.open_jobs > 0
        self._waiting = self._waiting and busy
        return self._answering(own) if self._waiting else self._listening()

    def _hear(self, samples: Samples) -> None:
        for prob in self._vad.push(samples):
            self._ends.push(float(prob))
        joined = np.concatenate([self._audio, samples])
        self._audio = joined[-KEPT_S * INPUT_HZ :]
        self._first += len(joined) - len(self._audio)

    def _between(self, first: int, last: int) -> Samples:
        """The sound of windows [first, last) of the stream, and of the half second before."""
        begin = first * WINDOW - round(BEFORE_SPEECH_S * INPUT_HZ) - self._first
        return self._audio[max(0, begin) : max(0, last * WINDOW - self._first)]

    def _complete(self, first: int, last: int) -> float:
        return 1.0 if self._smart_turn is None else self._smart_turn.completeness(self._between(first, last))

    def _listening(self) -> StepOutput:
        """Nothing is being answered: is it our turn?"""
        ends = self._ends
        progress = ends.progress
        if self._typed and not ends.open:
            return self._hand_over()
        if ends.silence_ms >= self.rules.smart_turn_wait_ms:
            self._look_for_words(every_ms=0.0)
        if not ends.over(self._complete):
            return _output("listen", "speak", against=ends.progress)
        if self._words is not None and not self._typed and not self._has_words(self._words):
            self._close()  # a cascade answers words, not sounds
            return _output("listen", "speak", against=progress)
        return self._hand_over()

    def _hand_over(self) -> StepOutput:
        against = self._ends.prob
        say = DROP if self._continues else NONE
        self._close()
        self._waiting, self._begun, self._continues, self._typed = True, False, False, False
        return _output("speak", "listen", against, say=say, delegate=True)

    def _answering(self, own: SelfState) -> StepOutput:
        """An answer is awaited or being said: does the user stop it? If not, go on with it."""
        evidence = 1.0 if self._typed else self._interruption()
        if evidence >= 1.0:
            # Dropping ends the open jobs, whose last events may still be under way.
            self._waiting = False
            self._continues = not self._begun and not self._typed
            return _output("yield", "speak", against=1.0 - self._ends.prob, say=DROP)
        if self._ends.silence_ms >= self.rules.silence_ms:
            self._close()  # what was said meanwhile did not count as an interruption
        user_speaks = self._ends.speech_ms >= self.rules.min_speech_ms
        if own.background_words and own.words_left <= WORDS_LEFT and (own.speaking or not user_speaks):
            self._begun = True
            return _output("speak", "yield", evidence, say=RELAY)
        return _output("speak" if own.speaking else "listen", "yield", evidence)

    def _interruption(self) -> float:
        """How much of an interruption there is; 1 is one."""
        if self._words is None:
            return self._ends.speech_ms / self.rules.barge_in_ms
        silent = self._ends.silence_ms >= self.rules.smart_turn_wait_ms
        self._look_for_words(0.0 if silent else self.rules.words_every_ms)
        return self._found / (self.rules.min_words if self._begun else 1)

    def _look_for_words(self, every_ms: float) -> None:
        """Count the words of the open turn, if it has grown and the last look is ``every_ms`` ago."""
        ends = self._ends
        spoken_until = ends.now - round(ends.silence_ms * INPUT_HZ / 1000 / WINDOW)
        since_ms = (ends.now - self._looked) * WINDOW * 1000 / INPUT_HZ
        # Windows and micro-turns do not line up: half a micro-turn of tolerance keeps the rhythm.
        due = since_ms > every_ms - CHUNK_MS / 2
        if self._words is not None and ends.open and spoken_until > self._looked and due:
            self._found = self._words.count(self._between(ends.begin, ends.now))
            self._looked = ends.now

    def _has_words(self, words: WordCounter) -> bool:
        heard = self._between(self._ends.begin, self._ends.now)
        return self._found > 0 or words.count(heard, certain=True) > 0

    def _close(self) -> None:
        self._ends.close()
        self._found = 0


def _output(decision: str, other: str, against: float, say: str = NONE, delegate: bool = False) -> StepOutput:
    """``against``: what speaks for the ``other`` decision, 0 to 1; half of that becomes its probability."""
    share = _UNDECIDED * min(1.0, max(0.0, against))
    probs = dict.fromkeys(DECISIONS, 0.0) | {decision: 1.0 - share, other: share}
    return StepOutput(decision, probs, say, {say: 1.0}, delegate, float(delegate))
