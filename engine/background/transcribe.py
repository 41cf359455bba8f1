"""One hypothesis about one window of audio, as streaming recognition needs it: words with tokens and times.

Whisper's encoder takes windows of any length. The features are padded with what digital silence looks like,
not with zeros, which are a middling loudness: with zeros it loops at short pads. The decoder is given the
words that are already certain as the beginning of its answer, so it writes only what is new.
"""

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from text_to_num import alpha2digit

from engine.background.recognise import HZ, Recognised, Recogniser, before_loop, words_of
from engine.types import Samples

LONGEST_S = 29.0
_FRAMES_PER_S = 100  # Whisper's mel frames
_TOKEN_S = 0.02  # one step of the encoder, the grid of the alignment
_MOST_WORDS_PER_S = 6.0
_MOST_TOKENS_PER_S = 7.0
_UNSURE_LOG_PROB = -1.2
_NO_SPEECH = 0.6
HINT = (
    "Set a timer for ten minutes. What's 12 times 7? And in Italy? Add it to my shopping list. Remind me at "
    "5 p.m. How many grams are in an ounce? What's the capital of Kenya? No, Friday."
)
_SENTENCE = re.compile(r"(?<=[.?])\s+")
_CLOSING = "\"'.,!?:;)]}”’…"


@dataclass(frozen=True)
class Piece:
    """One word: its text without the space before it, its tokens, seconds from the window's start."""

    text: str
    tokens: tuple[int, ...]
    t0: float
    t1: float
    prob: float


@dataclass(frozen=True)
class Hypothesis:
    """``pieces``: all words of the window, the given ones first. ``doubtful``: it looped, or is a guess.

    ``others``: what else the window may say, the more probable first; with several beams only. ``echo``: it
    is a line of the hint, which may have been said, or not.
    """

    pieces: tuple[Piece, ...] = ()
    doubtful: bool = False
    others: tuple[str, ...] = ()
    echo: bool = False


class Transcriber(Recogniser):
    """A Recogniser that can also say what a growing window holds. Safe to call from several threads.

    ``language``: Whisper's code of the language spoken, for models that know several. ``hint``: what people
    say to an assistant, given to the decoder as if it had been said before.

    Raises:
        JobError: there is no model, or it cannot be loaded.
    """

    def __init__(
        self, folder: Path | None, threads: int, language: str = "en", hint: str | None = None
    ) -> None:
        super().__init__(folder, threads)
        self._lock = threading.Lock()
        tokens = self._model.hf_tokenizer
        self._end = tokens.token_to_id("<|endoftext|>")
        self._before = tokens.token_to_id("<|startofprev|>")
        self._start = [tokens.token_to_id("<|startoftranscript|>")]
        if self._model.model.is_multilingual:
            known = tokens.token_to_id(f"<|{language}|>") or tokens.token_to_id("<|en|>")
            self._start += [known, tokens.token_to_id("<|transcribe|>")]
        self._plain = tokens.token_to_id("<|notimestamps|>")
        if hint is None:
            hint = HINT if language == "en" else ""
        self._lines = {_plain(line) for line in _SENTENCE.split(hint) if line}
        self._hint = tokens.encode(f" {hint}", add_special_tokens=False).ids if hint else []

    def recognise(self, samples: Samples) -> Recognised:
        """As ``Recogniser.recognise``, one thread after the other."""
        with self._lock:
            return super().recognise(samples)

    def glance(self, samples: Samples) -> str:
        """As ``Recogniser.glance``, one thread after the other."""
        with self._lock:
            return super().glance(samples)

    def transcribe(
        self,
        window: Samples,
        given: Sequence[Piece] = (),
        before: Sequence[int] = (),
        pad_s: float = 2.0,
        beam: int = 1,
    ) -> Hypothesis:
        """Words in ``window`` (n,), 16 kHz mono, n up to 29 s (what is longer is cut off).

        ``given`` is how the answer begins. ``before`` are tokens of what was said before the window, the hint
        where there are none.
        ``pad_s`` seconds of silence follow it. Word times are those of the decoder's attention
        (``WhisperModel.align``). Takes 0.03 to 0.15 s.
        """
        import ctranslate2

        window = window[: int(LONGEST_S * HZ)]
        if not len(window):
            return Hypothesis(tuple(given))
        seconds = len(window) / HZ
        model = self._model.model
        with self._lock:
            mel = self._model.feature_extractor(window)
            frames = max(2, int(seconds * _FRAMES_PER_S) // 2 * 2)
            mel = mel[:, :frames]
            wide = ((0, 0), (0, frames - mel.shape[1] + round(pad_s * _FRAMES_PER_S)))
            mel = np.pad(mel, wide, constant_values=float(mel.min()))
            encoded = model.encode(ctranslate2.StorageView.from_array(np.ascontiguousarray(mel[None])))
            known = [*before] or self._hint
            history = [self._before, *known] if known else []
            fixed = [token for piece in given for token in piece.tokens]
            prompt = [*history, *self._start, self._plain, *fixed]
            new_s = seconds - (given[-1].t1 if given else 0.0)
            most = len(fixed) + int(_MOST_TOKENS_PER_S * max(0.0, new_s)) + 8
            result = model.generate(
                encoded,
                [prompt],
                beam_size=beam,
                num_hypotheses=beam,
                max_length=min(440, 2 * most + len(history)),  # CTranslate2 halves it
                return_scores=True,
                return_no_speech_prob=True,
            )[0]
            new, *rest = (self._new(ids, fixed) for ids in result.sequences_ids)
            guess = result.scores[0] < _UNSURE_LOG_PROB or result.no_speech_prob > _NO_SPEECH
            if guess and not given:
                return Hypothesis((), True)
            pieces = self._pieces(encoded, [*fixed, *(() if guess else new)], frames, seconds)
        if len(given) <= len(pieces):
            # The same tokens, but the words that are certain keep their times.
            pieces = (*given, *_later(pieces[len(given) :], given[-1].t1 if given else 0.0, seconds))
        kept = _unlooped(pieces, len(given), seconds)
        text = _plain(" ".join(piece.text for piece in kept))
        others = () if guess else self._others(text, fixed, rest)
        return Hypothesis(kept, guess or len(kept) < len(pieces), others, text in self._lines)

    def _new(self, ids: Sequence[int], fixed: list[int]) -> list[int]:
        """The tokens after those that were given, which the answer repeats."""
        said = [token for token in ids if token < self._end]
        return said[len(fixed) :] if said[: len(fixed)] == fixed else said

    def _others(self, text: str, fixed: list[int], rest: list[list[int]]) -> tuple[str, ...]:
        """The less probable hypotheses in words, each once, without loops and without echoes of the hint."""
        decode = self._model.hf_tokenizer.decode
        found = (" ".join(before_loop(decode([*fixed, *new])).split()) for new in rest)
        seen = {"", text, *self._lines}
        others = []
        for each in found:
            plain = _plain(each)
            if plain not in seen:
                seen.add(plain)
                others.append(each)
        return tuple(others)

    def _pieces(self, encoded: object, tokens: list[int], frames: int, seconds: float) -> tuple[Piece, ...]:
        groups = self._groups(tokens)
        if not groups:
            return ()
        aligned = self._model.model.align(encoded, self._start, [tokens], frames)[0]
        starts = np.full(len(tokens) + 1, np.nan)
        for token, step in reversed(aligned.alignments):
            starts[min(token, len(tokens))] = step * _TOKEN_S
        starts[-1] = seconds if np.isnan(starts[-1]) else starts[-1]
        known = np.flatnonzero(~np.isnan(starts))
        starts = np.interp(np.arange(len(starts)), known, starts[known])
        pieces, at = [], 0
        for text, group in groups:
            end = at + len(group)
            prob = float(np.mean(aligned.text_token_probs[at:end] or [0.0]))
            t0, t1 = (min(seconds, float(starts[k])) for k in (at, end))
            pieces.append(Piece(text, tuple(group), t0, max(t0, t1), min(1.0, max(0.0, prob))))
            at = end
        return tuple(pieces)

    def _groups(self, tokens: list[int]) -> list[tuple[str, list[int]]]:
        """Whole words: each begins with a space or, in scripts without spaces, with any whole character."""
        groups: list[tuple[str, list[int]]] = []
        pending: list[int] = []
        for token in tokens:
            pending = [*pending, token]
            text = self._model.hf_tokenizer.decode(pending)
            if "\ufffd" in text:
                continue
            begins = not groups or text[:1].isspace() or (_unspaced(text) and text.strip(_CLOSING))
            if begins and text.strip():
                groups.append((text.strip(), pending))
            elif groups:
                last, ids = groups[-1]
                groups[-1] = (last + text.strip(), ids + pending)
            else:
                continue
            pending = []
        return groups


def _plain(text: str) -> str:
    """Words in lower case, numbers as digits: Whisper writes "ten" or "10" as it pleases."""
    digits: str = alpha2digit(" ".join(words_of(text)), "en", 0)
    return digits


def _unspaced(text: str) -> bool:
    """Whether it is written in Chinese or Japanese characters, or in Thai, Lao, Burmese or Khmer."""
    return any(
        "\u0e00" <= c <= "\u0eff"
        or "\u1000" <= c <= "\u109f"
        or "\u1780" <= c <= "\u17ff"
        or "\u3040" <= c <= "\u9fff"
        for c in text
    )


def _later(pieces: Sequence[Piece], earliest: float, latest: float) -> list[Piece]:
    """With times that never go back behind ``earliest``."""
    out, at = [], earliest
    for piece in pieces:
        t0 = min(latest, max(at, piece.t0))
        at = min(latest, max(t0, piece.t1))
        out.append(Piece(piece.text, piece.tokens, t0, at, piece.prob))
    return out


def _unlooped(pieces: tuple[Piece, ...], certain: int, seconds: float) -> tuple[Piece, ...]:
    """What came before a loop, no more words than anybody can say, and never less than the certain."""
    text = " ".join(piece.text for piece in pieces)
    kept = len(before_loop(text).split()) if len(text.split()) == len(pieces) else len(pieces)
    kept = min(kept, int(_MOST_WORDS_PER_S * seconds) + 2)
    cut = pieces[: max(certain, kept)]
    return cut if any(words_of(piece.text) for piece in cut) else cut[:certain]
