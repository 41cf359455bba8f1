"""Training sessions in which the assistant sees: scenes before the camera, and what was asked for.

In most of them nobody speaks, for that is quick to make: the sound is a room's, out of a few that were made
before. In the others the user talks as in any session.
"""

import multiprocessing
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.frontend import WhisperEncoder, whole_features
from engine.training.acoustics import Microphone, draw_room
from engine.training.dataset import (
    DataConfig,
    Pools,
    abandoned,
    draw_cast,
    load_pools,
    session_arrays,
    write_shard,
)
from engine.training.simulator import SessionSimulator
from engine.training.texts import Rng, dialogue_turns
from engine.training.visual import bank
from engine.training.visual.bank import Scene
from engine.training.visual.splits import TRAIN, Split
from engine.voice import Voice

SCENES_A_FILE = 16
ROOMS = 32
SCENE_SEED, WATCH_SEED = 2_000_000, 3_000_000  # other numbers than those of the sessions without a camera
TYPING = 0.5  # share of the users who say nothing that type


@dataclass(frozen=True)
class WatchConfig:
    """``scenes``: files of 16 scenes; ``variants``: sessions made of each; ``spoken``: share with talk.

    ``blind``: share of sessions without a camera, where only times are asked for; with 1 no scenes are made.
    """

    scenes: int = 0
    variants: int = 2
    spoken: float = 0.06
    blind: float = 0.12


def scenes_path(folder: Path, number: int) -> Path:
    return folder / f"scenes-{number:05d}.npz"


def watch_path(folder: Path, number: int) -> Path:
    return folder / f"watch-{number:05d}.npz"


def make_scenes(path: Path, seed: int, number: int, seconds: float, split: Split = TRAIN) -> None:
    """Write one file of scenes unless it is there."""
    if not path.exists():
        seeds = [[SCENE_SEED + seed, number, k] for k in range(SCENES_A_FILE)]
        bank.write(path, [bank.make_scene(each, None, seconds, split) for each in seeds])


def room_features(folder: Path, seed: int, turns: int) -> list[NDArray[np.float16]]:
    """What the model gets of the sound of rooms in which nobody speaks, (turns, dim) each; made once."""
    stored = folder / "rooms.npz"
    if stored.exists():
        with np.load(stored) as arrays:
            return [*arrays["rooms"]]
    encoder, out = WhisperEncoder(), []
    for k in range(ROOMS):
        rng = np.random.default_rng([seed, k])
        silence = np.zeros(turns * 3_200, np.float32)
        sound = Microphone(draw_room(rng, True), rng, len(silence)).whole(silence, silence, silence)
        out.append(whole_features(sound, encoder, batch=4).astype(np.float16))
    temporary = folder / f"rooms.{os.getpid()}.tmp.npz"
    np.savez(temporary, rooms=np.stack(out))
    temporary.replace(stored)
    return out


def validation_scenes(folder: Path, seed: int, files: int, seconds: float, split: Split) -> list[Scene]:
    """Scenes to judge by, of looks, rooms and cameras that are kept out of training; made once."""
    scenes: list[Scene] = []
    for number in range(files):
        path = folder / f"{split.name}-{scenes_path(folder, number).name}"
        make_scenes(path, seed, number, seconds, split)
        scenes += bank.read(path)
    return scenes


@dataclass(frozen=True)
class Makings:
    """What sessions are made of in one process."""

    config: DataConfig
    watch: WatchConfig
    pool: Pools
    rooms: list[NDArray[np.float16]]
    voice: Voice
    encoder: WhisperEncoder
    dialogue: tuple[str, ...]
    requests: tuple[str, ...]


def make_session(rng: Rng, scene: Scene | None, makings: Makings) -> dict[str, NDArray[np.generic]]:
    """One session's arrays, the oracle deciding with mistakes."""
    turns, spoken = makings.config.turns, rng.random() < makings.watch.spoken
    cast = draw_cast(rng, makings.pool, makings.config)
    people = makings.pool.everybody if spoken else []
    session = SessionSimulator(
        rng, cast.user if spoken else [], people, makings.voice, makings.dialogue, turns,
        empty=not spoken, scene=scene, wishes=True,
        typing=() if spoken or rng.random() > TYPING else makings.requests,
    )  # fmt: skip
    trace = session.run()
    if spoken:
        room = Microphone(draw_room(rng), rng, len(trace.near))
        heard = whole_features(room.whole(trace.near, trace.far, trace.echo), makings.encoder, batch=4)
        return session_arrays(trace, heard, cast.human)
    quiet = makings.rooms[int(rng.integers(len(makings.rooms)))]
    return session_arrays(trace, np.roll(quiet, int(rng.integers(turns)), axis=0).astype(np.float32), False)


def make_watch_shard(path: Path, scenes: Path, number: int, makings: Makings) -> None:
    """Write the sessions of one file of scenes unless they are there."""
    if path.exists():
        return
    sessions = []
    blinded = makings.watch.blind >= 1
    for variant in range(makings.watch.variants):
        for k, scene in enumerate([None] * SCENES_A_FILE if blinded else bank.read(scenes)):
            rng = np.random.default_rng([WATCH_SEED + makings.config.seed, number, variant, k])
            blind = scene is None or rng.random() < makings.watch.blind
            arrays = make_session(rng, None if blind else scene, makings)
            arrays["scene"] = np.array((-1, -1) if blind else (number, k), np.int16)
            sessions.append(arrays)
    write_shard(path, sessions)


def gather(
    folder: Path, data: Path | None, config: DataConfig, watch: WatchConfig, dialogue: tuple[str, ...]
) -> Makings:
    """Load everything; takes some seconds."""
    pool = load_pools(folder, data, config)
    rooms = room_features(folder, config.seed, config.turns)
    asked = tuple(clip.text for clip in pool.everybody if clip.kind == "request")
    return Makings(config, watch, pool, rooms, Voice(), WhisperEncoder(), dialogue, asked)


def _worker(first: int, folder: Path, data: Path | None, config: DataConfig, watch: WatchConfig) -> None:
    os.environ["OMP_NUM_THREADS"] = "1"
    dialogue = dialogue_turns(data / "self-dialogues.jsonl.gz") if data else ()
    made: Makings | None = None
    for number in range(first, watch.scenes, config.workers):
        if abandoned():
            return
        scenes, path = scenes_path(folder, number), watch_path(folder, number)
        if watch.blind < 1:
            make_scenes(scenes, config.seed, number, config.turns * 0.2)
        if not path.exists():
            made = made or gather(folder, data, config, watch, dialogue)
            make_watch_shard(path, scenes, number, made)


def make_watch_shards(folder: Path, data: Path | None, config: DataConfig, watch: WatchConfig) -> list[Path]:
    """Make what is missing, in ``config.workers`` processes, and return the shards' paths.

    Raises:
        RuntimeError: a worker failed.
    """
    paths = [watch_path(folder, number) for number in range(watch.scenes)]
    if all(path.exists() for path in paths):
        return paths
    room_features(folder, config.seed, config.turns)
    context = multiprocessing.get_context("spawn")
    workers = [
        context.Process(target=_worker, args=(k, folder, data, config, watch)) for k in range(config.workers)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if any(w.exitcode for w in workers):
        raise RuntimeError("making sessions with a camera failed; see the message above")
    return paths
