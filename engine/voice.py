"""Words in, 200 ms of speech out.

The voice is hibari (Apache-2.0, 24 kHz). Phrases are synthesised when they are
queued; silence around them is trimmed, because a quarter of a second of it
would be a quarter of a second of latency.
"""

import re
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine.config import DEFAULT_VOICE, OUTPUT_HZ
from engine.types import Samples
from engine.voices import model_file

MAX_PHRASE_CHARS = 400
_AUDIBLE = 0.008
_LEAD_S, _TAIL_S = 0.015, 0.06
_PAUSES = {".": 0.30, "?": 0.30, "!": 0.30, ",": 0.12, ";": 0.2, ":": 0.2}
_AFTER_BRIDGE_S = 0.1
_GAIN = 1.7
_CACHED_PHRASES = 64


@dataclass(frozen=True)
class SpokenWord:
    """A word and the sample (24 kHz, from the phrase's start) at which it begins.

    ``job``: the background answer it belongs to; None for the assistant's own words.
    """

    text: str
    start: int
    job: int | None = None


@dataclass(frozen=True)
class Phrase:
    """One synthesised phrase: 24 kHz samples, and its words in order."""

    samples: Samples
    words: tuple[SpokenWord, ...]


def clean_text(text: str) -> str:
    """Text that can be said: control characters and markup out, white space folded, length capped."""
    text = re.sub(r"[*_`#<>|\\\[\]{}]|[\u0000-\u001f\u200b-\u200f\u2028-\u202e\ufe00-\ufe0f]", " ", text)
    return re.sub(r"\s+", " ", text).strip()[:MAX_PHRASE_CHARS]


def trim(samples: Samples) -> Samples:
    """Cut the silence around speech, keeping a short lead-in and a tail."""
    loud = np.nonzero(np.abs(samples) > _AUDIBLE)[0]
    if not len(loud):
        return samples[:0]
    first = max(0, int(loud[0]) - round(_LEAD_S * OUTPUT_HZ))
    last = min(len(samples), int(loud[-1]) + round(_TAIL_S * OUTPUT_HZ))
    return samples[first:last]


def word_starts(words: list[str], weights: list[int], length: int) -> tuple[SpokenWord, ...]:
    """Spread words over ``length`` samples in proportion to their phoneme counts."""
    total = max(1, sum(weights))
    starts = np.concatenate([[0], np.cumsum(weights)[:-1]]) * length // total
    return tuple(SpokenWord(w, int(s)) for w, s in zip(words, starts, strict=True))


class Voice:
    """Synthesises phrases and hands them out in pieces. Used by the engine thread only.

    ``voice``: a name of ``engine.voices``; ``speed`` divides how long speech takes.

    Raises:
        MicroturnError: the voice is not installed. Nothing is ever fetched here.
    """

    def __init__(self, voice: str = DEFAULT_VOICE, speed: float = 1.0, threads: int = 1) -> None:
        from hibari import Hibari

        self._tts: Any = Hibari(voice, model=str(model_file(voice)), threads=threads)
        self._speed = speed
        self._cache: OrderedDict[str, Phrase] = OrderedDict()
        self._samples: Samples = np.zeros(0, np.float32)
        self._words: list[SpokenWord] = []  # starts relative to self._samples
        self._position = 0

    def warm_up(self, phrases: tuple[str, ...] = ("Hello.",)) -> None:
        """Load everything slow, and synthesise ``phrases`` so that they cost nothing later."""
        for text in phrases:
            self.synthesise(text)

    def synthesise(self, text: str) -> Phrase:
        """Speech for ``text``; empty when nothing in it can be said."""
        text = clean_text(text)
        if text in self._cache:
            self._cache.move_to_end(text)
            return self._cache[text]
        words = text.split()
        phonemes = self._tts.phonemize(text) if any(c.isalnum() for c in text) else []
        parts = [self._tts.from_phonemes(p, speed=self._speed, seed=0) for p in phonemes]
        # tanh keeps the gain from clipping loud vowels.
        trimmed = [np.tanh(_GAIN * trim(np.asarray(p, np.float32))).astype(np.float32) for p in parts]
        samples: Samples = np.concatenate(trimmed) if trimmed else np.zeros(0, np.float32)
        groups = " ".join(phonemes).split()
        aligned = groups if len(groups) == len(words) else words
        starts = word_starts(words, [len(g) for g in aligned], len(samples)) if len(samples) else ()
        phrase = Phrase(samples, starts)
        self._cache[text] = phrase
        if len(self._cache) > _CACHED_PHRASES:
            self._cache.popitem(last=False)
        return phrase

    def say(self, text: str, gain: float = 1.0, job: int | None = None) -> str:
        """Queue ``text`` after what is queued already, with the pause its punctuation asks for."""
        phrase = self.synthesise(text)
        if not len(phrase.samples):
            return ""
        self._drop_rendered()
        queued = [self._samples]
        if self._words:
            pause = _PAUSES.get(self._words[-1].text[-1:], 0.03)
            if job is not None and self._words[-1].job is None:
                pause = min(pause, _AFTER_BRIDGE_S)  # what was bridged is here
            queued.append(np.zeros(round(pause * OUTPUT_HZ), np.float32))
        offset = sum(len(q) for q in queued)
        self._samples = np.concatenate([*queued, gain * phrase.samples])
        self._words += [SpokenWord(w.text, w.start + offset, job) for w in phrase.words]
        return " ".join(w.text for w in phrase.words)

    def render(self, count: int) -> tuple[Samples, str]:
        """The next ``count`` samples at most, and the words that begin in them."""
        end = min(self._position + count, len(self._samples))
        piece = self._samples[self._position : end]
        begun = [w.text for w in self._words if self._position <= w.start < end]
        self._position = end
        return piece, " ".join(begun)

    def rewind(self, unheard: int) -> None:
        """Step back over ``unheard`` rendered samples, to the beginning of the word cut off."""
        heard = max(0, self._position - unheard)
        if heard >= len(self._samples):
            return
        before = [w.start for w in self._words if w.start <= heard]
        self._position = before[-1] if before else 0

    def unfinished(self, unheard: int = 0) -> tuple[SpokenWord, ...]:
        """Words not heard to their end, were it to stop now; the word being said is one of them."""
        heard = max(0, self._position - unheard)
        if heard >= len(self._samples):
            return ()
        first = max([w.start for w in self._words if w.start <= heard], default=0)
        return tuple(w for w in self._words if w.start >= first)

    def stop(self, unheard: int = 0) -> str:
        """Forget the rest, and ``unheard`` rendered samples with it. Returns the words not heard."""
        heard = self._position - unheard
        rest = " ".join(w.text for w in self._words if w.start >= heard)
        self._samples, self._words, self._position = np.zeros(0, np.float32), [], 0
        return rest

    @property
    def words_left(self) -> int:
        """Queued words that have not begun."""
        return sum(w.start >= self._position for w in self._words)

    @property
    def samples_left(self) -> int:
        """Queued samples that have not been rendered."""
        return len(self._samples) - self._position

    def _drop_rendered(self) -> None:
        """Forget what was rendered and cannot be rewound to: more than a second ago."""
        keep = max(0, self._position - OUTPUT_HZ)
        self._samples = self._samples[keep:]
        self._position -= keep
        self._words = [replace(w, start=w.start - keep) for w in self._words if w.start >= keep]
        if self._position == len(self._samples) and not any(w.start >= self._position for w in self._words):
            self._samples, self._words, self._position = np.zeros(0, np.float32), [], 0
