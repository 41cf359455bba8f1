"""What the assistant was asked to count, to watch for and to say at a time, told from a session's events.

The ``vision`` lines of a timeline say when an instruction (``engine.standing``) came into force and when it
was taken back; the micro-turns say when it was spoken of. One owner thread.
"""

import json
import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field

from engine.background.tools.saying import sentence, span
from engine.config import CHUNK_S
from engine.decisions import COUNT, CUE, STANDING_TOKENS, TIME
from engine.events import BackgroundEvent, Event, TurnRecord, VisionEvent
from engine.standing import COUNTED, CUES, ELAPSED, Instruction, described, from_detail

MAX_WATCHED = 1_000
MAX_SAID = 4_000
"""Of each instruction; the oldest go first."""
NO_LONGER = "no longer "
NOTHING = "nothing is watched for any more"
_SPOKEN = ("speak", "backchannel", "interrupt")
_VISUAL = {
    described(asked): asked
    for asked in (*(Instruction(COUNT, what) for what in COUNTED), *(Instruction(CUE, what) for what in CUES))
}
_TIMED = re.compile(
    r'says (?:the time|"(?P<words>.*)") (?P<how>every|after) (?P<seconds>\d+(?:\.\d+)?) s', re.DOTALL
)
_NUMBER = re.compile(r"(\d{1,6})\.")
_LATE_S = 1e-6
_TOGETHER_S = 1e-3


@dataclass(frozen=True)
class Saying:
    """Something said of an instruction in the micro-turn that begins at ``t``, in session seconds.

    ``number``: how many have been said with this one.
    """

    t: float
    number: int
    text: str


@dataclass
class Watched:
    """One instruction from ``t0`` to ``t1``, in session seconds; ``t1`` is None while it stands."""

    asked: Instruction
    t0: float
    t1: float | None = None
    said: list[Saying] = field(default_factory=list)

    @property
    def once(self) -> bool:
        """It ends with being said."""
        return self.asked.token == TIME and not self.asked.repeat

    @property
    def number(self) -> int:
        """How often it has been said."""
        return self.said[-1].number if self.said else 0

    def last(self, t: float) -> Saying | None:
        """What had last been said of it at session second ``t``."""
        at = bisect_right(self.said, t + _LATE_S, key=lambda saying: saying.t)
        return self.said[at - 1] if at else None


def instruction(text: str) -> Instruction | None:
    """The instruction that ``engine.standing.described`` puts so, a CUE without words; None: it is none."""
    if (asked := _VISUAL.get(text)) is not None:
        return asked
    found = _TIMED.fullmatch(text)
    if found is None:
        return None
    words = found["words"]
    what = ELAPSED if words is None else ""
    return Instruction(TIME, what, words or "", float(found["seconds"]), found["how"] == "every")


class WatchLog:
    """Every instruction of a session, by its beginning; fed with its events in the order they came."""

    def __init__(self) -> None:
        self.watched: list[Watched] = []
        self.cameras: list[tuple[float, str]] = []
        """From a session second on, why there was no picture; empty where there was."""
        self._standing: dict[str, Watched] = {}
        self._brought: tuple[float, Instruction] | None = None

    @property
    def kinds(self) -> tuple[str, ...]:
        """The tokens of what was ever asked for, in the order of ``STANDING_TOKENS``."""
        found = {one.asked.token for one in self.watched}
        return tuple(token for token in STANDING_TOKENS if token in found)

    @staticmethod
    def tells(event: VisionEvent) -> bool:
        """Whether an event is about an instruction, and not about the camera."""
        text = event.event
        return text == NOTHING or instruction(text.removeprefix(NO_LONGER)) is not None

    def at(self, t: float) -> tuple[Watched, ...]:
        """What stood at session second ``t``, the oldest first."""
        return tuple(one for one in self.watched if one.t0 <= t and (one.t1 is None or t < one.t1))

    def camera_at(self, t: float) -> str:
        """Why there was no picture at session second ``t``; empty where there was, or nothing is known."""
        at = bisect_right(self.cameras, t, key=lambda change: change[0])
        return self.cameras[at - 1][1] if at else ""

    def add_event(self, event: VisionEvent) -> bool:
        """Take what became of an instruction, which returns True, or what the camera did."""
        if not self.tells(event):
            self._camera(event)
            return False
        text = event.event
        asked = instruction(text.removeprefix(NO_LONGER))
        if asked is None:
            for token in [*self._standing]:
                self._end(token, event.t)
        elif not text.startswith(NO_LONGER):
            self._end(asked.token, event.t)
            one = self._standing[asked.token] = Watched(self._with_words(asked, event.t), event.t)
            self.watched.append(one)
            del self.watched[:-MAX_WATCHED]
        elif (standing := self._standing.get(asked.token)) is not None and _same(standing.asked, asked):
            self._end(asked.token, event.t)
        return True

    def add_result(self, event: BackgroundEvent) -> None:
        """Take what a tool of the background answered: it has the words of a cue, before it is told of."""
        if event.event != "tool_result" or "standing" not in event.detail:
            return
        try:
            detail = json.loads(str(event.detail["standing"]))
            if isinstance(detail, dict):
                self._brought = event.t, from_detail(detail, str.strip)
        except (ValueError, RecursionError):
            self._brought = None  # it takes something back, or makes no sense: a fault tells

    def _with_words(self, asked: Instruction, t: float) -> Instruction:
        """The instruction that a result brought at ``t``, where it is the same; else ``asked``."""
        if self._brought is not None and abs(self._brought[0] - t) < _TOGETHER_S:
            brought = self._brought[1]
            return brought if _same(brought, asked) else asked
        return asked

    def add_turn(self, turn: TurnRecord) -> None:
        """Take what a micro-turn said of an instruction."""
        one = self._standing.get(turn.say)
        if one is None or turn.decision not in _SPOKEN:
            return
        number = one.number + 1
        if turn.say == COUNT:
            # What was heard is right, also where events were lost; unless other words came first.
            heard = None if turn.words_left else _NUMBER.fullmatch(turn.text_out.strip())
            number = max(number, int(heard[1])) if heard else number
            words = str(number)
        else:
            elapsed = one.asked.what == ELAPSED
            words = sentence(span(one.asked.seconds * number)) if elapsed else one.asked.words
        one.said.append(Saying(turn.t, number, words))
        del one.said[:-MAX_SAID]
        if one.once:
            self._end(TIME, turn.t + CHUNK_S)

    def _end(self, token: str, t: float) -> None:
        one = self._standing.pop(token, None)
        if one is not None:
            one.t1 = max(t, one.t0)
            # A recording's lines are sorted by time: what began before the end may have come after it.
            while one.said and one.said[-1].t + CHUNK_S > one.t1 + _LATE_S:
                one.said.pop()

    def _camera(self, event: VisionEvent) -> None:
        state = event.event.split(":")[0]
        notes = {"off": "camera is off", "lost": "camera was lost", "ended": "video has ended",
                 "stalled": "camera gives no pictures", "started": "", "another camera": ""}  # fmt: skip
        if state in notes:
            self.cameras.append((event.t, notes[state]))
            del self.cameras[:-MAX_WATCHED]


def watch_log(turns: Iterable[TurnRecord], events: Iterable[Event]) -> WatchLog:
    """That of a whole recorded session."""
    log = WatchLog()
    told = [event for event in events if isinstance(event, (VisionEvent, BackgroundEvent))]
    for one in sorted([*turns, *told], key=lambda one: one.t):
        match one:
            case VisionEvent():
                log.add_event(one)
            case BackgroundEvent():
                log.add_result(one)
            case TurnRecord():
                log.add_turn(one)
    return log


def _same(one: Instruction, other: Instruction) -> bool:
    """Whether they are told of in the same words."""
    return described(one) == described(other)
