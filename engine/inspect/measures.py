"""What a session was like, in figures: turn-taking, barge-ins, backchannels, compute time."""

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np

from engine.config import CHUNK_S, INPUT_HZ
from engine.decisions import DECISION_INDEX
from engine.events import TextIn
from engine.inspect.speech import Segments, heard_segments, user_segments
from engine.recorder.columns import TurnColumns, turn_columns
from engine.recorder.reader import RecordedSession

_LOOK_BACK = 5  # micro-turns; speech is heard at most so much later than it was decided
_ANSWER_S = 10.0  # later than so long after the user's last word it is no answer to it
_EDGE_S = 0.1  # the user's speech must overlap the assistant's by so much to be a barge-in


@dataclass(frozen=True)
class TakeOver:
    """The assistant begins to be heard. ``offset`` is the time since the user's last word; negative when
    the user was still speaking (the floor-transfer offset); None when nobody had spoken, or when something
    was typed since."""

    t: float
    offset: float | None
    decision: str


@dataclass(frozen=True)
class BargeIn:
    """The user begins to speak while the assistant is heard. ``stop_s``: how much longer it was heard
    when it yielded; None when it talked on."""

    t: float
    stop_s: float | None


@dataclass(frozen=True)
class Measures:
    """``precise``: times are from the audio, to 10 ms; otherwise from the turns, to 0.2 s."""

    user: Segments
    heard: Segments
    precise: bool
    both_s: float
    take_overs: tuple[TakeOver, ...]
    barge_ins: tuple[BargeIn, ...]
    backchannels: tuple[tuple[float, str], ...]
    columns: TurnColumns
    lost_input_s: float


def measure(session: RecordedSession) -> Measures:
    """Measure a session that has at least one micro-turn. Reads its audio: 2 s for 2 hours."""
    columns = turn_columns(session.turns)
    user, user_precise = user_segments(session, columns)
    heard, heard_precise = heard_segments(session, columns)
    decided = [_decision_behind(columns, t0) for t0, _ in heard]
    speech = tuple(s for s, decision in zip(heard, decided, strict=True) if decision != "backchannel")
    kinds = [decision for decision in decided if decision != "backchannel"]
    return Measures(
        user=user,
        heard=heard,
        precise=user_precise and heard_precise,
        both_s=_overlap(user, heard),
        take_overs=_take_overs(columns, user, speech, kinds, _typed(session)),
        barge_ins=tuple(_barge_ins(columns, user, speech)),
        backchannels=_backchannels(session),
        columns=columns,
        lost_input_s=sum(t.gap_samples for t in session.turns) / INPUT_HZ,
    )


def _decision_behind(columns: TurnColumns, onset: float) -> str:
    """The decision that made what begins to be heard at ``onset``."""
    last = int(np.searchsorted(columns.t, onset - CHUNK_S + 0.02, side="right")) - 1
    for n in range(last, max(-1, last - _LOOK_BACK), -1):
        for name in ("speak", "interrupt", "backchannel"):
            if columns.decision[n] == DECISION_INDEX[name]:
                return name
    return "speak"


def _take_overs(
    columns: TurnColumns, user: Segments, speech: Segments, kinds: list[str], typed: list[float]
) -> tuple[TakeOver, ...]:
    found: list[TakeOver] = []
    starts = [start for start, _ in user]
    begun, ended = float("-inf"), float("-inf")  # what the assistant said before
    for (onset, end), decision in zip(speech, kinds, strict=True):
        count = bisect_left(starts, onset)
        said = user[count - 1] if count else None
        written = bisect_left(typed, onset)
        if said is None or onset - said[1] > _ANSWER_S or (written and typed[written - 1] > said[1]):
            found.append(TakeOver(onset, None, decision))
        elif said[1] > begun and not _talked_through(columns, said, (begun, ended), onset):
            found.append(TakeOver(onset, onset - said[1], decision))
        begun, ended = onset, end
    return tuple(found)


def _typed(session: RecordedSession) -> list[float]:
    """When something was typed."""
    return sorted(event.t for event in session.events if isinstance(event, TextIn))


def _talked_through(
    columns: TurnColumns, user: tuple[float, float], speech: tuple[float, float], onset: float
) -> bool:
    """Whether the user only spoke while the assistant did ("mm-hm"), and the assistant kept the floor."""
    if not speech[0] < user[0] <= user[1] < speech[1]:
        return False
    return not _yields_between(columns, user[0], onset)


def _yields_between(columns: TurnColumns, t0: float, t1: float) -> bool:
    """Whether the floor was given up by a decision that could be heard after ``t0``, up to ``t1``."""
    yields = columns.t[columns.decision == DECISION_INDEX["yield"]] + CHUNK_S
    return bool(((yields > t0) & (yields <= t1)).any())


def _barge_ins(columns: TurnColumns, user: Segments, speech: Segments) -> list[BargeIn]:
    found = []
    starts = [start for start, _ in speech]
    for begin, _ in user:
        count = bisect_left(starts, begin - _EDGE_S)
        heard_end = speech[count - 1][1] if count else 0.0
        if begin < heard_end - _EDGE_S:
            gave_way = _yields_between(columns, begin, heard_end + CHUNK_S)
            found.append(BargeIn(begin, heard_end - begin if gave_way else None))
    return found


def _backchannels(session: RecordedSession) -> tuple[tuple[float, str], ...]:
    turns = [t for t in session.turns if t.decision == "backchannel"]
    return tuple((CHUNK_S * (t.i + 1), t.text_out) for t in turns if t.text_out or t.generated_ms)


def _overlap(first: Segments, second: Segments) -> float:
    total, k = 0.0, 0
    for a, b in first:
        while k < len(second) and second[k][1] <= a:
            k += 1
        n = k
        while n < len(second) and second[n][0] < b:
            total += max(0.0, min(b, second[n][1]) - max(a, second[n][0]))
            n += 1
    return total
