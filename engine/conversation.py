"""What was said lately: the request for the background process, and what the assistant was heard to say."""

from collections import deque

import numpy as np

from engine.assembler import turn_start
from engine.config import INPUT_HZ, OUTPUT_CHUNK, OUTPUT_HZ
from engine.events import Transcript
from engine.handover import HandOver, Line
from engine.types import Samples

KEPT_TURNS = 150  # 30 s
REQUEST_TURNS = 100  # 20 s
BARGE_IN_TURNS = 6  # 1.2 s: a request that interrupts begins at most this long before we fell silent
GOES_ON_TURNS = 40  # 8 s: a request replaced within them was an unfinished one
CONTEXT_LINES = 60
TYPED_TEXTS = 20
AUDIBLE = 1e-4
CLOSING_SILENCE_TURNS = 5
_REPEATED_WORDS = 4
_BLOCK = INPUT_HZ // 50
_CONTRAST_DB = 10.0
_SPEECH_RANGE_DB = 30.0


class Conversation:
    """Recent input audio, typed words and transcripts; gives what a delegated request needs.

    The audio of a request reaches back to the one before it, 20 s at most: the
    background process finds the words in it.
    """

    def __init__(self) -> None:
        self._audio: deque[tuple[int, Samples]] = deque(maxlen=KEPT_TURNS)
        self._typed: deque[str] = deque(maxlen=TYPED_TEXTS)
        self._lines: deque[Line] = deque(maxlen=CONTEXT_LINES)
        self._last_request = -1
        self._request_start = 0
        self._last_spoken = -BARGE_IN_TURNS

    def hear(self, index: int, samples: Samples) -> None:
        self._audio.append((index, samples))

    def typed(self, text: str) -> None:
        self._typed.append(text)

    def add(self, transcript: Transcript) -> None:
        if transcript.text or transcript.unheard:
            said = transcript
            self._lines.append(Line(said.speaker, said.text, said.t0, said.t1, said.unheard))

    @property
    def lines(self) -> tuple[Line, ...]:
        """What was said lately, oldest first."""
        return tuple(self._lines)

    @property
    def typing(self) -> bool:
        """Whether typed words wait to be handed over."""
        return bool(self._typed)

    def spoke(self, index: int) -> None:
        """The assistant could be heard answering (not nodding) during micro-turn ``index``."""
        self._last_spoken = index

    def since(self, index: int, again: bool = False) -> float:
        """Session second from which on speech belongs to a request that ends with micro-turn ``index``."""
        return turn_start(self._first(index, again))

    def _first(self, index: int, again: bool) -> int:
        goes_on = again and index - self._last_request <= GOES_ON_TURNS
        begin = max(self._last_request + 1, self._last_spoken - BARGE_IN_TURNS)
        return max(self._request_start if goes_on else begin, index + 1 - REQUEST_TURNS)

    def request(self, index: int, again: bool = False, given_up: tuple[int, ...] = ()) -> HandOver:
        """The request that ends with micro-turn ``index``; the next one begins after it.

        What the user said while the assistant went on talking is no part of it.
        ``again``: it takes the place of the one before. When that was handed over
        moments ago the user has gone on with it, so this one holds both.
        """
        first = self._first(index, again)
        self._request_start = first
        chunks = [(i, samples) for i, samples in self._audio if first <= i <= index]
        audio = np.concatenate([s for _, s in chunks]) if chunks else np.zeros(0, np.float32)
        start = turn_start(chunks[0][0] if chunks else index)
        begin, end = sound_bounds(audio)
        request = HandOver(
            t0=start + begin,
            t1=start + end,
            since=turn_start(first),
            audio=audio,
            text="\n".join(self._typed),
            lines=self.lines,
            given_up=given_up,
        )
        self._typed.clear()
        self._last_request = index
        return request


def sound_bounds(samples: Samples) -> tuple[float, float]:
    """Seconds at which the louder part of 16 kHz audio begins and ends; all of it when nothing stands out.

    For the times of a transcript only. Blocks of 20 ms count when they are within
    30 dB of the loudest, and nearer to it, in dB, than to the quietest tenth.
    """
    blocks = samples[: len(samples) // _BLOCK * _BLOCK].reshape(-1, _BLOCK)
    if not len(blocks):
        return 0.0, len(samples) / INPUT_HZ
    db = 10.0 * np.log10(np.mean(np.square(blocks), axis=1) + 1e-12)
    floor, top = float(np.percentile(db, 10)), float(db.max())
    loud = np.flatnonzero(db > max((floor + top) / 2, top - _SPEECH_RANGE_DB))
    if top - floor < _CONTRAST_DB or not len(loud):
        return 0.0, len(samples) / INPUT_HZ
    return int(loud[0]) * _BLOCK / INPUT_HZ, (int(loud[-1]) + 1) * _BLOCK / INPUT_HZ


def without_overlap(begun: list[str], after: list[str], most: int) -> list[str]:
    """``begun`` without its longest tail (``most`` words at most) with which ``after`` begins."""
    for count in range(min(most, len(begun), len(after)), 0, -1):
        if begun[-count:] == after[:count]:
            return begun[:-count]
    return begun


class UtteranceTracker:
    """Joins the words that were made with the sound that was heard into assistant transcripts.

    An utterance lasts from its first to its last audible sample. It ends with
    the speech, or after ``CLOSING_SILENCE_TURNS`` silent micro-turns of a pause.
    """

    def __init__(self) -> None:
        self._begun: list[str] = []
        self._unheard: list[str] = []
        self._made_t = 0.0
        self._first: float | None = None
        self._last = 0.0
        self._silent_turns = 0
        self._paused = False

    @property
    def open(self) -> bool:
        return bool(self._begun or self._unheard)

    def made(self, t: float, text_out: str, unheard: str, flushed: bool) -> Transcript | None:
        """Account for one action: words begun in its samples, words thrown away by it.

        Returns the utterance cut off earlier, when this action begins another.
        """
        words = text_out.split()
        cut_off = self.close() if words and self._unheard else None
        if not self.open:
            self._made_t = t
        if words and self._paused:
            # After a pause the voice begins again with the word that was cut off.
            self._begun = without_overlap(self._begun, words, _REPEATED_WORDS)
        self._begun += words
        if (
            unheard and self.open
        ):  # words of an answer dropped before any of it was said are nobody's utterance
            lost = unheard.split()
            self._begun = without_overlap(self._begun, lost, len(lost))
            self._unheard += lost
        self._paused = not words and not unheard and (flushed or self._paused)
        if words:
            self._silent_turns = 0
        return cut_off

    def heard(self, index: int, samples: Samples, busy: bool) -> Transcript | None:
        """Take the 4,800 samples heard in micro-turn ``index``. Returns the utterance that ended, if one did.

        ``busy``: the voice or the loudspeaker's queue still holds speech.
        """
        if not self.open:
            return None
        audible = np.nonzero(np.abs(samples) > AUDIBLE)[0]
        if len(audible):
            start = turn_start(index)
            if self._first is None:
                self._first = start + int(audible[0]) / OUTPUT_HZ
            self._last = start + (int(audible[-1]) + 1) / OUTPUT_HZ
            self._silent_turns = 0
            return None
        self._silent_turns += 1
        if busy and self._silent_turns < CLOSING_SILENCE_TURNS:
            return None
        return self.close()

    def close(self) -> Transcript | None:
        """End the utterance, if one is open."""
        if not self.open:
            return None
        begun, unheard = self._begun, self._unheard
        if self._first is None:  # nothing of it ever reached the ear
            begun, unheard = [], begun + unheard
        t0 = self._made_t if self._first is None else self._first
        t1 = t0 if self._first is None else self._last
        self._begun, self._unheard = [], []
        self._first, self._silent_turns, self._paused = None, 0, False
        return Transcript(t0, t1, "assistant", " ".join(begun), " ".join(unheard))


def heard_ms(samples: Samples) -> float:
    """Milliseconds of one micro-turn's heard audio (4,800,) that were audible, in blocks of 10 ms."""
    blocks = samples.reshape(-1, OUTPUT_CHUNK // 20)
    return 10.0 * float(np.count_nonzero(np.abs(blocks).max(axis=1) > AUDIBLE))
