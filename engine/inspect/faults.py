"""What went wrong in a recorded session: the faults it tells of, and those that its micro-turns show."""

import re
from collections.abc import Callable, Iterable, Iterator

from engine.config import CHUNK_MS, CHUNK_S, INPUT_HZ
from engine.events import Fault, TurnRecord
from engine.inspect.finding import Finding, merged
from engine.recorder.reader import RecordedSession

_ONE_EVENT_S = 0.45  # what a step shows and the fault that tells of it lie at most so far apart

_WORDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("recording", (r"\brecord", "the disk", "no longer recorded")),
    ("background", (r"\bbackground", r"\banswers?\b", "embedded model", r"\btools?\b", r'^server "')),
    ("background", ("standing instruction",)),
    ("overrun", (r"\bs behind", "skipped", "too many commands", "too many texts")),
    ("underrun", ("ran dry", "underrun", "too late for the device", "playback ring is full")),
    ("lost audio", ("lost sound", "losing sound", "overruns", r"lost \d+ samples", "damaged audio")),
    ("lost audio", ("samples .*no numbers", "samples .*not numbers", "damaged or cut off")),
    ("device", ("microphone", "loudspeaker", "camera", "sound server", "sound system", "computer slept")),
    ("device", (r"\bdevices?\b", "headphones", "echo cancellation", "did not stop cleanly")),
)
"""In this order: a kind's words may also stand in the faults of those after it."""

_PATTERNS = tuple((kind, re.compile("|".join(words), re.IGNORECASE)) for kind, words in _WORDS)


def faults(session: RecordedSession) -> tuple[Finding, ...]:
    """All faults but echo, which is measured (``echo_leak``). One that several sources tell of is one."""
    found = [
        Finding(e.t, e.t, kind_of(e.what), _line(e.what)) for e in session.events if isinstance(e, Fault)
    ]
    found += _runs(session.turns, "late step", lambda t: t.deadline_missed and not t.skipped, _late)
    found += _runs(session.turns, "overrun", lambda t: t.skipped, _skipped)
    found += _runs(session.turns, "lost audio", lambda t: t.gap_samples > 0, _lost)
    return tuple(sorted(merged(found, _ONE_EVENT_S), key=lambda f: (f.t0, f.t1)))


def kind_of(what: str) -> str:
    """The kind of fault that these words of the engine tell of; ``other`` for words it does not know."""
    return next((kind for kind, pattern in _PATTERNS if pattern.search(what)), "other")


def _line(text: str) -> str:
    return " ".join(text.split())


def _runs(
    turns: Iterable[TurnRecord],
    kind: str,
    wrong: Callable[[TurnRecord], bool],
    told: Callable[[list[TurnRecord]], str],
) -> Iterator[Finding]:
    """One finding for each run of micro-turns that went wrong, over the time they cover."""
    run: list[TurnRecord] = []
    for turn in turns:
        if run and (not wrong(turn) or turn.i != run[-1].i + 1):
            yield Finding(CHUNK_S * run[0].i, CHUNK_S * (run[-1].i + 1), kind, told(run))
            run = []
        if wrong(turn):
            run.append(turn)
    if run:
        yield Finding(CHUNK_S * run[0].i, CHUNK_S * (run[-1].i + 1), kind, told(run))


def _late(run: list[TurnRecord]) -> str:
    worst = max(turn.lag_ms + turn.compute_ms for turn in run)
    if len(run) == 1:
        return f"the step came {worst:.0f} ms after its interval; {CHUNK_MS} ms are allowed"
    return f"{len(run)} steps came up to {worst:.0f} ms after their intervals; {CHUNK_MS} ms are allowed"


def _skipped(run: list[TurnRecord]) -> str:
    count = f"{len(run)} micro-turns" if len(run) > 1 else "1 micro-turn"
    return f"the model was not asked for {count}"


def _lost(run: list[TurnRecord]) -> str:
    lost_ms = 1000 * sum(turn.gap_samples for turn in run) / INPUT_HZ
    return f"{lost_ms:.0f} ms of the microphone's sound were lost"
