"""What the assistant is doing, told from events. Plain Python; one owner thread."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum

from app.text import one_line
from engine.events import BackgroundEvent, Caption, Event, Fault, Transcript, TurnRecord

YIELDED_TURNS = 6
"""Micro-turns for which a yield stays visible, unless something else happens."""
BACKCHANNEL_TURNS = 3
FAULT_TURNS = 50
FOLLOWED_S = 2.0
"""So long after the last caption somebody still counts as speaking, unless their words are settled."""


class Activity(Enum):
    """Each has its own shape, title and colour on the screen."""

    OFF = "off"
    STARTING = "starting"
    LISTENING = "listening"
    FOLLOWING = "following"
    TALKING = "talking"
    BACKCHANNEL = "backchannel"
    INTERRUPTING = "interrupting"
    YIELDED = "yielded"
    MUTED = "muted"
    DEAF = "deaf"
    STOPPED = "stopped"
    FAILED = "failed"


_SESSION_STATES = {
    "off": Activity.OFF,
    "starting": Activity.STARTING,
    "running": Activity.LISTENING,
    "stopping": Activity.STOPPED,
    "stopped": Activity.STOPPED,
    "failed": Activity.FAILED,
}
TITLES = {
    Activity.OFF: "Ready",
    Activity.STARTING: "Starting",
    Activity.LISTENING: "Listening",
    Activity.FOLLOWING: "Thinking along",
    Activity.TALKING: "Talking",
    Activity.BACKCHANNEL: "With you",
    Activity.INTERRUPTING: "Interrupting",
    Activity.YIELDED: "Your turn",
    Activity.MUTED: "Muted",
    Activity.DEAF: "No microphone",
    Activity.STOPPED: "Stopped",
    Activity.FAILED: "Not running",
}


@dataclass(frozen=True)
class Status:
    """A moment's state. ``fault`` is shown beside it, whatever else goes on."""

    activity: Activity = Activity.OFF
    detail: str = ""
    open_jobs: int = 0
    fault: str = ""
    user_level_db: float = -120.0
    self_level_db: float = -120.0

    @property
    def title(self) -> str:
        return TITLES[self.activity]

    @property
    def working(self) -> bool:
        """Busy in the background, beside talking or listening."""
        return self.open_jobs > 0


class StatusTracker:
    """Keeps a Status up to date. A yield, a backchannel and a fault stay visible for a moment."""

    def __init__(self) -> None:
        self.status = Status()
        self._session = Activity.OFF
        self._detail = ""
        self._muted = False
        self._microphone: bool | None = None
        self._hold_key = ""
        self._followed_at: float | None = None
        self._turn: TurnRecord | None = None
        self._jobs: set[int] = set()
        self._yielded_at = self._backchannel_at = self._fault_at = -(10**9)

    def set_session(self, state: str, detail: str = "") -> None:
        """The states of EngineBridge, with a line of detail."""
        self._session = _SESSION_STATES[state]
        self._detail = one_line(detail, 400)
        if state in ("stopped", "failed"):
            self._jobs.clear()
            self._turn = self._followed_at = None
        self._judge()

    def set_muted(self, muted: bool) -> None:
        self._muted = muted
        self._judge()

    def set_microphone(self, opened: bool | None) -> None:
        """Whether the capture device is really open; None where that cannot be told."""
        self._microphone = opened
        self._judge()

    def set_hold_to_talk(self, key: str) -> None:
        """The key that has to be held for the microphone to be on; empty when none has."""
        self._hold_key = key
        self._judge()

    def append(self, events: Iterable[Event]) -> None:
        """Take events as they come."""
        for event in events:
            if isinstance(event, TurnRecord):
                self._take_turn(event)
            elif isinstance(event, BackgroundEvent):
                if event.event in ("answer", "failed", "cancelled"):
                    self._jobs.discard(event.id)
                elif event.event == "asked":
                    self._jobs.add(event.id)
            elif isinstance(event, Caption):
                self._followed_at = None if event.settled else event.t
            elif isinstance(event, Transcript):
                self._followed_at = None if event.speaker == "user" else self._followed_at
            elif isinstance(event, Fault):
                self._fault_at = self._turn.i if self._turn else 0
                self.status = replace(self.status, fault=one_line(event.what))
        self._judge()

    def _take_turn(self, turn: TurnRecord) -> None:
        self._turn = turn
        if turn.decision == "yield":
            self._yielded_at = turn.i
        elif turn.decision == "backchannel":
            self._backchannel_at = turn.i

    @property
    def jobs(self) -> tuple[int, ...]:
        """Ids of the requests that are being worked on."""
        return tuple(sorted(self._jobs))

    def _judge(self) -> None:
        turn = self._turn
        fault = self.status.fault
        if turn is not None and turn.i - self._fault_at > FAULT_TURNS:
            fault = ""
        live = self._session is Activity.LISTENING
        self.status = replace(
            self.status,
            activity=self._activity(turn) if live else self._session,
            detail=self._detail or (self._microphone_text() if live else ""),
            open_jobs=len(self._jobs),
            fault=fault,
            user_level_db=turn.user_level_db if turn and live else -120.0,
            self_level_db=turn.self_level_db if turn and live else -120.0,
        )

    def _activity(self, turn: TurnRecord | None) -> Activity:
        if turn is None:
            return self._hearing()
        if turn.decision == "interrupt":
            return Activity.INTERRUPTING
        if turn.i - self._backchannel_at < BACKCHANNEL_TURNS and turn.decision != "speak":
            return Activity.BACKCHANNEL
        if turn.decision == "speak":
            return Activity.TALKING
        if turn.i - self._yielded_at < YIELDED_TURNS:
            return Activity.YIELDED
        if turn.heard_ms > 0:
            return Activity.TALKING
        return self._hearing()

    def _hearing(self) -> Activity:
        if self._muted:
            return Activity.MUTED
        if self._microphone is False:
            return Activity.DEAF
        return Activity.FOLLOWING if self._is_following() else Activity.LISTENING

    def _is_following(self) -> bool:
        """Somebody speaks, and their words are understood as they come."""
        at, turn = self._followed_at, self._turn
        return at is not None and turn is not None and turn.t - at < FOLLOWED_S

    def _microphone_text(self) -> str:
        if self._microphone is None:
            return ""
        if self._muted:
            held = f": hold {self._hold_key} to talk" if self._hold_key else ""
            return "Microphone is still open" if self._microphone else f"Microphone closed{held}"
        return "Microphone on" if self._microphone else "Still trying to open one"
