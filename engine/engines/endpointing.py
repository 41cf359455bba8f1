"""From speech probabilities every 32 ms to the beginning and end of a user's turn."""

from collections.abc import Callable

from engine.detectors.silero import WINDOW_MS
from engine.engines.pipeline_rules import PipelineRules

_RELEASE = 0.15  # speech goes on until this much below the threshold, as in Silero's own segmenter
_BURST_GAP_MS = 200.0


class Endpointer:
    """Follows one stream. ``now`` counts the windows taken, ``begin`` is the one with which the turn began.

    ``open``: a turn has begun and was not closed. ``speech_ms``: speech in the present burst, which ends with
    a break of 200 ms. ``silence_ms``: since the last speech.
    """

    def __init__(self, rules: PipelineRules) -> None:
        self._rules = rules
        self.now = 0
        self.prob = 0.0
        self.close()

    def close(self) -> None:
        """The turn is over, or was none: wait for the next."""
        self.open = False
        self.speech_ms = self.silence_ms = 0.0
        self.begin = self.now
        self.completeness: float | None = None
        self._voiced = False

    def push(self, prob: float) -> None:
        """Take the speech probability of the next 512 samples."""
        self.now += 1
        self.prob = prob
        threshold = self._rules.vad_threshold
        self._voiced = prob >= threshold or (self._voiced and prob >= threshold - _RELEASE)
        if not self._voiced:
            self.silence_ms += WINDOW_MS
            if self.silence_ms >= _BURST_GAP_MS:
                self.speech_ms = 0.0
            return
        if not self.open and not self.speech_ms:
            self.begin = self.now - 1
        self.silence_ms = 0.0
        self.completeness = None
        self.speech_ms += WINDOW_MS
        self.open = self.open or self.speech_ms >= self._rules.min_speech_ms

    def over(self, complete: Callable[[int, int], float]) -> bool:
        """Whether the open turn has ended.

        ``complete(first, last)``: probability that what was said in windows [first, last) is a finished turn;
        asked once in each silence, if the rules have ``smart_turn``.
        """
        rules = self._rules
        if not self.open:
            return False
        if not rules.smart_turn:
            return self.silence_ms >= rules.silence_ms
        if self.silence_ms < rules.smart_turn_wait_ms:
            return False
        if self.completeness is None:
            waited = round((self.silence_ms - rules.smart_turn_wait_ms) / WINDOW_MS)
            self.completeness = complete(self.begin, self.now - waited)
        return self.completeness >= rules.smart_turn_threshold or self.silence_ms >= rules.max_silence_ms

    @property
    def progress(self) -> float:
        """How near the turn's end is, from 0 to 1."""
        if not self.open:
            return 0.0
        whole = self._rules.max_silence_ms if self._rules.smart_turn else self._rules.silence_ms
        return min(1.0, max(self.silence_ms / whole, self.completeness or 0.0))
