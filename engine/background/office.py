"""The worker's parts put together: ears, desk, mind, store and clock."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from engine.background.convert import Progress
from engine.background.desk import Desk
from engine.background.ears import Ears
from engine.background.loading import load, warm_up_tools
from engine.background.protocol import (
    MAX_TEXT,
    Cancel,
    Due,
    Hear,
    Lines,
    Message,
    Permit,
    Request,
    Share,
    Told,
    clip_text,
)
from engine.background.settings import BackgroundSettings
from engine.background.store import StoreError
from engine.background.tools.timers import alarm_words

ALARM_STEP_S = 0.1
REPEAT_S = 2.0  # an alarm that the engine has not taken is sent again
_CHUNK_S = 0.2


class SessionClock:
    """What time it is for the user. Any thread.

    Live it is the computer's clock, moved if the session says so; in a session
    on a simulated clock it is where its sound has come to.
    """

    def __init__(self, settings: BackgroundSettings) -> None:
        self._simulated = settings.simulated
        self._zone = zone_of(settings.zone)
        start = settings.wall_start
        self._start = datetime.fromtimestamp(start, UTC) if start else datetime.now(UTC)
        self._moved = bool(start) and not settings.simulated
        self._began = time.monotonic()
        self._session = 0.0
        self._at = self._began

    def reached(self, t: float) -> None:
        """The session has come to second ``t``."""
        if t > self._session:
            self._session, self._at = t, time.monotonic()

    def now(self) -> datetime:
        """The time, in the user's zone."""
        if self._simulated:
            passed = self._session + min(time.monotonic() - self._at, _CHUNK_S)
        elif self._moved:
            passed = time.monotonic() - self._began
        else:
            return datetime.now(UTC).astimezone(self._zone)
        return (self._start + timedelta(seconds=passed)).astimezone(self._zone)


def zone_of(name: str) -> tzinfo | None:
    """The zone of that name; None, which means the computer's, when there is none."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


class Office:
    """Loads everything when made. ``take`` is called by the pipe's thread and never waits."""

    def __init__(
        self, settings: BackgroundSettings, send: Callable[[Message], None], progress: Progress
    ) -> None:
        self._send = send
        self._clock = SessionClock(settings)
        self._files: tuple[Path, ...] = ()
        self._loaded = load(settings, progress, lambda: (self._clock.now(), self._files))
        self._store = self._loaded.store
        self._desk = Desk(
            self._loaded.mind,
            self._store,
            send,
            self._clock.now,
            self._loaded.changes,
            settings.think_ahead,
        )
        self._ears = Ears(self._loaded.recogniser, send, self._desk.heard, self._desk.request)
        self._sent: dict[int, float] = {}

    @property
    def model_name(self) -> str:
        return self._loaded.mind.model_name

    @property
    def trouble(self) -> str:
        """What is missing and what to do, empty when all is well."""
        return "; ".join((*self._loaded.troubles, *self._loaded.servers.troubles()))

    def take(self, message: Message, received: float) -> None:
        """One message of the engine."""
        if isinstance(message, Hear):
            self._clock.reached(message.t + _CHUNK_S)
            self._ears.put(message)
        elif isinstance(message, Request):
            self._ears.put((message, received))
        elif isinstance(message, Lines):
            self._desk.lines = message.lines
        elif isinstance(message, Cancel):
            self._desk.cancel(message.job)
        elif isinstance(message, Permit):
            self._desk.permit(message.job, message.allowed)
        elif isinstance(message, Share):
            self._files = tuple(Path(path) for path in message.paths)
        elif isinstance(message, Told):
            self._told(message.alarm)

    def _told(self, alarm: int) -> None:
        threading.Thread(target=self._forget, args=(alarm,), name="told", daemon=True).start()

    def _forget(self, alarm: int) -> None:
        try:
            self._store.told(alarm)
        except StoreError:
            return  # it comes again, and is told again to no effect

    def watch_alarms(self) -> NoReturn:
        """Send what is due, until the process ends. The tools are warmed up meanwhile."""
        warm_up = threading.Thread(
            target=warm_up_tools, args=(self._clock.now(),), name="warm up", daemon=True
        )
        warm_up.start()
        while True:
            try:
                self._send_due(time.monotonic())
            except StoreError:
                time.sleep(REPEAT_S)
            time.sleep(ALARM_STEP_S)

    def _send_due(self, real: float) -> None:
        now = self._clock.now()
        for alarm in self._store.due(now):
            if real - self._sent.get(alarm.id, -REPEAT_S) >= REPEAT_S:
                self._sent[alarm.id] = real
                self._store.fire(alarm.id)
                self._send(Due(alarm.id, clip_text(alarm_words(alarm, now), MAX_TEXT)))
