"""The ``micro`` engine: the learned interaction model, one streaming step a micro-turn."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from engine import checkpoint
from engine.config import INPUT_CHUNK
from engine.decisions import CONTROL_TOKENS, DECISION_INDEX, DECISIONS, NONE, SAY_INDEX, SAY_TOKENS
from engine.encode import frame_array, state_vector, text_ids
from engine.frontend import make_front_end
from engine.model.interaction import ModelInputs, ModelOutputs
from engine.paths import asset, fingerprint
from engine.standing import standing_vector
from engine.types import Frame, MicroTurn, SelfState, StepOutput

MODEL_FILE = "interaction.safetensors"
SAY_TEMPERATURE = 0.7
_IS_CONTROL = np.array([token in CONTROL_TOKENS for token in SAY_TOKENS])
FRAME_TURNS = 5  # a picture is shown to the model for at most a second


class MicroEngine:
    """Runs the model on one stream. Engine thread only.

    ``bias`` adds to the decision logits, by decision: the user's temperament.
    The decision is the most probable one; among phrases one is drawn with the
    session's seed, so that it does not always say the same.
    """

    name = "micro"

    def __init__(
        self,
        threads: int = 1,
        seed: int = 0,
        bias: Mapping[str, float] | None = None,
        path: Path | None = None,
    ) -> None:
        torch.set_num_threads(threads)
        weights = path or asset(f"model/{MODEL_FILE}")
        self._model = checkpoint.load(weights)
        self.standing = checkpoint.standing(weights)
        self.model = fingerprint(weights)
        self._front_end = make_front_end(self._model.config.front_end)
        self.lean(bias or {})
        self._no_frames = torch.zeros(0, 3, 120, 160)
        self.reset(seed)

    def reset(self, seed: int) -> None:
        """Forget everything heard; start the phrase generator at ``seed``."""
        self._front_end.reset()
        self._state = self._model.streaming()
        self._rng = np.random.default_rng(seed)
        self._frame: Frame | None = None
        self._frame_age = 0
        self._pixels = self._no_frames

    def lean(self, bias: Mapping[str, float]) -> None:
        """Another bias from the next step on."""
        self._bias = torch.tensor([bias.get(name, 0.0) for name in DECISIONS])

    def warm_up(self) -> None:
        silence = np.zeros(INPUT_CHUNK, np.float32)
        picture = Frame(np.zeros((120, 160, 3), np.uint8), 0, 0.0)
        for i in range(6):
            self.step(MicroTurn(i, silence, SelfState(), frame=picture if i % 2 else None))
        self.reset(0)

    def _look(self, frame: Frame | None) -> torch.Tensor:
        """(N, 3, 120, 160): the newest picture, until it is a second old."""
        self._frame_age += 1
        if frame is not None:
            self._frame_age = 0
            self._pixels = torch.from_numpy(frame_array(frame.image))[None]
        elif self._frame_age >= FRAME_TURNS:
            self._pixels = self._no_frames
        return self._pixels

    def _inputs(self, turn: MicroTurn) -> ModelInputs:
        own = turn.self_state
        frames = self._look(turn.frame)
        return ModelInputs(
            audio=torch.from_numpy(self._front_end.push(turn.audio))[None, None],
            state=torch.from_numpy(state_vector(own, turn.gap_samples)[: self._model.config.state_dim])[
                None, None
            ],
            decision=torch.tensor([[DECISION_INDEX[own.last_decision]]]),
            say=torch.tensor([[SAY_INDEX[own.last_say]]]),
            text=torch.from_numpy(text_ids(turn.texts))[None, None],
            standing=torch.from_numpy(standing_vector(own.standing))[None, None],
            frames=frames,
            frame_index=torch.tensor([[0 if len(frames) else -1]]),
        )

    def step(self, turn: MicroTurn) -> StepOutput:
        return choose(self._model.step(self._inputs(turn), self._state), 0, self._bias, self._rng)


def choose(out: ModelOutputs, row: int, bias: torch.Tensor, rng: np.random.Generator) -> StepOutput:
    """The decision of one micro-turn: stream ``row`` of ``out`` (B, 1, ...), ``bias`` (5,) on its logits."""
    probs = torch.softmax(out.decision[row, 0] + bias, dim=-1).numpy()
    decision = DECISIONS[int(probs.argmax())]
    say = torch.softmax(out.say[row, 0] / SAY_TEMPERATURE, dim=-1).numpy().astype(np.float64)
    token = NONE if decision == "listen" else _draw(say, rng)
    delegate_prob = float(torch.sigmoid(out.delegate[row, 0]))
    top = np.argsort(say)[::-1][:4]
    return StepOutput(
        decision=decision,
        probs={name: float(p) for name, p in zip(DECISIONS, probs, strict=True)},
        say=token,
        say_probs={SAY_TOKENS[k]: float(say[k]) for k in top},
        delegate=decision != "listen" and delegate_prob > 0.5,
        delegate_prob=delegate_prob,
        user_activity=tuple(torch.sigmoid(out.activity[row, 0]).tolist()),
    )


def _draw(probs: np.ndarray, rng: np.random.Generator) -> str:
    """A control token when all phrases together are less likely; otherwise one of the phrases, drawn."""
    controls = np.where(_IS_CONTROL[: len(probs)], probs, 0.0)
    phrases = probs - controls
    if controls.sum() >= phrases.sum():
        return SAY_TOKENS[int(controls.argmax())]
    phrases[phrases < 0.05 * phrases.max()] = 0.0
    return SAY_TOKENS[int(rng.choice(len(phrases), p=phrases / phrases.sum()))]
