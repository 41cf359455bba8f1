"""On-policy sessions: the model decides, the oracle says what it should have decided.

DAgger (Ross et al. 2011, arXiv 1011.0686): one wrong decision changes what comes next, so the model is
trained on the states its own decisions lead to, with the oracle's decision as the target. Some sessions
are played by a model made more eager or more hesitant than it is, so that it also learns its way out of
situations it would seldom get into.
"""

import multiprocessing
import os
from pathlib import Path

import numpy as np
import torch

from engine import checkpoint
from engine.config import INPUT_CHUNK
from engine.decisions import DECISION_INDEX, DECISIONS, SAY_INDEX
from engine.encode import state_vector, text_ids
from engine.engines.micro import choose
from engine.frontend import Array, WhisperEncoder, WhisperFrontEnd
from engine.model.config import ModelConfig
from engine.model.interaction import InteractionModel, ModelInputs
from engine.standing import standing_vector
from engine.training.acoustics import Microphone, draw_room
from engine.training.dataset import (
    DataConfig,
    Pools,
    abandoned,
    begin,
    load_pools,
    session_arrays,
    write_shard,
)
from engine.training.simulator import SessionSimulator
from engine.training.texts import Rng, dialogue_turns
from engine.types import Samples, SelfState, TextEvent
from engine.voice import Voice

SEED_OFFSET = 1_000_000  # on-policy sessions are other sessions than those of the imitation stage
EAGERNESS = (0.0, 0.0, 0.0, 0.0, -1.0, 1.0, -0.5, 0.5)  # added to speak and interrupt, session by session
JUMPINESS = (0.0, 1.0, -1.0, 0.0, 0.0, 0.0, 1.0, 0.0)  # added to yield


def policy_path(folder: Path, round_number: int, number: int) -> Path:
    """Where shard ``number`` of an on-policy round lies."""
    return folder / f"policy-{round_number}-{number:05d}.npz"


class Stream:
    """One session and what its microphone and front end remember."""

    def __init__(self, session: SessionSimulator, human: bool, rng: Rng, encoder: WhisperEncoder) -> None:
        self.session, self.human, self.rng = session, human, rng
        room = draw_room(rng, session.empty)
        self.microphone = Microphone(room, rng, len(session.user.near))
        self.front_end = WhisperFrontEnd(encoder)
        self.features: list[Array] = []

    def hear(self) -> Array:
        """The features of the micro-turn that is being observed."""
        first = self.session.index * INPUT_CHUNK
        last = first + INPUT_CHUNK
        begin_at = max(0, first - self.microphone.reach)
        user = self.session.user
        chunk: Samples = self.microphone.piece(
            first,
            last,
            user.near[begin_at:last],
            user.far[begin_at:last],
            self.session.echo_of(begin_at, last),
        )
        self.features.append(self.front_end.push(chunk))
        return self.features[-1]


def model_inputs(
    features: list[Array],
    seen: list[tuple[SelfState, tuple[TextEvent, ...]]],
    sizes: ModelConfig,
    pictures: torch.Tensor | None = None,
) -> ModelInputs:
    """One micro-turn of several sessions, (B, 1, ...); ``pictures`` (B, 3, 120, 160), or none."""
    count = len(seen)
    states = np.stack([state_vector(s)[: sizes.state_dim] for s, _ in seen])
    return ModelInputs(
        audio=torch.from_numpy(np.stack(features)[:, None, : sizes.audio_dim]),
        state=torch.from_numpy(states[:, None]),
        decision=torch.tensor([[DECISION_INDEX[s.last_decision]] for s, _ in seen]),
        say=torch.tensor([[SAY_INDEX[s.last_say]] for s, _ in seen]),
        text=torch.from_numpy(np.stack([text_ids(t) for _, t in seen])[:, None]),
        standing=torch.from_numpy(np.stack([standing_vector(s.standing) for s, _ in seen])[:, None]),
        frames=torch.zeros(0, 3, 120, 160) if pictures is None else pictures,
        frame_index=torch.full((count, 1), -1) if pictures is None else torch.arange(count)[:, None],
    )


def play(model: InteractionModel, streams: list[Stream]) -> None:
    """Play sessions of equal length side by side, the model deciding in all of them."""
    state = model.streaming(len(streams))
    biases = torch.zeros(len(streams), len(DECISIONS))
    for k in range(len(streams)):
        biases[k, [DECISION_INDEX["speak"], DECISION_INDEX["interrupt"]]] = EAGERNESS[k % len(EAGERNESS)]
        biases[k, DECISION_INDEX["yield"]] = JUMPINESS[k % len(JUMPINESS)]
    while streams[0].session.index < streams[0].session.turns:
        seen = [s.session.observe()[:2] for s in streams]
        features = [s.hear() for s in streams]
        out = model.step(model_inputs(features, seen, model.config), state)
        for k, stream in enumerate(streams):
            stream.session.act(choose(out, k, biases[k], stream.rng))


def make_policy_shard(
    path: Path, seed: list[int], model: InteractionModel, pool: Pools, config: DataConfig, tools: "Tools"
) -> None:
    """Write one shard unless it is there."""
    if path.exists():
        return
    streams = []
    for k in range(config.sessions_per_shard):
        rng = np.random.default_rng([*seed, k])
        session, human = begin(rng, pool, config, tools.voices[k], tools.dialogue)
        streams.append(Stream(session, human, rng, tools.encoder))
    play(model, streams)
    write_shard(path, [session_arrays(s.session.trace(), np.stack(s.features), s.human) for s in streams])


class Tools:
    """What a worker loads once: a voice for each session of a shard, the encoder, the dialogue texts."""

    def __init__(self, config: DataConfig, data: Path | None) -> None:
        self.voices = [Voice() for _ in range(config.sessions_per_shard)]
        self.encoder = WhisperEncoder()
        self.dialogue = dialogue_turns(data / "self-dialogues.jsonl.gz") if data else ()


def _worker(
    first: int,
    folder: Path,
    shards: Path,
    round_number: int,
    count: int,
    weights: Path,
    config: DataConfig,
    data: Path | None,
) -> None:
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)
    model = checkpoint.load(weights)
    pool = load_pools(shards, data, config)
    tools = Tools(config, data)
    for number in range(first, count, config.workers):
        if abandoned():
            return
        seed = [config.seed, SEED_OFFSET * round_number + number]
        make_policy_shard(policy_path(folder, round_number, number), seed, model, pool, config, tools)


def roll_out(
    folder: Path,
    shards: Path,
    round_number: int,
    count: int,
    weights: Path,
    config: DataConfig,
    data: Path | None,
) -> list[Path]:
    """Play ``count`` shards of sessions with the model in ``weights``; those that exist are left alone.

    ``shards``: the folder that holds the clip pool. Returns the shards' paths.

    Raises:
        RuntimeError: a worker failed.
    """
    paths = [policy_path(folder, round_number, number) for number in range(count)]
    if all(path.exists() for path in paths):
        return paths
    context = multiprocessing.get_context("spawn")
    workers = [
        context.Process(target=_worker, args=(k, folder, shards, round_number, count, weights, config, data))
        for k in range(config.workers)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if any(w.exitcode for w in workers):
        raise RuntimeError("playing on-policy sessions failed; see the message above")
    return paths
