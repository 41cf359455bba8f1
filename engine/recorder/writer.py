"""Records a session from a thread of its own. See docs/sessions.md for the files."""

import threading
from collections import deque
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.config import INPUT_CHUNK, INPUT_HZ, OUTPUT_CHUNK, OUTPUT_HZ
from engine.errors import InputError
from engine.events import Event, Fault, SessionHeader
from engine.recorder.audio_files import FlacWriter, WavWriter
from engine.recorder.folder import INPUT, OUTPUT, TIMELINE, VIDEO, prepare_folder, reason
from engine.recorder.timeline_file import TimelineWriter
from engine.recorder.video_file import VideoWriter
from engine.types import Frame, Samples

MAX_TURNS = 256  # 51 s of audio, 8 MB
MAX_EVENTS = 4_096
MAX_FRAMES = 8  # pictures are large: 0.9 MB each at 640x480
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
        try:
            self._timeline = TimelineWriter(self.path / TIMELINE, header)
        except FileExistsError as err:
            raise InputError(f"{self.path} is being written by another copy: choose another folder") from err
        except OSError as err:
            raise self._refused(err) from err
        try:
            self._input = FlacWriter(self.path / INPUT, input_hz)
            self._output = WavWriter(self.path / OUTPUT, OUTPUT_HZ)
        except OSError as err:
            raise self._refused(err) from err
        self._video: VideoWriter | None = None
        self._video_failed = False
        self._written = 0
        self._may_wait = may_wait

        self._room = threading.Condition()
        self._turns: deque[_Turn] = deque()
        self._events: deque[Event] = deque()
        self._next_index = 0
        self._frames_queued = 0
        self._dropped = {"micro-turns (silence in their place)": 0, "timeline lines": 0, "pictures": 0}
        self._said: dict[str, int] = dict(self._dropped)
        self._faults: deque[str] = deque(maxlen=100)
        self._closing = False
        self.recording = True
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def _refused(self, err: OSError) -> InputError:
        for name in (TIMELINE, INPUT, OUTPUT):
            (self.path / name).unlink(missing_ok=True)  # so that the same folder can be tried again
        return InputError(f"cannot write the session into {self.path} ({reason(err)}): choose another folder")

    def turn(self, input_samples: Samples, heard: Samples | None, frame: Frame | None = None) -> None:
        """Queue the audio of the next micro-turn.

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
            if not self.recording or self._closing:
                return
            if self._may_wait:
                self._room.wait_for(lambda: len(self._turns) < MAX_TURNS or not self.recording)
            if frame is not None and self._frames_queued >= MAX_FRAMES:
                self._dropped["pictures"] += 1
                frame = None
            if len(self._turns) >= MAX_TURNS:
                self._frames_queued -= self._turns.popleft().frame is not None
                self._dropped["micro-turns (silence in their place)"] += 1
            self._frames_queued += frame is not None
            self._turns.append(_Turn(self._next_index, input_samples, heard, frame))
            self._next_index += 1
            self._room.notify_all()

    def event(self, event: Event) -> None:
        """Queue one line of the timeline."""
        with self._room:
            if not self.recording or self._closing:
                return
            if self._may_wait:
                self._room.wait_for(lambda: len(self._events) < MAX_EVENTS or not self.recording)
            if len(self._events) >= MAX_EVENTS:
                self._events.popleft()
                self._dropped["timeline lines"] += 1
            self._events.append(event)
            self._room.notify_all()

    def take_faults(self) -> tuple[str, ...]:
        """What went wrong since the last call, in plain words."""
        with self._room:
            faults = list(self._faults)
            self._faults.clear()
            for what, count in self._dropped.items():
                if count > self._said[what]:
                    faults.append(f"recording fell behind: {count - self._said[what]} {what} lost")
                    self._said[what] = count
            return tuple(faults)

    @property
    def dropped(self) -> dict[str, int]:
        """How many entries of each kind were lost to a full queue."""
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
        while True:
            with self._room:
                idle = not self._room.wait_for(lambda: self._turns or self._events or self._closing, _IDLE_S)
                turns, events = list(self._turns), list(self._events)
                self._turns.clear()
                self._events.clear()
                self._frames_queued = 0
                last = self._closing and not turns and not events
                self._room.notify_all()
            try:
                for turn in turns:
                    self._write_turn(turn)
                for event in events:
                    self._write_event(event)
                if idle:
                    self._timeline.release_all()
                if last:
                    self._fill_to(self._next_index)
                    self._input.close()
                    self._output.close()
            except OSError as err:
                self._stop_recording(err)
                return
            if last:
                self._close_files()
                self.recording = False
                return

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
                self._video = VideoWriter(self.path / VIDEO, frame)
            self._video.write(frame)
        except OSError as err:
            # Without pictures the session is still worth recording; a full disk stops the audio soon after.
            self._video_failed = True
            self._fault(f"the video is no longer recorded ({reason(err)})")

    def _write_event(self, event: Event) -> None:
        try:
            self._timeline.write(event)
        except (TypeError, ValueError) as err:
            self._fault(f"a {event.kind} line could not be recorded ({err})")

    def _close_files(self) -> None:
        for part in (self._video, self._input, self._output, self._timeline):
            try:
                if part is not None:
                    part.close()
            except OSError as err:
                self._fault(f"the end of the recording may be missing: {reason(err)}")

    def _stop_recording(self, err: OSError) -> None:
        # The last 0.2 s of output make room for the line that says what happened.
        self._written = max(0, self._written - 1)
        seconds = self._written * OUTPUT_CHUNK / OUTPUT_HZ
        what = f"recording stopped after {seconds:.1f} s: {reason(err)}; what was recorded until then is kept"
        with self._room:
            self.recording = False
            self._faults.append(what)
            self._turns.clear()
            self._events.clear()
            self._room.notify_all()
        try:
            self._output.cut(self._written * OUTPUT_CHUNK)
            self._timeline.recover()
            self._timeline.write(Fault(seconds, what))
        except OSError:
            pass  # no room even for that: the fault is still told on the screen
        self._close_files()
