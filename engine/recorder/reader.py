"""Reads session folders, whole, cut off, or with files missing."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice, repeat
from pathlib import Path

import numpy as np
import soundfile

from engine.config import CHUNK_MS, CHUNK_S, INPUT_CHUNK, INPUT_HZ, OUTPUT_CHUNK, OUTPUT_HZ, SESSION_VERSION
from engine.errors import InputError
from engine.events import Event, SessionHeader, TurnRecord, event_time
from engine.recorder.folder import INPUT, OUTPUT, TIMELINE, reason
from engine.recorder.lines import MAX_LINE, parse_lines
from engine.types import Samples

_BLOCK = 8_192  # where a file is cut off, so much is lost at most
_LARGE = 65_536  # of a file that is whole: fewer calls
_LINES_AT_ONCE = 256
_RATES_HZ = (4_000, 400_000)  # a damaged header may name any; made into sound, one of 1 Hz fills the memory
_TOLERATED_S = 1.0  # by so much an audio file of a killed session may be shorter than its timeline


@dataclass(frozen=True)
class RecordedSession:
    """A session as it lies on the disk.

    ``turns``: by index, each index once. ``events``: everything else but the
    header, in time order. ``damaged``: what is missing or broken, in plain words.
    """

    header: SessionHeader
    turns: tuple[TurnRecord, ...]
    events: tuple[Event, ...]
    damaged: tuple[str, ...]
    path: Path

    @property
    def duration(self) -> float:
        """Seconds from the start to the end of the last micro-turn or the last event."""
        ends = [event_time(e) for e in self.events[-1:]]
        return max([self.turns[-1].i * CHUNK_S + CHUNK_S if self.turns else 0.0, *ends])


def read_session(path: Path | str) -> RecordedSession:
    """Read a session folder (or its ``timeline.jsonl``). Broken lines are left out and told in ``damaged``.

    Raises:
        InputError: it is no session, it cannot be read, or a newer version has written it.
    """
    folder = Path(path)
    if folder.name == TIMELINE:
        folder = folder.parent
    header, turns, events, damaged = _read_timeline(folder)
    for name, hz, chunk in ((INPUT, INPUT_HZ, INPUT_CHUNK), (OUTPUT, OUTPUT_HZ, OUTPUT_CHUNK)):
        damaged += _audio_damage(folder / name, len(turns) * chunk / hz)
    return RecordedSession(header, turns, events, tuple(damaged), folder)


def _read_timeline(
    folder: Path,
) -> tuple[SessionHeader, tuple[TurnRecord, ...], tuple[Event, ...], list[str]]:
    file = folder / TIMELINE
    if not folder.exists():
        raise InputError(f"there is no {folder}: give the folder of a recorded session")
    if not file.is_file():
        raise InputError(f"{folder} is no session: it has no {TIMELINE}")
    turns: dict[int, TurnRecord] = {}
    events: list[Event] = []
    broken: list[int] = []
    header: SessionHeader | None = None
    number = 0
    try:
        for number, (event, whole) in enumerate(_parsed(file), 1):
            if not whole:
                broken.append(number)
            if number == 1:
                header = _checked_header(event, folder)
            elif isinstance(event, TurnRecord):
                turns.setdefault(event.i, event)
            elif event is not None and not isinstance(event, SessionHeader):
                events.append(event)
    except OSError as err:
        raise InputError(f"cannot read {file}: {reason(err)}") from err
    if header is None:
        raise InputError(f"{folder} holds an empty session: it was cut off before anything was recorded")
    ordered = tuple(turns[i] for i in sorted(turns))
    damaged = _line_damage(broken, number, ordered)
    return header, ordered, tuple(sorted(events, key=event_time)), damaged


def _parsed(file: Path) -> Iterator[tuple[Event | None, bool]]:
    """The event of each line, and whether the line is whole. The header comes before all others are read."""
    lines = _lines(file)
    for count in chain((1,), repeat(_LINES_AT_ONCE)):
        some = list(islice(lines, count))
        if not some:
            return
        yield from parse_lines(some)


def _line_damage(broken: list[int], last: int, turns: tuple[TurnRecord, ...]) -> list[str]:
    damaged = []
    if broken and broken[-1] == last:
        broken = broken[:-1]
        damaged.append("the last line of the timeline is cut off")
    if broken:
        damaged.append(f"{len(broken)} broken lines in the timeline were left out (first: line {broken[0]})")
    if turns and turns[-1].i + 1 != len(turns):
        damaged.append(f"{turns[-1].i + 1 - len(turns)} micro-turns are missing in the timeline")
    return damaged


def _lines(file: Path) -> Iterator[bytes]:
    with file.open("rb") as stream:
        while line := stream.readline(MAX_LINE + 1):
            if line.strip():
                yield line


def _checked_header(event: Event | None, folder: Path) -> SessionHeader:
    if not isinstance(event, SessionHeader):
        raise InputError(f"{folder} is no session: the first line of {TIMELINE} is not a session header")
    if event.version > SESSION_VERSION:
        raise InputError(
            f"{folder} was written by a newer Microturn (format {event.version}, this one reads up to "
            f"{SESSION_VERSION}): update Microturn"
        )
    if event.version < 1 or event.chunk_ms != CHUNK_MS:
        raise InputError(f"{folder} has a session header with impossible values: it cannot be read")
    return event


def _audio_damage(file: Path, expected_s: float) -> list[str]:
    if not file.is_file():
        return [f"{file.name} is missing"]
    if not file.stat().st_size and expected_s <= _TOLERATED_S:
        return []
    try:
        seconds = audio_seconds(file)
    except InputError as err:
        return [str(err)]
    if seconds < expected_s - _TOLERATED_S:
        return [f"{file.name} is {expected_s - seconds:.1f} s shorter than the timeline"]
    return []


def audio_seconds(file: Path) -> float:
    """Length of an audio file of a session. Raises InputError when it cannot be read."""
    with _open(file) as sound:
        if sound.frames < 2**60:
            return float(sound.frames / sound.samplerate)
    samples, rate = read_audio(file)
    return len(samples) / rate


def audio_rate(file: Path) -> int:
    """Samples a second of an audio file of a session. Raises InputError when it cannot be read."""
    with _open(file) as sound:
        return int(sound.samplerate)


def audio_blocks(file: Path, start: int = 0, stop: int | None = None) -> Iterator[Samples]:
    """Mono float32 samples ``[start, stop)`` in blocks; ends early where the file is cut off.

    Raises:
        InputError: the file is no audio that can be read.
    """
    whole = _is_whole(file)
    with _open(file) as sound:
        yield from _blocks(sound, start, stop, whole)


def audio_stretches(file: Path, stretches: Iterable[tuple[int, int]]) -> Iterator[Samples]:
    """Mono float32 samples of each ``[start, stop)``, shorter where the file ends.

    A file that is whole is opened once.

    Raises:
        InputError: the file is no audio that can be read.
    """
    if not _is_whole(file):
        yield from (read_audio(file, start, stop)[0] for start, stop in stretches)
        return
    with _open(file) as sound:
        for start, stop in stretches:
            yield _joined(_blocks(sound, start, stop, True))


def read_audio(file: Path, start: int = 0, stop: int | None = None) -> tuple[Samples, int]:
    """Mono float32 samples ``[start, stop)`` of a session's audio file, and its rate in Hz.

    Raises:
        InputError: the file is missing or is no audio that can be read.
    """
    whole = _is_whole(file)
    with _open(file) as sound:
        return _joined(_blocks(sound, start, stop, whole)), int(sound.samplerate)


def _blocks(sound: soundfile.SoundFile, start: int, stop: int | None, whole: bool) -> Iterator[Samples]:
    """``whole``: it can be sought in; else it must have been opened anew, and is decoded from its start."""
    most = _LARGE if whole and stop is None else _BLOCK
    try:
        position = int(sound.seek(min(start, sound.frames))) if whole else 0
        while stop is None or position < stop:
            wanted = most if stop is None else min(most, stop - position)
            block = sound.read(wanted, dtype="float32", always_2d=True)
            if not len(block):
                return
            part = block[max(0, start - position) :, 0]
            position += len(block)
            if len(part):
                yield np.ascontiguousarray(part)
    except soundfile.LibsndfileError:
        return


def _is_whole(file: Path) -> bool:
    """Whether its end can be reached; looked at apart, since a failed look spoils what is open."""
    try:
        with _open(file) as sound:
            return bool(sound.frames) and int(sound.seek(sound.frames - 1)) == sound.frames - 1
    except (soundfile.LibsndfileError, InputError):
        return False


def _joined(blocks: Iterable[Samples]) -> Samples:
    parts = list(blocks)
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)


class _ForwardOnly(soundfile.SoundFile):  # type: ignore[misc]
    """Reads on without a seek after every read, which takes longer than the reading."""

    def seekable(self) -> bool:
        return False


def _open(file: Path) -> soundfile.SoundFile:
    try:
        sound = _ForwardOnly(file)
    except (soundfile.LibsndfileError, OSError) as err:
        if not file.exists():
            raise InputError(f"{file.name} is missing") from err
        problem = "cannot be read as audio" if file.stat().st_size else "is empty"
        raise InputError(f"{file.name} {problem}") from err
    if not _RATES_HZ[0] <= sound.samplerate <= _RATES_HZ[1]:
        sound.close()
        raise InputError(f"{file.name} has an impossible sample rate, {sound.samplerate} Hz")
    return sound
