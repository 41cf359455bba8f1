"""How a session compares with what is known about its recording: who spoke when, and where turns ended.

A truth file is a JSON list of what the person said, in order:
``{"what": kind, "text": words, "spans": [[t0, t1], ...], "end": t1}``. The spans of one turn have pauses
between them in which it is not over. Kinds: ``backchannel`` wants no answer, ``barge_in`` begins while
the assistant talks and wants one, all others want one.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.errors import InputError
from engine.inspect.measures import Measures

EARLIEST_S, LATEST_S = -0.5, 8.0  # from the end of a turn to the first sound of what counts as its answer


@dataclass(frozen=True)
class Said:
    """One turn of the person, in session seconds."""

    what: str
    text: str
    spans: tuple[tuple[float, float], ...]

    @property
    def start(self) -> float:
        return self.spans[0][0]

    @property
    def end(self) -> float:
        return self.spans[-1][1]


@dataclass(frozen=True)
class Comparison:
    """``answers``: seconds from the end of each turn that wants an answer to its first sound, None without.

    ``taken_pauses``: moments at which the assistant took the floor inside a turn.
    ``stops``: seconds from the start of a barge-in to the assistant's silence; None when it was not speaking.
    """

    answers: tuple[tuple[Said, float | None], ...]
    taken_pauses: tuple[float, ...]
    stops: tuple[float | None, ...]

    @property
    def median_answer_s(self) -> float | None:
        found = [offset for _, offset in self.answers if offset is not None]
        return float(np.median(found)) if found else None


def read_truth(path: Path) -> tuple[Said, ...]:
    """Raises InputError when the file is missing or is no truth file."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        said = tuple(
            Said(str(item["what"]), str(item["text"]), tuple((float(a), float(b)) for a, b in item["spans"]))
            for item in data
        )
    except OSError as err:
        raise InputError(
            f"cannot read {path} ({(err.strerror or str(err)).lower()}): check its name"
        ) from err
    except (ValueError, KeyError, TypeError) as err:
        raise InputError(f"{path} is no truth file: give a JSON list of what was said") from err
    if not all(one.spans for one in said):
        raise InputError(f"{path} is no truth file: something said in it has no time")
    return tuple(sorted(said, key=lambda one: one.start))


def compare(measured: Measures, said: Sequence[Said]) -> Comparison:
    """Hold a measured session against the truth."""
    onsets = [take_over.t for take_over in measured.take_overs]
    answers = []
    starts = [one.start for one in said if one.what != "backchannel"]
    for one in (one for one in said if one.what != "backchannel"):
        latest = min([one.end + LATEST_S, *(start for start in starts if start > one.end)])
        offsets = (t - one.end for t in onsets if one.end + EARLIEST_S <= t < latest)
        answers.append((one, next(offsets, None)))
    taken = [t for one in said for t in onsets if one.start < t < one.end + EARLIEST_S]
    stops = [_stop(measured, one.start) for one in said if one.what == "barge_in"]
    return Comparison(tuple(answers), tuple(taken), tuple(stops))


def _stop(measured: Measures, start: float) -> float | None:
    """How long the assistant was heard on after ``start``."""
    return next((b - start for a, b in measured.heard if a <= start < b), None)
