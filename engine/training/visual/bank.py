"""A bank of scenes: pictures as JPEG, one a micro-turn, with the truth of when things happen.

A file is an ``.npz`` of some scenes of equal length; the same seed gives the same scenes. They are painted
once and used in every epoch.
"""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.config import CHUNK_S
from engine.errors import InputError
from engine.training.visual.drawing import draw_script
from engine.training.visual.script import Repetition
from engine.training.visual.splits import TRAIN, Split
from engine.training.visual.stage import Stage
from engine.training.visual.truth import VisualEvent
from engine.types import Image

QUALITY = 90  # of the JPEG: differences to the painted picture are below the cameras' noise
KINDS = {"exercise": 0.5, "gestures": 0.17, "presence": 0.13, "mixed": 0.12, "objects": 0.03, "talking": 0.05}
FAULTY = 0.12  # share of scenes whose camera freezes, goes black or is covered


@dataclass(frozen=True)
class Scene:
    """``pictures``: JPEG, one a micro-turn. ``bad``: micro-turns in which the picture does not show the room.

    Times of ``repetitions`` (those that count) and ``events`` are seconds from the start.
    """

    kind: str
    pictures: tuple[NDArray[np.uint8], ...]
    bad: NDArray[np.bool_]
    repetitions: tuple[Repetition, ...]
    events: tuple[VisualEvent, ...]

    def picture(self, i: int) -> Image:
        """That of micro-turn ``i``, (120, 160, 3) RGB."""
        return decoded(self.pictures[i])

    def film(self) -> NDArray[np.uint8]:
        """All pictures, (turns, 120, 160, 3)."""
        return np.stack([decoded(picture) for picture in self.pictures])


def encoded(picture: Image) -> NDArray[np.uint8]:
    """A picture (height, width, 3) RGB as JPEG."""
    _, data = cv2.imencode(".jpg", picture[..., ::-1], (cv2.IMWRITE_JPEG_QUALITY, QUALITY))
    return np.asarray(data, np.uint8)


def decoded(data: NDArray[np.uint8]) -> Image:
    """A JPEG as (height, width, 3) RGB."""
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert picture is not None
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)


def make_scene(seed: list[int], kind: str | None, seconds: float, split: Split = TRAIN) -> Scene:
    """A scene of ``kind``, or of any; ``seed`` alone decides what it is."""
    rng = np.random.default_rng(seed)
    drawn = str(rng.choice(list(KINDS), p=list(KINDS.values())))
    faults = bool(rng.random() < FAULTY)
    script = draw_script(rng, kind or drawn, seconds, split)
    return scene_of(Stage(rng, script, split, faults=faults))


def scene_of(stage: Stage) -> Scene:
    """A scene with the pictures of all its micro-turns painted."""
    turns = range(stage.turns)
    return Scene(
        stage.script.kind,
        tuple(encoded(stage.frame(i)) for i in turns),
        np.array([stage.camera_state((i + 1) * CHUNK_S) != "good" for i in turns]),
        tuple(r for r in stage.repetitions if r.counts),
        stage.events,
    )


def write(path: Path, scenes: list[Scene]) -> None:
    """Write scenes of equal length, atomically."""
    lengths = [len(p) for scene in scenes for p in scene.pictures]
    truth = [
        {
            "kind": s.kind,
            "repetitions": [asdict(r) for r in s.repetitions],
            "events": [asdict(e) for e in s.events],
        }
        for s in scenes
    ]
    temporary = path.with_suffix(f".{os.getpid()}.tmp.npz")
    np.savez(
        temporary,
        jpeg=np.concatenate([p for scene in scenes for p in scene.pictures]),
        ends=np.cumsum(lengths),
        bad=np.stack([scene.bad for scene in scenes]),
        truth=np.frombuffer(json.dumps(truth).encode(), np.uint8),
    )
    temporary.replace(path)


def read(path: Path) -> list[Scene]:
    """The scenes of a file.

    Raises:
        InputError: it is missing, damaged, or something else.
    """
    try:
        with path.open("rb") as raw, np.load(raw) as stored:
            jpeg, ends, bad = stored["jpeg"], stored["ends"], stored["bad"]
            truth = json.loads(stored["truth"].tobytes())
    except Exception as err:  # zip, numpy and json each raise their own
        raise InputError(f"{path} is no bank of scenes: delete it, and it is made again ({err})") from err
    pictures = np.split(jpeg, ends[:-1])
    turns = bad.shape[1]
    return [
        Scene(
            each["kind"],
            tuple(pictures[k * turns : (k + 1) * turns]),
            bad[k],
            tuple(Repetition(**r) for r in each["repetitions"]),
            tuple(VisualEvent(**e) for e in each["events"]),
        )
        for k, each in enumerate(truth)
    ]
