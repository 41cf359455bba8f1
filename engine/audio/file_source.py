"""A sound file, or silence, as the microphone of a session."""

import math
import re
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from engine.audio.samples import clean
from engine.clock import Clock
from engine.config import CHUNK_S, INPUT_CHUNK, INPUT_HZ
from engine.errors import InputError
from engine.types import Samples, SourceChunk

LOWEST_HZ, HIGHEST_HZ = 1_000, 768_000
LONGEST_SILENCE_S = 86_400.0
SILENCE = "silence:"
ALOUD_AHEAD = 2
"""Micro-turns that are played before they are given; the engine may be late by one of them."""
_UNKNOWN_FRAMES = 1 << 62  # libsndfile says about 2**63 when a FLAC stream does not know its length
_UNKNOWN_BYTES = 0x7F00_0000  # what recorders write into a WAV header when they stream into a pipe
_MARK = np.uint32(0x7FC0_BEEF)  # a NaN no decoder makes: marks what a failed read did not fill
_CUT_SHORT = re.compile(r"(?:data|SSND|Data Size)\s*:\s*(\d+) \(should be (\d+)\)")


class _ForwardOnly(soundfile.SoundFile):  # type: ignore[misc]
    """Reads on without seeking: soundfile otherwise seeks after every read, and MP3 decoders lose
    their bit reservoir each time."""

    def seekable(self) -> bool:
        return False


def _block_ends(rate: int) -> Iterator[int]:
    """Last frame (exclusive) of micro-turn 0, 1, ... at a file's own rate."""
    i = 1
    while True:
        yield round(i * CHUNK_S * rate)
        i += 1


class _Silence:
    """Digital silence of a given length."""

    def __init__(self, spec: str) -> None:
        try:
            seconds = float(spec.removeprefix(SILENCE))
        except ValueError:
            seconds = math.nan
        if not 0.0 < seconds <= LONGEST_SILENCE_S:
            raise InputError(
                f"{spec!r} is no length of silence; give seconds between 0 and {LONGEST_SILENCE_S:.0f},"
                " for example silence:10"
            )
        self.samples: int | None = max(1, round(seconds * INPUT_HZ))
        self._left = self.samples
        self.faults: deque[tuple[int, str]] = deque()

    def block(self) -> tuple[Samples, bool]:
        n = min(INPUT_CHUNK, self._left)
        self._left -= n
        return np.zeros(n, np.float32), self._left == 0

    def close(self) -> None:
        pass


class _Decoder:
    """Decodes a file 200 ms at a time into 16 kHz mono. Faults are (micro-turn, text)."""

    def __init__(self, path: Path) -> None:
        self._file = _open(path)
        self._rate = self._file.samplerate
        frames = self._file.frames
        self._expected = frames if 0 < frames < _UNKNOWN_FRAMES else None
        self.samples: int | None = (
            None if self._expected is None else max(1, round(self._expected * INPUT_HZ / self._rate))
        )
        self._cut = _is_cut_short(self._file)
        self._resampler = soxr.ResampleStream(self._rate, INPUT_HZ, 1) if self._rate != INPUT_HZ else None
        self._ends = _block_ends(self._rate)
        self._frame = 0
        self._turn = 0
        self.faults: deque[tuple[int, str]] = deque()

    def block(self) -> tuple[Samples, bool]:
        """The next piece at 16 kHz (about 200 ms, any length) and whether it is the last one."""
        want = next(self._ends) - self._frame
        frames, failed = _read(self._file, want)
        self._frame += len(frames)
        frames, bad = clean(frames)
        if bad:
            self.faults.append((self._turn, f"{bad} samples were not numbers and were replaced by silence"))
        last = failed or len(frames) < want or self._frame == self._expected
        if last and self._is_short(failed):
            at_s = self._frame / self._rate
            self.faults.append((self._turn, f"the file is damaged or cut off at {at_s:.2f} s"))
        self._turn += 1
        mono = np.ascontiguousarray(frames.mean(axis=1, dtype=np.float32))
        if self._resampler is not None:
            mono = self._resampler.resample_chunk(mono, last=last)
        return np.clip(mono, -1.0, 1.0), last

    def _is_short(self, failed: bool) -> bool:
        if self._cut:
            return True
        if self._expected is None:
            # Such a stream ends in a read error even when it is whole.
            return False
        # MP3 lengths are estimates, so a tenth of a second may be missing.
        return failed or self._expected - self._frame > self._rate // 10

    def close(self) -> None:
        self._file.close()


def _open(path: Path) -> soundfile.SoundFile:
    if path.is_dir():
        raise InputError(f"{path} is a folder; give a sound file")
    if not path.exists():
        raise InputError(f"{path} does not exist; check the file's name")
    if not path.is_file():
        raise InputError(f"{path} is not a regular file; give a sound file")
    try:
        if path.stat().st_size == 0:
            raise InputError(f"{path} is empty; give a sound file")
        with path.open("rb"):
            pass
    except OSError as err:
        raise InputError(f"{path} cannot be read ({err.strerror}); check its permissions") from err
    try:
        file = _ForwardOnly(path)
    except (soundfile.LibsndfileError, TypeError, ValueError) as err:
        raise InputError(
            f"{path} is no sound file that can be read; convert it to WAV or FLAC, for example with ffmpeg"
        ) from err
    rate = file.samplerate
    if not LOWEST_HZ <= rate <= HIGHEST_HZ:
        file.close()
        raise InputError(f"{path} claims {rate} samples a second; give {LOWEST_HZ} to {HIGHEST_HZ} Hz")
    if file.frames == 0:
        file.close()
        raise InputError(f"{path} holds no samples; record it again or give another file")
    return file


def _is_cut_short(file: soundfile.SoundFile) -> bool:
    """Whether a WAV, AIFF or AU header promises more bytes than the file has."""
    return any(
        int(said) > int(there) and int(said) < _UNKNOWN_BYTES
        for said, there in _CUT_SHORT.findall(file.extra_info)
    )


def _read(file: soundfile.SoundFile, frames: int) -> tuple[NDArray[np.float32], bool]:
    """Up to ``frames`` frames (frames, channels), and whether the decoder gave up among them."""
    out = np.empty((frames, file.channels), np.float32)
    out.view(np.uint32)[:] = _MARK
    try:
        return file.read(out=out), False
    except soundfile.LibsndfileError:
        # The decoder has filled what it could before it failed.
        filled = np.flatnonzero(out.view(np.uint32)[:, 0] != _MARK)
        return out[: int(filled[-1]) + 1 if len(filled) else 0], True


class FileSource:
    """A recording as an `AudioSource`: 16 kHz mono, 200 ms a read, paced by the clock.

    ``spec`` is a path to anything libsndfile reads, or ``silence:SECONDS``. Any
    number of channels is averaged; any rate from 1 to 768 kHz is resampled as a
    stream, so a file of any length needs the memory of one block. The last
    chunk is padded with zeros. Damage is never fatal once the file is open: it
    is a fault on the chunk it falls in.

    With ``goes_on`` silence follows the end of the file until ``stop``, as from a
    microphone in a room where nobody speaks any more.

    ``aloud``, when set before the first ``read``, is told what stands in for the
    microphone before that is given: 3,200 samples and the session second at
    which they begin. It is called in the engine thread.

    ``read`` belongs to the engine thread, ``stop`` and ``set_muted`` to any thread.

    Raises:
        InputError: missing, unreadable, empty or not a sound file, or a bad ``silence:``.
    """

    def __init__(self, spec: str | Path, clock: Clock, goes_on: bool = False) -> None:
        text = str(spec)
        self._clock = clock
        self._goes_on = goes_on
        self._muted = False
        self._input: _Silence | _Decoder = (
            _Silence(text) if text.startswith(SILENCE) else _Decoder(Path(spec))
        )
        self.name = text if text.startswith(SILENCE) else Path(spec).name
        self._pending = np.zeros(0, np.float32)
        self._filled = 0
        self._index = 0
        self._ended = False
        self._stopped = False
        self.aloud: Callable[[Samples, float], None] | None = None
        self._ahead: deque[SourceChunk | None] = deque()
        self._given = 0
        self._lock = threading.Lock()
        self._fill()
        if not len(self._pending):
            self._input.close()
            raise InputError(f"{spec} holds no samples that can be read; give another file")

    @property
    def duration_s(self) -> float | None:
        """Length in seconds as the file's header says; None where it does not."""
        return None if self._input.samples is None else self._input.samples / INPUT_HZ

    @property
    def chunks(self) -> int | None:
        """How many chunks a whole file of that length gives; None where the length is not known."""
        return None if self._input.samples is None else math.ceil(self._input.samples / INPUT_CHUNK)

    @property
    def over(self) -> bool:
        """Whether only silence follows. Any thread."""
        return self._ended and not len(self._pending)

    @property
    def muted(self) -> bool:
        """Whether silence is given in place of the file's sound."""
        return self._muted

    def set_muted(self, muted: bool) -> None:
        """Give silence instead, or the file's sound again; the file plays on meanwhile."""
        self._muted = muted

    def start(self) -> None:
        """Nothing to do: the file was opened when the source was made."""

    def read(self) -> SourceChunk | None:
        """The next 200 ms, once the clock says that they are over; None at the end."""
        with self._lock:
            chunk = None if self._stopped else self._next_aloud()
        if chunk is None:
            return None
        self._given += 1
        self._clock.wait_until(CHUNK_S * self._given)
        if self._stopped:
            return None
        return replace(chunk, samples=np.zeros(INPUT_CHUNK, np.float32)) if self._muted else chunk

    def _fill(self) -> None:
        while len(self._pending) < INPUT_CHUNK and not self._ended:
            block, self._ended = self._input.block()
            if self._input.samples is not None:
                # A resampler may round one sample beyond the file's own length.
                block = block[: self._input.samples - self._filled]
            self._filled += len(block)
            self._pending = np.concatenate((self._pending, block))

    def _next_aloud(self) -> SourceChunk | None:
        """The next chunk. Those after it are played already: a loudspeaker needs them ahead of time."""
        if self.aloud is None:
            return self._next()
        while len(self._ahead) <= ALOUD_AHEAD:
            begin = CHUNK_S * self._index
            chunk = self._next()
            self._ahead.append(chunk)
            if chunk is not None and not self._muted:
                self.aloud(chunk.samples, begin)
        return self._ahead.popleft()

    def _next(self) -> SourceChunk | None:
        self._fill()
        if not len(self._pending):
            if not self._goes_on:
                return None
            self._index += 1
            return SourceChunk(np.zeros(INPUT_CHUNK, np.float32))
        samples, self._pending = self._pending[:INPUT_CHUNK], self._pending[INPUT_CHUNK:]
        last = self._ended and not len(self._pending)
        if len(samples) < INPUT_CHUNK:
            samples = np.pad(samples, (0, INPUT_CHUNK - len(samples)))
        faults = []
        while self._input.faults and (last or self._input.faults[0][0] <= self._index):
            faults.append(self._input.faults.popleft()[1])
        self._index += 1
        return SourceChunk(samples, faults=tuple(faults))

    def stop(self) -> None:
        """Close the file; ``read`` gives None from now on."""
        self._stopped = True
        with self._lock:
            self._input.close()
