"""Sources to micro-turn: exactly 3,200 clean samples, the newest frame, and the texts that are due."""

import heapq
import itertools
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from engine.audio.samples import clean
from engine.config import CHUNK_MS, INPUT_CHUNK
from engine.events import Event, Fault, TextIn, VisionEvent
from engine.interfaces import Camera
from engine.types import Frame, MicroTurn, Samples, SelfState, SourceChunk, TextEvent

MAX_WAITING_TEXTS = 1_000
MAX_TYPED_CHARS = 4_000


@dataclass(frozen=True)
class Gathered:
    """What reached one micro-turn, before the own state is added. ``events`` are to be published."""

    index: int
    audio: Samples
    gap_samples: int
    frame: Frame | None
    texts: tuple[TextEvent, ...]
    events: tuple[Event, ...]

    def micro_turn(self, state: SelfState) -> MicroTurn:
        return MicroTurn(self.index, self.audio, state, self.frame, self.texts, self.gap_samples)


def turn_start(index: int) -> float:
    """Session second at which micro-turn ``index`` begins, and the one before it is complete."""
    # Division gives the float nearest to the decimal in the files; a product need not.
    return index * CHUNK_MS / 1000


def clean_audio(samples: Samples) -> tuple[Samples, int]:
    """3,200 finite samples in [-1, 1], and how many were no usable numbers.

    Raises:
        ValueError: ``samples`` is not (3,200,).
    """
    if samples.shape != (INPUT_CHUNK,):
        raise ValueError(f"an audio source gave {samples.shape} samples instead of ({INPUT_CHUNK},)")
    usable, bad = clean(samples.astype(np.float32, copy=False))
    return np.clip(usable, -1.0, 1.0), bad


class MicroTurnAssembler:
    """Gathers each micro-turn's input. Used by the engine thread only.

    Typed and background texts belong to the micro-turn in whose interval, or
    earlier, their time falls, whether they came live or from a script: a replay
    gives each to the same micro-turn again. At most ``MAX_WAITING_TEXTS`` wait;
    more are refused with a fault.
    """

    def __init__(self, camera: Camera | None = None, script: Iterable[TextIn] = ()) -> None:
        self._camera = camera
        self._order = itertools.count()
        self._texts = [(text.t, next(self._order), TextEvent(text.t, text.text)) for text in script]
        heapq.heapify(self._texts)
        self._damaged = False

    def use_camera(self, camera: Camera | None, t: float) -> VisionEvent:
        """Take pictures from another camera, or none, from the next micro-turn on; what there is to tell."""
        self._camera = camera
        return VisionEvent(t, "off" if camera is None else "another camera")

    def add_text(self, event: TextEvent) -> Fault | None:
        """Queue a text for the micro-turn it falls into. A fault says what had to be cut or refused."""
        if len(self._texts) >= MAX_WAITING_TEXTS:
            return Fault(event.t, f"too many texts wait for the model; dropped: {event.text[:40]!r}")
        heapq.heappush(self._texts, (event.t, next(self._order), event))
        return None

    def gather(self, index: int, chunk: SourceChunk) -> Gathered:
        """Everything that belongs to micro-turn ``index``, whose audio is ``chunk``."""
        end = turn_start(index + 1)
        t = turn_start(index)
        events: list[Event] = [Fault(t, what) for what in chunk.faults]
        audio, bad = clean_audio(chunk.samples)
        if bad and not self._damaged:
            events.append(Fault(t, f"damaged audio: {bad} samples of this micro-turn were no usable numbers"))
        self._damaged = bad > 0
        texts = self._due_texts(end)
        events += [TextIn(text.t, text.text) for text in texts if text.origin == "user"]
        frame = self._newest_frame(end, events)
        return Gathered(index, audio, chunk.gap_samples, frame, texts, tuple(events))

    def _due_texts(self, end: float) -> tuple[TextEvent, ...]:
        due: list[TextEvent] = []
        while self._texts and self._texts[0][0] < end:
            due.append(heapq.heappop(self._texts)[2])
        return tuple(due)

    def _newest_frame(self, end: float, events: list[Event]) -> Frame | None:
        if self._camera is None:
            return None
        try:
            frame = self._camera.newest(end)
            events += [VisionEvent(end, what) for what in self._camera.take_events()]
        except Exception as err:  # noqa: BLE001 - a broken camera must never end a conversation
            events.append(VisionEvent(end, f"lost: {err or type(err).__name__}"))
            self._camera = None
            return None
        return frame
