"""Records a session from a thread of its own. See docs/sessions.md for the files."""

import contextlib
import threading
from collections import deque
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.config import INPUT_CHUNK, INPUT_HZ, OUTPUT_CHUNK, OUTPUT_HZ
from engine.errors import InputError
from engine.events import Event, Fault, SessionHeader
from engine.recorder.audio_files import FlacWriter, WavWriter
from engine.recorder.folder import INPUT, OUTPUT, TIMELINE, VIDEO, SessionFile, prepare_folder, reason
from engine.recorder.timeline_file import TimelineWriter
from engine.recorder.video_file import VideoWriter
from engine.types import Frame, Samples

MAX_TURNS = 256  # 51 s of audio, 8 MB
MAX_EVENTS = 4_096
MAX_FRAMES = 8  # pictures are large: 0.9 MB each at 640x480
_LOST = {
    "turns": "micro-turns of audio lost, silence is in their place",
    "events": "lines of the timeline lost",
    "frames": "camera pictures lost",
}
_IDLE_S = 0.5  # after so long without a turn, held timeline lines are written anyway


@dataclass(frozen=True)
class _Turn:
    index: int
    input: Samples
    heard: Samples | None
    frame: Frame | None


class SessionWriter:
    """Writes one session folder. All methods may be called from any thread.

    ``turn`` and ``event`` only put into bounded queues. When the disk is too
    slow the oldest entry is dropped and counted: a dropped turn's audio becomes
    silence of the same length, so that the timing stays true. With
    ``may_wait=True`` (a simulated clock, where waiting delays nobody) they wait
    for room instead.

    When the disk fails, recording stops, ``recording`` turns false,
    ``take_faults`` says why, and what was written stays readable.
    """

    def __init__(
        self, out_dir: Path, header: SessionHeader, input_hz: int = INPUT_HZ, may_wait: bool = False
    ) -> None:
        """Make the folder and its files, and start the thread.

        Raises:
            InputError: the folder cannot be made or written, or is in use.
        """
        self.path = Path(out_dir)
        prepare_folder(self.path)
        files: list[SessionFile] = []
        try:
            # One after the other: those made before a failure are in the list by then.
            files.extend(SessionFile(self.path / name) for name in (TIMELINE, INPUT, OUTPUT))
            self._timeline = TimelineWriter(files[0], header)
            self._input = FlacWriter(files[1], input_hz)
            self._output = WavWriter(files[2], OUTPUT_HZ)
        except OSError as err:
            for file in files:
                file.close()
                file.path.unlink()  # so that the same folder can be tried again
            raise _refusal(self.path, err) from err
        self._video: VideoWriter | None = None
        self._video_failed = False
        self._written = 0
        self._may_wait = may_wait

        self._room = threading.Condition()
        self._queue: deque[_Turn | Event] = deque()
        self._queued = {"turns": 0, "events": 0, "frames": 0}
        self._next_index = 0
        self._dropped = dict.fromkeys(_LOST, 0)
        self._told = dict.fromkeys(_LOST, 0)
        self._faults: deque[str] = deque(maxlen=100)
        self._closing = False
        self.recording = True
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def turn(self, input_samples: Samples, heard: Samples | None, frame: Frame | None = None) -> None:
        """Queue the audio of the next micro-turn. The arrays must not change afterwards.

        Args:
            input_samples: (3200,) at 16 kHz, what the microphone gave.
            heard: (4800,) at 24 kHz, the assistant's voice audible in that interval; None is silence.
            frame: the picture that belongs to it, if any.

        Raises:
            ValueError: a wrong number of samples.
        """
        if len(input_samples) != INPUT_CHUNK or (heard is not None and len(heard) != OUTPUT_CHUNK):
            raise ValueError("a micro-turn has 3,200 input and 4,800 output samples")
        with self._room:
            if not self._admit("turns", MAX_TURNS):
                return
            if frame is not None and not self._admit_frame():
                frame = None
            self._put(_Turn(self._next_index, input_samples, heard, frame))
            self._next_index += 1

    def event(self, event: Event) -> None:
        """Queue one line of the timeline."""
        with self._room:
            if self._admit("events", MAX_EVENTS):
                self._put(event)

    def _admit(self, kind: str, limit: int) -> bool:
        if self._may_wait:
            self._room.wait_for(lambda: self._queued[kind] < limit or not self.recording)
        if not self.recording or self._closing:
            return False
        if self._queued[kind] >= limit:
            oldest = next(
                n for n, item in enumerate(self._queue) if isinstance(item, _Turn) == (kind == "turns")
            )
            self._count(self._queue[oldest], -1)
            del self._queue[oldest]
            self._dropped[kind] += 1
        return True

    def _admit_frame(self) -> bool:
        if self._may_wait:
            self._room.wait_for(lambda: self._queued["frames"] < MAX_FRAMES or not self.recording)
        full = self._queued["frames"] >= MAX_FRAMES
        self._dropped["frames"] += full
        return not full

    def _put(self, item: _Turn | Event) -> None:
        self._queue.append(item)
        self._count(item, 1)
        self._room.notify_all()

    def _count(self, item: _Turn | Event, change: int) -> None:
        if isinstance(item, _Turn):
            self._queued["turns"] += change
            self._queued["frames"] += change * (item.frame is not None)
        else:
            self._queued["events"] += change

    def take_faults(self) -> tuple[str, ...]:
        """What went wrong since the last call, in plain words."""
        with self._room:
            faults = list(self._faults)
            self._faults.clear()
            for kind, count in self._dropped.items():
                if count > self._told[kind]:
                    faults.append(f"recording fell behind: {count - self._told[kind]} {_LOST[kind]}")
                    self._told[kind] = count
            return tuple(faults)

    @property
    def dropped(self) -> dict[str, int]:
        """How many turns, events and frames were lost to a full queue."""
        with self._room:
            return dict(self._dropped)

    def close(self, timeout: float = 3.0) -> bool:
        """Write what is queued and finish the files. False if the disk did not manage it in time."""
        with self._room:
            self._closing = True
            self._room.notify_all()
        self._thread.join(timeout)
        done = not self._thread.is_alive()
        if not done:
            self._fault("the disk is too slow: the end of the recording may be missing")
        return done

    def _fault(self, what: str) -> None:
        with self._room:
            self._faults.append(what)

    def _run(self) -> None:
        try:
            self._write_until_closed()
        except OSError as err:
            self._stop_recording(err)
        finally:
            with self._room:
                self.recording = False
                self._room.notify_all()

    def _write_until_closed(self) -> None:
        last = False
        while not last:
            with self._room:
                idle = not self._room.wait_for(lambda: self._queue or self._closing, _IDLE_S)
                batch, self._queue = self._queue, deque()
                self._queued = dict.fromkeys(self._queued, 0)
                last = self._closing and not batch
                self._room.notify_all()
            for item in batch:
                if isinstance(item, _Turn):
                    self._write_turn(item)
                else:
                    self._write_event(item)
            if idle:
                self._timeline.release_all()
        self._fill_to(self._next_index)
        for what in self._close_audio():
            self._timeline.write(Fault(self._seconds, what))
            self._fault(what)
        self._timeline.close()

    def _write_turn(self, turn: _Turn) -> None:
        self._fill_to(turn.index)
        heard = turn.heard if turn.heard is not None else np.zeros(OUTPUT_CHUNK, np.float32)
        self._input.write(turn.input)
        self._output.write(heard)
        self._written += 1
        if turn.frame is not None:
            self._write_frame(turn.frame)

    def _fill_to(self, index: int) -> None:
        while self._written < index:
            self._input.write(np.zeros(INPUT_CHUNK, np.float32))
            self._output.write(np.zeros(OUTPUT_CHUNK, np.float32))
            self._written += 1

    def _write_frame(self, frame: Frame) -> None:
        if self._video_failed:
            return
        try:
            if self._video is None:
                self._video = VideoWriter(SessionFile(self.path / VIDEO), frame)
            self._video.write(frame)
        except (OSError, ValueError) as err:
            # Without pictures the session is still worth recording; a full disk stops the audio soon after.
            self._video_failed = True
            self._fault(f"the video is no longer recorded ({reason(err)})")

    def _write_event(self, event: Event) -> None:
        try:
            self._timeline.write(event)
        except (TypeError, ValueError) as err:
            self._fault(f"a {event.kind} line could not be recorded ({err})")

    @property
    def _seconds(self) -> float:
        return self._written * OUTPUT_CHUNK / OUTPUT_HZ

    def _close_audio(self) -> list[str]:
        problems = []
        for part in (self._video, self._input, self._output):
            try:
                if part is not None:
                    part.close()
            except OSError as err:
                problems.append(f"the end of the recording may be missing: {reason(err)}")
        return problems

    def _stop_recording(self, err: OSError) -> None:
        # The last 0.2 s of output make room for the line that says what happened.
        self._written = max(0, self._written - 1)
        what = (
            f"recording stopped after {self._seconds:.1f} s: {reason(err)}; "
            "what was recorded until then is kept"
        )
        with self._room:
            self.recording = False
            self._faults.append(what)
            self._queue.clear()
            self._room.notify_all()
        # If there is no room even for that, the fault is still told on the screen.
        with contextlib.suppress(OSError):
            self._output.cut(self._written * OUTPUT_CHUNK)
            self._timeline.recover()
            self._timeline.write(Fault(self._seconds, what))
        self._close_audio()
        with contextlib.suppress(OSError):
            self._timeline.close()


def _refusal(folder: Path, err: OSError) -> InputError:
    if isinstance(err, FileExistsError):
        return InputError(f"{folder} is being written by another copy: choose another folder")
    return InputError(f"cannot write the session into {folder} ({reason(err)}): choose another folder")
