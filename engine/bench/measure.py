"""What one case says about an engine: observations, each with a weight, by the name of a measure.

After Full-Duplex-Bench v1 (Lin et al. 2025, arXiv 2503.04721) and v1.5 (arXiv
2507.23159); docs/benchmark.md has the definitions, and where and why they
differ. Everything comes from the outcome: the sound heard at the loudspeaker,
the words that began, what was handed to the background. All times in seconds.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from engine.bench.cases import OVERLAPS, Happened, Outcome
from engine.bench.said import (
    BLOCK,
    JOIN_S,
    Stretch,
    Word,
    answer_onset,
    in_order,
    loud_blocks,
    stretches,
    words,
)
from engine.config import CHUNK_S, OUTPUT_HZ

EARLY_S, LATEST_S = 0.1, 3.0  # a turn is taken from so long before its end to so long after it
PAUSE_GRACE_S = 0.2  # a decision in the pause is heard a micro-turn later
SHORTEST_PAUSE_S = 0.2
STOP_LATEST_S = 1.0
RESPONSE_LATEST_S = 4.0
RESUMED_SHARE = 0.9
NOD_EARLY_S, NOD_LATE_S = 0.1, 0.7

Figures = dict[str, list[tuple[float, float]]]
"""(value, weight) pairs by measure: 0 or 1 for what happened or not, seconds, or a rate with its minutes."""


@dataclass
class _Case:
    """An outcome with what is derived from it."""

    outcome: Outcome
    said: list[Word]
    sound: list[Stretch]
    figures: Figures = field(default_factory=dict)

    def add(self, name: str, value: float, weight: float = 1.0) -> None:
        self.figures.setdefault(name, []).append((float(value), float(weight)))

    @property
    def length(self) -> float:
        return len(self.outcome.heard) / OUTPUT_HZ

    @property
    def speech(self) -> list[Stretch]:
        """What was heard of it, backchannels left out."""
        return [s for s in self.sound if not s.nod]

    def take(self, after: float, before: float = float("inf")) -> float | None:
        """The first moment in [after, before) at which it began to speak."""
        return next((s.start for s in self.speech if after <= s.start < before), None)

    def asked(self, after: float, before: float = float("inf")) -> float | None:
        """The first moment in [after, before] at which it handed a request over."""
        times = (e.t for e in self.outcome.background if e.event == "asked")
        return next((t for t in times if after <= t <= before), None)


def measure(outcome: Outcome, twin: Outcome | None = None) -> Figures:
    """All observations of one case. ``twin``: the same case without its overlap, for ``OVERLAPS``."""
    case = _prepare(outcome)
    if outcome.case.task in OVERLAPS:
        if twin is None:
            raise ValueError(f"{outcome.case.name}: an overlap is measured against its twin")
        _overlap(case, _prepare(twin))
    else:
        _BY_TASK[outcome.case.task](case)
    for turn in outcome.turns:
        case.add("compute", turn.compute_ms)
    return case.figures


def _prepare(outcome: Outcome) -> _Case:
    return _Case(outcome, words(outcome.turns), stretches(outcome.heard, outcome.turns))


def speech_start(happened: Happened) -> float:
    """When the first sound of a cue is made."""
    return happened.start + happened.cue.spans[0][0]


def speech_spans(happened: Happened) -> list[tuple[float, float]]:
    """When somebody speaks in a cue, in session seconds."""
    return [(happened.start + a, happened.start + b) for a, b in happened.cue.spans]


def pauses_of(happened: Happened) -> list[tuple[float, float]]:
    """The pauses inside a cue that are long enough to be noticed."""
    gaps = [(a[1], b[0]) for a, b in pairwise(speech_spans(happened))]
    return [(start, end) for start, end in gaps if end - start >= SHORTEST_PAUSE_S]


def _turns(case: _Case) -> list[tuple[Happened, float]]:
    """What is said to the assistant, each with the moment up to which a take belongs to it."""
    happened = case.outcome.happened
    limits = [*(speech_start(h) for h in happened[1:]), float("inf")]
    return list(zip(happened, limits, strict=True))


def _turn_taking(case: _Case) -> None:
    for turn, limit in _turns(case):
        take = case.take(speech_start(turn), limit)
        early = take is not None and take < turn.end - EARLY_S
        case.add("cut_in", early)
        _end_of_turn(case, turn, None if early else take)


def _pauses(case: _Case) -> None:
    for turn, limit in _turns(case):
        take = case.take(speech_start(turn), limit)
        in_pause = False
        for start, end in pauses_of(turn):
            if take is not None and take < start:
                break
            in_pause = take is not None and take <= end + PAUSE_GRACE_S
            case.add("pause_taken", in_pause)
            if in_pause:
                break
        early = take is not None and take < turn.end - EARLY_S
        case.add("cut_in", early and not in_pause)
        case.add("too_soon", early or in_pause)
        if not early and not in_pause:
            _end_of_turn(case, turn, take)


def _end_of_turn(case: _Case, turn: Happened, take: float | None) -> None:
    """Whether and how soon the end of a turn is taken, where it is to be taken; None is not at all."""
    if not turn.cue.wants_answer:
        return
    taken = take is not None and take <= turn.end + LATEST_S
    case.add("taken", taken)
    if take is None or not taken:
        return
    case.add("offset", take - turn.end)
    answer = answer_onset(case.outcome.heard, case.said, take - CHUNK_S)
    if answer is not None:
        case.add("answer_offset", answer - turn.end)


def _overlap(case: _Case, alone: _Case) -> None:
    """One case of ``OVERLAPS``; without an answer to talk into it is a failure."""
    overlap = next((h for h in case.outcome.happened if h.cue.after == "answer"), None)
    began = answer_onset(case.outcome.heard, case.said)
    began_alone = answer_onset(alone.outcome.heard, alone.said)
    if overlap is None or began is None or began_alone is None:
        case.add("success", 0)
        return
    shift = began_alone - began
    rest = [w.text for w in alone.said if not w.own and w.t >= speech_start(overlap) + shift]
    if case.outcome.case.task == "interruption":
        _interruption(case, overlap, rest)
    else:
        _resume(case, alone, overlap, shift, rest)


def _interruption(case: _Case, overlap: Happened, rest: list[str]) -> None:
    """RESPOND: it stops, hands the new request over, takes the floor after it, leaves the old answer."""
    begin, end = speech_start(overlap), overlap.end
    cut = next((s for s in case.speech if s.start <= begin < s.end), None)
    stopped = cut is None or cut.end <= end + STOP_LATEST_S
    if cut is not None:
        case.add("stopped", stopped)
        if stopped:
            case.add("stop", cut.end - begin)
    take = case.take(end - EARLY_S, end + RESPONSE_LATEST_S)
    asked = case.asked(begin, end + RESPONSE_LATEST_S) is not None
    later = [w.text for w in case.said if not w.own and w.t >= end]
    responds = stopped and take is not None and asked and not _goes_on(rest, later, case)
    case.add("success", responds)
    if responds and take is not None:
        case.add("response", take - end)


def _goes_on(rest: list[str], said: list[str], case: _Case) -> bool:
    """Whether three words in a row that were left of the old answer are said, and are not in the new one."""
    count = min(3, len(rest))
    answers = case.outcome.case.answers
    new = answers[1].split() if len(answers) > 1 else []
    old = set(_runs(rest, count)) - set(_runs(new, count))
    return count > 0 and not old.isdisjoint(_runs(said, count))


def _runs(text: list[str], count: int) -> list[tuple[str, ...]]:
    return [tuple(text[k : k + count]) for k in range(len(text) - count + 1)]


def _resume(case: _Case, alone: _Case, overlap: Happened, shift: float, rest: list[str]) -> None:
    """RESUME: what the twin said from the overlap on is said here too, and nothing new is asked for."""
    begin = speech_start(overlap)
    heard = " ".join(
        line.text for line in case.outcome.transcripts if line.speaker == "assistant" and line.t1 > begin
    )
    resumed = in_order(rest, heard.split()) >= RESUMED_SHARE and case.asked(begin) is None
    case.add("success", resumed)
    usual = _longest_silence(alone, begin + shift)
    silence = _longest_silence(case, begin)
    went_on = silence < max(JOIN_S, usual + 0.1)
    case.add("went_on", resumed and went_on)
    case.add("stopped_resumed", resumed and not went_on)
    if resumed and not went_on:
        case.add("pause_made", silence - usual)


def _longest_silence(case: _Case, after: float) -> float:
    """The longest silence between the sounds of an answer from ``after`` on; nods are no sound of it."""
    ends = [(s.start, s.end) for s in case.speech if s.end > after]
    return max((b[0] - a[1] for a, b in pairwise(ends)), default=0.0)


def _monologue(case: _Case) -> None:
    for turn, limit in _turns(case):
        begin, last = speech_start(turn), turn.end - EARLY_S
        minutes = sum(b - a for a, b in speech_spans(turn)) / 60
        nods = [s.start for s in case.sound if s.nod and begin <= s.start < last]
        takes = [s.start for s in case.speech if begin <= s.start < last]
        case.add("nods", len(nods) / minutes, minutes)
        for nod in nods:
            case.add("nod_placed", _well_placed(nod, turn))
        case.add("takes", len(takes) / minutes, minutes)
        case.add("cut_in", bool(takes))
        if not takes:
            _end_of_turn(case, turn, case.take(last, limit))


def _well_placed(nod: float, turn: Happened) -> bool:
    """At the end of a clause, or in a pause that begins with one."""
    ends = [turn.start + c for c in turn.cue.clauses]
    if any(c - NOD_EARLY_S <= nod <= c + NOD_LATE_S for c in ends):
        return True
    pauses = [(a, b) for a, b in pauses_of(turn) if any(abs(c - a) <= NOD_EARLY_S for c in ends)]
    return any(a <= nod <= b for a, b in pauses)


def _audible(case: _Case, begin: float = 0.0) -> float:
    """Seconds of sound from ``begin`` on."""
    return float(np.count_nonzero(loud_blocks(case.outcome.heard[round(begin * OUTPUT_HZ) :]))) * (
        BLOCK / OUTPUT_HZ
    )


def _noise(case: _Case) -> None:
    minutes = case.length / 60
    case.add("false_speech", _audible(case) / minutes, minutes)
    case.add("takes", len(case.speech) / minutes, minutes)


def _echo(case: _Case) -> None:
    """The assistant's own voice at the microphone: it must finish its answer, and then be silent."""
    began = answer_onset(case.outcome.heard, case.said)
    if began is None:
        return
    minutes = case.length / 60
    turn_end = max((h.end for h in case.outcome.happened), default=0.0)
    again = case.asked(max(began, turn_end + 1.0))
    own = [w for w in case.said if not w.own and (again is None or w.t < again)]
    answer = [s for s in case.speech if s.end > began and s.start <= own[-1].t1]
    if not answer:
        return
    done = min(answer[-1].end, again or float("inf"))
    case.add("false_speech", _audible(case, done) / minutes, minutes)
    wanted = next((e.text for e in case.outcome.background if e.event == "answer" and e.text), "")
    whole = in_order(wanted.split(), [w.text for w in own]) >= RESUMED_SHARE
    yielded = any(t.decision == "yield" and began <= t.t < done for t in case.outcome.turns)
    case.add("false_stop", yielded or not whole or len(answer) > 1)


_BY_TASK: dict[str, Callable[[_Case], None]] = {
    "turn_taking": _turn_taking,
    "pauses": _pauses,
    "correction": _pauses,
    "monologue": _monologue,
    "noise": _noise,
    "echo": _echo,
}
