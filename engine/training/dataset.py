"""From clips to training arrays: sessions are simulated, mixed, and turned into features, shard by shard.

A shard is one ``.npz`` of a few sessions, named by its number; making it again
gives the same bytes for the same seed, and shards that exist are left alone, so
an interrupted run goes on where it stopped.
"""

import multiprocessing
import multiprocessing.connection
import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.decisions import DECISION_INDEX, SAY_INDEX
from engine.encode import state_vector, text_ids
from engine.frontend import WhisperEncoder, whole_features
from engine.standing import standing_vector
from engine.training import clips as pools
from engine.training.acoustics import Microphone, draw_room
from engine.training.clips import Clip
from engine.training.simulator import SessionSimulator
from engine.training.teachers import Teachers
from engine.training.texts import Rng, dialogue_turns
from engine.training.trace import Trace, activity_targets, complete_targets, turn_end_targets
from engine.voice import Voice

ARRAYS = (
    "audio",
    "state",
    "decision_in",
    "say_in",
    "text",
    "decision",
    "say",
    "delegate",
    "weight",
    "standing",
    "activity",
    "turn_end",
    "complete",
    "human",
    "scene",
)


EMPTY = 0.05  # share of sessions in which nobody is there
POOL, TEACHERS = "pool.npz", "teachers.json"
FILLING = ("opener", "aside", "backchannel", "stop")
VALIDATION_VOICES = 20  # every 20th synthetic voice is never heard in training


@dataclass(frozen=True)
class DataConfig:
    """How training conversations are made: the training config's ``[data]``.

    ``teachers``: let Silero VAD and smart-turn find and judge the pauses of real voices.
    """

    seed: int = 1
    voices: int = 120
    lines_per_voice: int = 60
    human_variants: int = 16
    human_share: float = 0.4
    teachers: bool = True
    shards: int = 100
    sessions_per_shard: int = 8
    turns: int = 300
    workers: int = 2


def session_arrays(trace: Trace, audio: NDArray[np.float32], human: bool) -> dict[str, NDArray[np.generic]]:
    """One session's arrays; axis 0 is the micro-turn. ``*_in`` are the tokens of the micro-turn before."""
    turns = trace.turns
    return {
        "audio": audio.astype(np.float16),
        "state": np.stack([state_vector(t.state) for t in turns]).astype(np.float16),
        "decision_in": np.array([DECISION_INDEX[t.state.last_decision] for t in turns], np.int8),
        "say_in": np.array([SAY_INDEX[t.state.last_say] for t in turns], np.int8),
        "text": np.stack([text_ids(t.texts) for t in turns]).astype(np.int16),
        "decision": np.array([DECISION_INDEX[t.target.decision] for t in turns], np.int8),
        "say": np.array([SAY_INDEX[t.target.say] for t in turns], np.int8),
        "delegate": np.array([t.target.delegate for t in turns], np.int8),
        "weight": np.array([t.target.weight for t in turns], np.float16),
        "standing": np.stack([standing_vector(t.state.standing) for t in turns]).astype(np.float16),
        "activity": activity_targets(trace.utterances, len(turns)).astype(np.int8),
        "turn_end": turn_end_targets(trace.utterances, len(turns)),
        "complete": complete_targets(trace.utterances, len(turns)),
        "human": np.array(human, np.int8),
        "scene": np.array((-1, -1), np.int16),
    }


@dataclass(frozen=True)
class Pools:
    """The clips sessions draw on."""

    by_voice: dict[str, list[Clip]]
    human: list[Clip]
    everybody: list[Clip]


@dataclass(frozen=True)
class Cast:
    """Who takes part in one session."""

    user: list[Clip]
    human: bool
    empty: bool


def draw_cast(rng: Rng, pool: Pools, config: DataConfig) -> Cast:
    """A synthetic or a real user. Real ones are many speakers, helped out by a synthetic voice."""
    names = sorted(pool.by_voice)
    voice = pool.by_voice[names[int(rng.integers(len(names)))]]
    empty = bool(rng.random() < EMPTY)
    if pool.human and rng.random() < config.human_share:
        filling = [c for c in voice if c.kind in FILLING]
        return Cast(pool.human + filling, True, empty)
    return Cast(voice, False, empty)


def begin(
    rng: Rng, pool: Pools, config: DataConfig, voice: Voice, dialogue: tuple[str, ...]
) -> tuple[SessionSimulator, bool]:
    """A session that has not begun, and whether its user is a real voice."""
    cast = draw_cast(rng, pool, config)
    session = SessionSimulator(rng, cast.user, pool.everybody, voice, dialogue, config.turns, cast.empty)
    return session, cast.human


def shard_path(folder: Path, number: int) -> Path:
    return folder / f"shard-{number:05d}.npz"


def make_shard(
    number: int,
    folder: Path,
    pool: Pools,
    config: DataConfig,
    tools: tuple[Voice, WhisperEncoder],
    dialogue: tuple[str, ...],
) -> None:
    """Write shard ``number`` unless it is there."""
    path = shard_path(folder, number)
    if path.exists():
        return
    sessions = []
    for k in range(config.sessions_per_shard):
        rng = np.random.default_rng([config.seed, number, k])
        session, human = begin(rng, pool, config, tools[0], dialogue)
        trace = session.run()
        room = draw_room(rng, session.empty)
        sound = Microphone(room, rng, len(trace.near)).whole(trace.near, trace.far, trace.echo)
        sessions.append(session_arrays(trace, whole_features(sound, tools[1], batch=4), human))
    write_shard(path, sessions)


def write_shard(path: Path, sessions: list[dict[str, NDArray[np.generic]]]) -> None:
    """Stack sessions and write them, atomically."""
    temporary = path.with_suffix(f".{os.getpid()}.tmp.npz")
    np.savez(temporary, **{name: np.stack([s[name] for s in sessions]) for name in ARRAYS})  # type: ignore[arg-type]
    temporary.replace(path)


def prepare(folder: Path, data: Path | None, config: DataConfig) -> None:
    """Make what all workers read: the clip pool, the recordings' words, what the teachers said of them."""
    stored = folder / POOL
    if not stored.exists():
        pools.save(
            pools.make_pool(
                config.seed, config.voices, config.lines_per_voice, _dialogue(data), config.workers
            ),
            stored,
        )
    if data:
        teachers = Teachers(folder / TEACHERS) if config.teachers else None
        pools.human_clips(data, folder, "train", np.random.default_rng(config.seed), 1, teachers)
        if teachers:
            teachers.save()


def _dialogue(data: Path | None) -> Path:
    return data / "self-dialogues.jsonl.gz" if data else Path("missing")


def synthetic_clips(folder: Path) -> tuple[list[Clip], list[Clip]]:
    """The pool's clips: those to train with, and those of the voices kept for validation."""
    clips = pools.read(folder / POOL)
    kept = set(sorted({c.voice for c in clips})[VALIDATION_VOICES - 1 :: VALIDATION_VOICES])
    return [c for c in clips if c.voice not in kept], [c for c in clips if c.voice in kept]


def load_pools(folder: Path, data: Path | None, config: DataConfig) -> Pools:
    """The clips that ``prepare`` made, and the real voices where ``data`` is given."""
    synthetic, _ = synthetic_clips(folder)
    people: list[Clip] = []
    if data:
        teachers = Teachers(folder / TEACHERS) if config.teachers else None
        rng = np.random.default_rng(config.seed)
        people = pools.human_clips(data, folder, "train", rng, config.human_variants, teachers)
    by_voice: dict[str, list[Clip]] = {}
    for clip in synthetic:
        by_voice.setdefault(clip.voice, []).append(clip)
    return Pools(by_voice, people, synthetic + people)


def _worker(first: int, folder: Path, data: Path | None, config: DataConfig) -> None:
    os.environ["OMP_NUM_THREADS"] = "1"
    pool = load_pools(folder, data, config)
    dialogue = dialogue_turns(_dialogue(data))
    tools = (Voice(), WhisperEncoder())
    for number in range(first, config.shards, config.workers):
        if abandoned():
            return
        make_shard(number, folder, pool, config, tools, dialogue)


def abandoned() -> bool:
    """Whether the process that started this worker is gone: killed, it could not stop its workers."""
    parent = multiprocessing.parent_process()
    return parent is not None and not parent.is_alive()


def make_shards(folder: Path, data: Path | None, config: DataConfig) -> None:
    """Make all shards that are missing, in ``config.workers`` processes, telling progress on standard output.

    Raises:
        RuntimeError: a worker failed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if all(shard_path(folder, n).exists() for n in range(config.shards)):
        return
    prepare(folder, data, config)
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_worker, args=(k, folder, data, config)) for k in range(config.workers)]
    for worker in workers:
        worker.start()
    began = time.monotonic()
    while any(w.is_alive() for w in workers):
        multiprocessing.connection.wait([w.sentinel for w in workers if w.is_alive()], timeout=20)
        done = sum(shard_path(folder, n).exists() for n in range(config.shards))
        hours = done * config.sessions_per_shard * config.turns * 0.2 / 3600
        print(
            f"data: {done}/{config.shards} shards, {hours:.1f} h, {time.monotonic() - began:.0f} s",
            flush=True,
        )
    if any(w.exitcode for w in workers):
        raise RuntimeError("making training data failed; see the message above")
