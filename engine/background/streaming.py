"""Speech to text while somebody still speaks: words grow, settle in a pause, and close after a longer one.

While somebody speaks, the utterance is recognised again every few hundred milliseconds. Words in which two
successive hypotheses agree are certain (LocalAgreement-2: Macháček, Dabre and Bojar 2023, "Turning Whisper
into Real-Time Transcription System", arXiv 2307.14743). Unlike there, certain words are given to the decoder
as the beginning of its answer, so that they never change and cost next to nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Protocol

import numpy as np

from engine.background.activity import Activity, safe
from engine.background.recognise import HZ, words_of
from engine.background.transcribe import Hypothesis, Piece
from engine.types import Samples

STEP = 3_200  # samples judged at a time
_LEAD_S = 0.25  # audio before the onset that belongs to the utterance
_TAIL_S = 0.3  # silence after the last speech that is worth decoding
_KEPT_S = 0.6  # audio kept while nobody speaks
_JUMP_S = 0.05  # what is a gap in the chunks' times
_FILLED_S = 1.0  # a longer gap ends the utterance
_ANCHORS = 2  # certain words kept in a trimmed window, because word times are not exact
_SENTENCE_ENDS = ".?!。？！"


@dataclass(frozen=True)
class Word:
    """One word as Whisper wrote it, with case and punctuation; session seconds; probability in [0, 1]."""

    text: str
    t0: float
    t1: float
    prob: float


@dataclass(frozen=True)
class Heard:
    """What is known of one utterance.

    ``utterance`` counts the session's utterances in which words were recognised, from 0. ``revision`` grows
    whenever the text changes. ``words`` are all words so far, of which the first ``stable`` never change.
    ``settled``: nobody has spoken since, the text covers all that was said. ``closed``: the utterance is
    over. Audio up to session second ``until`` is covered. ``others``: what a text that settled may also
    say, the more probable first. ``again`` listens once more, as if no word were certain, in any thread and
    in some 0.1 s: what it may say then.
    """

    utterance: int
    revision: int
    words: tuple[Word, ...]
    stable: int
    settled: bool
    closed: bool
    until: float
    others: tuple[str, ...] = ()
    again: Callable[[], tuple[str, ...]] | None = field(default=None, repr=False, compare=False)

    @property
    def text(self) -> str:
        """The words with spaces between them."""
        return " ".join(word.text for word in self.words)


@dataclass(frozen=True)
class Listening:
    """How a Listener works, in seconds unless said otherwise.

    ``every_s``: new audio between two hypotheses. ``settle_s``: silence after which the text is settled,
    ``close_s``: after which the utterance is over. ``pad_s``: silence behind the window, ``sure_pad_s``: when
    a text that settles was doubtful. Texts that settle are decoded with ``sure_beam`` beams, and with
    ``again_beam`` when they are listened to once more. ``guard_s``: words that end later than so long before
    the window's end are not certain yet. A window longer than ``trim_s`` loses its certain words, of which
    the last ``history`` tokens stay as the prompt. An utterance is closed after ``longest_s``.
    """

    every_s: float = 0.4
    settle_s: float = 0.03
    close_s: float = 0.9
    pad_s: float = 6.0
    sure_pad_s: float = 10.0
    sure_beam: int = 5
    again_beam: int = 10
    guard_s: float = 0.4
    trim_s: float = 12.0
    history: int = 0
    longest_s: float = 120.0


class Transcribing(Protocol):
    """What a Listener needs of a ``Transcriber``."""

    def transcribe(
        self,
        window: Samples,
        given: Sequence[Piece] = ...,
        before: Sequence[int] = ...,
        pad_s: float = ...,
        beam: int = ...,
    ) -> Hypothesis: ...


class Listener:
    """Follows one stream of 16 kHz mono audio. All calls from one thread; never raises for odd audio.

    Raises:
        JobError: the speech detector is missing.
    """

    def __init__(self, transcriber: Transcribing, settings: Listening | None = None) -> None:
        self._transcriber = transcriber
        self._settings = settings or Listening()
        self._activity = Activity()
        self._number = -1
        self._reset(0.0)

    def hear(self, t: float, samples: Samples, behind: bool = False) -> Heard | None:
        """Take audio (n,), 3,200 samples as a rule, that begins at session second ``t``.

        ``behind``: more audio waits already, so hypotheses that are not final are left out. Returns the new
        state when text, stability, settled or closed changed. Takes 1.5 ms in silence, and 0.03 to 0.15 s
        when a hypothesis is due.
        """
        samples = safe(samples)
        change = self._align_clock(t)
        for start in range(0, len(samples), STEP):
            change = self._step(samples[start : start + STEP], behind) or change
        return change

    def finish(self, t: float) -> Heard | None:
        """Settle now, as a request is handed over at session second ``t``: decode the rest, commit all words.

        The state of the open utterance, changed or not; None when there is none, or nothing was recognised.
        """
        del t  # all that was heard counts, and no more is there
        if not self._activity.speaking:
            return None
        if self._activity.last > self._decoded or (
            self._activity.silent < self._silence and self._activity.heard > self._decoded
        ):
            self._decode(whole=True)
        self._settled = True
        self._certain = len(self._pieces)
        return self._state(closed=False) or self._told

    def close(self) -> Heard | None:
        """The utterance is over; what is said from now on is a new one. None when none was open."""
        if not self._activity.speaking:
            return None
        self._settled = True
        self._certain = len(self._pieces)
        told = self._state(closed=True)
        self._activity.rest()
        self._floor = self._activity.heard
        self._forget()
        return told

    @property
    def _silence(self) -> int:
        return round(self._settings.settle_s * HZ)

    def _reset(self, t: float) -> None:
        """A new stream from session second ``t`` on."""
        self._origin = t
        self._activity.reset()
        self._audio: Samples = np.zeros(0, np.float32)
        self._audio_at = 0  # the stream's sample at which ``_audio`` begins
        self._floor = 0  # what lies before it belongs to a closed utterance
        self._forget()

    def _forget(self) -> None:
        """No utterance is open."""
        self._past: tuple[Word, ...] = ()
        self._history: tuple[int, ...] = ()
        self._pieces: tuple[Piece, ...] = ()  # times are relative to ``_audio``
        self._others: tuple[str, ...] = ()
        self._again: Callable[[], tuple[str, ...]] | None = None
        self._certain = 0
        self._decoded: int = 0  # the stream's sample up to which it was decoded
        self._began = 0
        self._settled = False
        self._told: Heard | None = None

    def _align_clock(self, t: float) -> Heard | None:
        """Fill a gap before ``t`` with silence; after a long one, or a jump back, begin anew."""
        if not np.isfinite(t):
            return None
        missing = t - self._time(self._activity.heard)
        if abs(missing) <= _JUMP_S:
            return None
        if 0 < missing <= _FILLED_S:
            return self._step(np.zeros(round(missing * HZ), np.float32), behind=True)
        self.finish(t)
        told = self.close()
        self._reset(t)
        return told

    def _time(self, sample: int) -> float:
        return self._origin + sample / HZ

    def _step(self, samples: Samples, behind: bool) -> Heard | None:
        activity = self._activity
        began = activity.speaking
        activity.push(samples)
        self._audio = np.concatenate([self._audio, samples])
        if not activity.speaking:
            self._drop(max(self._audio_at, activity.heard - round(_KEPT_S * HZ)))
            return None
        if not began:
            first = max(self._floor, activity.spans[0][0] - round(_LEAD_S * HZ))
            self._drop(max(self._audio_at, first))
            self._began = self._decoded = self._audio_at
        if activity.silent >= self._silence:
            if activity.last > self._decoded:
                self._decode(whole=True)
            self._settled = True
            if activity.silent >= self._settings.close_s * HZ:
                return self.close()
        else:
            self._settled = False
            if activity.heard - self._decoded >= self._settings.every_s * HZ and not behind:
                self._decode()
            if activity.heard - self._began >= self._settings.longest_s * HZ:
                self.finish(self._time(activity.heard))
                return self.close()
        return self._state(closed=False)

    def _drop(self, sample: int) -> None:
        """Audio before the stream's sample is no longer needed."""
        self._audio = self._audio[sample - self._audio_at :]
        self._audio_at = sample

    def _decode(self, whole: bool = False) -> None:
        """A new hypothesis about the window; what two share is certain. ``whole``: the text settles."""
        if len(self._audio) > (self._settings.trim_s + 10) * HZ:
            self._cut(len(self._pieces))  # nothing was agreed on for long, or the computer is slow
        end = min(self._activity.heard, self._activity.last + round(_TAIL_S * HZ))
        window = self._audio[: max(0, end - self._audio_at)]
        given = self._pieces[: self._certain]
        beam = self._settings.sure_beam if whole else 1
        found = self._transcriber.transcribe(window, given, self._history, self._settings.pad_s, beam)
        if whole and found.doubtful:
            pad, beam = self._settings.sure_pad_s, self._settings.sure_beam
            found = self._transcriber.transcribe(window, given, self._history, pad, beam)
        self._decoded = self._activity.heard
        latest = len(window) / HZ - self._settings.guard_s
        old, new = self._pieces, found.pieces
        # The last word may go on, or its sentence.
        while (
            not found.doubtful
            and self._certain < min(len(old), len(new) - 1)
            and words_of(old[self._certain].text) == words_of(new[self._certain].text)
            and (new[self._certain].t1 <= latest)
        ):
            self._certain += 1
        self._pieces, self._others = new, found.others
        self._again = self._listening_again(window) if whole else None
        if len(window) > self._settings.trim_s * HZ:
            self._trim()

    def _listening_again(self, window: Samples) -> Callable[[], tuple[str, ...]]:
        past, history = tuple(word.text for word in self._past), self._history
        transcriber, settings = self._transcriber, self._settings

        @cache
        def again() -> tuple[str, ...]:
            found = transcriber.transcribe(window, (), history, settings.pad_s, settings.again_beam)
            best = "" if found.echo else " ".join(piece.text for piece in found.pieces)
            texts = (best, *found.others)
            return tuple(" ".join([*past, text]) for text in texts if text)

        return again

    def _trim(self) -> None:
        """Cut off the certain past, after a sentence if there is one in it."""
        certain = self._pieces[: max(0, self._certain - _ANCHORS)]
        ends = [k + 1 for k, piece in enumerate(certain) if piece.text[-1] in _SENTENCE_ENDS]
        half = 0.3 * self._settings.trim_s
        late = [k for k in ends if certain[k - 1].t1 > half]
        if certain and certain[-1].t1 > half:
            self._cut(late[-1] if late else len(certain))

    def _cut(self, count: int) -> None:
        """The first ``count`` words become the past, and their audio is dropped."""
        gone, rest = self._pieces[:count], self._pieces[count:]
        self._others, self._again = (), None
        self._past += tuple(self._word(piece) for piece in gone)
        at = gone[-1].t1 if gone else len(self._audio) / HZ
        if not rest:
            at = max(at, (self._decoded - self._audio_at) / HZ)
        samples = min(len(self._audio), round(at * HZ))
        if self._settings.history:
            tokens = [*self._history, *(token for piece in gone for token in piece.tokens)]
            self._history = tuple(tokens[-self._settings.history :])
        self._drop(self._audio_at + samples)
        shift = samples / HZ
        self._pieces = tuple(replace(p, t0=max(0.0, p.t0 - shift), t1=max(0.0, p.t1 - shift)) for p in rest)
        self._certain = max(0, self._certain - count)

    def _word(self, piece: Piece) -> Word:
        """In session seconds; a time that falls in a pause moves to where the speech begins or ends."""
        t0, t1 = (self._audio_at + at * HZ for at in (piece.t0, piece.t1))
        spans = self._activity.spans
        t0 = min((max(t0, a) for a, b in spans if b > t0), default=t0)
        t1 = max((min(t1, b) for a, b in spans if a < t1), default=t1)
        return Word(piece.text, self._time(round(t0)), self._time(round(max(t0, t1))), piece.prob)

    def _state(self, closed: bool) -> Heard | None:
        """The state, if it differs from the one told before."""
        words = [*self._past, *(self._word(piece) for piece in self._pieces)]
        for k in range(1, len(words)):
            t0 = max(words[k].t0, words[k - 1].t1)
            words[k] = replace(words[k], t0=t0, t1=max(t0, words[k].t1))
        told = self._told
        if told is None:
            if not words:
                return None
            self._number += 1
        changed = told is None or [w.text for w in words] != [w.text for w in told.words]
        new = Heard(
            self._number,
            (told.revision if told else -1) + changed,
            tuple(words),
            len(self._past) + self._certain,
            self._settled,
            closed,
            self._time(self._activity.heard if self._settled else self._decoded),
            tuple(" ".join([*(w.text for w in self._past), other]) for other in self._others),
            self._again,
        )
        if (
            told
            and not changed
            and (told.stable, told.settled, told.closed) == (new.stable, new.settled, closed)
        ):
            return None
        self._told = new
        return new
