"""A stretch of a session in figures. Plain Python; belongs to the model's thread."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.inspecting.measured import Measured
from app.inspecting.turns import TurnRows, turn_rows
from app.timeline.columns import COMPUTE_MS, GENERATED_MS, HEARD_MS, MISSED, SKIPPED, TEXT, USER_DB
from app.timeline.found import told_faults
from app.timeline.model import TimelineModel
from app.timeline.time_scale import clock_label
from engine.config import CHUNK_MS, CHUNK_S
from engine.decisions import DECISIONS
from engine.events import Transcript
from engine.inspect.speech import Segments

_SPEECH_DB = -45.0
"""Without measured audio, a micro-turn louder than this counts as the user speaking."""
_NOT_YET = "measured when the recording is opened"


@dataclass(frozen=True)
class Statistics:
    """Figures of ``t0 .. t1``. What only measured audio tells is None without it.

    ``decisions``: (name, micro-turns) of each that occurs. ``offsets``: seconds from the
    user's last sound to the assistant's first, of the take-overs that answered something.
    ``stops``: seconds until the assistant was silent, of the barge-ins it yielded to.
    """

    t0: float
    t1: float
    turns: int
    decisions: tuple[tuple[str, int], ...]
    take_overs: int | None
    offsets: tuple[float, ...]
    barge_ins: int | None
    stops: tuple[float, ...]
    backchannels: int
    user_s: float
    heard_s: float
    both_s: float
    precise: bool
    compute_ms: tuple[float, float, float] | None
    """Median, 99th percentile and greatest, of the micro-turns that were computed."""
    missed: int
    skipped: int
    faults: int
    words_heard: int
    words_said: int


@dataclass(frozen=True)
class Row:
    name: str
    value: str
    alert: bool = False


def statistics(model: TimelineModel, found: Measured | None, t0: float, t1: float) -> Statistics:
    """Figures of session seconds ``t0 .. t1``: of micro-turns that begin in it, and of what lies in it."""
    rows = turn_rows(model, t0, t1)
    here = rows.present
    counts = np.bincount(rows.decision[here], minlength=len(DECISIONS) + 1)
    computed = rows.level[here & ((rows.bits & SKIPPED) == 0), COMPUTE_MS]
    compute = None
    if len(computed):
        p50, p99 = np.percentile(computed, [50, 99])
        compute = (float(p50), float(p99), float(computed.max()))
    talking = _of_audio(found, t0, t1) if found is not None else _of_turns(rows)
    take_overs = [one for one in found.findings.take_overs if t0 <= one.t < t1] if found else []
    barge_ins = [one for one in found.barge_ins if t0 <= one.t < t1] if found else []
    backchannels = (rows.decision == DECISIONS.index("backchannel")) & (
        ((rows.bits & TEXT) != 0) | (rows.level[:, GENERATED_MS] > 0)
    )
    faults = found.findings.faults if found else told_faults(model).items
    return Statistics(
        t0=t0,
        t1=t1,
        turns=int(here.sum()),
        decisions=tuple((name, int(n)) for name, n in zip((*DECISIONS, "other"), counts, strict=True) if n),
        take_overs=len(take_overs) if found else None,
        offsets=tuple(one.offset for one in take_overs if one.offset is not None),
        barge_ins=len(barge_ins) if found else None,
        stops=tuple(one.stop_s for one in barge_ins if one.stop_s is not None),
        backchannels=int((backchannels & here).sum()),
        user_s=talking[0],
        heard_s=talking[1],
        both_s=talking[2],
        precise=found is not None and found.precise,
        compute_ms=compute,
        missed=int(((rows.bits & MISSED) != 0)[here].sum()),
        skipped=int(((rows.bits & SKIPPED) != 0)[here].sum()),
        faults=sum(one.t0 < t1 and max(one.t1, one.t0 + 1e-9) > t0 for one in faults),
        words_heard=sum(_words(one, t0, t1) for one in model.items.user.between(t0, t1)),
        words_said=sum(_words(one, t0, t1) for one in model.items.assistant.between(t0, t1)),
    )


def _of_audio(found: Measured, t0: float, t1: float) -> tuple[float, float, float]:
    user, heard = _within(found.user, t0, t1), _within(found.heard, t0, t1)
    both = sum(sum(b - a for a, b in _within(heard, *one)) for one in user)
    return sum(b - a for a, b in user), sum(b - a for a, b in heard), both


def _within(segments: Segments, t0: float, t1: float) -> Segments:
    return tuple((max(a, t0), min(b, t1)) for a, b in segments if a < t1 and b > t0)


def _of_turns(rows: TurnRows) -> tuple[float, float, float]:
    user = rows.present & (rows.level[:, USER_DB] > _SPEECH_DB)
    heard = np.where(rows.present, rows.level[:, HEARD_MS], 0.0) / 1000
    return float(user.sum() * CHUNK_S), float(heard.sum()), float(heard[user].sum())


def _words(said: Transcript, t0: float, t1: float) -> int:
    """How many words lie in ``t0 .. t1``: by their own times, or spread evenly where those are not known."""
    if said.words:
        return sum(t0 <= (begin + end) / 2 < t1 for _, begin, end in said.words)
    count = len(said.text.split())
    step = (said.t1 - said.t0) / max(count, 1)
    return sum(t0 <= said.t0 + (k + 0.5) * step < t1 for k in range(count))


def table(found: Statistics) -> tuple[Row, ...]:
    """The figures in words, in the order in which they are read."""
    length = found.t1 - found.t0
    span = f"{clock_label(found.t0, 0.1)} – {clock_label(found.t1, 0.1)}"
    rows = [Row("Time", span), Row("Duration", f"{length:.1f} s, {_count(found.turns, 'micro-turn')}")]
    rows += [Row(name, f"{n / found.turns:.0%} ({_count(n, 'micro-turn')})") for name, n in found.decisions]
    rows.append(Row("Take-overs", _NOT_YET if found.take_overs is None else _take_overs(found)))
    rows.append(Row("Barge-ins", _NOT_YET if found.barge_ins is None else _barge_ins(found)))
    rows.append(Row("Backchannels", str(found.backchannels)))
    about = "" if found.precise else " (to 0.2 s)"
    rows.append(Row("You spoke", f"{found.user_s:.1f} s{about}"))
    rows.append(Row("Assistant heard", f"{found.heard_s:.1f} s{about}"))
    rows.append(Row("Both at once", f"{found.both_s:.1f} s{about}"))
    rows.append(Row("Words heard / said", f"{found.words_heard} / {found.words_said}"))
    if found.compute_ms is None:
        rows.append(Row("Compute", "nothing was computed"))
    else:
        p50, p99, most = found.compute_ms
        rows.append(Row("Compute", f"median {p50:.1f}, p99 {p99:.1f}, most {most:.1f} ms of {CHUNK_MS}"))
    rows.append(Row("Missed deadlines", str(found.missed), found.missed > 0))
    if found.skipped:
        rows.append(Row("Model skipped", _count(found.skipped, "micro-turn"), True))
    rows.append(Row("Faults", str(found.faults), found.faults > 0))
    return tuple(rows)


def as_text(title: str, rows: Sequence[Row]) -> str:
    """For the clipboard: a heading, then a name and a value with a tab between them."""
    return "\n".join([title, *(f"{row.name}\t{row.value}" for row in rows)]) + "\n"


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def _take_overs(found: Statistics) -> str:
    if not found.offsets:
        return str(found.take_overs)
    return f"{found.take_overs}, median offset {float(np.median(found.offsets)):+.2f} s"


def _barge_ins(found: Statistics) -> str:
    if not found.barge_ins:
        return "0"
    if not found.stops:
        return f"{found.barge_ins}, all talked through"
    silent = f"silent after {float(np.median(found.stops)):.2f} s (median), {max(found.stops):.2f} s (most)"
    through = found.barge_ins - len(found.stops)
    return f"{found.barge_ins}, {silent}" + (f"; {through} talked through" if through else "")
