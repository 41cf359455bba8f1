"""The cases of every task. The same task, split, voices and seed give the same case for each number.

Pauses inside turns are 0.35 to 1.6 s, those of corrections 0.2 to 0.7 s, those between the sentences
of a story 0.4 to 0.9 s, as people make them: Heldner and Edlund 2010, "Pauses, gaps and overlaps in
conversations", J. Phonetics 38(4); Levelt 1983, "Monitoring and self-repair in speech".
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from engine.bench import rooms
from engine.bench.cases import TASKS, Case, Cue
from engine.bench.material import SPEECH_RMS, Spoken, real, synthetic, texts
from engine.bench.noises import noise
from engine.bench.rooms import Room
from engine.config import INPUT_HZ
from engine.errors import InputError
from engine.training.acoustics import coloured_noise
from engine.types import Samples

SPLITS = ("test", "validation")
VOICES = ("synthetic", "human")
MID_TURN_S = (0.35, 1.6)
REPAIR_S = (0.2, 0.7)
STORY_S = (0.4, 0.9)
OVERLAP_S = (1.5, 4.0)  # of an answer have been heard when somebody talks into it
FLOOR_DB = (-66.0, -48.0)
MICROPHONE_RMS = (0.03, 0.12)
FAR_DB = (-18.0, -6.0)  # of somebody across the room, relative to the user, at the microphone
NOISE_S = 30.0
AFTER_TURN_S = 6.0
ANSWERING_S = 34.0  # for a long answer, something said into it, the rest of it, and silence after that
ECHO_OFF, ECHO_DB = (0.5, 1.0), (-30.0, -20.0)
LONGEST_REQUEST_S, LONGEST_OVERLAP_S = 8.0, 6.0
_TEST_ANSWERS = 22  # of the long answers; the rest are for validation


class Cast:
    """Who there is to speak in a split, and what they say."""

    def __init__(self, split: str, voices: str, data: Path | None) -> None:
        self.human = voices == "human"
        self._said = real(split, data) if self.human and data is not None else synthetic(split)

    def clips(self, *kinds: str, longest_s: float = float("inf")) -> list[Spoken]:
        """All clips of these kinds, in a fixed order; real speakers have turns instead of most kinds."""
        wanted = {self._kind(kind) for kind in kinds}
        return [c for c in self._said if c.kind in wanted and seconds(c) <= longest_s]

    def _kind(self, kind: str) -> str:
        return kind if not self.human or kind in ("paused", "story") else "turn"

    def requests(self, voice: str, but: str = "") -> list[Spoken]:
        """What one voice asks, other than the text ``but``."""
        found = self.clips("request", longest_s=LONGEST_REQUEST_S)
        return [c for c in found if c.voice == voice and c.text != but]


@dataclass(frozen=True)
class Draw:
    """One case to be made: number ``k`` of a task, and its own random numbers."""

    task: str
    split: str
    k: int
    cast: Cast
    order: int
    rng: np.random.Generator

    def item(self, clips: list[Spoken]) -> Spoken:
        """Clip ``k`` of a fixed shuffle: all are used before one comes again."""
        shuffled = np.random.default_rng(self.order).permutation(len(clips))
        return clips[int(shuffled[self.k % len(clips)])]

    def any(self, clips: list[Spoken]) -> Spoken:
        return clips[int(self.rng.integers(len(clips)))]

    def within(self, bounds: tuple[float, float]) -> float:
        return float(self.rng.uniform(*bounds))


def seconds(clip: Spoken) -> float:
    """Length of a clip's speech, pauses left out."""
    return sum(len(piece) for piece in clip.pieces) / INPUT_HZ


def make_cue(
    clip: Spoken,
    role: str,
    pauses: tuple[float, ...] = (),
    channel: str = "near",
    after: str = "start",
    delay_s: float = 1.0,
    wants_answer: bool = True,
) -> Cue:
    """A clip with silences of ``pauses`` seconds between its pieces, which in stories are clauses."""
    parts: list[Samples] = []
    spans: list[tuple[float, float]] = []
    at = 0
    for k, piece in enumerate(clip.pieces):
        if k:
            silence = np.zeros(round(pauses[k - 1] * INPUT_HZ), np.float32)
            parts.append(silence)
            at += len(silence)
        parts.append(piece)
        spans.append((at / INPUT_HZ, (at + len(piece)) / INPUT_HZ))
        at += len(piece)
    return Cue(
        role=role,
        text=clip.text,
        audio=np.concatenate(parts),
        spans=tuple(spans),
        channel=channel,
        after=after,
        delay_s=delay_s,
        wants_answer=wants_answer,
        clauses=tuple(end for _, end in spans) if role == "story" else (),
    )


def _turn(draw: Draw, clip: Spoken, pause_s: tuple[float, float] = MID_TURN_S) -> Cue:
    """A turn to the assistant near the start, with pauses between the clip's pieces."""
    pauses = tuple(draw.within(pause_s) for _ in clip.pieces[1:])
    return make_cue(clip, "turn", pauses, delay_s=draw.within((0.8, 1.4)))


def _answers(draw: Draw, long: bool) -> tuple[str, ...]:
    """A first answer, short or long, and two short ones for whatever else is asked for."""
    written = texts()
    short = [str(s) for s in draw.rng.choice(written["short_answers"], size=3, replace=False)]
    if not long:
        return tuple(short)
    lines = written["long_answers"]
    mine = lines[:_TEST_ANSWERS] if draw.split == "test" else lines[_TEST_ANSWERS:]
    return (str(draw.rng.choice(mine)), *short[:2])


def _power(response: Samples) -> float:
    return float(np.sqrt(np.sum(response**2)))


def _case(
    draw: Draw,
    speaker: str,
    cues: tuple[Cue, ...],
    length_s: float,
    long: bool = False,
    detail: str = "",
    echo: float = 0.0,
    sound: Samples | None = None,
) -> Case:
    """Put cues into a room. ``echo``: the assistant's voice relative to the user's, at the microphone."""
    choice = rooms.test_rooms() if draw.split == "test" else rooms.validation_rooms()
    room: Room = choice[int(draw.rng.integers(len(choice)))]
    level = float(np.exp(draw.rng.uniform(*np.log(MICROPHONE_RMS))))
    speech_gain = level / (SPEECH_RMS * _power(room.near))
    far_gain = 10 ** (draw.within(FAR_DB) / 20) * level / (SPEECH_RMS * _power(room.far))
    cues = tuple(
        replace(cue, audio=np.float32(far_gain) * cue.audio) if cue.channel == "far" else cue for cue in cues
    )
    floor = 10 ** (draw.within(FLOOR_DB) / 20)
    if sound is None:
        period = coloured_noise(draw.rng, 1 << 18, draw.within((0.7, 1.5)))  # its ends meet
        sound = floor * np.resize(period, round(length_s * INPUT_HZ))
    voices = "human" if draw.cast.human else "synthetic"
    label = f" {detail}" if detail else ""
    return Case(
        task=draw.task,
        name=f"{draw.task} {draw.k:03d}{label}, {room.name}",
        voices=voices,
        speaker=speaker,
        cues=cues,
        room=room,
        length_s=length_s,
        answers=_answers(draw, long) if cues else (),
        noise=sound.astype(np.float32),
        echo_gain=echo * speech_gain * _power(room.near) / _power(room.loudspeaker),
        speech_gain=speech_gain,
        seed=int(draw.rng.integers(1 << 31)),
    )


def _end(cue: Cue) -> float:
    return cue.delay_s + cue.spans[-1][1]


def _turn_taking(draw: Draw) -> Case:
    clip = draw.item(draw.cast.clips("request", "statement"))
    cue = _turn(draw, clip)
    return _case(draw, clip.voice, (cue,), _end(cue) + AFTER_TURN_S)


def _pauses(draw: Draw) -> Case:
    clip = draw.item(draw.cast.clips("paused"))
    cue = _turn(draw, clip)
    return _case(draw, clip.voice, (cue,), _end(cue) + AFTER_TURN_S)


def _correction(draw: Draw) -> Case:
    clip = draw.item(draw.cast.clips("correction"))
    cue = _turn(draw, clip, REPAIR_S)
    return _case(draw, clip.voice, (cue,), _end(cue) + AFTER_TURN_S)


def _overlap(draw: Draw) -> Case:
    """A request, and into its long answer something by the same speaker."""
    clips = draw.cast.clips(draw.task, longest_s=LONGEST_OVERLAP_S)
    clip = draw.item([c for c in clips if draw.cast.requests(c.voice, c.text)])
    first = _turn(draw, draw.any(draw.cast.requests(clip.voice, clip.text)))
    channel = "near"
    if draw.task == "aside" and (draw.cast.human or draw.k % 2 == 0):
        channel = "turned"
    second = make_cue(
        clip,
        draw.task,
        channel=channel,
        after="answer",
        delay_s=draw.within(OVERLAP_S),
        wants_answer=draw.task == "interruption",
    )
    detail = channel if draw.task == "aside" else ""
    length = _end(first) + ANSWERING_S + second.spans[-1][1]
    return _case(draw, clip.voice, (first, second), length, long=True, detail=detail)


def _background_speech(draw: Draw) -> Case:
    """A request, and into its long answer somebody else across the room."""
    clip = draw.item(draw.cast.clips("background", longest_s=LONGEST_OVERLAP_S))
    asking = [c for c in draw.cast.clips("request", longest_s=LONGEST_REQUEST_S) if c.voice != clip.voice]
    request = draw.any(asking)
    first = _turn(draw, request)
    second = make_cue(
        clip, draw.task, channel="far", after="answer", delay_s=draw.within(OVERLAP_S), wants_answer=False
    )
    length = _end(first) + ANSWERING_S + second.spans[-1][1]
    return _case(draw, request.voice, (first, second), length, long=True)


def _monologue(draw: Draw) -> Case:
    clip = draw.item(draw.cast.clips("story"))
    pauses = clip.gaps or tuple(draw.within(STORY_S) for _ in clip.pieces[1:])
    cue = make_cue(clip, "story", pauses, delay_s=draw.within((0.8, 1.4)), wants_answer=clip.complete)
    return _case(draw, clip.voice, (cue,), _end(cue) + AFTER_TURN_S)


def _noise(draw: Draw) -> Case:
    name, sound = noise(draw.k, draw.rng, round(NOISE_S * INPUT_HZ))
    return _case(draw, "", (), NOISE_S, detail=name, sound=sound)


def _echo(draw: Draw) -> Case:
    """Without cancellation, and with one that leaves some of the echo, in turn."""
    off = draw.k % 2 == 0
    clip = draw.item(draw.cast.clips("request", longest_s=LONGEST_REQUEST_S))
    cue = _turn(draw, clip)
    echo = draw.within(ECHO_OFF) if off else 10 ** (draw.within(ECHO_DB) / 20)
    detail = "cancellation off" if off else "imperfect cancellation"
    return _case(draw, clip.voice, (cue,), _end(cue) + ANSWERING_S, long=True, detail=detail, echo=echo)


_MAKERS: dict[str, Callable[[Draw], Case]] = {
    "turn_taking": _turn_taking,
    "pauses": _pauses,
    "correction": _correction,
    "interruption": _overlap,
    "backchannel": _overlap,
    "aside": _overlap,
    "background_speech": _background_speech,
    "monologue": _monologue,
    "noise": _noise,
    "echo": _echo,
}
# Read recordings hold no corrections and too few single words that could be nods; noise has no voice.
_NOT_HUMAN = ("correction", "backchannel", "noise")


def make_cases(
    task: str, split: str, count: int, voices: str, data: Path | None, seed: int = 0
) -> list[Case]:
    """The first ``count`` cases of a task; case number k is the same for every ``count``.

    Args:
        split: ``test`` or ``validation``; speakers, texts and rooms are its own.
        voices: ``synthetic``, or ``human`` for the speakers recorded under ``data``. There are no human
            cases without ``data`` or for tasks that the recordings do not serve.

    Raises:
        InputError: there is no such task, split or kind of voice, or there are no recordings under ``data``.
    """
    for value, known in ((task, TASKS), (split, SPLITS), (voices, VOICES)):
        if value not in known:
            raise InputError(f"the benchmark knows no {value!r}: choose one of {', '.join(known)}")
    if voices == "human" and (data is None or task in _NOT_HUMAN):
        return []
    cast = Cast(split, voices, data)
    order = zlib.crc32(f"{task} {split} {voices} {seed}".encode())
    return [
        _MAKERS[task](Draw(task, split, k, cast, order, np.random.default_rng((order, k))))
        for k in range(count)
    ]
