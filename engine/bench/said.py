"""What the assistant said in a session, and when: words that began, and stretches of sound.

Used while a case runs, to know when the answer began, and afterwards, to measure it.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.assembler import turn_start
from engine.config import OUTPUT_HZ
from engine.decisions import CONTROL_TOKENS, RELAY
from engine.events import TurnRecord
from engine.types import Samples

AUDIBLE = 1e-3  # -60 dBFS, above what a fade or a synthesiser's noise floor leaves
JOIN_S = 0.4  # shorter silences belong to the speech around them: pauses between sentences are 0.3 s
LONGEST_NOD_S = 1.0  # Full-Duplex-Bench v1: a backchannel is shorter than 1 s
BLOCK = OUTPUT_HZ // 100
_ONSET_SILENCE = round(0.06 * OUTPUT_HZ)


@dataclass(frozen=True)
class Word:
    """``text`` began in the sound handed to the loudspeaker at ``t``, which ends by ``t1`` (seconds).

    ``own``: a phrase of the engine's own; otherwise a word of a background answer.
    """

    text: str
    t: float
    t1: float
    own: bool


@dataclass(frozen=True)
class Stretch:
    """Sound from ``start`` to ``end`` without a silence of ``JOIN_S``. ``nod``: a backchannel."""

    start: float
    end: float
    nod: bool


def decided_at(turn: TurnRecord) -> float:
    """Session second at which a micro-turn's decision was carried out."""
    return turn_start(turn.i + 1) + (turn.lag_ms + turn.compute_ms) / 1000


class WordLog:
    """Tells the words that begin turn by turn, and whose they are.

    A record names the words that begin in the sound made for it, not their owner:
    phrases come out in the order in which they were decided, and all else is relayed.
    """

    def __init__(self) -> None:
        self._own: deque[str] = deque()
        self._last_own = ""
        self._relayed = False

    def add(self, turn: TurnRecord) -> list[Word]:
        """The words that began in this micro-turn's sound; micro-turns in order."""
        if turn.decision == "yield":
            self._own.clear()
        elif turn.decision != "listen":
            if turn.say == RELAY:
                self._relayed = True
            elif turn.say not in CONTROL_TOKENS:
                self._own.extend(turn.say.split())
        t = decided_at(turn)
        end = t + turn.generated_ms / 1000
        return [Word(text, t, end, self._is_own(text)) for text in turn.text_out.split()]

    def _is_own(self, text: str) -> bool:
        if self._own and text == self._own[0]:
            self._last_own = self._own.popleft()
            return True
        # After a pause the voice begins again with the word that was cut off.
        own = not self._relayed or text == self._last_own
        self._last_own = text if own else ""
        return own


def words(turns: Iterable[TurnRecord]) -> list[Word]:
    """All words of a session that began, in order."""
    log = WordLog()
    return [word for turn in turns for word in log.add(turn)]


def onset(track: Samples, word: Word, horizon: float) -> float | None:
    """Second at which a word's phrase is first heard, to the sample.

    ``track``: the loudspeaker at 24 kHz from session second 0, final up to ``horizon``.
    Sound after 60 ms of silence counts; where the word follows others without
    one, the first sound does. None while neither is certain.
    """
    first = max(0, round(word.t * OUTPUT_HZ))
    last = round(word.t1 * OUTPUT_HZ) + OUTPUT_HZ // 5
    known = min(last, round(horizon * OUTPUT_HZ), len(track))
    begin = max(0, first - _ONSET_SILENCE)
    loud = np.flatnonzero(np.abs(track[begin:known]) > AUDIBLE) + begin
    gaps = np.diff(loud, prepend=begin - _ONSET_SILENCE)
    fresh = loud[(gaps >= _ONSET_SILENCE) & (loud >= first)]
    if len(fresh):
        return float(fresh[0]) / OUTPUT_HZ
    inside = loud[loud >= first]
    if known < last and known < len(track):
        return None
    return float(inside[0]) / OUTPUT_HZ if len(inside) else None


def answer_onset(heard: Samples, said: Sequence[Word], after: float = 0.0) -> float | None:
    """When the first word of an answer handed to the loudspeaker after ``after`` was heard."""
    for word in said:
        if not word.own and word.t >= after:
            found = onset(heard, word, len(heard) / OUTPUT_HZ)
            if found is not None:
                return found
    return None


def loud_blocks(heard: Samples) -> NDArray[np.bool_]:
    """Whether each 10 ms of 24 kHz sound is audible."""
    blocks = heard[: len(heard) // BLOCK * BLOCK].reshape(-1, BLOCK)
    loud: NDArray[np.bool_] = np.abs(blocks).max(axis=1, initial=0.0) > AUDIBLE
    return loud


def stretches(heard: Samples, turns: Sequence[TurnRecord]) -> list[Stretch]:
    """What was heard, in order; a backchannel followed by an answer is two stretches.

    Sound belongs to the last micro-turn that made some before it was heard. A
    backchannel longer than ``LONGEST_NOD_S`` counts as speech.
    """
    made = [turn for turn in turns if turn.generated_ms > 0]
    at = np.array([decided_at(turn) for turn in made])
    nods = np.array([turn.decision == "backchannel" for turn in made])
    found: list[Stretch] = []
    blocks = np.flatnonzero(loud_blocks(heard))
    owners = np.searchsorted(at, (blocks + 1) * BLOCK / OUTPUT_HZ, side="right") - 1
    for block, owner in zip(blocks.tolist(), owners.tolist(), strict=True):
        nod = bool(owner >= 0 and nods[owner])
        start, end = block * BLOCK / OUTPUT_HZ, (block + 1) * BLOCK / OUTPUT_HZ
        if found and found[-1].nod == nod and start - found[-1].end < JOIN_S:
            found[-1] = Stretch(found[-1].start, end, nod)
        else:
            first = int(np.argmax(np.abs(heard[block * BLOCK : (block + 1) * BLOCK]) > AUDIBLE))
            found.append(Stretch(start + first / OUTPUT_HZ, end, nod))
    return [Stretch(s.start, s.end, s.nod and s.end - s.start <= LONGEST_NOD_S) for s in found]


def in_order(wanted: Sequence[str], said: Sequence[str]) -> float:
    """Share of ``wanted`` that occurs in ``said`` in the same order (longest common subsequence)."""
    if not wanted:
        return 0.0
    row = np.zeros(len(said) + 1, np.int64)
    for word in wanted:
        same = np.array([word == other for other in said], bool)
        grown = np.maximum(row[1:], np.where(same, row[:-1] + 1, 0))
        row[1:] = np.maximum.accumulate(grown)
    return int(row[-1]) / len(wanted)
